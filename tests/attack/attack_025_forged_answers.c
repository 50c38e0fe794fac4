/*
 * Attack 25: forged answers by the ten thousand (Kaminsky), and true ones that bring along what nobody
 * asked for.
 */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"
#define LIE   "6.6.6.6"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\nexample NS ns.example\nns.example A 10.0.0.2\n"
         "evil NS ns.evil\nns.evil A 10.0.0.3\n"},
    {"10.0.0.2", "example.", SOA "@ NS ns\nns A 10.0.0.2\nwww A 192.0.2.1\nbank A 192.0.2.2\n"},
    {"10.0.0.3", "evil.", SOA "@ NS ns\nns A 10.0.0.3\nwww A 192.0.2.3\n"},
};

static const uint8_t lie[] = {6, 6, 6, 6};

static void
put(struct dns_writer *d, enum dns_section section, const char *owner, uint16_t type,
    struct bytes rdata)
{
	struct dname name;

	assert_true(dns_writer_record(d, section, kit_name(&name, owner), type, 86400, rdata));
}

/* What the attacker would like to be believed: an answer, and the zone's servers taken over. */
static struct bytes
forge(struct bytes query, uint8_t room[DNS_UDP_MAX])
{
	struct dns_writer d;
	struct dns_query q;
	struct dname ns;

	assert_int_equal(dns_query_read(query, &q), DNS_OK);
	dns_writer_reply(&d, &q, room, DNS_UDP_MAX);
	d.flags |= DNS_FLAG_AA;
	dns_writer_record(&d, DNS_ANSWER, q.name, DNS_TYPE_A, 86400, (struct bytes){lie, 4});
	put(&d, DNS_AUTHORITY, "example.", DNS_TYPE_NS, kit_name(&ns, "ns.evil."));
	put(&d, DNS_ADDITIONAL, "ns.evil.", DNS_TYPE_A, (struct bytes){lie, 4});
	return dns_writer_finish(&d);
}

/* 65,535 wrong ids before the right answer: none is believed, and soon it is asked over TCP. */
static void
attack_025_wrong_ids(void **state)
{
	struct world *w = world_new(zones, COUNT(zones), HINTS);
	static uint8_t room[DNS_TCP_MAX], fake[DNS_UDP_MAX];
	struct iterate_send s;
	struct dname d;
	struct iterate *it;
	unsigned tcp = 0, forged = 0;

	(void)state;
	it = iterate_new(&w->conf, kit_name(&d, "www.example."), DNS_TYPE_A, w->now);
	while (iterate_step(it, w->now, &s) == ITERATE_SEND) {
		struct wr reply = wr_of(room, sizeof(room));
		uint16_t id = (uint16_t)(s.packet.p[0] << 8 | s.packet.p[1]);
		struct bytes f = forge(s.packet, fake);
		bool again = false;

		for (uint32_t wrong = 0; wrong < 65536 && !s.tcp && !again; wrong++) {
			struct wr w16 = wr_of(fake, 2);

			wr_u16(&w16, (uint16_t)wrong);
			if (wrong == id)
				continue;
			assert_false(iterate_reply(it, w->now, f));
			forged++;
			again = iterate_step(it, w->now, &s) == ITERATE_SEND;
		}
		tcp += s.tcp;
		world_answer(w, &s, &reply);
		assert_true(iterate_reply(it, w->now, wr_since(&reply, room)));
	}
	assert_non_null(strstr(world_show(w, iterate_result(it)), "192.0.2.1"));
	assert_int_equal(tcp, 2); /* every one of the two questions */
	assert_int_equal(forged, 2 * ITERATE_MISMATCHES);
	iterate_free(it);
	assert_null(strstr(world_ask(w, "bank.example.", "A"), LIE));
	world_free(w);
}

/* The right id on the answer to another question, or to no question, or that is a question. */
static void
attack_025_wrong_questions(void **state)
{
	struct world *w = world_new(zones, COUNT(zones), HINTS);
	uint8_t room[DNS_UDP_MAX];
	struct iterate_send s;
	struct dname d;

	(void)state;
	for (int how = 0; how < 6; how++) {
		struct iterate *it =
		    iterate_new(&w->conf, kit_name(&d, "www.example."), DNS_TYPE_A, w->now);
		struct bytes f;

		assert_int_equal(iterate_step(it, w->now, &s), ITERATE_SEND);
		f = forge(s.packet, room);
		switch (how) {
		case 0:
			room[DNS_HEADER + 1] ^= 3; /* the name */
			break;
		case 1:
			room[DNS_HEADER + s.name.n + 1] = DNS_TYPE_MX;
			break;
		case 2:
			room[DNS_HEADER + s.name.n + 3] = DNS_CLASS_CH;
			break;
		case 3:
			room[2] &= 0x7f;
			break;
		case 4:
			room[5] = 0; /* no question */
			break;
		case 5:
			f.n = 11;
			break;
		}
		assert_false(iterate_reply(it, w->now, f));
		assert_int_equal(iterate_step(it, w->now, &s), ITERATE_WAIT);
		iterate_free(it);
	}
	world_free(w);
}

/* A true server of evil. that speaks about others. */
static bool
evil(struct world *w, const struct iterate_send *s, struct wr *reply)
{
	uint8_t ip[16];
	struct dns_writer d;
	struct dns_query q;
	struct dname name;

	world_ip("10.0.0.3", ip);
	if (memcmp(s->to.ip, ip, 16) != 0)
		return false;
	assert_int_equal(dns_query_read(s->packet, &q), DNS_OK);
	dns_writer_reply(&d, &q, reply->p, DNS_UDP_MAX);
	d.flags |= DNS_FLAG_AA;
	switch (*(int *)w->owner) {
	case 0: /* an answer with more behind it */
		dns_writer_record(&d, DNS_ANSWER, q.name, DNS_TYPE_A, 60,
		                  (struct bytes){(const uint8_t *)"\xc0\0\2\3", 4});
		put(&d, DNS_ANSWER, "bank.example.", DNS_TYPE_A, (struct bytes){lie, 4});
		break;
	case 1: /* an alias, and what it should lead to */
		dns_writer_record(&d, DNS_ANSWER, q.name, DNS_TYPE_CNAME, 60,
		                  kit_name(&name, "bank.example."));
		put(&d, DNS_ANSWER, "bank.example.", DNS_TYPE_A, (struct bytes){lie, 4});
		break;
	case 2: /* referrals sideward and upward */
		d.flags &= (uint16_t)~DNS_FLAG_AA;
		put(&d, DNS_AUTHORITY, "example.", DNS_TYPE_NS, kit_name(&name, "ns.example."));
		break;
	case 3:
		d.flags &= (uint16_t)~DNS_FLAG_AA;
		put(&d, DNS_AUTHORITY, ".", DNS_TYPE_NS, kit_name(&name, "ns.example."));
		break;
	case 4: /* downward, with an address that is none of its business */
		d.flags &= (uint16_t)~DNS_FLAG_AA;
		put(&d, DNS_AUTHORITY, "www.evil.", DNS_TYPE_NS, kit_name(&name, "ns.example."));
		break;
	}
	if (*(int *)w->owner <= 1) {
		put(&d, DNS_AUTHORITY, "example.", DNS_TYPE_NS, kit_name(&name, "ns.evil."));
		put(&d, DNS_AUTHORITY, ".", DNS_TYPE_NS, kit_name(&name, "ns.evil."));
	}
	put(&d, DNS_ADDITIONAL, "ns.example.", DNS_TYPE_A, (struct bytes){lie, 4});
	put(&d, DNS_ADDITIONAL, "bank.example.", DNS_TYPE_A, (struct bytes){lie, 4});
	(void)wr_take(reply, dns_writer_finish(&d).n);
	return true;
}

static void
attack_025_out_of_bailiwick(void **state)
{
	(void)state;
	for (int how = 0; how <= 4; how++)
		for (int minimise = 0; minimise < 2; minimise++) {
			struct world *w = world_new(zones, COUNT(zones), HINTS);
			const char *text;

			w->twist = evil;
			w->owner = &how;
			w->conf.minimise = minimise;
			text = world_ask(w, "www.evil.", "A");
			assert_null(strstr(text, LIE));
			assert_null(strstr(w->log, LIE));
			assert_non_null(strstr(text, how == 0   ? "192.0.2.3"
			                             : how == 1 ? "192.0.2.2"
			                                        : "SERVFAIL"));
			assert_non_null(
			    strstr(world_ask(w, "bank.example.", "A"), " A 192.0.2.2\n"));
			assert_null(strstr(w->text, LIE));
			assert_null(strstr(w->log, LIE));
			assert_non_null(strstr(world_ask(w, "www.example.", "A"), "192.0.2.1"));
			assert_null(strstr(w->log, LIE));
			world_free(w);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_025_wrong_ids),
	    cmocka_unit_test(attack_025_wrong_questions),
	    cmocka_unit_test(attack_025_out_of_bailiwick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

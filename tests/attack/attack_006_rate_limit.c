/*
 * Attack 6: 50,000 queries a second from one forged address.  What leaves towards it stays under
 * 62 kB a second, as full answers and truncated ones; other networks get all their answers; ANY is
 * minimal.  Without sockets: the limiter and the answers that it is asked about.
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

#include "zone/rrl.h"

enum { SECONDS = 10, RATE = 50000, LEAVES_MAX = 62000, OTHERS = 200 };

static struct kit
make(void)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);

	/* one answer of just under 1232 octets */
	kit_add(b, "z.",
	        "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
	        "$GENERATE 1-74 big A 10.0.0.$\n@ MX 1 ns\n");
	return kit_seal(b, 1);
}

/* Octets that leave for one query. */
static size_t
leaves(struct rrl *l, const struct zone_image *img, struct bytes packet, const uint8_t peer[16],
       uint64_t now)
{
	uint8_t room[DNS_UDP_MAX];
	struct wr out = wr_of(room, sizeof(room));
	struct dns_query q;
	struct zone_ask ask = {.verdict = dns_query_read(packet, &q)};
	struct zone_done done = zone_answer(img, &q, &ask, &out);

	switch (rrl_judge(l, peer, false, &done, now)) {
	case RRL_DROP:
		return 0;
	case RRL_TRUNCATE:
		out = wr_of(room, sizeof(room));
		zone_answer_slip(&q, &out);
		break;
	case RRL_SEND:
		break;
	}
	return wr_since(&out, room).n;
}

static void
attack_006_rate_limit(void **state)
{
	static const uint8_t victim[16] = {[10] = 0xff, 0xff, 203, 0, 113, 7};
	struct rrl_conf conf = RRL_DEFAULTS;
	struct rrl *l = rrl_new(&conf, kit_key);
	struct kit k = make();
	uint8_t room[DNS_UDP_PLAIN];
	struct bytes packet = kit_packet(&(struct kit_query){"big.z.", "A", KIT_DO, 1232, 0}, room);
	unsigned served = 0;

	(void)state;
	for (unsigned s = 0; s < SECONDS; s++) {
		size_t n = 0;

		for (unsigned i = 0; i < RATE; i++) {
			uint64_t now = 1000 + s * 1000 + i * 1000 / RATE;

			n += leaves(l, &k.img, packet, victim, now);
			if (i % (RATE / OTHERS) == 0) { /* others ask meanwhile */
				uint8_t other[16] = {[10] = 0xff, 0xff, 198, 51};

				other[14] = (uint8_t)(i / (RATE / OTHERS));
				served += leaves(l, &k.img, packet, other, now) > 100;
			}
		}
		assert_in_range(n, 1, LEAVES_MAX);
	}
	assert_int_equal(served, SECONDS * OTHERS);
	rrl_free(l);
	kit_free(&k);
}

/* The NXDOMAINs of a zone are one thing, whatever names are made up. */
static void
attack_006_random_names(void **state)
{
	static const uint8_t victim[16] = {0x20, 1, 0xd, 0xb8};
	struct rrl_conf conf = RRL_DEFAULTS;
	struct rrl *l = rrl_new(&conf, kit_key);
	struct kit k = make();
	unsigned sent = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		uint8_t room[DNS_UDP_PLAIN];
		char name[32];

		snprintf(name, sizeof(name), "r%u.z.", i);
		sent += leaves(l, &k.img, kit_packet(&(struct kit_query)ASK(name, "A"), room),
		               victim, 1 + i / 10) > 40;
	}
	assert_int_equal(sent, RRL_RATE); /* in half a second */
	rrl_free(l);
	kit_free(&k);
}

static void
attack_006_any_is_minimal(void **state)
{
	struct kit k = make();
	char text[512];
	struct wr w = wr_of(text, sizeof(text));

	(void)state;
	kit_talk(&k.img, &(struct kit_query)ASK("z.", "ANY"), &w, NULL);
	wr_u8(&w, 0);
	assert_string_equal(text, "NOERROR aa\nan z. 60 NS ns.z.\nar ns.z. 60 A 192.0.2.1\n");
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_006_rate_limit),
	    cmocka_unit_test(attack_006_random_names),
	    cmocka_unit_test(attack_006_any_is_minimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

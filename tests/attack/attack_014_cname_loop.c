/*
 * Attack 14: chains in our own data that go in a circle, that are longer than anybody follows, or
 * that grow.  The answer ends: no record is in it twice, no chain has more than ZONE_CHAIN_MAX
 * links, a name that grows beyond 255 octets is YXDOMAIN (RFC 6672 2.2).
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

enum { GROWS = 62 }; /* octets of the label that g and h put in */
#define HEAD "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"

static const struct {
	const char *apex, *text;
} zones[] = {
    {"z.", HEAD "self CNAME self\n"
                "l1 CNAME l2\nl2 CNAME l3\nl3 CNAME l1\n"
                "into CNAME l1\n"
                "c100 CNAME ns\n$GENERATE 0-99 c$ CNAME c${1}\n"
                "*.w CNAME a.w\n"
                "*.v CNAME b.u\n*.u CNAME c.v\n"
                "out CNAME in.y.\n"
                "dself DNAME dself\n"
                "d1 DNAME d2\nd2 DNAME d1\n"
                "g DNAME very-long-label-that-grows-and-grows-and-grows-with-each-step.h\n"
                "h DNAME very-long-label-that-grows-and-grows-and-grows-with-each-step.g\n"
                "x.up DNAME up\n*.up CNAME n.x.up\n"},
    {"y.", HEAD "in CNAME out.z.\n"},
};

static const struct {
	const char *name;
	unsigned links; /* CNAMEs in the answer */
} talks[] = {
    {"self.z.", 1}, {"l1.z.", 3},      {"l2.z.", 3},   {"into.z.", 4}, {"c0.z.", 11},
    {"c95.z.", 6},  {"c89.z.", 11},    {"k.w.z.", 1},  {"k.v.z.", 2},  {"out.z.", 2},
    {"in.y.", 2},   {"a.dself.z.", 1}, {"a.d1.z.", 2}, {"a.g.z.", 2},  {"q.up.z.", 2},
};

static void
attack_014_cname_loop(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k;

	(void)state;
	for (size_t i = 0; i < COUNT(zones); i++)
		kit_add(b, zones[i].apex, zones[i].text);
	k = kit_seal(b, 1);
	for (size_t i = 0; i < COUNT(talks); i++) {
		static uint8_t room[DNS_TCP_MAX];
		struct kit_query q = {talks[i].name, "TXT", KIT_TCP, 1232, 0};
		struct dname owners[2 * ZONE_CHAIN_MAX];
		struct wr out = wr_of(room, sizeof(room));
		uint8_t packet[DNS_UDP_PLAIN];
		struct dns_record r;
		struct dns_msg m;
		unsigned n = 0;

		(void)kit_answer(&k.img, kit_packet(&q, packet), true, 0, &out);
		assert_true(dns_msg_open(&m, wr_since(&out, room)));
		while (dns_msg_next(&m, &r))
			if (r.type == DNS_TYPE_CNAME) {
				for (unsigned j = 0; j < n; j++)
					assert_false(dname_eq(dname_bytes(&owners[j]),
					                      dname_bytes(&r.owner)));
				owners[n++] = r.owner;
				assert_true(n <= ZONE_CHAIN_MAX);
			}
		assert_false(m.r.bad);
		if (n != talks[i].links)
			print_message("%s\n", talks[i].name);
		assert_int_equal(n, talks[i].links);
	}
	kit_free(&k);
}

static void
attack_014_dname_grows(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	char name[DNAME_MAX + 1], text[4096];
	struct zone_done done;
	struct kit k;
	size_t n = 0;

	(void)state;
	kit_add(b, "z.", zones[0].text);
	k = kit_seal(b, 1);
	while (n < 200) {
		name[n++] = 'a';
		name[n++] = '.';
	}
	memcpy(name + n, "g.z.", 5);
	for (; n > 0; n -= 2) {
		struct wr w = wr_of(text, sizeof(text));

		kit_talk(&k.img, &(struct kit_query){name + 200 - n, "A", KIT_TCP, 0, 0}, &w,
		         &done);
		/* two steps, each with a label more, then it meets itself */
		assert_int_equal(done.rcode, n + 2 * GROWS + 5 > DNAME_MAX ? DNS_RCODE_YXDOMAIN
		                                                           : DNS_RCODE_NOERROR);
	}
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_014_cname_loop),
	    cmocka_unit_test(attack_014_dname_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 7: answers that do not fit.  Over UDP none is longer than 1232 octets, or than the asker
 * takes; what is left out is left out as whole sets; TC is set when the answer misleads without it,
 * which additional addresses do not, but for glue beneath the cut (RFC 2181 9, RFC 9471).
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

static const char zone[] = "$TTL 60\n"
			   "@ SOA ns a 1 2 3 4 5\n"
			   "@ NS ns\n"
			   "ns A 192.0.2.1\n"
			   "$GENERATE 1-200 big A 10.0.0.$\n"
			   "tobig CNAME big\n"
			   "$GENERATE 1-30 mx MX $ host$.with.a.long.name.to.fill\n"
			   "$GENERATE 1-30 host$.with.a.long.name.to.fill AAAA 2001:db8::$\n"
			   "$GENERATE 1-30 in NS host$.with.a.long.name.to.fill.in\n"
			   "$GENERATE 1-30 host$.with.a.long.name.to.fill.in AAAA 2001:db8::$\n"
			   "$GENERATE 1-30 sib NS host$.with.a.long.name.to.fill\n"
			   "$GENERATE 1-200 toomany NS ns$.example.\n";

static const struct {
	struct kit_query q;
	bool tc;
	unsigned answers, authority, additional; /* without OPT; 999: some, but not all 30 */
} talks[] = {
    {{"big.z.", "A", 0, 1232, 0}, true, 0, 0, 0},
    {{"big.z.", "A", 0, 65535, 9}, true, 0, 0, 0},
    {{"big.z.", "A", 0, 0, 0}, true, 0, 0, 0},
    {{"big.z.", "A", KIT_TCP, 512, 9}, false, 200, 0, 0},
    {{"tobig.z.", "A", 0, 1232, 0}, true, 1, 0, 0},
    {{"tobig.z.", "A", KIT_TCP, 0, 0}, false, 201, 0, 0},
    {{"mx.z.", "MX", 0, 1232, 0}, false, 30, 0, 999},
    {{"mx.z.", "MX", KIT_TCP, 0, 0}, false, 30, 0, 30},
    {{"x.in.z.", "A", 0, 1232, 0}, true, 0, 30, 999},
    {{"x.in.z.", "A", KIT_TCP, 0, 0}, false, 0, 30, 30},
    {{"x.sib.z.", "A", 0, 1232, 0}, false, 0, 30, 999},
    {{"x.sib.z.", "A", KIT_TCP, 0, 0}, false, 0, 30, 30},
    {{"x.toomany.z.", "A", 0, 4096, 0}, true, 0, 0, 0},
    {{"x.toomany.z.", "A", KIT_TCP, 4096, 0}, false, 0, 200, 0},
};

static void
attack_007_truncation(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k;

	(void)state;
	kit_add(b, "z.", zone);
	k = kit_seal(b, 1);
	for (size_t i = 0; i < COUNT(talks); i++) {
		static uint8_t room[DNS_TCP_MAX];
		uint8_t packet[DNS_UDP_PLAIN];
		const struct kit_query *q = &talks[i].q;
		const bool tcp = q->how & KIT_TCP;
		const size_t limit = tcp              ? sizeof(room)
		                     : q->edns < 512  ? 512
		                     : q->edns > 1232 ? 1232
		                                      : q->edns;
		/* room for more than may be used over UDP */
		struct wr out = wr_of(room, sizeof(room));
		struct zone_done done =
		    kit_answer(&k.img, kit_packet(q, packet), tcp, q->turn, &out);
		unsigned n[4] = {0};
		struct dns_record r;
		struct dns_msg m;

		assert_true(wr_since(&out, room).n <= limit);
		assert_true(dns_msg_open(&m, wr_since(&out, room)));
		while (dns_msg_next(&m, &r))
			n[r.section] += r.type != DNS_TYPE_OPT;
		assert_false(m.r.bad);
		assert_int_equal((m.flags & DNS_FLAG_TC) != 0, talks[i].tc);
		assert_int_equal(done.truncated, talks[i].tc);
		assert_int_equal(n[DNS_ANSWER], talks[i].answers);
		assert_int_equal(n[DNS_AUTHORITY], talks[i].authority);
		if (talks[i].additional == 999)
			assert_in_range(n[DNS_ADDITIONAL], 1, 29);
		else
			assert_int_equal(n[DNS_ADDITIONAL], talks[i].additional);
	}
	kit_free(&k);
}

/* Every size from 512 on: never more than asked for, sets whole, and TC exactly when one misses. */
static void
attack_007_every_size(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k;

	(void)state;
	kit_add(b, "z.",
	        "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
	        "$GENERATE 1-50 w A 10.0.0.$\n");
	k = kit_seal(b, 1);
	for (uint16_t size = 0; size < 1500; size++) {
		uint8_t room[1500], packet[DNS_UDP_PLAIN];
		struct wr out = wr_of(room, sizeof(room));
		struct kit_query q = {"w.z.", "A", 0, size, size};
		struct zone_done done =
		    kit_answer(&k.img, kit_packet(&q, packet), false, size, &out);
		size_t n = wr_since(&out, room).n;
		/* header, question, 50 times pointer and A, OPT */
		size_t whole = 12 + 9 + 50 * 16 + 11;

		assert_true(n <= (size < 512 ? 512u : size > 1232 ? 1232u : size));
		assert_int_equal(done.truncated, size < whole);
		if (!done.truncated)
			assert_int_equal(n, whole);
	}
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_007_truncation),
	    cmocka_unit_test(attack_007_every_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

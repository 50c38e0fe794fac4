/*
 * Attack 1: queries to a served zone, cut at every octet and with every bit flipped.  What comes
 * back is silence or a whole message within the size that was asked for; no octet behind the packet
 * is read (each packet has memory of its own size, which the sanitizer guards).
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
			   "www CNAME ns\n"
			   "*.w MX 1 ns\n"
			   "d NS x.d\n"
			   "x.d A 192.0.2.3\n"
			   "$GENERATE 1-200 big A 10.0.0.$\n";

static const struct kit_query asks[] = {
    {"z.", "SOA", KIT_RD, 0, 0},
    {"www.z.", "A", KIT_DO, 1232, 0},
    {"a.b.w.z.", "MX", 0, 4096, 0},
    {"q.d.z.", "AAAA", 0, 512, 0},
    {"nobody.z.", "A", KIT_DO, 65535, 0},
    {"big.z.", "A", 0, 700, 3},
    {"z.", "ANY", 0, 0, 0},
    {"other.", "A", 0, 1, 0},
};

/* Asks with n octets of the packet, one bit of them flipped (8n: none). */
static void
ask(const struct zone_image *img, struct bytes packet, size_t n, size_t bit)
{
	uint8_t *own = malloc(n ? n : 1), *room = malloc(DNS_UDP_MAX);
	struct wr out = wr_of(room, DNS_UDP_MAX);
	struct bytes reply;
	struct dns_query q;
	struct dns_record r;
	struct dns_msg m;
	struct zone_done done;

	assert_true(own && room);
	memcpy(own, packet.p, n);
	if (bit < 8 * n)
		own[bit / 8] ^= (uint8_t)(1u << bit % 8);
	(void)!dns_query_read((struct bytes){own, n}, &q);
	done = kit_answer(img, (struct bytes){own, n}, false, 7, &out);
	reply = wr_since(&out, room);
	if (done.outcome == ZONE_DROPPED) {
		assert_int_equal(reply.n, 0);
	} else {
		assert_true(reply.n >= DNS_HEADER && reply.n <= dns_udp_limit(&q));
		assert_true(dns_msg_open(&m, reply));
		assert_true(m.flags & DNS_FLAG_QR);
		while (dns_msg_next(&m, &r))
			;
		assert_false(m.r.bad);
		assert_int_equal(m.flags & 15, done.rcode & 15);
	}
	free(own);
	free(room);
}

static void
attack_001_answers(void **state)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct kit k;

	(void)state;
	kit_add(b, "z.", zone);
	k = kit_seal(b, 1);
	for (size_t i = 0; i < COUNT(asks); i++) {
		uint8_t room[DNS_UDP_PLAIN];
		struct bytes packet = kit_packet(&asks[i], room);

		for (size_t n = 0; n <= packet.n; n++)
			for (size_t bit = 0; bit <= 8 * n; bit++)
				ask(&k.img, packet, n, bit);
	}
	kit_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_001_answers)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

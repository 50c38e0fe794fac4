/*
 * Attack 1: valid queries cut at every octet, with every bit flipped, and both.  The verdict is
 * silence or an error, no octet behind the packet is read (each packet has memory of its own size,
 * which the sanitizer guards), and no answer is longer than what was asked.
 */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#define Q(lit)                                                                                     \
	{                                                                                          \
		(const uint8_t *)(lit), sizeof(lit) - 1                                            \
	}

static const struct bytes queries[] = {
    Q("\1\2\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1"),
    Q("\1\2\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1"),
    Q("\1\2\1\0\0\1\0\0\0\0\0\1\7example\3org\0\0\xff\0\1\0\0\x29\4\xd0\0\0\x80\0\0\x17"
      "\0\3\0\0\0\12\0\10abcdefgh\0\14\0\3\0\0\0"),
    Q("\1\2\0\0\0\1\0\0\0\1\0\0\1z\0\0\xfb\0\1\xc0\x0c\0\6\0\1\0\0\0\0\0\x18\xc0\x0c\xc0\x0c"
      "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
};

/* The verdict on a copy of n octets with a bit flipped (8n: none). */
static enum dns_verdict
judge(const uint8_t *p, size_t n, size_t bit)
{
	uint8_t *own = malloc(n ? n : 1), room[DNS_UDP_PLAIN];
	struct bytes packet = {own, n}, answer;
	enum dns_verdict verdict;
	struct dns_query q;

	assert_non_null(own);
	memcpy(own, p, n);
	if (bit < 8 * n)
		own[bit / 8] ^= (uint8_t)(1u << bit % 8);
	verdict = dns_query_read(packet, &q);
	answer = dns_writer_refuse(&q, verdict, room, sizeof(room));
	assert_true(answer.n <= n);
	if (verdict == DNS_DROP) {
		assert_int_equal(answer.n, 0);
	} else {
		assert_memory_equal(answer.p, own, 2);
		assert_true(answer.p[2] & 0x80);
	}
	if (q.question.n)
		assert_memory_equal(answer.p + DNS_HEADER, q.question.p, q.question.n);
	free(own);
	return verdict;
}

static void
attack_001_cut_at_every_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		assert_int_equal(judge(queries[i].p, queries[i].n, SIZE_MAX), DNS_OK);
		for (size_t n = 0; n < queries[i].n; n++)
			assert_int_equal(judge(queries[i].p, n, SIZE_MAX),
			                 n < DNS_HEADER ? DNS_DROP : DNS_FORMERR);
	}
}

static void
attack_001_every_bit_flipped_at_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++)
		for (size_t n = 0; n <= queries[i].n; n++)
			for (size_t bit = 0; bit < 8 * n; bit++)
				judge(queries[i].p, n, bit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_001_cut_at_every_octet),
	    cmocka_unit_test(attack_001_every_bit_flipped_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

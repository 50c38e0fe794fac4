/* Attack 5: two OPTs, thousands of options, options that come again, versions that are not 0. */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static uint8_t packet[DNS_TCP_MAX];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A query with so many OPTs, of this version, each with `times` times these options. */
static struct bytes
query(unsigned opts, uint8_t version, struct bytes options, size_t times)
{
	struct wr w = wr_of(packet, sizeof(packet));

	wr_bytes(&w, BYTES("\1\2\0\0\0\1\0\0\0\0\0"));
	wr_u8(&w, (uint8_t)opts);
	wr_bytes(&w, BYTES("\1a\0\0\1\0\1"));
	for (unsigned i = 0; i < opts; i++) {
		wr_bytes(&w, BYTES("\0\0\x29\4\xd0\0"));
		wr_u8(&w, version);
		wr_u16(&w, 0);
		wr_u16(&w, (uint16_t)(options.n * times));
		for (size_t k = 0; k < times; k++)
			wr_bytes(&w, options);
	}
	assert_false(w.full);
	return wr_since(&w, packet);
}

static void
attack_005_two_opts(void **state)
{
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_read(query(1, 0, NO_BYTES, 0), &q), DNS_OK);
	for (unsigned n = 2; n < 200; n++)
		assert_int_equal(dns_query_read(query(n, 0, NO_BYTES, 0), &q), DNS_FORMERR);
}

static void
attack_005_versions(void **state)
{
	uint8_t room[DNS_UDP_PLAIN];
	struct dns_query q;

	(void)state;
	for (unsigned v = 1; v < 256; v++) {
		struct bytes answer;

		assert_int_equal(dns_query_read(query(1, (uint8_t)v, BYTES("\0\1x"), 1), &q),
		                 DNS_BADVERS);
		answer = dns_writer_refuse(&q, DNS_BADVERS, room, sizeof(room));
		/* OPT: the rcode's upper bits are 1, and the version is ours, 0 (RFC 6891 6.1.3). */
		assert_memory_equal(answer.p + answer.n - 11, "\0\0\x29\4\xd0\1\0\0\0\0\0", 11);
	}
}

static void
attack_005_many_options_cost_linear_time(void **state)
{
	static const struct {
		struct bytes options;
		enum dns_verdict verdict;
	} cases[] = {
	    {{(const uint8_t *)"\0\3\0\0", 4}, DNS_OK},
	    {{(const uint8_t *)"\0\3\0\0\0\12\0\10abcdefgh\0\14\0\1x", 21}, DNS_OK},
	    {{(const uint8_t *)"\0\12\0\10abcdefgh", 12}, DNS_OK},
	    {{(const uint8_t *)"\0\12\0\0", 4}, DNS_FORMERR},
	    {{(const uint8_t *)"\xff\xff\0\0", 4}, DNS_OK},
	};
	double t = now();
	struct dns_query q;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t times = 65000 / cases[i].options.n;
		enum dns_verdict verdict = cases[i].verdict;

		for (size_t k = 1; k <= times; k = k < times && k * 10 > times ? times : k * 10)
			assert_int_equal(dns_query_read(query(1, 0, cases[i].options, k), &q),
			                 verdict);
		if (verdict == DNS_OK && cases[i].options.n == 12)
			assert_true(bytes_eq(q.edns.cookie, BYTES("abcdefgh")));
	}
	assert_true(now() - t < 1.0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_005_two_opts),
	    cmocka_unit_test(attack_005_versions),
	    cmocka_unit_test(attack_005_many_options_cost_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

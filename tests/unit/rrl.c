/* rrl.c - response-rate limiting: who is limited, how much still gets out, who is not touched. */
#include "zone/rrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include "base/addr.h"

static const uint8_t key[SIPHASH_KEY] = "sixteen octets.";
static const struct zone_done positive = {.outcome = ZONE_ANSWERED,
                                          .about = {(const uint8_t *)"\1a", 3}};

struct count {
	unsigned sent, truncated, dropped;
};

static struct count
flood(struct rrl *l, const char *peer, const struct zone_done *done, unsigned n, uint64_t from_ms,
      uint64_t ms)
{
	struct count c = {0, 0, 0};
	uint8_t ip[16];

	assert_true(addr_ip_parse(bytes_of(peer), ip));
	for (unsigned i = 0; i < n; i++)
		switch (rrl_judge(l, ip, false, done, from_ms + ms * i / n)) {
		case RRL_SEND:
			c.sent++;
			break;
		case RRL_TRUNCATE:
			c.truncated++;
			break;
		case RRL_DROP:
			c.dropped++;
		}
	return c;
}

static struct rrl *
limiter(uint32_t rate, uint32_t slip, uint32_t slip_rate)
{
	struct rrl_conf conf = RRL_DEFAULTS;

	conf.rate = rate;
	conf.slip = slip;
	conf.slip_rate = slip_rate;
	return rrl_new(&conf, key);
}

/* Each second the rate, also the first one. */
static void
holds_the_rate(void **state)
{
	struct rrl *l = limiter(50, 2, 8);
	struct count c = flood(l, "192.0.2.1", &positive, 100000, 1000, 10000);

	(void)state;
	assert_int_equal(c.sent, 50 * 10);
	assert_int_equal(c.truncated, 8 * 10);
	/* idle for long: a second's worth again, not more */
	c = flood(l, "192.0.2.1", &positive, 1000, 1000000, 0);
	assert_int_equal(c.sent, 50);
	rrl_free(l);
}

/* Under the rate nobody notices. */
static void
leaves_slow_ones_alone(void **state)
{
	struct rrl *l = limiter(50, 2, 8);
	struct count c = flood(l, "192.0.2.1", &positive, 49 * 60, 5, 60000);

	(void)state;
	assert_int_equal(c.sent, 49 * 60);
	rrl_free(l);
}

static void
slips_as_told(void **state)
{
	static const struct {
		uint32_t slip, slip_rate;
		struct count want;
	} cases[] = {
	    {0, 8, {10, 0, 90}},     {1, 1000, {10, 90, 0}}, {2, 1000, {10, 45, 45}},
	    {3, 1000, {10, 30, 60}}, {2, 8, {10, 8, 82}},    {1, 0, {10, 0, 90}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rrl *l = limiter(10, cases[i].slip, cases[i].slip_rate);
		struct count c = flood(l, "192.0.2.1", &positive, 100, 1, 0);

		assert_memory_equal(&c, &cases[i].want, sizeof(c));
		rrl_free(l);
	}
}

/* What shares a bucket with (192.0.2.1, positive, "a."), and what does not. */
static void
counts_by_network_and_thing(void **state)
{
	static const struct {
		const char *peer, *name;
		enum zone_outcome outcome;
		bool shares;
	} cases[] = {
	    {"192.0.2.1", "\1a", ZONE_ANSWERED, true},
	    {"192.0.2.200", "\1a", ZONE_ANSWERED, true},
	    {"192.0.2.1", "\1A", ZONE_NODATA, true},
	    {"192.0.2.1", "\1a", ZONE_REFERRED, true},
	    {"192.0.3.1", "\1a", ZONE_ANSWERED, false},
	    {"192.0.2.1", "\1b", ZONE_ANSWERED, false},
	    {"192.0.2.1", "\1a", ZONE_NXDOMAIN, false},
	    {"192.0.2.1", "\1a", ZONE_REFUSED, false},
	    {"2001:db8::1", "\1a", ZONE_ANSWERED, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rrl *l = limiter(10, 0, 0);
		struct zone_done done = {.outcome = cases[i].outcome,
		                         .about = {(const uint8_t *)cases[i].name, 3}};

		(void)flood(l, "192.0.2.1", &positive, 10, 1, 0);
		assert_int_equal(flood(l, cases[i].peer, &done, 10, 1, 0).sent,
		                 cases[i].shares ? 0 : 10);
		rrl_free(l);
	}
}

static void
counts_ipv6_by_56(void **state)
{
	struct rrl *l = limiter(10, 0, 0);

	(void)state;
	assert_int_equal(flood(l, "2001:db8:0:12::1", &positive, 20, 1, 0).sent, 10);
	assert_int_equal(flood(l, "2001:db8:0:34:5::6", &positive, 20, 1, 0).sent, 0);
	assert_int_equal(flood(l, "2001:db8:0:134::1", &positive, 20, 1, 0).sent, 10);
	rrl_free(l);
}

/* Errors are one thing whatever was asked, and are dropped, never truncated. */
static void
errors_are_one_thing(void **state)
{
	struct zone_done a = {.outcome = ZONE_REFUSED, .about = BYTES("\1a")};
	struct zone_done b = {.outcome = ZONE_FAULTY};
	struct rrl *l = limiter(10, 1, 1000);
	struct count c;

	(void)state;
	assert_int_equal(flood(l, "192.0.2.1", &a, 10, 1, 0).sent, 10);
	c = flood(l, "192.0.2.1", &b, 10, 1, 0);
	assert_int_equal(c.dropped, 10);
	rrl_free(l);
}

static void
exempts_only_when_told(void **state)
{
	static const struct {
		const char *peer;
		bool tcp, exempt_tcp, exempt_loopback, limited;
	} cases[] = {
	    {"127.0.0.1", false, false, false, true}, {"127.1.2.3", false, false, true, false},
	    {"::1", false, false, true, false},       {"::2", false, false, true, true},
	    {"192.0.2.1", false, true, true, true},   {"192.0.2.1", true, true, false, false},
	    {"192.0.2.1", true, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rrl_conf conf = RRL_DEFAULTS;
		enum rrl_verdict last = RRL_SEND;
		struct rrl *l;
		uint8_t ip[16];

		conf.exempt_tcp = cases[i].exempt_tcp;
		conf.exempt_loopback = cases[i].exempt_loopback;
		l = rrl_new(&conf, key);
		assert_true(addr_ip_parse(bytes_of(cases[i].peer), ip));
		for (unsigned n = 0; n < 200; n++)
			last = rrl_judge(l, ip, cases[i].tcp, &positive, 1);
		assert_int_equal(last != RRL_SEND, cases[i].limited);
		rrl_free(l);
	}
}

/* A flood from everywhere, in a table of four places: memory stays, and the clock may wrap. */
static void
bears_small_tables_and_long_times(void **state)
{
	struct rrl_conf conf = {.rate = 10, .slip = 2, .slip_rate = 1, .buckets = 1};
	struct rrl *l = rrl_new(&conf, key);
	unsigned sent = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.%u.%u.1", i / 256 % 256, i % 256);
		sent += flood(l, peer, &positive, 1, UINT32_MAX - 50000u + i, 0).sent;
	}
	assert_int_equal(sent, 100000); /* each network asked once */
	assert_int_equal(flood(l, "10.0.0.1", &positive, 20, UINT64_MAX / 2, 0).sent, 10);
	rrl_free(l);
	conf.rate = 0;
	l = rrl_new(&conf, key);
	assert_int_equal(flood(l, "10.0.0.1", &positive, 1000, 1, 0).sent, 1000);
	rrl_free(l);
	rrl_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holds_the_rate),
	    cmocka_unit_test(leaves_slow_ones_alone),
	    cmocka_unit_test(slips_as_told),
	    cmocka_unit_test(counts_by_network_and_thing),
	    cmocka_unit_test(counts_ipv6_by_56),
	    cmocka_unit_test(errors_are_one_thing),
	    cmocka_unit_test(exempts_only_when_told),
	    cmocka_unit_test(bears_small_tables_and_long_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

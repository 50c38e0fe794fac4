/* What a resolver remembers: ranks, times, caps. */
#include "resolve/cache.h"
#include "resolve/servers.h"
#include "resolve/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t key[16] = "sixteen octets.";

static struct bytes
name_of(struct dname *room, const char *text)
{
	assert_null(dname_parse_text(room, bytes_of(text), DNAME_ROOT));
	return dname_bytes(room);
}

/* One record, an A with this last octet. */
static struct bytes
record(uint8_t room[6], uint8_t last)
{
	memcpy(room, (const uint8_t[]){0, 4, 192, 0, 2, last}, 6);
	return (struct bytes){room, 6};
}

static uint8_t
last_of(const struct cache_set *s)
{
	return s->kind == CACHE_SET ? s->records.p[s->records.n - 1] : 0;
}

/* RFC 2181 5.4.1: in the order of time, what was put and what is known then. */
static const struct {
	enum cache_rank put;
	uint8_t last;
	bool kept;
	uint8_t known, answered; /* 0: nothing */
} ranks[] = {
    {CACHE_GLUE, 1, true, 1, 0},      {CACHE_GLUE, 2, true, 2, 0},
    {CACHE_ANSWER, 3, true, 3, 3},    {CACHE_GLUE, 4, false, 3, 3},
    {CACHE_REFERRAL, 5, false, 3, 3}, {CACHE_AUTHORITY, 6, true, 6, 6},
    {CACHE_ANSWER, 7, false, 6, 6},   {CACHE_AUTHORITY, 8, true, 8, 8},
};

static void
test_ranks(void **state)
{
	struct cache *c = cache_new(key, 1 << 20);
	struct cache_set s;
	struct dname d;
	struct bytes n = name_of(&d, "a.b.");
	uint8_t room[6];

	(void)state;
	for (size_t i = 0; i < COUNT(ranks); i++) {
		assert_int_equal(cache_put(c, 1000, n, DNS_TYPE_A, ranks[i].put, 60,
		                           record(room, ranks[i].last), 1),
		                 ranks[i].kept);
		s = cache_get(c, 1000, n, DNS_TYPE_A, CACHE_GLUE);
		assert_int_equal(last_of(&s), ranks[i].known);
		s = cache_get(c, 1000, n, DNS_TYPE_A, CACHE_ANSWER);
		assert_int_equal(last_of(&s), ranks[i].answered);
	}
	/* the better one is over: the lesser is good again */
	assert_true(cache_put(c, 61000, n, DNS_TYPE_A, CACHE_GLUE, 60, record(room, 9), 1));
	cache_free(c);
}

static void
test_times(void **state)
{
	static const struct {
		uint32_t put, got;
	} ttls[] = {{1, 1}, {60, 60}, {CACHE_TTL_MAX, CACHE_TTL_MAX}, {UINT32_MAX, CACHE_TTL_MAX}};
	struct cache *c = cache_new(key, 1 << 20);
	struct cache_set s;
	struct dname d, upper;
	struct bytes n = name_of(&d, "a.b.");
	uint8_t room[6];

	(void)state;
	assert_false(cache_put(c, 0, n, DNS_TYPE_A, CACHE_ANSWER, 0, record(room, 1), 1));
	for (size_t i = 0; i < COUNT(ttls); i++) {
		uint64_t end = (uint64_t)ttls[i].got * 1000;

		cache_clear(c);
		assert_true(
		    cache_put(c, 0, n, DNS_TYPE_A, CACHE_ANSWER, ttls[i].put, record(room, 1), 1));
		s = cache_get(c, 0, name_of(&upper, "A.B."), DNS_TYPE_A, CACHE_ANSWER);
		assert_int_equal(s.ttl, ttls[i].got);
		s = cache_get(c, end - 1, n, DNS_TYPE_A, CACHE_ANSWER);
		assert_int_equal(s.ttl, 1);
		s = cache_get(c, end, n, DNS_TYPE_A, CACHE_ANSWER);
		assert_int_equal(s.kind, CACHE_NOTHING);
		assert_int_equal(cache_counts(c).entries, 0); /* looking does not keep it */
	}
	cache_free(c);
}

static void
test_negative(void **state)
{
	static const uint8_t soa[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0,
	                              0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 90};
	static const struct bytes rdata = {soa, sizeof(soa)};
	struct cache *c = cache_new(key, 1 << 20);
	struct cache_set s;
	struct dname d, z;
	struct bytes n = name_of(&d, "a.b."), zone = name_of(&z, "b.");
	uint8_t room[6];

	(void)state;
	assert_int_equal(cache_negative_ttl(3600, rdata), 90);
	assert_int_equal(cache_negative_ttl(30, rdata), 30);
	assert_int_equal(cache_negative_ttl(30, BYTES("short")), 0);
	cache_put_negative(c, 0, n, DNS_TYPE_A, CACHE_NODATA, zone, 3600, rdata);
	s = cache_get(c, 0, n, DNS_TYPE_A, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NODATA);
	assert_int_equal(s.ttl, 90);
	assert_true(bytes_eq(s.soa, rdata) && dname_eq(s.soa_owner, zone));
	s = cache_get(c, 0, n, DNS_TYPE_MX, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NOTHING);
	cache_put_negative(c, 0, n, DNS_TYPE_A, CACHE_NXDOMAIN, zone, 3600, rdata);
	s = cache_get(c, 0, n, DNS_TYPE_MX, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NXDOMAIN);
	/* a delegation is another thing than a name; a record says that the name is there */
	s = cache_get(c, 0, n, CACHE_DELEGATION, CACHE_GLUE);
	assert_int_equal(s.kind, CACHE_NOTHING);
	assert_true(cache_put(c, 0, n, DNS_TYPE_MX, CACHE_AUTHORITY, 60, record(room, 1), 1));
	s = cache_get(c, 0, n, DNS_TYPE_TXT, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NOTHING);
	/* a failure never replaces what is known */
	cache_put_failure(c, 0, n, DNS_TYPE_MX);
	s = cache_get(c, 0, n, DNS_TYPE_MX, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_SET);
	cache_put_failure(c, 0, n, DNS_TYPE_TXT);
	s = cache_get(c, 4999, n, DNS_TYPE_TXT, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_FAILED);
	s = cache_get(c, 5000, n, DNS_TYPE_TXT, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NOTHING);
	cache_free(c);
}

/* Attack 30: sets that are too large, and a million names. */
static void
test_caps(void **state)
{
	enum { ROOM = 256 * 1024 };
	struct cache *c = cache_new(key, ROOM);
	uint8_t big[CACHE_ENTRY_MAX + 1] = {0}, room[6];
	struct cache_set s;
	struct dname d;
	char text[32];

	(void)state;
	assert_int_equal(cache_counts(c).bytes, 0); /* an idle one owns nothing */
	assert_false(cache_put(c, 0, name_of(&d, "a."), DNS_TYPE_A, CACHE_ANSWER, 60,
	                       (struct bytes){big, sizeof(big)}, 1));
	assert_false(cache_put(c, 0, name_of(&d, "a."), DNS_TYPE_A, CACHE_ANSWER, 60,
	                       (struct bytes){big, 600}, CACHE_RECORDS_MAX + 1));
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "n%u.", i);
		assert_true(cache_put(c, 0, name_of(&d, text), DNS_TYPE_A, CACHE_ANSWER, 60,
		                      record(room, 1), 1));
		if (i % 100 == 0) { /* hot */
			s = cache_get(c, 0, name_of(&d, "n0."), DNS_TYPE_A, CACHE_ANSWER);
			assert_int_equal(s.kind, CACHE_SET);
		}
		assert_true(cache_counts(c).bytes <= ROOM);
	}
	assert_true(cache_counts(c).entries > 500);
	s = cache_get(c, 0, name_of(&d, "n1."), DNS_TYPE_A, CACHE_ANSWER);
	assert_int_equal(s.kind, CACHE_NOTHING);
	cache_free(c);
}

/* ---- servers ---- */

static void
test_servers(void **state)
{
	struct servers *s = servers_new(key, 1 << 20);
	uint8_t ip[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1}, v6[16] = {0x20};
	struct dname d, e;
	struct bytes zone = name_of(&d, "a."), other = name_of(&e, "b.");
	uint64_t now = 1000;

	(void)state;
	assert_int_equal(servers_view(s, now, ip, zone).wait_ms, SERVERS_WAIT_MS);
	for (int i = 0; i < 50; i++)
		servers_took(s, ip, 20);
	assert_int_equal(servers_view(s, now, ip, zone).expect_ms, 20);
	assert_int_equal(servers_view(s, now, ip, zone).wait_ms, SERVERS_WAIT_MIN_MS);
	for (int i = 0; i < SERVERS_SILENT; i++) {
		assert_false(servers_view(s, now, ip, zone).silent);
		servers_late(s, now, ip);
	}
	assert_true(servers_view(s, now, ip, zone).silent);
	assert_true(servers_view(s, now, ip, zone).expect_ms > SERVERS_WAIT_MS);
	now += SERVERS_REST_MS;
	assert_false(servers_view(s, now, ip, zone).silent);
	servers_late(s, now, ip); /* twice as long */
	assert_true(servers_view(s, now + SERVERS_REST_MS, ip, zone).silent);
	for (int i = 0; i < 1000; i++)
		servers_late(s, now, ip);
	assert_true(servers_view(s, now, ip, zone).wait_ms <= SERVERS_WAIT_MAX_MS);
	assert_false(servers_view(s, now + 2 * SERVERS_REST_MAX_MS, ip, zone).silent);
	servers_took(s, ip, 20);
	assert_false(servers_view(s, now, ip, zone).silent);
	servers_lame(s, now, ip, zone);
	assert_true(servers_view(s, now, ip, zone).lame);
	assert_false(servers_view(s, now, ip, other).lame);
	assert_false(servers_view(s, now + SERVERS_LAME_MS, ip, zone).lame);
	servers_no_edns(s, now, ip);
	assert_true(servers_view(s, now, ip, zone).no_edns);
	assert_false(servers_view(s, now + SERVERS_NO_EDNS_MS, ip, zone).no_edns);
	servers_no_route(s, now, v6);
	assert_false(servers_routed(s, now, v6));
	assert_true(servers_routed(s, now, ip));
	assert_true(servers_routed(s, now + SERVERS_FAMILY_MS, v6));
	servers_free(s);
}

/* ---- tables ---- */

static void
test_table(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, key, 64 * 1024);
	assert_null(table_get(&t, BYTES("a")));
	table_remove(&t, BYTES("a"));
	assert_null(table_put(&t, BYTES("a"), 64 * 1024));
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *p = table_put(&t, (struct bytes){(const uint8_t *)&i, sizeof(i)}, 4);

		assert_non_null(p);
		assert_int_equal(*p, 0);
		*p = i;
		assert_true(t.bytes <= t.max);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		const uint32_t *p = table_get(&t, (struct bytes){(const uint8_t *)&i, sizeof(i)});

		assert_true(!p || *p == i);
		assert_true(p || i < 999);
	}
	assert_int_equal(t.n + t.evicted, 1000);
	table_free(&t);
	assert_int_equal(t.bytes, 0);
	assert_non_null(table_put(&t, BYTES("a"), 1)); /* it may be used again */
	table_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ranks),    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_negative), cmocka_unit_test(test_caps),
	    cmocka_unit_test(test_servers),  cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* From a domain to where its mail goes: tables of DNS and of what comes out. */
#include "../play_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *name, *domain;
	struct play_name dns[8];
	const char *targets;
	size_t asked;
} rows[] = {
    {"the most preferred first, each name only when its turn comes",
     "x.test",
     {{"x.test MX", "20 b.test;10 a.test"},
      {"a.test A", "192.0.2.1"},
      {"a.test AAAA", "2001:db8::1"},
      {"b.test A", "192.0.2.2;192.0.2.3"}},
     "a.test=[2001:db8::1]:25 a.test=192.0.2.1:25 b.test=192.0.2.2:25 b.test=192.0.2.3:25 | 5.4.4",
     5},
    {"no MX: the domain itself",
     "x.test",
     {{"x.test A", "192.0.2.1"}},
     "x.test=192.0.2.1:25 | 5.1.2",
     3},
    {"neither", "x.test", {{NULL, NULL}}, "| 5.1.2", 3},
    {"no such domain", "x.test", {{"x.test MX", "NXDOMAIN"}}, "| 5.1.2", 1},
    {"MX cannot be told", "x.test", {{"x.test MX", "SERVFAIL"}}, "| 4.4.3", 1},
    {"no answer", "x.test", {{"x.test MX", "?"}}, "| 4.4.3", 1},
    {"an address cannot be told",
     "x.test",
     {{"x.test MX", "10 a.test"}, {"a.test AAAA", "?"}, {"a.test A", "SERVFAIL"}},
     "| 4.4.3",
     3},
    {"of one family it can",
     "x.test",
     {{"x.test MX", "10 a.test"}, {"a.test AAAA", "?"}, {"a.test A", "192.0.2.1"}},
     "a.test=192.0.2.1:25 | 4.4.3",
     3},
    {"of one server it can",
     "x.test",
     {{"x.test MX", "10 a.test;20 b.test"}, {"a.test AAAA", "?"}, {"b.test A", "192.0.2.1"}},
     "b.test=192.0.2.1:25 | 4.4.3",
     5},
    {"names of servers that do not exist",
     "x.test",
     {{"x.test MX", "10 a.test"}, {"a.test AAAA", "NXDOMAIN"}},
     "| 5.4.4",
     2},
    {"an address", "[192.0.2.7]", {{NULL, NULL}}, "[192.0.2.7]=192.0.2.7:25 | 5.4.4", 0},
    {"an address of the other family",
     "[IPv6:2001:db8::7]",
     {{NULL, NULL}},
     "[2001:db8::7]=[2001:db8::7]:25 | 5.4.4",
     0},
    {"half an address", "[192.0.2", {{"[192.0.2 MX", "?"}}, "| 4.4.3", 1},
    {"no name", "", {{NULL, NULL}}, "| 5.1.2", 0},
    {"the root", ".", {{NULL, NULL}}, "| 5.1.2", 0},
    {"an empty label", "x..test", {{NULL, NULL}}, "| 5.1.2", 0},
    {"a server that is no host's name (attack 17)",
     "x.test",
     {{"x.test MX", "10 a\\010b.test;20 c.test"}, {"c.test A", "192.0.2.1"}},
     "c.test=192.0.2.1:25 | 5.4.4",
     3},
    {"the same name twice has one turn",
     "x.test",
     {{"x.test MX", "10 a.test;20 A.test"}, {"a.test A", "192.0.2.1"}},
     "a.test=192.0.2.1:25 | 5.4.4",
     3},
};

static void
every_row(void **state)
{
	const struct route_conf conf = {.host = BYTES("us.test"), .port = 25};
	static struct play_dns d;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *shown;

		d.names = rows[i].dns;
		shown = play_route(&d, &conf, rows[i].domain, 1, 100);
		if (strcmp(shown, rows[i].targets) != 0 || d.asked != rows[i].asked)
			print_error("%s: asked %zu\n", rows[i].name, d.asked);
		assert_string_equal(shown, rows[i].targets);
		assert_int_equal(d.asked, rows[i].asked);
	}
}

/* Who takes the mail is asked for no more than is needed. */
static void
no_more_questions_than_needed(void **state)
{
	static const struct play_name dns[] = {
	    {"x.test MX", "10 a.test;20 b.test"}, {"a.test AAAA", "2001:db8::1"}, {NULL, NULL}};
	const struct route_conf conf = {.port = 25};
	static struct play_dns d = {.names = dns};

	(void)state;
	assert_string_equal(play_route(&d, &conf, "x.test", 1, 0), "| -");
	assert_int_equal(d.asked, 3);
}

static void
equal_ones_share(void **state)
{
	static const struct play_name dns[] = {
	    {"x.test MX", "10 a.test;10 b.test;10 c.test;20 d.test"},
	    {"a.test A", "192.0.2.1"},
	    {"b.test A", "192.0.2.2"},
	    {"c.test A", "192.0.2.3"},
	    {"d.test A", "192.0.2.4"},
	    {NULL, NULL}};
	const struct route_conf conf = {.port = 25};
	static struct play_dns d = {.names = dns};
	unsigned firsts[3] = {0};

	(void)state;
	for (uint64_t random = 0; random < 300; random++) {
		const char *shown = play_route(&d, &conf, "x.test", random * 7919, 100);

		firsts[shown[0] - 'a']++;
		assert_non_null(strstr(shown, "d.test=192.0.2.4:25 | 5.4.4"));
	}
	for (size_t i = 0; i < 3; i++)
		assert_in_range(firsts[i], 60, 140);
}

static void
a_relay_takes_all(void **state)
{
	static const struct play_name dns[] = {{"relay.test A", "127.0.0.1"}, {NULL, NULL}};
	static const struct {
		const char *relay, *targets;
	} relays[] = {
	    {"relay.test", "relay.test=127.0.0.1:25 | 5.4.4"},
	    {"relay.test:587", "relay.test=127.0.0.1:587 | 5.4.4"},
	    {"127.0.0.1:2525", "[127.0.0.1]=127.0.0.1:2525 | 5.4.4"},
	    {"[::1]:26", "[::1]=[::1]:26 | 5.4.4"},
	    {"192.0.2.1", "[192.0.2.1]=192.0.2.1:25 | 5.4.4"},
	    {"nowhere.test", "| 4.4.4"},
	    {"relay.test:0", "| 4.3.5"},
	    {"relay test", "| 4.3.5"},
	};
	static struct play_dns d = {.names = dns};

	(void)state;
	for (size_t i = 0; i < COUNT(relays); i++) {
		const struct route_conf conf = {.relay = bytes_of(relays[i].relay), .port = 25};

		assert_string_equal(play_route(&d, &conf, "x.test", 1, 9), relays[i].targets);
	}
}

static void
addresses_that_are_none(void **state)
{
	static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255",
	                                  "::",      "ff02::1", "fe80::1",   "::192.0.2.1"};
	static const char *const good[] = {"192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1"};
	uint8_t ip[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_true(addr_ip_parse(bytes_of(bad[i]), ip));
		assert_true(route_is_bad_ip(ip));
	}
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(addr_ip_parse(bytes_of(good[i]), ip));
		assert_false(route_is_bad_ip(ip));
		assert_false(addr_ip_is_loopback(ip));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row),
	    cmocka_unit_test(no_more_questions_than_needed),
	    cmocka_unit_test(equal_ones_share),
	    cmocka_unit_test(a_relay_takes_all),
	    cmocka_unit_test(addresses_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A hundred MX, MX to ourselves, to loopback, the null MX: no loop, no flood, and nothing that makes
 * us speak to our own machine.
 */
#include "../play_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct route_conf us = {.host = {(const uint8_t *)"us.test", 7}, .port = 25};
static struct play_dns d;

static const char *
route_of(const char *mx, const struct play_name more[3])
{
	static struct play_name dns[5];

	dns[0] = (struct play_name){"x.test MX", mx};
	for (size_t i = 0; i < 3; i++)
		dns[i + 1] = more ? more[i] : (struct play_name){NULL, NULL};
	d.names = dns;
	return play_route(&d, &us, "x.test", 5, 1000);
}

static void
attack_058_a_hundred_mx(void **state)
{
	static struct play_name dns[102];
	static char names[101][32], mx[4096];
	static const char many[] = "192.0.2.1;192.0.2.2;192.0.2.3;192.0.2.4;192.0.2.5;192.0.2.6";
	const char *shown;
	size_t targets = 0, n = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		n += (size_t)snprintf(mx + n, sizeof(mx) - n, "%s10 m%d.test", i ? ";" : "", i);
		snprintf(names[i], sizeof(names[i]), "m%d.test A", i);
		dns[i + 1] = (struct play_name){names[i], i == 99 ? many : ""};
	}
	dns[0] = (struct play_name){"x.test MX", mx};
	d.names = dns;
	play_route(&d, &us, "x.test", 5, 1000);
	assert_in_range(d.asked, 1 + 2 * ROUTE_HOSTS, 1 + 2 * ROUTE_HOSTS); /* and no more */
	for (int i = 0; i < 100; i++)
		dns[i + 1].answer = many;
	shown = play_route(&d, &us, "x.test", 5, 1000);
	for (const char *p = shown; (p = strchr(p, '=')); p++)
		targets++;
	assert_int_equal(targets, ROUTE_TARGETS);
	assert_true(d.asked < 1 + 2 * ROUTE_HOSTS);
}

static void
attack_058_mx_to_ourselves(void **state)
{
	static const struct play_name more[4] = {{"better.test A", "192.0.2.1"},
	                                         {"worse.test A", "192.0.2.2"},
	                                         {"us.test A", "192.0.2.9"}};

	(void)state;
	assert_string_equal(route_of("10 us.test", more), "| 5.4.6");
	assert_string_equal(route_of("10 US.test;20 worse.test", more), "| 5.4.6");
	assert_string_equal(route_of("10 worse.test;10 us.test", more), "| 5.4.6");
	assert_string_equal(route_of("5 better.test;10 us.test;20 worse.test", more),
	                    "better.test=192.0.2.1:25 | 5.4.6");
	d.names = more;
	assert_string_equal(play_route(&d, &us, "us.test", 1, 9), "| 5.4.6"); /* no MX at all */
}

static void
attack_058_null_mx(void **state)
{
	static const struct play_name more[3] = {{"a.test A", "192.0.2.1"},
	                                         {"x.test A", "192.0.2.2"}};

	(void)state;
	assert_string_equal(route_of("0 .", more), "| 5.1.10");
	assert_int_equal(d.asked, 1);
	assert_string_equal(route_of("0 .;10 a.test", more), "a.test=192.0.2.1:25 | 5.4.4");
}

static void
attack_058_to_this_machine(void **state)
{
	static const struct play_name more[3] = {
	    {"a.test A", "127.0.0.1;127.8.9.1;0.0.0.0;255.255.255.255;224.0.0.1"},
	    {"a.test AAAA", "::1;::;::ffff:127.0.0.1;::ffff:0.0.0.0;::127.0.0.1;fe80::1;ff02::1"}};
	const struct route_conf tests = {.port = 25, .loopback = true};

	(void)state;
	assert_string_equal(route_of("10 a.test", more), "| 5.4.4");
	assert_string_equal(play_route(&d, &us, "[127.0.0.1]", 1, 9), "| 5.4.4");
	assert_string_equal(play_route(&d, &us, "[IPv6:::1]", 1, 9), "| 5.4.4");
	assert_string_equal(play_route(&d, &tests, "x.test", 1, 9), /* on for tests alone */
	                    "a.test=[::1]:25 a.test=127.0.0.1:25 a.test=127.8.9.1:25 | 5.4.4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_058_a_hundred_mx),
	    cmocka_unit_test(attack_058_mx_to_ourselves),
	    cmocka_unit_test(attack_058_null_mx),
	    cmocka_unit_test(attack_058_to_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

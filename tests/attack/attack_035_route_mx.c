/*
 * RDATA of MX, A and AAAA that is cut short or goes on behind its end: the mail waits, and nothing
 * is read beyond it.
 */
#include "../play_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* a: the address of a.test. */
static const char *
route_of(const char *mx, const char *a)
{
	const struct play_name dns[] = {{"x.test MX", mx}, {"a.test A", a}, {NULL, NULL}};
	const struct route_conf conf = {.host = BYTES("us.test"), .port = 25};
	static struct play_dns d;

	d.names = dns;
	return play_route(&d, &conf, "x.test", 5, 100);
}

static void
attack_035_short_mx(void **state)
{
	static const char *const bad[] = {"!",         "!00",          "!000a",
	                                  "!000a01",   "!000a0161",    "!000a016100ff",
	                                  "!000ac00c", "10 a.test;!00"};
	static const char *const addresses[] = {"!", "!c00002", "!c000020101"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_string_equal(route_of(bad[i], ""), "| 4.4.3");
	for (size_t i = 0; i < COUNT(addresses); i++)
		assert_string_equal(route_of("10 a.test", addresses[i]), "| 4.4.3");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_035_short_mx),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 23: servers that share an address, or say that they are at 0.0.0.0, ::, loopback, multicast
 * or at our own address.
 */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\n"
         "$GENERATE 0-9 same NS n$.same\n$GENERATE 0-9 n$.same A 10.0.0.66\n"
         "bad NS ns.bad\nns.bad A 0.0.0.0\nns.bad A 127.0.0.1\nns.bad A 224.0.0.1\n"
         "ns.bad A 255.255.255.255\nns.bad A 169.254.0.1\nns.bad A 10.0.0.53\n"
         "ns.bad AAAA ::\nns.bad AAAA ::1\nns.bad AAAA ff02::1\nns.bad AAAA fe80::1\n"
         "ns.bad AAAA ::127.0.0.1\nns.bad AAAA ::ffff:127.0.0.1\n"},
};

static void
attack_023_shared(void **state)
{
	struct world *w = world_new(zones, COUNT(zones), HINTS);

	(void)state;
	assert_non_null(strstr(world_ask(w, "www.same.", "A"), "SERVFAIL"));
	assert_int_equal(w->sent, 1 + DELEGATION_TRIES); /* one server, not ten */
	world_free(w);
}

static void
attack_023_never_ourselves(void **state)
{
	struct world *w = world_new(zones, COUNT(zones), HINTS);
	struct addr own = {.port = 53};

	(void)state;
	world_ip("10.0.0.53", own.ip);
	w->conf.world.own = &own;
	w->conf.world.own_n = 1;
	assert_non_null(strstr(world_ask(w, "www.bad.", "A"), "SERVFAIL"));
	assert_string_equal(w->log, "10.0.0.1 www.bad. A\n");
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_023_shared),
	    cmocka_unit_test(attack_023_never_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 24: a zone that its parent has let go keeps itself alive, by NS records of its own beside
 * its answers, and by referrals to parts of itself.
 */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\nghost NS ns.ghost\nns.ghost A 10.0.0.2\n"},
    {"10.0.0.2", "ghost.",
     "$TTL 86400\n@ SOA ns a 1 2 3 4 60\n@ NS ns\nns A 10.0.0.2\nsub NS ns.sub\n"
     "ns.sub A 10.0.0.2\n$GENERATE 1-99 w$ 1 A 192.0.2.$\n"},
    {"10.0.0.2", "sub.ghost.",
     "$TTL 86400\n@ SOA ns a 1 2 3 4 60\n@ NS ns\nns A 10.0.0.2\n$GENERATE 1-99 w$ 1 A "
     "192.0.2.$\n"},
};

static void
attack_024_ends_with_the_parent(void **state)
{
	struct world *w = world_new(zones, COUNT(zones), HINTS);
	char name[32];
	unsigned i = 0;

	(void)state;
	world_ask(w, "w98.ghost.", "A");
	world_change(w, "10.0.0.1", ".", SOA "@ NS ns.root.\nns.root. A 10.0.0.1\n");
	for (uint64_t end = w->now + 299 * 1000; w->now < end; w->now += 7000) {
		world_ask(w, "ghost.", "NS"); /* which refreshes nothing */
		world_ask(w, "ns.ghost.", "A");
		snprintf(name, sizeof(name), "w%u.sub.ghost.", i % 99 + 1);
		world_ask(w, name, "A");
		snprintf(name, sizeof(name), "w%u.ghost.", i++ % 99 + 1);
		assert_non_null(strstr(world_ask(w, name, "A"), "192.0.2."));
	}
	w->now += 10000;
	assert_non_null(strstr(world_ask(w, "w99.ghost.", "A"), "NXDOMAIN"));
	assert_non_null(strstr(world_ask(w, "w99.sub.ghost.", "A"), "NXDOMAIN"));
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_024_ends_with_the_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

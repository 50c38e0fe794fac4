/* Attacks 31 and 14: aliases in a chain of 100, and in circles, within a zone and across zones. */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS "ns.root. 3600 A 10.0.0.1\n. 3600 NS ns.root.\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct world_zone zones[] = {
    {"10.0.0.1", ".",
     SOA "@ NS ns.root.\nns.root. A 10.0.0.1\na NS ns.a\nns.a A 10.0.0.2\nb NS ns.b\n"
         "ns.b A 10.0.0.3\n"},
    {"10.0.0.2", "a.",
     SOA "@ NS ns\nns A 10.0.0.2\n$GENERATE 0-99 c$ CNAME d$\n$GENERATE 0-99 x$ CNAME x${1}\n"
         "x100 A 192.0.2.1\nself CNAME self\none CNAME two\ntwo CNAME one\nround CNAME round.b.\n"},
    {"10.0.0.3", "b.", SOA "@ NS ns\nns A 10.0.0.3\nround CNAME round.a.\n"},
};

static const struct {
	const char *name;
	bool found;
} asks[] = {
    {"x0.a.", false},   {"x88.a.", false}, /* 12 steps */
    {"x89.a.", true},                      /* 11 */
    {"self.a.", false}, {"one.a.", false}, {"round.a.", false},
};

static void
attack_031_chains(void **state)
{
	(void)state;
	for (int minimise = 0; minimise < 2; minimise++) {
		struct world *w = world_new(zones, COUNT(zones), HINTS);

		w->conf.minimise = minimise;
		for (int twice = 0; twice < 2; twice++) /* the second time from the cache */
			for (size_t i = 0; i < COUNT(asks); i++) {
				const char *text = world_ask(w, asks[i].name, "A");

				assert_true((strstr(text, "192.0.2.1") != NULL) == asks[i].found);
				assert_true((strstr(text, "SERVFAIL") != NULL) != asks[i].found);
				assert_true(w->sent <= ITERATE_ALIASES + 5);
			}
		world_free(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_031_chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* uidset.c - against a plain array of flags. */
#include "box/uidset.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { UIDS = 20000 };

static void
check_runs(const struct uidset *s, const bool *there, uint32_t from, uint32_t to)
{
	struct uid_range run;

	for (uint32_t at = from; at && at <= to;) {
		bool found = uidset_run(s, at, to, &run);

		for (uint32_t uid = at; uid <= to && uid < UIDS && (!found || uid < run.first);
		     uid++)
			assert_false(there[uid]);
		if (!found)
			break;
		for (uint32_t uid = run.first; uid <= run.last; uid++)
			assert_true(there[uid]);
		assert_true(run.last == to || run.last + 1 >= UIDS || !there[run.last + 1]);
		at = run.last + 1;
	}
}

static void
it_is_as_an_array_of_flags(void **state)
{
	struct random *random = random_seeded(3);
	bool *there = calloc(UIDS, sizeof(*there));
	struct uidset s = {NULL, 0, 0, 0};
	uint32_t count = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		uint32_t uid = (uint32_t)random_below(random, UIDS);
		uint32_t n = (uint32_t)random_below(random, 2) ? 1 : 1 + uid % 300;
		bool in = random_below(random, 3) > 0;

		for (; n && uid < UIDS; n--, uid++) {
			if (in)
				assert_true(uidset_add(&s, uid));
			else
				uidset_remove(&s, uid);
			if (in != there[uid])
				count += in ? 1u : UINT32_MAX;
			there[uid] = in;
		}
		assert_int_equal(s.count, count);
		if (i % 100 == 0) {
			check_runs(&s, there, 0, UINT32_MAX);
			check_runs(&s, there, uid, uid + 5000);
		}
	}
	for (uint32_t uid = 0; uid < UIDS; uid++) {
		assert_true(uidset_has(&s, uid) == there[uid]);
		uidset_remove(&s, uid);
	}
	assert_int_equal(s.n, 0); /* no chunk is kept without need */
	uidset_free(&s);
	free(there);
	random_close(random);
}

static void
the_ends_of_all_numbers(void **state)
{
	struct uidset s = {NULL, 0, 0, 0};
	struct uid_range run;

	(void)state;
	assert_false(uidset_run(&s, 0, UINT32_MAX, &run));
	assert_true(uidset_add(&s, UINT32_MAX) && uidset_add(&s, UINT32_MAX - 1));
	assert_true(uidset_add(&s, 0));
	assert_true(uidset_run(&s, 1, UINT32_MAX, &run));
	assert_true(run.first == UINT32_MAX - 1 && run.last == UINT32_MAX);
	assert_false(uidset_run(&s, 1, UINT32_MAX - 2, &run));
	assert_true(uidset_run(&s, 0, 0, &run));
	assert_true(run.first == 0 && run.last == 0);
	uidset_free(&s);
	assert_int_equal(uidset_memory(&s), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_as_an_array_of_flags),
	    cmocka_unit_test(the_ends_of_all_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 63: the clock jumps ten years ahead or a day back, while the queue runs or before it
 * starts.  Nothing is given up for that, nobody is told, and what waits goes on.
 */
#include "../plan_rig.h"

enum { DAY_S = 24 * 3600, YEAR_S = 365 * DAY_S };

static const struct {
	const char *name;
	int64_t jump_s;
} jumps[] = {
    {"ten years ahead", INT64_C(10) * YEAR_S},
    {"a day ahead", DAY_S},
    {"a day back", -DAY_S},
    {"ten years back", INT64_C(-10) * YEAR_S},
};

static size_t
go_on(struct plan_rig *r, uint64_t for_s, size_t *told, size_t *warned)
{
	struct plan_try try;
	size_t tries = 0;

	for (uint64_t s = 0; s < for_s; s += 10) {
		while (plan_rig_next(r, &try)) {
			plan_rig_tried(r, &try, rig_later);
			tries++;
		}
		assert_true(is_ok(plan_look(r->plan, r->t)));
		plan_rig_settle(r);
		*told += plan_rig_report(r, warned);
		plan_rig_pass(r, 10000);
	}
	return tries;
}

static void
attack_063_while_it_runs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(jumps); i++) {
		size_t told = 0, warned = 0;
		struct plan_rig r;

		plan_rig_init(&r);
		for (uint64_t id = 1; id <= 50; id++)
			plan_rig_add(&r, id, "s@h.org", "a@x.org");
		assert_true(go_on(&r, 1800, &told, &warned) >= 50);
		r.t.wall_s = (uint64_t)((int64_t)r.t.wall_s + jumps[i].jump_s);
		assert_true(go_on(&r, 3600, &told, &warned) >= 50); /* it does not stand still */
		if (told || warned || plan_counts(r.plan).messages != 50)
			fail_msg("%s: %zu told, %zu warned", jumps[i].name, told, warned);
		plan_rig_fini(&r);
	}
}

static void
attack_063_before_it_starts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(jumps); i++) {
		size_t told = 0, warned = 0;
		struct plan_rig r;
		uint64_t created = RIG_WALL_S - 1800;

		plan_rig_init(&r);
		r.t.wall_s = (uint64_t)((int64_t)r.t.wall_s + jumps[i].jump_s);
		for (uint64_t id = 1; id <= 50; id++)
			assert_true(is_ok(plan_rig_give(&r, id, "s@h.org", "a@x.org", 3, created)));
		assert_true(go_on(&r, 1800, &told, &warned) >= 50);
		if (told || plan_counts(r.plan).messages != 50)
			fail_msg("%s: %zu told", jumps[i].name, told);
		/* a day may have passed in truth: then it is right to say that it takes long */
		if (warned && jumps[i].jump_s != DAY_S)
			fail_msg("%s: %zu warned", jumps[i].name, warned);
		plan_rig_fini(&r);
	}
}

/* Its own age ends it, also when the server was away as it came. */
static void
attack_063_age_counts_still(void **state)
{
	size_t told = 0, warned = 0;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	assert_true(is_ok(
	    plan_rig_give(&r, 1, "s@h.org", "a@x.org", 30, RIG_WALL_S - PLAN_GIVE_UP_S - DAY_S)));
	go_on(&r, 3600, &told, &warned);
	assert_int_equal(told, 0); /* some more tries */
	go_on(&r, 12 * 3600, &told, &warned);
	assert_int_equal(told, 1);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_063_while_it_runs),
	    cmocka_unit_test(attack_063_before_it_starts),
	    cmocka_unit_test(attack_063_age_counts_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

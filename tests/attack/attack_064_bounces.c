/*
 * Attack 64: bounces of bounces, and a hundred thousand messages without a sender.  Nobody is told
 * of a message from <>; it is forgotten when it fails; reports have a rate that cannot be passed.
 */
#include "../plan_rig.h"

static void
attack_064_null_senders(void **state)
{
	enum { N = 100000 };
	struct plan_report report;
	struct plan_try try;
	struct plan_rig r;
	size_t failed = 0;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t id = 1; id <= N; id++)
		plan_rig_add(&r, id, "", "a@x.org");
	while (failed < N) {
		assert_true(plan_rig_next(&r, &try));
		plan_rig_tried(&r, &try, rig_never);
		failed++;
		plan_rig_settle(&r);
		while (plan_report(r.plan, r.t, &report)) {
			/* the driver sees the flag and tells nobody */
			assert_true(report.head->flags & SPOOL_BOUNCE);
			plan_reported(r.plan, &report);
		}
		plan_rig_settle(&r);
	}
	assert_int_equal(plan_counts(r.plan).messages, 0);
	assert_int_equal(plan_counts(r.plan).octets, 0);
	plan_rig_fini(&r);
}

static void
attack_064_rate(void **state)
{
	enum { N = 3000 };
	struct plan_try try;
	struct plan_rig r;
	size_t told = 0, now;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t id = 1; id <= N; id++)
		plan_rig_add(&r, id, "victim@h.org", "a@x.org");
	while (plan_rig_next(&r, &try))
		plan_rig_tried(&r, &try, rig_never);
	plan_rig_settle(&r);
	for (int minute = 0; told < N; minute++) {
		now = plan_rig_report(&r, NULL);
		assert_true(now <= PLAN_REPORTS_MAX);
		told += now;
		assert_true(minute < N / PLAN_REPORTS_MAX + 2);
		plan_rig_pass(&r, 60000);
	}
	assert_int_equal(told, N); /* delayed, and none is lost */
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_064_null_senders),
	    cmocka_unit_test(attack_064_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

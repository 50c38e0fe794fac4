/*
 * Attack 141: a write or a sync fails once and would work the next time.  What it was for is not
 * acknowledged, the store asks the disk for nothing more, reads go on, and a new opening finds out
 * what is there, and makes that durable.
 */
#include "../store_crash.h"

#include <errno.h>

static bool
call_fails(uint64_t nth)
{
	struct crash c;
	struct store_change change = rig_put("later", "1");
	struct err e;
	bool failed;

	crash_init(&c, 141);
	rig_open(&c.r);
	disk_sim_fail(c.sim, nth, EIO);
	e = crash_turns(&c);
	failed = !is_ok(e);
	if (failed) {
		uint64_t calls = disk_sim_calls(c.sim);
		struct answer a = rig_submit(&c.r, rig_shard(0), STORE_ANY, OP_NONE, &change, 1);

		assert_int_equal(e.code, ERR_IO);
		assert_int_equal(e.sys, EIO);
		assert_int_equal(a.e.code, ERR_IO);
		assert_int_equal(disk_sim_calls(c.sim), calls); /* never tried again */
		for (uint64_t i = 0; i < c.next; i++)
			if (c.answers[i] == 0)
				assert_true(rig_entry_there(&c.r, i));
	}
	disk_sim_fail(c.sim, UINT32_MAX, EIO);
	crash_reopen(&c, nth % 2 ? INDEX_STAYS : INDEX_GONE);
	for (uint64_t i = 0; i < c.next; i++) /* what it shows now, it must not lose any more */
		c.answers[i] = rig_entry_there(&c.r, i) ? 0 : ERR_NOTFOUND;
	rig_close(&c.r);
	disk_sim_crash(c.sim);
	rig_open(&c.r);
	crash_check(&c);
	crash_repeat(&c);
	crash_fini(&c);
	return failed;
}

static void
attack_141_sync_fails(void **state)
{
	uint64_t nth = 1;

	(void)state;
	while (call_fails(nth))
		nth++;
	assert_true(nth > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_141_sync_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

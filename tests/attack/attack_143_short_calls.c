/* Attack 143, the store's part: reads and writes are short or interrupted.  Nothing else changes. */
#include "../store_crash.h"

static void
attack_143_short_calls(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct crash c;
		struct err e;

		crash_init(&c, seed);
		disk_sim_short(c.sim, true);
		rig_open(&c.r);
		e = crash_turns(&c);
		assert_int_equal(e.code, 0);
		for (uint64_t i = 0; i < c.next; i++)
			assert_int_equal(c.answers[i], 0);
		crash_check(&c);
		crash_reopen(&c, INDEX_GONE);
		crash_fini(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_143_short_calls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

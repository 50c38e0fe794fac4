/*
 * Attack 142: no space, at the nth call that wants some, for good, and in the index.  ERR_FULL, with
 * nothing changed; reads and deletions go on; with space again, so does everything.
 */
#include "../store_crash.h"

#include <errno.h>

static bool
call_wants_space(uint64_t nth)
{
	struct crash c;
	struct err e;
	bool wanted;

	crash_init(&c, 142);
	disk_sim_fail(c.sim, nth, ENOSPC);
	assert_int_equal(fchdir(c.r.dir_fd), 0);
	e = store_open(&c.r.s, &c.r.conf);
	if (e.code == ERR_FULL)
		rig_open(&c.r); /* and there is space again */
	else
		assert_int_equal(e.code, 0);
	e = crash_turns(&c);
	assert_int_equal(e.code, 0);
	wanted = disk_sim_failed(c.sim);
	disk_sim_fail(c.sim, UINT32_MAX, ENOSPC);
	crash_check(&c);
	crash_reopen(&c, nth % 2 ? INDEX_STAYS : INDEX_GONE);
	crash_repeat(&c);
	crash_fini(&c);
	return wanted;
}

static void
attack_142_no_space_once(void **state)
{
	uint64_t nth = 1;

	(void)state;
	while (call_wants_space(nth))
		nth++;
	assert_true(nth > 20);
}

static void
attack_142_disk_is_full(void **state)
{
	struct crash c;
	struct store_change gone[] = {rig_delete("a00000000"), rig_delete("b00000000")};
	struct answer a;
	uint64_t full = 0;
	struct err e;

	(void)state;
	crash_init(&c, 142);
	rig_open(&c.r);
	e = crash_turn(&c);
	assert_int_equal(e.code, 0);
	disk_sim_space(c.sim, 0);
	while (c.next + CRASH_BATCH <= CRASH_ENTRIES) {
		e = crash_turn(&c);
		assert_int_equal(e.code, 0);
	}
	for (uint64_t i = 0; i < c.next; i++) {
		assert_true(c.answers[i] == 0 || c.answers[i] == ERR_FULL);
		full += c.answers[i] == ERR_FULL;
	}
	assert_true(full > 3);
	crash_check(&c);
	a = rig_submit(&c.r, rig_shard(0), STORE_ANY, OP_NONE, gone, 2);
	assert_int_equal(a.e.code, 0);
	assert_false(rig_entry_there(&c.r, 0));
	c.answers[0] = ERR_NOTFOUND;
	crash_reopen(&c, INDEX_GONE);
	disk_sim_space(c.sim, UINT64_MAX);
	c.next = CRASH_BATCH;
	e = crash_turn(&c);
	assert_int_equal(e.code, 0);
	crash_fini(&c);
}

static void
attack_142_index_is_full(void **state)
{
	struct rig r;
	struct shard_id shard = shard_number(SHARD_ACCOUNT, 1);
	char value[2001] = {0}, key[16];
	struct store_change change;
	struct answer a = {OK, 0, 0}, b[2] = {{OK, 0, 0}};
	unsigned n = 0;
	struct err e;

	(void)state;
	memset(value, 'v', sizeof(value) - 1);
	rig_init(&r, STORE_LOG, 142);
	r.conf.map_size = 4 * 1024 * 1024;
	rig_open(&r);
	for (; is_ok(a.e) && n < 4000; n++) {
		snprintf(key, sizeof(key), "k%04u", n);
		change = rig_put(key, value);
		a = rig_submit(&r, shard, STORE_ANY, OP_NONE, &change, 1);
	}
	if (a.e.code != ERR_FULL)
		print_error("%u: %s (%d)\n", n, a.e.why, (int)a.e.sys);
	assert_int_equal(a.e.code, ERR_FULL);
	assert_int_equal(a.version, 0);
	/* In one group with what does not fit, a deletion is made all the same. */
	store_submit(r.s, shard, STORE_ANY, OP_NONE, &change, 1, rig_done, &b[0]);
	{
		struct store_change gone = rig_delete("k0001");

		store_submit(r.s, shard, STORE_ANY, OP_NONE, &gone, 1, rig_done, &b[1]);
		e = store_turn(r.s);
	}
	assert_int_equal(e.code, 0);
	assert_int_equal(b[0].e.code, ERR_FULL);
	assert_int_equal(b[1].e.code, 0);
	for (unsigned i = 2; i < 20; i++) {
		char old[16];
		struct store_change gone;

		snprintf(old, sizeof(old), "k%04u", i);
		gone = rig_delete(old);
		a = rig_submit(&r, shard, STORE_ANY, OP_NONE, &gone, 1);
		assert_int_equal(a.e.code, 0);
	}
	a = rig_submit(&r, shard, STORE_ANY, OP_NONE, &change, 1);
	assert_int_equal(a.e.code, 0);
	rig_close(&r);
	rig_open(&r);
	rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_142_no_space_once),
	    cmocka_unit_test(attack_142_disk_is_full),
	    cmocka_unit_test(attack_142_index_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

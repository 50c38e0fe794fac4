/*
 * Attack 140: power fails at every write boundary of the log; of what was not synced some is kept,
 * some lost, some torn at 512 bytes.  The store opens, what was acknowledged is there, nothing is
 * there by half, and it goes on.  The index is as it was, or older, or gone: the log restores it.
 */
#include "../store_crash.h"

#include <errno.h>

/* False when the scenario came to its end before the nth call. */
static bool
power_fails(uint64_t seed, uint64_t nth, enum crash_index fate)
{
	struct crash c;
	struct err e;
	bool failed;
	crash_init(&c, seed);
	assert_int_equal(fchdir(c.r.dir_fd), 0);
	disk_sim_fail(c.sim, nth, EIO); /* the call that the power did not last for */
	e = store_open(&c.r.s, &c.r.conf);
	if (is_ok(e))
		e = crash_turns(&c);
	failed = disk_sim_failed(c.sim);
	assert_int_equal(e.code, failed ? ERR_IO : 0);
	rig_close(&c.r);
	disk_sim_fail(c.sim, UINT32_MAX, EIO);
	disk_sim_crash(c.sim);
	crash_set_index(fate);
	rig_open(&c.r);
	crash_check(&c);
	crash_repeat(&c);
	crash_reopen(&c, INDEX_GONE);
	crash_fini(&c);
	return failed;
}

static void
attack_140_power_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++)
		for (int fate = 0; fate < INDEX_FATES; fate++) {
			uint64_t nth = 1;

			while (power_fails(seed, nth, (enum crash_index)fate))
				nth++;
			assert_true(nth > 30);
		}
}

/* A crash right after a recovery that found a torn end, again and again. */
static void
attack_140_crash_upon_crash(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct crash c;

		crash_init(&c, seed);
		rig_open(&c.r);
		while (c.next + CRASH_BATCH <= CRASH_ENTRIES) {
			struct err e;

			disk_sim_fail(c.sim, 1 + random_below(c.random, 12), EIO);
			e = crash_turn(&c);
			if (is_ok(e))
				continue;
			rig_close(&c.r);
			disk_sim_crash(c.sim);
			disk_sim_fail(c.sim, UINT32_MAX, EIO);
			crash_set_index((enum crash_index)random_below(c.random, 2) * INDEX_GONE);
			rig_open(&c.r);
			crash_check(&c);
		}
		disk_sim_fail(c.sim, UINT32_MAX, EIO);
		crash_reopen(&c, INDEX_GONE);
		crash_fini(&c);
	}
}

enum { LARGE = 300000 }; /* more than one write */

/* A group of one body of `c` and one key, for which the sync fails; then the power. */
static void
lose_group(struct crash *crash, struct blob_id blob, const char *key, uint8_t c)
{
	uint8_t *p = malloc(LARGE);
	struct store_body body = {.bytes = {p, LARGE}, .fd = -1};
	struct store_change change = rig_put(key, key);
	struct answer a = {OK, 0, 0};
	struct err e;

	assert_non_null(p);
	memset(p, c, LARGE);
	change.blob = blob;
	store_blob_put(crash->r.s, blob, &body, rig_done, &a);
	store_submit(crash->r.s, rig_shard(0), STORE_ANY, OP_NONE, &change, 1, rig_done, &a);
	disk_sim_fail(crash->sim, 3, EIO); /* two writes, the sync */
	e = store_turn(crash->r.s);
	assert_int_equal(e.code, ERR_IO);
	disk_sim_fail(crash->sim, UINT32_MAX, EIO);
	rig_close(&crash->r);
	disk_sim_crash(crash->sim);
	rig_open(&crash->r);
	free(p);
}

/*
 * Two groups of the same form, both lost, the second written over the remains of the first: what is
 * found is the one or the other, or nothing; never the body of one and the key of the other.
 */
static void
attack_140_remains_do_not_mix(void **state)
{
	int found = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct blob_id first = {{1}}, second = {{2}};
		struct arena arena = arena_init(0);
		struct store_entry entry;
		struct crash c;

		crash_init(&c, seed);
		c.r.conf.segment_size = 1024 * 1024;
		rig_open(&c.r);
		lose_group(&c, first, "k", 'x');
		lose_group(&c, second, "l", 'y');
		for (int i = 0; i < 2; i++) {
			struct err e =
			    store_get(c.r.s, rig_shard(0), bytes_of(i ? "l" : "k"), &entry, &arena);
			uint8_t b = 0;
			size_t got = 0;

			if (e.code == ERR_NOTFOUND)
				continue;
			found++;
			assert_int_equal(e.code, 0);
			assert_true(blob_eq(entry.blob, i ? second : first));
			e = store_blob_read(c.r.s, entry.blob, LARGE - 1, &b, 1, &got);
			assert_int_equal(e.code, 0);
			assert_int_equal(b, i ? 'y' : 'x');
		}
		arena_free(&arena);
		crash_fini(&c);
	}
	assert_true(found > 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_140_power_loss),
	    cmocka_unit_test(attack_140_crash_upon_crash),
	    cmocka_unit_test(attack_140_remains_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

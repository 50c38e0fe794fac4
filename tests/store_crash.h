/*
 * store_crash.h - a store whose log is on a simulated disk, and a ledger of what it acknowledged.
 */
#ifndef TESTS_STORE_CRASH_H
#define TESTS_STORE_CRASH_H

#include "store/disk_sim.h"
#include "store_entry.h"
#include "store_index.h"

enum { CRASH_TURNS = 10, CRASH_BATCH = 3, CRASH_ENTRIES = CRASH_TURNS * CRASH_BATCH };

struct crash {
	struct rig r;
	struct disk_sim *sim;
	struct random *random;          /* of the test */
	int32_t answers[CRASH_ENTRIES]; /* -100: never handed in */
	uint64_t next;
};

static inline void
crash_init(struct crash *c, uint64_t seed)
{
	*c = (struct crash){.random = random_seeded(seed)};
	/* The disk that matters is simulated: the index may be in memory. */
	rig_init_in(&c->r, access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", STORE_LOG, seed);
	c->sim = disk_sim_new(seed);
	c->r.conf.disk = disk_sim_disk(c->sim);
	c->r.conf.dir_fd = DISK_SIM_DIR;
	c->r.conf.segment_size = 65536 * 3;
	for (size_t i = 0; i < CRASH_ENTRIES; i++)
		c->answers[i] = -100;
}

static inline void
crash_fini(struct crash *c)
{
	rig_close(&c->r);
	assert_int_equal(disk_sim_open(c->sim), 0);
	rig_fini(&c->r);
	disk_sim_free(c->sim);
	random_close(c->random);
}

/* Up to three entries in one turn; their answers go into the ledger. */
static inline struct err
crash_turn(struct crash *c)
{
	struct rig_entry t[CRASH_BATCH];
	size_t n = 1 + (size_t)random_below(c->random, CRASH_BATCH);
	struct err e;

	for (size_t i = 0; i < n; i++) {
		rig_entry_init(&t[i], c->next + i);
		rig_entry_submit(&c->r, &t[i]);
	}
	e = store_turn(c->r.s);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(t[i].put.calls, 1);
		assert_int_equal(t[i].made.calls, 1);
		if (is_fault(e))
			assert_true(is_fault(t[i].made.e) || is_ok(t[i].made.e));
		c->answers[c->next++] = t[i].made.e.code;
		rig_entry_fini(&t[i]);
	}
	return e;
}

/* All turns, or as many as there are until one fails. */
static inline struct err
crash_turns(struct crash *c)
{
	uint64_t older = random_below(c->random, CRASH_TURNS);
	struct err e = OK;

	for (uint64_t i = 0; is_ok(e) && i < CRASH_TURNS; i++) {
		if (i == older)
			crash_copy("index", "index.older");
		e = crash_turn(c);
	}
	return e;
}

/* Whatever was acknowledged is there; what got a definite no is not. */
static inline void
crash_check(struct crash *c)
{
	for (uint64_t i = 0; i < c->next; i++) {
		bool there = rig_entry_there(&c->r, i);

		if (c->answers[i] == 0)
			assert_true(there);
		else if (c->answers[i] > 0)
			assert_false(there);
	}
}

/* Everything again under the same operation ids: now all is there, each once. */
static inline void
crash_repeat(struct crash *c)
{
	uint64_t versions[3] = {0};

	for (uint64_t i = 0; i < c->next; i++) {
		struct rig_entry t;
		struct err e;

		rig_entry_init(&t, i);
		rig_entry_submit(&c->r, &t);
		e = store_turn(c->r.s);
		assert_int_equal(e.code, 0);
		assert_true(t.put.e.code == 0 || t.put.e.code == ERR_EXISTS);
		assert_true(t.made.e.code == 0 || t.made.e.code == ERR_SEEN);
		if (c->answers[i] == 0)
			assert_int_equal(t.made.e.code, ERR_SEEN);
		c->answers[i] = 0;
		versions[i % 3]++;
		rig_entry_fini(&t);
	}
	for (uint64_t i = 0; i < 3; i++) {
		uint64_t v;
		struct err e = store_version(c->r.s, rig_shard(i), &v);

		assert_int_equal(e.code, 0);
		assert_int_equal(v, versions[i]);
	}
}

/* Opened again, also from the log alone, all that is in the ledger is there. */
static inline void
crash_reopen(struct crash *c, enum crash_index fate)
{
	rig_close(&c->r);
	crash_set_index(fate);
	rig_open(&c->r);
	crash_check(c);
}

#endif

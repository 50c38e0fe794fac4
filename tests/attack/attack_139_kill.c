/*
 * Attack 139, the store's part: kill -9 at a random moment under load.  Whatever was acknowledged
 * before is there afterwards, nothing is there by half, and the store opens within half a second.
 */
#include "../store_entry.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { CYCLES = 50, BATCH = 4 };
#ifdef __OPTIMIZE__
enum { SLOWER = 4 }; /* a shared machine under other work */
#else
enum { SLOWER = 20 };
#endif

struct ledger {
	int fd;
	uint64_t n;
};

static void
acknowledged(void *owner, struct err e, uint64_t version)
{
	struct ledger *l = owner;

	(void)version;
	if (!is_ok(e) || write(l->fd, &l->n, sizeof(l->n)) != sizeof(l->n))
		_exit(1);
}

/* Writes entry after entry from `n` on, until it is killed. */
static _Noreturn void
writer(struct rig *r, uint64_t n, int fd)
{
	struct rig_entry t[BATCH];
	struct ledger l[BATCH];

	rig_open(r);
	for (;; n += BATCH) {
		struct err e;

		for (uint64_t i = 0; i < BATCH; i++) {
			rig_entry_init(&t[i], n + i);
			l[i] = (struct ledger){fd, n + i};
			store_blob_put(r->s, t[i].blob, &t[i].body, rig_done, &t[i].put);
			store_submit(r->s, rig_shard(n + i), STORE_ANY, t[i].op, t[i].changes, 2,
			             acknowledged, &l[i]);
		}
		e = store_turn(r->s);
		if (!is_ok(e))
			_exit(1);
		for (uint64_t i = 0; i < BATCH; i++)
			rig_entry_fini(&t[i]);
	}
}

/* One life of a writer; gives the number behind the last one it acknowledged. */
static uint64_t
cycle(struct rig *r, struct random *random, uint64_t next)
{
	uint64_t us = random_below(random, 25000), n;
	struct timespec nap = {0, (long)us * 1000};
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		writer(r, next, fds[1]);
	close(fds[1]);
	nanosleep(&nap, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* it was well until then */
	while (read(fds[0], &n, sizeof(n)) == sizeof(n)) {
		assert_int_equal(n, next);
		next++;
	}
	close(fds[0]);
	return next;
}

static void
attack_139_kill(void **state)
{
	struct rig r;
	struct random *random = random_seeded(139);
	uint64_t next = 0;

	(void)state;
	rig_init(&r, STORE_LOG, 139);
	for (int i = 0; i < CYCLES; i++) {
		struct timespec before, after;
		uint64_t from = next;

		next = cycle(&r, random, next);
		clock_gettime(CLOCK_MONOTONIC, &before);
		rig_open(&r);
		clock_gettime(CLOCK_MONOTONIC, &after);
		assert_true((after.tv_sec - before.tv_sec) * 1000 +
		                (after.tv_nsec - before.tv_nsec) / 1000000 <
		            500 * SLOWER);
		while (from < next)
			assert_true(rig_entry_there(&r, from++));
		while (rig_entry_there(&r, next)) /* made, though its answer never came */
			next++;
		rig_close(&r);
	}
	assert_true(next > CYCLES);
	rig_open(&r);
	for (uint64_t n = 0; n < next; n++)
		assert_true(rig_entry_there(&r, n));
	rig_fini(&r);
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_139_kill)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The two sides of the disk table: the same calls against both, then what only the simulated can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "store/disk.h"
#include "store/disk_sim.h"

static void
count_name(void *owner, const char *name)
{
	size_t *n = owner;

	(void)name;
	++*n;
}

static void
check(struct err e, int32_t code)
{
	assert_int_equal(e.code, code);
}

static void
use(struct disk *d, int dir)
{
	char room[32];
	size_t got, n = 0;
	uint64_t size;
	int fd, again;

	check(disk_open(d, dir, "a", O_RDWR, &fd), ERR_NOTFOUND);
	check(disk_open(d, dir, "a", O_RDWR | O_CREAT | O_EXCL, &fd), 0);
	check(disk_open(d, dir, "a", O_RDWR | O_CREAT | O_EXCL, &again), ERR_EXISTS);
	check(disk_write(d, fd, "hello", 5, 3), 0);
	check(disk_read(d, fd, room, sizeof(room), 0, &got), 0);
	assert_int_equal(got, 8);
	assert_memory_equal(room, "\0\0\0hello", 8);
	check(disk_read(d, fd, room, sizeof(room), 8, &got), 0);
	assert_int_equal(got, 0);
	check(disk_allocate(d, fd, 10000), 0);
	check(disk_size(d, fd, &size), 0);
	assert_int_equal(size, 10000);
	check(disk_allocate(d, fd, 100), 0);
	check(disk_truncate(d, fd, 4), 0);
	check(disk_size(d, fd, &size), 0);
	assert_int_equal(size, 4);
	check(disk_datasync(d, fd), 0);
	check(disk_lock(d, fd), 0);
	check(disk_open(d, dir, "a", O_RDWR, &again), 0);
	check(disk_lock(d, again), ERR_DENIED);
	disk_close(d, fd);
	check(disk_lock(d, again), 0);
	disk_close(d, again);
	disk_close(d, -1);
	check(disk_replace(d, dir, "a", "new", 3), 0);
	check(disk_rename(d, dir, "a", dir, "b"), 0);
	check(disk_list(d, dir, count_name, &n), 0);
	assert_int_equal(n, 1);
	check(disk_open(d, dir, "b", O_RDONLY, &fd), 0);
	check(disk_read(d, fd, room, sizeof(room), 0, &got), 0);
	assert_true(got == 3 && memcmp(room, "new", 3) == 0);
	disk_close(d, fd);
	check(disk_unlink(d, dir, "b"), 0);
	check(disk_unlink(d, dir, "b"), ERR_NOTFOUND);
	check(disk_sync(d, dir), 0);
}

static void
real(void **state)
{
	char name[] = "/tmp/stead-disk-XXXXXX";
	int dir;

	(void)state;
	assert_non_null(mkdtemp(name));
	dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	use(disk_real(), dir);
	close(dir);
	assert_int_equal(rmdir(name), 0);
}

static void
simulated(void **state)
{
	struct disk_sim *s = disk_sim_new(1);

	(void)state;
	use(disk_sim_disk(s), DISK_SIM_DIR);
	disk_sim_short(s, true);
	use(disk_sim_disk(s), DISK_SIM_DIR);
	assert_int_equal(disk_sim_open(s), 0);
	disk_sim_free(s);
}

enum { BLOCK = 512, BLOCKS = 8 };

/* Which of 'o' (old) and 'n' (new) each block of the file is after a crash. */
static void
crashed(uint64_t seed, bool sync, char out[BLOCKS + 1])
{
	struct disk_sim *s = disk_sim_new(seed);
	struct disk *d = disk_sim_disk(s);
	char room[BLOCK * BLOCKS];
	size_t got;
	int fd;

	memset(room, 'o', sizeof(room));
	check(disk_replace(d, DISK_SIM_DIR, "f", room, sizeof(room)), 0);
	check(disk_open(d, DISK_SIM_DIR, "f", O_RDWR, &fd), 0);
	memset(room, 'n', sizeof(room));
	check(disk_write(d, fd, room, sizeof(room), 0), 0);
	if (sync)
		check(disk_datasync(d, fd), 0);
	disk_sim_crash(s);
	check(disk_open(d, DISK_SIM_DIR, "f", O_RDONLY, &fd), 0);
	check(disk_read(d, fd, room, sizeof(room), 0, &got), 0);
	assert_int_equal(got, sizeof(room));
	for (size_t i = 0; i < BLOCKS; i++) {
		for (size_t k = 1; k < BLOCK; k++)
			assert_true(room[i * BLOCK + k] == room[i * BLOCK]);
		out[i] = room[i * BLOCK];
	}
	out[BLOCKS] = 0;
	disk_sim_free(s);
}

static void
crash_keeps_what_was_synced(void **state)
{
	int whole = 0, lost = 0, torn = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		char a[BLOCKS + 1], b[BLOCKS + 1];

		crashed(seed, true, a);
		assert_string_equal(a, "nnnnnnnn");
		crashed(seed, false, a);
		crashed(seed, false, b);
		assert_string_equal(a, b); /* a seed replays */
		whole += strcmp(a, "nnnnnnnn") == 0;
		lost += strcmp(a, "oooooooo") == 0;
		torn += strchr(a, 'n') && strchr(a, 'o');
	}
	assert_true(whole > 5 && lost > 5 && torn > 5);
}

static void
names_need_a_sync(void **state)
{
	int there = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct disk_sim *s = disk_sim_new(seed);
		struct disk *d = disk_sim_disk(s);
		int fd;

		check(disk_open(d, DISK_SIM_DIR, "f", O_RDWR | O_CREAT, &fd), 0);
		check(disk_sync(d, fd), 0);
		disk_sim_crash(s);
		there += is_ok(disk_open(d, DISK_SIM_DIR, "f", O_RDWR, &fd));
		disk_sim_free(s);
	}
	assert_true(there > 5 && there < 35);
}

static void
failures(void **state)
{
	struct disk_sim *s = disk_sim_new(1);
	struct disk *d = disk_sim_disk(s);
	int fd;

	(void)state;
	disk_sim_fail(s, 2, EIO);
	check(disk_open(d, DISK_SIM_DIR, "f", O_RDWR | O_CREAT, &fd), 0);
	assert_false(disk_sim_failed(s));
	check(disk_write(d, fd, "x", 1, 0), ERR_IO);
	assert_true(disk_sim_failed(s));
	check(disk_write(d, fd, "x", 1, 0), 0);
	disk_sim_fail(s, 1, ENOSPC);
	check(disk_sync(d, fd), 0); /* takes no space */
	check(disk_write(d, fd, "x", 1, 1), ERR_FULL);
	disk_sim_space(s, 2);
	check(disk_write(d, fd, "xyz", 3, 0), 0);
	check(disk_write(d, fd, "xyz", 3, 3), ERR_FULL);
	assert_true(disk_sim_flip(s, "f", 0, 0));
	assert_false(disk_sim_flip(s, "g", 0, 0));
	disk_sim_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(real),
	    cmocka_unit_test(simulated),
	    cmocka_unit_test(crash_keeps_what_was_synced),
	    cmocka_unit_test(names_need_a_sync),
	    cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * store_rig.h - what tests of the store share: a store in a folder of its own, and calls that wait.
 */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "store/disk.h"
#include "store/store.h"

struct rig {
	char dir[64];
	int dir_fd, home_fd;
	struct random *random; /* of the store */
	struct store_conf conf;
	struct store *s;
};

struct answer {
	struct err e;
	uint64_t version;
	int calls;
};

static inline void
rig_done(void *owner, struct err e, uint64_t version)
{
	struct answer *a = owner;

	a->e = e;
	a->version = version;
	a->calls++;
}

static inline void
rig_open(struct rig *r)
{
	struct err e;

	assert_int_equal(fchdir(r->dir_fd), 0);
	e = store_open(&r->s, &r->conf);
	if (!is_ok(e))
		fail_msg("store_open: %s (%d)", e.why, (int)e.sys);
}

static inline void
rig_close(struct rig *r)
{
	store_close(r->s);
	r->s = NULL;
}

/* An empty folder; the store is not open. */
static inline void
rig_init_in(struct rig *r, const char *where, enum store_engine_kind engine, uint64_t seed)
{
	char dir[sizeof(r->dir)];

	snprintf(dir, sizeof(dir), "%s/stead-store-XXXXXX", where);
	assert_non_null(mkdtemp(dir));
	memcpy(r->dir, dir, sizeof(dir));
	r->home_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->dir_fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r->random = random_seeded(seed);
	r->s = NULL;
	r->conf = (struct store_conf){.engine = engine,
	                              .dir_fd = r->dir_fd,
	                              .disk = disk_real(),
	                              .random = r->random,
	                              .segment_size = 1024 * 1024,
	                              .map_size = UINT64_C(1) << 30};
}

static inline void
rig_init(struct rig *r, enum store_engine_kind engine, uint64_t seed)
{
	rig_init_in(r, "/tmp", engine, seed);
}

static inline void
rig_fini(struct rig *r)
{
	DIR *d = opendir(r->dir);
	const struct dirent *entry;

	rig_close(r);
	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(r->dir_fd, entry->d_name, 0), 0);
	closedir(d);
	assert_int_equal(fchdir(r->home_fd), 0);
	close(r->dir_fd);
	close(r->home_fd);
	assert_int_equal(rmdir(r->dir), 0);
	random_close(r->random);
}

static inline struct answer
rig_submit(struct rig *r, struct shard_id shard, uint64_t guard, struct op_id op,
           const struct store_change *changes, size_t n)
{
	struct answer a = {OK, 0, 0};
	struct err e;

	store_submit(r->s, shard, guard, op, changes, n, rig_done, &a);
	assert_int_equal(a.calls, 0); /* never before the turn */
	e = store_turn(r->s);
	(void)e; /* the answer has it */
	assert_int_equal(a.calls, 1);
	return a;
}

static inline struct answer
rig_blob(struct rig *r, struct blob_id blob, struct bytes b)
{
	struct store_body body = {.bytes = b, .fd = -1};
	struct answer a = {OK, 0, 0};
	struct err e;

	store_blob_put(r->s, blob, &body, rig_done, &a);
	e = store_turn(r->s);
	(void)e; /* the answer has it */
	assert_int_equal(a.calls, 1);
	return a;
}

static inline struct store_change
rig_put(const char *key, const char *value)
{
	return (struct store_change){STORE_PUT, bytes_of(key), bytes_of(value), BLOB_NONE};
}

static inline struct store_change
rig_delete(const char *key)
{
	return (struct store_change){STORE_DELETE, bytes_of(key), NO_BYTES, BLOB_NONE};
}

#endif

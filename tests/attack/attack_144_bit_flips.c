/*
 * Attack 144: bits turn over in the log and in the index.  A checksum finds it: ERR_CORRUPT for
 * what was hit, everything else as before; damage in the middle of the log is told from a torn end.
 */
#include "../store_entry.h"

#include <sys/stat.h>

enum { ENTRIES = 12 };

static void
write_entries(struct rig *r)
{
	for (uint64_t i = 0; i < ENTRIES; i++) {
		struct rig_entry t;
		struct err e;

		rig_entry_init(&t, i % 5 == 4 ? 2 + 8 * i : 8 * i + 3);
		rig_entry_submit(r, &t);
		e = store_turn(r->s);
		assert_int_equal(e.code, 0);
		assert_int_equal(t.made.e.code, 0);
		rig_entry_fini(&t);
	}
}

static uint64_t
entry_number(uint64_t i)
{
	return i % 5 == 4 ? 2 + 8 * i : 8 * i + 3;
}

static void
flip(struct rig *r, const char *name, off_t at, unsigned bit)
{
	int fd = openat(r->dir_fd, name, O_RDWR | O_CLOEXEC);
	uint8_t b;

	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= (uint8_t)(1u << bit);
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

/* Where a text stands in a file, from `from` on; -1: nowhere. */
static off_t
find(struct rig *r, const char *name, struct bytes text, off_t from)
{
	int fd = openat(r->dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t at = -1;
	uint8_t *p, *q;

	assert_int_equal(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size);
	assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
	q = memmem(p + from, (size_t)(st.st_size - from), text.p, text.n);
	if (q)
		at = q - p;
	free(p);
	close(fd);
	return at;
}

static void
attack_144_body(void **state)
{
	struct rig r;
	struct blob_id good, bad;
	struct answer a;
	uint8_t room[64];
	size_t got;
	struct err e;

	(void)state;
	rig_init(&r, STORE_LOG, 144);
	rig_open(&r);
	good = store_blob_new(r.s);
	bad = store_blob_new(r.s);
	a = rig_blob(&r, good, BYTES("the good body"));
	assert_int_equal(a.e.code, 0);
	a = rig_blob(&r, bad, BYTES("the other body"));
	assert_int_equal(a.e.code, 0);
	flip(&r, "log-00000001", find(&r, "log-00000001", BYTES("the other"), 0), 3);
	e = store_blob_read(r.s, bad, 0, room, sizeof(room), &got);
	assert_int_equal(e.code, ERR_CORRUPT);
	e = store_blob_read(r.s, good, 0, room, sizeof(room), &got);
	assert_int_equal(e.code, 0);
	assert_int_equal(got, 13);
	rig_fini(&r);
}

static void
attack_144_row(void **state)
{
	struct rig r;
	struct shard_id shard = shard_number(SHARD_ACCOUNT, 1),
			other = shard_number(SHARD_ACCOUNT, 2);
	struct store_change two[] = {rig_put("k", "a value that is easy to find"),
	                             rig_put("l", "1")};
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct store_page page;
	struct answer a;
	struct err e;
	off_t at;

	(void)state;
	rig_init(&r, STORE_LOG, 144);
	rig_open(&r);
	a = rig_submit(&r, shard, 0, OP_NONE, two, 2);
	assert_int_equal(a.e.code, 0);
	a = rig_submit(&r, other, 0, OP_NONE, two + 1, 1);
	assert_int_equal(a.e.code, 0);
	rig_close(&r);
	for (at = -1; (at = find(&r, "index", BYTES("easy to find"), at + 1)) >= 0;)
		flip(&r, "index", at, 0); /* in every page that has it, also in stale ones */
	rig_open(&r);
	e = store_get(r.s, shard, BYTES("k"), &entry, &arena);
	assert_int_equal(e.code, ERR_CORRUPT);
	e = store_range(r.s, shard, STORE_ANY, NO_BYTES, NO_BYTES, 10, &page, &arena);
	assert_int_equal(e.code, ERR_CORRUPT);
	e = store_get(r.s, shard, BYTES("l"), &entry, &arena);
	assert_int_equal(e.code, 0);
	a = rig_submit(&r, shard, 1, OP_NONE, two, 1); /* what it kept is not known any more */
	assert_int_equal(a.e.code, ERR_CORRUPT);
	a = rig_submit(&r, other, 1, OP_NONE, two, 2);
	assert_int_equal(a.e.code, 0);
	arena_free(&arena);
	rig_fini(&r);
}

/* Opens from the log alone, with one bit turned over: damage, or only the last group is missing. */
static int32_t
open_with_flip(struct rig *r, off_t at, unsigned bit)
{
	struct err e;

	flip(r, "log-00000001", at, bit);
	unlink("index");
	unlink("index-lock");
	assert_int_equal(fchdir(r->dir_fd), 0);
	e = store_open(&r->s, &r->conf);
	if (is_ok(e))
		for (uint64_t i = 0; i + 1 < ENTRIES; i++)
			assert_true(rig_entry_there(r, entry_number(i)));
	else
		assert_int_equal(e.code, ERR_CORRUPT);
	rig_close(r);
	flip(r, "log-00000001", at, bit);
	return e.code;
}

static void
attack_144_log(void **state)
{
	struct rig r;
	off_t last, middle, step;
	char key[24];
	int32_t code;

	(void)state;
	rig_init(&r, STORE_LOG, 144);
	rig_open(&r);
	write_entries(&r);
	rig_close(&r);
	snprintf(key, sizeof(key), "b%08llu", (unsigned long long)entry_number(ENTRIES - 1));
	last = find(&r, "log-00000001", bytes_of(key), 0);
	snprintf(key, sizeof(key), "b%08llu", (unsigned long long)entry_number(ENTRIES / 2));
	middle = find(&r, "log-00000001", bytes_of(key), 0);
	assert_true(last > middle && middle > 0);
	code = open_with_flip(&r, middle, 1);
	assert_int_equal(code, ERR_CORRUPT);
	code = open_with_flip(&r, last, 1);
	assert_int_equal(code, 0);
	code = open_with_flip(&r, 20, 1); /* the segment's head */
	assert_int_equal(code, ERR_CORRUPT);
	step = last / 150;
	for (off_t at = 3; at < last + 4000; at += step)
		(void)open_with_flip(&r, at, (unsigned)at % 8);
	rig_open(&r);
	for (uint64_t i = 0; i < ENTRIES; i++)
		assert_true(rig_entry_there(&r, entry_number(i)));
	rig_fini(&r);
}

/* A body that looks like frames is not taken for any, by whoever does not know the key. */
static void
attack_144_body_of_frames(void **state)
{
	struct rig r;
	uint8_t *p = malloc(RIG_BODY_MAX);
	struct answer a;
	struct blob_id id;
	off_t at;
	int fd;

	(void)state;
	rig_init(&r, STORE_LOG, 144);
	rig_open(&r);
	write_entries(&r);
	fd = openat(r.dir_fd, "log-00000001", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, p, RIG_BODY_MAX, 4096), RIG_BODY_MAX);
	close(fd);
	rig_close(&r);
	rig_fini(&r); /* another log's frames, group numbers and all */
	rig_init(&r, STORE_LOG, 145);
	rig_open(&r);
	id = store_blob_new(r.s);
	a = rig_blob(&r, id, (struct bytes){p, RIG_BODY_MAX});
	assert_int_equal(a.e.code, 0);
	rig_close(&r);
	at = find(&r, "log-00000001", (struct bytes){id.id, sizeof(id.id)}, 0);
	flip(&r, "log-00000001", at, 0); /* its first piece: a torn end, and frames behind it */
	unlink("index");
	unlink("index-lock");
	rig_open(&r);
	rig_fini(&r);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_144_body),
	    cmocka_unit_test(attack_144_row),
	    cmocka_unit_test(attack_144_log),
	    cmocka_unit_test(attack_144_body_of_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

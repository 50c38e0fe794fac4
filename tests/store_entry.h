/*
 * store_entry.h - numbered entries for tests of the store: keys a<n> and b<n>, the first keeping a
 * body, whose whole content follows from their number.
 */
#ifndef TESTS_STORE_ENTRY_H
#define TESTS_STORE_ENTRY_H

#include "store_rig.h"

enum { RIG_BODY_MAX = 200000 };

struct rig_entry {
	char a[24], b[24];
	struct store_change changes[2];
	struct blob_id blob;
	struct op_id op;
	struct store_body body;
	uint8_t *bytes;
	struct answer put, made;
	uint64_t n;
};

static inline size_t
rig_body_size(uint64_t n)
{
	static const size_t sizes[] = {0, 1, 700, 8192, 8193, 65536, 65537, RIG_BODY_MAX};

	return sizes[n % COUNT(sizes)];
}

static inline uint8_t
rig_body_byte(uint64_t n, size_t i)
{
	return (uint8_t)((n * 31 + i * 7) >> (i % 5));
}

static inline struct shard_id
rig_shard(uint64_t n)
{
	return shard_number(SHARD_MAILBOX, n % 3);
}

static inline void
rig_entry_init(struct rig_entry *t, uint64_t n)
{
	*t = (struct rig_entry){.n = n};
	snprintf(t->a, sizeof(t->a), "a%08llu", (unsigned long long)n);
	snprintf(t->b, sizeof(t->b), "b%08llu", (unsigned long long)n);
	for (size_t i = 0; i < sizeof(t->op.id); i++)
		t->op.id[i] = t->blob.id[i] = (uint8_t)(i < 8 ? (n + 1) >> 8 * i : 0x55);
	t->bytes = malloc(rig_body_size(n) + 1);
	assert_non_null(t->bytes);
	for (size_t i = 0; i < rig_body_size(n); i++)
		t->bytes[i] = rig_body_byte(n, i);
	t->body = (struct store_body){.bytes = {t->bytes, rig_body_size(n)}, .fd = -1};
	t->changes[0] = (struct store_change){STORE_PUT, bytes_of(t->a), bytes_of(t->b), t->blob};
	t->changes[1] = (struct store_change){STORE_PUT, bytes_of(t->b), bytes_of(t->a), BLOB_NONE};
}

static inline void
rig_entry_fini(struct rig_entry *t)
{
	free(t->bytes);
}

static inline void
rig_entry_submit(struct rig *r, struct rig_entry *t)
{
	store_blob_put(r->s, t->blob, &t->body, rig_done, &t->put);
	store_submit(r->s, rig_shard(t->n), STORE_ANY, t->op, t->changes, 2, rig_done, &t->made);
}

/* Is entry n there?  Half an entry, or a wrong byte in it, fails the test. */
static inline bool
rig_entry_there(struct rig *r, uint64_t n)
{
	struct arena arena = arena_init(0);
	struct rig_entry t;
	struct store_entry a, b;
	struct err ea, eb, e;
	uint64_t size = 0;
	size_t got = 0;
	uint8_t *room = malloc(RIG_BODY_MAX + 1);

	rig_entry_init(&t, n);
	ea = store_get(r->s, rig_shard(n), bytes_of(t.a), &a, &arena);
	eb = store_get(r->s, rig_shard(n), bytes_of(t.b), &b, &arena);
	assert_false(is_fault(ea));
	assert_int_equal(ea.code, eb.code);
	if (is_ok(ea)) {
		assert_true(bytes_eq(a.value, bytes_of(t.b)) && blob_eq(a.blob, t.blob));
		assert_true(bytes_eq(b.value, bytes_of(t.a)) && blob_is_none(b.blob));
		e = store_blob_size(r->s, t.blob, &size);
		assert_int_equal(e.code, 0);
		assert_int_equal(size, rig_body_size(n));
		e = store_blob_read(r->s, t.blob, 0, room, RIG_BODY_MAX + 1, &got);
		assert_int_equal(e.code, 0);
		assert_true(bytes_eq((struct bytes){room, got}, t.body.bytes));
	}
	arena_free(&arena);
	rig_entry_fini(&t);
	free(room);
	return is_ok(ea);
}

#endif

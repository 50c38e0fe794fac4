/*
 * The conformance suite of the store: the same cases against every engine, and random operations
 * checked against a model.
 */
#include "../store_entry.h"

#include <sys/mman.h>

static const struct shard_id box = {SHARD_MAILBOX, {1, 2, 3}};
static const struct shard_id other = {SHARD_MAILBOX, {1, 2, 3, 4}};

static struct op_id
op_of(uint64_t n)
{
	struct op_id op = {{0x77}};
	struct wr w = wr_of(op.id + 8, 8);

	wr_u64(&w, n);
	return op;
}

static void
reopen(struct rig *r)
{
	if (r->conf.engine == STORE_MEMORY)
		return;
	rig_close(r);
	rig_open(r);
}

static void
expect(struct rig *r, struct shard_id shard, const char *key, const char *value)
{
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct err e = store_get(r->s, shard, bytes_of(key), &entry, &arena);

	assert_int_equal(e.code, value ? 0 : ERR_NOTFOUND);
	if (value)
		assert_true(bytes_eq(entry.value, bytes_of(value)));
	arena_free(&arena);
}

static uint64_t
version(struct rig *r, struct shard_id shard)
{
	uint64_t v;
	struct err e = store_version(r->s, shard, &v);

	assert_int_equal(e.code, 0);
	return v;
}

static void
put_get_delete(void **state)
{
	struct rig *r = *state;
	struct store_change two[] = {rig_put("a", "1"), rig_put("b", "")};
	struct store_change gone[] = {rig_delete("a"), rig_delete("never"), rig_put("b", "2")};
	struct answer a;

	assert_int_equal(version(r, box), 0);
	expect(r, box, "a", NULL);
	a = rig_submit(r, box, 0, OP_NONE, two, 2);
	assert_int_equal(a.e.code, 0);
	assert_int_equal(a.version, 1);
	expect(r, box, "a", "1");
	expect(r, box, "b", "");
	expect(r, other, "a", NULL);
	a = rig_submit(r, box, 1, OP_NONE, gone, 3);
	assert_int_equal(a.version, 2);
	reopen(r);
	expect(r, box, "a", NULL);
	expect(r, box, "b", "2");
	assert_int_equal(version(r, box), 2);
	assert_int_equal(version(r, other), 0);
}

static void
changes_go_in_order(void **state)
{
	struct rig *r = *state;
	struct store_change c[] = {rig_put("k", "1"), rig_delete("k"), rig_put("k", "2"),
	                           rig_put("l", "3"), rig_delete("l")};
	struct answer a = rig_submit(r, box, STORE_ANY, OP_NONE, c, 5);

	assert_int_equal(a.e.code, 0);
	expect(r, box, "k", "2");
	expect(r, box, "l", NULL);
	a = rig_submit(r, box, 1, OP_NONE, NULL, 0);
	assert_int_equal(a.version, 2);
}

static void
limits(void **state)
{
	struct rig *r = *state;
	char key[STORE_KEY_MAX + 1] = {0}, value[STORE_VALUE_MAX + 1] = {0};
	struct store_change *c = calloc(STORE_CHANGES_MAX, sizeof(*c));
	char(*keys)[8] = calloc(STORE_CHANGES_MAX, sizeof(*keys));
	struct answer a;

	memset(key, 'k', STORE_KEY_MAX);
	memset(value, 'v', STORE_VALUE_MAX);
	for (size_t i = 0; i < STORE_CHANGES_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "x%04zu", i);
		c[i] = rig_put(keys[i], value);
	}
	c[0] = rig_put(key, value);
	a = rig_submit(r, box, STORE_ANY, OP_NONE, c, STORE_CHANGES_MAX);
	assert_int_equal(a.e.code, 0);
	reopen(r);
	expect(r, box, key, value);
	expect(r, box, "x0999", value);
	free(c);
	free(keys);
}

static void
guards(void **state)
{
	struct rig *r = *state;
	struct store_change c = rig_put("k", "1"), d = rig_put("k", "2");
	struct answer a[4] = {{OK, 0, 0}};
	struct err e;

	/* All in one turn: each sees what was handed in before. */
	store_submit(r->s, box, 0, OP_NONE, &c, 1, rig_done, &a[0]);
	store_submit(r->s, box, 0, OP_NONE, &d, 1, rig_done, &a[1]);
	store_submit(r->s, box, 1, OP_NONE, &d, 1, rig_done, &a[2]);
	store_submit(r->s, box, 3, OP_NONE, &c, 1, rig_done, &a[3]);
	assert_true(store_pending(r->s));
	expect(r, box, "k", NULL); /* not before it is committed */
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	assert_false(store_pending(r->s));
	assert_int_equal(a[0].e.code, 0);
	assert_int_equal(a[1].e.code, ERR_STALE);
	assert_int_equal(a[1].version, 1);
	assert_int_equal(a[2].e.code, 0);
	assert_int_equal(a[2].version, 2);
	assert_int_equal(a[3].e.code, ERR_STALE);
	assert_int_equal(a[3].version, 2);
	expect(r, box, "k", "2");
}

static void
operations_are_seen_once(void **state)
{
	struct rig *r = *state;
	struct store_change c = rig_put("k", "1"), d = rig_put("k", "2");
	struct answer a = rig_submit(r, box, 0, op_of(7), &c, 1), b[2] = {{OK, 0, 0}};
	struct err e;

	assert_int_equal(a.e.code, 0);
	reopen(r);
	a = rig_submit(r, box, 0, op_of(7), &d, 1); /* also stale: seen it says */
	assert_int_equal(a.e.code, ERR_SEEN);
	assert_int_equal(a.version, 1);
	expect(r, box, "k", "1");
	a = rig_submit(r, other, 0, op_of(7), &d, 1); /* an id belongs to its shard */
	assert_int_equal(a.e.code, 0);
	store_submit(r->s, box, STORE_ANY, op_of(8), &d, 1, rig_done, &b[0]);
	store_submit(r->s, box, STORE_ANY, op_of(8), &c, 1, rig_done, &b[1]);
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	assert_int_equal(b[0].e.code, 0);
	assert_int_equal(b[1].e.code, ERR_SEEN);
	expect(r, box, "k", "2");
	a = rig_submit(r, box, 0, op_of(9), &d, 1); /* what was refused was not seen */
	assert_int_equal(a.e.code, ERR_STALE);
	a = rig_submit(r, box, 2, op_of(9), &d, 1);
	assert_int_equal(a.e.code, 0);
}

static void
operations_are_forgotten_in_order(void **state)
{
	struct rig *r = *state;
	struct answer *a = calloc(STORE_OPS_KEPT + 2, sizeof(*a)), one;
	struct err e;

	for (uint64_t i = 0; i < STORE_OPS_KEPT + 1; i++)
		store_submit(r->s, box, STORE_ANY, op_of(i), NULL, 0, rig_done, &a[i]);
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	one = rig_submit(r, box, STORE_ANY, op_of(1), NULL, 0);
	assert_int_equal(one.e.code, ERR_SEEN);
	one = rig_submit(r, box, STORE_ANY, op_of(STORE_OPS_KEPT), NULL, 0);
	assert_int_equal(one.e.code, ERR_SEEN);
	one = rig_submit(r, box, STORE_ANY, op_of(0), NULL, 0);
	assert_int_equal(one.e.code, 0);
	one = rig_submit(r, box, STORE_ANY, op_of(1), NULL, 0);
	assert_int_equal(one.e.code, 0);
	free(a);
}

static void
fill_numbers(struct rig *r, unsigned n)
{
	struct store_change *c = calloc(n, sizeof(*c));
	char(*keys)[8] = calloc(n, sizeof(*keys));

	for (unsigned i = 0; i < n; i++) {
		snprintf(keys[i], sizeof(keys[i]), "n%05u", i);
		c[i] = rig_put(keys[i], keys[i]);
	}
	for (unsigned i = 0; i < n; i += STORE_CHANGES_MAX) {
		struct answer a = rig_submit(r, box, STORE_ANY, OP_NONE, c + i,
		                             n - i < STORE_CHANGES_MAX ? n - i : STORE_CHANGES_MAX);

		assert_int_equal(a.e.code, 0);
	}
	free(c);
	free(keys);
}

/* Walks by pages of `limit`; gives how many entries there were. */
static size_t
walk(struct rig *r, uint64_t at, const char *from, const char *to, size_t limit, size_t cap)
{
	struct arena arena = arena_init(cap);
	struct store_page page = {.more = true};
	uint8_t next[STORE_KEY_MAX + 1];
	size_t n = strlen(from), seen = 0;

	memcpy(next, from, n);
	while (page.more) {
		struct err e = store_range(r->s, box, at, (struct bytes){next, n}, bytes_of(to),
		                           limit, &page, &arena);

		assert_int_equal(e.code, 0);
		assert_true(page.n <= limit);
		assert_true(!page.more || page.n > 0);
		for (size_t i = 0; i < page.n; i++, seen++) {
			struct store_entry *p = &page.entries[i];

			assert_true(bytes_cmp(p->key, (struct bytes){next, n}) >= 0);
			assert_true(bytes_eq(p->key, p->value));
			memcpy(next, p->key.p, p->key.n);
			next[p->key.n] = 0;
			n = p->key.n + 1;
		}
		arena_free(&arena);
		arena = arena_init(cap);
	}
	arena_free(&arena);
	return seen;
}

static void
ranges(void **state)
{
	struct rig *r = *state;
	struct store_change c = rig_put("zzz", "1");
	struct arena arena = arena_init(0);
	struct store_page page;
	struct answer a = rig_submit(r, other, 0, OP_NONE, &c, 1);
	struct err e;

	assert_int_equal(a.e.code, 0);
	fill_numbers(r, 2500);
	assert_int_equal(walk(r, 3, "", "", 1000, 0), 2500);
	assert_int_equal(walk(r, 3, "", "", 7, 0), 2500);
	assert_int_equal(walk(r, STORE_ANY, "n00010", "n00020", 1000, 0), 10);
	assert_int_equal(walk(r, STORE_ANY, "n02490", "", 10, 0), 10);
	assert_int_equal(walk(r, STORE_ANY, "o", "", 10, 0), 0);
	assert_int_equal(walk(r, STORE_ANY, "", "n", 10, 0), 0);
	assert_int_equal(walk(r, STORE_ANY, "", "", 100, 8000), 2500); /* the arena cuts pages */
	e = store_range(r->s, box, 2, NO_BYTES, NO_BYTES, 10, &page, &arena);
	assert_int_equal(e.code, ERR_STALE);
	assert_int_equal(page.version, 3);
	e = store_range(r->s, box, 3, NO_BYTES, NO_BYTES, 10, &page, &arena);
	assert_int_equal(e.code, 0);
	assert_true(page.more);
	arena_free(&arena);
}

static const size_t blob_sizes[] = {
    0, 1, 6, 7, 8, 65535, 65536, 65537, 131072, 1000000, 5 * 1024 * 1024, 64 * 1024 * 1024};

static void
fill(uint8_t *p, size_t n, size_t seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 2654435761u >> 13 ^ seed);
}

static void
check_blob(struct rig *r, struct blob_id blob, const uint8_t *want, size_t n)
{
	static const size_t cuts[] = {1, 65535, 65536, 65537, 3000000, 64 * 1024 * 1024 + 1};
	uint8_t *room = malloc(n + 1);
	uint64_t size;
	struct err e = store_blob_size(r->s, blob, &size);

	assert_int_equal(e.code, 0);
	assert_int_equal(size, n);
	for (size_t i = n > 100000 ? 1 : 0; i < COUNT(cuts); i++) {
		size_t at = 0, got = 1;

		if (n > 2000000 && cuts[i] < 65537)
			continue;
		for (; got > 0; at += got) {
			size_t take = n + 1 - at < cuts[i] ? n + 1 - at : cuts[i];

			e = store_blob_read(r->s, blob, at, room + at, take, &got);
			assert_int_equal(e.code, 0);
		}
		assert_int_equal(at, n);
		assert_memory_equal(room, want, n);
	}
	free(room);
}

static void
blobs(void **state)
{
	struct rig *r = *state;
	struct blob_id ids[COUNT(blob_sizes)];
	uint8_t *p = malloc(64 * 1024 * 1024);
	size_t got;
	uint64_t size;
	struct err e;

	for (size_t i = 0; i < COUNT(blob_sizes); i++) {
		struct answer a;

		ids[i] = store_blob_new(r->s);
		fill(p, blob_sizes[i], i);
		a = rig_blob(r, ids[i], (struct bytes){p, blob_sizes[i]});
		assert_int_equal(a.e.code, 0);
		a = rig_blob(r, ids[i], (struct bytes){p, blob_sizes[i]});
		assert_int_equal(a.e.code, ERR_EXISTS);
	}
	reopen(r);
	for (size_t i = 0; i < COUNT(blob_sizes); i++) {
		fill(p, blob_sizes[i], i);
		check_blob(r, ids[i], p, blob_sizes[i]);
	}
	e = store_blob_size(r->s, store_blob_new(r->s), &size);
	assert_int_equal(e.code, ERR_NOTFOUND);
	e = store_blob_read(r->s, store_blob_new(r->s), 0, p, 1, &got);
	assert_int_equal(e.code, ERR_NOTFOUND);
	free(p);
}

static void
blobs_from_files(void **state)
{
	struct rig *r = *state;
	int fd = memfd_create("body", MFD_CLOEXEC);
	size_t n = 300000, at = 4000;
	uint8_t *p = malloc(at + n);
	struct store_body body = {.fd = fd, .offset = at, .length = n}, longer = body;
	struct blob_id good = store_blob_new(r->s), bad = store_blob_new(r->s);
	struct store_change keeps[] = {rig_put("good", "1"), rig_put("bad", "1")};
	struct answer a[4] = {{OK, 0, 0}};
	struct err e;

	fill(p, at + n, 5);
	assert_int_equal(write(fd, p, at + n), at + n);
	longer.length++;
	keeps[0].blob = good;
	keeps[1].blob = bad;
	store_blob_put(r->s, bad, &longer, rig_done, &a[0]);
	store_blob_put(r->s, good, &body, rig_done, &a[1]);
	store_submit(r->s, box, STORE_ANY, OP_NONE, keeps, 1, rig_done, &a[2]);
	store_submit(r->s, box, STORE_ANY, OP_NONE, keeps, 2, rig_done, &a[3]);
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	assert_int_equal(a[0].e.code, ERR_RANGE);
	assert_int_equal(a[1].e.code, 0);
	assert_int_equal(a[2].e.code, 0);
	assert_int_equal(a[3].e.code, ERR_RANGE);
	reopen(r);
	check_blob(r, good, p + at, n);
	expect(r, box, "good", "1");
	expect(r, box, "bad", NULL);
	close(fd);
	free(p);
}

static void
keys_keep_blobs(void **state)
{
	struct rig *r = *state;
	struct blob_id a = store_blob_new(r->s), b = store_blob_new(r->s);
	struct store_change c[] = {rig_put("k", "1"), rig_put("l", "1")};
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct answer got;
	struct err e;

	c[0].blob = c[1].blob = a;
	got = rig_submit(r, box, STORE_ANY, OP_NONE, c, 2);
	assert_int_equal(got.e.code, ERR_NOTFOUND);
	expect(r, box, "k", NULL);
	got = rig_blob(r, a, BYTES("body a"));
	assert_int_equal(got.e.code, 0);
	got = rig_blob(r, b, BYTES("body b"));
	assert_int_equal(got.e.code, 0);
	got = rig_submit(r, box, STORE_ANY, OP_NONE, c, 2);
	assert_int_equal(got.e.code, 0);
	got = rig_submit(r, other, STORE_ANY, OP_NONE, c, 2);
	assert_int_equal(got.e.code, 0);
	c[0].blob = b;
	got = rig_submit(r, box, STORE_ANY, OP_NONE, c, 1);
	assert_int_equal(got.e.code, 0);
	reopen(r);
	e = store_get(r->s, box, BYTES("k"), &entry, &arena);
	assert_int_equal(e.code, 0);
	assert_true(blob_eq(entry.blob, b));
	e = store_get(r->s, other, BYTES("k"), &entry, &arena);
	assert_int_equal(e.code, 0);
	assert_true(blob_eq(entry.blob, a));
	arena_free(&arena);
}

struct hints {
	struct rig *r;
	uint64_t version;
	int calls;
	bool end;
};

static void
hinted(void *owner, struct shard_id shard, uint64_t v)
{
	struct hints *h = owner;

	assert_true(shard_eq(shard, box));
	assert_true(version(h->r, box) >= v);
	h->version = v;
	h->calls++;
	if (h->end)
		store_unwatch(h->r->s, box, hinted, h);
}

static void
watching(void **state)
{
	struct rig *r = *state;
	struct store_change c = rig_put("k", "1");
	struct hints a = {r, 0, 0, false}, b = {r, 0, 0, true};
	struct answer got[3] = {{OK, 0, 0}};
	struct err e = store_watch(r->s, box, hinted, &a);

	assert_int_equal(e.code, 0);
	e = store_watch(r->s, box, hinted, &b);
	assert_int_equal(e.code, 0);
	store_submit(r->s, box, STORE_ANY, OP_NONE, &c, 1, rig_done, &got[0]);
	store_submit(r->s, other, STORE_ANY, OP_NONE, &c, 1, rig_done, &got[1]);
	store_submit(r->s, box, STORE_ANY, OP_NONE, &c, 1, rig_done, &got[2]);
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	assert_int_equal(a.version, 2);
	assert_int_equal(b.version, 2);
	got[0] = rig_submit(r, box, 0, OP_NONE, &c, 1); /* stale: no hint */
	assert_int_equal(a.calls, 1);
	got[0] = rig_submit(r, box, 2, OP_NONE, &c, 1);
	assert_int_equal(a.version, 3);
	assert_int_equal(b.calls, 1);
	store_unwatch(r->s, box, hinted, &a);
	store_unwatch(r->s, box, hinted, &a); /* and once more does nothing */
	got[0] = rig_submit(r, box, 3, OP_NONE, &c, 1);
	assert_int_equal(a.calls, 2);
}

struct chain {
	struct rig *r;
	struct store_change c;
	int left, calls;
	struct err last;
};

static void
chained(void *owner, struct err e, uint64_t v)
{
	struct chain *c = owner;

	c->calls++;
	c->last = e;
	if (is_ok(e))
		assert_int_equal(v, version(c->r, box)); /* a done() sees what it tells of */
	if (is_ok(e) && c->left-- > 0)
		store_submit(c->r->s, box, v, OP_NONE, &c->c, 1, chained, c);
}

static void
done_hands_in_more(void **state)
{
	struct rig *r = *state;
	struct chain c = {r, rig_put("k", "1"), 3, 0, OK};

	store_submit(r->s, box, 0, OP_NONE, &c.c, 1, chained, &c);
	for (int i = 1; i <= 4; i++) {
		struct err e = store_turn(r->s);

		assert_int_equal(e.code, 0);
		assert_int_equal(c.calls, i);
	}
	assert_false(store_pending(r->s));
	c.left = 9;
	store_submit(r->s, box, 4, OP_NONE, &c.c, 1, chained, &c);
	rig_close(r); /* commits what is there; what comes then is too late */
	assert_int_equal(c.calls, 6);
	assert_int_equal(c.last.code, ERR_GONE);
	rig_open(r);
	if (r->conf.engine == STORE_LOG)
		assert_int_equal(version(r, box), 5);
}

/* More than one group's worth in one turn, bodies and segments of every size among them. */
static void
large_turns(void **state)
{
	struct rig *r = *state;
	enum { N = 600 };
	struct rig_entry *t = calloc(N, sizeof(*t));
	struct err e;

	for (uint64_t i = 0; i < N; i++) {
		rig_entry_init(&t[i], i);
		rig_entry_submit(r, &t[i]);
	}
	e = store_turn(r->s);
	assert_int_equal(e.code, 0);
	reopen(r);
	for (uint64_t i = 0; i < N; i++) {
		assert_int_equal(t[i].put.e.code, 0);
		assert_int_equal(t[i].made.e.code, 0);
		assert_true(rig_entry_there(r, i));
		rig_entry_fini(&t[i]);
	}
	free(t);
}

/* ---- random operations against a model ---- */

enum { SHARDS = 3, KEYS = 24, OPS = 40, STEPS = 400, BATCH = 6, CHANGES = 5 };

struct model {
	struct {
		uint64_t version;
		bool there[KEYS], seen[OPS];
		uint32_t values[KEYS];
	} shards[SHARDS];
};

struct random_submit {
	struct store_change changes[CHANGES];
	char keys[CHANGES][8], values[CHANGES][16];
	struct answer got;
	int32_t want;
	uint64_t want_version;
};

static struct shard_id
model_shard(size_t i)
{
	return shard_number(i ? SHARD_MAILBOX : SHARD_ACCOUNT, i < 2 ? 5 : 6);
}

static void
random_change(struct random *random, struct random_submit *t, size_t i, struct model *m,
              size_t shard, bool apply)
{
	size_t key = (size_t)random_below(random, KEYS);
	uint32_t value = (uint32_t)random_u64(random);
	bool is_put = random_below(random, 3) > 0;

	snprintf(t->keys[i], sizeof(t->keys[i]), "k%02zu", key);
	snprintf(t->values[i], sizeof(t->values[i]), "%08x", (unsigned)value);
	t->changes[i] = is_put ? rig_put(t->keys[i], t->values[i]) : rig_delete(t->keys[i]);
	if (!apply)
		return;
	m->shards[shard].there[key] = is_put;
	m->shards[shard].values[key] = value;
}

static void
random_submit(struct rig *r, struct random *random, struct random_submit *t, struct model *m)
{
	size_t shard = (size_t)random_below(random, SHARDS), op = (size_t)random_below(random, OPS);
	size_t n = (size_t)random_below(random, CHANGES + 1);
	bool has_op = random_below(random, 2), has_guard = random_below(random, 2);
	uint64_t now = m->shards[shard].version, guard = has_guard ? now : STORE_ANY;

	if (has_guard && now && random_below(random, 3) == 0)
		guard = now - 1;
	*t = (struct random_submit){.want_version = now};
	if (has_op && m->shards[shard].seen[op])
		t->want = ERR_SEEN;
	else if (guard != STORE_ANY && guard != now)
		t->want = ERR_STALE;
	for (size_t i = 0; i < n; i++)
		random_change(random, t, i, m, shard, t->want == 0);
	if (t->want == 0) {
		t->want_version = ++m->shards[shard].version;
		m->shards[shard].seen[op] = m->shards[shard].seen[op] || has_op;
	}
	store_submit(r->s, model_shard(shard), guard, has_op ? op_of(op) : OP_NONE, t->changes, n,
	             rig_done, &t->got);
}

static void
compare(struct rig *r, const struct model *m)
{
	for (size_t s = 0; s < SHARDS; s++) {
		struct arena arena = arena_init(0);
		struct store_page page;
		size_t n = 0;
		struct err e = store_range(r->s, model_shard(s), m->shards[s].version, NO_BYTES,
		                           NO_BYTES, STORE_RANGE_MAX, &page, &arena);

		assert_int_equal(e.code, 0);
		for (size_t k = 0; k < KEYS; k++) {
			char key[8], value[16];

			if (!m->shards[s].there[k])
				continue;
			snprintf(key, sizeof(key), "k%02zu", k);
			snprintf(value, sizeof(value), "%08x", (unsigned)m->shards[s].values[k]);
			assert_true(n < page.n);
			assert_true(bytes_eq(page.entries[n].key, bytes_of(key)));
			assert_true(bytes_eq(page.entries[n].value, bytes_of(value)));
			n++;
		}
		assert_int_equal(n, page.n);
		arena_free(&arena);
	}
}

static void
random_operations(void **state)
{
	struct rig *r = *state;

	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct random *random = random_seeded(seed);
		struct model *m = calloc(1, sizeof(*m));

		rig_fini(r);
		rig_init(r, r->conf.engine, seed);
		r->conf.segment_size = 16 * 1024;
		rig_open(r);
		for (int step = 0; step < STEPS; step++) {
			struct random_submit t[BATCH];
			size_t n = (size_t)random_below(random, BATCH + 1);
			struct err e;

			for (size_t i = 0; i < n; i++)
				random_submit(r, random, &t[i], m);
			e = store_turn(r->s);
			assert_int_equal(e.code, 0);
			for (size_t i = 0; i < n; i++) {
				assert_int_equal(t[i].got.e.code, t[i].want);
				assert_int_equal(t[i].got.version, t[i].want_version);
			}
			compare(r, m);
			if (random_below(random, 40) == 0)
				reopen(r);
		}
		free(m);
		random_close(random);
	}
}

/* ---- */

static int
setup(void **state, enum store_engine_kind engine)
{
	struct rig *r = calloc(1, sizeof(*r));

	if (!r)
		return -1;
	rig_init(r, engine, 1);
	rig_open(r);
	*state = r;
	return 0;
}

static int
setup_log(void **state)
{
	return setup(state, STORE_LOG);
}

static int
setup_memory(void **state)
{
	return setup(state, STORE_MEMORY);
}

static int
teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

#define EACH(fn)                                                                                   \
	{"memory_" #fn, fn, setup_memory, teardown, NULL},                                         \
	{                                                                                          \
		"log_" #fn, fn, setup_log, teardown, NULL                                          \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    EACH(put_get_delete),
	    EACH(changes_go_in_order),
	    EACH(limits),
	    EACH(guards),
	    EACH(operations_are_seen_once),
	    EACH(operations_are_forgotten_in_order),
	    EACH(ranges),
	    EACH(blobs),
	    EACH(blobs_from_files),
	    EACH(keys_keep_blobs),
	    EACH(watching),
	    EACH(done_hands_in_more),
	    EACH(large_turns),
	    EACH(random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * store.c - the front of every engine: the queue of what was handed in, the done()s, the watchers.
 *
 * 1. Items are answered in the order in which they came.
 * 2. A done() and a hint see all that their turn committed, and may hand in more: that goes to the
 *    next turn's queue.
 */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/random.h"
#include "store/engine.h"

struct watcher {
	store_hint *fn; /* NULL: ended, to be taken out when it is not walked over */
	void *owner;
};

/* Who watches a shard. */
struct watch {
	struct shard_id shard;
	struct watcher *watchers;
	size_t n, cap;
	uint64_t version; /* to be told */
	bool due;         /* in the list of those to be told */
	struct watch *next;
};

struct queue {
	struct item *items;
	size_t n, cap;
};

struct store {
	struct engine *engine;
	struct random *random;
	struct queue queue; /* handed in, for the next turn */
	struct map watches; /* from a shard's bytes to its struct watch */
	struct watch *due;
	struct err fault; /* memory for the queue was used up: an item was lost */
	bool turning, closing;
};

static struct bytes
shard_bytes(const struct shard_id *shard)
{
	return (struct bytes){(const uint8_t *)shard, sizeof(*shard)};
}
_Static_assert(sizeof(struct shard_id) == 17, "a shard's bytes have no gaps: they are a map's key");

/* ---- the queue ---- */

static void
add(struct store *s, const struct item *item)
{
	struct queue *q = &s->queue;

	assert(item->done);
	if (s->closing) {
		item->done(item->owner, ERR(ERR_GONE, 0, "the store is being closed"), 0);
		return;
	}
	if (q->n == q->cap) {
		size_t cap = q->cap ? 2 * q->cap : 64;
		struct item *items = realloc(q->items, cap * sizeof(*items));

		if (!items) {
			s->fault = ERR(ERR_MEMORY, 0, "the store's queue");
			return;
		}
		q->items = items;
		q->cap = cap;
	}
	q->items[q->n++] = *item;
}

static void
check_changes(const struct store_change *changes, size_t n)
{
	assert(n <= STORE_CHANGES_MAX);
	for (size_t i = 0; i < n; i++) {
		assert(changes[i].key.n > 0 && changes[i].key.n <= STORE_KEY_MAX);
		assert(changes[i].kind == STORE_DELETE || changes[i].value.n <= STORE_VALUE_MAX);
	}
}

/* ---- watching ---- */

static struct watch *
find_watch(const struct store *s, struct shard_id shard)
{
	return map_get(&s->watches, shard_bytes(&shard));
}

static void
free_watch(struct store *s, struct watch *w)
{
	map_remove(&s->watches, shard_bytes(&w->shard));
	free(w->watchers);
	free(w);
}

/* Takes out those that ended. */
static void
sweep(struct store *s, struct watch *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		if (w->watchers[i].fn)
			w->watchers[kept++] = w->watchers[i];
	w->n = kept;
	if (kept == 0)
		free_watch(s, w);
}

static void
note_change(struct store *s, const struct item *item)
{
	struct watch *w = item->body || !is_ok(item->err) ? NULL : find_watch(s, item->shard);

	if (!w)
		return;
	w->version = item->version;
	if (!w->due) {
		w->due = true;
		w->next = s->due;
		s->due = w;
	}
}

/* A hint may watch, and end watches, also its own. */
static void
tell(struct store *s, struct watch *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct watcher *one = &w->watchers[i];

		if (one->fn)
			one->fn(one->owner, w->shard, w->version);
	}
	w->due = false;
	sweep(s, w);
}

static void
tell_all(struct store *s)
{
	while (s->due) {
		struct watch *w = s->due;

		s->due = w->next;
		tell(s, w);
	}
}

/* ---- public ---- */

struct err
store_open(struct store **out, const struct store_conf *conf)
{
	struct store *s = calloc(1, sizeof(*s));
	uint8_t key[16];
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "store");
	s->random = conf->random;
	s->fault = OK;
	random_fill(conf->random, key, sizeof(key));
	map_init(&s->watches, key);
	e = conf->engine == STORE_LOG ? log_engine_open(&s->engine, conf)
	                              : memory_engine_open(&s->engine, conf);
	if (is_ok(e)) {
		*out = s;
		return e;
	}
	map_free(&s->watches);
	free(s);
	return e;
}

void
store_close(struct store *s)
{
	struct map_at at = {0};
	struct watch *w;

	if (!s)
		return;
	assert(!s->turning);
	s->closing = true;
	if (s->queue.n) {
		struct err e = store_turn(s);

		(void)e; /* each item was told */
	}
	while ((w = map_next(&s->watches, &at, NULL)))
		free_watch(s, w);
	map_free(&s->watches);
	s->engine->close(s->engine);
	free(s->queue.items);
	free(s);
}

int
store_fd(const struct store *s)
{
	(void)s;
	return -1;
}

bool
store_pending(const struct store *s)
{
	return s->queue.n > 0 || !is_ok(s->fault);
}

struct err
store_turn(struct store *s)
{
	struct queue q = s->queue;
	struct err e = OK;

	assert(!s->turning);
	s->turning = true;
	s->queue = (struct queue){NULL, 0, 0};
	if (q.n)
		e = s->engine->commit(s->engine, q.items, q.n);
	for (size_t i = 0; i < q.n; i++) {
		note_change(s, &q.items[i]);
		q.items[i].done(q.items[i].owner, q.items[i].err, q.items[i].version);
	}
	tell_all(s);
	if (!s->queue.items && q.cap <= 1024) { /* the memory is kept for the next turn */
		q.n = 0;
		s->queue = q;
		q.items = NULL;
	}
	free(q.items);
	s->turning = false;
	return is_ok(e) ? s->fault : e;
}

void
store_submit(struct store *s, struct shard_id shard, uint64_t guard, struct op_id op,
             const struct store_change *changes, size_t n, store_done *done, void *owner)
{
	struct item item = {.shard = shard,
	                    .guard = guard,
	                    .op = op,
	                    .changes = changes,
	                    .n = n,
	                    .done = done,
	                    .owner = owner};

	assert(shard.kind != 0);
	check_changes(changes, n);
	add(s, &item);
}

struct blob_id
store_blob_new(struct store *s)
{
	struct blob_id blob;

	do
		random_fill(s->random, blob.id, sizeof(blob.id));
	while (blob_is_none(blob));
	return blob;
}

void
store_blob_put(struct store *s, struct blob_id blob, const struct store_body *body,
               store_done *done, void *owner)
{
	struct item item = {.blob = blob, .body = body, .done = done, .owner = owner};

	assert(body && !blob_is_none(blob));
	add(s, &item);
}

struct err
store_version(struct store *s, struct shard_id shard, uint64_t *out)
{
	return s->engine->version(s->engine, shard, out);
}

struct err
store_get(struct store *s, struct shard_id shard, struct bytes key, struct store_entry *out,
          struct arena *arena)
{
	assert(key.n > 0 && key.n <= STORE_KEY_MAX);
	return s->engine->get(s->engine, shard, key, out, arena);
}

struct err
store_range(struct store *s, struct shard_id shard, uint64_t at, struct bytes from, struct bytes to,
            size_t limit, struct store_page *out, struct arena *arena)
{
	assert(limit > 0 && limit <= STORE_RANGE_MAX);
	assert(from.n <= STORE_KEY_MAX + 1); /* a key and a zero byte, for the next page */
	*out = (struct store_page){arena_alloc(arena, limit * sizeof(*out->entries)), 0, 0, false};
	if (!out->entries)
		return ERR(ERR_MEMORY, 0, "arena");
	return s->engine->range(s->engine, shard, at, from, to, limit, out, arena);
}

struct err
store_blob_size(struct store *s, struct blob_id blob, uint64_t *out)
{
	return s->engine->blob_size(s->engine, blob, out);
}

struct err
store_blob_read(struct store *s, struct blob_id blob, uint64_t offset, void *room, size_t n,
                size_t *got)
{
	return s->engine->blob_read(s->engine, blob, offset, room, n, got);
}

struct err
store_watch(struct store *s, struct shard_id shard, store_hint *fn, void *owner)
{
	struct watch *w = find_watch(s, shard);

	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return ERR(ERR_MEMORY, 0, "watch");
		w->shard = shard;
		if (!map_put(&s->watches, shard_bytes(&shard), w)) {
			free(w);
			return ERR(ERR_MEMORY, 0, "watch");
		}
	}
	if (w->n == w->cap) {
		size_t cap = w->cap ? 2 * w->cap : 2;
		struct watcher *watchers = realloc(w->watchers, cap * sizeof(*watchers));

		if (!watchers) {
			if (w->n == 0 && !w->due)
				free_watch(s, w);
			return ERR(ERR_MEMORY, 0, "watch");
		}
		w->watchers = watchers;
		w->cap = cap;
	}
	w->watchers[w->n++] = (struct watcher){fn, owner};
	return OK;
}

void
store_unwatch(struct store *s, struct shard_id shard, store_hint *fn, void *owner)
{
	struct watch *w = find_watch(s, shard);

	for (size_t i = 0; w && i < w->n; i++)
		if (w->watchers[i].fn == fn && w->watchers[i].owner == owner) {
			w->watchers[i].fn = NULL;
			break;
		}
	if (w && !w->due) /* else tell() does it when its walk is over */
		sweep(s, w);
}

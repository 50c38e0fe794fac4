/*
 * memory.c - the engine for tests and simulation: what log.c does, in memory, without durability.
 * Everything lies in arrays sorted by name; a submit first makes all that it needs memory for, then
 * changes, so that it is made whole or not at all.
 */
#include <assert.h>
#include <stdlib.h>

#include "store/engine.h"

/* Names and what they stand for, in memcmp order; each entry begins with a struct name. */
struct name {
	size_t n;
	const uint8_t *p;
};
struct sorted {
	struct name **v;
	size_t n, cap;
};

/* A key of a shard: key and value lie behind it. */
struct pair {
	struct name name;
	struct bytes value;
	struct blob_id blob;
	uint8_t room[];
};

struct shard {
	struct name name;
	struct shard_id id;
	uint64_t version, ops;
	struct sorted pairs;
	struct op_id seen[STORE_OPS_KEPT]; /* a ring */
};

struct body {
	struct name name;
	struct blob_id id;
	size_t n;
	uint8_t p[];
};

struct memory {
	struct engine engine; /* first: the two are cast to each other */
	struct sorted shards, bodies;
};

/* ---- sorted arrays ---- */

/* Where the name is, or would be. */
static size_t
place_of(const struct sorted *s, struct bytes name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (bytes_cmp((struct bytes){s->v[mid]->p, s->v[mid]->n}, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_at(const struct sorted *s, size_t at, struct bytes name)
{
	return at < s->n && bytes_eq((struct bytes){s->v[at]->p, s->v[at]->n}, name);
}

static void *
find(const struct sorted *s, struct bytes name)
{
	size_t at = place_of(s, name);

	return is_at(s, at, name) ? s->v[at] : NULL;
}

/* Room for n more; false without memory. */
static bool
reserve(struct sorted *s, size_t n)
{
	size_t cap = s->cap ? s->cap : 16;
	struct name **v;

	while (cap < s->n + n)
		cap *= 2;
	if (cap == s->cap)
		return true;
	v = realloc(s->v, cap * sizeof(struct name *));
	if (!v)
		return false;
	s->v = v;
	s->cap = cap;
	return true;
}

/* Puts it in, and gives what stood there under the same name. */
static struct name *
put(struct sorted *s, struct name *entry)
{
	struct bytes name = {entry->p, entry->n};
	size_t at = place_of(s, name);
	struct name *old = NULL;

	if (is_at(s, at, name)) {
		old = s->v[at];
	} else {
		assert(s->n < s->cap);
		memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(struct name *));
		s->n++;
	}
	s->v[at] = entry;
	return old;
}

static struct name *
take_out(struct sorted *s, struct bytes name)
{
	size_t at = place_of(s, name);
	struct name *old = is_at(s, at, name) ? s->v[at] : NULL;

	if (old) {
		s->n--;
		memmove(s->v + at, s->v + at + 1, (s->n - at) * sizeof(struct name *));
	}
	return old;
}

static void
free_sorted(struct sorted *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
}

/* ---- shards and bodies ---- */

static struct bytes
id_bytes(const struct shard_id *id)
{
	return (struct bytes){(const uint8_t *)id, sizeof(*id)};
}

static struct shard *
find_shard(const struct memory *m, struct shard_id id)
{
	return find(&m->shards, id_bytes(&id));
}

static struct shard *
make_shard(struct memory *m, struct shard_id id)
{
	struct shard *s = find_shard(m, id);

	if (s || !reserve(&m->shards, 1))
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->id = id;
	s->name = (struct name){sizeof(s->id), (const uint8_t *)&s->id};
	put(&m->shards, &s->name);
	return s;
}

static struct body *
find_body(const struct memory *m, struct blob_id id)
{
	return find(&m->bodies, (struct bytes){id.id, sizeof(id.id)});
}

static bool
is_seen(const struct shard *s, struct op_id op)
{
	uint64_t n = s->ops < STORE_OPS_KEPT ? s->ops : STORE_OPS_KEPT;

	for (uint64_t i = 0; i < n; i++)
		if (op_eq(s->seen[i], op))
			return true;
	return false;
}

static struct pair *
make_pair(const struct store_change *c)
{
	struct pair *p = malloc(sizeof(*p) + c->key.n + c->value.n);

	if (!p)
		return NULL;
	memcpy(p->room, c->key.p, c->key.n);
	if (c->value.n)
		memcpy(p->room + c->key.n, c->value.p, c->value.n);
	p->name = (struct name){c->key.n, p->room};
	p->value = (struct bytes){p->room + c->key.n, c->value.n};
	p->blob = c->blob;
	return p;
}

/* ---- committing ---- */

static struct err
take_body(struct memory *m, const struct item *item)
{
	uint64_t length = body_length(item->body);
	struct body *b;
	struct err e;

	if (find_body(m, item->blob))
		return ERR(ERR_EXISTS, 0, "the blob is there already");
	b = length < SIZE_MAX / 2 ? malloc(sizeof(*b) + (size_t)length) : NULL;
	if (!b || !reserve(&m->bodies, 1)) {
		free(b);
		return ERR(ERR_FULL, 0, "no memory for a body");
	}
	e = body_read(item->body, 0, b->p, (size_t)length);
	if (!is_ok(e)) {
		free(b);
		return e;
	}
	b->id = item->blob;
	b->n = (size_t)length;
	b->name = (struct name){sizeof(b->id.id), b->id.id};
	put(&m->bodies, &b->name);
	return OK;
}

/* All pairs are made before the first change. */
static struct err
apply(struct shard *s, const struct item *item)
{
	struct pair **pairs = calloc(item->n ? item->n : 1, sizeof(struct pair *));
	bool ok = pairs && reserve(&s->pairs, item->n);

	for (size_t i = 0; ok && i < item->n; i++)
		if (item->changes[i].kind == STORE_PUT)
			ok = (pairs[i] = make_pair(&item->changes[i])) != NULL;
	for (size_t i = 0; pairs && i < item->n; i++) {
		if (!ok)
			free(pairs[i]);
		else if (pairs[i])
			free(put(&s->pairs, &pairs[i]->name));
		else
			free(take_out(&s->pairs, item->changes[i].key));
	}
	free(pairs);
	if (!ok)
		return ERR(ERR_FULL, 0, "no memory for changes");
	if (!op_is_none(item->op))
		s->seen[s->ops++ % STORE_OPS_KEPT] = item->op;
	s->version++;
	return OK;
}

static struct err
take_submit(struct memory *m, struct item *items, size_t at)
{
	struct item *item = &items[at];
	struct shard *s = find_shard(m, item->shard);
	struct err e;

	item->version = s ? s->version : 0;
	if (s && !op_is_none(item->op) && is_seen(s, item->op))
		return ERR(ERR_SEEN, 0, "applied before");
	if (item->guard != STORE_ANY && item->guard != item->version)
		return ERR(ERR_STALE, 0, "the shard has moved");
	for (size_t i = 0; i < item->n; i++)
		if (item->changes[i].kind == STORE_PUT && !blob_is_none(item->changes[i].blob) &&
		    !find_body(m, item->changes[i].blob))
			return item_blob_missing(items, at, item->changes[i].blob);
	s = make_shard(m, item->shard);
	e = s ? apply(s, item) : ERR(ERR_FULL, 0, "no memory for a shard");
	item->version += is_ok(e);
	return e;
}

static struct err
memory_commit(struct engine *engine, struct item *items, size_t n)
{
	struct memory *m = (struct memory *)engine;

	for (size_t i = 0; i < n; i++)
		items[i].err = items[i].body ? take_body(m, &items[i]) : take_submit(m, items, i);
	return OK;
}

/* ---- reading ---- */

static struct err
memory_version(struct engine *engine, struct shard_id id, uint64_t *out)
{
	const struct shard *s = find_shard((struct memory *)engine, id);

	*out = s ? s->version : 0;
	return OK;
}

static struct err
memory_get(struct engine *engine, struct shard_id id, struct bytes key, struct store_entry *out,
           struct arena *arena)
{
	const struct shard *s = find_shard((struct memory *)engine, id);
	const struct pair *p = s ? find(&s->pairs, key) : NULL;

	return p ? entry_copy(out, key, p->value, p->blob, arena)
	         : ERR(ERR_NOTFOUND, 0, "no such key");
}

static struct err
memory_range(struct engine *engine, struct shard_id id, uint64_t at, struct bytes from,
             struct bytes to, size_t limit, struct store_page *out, struct arena *arena)
{
	const struct shard *s = find_shard((struct memory *)engine, id);

	out->version = s ? s->version : 0;
	if (at != STORE_ANY && at != out->version)
		return ERR(ERR_STALE, 0, "the shard has moved");
	for (size_t i = s ? place_of(&s->pairs, from) : 0; s && i < s->pairs.n; i++) {
		const struct pair *p = (const struct pair *)s->pairs.v[i];
		struct bytes key = {p->name.p, p->name.n};

		if (to.n && bytes_cmp(key, to) >= 0)
			break;
		if (out->n == limit ||
		    !is_ok(entry_copy(&out->entries[out->n], key, p->value, p->blob, arena))) {
			out->more = true;
			return out->n ? OK : ERR(ERR_MEMORY, 0, "arena");
		}
		out->n++;
	}
	return OK;
}

static struct err
memory_blob_size(struct engine *engine, struct blob_id blob, uint64_t *out)
{
	const struct body *b = find_body((struct memory *)engine, blob);

	*out = b ? b->n : 0;
	return b ? OK : ERR(ERR_NOTFOUND, 0, "no such blob");
}

static struct err
memory_blob_read(struct engine *engine, struct blob_id blob, uint64_t offset, void *room, size_t n,
                 size_t *got)
{
	const struct body *b = find_body((struct memory *)engine, blob);

	*got = 0;
	if (!b)
		return ERR(ERR_NOTFOUND, 0, "no such blob");
	if (offset < b->n)
		*got = b->n - offset < n ? (size_t)(b->n - offset) : n;
	if (*got)
		memcpy(room, b->p + offset, *got);
	return OK;
}

static void
memory_close(struct engine *engine)
{
	struct memory *m = (struct memory *)engine;

	for (size_t i = 0; i < m->shards.n; i++)
		free_sorted(&((struct shard *)m->shards.v[i])->pairs);
	free_sorted(&m->shards);
	free_sorted(&m->bodies);
	free(m);
}

struct err
memory_engine_open(struct engine **out, const struct store_conf *conf)
{
	struct memory *m = calloc(1, sizeof(*m));

	(void)conf;
	if (!m)
		return ERR(ERR_MEMORY, 0, "store");
	m->engine = (struct engine){
	    .commit = memory_commit,
	    .version = memory_version,
	    .get = memory_get,
	    .range = memory_range,
	    .blob_size = memory_blob_size,
	    .blob_read = memory_blob_read,
	    .close = memory_close,
	};
	*out = &m->engine;
	return OK;
}

/*
 * table.c - chains of entries, and one list of all by age.
 *
 * Invariants:
 * 1. An entry is in one chain and in the list, or it is freed.
 * 2. `bytes` is the sum of the entries' sizes and of the buckets, and at most `max` behind a put.
 */
#include "resolve/table.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64, MALLOC_OWN = 16, LARGEST = 16 };

struct table_entry {
	struct table_entry *chain, *newer, *older;
	uint64_t hash;
	size_t size; /* as it is charged */
	size_t key_n;
	uint8_t *key;
	_Alignas(max_align_t) uint8_t body[];
};

void
table_init(struct table *t, const uint8_t key[SIPHASH_KEY], size_t max)
{
	struct table fresh = {.max = max};

	memcpy(fresh.key, key, SIPHASH_KEY); /* which may be t's own */
	*t = fresh;
}

static struct table_entry **
find(const struct table *t, uint64_t hash, struct bytes key)
{
	struct table_entry **at = &t->buckets[hash & (t->size - 1)];

	while (*at &&
	       ((*at)->hash != hash || !bytes_eq((struct bytes){(*at)->key, (*at)->key_n}, key)))
		at = &(*at)->chain;
	return at;
}

static void
unlink_entry(struct table *t, struct table_entry *e)
{
	*(e->newer ? &e->newer->older : &t->newest) = e->older;
	*(e->older ? &e->older->newer : &t->oldest) = e->newer;
}

static void
link_newest(struct table *t, struct table_entry *e)
{
	e->newer = NULL;
	e->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = e;
	t->newest = e;
}

static void
drop(struct table *t, struct table_entry **at)
{
	struct table_entry *e = *at;

	*at = e->chain;
	unlink_entry(t, e);
	t->bytes -= e->size;
	t->n--;
	free(e);
}

/* Twice the buckets; without memory the chains grow longer instead. */
static bool
grow(struct table *t)
{
	size_t size = t->size ? t->size * 2 : FIRST_SIZE;
	struct table_entry **fresh = calloc(size, sizeof(struct table_entry *));

	if (!fresh)
		return t->size != 0;
	for (struct table_entry *e = t->oldest; e; e = e->newer) {
		e->chain = fresh[e->hash & (size - 1)];
		fresh[e->hash & (size - 1)] = e;
	}
	t->bytes += (size - t->size) * sizeof(struct table_entry *);
	free(t->buckets);
	t->buckets = fresh;
	t->size = size;
	return true;
}

void *
table_get(struct table *t, struct bytes key)
{
	struct table_entry *e = t->size ? *find(t, siphash(t->key, key), key) : NULL;

	if (!e)
		return NULL;
	if (e != t->newest) {
		unlink_entry(t, e);
		link_newest(t, e);
	}
	return e->body;
}

void
table_remove(struct table *t, struct bytes key)
{
	struct table_entry **at = t->size ? find(t, siphash(t->key, key), key) : NULL;

	if (at && *at)
		drop(t, at);
}

void *
table_put(struct table *t, struct bytes key, size_t n)
{
	size_t size = sizeof(struct table_entry) + n + key.n;
	struct table_entry *e, **at;

	table_remove(t, key);
	if (size + MALLOC_OWN > t->max / LARGEST || (t->n >= t->size && !grow(t)))
		return NULL;
	e = calloc(1, size);
	if (!e)
		return NULL;
	e->hash = siphash(t->key, key);
	e->size = size + MALLOC_OWN;
	e->key = e->body + n;
	e->key_n = key.n;
	if (key.n)
		memcpy(e->key, key.p, key.n);
	at = &t->buckets[e->hash & (t->size - 1)];
	e->chain = *at;
	*at = e;
	link_newest(t, e);
	t->bytes += e->size;
	t->n++;
	while (t->bytes > t->max && t->oldest != e) {
		struct table_entry *old = t->oldest;

		at = &t->buckets[old->hash & (t->size - 1)];
		while (*at != old)
			at = &(*at)->chain;
		drop(t, at);
		t->evicted++;
	}
	return e->body;
}

void
table_free(struct table *t)
{
	while (t->oldest) {
		struct table_entry *e = t->oldest;

		t->oldest = e->newer;
		free(e);
	}
	free(t->buckets);
	table_init(t, t->key, t->max);
}

/*
 * map.c - buckets of linked entries; an entry holds its key's copy.
 *
 * 1. size is 0 or a power of two; an entry is in bucket hash & (size - 1).
 * 2. n <= size, so that a bucket holds one entry on average.
 */
#include "base/map.h"

#include "base/siphash.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST = 16 };

struct map_entry {
	struct map_entry *next;
	uint64_t hash;
	void *value;
	size_t n;
	uint8_t key[];
};

/* The pointer that points to the entry of this key, or to NULL at its bucket's end. */
static struct map_entry **
place(const struct map *m, uint64_t hash, struct bytes key)
{
	struct map_entry **at = &m->buckets[hash & (m->size - 1)];

	while (*at && ((*at)->hash != hash || !bytes_eq((struct bytes){(*at)->key, (*at)->n}, key)))
		at = &(*at)->next;
	return at;
}

static bool
grow(struct map *m)
{
	size_t size = m->size ? m->size * 2 : FIRST;
	struct map_entry **buckets = calloc(size, sizeof(struct map_entry *));

	if (!buckets)
		return false;
	for (size_t i = 0; i < m->size; i++)
		for (struct map_entry *e = m->buckets[i], *next; e; e = next) {
			next = e->next;
			e->next = buckets[e->hash & (size - 1)];
			buckets[e->hash & (size - 1)] = e;
		}
	free(m->buckets);
	m->buckets = buckets;
	m->size = size;
	return true;
}

void
map_init(struct map *m, const uint8_t key[16])
{
	*m = (struct map){NULL, 0, 0, {0}};
	memcpy(m->key, key, sizeof(m->key));
}

void *
map_get(const struct map *m, struct bytes key)
{
	struct map_entry *e = m->n ? *place(m, siphash(m->key, key), key) : NULL;

	return e ? e->value : NULL;
}

bool
map_put(struct map *m, struct bytes key, void *value)
{
	uint64_t hash = siphash(m->key, key);
	struct map_entry **at, *e;

	assert(value);
	e = m->size ? *place(m, hash, key) : NULL;
	if (e) {
		e->value = value;
		return true;
	}
	if (m->n == m->size && !grow(m))
		return false;
	e = malloc(sizeof(*e) + key.n);
	if (!e)
		return false;
	at = &m->buckets[hash & (m->size - 1)];
	*e = (struct map_entry){*at, hash, value, key.n};
	if (key.n)
		memcpy(e->key, key.p, key.n);
	*at = e;
	m->n++;
	return true;
}

void *
map_remove(struct map *m, struct bytes key)
{
	struct map_entry **at = m->n ? place(m, siphash(m->key, key), key) : NULL, *e;
	void *value;

	if (!at || !*at)
		return NULL;
	e = *at;
	value = e->value;
	*at = e->next;
	free(e);
	m->n--;
	return value;
}

void *
map_next(const struct map *m, struct map_at *at, struct bytes *key)
{
	struct map_entry *e = at->next;

	while (!e && at->bucket < m->size)
		e = m->buckets[at->bucket++];
	if (!e)
		return NULL;
	at->next = e->next;
	if (key)
		*key = (struct bytes){e->key, e->n};
	return e->value;
}

void
map_free(struct map *m)
{
	for (size_t i = 0; i < m->size; i++)
		for (struct map_entry *e = m->buckets[i], *next; e; e = next) {
			next = e->next;
			free(e);
		}
	free(m->buckets);
	m->buckets = NULL;
	m->size = m->n = 0;
}

/*
 * map.h - a hash map from bytes to pointers.  The hash is keyed with a random key, so strangers who
 * choose keys cannot make them meet (attack 153).  It grows without bound: who puts in what
 * strangers send counts first (map_count, a purse).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/bytes.h"

struct map_entry;
struct map {
	struct map_entry **buckets;
	size_t size, n; /* buckets, entries */
	uint8_t key[16];
};

/* A place in a walk over all entries; zeroed: before the first. */
struct map_at {
	size_t bucket;
	struct map_entry *next;
};

/* An empty map owns no memory. */
void map_init(struct map *, const uint8_t key[16]);
/* The value under this key, NULL when there is none. */
void *map_get(const struct map *, struct bytes key);
/*
 * Puts value (not NULL) under a copy of key, in the place of what was there.  False, and nothing
 * changed, when memory is used up.
 */
bool map_put(struct map *, struct bytes key, void *value) __attribute__((warn_unused_result));
/* Takes the key out and gives what was under it; NULL when there is none. */
void *map_remove(struct map *, struct bytes key);
/*
 * The next value of a walk in no stated order, NULL after the last; key may be NULL.  During a walk
 * the entry that was given last may be removed, nothing else may change.
 */
void *map_next(const struct map *, struct map_at *, struct bytes *key);

static inline size_t
map_count(const struct map *m)
{
	return m->n;
}

/* Frees the map's memory (the values are the caller's); it is empty then, and may be used again. */
void map_free(struct map *);

#endif

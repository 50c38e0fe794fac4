/*
 * table.h - what a resolver remembers of strangers: a map from bytes to bodies of any size within a
 * stated number of octets.  What was looked at longest ago goes first.  The hash is keyed (attack
 * 153); an empty table owns no memory, and one that grows takes it as needed.
 */
#ifndef RESOLVE_TABLE_H
#define RESOLVE_TABLE_H

#include "base/siphash.h"

struct table_entry;
struct table {
	struct table_entry **buckets;
	struct table_entry *newest, *oldest;
	size_t size, n;    /* buckets, entries */
	size_t bytes, max; /* what all entries take, with what the allocator adds */
	uint64_t evicted;
	uint8_t key[SIPHASH_KEY];
};

void table_init(struct table *, const uint8_t key[SIPHASH_KEY], size_t max);
void table_free(struct table *); /* it is empty then, and may be used again */

/* The body under the key, which is the newest now; NULL: there is none.  Valid until the next put. */
void *table_get(struct table *, struct bytes key);
/*
 * A zeroed body of n octets in the place of what was there, aligned for anything.  NULL, and nothing
 * is there, when memory is used up or n is more than a sixteenth of the whole.
 */
void *table_put(struct table *, struct bytes key, size_t n);
void table_remove(struct table *, struct bytes key);

#endif

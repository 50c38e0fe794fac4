/*
 * index.h - what the log says, as a map that can be asked: LMDB in the files "index" and
 * "index-lock".  Each row carries a checksum over its key and its value (attack 144).
 *
 * One transaction holds one group of the log and the place behind it.  So the index is always the
 * state after some whole group, and the log from its place on brings it forward.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "base/bytes.h"
#include "base/err.h"
#include "store/append.h"
#include "store/changes.h"

struct index; /* opaque */

struct index_conf {
	uint64_t map_size;
	uint64_t key;         /* of the rows' sums */
	const uint8_t *store; /* 16 bytes: whose index this is; ERR_CORRUPT for another's */
};

/* A body's place in the log, and how many keys keep it. */
struct index_blob {
	uint64_t segment, offset, length, keeps;
};

struct index_row {
	struct bytes value; /* borrowed from the map until index_end() or the next change */
	struct blob_id blob;
};

/* Opens or makes it in the working directory. */
MUST_CHECK struct err index_open(struct index **out, const struct index_conf *);
void index_close(struct index *);

/* A look at the last committed state; ends with index_end(). */
MUST_CHECK struct err index_look(struct index *);
/*
 * Or a transaction: reads then see what it changed; ends with index_commit(), or with index_end(),
 * which gives it up.
 */
MUST_CHECK struct err index_begin(struct index *);
void index_end(struct index *);
/* What a transaction has made. */
struct index_load {
	size_t changes, bytes;
	bool grows; /* it is more than deletions */
};
/*
 * Makes sure of room for the transaction, so that index_commit() does not fail for want of it.
 * Answer: ERR_FULL.
 */
MUST_CHECK struct err index_reserve(struct index *, const struct index_load *);
MUST_CHECK struct err index_commit(struct index *);

/* Answer of these: ERR_NOTFOUND. */
MUST_CHECK struct err index_place(struct index *, struct place *out);
MUST_CHECK struct err index_get(struct index *, struct shard_id, struct bytes key,
                                struct index_row *out);
MUST_CHECK struct err index_blob(struct index *, struct blob_id, struct index_blob *out);
/* 0 for a shard that was never written. */
MUST_CHECK struct err index_version(struct index *, struct shard_id, uint64_t *out);
MUST_CHECK struct err index_seen(struct index *, struct shard_id, struct op_id, bool *out);

/* Each row from <= key < to (empty: to the last) until fn says no. */
typedef bool index_each(void *owner, struct bytes key, const struct index_row *);
MUST_CHECK struct err index_range(struct index *, struct shard_id, struct bytes from,
                                  struct bytes to, index_each *, void *owner);

/* In a transaction.  Answer: ERR_FULL the map is full; only index_end() may follow. */
MUST_CHECK struct err index_set_place(struct index *, const struct place *);
MUST_CHECK struct err index_add_blob(struct index *, struct blob_id, const struct index_blob *);
/* Makes the changes that changes_write() wrote.  ERR_CORRUPT: they are not of its form. */
MUST_CHECK struct err index_apply(struct index *, struct bytes changes);

#endif

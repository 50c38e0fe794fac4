/*
 * engine.h - what stands behind store.h: an engine is a struct that begins with struct engine.
 * store.c queues what is handed in and calls the done()s; an engine commits and reads.
 */
#ifndef STORE_ENGINE_H
#define STORE_ENGINE_H

#include "store/store.h"

/* One thing that was handed in: a submit, or a blob when body is set. */
struct item {
	struct shard_id shard;
	uint64_t guard;
	struct op_id op;
	const struct store_change *changes;
	size_t n;
	struct blob_id blob;
	const struct store_body *body;
	store_done *done;
	void *owner;
	/* set by the engine */
	struct err err;
	uint64_t version;
};

struct engine {
	/*
	 * Commits the items in their order and gives each its answer.  The err is a fault after
	 * which every further commit gets the same; items that it touches have it too.
	 */
	struct err (*commit)(struct engine *, struct item *, size_t n);
	struct err (*version)(struct engine *, struct shard_id, uint64_t *out);
	struct err (*get)(struct engine *, struct shard_id, struct bytes key, struct store_entry *,
	                  struct arena *);
	/* `limit` is from 1 to STORE_RANGE_MAX; more in store.h. */
	struct err (*range)(struct engine *, struct shard_id, uint64_t at, struct bytes from,
	                    struct bytes to, size_t limit, struct store_page *, struct arena *);
	struct err (*blob_size)(struct engine *, struct blob_id, uint64_t *out);
	struct err (*blob_read)(struct engine *, struct blob_id, uint64_t offset, void *room,
	                        size_t n, size_t *got);
	void (*close)(struct engine *);
};

MUST_CHECK struct err log_engine_open(struct engine **out, const struct store_conf *);
MUST_CHECK struct err memory_engine_open(struct engine **out, const struct store_conf *);

/* What a change that keeps a blob gets when the blob is not there: the answer to its put, if it was
 * handed in with the items before `at`, else ERR_NOTFOUND. */
struct err item_blob_missing(const struct item *items, size_t at, struct blob_id);
/* The next n bytes of a body, from `at` on.  Answer: ERR_RANGE its file ends before them. */
MUST_CHECK struct err body_read(const struct store_body *, uint64_t at, void *room, size_t n);
uint64_t body_length(const struct store_body *);
/* A copy of an entry in the arena; ERR_MEMORY when it does not fit. */
MUST_CHECK struct err entry_copy(struct store_entry *, struct bytes key, struct bytes value,
                                 struct blob_id, struct arena *);

#endif

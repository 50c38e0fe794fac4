/*
 * store.h - the one door to what must not be lost.  Engines: log.c (a log of records, indexed by
 * LMDB) and memory.c (the same in RAM, for tests and simulation).
 *
 * A shard is the only unit of order and of atomicity: an account, a mailbox, a zone ...  It has a
 * version, which every submit that is done moves by one, and an ordered map of small keys to small
 * values.  A shard that was never written is at version 0.  There are no transactions across shards:
 * what spans shards is repeated under the same operation id until each of them has SEEN it.
 * Blobs are immutable bodies, named by the store.  A blob lives while some key of any shard keeps it
 * (see store_change.blob); the store may drop one that none has kept for a day.
 *
 * Reads see what is committed: a change is seen from the call of its done() on, never before.
 * A fault leaves open whether the thing was done (its op_id resolves that after a new store_open);
 * after ERR_IO of a store_turn() nothing more is written until then, and reads go on (attack 141).
 * ERR_CORRUPT concerns the shard or the blob that was asked for; the others can be used (attack 144).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "store/id.h"

enum {
	STORE_KEY_MAX = 200,      /* a key has 1 to 200 bytes, ordered as by memcmp */
	STORE_VALUE_MAX = 4096,   /* what is larger is a blob */
	STORE_CHANGES_MAX = 1000, /* in one submit */
	STORE_RANGE_MAX = 1000,   /* entries in one page */
	STORE_OPS_KEPT = 1024,    /* a shard remembers its last 1,024 operation ids */
};
#define STORE_ANY UINT64_MAX /* as a guard: whatever the version */

struct disk;
struct random;
enum store_engine_kind { STORE_LOG, STORE_MEMORY };
struct store_conf {
	enum store_engine_kind engine;
	int dir_fd;            /* the folder, open for reading until store_close(); the caller's */
	struct disk *disk;     /* as disk_real() */
	struct random *random; /* names blobs */
	uint64_t segment_size; /* of the log; 0: 16 MiB */
	uint64_t map_size;     /* the index's, 4 MiB or more; 0: 1 TiB, sparse (sanitized: 1 GiB) */
};

struct store; /* opaque; used by one thread, that of its role's loop */
/*
 * Engine log: all is opened relative to dir_fd, but LMDB takes a path: the caller's working
 * directory must be that same folder during the call.  Brings the index forward from the log.
 * Later on only openat() relative to dir_fd happens.  Engine memory needs neither dir_fd nor disk.
 * Answers: ERR_DENIED another instance has this folder open (attack 148), ERR_RANGE its format is of
 * a later program, ERR_FULL no space.  ERR_CORRUPT: the log is damaged before its end (a torn last
 * record is no damage: it was never acknowledged).
 */
MUST_CHECK struct err store_open(struct store **out, const struct store_conf *);
/* Commits what was handed in (so done()s run, and what they hand in gets ERR_GONE); NULL is fine. */
void store_close(struct store *);

/* Call store_turn() when this descriptor is readable; -1 when the engine has none. */
int store_fd(const struct store *);
/* True when store_turn() has something to do now; ask at the end of each turn of the loop. */
bool store_pending(const struct store *);
/*
 * Commits what was handed in since the last turn as one group (several, if it is more than a few
 * MiB), with one sync; then calls the done()s in the order of handing in, then the watchers.
 * They may call anything here but store_turn() and store_close(); what they hand in waits for the
 * next turn.  Blocks for the disk.  A fault is final: see above (ERR_MEMORY: also some done() may
 * never come).
 */
MUST_CHECK struct err store_turn(struct store *);

enum store_change_kind { STORE_PUT, STORE_DELETE };
struct store_change {
	enum store_change_kind kind;
	struct bytes key, value; /* deleting a key that is not there does nothing */
	struct blob_id blob;     /* of a PUT: kept by this key until it is put anew or deleted */
};
typedef void store_done(void *owner, struct err, uint64_t version);

/*
 * Hand in n changes of one shard, to be made all or none, in their order.  done() runs in a later
 * store_turn(), once they are on disk: only then may anybody be told "250" or "OK".  The changes and
 * all they point to stay the caller's, and must stay as they are until done().
 * What is handed in first is done first; later ones of the same turn see it.
 * Answers: ERR_SEEN this `op` was applied before (also when the guard is stale), ERR_STALE the shard
 * is not at version `guard`; both, as OK does, come with the shard's version.  ERR_FULL no space,
 * also for a blob handed in before that a change keeps; ERR_NOTFOUND no such blob.  Then nothing is
 * changed (attack 142).  Larger keys, values or n than the limits are the caller's mistake: assert.
 */
void store_submit(struct store *, struct shard_id, uint64_t guard, struct op_id op,
                  const struct store_change *, size_t n, store_done *, void *owner);

struct store_body {
	struct bytes bytes; /* the body, if fd is -1 */
	int fd; /* else `length` bytes of this file from `offset` on; nobody may change it */
	uint64_t offset, length;
};
struct blob_id store_blob_new(struct store *);
/*
 * Hand in a body under a name from store_blob_new(): durable before or with every submit that is
 * handed in later.  It stays the caller's until done(), whose version is 0.
 * Answers: ERR_EXISTS it is there already; ERR_FULL; ERR_RANGE the file ends before `length`.
 */
void store_blob_put(struct store *, struct blob_id, const struct store_body *, store_done *,
                    void *owner);

/* ---- reading; may block for the disk ---- */

struct store_entry {
	struct bytes key, value;
	struct blob_id blob; /* none: the key keeps no blob */
};
struct store_page {
	struct store_entry *entries; /* in the order of keys */
	size_t n;
	uint64_t version; /* of the shard, when they were read */
	bool more;        /* go on with `from` just behind the last key: that key and a zero byte */
};

MUST_CHECK struct err store_version(struct store *, struct shard_id, uint64_t *out);
/* The result lies in the arena.  Answer: ERR_NOTFOUND. */
MUST_CHECK struct err store_get(struct store *, struct shard_id, struct bytes key,
                                struct store_entry *out, struct arena *);
/*
 * The entries from <= key < to (an empty `to`: up to the last), at most `limit`, as one consistent
 * snapshot in the arena; fewer, with `more`, when the arena's cap is reached.  Pages belong to one
 * snapshot when all but the first are asked for at the version of the first.
 * Answer: ERR_STALE the shard is not at version `at` (out->version tells the current one).
 */
MUST_CHECK struct err store_range(struct store *, struct shard_id, uint64_t at, struct bytes from,
                                  struct bytes to, size_t limit, struct store_page *out,
                                  struct arena *);
/* Answer: ERR_NOTFOUND. */
MUST_CHECK struct err store_blob_size(struct store *, struct blob_id, uint64_t *out);
/*
 * Reads up to n bytes from `offset` on, checked against the checksums made when they were put; *got
 * is less than n only at the end of the blob.  Answer: ERR_NOTFOUND.
 */
MUST_CHECK struct err store_blob_read(struct store *, struct blob_id, uint64_t offset, void *room,
                                      size_t n, size_t *got);

/*
 * A hint that the shard is now at `version` or later; called from store_turn().  Hints may be lost
 * or doubled: poll slowly besides.  The same (fn, owner) ends it; also from within fn.
 */
typedef void store_hint(void *owner, struct shard_id, uint64_t version);
MUST_CHECK struct err store_watch(struct store *, struct shard_id, store_hint *, void *owner);
void store_unwatch(struct store *, struct shard_id, store_hint *, void *owner);

#endif

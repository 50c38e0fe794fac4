/*
 * spool.h - outgoing mail as the store has it, and the words by which `queue` reads and settles it.
 *
 * Keys of a partition's shard (SHARD_QUEUE, 0 to 15; a message lies in the one that the first octet
 * of its operation id names, since a shard remembers its last 1,024 operations): q ID (the head; it
 * keeps the blob), r ID NUMBER (a recipient), n (the highest id that was ever given out here).
 *
 * Invariants: (1) an id rises with time over all partitions and is never given twice, also when the
 * clock went back; (2) a head is there as long as one of its recipients is, and no longer; (3) a
 * message with its recipients, packed, fits into one page (SPOOL_PACKED_MAX).
 *
 * A record that cannot be read is left where it is, told in the log, and not sent; all others flow
 * (attack 62).
 */
#ifndef BOX_SPOOL_H
#define BOX_SPOOL_H

#include "net/peers.h"
#include "store/store.h"
#include "talk/spool.h"

enum { SPOOL_PARTITIONS = 16 };

struct spool;

/* Both stay the caller's until spool_close(), which comes behind store_close(). */
MUST_CHECK struct err spool_open(struct spool **, struct loop *, struct peers *, struct store *);
void spool_close(struct spool *);

/* One message for recipients elsewhere; all stays the caller's until done(). */
struct spool_message {
	struct op_id op;     /* the same for every try */
	struct blob_id blob; /* handed in to the store before */
	uint64_t size, header;
	uint32_t skip;
	struct bytes sender;
	const struct bytes *rcpts;
	size_t n; /* > 0; what is more than one queued message may have becomes several */
};
typedef void spool_done(void *owner, struct err);
/*
 * done() comes when it is durable for all, from store_turn(); `queue` is told then.  Under an op
 * that was done before it adds nothing.  Answers: ERR_FULL no space; a fault leaves open where it is.
 */
void spool_add(struct spool *, const struct spool_message *, spool_done *, void *owner);

/* WORD_QUEUE_LOAD, _BODY, _SETTLE, from queue.  The caller sees to it that store_turn() comes. */
void spool_word(struct spool *, const struct peer *, struct chan_word *);
/* "queued" (messages, since the start), "settled" */
void spool_status(const struct spool *, struct wr *counters);

#endif

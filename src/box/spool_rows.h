/*
 * spool_rows.h - the keys and values of queued messages in their partition's shard.  For the spool
 * alone; docs/store.md tells the bytes.
 */
#ifndef BOX_SPOOL_ROWS_H
#define BOX_SPOOL_ROWS_H

#include "store/store.h"
#include "talk/spool.h"

enum {
	SPOOL_HEAD_KEY = 9,
	SPOOL_RCPT_KEY = 11,
	SPOOL_SENDER_MAX = 320,
	SPOOL_HEAD_ROW = 1 + SPOOL_HEAD_FIXED + SPOOL_SENDER_MAX, /* octets at most */
};

/* A message's id tells where it lies. */
struct shard_id spool_partition(uint64_t id);
struct bytes spool_head_key(uint8_t room[SPOOL_HEAD_KEY], uint64_t id);
struct bytes spool_rcpt_key(uint8_t room[SPOOL_RCPT_KEY], uint64_t id, uint16_t number);

void spool_head_write(struct wr *, const struct spool_head *);
void spool_rcpt_write(struct wr *, const struct spool_rcpt *);
/* False: it is not what was written for this message, or this key. */
bool spool_head_read(struct bytes value, uint64_t id, struct spool_head *);
bool spool_rcpt_read(struct bytes key, struct bytes value, struct spool_rcpt *);

/* The rows of a message's recipients, in the order of their numbers. */
MUST_CHECK struct err spool_recipients(struct store *, uint64_t id, struct store_page *,
                                       struct arena *);
/* A record that cannot be read, or with a number below SPOOL_PARTITIONS a whole partition. */
void spool_damaged(uint64_t id, struct err);

#endif

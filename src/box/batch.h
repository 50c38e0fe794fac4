/*
 * batch.h - one submit to an account's shard: what it changes in the store, and what follows from it
 * in memory once it is done.  All of it has one modseq.
 */
#ifndef BOX_BATCH_H
#define BOX_BATCH_H

#include "box/account.h"

enum {
	BATCH_CHANGED = 480
}; /* messages that one batch changes at most, where none comes or goes */

struct batch;
typedef void batch_done(void *owner, struct mailboxes *, struct err);

/* Room for this many changes beside the records of folders, and for messages.  NULL: no memory. */
struct batch *batch_new(struct mailboxes *, struct account *, size_t changes, size_t messages);
uint64_t batch_modseq(struct batch *);
bool batch_has_room(const struct batch *, size_t changes); /* and for a message */
bool batch_is_empty(const struct batch *);

/* All is copied; where memory is used up, the batch fails as a whole. */
void batch_put(struct batch *, struct bytes key, struct bytes value, struct blob_id);
void batch_delete(struct batch *, struct bytes key);
/* A folder's record as it is now; only right before the batch is submitted. */
void batch_record(struct batch *, const struct folder *);
/* Its keywords, where the store does not have them all. */
void batch_keywords(struct batch *, struct folder *);

/* A message comes: it gets the next UID.  summary: a value as record_summary_value() makes it. */
uint32_t batch_add(struct batch *, struct folder *, const struct message_row *,
                   struct bytes summary, struct blob_id);
/* A message changes from `was` to `row`, but for its modseq. */
void batch_change(struct batch *, struct folder *, const struct record_row *was,
                  const struct message_row *row, struct blob_id);
/* It goes; UIDs must rise, and be of one folder in a batch. */
void batch_remove(struct batch *, struct folder *, uint32_t uid, bool unseen);

/* Gives it away.  done() comes in the store's turn, or at once when there is no memory. */
void batch_submit(struct batch *, struct op_id, batch_done *, void *owner);
void batch_free(struct batch *);

#endif

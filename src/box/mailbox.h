/*
 * mailbox.h - the mail of the accounts: delivery, listing, reading and removal, each durable before
 * it is told.
 *
 * Keys of an account's shard: b MAILBOX (its name, UIDVALIDITY, next UID), h (the highest modseq),
 * m MAILBOX UID (a message's row; it keeps the blob with its octets).  Numbers are big-endian, so
 * that messages lie in the order of their UIDs.  INBOX is mailbox 1, made when it is first needed.
 *
 * Invariants: (1) a UID is never given twice, (2) the next UID and the modseq never fall, (3) a
 * message is visible as a whole or not at all.
 */
#ifndef BOX_MAILBOX_H
#define BOX_MAILBOX_H

#include "base/err.h"
#include "store/store.h"
#include "talk/rows.h"

struct mailboxes;

/* The store stays the caller's until mailboxes_close(). */
MUST_CHECK struct err mailboxes_open(struct mailboxes **, struct store *);
void mailboxes_close(struct mailboxes *);

/* One message for some accounts; all stays the caller's until done(). */
struct delivery {
	struct op_id op; /* the same for every try */
	const uint64_t *accounts;
	size_t n;
	struct bytes sender, summary;
	struct store_body body;
	uint64_t size;  /* octets of the body as a whole */
	uint64_t now_s; /* since 1970 */
};
typedef void mailbox_done(void *owner, struct err);
/*
 * Puts it into each INBOX with one sync, and calls done() when it is durable in all.  Handing it in
 * again under the same op adds nothing where it was done before.  Answers: ERR_FULL no space: it is
 * not in all of them; a fault leaves open where it is.
 */
void mailbox_deliver(struct mailboxes *, const struct delivery *, mailbox_done *, void *owner);

struct mailbox_info {
	uint32_t number, uidvalidity, uidnext, count;
};
/* Answer: ERR_NOTFOUND no mailbox of this name. */
MUST_CHECK struct err mailbox_find(struct mailboxes *, uint64_t account, struct bytes name,
                                   uint64_t now_s, struct mailbox_info *);
/* Rows from this UID on, as many as fit. */
MUST_CHECK struct err mailbox_rows(struct mailboxes *, uint64_t account, uint32_t mailbox,
                                   uint32_t from, struct wr *, bool *more);
/* Octets of a message from `offset` on, up to n.  Answer: ERR_NOTFOUND it is not there (any more). */
MUST_CHECK struct err mailbox_read(struct mailboxes *, uint64_t account, uint32_t mailbox,
                                   uint32_t uid, uint64_t offset, size_t n, struct wr *);
/* Removes messages, uids u32 each; one that is gone already is no error. */
void mailbox_remove(struct mailboxes *, uint64_t account, uint32_t mailbox, struct bytes uids,
                    mailbox_done *, void *owner);
/* Removes all that an account has, and all that is under way to it. */
void mailbox_purge(struct mailboxes *, uint64_t account, mailbox_done *, void *owner);

#endif

/*
 * mailbox.h - the mail of the accounts: delivery, listing, reading; change.h has flags, removal and
 * copies, folders.h the names of mailboxes, docs/store.md the keys of an account.  Whatever is done is
 * durable before it is told.
 *
 * Invariants: (1) a UID is never given twice, (2) the next UID and the modseq never fall, (3) a
 * message is visible as a whole or not at all, (4) no mailbox number and no UIDVALIDITY is used
 * again, also not by a mailbox of the same name.
 *
 * What an account is asked to change is done in the order of asking, but for deliveries and appends,
 * which wait for nobody.  All that one submit changes has one modseq.  A change of up to
 * MAILBOX_BATCH messages is one submit, so it is made whole or not at all; a larger one is made in
 * several, and a fault or the end of the process leaves the first of them done.
 *
 * What takes long is cut in pieces: while mailboxes_busy(), mailboxes_work() is to be called, at
 * least once in each turn, and the store's turns are to be made.  A done() may come within the call
 * that it belongs to.  Faults go to done() as they are.
 */
#ifndef BOX_MAILBOX_H
#define BOX_MAILBOX_H

#include "base/err.h"
#include "store/store.h"
#include "talk/rows.h"

enum {
	MAILBOX_INBOX = 1,   /* its number */
	MAILBOX_BATCH = 240, /* messages whose change is atomic */
};

struct mailboxes;

/* The store stays the caller's until mailboxes_close(). */
MUST_CHECK struct err mailboxes_open(struct mailboxes **, struct store *);
/* What is not done yet is told ERR_GONE. */
void mailboxes_close(struct mailboxes *);

/* Called when a change of a mailbox has become durable, whoever made it, and when it was removed. */
typedef void mailbox_changed(void *owner, uint64_t account, uint32_t mailbox, uint64_t modseq);
void mailboxes_tell(struct mailboxes *, mailbox_changed *, void *owner);

/* There is work that waits for no commit. */
bool mailboxes_busy(const struct mailboxes *);
void mailboxes_work(struct mailboxes *); /* a piece of it, of a few milliseconds */

/*
 * One message for some accounts; borrowed for the call.  The caller hands the blob in before
 * (store_blob_put), so that all that keeps it rides in the same commit.
 */
struct delivery {
	struct op_id op; /* the same for every try */
	const uint64_t *accounts;
	size_t n;
	struct bytes sender, summary;
	struct blob_id blob;
	uint64_t size;  /* octets of the body as a whole */
	uint64_t now_s; /* since 1970 */
};
typedef void mailbox_done(void *owner, struct err);
/*
 * Hands a row for each INBOX in before it returns, and calls done() when all of them are durable.
 * Handing it in again under the same op adds nothing where it was done before.  Answers: ERR_FULL
 * no space: it is not in all of them; a fault leaves open where it is.
 */
void mailbox_deliver(struct mailboxes *, const struct delivery *, mailbox_done *, void *owner);

/* One message for one mailbox; borrowed for the call, and the blob was handed in before. */
struct appending {
	uint64_t account;
	struct op_id op;
	struct bytes mailbox; /* its name */
	uint32_t flags;
	struct bytes keywords; /* bytes8 each */
	uint64_t received_s;
	struct bytes summary;
	struct blob_id blob;
	uint64_t size, now_s;
};
/* Is there a mailbox of this name?  ERR_NOTFOUND: before a body is kept for it in vain. */
MUST_CHECK struct err mailbox_known(struct mailboxes *, uint64_t account, struct bytes name,
                                    uint64_t now_s);
typedef void mailbox_appended(void *owner, struct err, uint32_t uidvalidity, uint32_t uid);
/*
 * Under an op that was done before: the UID of then; 0 when too much was done since to know it.
 * Answers: ERR_NOTFOUND no such mailbox, ERR_FULL no room, also for a keyword, ERR_SYNTAX a keyword.
 */
void mailbox_append(struct mailboxes *, const struct appending *, mailbox_appended *, void *owner);

struct mailbox_info {
	uint32_t number, uidvalidity, uidnext, count;
	uint32_t recent; /* this UID and those behind it */
	uint32_t unseen; /* the first, 0: there is none */
	uint64_t modseq;
	struct bytes keywords; /* bytes8 each, borrowed for the call */
};
typedef void mailbox_opened(void *owner, struct err, const struct mailbox_info *);
/*
 * What is recent stays so with `examine`, else it is recent for this caller alone (RFC 3501 2.3.2).
 * Answer: ERR_NOTFOUND no mailbox of this name.
 */
void mailbox_open(struct mailboxes *, uint64_t account, struct bytes name, bool examine,
                  uint64_t now_s, mailbox_opened *, void *owner);
/*
 * The rows in these ranges (talk/rows.h, rising), as many as fit; *more: there are others behind the
 * last one.  fields: enum row_field.  Answers: ERR_SYNTAX the ranges are none.
 */
MUST_CHECK struct err mailbox_rows(struct mailboxes *, uint64_t account, uint32_t mailbox,
                                   unsigned fields, struct bytes ranges, struct wr *, bool *more);
/* Octets of a message from `offset` on, up to n.  Answer: ERR_NOTFOUND it is not there (any more). */
MUST_CHECK struct err mailbox_read(struct mailboxes *, uint64_t account, uint32_t mailbox,
                                   uint32_t uid, uint64_t offset, size_t n, struct wr *);

/* Where an asker of changes stands: zeros but for `since`, then as it was answered. */
struct mailbox_place {
	uint64_t since, told;
	uint32_t next;
	bool examine; /* what is recent stays so */
};
/* What the functions below tell; all is borrowed for the call. */
struct mailbox_answer {
	bool more;
	uint32_t removed; /* messages */
	struct mailbox_place place;
	uint32_t uidvalidity, uidnext;
	uint64_t modseq;
	struct bytes keywords; /* bytes8 each */
	struct bytes gone;     /* ranges: expunged; of a copy: its sources */
	struct bytes uids;     /* ranges: all there are; of a copy: its copies, in the same order */
	struct bytes rows;
};
typedef void mailbox_answered(void *owner, struct err, const struct mailbox_answer *);
/* uids: those from there on.  Answer: ERR_NOTFOUND no such mailbox. */
void mailbox_uids(struct mailboxes *, uint64_t account, uint32_t mailbox, uint32_t from,
                  mailbox_answered *, void *owner);

/*
 * What changed behind modseq place.since: gone, rows, keywords, uidnext, and the modseq up to which
 * this tells all.  `more`: ask again from that modseq, with the place that was answered.  Who asks
 * for what is older than what is remembered of expunged messages is told all UIDs that are not
 * there.  Answer: ERR_NOTFOUND no such mailbox.
 */
void mailbox_changes(struct mailboxes *, uint64_t account, uint32_t mailbox, struct mailbox_place,
                     mailbox_answered *, void *owner);

/* Removes all that an account has, and all that is under way to it. */
void mailbox_purge(struct mailboxes *, uint64_t account, mailbox_done *, void *owner);

#endif

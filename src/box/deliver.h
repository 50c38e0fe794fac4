/*
 * deliver.h - a message handed in with BOX_DELIVER goes to everybody it is for: into the mailboxes
 * of our accounts, and into the spool for who is elsewhere.
 *
 * The body is put into the store once, and shared; mailbox rows and spool entries are handed in
 * behind it in the same turn, all under the word's operation id, so that one sync covers them and a
 * word that is said again adds nothing.  The answer comes when all of it is durable.
 *
 * Who may send elsewhere: a session that logged in (its handle was granted to this very front, and
 * the sender is one of its account's addresses, or <>), a client of a network that the front vouches
 * for (`trusted`), and the queue itself with a report.  What an alias names elsewhere is always
 * served: whoever keeps the directory wanted it so.
 *
 * The word's `code`: ERR_NOTFOUND nobody of the recipients is here any more, ERR_DENIED a recipient
 * elsewhere that this session may not send to, ERR_FULL no space, ERR_RANGE more than one message
 * may go to, ERR_LATER try again.  Then nothing was kept; but where space ran out between the rows of
 * one message, some of its recipients have it, and get it again with the next try.
 */
#ifndef BOX_DELIVER_H
#define BOX_DELIVER_H

#include "net/peers.h"
#include "store/store.h"

struct directory;
struct handles;
struct mailboxes;
struct spool;
struct deliver;

struct deliver_env {
	struct loop *loop;
	struct peers *peers;
	struct store *store;
	struct mailboxes *mailboxes;
	struct handles *handles;
	struct spool *spool;
	const struct directory *directory; /* looked at with each word: may be another image then */
};

/* What the env names stays the caller's until deliver_close(), and must outlive store_close(). */
MUST_CHECK struct err deliver_open(struct deliver **, const struct deliver_env *);
void deliver_close(struct deliver *);

/* WORD_BOX_DELIVER, from smtp or queue.  The caller sees to it that store_turn() comes. */
void deliver_word(struct deliver *, const struct peer *, struct chan_word *);
/* "deliveries", "forwarded" */
void deliver_status(const struct deliver *, struct wr *counters);

#endif

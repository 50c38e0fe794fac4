/*
 * sessions.h - the words by which a front reads and changes the mail of an account: BOX_OPEN,
 * BOX_ROWS, BOX_READ, BOX_REMOVE (50 and on), and BOX_FOLDERS to BOX_UIDS (100 and on).  A word with a
 * handle that this front was not given is answered ERR_DENIED, whether there is such a handle or not
 * (attack 113).
 */
#ifndef BOX_SESSIONS_H
#define BOX_SESSIONS_H

#include "box/handles.h"
#include "box/mailbox.h"
#include "net/peers.h"

struct sessions;
struct sessions_env {
	struct loop *loop;
	struct peers *peers;
	struct store *store;
	struct mailboxes *mailboxes;
	struct handles *handles;
};

/* What the env names stays the caller's, and lives longer. */
MUST_CHECK struct err sessions_open(struct sessions **, const struct sessions_env *);
void sessions_close(struct sessions *);

/* False: it is none of these words. */
bool sessions_word(struct sessions *, const struct peer *, struct chan_word *);
void sessions_status(const struct sessions *, struct wr *counters);

#endif

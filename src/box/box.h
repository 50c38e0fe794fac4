/*
 * box.h - the owner of the mail: answers the words of fronts, auth and ctl from the store, and gives
 * the directory image to who needs it.  What came in one turn of the loop is committed together.
 * At the end store_close() comes before box_close(): what waits for a commit is answered then.
 */
#ifndef BOX_BOX_H
#define BOX_BOX_H

#include "net/peers.h"
#include "store/store.h"

struct random;
struct box;

/* failed(): the store can go no further; the role must end and start anew. */
typedef void box_failed(void *owner, struct err);
struct box_env {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct store *store; /* the caller's */
	int areas; /* the folder of the accounts' files, the caller's; -1: there is none */
	box_failed *failed;
	void *owner;
};
MUST_CHECK struct err box_open(struct box **, const struct box_env *);
void box_close(struct box *);

/* Work that was left over is begun, the first directory image is made. */
MUST_CHECK struct err box_start(struct box *);
void box_word(struct box *, const struct peer *, struct chan_word *);
void box_peer_came(struct box *, const struct peer *);
void box_peer_gone(struct box *, const struct peer *);
void box_status(const struct box *, struct wr *counters);

#endif

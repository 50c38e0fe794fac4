/*
 * accept.h - takes connections from a listening socket: some a turn, and with a rest when
 * descriptors have run out (attack 151), so that a full house never spins.
 */
#ifndef NET_ACCEPT_H
#define NET_ACCEPT_H

#include "net/loop.h"

struct accept;
/* fd is the receiver's; it may close the accept here. */
typedef void accept_fn(void *owner, int fd, const struct addr *peer);

struct accept_counts {
	uint64_t taken, turned_away; /* turned away: no descriptor was left */
};

/* listener is taken over: accept_close() closes it. */
MUST_CHECK struct err accept_open(struct accept **out, struct loop *, int listener, accept_fn *,
                                  void *owner);
struct accept_counts accept_counts(const struct accept *);
/* The listener's own address. */
const struct addr *accept_local(const struct accept *);
void accept_close(struct accept *); /* NULL does nothing */

#endif

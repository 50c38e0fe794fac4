/*
 * control.h - what the command line asks of a running server: each word goes on to the role whose
 * business it is, and its answer comes back.  A change of a user is two words, one to box and one
 * to auth: adding one is taken back when auth refuses the password; removing one begins with the
 * login, so that a failure in between leaves mail and no way to it, and can be repeated.
 */
#ifndef SERVE_CONTROL_H
#define SERVE_CONTROL_H

#include "net/peers.h"

struct control;

/* master: the channel to it may stand in the same peers. */
MUST_CHECK struct err control_open(struct control **, struct loop *, struct peers *);
void control_close(struct control *);
/* A tool has connected; fd is taken over. */
void control_accept(struct control *, int fd);
void control_status(const struct control *, struct wr *counters);

#endif

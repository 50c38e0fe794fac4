/*
 * auth.h - what auth answers: is this the user's password, and if so a handle, random and known to
 * box, that opens the account for one session at the front that asked; and changes of passwords.
 */
#ifndef SERVE_AUTH_H
#define SERVE_AUTH_H

#include "guard/logins.h"
#include "net/peers.h"

struct auth_serve;

struct auth_env {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct store *store;   /* the caller's, closed before auth_serve_close() */
	struct logins *logins; /* the caller's */
	/* The store can go no further: the role must end and start anew. */
	void (*failed)(void *owner, struct err);
	void *owner;
};
MUST_CHECK struct err auth_serve_open(struct auth_serve **, const struct auth_env *);
/* Behind peers_hang_up(): no login is under way any more. */
void auth_serve_close(struct auth_serve *);
void auth_serve_word(struct auth_serve *, const struct peer *, struct chan_word *);
void auth_serve_status(const struct auth_serve *, struct wr *counters);

#endif

/*
 * front.h - what every front has: listeners, a purse for each network that connects, TLS whose
 * private key stays in `keys`, and its sessions, which must end before the front does.
 */
#ifndef SERVE_FRONT_H
#define SERVE_FRONT_H

#include "base/purse.h"
#include "net/accept.h"
#include "net/conn.h"
#include "net/peers.h"

struct login;
struct pool;
struct random;

enum {
	FRONT_CONNECTIONS = 500,             /* of one network (purse.h) */
	FRONT_BYTES = 64 * 1024 * 1024,      /* kept for one network: an eighth of smtp's bodies */
	FRONT_OWN_BYTES = 512 * 1024 * 1024, /* for one of loopback: a proxy has many clients */
	FRONT_LOGINS = 8, /* of one network at a time: each costs a hash (attack 164) */
	FRONT_NETWORKS = 65536,
	FRONT_SESSIONS = 16000, /* of one front; below its limit of descriptors */
	FRONT_LISTENERS = 192,  /* three lists of 64: smtp's services */
	FRONT_SIGN_MS = 5000,   /* for `keys` to sign a handshake */
};

/*
 * A certificate in use.  One that was replaced goes with the last session that began with it: that
 * session may still say STARTTLS.
 */
struct front_tls {
	struct tls_server *server;
	uint64_t sessions;
};

/* How the sessions of one kind of listener begin; borrowed as long as there is one. */
struct front_port {
	size_t in_max, out_max;
	bool tls_now;    /* TLS from the first byte (RFC 8314 3) */
	conn_turn *turn; /* its owner is the session */
};

/* What every session has: the first member of a driver's own. */
struct front_session {
	struct front *front;
	const struct front_port *port;
	struct front_session *next, **link;
	struct conn *conn;
	struct purse_peer *peer;
	struct front_tls *tls; /* NULL: there was no certificate when it began */
};

struct front {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct purses *purses;
	struct front_tls *tls; /* NULL: there is no certificate */
	struct loop_timer rotate;
	struct accept *listeners[FRONT_LISTENERS];
	size_t n_listeners;
	struct pool *pool; /* of the driver's sessions; NULL: it keeps them itself */
	struct front_session *first;
	struct login *waiting; /* for other logins of their network (serve/login.h) */
	uint64_t sessions, all_sessions;
	bool draining;
	loop_fn *drained;
	void *owner;
};

/*
 * A driver's sessions begin with a struct front_session, have so many octets, and are at most `max`;
 * both 0: front_session_open() is not used.
 */
MUST_CHECK struct err front_init(struct front *, struct loop *, struct random *, struct peers *,
                                 size_t session, size_t max);
/* All sessions must have ended. */
void front_fini(struct front *);

/*
 * TLS with this certificate from now on (sessions that began with another go on with it).
 * protocol: its name for tickets and ALPN, a literal.  Answers: ERR_SYNTAX no certificate.
 */
MUST_CHECK struct err front_certificate(struct front *, struct bytes chain, uint32_t key,
                                        struct bytes protocol);
/* fd is taken over; accepted() gets each connection. */
MUST_CHECK struct err front_listen(struct front *, int fd, accept_fn *accepted, void *owner);

/*
 * A session for this connection, zeroed but for its front_session; fd is taken over.  NULL: there
 * are too many, or there is no certificate where TLS comes at once.
 */
void *front_session_open(struct front *, const struct front_port *, int fd, const struct addr *);
/* Behind all that its driver frees: closes the connection and gives the session back. */
void front_session_close(struct front_session *);

/* ---- what these two are made of ---- */

/* One more session from there, and what it is charged to; NULL: there are too many. */
struct purse_peer *front_enter(struct front *, const struct addr *peer);
/* One less; with the last one a draining front is drained. */
void front_leave(struct front *, struct purse_peer *);
/* The certificate of a session that begins, until front_tls_leave(); NULL: there is none. */
struct front_tls *front_tls_enter(struct front *);
void front_tls_leave(struct front *, struct front_tls *);

/* Logs why a connection is CONN_BROKEN. */
void front_broken(const struct conn *);
/* Accepts no more, and has each session look again; drained() comes when none is left, also at once. */
void front_drain(struct front *, loop_fn *drained, void *owner);

#endif

/*
 * ftp_ports.h - the passive ports: which session a data connection belongs to.
 *
 * A connection is awaited at one port from one address, so a port serves many clients at once.  Who
 * comes from elsewhere, or is not awaited, is closed without a word, and the one who is awaited can
 * still come (attack 132).  Ports are drawn at random of those at which nobody of that address is
 * awaited; when there is none, the others are as well off as before (attack 138).
 */
#ifndef SERVE_FTP_PORTS_H
#define SERVE_FTP_PORTS_H

#include "net/loop.h"

struct random;
struct ftp_ports;

enum { FTP_PORTS_MAX = 1024 };

MUST_CHECK struct err ftp_ports_open(struct ftp_ports **, struct loop *, struct random *);
/* Nobody must be awaited any more; NULL does nothing. */
void ftp_ports_close(struct ftp_ports *);
/* fd, a listener, is taken over.  Answers: ERR_FULL. */
MUST_CHECK struct err ftp_ports_add(struct ftp_ports *, int fd);

/* An awaited connection, embedded in its owner; zeroed before its first use. */
struct ftp_await {
	struct ftp_ports *ports; /* NULL: none is awaited, and none is there */
	uint8_t key[18];         /* which port, and the client's address */
	int fd;                  /* it came; -1: not yet */
	loop_fn *came;
	void *owner;
};

/*
 * Awaits a connection from `peer` to a port of the address `local`, which is told in *at; what was
 * awaited before is forgotten.  came() is called from the loop, once.  False: no port is free.
 */
MUST_CHECK bool ftp_await(struct ftp_ports *, struct ftp_await *, const struct addr *local,
                          const uint8_t peer[16], loop_fn *came, void *owner, struct addr *at);
/* It is the caller's now; -1: it has not come. */
int ftp_await_take(struct ftp_await *);
/* Also closes it if it was not taken. */
void ftp_await_stop(struct ftp_await *);

/* Connections that nobody awaited; times that no port was free. */
struct ftp_ports_counts {
	uint64_t strangers, none_free;
};
struct ftp_ports_counts ftp_ports_counts(const struct ftp_ports *);

#endif

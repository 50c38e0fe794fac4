/*
 * conn.h - one peer's stream of bytes, plain or in TLS, for the drivers in serve/: a client's that
 * was accepted, or a server's that we were connected to.
 *
 * The owner looks at conn_in(), says conn_ate(); takes conn_room(), says conn_wrote(); whenever
 * anything changed, turn() is called and the owner looks again.  What is written leaves at the end
 * of the loop's turn.  Reading pauses while the in-buffer is full, conn_room() refuses while the
 * out-buffer is: so who pipelines without reading fills two bounded buffers and waits (attack 16).
 * An idle connection owns no buffers and less than 1 KiB beside OpenSSL's session.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "base/purse.h"
#include "net/loop.h"
#include "net/tls.h"

struct conn;

enum conn_state {
	CONN_HANDSHAKE, /* TLS begins: nothing to read, nothing to say */
	CONN_OPEN,
	CONN_ENDED,  /* the peer ended its direction, what it sent is whole; it may still read */
	CONN_CUT,    /* TLS ended without close_notify: what came may be cut short (attack 89) */
	CONN_BROKEN, /* conn_error() tells why; nothing more can be sent */
	CONN_DONE,   /* conn_finish() has finished: to be freed */
};

/* Which of its deadlines a client has missed.  Nothing else happens: the owner ends it. */
enum conn_late { CONN_IN_TIME, CONN_IDLE, CONN_OVERDUE, CONN_SLOW };

enum {
	CONN_OWN = 1024,             /* charged to the purse while a connection is open ... */
	CONN_OWN_TLS = 24 * 1024,    /* ... and this while it is in TLS; buffers by the byte */
	CONN_HANDSHAKE_MS = 15000,   /* then it is CONN_BROKEN */
	CONN_FINISH_MS = 10000,      /* for all that conn_finish() does */
	CONN_LINGER_MS = 2000,       /* of which it waits so long for the peer's end */
	CONN_LINGER_MAX = 64 * 1024, /* and drops so many bytes */
	CONN_RATE_MS = 10000,        /* conn_expect() looks at windows of this length */
};

struct conn_conf {
	struct addr peer;
	struct tls_server *tls; /* NULL: there will be no TLS; else outlives the connection */
	struct tls_client *tls_client; /* instead of it: we are the client; outlives it as well */
	struct bytes tls_name;  /* the server's name, for SNI; outlives it, too; never empty */
	bool tls_now;           /* TLS from the first byte (RFC 8314 3) */
	size_t in_max, out_max; /* bytes held at most, each > 0 */
	struct purse *purse;    /* what it is charged to; NULL: nothing; outlives the connection */
};

/*
 * Called from the loop only: there is new input, room again after conn_room() had refused, another
 * state, a deadline was missed.  The connection may be freed in it.
 */
typedef void conn_turn(void *owner, struct conn *);

/* fd is taken over, also when this fails.  Answers: ERR_FULL, the purse does not allow it. */
MUST_CHECK struct err conn_open(struct conn **out, struct loop *, int fd, const struct conn_conf *,
                                conn_turn *, void *owner);
/* Closes at once, whatever waits; NULL does nothing. */
void conn_free(struct conn *);

/* Input of before an end is here still: it is to be eaten first. */
enum conn_state conn_state(const struct conn *);
struct err conn_error(const struct conn *);
const struct addr *conn_peer(const struct conn *);
/* NULL while it is plain. */
const struct tls *conn_tls(const struct conn *);

/* What came and was not eaten: borrowed, it stays put until conn_ate() or the end of turn() ... */
struct bytes conn_in(const struct conn *);
void conn_ate(struct conn *, size_t n);
/* ... or, while a question about it is open, as long as it is held; then nothing is read either. */
void conn_hold(struct conn *, bool held);
/* Room for n bytes; full when there is none now: turn() comes when there may be.  n <= out_max. */
struct wr conn_room(struct conn *, size_t n);
/* The first n bytes of the room that conn_room() gave last are to be sent; 0 gives it back. */
void conn_wrote(struct conn *, size_t n);
/* Both at once; false, and nothing written, when there is no room. */
MUST_CHECK bool conn_write(struct conn *, struct bytes);
/* Bytes that were written and have not left. */
size_t conn_unsent(const struct conn *);

/*
 * Sends what was written, then begins TLS.  To be called after conn_ate(): what is in conn_in()
 * still, and all that comes before the handshake, was sent in plain and is dropped, so nobody on
 * the way can slip commands in (attack 84).  CONN_HANDSHAKE until it is CONN_OPEN again, or, where
 * the peer had ended, CONN_BROKEN behind what was written.  For CONN_OPEN or CONN_ENDED without TLS,
 * with a tls_server, or with a tls_client: then what the server sent before the handshake is what is
 * dropped (attack 85).
 */
void conn_starttls(struct conn *);
/* Sends what was written, says goodbye, waits a bounded time for the peer to do so: CONN_DONE. */
void conn_finish(struct conn *);

/* ---- deadlines: each 0 for none, which is how a connection begins ---- */

enum conn_late conn_late(const struct conn *);
/* Since a byte last came or left; not while the owner is the one who is slow: it says 0 then. */
void conn_idle(struct conn *, uint32_t ms);
/* From now, whatever comes. */
void conn_until(struct conn *, uint32_t ms);
/*
 * In a phase of bulk: so many bytes a second must come or leave in each window of CONN_RATE_MS
 * (attack 47).  A window in which we did not read is forgiven.
 */
void conn_expect(struct conn *, uint32_t bytes_per_s);

struct conn_counts {
	uint64_t in, out; /* plain bytes */
};
struct conn_counts conn_counts(const struct conn *);

#endif

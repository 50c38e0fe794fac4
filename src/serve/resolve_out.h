/*
 * resolve_out.h - one question to one name server: a UDP socket of its own at a random port that
 * takes datagrams from that server alone, or a TCP connection (RFC 5452 4.5, RFC 7766).
 */
#ifndef SERVE_RESOLVE_OUT_H
#define SERVE_RESOLVE_OUT_H

#include "net/conn.h"
#include "resolve/iterate.h"

struct random;

/* A packet; or with none: there is no connection, and the errno why. */
typedef void resolve_out_fn(void *owner, struct bytes packet, int refused);

struct resolve_out {
	struct loop *loop;
	struct loop_poll *poll;
	struct conn *conn;
	int fd; /* -1: closed, or the connection's */
	struct addr to;
	resolve_out_fn *told;
	void *owner;
	bool open;
	uint16_t frame_n;
	uint8_t frame[2 + DNS_UDP_PLAIN]; /* the length, then the packet */
};

/*
 * Sends it.  told() may come more than once, from the loop, until resolve_out_end(), which may be
 * called in it.  ERR_NOTFOUND: nothing could be sent there, why is in sys.
 */
MUST_CHECK struct err resolve_out_begin(struct resolve_out *, struct loop *, struct random *,
                                        const struct iterate_send *, resolve_out_fn *, void *owner);
void resolve_out_end(struct resolve_out *); /* also of one that is not open */

#endif

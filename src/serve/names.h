/*
 * names.h - the driver of authoritative DNS: questions over UDP, by the batch, and over TCP (RFC
 * 7766) are answered from the one image that zone last gave; without an image the answer is
 * SERVFAIL.  On the way of a UDP question nothing is allocated and nothing is logged.
 */
#ifndef SERVE_NAMES_H
#define SERVE_NAMES_H

#include "serve/front.h"

struct names;

enum {
	NAMES_QUERY_MAX = 4096, /* octets of a UDP query; a longer one is dropped and counted */
	NAMES_SOCKETS = 32,     /* UDP */
	NAMES_TCP = 2000,       /* connections; one more ends the one that was silent the longest */
	NAMES_IDLE_MS = 10000,  /* RFC 7766 6.2.3: in the order of seconds */
	NAMES_QUERY_MS =
	    5000, /* for one query to come whole, or one answer to be read (attack 16) */
};

/* rate: answers a second for each network and thing (zone/rrl.h); 0: no limit. */
MUST_CHECK struct err names_open(struct names **, uint32_t rate, struct loop *, struct random *);
void names_close(struct names *);
/* Listening sockets, which are taken over also when this fails. */
MUST_CHECK struct err names_udp(struct names *, int fd);
MUST_CHECK struct err names_tcp(struct names *, int fd);
/*
 * From the next question on this image is what is served.  Answers: ERR_SYNTAX no image of ours,
 * ERR_DENIED not sealed, ERR_RANGE too large: the old one stays.  fd stays the caller's.
 */
MUST_CHECK struct err names_image(struct names *, int fd);
/* A fault leaves the old rate. */
MUST_CHECK struct err names_rate(struct names *, uint32_t rate);
/* Listens no more; what came whole is answered, then drained() comes. */
void names_drain(struct names *, loop_fn *drained, void *owner);
void names_status(const struct names *, struct wr *counters);

#endif

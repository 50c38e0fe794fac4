/*
 * iterate.h - one question, from the root down: a machine that knows no socket and no clock.
 *
 *	switch (iterate_step(it, now, &ask)) {
 *	case ITERATE_SEND:  send ask.packet to ask.to, wait for ask.wait_ms; go on with
 *	                    iterate_reply(), _late() or _unreachable(), then step again
 *	case ITERATE_WAIT:  the question that was sent is still open
 *	case ITERATE_DONE:  iterate_result()
 *	}
 *
 * A stack of frames: the question, above it the look-ups of servers without an address.  One question
 * of it is open at a time.  What all of it may cost is one budget, which nothing begins anew (attack
 * 22).
 */
#ifndef RESOLVE_ITERATE_H
#define RESOLVE_ITERATE_H

#include "resolve/delegation.h"

enum {
	ITERATE_QUERIES = 64,    /* questions sent for one of a client */
	ITERATE_ALIASES = 11,    /* CNAME steps: attack 31 */
	ITERATE_DEPTH = 6,       /* look-ups of servers for look-ups of servers */
	ITERATE_MS = 7000,       /* in all */
	ITERATE_MISMATCHES = 10, /* of one question: then it is asked over TCP (attack 25) */
	ITERATE_EDNS = DNS_UDP_MAX,
	ITERATE_MINIMISED = 4, /* questions that show a part of the name (RFC 9156 2.3) */
	ITERATE_SETS = ITERATE_ALIASES + 1,
};

struct iterate_conf {
	struct delegation_world world;
	bool minimise; /* servers see no more of the name than they need: RFC 9156 */
};

struct iterate;
/* NULL without memory; what conf refers to outlives it. */
struct iterate *iterate_new(const struct iterate_conf *, struct bytes name, uint16_t type,
                            uint64_t now_ms);
void iterate_free(struct iterate *);

enum iterate_want { ITERATE_SEND, ITERATE_WAIT, ITERATE_DONE };

/* Borrowed until the next call. */
struct iterate_send {
	struct addr to;
	bool tcp;
	uint32_t wait_ms;
	struct bytes name; /* the question, to see whether it is open for another one already */
	uint16_t type;
	struct bytes packet;
};
enum iterate_want iterate_step(struct iterate *, uint64_t now_ms, struct iterate_send *);

/* False: it is not the answer (RFC 5452 9.1), and the question stays open unless step says SEND. */
bool iterate_reply(struct iterate *, uint64_t now_ms, struct bytes packet);
void iterate_late(struct iterate *, uint64_t now_ms);
/* no_route: for no address of this family. */
void iterate_unreachable(struct iterate *, uint64_t now_ms, bool no_route);
/* In the place of sending: somebody else has asked the same, and the cache may know it now. */
void iterate_again(struct iterate *);

/* ---- what came out ---- */

struct iterate_result {
	uint16_t rcode; /* SERVFAIL: then `why` tells why, for a person */
	size_t n;       /* sets: aliases, then the answer where there is one */
	struct reply_set sets[ITERATE_SETS];
	struct reply_set soa; /* of a negative answer; n 0: none */
	const char *why;
	bool aliased_only; /* the last set is an alias, not the answer */
	unsigned queries;  /* that were sent */
};
/* As long as the machine lives. */
const struct iterate_result *iterate_result(const struct iterate *);

/* ---- what happened last, for a person who looks on ---- */

enum iterate_event { ITERATE_REPLIED, ITERATE_LATE, ITERATE_UNREACHABLE, ITERATE_MISMATCH };

struct iterate_hop {
	enum iterate_event event;
	struct dname zone, server, name;
	uint16_t type;
	struct addr to;
	bool tcp;
	unsigned depth; /* 0: the question itself, above: for a server of it */
	uint32_t took_ms;
	size_t size;
	const struct reply *reply; /* NULL where there was none; until the next step */
};
const struct iterate_hop *iterate_hop(const struct iterate *);

/* A port to ask from: evenly from 1024 to 65535 (RFC 5452 4.5, attack 26). */
uint16_t iterate_port(struct random *);

#endif

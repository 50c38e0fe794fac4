/*
 * route.h - where the mail of a domain goes (RFC 5321 5.1), as a machine that wants answers of DNS
 * and gives one target after the other, the most preferred first.
 *
 * Names are resolved when their turn comes, so a domain whose first server takes the mail costs
 * three questions.  However many servers a domain names, ROUTE_HOSTS of them and ROUTE_TARGETS
 * addresses are used (attack 58).
 */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "base/addr.h"
#include "base/err.h"

enum {
	ROUTE_HOSTS = 10,
	ROUTE_TARGETS = 20,
	ROUTE_MX_MAX = 1000,  /* MX records that are looked at; those behind are not */
	ROUTE_NAME_MAX = 255, /* of a host in text */
};

/* A person's `out.relay`: HOST, HOST:PORT, an address or [an IPv6 address]:PORT. */
struct route_relay {
	bool is_ip;
	struct addr addr;  /* where is_ip; the port always */
	struct bytes host; /* else; borrowed from the text */
};
/* False: it is none of these. */
bool route_relay_parse(struct bytes text, uint16_t default_port, struct route_relay *);

/* An address that no mail and no file goes to, whoever says so: unspecified, multicast ... */
bool route_is_bad_ip(const uint8_t ip[16]);

struct route_conf {
	struct bytes host;  /* our name: an MX that names it ends the list */
	struct bytes relay; /* where all mail goes instead; empty: nowhere */
	uint16_t port;      /* of other servers */
	bool loopback;      /* targets may be loopback addresses */
};

enum route_want {
	ROUTE_ASK,    /* an answer to route_question() */
	ROUTE_TARGET, /* route_target() is the next one; route_next() when another is wanted */
	ROUTE_END,    /* there is no further target; route_why() tells why, also behind some */
};

struct route_answer {
	bool unknown; /* no answer was to be had: all else has no meaning */
	uint8_t rcode;
	struct bytes records; /* RDATA in wire form, bytes16 each */
	struct bytes text;    /* why it is unknown, for a person */
};

struct route_target {
	struct addr addr;
	struct bytes name; /* of the host, as text without a final dot; an address in brackets */
};

/* Why there is no target, or no further one. */
struct route_why {
	bool later;        /* it may be otherwise later; else never */
	uint8_t status[3]; /* RFC 3463 */
	struct bytes text; /* one sentence, printable ASCII */
};

struct route;

/* conf is copied but for its bytes, which are borrowed, as `domain` is; NULL without memory. */
struct route *route_new(const struct route_conf *, struct bytes domain, uint64_t random);
void route_free(struct route *);

enum route_want route_step(struct route *);
/* Of ROUTE_ASK; borrowed until the answer. */
void route_question(const struct route *, struct bytes *name, uint16_t *type);
void route_answer(struct route *, const struct route_answer *);
/* Of ROUTE_TARGET; borrowed until route_next(). */
struct route_target route_target(const struct route *);
void route_next(struct route *);
struct route_why route_why(const struct route *);

#endif

/*
 * out.h - the driver of mail that goes to other servers: a word of queue brings a message and its
 * recipients in one domain; its answer tells what became of each.
 *
 * A message is tried at the domain's servers one after the other, each over a connection of dial,
 * in TLS where the server offers it.  A connection over which a message went is kept for a moment,
 * for the next one to the same place.
 */
#ifndef SERVE_OUT_H
#define SERVE_OUT_H

#include "net/peers.h"

struct out;
struct random;

struct out_conf {
	struct bytes host;  /* our name in EHLO; borrowed, and the same for its life */
	struct bytes relay; /* a person's out.relay, at most 255 octets; copied */
	uint16_t port;
	bool loopback;
};

enum {
	OUT_MESSAGES = 200,           /* under way; one more is deferred at once */
	OUT_DESTINATION = 20,         /* of one domain under way, or relay; the same */
	OUT_TRIES = 20,               /* connections for one message */
	OUT_TALKS = 4,                /* of these, with servers that spoke */
	OUT_KEEP_MS = 3000,           /* an idle connection is kept so long ... */
	OUT_KEEP_MESSAGES = 100,      /* ... and for so many messages */
	OUT_KEPT = 50,                /* idle connections that are kept */
	OUT_MESSAGE_MS = 3600 * 1000, /* for one message, whatever its servers do */

	/*
	 * Attack 175: servers that are slow on purpose.  What one server may take until it has
	 * accepted MAIL: its address, greeting, EHLO and TLS, however much it says meanwhile; and
	 * then until it has accepted DATA, and this for each recipient.
	 */
	OUT_OPENS_MS = 60 * 1000,
	OUT_ADDRESSES_MS = 5 * 60 * 1000,
	OUT_RCPT_MS = 5000,
	/* All servers of one message together until one accepts MAIL, with looking for them. */
	OUT_LOOKS_MS = 5 * 60 * 1000,
	/*
	 * Less when more connections than this wait for that: half of those that queue gives to
	 * places that have taken no message yet.
	 */
	OUT_OPENS_MANY = 25,
	OUT_OPENS_MANY_MS = 20 * 1000,
	OUT_LOOKS_MANY_MS = 60 * 1000,
};

MUST_CHECK struct err out_open(struct out **, const struct out_conf *, struct loop *,
                               struct random *, struct peers *);
void out_close(struct out *);
/* For messages from now on. */
void out_settings(struct out *, const struct out_conf *);
/* A word of a peer: OUT_SEND, or none of ours. */
void out_word(struct out *, const struct peer *, struct chan_word *);
/* Messages under way get their results, new ones are deferred; then drained() comes. */
void out_drain(struct out *, loop_fn *drained, void *owner);
void out_status(const struct out *, struct wr *counters);

#endif

/*
 * smtpc_session.h - the state of a session with a mail server.  Only smtpc*.c include it; everybody
 * else knows smtpc.h.
 */
#ifndef PROTO_SMTPC_SESSION_H
#define PROTO_SMTPC_SESSION_H

#include "base/arena.h"
#include "proto/dot.h"
#include "proto/smtpc_reply.h"

enum smtpc_state {
	SMTPC_GREETING,
	SMTPC_EHLO,
	SMTPC_HELO,
	SMTPC_STARTTLS,
	SMTPC_SHAKES, /* the handshake is under way */
	SMTPC_READY,
	SMTPC_RSET,
	SMTPC_ENVELOPE, /* MAIL, RCPT ..., DATA */
	SMTPC_BODY,
	SMTPC_NO_BODY, /* DATA was accepted, but no recipient: a lone dot (RFC 2920 3.1) */
	SMTPC_ENDED,   /* the dot was said */
	SMTPC_QUIT,
	SMTPC_GONE,
};

/* Beside the wants: look at what comes next; a reply is whole. */
enum { SMTPC_GO_ON = -1, SMTPC_HEARD = -2 };

enum smtpc_extension {
	SMTPC_8BITMIME = 1,
	SMTPC_PIPELINING = 2,
	SMTPC_SIZE = 4,
	SMTPC_OFFERS_TLS = 8,
	SMTPC_SMTPUTF8 = 16,
	SMTPC_ENHANCED = 32,
};

struct smtpc_rcpt {
	bool decided, sent, accepted;
	struct smtpc_result result;
};

struct smtpc {
	struct smtpc_conf conf;
	enum smtpc_state state;
	bool said;    /* the command of this state was written */
	bool hearing; /* a part of `reply` is there */
	bool is_tls, ready, quits;
	bool dirty;  /* the last transaction did not come to its end: RSET before the next */
	bool itself; /* the server has our own name */
	const char *lost;
	struct smtpc_reply reply;
	unsigned extensions;
	uint64_t size_max; /* 0: no limit */
	uint8_t server_n;
	uint8_t server[SMTPC_NAME_MAX];

	/* the message */
	bool busy, over; /* there is one; it has come to its result */
	struct smtpc_message m;
	struct smtpc_rcpt *rcpts;
	struct arena texts;
	/* commands of the envelope: 0 MAIL, then a RCPT each, then DATA */
	size_t next, answered, end;
	size_t accepted;
	bool data; /* 354 was said */
	bool body_whole;
	struct dot_out dot;
};

/* ---- smtpc_verdict.c: what becomes of recipients ---- */

/* A verdict of our own: outcome, "4.4.2", and a literal. */
struct smtpc_result smtpc_own(enum smtpc_outcome, const char *status, const char *text);
/* The reply's, which is 4yz or 5yz; its text lives as long as the message. */
struct smtpc_result smtpc_replied(struct smtpc *, enum smtpc_about);
void smtpc_decide(struct smtpc *, size_t i, struct smtpc_result);
/* For all that are not decided; the message is over. */
void smtpc_decide_all(struct smtpc *, struct smtpc_result);
/* What the server never sees: addresses that cannot be said, a message beyond its SIZE. */
void smtpc_look_at(struct smtpc *);

/* ---- smtpc_envelope.c ---- */

/* Writes commands, reads replies; a want, or SMTPC_GO_ON in another state. */
int smtpc_envelope(struct smtpc *, struct rd *in, struct wr *out);

/* ---- smtpc.c: for the above ---- */

void smtpc_enter(struct smtpc *, enum smtpc_state);
/* Not a reply, or not one that can be: the connection is given up. */
int smtpc_give_up(struct smtpc *, const char *why);
/*
 * The next lines of s->reply: SMTPC_HEARD when it is whole; SMTPC_INPUT; SMTPC_GO_ON: it was none,
 * and the connection is given up.
 */
int smtpc_hear(struct smtpc *, struct rd *in);
/* Behind a reply: 421 means that the server closes (RFC 5321 3.8). */
int smtpc_closing(struct smtpc *);

#endif

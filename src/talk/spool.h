/*
 * spool.h - a queued message as box keeps it, as queue plans it and as `stead queue` shows it; and
 * what became of its recipients at a try.
 *
 * Packed: for each message its head, then its recipients, each with the bound of its list in front.
 */
#ifndef TALK_SPOOL_H
#define TALK_SPOOL_H

#include "base/bytes.h"

enum {
	SPOOL_RCPTS_MAX =
	    500, /* of one queued message; a message for more is queued several times */
	SPOOL_REPLY_MAX = 512,    /* octets kept of what a server said */
	SPOOL_PACKED_MAX = 57344, /* octets of one message with its recipients, at most */
	SPOOL_SERVER_MAX = 255,   /* octets kept of a server's name */
	SPOOL_RCPT_KEPT = 64,  /* octets of a reply that are kept where there are many recipients */
	SPOOL_MANY = 40,       /* this many recipients: their replies and servers are cut to that */
	SPOOL_HEAD_FIXED = 44, /* octets of a packed head beside its sender */
	SPOOL_RCPT_FIXED = 25, /* of a packed recipient beside address, server and reply */
};

enum spool_flag {
	SPOOL_HELD = 1,   /* not tried until it is released */
	SPOOL_BOUNCE = 2, /* its sender is <>: nobody is told when it fails (RFC 5321 4.5.5) */
	SPOOL_WARNED = 4, /* its sender was told that it takes long */
};

struct spool_head {
	uint64_t id; /* rises with time; never 0, never used again */
	uint64_t created_s;
	uint64_t size;   /* octets of the body as a whole */
	uint64_t header; /* where the body begins behind the header */
	uint32_t skip;   /* our Return-Path field in front, which is not sent on */
	uint32_t flags;  /* enum spool_flag */
	struct bytes sender;
};

enum spool_state {
	SPOOL_WAITING = 1, /* to be tried at next_s */
	SPOOL_DONE,        /* delivered, or given up and its sender told: to be forgotten */
	SPOOL_GIVEN_UP,    /* given up, and its sender is to be told */
};

struct spool_rcpt {
	uint16_t number; /* within its message */
	uint8_t state;   /* enum spool_state */
	uint16_t tries;
	uint16_t report;      /* of GIVEN_UP: those with one number are told in one report */
	uint64_t next_s;      /* not before; wall time */
	uint8_t status[3];    /* of the last try, RFC 3463; zeros: there was none */
	bool is_reply;        /* reply is the server's own words */
	struct bytes address; /* where it goes */
	struct bytes server;  /* the one that was reached at the last try, or empty */
	struct bytes reply;   /* what was said at the last try, or why it could not be made */
};

/* What became of one recipient at a try. */
enum spool_outcome {
	SPOOL_DELIVERED = 1, /* the server has it (250 behind the message) */
	SPOOL_DEFERRED,      /* may work later */
	SPOOL_FAILED,        /* never */
};
struct spool_result {
	uint8_t outcome;     /* enum spool_outcome */
	uint8_t status[3];   /* RFC 3463: 5.1.1 */
	struct bytes server; /* its name, or empty when none was reached */
	struct bytes reply;  /* as the server said it, or what happened; SPOOL_REPLY_MAX at most */
	bool is_reply;       /* the server's own words */
};

/* What a person does with a queued message. */
enum queue_change { QUEUE_RETRY = 1, QUEUE_HOLD, QUEUE_RELEASE, QUEUE_REMOVE };

/* The head and how many recipients follow; full where it has no room. */
void spool_head_put(struct wr *, const struct spool_head *, uint16_t rcpts);
bool spool_head_get(struct rd *, struct spool_head *, uint16_t *rcpts);
void spool_rcpt_put(struct wr *, const struct spool_rcpt *);
bool spool_rcpt_get(struct rd *, struct spool_rcpt *);
void spool_result_put(struct wr *, const struct spool_result *);
bool spool_result_get(struct rd *, struct spool_result *);

#endif

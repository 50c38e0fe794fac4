/*
 * smtpc_reply.h - one reply of a mail server (RFC 5321 4.2), read line by line and kept in bounds.
 * Only smtpc*.c include it.
 */
#ifndef PROTO_SMTPC_REPLY_H
#define PROTO_SMTPC_REPLY_H

#include "proto/smtpc.h"

/* Starts as zeros. */
struct smtpc_reply {
	uint16_t code; /* 200 to 599, the same on all lines */
	bool has_status;
	uint8_t status[3]; /* RFC 2034, of the first line */
	uint16_t lines, n;
	uint32_t octets;
	uint8_t text[SMTPC_TEXT_MAX]; /* as it was said, in one line of printable ASCII, cut */
};

enum smtpc_took {
	SMTPC_MORE, /* no whole line yet */
	SMTPC_LINE, /* a line was taken, others follow */
	SMTPC_LAST, /* the last one was taken */
	SMTPC_BAD,  /* not a reply, or beyond the limits: nothing that follows can be trusted */
};

/* Takes one line; *text is what stands behind its code, borrowed from `in`. */
enum smtpc_took smtpc_reply_take(struct smtpc_reply *, struct rd *in, struct bytes *text);

static inline struct bytes
smtpc_reply_text(const struct smtpc_reply *r)
{
	return (struct bytes){r->text, r->n};
}

/* What a reply answered. */
enum smtpc_about { SMTPC_SESSION, SMTPC_SENDER, SMTPC_RCPT, SMTPC_DATA, SMTPC_END };

/* The reply's status, or the one that its code comes nearest to (RFC 3463). */
void smtpc_reply_status(const struct smtpc_reply *, enum smtpc_about, uint8_t status[3]);

#endif

/*
 * dsn.h - what the sender of a queued message is told: a delivery status notification (RFC 3464) in
 * three parts, for people, for programs, and the header of the message (RFC 6522).
 *
 * Whatever a remote server or a sender said is in it as printable ASCII on one line, but for the
 * header, whose lines are kept, and cut where they are too long.
 */
#ifndef QUEUE_DSN_H
#define QUEUE_DSN_H

#include "base/buf.h"
#include "base/err.h"
#include "talk/spool.h"

enum {
	DSN_HEADER_MAX = 16384, /* octets of the message's header that are shown */
	DSN_LINE_MAX = 998,     /* RFC 5322 2.1.1 */
	DSN_MAX = 2 * 1024 * 1024,
};

struct dsn {
	struct bytes host;   /* who reports */
	uint64_t id;         /* of the queued message */
	struct bytes sender; /* who is told; not empty */
	bool delay;          /* it takes long, and goes on; else these recipients failed */
	uint64_t created_s, now_s, until_s; /* until when it is tried */
	struct bytes header;                /* of the message, as much of it as there is at hand */
	uint64_t chance;                    /* makes the boundary and the Message-ID */
	const struct spool_rcpt *rcpts;
	size_t n;
};

/*
 * Writes the whole message with Return-Path into the buffer, which was made with DSN_MAX.
 * *skip: octets of that field.  ERR_RANGE: it does not fit.
 */
MUST_CHECK struct err dsn_write(struct buf *, const struct dsn *, uint32_t *skip);

#endif

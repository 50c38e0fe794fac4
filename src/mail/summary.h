/*
 * summary.h - the row that is kept of a message, so that lists and policies need not read the
 * message again; and the scan that makes it while the message streams by.
 */
#ifndef MAIL_SUMMARY_H
#define MAIL_SUMMARY_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	SUMMARY_PACKED_MAX = 32,   /* octets that summary_write() writes at most */
	SUMMARY_RECEIVED_MAX = 50, /* more Received fields are a loop: 554 5.4.6 (attack 50) */
};

struct summary {
	uint64_t size;     /* octets, in CRLF form */
	uint64_t body;     /* where the body begins, behind the empty line; size if there is none */
	uint32_t received; /* Received fields in the header */
};

/* The packed row: a version, then the fields.  Later versions only append. */
void summary_write(struct wr *, const struct summary *);
/* Answers ERR_SYNTAX for a row cut short, of an unknown version, or with offsets past its size. */
MUST_CHECK struct err summary_read(struct rd *, struct summary *);

/* A scan; a plain value that starts as zeros. */
struct summary_scan {
	struct summary row; /* of what was fed so far; its body is the line that is being read */
	uint8_t state, name_n;
	bool may_match; /* the name so far is the beginning of "Received" */
};

/* The next octets of the message, in pieces of any size. */
void summary_feed(struct summary_scan *, struct bytes piece);
/* The row of all that was fed. */
struct summary summary_done(const struct summary_scan *);

#endif

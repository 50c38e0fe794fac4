/*
 * summary.h - the row that is kept of a message, so that lists and policies need not read the
 * message again; and the scan that makes it while the message streams by.
 */
#ifndef MAIL_SUMMARY_H
#define MAIL_SUMMARY_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	SUMMARY_PACKED_MAX = 2048, /* octets that summary_write() writes at most */
	SUMMARY_SCAN_MAX = 32768,  /* octets that a scan ever holds, beside itself */
	SUMMARY_RECEIVED_MAX = 50, /* more Received fields are a loop: 554 5.4.6 (attack 50) */
};

struct summary {
	uint64_t size;     /* octets, in CRLF form */
	uint64_t body;     /* where the body begins, behind the empty line; size if there is none */
	uint32_t received; /* Received fields in the header */
	bool ambiguous;    /* the message has more than one reading (attack 72) */
	/*
	 * Empty where it was too large for a row, or is of an old version: then it is to be made
	 * from the message.  The ENVELOPE as IMAP shows it, and mail/structure's packed tree.
	 */
	struct bytes envelope, structure;
};

/*
 * The packed row: a version, then the fields.  Later versions only append.  What makes it larger
 * than SUMMARY_PACKED_MAX is left out: the structure first, then the envelope.
 */
void summary_write(struct wr *, const struct summary *);
/*
 * The row's strings are borrowed from what is read.  Answers ERR_SYNTAX for a row cut short, of an
 * unknown version, or with offsets past its size.
 */
MUST_CHECK struct err summary_read(struct rd *, struct summary *);

/* A scan.  What it allocates is at most SUMMARY_SCAN_MAX; with no memory it scans with less. */
struct mime;
struct summary_scan {
	struct summary row; /* of what was fed so far; its body is the line that is being read */
	struct mime *tree;
	uint8_t *packed; /* the row's strings */
	uint8_t state;
	uint8_t line_n, name_n; /* octets of the line before its colon; of the name in it */
	bool may_match;         /* the name so far is the beginning of "Received" */
	bool done;
};

/* Zeros are a scan, too; it allocates with the first octet. */
void summary_init(struct summary_scan *);
/* The next octets of the message, in pieces of any size. */
void summary_feed(struct summary_scan *, struct bytes piece);
/*
 * The message ends: its row, borrowed from the scan; the same when asked again.  Nothing more may
 * be fed.  Meanwhile row.received may be looked at.
 */
struct summary summary_done(struct summary_scan *);
/* Frees what the scan holds; it is as behind summary_init(). */
void summary_fini(struct summary_scan *);

#endif

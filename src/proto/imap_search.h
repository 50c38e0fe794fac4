/*
 * imap_search.h - what SEARCH looks for (RFC 3501 6.4.4), as a value without pointers from node to
 * node: operands stand before their operator, so one pass with a small stack evaluates it:
 *
 *	for each node: a leaf pushes true or false (or "unknown yet", where a body is to be read);
 *	NOT turns the top; AND and OR take two and push one; the last one left is the answer.
 *
 * Keys side by side are parted by AND nodes already.  The stack never holds more than
 * IMAP_SEARCH_STACK (attack 110).
 */
#ifndef PROTO_IMAP_SEARCH_H
#define PROTO_IMAP_SEARCH_H

#include "proto/imap_set.h"

enum {
	IMAP_SEARCH_NODES = 1000, /* more is BAD, counted with the operators */
	IMAP_SEARCH_DEPTH = 50,   /* parentheses, NOT and OR within each other: more is BAD */
	IMAP_SEARCH_STACK = IMAP_SEARCH_DEPTH + 4,
};

enum imap_search_key {
	/* operators */
	IMAP_AND = 1,
	IMAP_OR,
	IMAP_NOT,
	/* leaves, with what they use beside `key` */
	IMAP_ALL,
	IMAP_FLAG,    /* flag: it is set (ANSWERED, DELETED, DRAFT, FLAGGED, SEEN; UN... is NOT) */
	IMAP_KEYWORD, /* text: the keyword, case does not count */
	IMAP_RECENT,  /* NEW is RECENT and NOT SEEN, OLD is NOT RECENT */
	IMAP_NUMBERS, /* set: sequence numbers */
	IMAP_UIDS,    /* set */
	IMAP_BEFORE, /* day: of the internal date, the time and zone disregarded; earlier than it */
	IMAP_ON,
	IMAP_SINCE,      /* on it or later */
	IMAP_SENTBEFORE, /* day: of the Date field */
	IMAP_SENTON,
	IMAP_SENTSINCE,
	IMAP_LARGER,  /* size: octets, more than it */
	IMAP_SMALLER, /* fewer */
	/* field: its name (FROM, TO, CC, BCC and SUBJECT give theirs here); text: a substring of its
	 * decoded value, case does not count; empty: the field is there at all */
	IMAP_HEADER,
	IMAP_BODY, /* text: in the body */
	IMAP_TEXT, /* text: in the header or the body */
};

struct imap_search_node {
	enum imap_search_key key;
	uint32_t flag;            /* enum imap_flag */
	uint32_t size;            /* LARGER, SMALLER */
	int64_t day;              /* days since 1970-01-01 */
	struct bytes field, text; /* UTF-8, never with NUL; as long as the command */
	struct imap_set set;      /* not resolved: see imap_set_resolve() */
};

struct imap_search {
	struct imap_search_node *nodes; /* as long as the command; at least one */
	size_t n;
};

/*
 * Reads all that stands behind SEARCH.  Answers: ERR_SYNTAX; ERR_RANGE too many nodes or too deep;
 * ERR_NOTFOUND a CHARSET that is neither US-ASCII nor UTF-8: [BADCHARSET]; ERR_FULL the arena's cap.
 */
MUST_CHECK struct err imap_search_read(struct imap_search *, struct rd *in, struct arena *);

#endif

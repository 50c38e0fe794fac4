/*
 * search.h - IMAP's SEARCH (RFC 3501 6.4.4) of one message after the other, as a machine that says
 * which octets of a message it must see: none where the row answers (flags, dates, sizes, numbers),
 * the header for its fields and Date, and bodies only of text, decoded, where BODY or TEXT are left
 * to be answered.
 *
 * Strings are compared as UTF-8 without regard to case, in Latin, Greek and Cyrillic.  Of the field
 * of a header the first SEARCH_FIELD_MAX octets are seen.  A body is what a person reads of it: the
 * text of each part with a text or message type, and the headers of messages within the message.
 * What one call does is bounded by SEARCH_WORK, however many keys there are (attack 110).
 *
 *	for each message:
 *		want = search_begin(s, &message);
 *		while (want == SEARCH_READ) {
 *			search_place(s, &offset, &n);
 *			... read octets of the message from there, at most n ...
 *			in = rd_of(octets);
 *			while (want == SEARCH_READ && rd_left(&in))
 *				want = search_feed(s, &in);      may yield between calls
 *			... search_place() tells what comes next: it may skip ...
 *		}
 */
#ifndef VIEW_SEARCH_H
#define VIEW_SEARCH_H

#include "base/err.h"
#include "proto/imap_search.h"
#include "talk/rows.h"

enum {
	SEARCH_FIELD_MAX = 8192, /* octets of a field of a header */
	SEARCH_TEXTS_MAX = 64,   /* BODY and TEXT keys: with more a search is refused */
	SEARCH_WORK = 1 << 20,   /* octets times strings that one search_feed() looks at, about */
	SEARCH_MEMORY =
	    3 << 20, /* octets that a search holds at most, beside its keys and strings */
};

struct search; /* one at a time per session */

/* The mailbox that is searched. */
struct search_mailbox {
	uint32_t count, last_uid;     /* messages; the largest UID, 0 when it is empty */
	const struct bytes *keywords; /* their names, in the order of their bits */
	size_t keywords_n;
};

/*
 * Makes a search from its keys, which are borrowed until search_close(); sets in them are resolved.
 * Answers: ERR_RANGE a number that is not there (BAD); ERR_FULL more texts than SEARCH_TEXTS_MAX
 * (NO).
 */
MUST_CHECK struct err search_open(struct search **out, struct imap_search *,
                                  const struct search_mailbox *);
void search_close(struct search *);
/* Rows are to be read with their summaries (ROW_SUMMARY); else they may be empty. */
bool search_wants_summary(const struct search *);

struct search_message {
	uint32_t number;
	bool recent;
	const struct message_row *row; /* borrowed for the call */
};

enum search_want {
	SEARCH_MATCH,
	SEARCH_NO_MATCH,
	SEARCH_READ, /* octets, at search_place() */
};

/* Begins with a message; what was begun before is forgotten. */
enum search_want search_begin(struct search *, const struct search_message *);
/* Which octets it wants next: at least one, all within the message. */
void search_place(const struct search *, uint64_t *offset, uint64_t *n);
/*
 * Octets from there on.  It eats at least one, and not all where it has worked enough for one turn
 * or wants others now: what it has not eaten is not lost, search_place() tells.
 */
enum search_want search_feed(struct search *, struct rd *in);

#endif

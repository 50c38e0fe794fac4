/*
 * imap_set.h - a sequence-set of RFC 3501 9: numbers or UIDs, as ranges.  The machine hands it on
 * as the client wrote it; who knows what `*` is resolves it once, then each look is a search among
 * rising ranges, so that "1,1,1,..." or "*:1" costs nobody more than its length (attack 110).
 */
#ifndef PROTO_IMAP_SET_H
#define PROTO_IMAP_SET_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum { IMAP_STAR = 0 }; /* `*` in a range that is not resolved: no number and no UID is 0 */

struct imap_range {
	uint32_t first, last; /* resolved: first <= last, both inclusive */
};

struct imap_set {
	struct imap_range *ranges; /* in the command's memory: as long as the command */
	size_t n;
	bool resolved; /* rising, apart, without `*` */
};

/* Reads a set from the start of `in`.  Answers: ERR_SYNTAX, ERR_FULL the arena's cap is reached. */
MUST_CHECK struct err imap_set_read(struct imap_set *, struct rd *in, struct arena *);

/*
 * Resolves it in place; a second time does nothing.  star: the largest number or UID there is, 0 in
 * an empty mailbox.  uids: numbers beyond it are simply not there, and `*` names the last message
 * even in "900:*" (RFC 3501 6.4.8).  False, for numbers only: the set has one that is not there,
 * which is BAD.  A range that only `*` is the end of, as in "1:*", is no error in an empty mailbox.
 */
bool imap_set_resolve(struct imap_set *, uint32_t star, bool uids);
/* Of a resolved set. */
bool imap_set_has(const struct imap_set *, uint32_t number);

#endif

/*
 * selected.h - a mailbox as one IMAP session sees it: which UIDs its client knows, and so which
 * number each message has (RFC 3501 2.3.1.2).  It changes only when the client is told.
 *
 * Kept as ranges of UIDs, so that a mailbox that nobody has thinned out costs a few octets.
 * Invariant: the ranges rise and do not touch, and `before` counts the messages in those before.
 */
#ifndef VIEW_SELECTED_H
#define VIEW_SELECTED_H

#include "base/err.h"
#include "proto/imap_set.h"
#include "talk/rows.h"

enum { SELECTED_RANGES_MAX = 1 << 20 }; /* a mailbox with more holes cannot be selected */

struct selected_range {
	uint32_t first, last, before;
};

/* A plain value that starts as zeros; ended by selected_fini(). */
struct selected {
	struct selected_range *ranges;
	size_t n, cap;
	uint32_t count;
};

void selected_fini(struct selected *);
/*
 * Adds ranges of UIDs (talk/rows.h) behind all that are known; those that are known already are
 * passed over.  Answers: ERR_SYNTAX not such ranges; ERR_FULL too many.
 */
MUST_CHECK struct err selected_add(struct selected *, struct bytes ranges);
MUST_CHECK struct err selected_add_uid(struct selected *, uint32_t uid);
/* The largest UID, 0 in an empty mailbox. */
uint32_t selected_last(const struct selected *);
/* The number of a UID, 0: it is not known; the UID of a number from 1 to count. */
uint32_t selected_number(const struct selected *, uint32_t uid);
uint32_t selected_uid(const struct selected *, uint32_t number);
/* How many have this UID or a larger one. */
uint32_t selected_from(const struct selected *, uint32_t uid);
size_t selected_memory(const struct selected *);

/*
 * The known UIDs that a set names, as ranges that rise and do not touch; *out is the caller's to
 * free (NULL when *n is 0).  Answers: ERR_RANGE the set has a number that is not there; ERR_MEMORY.
 */
MUST_CHECK struct err selected_resolve(const struct selected *, struct imap_set *, bool uids,
                                       struct uid_range **out, size_t *n);
/* The same for ranges that box told, and for all of them. */
MUST_CHECK struct err selected_known(const struct selected *, struct bytes ranges,
                                     struct uid_range **out, size_t *n);
MUST_CHECK struct err selected_all(const struct selected *, struct uid_range **out, size_t *n);
/* They are gone: what selected_known() gave.  Numbers behind them fall.  Answers: ERR_MEMORY. */
MUST_CHECK struct err selected_remove(struct selected *, const struct uid_range *, size_t n);

#endif

/*
 * needle.h - finds a string in a text that comes in pieces: each octet of the text is looked at a
 * bounded number of times, whatever both are (Knuth, Morris and Pratt).
 */
#ifndef VIEW_NEEDLE_H
#define VIEW_NEEDLE_H

#include "base/arena.h"

struct needle {
	struct bytes text; /* what is looked for, at least one octet */
	uint32_t *back;    /* for each prefix: the longest one that it also ends with */
	uint32_t at;       /* octets of it that the text so far ends with */
};

/* Makes it in the arena; false when that is full. */
bool needle_make(struct needle *, struct bytes text, struct arena *);
/* A new text begins. */
static inline void
needle_reset(struct needle *d)
{
	d->at = 0;
}
/* True when the text has it, now that this piece came. */
bool needle_find(struct needle *, struct bytes piece);

#endif

/*
 * keywords.h - the keywords of a mailbox: the n-th is bit n of a row.  None is ever taken out, so a
 * bit keeps its meaning.
 */
#ifndef BOX_KEYWORDS_H
#define BOX_KEYWORDS_H

#include "box/account.h"
#include "box/batch.h"

struct keywords {
	uint8_t text[RECORD_KEYWORDS_MAX]; /* bytes8 each */
	size_t length;
	unsigned n;
	bool dirty; /* the store does not have them all */
};

/* Reads them, where that was not done yet. */
MUST_CHECK struct err keywords_read(struct mailboxes *, struct account *, struct folder *);
struct bytes keywords_list(const struct keywords *);
/*
 * The bits of a list, bytes8 each.  Those that are new are added, or passed over where `add` is
 * false.  Answers: ERR_SYNTAX no keywords (RFC 3501 9: atoms), ERR_FULL no room: none was added.
 */
MUST_CHECK struct err keywords_bits(struct keywords *, struct bytes list, bool add, uint64_t *bits);
/* The same for bits of another mailbox; what finds no room is left out. */
uint64_t keywords_carry(struct keywords *, const struct keywords *from, uint64_t bits);

#endif

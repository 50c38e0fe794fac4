/*
 * structure.h - a tree of parts as IMAP shows and numbers it (RFC 3501 6.4.5, 7.4.2), and as it is
 * kept in the row of a message.
 */
#ifndef MAIL_STRUCTURE_H
#define MAIL_STRUCTURE_H

#include "base/err.h"
#include "mail/mime.h"

/* ---- sections ---- */

enum section_kind {
	SECTION_PART,   /* BODY[1.2]: the body of a part; without numbers the whole message */
	SECTION_HEADER, /* BODY[HEADER], BODY[2.HEADER]: of the message or of a message/rfc822 */
	SECTION_TEXT,   /* BODY[TEXT], BODY[2.TEXT] */
	SECTION_MIME,   /* BODY[2.MIME]: the header of a part */
};

struct section {
	uint64_t at, n; /* octets of the message */
	uint32_t
	    part; /* whose header or body it is: its encoding and content tell how to read it */
};

/*
 * Finds the section of `kind` below these part numbers.  False when there is none: no such part,
 * HEADER or TEXT of what is no message, MIME without numbers.  The body of a message that is no
 * multipart is its part 1.
 */
bool section_find(const struct mime *, const uint32_t *numbers, size_t n, enum section_kind,
                  struct section *);
/* The same by its text, "1.2.HEADER", "TEXT", "1", "". */
bool section_find_text(const struct mime *, struct bytes text, struct section *);

/* ---- BODY and BODYSTRUCTURE ---- */

/* A rendering: a plain value that starts as zeros. */
struct structure_text {
	uint32_t part; /* the next to be shown; MIME_NONE at the end */
	bool up;       /* its children were shown */
	size_t wrote;  /* octets of it that were written */
};

/*
 * Fills what room there is and goes on there when called anew; true when all is written.
 * `extended` gives BODYSTRUCTURE, else BODY.  w->full stays as it is.
 */
bool structure_write(struct wr *, struct structure_text *, const struct mime *, bool extended);

/* ---- packed ---- */

/* A whole tree, without the message's own envelope; w->full when it does not fit. */
void structure_pack(struct wr *, const struct mime *);
/*
 * Makes the tree anew, to be freed by mime_fini(); allocates in proportion to what was packed.
 * Answers ERR_SYNTAX for what was not packed so, and for offsets outside a message of `size`.
 */
MUST_CHECK struct err structure_unpack(struct mime *, struct bytes packed, uint64_t size);

#endif

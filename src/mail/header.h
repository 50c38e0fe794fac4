/*
 * header.h - walks over the header fields of a message that lies in memory (RFC 5322 2.2), in one
 * pass and without copying.  A message that streams by is read by mail/mime.h instead.
 *
 * In all of mail/ a line ends at LF, and a CR before it belongs to the end.  What comes by SMTP has
 * neither a bare CR nor a bare LF (attack 37); what a user appended may have them.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/bytes.h"

enum {
	HEADER_FIELDS_MAX = 10000,           /* fields that are shown (attack 69) */
	HEADER_OCTETS_MAX = 4 * 1024 * 1024, /* octets of header that are looked at (attack 69) */
	HEADER_NAME_MAX = 255,               /* octets before the colon; with more it is no field */
};

struct header_field {
	struct bytes name; /* without the blanks that the obsolete form allows before the colon */
	struct bytes
	    value;    /* raw: all behind the colon but the last end of line; folds are in it */
	size_t at, n; /* where in the message the field stands, its end of line with it */
};

struct header { /* a walk; a plain value */
	struct rd in;
	size_t at;       /* the offset now */
	uint32_t fields; /* shown so far */
	bool whole;      /* the end of the header was seen, not a limit */
};

/* A walk over the header of `message`, which is borrowed as long as the walk and its fields. */
struct header header_of(struct bytes message);
/*
 * The next field; false at the empty line, at the first line that is no field (which begins the
 * body of such a message), at the end, or at a limit.  Afterwards `at` is where the header ended
 * and `whole` tells that no limit cut it.
 */
bool header_next(struct header *, struct header_field *);
/* The first field of that name; false when there is none. */
bool header_find(struct bytes message, struct bytes name, struct header_field *);
/* Where the body begins, behind the empty line; the message's size when it has no body. */
size_t header_body(struct bytes message);

#endif

/*
 * convert.h - a message with 8-bit parts made fit for a path that takes only 7 bits (RFC 6152 3):
 * text becomes quoted-printable, all else base64, labels are set right.
 *
 * It takes two passes over the message: the first makes the tree (mail/mime.h), the second runs
 * through here.  What cannot be changed without breaking it is left as it is and told beforehand.
 */
#ifndef MAIL_CONVERT_H
#define MAIL_CONVERT_H

#include "mail/mime.h"

enum convert_plan {
	CONVERT_NOTHING, /* all of it is 7-bit already: send it as it is */
	CONVERT_NEEDED,
	CONVERT_SIGNED,     /* 8-bit octets within a multipart/signed, which a change would break */
	CONVERT_IMPOSSIBLE, /* in a header, or in what may not be encoded (RFC 2046 5.2) */
};

/* What a message needs. */
enum convert_plan convert_plan(const struct mime *);

enum { CONVERT_ROOM = 1024 }; /* convert_step() eats nothing while there is less room than this */

/* A conversion; a plain value made by convert_init(). */
struct convert {
	const struct mime *tree; /* borrowed until the end */
	uint64_t at;             /* octets of the message that were eaten */
	uint64_t keep;           /* until there it is within a multipart/signed */
	uint32_t part;           /* whose header or body the next octet is, or that comes next */
	uint8_t state, line;     /* in the message; in a line of the header */
	uint8_t plan, action;    /* enum convert_plan; what becomes of the part */
	bool dropped;            /* the field that may go on was */
	uint8_t name_n;
	uint8_t name[32]; /* the beginning of a line of the header */
	struct decode decode;
	struct encode encode;
};

/* Also for a message of CONVERT_SIGNED or CONVERT_IMPOSSIBLE: what can be converted is. */
void convert_init(struct convert *, const struct mime *);
/*
 * Eats the message from its first octet on, in pieces of any size, until `in` is empty or `out` has
 * less than CONVERT_ROOM octets of room.  True at the end of the message, when all is written.
 */
bool convert_step(struct convert *, struct rd *in, struct wr *out);

#endif

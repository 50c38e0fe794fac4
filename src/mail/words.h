/*
 * words.h - text of header fields for people: encoded words (RFC 2047) and encoded parameters
 * (RFC 2231) as UTF-8.  The cost is linear in the text, and what is written is never more than
 * WORDS_GROWTH octets for one.
 */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "base/bytes.h"

enum {
	WORDS_GROWTH = 3,
	WORDS_SPARE = 16,       /* beside that: so much room may stay unused */
	WORDS_PARAM_MAX = 1024, /* octets of a parameter's value; what is longer is cut */
	WORDS_PIECES_MAX = 64,  /* continuations of one parameter (attack 68) */
};

/*
 * Unfolds and decodes; blanks between two encoded words vanish (RFC 2047 6.2).  Octets beyond ASCII
 * outside of them are taken as UTF-8; CR, LF and NUL never come out of it.  What does not fit any
 * more is not written, but every character is whole.
 */
void words_decode(struct wr *, struct bytes value);

/*
 * The value of the parameter `name` among content.h's packed ones: from "name*0*", "name*1" ...,
 * from "name*", or plain; an encoded word in a plain one is decoded too, since many programs send
 * that.  Octets outside UTF-8 are U+FFFD.  False when there is none.
 */
bool words_param(struct wr *, struct bytes params, const char *name);

#endif

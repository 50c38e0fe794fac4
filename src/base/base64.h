/*
 * base64.h - RFC 4648 section 4, strict: no white space, no missing padding, no bits left over, so
 * that every text has one meaning and every meaning one text.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/bytes.h"

/* The length of the text for n bytes. */
static inline size_t
base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

void base64_encode(struct wr *, struct bytes);
/*
 * False when it is not exactly base64 (what was written then means nothing).  The empty text is no
 * bytes.  That it fits is w->full's to say; 3 bytes for every 4 always fit.
 */
bool base64_decode(struct wr *, struct bytes);

#endif

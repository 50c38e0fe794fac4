/*
 * token.h - the words of structured header fields (RFC 5322 3.2, RFC 2045 5.1).  Comments nest by a
 * count, never by recursion; what is not ended ends with the field (attack 70).
 */
#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include "base/bytes.h"

static inline bool
token_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline int
token_peek(const struct rd *in)
{
	return rd_left(in) ? *in->p : -1;
}

/* Blanks and folds; true when there were any. */
bool token_blanks(struct rd *);
/* Blanks, folds and comments.  *comment, if not NULL, becomes the inside of the last one, if any. */
void token_skip(struct rd *, struct bytes *comment);
/* One octet, if it comes next. */
bool token_char(struct rd *, uint8_t c);
/* The octets until a blank, or one of `ends`; a control octet ends it, too. */
struct bytes token_until(struct rd *, const char *ends);
/*
 * At a quote: writes what stands between the quotes, unescaped and unfolded, at most `max` octets.
 * False when the closing quote is missing.
 */
bool token_quoted(struct rd *, struct wr *, size_t max);
/* Without the ends of lines in it and the blanks around it, at most `max` octets. */
void token_unfold(struct wr *, struct bytes, size_t max);

#endif

/*
 * lex.h - the words of a master file (RFC 1035 5.1): one token at a time, comments and the line
 * ends inside parentheses already gone.
 *
 * The lexer stands on a token: `kind`, `text`, `line` and `column` are of that token until
 * lex_next().  Text is a view of the input with its escapes still in it.
 */
#ifndef DNS_LEX_H
#define DNS_LEX_H

#include "base/bytes.h"

enum lex_kind {
	LEX_BLANK,  /* white space at the start of a line: the last owner is meant */
	LEX_WORD,   /* without quotes; \ escapes one octet or \DDD */
	LEX_QUOTED, /* between quotes, which are not in the text */
	LEX_EOL,
	LEX_END,
	LEX_BAD, /* `wrong` says why; sticks */
};

struct lex {
	/* the token */
	enum lex_kind kind;
	struct bytes text;
	uint32_t line, column; /* from 1 */
	const char *wrong;     /* what is wrong here, as half a sentence; NULL: nothing */
	/* the reader's */
	struct rd in;
	const uint8_t *start; /* of the line that in.p is on */
	uint32_t at_line;     /* its number */
	uint32_t depth;       /* open parentheses */
};

/* Stands on the first token of the text, which stays the caller's and put. */
struct lex lex_of(struct bytes text);
/* The same for text of one record without an owner: white space at its start has no meaning. */
struct lex lex_of_words(struct bytes text);
void lex_next(struct lex *);

/* A word or a quoted string? */
static inline bool
lex_is_text(const struct lex *l)
{
	return l->kind == LEX_WORD || l->kind == LEX_QUOTED;
}

static inline bool
lex_is_end(const struct lex *l)
{
	return l->kind == LEX_EOL || l->kind == LEX_END;
}

/* Says what is wrong with the present token unless something was wrong before; false always. */
static inline bool
lex_fail(struct lex *l, const char *wrong)
{
	if (!l->wrong)
		l->wrong = wrong;
	return false;
}

/*
 * The next octet of a token's text, escapes resolved; -1 at its end, -2 where an escape is wrong.
 * *escaped tells "." from "\.".
 */
static inline int
lex_octet(struct rd *text, bool *escaped)
{
	int c, v;

	*escaped = false;
	if (!rd_left(text))
		return -1;
	c = rd_u8(text);
	if (c != '\\')
		return c;
	*escaped = true;
	if (!rd_left(text))
		return -2;
	c = rd_u8(text);
	if (c < '0' || c > '9')
		return c;
	v = c - '0';
	for (int i = 0; i < 2; i++) {
		c = rd_u8(text);
		if (c < '0' || c > '9') /* 0 where the text ends */
			return -2;
		v = v * 10 + c - '0';
	}
	return v > 255 ? -2 : v;
}

#endif

/*
 * lex.c - cuts master files into tokens (RFC 1035 5.1).
 *
 * A line end inside parentheses is white space; white space at the start of a line is a token, for
 * it stands for the last owner.  Each octet is looked at once.
 */
#include "dns/lex.h"

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static uint8_t
peek(const struct lex *l)
{
	return rd_left(&l->in) ? l->in.p[0] : '\n';
}

/* The token begins where the reader stands. */
static void
begin(struct lex *l, enum lex_kind kind)
{
	l->kind = kind;
	l->line = l->at_line;
	l->column = (uint32_t)(l->in.p - l->start) + 1;
	l->text = (struct bytes){l->in.p, 0};
}

static void
bad(struct lex *l, const char *wrong)
{
	l->kind = LEX_BAD;
	lex_fail(l, wrong);
}

static void
newline(struct lex *l)
{
	rd_u8(&l->in);
	l->start = l->in.p;
	l->at_line++;
}

/* Goes over one octet or escape of a token; false when the line ends before it is whole. */
static bool
step(struct lex *l)
{
	if (peek(l) == '\n')
		return false;
	if (rd_u8(&l->in) != '\\')
		return true;
	return peek(l) != '\n' && (rd_u8(&l->in), true);
}

/* Up to the quote that ends it; false when the line ends before. */
static bool
quoted(struct lex *l)
{
	while (peek(l) != '"')
		if (!step(l))
			return false;
	return true;
}

static void
take_quoted(struct lex *l)
{
	begin(l, LEX_QUOTED);
	rd_u8(&l->in);
	l->text.p = l->in.p;
	if (!quoted(l)) {
		bad(l, "a quoted string that does not end on its line");
		return;
	}
	l->text.n = (size_t)(l->in.p - l->text.p);
	rd_u8(&l->in);
}

/* A quote inside a word quotes up to the next one (key="a b"), and both stay in the text. */
static void
take_word(struct lex *l)
{
	begin(l, LEX_WORD);
	for (;;) {
		uint8_t c = peek(l);

		if (c == '\n' || is_space(c) || c == ';' || c == '(' || c == ')')
			break;
		if (!step(l) || (c == '"' && !(quoted(l) && step(l)))) {
			bad(l, c == '"' ? "a quoted string that does not end on its line"
			                : "an escape at the end of a line");
			return;
		}
	}
	l->text.n = (size_t)(l->in.p - l->text.p);
}

/* White space, comments, parentheses and the line ends inside them; false: wrong. */
static bool
skip(struct lex *l)
{
	while (rd_left(&l->in)) {
		uint8_t c = peek(l);

		if (c == ';') {
			while (peek(l) != '\n')
				rd_u8(&l->in);
		} else if (c == '\n' && l->depth) {
			newline(l);
		} else if (c == '(' || c == ')') {
			begin(l, LEX_WORD);
			if (c == ')' && !l->depth)
				return lex_fail(l, "a parenthesis that was never opened");
			l->depth += c == '(' ? 1 : -1u;
			rd_u8(&l->in);
		} else if (is_space(c)) {
			rd_u8(&l->in);
		} else {
			break;
		}
	}
	return true;
}

void
lex_next(struct lex *l)
{
	bool fresh = l->kind == LEX_EOL;

	if (l->kind == LEX_BAD || l->kind == LEX_END)
		return;
	if (fresh && is_space(peek(l))) {
		begin(l, LEX_BLANK);
		while (is_space(peek(l)))
			rd_u8(&l->in);
		return;
	}
	if (!skip(l)) {
		l->kind = LEX_BAD;
		return;
	}
	if (!rd_left(&l->in)) {
		begin(l, LEX_END);
		if (l->depth)
			bad(l, "a parenthesis that is never closed");
	} else if (peek(l) == '\n') {
		begin(l, LEX_EOL);
		newline(l);
	} else if (peek(l) == '"') {
		take_quoted(l);
	} else {
		take_word(l);
	}
}

static struct lex
open_text(struct bytes text, enum lex_kind before)
{
	struct lex l = {.kind = before, .in = rd_of(text), .start = text.p, .at_line = 1};

	lex_next(&l);
	return l;
}

struct lex
lex_of(struct bytes text)
{
	return open_text(text, LEX_EOL);
}

struct lex
lex_of_words(struct bytes text)
{
	return open_text(text, LEX_WORD);
}

/* token.c - RFC 5322 3.2 and RFC 2045 5.1, read tolerantly. */
#include "mail/token.h"

bool
token_blanks(struct rd *in)
{
	const uint8_t *start = in->p;

	while (rd_left(in) && token_is_blank(*in->p))
		rd_u8(in);
	return in->p != start;
}

void
token_skip(struct rd *in, struct bytes *comment)
{
	const uint8_t *start = NULL;
	size_t depth = 0;
	uint8_t c;

	for (; rd_left(in); rd_u8(in)) {
		c = *in->p;
		if (!depth && c != '(' && !token_is_blank(c))
			return;
		if (c == '(') {
			if (!depth++)
				start = in->p + 1;
		} else if (c == ')') {
			if (!--depth && comment)
				*comment = (struct bytes){start, (size_t)(in->p - start)};
		} else if (c == '\\' && depth && rd_left(in) > 1) {
			rd_u8(in);
		}
	}
}

bool
token_char(struct rd *in, uint8_t c)
{
	if (!rd_left(in) || *in->p != c)
		return false;
	rd_u8(in);
	return true;
}

struct bytes
token_until(struct rd *in, const char *ends)
{
	const uint8_t *start = in->p;

	while (rd_left(in) && *in->p > ' ' && *in->p != 0x7f && !strchr(ends, *in->p))
		rd_u8(in);
	return (struct bytes){start, (size_t)(in->p - start)};
}

bool
token_quoted(struct rd *in, struct wr *w, size_t max)
{
	uint8_t c = rd_u8(in);

	for (size_t n = 0; rd_left(in);) {
		c = rd_u8(in);
		if (c == '"')
			return true;
		if (c == '\\' && rd_left(in))
			c = rd_u8(in);
		if (c != '\r' && c != '\n' && n++ < max)
			wr_u8(w, c);
	}
	return false;
}

void
token_unfold(struct wr *w, struct bytes b, size_t max)
{
	size_t n = 0;

	while (b.n && token_is_blank(b.p[0]))
		b = (struct bytes){b.p + 1, b.n - 1};
	while (b.n && token_is_blank(b.p[b.n - 1]))
		b.n--;
	for (size_t i = 0; i < b.n && n < max; i++) {
		if (b.p[i] == '\r' || b.p[i] == '\n')
			continue;
		wr_u8(w, b.p[i]);
		n++;
	}
}

/*
 * summary.c - the scan is a machine over octets, so that a cut between two pieces changes nothing;
 * it agrees with mail/header.h about where a header ends.
 */
#include "mail/summary.h"

enum { VERSION = 1, NAME_MAX = 255 };

enum state {
	LINE,    /* at the start of a line of the header; must be 0 */
	LINE_CR, /* a CR at the start of a line */
	NAME,    /* in a name */
	BLANK,   /* behind a name, before its colon */
	VALUE,   /* behind the colon, or in a fold */
	CR,      /* behind a CR there */
	BODY,    /* behind the empty line, or from the first line on that is no field */
};

static const char received[] = "received";

static uint8_t
in_name(struct summary_scan *s, uint8_t c)
{
	if (c == ':') {
		s->row.received += s->may_match && s->name_n == sizeof(received) - 1;
		return VALUE;
	}
	if (c == ' ' || c == '\t')
		return BLANK;
	if (s->state == BLANK || c < ' ' || c >= 0x7f || s->name_n == NAME_MAX)
		return BODY;
	s->may_match &=
	    s->name_n < sizeof(received) - 1 && lower(c) == (uint8_t)received[s->name_n];
	s->name_n++;
	return NAME;
}

static uint8_t
at_line(struct summary_scan *s, uint8_t c, uint64_t at)
{
	s->row.body = at;
	s->name_n = 0;
	s->may_match = true;
	if (c == '\r')
		return LINE_CR;
	if (c == ' ' || c == '\t') /* a fold, unless there is nothing to be folded */
		return at ? VALUE : BODY;
	return c == ':' ? BODY : in_name(s, c);
}

static uint8_t
next(struct summary_scan *s, uint8_t c, uint64_t at)
{
	switch ((enum state)s->state) {
	case LINE:
		return at_line(s, c, at);
	case LINE_CR:
		if (c == '\n')
			s->row.body = at + 1;
		return BODY;
	case NAME:
	case BLANK:
		return in_name(s, c);
	case CR:
		if (c == '\n')
			return LINE;
		return c == '\r' ? CR : VALUE;
	case VALUE:
		return c == '\r' ? CR : VALUE;
	case BODY:
		break;
	}
	return BODY;
}

void
summary_feed(struct summary_scan *s, struct bytes piece)
{
	for (size_t i = 0; i < piece.n && s->state != BODY; i++)
		s->state = next(s, piece.p[i], s->row.size + i);
	s->row.size += piece.n;
}

struct summary
summary_done(const struct summary_scan *s)
{
	struct summary row = s->row;
	bool begun = s->state == NAME || s->state == BLANK || s->state == LINE_CR;

	/* A last line without its end counts by what it is so far: a name without colon is none. */
	if (s->state != BODY && !begun)
		row.body = row.size;
	return row;
}

void
summary_write(struct wr *w, const struct summary *s)
{
	wr_u8(w, VERSION);
	wr_u64(w, s->size);
	wr_u64(w, s->body);
	wr_u32(w, s->received);
}

struct err
summary_read(struct rd *in, struct summary *s)
{
	uint8_t version = rd_u8(in);

	s->size = rd_u64(in);
	s->body = rd_u64(in);
	s->received = rd_u32(in);
	if (in->bad || version != VERSION || s->body > s->size)
		return ERR(ERR_SYNTAX, 0, "summary: not a row");
	return OK;
}

/*
 * summary.c - the scan counts what refuses a message (attack 50) by itself, in a machine over
 * octets that agrees with mail/header.h; what else a row has comes from the tree of its parts.
 */
#include "mail/summary.h"

#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/structure.h"

#include <stdlib.h>

enum { FIRST_VERSION = 1, VERSION = 2 };
enum { FIXED = 1 + 8 + 8 + 4 + 1 + 2 + 2 }; /* octets of a row without its strings */
enum { AMBIGUOUS = 1 };                     /* flags of a row */

/* The tree's own memory, beside its struct and the row's strings. */
enum { TREE_MEMORY = SUMMARY_SCAN_MAX - SUMMARY_PACKED_MAX - (int)sizeof(struct mime) };

enum state {
	LINE,    /* at the start of a line of the header; must be 0 */
	LINE_CR, /* a CR at the start of a line */
	NAME,    /* in a name */
	BLANK,   /* behind a name, before its colon */
	VALUE,   /* behind the colon, or in a fold */
	BODY,    /* behind the empty line, or from the first line on that is no field */
};

static const char received[] = "received";

static uint8_t
in_name(struct summary_scan *s, uint8_t c)
{
	bool blank = c == ' ' || c == '\t';

	if (c == ':') {
		s->row.received += s->may_match && s->name_n == sizeof(received) - 1;
		return VALUE;
	}
	if (s->line_n++ == HEADER_NAME_MAX)
		return BODY;
	if (blank)
		return BLANK;
	if (s->state == BLANK || c < ' ' || c >= 0x7f)
		return BODY;
	s->may_match &=
	    s->name_n < sizeof(received) - 1 && lower(c) == (uint8_t)received[s->name_n];
	s->name_n++;
	return NAME;
}

static uint8_t
at_line(struct summary_scan *s, uint8_t c, uint64_t at)
{
	s->row.body = c == '\n' ? at + 1 : at;
	s->line_n = s->name_n = 0;
	s->may_match = true;
	if (c == '\r')
		return LINE_CR;
	if (c == ' ' || c == '\t') /* a fold, unless there is nothing to be folded */
		return at ? VALUE : BODY;
	return c == ':' || c == '\n' ? BODY : in_name(s, c);
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
	case VALUE:
		return c == '\n' ? LINE : VALUE;
	case BODY:
		break;
	}
	return BODY;
}

void
summary_init(struct summary_scan *s)
{
	*s = (struct summary_scan){0};
}

void
summary_feed(struct summary_scan *s, struct bytes piece)
{
	if (!s->row.size && !s->tree && piece.n) {
		s->tree = malloc(sizeof(*s->tree));
		if (s->tree)
			mime_init(s->tree, TREE_MEMORY);
	}
	if (s->tree)
		mime_feed(s->tree, piece);
	for (size_t i = 0; i < piece.n && s->state != BODY; i++)
		s->state = next(s, piece.p[i], s->row.size + i);
	s->row.size += piece.n;
}

/* The strings of the row, as far as they fit. */
static void
take_strings(struct summary_scan *s)
{
	struct bytes envelope = mime_envelope(s->tree, 0);
	struct wr w;

	s->packed = malloc(SUMMARY_PACKED_MAX - FIXED);
	if (!s->packed)
		return;
	w = wr_of(s->packed, SUMMARY_PACKED_MAX - FIXED);
	wr_bytes(&w, envelope);
	if (w.full)
		return;
	s->row.envelope = wr_since(&w, s->packed);
	structure_pack(&w, s->tree);
	if (!w.full)
		s->row.structure = wr_since(&w, s->packed + envelope.n);
}

struct summary
summary_done(struct summary_scan *s)
{
	bool begun = s->state == NAME || s->state == BLANK || s->state == LINE_CR;

	if (s->done)
		return s->row;
	s->done = true;
	/* A last line without its end counts by what it is so far: a name without colon is none. */
	if (s->state != BODY && !begun)
		s->row.body = s->row.size;
	if (!s->tree)
		return s->row;
	mime_done(s->tree);
	s->row.ambiguous = s->tree->ambiguous;
	if (!s->tree->cut) /* a reader with more memory may see more */
		take_strings(s);
	mime_fini(s->tree);
	free(s->tree);
	s->tree = NULL;
	return s->row;
}

void
summary_fini(struct summary_scan *s)
{
	if (s->tree)
		mime_fini(s->tree);
	free(s->tree);
	free(s->packed);
	summary_init(s);
}

void
summary_write(struct wr *w, const struct summary *s)
{
	size_t room = SUMMARY_PACKED_MAX - FIXED;
	bool envelope = s->envelope.n <= room;
	bool structure = envelope && s->structure.n <= room - s->envelope.n;

	wr_u8(w, VERSION);
	wr_u64(w, s->size);
	wr_u64(w, s->body);
	wr_u32(w, s->received);
	wr_u8(w, s->ambiguous ? AMBIGUOUS : 0);
	wr_bytes16(w, envelope ? s->envelope : NO_BYTES);
	wr_bytes16(w, structure ? s->structure : NO_BYTES);
}

struct err
summary_read(struct rd *in, struct summary *s)
{
	uint8_t version = rd_u8(in);

	memset(s, 0, sizeof(*s));
	s->size = rd_u64(in);
	s->body = rd_u64(in);
	s->received = rd_u32(in);
	if (version >= VERSION) {
		s->ambiguous = rd_u8(in) & AMBIGUOUS;
		s->envelope = rd_bytes16(in);
		s->structure = rd_bytes16(in);
	}
	if (in->bad || version < FIRST_VERSION || version > VERSION || s->body > s->size)
		return ERR(ERR_SYNTAX, 0, "summary: not a row");
	return OK;
}

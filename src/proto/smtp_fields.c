/*
 * smtp_fields.c - lines into fields, then a list of addresses (RFC 5322 3.4, 4.4) into addresses,
 * each in one pass without recursion (attack 70).
 */
#include "proto/smtp_fields.h"

#include "base/text.h"

/* ---- fields ---- */

enum state {
	LINE,  /* at the start of a line */
	NAME,  /* in what may be a field's name */
	BLANK, /* behind a name, before its colon: the obsolete form allows that */
	SKIP,  /* in a line that is of no interest */
	VALUE, /* in From's value */
};

/* Keeps an octet of From; without room there is nothing that could be read. */
static void
keep(struct smtp_fields *f, uint8_t c)
{
	f->overflow |= !buf_add(&f->from, (struct bytes){&c, 1});
}

static void
end_value(struct smtp_fields *f)
{
	if (f->begun)
		keep(f, '\n');
	f->begun = false;
}

/* A colon: which field is it? */
static uint8_t
name_ended(struct smtp_fields *f)
{
	struct bytes name = {f->name, f->name_n};

	f->broken |= !name.n;
	f->has_date |= bytes_eq_nocase(name, BYTES("date"));
	f->has_message_id |= bytes_eq_nocase(name, BYTES("message-id"));
	f->begun = bytes_eq_nocase(name, BYTES("from"));
	return f->begun ? VALUE : SKIP;
}

static uint8_t
in_name(struct smtp_fields *f, uint8_t c)
{
	if (c == ':')
		return name_ended(f);
	if (c == ' ' || c == '\t')
		return BLANK;
	if (f->state == BLANK || c < '!' || c > '~') {
		f->broken = true;
		return c == '\n' ? LINE : SKIP;
	}
	if (f->name_n < sizeof(f->name))
		f->name[f->name_n++] = c;
	return NAME;
}

static uint8_t
line_begins(struct smtp_fields *f, uint8_t c)
{
	bool first = !f->any;

	f->any = true;
	if (c == ' ' || c == '\t') {
		f->broken |= first;
		if (f->begun)
			keep(f, ' ');
		return f->begun ? VALUE : SKIP;
	}
	end_value(f);
	f->name_n = 0;
	return in_name(f, c);
}

struct smtp_fields
smtp_fields_init(void)
{
	return (struct smtp_fields){.from = buf_init(SMTP_FROM_MAX)};
}

void
smtp_fields_fini(struct smtp_fields *f)
{
	buf_free(&f->from);
}

void
smtp_fields_end(struct smtp_fields *f)
{
	end_value(f);
	f->ended = true;
}

size_t
smtp_fields_feed(struct smtp_fields *f, struct bytes piece)
{
	for (size_t i = 0; i < piece.n && !f->ended; i++) {
		uint8_t c = piece.p[i];

		switch ((enum state)f->state) {
		case LINE:
			if (c == '\r') { /* a CR is always a CRLF's here (proto/dot.h) */
				smtp_fields_end(f);
				return i;
			}
			f->state = line_begins(f, c);
			break;
		case NAME:
		case BLANK:
			f->state = in_name(f, c);
			break;
		case SKIP:
			f->state = c == '\n' ? LINE : SKIP;
			break;
		case VALUE:
			if (c != '\r' && c != '\n')
				keep(f, c);
			f->state = c == '\n' ? LINE : VALUE;
			break;
		}
	}
	return f->ended ? 0 : piece.n;
}

/* ---- addresses ---- */

/* What is known of the mailbox that is being read. */
struct mailbox {
	struct wr
	    w;      /* the octets of its addr-spec, or of its display-name as long as no "<" came */
	bool angle; /* inside "<" and ">" */
	bool closed; /* behind them */
	bool gap;    /* blanks or a comment behind the last octet */
	bool at;     /* an at outside quotes: also a display-name is an address for some readers */
	bool apart;  /* two words without a dot or an at between them */
	bool any;
};

/* Behind "(": to its end, also over those within.  False: it has none. */
static bool
skip_comment(struct rd *in)
{
	uint32_t depth = 1;

	while (depth) {
		uint8_t c = rd_u8(in);

		if (c == '\\')
			c = rd_u8(in) == '\n' ? '\n' : ' ';
		if (in->bad || c == '\n')
			return false;
		depth += c == '(';
		depth -= c == ')';
	}
	return true;
}

/* What begins with `open` up to `close`, both kept: a quoted-string or a domain-literal. */
static bool
take_until(struct rd *in, struct mailbox *m, uint8_t close)
{
	uint8_t c = 0;

	while (c != close) {
		c = rd_u8(in);
		wr_u8(&m->w, c);
		if (c == '\\' && close == '"') {
			c = rd_u8(in);
			wr_u8(&m->w, c);
			if (c == close)
				c = ' ';
		}
		if (in->bad || c == '\n')
			return false;
	}
	return true;
}

static bool
joins(uint8_t c)
{
	return c == '.' || c == '@';
}

/* An octet of a word. */
static bool
word(struct rd *in, struct mailbox *m, uint8_t c, const uint8_t *room)
{
	if (m->closed)
		return false;
	if (m->gap && m->w.p > room && !joins(c) && !joins(m->w.p[-1]))
		m->apart = true;
	m->gap = false;
	m->any = true;
	m->at |= c == '@';
	wr_u8(&m->w, c);
	if (c == '"' || c == '[')
		return take_until(in, m, c == '"' ? '"' : ']');
	return true;
}

static bool
angle_opens(struct mailbox *m, struct wr fresh)
{
	if (m->angle || m->closed)
		return false;
	*m = (struct mailbox){.w = fresh, .angle = true, .any = true};
	return true;
}

static bool
angle_closes(struct mailbox *m)
{
	bool was = m->angle;

	m->angle = false;
	m->closed = true;
	return was;
}

/* The mailbox's addr-spec as an address. */
static enum smtp_from_kind
finish(const struct mailbox *m, const uint8_t *room, struct address *a)
{
	struct rd in = rd_of(wr_since(&m->w, room));
	struct err e;

	if (m->w.full || m->apart || m->angle)
		return SMTP_FROM_BAD;
	e = address_parse(a, &in, ADDRESS_LOOSE);
	return is_ok(e) && !rd_left(&in) && a->domain_n ? SMTP_FROM_ADDRESS : SMTP_FROM_BAD;
}

struct smtp_from
smtp_from_begin(const struct smtp_fields *f)
{
	struct smtp_from walk = {rd_of(buf_bytes(&f->from)), false};

	walk.in.bad = f->overflow;
	return walk;
}

/* What is between mailboxes.  False: it may not stand there. */
static bool
between(struct smtp_from *walk, const struct mailbox *m, uint8_t c)
{
	if (m->angle)
		return false;
	if (c == ':') { /* the name of a group */
		if (walk->in_group || m->closed || !m->any || m->at)
			return false;
		walk->in_group = true;
	} else if (c == ';') {
		if (!walk->in_group)
			return false;
		walk->in_group = false;
	}
	return c != '\n' || !walk->in_group;
}

enum smtp_from_kind
smtp_from_next(struct smtp_from *walk, struct address *a)
{
	enum { ROOM = 2 * ADDRESS_MAX + 2 }; /* each octet may be quoted */
	uint8_t room[ROOM];
	const struct wr fresh = wr_of(room, sizeof(room));
	struct mailbox m = {.w = fresh};
	struct rd *in = &walk->in;

	while (rd_left(in)) {
		uint8_t c = rd_u8(in);
		bool good = true;

		if (c == ' ' || c == '\t') {
			m.gap = true;
		} else if (c == '(') {
			m.gap = true;
			good = skip_comment(in);
		} else if (c == '<' && m.at && !m.angle && !m.closed) {
			in->p--; /* "bob@b <alice@a>" is bob for some readers: both count */
			return finish(&m, room, a);
		} else if (c == '<') {
			good = angle_opens(&m, fresh);
		} else if (c == '>') {
			good = angle_closes(&m);
		} else if (c == '\n' || (!m.angle && (c == ',' || c == ';' || c == ':'))) {
			good = between(walk, &m, c);
			if (good && m.any && c != ':')
				return finish(&m, room, a);
			m = (struct mailbox){.w = fresh};
		} else {
			good = word(in, &m, c, room);
		}
		if (!good)
			return SMTP_FROM_BAD;
	}
	return in->bad ? SMTP_FROM_BAD : SMTP_FROM_END;
}

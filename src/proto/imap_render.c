/*
 * imap_render.c - FETCH responses (RFC 3501 7.4.2), one row after the other, item by item.
 *
 * Invariants:
 * 1. A literal is announced with the count of octets that follow; when they cannot be had any more
 *    the connection ends, since nothing else could tell the client.
 * 2. Nothing of a literal is announced before its first octets are here: what is gone by then is NIL.
 * 3. No octet of a message is kept: of a header that is filtered one field's name.
 */
#include "base/calendar.h"
#include "proto/imap_filter.h"
#include "proto/imap_parse.h"
#include "proto/imap_session.h"

#include <assert.h>

enum { HEAD_MAX = IMAP_LABEL_MAX + 64 }; /* octets of " BODY[...]<0> {123}" with its CRLF */

enum stage {
	BEGIN,  /* the item is to be begun */
	TEXT,   /* its rendered text is being written */
	COUNTS, /* its octets are counted */
	SENDS,  /* its octets are written */
	FAILED, /* there is nothing to show for it */
};

struct imap_render {
	struct imap_row row;
	enum stage stage;
	size_t item;
	bool given;   /* the row is a new one */
	bool begun;   /* the response */
	bool literal; /* of the item was announced */
	bool asked;   /* its structure or its place was asked for */
	bool placed;  /* the part is known */
	bool closed;  /* the filter has seen the header's end */
	struct bytes text;
	uint64_t first, at, end; /* octets of the message: from, next, up to */
	struct imap_window window;
	struct imap_filter filter;
	struct imap_part part;
};

/* Of what no calendar here knows. */
enum { LATEST_DAY = 2932896 }; /* 9999-12-31 */

static void
put_date(struct wr *out, uint64_t received_s)
{
	uint64_t days = received_s / 86400, second = received_s % 86400;
	struct calendar_date d;

	if (days > LATEST_DAY) {
		days = LATEST_DAY;
		second = 86399;
	}
	d = calendar_date((int64_t)days);
	wr_printf(out, "INTERNALDATE \"%2u-%s-%04u %02u:%02u:%02u +0000\"", d.day,
	          imap_months[d.month - 1], (unsigned)d.year, (unsigned)(second / 3600),
	          (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

static void
put_flags(const struct imap *m, struct wr *out)
{
	wr_text(out, "FLAGS ");
	imap_put_flags(m, out, &m->render->row);
}

static int
next_item(struct imap_render *r)
{
	r->item++;
	r->stage = BEGIN;
	r->literal = r->asked = r->placed = false;
	r->text = NO_BYTES;
	return IMAP_GO_ON;
}

/* ---- ENVELOPE, BODY, BODYSTRUCTURE ---- */

static const char *
text_name(enum imap_item_kind kind)
{
	return kind == IMAP_ITEM_ENVELOPE ? "ENVELOPE "
	       : kind == IMAP_ITEM_BODY   ? "BODY "
	                                  : "BODYSTRUCTURE ";
}

static struct bytes
text_of(const struct imap_row *row, enum imap_item_kind kind)
{
	return kind == IMAP_ITEM_ENVELOPE ? row->envelope
	       : kind == IMAP_ITEM_BODY   ? row->bodytext
	                                  : row->bodystructure;
}

static int
begin_text(struct imap *m, enum imap_item_kind kind, struct wr *out)
{
	struct imap_render *r = m->render;

	r->text = text_of(&r->row, kind);
	if (!r->text.n && !r->asked) {
		r->asked = true;
		return imap_ask(m, IMAP_STRUCTURE);
	}
	if (!r->text.n)
		r->text = BYTES("NIL");
	wr_text(out, text_name(kind));
	r->stage = TEXT;
	return IMAP_GO_ON;
}

static int
text_on(struct imap_render *r, struct wr *out)
{
	size_t n = r->text.n < wr_room(out) ? r->text.n : wr_room(out);

	wr_bytes(out, (struct bytes){r->text.p, n});
	r->text = (struct bytes){r->text.p + n, r->text.n - n};
	return r->text.n ? IMAP_GO_ON : next_item(r);
}

/* ---- sections ---- */

static bool
is_filtered(const struct imap_item *item)
{
	return item->section == IMAP_FIELDS_OF || item->section == IMAP_FIELDS_NOT_OF;
}

/* What a front wrote of a message is another front's to believe only within its bounds. */
static bool
is_sound(const struct imap_part *p, uint64_t size)
{
	return p->mime <= p->body && p->body <= p->end && p->end <= size &&
	       (!p->text || (p->body <= p->text && p->text <= p->end));
}

/* Where the section lies; false: there is none. */
static bool
place(struct imap_render *r, const struct imap_item *item)
{
	struct imap_part p = r->part;

	if (!item->path_n)
		p = (struct imap_part){.end = r->row.size,
		                       .text =
		                           r->row.body < r->row.size ? r->row.body : r->row.size};
	switch (item->section) {
	case IMAP_WHOLE:
		r->first = p.body;
		r->end = p.end;
		return true;
	case IMAP_MIME_OF:
		r->first = p.mime;
		r->end = p.body;
		return true;
	case IMAP_HEADER_OF:
	case IMAP_FIELDS_OF:
	case IMAP_FIELDS_NOT_OF:
		r->first = p.body;
		r->end = p.text;
		return p.text || !item->path_n;
	case IMAP_TEXT_OF:
		r->first = p.text;
		r->end = p.end;
		return p.text || !item->path_n;
	}
	return false;
}

static void
restart(struct imap_render *r, const struct imap_item *item)
{
	r->at = r->first;
	r->closed = false;
	imap_filter_init(&r->filter, item->fields, item->fields_n,
	                 item->section == IMAP_FIELDS_NOT_OF);
}

static int
send_label(struct imap_render *r, const struct imap_item *item, const char *value, struct wr *out)
{
	wr_bytes(out, item->label);
	wr_text(out, value);
	return next_item(r);
}

/* `total` octets make up the section; of them what is asked for is sent. */
static int
begin_sending(struct imap *m, const struct imap_item *item, uint64_t total, struct wr *out)
{
	struct imap_render *r = m->render;
	struct imap_window w = {.left = total};

	if (item->partial) {
		w.skip = item->origin < total ? item->origin : total;
		w.left = item->count < total - w.skip ? item->count : total - w.skip;
	}
	if (!w.left)
		return send_label(r, item, " \"\"", out);
	restart(r, item);
	if (!is_filtered(item)) {
		r->at += w.skip;
		r->end = r->at + w.left;
		w.skip = 0;
	}
	r->window = w;
	r->stage = SENDS;
	return IMAP_GO_ON;
}

static int
begin_section(struct imap *m, const struct imap_item *item, struct wr *out)
{
	struct imap_render *r = m->render;

	if (item->path_n && !r->asked) {
		r->asked = true;
		return imap_ask(m, IMAP_PART);
	}
	if ((item->path_n && !(r->placed && is_sound(&r->part, r->row.size))) || !place(r, item))
		return send_label(r, item, " NIL", out);
	if (!is_filtered(item))
		return begin_sending(m, item, r->end - r->first, out);
	restart(r, item);
	r->window = (struct imap_window){.out = NULL};
	r->stage = COUNTS;
	return IMAP_GO_ON;
}

static int
count_on(struct imap *m, const struct imap_item *item, struct wr *out)
{
	struct imap_render *r = m->render;

	if (r->at < r->end)
		return imap_ask(m, IMAP_OCTETS);
	imap_filter_end(&r->filter, &r->window);
	return begin_sending(m, item, r->filter.count, out);
}

static void
announce(struct imap_render *r, const struct imap_item *item, struct wr *out)
{
	if (r->literal)
		return;
	r->literal = true;
	wr_bytes(out, item->label);
	wr_printf(out, " {%llu}\r\n", (unsigned long long)r->window.left);
}

static int
send_on(struct imap *m, const struct imap_item *item, struct wr *out)
{
	struct imap_render *r = m->render;

	if (!r->window.left)
		return next_item(r);
	if (r->at < r->end)
		return imap_ask(m, IMAP_OCTETS);
	announce(r, item, out); /* of a header without a field: the empty line is all */
	if (is_filtered(item) && !r->closed) {
		r->closed = true;
		r->window.out = out;
		imap_filter_end(&r->filter, &r->window);
		r->window.out = NULL;
	}
	if (!r->window.left)
		return next_item(r);
	m->state = IMAP_AT_END; /* fewer octets than were counted: invariant 1 */
	return IMAP_CLOSE;
}

/* ---- the response ---- */

static int
begin_item(struct imap *m, const struct imap_item *item, struct wr *out)
{
	const struct imap_row *row = &m->render->row;

	if (m->render->item && !m->render->asked)
		wr_u8(out, ' ');
	switch (item->kind) {
	case IMAP_ITEM_FLAGS:
		put_flags(m, out);
		break;
	case IMAP_ITEM_UID:
		wr_printf(out, "UID %u", (unsigned)row->uid);
		break;
	case IMAP_ITEM_INTERNALDATE:
		put_date(out, row->received_s);
		break;
	case IMAP_ITEM_SIZE:
		wr_printf(out, "RFC822.SIZE %llu", (unsigned long long)row->size);
		break;
	case IMAP_ITEM_ENVELOPE:
	case IMAP_ITEM_BODY:
	case IMAP_ITEM_BODYSTRUCTURE:
		return begin_text(m, item->kind, out);
	case IMAP_ITEM_SECTION:
		return begin_section(m, item, out);
	}
	return next_item(m->render);
}

static int
end_row(struct imap *m, struct wr *out)
{
	struct imap_render *r = m->render;

	if (r->row.news && !(m->command->fetch.needs & 1u << IMAP_ITEM_FLAGS)) {
		wr_text(out, r->item ? " " : "");
		put_flags(m, out);
	}
	imap_line(out, ")");
	r->begun = m->line_open = false;
	return imap_ask(m, IMAP_ROW);
}

/* The rows are over. */
static int
rows_done(struct imap *m, struct wr *out)
{
	if (m->answer != IMAP_OK)
		return imap_refuse(m, out, m->answer);
	if (m->lost)
		return imap_refuse(m, out, IMAP_GONE);
	return m->late ? imap_refuse(m, out, IMAP_TEMP) : imap_finish(m, "OK done");
}

static void
answered(struct imap *m)
{
	m->answer = IMAP_OK;
	m->answered = true;
}

/* Writes as much of the piece as there is room for. */
static size_t
send_octets(struct imap_render *r, const struct imap_item *item, struct bytes piece, struct wr *out)
{
	size_t n;

	if (!piece.n || (!r->literal && wr_room(out) < HEAD_MAX))
		return 0;
	announce(r, item, out);
	if (is_filtered(item)) {
		r->window.out = out;
		n = imap_filter_put(&r->filter, piece, &r->window);
		r->window.out = NULL;
		return n;
	}
	n = piece.n < wr_room(out) ? piece.n : wr_room(out);
	wr_bytes(out, (struct bytes){piece.p, n});
	r->window.left -= n;
	return n;
}

int
imap_render_on(struct imap *m, struct wr *out)
{
	struct imap_render *r = m->render;
	const struct imap_fetch *f = &m->command->fetch;
	const struct imap_item *item = &f->items[r->item];

	if (!r->begun) {
		wr_printf(out, "* %u FETCH (", (unsigned)r->row.number);
		r->begun = m->line_open = true;
	}
	if (r->item == f->n)
		return end_row(m, out);
	switch (r->stage) {
	case BEGIN:
		return begin_item(m, item, out);
	case TEXT:
		return text_on(r, out);
	case COUNTS:
		return count_on(m, item, out);
	case SENDS:
		return send_on(m, item, out);
	case FAILED:
		break;
	}
	return send_label(r, item, " NIL", out);
}

int
imap_render_settle(struct imap *m, struct wr *out)
{
	enum imap_want question = m->open;
	struct imap_render *r = m->render;

	m->open = IMAP_INPUT;
	m->answered = false;
	if (question == IMAP_ROW && r->given) {
		r->given = false;
		m->doing = IMAP_ON_ROW;
		return IMAP_GO_ON;
	}
	if (question == IMAP_ROW)
		return rows_done(m, out);
	if (m->answer == IMAP_OK)
		return IMAP_GO_ON;
	m->lost |= m->answer == IMAP_GONE;
	m->late |= m->answer != IMAP_GONE;
	if (r->literal) { /* invariant 1 */
		m->state = IMAP_AT_END;
		return IMAP_CLOSE;
	}
	if (question == IMAP_OCTETS)
		r->stage = FAILED;
	return IMAP_GO_ON;
}

bool
imap_render_begin(struct imap *m)
{
	m->render = arena_alloc(&m->arena, sizeof(*m->render));
	return m->render != NULL;
}

void
imap_row(struct imap *m, const struct imap_row *row)
{
	assert(m->open == IMAP_ROW && !m->answered);
	memset(m->render, 0, sizeof(*m->render));
	m->render->row = *row;
	m->render->given = true;
	answered(m);
}

void
imap_structure(struct imap *m, struct bytes envelope, struct bytes bodytext,
               struct bytes bodystructure)
{
	assert(m->open == IMAP_STRUCTURE && !m->answered);
	m->render->row.envelope = envelope;
	m->render->row.bodytext = bodytext;
	m->render->row.bodystructure = bodystructure;
	answered(m);
}

const uint32_t *
imap_path(const struct imap *m, size_t *n)
{
	const struct imap_item *item = &m->command->fetch.items[m->render->item];

	assert(m->open == IMAP_PART);
	*n = item->path_n;
	return item->path;
}

void
imap_part(struct imap *m, const struct imap_part *part)
{
	assert(m->open == IMAP_PART && !m->answered);
	m->render->placed = part != NULL;
	if (part)
		m->render->part = *part;
	answered(m);
}

uint32_t
imap_uid(const struct imap *m)
{
	return m->render->row.uid;
}

uint64_t
imap_offset(const struct imap *m)
{
	return m->render->at;
}

uint64_t
imap_missing(const struct imap *m)
{
	return m->render->end - m->render->at;
}

size_t
imap_octets(struct imap *m, struct bytes piece, struct wr *out)
{
	struct imap_render *r = m->render;
	const struct imap_item *item = &m->command->fetch.items[r->item];
	size_t n;

	assert(m->open == IMAP_OCTETS && !m->answered);
	if (piece.n > r->end - r->at)
		piece.n = (size_t)(r->end - r->at);
	n = r->stage == COUNTS ? imap_filter_put(&r->filter, piece, &r->window)
	                       : send_octets(r, item, piece, out);
	r->at += n;
	if (r->at == r->end || (r->stage == SENDS && !r->window.left))
		m->open = IMAP_INPUT; /* enough: the next step goes on */
	return n;
}

/*
 * mime.c - lines are judged at their end.  Of a line its first octets are held, since it may be a
 * delimiter; of a header the fields that are wanted are held until the header ends.
 *
 * Invariants while a message streams by:
 *   1. `now` is the innermost open part; its ancestors are the other open ones.
 *   2. state is HEADER while the header of `now` is being read, BODY in its body (of a multipart:
 *      outside its parts), REST where the rest of the message is all of its body.
 *   3. memory that is allocated, `used`, is at most `memory`.
 */
#include "mail/mime.h"

#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/token.h"

#include <assert.h>
#include <stdlib.h>

enum state { HEADER, BODY, REST }; /* HEADER must be 0 */

enum { LINE_BAD = MIME_8BIT | MIME_LONG_LINES };

enum kept { KEPT_NOT, KEPT_ENVELOPE, KEPT_CONTENT };

/* ---- memory ---- */

/*
 * Makes room for `need` in all, of `size` octets each, doubling; NULL, and nothing changed, when
 * the cap or the system refuses it.
 */
static void *
grown(struct mime *m, void *old, size_t *cap, size_t need, size_t most, size_t size)
{
	size_t now = *cap ? *cap : 256 / size, left = (m->memory - m->used) / size + *cap;
	void *p;

	while (now < need)
		now *= 2;
	now = now < most ? now : most;
	now = now < left ? now : left;
	if (now < need)
		return NULL;
	p = realloc(old, now * size);
	if (!p)
		return NULL;
	m->used += (now - *cap) * size;
	*cap = now;
	return p;
}

/* Where the next n octets of text may be written. */
static uint8_t *
text_room(struct mime *m, size_t n)
{
	uint8_t *p = m->text;

	if (m->text_n + n > m->text_cap)
		p = grown(m, m->text, &m->text_cap, m->text_n + n, UINT32_MAX, 1);
	if (!p)
		return NULL;
	m->text = p;
	return p + m->text_n;
}

static size_t
header_most(const struct mime *m)
{
	return m->memory / 4 < MIME_HEADER_MAX ? m->memory / 4 : MIME_HEADER_MAX;
}

/* A part of a header that is being read; what passes the cap is not kept. */
static void
header_add(struct mime *m, struct bytes b)
{
	size_t most = header_most(m);
	size_t need = m->header_n + b.n < most ? m->header_n + b.n : most;
	uint8_t *p = m->header;

	if (need > m->header_cap)
		p = grown(m, m->header, &m->header_cap, need, most, 1);
	if (p)
		m->header = p;
	if (b.n > m->header_cap - m->header_n)
		b.n = m->header_cap - m->header_n;
	if (b.n)
		memcpy(m->header + m->header_n, b.p, b.n);
	m->header_n += b.n;
}

static bool
parts_room(struct mime *m)
{
	size_t cap = m->cap;
	struct mime_part *p;

	if (m->n < m->cap)
		return true;
	if (m->parts == &m->only) {
		cap = 0;
		p = grown(m, NULL, &cap, 4, MIME_PARTS_MAX, sizeof(*p));
		if (p)
			p[0] = m->only;
	} else {
		p = grown(m, m->parts, &cap, m->n + (size_t)1, MIME_PARTS_MAX, sizeof(*p));
	}
	if (!p)
		return false;
	m->parts = p;
	m->cap = (uint32_t)cap;
	return true;
}

/* ---- parts ---- */

/* The rest of the message is the body of `now`, which is a leaf unless it has parts already. */
static void
give_up(struct mime *m)
{
	struct mime_part *p = &m->parts[m->now];

	if (p->child == MIME_NONE) {
		p->flags |= MIME_OPAQUE;
		p->kind = MIME_LEAF;
	}
	m->state = REST;
	m->cut = true;
}

/* Begins a part at `at`; `now` is its parent. */
static void
begin_part(struct mime *m, uint64_t at)
{
	uint32_t parent = m->now, self = m->n;
	struct mime_part *p, *up;

	if (!parts_room(m)) { /* nowhere to put it */
		give_up(m);
		return;
	}
	p = &m->parts[self];
	up = &m->parts[parent];
	*p = (struct mime_part){.at = at,
	                        .body = at,
	                        .end = at,
	                        .parent = parent,
	                        .child = MIME_NONE,
	                        .next = MIME_NONE,
	                        .last = MIME_NONE};
	p->depth = (uint8_t)(up->depth + 1);
	if (up->last == MIME_NONE)
		up->child = self;
	else
		m->parts[up->last].next = self;
	up->last = self;
	m->now = self;
	m->n++;
	m->state = HEADER;
	if (m->n == MIME_PARTS_MAX)
		give_up(m);
}

static bool
in_digest(const struct mime *m)
{
	const struct mime_part *p = &m->parts[m->now];
	struct content c;

	if (p->parent == MIME_NONE || m->parts[p->parent].kind != MIME_MULTIPART)
		return false;
	mime_content(m, p->parent, &c);
	return content_is(&c, "multipart", "digest");
}

static bool
is_message(const struct mime *m, uint32_t part)
{
	uint32_t parent = m->parts[part].parent;

	return parent == MIME_NONE || m->parts[parent].kind == MIME_MESSAGE;
}

/* The ENVELOPE of the message whose header was read; room is tried until it fits. */
static bool
keep_envelope(struct mime *m, struct mime_part *p)
{
	size_t room = m->header_n * 2 + 512;
	struct wr w;

	for (;; room *= 2) {
		uint8_t *start = text_room(m, room);

		if (!start)
			return false;
		w = wr_of(start, room);
		envelope_write(&w, (struct bytes){m->header, m->header_n});
		if (w.full)
			continue;
		p->envelope = (uint32_t)m->text_n;
		p->envelope_n = (uint32_t)wr_since(&w, start).n;
		m->text_n += p->envelope_n;
		return true;
	}
}

static bool
keep_content(struct mime *m, struct mime_part *p)
{
	uint8_t room[CONTENT_PACKED_MAX], *text;
	struct wr w = wr_of(room, sizeof(room));
	bool digest = in_digest(m);
	struct content_seen seen = content_read(&w, (struct bytes){m->header, m->header_n}, digest);
	struct bytes packed = wr_since(&w, room);

	assert(!w.full);
	p->flags |=
	    (uint8_t)((seen.ambiguous ? MIME_AMBIGUOUS : 0) | (seen.type ? MIME_HAS_TYPE : 0) |
	              (seen.mime_version ? MIME_HAS_VERSION : 0));
	if (!m->header_n && !digest) /* text/plain, as for no content */
		return true;
	text = text_room(m, packed.n);
	if (!text)
		return false;
	memcpy(text, packed.p, packed.n);
	p->content = (uint32_t)m->text_n;
	p->content_n = (uint32_t)packed.n;
	m->text_n += packed.n;
	return true;
}

/* A multipart that cannot be taken apart is text (RFC 2045 5.2). */
static void
take_boundary(struct mime *m, struct mime_part *p, struct bytes boundary)
{
	while (boundary.n && token_is_blank(boundary.p[boundary.n - 1]))
		boundary.n--;
	if (!boundary.n || boundary.n > MIME_BOUNDARY_MAX) {
		p->content_n = 0;
		p->flags |= MIME_AMBIGUOUS;
		return;
	}
	p->kind = MIME_MULTIPART;
	p->boundary = (uint32_t)(boundary.p - m->text);
	p->boundary_n = (uint8_t)boundary.n;
}

static void
take_kind(struct mime *m, struct mime_part *p)
{
	struct content c;
	bool multipart, message;

	mime_content(m, m->now, &c);
	p->encoding = (uint8_t)encoding_find(c.encoding);
	multipart = content_is(&c, "multipart", NULL);
	message = content_is(&c, "message", "rfc822");
	if (!multipart && !message)
		return;
	if (p->depth == MIME_DEPTH_MAX) {
		p->flags |= MIME_OPAQUE;
		m->cut = true;
		return;
	}
	if (multipart)
		take_boundary(m, p, content_param_find(c.params, "boundary"));
	else
		p->kind = MIME_MESSAGE;
	if (p->kind != MIME_LEAF && p->encoding >= ENCODING_QP) {
		p->flags |= MIME_AMBIGUOUS;
		p->encoding = ENCODING_7BIT;
	}
}

/* The header of `now` ends; its body begins at `at`. */
static void
end_header(struct mime *m, uint64_t at)
{
	struct mime_part *p = &m->parts[m->now];
	bool fits;

	p->body = p->end = at;
	p->lines = m->lines;
	m->state = BODY;
	fits = keep_content(m, p);
	if (fits && is_message(m, m->now))
		fits = keep_envelope(m, p);
	m->header_n = 0;
	m->kept = KEPT_NOT;
	if (!fits) {
		p->content_n = 0;
		give_up(m);
		return;
	}
	take_kind(m, p);
	if (p->kind == MIME_MESSAGE)
		begin_part(m, at);
}

/* `now` ends at `end`, before which `lines` ends of lines were; nothing of it is behind `most`. */
static void
end_part(struct mime *m, uint64_t end, uint64_t most, uint32_t lines)
{
	struct mime_part *p = &m->parts[m->now];

	p->at = p->at < most ? p->at : most;
	p->body = p->body < most ? p->body : most;
	p->lines = end > p->body ? lines - p->lines : 0;
	p->end = end > p->body ? end : p->body;
}

/* ---- lines ---- */

/* The line is a delimiter of `part`, and its last one if `last`; it ends at m->at. */
static void
take_delimiter(struct mime *m, uint32_t part, bool last)
{
	uint64_t end = m->line_at - m->eol;
	uint32_t lines = m->lines - (m->eol != 0), child;
	uint64_t most;

	while (m->state == HEADER)
		end_header(m, m->line_at);
	if (m->state == REST)
		return;
	/* The end of line before a delimiter is its own, even if it ended a header within. */
	for (child = m->now; m->parts[child].parent != part && child != part;)
		child = m->parts[child].parent;
	most = m->parts[child].body > end ? m->parts[child].body : end;
	for (; m->now != part; m->now = m->parts[m->now].parent)
		end_part(m, end, most, lines);
	m->state = BODY;
	if (last)
		m->parts[part].flags |= MIME_CLOSED;
	else
		begin_part(m, m->at);
}

/* The innermost open multipart whose delimiter the line is. */
static bool
find_delimiter(const struct mime *m, size_t line_n, uint32_t *part, bool *last)
{
	struct bytes line = {m->line, line_n}, rest;

	if (line.n < 3 || line.n == MIME_LINE_MAX || line.p[0] != '-' || line.p[1] != '-')
		return false;
	line = (struct bytes){line.p + 2, line.n - 2};
	while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	for (*part = m->now; *part != MIME_NONE; *part = m->parts[*part].parent) {
		const struct mime_part *p = &m->parts[*part];

		if (!p->boundary_n || p->kind != MIME_MULTIPART || (p->flags & MIME_CLOSED) ||
		    line.n < p->boundary_n ||
		    memcmp(line.p, m->text + p->boundary, p->boundary_n) != 0)
			continue;
		rest = (struct bytes){line.p + p->boundary_n, line.n - p->boundary_n};
		*last = rest.n == 2 && rest.p[0] == '-' && rest.p[1] == '-';
		if (*last || !rest.n)
			return true;
	}
	return false;
}

/* The name of the field that the line begins; empty when it is no field. */
static struct bytes
field_name(const struct mime *m)
{
	size_t n = 0, at;

	while (n < m->line_n && m->line[n] > ' ' && m->line[n] < 0x7f && m->line[n] != ':')
		n++;
	for (at = n; at < m->line_n && (m->line[at] == ' ' || m->line[at] == '\t');)
		at++;
	if (at == m->line_n || m->line[at] != ':')
		n = 0;
	return (struct bytes){m->line, n};
}

/*
 * Keeps or forgets the line of `length` octets that was added to the header, and ends it properly
 * where a cap has cut it.  Envelopes have only half of the room, so that fields that say what a part
 * is are not crowded out.
 */
static void
keep_line(struct mime *m, enum kept kept, size_t length)
{
	size_t most = header_most(m) / (kept == KEPT_ENVELOPE ? 2 : 1);
	size_t start = m->line_header;

	m->kept = (uint8_t)kept;
	if (kept != KEPT_NOT && m->header_n == start + length && m->header_n <= most)
		return;
	m->cut |= kept != KEPT_NOT;
	m->header_n = m->header_n < most ? m->header_n : most;
	if (kept == KEPT_NOT || m->header_n < start + MIME_LINE_MAX + 2) {
		m->header_n = start;
		m->kept = KEPT_NOT; /* nor any fold of it */
	} else {
		memcpy(m->header + m->header_n - 2, "\r\n", 2);
	}
}

/*
 * A line in a header, of `length` octets, the end with them.  False when the header ended before it,
 * so that it is the first line of a body.
 */
static bool
header_line(struct mime *m, size_t length, size_t eol)
{
	struct mime_part *p = &m->parts[m->now];
	bool fold = m->line_at > p->at && (m->line[0] == ' ' || m->line[0] == '\t');
	struct bytes name = fold ? NO_BYTES : field_name(m);
	enum kept kept = KEPT_NOT;

	if (fold)
		kept = (enum kept)m->kept;
	else if (name.n && content_wants(name))
		kept = KEPT_CONTENT;
	else if (name.n && is_message(m, m->now) && envelope_wants(name))
		kept = KEPT_ENVELOPE;
	keep_line(m, kept, length);
	if (fold || name.n) {
		p->flags |= m->line_flags & MIME_8BIT ? MIME_HEADER_8BIT : 0;
		return true;
	}
	if (length == eol && eol) {
		m->lines++;
		end_header(m, m->at);
		m->lines--;
		return true;
	}
	while (m->state == HEADER)
		end_header(m, m->line_at);
	return false;
}

/* A whole line of `length` octets, the end with them; `lines` does not count it yet. */
static void
take_line(struct mime *m, size_t length, size_t eol)
{
	bool is_short = length < MIME_LINE_MAX, last;
	uint32_t part;

	for (;;) { /* what is delimiter comes first: it may look like a field */
		if (m->state != REST && is_short && find_delimiter(m, length - eol, &part, &last)) {
			m->header_n = m->state == HEADER ? m->line_header : 0;
			take_delimiter(m, part, last);
			return;
		}
		if (m->state != HEADER)
			break;
		if (header_line(m, length, eol))
			return;
	}
	m->parts[m->now].flags |= m->line_flags & LINE_BAD;
}

/* The line from line_at to `at` is whole, or is the last; `eol` octets of it are its end. */
static void
end_line(struct mime *m, size_t eol)
{
	uint64_t length = m->at - m->line_at;

	if (length - eol > MIME_TEXT_LINE_MAX)
		m->line_flags |= MIME_LONG_LINES;
	take_line(m, length < SIZE_MAX ? (size_t)length : SIZE_MAX, eol);
	m->lines += eol != 0;
	m->eol = (uint8_t)eol;
	m->line_at = m->at;
	m->line_n = 0;
	m->line_flags = 0;
	m->line_header = m->header_n;
}

static uint8_t
flags_of(struct bytes b)
{
	uint8_t all = 0, flags = 0;

	for (size_t i = 0; i < b.n; i++)
		all |= b.p[i];
	if (all & 0x80)
		flags |= MIME_8BIT;
	if (b.n && memchr(b.p, 0, b.n))
		flags |= MIME_LONG_LINES;
	return flags;
}

/* Octets of one line; with its end if it is there. */
static void
line_piece(struct mime *m, struct bytes b)
{
	size_t n = sizeof(m->line) - m->line_n;

	n = b.n < n ? b.n : n;
	if (n)
		memcpy(m->line + m->line_n, b.p, n);
	m->line_n = (uint16_t)(m->line_n + n);
	m->line_flags |= flags_of(b);
	if (m->state == HEADER)
		header_add(m, b);
	m->at += b.n;
}

void
mime_init(struct mime *m, size_t memory)
{
	memset(m, 0, sizeof(*m));
	m->memory = memory;
	m->parts = &m->only;
	m->cap = m->n = 1;
	m->only = (struct mime_part){
	    .parent = MIME_NONE, .child = MIME_NONE, .next = MIME_NONE, .last = MIME_NONE};
}

void
mime_feed(struct mime *m, struct bytes b)
{
	const uint8_t *lf;
	size_t n;
	bool cr;

	while (b.n) {
		lf = memchr(b.p, '\n', b.n);
		n = lf ? (size_t)(lf - b.p) + 1 : b.n;
		line_piece(m, (struct bytes){b.p, n});
		cr = n > 1 ? b.p[n - 2] == '\r' : m->last_cr;
		m->last_cr = b.p[n - 1] == '\r';
		if (lf)
			end_line(m, cr ? 2 : 1);
		b = (struct bytes){b.p + n, b.n - n};
	}
}

void
mime_done(struct mime *m)
{
	if (m->at > m->line_at)
		end_line(m, 0);
	while (m->state == HEADER)
		end_header(m, m->at);
	for (;; m->now = m->parts[m->now].parent) {
		end_part(m, m->at, m->at, m->lines);
		if (m->parts[m->now].parent == MIME_NONE)
			break;
	}
	for (uint32_t i = 0; i < m->n; i++)
		m->ambiguous |= (m->parts[i].flags & MIME_AMBIGUOUS) != 0;
	free(m->header);
	m->header = NULL;
	m->header_n = m->header_cap = 0;
}

void
mime_fini(struct mime *m)
{
	if (m->parts != &m->only)
		free(m->parts);
	free(m->text);
	free(m->header);
	mime_init(m, m->memory);
}

void
mime_content(const struct mime *m, uint32_t part, struct content *c)
{
	const struct mime_part *p = &m->parts[part];
	bool good = p->content_n && !(p->flags & MIME_OPAQUE) &&
	            content_unpack((struct bytes){m->text + p->content, p->content_n}, c);

	if (good)
		return;
	memset(c, 0, sizeof(*c));
	c->type = p->flags & MIME_OPAQUE ? BYTES("application") : BYTES("text");
	c->subtype = p->flags & MIME_OPAQUE ? BYTES("octet-stream") : BYTES("plain");
}

struct bytes
mime_envelope(const struct mime *m, uint32_t part)
{
	const struct mime_part *p = &m->parts[part];

	return p->envelope_n ? (struct bytes){m->text + p->envelope, p->envelope_n} : NO_BYTES;
}

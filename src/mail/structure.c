/*
 * structure.c - RFC 3501 6.4.5 and 7.4.2, without recursion: a part is shown when it is come to,
 * and what stands behind its children when they were shown.
 *
 * Packed: the number of parts, then for each, in the order of the message: an octet of kind and
 * encoding, its flags, its depth, then as numbers of 7 bits an octet, the lowest first: its start
 * behind the body of the part before, the sizes of header and body, lines, and its packed content
 * behind its size; of the message in a message/rfc822 also the ENVELOPE behind its size.
 */
#include "mail/structure.h"

#include "base/text.h"
#include "mail/envelope.h"

#include <stdlib.h>

/* ---- sections ---- */

static uint32_t
child(const struct mime *m, uint32_t part, uint32_t number)
{
	uint32_t at = m->parts[part].child;

	while (at != MIME_NONE && --number)
		at = m->parts[at].next;
	return at;
}

/* A part that was named; `top` while only a message is, whose part it may be. */
struct place {
	uint32_t part;
	bool top;
};

static bool
descend(const struct mime *m, struct place *p, uint32_t number)
{
	if (!number)
		return false;
	if (!p->top && m->parts[p->part].kind == MIME_MESSAGE)
		*p = (struct place){m->parts[p->part].child, true};
	if (m->parts[p->part].kind == MIME_MULTIPART)
		p->part = child(m, p->part, number);
	else if (!p->top || number != 1)
		return false;
	p->top = false;
	return p->part != MIME_NONE;
}

static void
header_section(const struct mime *m, uint32_t part, struct section *s)
{
	const struct mime_part *p = &m->parts[part];

	*s = (struct section){p->at, p->body - p->at, part};
}

static void
body_section(const struct mime *m, uint32_t part, struct section *s)
{
	const struct mime_part *p = &m->parts[part];

	*s = (struct section){p->body, p->end - p->body, part};
}

bool
section_find(const struct mime *m, const uint32_t *numbers, size_t n, enum section_kind kind,
             struct section *s)
{
	struct place p = {0, true};
	uint32_t message = 0;

	for (size_t i = 0; i < n; i++)
		if (!descend(m, &p, numbers[i]))
			return false;
	if (n && m->parts[p.part].kind == MIME_MESSAGE)
		message = m->parts[p.part].child;
	else if (n)
		message = MIME_NONE;
	switch (kind) {
	case SECTION_PART:
		body_section(m, p.part, s);
		if (!n)
			*s = (struct section){0, m->parts[0].end, 0};
		return true;
	case SECTION_MIME:
		header_section(m, p.part, s);
		return n > 0;
	case SECTION_HEADER:
		if (message != MIME_NONE)
			header_section(m, message, s);
		return message != MIME_NONE;
	case SECTION_TEXT:
		if (message != MIME_NONE)
			body_section(m, message, s);
		return message != MIME_NONE;
	}
	return false;
}

static bool
find_kind(struct bytes text, enum section_kind *kind)
{
	static const struct {
		const char *name;
		enum section_kind kind;
	} kinds[] = {{"HEADER", SECTION_HEADER}, {"TEXT", SECTION_TEXT}, {"MIME", SECTION_MIME}};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (bytes_eq_nocase(text, bytes_of(kinds[i].name))) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

bool
section_find_text(const struct mime *m, struct bytes text, struct section *s)
{
	uint32_t numbers[MIME_DEPTH_MAX + 2];
	enum section_kind kind = SECTION_PART;
	bool more = text.n > 0;
	struct bytes word;
	uint64_t number;
	size_t n = 0;

	while (more) {
		more = memchr(text.p, '.', text.n) != NULL;
		word = text_cut(&text, '.');
		if (!more && find_kind(word, &kind))
			break;
		if (n == COUNT(numbers) || !text_u64(word, UINT32_MAX, &number))
			return false;
		numbers[n++] = (uint32_t)number;
	}
	return section_find(m, numbers, n, kind, s);
}

/* ---- BODY and BODYSTRUCTURE ---- */

/* Writes what stands behind the first `skip` octets, as far as there is room. */
struct window {
	struct wr *w;
	size_t skip, seen;
	bool stopped;
};

static void
put(struct window *v, struct bytes b)
{
	size_t skip = v->skip > v->seen ? v->skip - v->seen : 0, n;

	if (v->stopped)
		return;
	skip = skip < b.n ? skip : b.n;
	n = b.n - skip < wr_room(v->w) ? b.n - skip : wr_room(v->w);
	if (n)
		wr_bytes(v->w, (struct bytes){b.p + skip, n});
	v->seen += skip + n;
	v->stopped = skip + n < b.n;
}

static void
put_text(struct window *v, const char *s)
{
	put(v, bytes_of(s));
}

static void
put_number(struct window *v, uint64_t number)
{
	uint8_t room[24];
	struct wr w = wr_of(room, sizeof(room));

	wr_printf(&w, " %llu", (unsigned long long)number);
	put(v, wr_since(&w, room));
}

enum {
	STRING_ROOM =
	    2 * (CONTENT_PARAM_MAX > CONTENT_STRING_MAX ? CONTENT_PARAM_MAX : CONTENT_STRING_MAX) +
	    16
};

static void
put_string(struct window *v, struct bytes b)
{
	uint8_t room[STRING_ROOM];
	struct wr w = wr_of(room, sizeof(room));

	imap_string(&w, b);
	put(v, wr_since(&w, room));
}

static void
put_nstring(struct window *v, struct bytes b)
{
	if (b.n)
		put_string(v, b);
	else
		put_text(v, "NIL");
}

static void
put_params(struct window *v, struct bytes params)
{
	struct bytes name, value;
	const char *sep = "(";

	if (!params.n) {
		put_text(v, " NIL");
		return;
	}
	put_text(v, " ");
	while (content_param(&params, &name, &value)) {
		put_text(v, sep);
		put_string(v, name);
		put_text(v, " ");
		put_string(v, value);
		sep = " ";
	}
	put_text(v, ")");
}

/* Disposition, language, location: what all extended forms end with. */
static void
put_extension(struct window *v, const struct content *c)
{
	struct bytes languages = c->languages, tag;
	const char *sep = " (";

	if (c->disposition.n) {
		put_text(v, " (");
		put_string(v, c->disposition);
		put_params(v, c->disposition_params);
		put_text(v, ")");
	} else {
		put_text(v, " NIL");
	}
	while (content_language(&languages, &tag)) {
		put_text(v, sep);
		put_string(v, tag);
		sep = " ";
	}
	put_text(v, c->languages.n ? ") " : " NIL ");
	put_nstring(v, c->location);
}

static void
put_fields(struct window *v, const struct content *c, uint64_t size)
{
	put_text(v, "(");
	put_string(v, c->type);
	put_text(v, " ");
	put_string(v, c->subtype);
	put_params(v, c->params);
	put_text(v, " ");
	put_nstring(v, c->id);
	put_text(v, " ");
	put_nstring(v, c->description);
	put_text(v, " ");
	put_string(v, c->encoding.n ? c->encoding : BYTES("7BIT"));
	put_number(v, size);
}

static void
put_end(struct window *v, const struct content *c, bool extended)
{
	if (extended) {
		put_text(v, " ");
		put_nstring(v, c->md5);
		put_extension(v, c);
	}
	put_text(v, ")");
}

static void
show_multipart(struct window *v, const struct mime_part *p, const struct content *c, bool up,
               bool extended)
{
	if (!up) {
		put_text(v, "(");
		return;
	}
	if (p->child == MIME_NONE) { /* the grammar wants one */
		put_text(v, "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0");
		put_text(v, extended ? " NIL NIL NIL NIL)" : ")");
	}
	put_text(v, " ");
	put_string(v, c->subtype);
	if (extended) {
		put_params(v, c->params);
		put_extension(v, c);
	}
	put_text(v, ")");
}

static void
show_part(struct window *v, const struct mime *m, uint32_t part, bool up, bool extended)
{
	const struct mime_part *p = &m->parts[part];
	struct content c;

	mime_content(m, part, &c);
	if (p->kind == MIME_MULTIPART) {
		show_multipart(v, p, &c, up, extended);
		return;
	}
	if (!up)
		put_fields(v, &c, p->end - p->body);
	if (!up && p->kind == MIME_MESSAGE) {
		put_text(v, " ");
		put(v, mime_envelope(m, p->child));
		put_text(v, " ");
		return;
	}
	if (p->kind == MIME_MESSAGE || content_is(&c, "text", NULL))
		put_number(v, p->lines);
	put_end(v, &c, extended);
}

static void
go_on(struct structure_text *t, const struct mime *m)
{
	const struct mime_part *p = &m->parts[t->part];
	bool had_children = t->up;

	t->wrote = 0;
	t->up = false;
	if (!had_children && p->child != MIME_NONE) {
		t->part = p->child;
	} else if (!had_children && p->kind == MIME_MULTIPART) {
		t->up = true;
	} else if (p->next != MIME_NONE) {
		t->part = p->next;
	} else {
		t->part = p->parent;
		t->up = true;
	}
}

bool
structure_write(struct wr *w, struct structure_text *t, const struct mime *m, bool extended)
{
	struct window v;

	while (t->part != MIME_NONE) {
		v = (struct window){w, t->wrote, 0, false};
		show_part(&v, m, t->part, t->up, extended);
		if (v.stopped) {
			t->wrote = v.seen;
			return false;
		}
		go_on(t, m);
	}
	return true;
}

/* ---- packed ---- */

static void
wr_number(struct wr *w, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wr_u8(w, (uint8_t)(0x80 | (v & 0x7f)));
	wr_u8(w, (uint8_t)v);
}

static uint64_t
rd_number(struct rd *in, uint64_t max)
{
	uint64_t v = 0;
	uint8_t c;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		c = rd_u8(in);
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			in->bad |= v > max;
			return in->bad ? 0 : v;
		}
	}
	in->bad = true;
	return 0;
}

static void
wr_string(struct wr *w, struct bytes b)
{
	wr_number(w, b.n);
	wr_bytes(w, b);
}

static bool
in_message(const struct mime *m, uint32_t part)
{
	uint32_t parent = m->parts[part].parent;

	return parent != MIME_NONE && m->parts[parent].kind == MIME_MESSAGE;
}

void
structure_pack(struct wr *w, const struct mime *m)
{
	const struct mime_part *p;
	uint64_t before = 0;

	wr_number(w, m->n);
	for (uint32_t i = 0; i < m->n && !w->full; i++) {
		p = &m->parts[i];
		wr_u8(w, (uint8_t)(p->kind | p->encoding << 2));
		wr_u8(w, p->flags);
		wr_u8(w, p->depth);
		wr_number(w, p->at - before);
		wr_number(w, p->body - p->at);
		wr_number(w, p->end - p->body);
		wr_number(w, p->lines);
		wr_string(w, (struct bytes){m->text + p->content, p->content_n});
		if (in_message(m, i))
			wr_string(w, mime_envelope(m, i));
		before = p->body;
	}
}

enum { PACKED_PART_MIN = 8 };

/* A string of the packed form, which lies in m->text at the same place as in what is read. */
static uint32_t
take_string(struct rd *in, const uint8_t *start, uint32_t *n)
{
	struct bytes b = rd_take(in, (size_t)rd_number(in, UINT32_MAX));

	*n = (uint32_t)b.n;
	return b.n ? (uint32_t)(b.p - start) : 0;
}

/* Hangs part i below the last part that is one less deep. */
static bool
hang(struct mime *m, uint32_t i, uint32_t *last)
{
	struct mime_part *p = &m->parts[i], *up;
	uint32_t parent = i - 1;

	if (!p->depth || p->depth > m->parts[parent].depth + 1)
		return false;
	while (m->parts[parent].depth >= p->depth)
		parent = m->parts[parent].parent;
	up = &m->parts[parent];
	p->parent = parent;
	if (up->kind == MIME_LEAF || (up->kind == MIME_MESSAGE && last[parent] != MIME_NONE))
		return false;
	if (p->at < up->body || p->end > up->end)
		return false;
	if (last[parent] == MIME_NONE)
		up->child = i;
	else if (p->at < m->parts[last[parent]].end)
		return false;
	else
		m->parts[last[parent]].next = i;
	last[parent] = i;
	return true;
}

static bool
unpack_part(struct mime *m, uint32_t i, struct rd *in, const uint8_t *start, uint32_t *last)
{
	struct mime_part *p = &m->parts[i];
	uint64_t size = m->at;
	struct content c;
	uint8_t head = rd_u8(in);

	*p = (struct mime_part){
	    .parent = MIME_NONE, .child = MIME_NONE, .next = MIME_NONE, .last = MIME_NONE};
	last[i] = MIME_NONE;
	p->kind = head & 3;
	p->encoding = head >> 2;
	p->flags = rd_u8(in);
	p->depth = rd_u8(in);
	p->at = (i ? m->parts[i - 1].body : 0) + rd_number(in, size);
	p->body = p->at + rd_number(in, size);
	p->end = p->body + rd_number(in, size);
	p->lines = (uint32_t)rd_number(in, UINT32_MAX);
	p->content = take_string(in, start, &p->content_n);
	if (in->bad || p->kind > MIME_MESSAGE || p->encoding > ENCODING_UNKNOWN ||
	    p->depth > MIME_DEPTH_MAX || p->end > size)
		return false;
	if (p->content_n && !content_unpack((struct bytes){start + p->content, p->content_n}, &c))
		return false;
	if (i ? !hang(m, i, last) : p->depth != 0 || p->at != 0 || p->end != size)
		return false;
	if (in_message(m, i))
		p->envelope = take_string(in, start, &p->envelope_n);
	m->ambiguous |= (p->flags & MIME_AMBIGUOUS) != 0;
	return !in->bad;
}

static bool
unpack_parts(struct mime *m, struct rd *in, const uint8_t *start, uint32_t *last)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!unpack_part(m, i, in, start, last))
			return false;
	for (uint32_t i = 0; i < m->n; i++)
		if (m->parts[i].kind == MIME_MESSAGE && m->parts[i].child == MIME_NONE)
			return false;
	return rd_left(in) == 0;
}

struct err
structure_unpack(struct mime *m, struct bytes packed, uint64_t size)
{
	struct rd in = rd_of(packed);
	uint32_t *last;
	uint64_t n;
	bool good;

	mime_init(m, 0);
	n = rd_number(&in, MIME_PARTS_MAX);
	if (!n || n > packed.n / PACKED_PART_MIN || packed.n > UINT32_MAX)
		return ERR(ERR_SYNTAX, 0, "structure: not packed");
	last = calloc((size_t)n, sizeof(*last));
	m->parts = calloc((size_t)n, sizeof(*m->parts));
	m->text = malloc(packed.n);
	if (!m->parts)
		m->parts = &m->only;
	good = last && m->parts != &m->only && m->text;
	if (!good) {
		free(last);
		mime_fini(m);
		return ERR(ERR_MEMORY, 0, "structure: unpack");
	}
	memcpy(m->text, packed.p, packed.n);
	m->n = m->cap = (uint32_t)n;
	m->at = size;
	good = unpack_parts(m, &in, packed.p, last);
	free(last);
	if (good)
		return OK;
	mime_fini(m);
	return ERR(ERR_SYNTAX, 0, "structure: not packed");
}

/*
 * convert.c - the message is a row of regions, as the tree gives them: the header of a part, the
 * body of a leaf, and what lies between (delimiters, text outside of parts).
 */
#include "mail/convert.h"

enum state { BETWEEN, HEADER, BODY };                    /* BETWEEN must be 0 */
enum line { START, NAME, REST_OF_LINE, DROPPED, ENDED }; /* START must be 0 */

enum action {
	KEEP,
	RELABEL, /* to 7bit */
	TO_QP,   /* and its body with it */
	TO_BASE64,
};

static const char field[] = "content-transfer-encoding";

/* What may not be encoded: it would be another thing (RFC 2046 5.2.2, 5.2.3). */
static bool
is_fixed(const struct mime *m, uint32_t part)
{
	const struct mime_part *p = &m->parts[part];
	struct content c;

	mime_content(m, part, &c);
	return p->encoding == ENCODING_UNKNOWN || (p->flags & MIME_OPAQUE) ||
	       content_is(&c, "message", "partial") || content_is(&c, "message", "external-body");
}

static bool
is_signed(const struct mime *m, uint32_t part)
{
	struct content c;

	if (m->parts[part].kind != MIME_MULTIPART)
		return false;
	mime_content(m, part, &c);
	return content_is(&c, "multipart", "signed");
}

static bool
needs_encoding(const struct mime_part *p)
{
	return p->kind == MIME_LEAF && ((p->flags & MIME_8BIT) || (p->encoding == ENCODING_BINARY &&
	                                                           (p->flags & MIME_LONG_LINES)));
}

enum convert_plan
convert_plan(const struct mime *m)
{
	enum convert_plan plan = CONVERT_NOTHING, one;
	uint64_t keep = 0;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->parts[i];

		if (p->at >= keep && is_signed(m, i))
			keep = p->end;
		one = CONVERT_NOTHING;
		if (needs_encoding(p) || (p->flags & MIME_8BIT))
			one = CONVERT_NEEDED;
		if (one == CONVERT_NEEDED && p->at < keep)
			one = CONVERT_SIGNED;
		if ((needs_encoding(p) && is_fixed(m, i)) || (p->flags & MIME_HEADER_8BIT))
			one = CONVERT_IMPOSSIBLE;
		plan = one > plan ? one : plan;
	}
	return plan;
}

static enum action
action_of(const struct convert *c)
{
	const struct mime_part *p = &c->tree->parts[c->part];
	struct content content;

	if (c->at < c->keep || c->plan == CONVERT_NOTHING)
		return KEEP;
	if (!needs_encoding(p)) {
		bool label = p->encoding == ENCODING_8BIT || p->encoding == ENCODING_BINARY;

		return label && c->plan == CONVERT_NEEDED ? RELABEL : KEEP;
	}
	if (is_fixed(c->tree, c->part))
		return KEEP;
	if (p->encoding == ENCODING_QP)
		return TO_QP;
	if (p->encoding == ENCODING_BASE64)
		return TO_BASE64;
	mime_content(c->tree, c->part, &content);
	return content_is(&content, "text", NULL) || content_is(&content, "message", NULL)
	           ? TO_QP
	           : TO_BASE64;
}

static bool
adds_version(const struct convert *c)
{
	return !c->part && c->plan != CONVERT_NOTHING && !c->keep &&
	       !(c->tree->parts[0].flags & MIME_HAS_VERSION);
}

/* ---- headers ---- */

static void
add_fields(struct convert *c, struct wr *out)
{
	static const char *const names[] = {
	    [RELABEL] = "7bit", [TO_QP] = "quoted-printable", [TO_BASE64] = "base64"};
	bool typed = c->tree->parts[c->part].flags & MIME_HAS_TYPE;

	if (adds_version(c)) {
		wr_text(out, "MIME-Version: 1.0\r\n");
		if (!typed && c->action != KEEP) /* RFC 1428 */
			wr_text(out, "Content-Type: text/plain; charset=unknown-8bit\r\n");
	}
	if (c->action != KEEP)
		wr_printf(out, "Content-Transfer-Encoding: %s\r\n", names[c->action]);
}

static void
begin_part(struct convert *c)
{
	if (c->at >= c->keep && is_signed(c->tree, c->part))
		c->keep = c->tree->parts[c->part].end;
	c->action = (uint8_t)action_of(c);
	c->state = HEADER;
	c->line = START;
	c->dropped = false;
	c->name_n = 0;
}

static void
let_go(struct convert *c, struct wr *out)
{
	wr_bytes(out, (struct bytes){c->name, c->name_n});
	c->name_n = 0;
}

/* The name of a field goes on: it is held as long as it may be the one that is replaced. */
static void
name_octet(struct convert *c, uint8_t o, struct wr *out)
{
	size_t n = c->name_n;

	if (n == sizeof(field) - 1 && (o == ':' || o == ' ' || o == '\t')) {
		c->name_n = 0;
		c->line = DROPPED;
		return;
	}
	c->name[c->name_n++] = o;
	if (n >= sizeof(field) - 1 || lower(o) != (uint8_t)field[n]) {
		let_go(c, out);
		c->line = o == '\n' ? START : REST_OF_LINE;
	}
}

static void
line_octet(struct convert *c, uint8_t o, struct wr *out)
{
	bool fold = o == ' ' || o == '\t';

	if (fold && c->dropped) {
		c->line = DROPPED;
		return;
	}
	c->dropped = false;
	if (o == '\r' || o == '\n') { /* no other line of a header begins so */
		add_fields(c, out);
		c->line = ENDED;
		wr_u8(out, o);
	} else if (fold || c->action == KEEP) {
		c->line = REST_OF_LINE;
		wr_u8(out, o);
	} else {
		c->line = NAME;
		name_octet(c, o, out);
	}
}

static void
header_octet(struct convert *c, uint8_t o, struct wr *out)
{
	switch ((enum line)c->line) {
	case START:
		line_octet(c, o, out);
		return;
	case NAME:
		name_octet(c, o, out);
		return;
	case DROPPED:
		c->dropped = true;
		if (o == '\n')
			c->line = START;
		return;
	case REST_OF_LINE:
		if (o == '\n')
			c->line = START;
		break;
	case ENDED:
		break;
	}
	wr_u8(out, o);
}

/*
 * A header without an empty line gets one if something is added to it, or to the header of the
 * message in it.
 */
static void
end_header(struct convert *c, struct wr *out)
{
	const struct mime_part *p = &c->tree->parts[c->part];
	bool changes = c->plan != CONVERT_NOTHING && c->at >= c->keep;

	if (c->line == NAME)
		let_go(c, out);
	if (c->line != ENDED &&
	    (c->action != KEEP || adds_version(c) || (p->kind == MIME_MESSAGE && changes))) {
		if (c->line == NAME || c->line == REST_OF_LINE)
			wr_text(out, "\r\n");
		add_fields(c, out);
		wr_text(out, "\r\n");
	}
	c->state = BODY;
	if (p->kind != MIME_LEAF) {
		c->part++;
		c->state = BETWEEN;
		return;
	}
	c->decode = (struct decode){.encoding = p->encoding};
	c->encode = (struct encode){.encoding = c->action == TO_QP ? ENCODING_QP : ENCODING_BASE64};
}

/* ---- the rest ---- */

enum { PIECE = 256 }; /* three times so much and its soft breaks fit into CONVERT_ROOM */

static void
body_piece(struct convert *c, struct rd *in, struct wr *out)
{
	uint8_t room[PIECE];
	struct wr w = wr_of(room, sizeof(room));
	struct rd decoded;

	decode_feed(&c->decode, in, &w);
	decoded = rd_of(wr_since(&w, room));
	encode_feed(&c->encode, &decoded, out);
}

static void
end_body(struct convert *c, struct wr *out)
{
	const struct mime_part *p = &c->tree->parts[c->part];
	uint8_t room[PIECE];
	struct wr w = wr_of(room, sizeof(room));
	struct rd decoded;

	if (c->action >= TO_QP) {
		decode_finish(&c->decode, &w);
		decoded = rd_of(wr_since(&w, room));
		encode_feed(&c->encode, &decoded, out);
		encode_finish(&c->encode, out);
		if (p->end == c->tree->parts[0].end && c->action == TO_BASE64 && p->end > p->body)
			wr_text(out, "\r\n");
	}
	c->part++;
	c->state = BETWEEN;
}

/* As it is; but outside of parts there is nothing that an octet beyond ASCII could mean. */
static void
copy(struct convert *c, struct bytes b, struct wr *out)
{
	uint8_t *start = out->p;

	wr_bytes(out, b);
	if (c->state != BETWEEN || c->at < c->keep || c->plan == CONVERT_NOTHING)
		return;
	for (uint8_t *p = start; p < out->p; p++)
		if (*p >= 0x80)
			*p = '?';
}

/* Where the region ends that the next octet is in. */
static uint64_t
limit(const struct convert *c)
{
	const struct mime *m = c->tree;

	switch ((enum state)c->state) {
	case HEADER:
		return m->parts[c->part].body;
	case BODY:
		return m->parts[c->part].end;
	case BETWEEN:
		break;
	}
	return c->part < m->n ? m->parts[c->part].at : m->parts[0].end;
}

static void
end_region(struct convert *c, struct wr *out)
{
	switch ((enum state)c->state) {
	case BETWEEN:
		begin_part(c);
		return;
	case HEADER:
		end_header(c, out);
		return;
	case BODY:
		end_body(c, out);
		return;
	}
}

/* Octets of one region, at most `n`, as far as there is room. */
static void
region_piece(struct convert *c, struct rd *in, size_t n, struct wr *out)
{
	struct rd piece = {in->p, in->p + n, false};

	if (c->state == HEADER) {
		header_octet(c, rd_u8(&piece), out);
	} else if (c->state == BODY && c->action >= TO_QP) {
		body_piece(c, &piece, out);
	} else {
		n = n < wr_room(out) ? n : wr_room(out);
		copy(c, rd_take(&piece, n), out);
	}
	c->at += (size_t)(piece.p - in->p);
	in->p = piece.p;
}

void
convert_init(struct convert *c, const struct mime *m)
{
	memset(c, 0, sizeof(*c));
	c->tree = m;
	c->plan = (uint8_t)convert_plan(m);
}

bool
convert_step(struct convert *c, struct rd *in, struct wr *out)
{
	uint64_t left;

	while (wr_room(out) >= CONVERT_ROOM) {
		left = limit(c) - c->at;
		if (!left && c->state == BETWEEN && c->part == c->tree->n)
			return true;
		if (!left)
			end_region(c, out);
		else if (!rd_left(in))
			return false;
		else
			region_piece(c, in, left < rd_left(in) ? (size_t)left : rd_left(in), out);
	}
	return false;
}

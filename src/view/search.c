/*
 * search.c - each key of a search is unknown, false or true for the message at hand; what is known
 * of all of them decides the search, often before the message was read.
 *
 * A message is read in regions, of which each is looked at once: its header; where its row has not
 * told the tree of its parts, all of it; then, part by part, the texts and the headers of messages
 * within it.
 */
#include "view/search.h"

#include "mail/charset.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/structure.h"
#include "mail/summary.h"
#include "mail/words.h"
#include "view/fold.h"
#include "view/needle.h"

#include <assert.h>
#include <stdlib.h>

enum { DAY = 86400, NO_BIT = 255 };
enum { ARENA_MAX = 1 << 20 }; /* strings of the keys, and their tables */
enum { PIECE = 4096, PLAIN_MAX = SEARCH_FIELD_MAX + HEADER_NAME_MAX + 2 };

enum value { UNKNOWN, FALSE, TRUE };

/* What a region is read for; START must be 0. */
enum stage { START, HEADER, TREE, INNER_HEADER, TEXT_BODY, END };

/* A key that has a string. */
struct text {
	uint32_t node;
	struct needle needle; /* of no octets: only that the field is there counts */
};

struct search {
	struct arena arena;
	struct imap_search *keys;
	uint8_t *values;    /* enum value, of each node */
	uint8_t *bits;      /* of each keyword key: its bit, or NO_BIT */
	struct text *texts; /* in the arena */
	size_t texts_n;
	bool any_header, any_body; /* keys that want them */

	/* the message at hand */
	bool changed; /* a value is known that was not when it was evaluated last */
	struct summary row;
	uint8_t packed[SUMMARY_PACKED_MAX]; /* what the row's strings are borrowed from */
	bool row_known, header_done, parts_begun, tree_made, tree_known, date_seen;
	struct mime tree;
	uint64_t size, at, end; /* octets of it; the region from the next octet on */
	uint8_t stage;
	uint32_t part; /* whose region it is */
	struct decode decode;
	struct charset charset;
	size_t field_n;
	bool line_begins;
	uint8_t field[SEARCH_FIELD_MAX]; /* of the header that is being read */
};

/* ---- keys ---- */

static bool
is_text(enum imap_search_key key)
{
	return key == IMAP_HEADER || key == IMAP_BODY || key == IMAP_TEXT;
}

static bool
is_sent(enum imap_search_key key)
{
	return key == IMAP_SENTBEFORE || key == IMAP_SENTON || key == IMAP_SENTSINCE;
}

static bool
in_header(enum imap_search_key key)
{
	return key == IMAP_HEADER || key == IMAP_TEXT || is_sent(key);
}

static bool
in_body(enum imap_search_key key)
{
	return key == IMAP_BODY || key == IMAP_TEXT;
}

static enum value
value_of(bool b)
{
	return b ? TRUE : FALSE;
}

/* What is known already decides; UNKNOWN where it does not. */
static enum value
evaluate(const struct search *s)
{
	uint8_t stack[IMAP_SEARCH_STACK];
	size_t n = 0;

	for (size_t i = 0; i < s->keys->n; i++) {
		enum imap_search_key key = s->keys->nodes[i].key;

		if (key == IMAP_NOT) {
			assert(n > 0);
			if (stack[n - 1] != UNKNOWN)
				stack[n - 1] = (uint8_t)value_of(stack[n - 1] == FALSE);
		} else if (key == IMAP_AND || key == IMAP_OR) {
			uint8_t strong = key == IMAP_AND ? FALSE : TRUE, a, b;

			assert(n > 1);
			a = stack[--n];
			b = stack[n - 1];
			if (a == strong || b == strong)
				stack[n - 1] = strong;
			else if (a == UNKNOWN || b == UNKNOWN)
				stack[n - 1] = UNKNOWN;
		} else {
			assert(n < COUNT(stack));
			stack[n++] = s->values[i];
		}
	}
	assert(n == 1);
	return (enum value)stack[0];
}

static enum value
compare_day(enum imap_search_key key, int64_t day, int64_t wanted)
{
	switch (key) {
	case IMAP_BEFORE:
	case IMAP_SENTBEFORE:
		return value_of(day < wanted);
	case IMAP_ON:
	case IMAP_SENTON:
		return value_of(day == wanted);
	default:
		return value_of(day >= wanted);
	}
}

/* What the row alone answers. */
static enum value
row_value(const struct search *s, size_t i, const struct search_message *m)
{
	const struct imap_search_node *k = &s->keys->nodes[i];
	const struct message_row *row = m->row;

	switch (k->key) {
	case IMAP_ALL:
		return TRUE;
	case IMAP_FLAG:
		return value_of((row->flags & k->flag) != 0);
	case IMAP_KEYWORD:
		return value_of(s->bits[i] != NO_BIT && (row->keywords >> s->bits[i] & 1));
	case IMAP_RECENT:
		return value_of(m->recent);
	case IMAP_NUMBERS:
		return value_of(imap_set_has(&k->set, m->number));
	case IMAP_UIDS:
		return value_of(imap_set_has(&k->set, row->uid));
	case IMAP_BEFORE:
	case IMAP_ON:
	case IMAP_SINCE:
		return compare_day(k->key, (int64_t)(row->received_s / DAY), k->day);
	case IMAP_LARGER:
		return value_of(row->size > k->size);
	case IMAP_SMALLER:
		return value_of(row->size < k->size);
	case IMAP_BODY:
	case IMAP_TEXT:
		return k->text.n ? UNKNOWN : TRUE;
	case IMAP_SENTBEFORE:
	case IMAP_SENTON:
	case IMAP_SENTSINCE:
	case IMAP_HEADER:
	case IMAP_AND:
	case IMAP_OR:
	case IMAP_NOT:
		break;
	}
	return UNKNOWN;
}

/* The Date field, disregarding time and zone (RFC 3501 6.4.4); one that is none is on no day. */
static void
take_date(struct search *s, struct bytes text)
{
	int64_t seconds = 0, local;
	int minutes = 0;
	bool good = is_ok(date_parse(text, &seconds, &minutes));

	local = seconds + (int64_t)minutes * 60;
	local = (local - ((local % DAY) + DAY) % DAY) / DAY;
	for (size_t i = 0; i < s->keys->n; i++) {
		const struct imap_search_node *k = &s->keys->nodes[i];

		if (is_sent(k->key))
			s->values[i] = (uint8_t)(good ? compare_day(k->key, local, k->day) : FALSE);
	}
	s->date_seen = s->changed = true;
}

/* What is still unknown of these keys is false. */
static void
settle(struct search *s, bool (*which)(enum imap_search_key))
{
	for (size_t i = 0; i < s->keys->n; i++)
		if (s->values[i] == UNKNOWN && which(s->keys->nodes[i].key))
			s->values[i] = FALSE;
}

static bool
is_any(enum imap_search_key key)
{
	return key != 0;
}

static bool
is_header_only(enum imap_search_key key)
{
	return in_header(key) && !in_body(key);
}

static bool
any_unknown(const struct search *s, bool (*which)(enum imap_search_key))
{
	for (size_t i = 0; i < s->keys->n; i++)
		if (s->values[i] == UNKNOWN && which(s->keys->nodes[i].key))
			return true;
	return false;
}

/* ---- texts ---- */

/* Whether a text of the region that is read now may answer the key; `name` in a header. */
static bool
looks_here(const struct search *s, const struct text *t, struct bytes name)
{
	const struct imap_search_node *k = &s->keys->nodes[t->node];

	if (s->values[t->node] != UNKNOWN)
		return false;
	if (k->key == IMAP_HEADER)
		return s->stage == HEADER && bytes_eq_nocase(k->field, name);
	return k->key == IMAP_TEXT || s->stage != HEADER;
}

static void
found(struct search *s, const struct text *t)
{
	s->values[t->node] = TRUE;
	s->changed = true;
}

/* A whole field: "name: value", decoded and folded, is what is searched. */
static size_t
search_field(struct search *s)
{
	struct header h = header_of((struct bytes){s->field, s->field_n});
	uint8_t plain[PLAIN_MAX];
	struct wr w = wr_of(plain, sizeof(plain));
	struct header_field f;
	struct bytes all, value;
	size_t work = s->field_n;
	size_t n;

	s->field_n = 0;
	if (!header_next(&h, &f))
		return work;
	if (s->stage == HEADER && !s->date_seen && bytes_eq_nocase(f.name, BYTES("Date")))
		take_date(s, f.value);
	wr_bytes(&w, f.name);
	wr_text(&w, ": ");
	words_decode(&w, f.value);
	n = fold_text(plain, wr_since(&w, plain).n);
	all = (struct bytes){plain, n};
	value = (struct bytes){plain + f.name.n + 2, n - f.name.n - 2};
	for (size_t i = 0; i < s->texts_n; i++) {
		struct text *t = &s->texts[i];
		bool header = s->keys->nodes[t->node].key == IMAP_HEADER;

		if (!looks_here(s, t, f.name))
			continue;
		work += n;
		needle_reset(&t->needle);
		if (!t->needle.text.n || needle_find(&t->needle, header ? value : all))
			found(s, t);
	}
	return work;
}

/*
 * Octets of a header, at most until a field is whole; returns how much work that was.  A field is
 * whole where a line begins that is no fold.
 */
static size_t
feed_header(struct search *s, struct rd *in, size_t n)
{
	const uint8_t *lf;
	size_t take, keep;

	if (s->line_begins && s->field_n && *in->p != ' ' && *in->p != '\t')
		return search_field(s);
	lf = memchr(in->p, '\n', n);
	take = lf ? (size_t)(lf - in->p) + 1 : n;
	keep = take < sizeof(s->field) - s->field_n ? take : sizeof(s->field) - s->field_n;
	memcpy(s->field + s->field_n, in->p, keep);
	s->field_n += keep;
	s->line_begins = lf != NULL;
	s->at += take;
	rd_take(in, take);
	return take;
}

/* The text of a part, as far as it was decoded. */
static size_t
search_plain(struct search *s, uint8_t *plain, size_t n)
{
	size_t work = 0;

	n = fold_text(plain, n);
	for (size_t i = 0; i < s->texts_n; i++) {
		struct text *t = &s->texts[i];

		if (!looks_here(s, t, NO_BYTES))
			continue;
		work += n;
		if (needle_find(&t->needle, (struct bytes){plain, n}))
			found(s, t);
	}
	return work;
}

static size_t
search_decoded(struct search *s, struct bytes decoded, bool last)
{
	uint8_t plain[PIECE];
	struct rd in = rd_of(decoded);
	size_t work = 0;
	struct wr w;

	do {
		w = wr_of(plain, sizeof(plain));
		charset_feed(&s->charset, &in, &w);
		if (last && !rd_left(&in))
			charset_finish(&s->charset, &w);
		work += search_plain(s, plain, wr_since(&w, plain).n);
	} while (rd_left(&in));
	return work;
}

static size_t
feed_text(struct search *s, struct rd *in, size_t n)
{
	uint8_t room[PIECE];
	struct wr w = wr_of(room, sizeof(room));
	struct rd piece = {in->p, in->p + n, false};
	size_t work;

	decode_feed(&s->decode, &piece, &w);
	work = (size_t)(piece.p - in->p);
	s->at += work;
	in->p = piece.p;
	return work + search_decoded(s, wr_since(&w, room), false);
}

static void
end_text(struct search *s)
{
	uint8_t room[PIECE];
	struct wr w = wr_of(room, sizeof(room));

	decode_finish(&s->decode, &w);
	search_decoded(s, wr_since(&w, room), true);
}

/* ---- regions ---- */

static void
drop_tree(struct search *s)
{
	if (s->tree_made)
		mime_fini(&s->tree);
	s->tree_made = s->tree_known = false;
}

static void
begin_region(struct search *s, enum stage stage, uint64_t at, uint64_t end)
{
	s->stage = (uint8_t)stage;
	s->at = at;
	s->end = end;
	s->field_n = 0;
	s->line_begins = true;
	if (stage != TREE)
		return;
	drop_tree(s);
	mime_init(&s->tree, MIME_MEMORY);
	s->tree_made = true;
}

static void
begin_text(struct search *s, const struct content *c)
{
	const struct mime_part *p = &s->tree.parts[s->part];
	enum charset_which which = charset_find(content_param_find(c->params, "charset"));

	begin_region(s, TEXT_BODY, p->body, p->end);
	s->decode = (struct decode){.encoding = p->encoding};
	/* what has octets beyond ASCII without saying in which charset is most often UTF-8 */
	s->charset =
	    (struct charset){.which = (uint8_t)(which == CHARSET_ASCII ? CHARSET_UTF8 : which)};
	for (size_t i = 0; i < s->texts_n; i++)
		needle_reset(&s->texts[i].needle);
}

/* The region behind the inner header, or else the body, of s->part; or of the parts behind it. */
static void
next_part(struct search *s)
{
	bool behind_header = s->stage == INNER_HEADER;
	const struct mime_part *p;
	struct content c;

	if (s->stage == TEXT_BODY)
		s->part++;
	for (; s->part < s->tree.n; s->part++, behind_header = false) {
		p = &s->tree.parts[s->part];
		if (!behind_header && p->parent != MIME_NONE && p->body > p->at &&
		    s->tree.parts[p->parent].kind == MIME_MESSAGE) {
			begin_region(s, INNER_HEADER, p->at, p->body);
			return;
		}
		if (p->kind != MIME_LEAF || p->end == p->body)
			continue;
		mime_content(&s->tree, s->part, &c);
		if (content_is(&c, "text", NULL) || content_is(&c, "message", NULL)) {
			begin_text(s, &c);
			return;
		}
	}
	s->stage = END;
}

/* The tree, as the row has it. */
static void
unpack_tree(struct search *s)
{
	if (s->tree_known || !s->row_known || !s->row.structure.n)
		return;
	if (!is_ok(structure_unpack(&s->tree, s->row.structure, s->size)))
		return;
	s->tree_made = s->tree_known = true;
}

static void
end_region(struct search *s)
{
	switch ((enum stage)s->stage) {
	case HEADER:
	case INNER_HEADER:
		if (s->field_n)
			search_field(s);
		break;
	case TREE:
		mime_done(&s->tree);
		s->row.body = s->tree.parts[0].body;
		s->tree_known = s->row_known = true;
		break;
	case TEXT_BODY:
		end_text(s);
		break;
	case START:
	case END:
		break;
	}
}

/* Goes on to the next region, or to the end.  Each step is made once. */
static void
next_region(struct search *s)
{
	if (!s->row_known) {
		begin_region(s, TREE, 0, s->size);
		return;
	}
	if (!s->header_done) {
		s->header_done = true;
		begin_region(s, HEADER, 0, s->row.body);
		if (any_unknown(s, in_header))
			return;
	}
	settle(s, is_header_only);
	if (!s->parts_begun)
		s->stage = START;
	if (evaluate(s) != UNKNOWN)
		return;
	unpack_tree(s);
	if (!s->tree_known) {
		begin_region(s, TREE, 0, s->size);
		return;
	}
	if (!s->parts_begun)
		s->part = 0;
	s->parts_begun = true;
	next_part(s);
}

static enum search_want
advance(struct search *s)
{
	enum value v;

	for (;;) {
		v = evaluate(s);
		s->changed = false;
		if (v != UNKNOWN)
			return v == TRUE ? SEARCH_MATCH : SEARCH_NO_MATCH;
		if (s->stage != START && s->stage != END && s->at < s->end)
			return SEARCH_READ;
		end_region(s);
		if (s->stage == END)
			settle(s, is_any);
		else
			next_region(s);
	}
}

/* ---- the first look ---- */

/* The date of an ENVELOPE, unquoted; false when the message has none. */
static bool
envelope_date(struct bytes envelope, struct wr *w)
{
	struct rd in = rd_of(envelope);
	uint8_t c;

	if (rd_u8(&in) != '(' || rd_left(&in) == 0)
		return false;
	if (rd_u8(&in) != '"')
		return false;
	while (rd_left(&in)) {
		c = rd_u8(&in);
		if (c == '"')
			return true;
		wr_u8(w, c == '\\' ? rd_u8(&in) : c);
	}
	return true;
}

static void
date_of_row(struct search *s)
{
	uint8_t room[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (s->row.envelope.n < 2 || !any_unknown(s, is_sent))
		return;
	if (s->row.envelope.p[1] == '{') /* odd enough to be looked at */
		return;
	if (envelope_date(s->row.envelope, &w))
		take_date(s, wr_since(&w, room));
	else
		settle(s, is_sent);
}

/* A row that is of this message, or none. */
static void
take_row(struct search *s, struct bytes summary)
{
	struct rd in;

	s->row = (struct summary){.size = s->size};
	s->row_known = !s->size;
	if (!summary.n || summary.n > sizeof(s->packed))
		return;
	memcpy(s->packed, summary.p, summary.n);
	in = rd_of((struct bytes){s->packed, summary.n});
	s->row_known = is_ok(summary_read(&in, &s->row)) && s->row.size == s->size;
}

/* ---- opening ---- */

static struct err
take_text(struct search *s, uint32_t node)
{
	struct text *t = &s->texts[s->texts_n];
	struct bytes text = s->keys->nodes[node].text;
	uint8_t *folded = arena_alloc(&s->arena, text.n + 1);

	t->node = node;
	if (!folded)
		return ERR(ERR_FULL, 0, "search: strings");
	if (text.n)
		memcpy(folded, text.p, text.n);
	text = (struct bytes){folded, fold_text(folded, text.n)};
	if (text.n && !needle_make(&t->needle, text, &s->arena))
		return ERR(ERR_FULL, 0, "search: strings");
	s->texts_n++;
	return OK;
}

static uint8_t
find_keyword(const struct search_mailbox *box, struct bytes name)
{
	for (size_t i = 0; i < box->keywords_n && i < KEYWORDS_MAX; i++)
		if (bytes_eq_nocase(box->keywords[i], name))
			return (uint8_t)i;
	return NO_BIT;
}

static struct err
take_key(struct search *s, uint32_t i, const struct search_mailbox *box)
{
	struct imap_search_node *k = &s->keys->nodes[i];

	s->any_header |= in_header(k->key);
	s->any_body |= in_body(k->key);
	if (k->key == IMAP_KEYWORD)
		s->bits[i] = find_keyword(box, k->text);
	if (k->key == IMAP_NUMBERS && !imap_set_resolve(&k->set, box->count, false))
		return ERR(ERR_RANGE, 0, "search: no such message");
	if (k->key == IMAP_UIDS)
		(void)imap_set_resolve(&k->set, box->last_uid, true);
	return is_text(k->key) ? take_text(s, i) : OK;
}

static struct err
take_keys(struct search *s, const struct search_mailbox *box)
{
	struct err e = OK;
	size_t bodies = 0;

	s->values = arena_alloc(&s->arena, s->keys->n);
	s->bits = arena_alloc(&s->arena, s->keys->n);
	s->texts = arena_alloc(&s->arena, s->keys->n * sizeof(*s->texts));
	if (!s->values || !s->bits || !s->texts)
		return ERR(ERR_MEMORY, 0, "search: keys");
	for (uint32_t i = 0; i < s->keys->n && is_ok(e); i++) {
		bodies += in_body(s->keys->nodes[i].key);
		e = take_key(s, i, box);
	}
	if (is_ok(e) && bodies > SEARCH_TEXTS_MAX)
		return ERR(ERR_FULL, 0, "search: texts");
	return e;
}

struct err
search_open(struct search **out, struct imap_search *keys, const struct search_mailbox *box)
{
	struct search *s = calloc(1, sizeof(*s));
	struct err e;

	*out = NULL;
	if (!s)
		return ERR(ERR_MEMORY, 0, "search");
	s->arena = arena_init(ARENA_MAX);
	s->keys = keys;
	e = take_keys(s, box);
	if (is_ok(e))
		*out = s;
	else
		search_close(s);
	return e;
}

void
search_close(struct search *s)
{
	if (!s)
		return;
	drop_tree(s);
	arena_free(&s->arena);
	free(s);
}

bool
search_wants_summary(const struct search *s)
{
	return s->any_header || s->any_body;
}

enum search_want
search_begin(struct search *s, const struct search_message *m)
{
	drop_tree(s);
	s->header_done = s->parts_begun = s->date_seen = false;
	s->stage = START;
	s->size = m->row->size;
	for (size_t i = 0; i < s->keys->n; i++)
		s->values[i] = (uint8_t)row_value(s, i, m);
	if (evaluate(s) == UNKNOWN) {
		take_row(s, m->row->summary);
		date_of_row(s);
	}
	return advance(s);
}

void
search_place(const struct search *s, uint64_t *offset, uint64_t *n)
{
	*offset = s->at;
	*n = s->end - s->at;
}

/* Octets of the region that is read now; returns how much work that was. */
static size_t
feed_region(struct search *s, struct rd *in)
{
	uint64_t left = s->end - s->at;
	size_t n = left < rd_left(in) ? (size_t)left : rd_left(in);

	n = n < SEARCH_WORK ? n : SEARCH_WORK;
	if (s->stage == TEXT_BODY)
		return feed_text(s, in, n);
	if (s->stage != TREE)
		return feed_header(s, in, n);
	mime_feed(&s->tree, rd_take(in, n));
	s->at += n;
	return n;
}

enum search_want
search_feed(struct search *s, struct rd *in)
{
	const uint8_t *start = in->p;
	size_t work = 0;

	assert(s->stage != START && s->stage != END);
	while (rd_left(in) && s->at < s->end && (work < SEARCH_WORK || in->p == start)) {
		work += feed_region(s, in);
		if (s->changed && evaluate(s) != UNKNOWN)
			break;
		s->changed = false;
	}
	return advance(s);
}

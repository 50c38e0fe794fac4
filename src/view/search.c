/*
 * search.c - what is known of the keys often decides the search before the message was read.  A
 * message is read in regions, of which each is looked at once: its header; where its row has not
 * told the tree of its parts, all of it; then, part by part, the texts and the headers of messages
 * within it.
 */
#include "view/search.h"

#include "mail/charset.h"
#include "mail/header.h"
#include "mail/structure.h"
#include "mail/summary.h"
#include "mail/words.h"
#include "view/fold.h"
#include "view/needle.h"
#include "view/search_keys.h"

#include <assert.h>
#include <stdlib.h>

enum { ARENA_MAX = 1 << 20 }; /* strings of the keys, and their tables */
enum { PIECE = 4096, PLAIN_MAX = SEARCH_FIELD_MAX + HEADER_NAME_MAX + 2 };

/* What a region is read for; START must be 0. */
enum stage { START, HEADER, TREE, INNER_HEADER, TEXT_BODY, END };

/* A key that has a string. */
struct text {
	uint32_t node;
	struct needle needle; /* of no octets: only that the field is there counts */
};

struct search {
	struct arena arena;
	struct search_keys keys;
	struct text *texts; /* in the arena */
	size_t texts_n;

	/* the message at hand */
	struct summary row;
	uint8_t packed[SUMMARY_PACKED_MAX]; /* what the row's strings are borrowed from */
	bool row_known, header_done, parts_begun, tree_made, tree_known;
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

/* ---- texts ---- */

/* Whether a text of the region that is read now may answer the key; `name` in a header. */
static bool
looks_here(const struct search *s, const struct text *t, struct bytes name)
{
	const struct imap_search_node *k = &s->keys.keys->nodes[t->node];

	if (!search_keys_is_unknown(&s->keys, t->node))
		return false;
	if (k->key == IMAP_HEADER)
		return s->stage == HEADER && bytes_eq_nocase(k->field, name);
	return k->key == IMAP_TEXT || s->stage != HEADER;
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
	if (s->stage == HEADER && !s->keys.date_seen && bytes_eq_nocase(f.name, BYTES("Date")))
		search_keys_date(&s->keys, f.value);
	wr_bytes(&w, f.name);
	wr_text(&w, ": ");
	words_decode(&w, f.value);
	n = fold_text(plain, wr_since(&w, plain).n);
	all = (struct bytes){plain, n};
	value = (struct bytes){plain + f.name.n + 2, n - f.name.n - 2};
	for (size_t i = 0; i < s->texts_n; i++) {
		struct text *t = &s->texts[i];
		bool header = s->keys.keys->nodes[t->node].key == IMAP_HEADER;

		if (!looks_here(s, t, f.name))
			continue;
		work += n;
		needle_reset(&t->needle);
		if (!t->needle.text.n || needle_find(&t->needle, header ? value : all))
			search_keys_found(&s->keys, t->node);
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
			search_keys_found(&s->keys, t->node);
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
		if (search_keys_any_unknown(&s->keys, search_key_in_header))
			return;
	}
	search_keys_settle(&s->keys, search_key_in_header_only);
	if (!s->parts_begun)
		s->stage = START;
	if (search_keys_decide(&s->keys) != SEARCH_UNKNOWN)
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
	enum search_value v;

	for (;;) {
		v = search_keys_decide(&s->keys);
		s->keys.changed = false;
		if (v != SEARCH_UNKNOWN)
			return v == SEARCH_TRUE ? SEARCH_MATCH : SEARCH_NO_MATCH;
		if (s->stage != START && s->stage != END && s->at < s->end)
			return SEARCH_READ;
		end_region(s);
		if (s->stage == END)
			search_keys_settle(&s->keys, search_key_is_any);
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

	if (s->row.envelope.n < 2 || !search_keys_any_unknown(&s->keys, search_key_is_sent))
		return;
	if (s->row.envelope.p[1] == '{') /* odd enough to be looked at */
		return;
	if (envelope_date(s->row.envelope, &w))
		search_keys_date(&s->keys, wr_since(&w, room));
	else
		search_keys_settle(&s->keys, search_key_is_sent);
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
	struct bytes text = s->keys.keys->nodes[node].text;
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

static struct err
take_keys(struct search *s, struct imap_search *keys, const struct search_mailbox *box)
{
	struct err e = OK;
	size_t bodies = 0;

	s->texts = arena_alloc(&s->arena, keys->n * sizeof(*s->texts));
	if (!s->texts || !search_keys_make(&s->keys, keys, &s->arena))
		return ERR(ERR_MEMORY, 0, "search: keys");
	for (uint32_t i = 0; i < keys->n && is_ok(e); i++) {
		bodies += search_key_in_body(keys->nodes[i].key);
		e = search_keys_take(&s->keys, i, box);
		if (is_ok(e) && search_key_is_text(keys->nodes[i].key))
			e = take_text(s, i);
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
	e = take_keys(s, keys, box);
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
	return s->keys.any_header || s->keys.any_body;
}

enum search_want
search_begin(struct search *s, const struct search_message *m)
{
	drop_tree(s);
	s->header_done = s->parts_begun = false;
	s->stage = START;
	s->size = m->row->size;
	search_keys_begin(&s->keys, m);
	if (search_keys_decide(&s->keys) == SEARCH_UNKNOWN) {
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
		if (s->keys.changed && search_keys_decide(&s->keys) != SEARCH_UNKNOWN)
			break;
		s->keys.changed = false;
	}
	return advance(s);
}

/*
 * imap_search.c - reads search keys without recursion: what is open (a list, an OR, a NOT) stands on
 * a stack of IMAP_SEARCH_DEPTH, and each key that is complete closes what waited for it.
 */
#include "proto/imap_search.h"

#include "base/text.h"
#include "proto/imap_parse.h"

enum { FIRST_NODES = 8 };

enum open { LIST, NOT, OR };

struct frame {
	enum open open;
	unsigned operands; /* that are complete */
};

struct reader {
	struct imap_search *search;
	struct rd *in;
	struct arena *arena;
	struct frame stack[IMAP_SEARCH_DEPTH + 1]; /* the lowest is the list of all */
	size_t depth, cap;
	struct err e;
};

enum argument { NOTHING, TEXT, FIELD_TEXT, KEYWORD, DAY, SIZE, SET };

static const struct key {
	const char *name;
	enum imap_search_key key;
	enum argument argument;
	uint32_t flag;
	bool negated;
	const char *field;
} keys[] = {
    {"ALL", IMAP_ALL, NOTHING, 0, false, NULL},
    {"ANSWERED", IMAP_FLAG, NOTHING, IMAP_ANSWERED, false, NULL},
    {"BCC", IMAP_HEADER, TEXT, 0, false, "Bcc"},
    {"BEFORE", IMAP_BEFORE, DAY, 0, false, NULL},
    {"BODY", IMAP_BODY, TEXT, 0, false, NULL},
    {"CC", IMAP_HEADER, TEXT, 0, false, "Cc"},
    {"DELETED", IMAP_FLAG, NOTHING, IMAP_DELETED, false, NULL},
    {"DRAFT", IMAP_FLAG, NOTHING, IMAP_DRAFT, false, NULL},
    {"FLAGGED", IMAP_FLAG, NOTHING, IMAP_FLAGGED, false, NULL},
    {"FROM", IMAP_HEADER, TEXT, 0, false, "From"},
    {"HEADER", IMAP_HEADER, FIELD_TEXT, 0, false, NULL},
    {"KEYWORD", IMAP_KEYWORD, KEYWORD, 0, false, NULL},
    {"LARGER", IMAP_LARGER, SIZE, 0, false, NULL},
    {"OLD", IMAP_RECENT, NOTHING, 0, true, NULL},
    {"ON", IMAP_ON, DAY, 0, false, NULL},
    {"RECENT", IMAP_RECENT, NOTHING, 0, false, NULL},
    {"SEEN", IMAP_FLAG, NOTHING, IMAP_SEEN, false, NULL},
    {"SENTBEFORE", IMAP_SENTBEFORE, DAY, 0, false, NULL},
    {"SENTON", IMAP_SENTON, DAY, 0, false, NULL},
    {"SENTSINCE", IMAP_SENTSINCE, DAY, 0, false, NULL},
    {"SINCE", IMAP_SINCE, DAY, 0, false, NULL},
    {"SMALLER", IMAP_SMALLER, SIZE, 0, false, NULL},
    {"SUBJECT", IMAP_HEADER, TEXT, 0, false, "Subject"},
    {"TEXT", IMAP_TEXT, TEXT, 0, false, NULL},
    {"TO", IMAP_HEADER, TEXT, 0, false, "To"},
    {"UID", IMAP_UIDS, SET, 0, false, NULL},
    {"UNANSWERED", IMAP_FLAG, NOTHING, IMAP_ANSWERED, true, NULL},
    {"UNDELETED", IMAP_FLAG, NOTHING, IMAP_DELETED, true, NULL},
    {"UNDRAFT", IMAP_FLAG, NOTHING, IMAP_DRAFT, true, NULL},
    {"UNFLAGGED", IMAP_FLAG, NOTHING, IMAP_FLAGGED, true, NULL},
    {"UNKEYWORD", IMAP_KEYWORD, KEYWORD, 0, true, NULL},
    {"UNSEEN", IMAP_FLAG, NOTHING, IMAP_SEEN, true, NULL},
};

static void
fail(struct reader *r, struct err e)
{
	if (is_ok(r->e))
		r->e = e;
	r->in->bad = true;
}

static void
grow(struct reader *r)
{
	struct imap_search *s = r->search;
	size_t cap = r->cap ? r->cap * 4 : FIRST_NODES;
	struct imap_search_node *nodes = arena_alloc(r->arena, cap * sizeof(*nodes));

	if (!nodes) {
		fail(r, ERR(ERR_FULL, 0, "search"));
		return;
	}
	if (s->n)
		memcpy(nodes, s->nodes, s->n * sizeof(*nodes));
	s->nodes = nodes;
	r->cap = cap;
}

static void
add(struct reader *r, const struct imap_search_node *node)
{
	if (r->search->n == IMAP_SEARCH_NODES)
		fail(r, ERR(ERR_RANGE, 0, "search keys"));
	else if (r->search->n == r->cap)
		grow(r);
	if (!r->in->bad)
		r->search->nodes[r->search->n++] = *node;
}

static void
add_operator(struct reader *r, enum imap_search_key key)
{
	const struct imap_search_node node = {.key = key};

	add(r, &node);
}

static void
push(struct reader *r, enum open open)
{
	if (r->depth == COUNT(r->stack))
		fail(r, ERR(ERR_RANGE, 0, "search depth"));
	else
		r->stack[r->depth++] = (struct frame){.open = open};
}

/* A key is complete: so are the NOT and OR that waited for it. */
static void
complete(struct reader *r)
{
	for (;;) {
		struct frame *f = &r->stack[r->depth - 1];

		f->operands++;
		if (f->open == LIST) {
			if (f->operands > 1)
				add_operator(r, IMAP_AND);
			return;
		}
		if (f->open == OR && f->operands < 2)
			return;
		add_operator(r, f->open == OR ? IMAP_OR : IMAP_NOT);
		r->depth--;
	}
}

static struct bytes
take_text(struct reader *r)
{
	struct bytes text = imap_take_astring(r->in, r->arena);

	if (!text_is_utf8(text))
		r->in->bad = true;
	return text;
}

static void
take_argument(struct reader *r, const struct key *k, struct imap_search_node *node)
{
	if (k->argument != NOTHING)
		imap_take(r->in, ' ');
	switch (k->argument) {
	case NOTHING:
		break;
	case FIELD_TEXT:
		node->field = take_text(r);
		imap_take(r->in, ' ');
		node->text = take_text(r);
		break;
	case TEXT:
		node->text = take_text(r);
		break;
	case KEYWORD:
		node->text = imap_take_atom(r->in);
		break;
	case DAY:
		node->day = imap_take_date(r->in);
		break;
	case SIZE:
		node->size = imap_take_number(r->in);
		break;
	case SET:
		if (!is_ok(imap_set_read(&node->set, r->in, r->arena)))
			r->in->bad = true;
		break;
	}
}

static void
take_leaf(struct reader *r, struct bytes name)
{
	for (size_t i = 0; i < COUNT(keys); i++) {
		const struct key *k = &keys[i];
		struct imap_search_node node = {.key = k->key, .flag = k->flag};

		if (!bytes_eq_nocase(name, bytes_of(k->name)))
			continue;
		if (k->field)
			node.field = bytes_of(k->field);
		take_argument(r, k, &node);
		add(r, &node);
		if (k->negated)
			add_operator(r, IMAP_NOT);
		return;
	}
	r->in->bad = true;
}

/* NEW is "RECENT UNSEEN", as one key. */
static void
take_new(struct reader *r)
{
	const struct imap_search_node seen = {.key = IMAP_FLAG, .flag = IMAP_SEEN};

	add_operator(r, IMAP_RECENT);
	add(r, &seen);
	add_operator(r, IMAP_NOT);
	add_operator(r, IMAP_AND);
}

static void
take_numbers(struct reader *r)
{
	struct imap_search_node node = {.key = IMAP_NUMBERS};

	if (!is_ok(imap_set_read(&node.set, r->in, r->arena)))
		r->in->bad = true;
	add(r, &node);
}

/* The next key, or what opens one; false when it is not complete yet. */
static bool
take_key(struct reader *r)
{
	uint8_t c = imap_peek(r->in);
	struct bytes name;

	if (imap_skip(r->in, '(')) {
		push(r, LIST);
		return false;
	}
	if (c == '*' || (c >= '0' && c <= '9')) {
		take_numbers(r);
		return true;
	}
	name = imap_take_name(r->in);
	if (bytes_eq_nocase(name, BYTES("NOT")) || bytes_eq_nocase(name, BYTES("OR"))) {
		push(r, name.n == 3 ? NOT : OR);
		imap_take(r->in, ' ');
		return false;
	}
	if (bytes_eq_nocase(name, BYTES("NEW")))
		take_new(r);
	else
		take_leaf(r, name);
	return true;
}

/* Behind a complete key: the ends of lists, then a blank before the next key. */
static void
take_ends(struct reader *r)
{
	while (!r->in->bad && r->depth > 1 && r->stack[r->depth - 1].open == LIST &&
	       imap_skip(r->in, ')')) {
		r->depth--;
		complete(r);
	}
	if (rd_left(r->in))
		imap_take(r->in, ' ');
}

static bool
skip_charset(struct reader *r)
{
	struct bytes name;

	if (!imap_skip_word(r->in, "CHARSET"))
		return true;
	imap_take(r->in, ' ');
	name = imap_take_astring(r->in, r->arena);
	imap_take(r->in, ' ');
	return r->in->bad || bytes_eq_nocase(name, BYTES("UTF-8")) ||
	       bytes_eq_nocase(name, BYTES("US-ASCII"));
}

struct err
imap_search_read(struct imap_search *search, struct rd *in, struct arena *arena)
{
	struct reader r = {.search = search, .in = in, .arena = arena, .e = OK};

	*search = (struct imap_search){.n = 0};
	if (!skip_charset(&r))
		return ERR(ERR_NOTFOUND, 0, "charset");
	push(&r, LIST);
	do {
		if (take_key(&r) && !in->bad) {
			complete(&r);
			take_ends(&r);
		}
	} while (!in->bad && rd_left(in));
	if (is_ok(r.e) && (in->bad || r.depth != 1))
		r.e = ERR(ERR_SYNTAX, 0, "search");
	return r.e;
}

/*
 * conf.c - the language: a text becomes tokens, tokens become a tree.
 *
 * There is no recursion: the blocks that are open stand in an array of CONF_DEPTH_MAX.
 */
#include "base/conf.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum token_type { END_OF_FILE, WORD, SEMICOLON, COMMA, LIST, LIST_END, BLOCK, BLOCK_END, BAD };

static const char *const token_names[] = {
    "the end of the file", "a word", "\";\"", "\",\"", "\"[\"", "\"]\"", "\"{\"", "\"}\"", "",
};

struct token {
	enum token_type type;
	struct bytes text; /* of a WORD, which may have been a quoted string */
	uint32_t line, col;
};

struct parser {
	struct bytes in;
	size_t at, line_at; /* the next byte; where its line began */
	uint32_t line;
	struct token now;
	const char *file;
	struct arena *arena;
	struct conf_faults *faults;
	bool no_memory;
};

static uint32_t
column(const struct parser *p)
{
	return (uint32_t)(p->at - p->line_at + 1);
}

static bool
more(const struct parser *p)
{
	return p->at < p->in.n;
}

static struct bytes
part(const struct parser *p, size_t from, size_t to)
{
	return (struct bytes){p->in.p + from, to - from};
}

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
ends_word(uint8_t c)
{
	return c <= ' ' || c == 0x7f || memchr(";{}[]\",", c, 7);
}

static void
skip_space(struct parser *p)
{
	bool comment = false;

	for (; more(p); p->at++) {
		uint8_t c = p->in.p[p->at];

		if (c == '\n') {
			comment = false;
			p->line++;
			p->line_at = p->at + 1;
		} else if (c == '#') {
			comment = true;
		} else if (!comment && !is_space(c)) {
			return;
		}
	}
}

/*
 * The length of "[...]" directly before a ":", without blanks inside: an IPv6 address with a port,
 * as nothing else may begin so; else 0.
 */
static size_t
bracketed(const struct parser *p)
{
	size_t i = p->at + 1;

	while (i < p->in.n && !ends_word(p->in.p[i]))
		i++;
	if (i + 1 < p->in.n && p->in.p[i] == ']' && p->in.p[i + 1] == ':')
		return i + 1 - p->at;
	return 0;
}

static bool
unescape(uint8_t c, uint8_t *out)
{
	switch (c) {
	case '"':
	case '\\':
		*out = c;
		return true;
	case 'n':
		*out = '\n';
		return true;
	case 't':
		*out = '\t';
		return true;
	default:
		return false;
	}
}

/* Behind the first quote; leaves p->at behind the second. */
static bool
string(struct parser *p, struct bytes *out)
{
	size_t begin = p->at++, n = 0, end = p->at;
	uint8_t *text;

	while (end < p->in.n && p->in.p[end] != '"' && p->in.p[end] != '\n')
		end += p->in.p[end] == '\\' ? 2 : 1;
	text = arena_alloc(p->arena, end - begin);
	if (!text) {
		p->no_memory = true;
		return false;
	}
	for (; more(p) && p->in.p[p->at] != '"'; p->at++) {
		uint8_t c = p->in.p[p->at];

		if (c == '\n')
			break;
		if (c == '\\' && (++p->at == p->in.n || !unescape(p->in.p[p->at], &c))) {
			conf_complain(p->faults, p->file, p->line, column(p) - 1,
			              "a string knows \\\" \\\\ \\n and \\t only");
			return false;
		}
		text[n++] = c;
	}
	if (!more(p) || p->in.p[p->at] != '"') {
		p->at = begin;
		conf_complain(p->faults, p->file, p->line, column(p),
		              "the string that begins here does not end on its line");
		return false;
	}
	p->at++;
	*out = (struct bytes){text, n};
	return true;
}

/* Moves p->now to the next token; BAD has been complained about. */
static void
advance(struct parser *p)
{
	static const char marks[] = ";,[]{}";
	static const enum token_type types[] = {SEMICOLON, COMMA, LIST, LIST_END, BLOCK, BLOCK_END};
	size_t begin, n;
	const char *mark;
	uint8_t c;

	skip_space(p);
	p->now = (struct token){END_OF_FILE, NO_BYTES, p->line, column(p)};
	if (!more(p))
		return;
	begin = p->at;
	c = p->in.p[begin];
	mark = c ? strchr(marks, c) : NULL;
	n = c == '[' ? bracketed(p) : 0;
	if (mark && !n) {
		p->at++;
		p->now.type = types[mark - marks];
	} else if (c == '"') {
		p->now.type = string(p, &p->now.text) ? WORD : BAD;
	} else {
		p->at += n;
		while (more(p) && !ends_word(p->in.p[p->at]))
			p->at++;
		p->now.text = part(p, begin, p->at);
		p->now.type = p->at > begin ? WORD : BAD;
		if (p->at == begin)
			conf_complain(p->faults, p->file, p->line, column(p),
			              "a control character");
	}
}

static bool
unexpected(struct parser *p, const char *wanted)
{
	if (p->now.type != BAD)
		conf_complain(p->faults, p->file, p->now.line, p->now.col, "%s where %s should be",
		              token_names[p->now.type], wanted);
	return false;
}

static bool
add_value(struct parser *p, struct conf_node *node, size_t *room)
{
	struct conf_value *values = node->values;

	if (node->value_count == *room) {
		*room = *room ? *room * 2 : 1;
		values = arena_alloc(p->arena, *room * sizeof(*values));
		if (!values) {
			p->no_memory = true;
			return false;
		}
		for (size_t i = 0; i < node->value_count; i++)
			values[i] = node->values[i];
		node->values = values;
	}
	values[node->value_count++] = (struct conf_value){p->now.text, p->now.line, p->now.col};
	return true;
}

/* Behind "[": words with or without commas, "]". */
static bool
list(struct parser *p, struct conf_node *node, size_t *room)
{
	if (node->is_list || node->value_count)
		return unexpected(p, "\";\" (a list stands alone)");
	node->is_list = true;
	for (advance(p); p->now.type != LIST_END; advance(p)) {
		if (p->now.type == COMMA && node->value_count)
			continue;
		if (p->now.type != WORD)
			return unexpected(p, "a value or \"]\"");
		if (!add_value(p, node, room))
			return false;
	}
	return true;
}

/* From the name, which is p->now, to the ";" or "{" that ends it. */
static bool
statement(struct parser *p, struct conf_node **out)
{
	struct conf_node *node = arena_alloc(p->arena, sizeof(*node));
	size_t room = 0;

	if (!node) {
		p->no_memory = true;
		return false;
	}
	*out = node;
	node->name = p->now.text;
	node->line = p->now.line;
	node->col = p->now.col;
	for (;;) {
		advance(p);
		if (p->now.type == SEMICOLON)
			return true;
		if (p->now.type == BLOCK && !node->is_list) {
			node->is_block = true;
			return true;
		}
		if (p->now.type == LIST) {
			if (!list(p, node, &room))
				return false;
		} else if (p->now.type != WORD || node->is_list) {
			return unexpected(p, node->is_list ? "\";\"" : "a value or \";\"");
		} else if (!add_value(p, node, &room)) {
			return false;
		}
	}
}

static bool
tree(struct parser *p, struct conf_node *root)
{
	struct conf_node *open[CONF_DEPTH_MAX + 1] = {root},
						**tail[CONF_DEPTH_MAX + 1] = {&root->first};
	struct conf_node *node;
	size_t depth = 0;

	for (advance(p); p->now.type != END_OF_FILE; advance(p)) {
		if (p->now.type == BLOCK_END && depth) {
			depth--;
			continue;
		}
		if (p->now.type != WORD)
			return unexpected(p, "a name");
		if (!statement(p, &node))
			return false;
		*tail[depth] = node;
		tail[depth] = &node->next;
		if (!node->is_block)
			continue;
		if (depth == CONF_DEPTH_MAX) {
			conf_complain(p->faults, p->file, p->now.line, p->now.col,
			              "more than %d blocks within each other", CONF_DEPTH_MAX);
			return false;
		}
		open[++depth] = node;
		tail[depth] = &node->first;
	}
	if (depth)
		conf_complain(p->faults, p->file, open[depth]->line, open[depth]->col,
		              "the block that begins here is not closed by \"}\"");
	return depth == 0;
}

static bool
is_text(struct parser *p)
{
	size_t good = text_utf8_good(p->in);

	if (p->in.n > CONF_INPUT_MAX) {
		conf_complain(p->faults, p->file, 1, 1, "larger than %d bytes", CONF_INPUT_MAX);
		return false;
	}
	if (good == p->in.n)
		return true;
	for (; p->at < good; p->at++)
		if (p->in.p[p->at] == '\n') {
			p->line++;
			p->line_at = p->at + 1;
		}
	conf_complain(p->faults, p->file, p->line, column(p), "not UTF-8");
	return false;
}

void
conf_complain(struct conf_faults *faults, const char *file, uint32_t line, uint32_t col,
              const char *fmt, ...)
{
	struct conf_fault *f;
	char what[sizeof(f->text)];
	va_list ap;

	if (faults->n++ >= CONF_FAULTS_MAX)
		return;
	f = &faults->list[faults->n - 1];
	va_start(ap, fmt);
	if (vsnprintf(what, sizeof(what), fmt, ap) < 0)
		what[0] = '\0';
	va_end(ap);
	f->line = line;
	f->col = col;
	/* A message that is too long loses its end. */
	if (snprintf(f->text, sizeof(f->text), "%.80s:%u:%u: %s", file, (unsigned)line,
	             (unsigned)col, what) < 0)
		f->text[0] = '\0';
}

struct err
conf_parse(struct bytes text, const char *file, struct arena *arena, struct conf_node **root,
           struct conf_faults *faults)
{
	struct parser p = {.line = 1, .file = file, .arena = arena, .faults = faults};

	p.in = text;
	if (!is_text(&p))
		return ERR(ERR_SYNTAX, 0, "conf: text");
	p.in = arena_copy(arena, text);
	*root = arena_alloc(arena, sizeof(**root));
	if (!p.in.p || !*root)
		return ERR(ERR_MEMORY, 0, "conf: text");
	(*root)->is_block = true;
	(*root)->line = (*root)->col = 1;
	if (tree(&p, *root))
		return OK;
	if (p.no_memory)
		return ERR(ERR_MEMORY, 0, "conf: tree");
	return ERR(ERR_SYNTAX, 0, "conf: tree");
}

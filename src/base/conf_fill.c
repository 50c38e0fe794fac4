/*
 * conf_fill.c - the schema: holds a tree against it, and fills the struct of who wants to know.
 *
 * A schema is ours and as deep as blocks may be, so one call within another for a block within
 * another is bounded by it, whatever the file says.
 */
#include "base/conf.h"
#include "base/map.h"
#include "base/text.h"

#include <assert.h>

enum {
	KEYS_MAX = 64,  /* of one block of a schema */
	NAME_SIZE = 40, /* of a name that is worth a suggestion */
	ALIKE = 2,      /* edits that a name may be away from one that is suggested */
	SHOWN = 48,     /* characters of foreign text in a complaint */
	PATH = 256,     /* of a key in the manual's list */
};

struct unit {
	const char *name;
	uint64_t factor;
};

/* From the smallest; the last has no name. */
static const struct unit size_units[] = {{"", 1},         {"k", 1 << 10},    {"m", 1 << 20},
                                         {"g", 1U << 30}, {"t", 1ULL << 40}, {NULL, 0}};
static const struct unit duration_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                             {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

/* In the order of enum conf_type. */
static const char *const type_names[] = {
    "on or off",
    "a number",
    "a size such as 64k",
    "a duration such as 30s",
    "a text",
    "a word",
    "a list of texts",
    "an address with a port, such as 192.0.2.1:25 or [2001:db8::1]:25",
    "a network such as 192.0.2.0/24",
    "a block",
    "named blocks",
};

struct fill {
	const char *file;
	struct arena *arena;
	struct conf_faults *faults;
	bool no_memory;
};

struct shown {
	char text[SHOWN + 8];
};

/* Foreign text for a complaint: escaped, and cut with "...". */
static struct shown
show(struct bytes b)
{
	struct shown s = {""};
	struct wr w = wr_of(s.text, SHOWN);

	for (size_t i = 0; i < b.n && !w.full; i++)
		text_escape(&w, (struct bytes){b.p + i, 1});
	memcpy(w.p, w.full ? "..." : "", w.full ? 4 : 1);
	return s;
}

static uint8_t
least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return (uint8_t)(m < c ? m : c);
}

/* How many letters must be put in, taken out or replaced to make one of the other. */
static unsigned
distance(struct bytes a, struct bytes b)
{
	uint8_t row[NAME_SIZE + 1], corner, above;

	if (a.n > NAME_SIZE || b.n > NAME_SIZE)
		return NAME_SIZE;
	for (size_t k = 0; k <= b.n; k++)
		row[k] = (uint8_t)k;
	for (size_t i = 0; i < a.n; i++) {
		corner = row[0]++;
		for (size_t k = 0; k < b.n; k++) {
			unsigned same = lower(a.p[i]) == lower(b.p[k]);

			above = row[k + 1];
			row[k + 1] = least(above + 1U, row[k] + 1U, corner + 1U - same);
			corner = above;
		}
	}
	return row[b.n];
}

static void
complain_unknown(struct fill *f, const struct conf_node *node, const struct conf_key *keys)
{
	const char *best = NULL;
	unsigned best_away = ALIKE + 1;

	for (; keys->name; keys++) {
		unsigned away = distance(node->name, bytes_of(keys->name));

		if (away < best_away && away < strlen(keys->name)) {
			best = keys->name;
			best_away = away;
		}
	}
	if (best)
		conf_complain(f->faults, f->file, node->line, node->col,
		              "unknown key \"%s\" (did you mean \"%s\"?)", show(node->name).text,
		              best);
	else
		conf_complain(f->faults, f->file, node->line, node->col, "unknown key \"%s\"",
		              show(node->name).text);
}

static void
complain_value(struct fill *f, const struct conf_key *key, const struct conf_value *v,
               const char *what)
{
	conf_complain(f->faults, f->file, v->line, v->col, "%s: \"%s\" is not %s", key->name,
	              show(v->text).text, what);
}

static void *
room_for(struct fill *f, size_t n, size_t size)
{
	void *p = arena_alloc(f->arena, n ? n * size : 1);

	f->no_memory |= !p;
	return p;
}

static const struct unit *
units_of(enum conf_type type)
{
	return type == CONF_SIZE ? size_units : duration_units;
}

/* Digits and a unit; false also when that passes 64 bits. */
static bool
scaled(struct bytes b, const struct unit *u, uint64_t *out)
{
	struct bytes digits = {b.p, 0}, name;
	uint64_t v;

	while (digits.n < b.n && b.p[digits.n] >= '0' && b.p[digits.n] <= '9')
		digits.n++;
	if (!text_u64(digits, UINT64_MAX, &v))
		return false;
	name = (struct bytes){b.p + digits.n, b.n - digits.n};
	for (; u->name; u++)
		if (bytes_eq_nocase(name, bytes_of(u->name))) {
			*out = v * u->factor;
			return v <= UINT64_MAX / u->factor;
		}
	*out = 0;
	return v == 0 && !name.n; /* nothing is nothing in every unit */
}

/* As one would write it in the file, with the largest unit that leaves no rest. */
static void
number_text(struct wr *w, enum conf_type type, uint64_t v)
{
	const struct unit *best = NULL;

	if (type == CONF_SIZE || type == CONF_DURATION)
		for (const struct unit *u = units_of(type); v && u->name; u++)
			if (v % u->factor == 0)
				best = u;
	wr_printf(w, "%llu%s", (unsigned long long)(best ? v / best->factor : v),
	          best ? best->name : "");
}

static void
range_text(struct wr *w, const struct conf_key *key)
{
	bool counts =
	    key->type != CONF_NUMBER && key->type != CONF_SIZE && key->type != CONF_DURATION;

	if (key->max) {
		number_text(w, key->type, key->min);
		wr_text(w, " to ");
		number_text(w, key->type, key->max);
	} else {
		wr_text(w, "at least ");
		number_text(w, key->type, key->min);
	}
	if (counts)
		wr_text(w, key->type == CONF_TEXT ? " bytes" : " entries");
	else if (key->unit)
		wr_printf(w, " %s", key->unit);
}

static bool
is_within(struct fill *f, const struct conf_key *key, uint64_t v, uint32_t line, uint32_t col)
{
	char what[128];
	struct wr w = wr_of(what, sizeof(what) - 1);

	if (v >= key->min && (!key->max || v <= key->max))
		return true;
	number_text(&w, key->type, v);
	wr_text(&w, " is outside ");
	range_text(&w, key);
	*w.p = '\0';
	conf_complain(f->faults, f->file, line, col, "%s: %s", key->name, what);
	return false;
}

static void
fill_flag(struct fill *f, const struct conf_key *key, const struct conf_value *v, uint8_t *to)
{
	bool on = bytes_eq(v->text, BYTES("on"));

	if (!on && !bytes_eq(v->text, BYTES("off")))
		complain_value(f, key, v, type_names[key->type]);
	memcpy(to, &on, sizeof(on));
}

static void
fill_number(struct fill *f, const struct conf_key *key, const struct conf_value *v, uint8_t *to)
{
	uint64_t n = 0;
	bool good = key->type == CONF_NUMBER ? text_u64(v->text, UINT64_MAX, &n)
	                                     : scaled(v->text, units_of(key->type), &n);

	if (!good)
		complain_value(f, key, v, type_names[key->type]);
	else if (is_within(f, key, n, v->line, v->col))
		memcpy(to, &n, sizeof(n));
}

static void
fill_choice(struct fill *f, const struct conf_key *key, const struct conf_value *v, uint8_t *to)
{
	struct bytes rest = bytes_of(key->choices);

	for (uint32_t i = 0; rest.n; i++)
		if (bytes_eq(text_cut(&rest, ' '), v->text)) {
			memcpy(to, &i, sizeof(i));
			return;
		}
	conf_complain(f->faults, f->file, v->line, v->col, "%s: \"%s\" is none of: %s", key->name,
	              show(v->text).text, key->choices);
}

static void
fill_texts(struct fill *f, const struct conf_node *node, uint8_t *to)
{
	struct conf_texts texts = {node->value_count, NULL};

	texts.list = room_for(f, texts.n, sizeof(*texts.list));
	for (size_t i = 0; texts.list && i < texts.n; i++)
		texts.list[i] = node->values[i].text;
	memcpy(to, &texts, sizeof(texts));
}

static void
fill_addrs(struct fill *f, const struct conf_key *key, const struct conf_node *node, uint8_t *to)
{
	struct conf_addrs addrs = {node->value_count, NULL};

	addrs.list = room_for(f, addrs.n, sizeof(*addrs.list));
	for (size_t i = 0; addrs.list && i < addrs.n; i++)
		if (!addr_parse(node->values[i].text, key->port, &addrs.list[i]))
			complain_value(f, key, &node->values[i], type_names[key->type]);
	memcpy(to, &addrs, sizeof(addrs));
}

static void
fill_nets(struct fill *f, const struct conf_key *key, const struct conf_node *node, uint8_t *to)
{
	struct conf_nets nets = {node->value_count, NULL};

	nets.list = room_for(f, nets.n, sizeof(*nets.list));
	for (size_t i = 0; nets.list && i < nets.n; i++)
		if (!net_parse(node->values[i].text, &nets.list[i]))
			complain_value(f, key, &node->values[i], type_names[key->type]);
	memcpy(to, &nets, sizeof(nets));
}

static bool
is_list(enum conf_type type)
{
	return type == CONF_TEXTS || type == CONF_ADDRS || type == CONF_NETS;
}

/* Whether the node has the form that the type wants; complains if not. */
static bool
is_formed(struct fill *f, const struct conf_key *key, const struct conf_node *node)
{
	bool block = key->type == CONF_BLOCK || key->type == CONF_NAMED;
	bool list = is_list(key->type);
	const char *what = NULL;
	uint32_t line = node->line, col = node->col;

	if (block && (!node->is_block || node->value_count))
		what = "needs a block { ... } and nothing else";
	else if (!block && node->is_block)
		what = "takes a value, not a block { ... }";
	else if (!block && !node->value_count && !node->is_list)
		what = "needs a value";
	else if (!block && !list && node->is_list)
		what = "takes one value, not a list";
	else if (!block && !list && node->value_count > 1) {
		line = node->values[1].line;
		col = node->values[1].col;
		what = line > node->values[0].line
		           ? "takes one value; is a \";\" missing before this?"
		           : "takes one value";
	}
	if (what)
		conf_complain(f->faults, f->file, line, col, "%s %s", key->name, what);
	return !what;
}

static void fill_block(struct fill *, const struct conf_node *, const struct conf_key *, uint8_t *);

/* A place in a map for this name; false, with a complaint, when it was there before. */
static bool
is_new_name(struct fill *f, struct map *names, struct conf_node *node)
{
	uint8_t *text = arena_alloc(f->arena, node->name.n + 1);
	const struct conf_node *before;
	struct wr w;

	if (!text) {
		f->no_memory = true;
		return false;
	}
	w = wr_of(text, node->name.n);
	text_lower_into(&w, node->name);
	before = map_get(names, wr_since(&w, text));
	if (before)
		conf_complain(f->faults, f->file, node->line, node->col,
		              "\"%s\" is there already, in line %u", show(node->name).text,
		              (unsigned)before->line);
	else if (!map_put(names, wr_since(&w, text), node))
		f->no_memory = true;
	return !before;
}

static void
fill_named(struct fill *f, const struct conf_key *key, const struct conf_node *node, uint8_t *to)
{
	/* The names are those of who runs the server: nobody aims at this hash. */
	static const uint8_t no_secret[16];
	struct conf_named named = {0, NULL, NULL};
	struct map names;
	size_t n = 0;

	for (struct conf_node *c = node->first; c; c = c->next)
		n++;
	if (!is_within(f, key, n, node->line, node->col))
		return;
	named.names = room_for(f, n, sizeof(*named.names));
	named.list = room_for(f, n, key->size);
	map_init(&names, no_secret);
	for (struct conf_node *c = node->first; c && !f->no_memory; c = c->next) {
		if (!c->is_block || c->value_count)
			conf_complain(f->faults, f->file, c->line, c->col,
			              "%s: NAME { ... } should be here", key->name);
		else if (is_new_name(f, &names, c) && !f->no_memory)
			fill_block(f, c, key->keys, (uint8_t *)named.list + named.n * key->size);
		else
			continue;
		named.names[named.n++] = c->name;
	}
	map_free(&names);
	memcpy(to, &named, sizeof(named));
}

static void
fill_key(struct fill *f, const struct conf_key *key, const struct conf_node *node, uint8_t *target)
{
	uint8_t *to = target + key->offset;
	const struct conf_value *v = node->values;

	if (!is_formed(f, key, node))
		return;
	switch (key->type) {
	case CONF_FLAG:
		fill_flag(f, key, v, to);
		return;
	case CONF_NUMBER:
	case CONF_SIZE:
	case CONF_DURATION:
		fill_number(f, key, v, to);
		return;
	case CONF_TEXT:
		if (is_within(f, key, v->text.n, v->line, v->col))
			memcpy(to, &v->text, sizeof(v->text));
		return;
	case CONF_CHOICE:
		fill_choice(f, key, v, to);
		return;
	case CONF_BLOCK:
		fill_block(f, node, key->keys, to);
		return;
	case CONF_NAMED:
		fill_named(f, key, node, to);
		return;
	case CONF_TEXTS:
	case CONF_ADDRS:
	case CONF_NETS:
		break;
	}
	if (!is_within(f, key, node->value_count, node->line, node->col))
		return;
	if (key->type == CONF_TEXTS)
		fill_texts(f, node, to);
	else if (key->type == CONF_ADDRS)
		fill_addrs(f, key, node, to);
	else
		fill_nets(f, key, node, to);
}

/* A default is read as the file is; one that is wrong is our mistake. */
static void
fill_default(struct fill *f, const struct conf_key *key, uint8_t *target)
{
	struct conf_faults faults = {0};
	struct fill own = {"default", f->arena, &faults, false};
	char text[PATH];
	struct wr w = wr_of(text, sizeof(text));
	struct conf_node *root;
	struct err e;

	if (key->type == CONF_BLOCK) {
		fill_block(f, NULL, key->keys, target + key->offset);
		return;
	}
	if (!key->fallback)
		return;
	wr_printf(&w, "%s %s;", key->name, key->fallback);
	assert(!w.full);
	e = conf_parse(wr_since(&w, (uint8_t *)text), own.file, f->arena, &root, &faults);
	if (is_ok(e))
		fill_key(&own, key, root->first, target);
	f->no_memory |= own.no_memory || e.code == ERR_MEMORY;
	assert(!faults.n);
}

/* The struct at target from a block, or, without one, from the defaults. */
static void
fill_block(struct fill *f, const struct conf_node *block, const struct conf_key *keys,
           uint8_t *target)
{
	const struct conf_node *found[KEYS_MAX] = {NULL};
	size_t i;

	for (const struct conf_node *n = block ? block->first : NULL; n && !f->no_memory;
	     n = n->next) {
		for (i = 0; keys[i].name && !bytes_eq(n->name, bytes_of(keys[i].name)); i++)
			assert(i + 1 < KEYS_MAX);
		if (!keys[i].name) {
			complain_unknown(f, n, keys);
		} else if (found[i]) {
			conf_complain(f->faults, f->file, n->line, n->col,
			              "%s is set twice, first in line %u", keys[i].name,
			              (unsigned)found[i]->line);
		} else {
			found[i] = n;
			fill_key(f, &keys[i], n, target);
		}
	}
	for (i = 0; keys[i].name && !f->no_memory; i++) {
		assert(i < KEYS_MAX);
		if (found[i])
			continue;
		if (block && keys[i].required)
			conf_complain(f->faults, f->file, block->line, block->col,
			              "%s is missing in this block", keys[i].name);
		fill_default(f, &keys[i], target);
	}
}

static void
describe(struct wr *w, const struct conf_key *key, const char *path)
{
	wr_printf(w, "%s%s\n", path, key->name);
	wr_printf(w, "\t%s\n\t", key->help ? key->help : "");
	if (key->type == CONF_CHOICE)
		wr_printf(w, "One of: %s.", key->choices);
	else
		wr_printf(w, "Type: %s%s.", is_list(key->type) ? "a list, each " : "",
		          type_names[key->type]);
	if (key->min || key->max) {
		wr_text(w, "  Range: ");
		range_text(w, key);
		wr_text(w, ".");
	}
	if (key->required)
		wr_text(w, "  Required.");
	else if (key->fallback)
		wr_printf(w, "  Default: %s.", key->fallback);
	wr_text(w, "\n");
}

static void
describe_all(struct wr *w, const struct conf_key *keys, const char *path, unsigned depth)
{
	char longer[PATH];
	struct wr p;

	assert(depth <= CONF_DEPTH_MAX);
	for (; keys->name; keys++) {
		if (keys->type != CONF_BLOCK)
			describe(w, keys, path);
		if (!keys->keys)
			continue;
		p = wr_of(longer, sizeof(longer));
		wr_printf(&p, "%s%s.%s", path, keys->name, keys->type == CONF_NAMED ? "NAME." : "");
		wr_u8(&p, 0);
		assert(!p.full);
		describe_all(w, keys->keys, longer, depth + 1);
	}
}

struct err
conf_fill(const struct conf_node *root, const char *file, const struct conf_key *keys, void *target,
          size_t size, struct arena *arena, struct conf_faults *faults)
{
	struct fill f = {file, arena, faults, false};
	size_t before = faults->n;

	memset(target, 0, size);
	fill_block(&f, root, keys, target);
	if (f.no_memory)
		return ERR(ERR_MEMORY, 0, "conf: fill");
	return faults->n == before ? OK : ERR(ERR_SYNTAX, 0, "conf: fill");
}

struct err
conf_read(struct bytes text, const char *file, const struct conf_key *keys, void *target,
          size_t size, struct arena *arena, struct conf_faults *faults)
{
	struct conf_node *root;
	struct err e = conf_parse(text, file, arena, &root, faults);

	if (!is_ok(e))
		return e;
	return conf_fill(root, file, keys, target, size, arena, faults);
}

void
conf_describe(struct wr *w, const struct conf_key *keys)
{
	describe_all(w, keys, "", 0);
}

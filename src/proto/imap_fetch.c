/* imap_fetch.c - reads what a FETCH asks for; each item gets the label that its answer bears. */
#include "proto/imap_fetch.h"

#include "proto/imap_parse.h"

struct reader {
	struct imap_fetch *fetch;
	struct rd *in;
	struct arena *arena;
	struct err e;
};

static const struct {
	const char *name;
	enum imap_item_kind kind;
} plain[] = {
    {"FLAGS", IMAP_ITEM_FLAGS},
    {"UID", IMAP_ITEM_UID},
    {"INTERNALDATE", IMAP_ITEM_INTERNALDATE},
    {"RFC822.SIZE", IMAP_ITEM_SIZE},
    {"ENVELOPE", IMAP_ITEM_ENVELOPE},
    {"BODYSTRUCTURE", IMAP_ITEM_BODYSTRUCTURE},
};

static const struct {
	const char *name;
	enum imap_section section;
	bool sets_seen;
} old[] = {
    {"RFC822", IMAP_WHOLE, true},
    {"RFC822.HEADER", IMAP_HEADER_OF, false},
    {"RFC822.TEXT", IMAP_TEXT_OF, true},
};

static const struct {
	const char *name;
	enum imap_section section;
	bool of_a_part_only, fields;
} texts[] = {
    {"HEADER", IMAP_HEADER_OF, false, false},
    {"HEADER.FIELDS", IMAP_FIELDS_OF, false, true},
    {"HEADER.FIELDS.NOT", IMAP_FIELDS_NOT_OF, false, true},
    {"TEXT", IMAP_TEXT_OF, false, false},
    {"MIME", IMAP_MIME_OF, true, false},
};

/* RFC 3501 6.4.5: each stands alone, never in a list. */
static const struct {
	const char *name;
	size_t n;
	enum imap_item_kind kinds[5];
} macros[] = {
    {"FAST", 3, {IMAP_ITEM_FLAGS, IMAP_ITEM_INTERNALDATE, IMAP_ITEM_SIZE}},
    {"ALL", 4, {IMAP_ITEM_FLAGS, IMAP_ITEM_INTERNALDATE, IMAP_ITEM_SIZE, IMAP_ITEM_ENVELOPE}},
    {"FULL",
     5,
     {IMAP_ITEM_FLAGS, IMAP_ITEM_INTERNALDATE, IMAP_ITEM_SIZE, IMAP_ITEM_ENVELOPE, IMAP_ITEM_BODY}},
};

static void
fail(struct reader *r, struct err e)
{
	if (is_ok(r->e))
		r->e = e;
	r->in->bad = true;
}

static void
add(struct reader *r, const struct imap_item *item)
{
	struct imap_fetch *f = r->fetch;

	if (r->in->bad)
		return;
	if (f->n == IMAP_ITEMS_MAX) {
		fail(r, ERR(ERR_RANGE, 0, "items"));
		return;
	}
	f->items[f->n++] = *item;
	f->needs |= 1u << item->kind;
}

/* Where the answer repeats a field's name: as an atom, or quoted. */
static void
put_field(struct reader *r, struct wr *label, struct bytes name)
{
	bool atom = name.n > 0;

	for (size_t i = 0; i < name.n; i++) {
		atom &= imap_is_atom_char(name.p[i]);
		if (name.p[i] < ' ' || name.p[i] >= 0x7f)
			r->in->bad = true;
	}
	if (atom) {
		wr_bytes(label, name);
		return;
	}
	wr_u8(label, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"' || name.p[i] == '\\')
			wr_u8(label, '\\');
		wr_u8(label, name.p[i]);
	}
	wr_u8(label, '"');
}

/* " (From To)" */
static void
take_fields(struct reader *r, struct imap_item *item, struct wr *label)
{
	struct bytes *names = arena_alloc(r->arena, IMAP_FIELDS_MAX * sizeof(*names));

	if (!names)
		fail(r, ERR(ERR_FULL, 0, "fields"));
	imap_take(r->in, ' ');
	imap_take(r->in, '(');
	wr_text(label, " (");
	do {
		struct bytes name = imap_take_astring(r->in, r->arena);

		if (item->fields_n == IMAP_FIELDS_MAX)
			fail(r, ERR(ERR_RANGE, 0, "fields"));
		if (r->in->bad)
			return;
		if (item->fields_n)
			wr_u8(label, ' ');
		put_field(r, label, name);
		names[item->fields_n++] = name;
	} while (imap_skip(r->in, ' '));
	imap_take(r->in, ')');
	wr_u8(label, ')');
	item->fields = names;
}

/* "1.2.": true when a word has to follow. */
static bool
take_path(struct reader *r, struct imap_item *item, struct wr *label)
{
	uint32_t path[IMAP_PATH_MAX], *kept;
	bool more = true;

	while (more && imap_peek(r->in) >= '0' && imap_peek(r->in) <= '9') {
		uint32_t number = imap_take_number(r->in);

		if (!number)
			r->in->bad = true;
		if (item->path_n == COUNT(path)) {
			fail(r, ERR(ERR_RANGE, 0, "part"));
			return false;
		}
		path[item->path_n++] = number;
		more = imap_skip(r->in, '.');
		wr_printf(label, more ? "%u." : "%u", (unsigned)number);
	}
	if (!item->path_n)
		return imap_peek(r->in) != ']';
	kept = arena_alloc(r->arena, item->path_n * sizeof(*kept));
	if (!kept) {
		fail(r, ERR(ERR_FULL, 0, "part"));
		return false;
	}
	memcpy(kept, path, item->path_n * sizeof(*kept));
	item->path = kept;
	return more;
}

static void
take_section_text(struct reader *r, struct imap_item *item, struct wr *label)
{
	struct bytes name = imap_take_name(r->in);

	for (size_t i = 0; i < COUNT(texts); i++) {
		if (!bytes_eq_nocase(name, bytes_of(texts[i].name)))
			continue;
		if (texts[i].of_a_part_only && !item->path_n)
			r->in->bad = true;
		item->section = texts[i].section;
		wr_text(label, texts[i].name);
		if (texts[i].fields)
			take_fields(r, item, label);
		return;
	}
	r->in->bad = true;
}

/* "[...]<...>" */
static void
take_section(struct reader *r)
{
	uint8_t room[IMAP_LABEL_MAX];
	struct wr label = wr_of(room, sizeof(room));
	struct imap_item item = {.kind = IMAP_ITEM_SECTION, .section = IMAP_WHOLE};

	wr_text(&label, "BODY[");
	imap_take(r->in, '[');
	if (take_path(r, &item, &label))
		take_section_text(r, &item, &label);
	imap_take(r->in, ']');
	wr_u8(&label, ']');
	if (imap_skip(r->in, '<')) {
		item.partial = true;
		item.origin = imap_take_number(r->in);
		imap_take(r->in, '.');
		item.count = imap_take_number(r->in);
		imap_take(r->in, '>');
		wr_printf(&label, "<%u>", (unsigned)item.origin);
		if (!item.count)
			r->in->bad = true;
	}
	if (label.full)
		fail(r, ERR(ERR_RANGE, 0, "section"));
	item.label = arena_copy(r->arena, wr_since(&label, room));
	if (!item.label.p)
		fail(r, ERR(ERR_FULL, 0, "section"));
	add(r, &item);
}

static void
take_item(struct reader *r)
{
	struct bytes name = imap_take_name(r->in);
	struct imap_item item = {.kind = IMAP_ITEM_BODY};
	bool section = imap_peek(r->in) == '[';

	if (section && bytes_eq_nocase(name, BYTES("BODY.PEEK"))) {
		take_section(r);
		return;
	}
	if (bytes_eq_nocase(name, BYTES("BODY"))) {
		r->fetch->sets_seen |= section;
		if (section)
			take_section(r);
		else
			add(r, &item);
		return;
	}
	for (size_t i = 0; i < COUNT(plain); i++)
		if (bytes_eq_nocase(name, bytes_of(plain[i].name))) {
			item.kind = plain[i].kind;
			add(r, &item);
			return;
		}
	for (size_t i = 0; i < COUNT(old); i++)
		if (bytes_eq_nocase(name, bytes_of(old[i].name))) {
			item.kind = IMAP_ITEM_SECTION;
			item.section = old[i].section;
			item.label = bytes_of(old[i].name);
			r->fetch->sets_seen |= old[i].sets_seen;
			add(r, &item);
			return;
		}
	r->in->bad = true;
}

static bool
take_macro(struct reader *r)
{
	for (size_t i = 0; i < COUNT(macros); i++) {
		if (!imap_skip_word(r->in, macros[i].name))
			continue;
		for (size_t k = 0; k < macros[i].n; k++) {
			const struct imap_item item = {.kind = macros[i].kinds[k]};

			add(r, &item);
		}
		return true;
	}
	return false;
}

struct err
imap_fetch_read(struct imap_fetch *fetch, struct rd *in, struct arena *arena)
{
	struct reader r = {.fetch = fetch, .in = in, .arena = arena, .e = OK};

	/* two more than a client may name: UID and FLAGS come unasked, see imap_render.h */
	*fetch = (struct imap_fetch){
	    .items = arena_alloc(arena, (IMAP_ITEMS_MAX + 2) * sizeof(*fetch->items))};
	if (!fetch->items)
		return ERR(ERR_FULL, 0, "items");
	if (imap_skip(in, '(')) {
		do
			take_item(&r);
		while (!in->bad && imap_skip(in, ' '));
		imap_take(in, ')');
	} else if (!take_macro(&r)) {
		take_item(&r);
	}
	if (is_ok(r.e) && in->bad)
		r.e = ERR(ERR_SYNTAX, 0, "items");
	return r.e;
}

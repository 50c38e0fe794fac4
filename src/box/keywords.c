/* keywords.c - a list of at most KEYWORDS_MAX names, compared without regard to case. */
#include "box/keywords.h"

#include <stdlib.h>

/* RFC 3501 9: an atom, which has none of the specials. */
static bool
is_atom(struct bytes name)
{
	static const char specials[] = "(){%*\"\\] ";

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~' || memchr(specials, name.p[i], 9))
			return false;
	return name.n > 0 && name.n <= KEYWORD_MAX;
}

/* Its bit; KEYWORDS_MAX: it is not there. */
static unsigned
find(const struct keywords *k, struct bytes name)
{
	struct rd r = rd_of(keywords_list(k));

	for (unsigned i = 0; i < k->n; i++)
		if (bytes_eq_nocase(rd_bytes8(&r), name))
			return i;
	return KEYWORDS_MAX;
}

static bool
add_name(struct keywords *k, struct bytes name)
{
	struct wr w = wr_of(k->text + k->length, sizeof(k->text) - k->length);

	if (k->n == KEYWORDS_MAX)
		return false;
	wr_bytes8(&w, name);
	k->length += 1 + name.n;
	k->n++;
	k->dirty = true;
	return true;
}

struct bytes
keywords_list(const struct keywords *k)
{
	return (struct bytes){k->text, k->length};
}

struct err
keywords_read(struct mailboxes *m, struct account *a, struct folder *f)
{
	struct arena arena = arena_init(0);
	uint8_t key[RECORD_KEY_MAX];
	struct store_entry entry;
	struct keywords *k;
	struct err e;
	struct rd r;

	if (f->keywords)
		return OK;
	k = calloc(1, sizeof(*k));
	if (!k)
		return ERR(ERR_MEMORY, 0, "keywords");
	e = store_get(m->store, account_shard(a), record_folder_key(key, 'k', f->number), &entry,
	              &arena);
	r = rd_of(is_ok(e) ? entry.value : NO_BYTES);
	while (is_ok(e) && rd_left(&r))
		if (!add_name(k, rd_bytes8(&r)))
			r.bad = true;
	if (r.bad)
		e = ERR(ERR_CORRUPT, 0, "a mailbox's keywords");
	arena_free(&arena);
	k->dirty = false;
	if (is_ok(e) || e.code == ERR_NOTFOUND) {
		f->keywords = k;
		return OK;
	}
	free(k);
	return e;
}

struct err
keywords_bits(struct keywords *k, struct bytes list, bool add, uint64_t *bits)
{
	const struct keywords before = {.length = k->length, .n = k->n, .dirty = k->dirty};
	struct rd r = rd_of(list);
	struct err e = OK;

	*bits = 0;
	while (is_ok(e) && rd_left(&r)) {
		struct bytes name = rd_bytes8(&r);
		unsigned bit = find(k, name);

		if (r.bad || !is_atom(name))
			e = ERR(ERR_SYNTAX, 0, "keywords");
		else if (bit == KEYWORDS_MAX && add && !add_name(k, name))
			e = ERR(ERR_FULL, 0, "keywords");
		else if (bit < KEYWORDS_MAX)
			*bits |= UINT64_C(1) << bit;
		else if (add)
			*bits |= UINT64_C(1) << (k->n - 1);
	}
	if (!is_ok(e)) {
		k->length = before.length;
		k->n = before.n;
		k->dirty = before.dirty;
	}
	return e;
}

uint64_t
keywords_carry(struct keywords *k, const struct keywords *from, uint64_t bits)
{
	struct rd r = rd_of(keywords_list(from));
	uint64_t out = 0;

	if (k == from)
		return bits;
	for (unsigned i = 0; i < from->n; i++) {
		struct bytes name = rd_bytes8(&r);
		unsigned bit;

		if (!(bits >> i & 1))
			continue;
		bit = find(k, name);
		if (bit == KEYWORDS_MAX && add_name(k, name))
			bit = k->n - 1;
		if (bit < KEYWORDS_MAX)
			out |= UINT64_C(1) << bit;
	}
	return out;
}

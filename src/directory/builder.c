/* builder.c - takes entries in, and lays the image out. */
#include "directory/builder.h"

#include "base/siphash.h"
#include "base/text.h"
#include "directory/aliases.h"

#include <assert.h>
#include <stdlib.h>

/* A new entry under this key; *out is NULL when it is there already. */
static struct err
add(struct directory_builder *b, struct bytes key, enum format_kind kind, struct entry **out)
{
	uint8_t room[FORMAT_KEY_MAX];
	struct entry *e;

	*out = NULL;
	key = entries_lowered(key, room);
	if (map_get(&b->map, key))
		return ERR(ERR_EXISTS, 0, "directory: add");
	e = arena_alloc(&b->arena, sizeof(*e));
	key = arena_copy(&b->arena, key);
	if (!e || !key.p || !map_put(&b->map, key, e))
		return ERR(ERR_MEMORY, 0, "directory: add");
	e->key = key;
	e->kind = kind;
	*b->last = e;
	b->last = &e->next;
	b->slots = 0; /* what was measured before counts no more */
	*out = e;
	return OK;
}

/* Whether a new address may have this form: local@domain in a domain of ours. */
static struct err
may_add(const struct directory_builder *b, struct bytes address, bool catch_all)
{
	struct bytes local, domain;

	if (address.n > DIRECTORY_ADDRESS_MAX)
		return ERR(ERR_RANGE, 0, "directory: address");
	if (!entries_is_clean(address) || !entries_split(address, &local, &domain) ||
	    (!local.n && !catch_all))
		return ERR(ERR_SYNTAX, 0, "directory: address");
	if (local.n > ENTRIES_LOCAL_MAX)
		return ERR(ERR_RANGE, 0, "directory: local part");
	if (!entries_get(b, domain))
		return ERR(ERR_NOTFOUND, 0, "directory: domain");
	return OK;
}

static bool
leads_somewhere(const struct entry *e)
{
	return e && (e->kind != FORMAT_LIST || e->n_targets);
}

static struct err
add_extra(struct directory_builder *b, struct bytes domain, const struct entry *like)
{
	struct entry *e = arena_alloc(&b->work, sizeof(*e));
	uint8_t *key = arena_alloc(&b->work, FORMAT_KEY_MAX);
	struct wr w;

	if (!e || !key)
		return ERR(ERR_MEMORY, 0, "directory: postmaster");
	*e = *like;
	w = wr_of(key, FORMAT_KEY_MAX);
	wr_text(&w, "postmaster@");
	wr_bytes(&w, domain);
	assert(!w.full);
	e->key = wr_since(&w, key);
	e->next = b->extra;
	b->extra = e;
	return OK;
}

/* RFC 5321 4.5.1: mail for postmaster gets somewhere, in every domain and without one. */
static struct err
add_postmasters(struct directory_builder *b)
{
	const struct entry *alone = NULL, *like;
	struct err err = OK;

	for (const struct entry *e = b->first; e && is_ok(err); e = e->next) {
		if (e->kind != FORMAT_DOMAIN)
			continue;
		like = entries_find(b, BYTES("postmaster"), e->key);
		if (!leads_somewhere(like)) {
			like = e->first_account ? e->first_account : b->first_account;
			if (like)
				err = add_extra(b, e->key, like);
		}
		if (!alone)
			alone = like;
	}
	if (alone && is_ok(err))
		err = add_extra(b, NO_BYTES, alone);
	return err;
}

static size_t
entry_size(const struct entry *e)
{
	size_t n = 1 + 4 + 2 + e->key.n;

	if (e->kind == FORMAT_ACCOUNT)
		return n + 8;
	if (e->kind != FORMAT_LIST)
		return n;
	n += 4;
	for (size_t i = 0; i < e->n_targets; i++)
		n += 1 + (e->targets[i].remote.p ? 2 + e->targets[i].remote.n : 8 + 4);
	return n;
}

static uint64_t
slots_for(size_t n)
{
	uint64_t slots = 8;

	while (slots < 2 * (uint64_t)n)
		slots *= 2;
	return slots;
}

static void
write_entry(struct wr *w, const struct entry *e)
{
	wr_u8(w, (uint8_t)e->kind);
	wr_u32(w, e->flags);
	wr_bytes16(w, e->key);
	if (e->kind == FORMAT_ACCOUNT)
		wr_u64(w, e->account);
	if (e->kind != FORMAT_LIST)
		return;
	wr_u32(w, (uint32_t)e->n_targets);
	for (size_t i = 0; i < e->n_targets; i++) {
		const struct target *t = &e->targets[i];

		wr_u8(w, t->remote.p ? 1 : 0);
		if (t->remote.p) {
			wr_bytes16(w, t->remote);
		} else {
			wr_u64(w, t->account);
			wr_u32(w, t->flags);
		}
	}
}

/* Puts an entry's offset into the first free slot; there are twice as many slots as entries. */
static void
put_slot(const struct directory_builder *b, uint8_t *table, uint64_t slots, struct bytes key,
         uint64_t offset)
{
	uint64_t hash = siphash(b->key, key), slot = hash & (slots - 1);
	struct rd r;
	struct wr w;

	for (;; slot = (slot + 1) & (slots - 1)) {
		r = rd_of((struct bytes){table + slot * FORMAT_SLOT, FORMAT_SLOT});
		if (!rd_u64(&r))
			break;
	}
	w = wr_of(table + slot * FORMAT_SLOT, FORMAT_SLOT);
	wr_u64(&w, hash >> 48 << 48 | offset);
}

static struct err
resolve_all(struct directory_builder *b, directory_complain *fn, void *owner, bool *bad)
{
	struct err err = aliases_resolve(b, fn, owner, bad);

	return is_ok(err) ? add_postmasters(b) : err;
}

struct directory_builder *
directory_builder_new(const uint8_t key[16], uint64_t version)
{
	struct directory_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	memcpy(b->key, key, sizeof(b->key));
	map_init(&b->map, key);
	b->version = version;
	b->last = &b->first;
	return b;
}

void
directory_builder_free(struct directory_builder *b)
{
	if (!b)
		return;
	map_free(&b->map);
	arena_free(&b->arena);
	arena_free(&b->work);
	free(b);
}

struct err
directory_add_domain(struct directory_builder *b, struct bytes domain)
{
	struct entry *e;

	if (domain.n > ENTRIES_DOMAIN_MAX)
		return ERR(ERR_RANGE, 0, "directory: domain");
	if (!entries_is_domain(domain))
		return ERR(ERR_SYNTAX, 0, "directory: domain");
	return add(b, domain, FORMAT_DOMAIN, &e);
}

struct err
directory_add_account(struct directory_builder *b, struct bytes address, uint64_t id,
                      uint32_t flags)
{
	struct err err = may_add(b, address, false);
	struct bytes local, domain;
	struct entry *e, *of;

	if (is_ok(err))
		err = add(b, address, FORMAT_ACCOUNT, &e);
	if (!is_ok(err))
		return err;
	e->account = id;
	e->flags = flags;
	if (!b->first_account)
		b->first_account = e;
	of = entries_split(address, &local, &domain) ? entries_get(b, domain) : NULL;
	if (of && !of->first_account)
		of->first_account = e;
	return OK;
}

struct err
directory_add_alias(struct directory_builder *b, struct bytes address, const struct bytes *targets,
                    size_t n)
{
	struct err err = may_add(b, address, true);
	struct bytes local, domain, *texts;
	struct entry *e;

	if (!is_ok(err))
		return err;
	if (!n || n > DIRECTORY_TARGETS_MAX)
		return ERR(ERR_RANGE, 0, "directory: targets");
	texts = arena_alloc(&b->arena, n * sizeof(*texts));
	if (!texts)
		return ERR(ERR_MEMORY, 0, "directory: targets");
	for (size_t i = 0; i < n; i++) {
		if (targets[i].n > DIRECTORY_ADDRESS_MAX)
			return ERR(ERR_RANGE, 0, "directory: target");
		if (!entries_is_clean(targets[i]) || !entries_split(targets[i], &local, &domain) ||
		    !local.n)
			return ERR(ERR_SYNTAX, 0, "directory: target");
		texts[i] = arena_copy(&b->arena, targets[i]);
		if (!texts[i].p)
			return ERR(ERR_MEMORY, 0, "directory: targets");
	}
	err = add(b, address, FORMAT_LIST, &e);
	if (!is_ok(err))
		return err;
	e->texts = texts;
	e->n_texts = n;
	return OK;
}

struct err
directory_check(struct directory_builder *b, directory_complain *fn, void *owner)
{
	bool bad;
	struct err err = aliases_resolve(b, fn, owner, &bad);

	return is_ok(err) && bad ? ERR(ERR_SYNTAX, 0, "directory: check") : err;
}

struct err
directory_size(struct directory_builder *b, size_t *n)
{
	bool bad;
	struct err err = resolve_all(b, NULL, NULL, &bad);
	size_t entries = 0, bytes = 0;

	if (!is_ok(err))
		return err;
	for (int pass = 0; pass < 2; pass++)
		for (const struct entry *e = pass ? b->first : b->extra; e; e = e->next) {
			entries++;
			bytes += entry_size(e);
		}
	b->slots = slots_for(entries);
	b->size = FORMAT_HEADER + (size_t)b->slots * FORMAT_SLOT + bytes;
	*n = b->size;
	return OK;
}

struct err
directory_build(struct directory_builder *b, struct wr *region)
{
	uint8_t *start = region->p, *table;
	size_t table_n = (size_t)b->slots * FORMAT_SLOT;

	assert(b->slots && b->size <= FORMAT_OFFSETS);
	if (wr_room(region) < b->size)
		return ERR(ERR_FULL, 0, "directory: build");
	wr_bytes(region, FORMAT_MAGIC);
	wr_u32(region, FORMAT_VERSION);
	wr_u32(region, 0);
	wr_u64(region, b->version);
	wr_u64(region, b->size);
	wr_u64(region, b->slots);
	wr_bytes(region, (struct bytes){b->key, sizeof(b->key)});
	wr_u64(region, 0);
	table = wr_take(region, table_n);
	memset(table, 0, table_n);
	/* The first of two is found: our postmaster before an added one that leads nowhere. */
	for (int pass = 0; pass < 2; pass++)
		for (const struct entry *e = pass ? b->first : b->extra; e; e = e->next) {
			put_slot(b, table, b->slots, e->key, (uint64_t)(region->p - start));
			write_entry(region, e);
		}
	assert(!region->full && wr_since(region, start).n == b->size);
	return OK;
}

/* image.c - looks addresses up; every offset and length is checked where it is used. */
#include "directory/image.h"

#include "base/siphash.h"
#include "base/text.h"
#include "directory/format.h"

enum {
	LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1 */
	DOMAIN_MAX = 255, /* RFC 5321 4.5.3.1.2 */
	/* A table half full of keyed hashes has no run near this length; a damaged one may. */
	PROBES_MAX = 4096,
};

enum found { ABSENT, FOUND, DAMAGED };

/* The whole of an entry but its key; rd stands behind the key. */
struct entry {
	uint8_t kind;
	uint32_t flags;
	struct rd rest;
};

static struct rd
rd_at(const struct directory *d, uint64_t offset)
{
	if (offset > d->image.n)
		return (struct rd){NULL, NULL, true};
	return rd_of((struct bytes){d->image.p + offset, d->image.n - (size_t)offset});
}

static enum found
find(const struct directory *d, struct bytes key, struct entry *e)
{
	uint64_t hash = siphash(d->key, key), slot = hash & (d->slots - 1), v;
	struct bytes there;
	struct rd r;

	for (size_t i = 0; i < PROBES_MAX; i++, slot = (slot + 1) & (d->slots - 1)) {
		r = rd_at(d, FORMAT_HEADER + slot * FORMAT_SLOT);
		v = rd_u64(&r);
		if (r.bad)
			return DAMAGED;
		if (!v)
			return ABSENT;
		if (v >> 48 != hash >> 48)
			continue;
		r = rd_at(d, v & FORMAT_OFFSETS);
		e->kind = rd_u8(&r);
		e->flags = rd_u32(&r);
		there = rd_bytes16(&r);
		e->rest = r;
		if (r.bad)
			return DAMAGED;
		if (bytes_eq(there, key))
			return FOUND;
	}
	return DAMAGED;
}

/* local "@" domain in lower case. */
static enum found
find_address(const struct directory *d, struct bytes local, struct bytes domain, struct entry *e)
{
	uint8_t key[FORMAT_KEY_MAX];
	struct wr w = wr_of(key, sizeof(key));

	text_lower_into(&w, local);
	wr_u8(&w, '@');
	text_lower_into(&w, domain);
	return w.full ? ABSENT : find(d, wr_since(&w, key), e);
}

static enum found
find_domain(const struct directory *d, struct bytes domain)
{
	uint8_t key[DOMAIN_MAX];
	struct wr w = wr_of(key, sizeof(key));
	struct entry e;
	enum found f;

	text_lower_into(&w, domain);
	if (w.full || !domain.n)
		return ABSENT;
	f = find(d, wr_since(&w, key), &e);
	return f == FOUND && e.kind != FORMAT_DOMAIN ? DAMAGED : f;
}

static enum directory_kind
answer(struct entry *e, struct directory_answer *a)
{
	a->flags = e->flags;
	if (e->kind == FORMAT_ACCOUNT) {
		a->account = rd_u64(&e->rest);
		return e->rest.bad ? DIRECTORY_BROKEN : DIRECTORY_ACCOUNT;
	}
	if (e->kind == FORMAT_LIST) {
		a->left = rd_u32(&e->rest);
		a->list = e->rest;
		if (a->list.bad || a->left > DIRECTORY_TARGETS_MAX)
			return DIRECTORY_BROKEN;
		return a->left ? DIRECTORY_LIST : DIRECTORY_NONE;
	}
	return DIRECTORY_BROKEN;
}

static enum directory_kind
look(const struct directory *d, struct bytes local, struct bytes domain, struct directory_answer *a)
{
	const uint8_t *plus = local.n > 1 ? memchr(local.p + 1, '+', local.n - 1) : NULL;
	struct entry e = {0};
	enum found f = find_domain(d, domain);

	if (f == ABSENT)
		return DIRECTORY_NO_DOMAIN;
	if (f == FOUND && (!local.n || local.n > LOCAL_MAX))
		return DIRECTORY_NONE;
	if (f == FOUND)
		f = find_address(d, local, domain, &e);
	if (f == ABSENT && plus)
		f = find_address(d, (struct bytes){local.p, (size_t)(plus - local.p)}, domain, &e);
	if (f == ABSENT)
		f = find_address(d, NO_BYTES, domain, &e);
	if (f == ABSENT)
		return DIRECTORY_NONE;
	return f == FOUND ? answer(&e, a) : DIRECTORY_BROKEN;
}

bool
directory_open(struct directory *d, struct bytes image)
{
	struct rd r = rd_of(image);
	struct bytes magic = rd_take(&r, FORMAT_MAGIC.n), key;
	uint32_t format = rd_u32(&r), zero = rd_u32(&r);
	uint64_t size;

	d->version = rd_u64(&r);
	size = rd_u64(&r);
	d->slots = rd_u64(&r);
	key = rd_take(&r, sizeof(d->key));
	if (r.bad || !bytes_eq(magic, FORMAT_MAGIC) || format != FORMAT_VERSION || zero)
		return false;
	if (size < FORMAT_HEADER || size > image.n || !d->slots || d->slots & (d->slots - 1) ||
	    d->slots > (size - FORMAT_HEADER) / FORMAT_SLOT)
		return false;
	memcpy(d->key, key.p, sizeof(d->key));
	d->image = (struct bytes){image.p, (size_t)size};
	return true;
}

bool
directory_has_domain(const struct directory *d, struct bytes domain)
{
	return find_domain(d, domain) == FOUND;
}

enum directory_kind
directory_lookup(const struct directory *d, struct bytes address, struct directory_answer *a)
{
	struct bytes local = address, domain;
	struct entry e;
	enum found f;

	memset(a, 0, sizeof(*a));
	while (local.n && local.p[local.n - 1] != '@')
		local.n--;
	if (local.n) {
		domain = (struct bytes){address.p + local.n, address.n - local.n};
		local.n--;
		a->kind = look(d, local, domain, a);
		return a->kind;
	}
	a->kind = DIRECTORY_NO_DOMAIN;
	if (!bytes_eq_nocase(address, BYTES("postmaster")))
		return a->kind;
	f = find_address(d, address, NO_BYTES, &e);
	if (f != ABSENT)
		a->kind = f == FOUND ? answer(&e, a) : DIRECTORY_BROKEN;
	return a->kind;
}

bool
directory_target(struct directory_answer *a, struct directory_target *t)
{
	uint8_t tag;

	memset(t, 0, sizeof(*t));
	if (a->kind != DIRECTORY_LIST || !a->left)
		return false;
	a->left--;
	tag = rd_u8(&a->list);
	if (tag == 0) {
		t->account = rd_u64(&a->list);
		t->flags = rd_u32(&a->list);
	} else {
		t->is_remote = true;
		t->remote = rd_bytes16(&a->list);
	}
	if (a->list.bad || tag > 1 || t->remote.n > DIRECTORY_ADDRESS_MAX ||
	    (t->is_remote && !t->remote.n))
		a->kind = DIRECTORY_BROKEN;
	return a->kind == DIRECTORY_LIST;
}

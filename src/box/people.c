/*
 * people.c - a change reads what stands, is checked, and is submitted guarded by the version that
 * was read; when another came first, it is checked again.
 */
#include "box/people.h"

#include "base/random.h"
#include "base/text.h"
#include "directory/builder.h"
#include "mail/address.h"
#include "net/snap.h"

#include <stdlib.h>

enum { KEY_MAX = 1 + DIRECTORY_ADDRESS_MAX, CHANGES = 3, TARGETS_MAX = 4000 };
_Static_assert((int)TARGETS_MAX <= (int)STORE_VALUE_MAX, "an alias's targets are one value");

struct people {
	struct store *store;
	struct random *random;
	uint64_t version;
};

struct change {
	struct people *people;
	enum people_change what;
	people_done *done;
	void *owner;
	uint64_t account, guard;
	struct bytes name, targets; /* in the arena */
	struct store_change list[CHANGES];
	size_t n;
	const char *text; /* why it cannot be made */
	struct arena arena;
};

static const struct shard_id directory_shard = {SHARD_DIRECTORY, {0}};

static void
finish(struct change *c, enum err_code code)
{
	c->done(c->owner, code, c->account, bytes_of(c->text ? c->text : ""));
	arena_free(&c->arena);
	free(c);
}

static struct bytes
key_of(struct arena *a, char kind, struct bytes name)
{
	uint8_t *p = arena_alloc(a, 1 + name.n);

	if (!p)
		return NO_BYTES;
	p[0] = (uint8_t)kind;
	if (name.n)
		memcpy(p + 1, name.p, name.n);
	return (struct bytes){p, 1 + name.n};
}

static struct bytes
number_bytes(struct arena *a, uint64_t number)
{
	uint8_t *p = arena_alloc(a, 8);
	struct wr w = wr_of(p, p ? 8 : 0);

	wr_u64(&w, number);
	return p ? (struct bytes){p, 8} : NO_BYTES;
}

static struct err
find(struct change *c, char kind, struct bytes name, struct store_entry *out)
{
	struct bytes key;

	if (name.n >= STORE_KEY_MAX) /* none that long is ever kept */
		return ERR(ERR_NOTFOUND, 0, "directory key");
	key = key_of(&c->arena, kind, name);
	if (!key.p)
		return ERR(ERR_MEMORY, 0, "directory key");
	return store_get(c->people->store, directory_shard, key, out, &c->arena);
}

static struct err
add(struct change *c, enum store_change_kind kind, char letter, struct bytes name,
    struct bytes value)
{
	struct bytes key = key_of(&c->arena, letter, name);

	if (!key.p || (kind == STORE_PUT && value.n && !value.p))
		return ERR(ERR_MEMORY, 0, "directory change");
	c->list[c->n++] = (struct store_change){kind, key, value, BLOB_NONE};
	return OK;
}

static struct err
refuse(struct change *c, enum err_code code, const char *text)
{
	c->text = text;
	return (struct err){code, 0, ""};
}

/* ---- names ---- */

static bool
is_domain(struct bytes name)
{
	size_t label = 0;

	if (!name.n || name.n > ADDRESS_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t b = lower(name.p[i]);
		bool hyphen_at_end =
		    b == '-' && (!label || i + 1 == name.n || name.p[i + 1] == '.');

		if (b == '.' ? !label : hyphen_at_end)
			return false;
		if (b != '.' && b != '-' && !(b >= 'a' && b <= 'z') && !(b >= '0' && b <= '9'))
			return false;
		label = b == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

/* The local part may be empty: @domain is an alias for everybody else there. */
static bool
is_address(struct bytes name, bool catch_all)
{
	struct address address;
	struct rd r = rd_of(name);

	if (catch_all && name.n && name.p[0] == '@')
		return is_domain((struct bytes){name.p + 1, name.n - 1});
	return is_ok(address_parse(&address, &r, ADDRESS_LOOSE)) && !rd_left(&r) &&
	       bytes_eq_nocase(address_text(&address), name) && is_domain(address_domain(&address));
}

static struct err
lower_name(struct change *c, struct bytes name)
{
	uint8_t *p = arena_alloc(&c->arena, name.n ? name.n : 1);
	struct wr w = wr_of(p, p ? name.n : 0);

	if (!p)
		return ERR(ERR_MEMORY, 0, "directory name");
	text_lower_into(&w, name);
	c->name = (struct bytes){p, name.n};
	return OK;
}

/* ---- reading the whole ---- */

/* Calls each() for every entry of a kind; stops at the first that does not answer OK. */
static struct err
walk(struct people *p, char kind, struct err (*each)(void *, struct bytes, struct bytes),
     void *owner)
{
	uint8_t from[STORE_KEY_MAX + 1] = {(uint8_t)kind}, to = (uint8_t)(kind + 1);
	size_t n_from = 1;
	struct store_page page = {.more = true};
	struct err e = OK;

	while (is_ok(e) && page.more) {
		struct arena a = arena_init(0);

		e = store_range(p->store, directory_shard, STORE_ANY, (struct bytes){from, n_from},
		                (struct bytes){&to, 1}, STORE_RANGE_MAX, &page, &a);
		for (size_t i = 0; is_ok(e) && i < page.n; i++) {
			struct bytes key = page.entries[i].key;

			e = each(owner, (struct bytes){key.p + 1, key.n - 1},
			         page.entries[i].value);
			memcpy(from, key.p, key.n);
			from[key.n] = 0;
			n_from = key.n + 1;
		}
		arena_free(&a);
	}
	return e;
}

static struct err
build_domain(void *owner, struct bytes name, struct bytes value)
{
	(void)value;
	return directory_add_domain(owner, name);
}

static struct err
build_account(void *owner, struct bytes name, struct bytes value)
{
	struct rd r = rd_of(value);

	return directory_add_account(owner, name, rd_u64(&r), 0);
}

static struct err
build_alias(void *owner, struct bytes name, struct bytes value)
{
	struct bytes targets[TARGETS_MAX / 2];
	struct rd r = rd_of(value);
	size_t n = 0;

	while (rd_left(&r) && n < COUNT(targets))
		targets[n++] = rd_bytes16(&r);
	if (r.bad)
		return ERR(ERR_CORRUPT, 0, "an alias's targets");
	return directory_add_alias(owner, name, targets, n);
}

static struct err
build(struct people *p, struct directory_builder **out)
{
	struct directory_builder *b;
	uint8_t key[16];
	struct err e;

	random_fill(p->random, key, sizeof(key));
	b = directory_builder_new(key, p->version);
	if (!b)
		return ERR(ERR_MEMORY, 0, "directory builder");
	e = walk(p, 'd', build_domain, b);
	if (is_ok(e))
		e = walk(p, 'a', build_account, b);
	if (is_ok(e))
		e = walk(p, 'l', build_alias, b);
	if (is_ok(e))
		*out = b;
	else
		directory_builder_free(b);
	return e;
}

/* ---- the changes ---- */

static struct err
needs_domain(struct change *c, struct bytes address)
{
	uint8_t room[ADDRESS_DOMAIN_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes local, domain;
	struct store_entry entry;
	struct err e;

	address_cut(address, &local, &domain);
	text_lower_into(&w, domain);
	e = find(c, 'd', wr_since(&w, room), &entry);
	if (e.code == ERR_NOTFOUND)
		return refuse(c, ERR_NOTFOUND,
		              "its domain is not served here: add the domain first");
	return e;
}

/* OK when nobody has this address. */
static struct err
needs_free(struct change *c)
{
	struct store_entry entry;
	struct err e = find(c, 'a', c->name, &entry);

	if (is_ok(e))
		return refuse(c, ERR_EXISTS, "there is an account with this address");
	if (e.code == ERR_NOTFOUND)
		e = find(c, 'l', c->name, &entry);
	if (is_ok(e))
		return refuse(c, ERR_EXISTS, "there is an alias with this address");
	return e.code == ERR_NOTFOUND ? OK : e;
}

static struct err
add_account(struct change *c)
{
	struct store_entry entry;
	uint64_t number = 1;
	struct err e = OK;

	if (!is_address(c->name, false))
		return refuse(c, ERR_SYNTAX, "this is not an address like alice@example.org");
	e = needs_domain(c, c->name);
	if (is_ok(e))
		e = needs_free(c);
	if (!is_ok(e))
		return e;
	e = find(c, 'n', NO_BYTES, &entry);
	if (is_ok(e)) {
		struct rd r = rd_of(entry.value);

		number = rd_u64(&r);
	} else if (e.code != ERR_NOTFOUND) {
		return e;
	}
	c->account = number;
	e = add(c, STORE_PUT, 'a', c->name, number_bytes(&c->arena, number));
	return is_ok(e) ? add(c, STORE_PUT, 'n', NO_BYTES, number_bytes(&c->arena, number + 1)) : e;
}

static struct err
find_account(struct change *c)
{
	struct store_entry entry;
	struct err e = find(c, 'a', c->name, &entry);
	struct rd r;

	if (e.code == ERR_NOTFOUND)
		return refuse(c, ERR_NOTFOUND, "there is no account with this address");
	if (!is_ok(e))
		return e;
	r = rd_of(entry.value);
	c->account = rd_u64(&r);
	return r.bad ? ERR(ERR_CORRUPT, 0, "an account's number") : OK;
}

static struct err
remove_account(struct change *c)
{
	struct err e = find_account(c);
	struct bytes number;

	if (!is_ok(e))
		return e;
	number = number_bytes(&c->arena, c->account);
	if (!number.p)
		return ERR(ERR_MEMORY, 0, "account number");
	e = add(c, STORE_DELETE, 'a', c->name, NO_BYTES);
	return is_ok(e) ? add(c, STORE_PUT, 'x', number, NO_BYTES) : e;
}

static struct err
add_domain(struct change *c)
{
	struct store_entry entry;
	struct err e;

	if (!is_domain(c->name))
		return refuse(c, ERR_SYNTAX,
		              "this is not a domain's name like example.org "
		              "(international names go in their xn-- form)");
	e = find(c, 'd', c->name, &entry);
	if (is_ok(e))
		return refuse(c, ERR_EXISTS, "this domain is served already");
	return e.code == ERR_NOTFOUND ? add(c, STORE_PUT, 'd', c->name, NO_BYTES) : e;
}

struct tenant {
	struct bytes domain;
	bool found;
};

static struct err
is_tenant(void *owner, struct bytes name, struct bytes value)
{
	struct tenant *t = owner;
	struct bytes local, domain;

	(void)value;
	address_cut(name, &local, &domain);
	t->found |= bytes_eq(domain, t->domain);
	return OK;
}

static struct err
remove_domain(struct change *c)
{
	struct tenant t = {c->name, false};
	struct store_entry entry;
	struct err e = find(c, 'd', c->name, &entry);

	if (e.code == ERR_NOTFOUND)
		return refuse(c, ERR_NOTFOUND, "this domain is not served here");
	if (is_ok(e))
		e = walk(c->people, 'a', is_tenant, &t);
	if (is_ok(e))
		e = walk(c->people, 'l', is_tenant, &t);
	if (is_ok(e) && t.found)
		return refuse(c, ERR_DENIED, "it still has accounts or aliases: remove them first");
	return is_ok(e) ? add(c, STORE_DELETE, 'd', c->name, NO_BYTES) : e;
}

static void
complain(void *owner, enum directory_fault fault, struct bytes alias, struct bytes target)
{
	struct change *c = owner;

	(void)alias;
	(void)target;
	switch (fault) {
	case DIRECTORY_LOOP:
		c->text = "with this alias, mail would go in a circle";
		break;
	case DIRECTORY_DEPTH:
		c->text = "too many aliases behind each other";
		break;
	case DIRECTORY_TOO_MANY:
		c->text = "an alias would have more than 1,000 targets";
		break;
	case DIRECTORY_DEAD_END:
		break;
	}
}

static struct err
add_alias(struct change *c)
{
	struct directory_builder *b = NULL;
	struct rd r = rd_of(c->targets);
	struct err e;

	if (!is_address(c->name, true))
		return refuse(c, ERR_SYNTAX, "this is not an address like sales@example.org");
	if (!c->targets.n || c->targets.n > TARGETS_MAX)
		return refuse(c, ERR_RANGE,
		              "an alias needs 1 to about 150 targets; group them with "
		              "further aliases");
	e = needs_domain(c, c->name);
	while (is_ok(e) && rd_left(&r)) {
		struct bytes target = rd_bytes16(&r);

		if (!is_address(target, false))
			return refuse(c, ERR_SYNTAX, "a target is not an address");
	}
	if (is_ok(e))
		e = needs_free(c);
	if (is_ok(e))
		e = build(c->people, &b);
	if (is_ok(e))
		e = build_alias(b, c->name, c->targets);
	if (is_ok(e))
		e = directory_check(b, complain, c);
	directory_builder_free(b);
	if (e.code == ERR_SYNTAX)
		return refuse(c, ERR_DENIED, c->text);
	return is_ok(e) ? add(c, STORE_PUT, 'l', c->name, c->targets) : e;
}

static struct err
remove_alias(struct change *c)
{
	struct store_entry entry;
	struct err e = find(c, 'l', c->name, &entry);

	if (e.code == ERR_NOTFOUND)
		return refuse(c, ERR_NOTFOUND, "there is no such alias");
	return is_ok(e) ? add(c, STORE_DELETE, 'l', c->name, NO_BYTES) : e;
}

static struct err (*const changes[])(struct change *) = {
    [PEOPLE_ADD_ACCOUNT] = add_account,     [PEOPLE_REMOVE_ACCOUNT] = remove_account,
    [PEOPLE_FIND_ACCOUNT] = find_account,   [PEOPLE_ADD_DOMAIN] = add_domain,
    [PEOPLE_REMOVE_DOMAIN] = remove_domain, [PEOPLE_ADD_ALIAS] = add_alias,
    [PEOPLE_REMOVE_ALIAS] = remove_alias,
};

static void try_change(struct change *c);

static void
submitted(void *owner, struct err e, uint64_t version)
{
	struct change *c = owner;

	(void)version;
	if (e.code == ERR_STALE) {
		try_change(c);
		return;
	}
	if (is_ok(e))
		c->people->version++;
	if (e.code == ERR_FULL)
		c->text = "the disk is full";
	finish(c, is_fault(e) ? ERR_LATER : (enum err_code)e.code);
}

static void
try_change(struct change *c)
{
	struct err e = store_version(c->people->store, directory_shard, &c->guard);

	c->n = 0;
	if (is_ok(e))
		e = changes[c->what](c);
	if (!is_ok(e) || !c->n)
		finish(c, is_fault(e) ? ERR_LATER : (enum err_code)e.code);
	else
		store_submit(c->people->store, directory_shard, c->guard, OP_NONE, c->list, c->n,
		             submitted, c);
}

/* ---- listing ---- */

static void
write_name(struct wr *w, struct bytes name, struct bytes targets)
{
	uint8_t line[KEY_MAX + STORE_VALUE_MAX];
	struct wr l = wr_of(line, sizeof(line));
	struct rd r = rd_of(targets);

	wr_bytes(&l, name);
	while (rd_left(&r)) {
		wr_u8(&l, ' ');
		wr_bytes(&l, rd_bytes16(&r));
	}
	wr_bytes16(w, wr_since(&l, line));
}

struct err
people_list(struct people *p, enum people_kind kind, struct bytes after, struct wr *w, bool *more)
{
	static const char letters[] = {
	    [PEOPLE_ACCOUNT] = 'a', [PEOPLE_DOMAIN] = 'd', [PEOPLE_ALIAS] = 'l'};
	uint8_t from[STORE_KEY_MAX + 1], to = (uint8_t)(letters[kind] + 1);
	struct wr f = wr_of(from, sizeof(from));
	struct store_page page;
	struct arena a = arena_init(0);
	struct err e;

	*more = false;
	if (after.n >= STORE_KEY_MAX)
		return ERR(ERR_SYNTAX, 0, "longer than any name");
	wr_u8(&f, (uint8_t)letters[kind]);
	wr_bytes(&f, after);
	if (after.n)
		wr_u8(&f, 0);
	e = store_range(p->store, directory_shard, STORE_ANY, wr_since(&f, from),
	                (struct bytes){&to, 1}, 100, &page, &a);
	*more = is_ok(e) && page.more;
	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		struct bytes key = page.entries[i].key;

		if (wr_room(w) < 2 + key.n + page.entries[i].value.n) {
			*more = true;
			break;
		}
		write_name(w, (struct bytes){key.p + 1, key.n - 1},
		           kind == PEOPLE_ALIAS ? page.entries[i].value : NO_BYTES);
	}
	arena_free(&a);
	return e;
}

/* ---- public ---- */

void
people_change(struct people *p, enum people_change what, struct bytes name, struct bytes targets,
              people_done *done, void *owner)
{
	struct change *c = NULL;
	struct err e;

	if ((unsigned)what >= COUNT(changes) || !changes[what]) {
		done(owner, ERR_SYNTAX, 0, bytes_of("this is no change that can be made"));
		return;
	}
	if (name.n >= STORE_KEY_MAX) {
		done(owner, ERR_SYNTAX, 0, bytes_of("this name is too long"));
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		done(owner, ERR_LATER, 0, bytes_of("out of memory"));
		return;
	}
	*c = (struct change){.people = p, .what = what, .done = done, .owner = owner};
	e = lower_name(c, name);
	if (is_ok(e) && targets.n) {
		c->targets = arena_copy(&c->arena, targets);
		if (!c->targets.p)
			e = ERR(ERR_MEMORY, 0, "targets");
	}
	if (is_ok(e))
		try_change(c);
	else
		finish(c, ERR_LATER);
}

uint64_t
people_version(const struct people *p)
{
	return p->version;
}

struct err
people_image(struct people *p, int *fd)
{
	struct directory_builder *b = NULL;
	struct snap_draft draft = {.fd = -1};
	size_t n;
	struct err e = build(p, &b);

	if (is_ok(e))
		e = directory_size(b, &n);
	if (is_ok(e))
		e = snap_make(&draft, "directory", n);
	if (is_ok(e)) {
		struct wr w = wr_of(draft.p, n);

		e = directory_build(b, &w);
		if (is_ok(e))
			e = snap_seal(&draft, n, fd);
		snap_drop(&draft);
	}
	directory_builder_free(b);
	return e;
}

struct err
people_leaving(struct people *p, uint64_t after, uint64_t *account)
{
	uint8_t from[1 + sizeof(after)], to = 'x' + 1;
	struct wr w = wr_of(from, sizeof(from));
	struct store_page page;
	struct arena a = arena_init(0);
	struct err e;

	*account = 0;
	wr_u8(&w, 'x');
	wr_u64(&w, after + 1);
	e = store_range(p->store, directory_shard, STORE_ANY, wr_since(&w, from),
	                (struct bytes){&to, 1}, 1, &page, &a);
	if (is_ok(e) && page.n) {
		struct rd r = rd_of(page.entries[0].key);

		rd_u8(&r);
		*account = rd_u64(&r);
		e = r.bad ? ERR(ERR_CORRUPT, 0, "a leaving account's number") : OK;
	}
	arena_free(&a);
	return e;
}

void
people_forget(struct people *p, uint64_t account, people_done *done, void *owner)
{
	struct change *c = calloc(1, sizeof(*c));
	struct bytes number;

	if (!c) {
		done(owner, ERR_LATER, account, bytes_of("out of memory"));
		return;
	}
	*c = (struct change){.people = p, .done = done, .owner = owner, .account = account};
	number = number_bytes(&c->arena, account);
	if (!number.p || !is_ok(add(c, STORE_DELETE, 'x', number, NO_BYTES)))
		finish(c, ERR_LATER);
	else
		store_submit(p->store, directory_shard, STORE_ANY, OP_NONE, c->list, c->n,
		             submitted, c);
}

struct err
people_open(struct people **out, struct store *store, struct random *random)
{
	struct people *p = calloc(1, sizeof(*p));
	struct err e;

	if (!p)
		return ERR(ERR_MEMORY, 0, "people");
	*p = (struct people){.store = store, .random = random};
	e = store_version(store, directory_shard, &p->version);
	if (is_ok(e))
		*out = p;
	else
		free(p);
	return e;
}

void
people_close(struct people *p)
{
	free(p);
}

/*
 * mailbox.c - what changes with every delivery (the next UID, the modseq) is kept in memory for the
 * accounts that were in use lately; the store has it with every message.
 */
#include "box/mailbox.h"

#include "base/map.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>

enum {
	INBOX = 1,
	ACCOUNTS_KEPT = 4096, /* in memory; an account that nothing is under way for is forgotten */
	NAME_MAX_ = 255,
	ROW_VERSION = 1,
	KEY_MAX = 9,
};
#define ROW_MAX (1 + 4 + 8 + 8 + 8 + 2 + 320 + 2 + 2048)
_Static_assert(ROW_MAX <= (int)STORE_VALUE_MAX, "a message's row is one value");

struct account {
	uint64_t id, modseq;
	uint32_t uidvalidity, uidnext; /* of INBOX; 0: there is none yet */
	uint32_t under_way;            /* submits that wait for their done() */
};

struct mailboxes {
	struct store *store;
	struct map accounts; /* by number */
};

/* ---- keys and values ---- */

static struct bytes
message_key(uint8_t *room, uint32_t mailbox, uint32_t uid)
{
	struct wr w = wr_of(room, KEY_MAX);

	wr_u8(&w, 'm');
	wr_u32(&w, mailbox);
	wr_u32(&w, uid);
	return wr_since(&w, room);
}

static struct bytes
mailbox_key(uint8_t *room, uint32_t mailbox)
{
	struct wr w = wr_of(room, KEY_MAX);

	wr_u8(&w, 'b');
	wr_u32(&w, mailbox);
	return wr_since(&w, room);
}

static struct bytes
mailbox_value(uint8_t *room, size_t n, const struct account *a)
{
	struct wr w = wr_of(room, n);

	wr_bytes8(&w, BYTES("INBOX"));
	wr_u32(&w, a->uidvalidity);
	wr_u32(&w, a->uidnext);
	return wr_since(&w, room);
}

static struct bytes
modseq_value(uint8_t *room, uint64_t modseq)
{
	struct wr w = wr_of(room, 8);

	wr_u64(&w, modseq);
	return wr_since(&w, room);
}

static struct bytes
row_value(uint8_t *room, const struct message_row *row, struct bytes sender)
{
	struct wr w = wr_of(room, ROW_MAX);

	wr_u8(&w, ROW_VERSION);
	wr_u32(&w, row->flags);
	wr_u64(&w, row->size);
	wr_u64(&w, row->received_s);
	wr_u64(&w, row->modseq);
	wr_bytes16(&w, sender);
	wr_bytes16(&w, row->summary);
	assert(!w.full);
	return wr_since(&w, room);
}

static bool
row_read(struct bytes key, struct bytes value, struct message_row *row)
{
	struct rd k = rd_of(key), r = rd_of(value);

	rd_u8(&k);
	rd_u32(&k);
	row->uid = rd_u32(&k);
	if (rd_u8(&r) != ROW_VERSION)
		return false;
	row->flags = rd_u32(&r);
	row->size = rd_u64(&r);
	row->received_s = rd_u64(&r);
	row->modseq = rd_u64(&r);
	rd_bytes16(&r);
	row->summary = rd_bytes16(&r);
	return !k.bad && !r.bad;
}

/* ---- accounts in memory ---- */

static struct bytes
account_name(const uint64_t *id)
{
	return (struct bytes){(const uint8_t *)id, sizeof(*id)};
}

static struct err
account_load(struct mailboxes *m, struct account *a)
{
	struct shard_id shard = shard_number(SHARD_ACCOUNT, a->id);
	uint8_t key[KEY_MAX];
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct err e;

	e = store_get(m->store, shard, mailbox_key(key, INBOX), &entry, &arena);
	if (is_ok(e)) {
		struct rd r = rd_of(entry.value);

		rd_bytes8(&r);
		a->uidvalidity = rd_u32(&r);
		a->uidnext = rd_u32(&r);
		e = r.bad ? ERR(ERR_CORRUPT, 0, "a mailbox's record") : OK;
	}
	if (is_ok(e))
		e = store_get(m->store, shard, BYTES("h"), &entry, &arena);
	if (is_ok(e)) {
		struct rd r = rd_of(entry.value);

		a->modseq = rd_u64(&r);
		e = r.bad ? ERR(ERR_CORRUPT, 0, "an account's modseq") : OK;
	}
	arena_free(&arena);
	return e.code == ERR_NOTFOUND ? OK : e;
}

static void
forget_idle(struct mailboxes *m)
{
	struct map_at at = {0};
	struct bytes name;
	struct account *a;

	while ((a = map_next(&m->accounts, &at, &name)))
		if (!a->under_way) {
			map_remove(&m->accounts, account_name(&a->id));
			free(a);
		}
}

static struct err
account_get(struct mailboxes *m, uint64_t id, struct account **out)
{
	struct account *a = map_get(&m->accounts, account_name(&id));
	struct err e;

	if (a) {
		*out = a;
		return OK;
	}
	if (map_count(&m->accounts) >= ACCOUNTS_KEPT)
		forget_idle(m);
	a = calloc(1, sizeof(*a));
	if (!a)
		return ERR(ERR_MEMORY, 0, "account");
	a->id = id;
	e = account_load(m, a);
	if (is_ok(e) && !map_put(&m->accounts, account_name(&id), a))
		e = ERR(ERR_MEMORY, 0, "account");
	if (is_ok(e))
		*out = a;
	else
		free(a);
	return e;
}

static void
make_inbox(struct account *a, uint64_t now_s)
{
	if (a->uidvalidity)
		return;
	a->uidvalidity = (uint32_t)now_s ? (uint32_t)now_s : 1;
	a->uidnext = 1;
}

/* ---- delivery ---- */

struct target {
	struct account *account;
	uint8_t box_key[KEY_MAX], row_key[KEY_MAX], box[16 + NAME_MAX_], modseq[8], row[ROW_MAX];
	struct store_change changes[3];
};

struct delivering {
	mailbox_done *done;
	void *owner;
	size_t waiting; /* submits and the blob */
	struct err err; /* the first that was not OK */
	size_t n;
	struct target targets[];
};

static void
delivered(struct delivering *d, struct err e)
{
	if (is_ok(d->err) || (is_fault(e) && !is_fault(d->err)))
		d->err = e;
	if (--d->waiting)
		return;
	for (size_t i = 0; i < d->n; i++)
		d->targets[i].account->under_way--;
	d->done(d->owner, d->err);
	free(d);
}

static void
blob_done(void *owner, struct err e, uint64_t version)
{
	(void)version;
	delivered(owner, e);
}

static void
row_done(void *owner, struct err e, uint64_t version)
{
	(void)version;
	delivered(owner, e.code == ERR_SEEN ? OK : e);
}

static void
submit_row(struct mailboxes *m, const struct delivery *what, struct blob_id blob, struct target *t,
           struct delivering *d)
{
	struct account *a = t->account;
	struct message_row row;

	make_inbox(a, what->now_s);
	row = (struct message_row){
	    .uid = a->uidnext++,
	    .size = what->size,
	    .received_s = what->now_s,
	    .modseq = ++a->modseq,
	    .summary = what->summary,
	};
	t->changes[0] = (struct store_change){STORE_PUT, message_key(t->row_key, INBOX, row.uid),
	                                      row_value(t->row, &row, what->sender), blob};
	t->changes[1] = (struct store_change){STORE_PUT, mailbox_key(t->box_key, INBOX),
	                                      mailbox_value(t->box, sizeof(t->box), a), BLOB_NONE};
	t->changes[2] = (struct store_change){STORE_PUT, BYTES("h"),
	                                      modseq_value(t->modseq, a->modseq), BLOB_NONE};
	store_submit(m->store, shard_number(SHARD_ACCOUNT, a->id), STORE_ANY, what->op, t->changes,
	             COUNT(t->changes), row_done, d);
}

void
mailbox_deliver(struct mailboxes *m, const struct delivery *what, mailbox_done *done, void *owner)
{
	struct delivering *d = calloc(1, sizeof(*d) + what->n * sizeof(d->targets[0]));
	struct blob_id blob = store_blob_new(m->store);
	struct err e = OK;

	if (!d) {
		done(owner, ERR(ERR_MEMORY, 0, "delivery"));
		return;
	}
	*d = (struct delivering){.done = done, .owner = owner, .waiting = 1};
	while (is_ok(e) && d->n < what->n) {
		e = account_get(m, what->accounts[d->n], &d->targets[d->n].account);
		if (is_ok(e))
			d->targets[d->n++].account->under_way++;
	}
	if (!is_ok(e)) {
		delivered(d, e);
		return;
	}
	d->waiting += d->n;
	store_blob_put(m->store, blob, &what->body, blob_done, d);
	for (size_t i = 0; i < d->n; i++)
		submit_row(m, what, blob, &d->targets[i], d);
}

/* ---- reading ---- */

static struct err
range(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t from, size_t limit,
      struct store_page *page, struct arena *arena)
{
	uint8_t first[KEY_MAX], last[KEY_MAX];

	return store_range(m->store, shard_number(SHARD_ACCOUNT, account), STORE_ANY,
	                   message_key(first, mailbox, from), message_key(last, mailbox + 1, 0),
	                   limit, page, arena);
}

static struct err
count(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t *n)
{
	struct store_page page = {.more = true};
	uint32_t from = 0;
	struct err e = OK;

	*n = 0;
	while (is_ok(e) && page.more) {
		struct arena arena = arena_init(0);

		e = range(m, account, mailbox, from, STORE_RANGE_MAX, &page, &arena);
		if (is_ok(e) && page.n) {
			struct message_row row = {0};
			struct store_entry *last = &page.entries[page.n - 1];

			*n += (uint32_t)page.n;
			if (!row_read(last->key, last->value, &row))
				e = ERR(ERR_CORRUPT, 0, "a message's row");
			from = row.uid + 1;
		}
		arena_free(&arena);
	}
	return e;
}

struct err
mailbox_find(struct mailboxes *m, uint64_t account, struct bytes name, uint64_t now_s,
             struct mailbox_info *out)
{
	struct account *a;
	struct err e;

	if (!bytes_eq_nocase(name, BYTES("INBOX")))
		return ERR(ERR_NOTFOUND, 0, "mailbox");
	e = account_get(m, account, &a);
	if (!is_ok(e))
		return e;
	make_inbox(a, now_s);
	*out = (struct mailbox_info){INBOX, a->uidvalidity, a->uidnext, 0};
	return count(m, account, INBOX, &out->count);
}

struct err
mailbox_rows(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t from, struct wr *w,
             bool *more)
{
	struct arena arena = arena_init(0);
	struct store_page page;
	struct err e = range(m, account, mailbox, from, STORE_RANGE_MAX, &page, &arena);

	*more = is_ok(e) && page.more;
	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		struct message_row row;

		if (!row_read(page.entries[i].key, page.entries[i].value, &row)) {
			e = ERR(ERR_CORRUPT, 0, "a message's row");
		} else if (wr_room(w) < MESSAGE_ROW_FIXED + row.summary.n) {
			*more = true;
			break;
		} else {
			message_row_put(w, &row);
		}
	}
	arena_free(&arena);
	return e;
}

struct err
mailbox_read(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t uid, uint64_t offset,
             size_t n, struct wr *w)
{
	struct arena arena = arena_init(0);
	uint8_t key[KEY_MAX], *room;
	struct store_entry entry;
	size_t got = 0;
	struct err e;

	e = store_get(m->store, shard_number(SHARD_ACCOUNT, account),
	              message_key(key, mailbox, uid), &entry, &arena);
	if (is_ok(e)) {
		n = n < wr_room(w) ? n : wr_room(w);
		room = w->p;
		e = store_blob_read(m->store, entry.blob, offset, room, n, &got);
	}
	if (is_ok(e))
		wr_take(w, got);
	arena_free(&arena);
	return e;
}

/* ---- removal ---- */

struct removing {
	struct mailboxes *mailboxes;
	struct account *account;
	mailbox_done *done;
	void *owner;
	size_t waiting;
	struct err err;
	uint8_t modseq[8];
	struct store_change *changes;
	uint8_t (*keys)[KEY_MAX];
};

static void
removed_all(struct removing *r)
{
	r->account->under_way--;
	r->done(r->owner, r->err);
	free(r->changes);
	free(r->keys);
	free(r);
}

static void
removed(void *owner, struct err e, uint64_t version)
{
	struct removing *r = owner;

	(void)version;
	if (is_ok(r->err))
		r->err = e;
	if (--r->waiting == 0)
		removed_all(r);
}

static struct removing *
removing_new(struct mailboxes *m, uint64_t account, size_t n, mailbox_done *done, void *owner)
{
	struct removing *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->changes = calloc(n + 1, sizeof(*r->changes));
	r->keys = calloc(n + 1, sizeof(*r->keys));
	if (!r->changes || !r->keys || !is_ok(account_get(m, account, &r->account))) {
		free(r->changes);
		free(r->keys);
		free(r);
		return NULL;
	}
	r->mailboxes = m;
	r->done = done;
	r->owner = owner;
	r->account->under_way++;
	return r;
}

void
mailbox_remove(struct mailboxes *m, uint64_t account, uint32_t mailbox, struct bytes uids,
               mailbox_done *done, void *owner)
{
	size_t n = uids.n / 4;
	struct removing *r = removing_new(m, account, n, done, owner);
	struct rd in = rd_of(uids);

	if (!r) {
		done(owner, ERR(ERR_MEMORY, 0, "removal"));
		return;
	}
	for (size_t i = 0; i < n; i++)
		r->changes[i] = (struct store_change){STORE_DELETE,
		                                      message_key(r->keys[i], mailbox, rd_u32(&in)),
		                                      NO_BYTES, BLOB_NONE};
	r->changes[n++] = (struct store_change){
	    STORE_PUT, BYTES("h"), modseq_value(r->modseq, ++r->account->modseq), BLOB_NONE};
	r->waiting = (n + STORE_CHANGES_MAX - 1) / STORE_CHANGES_MAX;
	for (size_t i = 0; i < n; i += STORE_CHANGES_MAX)
		store_submit(m->store, shard_number(SHARD_ACCOUNT, account), STORE_ANY, OP_NONE,
		             r->changes + i, n - i < STORE_CHANGES_MAX ? n - i : STORE_CHANGES_MAX,
		             removed, r);
}

static void purge_some(struct removing *r);

static void
purged_some(void *owner, struct err e, uint64_t version)
{
	struct removing *r = owner;

	(void)version;
	r->err = e;
	if (is_ok(e))
		purge_some(r);
	else
		removed_all(r);
}

/* The keys of an account in the order of their letters; its messages are most of them. */
static void
purge_some(struct removing *r)
{
	struct shard_id shard = shard_number(SHARD_ACCOUNT, r->account->id);
	struct arena arena = arena_init(0);
	struct store_page page;

	r->err = store_range(r->mailboxes->store, shard, STORE_ANY, NO_BYTES, NO_BYTES,
	                     STORE_RANGE_MAX, &page, &arena);
	if (!is_ok(r->err) || (!page.n && r->account->under_way == 1)) {
		arena_free(&arena);
		if (is_ok(r->err))
			*r->account = (struct account){.id = r->account->id, .under_way = 1};
		removed_all(r);
		return;
	}
	/* with nothing to delete this only waits a turn, behind what is under way */
	for (size_t i = 0; i < page.n; i++) {
		struct bytes key = page.entries[i].key;

		memcpy(r->keys[i], key.p, key.n < KEY_MAX ? key.n : KEY_MAX);
		r->changes[i] =
		    (struct store_change){STORE_DELETE, {r->keys[i], key.n}, NO_BYTES, BLOB_NONE};
	}
	store_submit(r->mailboxes->store, shard, STORE_ANY, OP_NONE, r->changes, page.n,
	             purged_some, r);
	arena_free(&arena);
}

void
mailbox_purge(struct mailboxes *m, uint64_t account, mailbox_done *done, void *owner)
{
	struct removing *r = removing_new(m, account, STORE_RANGE_MAX, done, owner);

	if (r)
		purge_some(r);
	else
		done(owner, ERR(ERR_MEMORY, 0, "purge"));
}

struct err
mailboxes_open(struct mailboxes **out, struct store *store)
{
	static const uint8_t ours[16]; /* the keys are our own numbers */
	struct mailboxes *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR(ERR_MEMORY, 0, "mailboxes");
	m->store = store;
	map_init(&m->accounts, ours);
	*out = m;
	return OK;
}

void
mailboxes_close(struct mailboxes *m)
{
	struct map_at at = {0};
	struct account *a;

	if (!m)
		return;
	while ((a = map_next(&m->accounts, &at, NULL)))
		free(a);
	map_free(&m->accounts);
	free(m);
}

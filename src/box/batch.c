/*
 * batch.c - keys and values lie in the batch's arena until it is done.  The records of folders and
 * the account's modseq are written last, with all that was handed in before counted in.
 */
#include "box/batch.h"

#include "box/contents.h"
#include "box/keywords.h"

#include <assert.h>
#include <stdlib.h>

enum {
	FOLDERS_TOUCHED = 2,
	OWN_CHANGES = 2 * FOLDERS_TOUCHED + 4, /* their records and keywords, what went, h, n */
};

struct effect {
	uint32_t mailbox, uid, flags;
	bool gone;
};

struct touched {
	uint32_t mailbox;
	int64_t count, unseen;
	size_t keywords; /* octets of them that this batch makes durable */
	bool changed;    /* as such, not only its record */
	uint32_t next;
};

struct batch {
	struct mailboxes *mailboxes;
	struct account *account;
	uint64_t modseq; /* 0: none was needed yet */
	struct arena arena;
	bool bad, puts_next;
	struct record_next next; /* where it does */
	struct store_change *changes;
	size_t n, cap;
	struct effect *effects;
	size_t n_effects, cap_effects;
	struct touched touched[FOLDERS_TOUCHED];
	size_t n_touched;
	uint32_t gone_mailbox;
	struct uid_range *gone; /* at most one a message */
	size_t n_gone;
	batch_done *done;
	void *owner;
};

static void
settle(struct batch *b, const struct touched *t, bool ok)
{
	struct folder *f = account_folder(b->account, t->mailbox);

	if (!f)
		return;
	f->coming -= (uint32_t)t->count;
	f->coming_unseen -= (uint32_t)t->unseen;
	if (!ok) {
		f->count -= (uint32_t)t->count;
		f->unseen -= (uint32_t)t->unseen;
		return;
	}
	if (f->shown_next < t->next)
		f->shown_next = t->next;
	if (t->changed && f->shown_modseq < b->modseq)
		f->shown_modseq = b->modseq;
	if (t->keywords && f->keywords && f->keywords->length == t->keywords)
		f->keywords->dirty = false;
}

struct batch *
batch_new(struct mailboxes *m, struct account *a, size_t changes, size_t messages)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->mailboxes = m;
	b->account = a;
	b->cap = changes + OWN_CHANGES;
	b->cap_effects = messages;
	assert(b->cap <= STORE_CHANGES_MAX);
	b->changes = calloc(b->cap, sizeof(*b->changes));
	b->effects = calloc(messages ? messages : 1, sizeof(*b->effects));
	if (b->changes && b->effects)
		return b;
	batch_free(b);
	return NULL;
}

/* What was counted in by a batch that is not handed in is taken back. */
void
batch_free(struct batch *b)
{
	if (!b)
		return;
	for (size_t i = 0; !b->done && i < b->n_touched; i++)
		settle(b, &b->touched[i], false);
	arena_free(&b->arena);
	free(b->gone);
	free(b->changes);
	free(b->effects);
	free(b);
}

uint64_t
batch_modseq(struct batch *b)
{
	if (!b->modseq)
		b->modseq = ++b->account->modseq;
	return b->modseq;
}

bool
batch_has_room(const struct batch *b, size_t changes)
{
	return b->n + changes + OWN_CHANGES <= b->cap && b->n_effects < b->cap_effects;
}

bool
batch_is_empty(const struct batch *b)
{
	return !b->n && !b->n_touched;
}

static void
change(struct batch *b, enum store_change_kind kind, struct bytes key, struct bytes value,
       struct blob_id blob)
{
	struct store_change *c = &b->changes[b->n];

	assert(b->n < b->cap);
	c->kind = kind;
	c->key = arena_copy(&b->arena, key);
	c->value = value.n ? arena_copy(&b->arena, value) : NO_BYTES;
	c->blob = blob;
	if (!c->key.p || (value.n && !c->value.p))
		b->bad = true;
	b->n++;
}

void
batch_put(struct batch *b, struct bytes key, struct bytes value, struct blob_id blob)
{
	change(b, STORE_PUT, key, value, blob);
}

void
batch_delete(struct batch *b, struct bytes key)
{
	change(b, STORE_DELETE, key, NO_BYTES, BLOB_NONE);
}

/* ---- folders ---- */

static struct touched *
touch(struct batch *b, struct folder *f)
{
	struct touched *t;

	for (size_t i = 0; i < b->n_touched; i++)
		if (b->touched[i].mailbox == f->number)
			return &b->touched[i];
	assert(b->n_touched < FOLDERS_TOUCHED);
	t = &b->touched[b->n_touched++];
	*t = (struct touched){.mailbox = f->number};
	return t;
}

void
batch_record(struct batch *b, const struct folder *f)
{
	uint8_t key[RECORD_KEY_MAX], value[RECORD_FOLDER_MAX];
	const struct record_folder record = {
	    .name = f->name,
	    .uidvalidity = f->uidvalidity,
	    .uidnext = f->uidnext,
	    .counted = f->counted,
	    .count = f->count,
	    .unseen = f->unseen,
	    .recent = f->recent,
	    .flags = f->flags,
	    .modseq = f->modseq,
	    .gone_from = f->gone_from,
	};

	batch_put(b, record_folder_key(key, 'b', f->number), record_folder_value(value, &record),
	          BLOB_NONE);
}

/* What changes for who watches the mailbox has the batch's modseq. */
static struct touched *
touch_changed(struct batch *b, struct folder *f)
{
	struct touched *t = touch(b, f);

	t->changed = true;
	f->modseq = batch_modseq(b);
	return t;
}

void
batch_keywords(struct batch *b, struct folder *f)
{
	if (f->keywords && f->keywords->dirty)
		touch(b, f)->keywords = f->keywords->length;
}

/* ---- messages ---- */

static void
effect(struct batch *b, const struct folder *f, uint32_t uid, uint32_t flags, bool gone)
{
	assert(b->n_effects < b->cap_effects);
	b->effects[b->n_effects++] = (struct effect){f->number, uid, flags, gone};
}

static void
count_in(struct folder *f, struct touched *t, int count, int unseen)
{
	t->count += count;
	t->unseen += unseen;
	f->count += (uint32_t)count;
	f->unseen += (uint32_t)unseen;
	f->coming += (uint32_t)count;
	f->coming_unseen += (uint32_t)unseen;
}

static void
put_row(struct batch *b, struct folder *f, const struct message_row *row, struct blob_id blob)
{
	uint8_t key[RECORD_KEY_MAX], value[RECORD_ROW];
	struct message_row put = *row;

	put.modseq = b->modseq;
	batch_put(b, record_message_key(key, 'm', f->number, row->uid),
	          record_row_value(value, &put), blob);
}

uint32_t
batch_add(struct batch *b, struct folder *f, const struct message_row *row, struct bytes summary,
          struct blob_id blob)
{
	uint8_t key[RECORD_KEY_MAX];
	struct touched *t = touch_changed(b, f);
	struct message_row put = *row;

	put.uid = f->uidnext++;
	put_row(b, f, &put, blob);
	batch_put(b, record_message_key(key, 's', f->number, put.uid), summary, BLOB_NONE);
	count_in(f, t, 1, !(put.flags & FLAG_SEEN));
	effect(b, f, put.uid, put.flags, false);
	return put.uid;
}

void
batch_change(struct batch *b, struct folder *f, const struct record_row *was,
             const struct message_row *row, struct blob_id blob)
{
	uint8_t key[RECORD_KEY_MAX], value[RECORD_SUMMARY_MAX];
	struct touched *t = touch_changed(b, f);
	int unseen = !(row->flags & FLAG_SEEN) - !(was->row.flags & FLAG_SEEN);

	put_row(b, f, row, blob);
	if (was->is_old)
		batch_put(b, record_message_key(key, 's', f->number, row->uid),
		          record_summary_value(value, was->sender, was->row.summary), BLOB_NONE);
	count_in(f, t, 0, unseen);
	effect(b, f, row->uid, row->flags, false);
}

void
batch_remove(struct batch *b, struct folder *f, uint32_t uid, bool unseen)
{
	uint8_t key[RECORD_KEY_MAX];
	struct touched *t = touch_changed(b, f);

	assert(!b->gone_mailbox || b->gone_mailbox == f->number);
	b->gone_mailbox = f->number;
	batch_delete(b, record_message_key(key, 'm', f->number, uid));
	batch_delete(b, record_message_key(key, 's', f->number, uid));
	count_in(f, t, -1, unseen ? -1 : 0);
	effect(b, f, uid, 0, true);
	if (!b->gone)
		b->gone = calloc(b->cap_effects, sizeof(*b->gone));
	if (!b->gone)
		b->bad = true;
	else if (b->n_gone && b->gone[b->n_gone - 1].last + 1 == uid)
		b->gone[b->n_gone - 1].last = uid;
	else
		b->gone[b->n_gone++] = (struct uid_range){uid, uid};
}

/* ---- done ---- */

static void
take_effects(struct batch *b)
{
	for (size_t i = 0; i < b->n_effects; i++) {
		const struct effect *x = &b->effects[i];
		struct folder *f = account_folder(b->account, x->mailbox);

		if (f && f->contents &&
		    !contents_note(f->contents, b->modseq, x->uid, x->flags, x->gone))
			b->account->stale = true; /* no memory: what is there is not all */
	}
}

static void
committed(void *owner, struct err e, uint64_t version)
{
	struct batch *b = owner;
	struct mailboxes *m = b->mailboxes;
	uint64_t account = b->account->id;

	(void)version;
	if (is_ok(e)) {
		take_effects(b);
		if (b->puts_next && b->next.number == b->account->next.number)
			b->account->next_dirty = false;
	} else if (e.code != ERR_SEEN) {
		b->account->stale = true;
	}
	for (size_t i = 0; i < b->n_touched; i++)
		settle(b, &b->touched[i], is_ok(e));
	b->account->under_way--;
	b->done(b->owner, m, e);
	for (size_t i = 0; is_ok(e) && m->changed && i < b->n_touched; i++)
		if (b->touched[i].changed)
			m->changed(m->changed_owner, account, b->touched[i].mailbox, b->modseq);
	batch_free(b);
}

/* ---- submitting ---- */

static void
put_folder(struct batch *b, struct touched *t)
{
	struct folder *f = account_folder(b->account, t->mailbox);
	uint8_t key[RECORD_KEY_MAX];

	t->next = f->uidnext;
	batch_record(b, f);
	if (t->keywords)
		batch_put(b, record_folder_key(key, 'k', f->number), keywords_list(f->keywords),
		          BLOB_NONE);
}

/* Where too many records of what went are kept, the oldest goes, and with it what was before. */
static void
put_gone(struct batch *b)
{
	struct folder *f = account_folder(b->account, b->gone_mailbox);
	uint8_t key[RECORD_KEY_MAX], ranges[MAILBOX_BATCH * 8];
	struct wr w = wr_of(ranges, sizeof(ranges));
	struct contents *c = f ? f->contents : NULL;

	if (!c || b->bad)
		return;
	for (size_t i = 0; i < b->n_gone; i++)
		uid_range_put(&w, b->gone[i]);
	assert(!w.full);
	batch_put(b, record_gone_key(key, f->number, b->modseq), wr_since(&w, ranges), BLOB_NONE);
	c->gone[c->n_gone++] = b->modseq;
	if (c->n_gone <= CONTENTS_GONE)
		return;
	f->gone_from = c->gone[0];
	batch_delete(b, record_gone_key(key, f->number, c->gone[0]));
	memmove(c->gone, c->gone + 1, --c->n_gone * sizeof(c->gone[0]));
}

void
batch_submit(struct batch *b, struct op_id op, batch_done *done, void *owner)
{
	struct account *a = b->account;
	uint8_t key[RECORD_NEXT], h[8];
	struct wr w = wr_of(h, sizeof(h));

	b->done = done;
	b->owner = owner;
	if (b->n_gone)
		put_gone(b);
	for (size_t i = 0; i < b->n_touched; i++)
		put_folder(b, &b->touched[i]);
	b->puts_next = a->next_dirty;
	b->next = a->next;
	if (b->puts_next)
		batch_put(b, BYTES("n"), record_next_value(key, &a->next), BLOB_NONE);
	wr_u64(&w, a->modseq);
	if (b->modseq)
		batch_put(b, BYTES("h"), wr_since(&w, h), BLOB_NONE);
	a->under_way++;
	if (b->bad)
		committed(b, ERR(ERR_MEMORY, 0, "a change of an account"), 0);
	else
		store_submit(b->mailboxes->store, account_shard(a), STORE_ANY, op, b->changes, b->n,
		             committed, b);
}

/*
 * mailbox.c - what comes in: deliveries and appends take the next UID and are handed in at once; and
 * the end of an account.
 */
#include "box/mailbox.h"

#include "box/batch.h"
#include "box/contents.h"
#include "box/keywords.h"
#include "box/names.h"

#include <stdlib.h>

/* ---- delivery ---- */

struct delivering {
	mailbox_done *done;
	void *owner;
	size_t waiting; /* submits, and the call itself */
	struct err err; /* the first that was not OK, a fault before an answer */
};

static void
delivered(void *owner, struct mailboxes *m, struct err e)
{
	struct delivering *d = owner;

	(void)m;
	if (e.code == ERR_SEEN)
		e = OK;
	if (is_ok(d->err) || (is_fault(e) && !is_fault(d->err)))
		d->err = is_ok(e) ? d->err : e;
	if (--d->waiting)
		return;
	d->done(d->owner, d->err);
	free(d);
}

static struct err
deliver_to(struct mailboxes *m, const struct delivery *what, uint64_t id, struct delivering *d)
{
	const struct message_row row = {.size = what->size, .received_s = what->now_s};
	uint8_t summary[RECORD_SUMMARY_MAX];
	struct account *a;
	struct folder *f;
	struct batch *b;
	struct err e = account_get(m, id, &a);

	if (!is_ok(e))
		return e;
	f = account_inbox(a, what->now_s);
	b = f ? batch_new(m, a, 2, 1) : NULL;
	if (!b)
		return ERR(ERR_MEMORY, 0, "delivery");
	batch_add(b, f, &row, record_summary_value(summary, what->sender, what->summary),
	          what->blob);
	d->waiting++;
	batch_submit(b, what->op, delivered, d);
	return OK;
}

void
mailbox_deliver(struct mailboxes *m, const struct delivery *what, mailbox_done *done, void *owner)
{
	struct delivering *d = calloc(1, sizeof(*d));
	struct err e = OK;

	if (!d) {
		done(owner, ERR(ERR_MEMORY, 0, "delivery"));
		return;
	}
	*d = (struct delivering){.done = done, .owner = owner, .waiting = 1, .err = OK};
	for (size_t i = 0; is_ok(e) && i < what->n; i++)
		e = deliver_to(m, what, what->accounts[i], d);
	delivered(d, m, e);
}

/* ---- append ---- */

struct appended {
	mailbox_appended *done;
	void *owner;
	uint64_t account;
	struct op_id op;
	uint32_t uidvalidity, uid;
};

/* What the operation did when it was done first. */
static struct err
outcome(struct mailboxes *m, struct appended *p)
{
	uint8_t key[RECORD_KEY_MAX];
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct record_op done;
	struct err e = store_get(m->store, shard_number(SHARD_ACCOUNT, p->account),
	                         record_op_key(key, p->op, 0), &entry, &arena);

	p->uid = 0;
	if (is_ok(e) && record_op_read(entry.value, p->op, 0, &done)) {
		p->uid = done.uid;
		p->uidvalidity = done.uidvalidity;
	}
	arena_free(&arena);
	return e.code == ERR_NOTFOUND ? OK : e;
}

static void
append_done(void *owner, struct mailboxes *m, struct err e)
{
	struct appended *p = owner;

	if (e.code == ERR_SEEN)
		e = outcome(m, p);
	else if (e.code == ERR_NOTFOUND)
		e = ERR(ERR_IO, 0, "the body of an append could not be kept");
	p->done(p->owner, e, p->uidvalidity, p->uid);
	free(p);
}

static struct err
append(struct mailboxes *m, const struct appending *what, struct appended *p)
{
	struct message_row row = {
	    .flags = what->flags & FLAGS_ALL, .size = what->size, .received_s = what->received_s};
	uint8_t summary[RECORD_SUMMARY_MAX], key[RECORD_KEY_MAX], value[RECORD_OP_MAX];
	struct record_op op = {.op = what->op};
	struct account *a;
	struct folder *f;
	struct batch *b;
	struct err e = account_get(m, what->account, &a);

	if (is_ok(e))
		e = names_find(m, a, what->mailbox, what->now_s, &f);
	if (is_ok(e))
		e = keywords_read(m, a, f);
	if (is_ok(e))
		e = keywords_bits(f->keywords, what->keywords, true, &row.keywords);
	if (!is_ok(e))
		return e;
	b = batch_new(m, a, 3, 1);
	if (!b)
		return ERR(ERR_MEMORY, 0, "append");
	op.uid = p->uid = batch_add(
	    b, f, &row, record_summary_value(summary, NO_BYTES, what->summary), what->blob);
	op.mailbox = f->number;
	op.uidvalidity = p->uidvalidity = f->uidvalidity;
	batch_keywords(b, f);
	if (!op_is_none(what->op))
		batch_put(b, record_op_key(key, what->op, 0), record_op_value(value, &op),
		          BLOB_NONE);
	batch_submit(b, what->op, append_done, p);
	return OK;
}

void
mailbox_append(struct mailboxes *m, const struct appending *what, mailbox_appended *done,
               void *owner)
{
	struct appended *p = calloc(1, sizeof(*p));
	struct err e = p ? OK : ERR(ERR_MEMORY, 0, "append");

	if (p) {
		*p = (struct appended){
		    .done = done, .owner = owner, .account = what->account, .op = what->op};
		e = append(m, what, p);
	}
	if (!is_ok(e)) {
		done(owner, e, 0, 0);
		free(p);
	}
}

struct err
mailbox_known(struct mailboxes *m, uint64_t account, struct bytes name, uint64_t now_s)
{
	struct account *a;
	struct folder *f;
	struct err e = account_get(m, account, &a);

	return is_ok(e) ? names_find(m, a, name, now_s, &f) : e;
}

/* ---- the end of an account ---- */

struct purging {
	struct job job;
	mailbox_done *done;
	void *owner;
};

/*
 * Whatever keys are there, page by page, until there are none and no delivery is under way.  With
 * nothing to delete it only waits a turn, behind those.
 */
static bool
purge_step(struct mailboxes *m, struct job *j)
{
	struct account *a = j->account;
	struct arena arena = arena_init(0);
	struct store_page page;
	struct batch *b;

	j->err = store_range(m->store, account_shard(a), STORE_ANY, NO_BYTES, NO_BYTES,
	                     STORE_RANGE_MAX / 2, &page, &arena);
	if (!is_ok(j->err) || (!page.n && !a->under_way)) {
		arena_free(&arena);
		return true;
	}
	b = batch_new(m, a, STORE_CHANGES_MAX / 2, 1);
	for (size_t i = 0; b && i < page.n; i++)
		batch_delete(b, page.entries[i].key);
	arena_free(&arena);
	if (!b) {
		j->err = ERR(ERR_MEMORY, 0, "purge");
		return true;
	}
	j->waiting++;
	batch_submit(b, OP_NONE, job_batch_done, j);
	return false;
}

static void
purge_finish(struct mailboxes *m, struct job *j)
{
	struct purging *p = (struct purging *)j;

	(void)m;
	if (is_ok(j->err))
		account_forget(j->account);
	p->done(p->owner, j->err);
	free(p);
}

void
mailbox_purge(struct mailboxes *m, uint64_t account, mailbox_done *done, void *owner)
{
	struct purging *p = calloc(1, sizeof(*p));
	struct account *a;
	struct err e = p ? account_get(m, account, &a) : ERR(ERR_MEMORY, 0, "purge");

	if (!is_ok(e)) {
		free(p);
		done(owner, e);
		return;
	}
	p->job.step = purge_step;
	p->job.finish = purge_finish;
	p->job.alone = true;
	p->done = done;
	p->owner = owner;
	job_start(m, a, &p->job);
}

/* ---- all of it ---- */

void
mailboxes_tell(struct mailboxes *m, mailbox_changed *fn, void *owner)
{
	m->changed = fn;
	m->changed_owner = owner;
}

struct err
mailboxes_open(struct mailboxes **out, struct store *store)
{
	static const uint8_t ours[16]; /* the keys are our own numbers */
	struct mailboxes *m = calloc(1, sizeof(*m));

	if (!m)
		return ERR(ERR_MEMORY, 0, "mailboxes");
	m->store = store;
	m->running_last = &m->running;
	map_init(&m->accounts, ours);
	*out = m;
	return OK;
}

void
mailboxes_close(struct mailboxes *m)
{
	if (!m)
		return;
	for (struct account *a = m->oldest; a; a = a->newer) {
		struct job *j;

		while ((j = a->first)) {
			a->first = j->next;
			if (!a->first)
				a->last = &a->first;
			j->err = ERR(ERR_GONE, 0, "the mailboxes are being closed");
			j->finish(m, j);
		}
	}
	account_free_all(m);
	free(m);
}

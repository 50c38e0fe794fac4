/* account.c - a map of accounts, a list of them by use, a list of those that have work. */
#include "box/account.h"

#include "box/contents.h"
#include "box/keywords.h"

#include <assert.h>
#include <stdlib.h>

enum {
	ACCOUNTS_KEPT = 4096,
	MEMORY_KEPT = 64 * 1024 * 1024,
};

struct shard_id
account_shard(const struct account *a)
{
	return shard_number(SHARD_ACCOUNT, a->id);
}

/* ---- folders ---- */

static void
folder_free(struct folder *f)
{
	if (!f)
		return;
	free(f->text);
	free(f->keywords);
	contents_free(f->contents);
	free(f);
}

/* Puts it where its number belongs: in front, if it is INBOX; else behind all others. */
static struct folder *
folder_new(struct account *a, uint32_t number, struct bytes name)
{
	size_t at = number == MAILBOX_INBOX ? 0 : a->n;
	struct folder *f;
	uint8_t *copy;

	assert(!a->n || at == 0 || a->folders[a->n - 1]->number < number);
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 1;
		struct folder **grown = realloc(a->folders, cap * sizeof(struct folder *));

		if (!grown)
			return NULL;
		a->folders = grown;
		a->cap = cap;
	}
	f = calloc(1, sizeof(*f));
	copy = malloc(name.n + 1);
	if (!f || !copy) {
		free(f);
		free(copy);
		return NULL;
	}
	if (name.n)
		memcpy(copy, name.p, name.n);
	f->number = number;
	f->text = copy;
	f->name = (struct bytes){copy, name.n};
	memmove(a->folders + at + 1, a->folders + at, (a->n - at) * sizeof(struct folder *));
	a->folders[at] = f;
	a->n++;
	return f;
}

struct err
account_take(struct account *a, uint32_t number, const struct record_folder *r)
{
	struct folder *f = folder_new(a, number, r->name);

	if (!f)
		return ERR(ERR_MEMORY, 0, "mailbox");
	f->uidvalidity = r->uidvalidity;
	f->uidnext = f->shown_next = r->uidnext;
	f->counted = r->counted;
	f->count = r->count;
	f->unseen = r->unseen;
	f->recent = r->recent;
	f->flags = r->flags;
	/* before version 2 nothing was remembered, and INBOX was the only mailbox */
	f->modseq = f->shown_modseq = r->is_old ? a->modseq : r->modseq;
	f->gone_from = r->is_old ? a->modseq : r->gone_from;
	return OK;
}

struct folder *
account_add(struct account *a, struct bytes name, uint32_t flags, uint64_t now_s)
{
	bool inbox = bytes_eq(name, BYTES("INBOX"));
	uint32_t number = inbox ? MAILBOX_INBOX : a->next.number;
	uint32_t validity = (uint32_t)now_s;
	struct folder *f = folder_new(a, number, name);

	if (!f)
		return NULL;
	if (!inbox) {
		a->next.number++;
		a->next_dirty = true;
	}
	if (validity <= a->next.uidvalidity)
		validity = a->next.uidvalidity + 1;
	a->next.uidvalidity = f->uidvalidity = validity;
	f->uidnext = f->shown_next = f->recent = 1;
	f->counted = true;
	f->flags = flags;
	return f;
}

void
account_remove(struct account *a, struct folder *f)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->folders[i] == f) {
			a->n--;
			memmove(a->folders + i, a->folders + i + 1,
			        (a->n - i) * sizeof(struct folder *));
			folder_free(f);
			return;
		}
}

bool
account_rename(struct folder *f, struct bytes name)
{
	uint8_t *copy = malloc(name.n + 1);

	if (!copy)
		return false;
	if (name.n)
		memcpy(copy, name.p, name.n);
	free(f->text);
	f->text = copy;
	f->name = (struct bytes){copy, name.n};
	return true;
}

struct folder *
account_folder(const struct account *a, uint32_t number)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a->folders[mid]->number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < a->n && a->folders[low]->number == number ? a->folders[low] : NULL;
}

struct folder *
account_named(const struct account *a, struct bytes name)
{
	for (size_t i = 0; i < a->n; i++)
		if (bytes_eq(a->folders[i]->name, name))
			return a->folders[i];
	return NULL;
}

struct folder *
account_inbox(struct account *a, uint64_t now_s)
{
	struct folder *f = account_folder(a, MAILBOX_INBOX);

	return f ? f : account_add(a, BYTES("INBOX"), FOLDER_EXISTS | FOLDER_SUBSCRIBED, now_s);
}

/* ---- accounts ---- */

static struct bytes
account_name(const uint64_t *id)
{
	return (struct bytes){(const uint8_t *)id, sizeof(*id)};
}

static struct err
load(struct mailboxes *m, struct account *a)
{
	uint8_t key[RECORD_KEY_MAX];
	struct arena arena = arena_init(0);
	struct record_folder record;
	struct store_entry entry;
	struct err e = store_get(m->store, account_shard(a), BYTES("h"), &entry, &arena);

	if (is_ok(e)) {
		struct rd r = rd_of(entry.value);

		a->modseq = rd_u64(&r);
		e = r.bad ? ERR(ERR_CORRUPT, 0, "an account's modseq") : OK;
	}
	if (is_ok(e) || e.code == ERR_NOTFOUND)
		e = store_get(m->store, account_shard(a),
		              record_folder_key(key, 'b', MAILBOX_INBOX), &entry, &arena);
	if (is_ok(e))
		e = record_folder_read(entry.value, &record);
	if (is_ok(e))
		e = account_take(a, MAILBOX_INBOX, &record);
	arena_free(&arena);
	return e.code == ERR_NOTFOUND ? OK : e;
}

void
account_forget(struct account *a)
{
	for (size_t i = 0; i < a->n; i++)
		folder_free(a->folders[i]);
	free(a->folders);
	a->folders = NULL;
	a->n = a->cap = 0;
	a->named = a->stale = a->next_dirty = false;
	a->modseq = 0;
	a->next = (struct record_next){MAILBOX_INBOX + 1, 0};
}

static void
leave_list(struct mailboxes *m, struct account *a)
{
	*(a->older ? &a->older->newer : &m->oldest) = a->newer;
	*(a->newer ? &a->newer->older : &m->newest) = a->older;
	a->older = a->newer = NULL;
}

static void
join_list(struct mailboxes *m, struct account *a)
{
	a->older = m->newest;
	*(m->newest ? &m->newest->newer : &m->oldest) = a;
	m->newest = a;
}

static void
account_free(struct mailboxes *m, struct account *a)
{
	map_remove(&m->accounts, account_name(&a->id));
	leave_list(m, a);
	m->memory -= a->memory;
	account_forget(a);
	free(a);
}

static bool
is_idle(const struct account *a)
{
	return !a->under_way && !a->first && !a->running;
}

/* But for `except`, the newest. */
static void
make_room(struct mailboxes *m, const struct account *except)
{
	struct account *next;

	for (struct account *a = m->oldest; a; a = next) {
		if (map_count(&m->accounts) <= ACCOUNTS_KEPT && m->memory <= MEMORY_KEPT)
			break;
		next = a->newer;
		if (is_idle(a) && a != except)
			account_free(m, a);
	}
}

void
account_weigh(struct mailboxes *m, struct account *a)
{
	size_t n = sizeof(*a) + a->cap * sizeof(struct folder *);

	for (size_t i = 0; i < a->n; i++) {
		const struct folder *f = a->folders[i];

		n += sizeof(*f) + f->name.n + (f->keywords ? sizeof(*f->keywords) : 0) +
		     contents_memory(f->contents);
	}
	m->memory += n - a->memory;
	a->memory = n;
	make_room(m, a);
}

static struct err
account_new(struct mailboxes *m, uint64_t id, struct account **out)
{
	struct account *a = calloc(1, sizeof(*a));
	struct err e = OK;

	if (!a)
		return ERR(ERR_MEMORY, 0, "account");
	a->id = id;
	a->next.number = MAILBOX_INBOX + 1;
	a->last = &a->first;
	if (!map_put(&m->accounts, account_name(&id), a))
		e = ERR(ERR_MEMORY, 0, "account");
	if (!is_ok(e)) {
		free(a);
		return e;
	}
	join_list(m, a);
	e = load(m, a);
	if (is_ok(e)) {
		account_weigh(m, a);
		*out = a;
	} else {
		account_free(m, a);
	}
	return e;
}

struct err
account_get(struct mailboxes *m, uint64_t id, struct account **out)
{
	struct account *a = map_get(&m->accounts, account_name(&id));
	struct err e;

	if (!a)
		return account_new(m, id, out);
	if (a != m->newest) {
		leave_list(m, a);
		join_list(m, a);
	}
	*out = a;
	if (!a->stale || !is_idle(a))
		return OK;
	account_forget(a);
	e = load(m, a);
	if (!is_ok(e)) { /* half of it would give UIDs anew */
		account_forget(a);
		a->stale = true;
	}
	return e;
}

void
account_free_all(struct mailboxes *m)
{
	while (m->oldest)
		account_free(m, m->oldest);
	map_free(&m->accounts);
}

/* ---- jobs ---- */

static void
run_later(struct mailboxes *m, struct account *a)
{
	if (a->running)
		return;
	a->running = true;
	a->next_running = NULL;
	*m->running_last = a;
	m->running_last = &a->next_running;
}

void
job_start(struct mailboxes *m, struct account *a, struct job *j)
{
	j->account = a;
	j->next = NULL;
	j->err = OK;
	*a->last = j;
	a->last = &j->next;
	if (a->first == j)
		run_later(m, a);
}

/* The first of its account has ended; the next begins. */
static void
finish(struct mailboxes *m, struct job *j)
{
	struct account *a = j->account;

	a->first = j->next;
	if (!a->first)
		a->last = &a->first;
	else
		run_later(m, a);
	j->finish(m, j);
}

void
job_batch_done(void *owner, struct mailboxes *m, struct err e)
{
	struct job *j = owner;

	j->waiting--;
	if (is_ok(j->err) || (is_fault(e) && !is_fault(j->err)))
		j->err = is_ok(e) ? j->err : e;
	if (!is_ok(j->err))
		j->ended = true;
	if (!j->ended && !(j->alone && j->waiting))
		run_later(m, j->account);
	else if (j->ended && !j->waiting)
		finish(m, j);
}

bool
mailboxes_busy(const struct mailboxes *m)
{
	return m->running != NULL;
}

void
mailboxes_work(struct mailboxes *m)
{
	struct account *a = m->running;
	struct job *j;

	if (!a)
		return;
	m->running = a->next_running;
	if (!m->running)
		m->running_last = &m->running;
	a->running = false;
	j = a->first;
	if (!j || j->ended)
		return;
	j->waiting++; /* its batches may be done at once: it stays until here */
	if (j->step(m, j) || !is_ok(j->err))
		j->ended = true;
	account_weigh(m, a);
	j->waiting--;
	if (j->ended && !j->waiting)
		finish(m, j);
	else if (!j->ended && j->waiting < (j->alone ? 1 : JOB_WAITING_MAX))
		run_later(m, a);
}

/* folders.c - each change of names is a job; a renaming of very many is made in several batches. */
#include "box/folders.h"

#include "box/batch.h"
#include "box/change.h"
#include "box/contents.h"
#include "box/names.h"

#include <stdlib.h>

enum {
	LEVELS_MAX = FOLDER_NAME_MAX / 2 + 1,
	RENAMED_AT_ONCE = 200,
};

struct changing {
	struct job job;
	enum folder_change what;
	uint8_t room[2][FOLDER_NAME_MAX];
	struct bytes name, to;
	uint64_t account, now_s;
	bool checked;     /* a renaming: all its new names are free */
	bool moves;       /* INBOX: its messages go there then */
	uint32_t removed; /* the number of what was deleted */
	uint64_t modseq;
	mailbox_done *done;
	void *owner;
};

static bool
exists(const struct folder *f)
{
	return f && f->flags & FOLDER_EXISTS;
}

/* ---- making ---- */

static uint32_t
free_use(const struct account *a, struct bytes name)
{
	uint32_t use = names_use(name);

	for (size_t i = 0; use && i < a->n; i++)
		if (a->folders[i]->flags & use)
			return 0;
	return use;
}

/* A new mailbox of this name; where it was subscribed to, it stays so. */
static struct err
make_one(struct changing *c, struct bytes name, struct batch *b)
{
	struct account *a = c->job.account;
	struct folder *f = account_named(a, name);
	uint32_t flags = FOLDER_EXISTS | free_use(a, name);
	uint8_t key[RECORD_KEY_MAX];

	if (exists(f))
		return OK;
	if (f) {
		flags |= f->flags & FOLDER_SUBSCRIBED;
		batch_delete(b, record_folder_key(key, 'b', f->number));
		account_remove(a, f);
	}
	if (a->n >= FOLDERS_MAX)
		return ERR(ERR_FULL, 0, "mailboxes of an account");
	f = account_add(a, name, flags, c->now_s);
	if (!f)
		return ERR(ERR_MEMORY, 0, "mailbox");
	f->modseq = f->shown_modseq = f->gone_from = batch_modseq(b);
	batch_record(b, f);
	return OK;
}

/* Those above it, too; `self`: and itself. */
static struct err
make(struct changing *c, struct bytes name, bool self, struct batch *b)
{
	struct account *a = c->job.account;
	size_t missing = self && !account_named(a, name);
	struct err e = OK;

	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '/' && !account_named(a, (struct bytes){name.p, i}))
			missing++;
	if (a->n + missing > FOLDERS_MAX) /* nothing is made in part */
		return ERR(ERR_FULL, 0, "mailboxes of an account");
	for (size_t i = 0; is_ok(e) && i < name.n; i++)
		if (name.p[i] == '/')
			e = make_one(c, (struct bytes){name.p, i}, b);
	return is_ok(e) && self ? make_one(c, name, b) : e;
}

static struct err
create(struct changing *c, struct bytes name, struct batch *b)
{
	if (exists(account_named(c->job.account, name)))
		return ERR(ERR_EXISTS, 0, "mailbox");
	return make(c, name, true, b);
}

/* ---- subscriptions ---- */

/* The name alone, under a number that no mailbox has. */
static struct err
keep_name(struct account *a, struct bytes name, struct batch *b)
{
	struct folder *f = account_add(a, name, FOLDER_SUBSCRIBED, 1);

	if (!f)
		return ERR(ERR_MEMORY, 0, "subscription");
	batch_record(b, f);
	return OK;
}

static struct err
subscribe(struct changing *c, struct batch *b)
{
	struct account *a = c->job.account;
	struct folder *f = account_named(a, c->name);

	if (!f && a->n >= FOLDERS_MAX)
		return ERR(ERR_FULL, 0, "subscriptions of an account");
	if (!f)
		return keep_name(a, c->name, b);
	if (f->flags & FOLDER_SUBSCRIBED)
		return OK;
	f->flags |= FOLDER_SUBSCRIBED;
	batch_record(b, f);
	return OK;
}

static struct err
unsubscribe(struct changing *c, struct batch *b)
{
	struct account *a = c->job.account;
	struct folder *f = account_named(a, c->name);
	uint8_t key[RECORD_KEY_MAX];

	if (!f || !(f->flags & FOLDER_SUBSCRIBED))
		return OK;
	f->flags &= ~(uint32_t)FOLDER_SUBSCRIBED;
	if (exists(f)) {
		batch_record(b, f);
	} else {
		batch_delete(b, record_folder_key(key, 'b', f->number));
		account_remove(a, f);
	}
	return OK;
}

/* ---- deleting ---- */

/* The name goes at once, and a mark is made for all that is left (names_clear). */
static struct err delete (struct changing *c, struct batch *b)
{
	struct account *a = c->job.account;
	struct folder *f = account_named(a, c->name);
	uint8_t key[RECORD_KEY_MAX];
	bool subscribed;

	if (!exists(f))
		return ERR(ERR_NOTFOUND, 0, "mailbox");
	if (f->number == MAILBOX_INBOX)
		return ERR(ERR_DENIED, 0, "INBOX is not deleted");
	subscribed = f->flags & FOLDER_SUBSCRIBED;
	c->removed = f->number;
	c->modseq = batch_modseq(b);
	batch_delete(b, record_folder_key(key, 'b', f->number));
	batch_delete(b, record_folder_key(key, 'k', f->number));
	batch_put(b, record_folder_key(key, 'x', f->number), NO_BYTES, BLOB_NONE);
	account_remove(a, f);
	return subscribed ? keep_name(a, c->name, b) : OK;
}

/* ---- renaming ---- */

static bool
is_renamed(const struct changing *c, const struct folder *f)
{
	return exists(f) && (bytes_eq(f->name, c->name) || names_beneath(f->name, c->name));
}

static struct bytes
new_name(const struct changing *c, const struct folder *f, uint8_t room[FOLDER_NAME_MAX])
{
	struct wr w = wr_of(room, FOLDER_NAME_MAX);

	wr_bytes(&w, c->to);
	wr_bytes(&w, (struct bytes){f->name.p + c->name.n, f->name.n - c->name.n});
	return w.full ? NO_BYTES : wr_since(&w, room);
}

static struct err
check_renaming(const struct changing *c)
{
	const struct account *a = c->job.account;
	size_t renamed = 0, more = LEVELS_MAX;
	bool meets = false; /* there is something at the new place */

	if (names_beneath(c->to, c->name))
		return ERR(ERR_DENIED, 0, "a mailbox cannot be beneath itself");
	for (size_t i = 0; i < a->n; i++) {
		bool at = bytes_eq(a->folders[i]->name, c->to);

		if (at && exists(a->folders[i]))
			return ERR(ERR_EXISTS, 0, "mailbox");
		meets |= names_beneath(a->folders[i]->name, c->to);
	}
	for (size_t i = 0; i < a->n; i++) {
		const struct folder *f = a->folders[i];
		uint8_t room[FOLDER_NAME_MAX];
		struct bytes name;

		if (!is_renamed(c, f))
			continue;
		name = new_name(c, f, room);
		if (!name.n)
			return ERR(ERR_SYNTAX, 0, "a name would be too long");
		if (meets && exists(account_named(a, name)))
			return ERR(ERR_EXISTS, 0, "mailbox");
		renamed++;
		more += (f->flags & FOLDER_SUBSCRIBED) != 0;
	}
	if (!renamed)
		return ERR(ERR_NOTFOUND, 0, "mailbox");
	return a->n + more > FOLDERS_MAX ? ERR(ERR_FULL, 0, "mailboxes of an account") : OK;
}

/*
 * The subscription belongs to the name, which stays subscribed to (RFC 3501 6.3.6), and it goes with
 * the mailbox, since that is what its owner goes on reading.
 */
static struct err
rename_one(struct changing *c, struct folder *f, struct batch *b)
{
	struct account *a = c->job.account;
	uint8_t room[FOLDER_NAME_MAX], was_room[FOLDER_NAME_MAX], key[RECORD_KEY_MAX];
	struct bytes name = new_name(c, f, room), was = {was_room, f->name.n};
	struct folder *old = account_named(a, name);
	uint32_t number = f->number;

	memcpy(was_room, f->name.p, f->name.n);
	if (old) { /* a name alone */
		f->flags |= old->flags & FOLDER_SUBSCRIBED;
		batch_delete(b, record_folder_key(key, 'b', old->number));
		account_remove(a, old);
	}
	f = account_folder(a, number);
	if (!account_rename(f, name))
		return ERR(ERR_MEMORY, 0, "mailbox");
	batch_record(b, f);
	return f->flags & FOLDER_SUBSCRIBED ? keep_name(a, was, b) : OK;
}

/* *more: there are others to be renamed. */
static struct err
rename_some(struct changing *c, struct batch *b, bool *more)
{
	struct account *a = c->job.account;
	struct err e = OK;
	size_t n = 0;

	*more = false;
	if (!c->checked) {
		e = check_renaming(c);
		if (is_ok(e))
			e = make(c, c->to, false, b);
		c->checked = true;
	}
	for (size_t i = 0; is_ok(e) && i < a->n && !*more; i++) {
		struct folder *f = a->folders[i];

		if (!is_renamed(c, f))
			continue;
		*more = n++ == RENAMED_AT_ONCE;
		if (!*more) {
			e = rename_one(c, f, b);
			i = 0; /* the folders have moved in their array */
		}
	}
	return e;
}

/* ---- the job ---- */

static struct err
change(struct changing *c, struct batch *b, bool *more)
{
	bool inbox = bytes_eq(c->name, BYTES("INBOX"));

	*more = false;
	switch (c->what) {
	case FOLDER_CREATE:
		return create(c, c->name, b);
	case FOLDER_DELETE:
		return delete (c, b);
	case FOLDER_RENAME:
		c->moves = inbox;
		return inbox ? create(c, c->to, b) : rename_some(c, b, more);
	case FOLDER_SUBSCRIBE:
		return subscribe(c, b);
	case FOLDER_UNSUBSCRIBE:
		return unsubscribe(c, b);
	}
	return ERR(ERR_SYNTAX, 0, "no change of a mailbox");
}

static bool
change_step(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	struct batch *b;
	bool more = false;

	j->err = names_read(m, j->account, c->now_s);
	if (!is_ok(j->err))
		return true;
	b = batch_new(m, j->account, STORE_CHANGES_MAX - 40, 1);
	if (!b) {
		j->err = ERR(ERR_MEMORY, 0, "change of mailboxes");
		return true;
	}
	j->err = change(c, b, &more);
	if (is_fault(j->err)) /* what is in memory may be half of it */
		j->account->stale = true;
	if (!is_ok(j->err) || batch_is_empty(b)) {
		batch_free(b);
		return true;
	}
	j->waiting++;
	batch_submit(b, OP_NONE, job_batch_done, j);
	return !more;
}

/* The messages of INBOX have gone to its new name. */
static void
moved(void *owner, struct err e, const struct mailbox_answer *answer)
{
	struct changing *c = owner;

	(void)answer;
	c->done(c->owner, e);
	free(c);
}

static void
change_finish(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	const uint8_t all[8] = {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff};
	const struct copying copying = {.account = c->account,
	                                .mailbox = MAILBOX_INBOX,
	                                .move = true,
	                                .to = c->to,
	                                .ranges = {all, sizeof(all)},
	                                .now_s = c->now_s};

	if (is_ok(j->err) && c->moves) {
		change_copy(m, &copying, moved, c);
		return;
	}
	c->done(c->owner, j->err);
	if (is_ok(j->err) && c->removed) {
		names_clear(m, j->account, c->removed);
		if (m->changed)
			m->changed(m->changed_owner, c->account, c->removed, c->modseq);
	}
	free(c);
}

static bool
take_names(struct changing *c, struct bytes name, struct bytes to)
{
	if (!names_canonical(c->room[0], name, &c->name))
		return false;
	return c->what != FOLDER_RENAME || names_canonical(c->room[1], to, &c->to);
}

void
folders_change(struct mailboxes *m, uint64_t account, enum folder_change what, struct bytes name,
               struct bytes to, uint64_t now_s, mailbox_done *done, void *owner)
{
	struct changing *c = calloc(1, sizeof(*c));
	struct account *a;
	struct err e = c ? account_get(m, account, &a) : ERR(ERR_MEMORY, 0, "change of mailboxes");

	if (is_ok(e)) {
		c->what = what;
		if (!take_names(c, name, to))
			e = ERR(ERR_SYNTAX, 0, "the name of a mailbox");
	}
	if (!is_ok(e)) {
		done(owner, e);
		free(c);
		return;
	}
	c->job = (struct job){.step = change_step, .finish = change_finish, .alone = true};
	c->account = account;
	c->now_s = now_s;
	c->done = done;
	c->owner = owner;
	job_start(m, a, &c->job);
}

/* ---- listing ---- */

/* A mailbox of version 1 was never counted. */
static struct err
count(struct mailboxes *m, struct account *a, struct folder *f)
{
	struct err e = OK;
	bool ready = f->counted;

	while (is_ok(e) && !ready)
		e = contents_read(m, a, f, UINT64_MAX, &ready);
	return e;
}

struct err
folders_list(struct mailboxes *m, uint64_t account, uint32_t after, uint64_t now_s, struct wr *w,
             bool *more)
{
	struct account *a;
	struct err e = account_get(m, account, &a);

	*more = false;
	if (is_ok(e))
		e = names_read(m, a, now_s);
	for (size_t i = 0; is_ok(e) && i < a->n && !*more; i++) {
		struct folder *f = a->folders[i];

		if (f->number <= after)
			continue;
		if (exists(f))
			e = count(m, a, f);
		const struct folder_row row = {
		    .number = f->number,
		    .uidvalidity = f->uidvalidity,
		    .uidnext = f->shown_next,
		    .count = f->count - f->coming,
		    .unseen = f->unseen - f->coming_unseen,
		    .recent = f->recent < f->shown_next ? f->recent : f->shown_next,
		    .flags = f->flags,
		    .modseq = f->shown_modseq,
		    .name = f->name,
		};

		if (wr_room(w) < 7 * 4 + 8 + 1 + f->name.n)
			*more = true;
		else
			folder_row_put(w, &row);
	}
	return e;
}

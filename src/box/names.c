/* names.c - reading the records of an account's mailboxes, and the rules of names. */
#include "box/names.h"

#include "base/text.h"
#include "box/batch.h"
#include "box/folders.h"

#include <stdlib.h>

static const struct {
	struct bytes name;
	uint32_t flag;
} uses[] = {
    {{(const uint8_t *)"Sent", 4}, FOLDER_SENT},
    {{(const uint8_t *)"Drafts", 6}, FOLDER_DRAFTS},
    {{(const uint8_t *)"Trash", 5}, FOLDER_TRASH},
    {{(const uint8_t *)"Junk", 4}, FOLDER_JUNK},
};

/* ---- what a name may be ---- */

static bool
is_control(struct bytes name, size_t i)
{
	/* U+0080 to U+009F are C2 80 to C2 9F (attack 112) */
	return name.p[i] < ' ' || name.p[i] == 0x7f ||
	       (name.p[i] == 0xc2 && i + 1 < name.n && name.p[i + 1] < 0xa0);
}

bool
folder_name_good(struct bytes name)
{
	if (!name.n || name.n > FOLDER_NAME_MAX || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (is_control(name, i))
			return false;
	if (name.p[name.n - 1] == '/')
		return false;
	while (name.n) {
		struct bytes level = text_cut(&name, '/');

		if (!level.n || bytes_eq(level, BYTES(".")) || bytes_eq(level, BYTES("..")))
			return false;
	}
	return true;
}

bool
names_canonical(uint8_t room[FOLDER_NAME_MAX], struct bytes name, struct bytes *out)
{
	static const char inbox[] = "INBOX";
	size_t n = sizeof(inbox) - 1;

	if (!folder_name_good(name))
		return false;
	memcpy(room, name.p, name.n);
	if (bytes_begins_nocase(name, BYTES("INBOX")) && (name.n == n || name.p[n] == '/'))
		memcpy(room, inbox, n);
	*out = (struct bytes){room, name.n};
	return true;
}

uint32_t
names_use(struct bytes name)
{
	for (size_t i = 0; i < COUNT(uses); i++)
		if (bytes_eq(name, uses[i].name))
			return uses[i].flag;
	return 0;
}

bool
names_beneath(struct bytes name, struct bytes above)
{
	return name.n > above.n && name.p[above.n] == '/' &&
	       bytes_eq((struct bytes){name.p, above.n}, above);
}

/* ---- what is left of a mailbox that was removed ---- */

struct clearing {
	struct job job;
	uint32_t number;
};

/* Keys of a mailbox that begin with this letter; false: there are none any more. */
static struct err
clear_some(struct mailboxes *m, struct clearing *c, char kind, struct batch *b)
{
	struct arena arena = arena_init(0);
	uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];
	struct store_page page;
	struct err e =
	    store_range(m->store, account_shard(c->job.account), STORE_ANY,
	                record_folder_key(from, kind, c->number),
	                record_folder_key(to, kind, c->number + 1), STORE_RANGE_MAX, &page, &arena);

	for (size_t i = 0; is_ok(e) && i < page.n && batch_has_room(b, 1); i++)
		batch_delete(b, page.entries[i].key);
	arena_free(&arena);
	return e;
}

static bool
clear_step(struct mailboxes *m, struct job *j)
{
	struct clearing *c = (struct clearing *)j;
	uint8_t key[RECORD_KEY_MAX];
	struct batch *b;
	bool end;

	b = batch_new(m, j->account, STORE_CHANGES_MAX / 2, 1);
	if (!b) {
		j->err = ERR(ERR_MEMORY, 0, "removal of a mailbox");
		return true;
	}
	for (const char *kind = "mse"; is_ok(j->err) && *kind; kind++)
		j->err = clear_some(m, c, *kind, b);
	if (!is_ok(j->err)) {
		batch_free(b);
		return true;
	}
	end = batch_is_empty(b);
	if (end)
		batch_delete(b, record_folder_key(key, 'x', c->number));
	j->waiting++;
	batch_submit(b, OP_NONE, job_batch_done, j);
	return end;
}

/* Where it failed, the mark stays, and the next reading of the names begins again. */
static void
clear_finish(struct mailboxes *m, struct job *j)
{
	(void)m;
	free(j);
}

void
names_clear(struct mailboxes *m, struct account *a, uint32_t number)
{
	struct clearing *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	c->job.step = clear_step;
	c->job.finish = clear_finish;
	c->job.alone = true; /* what is being deleted is there until then */
	c->number = number;
	job_start(m, a, &c->job);
}

/* ---- reading ---- */

typedef struct err each_record(struct mailboxes *, struct account *, uint32_t number, struct bytes);

static struct err
walk(struct mailboxes *m, struct account *a, char kind, each_record *fn)
{
	uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];
	struct bytes end = record_folder_key(to, kind, UINT32_MAX);
	struct store_page page = {.more = true};
	uint32_t number = 0;
	struct err e = OK;

	while (is_ok(e) && page.more) {
		struct arena arena = arena_init(0);

		e = store_range(m->store, account_shard(a), STORE_ANY,
		                record_folder_key(from, kind, number), end, STORE_RANGE_MAX, &page,
		                &arena);
		for (size_t i = 0; is_ok(e) && i < page.n; i++) {
			if (!record_folder_of(page.entries[i].key, &number))
				e = ERR(ERR_CORRUPT, 0, "a mailbox's key");
			else
				e = fn(m, a, number, page.entries[i].value);
		}
		number++;
		arena_free(&arena);
	}
	return e;
}

static struct err
take_folder(struct mailboxes *m, struct account *a, uint32_t number, struct bytes value)
{
	struct record_folder record;
	struct err e;

	(void)m;
	if (account_folder(a, number)) /* INBOX */
		return OK;
	e = record_folder_read(value, &record);
	return is_ok(e) ? account_take(a, number, &record) : e;
}

static struct err
go_on_clearing(struct mailboxes *m, struct account *a, uint32_t number, struct bytes value)
{
	(void)value;
	names_clear(m, a, number);
	return OK;
}

static struct err
read_next(struct mailboxes *m, struct account *a, bool *found)
{
	struct arena arena = arena_init(0);
	struct store_entry entry;
	struct err e = store_get(m->store, account_shard(a), BYTES("n"), &entry, &arena);

	*found = is_ok(e);
	if (is_ok(e))
		e = record_next_read(entry.value, &a->next);
	arena_free(&arena);
	return e.code == ERR_NOTFOUND ? OK : e;
}

static void
made(void *owner, struct mailboxes *m, struct err e)
{
	(void)owner;
	(void)m;
	(void)e; /* a commit that failed has the account read anew, and this tried again */
}

/* The mailboxes that an account has from the start. */
static struct err
make_first(struct mailboxes *m, struct account *a, uint64_t now_s)
{
	struct batch *b = batch_new(m, a, 1 + COUNT(uses), 1);
	struct folder *inbox = account_inbox(a, now_s);

	if (!b || !inbox) {
		batch_free(b);
		return ERR(ERR_MEMORY, 0, "an account's mailboxes");
	}
	if (a->next.uidvalidity < inbox->uidvalidity)
		a->next.uidvalidity = inbox->uidvalidity;
	if (!inbox->modseq)
		inbox->modseq = inbox->shown_modseq = batch_modseq(b);
	batch_record(b, inbox);
	for (size_t i = 0; i < COUNT(uses); i++) {
		struct folder *f = account_add(
		    a, uses[i].name, FOLDER_EXISTS | FOLDER_SUBSCRIBED | uses[i].flag, now_s);

		if (!f) {
			batch_free(b);
			return ERR(ERR_MEMORY, 0, "an account's mailboxes");
		}
		f->modseq = f->shown_modseq = f->gone_from = batch_modseq(b);
		batch_record(b, f);
	}
	batch_submit(b, OP_NONE, made, NULL);
	return OK;
}

struct err
names_read(struct mailboxes *m, struct account *a, uint64_t now_s)
{
	bool found = false;
	struct err e;

	if (a->named)
		return OK;
	e = read_next(m, a, &found);
	if (is_ok(e))
		e = walk(m, a, 'b', take_folder);
	if (is_ok(e) && !found && !now_s)
		return OK;
	if (is_ok(e) && !found)
		e = make_first(m, a, now_s);
	if (is_ok(e)) {
		a->named = true;
		account_weigh(m, a);
		e = walk(m, a, 'x', go_on_clearing);
	} else {
		a->stale = true;
	}
	return e;
}

struct err
names_find(struct mailboxes *m, struct account *a, struct bytes name, uint64_t now_s,
           struct folder **out)
{
	uint8_t room[FOLDER_NAME_MAX];
	struct err e;

	*out = NULL;
	if (!names_canonical(room, name, &name))
		return ERR(ERR_NOTFOUND, 0, "no mailbox of this name");
	e = names_read(m, a, now_s);
	if (is_ok(e))
		*out = account_named(a, name);
	if (is_ok(e) && (!*out || !((*out)->flags & FOLDER_EXISTS)))
		e = ERR(ERR_NOTFOUND, 0, "no mailbox of this name");
	return e;
}

struct err
names_number(struct mailboxes *m, struct account *a, uint32_t number, struct folder **out)
{
	struct err e = OK;

	*out = account_folder(a, number);
	if (!*out)
		e = names_read(m, a, 0);
	if (is_ok(e) && !*out)
		*out = account_folder(a, number);
	if (is_ok(e) && (!*out || !((*out)->flags & FOLDER_EXISTS)))
		e = ERR(ERR_NOTFOUND, 0, "no mailbox of this number");
	return e;
}

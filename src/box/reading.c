/*
 * reading.c - what sessions ask of a mailbox.  Rows and octets come from the store as they are; what
 * needs to know which messages there are waits until they were read once.
 */
#include "box/batch.h"
#include "box/contents.h"
#include "box/keywords.h"
#include "box/names.h"
#include "box/rows.h"

#include <stdlib.h>

enum {
	ROWS_MAX = 36864, /* octets, as in talk.def's box_changes */
	GONE_MAX = 16384,
	UIDS_MAX = 57344,
	CHANGED_MAX = ROWS_MAX / MESSAGE_ROW_FIXED, /* more than one modseq may ever have */
	LOOKUPS_MAX = 2000,                         /* in the store, for one answer */
};
_Static_assert((int)CHANGED_MAX >= (int)BATCH_CHANGED && GONE_MAX / 8 >= (int)MAILBOX_BATCH,
               "what has one modseq fits into one answer");

/* ---- rows ---- */

/* What of a range fits; *full where it did not all. */
static struct err
put_range(struct mailboxes *m, uint64_t account, uint32_t mailbox, unsigned fields,
          struct uid_range range, struct wr *w, bool *full, unsigned *lookups)
{
	bool summaries = fields & ROW_SUMMARY, more = true;

	while (more && !*full) {
		struct arena arena = arena_init(0);
		struct rows_page page;
		size_t fit = wr_room(w) / MESSAGE_ROW_FIXED + 1;
		struct err e =
		    rows_read(m, account, mailbox, range, fit < ROWS_PAGE ? fit : ROWS_PAGE,
		              summaries, &page, &arena);

		++*lookups;
		for (size_t i = 0; is_ok(e) && i < page.n; i++) {
			struct message_row *row = &page.entries[i].r.row;

			if (!summaries)
				row->summary = NO_BYTES;
			if (wr_room(w) < MESSAGE_ROW_FIXED + row->summary.n) {
				*full = true;
				break;
			}
			message_row_put(w, row);
			range.first = row->uid + 1;
		}
		more = is_ok(e) && page.more && range.first;
		arena_free(&arena);
		if (!is_ok(e))
			return e;
	}
	return OK;
}

struct err
mailbox_rows(struct mailboxes *m, uint64_t account, uint32_t mailbox, unsigned fields,
             struct bytes ranges, struct wr *w, bool *more)
{
	const uint8_t *start = w->p;
	struct rd r = rd_of(ranges);
	struct uid_range range;
	unsigned lookups = 0;
	uint32_t behind = 0; /* what was asked for before */
	struct err e = OK;

	*more = false;
	while (is_ok(e) && !*more && uid_range_get(&r, &range)) {
		if (range.first < behind)
			r.bad = true;
		/* ranges where nothing is cost a look each; the asker goes on behind the last row */
		if (lookups >= LOOKUPS_MAX && w->p > start)
			*more = true;
		else if (!r.bad)
			e = put_range(m, account, mailbox, fields, range, w, more, &lookups);
		behind = range.last;
	}
	return r.bad ? ERR(ERR_SYNTAX, 0, "ranges of UIDs") : e;
}

struct err
mailbox_read(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t uid, uint64_t offset,
             size_t n, struct wr *w)
{
	struct arena arena = arena_init(0);
	uint8_t key[RECORD_KEY_MAX], *room;
	struct store_entry entry;
	size_t got = 0;
	struct err e;

	e = store_get(m->store, shard_number(SHARD_ACCOUNT, account),
	              record_message_key(key, 'm', mailbox, uid), &entry, &arena);
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

/* ---- what waits for the contents ---- */

struct reading {
	struct job job;
	uint32_t mailbox; /* 0: named */
	uint8_t name[FOLDER_NAME_MAX];
	size_t name_n;
	bool examine;
	uint64_t now_s;
	uint32_t from;
	struct mailbox_place place;
	struct folder *folder;
	mailbox_opened *opened;
	mailbox_answered *answered;
	void *owner;
};

static bool
read_step(struct mailboxes *m, struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct bytes name = {r->name, r->name_n};
	bool ready = false;

	if (!r->folder && r->mailbox)
		j->err = names_number(m, j->account, r->mailbox, &r->folder);
	else if (!r->folder)
		j->err = names_find(m, j->account, name, r->now_s, &r->folder);
	if (is_ok(j->err))
		j->err = contents_read(m, j->account, r->folder, r->place.since, &ready);
	if (is_ok(j->err) && ready)
		j->err = keywords_read(m, j->account, r->folder);
	return ready;
}

static void
fail_reading(struct reading *r, struct err e)
{
	if (r->opened)
		r->opened(r->owner, e, &(struct mailbox_info){.number = 0});
	else
		r->answered(r->owner, e, &(struct mailbox_answer){.more = false});
}

static void
reading_start(struct mailboxes *m, uint64_t account, const struct reading *what,
              void (*finish)(struct mailboxes *, struct job *))
{
	struct reading *r = calloc(1, sizeof(*r));
	struct account *a;
	struct err e = r ? account_get(m, account, &a) : ERR(ERR_MEMORY, 0, "reading");

	if (!is_ok(e)) {
		struct reading failed = *what;

		free(r);
		fail_reading(&failed, e);
		return;
	}
	*r = *what;
	r->job.step = read_step;
	r->job.finish = finish;
	job_start(m, a, &r->job);
}

/* ---- open ---- */

static void
nobody(void *owner, struct mailboxes *m, struct err e)
{
	(void)owner;
	(void)m;
	(void)e; /* then it is recent once more */
}

static void
take_recent(struct mailboxes *m, struct account *a, struct folder *f)
{
	struct batch *b;

	if (f->recent >= f->shown_next)
		return;
	f->recent = f->shown_next;
	b = batch_new(m, a, 1, 1);
	if (!b)
		return;
	batch_record(b, f);
	batch_submit(b, OP_NONE, nobody, NULL);
}

static void
open_finish(struct mailboxes *m, struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct folder *f = r->folder;
	struct uid_range first;

	if (!is_ok(j->err)) {
		fail_reading(r, j->err);
	} else {
		struct mailbox_info info = {
		    .number = f->number,
		    .uidvalidity = f->uidvalidity,
		    .uidnext = f->shown_next,
		    .count = f->contents->all.count,
		    .recent = f->recent,
		    .modseq = f->shown_modseq,
		    .keywords = keywords_list(f->keywords),
		};

		if (uidset_run(&f->contents->unseen, 1, UINT32_MAX, &first))
			info.unseen = first.first;
		if (!r->examine)
			take_recent(m, j->account, f);
		r->opened(r->owner, OK, &info);
	}
	free(r);
}

void
mailbox_open(struct mailboxes *m, uint64_t account, struct bytes name, bool examine, uint64_t now_s,
             mailbox_opened *opened, void *owner)
{
	struct reading r = {.examine = examine,
	                    .now_s = now_s,
	                    .place = {.since = UINT64_MAX},
	                    .opened = opened,
	                    .owner = owner};

	if (name.n > sizeof(r.name)) {
		fail_reading(&r, ERR(ERR_NOTFOUND, 0, "no mailbox of this name"));
		return;
	}
	if (name.n)
		memcpy(r.name, name.p, name.n);
	r.name_n = name.n;
	reading_start(m, account, &r, open_finish);
}

/* ---- UIDs ---- */

/* The runs from there on, or what lies between them; false: there are more than fit. */
static bool
put_runs(struct wr *w, const struct uidset *s, uint32_t *from, uint32_t to, bool between)
{
	struct uid_range run;

	while (*from && *from <= to) {
		bool found = uidset_run(s, *from, to, &run);
		struct uid_range gap = {*from, found ? run.first - 1 : to};

		if (!found)
			run = (struct uid_range){to, to};
		if (wr_room(w) < 8)
			return !found && !between;
		if (between && (!found || run.first > *from))
			uid_range_put(w, gap);
		if (!between && found)
			uid_range_put(w, run);
		*from = run.last + 1;
	}
	return true;
}

static void
uids_finish(struct mailboxes *m, struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct mailbox_answer answer = {.more = false};
	struct wr w = wr_of(m->room, UIDS_MAX);

	if (is_ok(j->err)) {
		uint32_t from = r->from ? r->from : 1;

		answer.more = !put_runs(&w, &r->folder->contents->all, &from, UINT32_MAX, false);
		answer.uids = wr_since(&w, m->room);
		answer.uidnext = r->folder->shown_next;
		answer.uidvalidity = r->folder->uidvalidity;
		answer.modseq = r->folder->shown_modseq;
	}
	r->answered(r->owner, j->err, &answer);
	free(r);
}

void
mailbox_uids(struct mailboxes *m, uint64_t account, uint32_t mailbox, uint32_t from,
             mailbox_answered *answered, void *owner)
{
	const struct reading r = {.mailbox = mailbox ? mailbox : UINT32_MAX,
	                          .from = from,
	                          .place = {.since = UINT64_MAX},
	                          .answered = answered,
	                          .owner = owner};

	reading_start(m, account, &r, uids_finish);
}

/* ---- changes ---- */

/* Who is too far behind is told all that is not there; false: that takes another answer. */
static bool
tell_missing(struct folder *f, struct mailbox_place *p, struct wr *gone)
{
	uint32_t at = p->next ? p->next : 1;

	if (!put_runs(gone, &f->contents->all, &at, f->shown_next - 1, true)) {
		p->next = at;
		return false;
	}
	p->next = 0;
	p->told = f->shown_modseq;
	return true;
}

/*
 * The events behind `since`, as many whole modseqs as fit, into two sets; gives the modseq up to
 * which they are.
 */
static struct err
collect(const struct folder *f, uint64_t since, struct uidset *changed, struct uidset *gone,
        uint64_t *upto)
{
	const struct contents *c = f->contents;
	size_t n = contents_behind(c, since), end;

	*upto = since;
	for (; n < c->n; n = end) {
		size_t rows = 0, ranges = 0;

		for (end = n; end < c->n && c->log[end].modseq == c->log[n].modseq; end++)
			*(c->log[end].gone ? &ranges : &rows) += 1;
		/* the first is taken in any case: it is one batch, for which there is room */
		if (*upto > since &&
		    (changed->count + rows > CHANGED_MAX || gone->count + ranges > GONE_MAX / 8))
			return OK;
		for (size_t i = n; i < end; i++)
			if (!uidset_add(c->log[i].gone ? gone : changed, c->log[i].uid))
				return ERR(ERR_MEMORY, 0, "changes");
		*upto = c->log[n].modseq;
	}
	*upto = f->shown_modseq;
	return OK;
}

static struct err
put_changed(struct mailboxes *m, uint64_t account, const struct folder *f,
            const struct uidset *changed, struct wr *w)
{
	struct uid_range run = {0, 0};
	unsigned lookups = 0;
	struct err e = OK;
	bool full = false;

	for (uint32_t from = 1; is_ok(e) && from && uidset_run(changed, from, UINT32_MAX, &run);
	     from = run.last + 1)
		e = put_range(m, account, f->number, ROW_FIXED, run, w, &full, &lookups);
	return is_ok(e) && full ? ERR(ERR_CORRUPT, 0, "too many rows of one modseq") : e;
}

static struct err
tell_changes(struct mailboxes *m, struct reading *r, struct mailbox_answer *answer, struct wr *gone,
             struct wr *rows)
{
	struct folder *f = r->folder;
	struct uidset changed = {NULL, 0, 0, 0}, went = {NULL, 0, 0, 0};
	uint32_t from = 1;
	struct err e;

	answer->place = r->place;
	answer->modseq = r->place.since;
	answer->more = true;
	if (r->place.since < f->contents->complete_from &&
	    r->place.told < f->contents->complete_from) {
		tell_missing(f, &answer->place, gone);
		return OK;
	}
	e = collect(f, r->place.since, &changed, &went, &answer->modseq);
	if (is_ok(e))
		e = put_changed(m, r->job.account->id, f, &changed, rows);
	put_runs(gone, &went, &from, UINT32_MAX, false);
	answer->more = answer->modseq < f->shown_modseq;
	answer->place.since = answer->modseq;
	uidset_free(&changed);
	uidset_free(&went);
	return e;
}

static void
changes_finish(struct mailboxes *m, struct job *j)
{
	struct reading *r = (struct reading *)j;
	struct mailbox_answer answer = {.more = false};
	struct wr rows = wr_of(m->room, ROWS_MAX), gone = wr_of(m->room + ROWS_MAX, GONE_MAX);
	struct folder *f = r->folder;

	if (is_ok(j->err) && r->place.since > f->shown_modseq)
		r->place.since = f->shown_modseq;
	if (is_ok(j->err))
		j->err = tell_changes(m, r, &answer, &gone, &rows);
	if (is_ok(j->err)) {
		answer.rows = wr_since(&rows, m->room);
		answer.gone = wr_since(&gone, m->room + ROWS_MAX);
		answer.keywords = keywords_list(f->keywords);
		answer.uidnext = f->shown_next;
		answer.uidvalidity = f->uidvalidity;
		if (!r->place.examine && f->recent < f->shown_next)
			f->recent = f->shown_next; /* the store learns it with the next change */
	}
	r->answered(r->owner, j->err, &answer);
	free(r);
}

void
mailbox_changes(struct mailboxes *m, uint64_t account, uint32_t mailbox, struct mailbox_place place,
                mailbox_answered *answered, void *owner)
{
	const struct reading r = {.mailbox = mailbox ? mailbox : UINT32_MAX,
	                          .place = place,
	                          .answered = answered,
	                          .owner = owner};

	reading_start(m, account, &r, changes_finish);
}

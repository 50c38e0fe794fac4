/*
 * change.c - flags, removal, copies: walks over those messages of the asked ranges that are there, a
 * batch at a time.  No message comes twice in a walk, so the next batch need not wait for the one
 * before; what arrives meanwhile is not met.
 */
#include "box/change.h"

#include "base/buf.h"
#include "box/batch.h"
#include "box/contents.h"
#include "box/keywords.h"
#include "box/names.h"
#include "box/rows.h"

#include <stdlib.h>

enum {
	LOOKED_AT_MAX = 1000, /* rows, for one piece of work */
	TOLD_MAX = 28672,     /* octets of a copy's ranges, as in talk.def */
	MOVE_CHANGES = 4,     /* for one message: two keys come, two go */
};

struct told {
	struct buf ranges;
	struct uid_range last;
	bool has;
};

struct changing {
	struct job job;
	mailbox_answered *done;
	void *owner;
	uint32_t mailbox;
	struct folder *folder;
	/* the walk */
	uint8_t *ranges; /* owned */
	struct rd rd;
	struct uid_range now; /* what is left of this range */
	bool has_now, ready;
	/* flags */
	enum flags_how how;
	uint32_t flags;
	uint8_t *keywords; /* owned */
	size_t keywords_n;
	uint64_t bits;
	uint64_t modseq; /* of the last batch that changed some, 0: none did */
	/* removal */
	bool only_deleted;
	uint32_t removed;
	/* copies */
	bool copy, move, untold;
	struct op_id op;
	uint32_t part;
	uint64_t now_s;
	uint8_t name[FOLDER_NAME_MAX];
	size_t name_n;
	struct folder *to;
	struct told from, uids;
};

/* ---- the walk ---- */

/* The next messages of the walk that are in the set; false at its end. */
static bool
walk_run(struct changing *c, const struct uidset *set, struct uid_range *run)
{
	for (;;) {
		if (c->has_now && uidset_run(set, c->now.first, c->now.last, run))
			return true;
		c->has_now = uid_range_get(&c->rd, &c->now);
		if (!c->has_now)
			return false;
	}
}

/* It goes on behind this UID. */
static void
walk_on(struct changing *c, uint32_t behind)
{
	if (c->has_now && behind >= c->now.last)
		c->has_now = false;
	else if (c->has_now && behind >= c->now.first)
		c->now.first = behind + 1;
}

static bool
ranges_good(struct bytes ranges)
{
	struct rd r = rd_of(ranges);
	struct uid_range range, before = {0, 0};

	while (uid_range_get(&r, &range)) {
		if (range.first <= before.last && before.last)
			return false;
		before = range;
	}
	return !r.bad;
}

/* Messages that come while the walk goes on are not met. */
static void
walk_end(struct changing *c)
{
	uint32_t last = c->folder->shown_next - 1;
	struct rd r = c->rd;
	struct wr w = wr_of(c->ranges, rd_left(&r));
	struct uid_range range;

	while (uid_range_get(&r, &range) && range.first <= last) {
		range.last = range.last < last ? range.last : last;
		uid_range_put(&w, range); /* in its old place */
	}
	c->rd = rd_of(wr_since(&w, c->ranges));
}

/* Finds the mailbox and reads what it has; false: not yet, or j->err. */
static bool
prepare(struct mailboxes *m, struct changing *c)
{
	struct job *j = &c->job;

	if (c->ready)
		return true;
	if (!c->folder)
		j->err = names_number(m, j->account, c->mailbox, &c->folder);
	if (is_ok(j->err) && c->copy && !c->to)
		j->err =
		    names_find(m, j->account, (struct bytes){c->name, c->name_n}, c->now_s, &c->to);
	if (is_ok(j->err))
		j->err = contents_read(m, j->account, c->folder, UINT64_MAX, &c->ready);
	if (is_ok(j->err) && c->ready)
		j->err = keywords_read(m, j->account, c->folder);
	if (is_ok(j->err) && c->ready && c->copy)
		j->err = keywords_read(m, j->account, c->to);
	if (c->ready)
		walk_end(c);
	return c->ready && is_ok(j->err);
}

static void
changing_free(struct changing *c)
{
	buf_free(&c->from.ranges);
	buf_free(&c->uids.ranges);
	free(c->keywords);
	free(c->ranges);
	free(c);
}

static void
changing_start(struct mailboxes *m, uint64_t account, const struct changing *what,
               struct bytes keywords, struct bytes ranges)
{
	struct changing *c = calloc(1, sizeof(*c));
	struct account *a;
	struct err e = c ? account_get(m, account, &a) : ERR(ERR_MEMORY, 0, "change");

	if (is_ok(e) && !ranges_good(ranges))
		e = ERR(ERR_SYNTAX, 0, "ranges of UIDs");
	if (is_ok(e)) {
		*c = *what;
		c->ranges = malloc(ranges.n + 1);
		c->keywords = malloc(keywords.n + 1);
		if (!c->ranges || !c->keywords)
			e = ERR(ERR_MEMORY, 0, "change");
	}
	if (!is_ok(e)) {
		what->done(what->owner, e, &(struct mailbox_answer){.more = false});
		if (c)
			changing_free(c);
		return;
	}
	if (ranges.n)
		memcpy(c->ranges, ranges.p, ranges.n);
	if (keywords.n)
		memcpy(c->keywords, keywords.p, keywords.n);
	c->keywords_n = keywords.n;
	c->rd = rd_of((struct bytes){c->ranges, ranges.n});
	job_start(m, a, &c->job);
}

static void
change_finish(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	struct mailbox_answer answer = {.more = false};

	(void)m;
	if (is_ok(j->err)) {
		answer.removed = c->removed;
		answer.modseq = c->modseq;
		answer.uidnext = c->folder->shown_next;
		answer.uidvalidity = c->folder->uidvalidity;
		answer.keywords = keywords_list(c->folder->keywords);
	}
	c->done(c->owner, j->err, &answer);
	changing_free(c);
}

static bool
no_memory(struct job *j)
{
	j->err = ERR(ERR_MEMORY, 0, "change");
	return true;
}

/* Hands it in, if there is anything in it. */
static void
submit(struct changing *c, struct batch *b)
{
	if (batch_is_empty(b)) {
		batch_free(b);
		return;
	}
	c->job.waiting++;
	batch_submit(b, OP_NONE, job_batch_done, &c->job);
}

/* ---- flags ---- */

static struct message_row
with_flags(const struct changing *c, struct message_row row)
{
	switch (c->how) {
	case FLAGS_SET:
		row.flags = c->flags;
		row.keywords = c->bits;
		break;
	case FLAGS_ADD:
		row.flags |= c->flags;
		row.keywords |= c->bits;
		break;
	case FLAGS_REMOVE:
		row.flags &= ~c->flags;
		row.keywords &= ~c->bits;
		break;
	}
	return row;
}

/* Some rows of this run; what was looked at is behind the walk then. */
static struct err
flag_run(struct mailboxes *m, struct changing *c, struct uid_range run, struct batch *b,
         size_t *looked)
{
	struct arena arena = arena_init(0);
	struct rows_page page;
	struct err e = rows_read(m, c->job.account->id, c->folder->number, run, ROWS_PAGE, false,
	                         &page, &arena);

	for (size_t i = 0; is_ok(e) && i < page.n && batch_has_room(b, 2); i++) {
		const struct record_row *was = &page.entries[i].r;
		struct message_row row = with_flags(c, was->row);

		if (row.flags != was->row.flags || row.keywords != was->row.keywords) {
			batch_change(b, c->folder, was, &row, page.entries[i].blob);
			c->modseq = batch_modseq(b);
		}
		walk_on(c, row.uid);
		++*looked;
	}
	if (is_ok(e) && !page.n) /* the rows of this run are not there: what we know is wrong */
		e = ERR(ERR_CORRUPT, 0, "a mailbox's rows and what is known of them");
	arena_free(&arena);
	return e;
}

static bool
flags_step(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	bool first = !c->ready, end = false;
	struct bytes names = {c->keywords, c->keywords_n};
	struct uid_range run;
	struct batch *b;
	size_t looked = 0;

	if (!prepare(m, c))
		return false;
	if (first)
		j->err =
		    keywords_bits(c->folder->keywords, names, c->how != FLAGS_REMOVE, &c->bits);
	if (!is_ok(j->err))
		return true;
	b = batch_new(m, j->account, 2 * BATCH_CHANGED, BATCH_CHANGED);
	if (!b)
		return no_memory(j);
	while (is_ok(j->err) && looked < LOOKED_AT_MAX && batch_has_room(b, 2) && !end) {
		end = !walk_run(c, &c->folder->contents->all, &run);
		if (!end)
			j->err = flag_run(m, c, run, b, &looked);
	}
	batch_keywords(b, c->folder);
	submit(c, b);
	return end;
}

void
change_flags(struct mailboxes *m, uint64_t account, uint32_t mailbox, enum flags_how how,
             uint32_t flags, struct bytes keywords, struct bytes ranges, mailbox_answered *done,
             void *owner)
{
	const struct changing c = {.job = {.step = flags_step, .finish = change_finish},
	                           .done = done,
	                           .owner = owner,
	                           .mailbox = mailbox,
	                           .how = how,
	                           .flags = flags & FLAGS_ALL};

	changing_start(m, account, &c, keywords, ranges);
}

/* ---- removal ---- */

static bool
remove_step(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	struct contents *have;
	struct uid_range run;
	struct batch *b;
	bool end = false;

	if (!prepare(m, c))
		return false;
	have = c->folder->contents;
	b = batch_new(m, j->account, 2 * MAILBOX_BATCH, MAILBOX_BATCH);
	if (!b)
		return no_memory(j);
	while (!end && batch_has_room(b, 2)) {
		end = !walk_run(c, c->only_deleted ? &have->deleted : &have->all, &run);
		if (end)
			break;
		for (uint32_t uid = run.first; batch_has_room(b, 2); uid++) {
			batch_remove(b, c->folder, uid, uidset_has(&have->unseen, uid));
			c->modseq = batch_modseq(b);
			walk_on(c, uid);
			c->removed++;
			if (uid == run.last)
				break;
		}
	}
	submit(c, b);
	return end;
}

void
change_remove(struct mailboxes *m, uint64_t account, uint32_t mailbox, bool only_deleted,
              struct bytes ranges, mailbox_answered *done, void *owner)
{
	const struct changing c = {.job = {.step = remove_step, .finish = change_finish},
	                           .done = done,
	                           .owner = owner,
	                           .mailbox = mailbox,
	                           .only_deleted = only_deleted};

	changing_start(m, account, &c, NO_BYTES, ranges);
}

/* ---- copies ---- */

/* One more, behind those that were told; what does not fit makes all of it untold. */
static void
told_flush(struct changing *c, struct told *t)
{
	uint8_t room[8];
	struct wr w = wr_of(room, sizeof(room));

	if (t->has)
		uid_range_put(&w, t->last);
	if (!buf_add(&t->ranges, wr_since(&w, room)))
		c->untold = true;
	t->has = false;
}

static void
told_add(struct changing *c, struct told *t, struct uid_range range)
{
	if (t->has && t->last.last + 1 == range.first) {
		t->last.last = range.last;
		return;
	}
	told_flush(c, t);
	t->last = range;
	t->has = true;
}

/* Each batch is an operation of its own, named by the copy's and its place in it. */
static struct op_id
part_op(const struct changing *c)
{
	struct op_id op = c->op;

	for (int i = 0; i < 4; i++)
		op.id[15 - i] ^= (uint8_t)(c->part >> 8 * i);
	return op;
}

/* What was done of it before it was cut off; the walk goes on behind that. */
static struct err
go_on(struct mailboxes *m, struct changing *c)
{
	struct err e = OK;
	bool found = !op_is_none(c->op);

	while (is_ok(e) && found) {
		struct arena arena = arena_init(0);
		uint8_t key[RECORD_KEY_MAX];
		struct store_entry entry;
		struct record_op done;
		uint32_t n = 0;

		e = store_get(m->store, account_shard(c->job.account),
		              record_op_key(key, c->op, c->part), &entry, &arena);
		found = is_ok(e) && record_op_read(entry.value, c->op, c->part, &done) &&
		        done.mailbox == c->to->number;
		if (found) {
			struct rd r = rd_of(done.from);
			struct uid_range range;

			for (; uid_range_get(&r, &range); n += range.last - range.first + 1)
				told_add(c, &c->from, range);
			if (n)
				told_add(c, &c->uids,
				         (struct uid_range){done.uid, done.uid + n - 1});
			while (c->has_now || uid_range_get(&c->rd, &c->now)) {
				c->has_now = true;
				walk_on(c, done.next - 1);
				if (c->has_now)
					break;
			}
			c->part++;
		}
		arena_free(&arena);
	}
	return e.code == ERR_NOTFOUND ? OK : e;
}

static struct bytes
summary_of(uint8_t room[RECORD_SUMMARY_MAX], const struct rows_entry *x)
{
	return x->summary.n ? x->summary
	                    : record_summary_value(room, x->r.sender, x->r.row.summary);
}

/* Some messages of this run. */
static struct err
copy_run(struct mailboxes *m, struct changing *c, struct uid_range run, struct batch *b,
         struct told *from, struct record_op *op)
{
	struct arena arena = arena_init(0);
	struct rows_page page;
	struct err e = rows_read(m, c->job.account->id, c->folder->number, run, MAILBOX_BATCH, true,
	                         &page, &arena);

	for (size_t i = 0; is_ok(e) && i < page.n && batch_has_room(b, MOVE_CHANGES); i++) {
		const struct rows_entry *x = &page.entries[i];
		uint8_t room[RECORD_SUMMARY_MAX];
		struct message_row row = x->r.row;
		uint32_t was = row.uid, uid;

		row.keywords = keywords_carry(c->to->keywords, c->folder->keywords, row.keywords);
		uid = batch_add(b, c->to, &row, summary_of(room, x), x->blob);
		if (c->move)
			batch_remove(b, c->folder, was,
			             uidset_has(&c->folder->contents->unseen, was));
		told_add(c, from, (struct uid_range){was, was});
		told_add(c, &c->from, (struct uid_range){was, was});
		told_add(c, &c->uids, (struct uid_range){uid, uid});
		op->uid = op->uid ? op->uid : uid;
		op->next = was + 1;
		walk_on(c, was);
	}
	if (is_ok(e) && !page.n)
		e = ERR(ERR_CORRUPT, 0, "a mailbox's rows and what is known of them");
	arena_free(&arena);
	return e;
}

/* What was done before adds nothing; what it had done is not known any more. */
static void
copied(void *owner, struct mailboxes *m, struct err e)
{
	struct changing *c = owner;

	if (e.code == ERR_SEEN) {
		c->untold = true;
		e = OK;
	}
	job_batch_done(&c->job, m, e);
}

static void
copy_submit(struct changing *c, struct batch *b, struct told *from, struct record_op *op)
{
	uint8_t key[RECORD_KEY_MAX], value[RECORD_OP_MAX];

	if (batch_is_empty(b)) {
		batch_free(b);
		return;
	}
	batch_keywords(b, c->to);
	told_flush(c, from);
	op->from = buf_bytes(&from->ranges);
	if (!op_is_none(c->op))
		batch_put(b, record_op_key(key, c->op, c->part), record_op_value(value, op),
		          BLOB_NONE);
	c->job.waiting++;
	batch_submit(b, op_is_none(c->op) ? OP_NONE : part_op(c), copied, c);
	c->part++;
}

static bool
copy_step(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	struct told from = {.ranges = buf_init(TOLD_MAX)};
	bool first = !c->ready, end = false;
	struct record_op op = {.op = c->op};
	struct uid_range run;
	struct batch *b;

	if (!prepare(m, c))
		return false;
	if (first)
		j->err = go_on(m, c);
	if (!is_ok(j->err))
		return true;
	op.part = c->part;
	op.mailbox = c->to->number;
	op.uidvalidity = c->to->uidvalidity;
	b = batch_new(m, j->account, MOVE_CHANGES * MAILBOX_BATCH + 1, MAILBOX_BATCH * 2);
	if (!b)
		return no_memory(j);
	while (is_ok(j->err) && !end && batch_has_room(b, MOVE_CHANGES + 1)) {
		end = !walk_run(c, &c->folder->contents->all, &run);
		if (!end)
			j->err = copy_run(m, c, run, b, &from, &op);
	}
	if (is_ok(j->err))
		copy_submit(c, b, &from, &op);
	else
		batch_free(b);
	buf_free(&from.ranges);
	return end;
}

static void
copy_finish(struct mailboxes *m, struct job *j)
{
	struct changing *c = (struct changing *)j;
	struct mailbox_answer answer = {.more = false};

	(void)m;
	told_flush(c, &c->from);
	told_flush(c, &c->uids);
	if (is_ok(j->err)) {
		answer.uidvalidity = c->to->uidvalidity;
		answer.uidnext = c->to->shown_next;
		answer.modseq = c->folder->shown_modseq;
	}
	if (is_ok(j->err) && !c->untold) {
		answer.gone = buf_bytes(&c->from.ranges);
		answer.uids = buf_bytes(&c->uids.ranges);
	}
	c->done(c->owner, j->err, &answer);
	changing_free(c);
}

void
change_copy(struct mailboxes *m, const struct copying *what, mailbox_answered *done, void *owner)
{
	struct changing c = {.job = {.step = copy_step, .finish = copy_finish},
	                     .done = done,
	                     .owner = owner,
	                     .mailbox = what->mailbox,
	                     .copy = true,
	                     .move = what->move,
	                     .op = what->op,
	                     .now_s = what->now_s,
	                     .from = {.ranges = buf_init(TOLD_MAX)},
	                     .uids = {.ranges = buf_init(TOLD_MAX)}};

	if (what->to.n > sizeof(c.name)) {
		done(owner, ERR(ERR_NOTFOUND, 0, "no mailbox of this name"),
		     &(struct mailbox_answer){.more = false});
		return;
	}
	if (what->to.n)
		memcpy(c.name, what->to.p, what->to.n);
	c.name_n = what->to.n;
	changing_start(m, what->account, &c, NO_BYTES, what->ranges);
}

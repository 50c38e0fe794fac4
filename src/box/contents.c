/*
 * contents.c - sets of UIDs, and a log of changes.
 *
 * While the rows are read, deliveries go on: what they note is in front of the walk or is noted by
 * it once more, which changes nothing in the sets; the log is sorted when all is there.
 */
#include "box/contents.h"

#include <stdlib.h>

enum {
	LOG_KEPT = 4096,
	ROWS_AT_ONCE = STORE_RANGE_MAX, /* about two milliseconds */
};

static bool
log_add(struct contents *c, uint64_t modseq, uint32_t uid, bool gone)
{
	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 16;
		struct contents_event *grown = realloc(c->log, cap * sizeof(*grown));

		if (!grown)
			return false;
		c->log = grown;
		c->cap = cap;
	}
	c->log[c->n++] = (struct contents_event){modseq, uid, gone};
	return true;
}

/* A quarter goes, and what has the modseq of the last that went. */
static void
log_trim(struct contents *c)
{
	size_t n = c->n / 4;

	if (c->n <= c->keep)
		return;
	c->log_from = c->log[n].modseq;
	if (c->complete_from < c->log_from)
		c->complete_from = c->log_from;
	n = contents_behind(c, c->log_from);
	c->n -= n;
	memmove(c->log, c->log + n, c->n * sizeof(*c->log));
}

size_t
contents_behind(const struct contents *c, uint64_t modseq)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->log[mid].modseq <= modseq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Puts the UID into the set, or out of it. */
static bool
set_to(struct uidset *s, uint32_t uid, bool in)
{
	if (in)
		return uidset_add(s, uid);
	uidset_remove(s, uid);
	return true;
}

static bool
note_sets(struct contents *c, uint32_t uid, uint32_t flags, bool gone)
{
	return set_to(&c->all, uid, !gone) &&
	       set_to(&c->unseen, uid, !gone && !(flags & FLAG_SEEN)) &&
	       set_to(&c->deleted, uid, !gone && flags & FLAG_DELETED);
}

bool
contents_note(struct contents *c, uint64_t modseq, uint32_t uid, uint32_t flags, bool gone)
{
	if (!note_sets(c, uid, flags, gone) || !log_add(c, modseq, uid, gone))
		return false;
	if (c->ready)
		log_trim(c);
	return true;
}

/* ---- reading ---- */

static struct err
read_rows(struct mailboxes *m, struct account *a, const struct folder *f, struct contents *c,
          bool *end)
{
	uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];
	struct arena arena = arena_init(0);
	struct store_page page;
	struct err e = store_range(
	    m->store, account_shard(a), STORE_ANY, record_message_key(from, 'm', f->number, c->at),
	    record_message_key(to, 'm', f->number + 1, 0), ROWS_AT_ONCE, &page, &arena);

	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		struct record_row r;

		e = record_row_read(page.entries[i].key, page.entries[i].value, &r);
		if (!is_ok(e))
			break;
		if (!note_sets(c, r.row.uid, r.row.flags, false) ||
		    (r.row.modseq > c->log_from && !log_add(c, r.row.modseq, r.row.uid, false)))
			e = ERR(ERR_MEMORY, 0, "contents of a mailbox");
		c->at = r.row.uid + 1;
	}
	*end = is_ok(e) && !page.more;
	arena_free(&arena);
	return e;
}

static bool
note_gone(struct contents *c, uint64_t modseq, struct bytes ranges)
{
	struct rd r = rd_of(ranges);
	struct uid_range range;

	while (uid_range_get(&r, &range))
		for (uint32_t uid = range.first;; uid++) {
			if (!log_add(c, modseq, uid, true))
				return false;
			if (uid == range.last)
				break;
		}
	return !r.bad;
}

/* One that a failed commit left over is passed by. */
static void
gone_add(struct folder *f, struct contents *c, uint64_t modseq)
{
	c->gone[c->n_gone++] = modseq;
	if (c->n_gone <= CONTENTS_GONE)
		return;
	if (f->gone_from < c->gone[0])
		f->gone_from = c->gone[0];
	memmove(c->gone, c->gone + 1, --c->n_gone * sizeof(c->gone[0]));
}

/* All records of what was expunged are one page. */
static struct err
read_gone(struct mailboxes *m, struct account *a, struct folder *f, struct contents *c)
{
	uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];
	struct arena arena = arena_init(0);
	struct store_page page;
	struct err e = store_range(
	    m->store, account_shard(a), STORE_ANY, record_folder_key(from, 'e', f->number),
	    record_folder_key(to, 'e', f->number + 1), STORE_RANGE_MAX, &page, &arena);

	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		uint64_t modseq;

		if (!record_gone_of(page.entries[i].key, &modseq))
			e = ERR(ERR_CORRUPT, 0, "what a mailbox had");
		else if (modseq > c->log_from && !note_gone(c, modseq, page.entries[i].value))
			e = ERR(ERR_MEMORY, 0, "contents of a mailbox");
		else
			gone_add(f, c, modseq);
	}
	arena_free(&arena);
	return e;
}

static int
by_modseq(const void *x, const void *y)
{
	const struct contents_event *a = x, *b = y;

	return (a->modseq > b->modseq) - (a->modseq < b->modseq);
}

/* What was counted before may be of version 1, or be wrong where a commit failed. */
static struct err
finish(struct mailboxes *m, struct account *a, struct folder *f, struct contents *c)
{
	struct err e = read_gone(m, a, f, c);

	if (!is_ok(e))
		return e;
	if (c->n)
		qsort(c->log, c->n, sizeof(*c->log), by_modseq);
	c->complete_from = c->log_from > f->gone_from ? c->log_from : f->gone_from;
	c->keep = c->n > LOG_KEPT ? c->n : LOG_KEPT;
	f->count = c->all.count + f->coming;
	f->unseen = c->unseen.count + f->coming_unseen;
	f->counted = true;
	c->ready = true;
	return OK;
}

struct err
contents_read(struct mailboxes *m, struct account *a, struct folder *f, uint64_t since, bool *ready)
{
	struct contents *c = f->contents;
	struct err e = OK;
	bool end = false;

	if (since > f->shown_modseq)
		since = f->shown_modseq;
	if (c && c->log_from > since && c->ready) { /* it is read anew, with a longer log */
		contents_free(c);
		c = f->contents = NULL;
	}
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return ERR(ERR_MEMORY, 0, "contents of a mailbox");
		c->log_from = since;
		f->contents = c;
	}
	if (!c->ready)
		e = read_rows(m, a, f, c, &end);
	if (is_ok(e) && end)
		e = finish(m, a, f, c);
	*ready = is_ok(e) && c->ready;
	if (!is_ok(e)) {
		contents_free(c);
		f->contents = NULL;
	}
	return e;
}

void
contents_free(struct contents *c)
{
	if (!c)
		return;
	uidset_free(&c->all);
	uidset_free(&c->unseen);
	uidset_free(&c->deleted);
	free(c->log);
	free(c);
}

size_t
contents_memory(const struct contents *c)
{
	if (!c)
		return 0;
	return sizeof(*c) + uidset_memory(&c->all) + uidset_memory(&c->unseen) +
	       uidset_memory(&c->deleted) + c->cap * sizeof(*c->log);
}

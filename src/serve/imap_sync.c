/*
 * imap_sync.c - what has changed since the client was told last, in the order that keeps its numbers
 * right: keywords, EXPUNGE from the highest number down, EXISTS, FETCH of flags.
 *
 * The view changes when the client is told, not when box tells us: what is gone waits in box->gone
 * until an EXPUNGE may be said (RFC 3501 7.4.1).
 */
#include "serve/imap_front.h"

#include <stdlib.h>

/* What is told at a time: each lot of EXPUNGE walks the view once. */
enum { NEWS_ROOM = 4 * IMAP_REPLY_MAX };

void
imap_front_sync_own(struct imap_front *f, uint64_t modseq)
{
	if (!f->box)
		return;
	f->box->own[f->box->own_at++ % IMAP_OWN_CHANGES] = modseq;
	f->changed = true;
}

static bool
is_own(const struct imap_box *b, uint64_t modseq)
{
	for (size_t i = 0; i < IMAP_OWN_CHANGES; i++)
		if (b->own[i] == modseq)
			return true;
	return false;
}

/* ---- telling: each returns false where there is no room ---- */

static bool
tell_words(struct imap_front *f, struct wr *out)
{
	struct imap_box *b = f->box;
	const struct imap_update update = {
	    .what = IMAP_NEWS_KEYWORDS, .keywords = b->keywords, .keywords_n = b->keywords_n};

	if (!b->told_words)
		b->told_words = imap_update(f->imap, &update, out);
	return b->told_words;
}

/*
 * Those of range i above `uid` were told, and all in the ranges behind it: they leave the view at
 * once.  False: its numbers could not be kept right.
 */
static bool
drop_told(struct imap_box *b, size_t i, uint32_t uid)
{
	struct uid_range *at = &b->gone[i];
	struct uid_range left = {at->first, uid};
	bool ok;

	at->first = uid + 1;
	if (at->first > at->last)
		ok = is_ok(selected_remove(&b->known, at + 1, b->gone_n - i - 1));
	else
		ok = is_ok(selected_remove(&b->known, at, b->gone_n - i));
	b->gone[i] = left;
	b->gone_n = left.first > left.last ? i : i + 1;
	return ok;
}

/* From the highest down, so that each number is the one that the client has for it. */
static bool
tell_gone(struct imap_front *f, struct wr *out)
{
	struct imap_box *b = f->box;
	size_t i = b->gone_n;
	uint32_t uid = 0;
	bool went = true;

	if (!i || !imap_may_expunge(f->imap))
		return true;
	while (went && i--) {
		for (uid = b->gone[i].last; went && uid >= b->gone[i].first; uid--) {
			const struct imap_update update = {
			    .what = IMAP_NEWS_EXPUNGE, .number = selected_number(&b->known, uid)};

			went = imap_update(f->imap, &update, out);
			if (!went)
				break;
		}
		if (!went)
			break;
	}
	if (!drop_told(b, went ? 0 : i, uid))
		imap_end(f->imap);
	return went;
}

static bool
tell_count(struct imap_front *f, struct wr *out)
{
	struct imap_box *b = f->box;
	const struct imap_update update = {.what = IMAP_NEWS_EXISTS,
	                                   .number = b->known.count,
	                                   .recent = selected_from(&b->known, b->recent)};

	if (!b->told_count)
		b->told_count = imap_update(f->imap, &update, out);
	return b->told_count;
}

static bool
is_gone(const struct imap_box *b, uint32_t uid)
{
	size_t low = 0, high = b->gone_n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->gone[mid].last < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < b->gone_n && b->gone[low].first <= uid;
}

static bool
tell_flags(struct imap_front *f, struct wr *out)
{
	struct imap_box *b = f->box;
	struct imap_news_held *news = &f->work->news;
	bool went = true;

	while (went && (news->held || message_row_get(&news->at, &news->row))) {
		struct imap_row row = {
		    .number = selected_number(&b->known, news->row.uid),
		    .uid = news->row.uid,
		    .flags = news->row.flags,
		    .keywords = news->row.keywords,
		    .recent = news->row.uid >= b->recent,
		    .news = true,
		};
		const struct imap_update update = {.what = IMAP_NEWS_FLAGS, .row = &row};

		if (row.number && !is_own(b, news->row.modseq) && !is_gone(b, row.uid))
			went = imap_update(f->imap, &update, out);
		news->held = !went;
	}
	return went;
}

/* ---- learning ---- */

/* Ranges of known messages that are gone join those that wait. */
static struct err
add_gone(struct imap_box *b, struct bytes ranges)
{
	uint8_t *all = malloc(ranges.n + (b->gone_n + 1) * 8);
	struct wr w = wr_of(all, all ? ranges.n + (b->gone_n + 1) * 8 : 0);
	struct uid_range *list = NULL, range;
	struct rd r = rd_of(ranges);
	size_t n = 0, i = 0;
	bool more = uid_range_get(&r, &range);
	struct err e = all ? OK : ERR(ERR_MEMORY, 0, "expunged messages");

	while (is_ok(e) && (more || i < b->gone_n)) {
		bool old = i < b->gone_n && (!more || b->gone[i].first < range.first);

		uid_range_put(&w, old ? b->gone[i++] : range);
		if (!old)
			more = uid_range_get(&r, &range);
	}
	if (is_ok(e))
		e = selected_known(&b->known, wr_since(&w, all), &list, &n);
	if (is_ok(e)) {
		free(b->gone);
		b->gone = list;
		b->gone_n = n;
	}
	free(all);
	return e;
}

/* Rows behind the last one known are new messages. */
static struct err
add_new(struct imap_box *b, struct bytes rows)
{
	struct rd r = rd_of(rows);
	struct message_row row;
	struct err e = OK;

	while (is_ok(e) && message_row_get(&r, &row)) {
		if (row.uid <= selected_last(&b->known))
			continue;
		e = selected_add_uid(&b->known, row.uid);
		b->told_count = false;
	}
	return is_ok(e) && r.bad ? ERR(ERR_SYNTAX, 0, "rows") : e;
}

static bool
same_words(const struct imap_box *b, struct bytes packed)
{
	return bytes_eq(buf_bytes(&b->words), packed);
}

static struct err
learn(struct imap_front *f, const struct talk_box_changes_answer *answer)
{
	struct imap_box *b = f->box;
	struct imap_news_held *news = &f->work->news;
	struct err e = add_gone(b, answer->gone);

	b->behind |= answer->more;
	if (is_ok(e) && !b->behind)
		e = add_new(b, answer->rows);
	if (is_ok(e) && !same_words(b, answer->keywords)) {
		if (!imap_front_keywords(b, answer->keywords))
			return ERR(ERR_MEMORY, 0, "keywords");
		b->told_words = false;
	}
	buf_free(&news->page);
	news->held = false;
	if (is_ok(e) && answer->rows.n && !buf_add(&news->page, answer->rows))
		e = ERR(ERR_MEMORY, 0, "changed rows");
	news->at = rd_of(buf_bytes(&news->page));
	b->modseq = answer->modseq;
	news->more = answer->more;
	return e;
}

static void uids_came(void *owner, struct err e, struct chan_word *w);

static bool
ask_uids(struct imap_front *f)
{
	const struct talk_box_uids word = {.handle = f->login.handle,
	                                   .mailbox = f->box->number,
	                                   .from = selected_last(&f->box->known) + 1};

	if (imap_front_ask(f, talk_box_uids_out(&word), -1, uids_came))
		return true;
	imap_end(f->imap); /* it would never be told of them */
	return false;
}

static void
uids_came(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct imap_box *b = f->box;
	struct talk_box_uids_answer answer;
	bool good = is_ok(e) && talk_box_uids_answer_get(&w->body, &answer) && !answer.code &&
	            is_ok(selected_add(&b->known, answer.ranges)) && imap_front_charge(f);

	if (!good || (answer.more && !answer.ranges.n)) {
		imap_end(f->imap);
		imap_front_answer(f, IMAP_OK);
		return;
	}
	b->told_count = b->told_count && !answer.ranges.n;
	b->behind = answer.more;
	f->work->news.learned = !b->behind;
	if (!b->behind || !ask_uids(f))
		imap_front_turn(f);
}

static void
changes_came(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_changes_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_changes_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code == ERR_NOTFOUND) {
		imap_front_answer(f, IMAP_GONE);
		return;
	}
	if (answer.code || !is_ok(learn(f, &answer)) || !imap_front_charge(f)) {
		imap_end(f->imap); /* what it would be told next might be wrong */
		imap_front_answer(f, IMAP_OK);
		return;
	}
	/* pages are in the order of changes: of new messages a lower UID may come behind a higher */
	f->work->news.learned = answer.more || !f->box->behind;
	if (f->work->news.learned || !ask_uids(f))
		imap_front_turn(f);
}

static bool
ask_changes(struct imap_front *f)
{
	const struct talk_box_changes word = {
	    .handle = f->login.handle, .mailbox = f->box->number, .modseq = f->box->modseq};

	f->changed = !imap_front_ask(f, talk_box_changes_out(&word), -1, changes_came);
	return !f->changed;
}

bool
imap_front_sync(struct imap_front *f)
{
	struct wr out;
	uint8_t *start;
	bool went;

	if (!f->box || (!f->changed && !f->box->gone_n && f->box->told_count &&
	                f->box->told_words && !(f->work && f->work->news.learned))) {
		imap_answer(f->imap, IMAP_OK);
		return true;
	}
	if (!imap_front_work(f))
		return true;
	if (f->changed && !f->work->news.learned)
		return !ask_changes(f);
	out = conn_room(f->front.conn, NEWS_ROOM);
	start = out.p;
	if (out.full)
		return false;
	went =
	    tell_words(f, &out) && tell_gone(f, &out) && tell_count(f, &out) && tell_flags(f, &out);
	conn_wrote(f->front.conn, wr_since(&out, start).n);
	if (!went)
		return true;
	f->work->news.learned = false;
	f->changed |= f->work->news.more;
	f->work->news.more = false;
	if (!f->changed)
		imap_answer(f->imap, IMAP_OK);
	return true;
}

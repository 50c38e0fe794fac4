/* imap_change.c - sets become UIDs, and STORE, COPY, MOVE and EXPUNGE become words about them. */
#include "serve/imap_front.h"

#include "base/random.h"

#include <stdlib.h>

enum { KEYWORDS_WORD = KEYWORDS_MAX * (1 + KEYWORD_MAX) };

/* The set of the command as UIDs; false, and the machine was told, when it is none. */
static bool
resolve_set(struct imap_front *f)
{
	struct imap_command *c = imap_command(f->imap);
	struct imap_work *w = imap_front_work(f);
	struct err e;

	if (!w)
		return false;
	free(w->set);
	w->set = NULL;
	w->set_n = w->set_at = 0;
	e = selected_resolve(&f->box->known, &c->set, c->uid, &w->set, &w->set_n);
	if (!is_ok(e))
		imap_answer(f->imap, e.code == ERR_RANGE ? IMAP_NUMBER : IMAP_TEMP);
	return is_ok(e);
}

/* ---- flags ---- */

static void flagged(void *owner, struct err e, struct chan_word *w);

static bool
ask_flags(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	struct imap_work *w = f->work;
	uint8_t words[KEYWORDS_WORD], ranges[IMAP_RANGES_WORD * 8];
	struct wr to = wr_of(words, sizeof(words));
	struct talk_box_flags word = {.handle = f->login.handle, .mailbox = f->box->number};

	if (c->verb == IMAP_DO_FETCH) {
		word.how = FLAGS_ADD;
		word.flags = FLAG_SEEN;
	} else {
		word.how = (uint8_t)c->how;
		word.flags = c->flags.flags & FLAGS_ALL;
		for (size_t i = 0; i < c->flags.n; i++)
			wr_bytes8(&to, c->flags.keywords[i]);
		word.keywords = wr_since(&to, words);
	}
	word.ranges = imap_front_ranges(ranges, sizeof(ranges), w->set, w->set_n, &w->set_at);
	return imap_front_ask(f, talk_box_flags_out(&word), -1, flagged);
}

static void
flagged(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct imap_work *w = f->work;
	struct talk_box_flags_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_flags_answer_get(&word->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code) {
		imap_front_answer(f, imap_front_code(answer.code));
		return;
	}
	if (!bytes_eq(buf_bytes(&f->box->words), answer.keywords)) {
		if (!imap_front_keywords(f->box, answer.keywords)) {
			imap_front_answer(f, IMAP_TEMP);
			return;
		}
		f->box->told_words = false;
	}
	if (!w->seen_modseq)
		w->seen_modseq = answer.modseq;
	/* rows are shown without a keyword that is new: those are told again, behind its name */
	if (answer.modseq && f->box->told_words)
		imap_front_sync_own(f, answer.modseq);
	f->changed |= !f->box->told_words;
	if (w->set_at < w->set_n) {
		if (!ask_flags(f))
			imap_front_turn(f);
		return;
	}
	imap_front_rows_begin(w);
	imap_front_answer(f, IMAP_OK);
}

bool
imap_front_resolve(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	bool stores = c->verb == IMAP_DO_STORE || (c->fetch.sets_seen && !f->box->read_only);

	if (!resolve_set(f))
		return true;
	if (stores && f->work->set_n)
		return !ask_flags(f);
	imap_front_rows_begin(f->work);
	imap_answer(f->imap, IMAP_OK);
	return true;
}

/* ---- COPY and MOVE ---- */

static bool
add_ranges(struct imap_range **list, size_t *n, struct bytes packed)
{
	struct imap_range *grown = realloc(*list, (*n + packed.n / 8 + 1) * sizeof(*grown));
	struct rd r = rd_of(packed);
	struct uid_range range;

	if (!grown)
		return false;
	*list = grown;
	while (uid_range_get(&r, &range))
		grown[(*n)++] = (struct imap_range){range.first, range.last};
	return !r.bad;
}

static void copied(void *owner, struct err e, struct chan_word *word);

static bool
ask_copy(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	struct imap_work *w = f->work;
	uint8_t ranges[IMAP_RANGES_WORD / 4 * 8];
	struct talk_box_copy word = {
	    .handle = f->login.handle,
	    .mailbox = f->box->number,
	    .move = c->verb == IMAP_DO_MOVE,
	    .to = c->mailbox,
	    .ranges = imap_front_ranges(ranges, sizeof(ranges), w->set, w->set_n, &w->set_at),
	};

	random_fill(imap_front_random(f), word.op.b, sizeof(word.op.b));
	return imap_front_ask(f, talk_box_copy_out(&word), -1, copied);
}

static void
copied(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct imap_work *w = f->work;
	struct talk_box_copy_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_copy_answer_get(&word->body, &answer))
		answer.code = ERR_LATER;
	f->changed =
	    true; /* what was moved is gone; and it may have been copied into this mailbox */
	if (!answer.code && (!add_ranges(&w->from, &w->from_n, answer.from) ||
	                     !add_ranges(&w->to, &w->to_n, answer.uids)))
		answer.code = ERR_LATER;
	if (answer.code) {
		imap_front_answer(f, imap_front_code(answer.code));
		return;
	}
	if (w->set_at < w->set_n) {
		if (!ask_copy(f))
			imap_front_turn(f);
		return;
	}
	imap_copied(f->imap, &(struct imap_copied){.uidvalidity = answer.uidvalidity,
	                                           .from = w->from,
	                                           .to = w->to,
	                                           .from_n = w->from_n,
	                                           .to_n = w->to_n});
	imap_front_turn(f);
}

bool
imap_front_take(struct imap_front *f)
{
	return !resolve_set(f) || !ask_copy(f);
}

/* ---- EXPUNGE ---- */

static void removed(void *owner, struct err e, struct chan_word *word);

static bool
ask_remove(struct imap_front *f)
{
	struct imap_work *w = f->work;
	uint8_t ranges[IMAP_RANGES_WORD * 8];
	const struct talk_box_remove word = {
	    .handle = f->login.handle,
	    .mailbox = f->box->number,
	    .only_deleted = 1,
	    .ranges = imap_front_ranges(ranges, sizeof(ranges), w->set, w->set_n, &w->set_at),
	};

	return imap_front_ask(f, talk_box_remove_out(&word), -1, removed);
}

static void
removed(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct talk_box_remove_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_remove_answer_get(&word->body, &answer))
		answer.code = ERR_LATER;
	f->changed = true;
	if (!answer.code && f->work->set_at < f->work->set_n) {
		if (!ask_remove(f))
			imap_front_turn(f);
		return;
	}
	imap_front_answer(f, imap_front_code(answer.code));
}

bool
imap_front_remove(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	struct imap_work *w = imap_front_work(f);

	if (!w)
		return true;
	if (c->verb == IMAP_DO_EXPUNGE && c->uid) {
		if (!resolve_set(f))
			return true;
	} else {
		free(w->set);
		w->set = NULL;
		w->set_at = 0;
		if (!is_ok(selected_all(&f->box->known, &w->set, &w->set_n))) {
			imap_answer(f->imap, IMAP_TEMP);
			return true;
		}
	}
	if (w->set_n)
		return !ask_remove(f);
	imap_answer(f->imap, IMAP_OK);
	return true;
}

/* imap_open.c - SELECT and EXAMINE: the mailbox's numbers, then all its UIDs. */
#include "serve/imap_front.h"

#include <stdlib.h>

enum { RANGE_CHARGE = 64 * 1024 }; /* a mailbox's ranges are charged in steps of this */

bool
imap_front_keywords(struct imap_box *b, struct bytes packed)
{
	struct buf words = buf_init(packed.n + 1);
	struct bytes list[KEYWORDS_MAX];
	struct rd r;
	size_t n = 0;

	if (packed.n && !buf_add(&words, packed))
		return false;
	for (r = rd_of(buf_bytes(&words)); rd_left(&r) && n < KEYWORDS_MAX;)
		list[n++] = rd_bytes8(&r);
	if (r.bad) {
		buf_free(&words);
		return false;
	}
	buf_free(&b->words); /* the machine shows those in b->keywords */
	b->words = words;
	b->keywords_n = n;
	if (n)
		memcpy(b->keywords, list, n * sizeof(*list));
	return true;
}

void
imap_front_leave(struct imap_front *f)
{
	struct chan *box = peers_chan(f->front.front->peers, ROLE_BOX, 0);

	if (!f->box)
		return;
	if (box && f->login.has_handle)
		chan_say(box,
		         talk_box_watch_out(&(struct talk_box_watch){.handle = f->login.handle}),
		         -1);
	purse_refund(&f->front.peer->bytes, f->box->charged);
	selected_fini(&f->box->known);
	buf_free(&f->box->words);
	free(f->box->gone);
	free(f->box);
	f->box = NULL;
	f->changed = false;
}

bool
imap_front_charge(struct imap_front *f)
{
	size_t holds = sizeof(*f->box) + selected_memory(&f->box->known);
	size_t wanted = holds < RANGE_CHARGE ? holds : (holds / RANGE_CHARGE + 1) * RANGE_CHARGE;

	if (wanted > f->box->charged) {
		if (!purse_charge(&f->front.peer->bytes, wanted - f->box->charged))
			return false;
		f->box->charged = wanted;
	}
	return true;
}

static void
refuse(struct imap_front *f, enum imap_answer why)
{
	imap_front_leave(f);
	imap_front_answer(f, why);
}

static void uids_came(void *owner, struct err e, struct chan_word *w);

static bool
ask_uids(struct imap_front *f)
{
	const struct talk_box_uids word = {.handle = f->login.handle,
	                                   .mailbox = f->box->number,
	                                   .from = selected_last(&f->box->known) + 1};

	return imap_front_ask(f, talk_box_uids_out(&word), -1, uids_came);
}

static void
tell(struct imap_front *f, uint32_t unseen, uint32_t uidnext)
{
	struct imap_box *b = f->box;
	struct chan *box = peers_chan(f->front.front->peers, ROLE_BOX, 0);
	const struct talk_box_watch watch = {.handle = f->login.handle, .mailbox = b->number};

	if (box)
		chan_say(box, talk_box_watch_out(&watch), -1);
	b->told_count = b->told_words = true;
	f->changed = true; /* what came between the answers is asked for at the next chance */
	imap_opened(f->imap, &(struct imap_opened){
				 .exists = b->known.count,
				 .recent = selected_from(&b->known, b->recent),
				 .uidvalidity = b->uidvalidity,
				 .uidnext = uidnext,
				 .unseen = selected_number(&b->known, unseen),
				 .read_only = b->read_only,
				 .keywords = b->keywords,
				 .keywords_n = b->keywords_n,
			     });
	imap_front_turn(f);
}

static void
uids_came(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_uids_answer answer;

	if (!is_ok(e) || !talk_box_uids_answer_get(&w->body, &answer) || answer.code ||
	    (answer.more && !answer.ranges.n)) {
		refuse(f, IMAP_TEMP);
		return;
	}
	e = selected_add(&f->box->known, answer.ranges);
	if (!is_ok(e) || !imap_front_charge(f))
		refuse(f, IMAP_TEMP);
	else if (!answer.more)
		tell(f, f->work->after, f->work->chunk_uid);
	else if (!ask_uids(f))
		imap_front_turn(f);
}

static void
opened(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_open_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_open_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code || !imap_front_keywords(f->box, answer.keywords) || !imap_front_charge(f)) {
		refuse(f, answer.code ? imap_front_code(answer.code) : IMAP_TEMP);
		return;
	}
	f->box->number = answer.number;
	f->box->uidvalidity = answer.uidvalidity;
	f->box->recent = answer.recent;
	f->box->modseq = answer.modseq;
	f->work->after = answer.unseen;
	f->work->chunk_uid = answer.uidnext;
	if (!ask_uids(f))
		imap_front_turn(f);
}

bool
imap_front_open(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	const struct talk_box_open word = {.handle = f->login.handle,
	                                   .examine = c->verb == IMAP_DO_EXAMINE,
	                                   .mailbox = c->mailbox};

	imap_front_leave(f);
	if (!imap_front_work(f))
		return true;
	f->box = calloc(1, sizeof(*f->box));
	if (!f->box) {
		imap_answer(f->imap, IMAP_TEMP);
		return true;
	}
	f->box->read_only = word.examine;
	if (imap_front_ask(f, talk_box_open_out(&word), -1, opened))
		return false;
	imap_front_leave(f);
	return true;
}

/*
 * imap_find.c - SEARCH: the rows of all messages go through view/search, which says of whom it must
 * see octets too; a chunk of them is looked at in one turn.
 */
#include "serve/imap_front.h"
#include "view/search.h"

#include <stdlib.h>

enum {
	HITS = 1024,
	LOOK_WORK = 1 << 17, /* keys times rows that are looked at in one turn, about */
};

struct imap_find {
	struct search *search;
	struct purse *purse; /* charged with SEARCH_MEMORY */
	bool reading;        /* of the message of the last row */
	struct rd octets;    /* what of the chunk is left */
	size_t n, at;        /* hits, and how many of them were told */
	uint32_t hits[HITS];
};

void
imap_front_find_free(struct imap_find *x)
{
	if (!x)
		return;
	search_close(x->search);
	purse_refund(x->purse, SEARCH_MEMORY);
	free(x);
}

/* False, and the machine was told, when it cannot be searched. */
static bool
begin(struct imap_front *f)
{
	struct imap_work *w = imap_front_work(f);
	const struct search_mailbox mailbox = {.count = f->box->known.count,
	                                       .last_uid = selected_last(&f->box->known),
	                                       .keywords = f->box->keywords,
	                                       .keywords_n = f->box->keywords_n};
	struct err e;

	if (!w)
		return false;
	w->find =
	    purse_charge(&f->front.peer->bytes, SEARCH_MEMORY) ? calloc(1, sizeof(*w->find)) : NULL;
	if (!w->find) {
		imap_answer(f->imap, IMAP_TEMP);
		return false;
	}
	w->find->purse = &f->front.peer->bytes;
	e = search_open(&w->find->search, &imap_command(f->imap)->search, &mailbox);
	if (is_ok(e))
		e = selected_all(&f->box->known, &w->set, &w->set_n);
	if (!is_ok(e)) {
		imap_answer(f->imap, e.code == ERR_RANGE  ? IMAP_NUMBER
		                     : e.code == ERR_FULL ? IMAP_CANNOT
		                                          : IMAP_TEMP);
		return false;
	}
	imap_front_rows_begin(w);
	return true;
}

/* False: there is no room for them now. */
static bool
tell_hits(struct imap_front *f)
{
	struct imap_find *x = f->work->find;
	struct wr out = conn_room(f->front.conn, IMAP_REPLY_MAX);
	uint8_t *start = out.p;

	if (out.full)
		return false;
	x->at += imap_hits(f->imap, x->hits + x->at, x->n - x->at, &out);
	conn_wrote(f->front.conn, wr_since(&out, start).n);
	if (x->at == x->n)
		x->at = x->n = 0;
	return true;
}

static void
octets_came(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct imap_work *w = f->work;
	struct talk_box_read_answer answer = {.code = ERR_LATER};

	buf_free(&w->chunk);
	if (is_ok(e) && !talk_box_read_answer_get(&word->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code == ERR_NOTFOUND || (!answer.code && !answer.bytes.n)) {
		w->find->reading = false; /* it was expunged meanwhile: no match */
		imap_front_turn(f);
	} else if (answer.code || !buf_add(&w->chunk, answer.bytes)) {
		imap_front_answer(f, IMAP_TEMP);
	} else {
		w->find->octets = rd_of(buf_bytes(&w->chunk));
		imap_front_turn(f);
	}
}

static bool
ask_octets(struct imap_front *f)
{
	uint64_t at, n;

	search_place(f->work->find->search, &at, &n);
	return imap_front_octets(f, f->work->row.uid, at, n, octets_came);
}

static void
found(struct imap_front *f, enum search_want want)
{
	struct imap_find *x = f->work->find;

	x->reading = want == SEARCH_READ;
	if (want == SEARCH_MATCH)
		x->hits[x->n++] = imap_command(f->imap)->uid
		                      ? f->work->row.uid
		                      : selected_number(&f->box->known, f->work->row.uid);
}

/* The message that is being read goes on; false: the turn comes again. */
static bool
read_on(struct imap_front *f)
{
	struct imap_find *x = f->work->find;

	if (!rd_left(&x->octets))
		return !ask_octets(f);
	found(f, search_feed(x->search, &x->octets));
	if (!x->reading) {
		x->octets = rd_of(NO_BYTES);
		return true;
	}
	if (!rd_left(&x->octets))
		return !ask_octets(f);
	/* what it wants next may lie elsewhere: what is left of this chunk is of no use then */
	x->octets = rd_of(NO_BYTES);
	imap_front_later(f);
	return false;
}

/* The next message; false: there is none left. */
static bool
next(struct imap_front *f)
{
	struct imap_work *w = f->work;

	while (message_row_get(&w->at, &w->row)) {
		const struct search_message message = {
		    .number = selected_number(&f->box->known, w->row.uid),
		    .recent = w->row.uid >= f->box->recent,
		    .row = &w->row,
		};

		if (!message.number)
			continue;
		found(f, search_begin(w->find->search, &message));
		return true;
	}
	return false;
}

bool
imap_front_find(struct imap_front *f)
{
	size_t rows = LOOK_WORK / imap_command(f->imap)->search.n + 1;
	struct imap_find *x;
	bool more = true;

	if ((!f->work || !f->work->find) && !begin(f))
		return true;
	x = f->work->find;
	while (!x->reading && x->n < HITS && rows-- && more)
		more = next(f);
	if (!x->reading && x->n < HITS && more) {
		imap_front_later(f);
		return false;
	}
	if (x->n && (x->n == HITS || x->reading || !f->work->more))
		return tell_hits(f); /* and it asks again */
	if (x->reading)
		return read_on(f);
	if (f->work->more)
		return !imap_front_rows(f,
		                        search_wants_summary(x->search) ? ROW_SUMMARY : ROW_FIXED);
	imap_answer(f->imap, IMAP_OK);
	return true;
}

/* imap_append.c - APPEND: the octets go once through the summary and into the body. */
#include "serve/imap_front.h"

#include "base/random.h"

enum { KEYWORDS_WORD = KEYWORDS_MAX * (1 + KEYWORD_MAX) };

static enum imap_answer
keep(struct imap_work *w, struct bytes piece)
{
	struct err e = body_add(&w->body, piece);

	if (!is_ok(e))
		return e.code == ERR_FULL ? IMAP_FULL : IMAP_TEMP;
	summary_feed(&w->scan, piece);
	return IMAP_OK;
}

bool
imap_front_append_begin(struct imap_front *f)
{
	struct imap_work *w;

	if (imap_command(f->imap)->size > imap_front_size_max(f)) {
		imap_answer(f->imap, IMAP_TOO_BIG);
		return true;
	}
	w = imap_front_work(f);
	if (!w)
		return true;
	w->body = body_init(&f->front.peer->bytes, imap_front_bodies(f));
	w->begun = w->comes = true;
	summary_init(&w->scan);
	imap_answer(f->imap, IMAP_OK);
	return true;
}

bool
imap_front_append_piece(struct imap_front *f)
{
	imap_answer(f->imap, keep(f->work, imap_piece(f->imap)));
	return true;
}

static void
appended(void *owner, struct err e, struct chan_word *w)
{
	struct imap_front *f = owner;
	struct talk_box_append_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_append_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code) {
		imap_front_answer(f, imap_front_code(answer.code));
		return;
	}
	imap_front_count(f, IMAP_COUNT_APPENDED, 1);
	if (f->box)
		f->changed = true; /* it may have been this one */
	imap_appended(f->imap, answer.uidvalidity, answer.uid);
	imap_front_turn(f);
}

static struct bytes
keywords(struct wr w, const struct imap_flags *flags)
{
	uint8_t *start = w.p;

	for (size_t i = 0; i < flags->n; i++)
		wr_bytes8(&w, flags->keywords[i]);
	return wr_since(&w, start);
}

bool
imap_front_append_commit(struct imap_front *f)
{
	const struct imap_command *c = imap_command(f->imap);
	struct imap_work *w = f->work;
	struct summary row = summary_done(&w->scan);
	uint8_t packed[SUMMARY_PACKED_MAX], words[KEYWORDS_WORD];
	struct wr to = wr_of(packed, sizeof(packed));
	struct talk_box_append word = {
	    .handle = f->login.handle,
	    .mailbox = c->mailbox,
	    .flags = c->flags.flags & FLAGS_ALL,
	    .keywords = keywords(wr_of(words, sizeof(words)), &c->flags),
	    .received_s =
		c->dated && c->received_s > 0 ? (uint64_t)c->received_s : imap_front_now_s(f),
	};
	/* the rest of the word and the body together must fit into one word */
	struct err e = w->body.size + 8192 < TALK_MAX ? OK : body_spill(&w->body);

	w->comes = false;
	if (is_ok(e))
		e = body_seal(&w->body);
	if (!is_ok(e)) {
		imap_answer(f->imap, IMAP_FULL);
		return true;
	}
	random_fill(imap_front_random(f), word.op.b, sizeof(word.op.b));
	summary_write(&to, &row);
	word.summary = wr_since(&to, packed);
	word.body = w->body.fd < 0 ? buf_bytes(&w->body.memory) : NO_BYTES;
	return !imap_front_ask(f, talk_box_append_out(&word), w->body.fd, appended);
}

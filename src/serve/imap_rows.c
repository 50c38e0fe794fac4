/*
 * imap_rows.c - FETCH: rows of box by the page, and for the one that is being shown what its items
 * need beyond it: its tree of parts, kept in the row or made from the message, and its octets.
 */
#include "serve/imap_front.h"

#include <stdlib.h>

enum {
	RANGES_ROOM = 1024 * 8,
	TEXT_STEP = 4096, /* octets of a structure that are rendered at a time */
};

#define NEEDS(kind) (1u << (kind))

void
imap_front_row_done(struct imap_work *w, struct purse *purse)
{
	if (w->has_tree)
		mime_fini(&w->tree);
	purse_refund(purse, w->tree_charged);
	w->tree_charged = 0;
	w->has_tree = w->has_row = w->parsed = false;
	buf_free(&w->texts);
	buf_free(&w->chunk);
}

/* ---- the tree of parts ---- */

/* BODY or BODYSTRUCTURE behind what the texts hold already. */
static bool
render(struct imap_work *w, bool extended)
{
	struct structure_text at = {0};
	bool whole = false;

	while (!whole) {
		struct wr out = buf_room(&w->texts, TEXT_STEP);
		uint8_t *start = out.p;

		if (!start)
			return false;
		whole = structure_write(&out, &at, &w->tree, extended);
		buf_wrote(&w->texts, wr_since(&out, start).n);
	}
	return true;
}

/* Both renderings of the tree; the envelope stands before them. */
static bool
render_both(struct imap_work *w, struct bytes envelope)
{
	bool ok;

	buf_free(&w->texts);
	ok = buf_add(&w->texts, envelope) && render(w, false);
	w->envelope_n = envelope.n;
	w->bodytext_n = buf_bytes(&w->texts).n - envelope.n;
	return ok && render(w, true);
}

static struct bytes
text_cut_out(const struct imap_work *w, size_t at, size_t n)
{
	return (struct bytes){buf_bytes(&w->texts).p + at, n};
}

static struct bytes
bodytext(const struct imap_work *w)
{
	return text_cut_out(w, w->envelope_n, w->bodytext_n);
}

static struct bytes
bodystructure(const struct imap_work *w)
{
	size_t before = w->envelope_n + w->bodytext_n;

	return text_cut_out(w, before, buf_bytes(&w->texts).n - before);
}

/* From the row; false: it has none, or there is no memory for it. */
static bool
tree_of_row(struct imap_work *w)
{
	if (!w->has_tree && w->summary.structure.n)
		w->has_tree = is_ok(structure_unpack(&w->tree, w->summary.structure, w->row.size));
	return w->has_tree;
}

/* ---- rows ---- */

static void rows_came(void *owner, struct err e, struct chan_word *word);

void
imap_front_rows_begin(struct imap_work *w)
{
	w->set_at = 0;
	w->after = 0;
	w->more = w->set_n > 0;
	w->at = rd_of(NO_BYTES);
}

bool
imap_front_rows(struct imap_front *f, uint8_t fields)
{
	struct imap_work *w = f->work;
	uint8_t ranges[RANGES_ROOM];
	struct wr to = wr_of(ranges, sizeof(ranges));
	struct talk_box_rows word = {
	    .handle = f->login.handle, .mailbox = f->box->number, .fields = fields};
	size_t i;

	while (w->set_at < w->set_n && w->set[w->set_at].last <= w->after)
		w->set_at++;
	for (i = w->set_at; i < w->set_n && wr_room(&to) >= 8; i++) {
		struct uid_range r = w->set[i];

		if (r.first <= w->after)
			r.first = w->after + 1;
		uid_range_put(&to, r);
	}
	word.ranges = wr_since(&to, ranges);
	w->read_to = i < w->set_n ? i : w->set_n; /* ranges that were asked for */
	return imap_front_ask(f, talk_box_rows_out(&word), -1, rows_came);
}

static void
rows_came(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct imap_work *w = f->work;
	struct talk_box_rows_answer answer;
	struct message_row row = {0};
	struct rd r;

	buf_free(&w->page);
	if (!is_ok(e) || !talk_box_rows_answer_get(&word->body, &answer) || answer.code ||
	    (answer.more && !answer.rows.n) || (answer.rows.n && !buf_add(&w->page, answer.rows))) {
		imap_front_answer(f, IMAP_TEMP);
		return;
	}
	w->at = rd_of(buf_bytes(&w->page));
	for (r = w->at; message_row_get(&r, &row);)
		;
	w->after = answer.more ? row.uid : w->set[w->read_to - 1].last;
	w->more = answer.more || w->read_to < w->set_n;
	imap_front_turn(f);
}

/* The row as the machine wants it; false: box gave none that makes sense. */
static bool
show(struct imap_front *f, struct imap_row *row)
{
	struct imap_work *w = f->work;
	uint32_t needs = imap_command(f->imap)->fetch.needs;
	struct rd r = rd_of(w->row.summary);

	*row = (struct imap_row){
	    .number = selected_number(&f->box->known, w->row.uid),
	    .uid = w->row.uid,
	    .flags = w->row.flags,
	    .recent = w->row.uid >= f->box->recent,
	    .news = w->seen_modseq && w->row.modseq >= w->seen_modseq,
	    .keywords = w->row.keywords,
	    .size = w->row.size,
	    .body = w->row.size,
	    .received_s = w->row.received_s,
	};
	w->summary = (struct summary){0};
	if (!row->number)
		return false;
	if (w->row.summary.n && is_ok(summary_read(&r, &w->summary)))
		row->body = w->summary.body;
	row->envelope = w->summary.envelope;
	if ((needs & (NEEDS(IMAP_ITEM_BODY) | NEEDS(IMAP_ITEM_BODYSTRUCTURE))) && tree_of_row(w) &&
	    render_both(w, NO_BYTES)) {
		row->bodytext = bodytext(w);
		row->bodystructure = bodystructure(w);
	}
	return true;
}

static uint8_t
fields(const struct imap_front *f)
{
	uint32_t needs = imap_command(f->imap)->fetch.needs;
	uint32_t summary = NEEDS(IMAP_ITEM_ENVELOPE) | NEEDS(IMAP_ITEM_BODY) |
	                   NEEDS(IMAP_ITEM_BODYSTRUCTURE) | NEEDS(IMAP_ITEM_SECTION);

	return needs & summary ? ROW_SUMMARY : ROW_FIXED;
}

bool
imap_front_next_row(struct imap_front *f)
{
	struct imap_work *w = f->work;
	struct imap_row row;

	imap_front_row_done(w, &f->front.peer->bytes);
	while (message_row_get(&w->at, &w->row))
		if (show(f, &row)) {
			w->has_row = true;
			imap_row(f->imap, &row);
			return true;
		}
	if (w->more)
		return !imap_front_rows(f, fields(f));
	imap_answer(f->imap, IMAP_OK);
	return true;
}

/* ---- the message ---- */

bool
imap_front_octets(struct imap_front *f, uint32_t uid, uint64_t at, uint64_t n,
                  chan_answered *answered)
{
	const struct talk_box_read word = {
	    .handle = f->login.handle,
	    .mailbox = f->box->number,
	    .uid = uid,
	    .offset = at,
	    .length = n < IMAP_CHUNK ? (uint32_t)n : (uint32_t)IMAP_CHUNK,
	};

	return imap_front_ask(f, talk_box_read_out(&word), -1, answered);
}

bool
imap_front_octets_get(struct imap_front *f, struct err e, struct chan_word *word, struct bytes *out)
{
	struct talk_box_read_answer answer = {.code = ERR_LATER};

	if (is_ok(e) && !talk_box_read_answer_get(&word->body, &answer))
		answer.code = ERR_LATER;
	if (!answer.code && answer.bytes.n) {
		*out = answer.bytes;
		return true;
	}
	imap_front_answer(f, answer.code && answer.code != ERR_NOTFOUND ? IMAP_TEMP : IMAP_GONE);
	return false;
}

static void parse_on(void *owner, struct err e, struct chan_word *word);

static bool
ask_parse(struct imap_front *f)
{
	struct imap_work *w = f->work;

	return imap_front_octets(f, w->row.uid, w->read_to, w->row.size - w->read_to, parse_on);
}

static void
parse_on(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct imap_work *w = f->work;
	struct bytes piece;

	if (!imap_front_octets_get(f, e, word, &piece))
		return;
	mime_feed(&w->tree, piece);
	w->read_to += piece.n;
	if (w->read_to < w->row.size) {
		if (!ask_parse(f))
			imap_front_turn(f);
		return;
	}
	mime_done(&w->tree);
	w->parsed = true;
	imap_front_turn(f); /* the machine asks again, and finds it here */
}

/* Makes the tree from the message, anew where that broke off; true: the machine was told why not. */
static bool
parse(struct imap_front *f)
{
	struct imap_work *w = f->work;

	if (!w->tree_charged && !purse_charge(&f->front.peer->bytes, MIME_MEMORY)) {
		imap_answer(f->imap, IMAP_TEMP);
		return true;
	}
	if (w->has_tree)
		mime_fini(&w->tree);
	w->tree_charged = MIME_MEMORY; /* it is the message's own, not the row's */
	w->has_tree = true;
	w->read_to = 0;
	mime_init(&w->tree, MIME_MEMORY);
	if (w->row.size)
		return !ask_parse(f);
	mime_done(&w->tree);
	w->parsed = true;
	return true; /* it asks again */
}

bool
imap_front_make_structure(struct imap_front *f)
{
	struct imap_work *w = f->work;

	if (!w->parsed)
		return parse(f);
	if (render_both(w, mime_envelope(&w->tree, 0)))
		imap_structure(f->imap, text_cut_out(w, 0, w->envelope_n), bodytext(w),
		               bodystructure(w));
	else
		imap_answer(f->imap, IMAP_TEMP);
	return true;
}

bool
imap_front_find_part(struct imap_front *f)
{
	struct imap_work *w = f->work;
	struct section mime, part, text;
	struct imap_part found;
	const uint32_t *path;
	size_t n;

	if (!w->parsed && (w->tree_charged || !tree_of_row(w)))
		return parse(f);
	path = imap_path(f->imap, &n);
	if (!section_find(&w->tree, path, n, SECTION_PART, &part)) {
		imap_part(f->imap, NULL);
		return true;
	}
	found = (struct imap_part){.mime = part.at, .body = part.at, .end = part.at + part.n};
	if (section_find(&w->tree, path, n, SECTION_MIME, &mime))
		found.mime = mime.at;
	if (section_find(&w->tree, path, n, SECTION_TEXT, &text))
		found.text = text.at;
	imap_part(f->imap, &found);
	return true;
}

static void
octets_came(void *owner, struct err e, struct chan_word *word)
{
	struct imap_front *f = owner;
	struct bytes piece;

	if (!imap_front_octets_get(f, e, word, &piece))
		return;
	if (buf_add(&f->work->chunk, piece))
		imap_front_turn(f);
	else
		imap_front_answer(f, IMAP_TEMP);
}

bool
imap_front_send_octets(struct imap_front *f)
{
	struct imap_work *w = f->work;
	struct bytes held = buf_bytes(&w->chunk);
	uint32_t uid = imap_uid(f->imap);
	uint64_t at = imap_offset(f->imap), missing = imap_missing(f->imap);
	struct wr out;
	uint8_t *start;

	if (uid == w->chunk_uid && at >= w->chunk_at && at < w->chunk_at + held.n) {
		size_t skip = (size_t)(at - w->chunk_at);

		out = conn_room(f->front.conn, IMAP_CHUNK);
		start = out.p;
		if (out.full)
			return false;
		imap_octets(f->imap, (struct bytes){held.p + skip, held.n - skip}, &out);
		conn_wrote(f->front.conn, wr_since(&out, start).n);
		return true;
	}
	if (!at)
		imap_front_count(f, IMAP_COUNT_SENT, 1);
	buf_free(&w->chunk);
	w->chunk_uid = uid;
	w->chunk_at = at;
	return !imap_front_octets(f, uid, at, missing, octets_came);
}

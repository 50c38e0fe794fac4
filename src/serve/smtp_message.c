/*
 * smtp_message.c - a message on its way in: kept until it is whole, then handed to box.  A delivery
 * has one operation id for all its tries: when box dies between its commit and its answer, the next
 * try finds the id and adds nothing (attack 48).
 */
#include "serve/smtp_session.h"

#include "base/log.h"
#include "base/random.h"
#include "mail/address.h"
#include "mail/date.h"
#include "serve/senders.h"

#include <stdlib.h>

enum {
	HEAD_MAX = 2048,
	WORD_REST = 4096,        /* octets of a box_deliver beside recipients and body */
	BOX_MS = 60 * 1000,      /* for one answer of box */
	BOX_AWAY_MS = 15 * 1000, /* for box to come back */
};

/* Return-Path (RFC 5321 4.4: the delivery's own) and Received. */
static struct bytes
head(struct smtp_session *s, struct wr w)
{
	uint8_t *start = w.p;
	struct bytes sender = smtp_sender(s->smtp);

	wr_text(&w, "Return-Path: <");
	if (sender.n)
		address_write(&w, sender);
	wr_text(&w, ">\r\n");
	smtp_received(s->smtp, loop_wall_ns(s->serve->front.loop) / 1000000000, &w);
	return wr_since(&w, start);
}

static enum smtp_answer
keep(struct smtp_session *s, struct bytes piece)
{
	summary_feed(&s->scan, piece);
	if (s->scan.row.received > SUMMARY_RECEIVED_MAX)
		return SMTP_LOOP;
	return is_ok(body_add(&s->body, piece)) ? SMTP_OK : SMTP_FULL;
}

/* What a client left out (RFC 6409 8), behind all other fields of the header. */
static enum smtp_answer
complete(struct smtp_session *s)
{
	struct smtp_serve *serve = s->serve;
	uint8_t room[HEAD_MAX];
	struct wr w = wr_of(room, sizeof(room));

	if (s->fields.broken) /* a line that is no field has ended the header for some readers */
		return SMTP_OK;
	if (!s->fields.has_date) {
		wr_text(&w, "Date: ");
		date_write(&w, (int64_t)(loop_wall_ns(serve->front.loop) / 1000000000), 0);
		wr_text(&w, "\r\n");
	}
	if (!s->fields.has_message_id) {
		wr_printf(&w, "Message-ID: <%016llx.",
		          (unsigned long long)random_u64(serve->front.random));
		smtp_id(s->smtp, &w);
		wr_text(&w, "@");
		wr_bytes(&w, serve->conf[0][0].host);
		wr_text(&w, ">\r\n");
	}
	return keep(s, wr_since(&w, room));
}

/* The header of a submitted message is there: is it from who logged in? */
static enum smtp_answer
header_ended(struct smtp_session *s)
{
	enum smtp_answer answer = SMTP_TEMP;

	if (s->serve->image)
		answer = senders_from(&s->serve->directory, &s->fields, s->login.account);
	if (answer == SMTP_OK)
		answer = complete(s);
	smtp_fields_fini(&s->fields);
	return answer;
}

static enum smtp_answer
add(struct smtp_session *s, struct bytes piece)
{
	enum smtp_answer answer;
	size_t n;

	if (!smtp_logged_in(s->smtp) || s->fields.ended)
		return keep(s, piece);
	n = smtp_fields_feed(&s->fields, piece);
	answer = keep(s, (struct bytes){piece.p, n});
	if (answer == SMTP_OK && s->fields.ended)
		answer = header_ended(s);
	if (answer == SMTP_OK)
		answer = keep(s, (struct bytes){piece.p + n, piece.n - n});
	return answer;
}

/* What became of a message. */
static void
tell(struct smtp_session *s, enum smtp_answer answer)
{
	uint8_t id[SMTP_ID_MAX + 16];
	struct wr w = wr_of(id, sizeof(id));

	smtp_id(s->smtp, &w);
	log_event(LOG_INFO, answer == SMTP_OK ? "smtp.accepted" : "smtp.refused",
	          kv_text("id", wr_since(&w, id)), kv_ip("peer", conn_peer(s->front.conn)->ip),
	          kv_text("from", smtp_sender(s->smtp)), kv_u64("rcpts", smtp_rcpts(s->smtp)),
	          kv_u64("size", s->body.size), kv_u64("account", s->login.account),
	          kv_word("why", smtp_session_why(answer)));
	if (answer == SMTP_OK)
		s->serve->accepted++;
	else
		s->serve->refused++;
}

static void
settle(struct smtp_session *s, enum smtp_answer answer)
{
	tell(s, answer);
	s->waiting = s->handing_in = false;
	smtp_session_forget(s);
	smtp_answer(s->smtp, answer);
}

static void
box_stays_away(void *owner)
{
	struct smtp_session *s = owner;

	settle(s, SMTP_TEMP);
	smtp_session_turn(s);
}

/* What box answered to a delivery (box/deliver.h). */
static enum smtp_answer
answer_of(struct smtp_session *s, uint8_t code)
{
	switch (code) {
	case 0:
		return SMTP_OK;
	case ERR_FULL:
		return SMTP_FULL;
	case ERR_RANGE:
		return SMTP_MANY;
	case ERR_NOTFOUND:
		return SMTP_UNKNOWN;
	case ERR_DENIED:
		if (!smtp_logged_in(s->smtp))
			return SMTP_NO_RELAY;
		smtp_session_end(s, SMTP_LOST); /* box knows no handles of before it began anew */
		return SMTP_TEMP;
	default:
		return SMTP_TEMP;
	}
}

static void
delivered(void *owner, struct err e, struct chan_word *w)
{
	struct smtp_session *s = owner;
	struct talk_box_deliver_answer answer = {0};

	if (e.code == ERR_GONE) {
		loop_timer_set(s->serve->front.loop, &s->away, BOX_AWAY_MS, box_stays_away, s);
		return;
	}
	if (!is_ok(e) || !talk_box_deliver_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	settle(s, answer_of(s, answer.code));
	smtp_session_turn(s);
}

static struct bytes
recipients(struct smtp_session *s, struct wr w)
{
	uint8_t *start = w.p;
	struct bytes address;
	size_t at = 0;

	while (smtp_rcpt(s->smtp, &at, &address))
		wr_bytes16(&w, address);
	return wr_since(&w, start);
}

static void
hand_in(struct smtp_session *s)
{
	struct chan *box = peers_chan(s->serve->front.peers, ROLE_BOX, 0);
	uint8_t rows[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(rows, sizeof(rows));
	uint8_t *room = malloc(SMTP_RECIPIENTS_MAX);
	struct talk_box_deliver word = {
	    .op = s->op, .trusted = s->trusted, .sender = smtp_sender(s->smtp)};
	struct err e = room ? OK : ERR(ERR_MEMORY, 0, "recipients");

	if (smtp_logged_in(s->smtp))
		word.handle = s->login.handle;
	summary_write(&w, &s->row);
	word.summary = wr_since(&w, rows);
	word.body = s->body.fd < 0 ? buf_bytes(&s->body.memory) : NO_BYTES;
	if (room)
		word.recipients = recipients(s, wr_of(room, SMTP_RECIPIENTS_MAX));
	if (is_ok(e) && !box)
		e = ERR(ERR_GONE, 0, "box is away");
	if (is_ok(e))
		e = chan_ask(box, &s->ask, talk_box_deliver_out(&word), s->body.fd, BOX_MS,
		             delivered, s);
	free(room);
	if (e.code == ERR_GONE)
		loop_timer_set(s->serve->front.loop, &s->away, BOX_AWAY_MS, box_stays_away, s);
	else if (!is_ok(e))
		settle(s, SMTP_TEMP);
}

/* ---- public ---- */

void
smtp_session_data(struct smtp_session *s)
{
	uint8_t room[HEAD_MAX];

	smtp_session_forget(s);
	summary_init(&s->scan);
	s->fields = smtp_fields_init();
	random_fill(s->serve->front.random, s->op.b, sizeof(s->op.b));
	smtp_answer(s->smtp, keep(s, head(s, wr_of(room, sizeof(room)))));
}

void
smtp_session_body(struct smtp_session *s)
{
	enum smtp_answer answer = add(s, smtp_text(s->smtp));

	if (answer != SMTP_OK) {
		tell(s, answer);
		smtp_session_forget(s);
	}
	smtp_answer(s->smtp, answer);
}

void
smtp_session_commit(struct smtp_session *s)
{
	enum smtp_answer answer = SMTP_OK;

	if (smtp_logged_in(s->smtp) && !s->fields.ended) {
		smtp_fields_end(&s->fields);
		answer = header_ended(s);
	}
	/* envelope and body together must fit into one word; else the body goes by descriptor */
	if (answer == SMTP_OK && s->body.size + s->recipients >= TALK_MAX - WORD_REST &&
	    !is_ok(body_spill(&s->body)))
		answer = SMTP_FULL;
	if (answer == SMTP_OK && !is_ok(body_seal(&s->body)))
		answer = SMTP_FULL;
	if (answer != SMTP_OK) {
		settle(s, answer);
		return;
	}
	s->row = summary_done(&s->scan);
	s->waiting = s->handing_in = true;
	hand_in(s);
}

void
smtp_session_again(struct smtp_session *s)
{
	if (!s->handing_in || s->ask.chan)
		return;
	loop_timer_stop(s->serve->front.loop, &s->away);
	s->serve->retried++;
	hand_in(s);
	if (!s->waiting)
		smtp_session_turn(s);
}

void
smtp_session_forget(struct smtp_session *s)
{
	body_drop(&s->body);
	summary_fini(&s->scan);
	smtp_fields_fini(&s->fields);
}

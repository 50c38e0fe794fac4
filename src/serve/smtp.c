/*
 * smtp.c - each want of proto/smtp is answered here.  A delivery has one operation id for all its
 * tries: when box dies between its commit and its answer, the next try finds the id and adds
 * nothing (attack 48).
 */
#include "serve/smtp.h"

#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/text.h"
#include "directory/image.h"
#include "mail/address.h"
#include "mail/summary.h"
#include "net/snap.h"
#include "serve/body.h"
#include "talk/report.h"

#include <stdlib.h>

enum {
	BODIES_MAX = 512 * 1024 * 1024, /* octets of all messages on their way in */
	DIRECTORY_MAX = 1 << 30,
	IN_MAX = 64 * 1024,
	OUT_MAX = 16 * 1024,
	RECIPIENTS_MAX = 49152, /* talk.def: box_deliver */
	HEAD_MAX = 2048,
	IDLE_MS = 300 * 1000,    /* RFC 5321 4.5.3.2.7 */
	DATA_RATE = 100,         /* octets a second, less is too slow (attack 47) */
	BOX_MS = 60 * 1000,      /* for one answer of box */
	BOX_AWAY_MS = 15 * 1000, /* for box to come back */
};

struct session {
	struct smtp_serve *serve;
	struct session *next, **link;
	struct conn *conn;
	struct smtp *smtp;
	struct purse_peer *peer;
	struct front_tls *tls;
	struct body body;
	struct summary_scan scan;
	struct talk_id op;
	struct chan_ask ask;
	struct loop_timer away;
	bool waiting; /* for box: the message is whole */
	bool bulk;    /* a rate is expected of the client */
	bool closing, stopped;
	size_t recipients; /* octets of the accepted ones, as they go in the word */
};

struct smtp_serve {
	struct front front;
	struct pool *sessions;
	struct smtp_conf conf[2]; /* of sessions without and with a certificate */
	struct purse bodies;
	struct snap *image;
	struct directory directory;
	struct session *first;
	uint64_t next_id;
	uint64_t accepted, refused, retried;
};

static void turn(void *owner, struct conn *conn);

static void
session_free(struct session *s)
{
	struct smtp_serve *serve = s->serve;

	chan_ask_stop(&s->ask);
	loop_timer_stop(serve->front.loop, &s->away);
	body_drop(&s->body);
	smtp_free(s->smtp);
	conn_free(s->conn);
	front_tls_leave(&serve->front, s->tls);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	front_leave(&serve->front, s->peer);
	pool_put(serve->sessions, s);
}

static const char *
answer_name(enum smtp_answer answer)
{
	static const char *const names[] = {
	    [SMTP_OK] = "ok",     [SMTP_UNKNOWN] = "unknown", [SMTP_NO_RELAY] = "no-relay",
	    [SMTP_MANY] = "many", [SMTP_QUOTA] = "quota",     [SMTP_TEMP] = "temporary",
	    [SMTP_FULL] = "full", [SMTP_LOOP] = "loop",       [SMTP_REFUSED] = "refused",
	};

	return names[answer];
}

/* ---- recipients ---- */

static enum smtp_answer
answer_rcpt(struct session *s)
{
	struct smtp_serve *serve = s->serve;
	struct bytes address = smtp_text(s->smtp);
	struct directory_answer found;

	if (!smtp_rcpts(s->smtp)) /* RSET asks nobody */
		s->recipients = 0;
	if (!serve->image)
		return SMTP_TEMP;
	if (s->recipients + 2 + address.n > RECIPIENTS_MAX)
		return SMTP_MANY;
	switch (directory_lookup(&serve->directory, address, &found)) {
	case DIRECTORY_ACCOUNT:
	case DIRECTORY_LIST:
		s->recipients += 2 + address.n;
		return SMTP_OK;
	case DIRECTORY_NONE:
		return SMTP_UNKNOWN;
	case DIRECTORY_NO_DOMAIN:
		return SMTP_NO_RELAY;
	case DIRECTORY_BROKEN:
		break;
	}
	return SMTP_TEMP;
}

static void
on_rcpt(struct session *s)
{
	enum smtp_answer answer = answer_rcpt(s);

	if (answer != SMTP_OK) {
		s->serve->refused++;
		log_event(LOG_INFO, "smtp.rcpt_refused", kv_ip("peer", conn_peer(s->conn)->ip),
		          kv_text("rcpt", smtp_text(s->smtp)), kv_word("why", answer_name(answer)));
	}
	smtp_answer(s->smtp, answer);
}

/* ---- the message ---- */

/* Return-Path (RFC 5321 4.4: the delivery's own) and Received. */
static struct bytes
head(struct session *s, struct wr w)
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
add(struct session *s, struct bytes piece)
{
	summary_feed(&s->scan, piece);
	if (s->scan.row.received > SUMMARY_RECEIVED_MAX)
		return SMTP_LOOP;
	return is_ok(body_add(&s->body, piece)) ? SMTP_OK : SMTP_FULL;
}

static void
on_data(struct session *s)
{
	uint8_t room[HEAD_MAX];

	body_drop(&s->body);
	s->scan = (struct summary_scan){0};
	random_fill(s->serve->front.random, s->op.b, sizeof(s->op.b));
	smtp_answer(s->smtp, add(s, head(s, wr_of(room, sizeof(room)))));
}

static void
on_body(struct session *s)
{
	enum smtp_answer answer = add(s, smtp_text(s->smtp));

	if (answer != SMTP_OK)
		body_drop(&s->body);
	smtp_answer(s->smtp, answer);
}

/* Also what is refused must come at a rate (attack 47); nothing is expected while box works. */
static void
expect(struct session *s, bool bulk)
{
	if (bulk != s->bulk)
		conn_expect(s->conn, bulk ? DATA_RATE : 0);
	s->bulk = bulk;
}

static void
settle(struct session *s, enum smtp_answer answer)
{
	uint8_t id[SMTP_ID_MAX + 16];
	struct wr w = wr_of(id, sizeof(id));

	smtp_id(s->smtp, &w);
	log_event(LOG_INFO, answer == SMTP_OK ? "smtp.accepted" : "smtp.refused",
	          kv_text("id", wr_since(&w, id)), kv_ip("peer", conn_peer(s->conn)->ip),
	          kv_text("from", smtp_sender(s->smtp)), kv_u64("rcpts", smtp_rcpts(s->smtp)),
	          kv_u64("size", s->body.size), kv_word("why", answer_name(answer)));
	if (answer == SMTP_OK)
		s->serve->accepted++;
	else
		s->serve->refused++;
	s->waiting = false;
	body_drop(&s->body);
	smtp_answer(s->smtp, answer);
}

static void
box_stays_away(void *owner)
{
	struct session *s = owner;

	settle(s, SMTP_TEMP);
	turn(s, s->conn);
}

static void
delivered(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_box_deliver_answer answer = {0};

	if (e.code == ERR_GONE) {
		loop_timer_set(s->serve->front.loop, &s->away, BOX_AWAY_MS, box_stays_away, s);
		return;
	}
	if (!is_ok(e) || !talk_box_deliver_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	settle(s, answer.code == 0 ? SMTP_OK : answer.code == ERR_FULL ? SMTP_FULL : SMTP_TEMP);
	turn(s, s->conn);
}

static struct bytes
recipients(struct session *s, struct wr w)
{
	uint8_t *start = w.p;
	struct bytes address;
	size_t at = 0;

	while (smtp_rcpt(s->smtp, &at, &address))
		wr_bytes16(&w, address);
	return wr_since(&w, start);
}

static void
hand_in(struct session *s)
{
	struct chan *box = peers_chan(s->serve->front.peers, ROLE_BOX, 0);
	struct summary row = summary_done(&s->scan);
	uint8_t rows[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(rows, sizeof(rows));
	uint8_t *room = malloc(RECIPIENTS_MAX);
	struct talk_box_deliver word = {.op = s->op, .sender = smtp_sender(s->smtp)};
	struct err e = room ? OK : ERR(ERR_MEMORY, 0, "recipients");

	summary_write(&w, &row);
	word.summary = wr_since(&w, rows);
	word.body = s->body.fd < 0 ? buf_bytes(&s->body.memory) : NO_BYTES;
	if (room)
		word.recipients = recipients(s, wr_of(room, RECIPIENTS_MAX));
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

static void
on_commit(struct session *s)
{
	/* envelope and body together must fit into one word; else the body goes by descriptor */
	bool fits = s->body.size + s->recipients < TALK_MAX - 1024;
	struct err e = fits ? OK : body_spill(&s->body);

	if (is_ok(e))
		e = body_seal(&s->body);
	s->waiting = is_ok(e);
	if (is_ok(e))
		hand_in(s);
	else
		settle(s, SMTP_FULL);
}

/* ---- the turn ---- */

/* Answers the question; false: the session waits, or is gone. */
static bool
answer(struct session *s, enum smtp_want want)
{
	switch (want) {
	case SMTP_RCPT:
		on_rcpt(s);
		return true;
	case SMTP_DATA:
		on_data(s);
		return true;
	case SMTP_BODY:
		on_body(s);
		return true;
	case SMTP_DROP:
		body_drop(&s->body);
		smtp_answer(s->smtp, SMTP_OK);
		return true;
	case SMTP_COMMIT:
		on_commit(s);
		return !s->waiting;
	case SMTP_INPUT:
	case SMTP_ROOM:
	case SMTP_TLS:
	case SMTP_CLOSE:
		break;
	}
	return false;
}

static enum smtp_want
step(struct session *s)
{
	struct bytes held = conn_in(s->conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(s->conn, SMTP_REPLY_MAX);
	uint8_t *start = out.p;
	enum smtp_want want;
	bool on;

	if (out.full)
		return SMTP_ROOM;
	want = smtp_step(s->smtp, &in, &out);
	conn_wrote(s->conn, wr_since(&out, start).n);
	/* it filled the room that it got: there may be more */
	on = want == SMTP_ROOM ? wr_since(&out, start).n > 0 : answer(s, want);
	expect(s, smtp_in_message(s->smtp) && !s->waiting);
	/* behind answer(): a piece of the body lies in the input */
	conn_ate(s->conn, (size_t)(in.p - held.p));
	return on ? SMTP_RCPT : want;
}

static void
finish(struct session *s)
{
	s->closing = true;
	conn_finish(s->conn);
}

static void
check_time(struct session *s)
{
	if (conn_late(s->conn) == CONN_IN_TIME || s->closing)
		return;
	conn_idle(s->conn, 0);
	conn_expect(s->conn, 0);
	smtp_end(s->smtp, SMTP_IDLE);
}

static void
turn(void *owner, struct conn *conn)
{
	struct session *s = owner;
	enum conn_state state = conn_state(conn);
	enum smtp_want want = SMTP_RCPT;

	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		/* what box was given is box's; this client will not hear of it (attack 48) */
		session_free(s);
		return;
	}
	if (s->closing || s->waiting || state == CONN_HANDSHAKE)
		return;
	check_time(s);
	if (s->serve->front.draining && !s->stopped) {
		s->stopped = true;
		smtp_end(s->smtp, SMTP_STOP);
	}
	if (conn_tls(conn) && !smtp_is_tls(s->smtp))
		smtp_tls_done(s->smtp);
	while (want == SMTP_RCPT)
		want = step(s);
	if (want == SMTP_TLS)
		conn_starttls(conn);
	else if (want == SMTP_CLOSE)
		finish(s);
	else if (want == SMTP_INPUT && state != CONN_OPEN)
		finish(s); /* the peer ended, cut or not: what is not committed is dropped */
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct smtp_serve *serve = owner;
	struct conn_conf conf = {.peer = *peer, .in_max = IN_MAX, .out_max = OUT_MAX};
	uint8_t ip[ADDR_IP_TEXT], id[SMTP_ID_MAX];
	struct wr ip_text = wr_of(ip, sizeof(ip)), id_text = wr_of(id, sizeof(id));
	struct purse_peer *purse = front_enter(&serve->front, peer);
	struct session *s = purse ? pool_get(serve->sessions) : NULL;
	struct err e;

	if (!s) {
		loop_close_fd(serve->front.loop, fd);
		if (purse)
			front_leave(&serve->front, purse);
		return;
	}
	s->serve = serve;
	s->peer = purse;
	s->tls = front_tls_enter(&serve->front);
	s->body = body_init(&purse->bytes, &serve->bodies);
	s->next = serve->first;
	s->link = &serve->first;
	if (s->next)
		s->next->link = &s->next;
	serve->first = s;
	addr_ip_text(&ip_text, peer->ip);
	wr_printf(&id_text, "%llx%llx",
	          (unsigned long long)(loop_wall_ns(serve->front.loop) / 1000000),
	          (unsigned long long)serve->next_id++);
	conf.purse = &purse->bytes;
	conf.tls = s->tls ? s->tls->server : NULL;
	s->smtp = smtp_new(&serve->conf[s->tls != NULL], wr_since(&ip_text, ip),
	                   wr_since(&id_text, id), false);
	e = conn_open(&s->conn, serve->front.loop, fd, &conf, turn, s);
	if (!is_ok(e) || !s->smtp) {
		session_free(s);
		return;
	}
	conn_idle(s->conn, IDLE_MS);
	turn(s, s->conn);
}

/* ---- public ---- */

struct err
smtp_serve_open(struct smtp_serve **out, const struct smtp_serve_conf *conf, struct loop *loop,
                struct random *random, struct peers *peers)
{
	struct smtp_serve *serve = calloc(1, sizeof(*serve));
	struct err e;

	if (!serve)
		return ERR(ERR_MEMORY, 0, "smtp");
	serve->bodies.cap = BODIES_MAX;
	serve->conf[0] = (struct smtp_conf){
	    .host = conf->host, .size_max = conf->size_max, .rcpt_max = conf->rcpt_max};
	serve->conf[1] = serve->conf[0];
	serve->conf[1].starttls = true;
	serve->sessions = pool_open(sizeof(struct session), FRONT_SESSIONS);
	e = serve->sessions ? front_init(&serve->front, loop, random, peers)
	                    : ERR(ERR_MEMORY, 0, "sessions");
	if (is_ok(e)) {
		*out = serve;
	} else {
		pool_close(serve->sessions);
		free(serve);
	}
	return e;
}

void
smtp_serve_close(struct smtp_serve *serve)
{
	if (!serve)
		return;
	while (serve->first)
		session_free(serve->first);
	pool_close(serve->sessions);
	front_fini(&serve->front);
	snap_release(serve->image);
	free(serve);
}

struct err
smtp_serve_certificate(struct smtp_serve *serve, struct bytes chain, uint32_t key)
{
	return front_certificate(&serve->front, chain, key, BYTES("smtp"));
}

struct err
smtp_serve_listen(struct smtp_serve *serve, int fd)
{
	return front_listen(&serve->front, fd, accepted, serve);
}

void
smtp_serve_limits(struct smtp_serve *serve, uint64_t size_max, uint32_t rcpt_max)
{
	for (size_t i = 0; i < COUNT(serve->conf); i++) {
		serve->conf[i].size_max = size_max;
		serve->conf[i].rcpt_max = rcpt_max;
	}
}

struct err
smtp_serve_directory(struct smtp_serve *serve, int fd)
{
	struct directory fresh;
	struct snap *image;
	struct err e = snap_map(&image, fd, DIRECTORY_MAX);

	if (!is_ok(e))
		return e;
	if (!directory_open(&fresh, snap_bytes(image))) {
		snap_release(image);
		return ERR(ERR_SYNTAX, 0, "directory image");
	}
	snap_swap(&serve->image, image);
	serve->directory = fresh;
	return OK;
}

void
smtp_serve_box_came(struct smtp_serve *serve)
{
	struct session *next;

	for (struct session *s = serve->first; s; s = next) {
		next = s->next;
		if (!s->waiting || s->ask.chan)
			continue;
		loop_timer_stop(serve->front.loop, &s->away);
		serve->retried++;
		hand_in(s);
		if (!s->waiting)
			turn(s, s->conn);
	}
}

void
smtp_serve_drain(struct smtp_serve *serve, loop_fn *drained, void *owner)
{
	struct session *next;

	front_drain(&serve->front, drained, owner);
	for (struct session *s = serve->first; s; s = next) {
		next = s->next;
		turn(s, s->conn);
	}
}

void
smtp_serve_status(const struct smtp_serve *serve, struct wr *counters)
{
	report_put_counter(counters, "sessions", serve->front.sessions);
	report_put_counter(counters, "all_sessions", serve->front.all_sessions);
	report_put_counter(counters, "accepted", serve->accepted);
	report_put_counter(counters, "refused", serve->refused);
	report_put_counter(counters, "retried", serve->retried);
	report_put_counter(counters, "body_octets", serve->bodies.used);
}

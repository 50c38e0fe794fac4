/*
 * pop3.c - each want of proto/pop3 becomes a word, and its answer the machine's answer.  One
 * question of a session is open at a time.
 */
#include "serve/pop3.h"

#include "base/buf.h"
#include "base/log.h"
#include "serve/login.h"
#include "talk/report.h"
#include "talk/rows.h"
#include "view/maildrop.h"

#include <stdlib.h>

enum {
	IN_MAX = 4096,
	OUT_MAX = 128 * 1024,
	CHUNK = 32 * 1024,    /* of a message, for one word */
	REMOVE_MAX = 7500,    /* ranges of UIDs in one word */
	IDLE_MS = 600 * 1000, /* RFC 1939 3: at least ten minutes */
	LOGIN_MS = 60 * 1000, /* until it is logged in */
	ASK_MS = 30 * 1000,
	PLAIN = 0,
	TLS_NOW = 1,
};

struct session {
	struct front_session front; /* the first */
	struct pop3_serve *serve;
	struct pop3 *pop3;
	struct login login;
	struct maildrop *drop;
	size_t charged; /* for the maildrop */
	struct chan_ask ask;
	bool waiting, closing, stopped;
	uint32_t mailbox;
	struct buf chunk;      /* of the message that is being sent */
	uint64_t chunk_offset; /* where it begins in the message */
	uint32_t chunk_number;
	size_t removed_to; /* pop3_deleted()'s place in an update */
};

struct listener {
	struct pop3_serve *serve;
	struct front_port port;
};

struct pop3_serve {
	struct front front;
	struct pop3_conf conf[2]; /* of sessions without and with a certificate */
	struct pop3_serve_conf given;
	struct listener listeners[2];
	uint64_t logins, refused, sent, removed;
};

static void turn(void *owner, struct conn *conn);

static struct chan *
box(struct session *s)
{
	return peers_chan(s->serve->front.peers, ROLE_BOX, 0);
}

/* Gives back what a login got; the session may log in anew. */
static void
leave(struct session *s)
{
	login_leave(&s->login);
	maildrop_free(s->drop);
	s->drop = NULL;
	purse_refund(&s->front.peer->bytes, s->charged);
	s->charged = 0;
}

static void
session_free(struct session *s)
{
	chan_ask_stop(&s->ask);
	buf_free(&s->chunk);
	pop3_free(s->pop3);
	leave(s);
	login_fini(&s->login);
	front_session_close(&s->front);
}

/* Asks `whom`; without an answer to come, the machine is told to say so. */
static void
ask(struct session *s, struct chan *whom, struct talk_out word, chan_answered *answered)
{
	s->waiting = whom && is_ok(chan_ask(whom, &s->ask, word, -1, ASK_MS, answered, s));
	if (!s->waiting)
		pop3_answer(s->pop3, POP3_TEMP);
}

static void
answered_with(struct session *s, enum pop3_answer answer)
{
	s->waiting = false;
	pop3_answer(s->pop3, answer);
	turn(s, s->front.conn);
}

/* ---- login ---- */

static void
logged_in(void *owner, enum login_result result)
{
	struct session *s = owner;

	if (result == LOGIN_OK) {
		s->serve->logins++;
		conn_idle(s->front.conn, IDLE_MS);
		conn_until(s->front.conn, 0);
		answered_with(s, POP3_OK);
	} else {
		s->serve->refused++;
		answered_with(s, result == LOGIN_DENIED ? POP3_BAD : POP3_TEMP);
	}
}

static void
login(struct session *s)
{
	leave(s); /* the listing behind an earlier login has failed */
	s->waiting = login_password(&s->login, pop3_user(s->pop3), pop3_secret(s->pop3), logged_in);
	if (!s->waiting)
		pop3_answer(s->pop3, POP3_TEMP);
}

/* ---- listing ---- */

static void rows_came(void *owner, struct err e, struct chan_word *w);

static void
ask_rows(struct session *s)
{
	uint8_t room[8];
	struct wr ranges = wr_of(room, sizeof(room));
	struct talk_box_rows word = {.handle = s->login.handle, .mailbox = s->mailbox};

	uid_range_put(&ranges, (struct uid_range){maildrop_next(s->drop), UINT32_MAX});
	word.ranges = wr_since(&ranges, room);

	ask(s, box(s), talk_box_rows_out(&word), rows_came);
}

static void
list(struct session *s)
{
	size_t n;
	const struct pop3_message *rows = maildrop_listing(s->drop, &n);

	s->waiting = false;
	s->charged = maildrop_memory(s->drop);
	if (!purse_charge(&s->front.peer->bytes, s->charged)) {
		s->charged = 0;
		rows = NULL;
	}
	if (rows)
		pop3_listing(s->pop3, rows, n);
	else
		pop3_answer(s->pop3, POP3_TEMP);
	turn(s, s->front.conn);
}

static void
rows_came(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_box_rows_answer answer;

	if (!is_ok(e) || !talk_box_rows_answer_get(&w->body, &answer) || answer.code) {
		answered_with(s, POP3_TEMP);
		return;
	}
	e = maildrop_add(s->drop, answer.rows);
	if (!is_ok(e) && e.code != ERR_FULL) {
		answered_with(s, POP3_TEMP);
	} else if (answer.more && is_ok(e)) {
		ask_rows(s);
		if (!s->waiting)
			turn(s, s->front.conn);
	} else {
		list(s); /* of a fuller mailbox the first, as many as a listing can hold */
	}
}

static void
opened(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_box_open_answer answer;

	if (!is_ok(e) || !talk_box_open_answer_get(&w->body, &answer) ||
	    (answer.code && answer.code != ERR_EXISTS)) {
		answered_with(s, POP3_TEMP);
		return;
	}
	if (answer.code == ERR_EXISTS) {
		answered_with(s, POP3_IN_USE);
		return;
	}
	s->mailbox = answer.number;
	s->drop = maildrop_new(answer.uidvalidity, answer.count);
	if (!s->drop) {
		answered_with(s, POP3_TEMP);
		return;
	}
	ask_rows(s);
	if (!s->waiting)
		turn(s, s->front.conn);
}

static void
open_drop(struct session *s)
{
	const struct talk_box_open word = {
	    .handle = s->login.handle, .exclusive = 1, .mailbox = BYTES("INBOX")};

	ask(s, box(s), talk_box_open_out(&word), opened);
}

/* ---- a message ---- */

static void
read_came(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_box_read_answer answer;

	if (!is_ok(e) || !talk_box_read_answer_get(&w->body, &answer) ||
	    (answer.code && answer.code != ERR_NOTFOUND)) {
		answered_with(s, POP3_TEMP);
	} else if (answer.code || !answer.bytes.n) {
		answered_with(s, POP3_GONE);
	} else if (!buf_add(&s->chunk, answer.bytes)) {
		answered_with(s, POP3_TEMP);
	} else {
		s->waiting = false;
		turn(s, s->front.conn);
	}
}

/* True when something of the message was written. */
static bool
send_chunk(struct session *s)
{
	struct bytes held = buf_bytes(&s->chunk);
	struct wr out = conn_room(s->front.conn, CHUNK);
	uint8_t *start = out.p;
	size_t took;

	if (out.full)
		return false;
	took = pop3_body(s->pop3, held, &out);
	conn_wrote(s->front.conn, wr_since(&out, start).n);
	buf_eat(&s->chunk, took);
	s->chunk_offset += took;
	return took > 0;
}

/* Sends on; false: it waits for box or for room. */
static bool
body(struct session *s)
{
	uint32_t number = pop3_number(s->pop3);
	uint64_t offset = pop3_offset(s->pop3), missing = pop3_missing(s->pop3);
	struct talk_box_read word = {.handle = s->login.handle, .mailbox = s->mailbox};

	if (s->chunk.n && number == s->chunk_number && offset == s->chunk_offset)
		return send_chunk(s);
	buf_free(&s->chunk);
	s->chunk_number = number;
	s->chunk_offset = offset;
	if (!offset)
		s->serve->sent++;
	word.uid = maildrop_uid(s->drop, number);
	word.offset = offset;
	word.length = missing < CHUNK ? (uint32_t)missing : CHUNK;
	ask(s, box(s), talk_box_read_out(&word), read_came);
	return !s->waiting;
}

/* ---- update ---- */

static void removed(void *owner, struct err e, struct chan_word *w);

/* The next of what is to be removed, as much as one word holds. */
static void
remove_some(struct session *s)
{
	struct talk_box_remove word = {.handle = s->login.handle, .mailbox = s->mailbox};
	uint8_t *ranges = malloc(REMOVE_MAX * 8);
	struct wr w = wr_of(ranges, ranges ? REMOVE_MAX * 8 : 0);
	uint32_t number;

	while (wr_room(&w) && pop3_deleted(s->pop3, &s->removed_to, &number)) {
		uint32_t uid = maildrop_uid(s->drop, number);

		uid_range_put(&w, (struct uid_range){uid, uid});
		s->serve->removed++;
	}
	word.ranges = wr_since(&w, ranges);
	if (!ranges)
		pop3_answer(s->pop3, POP3_TEMP);
	else
		ask(s, box(s), talk_box_remove_out(&word), removed);
	free(ranges);
}

static void
removed(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_box_remove_answer answer;
	size_t at = s->removed_to;
	uint32_t number;

	if (!is_ok(e) || !talk_box_remove_answer_get(&w->body, &answer) || answer.code) {
		answered_with(s, POP3_TEMP);
	} else if (pop3_deleted(s->pop3, &at, &number)) {
		remove_some(s);
		if (!s->waiting)
			turn(s, s->front.conn);
	} else {
		answered_with(s, POP3_OK);
	}
}

static void
update(struct session *s)
{
	s->removed_to = 0;
	remove_some(s);
}

/* ---- the turn ---- */

/* Answers the question, or begins to; false: the session waits, or nothing was asked. */
static bool
answer(struct session *s, enum pop3_want want)
{
	switch (want) {
	case POP3_LOGIN:
		login(s);
		return !s->waiting;
	case POP3_LISTING:
		open_drop(s);
		return !s->waiting;
	case POP3_BODY:
		return body(s);
	case POP3_UPDATE:
		update(s);
		return !s->waiting;
	case POP3_INPUT:
	case POP3_ROOM:
	case POP3_TLS:
	case POP3_CLOSE:
		break;
	}
	return false;
}

static void
finish(struct session *s)
{
	s->closing = true;
	leave(s); /* who has said QUIT may come back before this connection is closed */
	conn_finish(s->front.conn);
}

static bool
step(struct session *s)
{
	struct bytes held = conn_in(s->front.conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(s->front.conn, POP3_REPLY_MAX);
	uint8_t *start = out.p;
	enum pop3_want want;
	bool on;

	if (out.full)
		return false;
	want = pop3_step(s->pop3, &in, &out);
	conn_wrote(s->front.conn, wr_since(&out, start).n);
	if (want == POP3_INPUT) /* what TOP left over */
		buf_free(&s->chunk);
	/* it filled the room that it got: there may be more */
	on = want == POP3_ROOM ? wr_since(&out, start).n > 0 : answer(s, want);
	/* behind answer(): a secret lies in the input until it was sent on */
	conn_ate(s->front.conn, (size_t)(in.p - held.p));
	if (want == POP3_TLS)
		conn_starttls(s->front.conn);
	else if (want == POP3_CLOSE)
		finish(s);
	else if (want == POP3_INPUT && conn_state(s->front.conn) != CONN_OPEN)
		finish(s); /* it ended without QUIT: nothing is removed (attack 102) */
	return on;
}

static void
turn(void *owner, struct conn *conn)
{
	struct session *s = owner;
	enum conn_state state = conn_state(conn);

	if (login_busy(&s->login) && (state == CONN_DONE || state == CONN_BROKEN))
		return; /* it counts until auth has answered */
	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		session_free(s);
		return;
	}
	if (s->closing || s->waiting || state == CONN_HANDSHAKE)
		return;
	if (conn_late(conn) != CONN_IN_TIME) {
		finish(s); /* without a word, and nothing is removed (RFC 1939 3) */
		return;
	}
	if (s->serve->front.draining && !s->stopped) {
		s->stopped = true;
		pop3_end(s->pop3);
	}
	if (conn_tls(conn) && !pop3_is_tls(s->pop3))
		pop3_tls_done(s->pop3);
	if (login_waits(&s->login))
		return;
	while (step(s))
		;
}

static void
turn_again(void *owner)
{
	struct session *s = owner;

	turn(s, s->front.conn);
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	const struct listener *l = owner;
	struct pop3_serve *serve = l->serve;
	struct session *s = front_session_open(&serve->front, &l->port, fd, peer);

	if (!s)
		return;
	s->serve = serve;
	s->chunk = buf_init((size_t)2 * CHUNK);
	login_init(&s->login, &serve->front, s->front.peer, peer, PROTOCOL_POP3, turn_again, s);
	s->pop3 =
	    pop3_new(&serve->conf[s->front.tls != NULL], l->port.tls_now,
	             nets_contain(serve->given.plaintext, serve->given.n_plaintext, peer->ip));
	if (!s->pop3) {
		session_free(s);
		return;
	}
	conn_until(s->front.conn, LOGIN_MS);
	turn(s, s->front.conn);
}

/* ---- public ---- */

struct err
pop3_serve_open(struct pop3_serve **out, const struct pop3_serve_conf *conf, struct loop *loop,
                struct random *random, struct peers *peers)
{
	struct pop3_serve *serve = calloc(1, sizeof(*serve));
	struct err e;

	if (!serve)
		return ERR(ERR_MEMORY, 0, "pop3");
	serve->given = *conf;
	serve->conf[0] = (struct pop3_conf){.host = conf->host};
	serve->conf[1] = (struct pop3_conf){.host = conf->host, .stls = true};
	for (int tls_now = PLAIN; tls_now <= TLS_NOW; tls_now++)
		serve->listeners[tls_now] =
		    (struct listener){serve, {IN_MAX, OUT_MAX, tls_now, turn}};
	e = front_init(&serve->front, loop, random, peers, sizeof(struct session), FRONT_SESSIONS);
	if (is_ok(e))
		*out = serve;
	else
		free(serve);
	return e;
}

void
pop3_serve_close(struct pop3_serve *serve)
{
	if (!serve)
		return;
	while (serve->front.first)
		session_free((struct session *)serve->front.first);
	front_fini(&serve->front);
	free(serve);
}

struct err
pop3_serve_certificate(struct pop3_serve *serve, struct bytes chain, uint32_t key)
{
	return front_certificate(&serve->front, chain, key, BYTES("pop3"));
}

struct err
pop3_serve_listen(struct pop3_serve *serve, int fd, bool tls_now)
{
	return front_listen(&serve->front, fd, accepted,
	                    &serve->listeners[tls_now ? TLS_NOW : PLAIN]);
}

void
pop3_serve_plaintext(struct pop3_serve *serve, const struct net *nets, size_t n)
{
	serve->given.plaintext = nets;
	serve->given.n_plaintext = n;
}

void
pop3_serve_drain(struct pop3_serve *serve, loop_fn *drained, void *owner)
{
	front_drain(&serve->front, drained, owner);
}

void
pop3_serve_status(const struct pop3_serve *serve, struct wr *counters)
{
	report_put_counter(counters, "sessions", serve->front.sessions);
	report_put_counter(counters, "all_sessions", serve->front.all_sessions);
	report_put_counter(counters, "logins", serve->logins);
	report_put_counter(counters, "refused", serve->refused);
	report_put_counter(counters, "messages_sent", serve->sent);
	report_put_counter(counters, "messages_removed", serve->removed);
}

/*
 * pop3.c - each want of proto/pop3 becomes a word, and its answer the machine's answer.  One
 * question of a session is open at a time.
 */
#include "serve/pop3.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/pool.h"
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
	struct pop3_serve *serve;
	struct session *next, **link;
	struct conn *conn;
	struct pop3 *pop3;
	struct purse_peer *peer;
	struct front_tls *tls;
	struct maildrop *drop;
	size_t charged; /* for the maildrop */
	struct chan_ask ask;
	struct loop_task again;
	struct talk_id handle;
	bool has_handle, waiting, closing, stopped;
	bool logging; /* auth was asked, and counts for the network until it answers */
	bool queued;  /* its network has enough logins under way */
	uint32_t mailbox;
	struct buf chunk;      /* of the message that is being sent */
	uint64_t chunk_offset; /* where it begins in the message */
	uint32_t chunk_number;
	size_t removed_to; /* pop3_deleted()'s place in an update */
};

struct listener {
	struct pop3_serve *serve;
	bool tls_now;
};

struct pop3_serve {
	struct front front;
	struct pool *sessions;
	struct pop3_conf conf[2]; /* of sessions without and with a certificate */
	struct pop3_serve_conf given;
	struct listener listeners[2];
	struct session *first;
	size_t queued;
	uint64_t logins, refused, sent, removed;
};

static void turn(void *owner, struct conn *conn);
static void turn_again(void *owner);

static struct chan *
box(struct session *s)
{
	return peers_chan(s->serve->front.peers, ROLE_BOX, 0);
}

/* Gives back what a login got; the session may log in anew. */
static void
leave(struct session *s)
{
	if (s->has_handle && box(s))
		chan_say(box(s), talk_box_leave_out(&(struct talk_box_leave){.handle = s->handle}),
		         -1);
	s->has_handle = false;
	maildrop_free(s->drop);
	s->drop = NULL;
	purse_refund(&s->peer->bytes, s->charged);
	s->charged = 0;
}

static void
session_free(struct session *s)
{
	struct pop3_serve *serve = s->serve;

	if (s->logging)
		s->peer->logins--;
	s->serve->queued -= s->queued;
	loop_defer_stop(serve->front.loop, &s->again);
	chan_ask_stop(&s->ask);
	buf_free(&s->chunk);
	pop3_free(s->pop3);
	leave(s);
	conn_free(s->conn);
	front_tls_leave(&serve->front, s->tls);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	front_leave(&serve->front, s->peer);
	pool_put(serve->sessions, s);
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
	turn(s, s->conn);
}

/* ---- login ---- */

/* One less is under way; all who waited are looked at again, since not each of them will log in. */
static void
login_over(struct session *s)
{
	struct pop3_serve *serve = s->serve;

	s->logging = false;
	s->peer->logins--;
	for (struct session *q = serve->queued ? serve->first : NULL; q; q = q->next)
		if (q->queued && q->peer == s->peer)
			loop_defer(serve->front.loop, &q->again, turn_again, q);
}

static void
logged_in(void *owner, struct err e, struct chan_word *w)
{
	struct session *s = owner;
	struct talk_auth_login_answer answer;
	enum pop3_answer said = POP3_TEMP;

	login_over(s);
	if (is_ok(e) && talk_auth_login_answer_get(&w->body, &answer)) {
		s->has_handle = answer.code == 0;
		s->handle = answer.handle;
		said = answer.code == 0            ? POP3_OK
		       : answer.code == ERR_DENIED ? POP3_BAD
		                                   : POP3_TEMP;
	}
	if (said == POP3_OK) {
		s->serve->logins++;
		conn_idle(s->conn, IDLE_MS);
		conn_until(s->conn, 0);
	} else {
		s->serve->refused++;
	}
	answered_with(s, said);
}

static void
login(struct session *s)
{
	const struct talk_auth_login word = {
	    .protocol = PROTOCOL_POP3,
	    .peer = {conn_peer(s->conn)->ip, 16},
	    .name = pop3_user(s->pop3),
	    .password = pop3_secret(s->pop3),
	};

	leave(s); /* the listing behind an earlier login has failed */
	ask(s, peers_chan(s->serve->front.peers, ROLE_AUTH, 0), talk_auth_login_out(&word),
	    logged_in);
	s->logging = s->waiting;
	s->peer->logins += s->logging;
}

/* ---- listing ---- */

static void rows_came(void *owner, struct err e, struct chan_word *w);

static void
ask_rows(struct session *s)
{
	uint8_t room[8];
	struct wr ranges = wr_of(room, sizeof(room));
	struct talk_box_rows word = {.handle = s->handle, .mailbox = s->mailbox};

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
	if (!purse_charge(&s->peer->bytes, s->charged)) {
		s->charged = 0;
		rows = NULL;
	}
	if (rows)
		pop3_listing(s->pop3, rows, n);
	else
		pop3_answer(s->pop3, POP3_TEMP);
	turn(s, s->conn);
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
			turn(s, s->conn);
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
		turn(s, s->conn);
}

static void
open_drop(struct session *s)
{
	const struct talk_box_open word = {
	    .handle = s->handle, .exclusive = 1, .mailbox = BYTES("INBOX")};

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
		turn(s, s->conn);
	}
}

/* True when something of the message was written. */
static bool
send_chunk(struct session *s)
{
	struct bytes held = buf_bytes(&s->chunk);
	struct wr out = conn_room(s->conn, CHUNK);
	uint8_t *start = out.p;
	size_t took;

	if (out.full)
		return false;
	took = pop3_body(s->pop3, held, &out);
	conn_wrote(s->conn, wr_since(&out, start).n);
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
	struct talk_box_read word = {.handle = s->handle, .mailbox = s->mailbox};

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
	struct talk_box_remove word = {.handle = s->handle, .mailbox = s->mailbox};
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
			turn(s, s->conn);
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
	conn_finish(s->conn);
}

static bool
step(struct session *s)
{
	struct bytes held = conn_in(s->conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(s->conn, POP3_REPLY_MAX);
	uint8_t *start = out.p;
	enum pop3_want want;
	bool on;

	if (out.full)
		return false;
	want = pop3_step(s->pop3, &in, &out);
	conn_wrote(s->conn, wr_since(&out, start).n);
	if (want == POP3_INPUT) /* what TOP left over */
		buf_free(&s->chunk);
	/* it filled the room that it got: there may be more */
	on = want == POP3_ROOM ? wr_since(&out, start).n > 0 : answer(s, want);
	/* behind answer(): a secret lies in the input until it was sent on */
	conn_ate(s->conn, (size_t)(in.p - held.p));
	if (want == POP3_TLS)
		conn_starttls(s->conn);
	else if (want == POP3_CLOSE)
		finish(s);
	else if (want == POP3_INPUT && conn_state(s->conn) != CONN_OPEN)
		finish(s); /* it ended without QUIT: nothing is removed (attack 102) */
	return on;
}

static void
unqueue(struct session *s)
{
	s->serve->queued -= s->queued;
	s->queued = false;
}

static void
turn(void *owner, struct conn *conn)
{
	struct session *s = owner;
	enum conn_state state = conn_state(conn);

	unqueue(s);
	if (s->logging && (state == CONN_DONE || state == CONN_BROKEN))
		return; /* auth is at it still: it counts until then */
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
	if (!s->has_handle && s->peer->logins >= FRONT_LOGINS) {
		s->queued = true;
		s->serve->queued++;
		return;
	}
	while (step(s))
		;
}

static void
turn_again(void *owner)
{
	struct session *s = owner;

	turn(s, s->conn);
}

static bool
may_login_plain(const struct pop3_serve *serve, const struct addr *peer)
{
	for (size_t i = 0; i < serve->given.n_plaintext; i++)
		if (net_contains(&serve->given.plaintext[i], peer->ip))
			return true;
	return false;
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	const struct listener *l = owner;
	struct pop3_serve *serve = l->serve;
	struct conn_conf conf = {
	    .peer = *peer, .tls_now = l->tls_now, .in_max = IN_MAX, .out_max = OUT_MAX};
	struct purse_peer *purse = NULL;
	struct session *s = NULL;
	struct err e;

	if (!l->tls_now || serve->front.tls)
		purse = front_enter(&serve->front, peer);
	if (purse)
		s = pool_get(serve->sessions);
	if (!s) {
		loop_close_fd(serve->front.loop, fd);
		if (purse)
			front_leave(&serve->front, purse);
		return;
	}
	*s = (struct session){.serve = serve,
	                      .peer = purse,
	                      .next = serve->first,
	                      .link = &serve->first,
	                      .chunk = buf_init((size_t)2 * CHUNK)};
	if (s->next)
		s->next->link = &s->next;
	serve->first = s;
	s->tls = front_tls_enter(&serve->front);
	conf.purse = &purse->bytes;
	conf.tls = s->tls ? s->tls->server : NULL;
	s->pop3 = pop3_new(&serve->conf[s->tls != NULL], l->tls_now, may_login_plain(serve, peer));
	e = conn_open(&s->conn, serve->front.loop, fd, &conf, turn, s);
	if (!is_ok(e) || !s->pop3) {
		session_free(s);
		return;
	}
	conn_until(s->conn, LOGIN_MS);
	turn(s, s->conn);
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
	serve->listeners[PLAIN] = (struct listener){serve, false};
	serve->listeners[TLS_NOW] = (struct listener){serve, true};
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
pop3_serve_close(struct pop3_serve *serve)
{
	if (!serve)
		return;
	while (serve->first)
		session_free(serve->first);
	pool_close(serve->sessions);
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
	struct session *next;

	front_drain(&serve->front, drained, owner);
	for (struct session *s = serve->first; s; s = next) {
		next = s->next;
		turn(s, s->conn);
	}
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

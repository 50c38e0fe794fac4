/*
 * out_call.c - wants of proto/smtpc become words to dial and octets on a connection.
 *
 * The stages: DIALLING > TALKING > CLOSING.  over() is called at most once for each message, and
 * always from the loop.
 *
 * Each wait has the RFC's patience; until DATA is accepted, the waits together have a bound as well,
 * which nothing that a server says renews (attack 175).
 */
#include "serve/out_call.h"

#include "base/log.h"
#include "net/conn.h"
#include "serve/out.h"

#include <errno.h>
#include <stdlib.h>

enum {
	IN_MAX = 8 * 1024,
	OUT_MAX = 128 * 1024,
	COMMANDS = 8 * 1024,     /* room for commands that is asked for at once */
	CHUNK = 32 * 1024,       /* of a body */
	DIAL_ASK_MS = 35 * 1000, /* dial answers before that */
	LOOK_MS = 5000,          /* so often is looked whether there are too many that wait */
};

enum stage { DIALLING, TALKING, CLOSING };

struct out_call {
	const struct out_call_env *env;
	struct out_place place;
	enum stage stage;
	struct chan_ask ask;
	struct conn *conn;
	struct smtpc *smtpc;
	void *owner; /* of the message; NULL: none is under way */
	const struct out_body *body;
	struct out_reader reader;
	bool reads;  /* the reader is open */
	bool leaves; /* no message is under way, and QUIT is what it waits for */
	unsigned messages;
	uint32_t patience;
	bool opening; /* counted in env->opening */
	enum smtpc_phase phase;
	uint64_t begun_ms, phase_ms, opened_ms;
	size_t rcpts;
	struct loop_timer bound; /* of the phase */
	struct loop_task again, ends;
	int number; /* why it is unreached */
};

static void turn(void *owner, struct conn *conn);
static void bound_over(void *owner);

/* ---- what it may take in all ---- */

/* How long the phase may last; 0: the wait for each reply is bounded, and nothing else. */
static uint64_t
bound_ms(const struct out_call *c)
{
	switch (c->phase) {
	case SMTPC_OPENS:
		return *c->env->opening > OUT_OPENS_MANY ? OUT_OPENS_MANY_MS : OUT_OPENS_MS;
	case SMTPC_ADDRESSES:
		return OUT_ADDRESSES_MS + (uint64_t)c->rcpts * OUT_RCPT_MS;
	case SMTPC_SENDS:
		break;
	}
	return 0;
}

/* Until its end, or, as it may come sooner when others come, until it is looked at again. */
static void
bound_set(struct out_call *c)
{
	uint64_t now = loop_now_ms(c->env->loop), end = c->phase_ms + bound_ms(c);
	uint64_t ms = end > now ? end - now : 0;

	if (c->phase == SMTPC_OPENS && now < c->phase_ms + OUT_OPENS_MANY_MS)
		ms = c->phase_ms + OUT_OPENS_MANY_MS - now;
	else if (c->phase == SMTPC_OPENS && ms > LOOK_MS)
		ms = LOOK_MS;
	loop_timer_set(c->env->loop, &c->bound, ms, bound_over, c);
}

static void
phase_begin(struct out_call *c, enum smtpc_phase phase)
{
	bool opening = c->owner && phase == SMTPC_OPENS;
	uint64_t now = loop_now_ms(c->env->loop);

	if (c->opening && !opening)
		c->opened_ms = now - c->begun_ms;
	*c->env->opening += opening;
	*c->env->opening -= c->opening;
	c->opening = opening;
	c->phase = phase;
	c->phase_ms = now;
	if (c->owner && bound_ms(c))
		bound_set(c);
	else
		loop_timer_stop(c->env->loop, &c->bound);
}

static void
message_begins(struct out_call *c, const struct smtpc_message *m, const struct out_body *body,
               void *owner)
{
	c->owner = owner;
	c->body = body;
	c->messages++;
	c->rcpts = m->n;
	c->begun_ms = loop_now_ms(c->env->loop);
	phase_begin(c, SMTPC_OPENS);
}

static void
over(struct out_call *c, enum out_end end, int number)
{
	void *owner = c->owner;

	if (c->reads)
		out_reader_close(&c->reader);
	c->reads = false;
	c->owner = NULL;
	c->body = NULL;
	phase_begin(c, SMTPC_OPENS);
	if (owner)
		c->env->over(owner, c, end, number);
}

static void
gone(struct out_call *c)
{
	c->env->gone(c->env->whole, c);
	out_call_free(c);
}

/* ---- before there is a connection ---- */

static void
unreached_now(void *owner)
{
	struct out_call *c = owner;

	over(c, OUT_UNREACHED, c->number);
	gone(c);
}

static void
unreached(struct out_call *c, int number)
{
	c->number = number;
	loop_defer(c->env->loop, &c->ends, unreached_now, c);
}

static struct err
connected(struct out_call *c, int fd)
{
	struct bytes name = {c->place.name, c->place.name_n};
	struct conn_conf conf = {.peer = c->place.addr,
	                         .tls_client = c->env->tls,
	                         .tls_name = name,
	                         .in_max = IN_MAX,
	                         .out_max = OUT_MAX};
	struct err e;

	if (name.n > 2 && name.p[0] == '[') /* no name: nothing to say in SNI (RFC 6066 3) */
		conf.tls_name = (struct bytes){name.p + 1, name.n - 2};
	e = conn_open(&c->conn, c->env->loop, fd, &conf, turn, c);
	if (is_ok(e))
		c->stage = TALKING;
	return e;
}

static void
dialled(void *owner, struct err e, struct chan_word *w)
{
	struct out_call *c = owner;
	struct talk_dial_connect_answer a = {.code = ERR_LATER, .sys = EAGAIN};

	if (is_ok(e) && !talk_dial_connect_answer_get(&w->body, &a))
		a.code = ERR_LATER;
	if (!is_ok(e) || a.code || w->fd < 0)
		unreached(c, a.sys <= INT32_MAX && a.sys ? (int)a.sys : EAGAIN);
	else if (!is_ok(connected(c, chan_take_fd(w))))
		unreached(c, ENOMEM);
	else
		turn(c, c->conn); /* the wait for the greeting begins */
}

static void
dial(struct out_call *c)
{
	const struct talk_dial_connect word = {
	    .purpose = DIAL_SMTP, .to = {c->place.addr.ip, 16}, .port = c->place.addr.port};
	struct chan *whom = peers_chan(c->env->peers, ROLE_DIAL, 0);

	if (!whom || !is_ok(chan_ask(whom, &c->ask, talk_dial_connect_out(&word), -1, DIAL_ASK_MS,
	                             dialled, c)))
		unreached(c, EAGAIN);
}

/* ---- the conversation ---- */

static void
turn_again(void *owner)
{
	struct out_call *c = owner;

	turn(c, c->conn);
}

/* Writes pieces of the body; false: there is no room, or it is not ready. */
static bool
send_body(struct out_call *c)
{
	struct bytes piece;
	struct wr out;
	const uint8_t *start;
	size_t n;

	if (!c->reads)
		out_reader_open(&c->reader, c->body, smtpc_takes_8bit(c->smtpc));
	c->reads = true;
	if (!out_reader_ready(&c->reader)) {
		loop_defer(c->env->loop, &c->again, turn_again, c);
		return false;
	}
	piece = out_reader_next(&c->reader);
	if (!piece.n) {
		smtpc_body_end(c->smtpc);
		return true;
	}
	out = conn_room(c->conn, CHUNK);
	if (out.full)
		return false;
	start = out.p;
	n = smtpc_body(c->smtpc, piece, &out);
	conn_wrote(c->conn, wr_since(&out, start).n);
	out_reader_ate(&c->reader, n);
	return true;
}

/*
 * How long this wait may last, from now when something happened.  Without a message nobody else
 * ends it: a server that sends its farewell octet by octet must not keep one of our lines.
 */
static void
be_patient(struct out_call *c, bool news)
{
	uint32_t ms = smtpc_patience_ms(c->smtpc);

	if (!c->owner && !c->leaves)
		conn_until(c->conn, ms);
	c->leaves = !c->owner;
	if (!news && ms == c->patience)
		return;
	c->patience = ms;
	conn_idle(c->conn, ms);
}

static void
close_up(struct out_call *c)
{
	c->stage = CLOSING;
	conn_finish(c->conn);
}

/* What the machine wants; false: there is nothing to be done now. */
static bool
serve(struct out_call *c, enum smtpc_want want, bool news)
{
	enum conn_state state = conn_state(c->conn);

	switch (want) {
	case SMTPC_INPUT:
		if (state != CONN_OPEN) {
			smtpc_lost(c->smtpc, "the server closed the connection");
			return true;
		}
		be_patient(c, news);
		return false;
	case SMTPC_ROOM:
		be_patient(c, news);
		return news;
	case SMTPC_PIECE:
		if (state != CONN_OPEN) {
			smtpc_lost(c->smtpc, "the server closed the connection within the message");
			return true;
		}
		be_patient(c, news);
		return send_body(c);
	case SMTPC_RESULT:
		over(c, OUT_SPOKEN, 0);
		smtpc_taken(c->smtpc);
		return true;
	case SMTPC_TLS:
		conn_starttls(c->conn);
		return false;
	case SMTPC_IDLE:
		if (state != CONN_OPEN) {
			smtpc_lost(c->smtpc, "the server closed the connection");
			return true;
		}
		c->patience = 0;
		conn_idle(c->conn, 0);
		c->env->rests(c->env->whole, c);
		return false;
	case SMTPC_CLOSE:
		close_up(c);
		return false;
	}
	return false;
}

static bool
step(struct out_call *c)
{
	struct bytes held = conn_in(c->conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(c->conn, COMMANDS);
	const uint8_t *start = out.p;
	bool room = !out.full;
	enum smtpc_want want = smtpc_step(c->smtpc, &in, &out);
	size_t wrote = room ? wr_since(&out, start).n : 0;
	size_t ate = held.n - rd_left(&in);

	if (room)
		conn_wrote(c->conn, wrote);
	conn_ate(c->conn, ate);
	if (c->owner && smtpc_phase(c->smtpc) > c->phase)
		phase_begin(c, smtpc_phase(c->smtpc));
	return serve(c, want, wrote || ate);
}

/* The handshake failed: the message is for a connection in plain. */
static void
without_tls(struct out_call *c)
{
	log_event(LOG_INFO, "out.tls_failed", kv_ip("server", c->place.addr.ip),
	          kv_text("name", (struct bytes){c->place.name, c->place.name_n}),
	          kv_err(conn_error(c->conn)));
	over(c, OUT_NO_TLS, 0);
	gone(c);
}

/* Nothing more will come. */
static bool
is_over(const struct out_call *c)
{
	return conn_state(c->conn) == CONN_BROKEN || conn_late(c->conn) != CONN_IN_TIME ||
	       (conn_state(c->conn) != CONN_OPEN && !conn_in(c->conn).n);
}

static void
turn(void *owner, struct conn *conn)
{
	struct out_call *c = owner;
	enum conn_state state = conn_state(conn);

	if (state == CONN_DONE || (c->stage == CLOSING && state == CONN_BROKEN)) {
		gone(c);
		return;
	}
	if (c->stage == CLOSING || state == CONN_HANDSHAKE)
		return;
	if (c->owner && smtpc_began_tls(c->smtpc) && is_over(c)) {
		without_tls(c);
		return;
	}
	if (conn_tls(conn) && tls_is_open(conn_tls(conn)) && !smtpc_is_tls(c->smtpc))
		smtpc_tls_done(c->smtpc);
	if (state == CONN_BROKEN)
		smtpc_lost(c->smtpc, "the connection broke");
	else if (conn_late(conn) != CONN_IN_TIME)
		smtpc_lost(c->smtpc, "the server did not answer in time");
	while (c->stage == TALKING && step(c))
		;
	if (c->stage == CLOSING && conn_state(conn) == CONN_BROKEN)
		gone(c);
}

static void
bound_over(void *owner)
{
	struct out_call *c = owner;

	if (loop_now_ms(c->env->loop) < c->phase_ms + bound_ms(c))
		bound_set(c);
	else if (c->stage == TALKING && conn_state(c->conn) == CONN_HANDSHAKE)
		without_tls(c);
	else
		out_call_stop(c, "the server took too long in all");
}

/* ---- public ---- */

struct err
out_call_new(struct out_call **out, const struct out_call_env *env, const struct out_place *place,
             bool tls, const struct smtpc_message *m, const struct out_body *body, void *owner)
{
	const struct smtpc_conf conf = {.host = env->host, .tls = tls};
	struct out_call *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR(ERR_MEMORY, 0, "call");
	c->env = env;
	c->place = *place;
	c->smtpc = smtpc_new(&conf);
	if (!c->smtpc || !smtpc_message(c->smtpc, m)) {
		out_call_free(c);
		return ERR(ERR_MEMORY, 0, "call");
	}
	message_begins(c, m, body, owner);
	dial(c);
	*out = c;
	return OK;
}

void
out_call_free(struct out_call *c)
{
	if (!c)
		return;
	c->owner = NULL;
	phase_begin(c, SMTPC_OPENS);
	chan_ask_stop(&c->ask);
	loop_defer_stop(c->env->loop, &c->again);
	loop_defer_stop(c->env->loop, &c->ends);
	if (c->reads)
		out_reader_close(&c->reader);
	conn_free(c->conn);
	smtpc_free(c->smtpc);
	free(c);
}

struct err
out_call_send(struct out_call *c, const struct smtpc_message *m, const struct out_body *body,
              void *owner)
{
	if (!smtpc_message(c->smtpc, m))
		return ERR(ERR_MEMORY, 0, "message");
	message_begins(c, m, body, owner);
	loop_defer(c->env->loop, &c->again, turn_again, c);
	return OK;
}

void
out_call_quit(struct out_call *c)
{
	smtpc_quit(c->smtpc);
	loop_defer(c->env->loop, &c->again, turn_again, c);
}

void
out_call_stop(struct out_call *c, const char *why)
{
	smtpc_lost(c->smtpc, why);
	if (c->stage == DIALLING)
		unreached(c, ETIMEDOUT);
	else if (c->stage == TALKING)
		loop_defer(c->env->loop, &c->again, turn_again, c);
	chan_ask_stop(&c->ask);
}

bool
out_call_is_open(const struct out_call *c)
{
	return c->stage == TALKING && conn_state(c->conn) == CONN_OPEN && smtpc_is_ready(c->smtpc);
}

const struct smtpc *
out_call_smtpc(const struct out_call *c)
{
	return c->smtpc;
}

const struct out_place *
out_call_place(const struct out_call *c)
{
	return &c->place;
}

uint64_t
out_call_opened_ms(const struct out_call *c)
{
	return c->opening ? loop_now_ms(c->env->loop) - c->begun_ms : c->opened_ms;
}

unsigned
out_call_messages(const struct out_call *c)
{
	return c->messages;
}

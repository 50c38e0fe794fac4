/*
 * smtpc.c - the order of commands, and what each reply leads to.
 *
 * Invariants:
 * 1. A recipient is delivered only by a 2yz to the dot, behind a 2yz to its RCPT, and is decided
 *    once.
 * 2. Octets that come while no reply is due are never taken for the reply to a later command: the
 *    connection is given up (attack 56).
 * 3. Nothing that came before the handshake is looked at behind it (attack 85).
 * 4. A message comes to its result whatever the server does; none is failed by a broken connection.
 */
#include "proto/smtpc_session.h"

#include "base/text.h"
#include "proto/verb.h"

#include <assert.h>
#include <stdlib.h>

enum { TEXTS_MAX = 300 * 1024 }; /* of one message's replies: 64 in full, or 500 cut */

void
smtpc_enter(struct smtpc *s, enum smtpc_state state)
{
	s->state = state;
	s->said = false;
}

static int
gone(struct smtpc *s)
{
	smtpc_enter(s, SMTPC_GONE);
	return SMTPC_GO_ON;
}

int
smtpc_give_up(struct smtpc *s, const char *why)
{
	struct smtpc_result v = smtpc_own(SMTPC_DEFERRED, "4.5.0", why);

	v.elsewhere = s->state != SMTPC_ENDED;
	smtpc_decide_all(s, v);
	return gone(s);
}

/* ---- one reply ---- */

static void
keep_server(struct smtpc *s, struct bytes line)
{
	struct bytes word, rest;

	verb_cut(line, &word, &rest);
	if (!word.n || word.n > sizeof(s->server) || !verb_is_plain(word))
		return;
	memcpy(s->server, word.p, word.n);
	s->server_n = (uint8_t)word.n;
	/* we have come back to ourselves: the mail would go in a circle (RFC 5321 5.1) */
	s->itself |= bytes_eq_nocase(word, s->conf.host);
}

/* A line of the reply to EHLO (RFC 5321 4.1.1.1). */
static void
keep_extension(struct smtpc *s, struct bytes line)
{
	static const struct {
		const char *name;
		enum smtpc_extension bit;
	} known[] = {
	    {"8BITMIME", SMTPC_8BITMIME}, {"PIPELINING", SMTPC_PIPELINING},
	    {"SIZE", SMTPC_SIZE},         {"STARTTLS", SMTPC_OFFERS_TLS},
	    {"SMTPUTF8", SMTPC_SMTPUTF8}, {"ENHANCEDSTATUSCODES", SMTPC_ENHANCED},
	};
	struct bytes word, args;

	verb_cut(line, &word, &args);
	for (size_t i = 0; i < COUNT(known); i++)
		if (bytes_eq_nocase(word, bytes_of(known[i].name)))
			s->extensions |= known[i].bit;
	if (bytes_eq_nocase(word, BYTES("SIZE")) && !text_u64(args, UINT64_MAX, &s->size_max))
		s->size_max = 0;
}

int
smtpc_hear(struct smtpc *s, struct rd *in)
{
	struct bytes text;
	enum smtpc_took took = SMTPC_LINE;

	if (!s->hearing)
		s->reply = (struct smtpc_reply){0};
	s->hearing = true;
	while (took == SMTPC_LINE) {
		took = smtpc_reply_take(&s->reply, in, &text);
		if (took == SMTPC_BAD)
			return smtpc_give_up(s, "the server sent what is no reply");
		if (took == SMTPC_MORE)
			return SMTPC_INPUT;
		if (s->reply.lines == 1 && s->reply.code / 100 == 2 && s->state <= SMTPC_HELO)
			keep_server(s, text);
		else if (s->state == SMTPC_EHLO && s->reply.code == 250)
			keep_extension(s, text);
	}
	s->hearing = false;
	return SMTPC_HEARD;
}

int
smtpc_closing(struct smtpc *s)
{
	struct smtpc_result v;

	if (s->reply.code != 421)
		return SMTPC_GO_ON;
	v = smtpc_replied(s, SMTPC_SESSION);
	v.elsewhere = s->state != SMTPC_ENDED;
	smtpc_decide_all(s, v);
	return gone(s);
}

/* Says the command of this state once, then hears its reply: SMTPC_HEARD. */
static int
ask(struct smtpc *s, const char *command, struct bytes arg, struct rd *in, struct wr *out)
{
	if (!s->said) {
		if (rd_left(in))
			return smtpc_give_up(s, "the server spoke out of turn");
		if (wr_room(out) < SMTPC_ROOM_MAX)
			return SMTPC_ROOM;
		wr_text(out, command);
		wr_bytes(out, arg);
		wr_text(out, "\r\n");
		s->said = true;
	}
	return smtpc_hear(s, in);
}

static unsigned
class_of(const struct smtpc *s)
{
	return s->reply.code / 100;
}

/* This server does not serve us; another one may. */
static int
refused(struct smtpc *s)
{
	struct smtpc_result v;

	if (class_of(s) < 4)
		return smtpc_give_up(s, "the server's replies are out of order");
	if (s->reply.code == 421)
		return smtpc_closing(s);
	v = smtpc_replied(s, SMTPC_SESSION);
	v.elsewhere = true;
	smtpc_decide_all(s, v);
	smtpc_enter(s, SMTPC_QUIT);
	return SMTPC_GO_ON;
}

/* ---- states ---- */

static int
circle(struct smtpc *s)
{
	struct smtpc_result v = smtpc_own(SMTPC_FAILED, "5.4.6",
	                                  "the server has our own name: mail would go in a circle");

	v.elsewhere = true;
	smtpc_decide_all(s, v);
	smtpc_enter(s, SMTPC_QUIT);
	return SMTPC_GO_ON;
}

static int
greeting(struct smtpc *s, struct rd *in)
{
	int want = smtpc_hear(s, in);

	if (want != SMTPC_HEARD)
		return want;
	if (s->reply.code != 220)
		return refused(s);
	if (s->itself)
		return circle(s);
	smtpc_enter(s, SMTPC_EHLO);
	return SMTPC_GO_ON;
}

static int
ehlo(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, "EHLO ", s->conf.host, in, out);

	if (want != SMTPC_HEARD)
		return want;
	if (class_of(s) == 5) { /* RFC 5321 3.2: the old one then */
		s->extensions = 0;
		s->size_max = 0;
		smtpc_enter(s, SMTPC_HELO);
		return SMTPC_GO_ON;
	}
	if (s->reply.code != 250)
		return refused(s);
	if (s->itself)
		return circle(s);
	s->ready = true;
	smtpc_enter(s, !s->is_tls && s->conf.tls && (s->extensions & SMTPC_OFFERS_TLS)
	                   ? SMTPC_STARTTLS
	                   : SMTPC_READY);
	return SMTPC_GO_ON;
}

static int
helo(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, "HELO ", s->conf.host, in, out);

	if (want != SMTPC_HEARD)
		return want;
	if (class_of(s) != 2)
		return refused(s);
	if (s->itself)
		return circle(s);
	s->ready = true;
	smtpc_enter(s, SMTPC_READY);
	return SMTPC_GO_ON;
}

static int
starttls(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, "STARTTLS", NO_BYTES, in, out);

	if (want != SMTPC_HEARD)
		return want;
	if (s->reply.code == 220) {
		rd_rest(in); /* what was sent ahead of the handshake came from nobody (attack 85) */
		smtpc_enter(s, SMTPC_SHAKES);
		return SMTPC_TLS;
	}
	if (class_of(s) < 4)
		return smtpc_give_up(s, "the server's replies are out of order");
	smtpc_enter(s, SMTPC_READY); /* opportunistic: then in plain */
	return smtpc_closing(s);
}

static int
ready(struct smtpc *s, struct rd *in)
{
	if (rd_left(in)) /* mostly 421: it closes */
		return smtpc_give_up(s, "the server spoke out of turn");
	if (!s->busy && s->quits)
		smtpc_enter(s, SMTPC_QUIT);
	else if (!s->busy)
		return SMTPC_IDLE;
	else if (s->dirty)
		smtpc_enter(s, SMTPC_RSET);
	else {
		smtpc_look_at(s);
		for (size_t i = 0; i < s->m.n && !s->over; i++)
			if (!s->rcpts[i].decided) {
				smtpc_enter(s, SMTPC_ENVELOPE);
				return SMTPC_GO_ON;
			}
		s->over = true; /* none that could be said */
	}
	return SMTPC_GO_ON;
}

static int
rset(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, "RSET", NO_BYTES, in, out);

	if (want != SMTPC_HEARD)
		return want;
	if (class_of(s) != 2)
		return refused(s);
	s->dirty = false;
	smtpc_enter(s, SMTPC_READY);
	return SMTPC_GO_ON;
}

/* A server that speaks before the dot does not want the rest; without a dot it has no message. */
static int
early(struct smtpc *s, struct rd *in)
{
	int want = smtpc_hear(s, in);
	struct smtpc_result v;

	if (want != SMTPC_HEARD)
		return want;
	if (class_of(s) < 4)
		return smtpc_give_up(s, "the server accepted a message that it had not seen");
	v = smtpc_replied(s, SMTPC_END);
	smtpc_decide_all(s, v);
	return gone(s);
}

static int
body(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = SMTPC_INPUT;

	if (rd_left(in) || s->hearing)
		want = early(s, in);
	if (want != SMTPC_INPUT)
		return want;
	if (!s->body_whole)
		return SMTPC_PIECE;
	if (rd_left(in) || s->hearing)
		return smtpc_give_up(s, "the server spoke out of turn");
	if (wr_room(out) < SMTPC_ROOM_MAX)
		return SMTPC_ROOM;
	dot_end(&s->dot, out);
	smtpc_enter(s, SMTPC_ENDED);
	return SMTPC_GO_ON;
}

static int
no_body(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, ".", NO_BYTES, in, out);

	if (want != SMTPC_HEARD)
		return want;
	s->over = true;
	s->dirty = true;
	smtpc_enter(s, SMTPC_READY);
	return smtpc_closing(s);
}

static int
ended(struct smtpc *s, struct rd *in)
{
	int want = smtpc_hear(s, in);

	if (want != SMTPC_HEARD)
		return want;
	if (class_of(s) == 3)
		return smtpc_give_up(s, "the server's replies are out of order");
	smtpc_decide_all(s, smtpc_replied(s, SMTPC_END));
	if (s->reply.code == 421)
		return gone(s);
	smtpc_enter(s, SMTPC_READY);
	return SMTPC_GO_ON;
}

static int
quit(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = ask(s, "QUIT", NO_BYTES, in, out);

	return want == SMTPC_HEARD ? gone(s) : want;
}

static int
act(struct smtpc *s, struct rd *in, struct wr *out)
{
	switch (s->state) {
	case SMTPC_GREETING:
		return greeting(s, in);
	case SMTPC_EHLO:
		return ehlo(s, in, out);
	case SMTPC_HELO:
		return helo(s, in, out);
	case SMTPC_STARTTLS:
		return starttls(s, in, out);
	case SMTPC_SHAKES:
		return SMTPC_TLS;
	case SMTPC_READY:
		return ready(s, in);
	case SMTPC_RSET:
		return rset(s, in, out);
	case SMTPC_ENVELOPE:
		return smtpc_envelope(s, in, out);
	case SMTPC_BODY:
		return body(s, in, out);
	case SMTPC_NO_BODY:
		return no_body(s, in, out);
	case SMTPC_ENDED:
		return ended(s, in);
	case SMTPC_QUIT:
		return quit(s, in, out);
	case SMTPC_GONE:
		return SMTPC_CLOSE;
	}
	return SMTPC_CLOSE;
}

/* The connection is no more, or the message was given to one that is not. */
static void
lose(struct smtpc *s)
{
	struct smtpc_result v =
	    smtpc_own(SMTPC_DEFERRED, "4.4.2", s->lost ? s->lost : "the connection was closed");

	v.elsewhere =
	    !smtpc_in_doubt(s); /* it may be there already: not twice at once (RFC 1047) */
	smtpc_decide_all(s, v);
	smtpc_enter(s, SMTPC_GONE);
}

/* ---- public ---- */

struct smtpc *
smtpc_new(const struct smtpc_conf *conf)
{
	struct smtpc *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conf = *conf;
	s->texts = arena_init(TEXTS_MAX);
	return s;
}

void
smtpc_free(struct smtpc *s)
{
	if (!s)
		return;
	arena_free(&s->texts);
	free(s->rcpts);
	free(s);
}

enum smtpc_want
smtpc_step(struct smtpc *s, struct rd *in, struct wr *out)
{
	int want = SMTPC_GO_ON;

	while (want == SMTPC_GO_ON) {
		if (s->lost || s->state == SMTPC_GONE)
			lose(s);
		if (s->over)
			return SMTPC_RESULT;
		want = act(s, in, out);
	}
	return (enum smtpc_want)want;
}

bool
smtpc_message(struct smtpc *s, const struct smtpc_message *m)
{
	assert(!s->busy && m->n && m->n <= SMTPC_RCPTS_MAX);
	s->rcpts = calloc(m->n, sizeof(*s->rcpts));
	if (!s->rcpts)
		return false;
	s->m = *m;
	s->busy = true;
	s->over = s->data = s->body_whole = false;
	s->next = s->answered = s->accepted = 0;
	s->end = m->n + 2;
	s->dot = (struct dot_out){false, false};
	return true;
}

size_t
smtpc_body(struct smtpc *s, struct bytes piece, struct wr *out)
{
	assert(s->state == SMTPC_BODY && !s->body_whole);
	return dot_put(&s->dot, piece, out);
}

void
smtpc_body_end(struct smtpc *s)
{
	s->body_whole = true;
}

struct smtpc_result
smtpc_result(const struct smtpc *s, size_t i)
{
	assert(s->over && i < s->m.n && s->rcpts[i].decided);
	return s->rcpts[i].result;
}

void
smtpc_taken(struct smtpc *s)
{
	assert(s->over);
	s->busy = s->over = false;
	free(s->rcpts);
	s->rcpts = NULL;
	arena_free(&s->texts);
}

void
smtpc_quit(struct smtpc *s)
{
	s->quits = true;
}

void
smtpc_tls_done(struct smtpc *s)
{
	assert(s->state == SMTPC_SHAKES);
	s->is_tls = true;
	s->ready = false;
	s->extensions = 0;
	s->size_max = 0;
	smtpc_enter(s, SMTPC_EHLO);
}

void
smtpc_lost(struct smtpc *s, const char *why)
{
	if (!s->lost)
		s->lost = why;
}

bool
smtpc_in_doubt(const struct smtpc *s)
{
	return s->state == SMTPC_ENDED;
}

enum smtpc_phase
smtpc_phase(const struct smtpc *s)
{
	switch (s->state) {
	case SMTPC_ENVELOPE:
		return s->answered ? SMTPC_ADDRESSES : SMTPC_OPENS;
	case SMTPC_BODY:
	case SMTPC_NO_BODY:
	case SMTPC_ENDED:
		return SMTPC_SENDS;
	case SMTPC_GREETING:
	case SMTPC_EHLO:
	case SMTPC_HELO:
	case SMTPC_STARTTLS:
	case SMTPC_SHAKES:
	case SMTPC_READY:
	case SMTPC_RSET:
	case SMTPC_QUIT:
	case SMTPC_GONE:
		break;
	}
	return SMTPC_OPENS;
}

uint32_t
smtpc_patience_ms(const struct smtpc *s)
{
	static const uint32_t minute = 60 * 1000;

	switch (s->state) {
	case SMTPC_ENVELOPE:
		return (s->answered > s->m.n ? 2 : 5) * minute;
	case SMTPC_BODY:
		return 3 * minute;
	case SMTPC_NO_BODY:
	case SMTPC_ENDED:
		return 10 * minute;
	case SMTPC_QUIT:
	case SMTPC_GONE:
		return minute / 12;
	case SMTPC_GREETING:
	case SMTPC_EHLO:
	case SMTPC_HELO:
	case SMTPC_STARTTLS:
	case SMTPC_SHAKES:
	case SMTPC_READY:
	case SMTPC_RSET:
		break;
	}
	return 5 * minute;
}

bool
smtpc_is_tls(const struct smtpc *s)
{
	return s->is_tls;
}

bool
smtpc_began_tls(const struct smtpc *s)
{
	return s->state == SMTPC_STARTTLS || s->state == SMTPC_SHAKES;
}

bool
smtpc_is_ready(const struct smtpc *s)
{
	return s->ready && s->state != SMTPC_GONE;
}

bool
smtpc_takes_8bit(const struct smtpc *s)
{
	return (s->extensions & SMTPC_8BITMIME) != 0;
}

struct bytes
smtpc_server(const struct smtpc *s)
{
	return (struct bytes){s->server, s->server_n};
}

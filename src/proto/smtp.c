/*
 * smtp.c - the order of commands, and what each answer to a question lets us say.
 *
 * Invariants:
 * 1. A 250 after the body is written only for SMTP_OK to SMTP_COMMIT.
 * 2. A message ends at CRLF.CRLF and nowhere else; an octet that another server could read as an
 *    end closes the session instead, and nothing behind it is read (attack 36).
 * 3. The envelope is empty but from MAIL to the end of the body.
 * 4. What comes out does not depend on how the input was cut into reads.
 */
#include "proto/smtp_session.h"

#include "mail/date.h"
#include "proto/verb.h"

#include <assert.h>
#include <stdlib.h>

static int
command(struct smtp *s, struct rd *in, struct wr *out)
{
	struct bytes line;
	int want;

	switch (verb_line(in, SMTP_LINE_MAX, &line)) {
	case VERB_MORE:
		return SMTP_INPUT;
	case VERB_BARE:
		return smtp_leave(s, out, "500 5.5.2 lines end with CRLF, closing");
	case VERB_LONG:
		return smtp_leave(s, out, "500 5.5.2 line too long, closing");
	case VERB_ALIEN: /* not a word to a browser that was sent here (attack 46) */
		s->state = SMTP_GONE;
		return SMTP_CLOSE;
	case VERB_LINE:
		break;
	}
	want = smtp_verb(s, line, out);
	if (want == SMTP_TLS) /* what was read ahead came from nobody (RFC 3207 4.2, attack 84) */
		rd_rest(in);
	return want;
}

/* ---- the body ---- */

/* The largest body that is read to its end although it was refused (attack 41). */
static uint64_t
swallow_max(uint64_t size_max)
{
	static const uint64_t unlimited = 64 * 1024 * 1024;

	if (!size_max)
		return unlimited;
	return size_max > UINT64_MAX / 2 ? UINT64_MAX : size_max * 2;
}

/* Reads on in a refused body, unless it is too large for that. */
static int
swallow(struct smtp *s, struct wr *out, const char *refusal)
{
	s->refusal = refusal;
	s->state = SMTP_SWALLOW;
	if (s->size > swallow_max(s->conf->size_max))
		return smtp_leave(s, out, refusal);
	return SMTP_GO_ON;
}

static int
body_piece(struct smtp *s, struct bytes piece, struct wr *out)
{
	uint64_t max = s->conf->size_max;

	s->size += piece.n;
	if (s->state == SMTP_SWALLOW)
		return swallow(s, out, s->refusal);
	if (max && s->size > max)
		return smtp_ask(s, SMTP_DROP);
	s->text = piece;
	return smtp_ask(s, SMTP_BODY);
}

static int
body(struct smtp *s, struct rd *in, struct wr *out)
{
	struct bytes piece;

	switch (dot_take(&s->dot, in, SMTP_TEXT_LINE_MAX, &piece)) {
	case DOT_MORE:
		return SMTP_INPUT;
	case DOT_PIECE:
		return body_piece(s, piece, out);
	case DOT_BARE:
		return smtp_leave(s, out,
		                  "554 5.6.0 a NUL, or a CR or LF that is not CRLF, closing");
	case DOT_LONG:
		return smtp_leave(s, out, "500 5.5.2 line too long, closing");
	case DOT_END:
		break;
	}
	if (s->state == SMTP_TEXT)
		return smtp_ask(s, SMTP_COMMIT);
	smtp_reset(s);
	if (s->refusal[0] == '5')
		return smtp_refuse(s, out, s->refusal);
	return smtp_idle(s, out, s->refusal);
}

/* ---- answers ---- */

static const struct {
	const char *text;
	bool counts;
} answers[] = {
    [SMTP_UNKNOWN] = {"550 5.1.1 no such user here", true},
    [SMTP_NO_RELAY] = {"550 5.7.1 relaying denied", true},
    [SMTP_MANY] = {"452 4.5.3 too many recipients", false},
    [SMTP_QUOTA] = {"452 4.2.2 mailbox full", false},
    [SMTP_TEMP] = {"451 4.3.0 not now, try again later", false},
    [SMTP_FULL] = {"452 4.3.1 no room now, try again later", false},
    [SMTP_LOOP] = {"554 5.4.6 too many hops, this message goes in a loop", true},
    [SMTP_REFUSED] = {"550 5.7.1 refused by our policy", true},
    [SMTP_ALIEN] = {"553 5.7.1 this sender address is not yours", true},
    [SMTP_FORGED] = {"550 5.7.1 the address in From is not yours", true},
    [SMTP_NO_FROM] = {"550 5.6.0 no address in From that can be read", true},
};

static int
say_no(struct smtp *s, struct wr *out)
{
	if (answers[s->answer].counts)
		return smtp_refuse(s, out, answers[s->answer].text);
	return smtp_idle(s, out, answers[s->answer].text);
}

static int
sender_answered(struct smtp *s, struct wr *out)
{
	if (s->answer == SMTP_OK)
		return smtp_begin(s, out);
	smtp_reset(s);
	return say_no(s, out);
}

static int
rcpt_answered(struct smtp *s, struct wr *out)
{
	if (s->answer != SMTP_OK)
		return say_no(s, out);
	smtp_accept(s);
	s->rcpts++;
	s->state = SMTP_RCPTS;
	smtp_reply(out, "250 2.1.5 recipient ok");
	return SMTP_GO_ON;
}

static int
data_answered(struct smtp *s, struct wr *out)
{
	if (s->answer != SMTP_OK)
		return say_no(s, out);
	s->state = SMTP_TEXT;
	smtp_reply(out, "354 go on; end with a dot on a line of its own");
	return SMTP_GO_ON;
}

static int
commit_answered(struct smtp *s, struct wr *out)
{
	enum smtp_answer answer = s->answer;

	if (answer == SMTP_OK) {
		wr_text(out, "250 2.0.0 ");
		smtp_id(s, out);
		smtp_reply(out, " Message accepted for delivery");
		s->errors = s->junk = 0;
	}
	smtp_reset(s); /* policy looks at the next message anew (attack 39) */
	return answer == SMTP_OK ? SMTP_GO_ON : say_no(s, out);
}

/* The reply that an answer calls for. */
static int
settle(struct smtp *s, struct wr *out)
{
	enum smtp_want question = s->open;

	s->open = SMTP_INPUT;
	s->answered = false;
	switch (question) {
	case SMTP_AUTH:
		return smtp_auth_settle(s, out);
	case SMTP_SENDER:
		return sender_answered(s, out);
	case SMTP_RCPT:
		return rcpt_answered(s, out);
	case SMTP_DATA:
		return data_answered(s, out);
	case SMTP_BODY:
		return s->answer == SMTP_OK ? SMTP_GO_ON : swallow(s, out, answers[s->answer].text);
	case SMTP_DROP:
		return swallow(s, out, "552 5.3.4 message larger than our limit");
	case SMTP_COMMIT:
		return commit_answered(s, out);
	case SMTP_INPUT:
	case SMTP_ROOM:
	case SMTP_TLS:
	case SMTP_CLOSE:
		break;
	}
	return SMTP_GO_ON;
}

static int
greet(struct smtp *s, struct wr *out)
{
	s->greeted = true;
	wr_text(out, "220 ");
	wr_bytes(out, s->conf->host);
	smtp_reply(out, " ESMTP Stead");
	return SMTP_GO_ON;
}

static int
end(struct smtp *s, struct wr *out)
{
	static const char *const texts[] = {
	    [SMTP_PREGREET] = "554 5.5.1 you spoke before the greeting, closing",
	    [SMTP_BUSY] = "421 4.7.0 too many connections, closing",
	    [SMTP_IDLE] = "421 4.4.2 nothing came for too long, closing",
	    [SMTP_STOP] = "421 4.3.2 going down, try again later",
	    [SMTP_LOST] = "421 4.7.0 your login is void, log in anew",
	};

	return smtp_leave(s, out, texts[s->why]);
}

static void
copy(uint8_t *to, uint8_t *n, size_t max, struct bytes b)
{
	*n = (uint8_t)(b.n < max ? b.n : max);
	if (*n)
		memcpy(to, b.p, *n);
}

struct smtp *
smtp_new(const struct smtp_conf *conf, struct bytes peer, struct bytes id, bool tls)
{
	struct smtp *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->conf = conf;
	s->envelope = buf_init(SMTP_ENVELOPE_MAX);
	s->tls = tls;
	copy(s->peer, &s->peer_n, sizeof(s->peer), peer);
	copy(s->id, &s->id_n, sizeof(s->id), id);
	return s;
}

void
smtp_free(struct smtp *s)
{
	if (!s)
		return;
	smtp_auth_drop(s);
	buf_free(&s->envelope);
	free(s);
}

enum smtp_want
smtp_step(struct smtp *s, struct rd *in, struct wr *out)
{
	int want = SMTP_GO_ON;

	if (s->state == SMTP_GONE)
		return SMTP_CLOSE;
	if (s->open != SMTP_INPUT && !s->answered && !s->ending)
		return s->open;
	while (want == SMTP_GO_ON) {
		if (wr_room(out) < SMTP_REPLY_MAX)
			return SMTP_ROOM;
		/* an answer first: 421 behind a commit would have the client send it twice */
		if (s->answered)
			want = settle(s, out);
		else if (s->ending)
			want = end(s, out);
		else if (!s->greeted)
			want = greet(s, out);
		else if (s->state == SMTP_TEXT || s->state == SMTP_SWALLOW)
			want = body(s, in, out);
		else if (s->state == SMTP_LOGIN)
			want = smtp_auth_line(s, in, out);
		else
			want = command(s, in, out);
	}
	return (enum smtp_want)want;
}

void
smtp_nonce(struct smtp *s, const uint8_t nonce[SASL_NONCE])
{
	memcpy(s->nonce, nonce, SASL_NONCE);
}

struct sasl *
smtp_sasl(const struct smtp *s)
{
	return s->sasl;
}

struct bytes
smtp_text(const struct smtp *s)
{
	return s->text;
}

void
smtp_answer(struct smtp *s, enum smtp_answer answer)
{
	assert(s->open >= SMTP_AUTH && s->open <= SMTP_COMMIT && !s->answered);
	s->answer = answer;
	s->answered = true;
}

void
smtp_tls_done(struct smtp *s)
{
	assert(s->open == SMTP_TLS);
	s->open = SMTP_INPUT;
	s->state = SMTP_START;
	s->tls = true;
	s->esmtp = false;
	s->helo_n = 0;
}

void
smtp_end(struct smtp *s, enum smtp_why why)
{
	s->why = why;
	s->ending = true;
}

struct bytes
smtp_sender(const struct smtp *s)
{
	struct bytes held = buf_bytes(&s->envelope);
	struct rd r = rd_of(held);

	return held.p ? rd_bytes8(&r) : NO_BYTES;
}

bool
smtp_rcpt(const struct smtp *s, size_t *at, struct bytes *address)
{
	struct bytes held = buf_bytes(&s->envelope);
	struct rd r = rd_of(held);

	if (!held.p)
		return false;
	rd_take(&r, *at ? *at : 1 + smtp_sender(s).n);
	if (!rd_left(&r))
		return false;
	*address = rd_bytes8(&r);
	*at = (size_t)(r.p - held.p);
	return true;
}

uint32_t
smtp_rcpts(const struct smtp *s)
{
	return s->rcpts;
}

uint64_t
smtp_declared(const struct smtp *s)
{
	return s->declared;
}

void
smtp_id(const struct smtp *s, struct wr *w)
{
	wr_bytes(w, (struct bytes){s->id, s->id_n});
	wr_printf(w, "-%u", (unsigned)s->message);
}

void
smtp_received(const struct smtp *s, uint64_t now, struct wr *w)
{
	struct bytes peer = {s->peer, s->peer_n};
	const char *tag = peer.n && memchr(peer.p, ':', peer.n) ? "IPv6:" : "";

	wr_text(w, "Received: from ");
	wr_bytes(w, smtp_helo(s));
	wr_printf(w, " ([%s", tag);
	wr_bytes(w, peer);
	wr_text(w, "])\r\n\tby ");
	wr_bytes(w, s->conf->host);
	/* ESMTPSA and so on (RFC 3848); the letters of a mere HELO say what happened, too */
	wr_printf(w, " (Stead) with %sSMTP%s%s id ", s->esmtp ? "E" : "", s->tls ? "S" : "",
	          s->logged_in ? "A" : "");
	smtp_id(s, w);
	wr_text(w, ";\r\n\t");
	date_write(w, (int64_t)now, 0);
	wr_text(w, "\r\n");
}

bool
smtp_in_message(const struct smtp *s)
{
	return s->state == SMTP_TEXT || s->state == SMTP_SWALLOW;
}

bool
smtp_is_tls(const struct smtp *s)
{
	return s->tls;
}

bool
smtp_logged_in(const struct smtp *s)
{
	return s->logged_in;
}

struct bytes
smtp_helo(const struct smtp *s)
{
	return (struct bytes){s->helo, s->helo_n};
}

size_t
smtp_memory(const struct smtp *s)
{
	return sizeof(*s) + s->envelope.cap + (s->sasl ? SASL_MEMORY_MAX : 0);
}

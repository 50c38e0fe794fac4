/*
 * pop3.c - the phases of POP3, and what each answer to a question lets us say.
 *
 * Invariants:
 * 1. POP3_UPDATE is asked at QUIT and nowhere else (attack 102).
 * 2. Numbers name the same messages from the login to the end.
 * 3. What is under way (a list, a body) is finished before the next command is looked at.
 * 4. What comes out does not depend on how the input was cut into reads.
 */
#include "proto/pop3_session.h"

#include "proto/verb.h"

#include <assert.h>
#include <stdlib.h>

static int
command(struct pop3 *p, struct rd *in, struct wr *out)
{
	struct bytes line;
	int want;

	switch (verb_line(in, POP3_LINE_MAX, &line)) {
	case VERB_MORE:
		return POP3_INPUT;
	case VERB_BARE:
		return pop3_leave(p, out, "-ERR lines end with CRLF, closing");
	case VERB_LONG:
		return pop3_leave(p, out, "-ERR line too long, closing");
	case VERB_ALIEN: /* not a word to a browser that was sent here (attack 46) */
		p->state = POP3_AT_END;
		return POP3_CLOSE;
	case VERB_LINE:
		break;
	}
	want = pop3_verb(p, line, out);
	if (want == POP3_TLS) /* what was read ahead came from nobody (attack 84) */
		rd_rest(in);
	return want;
}

static int
list_on(struct pop3 *p, struct wr *out)
{
	for (; p->number < p->n; p->number++) {
		if (wr_room(out) < POP3_REPLY_MAX)
			return POP3_GO_ON;
		if (!pop3_is_marked(p, p->number))
			pop3_row(p, p->list, p->number, out);
	}
	p->list = POP3_NO_LIST;
	return pop3_reply(out, ".");
}

/* ---- answers ---- */

static int
login_answered(struct pop3 *p, struct wr *out)
{
	p->secret = NO_BYTES;
	switch (p->answer) {
	case POP3_OK:
		return pop3_ask(p, POP3_LISTING);
	case POP3_IN_USE:
		return pop3_refuse(p, out, "-ERR [IN-USE] another session has this maildrop");
	case POP3_TEMP:
	case POP3_GONE:
		return pop3_refuse(p, out, "-ERR [SYS/TEMP] not now, try again later");
	case POP3_BAD:
		break;
	}
	if (++p->logins >= POP3_LOGINS_MAX)
		return pop3_leave(p, out, "-ERR [AUTH] wrong name or password, closing");
	return pop3_refuse(p, out, "-ERR [AUTH] wrong name or password");
}

static int
listing_answered(struct pop3 *p, struct wr *out)
{
	if (p->answer == POP3_IN_USE)
		return pop3_refuse(p, out, "-ERR [IN-USE] another session has this maildrop");
	if (p->answer != POP3_OK)
		return pop3_refuse(p, out, "-ERR [SYS/TEMP] not now, try again later");
	p->state = POP3_TRANSACTION;
	p->errors = 0;
	wr_printf(out, "+OK %zu messages (%llu octets)\r\n", p->live,
	          (unsigned long long)p->octets);
	return POP3_GO_ON;
}

static int
body_answered(struct pop3 *p, struct wr *out)
{
	if (p->sending.begun) { /* there is no way to take back what was sent but to close */
		p->state = POP3_AT_END;
		return POP3_CLOSE;
	}
	return pop3_refuse(p, out,
	                   p->answer == POP3_GONE ? "-ERR that message is gone"
	                                          : "-ERR [SYS/TEMP] not now, try again later");
}

static int
settle(struct pop3 *p, struct wr *out)
{
	enum pop3_want question = p->open;

	p->open = POP3_INPUT;
	p->answered = false;
	switch (question) {
	case POP3_LOGIN:
		return login_answered(p, out);
	case POP3_LISTING:
		return listing_answered(p, out);
	case POP3_BODY:
		return body_answered(p, out);
	case POP3_UPDATE:
		return pop3_leave(p, out,
		                  p->answer == POP3_OK
		                      ? "+OK deleted, good bye"
		                      : "-ERR [SYS/TEMP] some deleted messages not removed");
	case POP3_INPUT:
	case POP3_ROOM:
	case POP3_TLS:
	case POP3_CLOSE:
		break;
	}
	return POP3_GO_ON;
}

/* The open question is BODY: its end, or more of it. */
static int
body_on(struct pop3 *p, struct wr *out)
{
	if (!p->sending.done)
		return POP3_BODY;
	dot_end(&p->sending.dot, out);
	p->open = POP3_INPUT;
	return POP3_GO_ON;
}

static int
greet(struct pop3 *p, struct wr *out)
{
	p->greeted = true;
	wr_text(out, "+OK ");
	wr_bytes(out, p->conf->host);
	return pop3_reply(out, " POP3 Stead");
}

static int
end(struct pop3 *p, struct wr *out)
{
	bool within = p->list != POP3_NO_LIST || (p->open == POP3_BODY && p->sending.begun);

	if (!within) /* a line of ours must not become one of a message's */
		return pop3_leave(p, out, "-ERR [SYS/TEMP] going down, try again later");
	p->state = POP3_AT_END;
	return POP3_CLOSE;
}

struct pop3 *
pop3_new(const struct pop3_conf *conf, bool tls, bool plaintext)
{
	struct pop3 *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->conf = conf;
	p->tls = tls;
	p->plaintext = plaintext;
	return p;
}

void
pop3_free(struct pop3 *p)
{
	if (!p)
		return;
	free(p->marks);
	free(p);
}

enum pop3_want
pop3_step(struct pop3 *p, struct rd *in, struct wr *out)
{
	int want = POP3_GO_ON;

	if (p->state == POP3_AT_END)
		return POP3_CLOSE;
	if (p->open != POP3_INPUT && p->open != POP3_BODY && !p->answered && !p->ending)
		return p->open;
	while (want == POP3_GO_ON) {
		if (wr_room(out) < POP3_REPLY_MAX)
			return POP3_ROOM;
		/* an answer first: what was removed is not to be told as a failure */
		if (p->answered)
			want = settle(p, out);
		else if (p->ending)
			want = end(p, out);
		else if (!p->greeted)
			want = greet(p, out);
		else if (p->open == POP3_BODY)
			want = body_on(p, out);
		else if (p->list != POP3_NO_LIST)
			want = list_on(p, out);
		else
			want = command(p, in, out);
	}
	return (enum pop3_want)want;
}

void
pop3_answer(struct pop3 *p, enum pop3_answer answer)
{
	assert(p->open >= POP3_LOGIN && p->open <= POP3_UPDATE && !p->answered);
	assert(answer != POP3_OK || p->open == POP3_LOGIN || p->open == POP3_UPDATE);
	p->answer = answer;
	p->answered = true;
}

void
pop3_tls_done(struct pop3 *p)
{
	assert(p->open == POP3_TLS);
	p->open = POP3_INPUT;
	p->state = POP3_AUTHORIZATION;
	p->user_n = 0;
	p->tls = true;
}

void
pop3_end(struct pop3 *p)
{
	p->ending = true;
}

struct bytes
pop3_user(const struct pop3 *p)
{
	return (struct bytes){p->user, p->user_n};
}

struct bytes
pop3_secret(const struct pop3 *p)
{
	return p->secret;
}

void
pop3_listing(struct pop3 *p, const struct pop3_message *rows, size_t n)
{
	assert(p->open == POP3_LISTING && n <= POP3_MESSAGES_MAX);
	p->rows = rows;
	p->n = n;
	pop3_unmark(p);
	p->answer = POP3_OK;
	p->answered = true;
}

uint32_t
pop3_number(const struct pop3 *p)
{
	return (uint32_t)p->number;
}

uint64_t
pop3_offset(const struct pop3 *p)
{
	return p->sending.offset;
}

uint64_t
pop3_missing(const struct pop3 *p)
{
	return p->rows[p->number - 1].size - p->sending.offset;
}

/* One line of TOP, or the part of it that is here and has room. */
static size_t
put_line(struct pop3_sending *s, struct bytes rest, struct wr *out)
{
	const uint8_t *lf = memchr(rest.p, '\n', rest.n);
	struct bytes line = {rest.p, lf ? (size_t)(lf - rest.p) + 1 : rest.n};
	size_t took = dot_put(&s->dot, line, out);

	for (size_t i = 0; i < took && s->blank; i++)
		s->blank = line.p[i] == '\r' || line.p[i] == '\n';
	if (!lf || took < line.n)
		return took;
	if (s->body)
		s->lines--;
	s->body |= s->blank;
	s->blank = true;
	s->done = s->body && !s->lines;
	return took;
}

size_t
pop3_body(struct pop3 *p, struct bytes piece, struct wr *out)
{
	struct pop3_sending *s = &p->sending;
	uint64_t size = p->rows[p->number - 1].size;
	size_t took = 0, n;

	assert(p->open == POP3_BODY && !p->answered);
	if (!s->begun) {
		if (wr_room(out) < POP3_REPLY_MAX)
			return 0;
		wr_printf(out, "+OK %llu octets\r\n", (unsigned long long)size);
		s->begun = true;
	}
	if (piece.n > size - s->offset)
		piece.n = (size_t)(size - s->offset);
	while (took < piece.n && !s->done) {
		struct bytes rest = {piece.p + took, piece.n - took};

		n = s->top ? put_line(s, rest, out) : dot_put(&s->dot, rest, out);
		if (!n)
			break;
		took += n;
	}
	s->offset += took;
	s->done |= s->offset == size;
	return took;
}

bool
pop3_deleted(const struct pop3 *p, size_t *at, uint32_t *number)
{
	while (*at < p->n)
		if (pop3_is_marked(p, (*at)++)) {
			*number = (uint32_t)*at;
			return true;
		}
	return false;
}

bool
pop3_is_tls(const struct pop3 *p)
{
	return p->tls;
}

size_t
pop3_memory(const struct pop3 *p)
{
	return sizeof(*p) + (p->marks ? p->n / 8 + 1 : 0);
}

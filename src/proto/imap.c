/*
 * imap.c - the turn of an IMAP session.
 *
 * Invariants:
 * 1. One command at a time: the next is looked at when the tagged answer of the one before was
 *    written, and nothing of a command is kept behind it.
 * 2. What is under way is finished or refused; only a literal that cannot be finished ends the
 *    connection without a word.
 * 3. What comes out does not depend on how the input was cut into reads.
 * 4. An EXPUNGE is told only in IMAP_SYNC, which is not asked where numbers must not move (RFC 3501
 *    7.4.1).
 */
#include "proto/imap_session.h"
#include "proto/verb.h"

#include <assert.h>
#include <stdlib.h>

static int
greet(struct imap *m, struct wr *out)
{
	m->greeted = true;
	wr_text(out, "* OK [");
	imap_put_capabilities(m, out);
	wr_text(out, "] ");
	wr_bytes(out, m->conf->host);
	return imap_line(out, " IMAP4rev1 Stead");
}

/* A literal that comes although it cannot be taken: its octets are no commands. */
static int
too_big(struct imap *m, struct wr *out)
{
	int want = imap_bad(m, out, "BAD a literal that is not taken here");

	return want == IMAP_CLOSE ? want : imap_leave(m, out, "a literal that is not taken here");
}

static int
too_long(struct imap *m, struct wr *out)
{
	int want = imap_bad(m, out, "BAD the command is too long");

	return want == IMAP_CLOSE ? want : imap_leave(m, out, "the command is too long");
}

static int
read_on(struct imap *m, struct rd *in, struct wr *out)
{
	int want;

	switch (imap_read(m, in)) {
	case IMAP_READ_MORE:
		return IMAP_INPUT;
	case IMAP_READ_GO:
		return imap_line(out, "+ go on");
	case IMAP_READ_REFUSED:
		return imap_bad(m, out, "BAD a literal that is not taken here");
	case IMAP_READ_TOO_BIG:
		return too_big(m, out);
	case IMAP_READ_LONG:
		return too_long(m, out);
	case IMAP_READ_BARE:
		return imap_leave(m, out, "lines end with CRLF");
	case IMAP_READ_MEMORY:
		return imap_leave(m, out, "[UNAVAILABLE] no memory");
	case IMAP_READ_ALIEN: /* not a word to a browser that was sent here (attack 46) */
		m->state = IMAP_AT_END;
		return IMAP_CLOSE;
	case IMAP_READ_MESSAGE:
		return imap_append_begin(m);
	case IMAP_READ_COMMAND:
		break;
	}
	want = imap_verb(m, out);
	if (want == IMAP_TLS) /* what was read ahead came from nobody (attack 84) */
		rd_rest(in);
	return want;
}

static int
idle_on(struct imap *m, struct rd *in, struct wr *out)
{
	struct bytes line;

	if (m->changed) {
		m->changed = false;
		if (m->state == IMAP_SELECTED)
			return imap_ask(m, IMAP_SYNC);
	}
	switch (verb_line(in, IMAP_LINE_MAX, &line)) {
	case VERB_MORE:
		return IMAP_WAIT;
	case VERB_ALIEN:
	case VERB_BARE:
	case VERB_LONG:
		return imap_leave(m, out, "DONE ends IDLE");
	case VERB_LINE:
		break;
	}
	if (!bytes_eq_nocase(line, BYTES("DONE")))
		return imap_bad(m, out, "BAD DONE ends IDLE");
	return imap_finish(m, "OK done");
}

static int
go_on(struct imap *m, struct rd *in, struct wr *out)
{
	switch (m->doing) {
	case IMAP_ON_NOTHING:
		break;
	case IMAP_ON_SASL:
		return imap_sasl_on(m, in, out);
	case IMAP_ON_APPEND:
		return imap_append_on(m, in, out);
	case IMAP_ON_IDLE:
		return idle_on(m, in, out);
	case IMAP_ON_ROW:
		return imap_render_on(m, out);
	case IMAP_ON_COPYUID:
		return imap_copyuid_on(m, out);
	case IMAP_ON_RESULT:
		return imap_result_on(m, out);
	}
	return read_on(m, in, out);
}

/* Between two lines, and where nothing was begun that the client has to hear the end of. */
static bool
may_end(const struct imap *m)
{
	if (m->line_open || m->answered)
		return false;
	if (m->open == IMAP_INPUT)
		return m->doing == IMAP_ON_NOTHING || m->doing == IMAP_ON_IDLE ||
		       m->doing == IMAP_ON_SASL || m->doing == IMAP_ON_APPEND;
	return m->open == IMAP_ROW || m->open == IMAP_FOLDERS || m->open == IMAP_FIND;
}

/* Questions that are answered in many pieces: they are asked again when there is room. */
static bool
is_stream(enum imap_want question)
{
	return question == IMAP_FOLDERS || question == IMAP_SYNC || question == IMAP_OCTETS ||
	       question == IMAP_FIND;
}

static int
turn(struct imap *m, struct rd *in, struct wr *out)
{
	if (m->answered) /* first: what was done is not to be told as a failure */
		return imap_settle(m, out);
	if (m->ending && may_end(m))
		return imap_leave(m, out, "[UNAVAILABLE] going down, come back later");
	if (m->open != IMAP_INPUT)
		return (int)m->open;
	return m->greeted ? go_on(m, in, out) : greet(m, out);
}

struct imap *
imap_new(const struct imap_conf *conf, bool tls, bool plaintext)
{
	struct imap *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->conf = conf;
	m->tls = tls;
	m->plaintext = plaintext;
	m->text = buf_init(IMAP_COMMAND_MAX);
	m->arena = arena_init(IMAP_MEMORY_MAX);
	return m;
}

void
imap_free(struct imap *m)
{
	if (!m)
		return;
	imap_forget(m);
	free(m);
}

enum imap_want
imap_step(struct imap *m, struct rd *in, struct wr *out)
{
	int want = IMAP_GO_ON;

	if (m->state == IMAP_AT_END)
		return IMAP_CLOSE;
	if (m->open != IMAP_INPUT && !is_stream(m->open) && !m->answered && !m->ending)
		return m->open;
	while (want == IMAP_GO_ON) {
		if (wr_room(out) < IMAP_REPLY_MAX)
			return IMAP_ROOM;
		want = turn(m, in, out);
	}
	return (enum imap_want)want;
}

void
imap_answer(struct imap *m, enum imap_answer answer)
{
	assert(m->open >= IMAP_NONCE && m->open <= IMAP_REMOVE && m->open != IMAP_SASL);
	assert(!m->answered);
	assert(answer != IMAP_OK ||
	       (m->open != IMAP_NONCE && m->open != IMAP_STATE && m->open != IMAP_OPEN &&
	        m->open != IMAP_COMMIT && m->open != IMAP_TAKE && m->open != IMAP_OCTETS));
	m->answer = answer;
	m->answered = true;
}

void
imap_tls_done(struct imap *m)
{
	assert(m->open == IMAP_TLS);
	imap_forget(m);
	m->reading.seen = false;
	m->open = IMAP_INPUT;
	m->tls = true;
}

void
imap_end(struct imap *m)
{
	m->ending = true;
}

struct imap_command *
imap_command(struct imap *m)
{
	return m->command;
}

struct sasl *
imap_sasl(struct imap *m)
{
	return m->sasl;
}

void
imap_changed(struct imap *m)
{
	m->changed = m->doing == IMAP_ON_IDLE;
}

bool
imap_is_tls(const struct imap *m)
{
	return m->tls;
}

bool
imap_is_logged_in(const struct imap *m)
{
	return m->state == IMAP_AUTHENTICATED || m->state == IMAP_SELECTED;
}

size_t
imap_memory(const struct imap *m)
{
	return sizeof(*m) + m->text.cap + m->arena.used + (m->sasl ? SASL_MEMORY_MAX : 0);
}

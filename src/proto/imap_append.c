/*
 * imap_append.c - an APPEND's message passes through: piece by piece to the driver, or, where it was
 * refused and comes all the same (RFC 7888), to nobody.  It is durable before the client is told.
 */
#include "base/text.h"
#include "proto/imap_session.h"
#include "proto/verb.h"

#include <assert.h>

static int
refuse(struct imap *m, struct wr *out)
{
	return m->result ? imap_finish(m, m->result) : imap_refuse(m, out, m->appending.refused);
}

/* The line that ends the command. */
static int
ended(struct imap *m, struct rd *in, struct wr *out)
{
	struct bytes line;

	switch (verb_line(in, IMAP_LINE_MAX, &line)) {
	case VERB_MORE:
		return IMAP_INPUT;
	case VERB_ALIEN:
	case VERB_BARE:
	case VERB_LONG:
		return imap_leave(m, out, "an APPEND ends with its message");
	case VERB_LINE:
		break;
	}
	if (m->appending.refused != IMAP_OK)
		return refuse(m, out);
	return imap_ask(m, text_trim(line).n ? IMAP_DROP : IMAP_COMMIT);
}

int
imap_append_begin(struct imap *m)
{
	m->doing = IMAP_ON_APPEND;
	m->result = imap_why_not(m->command);
	if (!m->appending.left)
		m->result = "NO [CANNOT] a message without octets";
	if (!m->result)
		return imap_ask(m, IMAP_BEGIN);
	m->appending.refused = IMAP_CANNOT;
	return IMAP_GO_ON;
}

int
imap_append_on(struct imap *m, struct rd *in, struct wr *out)
{
	struct imap_appending *a = &m->appending;
	size_t n = rd_left(in);

	if (a->refused != IMAP_OK && a->sync)
		return refuse(m, out); /* it will not come */
	if (a->sync) {
		a->sync = false;
		return imap_line(out, "+ go on");
	}
	if (a->piece) { /* it was taken */
		rd_take(in, a->piece);
		a->left -= a->piece;
		a->piece = 0;
		return IMAP_GO_ON;
	}
	if (!a->left)
		return ended(m, in, out);
	if (!n)
		return IMAP_INPUT;
	n = n < a->left ? n : (size_t)a->left;
	if (a->refused != IMAP_OK) {
		rd_take(in, n);
		a->left -= n;
		return IMAP_GO_ON;
	}
	m->piece = (struct bytes){in->p, n};
	a->piece = n;
	return imap_ask(m, IMAP_PIECE);
}

int
imap_append_settle(struct imap *m, struct wr *out)
{
	enum imap_want question = m->open;

	m->open = IMAP_INPUT;
	m->answered = false;
	m->piece = NO_BYTES;
	if (question == IMAP_DROP)
		return imap_bad(m, out, "BAD an APPEND ends with its message");
	if (question != IMAP_COMMIT) {
		m->appending.refused = m->answer;
		return IMAP_GO_ON;
	}
	if (m->answer != IMAP_OK)
		return imap_refuse(m, out, m->answer);
	m->code = IMAP_CODE_APPENDUID;
	return imap_finish(m, "OK it is there");
}

struct bytes
imap_piece(const struct imap *m)
{
	return m->piece;
}

void
imap_appended(struct imap *m, uint32_t uidvalidity, uint32_t uid)
{
	assert(m->open == IMAP_COMMIT && !m->answered);
	m->appended_validity = uidvalidity;
	m->appended_uid = uid;
	m->answer = IMAP_OK;
	m->answered = true;
}

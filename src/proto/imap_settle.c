/* imap_settle.c - what the answer to each question lets us say, and the answers that bring data. */
#include "proto/imap_session.h"

#include <assert.h>

static int
opened(struct imap *m, struct wr *out)
{
	const struct imap_opened *o = &m->told.opened;

	m->state = IMAP_SELECTED;
	m->read_only = o->read_only || m->command->verb == IMAP_DO_EXAMINE;
	m->keywords = o->keywords;
	m->keywords_n = (uint8_t)o->keywords_n;
	wr_text(out, "* FLAGS ");
	imap_put_all_flags(m, out, false);
	wr_text(out, "\r\n* OK [PERMANENTFLAGS ");
	if (m->read_only)
		wr_text(out, "()");
	else
		imap_put_all_flags(m, out, m->keywords_n < IMAP_KEYWORDS_MAX);
	wr_printf(out, "] these stay\r\n* %u EXISTS\r\n* %u RECENT\r\n", (unsigned)o->exists,
	          (unsigned)o->recent);
	if (o->unseen)
		wr_printf(out, "* OK [UNSEEN %u] the first of them\r\n", (unsigned)o->unseen);
	wr_printf(out, "* OK [UIDVALIDITY %u] UIDs are valid\r\n", (unsigned)o->uidvalidity);
	wr_printf(out, "* OK [UIDNEXT %u] the next one\r\n", (unsigned)o->uidnext);
	return imap_finish_quietly(m, m->read_only ? "OK [READ-ONLY] it is open to be looked at"
	                                           : "OK [READ-WRITE] it is open");
}

static int
status(struct imap *m, struct wr *out)
{
	const struct imap_command *c = m->command;
	const struct imap_status *s = &m->told.status;
	const struct {
		enum imap_status_item item;
		const char *name;
		uint32_t value;
	} items[] = {
	    {IMAP_STATUS_MESSAGES, "MESSAGES", s->messages},
	    {IMAP_STATUS_RECENT, "RECENT", s->recent},
	    {IMAP_STATUS_UIDNEXT, "UIDNEXT", s->uidnext},
	    {IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", s->uidvalidity},
	    {IMAP_STATUS_UNSEEN, "UNSEEN", s->unseen},
	};
	const char *gap = "";

	wr_text(out, "* STATUS ");
	imap_put_name(out, c->mailbox);
	wr_text(out, " (");
	for (size_t i = 0; i < COUNT(items); i++)
		if (c->status & items[i].item) {
			wr_printf(out, "%s%s %u", gap, items[i].name, (unsigned)items[i].value);
			gap = " ";
		}
	imap_line(out, ")");
	return imap_finish(m, "OK done");
}

static int
left(struct imap *m)
{
	m->state = IMAP_AUTHENTICATED;
	m->keywords = NULL;
	m->keywords_n = 0;
	return imap_finish(m, "OK closed");
}

static int
resolved(struct imap *m)
{
	return m->command->fetch.n ? imap_ask(m, IMAP_ROW) : imap_finish(m, "OK done");
}

static int
found(struct imap *m, struct wr *out)
{
	if (!m->line_open)
		wr_text(out, "* SEARCH");
	m->line_open = false;
	imap_line(out, "");
	return imap_finish(m, "OK done");
}

/* RFC 4315 3: COPY's tagged answer has the code, behind the news; MOVE tells it before them, since
 * they will be of messages that went (RFC 6851 4.3). */
static int
taken(struct imap *m)
{
	int want = IMAP_GO_ON;

	if (!m->told.copied.from_n)
		return imap_finish(m, "OK there were none");
	if (m->command->verb == IMAP_DO_COPY)
		want = imap_finish(m, "OK copied");
	m->copied_at = 0;
	m->doing = IMAP_ON_COPYUID;
	return want;
}

static int
removed(struct imap *m)
{
	if (m->command->verb == IMAP_DO_CLOSE)
		return imap_ask(m, IMAP_LEAVE);
	return imap_finish(m, "OK done");
}

static int
accepted(struct imap *m, enum imap_want question, struct wr *out)
{
	switch (question) {
	case IMAP_NONCE:
		m->doing = IMAP_ON_SASL;
		return IMAP_GO_ON;
	case IMAP_FOLDERS:
		return imap_finish(m, "OK that is all");
	case IMAP_FOLDER:
		return imap_finish(m, "OK done");
	case IMAP_STATE:
		return status(m, out);
	case IMAP_OPEN:
		return opened(m, out);
	case IMAP_LEAVE:
		return left(m);
	case IMAP_RESOLVE:
		return resolved(m);
	case IMAP_FIND:
		return found(m, out);
	case IMAP_TAKE:
		return taken(m);
	case IMAP_REMOVE:
		return removed(m);
	default: /* the others are not settled here */
		return IMAP_GO_ON;
	}
}

/* ---- COPYUID ---- */

static void
put_range(struct wr *out, bool first, const struct imap_range *r)
{
	wr_printf(out, first ? "%u" : ",%u", (unsigned)r->first);
	if (r->last != r->first)
		wr_printf(out, ":%u", (unsigned)r->last);
}

static int
copyuid_done(struct imap *m, struct wr *out)
{
	m->line_open = false;
	if (m->command->verb == IMAP_DO_COPY) {
		imap_line(out, "] copied");
		m->errors = 0;
		imap_forget(m);
		return IMAP_GO_ON;
	}
	imap_line(out, "] moved");
	return imap_finish(m, "OK done");
}

/* ---- answers with data ---- */

static void
answer_with(struct imap *m, enum imap_want question)
{
	assert(m->open == question && !m->answered);
	m->answer = IMAP_OK;
	m->answered = true;
}

int
imap_settle(struct imap *m, struct wr *out)
{
	enum imap_want question = m->open;

	switch (question) {
	case IMAP_BEGIN:
	case IMAP_PIECE:
	case IMAP_DROP:
	case IMAP_COMMIT:
		return imap_append_settle(m, out);
	case IMAP_ROW:
	case IMAP_STRUCTURE:
	case IMAP_PART:
	case IMAP_OCTETS:
		return imap_render_settle(m, out);
	default:
		break;
	}
	m->open = IMAP_INPUT;
	m->answered = false;
	if (question == IMAP_SYNC) /* what could not be told now is told next time */
		return m->answer == IMAP_GONE ? imap_leave(m, out, "the mailbox was removed")
		                              : IMAP_GO_ON;
	if (m->answer == IMAP_OK)
		return accepted(m, question, out);
	if (m->line_open) /* SEARCH: what was found so far stays said */
		imap_line(out, "");
	m->line_open = false;
	return imap_refuse(m, out, m->answer);
}

int
imap_copyuid_on(struct imap *m, struct wr *out)
{
	const struct imap_copied *c = &m->told.copied;

	if (!m->line_open) {
		wr_bytes(out, m->command->verb == IMAP_DO_COPY ? m->command->tag : BYTES("*"));
		wr_printf(out, " OK [COPYUID %u ", (unsigned)c->uidvalidity);
		m->line_open = true;
	}
	while (m->copied_at < c->from_n + c->to_n) {
		size_t i = m->copied_at;

		if (wr_room(out) < 64)
			return IMAP_GO_ON;
		if (i == c->from_n)
			wr_u8(out, ' ');
		if (i < c->from_n)
			put_range(out, i == 0, &c->from[i]);
		else
			put_range(out, i == c->from_n, &c->to[i - c->from_n]);
		m->copied_at++;
	}
	return wr_room(out) < 64 ? IMAP_GO_ON : copyuid_done(m, out);
}

void
imap_status(struct imap *m, const struct imap_status *s)
{
	answer_with(m, IMAP_STATE);
	m->told.status = *s;
}

void
imap_opened(struct imap *m, const struct imap_opened *o)
{
	answer_with(m, IMAP_OPEN);
	assert(o->keywords_n <= IMAP_KEYWORDS_MAX);
	m->told.opened = *o;
}

void
imap_copied(struct imap *m, const struct imap_copied *c)
{
	answer_with(m, IMAP_TAKE);
	m->told.copied = *c;
}

size_t
imap_hits(struct imap *m, const uint32_t *numbers, size_t n, struct wr *out)
{
	size_t i = 0;

	assert(m->open == IMAP_FIND && !m->answered);
	for (; i < n && wr_room(out) >= 64; i++) {
		if (!m->line_open)
			wr_text(out, "* SEARCH");
		m->line_open = true;
		wr_printf(out, " %u", (unsigned)numbers[i]);
	}
	return i;
}

bool
imap_may_expunge(const struct imap *m)
{
	const struct imap_command *c = m->command;

	if (!c || c->uid)
		return true;
	return c->verb != IMAP_DO_FETCH && c->verb != IMAP_DO_STORE && c->verb != IMAP_DO_SEARCH;
}

bool
imap_update(struct imap *m, const struct imap_update *u, struct wr *out)
{
	assert(m->open == IMAP_SYNC && !m->answered);
	if (wr_room(out) < IMAP_REPLY_MAX)
		return false;
	switch (u->what) {
	case IMAP_NEWS_EXPUNGE:
		assert(imap_may_expunge(m));
		wr_printf(out, "* %u EXPUNGE\r\n", (unsigned)u->number);
		break;
	case IMAP_NEWS_EXISTS:
		wr_printf(out, "* %u EXISTS\r\n* %u RECENT\r\n", (unsigned)u->number,
		          (unsigned)u->recent);
		break;
	case IMAP_NEWS_KEYWORDS:
		assert(u->keywords_n <= IMAP_KEYWORDS_MAX);
		m->keywords = u->keywords;
		m->keywords_n = (uint8_t)u->keywords_n;
		wr_text(out, "* FLAGS ");
		imap_put_all_flags(m, out, false);
		if (!m->read_only) {
			wr_text(out, "\r\n* OK [PERMANENTFLAGS ");
			imap_put_all_flags(m, out, m->keywords_n < IMAP_KEYWORDS_MAX);
			wr_text(out, "] these stay");
		}
		imap_line(out, "");
		break;
	case IMAP_NEWS_FLAGS:
		wr_printf(out, "* %u FETCH (UID %u FLAGS ", (unsigned)u->row->number,
		          (unsigned)u->row->uid);
		imap_put_flags(m, out, u->row);
		imap_line(out, ")");
		break;
	}
	return true;
}

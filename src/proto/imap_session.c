/* imap_session.c - replies, and the life of one command. */
#include "proto/imap_session.h"

#include "proto/imap_name.h"
#include "proto/imap_parse.h"

#include <assert.h>

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
    {IMAP_ANSWERED, "\\Answered"}, {IMAP_FLAGGED, "\\Flagged"}, {IMAP_DELETED, "\\Deleted"},
    {IMAP_SEEN, "\\Seen"},         {IMAP_DRAFT, "\\Draft"},
};

/* The tag as far as it can be told, also of what is no command; "*" where it has none. */
static struct bytes
tag(const struct imap *m)
{
	struct rd in = rd_of(buf_bytes(&m->text));
	struct bytes t = imap_take_tag(&in);

	return in.bad ? BYTES("*") : t;
}

static void
put_tagged(const struct imap *m, struct wr *out, const char *text)
{
	wr_bytes(out, tag(m));
	wr_u8(out, ' ');
	imap_line(out, text);
}

static bool
makes_a_message(const struct imap *m)
{
	enum imap_verb v = m->command->verb;

	return v == IMAP_DO_APPEND || v == IMAP_DO_COPY || v == IMAP_DO_MOVE;
}

static const char *
full_text(const struct imap *m)
{
	if (m->command->verb == IMAP_DO_STORE)
		return "NO [LIMIT] no more keywords in this mailbox";
	return makes_a_message(m) ? "NO [OVERQUOTA] no room for it"
	                          : "NO [LIMIT] no more mailboxes";
}

static void
put_code(const struct imap *m, struct wr *out)
{
	switch (m->code) {
	case IMAP_CODE_NONE:
	case IMAP_CODE_COPYUID: /* too long for here: imap_verbs.c writes it */
		break;
	case IMAP_CODE_CAPABILITY:
		wr_text(out, "[");
		imap_put_capabilities(m, out);
		wr_text(out, "] ");
		break;
	case IMAP_CODE_APPENDUID:
		wr_printf(out, "[APPENDUID %u %u] ", (unsigned)m->appended_validity,
		          (unsigned)m->appended_uid);
		break;
	}
}

static void
put_one(struct wr *out, bool *first, struct bytes name)
{
	if (!*first)
		wr_u8(out, ' ');
	*first = false;
	wr_bytes(out, name);
}

int
imap_line(struct wr *out, const char *text)
{
	wr_text(out, text);
	wr_text(out, "\r\n");
	return IMAP_GO_ON;
}

int
imap_ask(struct imap *m, enum imap_want question)
{
	m->open = question;
	m->answered = false;
	return (int)question;
}

int
imap_leave(struct imap *m, struct wr *out, const char *text)
{
	wr_text(out, "* BYE ");
	imap_line(out, text);
	m->state = IMAP_AT_END;
	return IMAP_CLOSE;
}

int
imap_bad(struct imap *m, struct wr *out, const char *text)
{
	put_tagged(m, out, text);
	imap_forget(m);
	if (++m->errors >= IMAP_ERRORS_MAX)
		return imap_leave(m, out, "too many errors");
	return IMAP_GO_ON;
}

int
imap_finish_quietly(struct imap *m, const char *text)
{
	m->result = text;
	m->doing = IMAP_ON_RESULT;
	return IMAP_GO_ON;
}

int
imap_finish(struct imap *m, const char *text)
{
	imap_finish_quietly(m, text);
	return m->state == IMAP_SELECTED ? imap_ask(m, IMAP_SYNC) : IMAP_GO_ON;
}

int
imap_refuse(struct imap *m, struct wr *out, enum imap_answer answer)
{
	switch (answer) {
	case IMAP_OK:
	case IMAP_TEMP:
		break;
	case IMAP_ABSENT:
		return imap_finish(m, makes_a_message(m) ? "NO [TRYCREATE] no such mailbox"
		                                         : "NO [NONEXISTENT] no such mailbox");
	case IMAP_EXISTS:
		return imap_finish(m, "NO [ALREADYEXISTS] there is one of that name");
	case IMAP_CANNOT:
		return imap_finish(m, "NO [CANNOT] not with a mailbox of that name");
	case IMAP_FULL:
		return imap_finish(m, full_text(m));
	case IMAP_NUMBER:
		return imap_bad(m, out, "BAD no such message");
	case IMAP_TOO_BIG:
		return imap_finish(m, "NO [TOOBIG] the message is too large");
	case IMAP_GONE:
		return imap_finish(m, "NO [EXPUNGEISSUED] some of these messages are gone");
	}
	return imap_finish(m, "NO [UNAVAILABLE] not now, try again later");
}

int
imap_result_on(struct imap *m, struct wr *out)
{
	bool ok = m->result[0] == 'O';

	wr_bytes(out, m->command->tag);
	wr_u8(out, ' ');
	if (ok) {
		wr_text(out, "OK ");
		put_code(m, out);
		m->errors = 0;
	}
	imap_line(out, ok ? m->result + 3 : m->result);
	imap_forget(m);
	return IMAP_GO_ON;
}

void
imap_forget(struct imap *m)
{
	bool secret = m->command && (m->command->verb == IMAP_DO_LOGIN ||
	                             m->command->verb == IMAP_DO_AUTHENTICATE);

	if (secret && m->text.p) {
		explicit_bzero(m->text.p, m->text.cap);
		arena_wipe(&m->arena);
	}
	sasl_free(m->sasl);
	m->sasl = NULL;
	buf_free(&m->text);
	arena_free(&m->arena);
	m->command = NULL;
	m->render = NULL;
	m->listing = NULL;
	m->result = NULL;
	m->reading = (struct imap_reading){.seen = m->reading.seen};
	m->doing = IMAP_ON_NOTHING;
	m->code = IMAP_CODE_NONE;
	m->lost = m->late = m->line_open = m->challenged = m->changed = false;
}

bool
imap_may_log_in(const struct imap *m)
{
	return m->tls || m->plaintext;
}

void
imap_put_capabilities(const struct imap *m, struct wr *out)
{
	/* all of it at once: many clients do not ask again behind the login */
	wr_text(out, "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE"
	             " IDLE NAMESPACE CHILDREN SPECIAL-USE UIDPLUS MOVE UNSELECT");
	if (m->state != IMAP_NOT_AUTHENTICATED)
		return;
	if (m->conf->starttls && !m->tls)
		wr_text(out, " STARTTLS");
	if (!imap_may_log_in(m)) {
		wr_text(out, " LOGINDISABLED"); /* attack 92 */
		return;
	}
	for (struct bytes rest = BYTES(SASL_MECHANISMS); rest.n;) {
		size_t n = 0;

		while (n < rest.n && rest.p[n] != ' ')
			n++;
		wr_text(out, " AUTH=");
		wr_bytes(out, (struct bytes){rest.p, n});
		n += n < rest.n;
		rest = (struct bytes){rest.p + n, rest.n - n};
	}
}

void
imap_put_name(struct wr *out, struct bytes name)
{
	uint8_t room[IMAP_NAME_WIRE * IMAP_NAME_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes wire;

	assert(name.n <= IMAP_NAME_MAX);
	imap_name_encode(&w, name);
	wire = wr_since(&w, room);
	wr_u8(out, '"');
	for (size_t i = 0; i < wire.n; i++) {
		if (wire.p[i] == '"' || wire.p[i] == '\\')
			wr_u8(out, '\\');
		wr_u8(out, wire.p[i]);
	}
	wr_u8(out, '"');
}

void
imap_put_flags(const struct imap *m, struct wr *out, const struct imap_row *row)
{
	bool first = true;

	wr_u8(out, '(');
	for (size_t i = 0; i < COUNT(flag_names); i++)
		if (row->flags & flag_names[i].flag)
			put_one(out, &first, bytes_of(flag_names[i].name));
	if (row->recent)
		put_one(out, &first, BYTES("\\Recent"));
	for (size_t i = 0; i < m->keywords_n; i++)
		if (row->keywords >> i & 1)
			put_one(out, &first, m->keywords[i]);
	wr_u8(out, ')');
}

void
imap_put_all_flags(const struct imap *m, struct wr *out, bool with_new)
{
	bool first = true;

	wr_u8(out, '(');
	for (size_t i = 0; i < COUNT(flag_names); i++)
		put_one(out, &first, bytes_of(flag_names[i].name));
	for (size_t i = 0; i < m->keywords_n; i++)
		put_one(out, &first, m->keywords[i]);
	if (with_new)
		put_one(out, &first, BYTES("\\*"));
	wr_u8(out, ')');
}

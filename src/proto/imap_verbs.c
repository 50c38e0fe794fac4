/*
 * imap_verbs.c - what each command begins with; the table at the end tells when it may come and how
 * it is read.
 */
#include "base/text.h"
#include "proto/imap_args.h"
#include "proto/imap_session.h"

#define IN(st) (1u << (st))

enum {
	ANY = IN(IMAP_NOT_AUTHENTICATED) | IN(IMAP_AUTHENTICATED) | IN(IMAP_SELECTED),
	BEFORE = IN(IMAP_NOT_AUTHENTICATED),
	AFTER = IN(IMAP_AUTHENTICATED) | IN(IMAP_SELECTED),
	OPENED = IN(IMAP_SELECTED),
};

typedef int run_fn(struct imap *, struct wr *);

struct verb {
	const char *name;
	enum imap_verb verb;
	unsigned in; /* a bit for each state in which it may come */
	imap_args_fn *args;
	run_fn *run;
	bool by_uid; /* may stand behind UID */
};

static int
do_capability(struct imap *m, struct wr *out)
{
	wr_text(out, "* ");
	imap_put_capabilities(m, out);
	imap_line(out, "");
	return imap_finish(m, "OK done");
}

static int
do_noop(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_finish(m, "OK done");
}

static int
do_logout(struct imap *m, struct wr *out)
{
	imap_line(out, "* BYE good bye");
	m->result = "OK good bye";
	imap_result_on(m, out);
	m->state = IMAP_AT_END;
	return IMAP_CLOSE;
}

static int
do_id(struct imap *m, struct wr *out)
{
	imap_line(out, "* ID (\"name\" \"Stead\")");
	return imap_finish(m, "OK and who are you");
}

static int
do_enable(struct imap *m, struct wr *out)
{
	imap_line(out, "* ENABLED"); /* there is nothing yet that needs it (RFC 5161 3.2) */
	return imap_finish(m, "OK done");
}

static int
do_namespace(struct imap *m, struct wr *out)
{
	imap_line(out, "* NAMESPACE ((\"\" \"/\")) NIL NIL");
	return imap_finish(m, "OK done");
}

static int
do_starttls(struct imap *m, struct wr *out)
{
	if (m->tls)
		return imap_bad(m, out, "BAD TLS is active");
	if (!m->conf->starttls)
		return imap_bad(m, out, "BAD STARTTLS is not offered");
	m->result = "OK begin TLS now";
	imap_result_on(m, out);
	return imap_ask(m, IMAP_TLS);
}

/* Said before a secret is sent, where the client asks first (RFC 8314 3.3, attack 92). */
static int
no_privacy(struct imap *m)
{
	return imap_finish(m, "NO [PRIVACYREQUIRED] no login without TLS: STARTTLS first");
}

static int
do_login(struct imap *m, struct wr *out)
{
	return imap_may_log_in(m) ? imap_login_begin(m, out) : no_privacy(m);
}

static int
do_authenticate(struct imap *m, struct wr *out)
{
	enum sasl_mechanism mechanism;

	(void)out;
	if (!imap_may_log_in(m))
		return no_privacy(m);
	if (!sasl_mechanism(m->command->mechanism, &mechanism))
		return imap_finish(m, "NO [CANNOT] no such mechanism");
	return imap_ask(m, IMAP_NONCE);
}

static int
do_select(struct imap *m, struct wr *out)
{
	if (m->state == IMAP_SELECTED)
		imap_line(out, "* OK [CLOSED] the other mailbox is closed");
	m->state = IMAP_AUTHENTICATED; /* also when this one cannot be opened (RFC 3501 6.3.1) */
	m->keywords = NULL;
	m->keywords_n = 0;
	return imap_ask(m, IMAP_OPEN);
}

static int
do_folder(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, IMAP_FOLDER);
}

static int
do_status(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, IMAP_STATE);
}

/* A whole line of it: no literal stands at its end. */
static int
do_append(struct imap *m, struct wr *out)
{
	return imap_bad(m, out, "BAD the message comes as a literal");
}

static int
do_idle(struct imap *m, struct wr *out)
{
	imap_line(out, "+ waiting for news, DONE ends it");
	m->doing = IMAP_ON_IDLE;
	m->changed = true; /* what came since the last command */
	return IMAP_GO_ON;
}

static int
do_close(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, m->read_only ? IMAP_LEAVE : IMAP_REMOVE);
}

static int
do_unselect(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, IMAP_LEAVE);
}

static int
do_search(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, IMAP_FIND);
}

static int
do_rows(struct imap *m, struct wr *out)
{
	if (!imap_render_begin(m))
		return imap_refuse(m, out, IMAP_TEMP);
	m->command->fetch.sets_seen &= !m->read_only;
	return imap_ask(m, IMAP_RESOLVE);
}

static int
read_only(struct imap *m)
{
	return imap_finish(m, "NO [READ-ONLY] the mailbox is open to be looked at only");
}

static int
do_store(struct imap *m, struct wr *out)
{
	return m->read_only ? read_only(m) : do_rows(m, out);
}

static int
do_copy(struct imap *m, struct wr *out)
{
	(void)out;
	return imap_ask(m, IMAP_TAKE);
}

static int
do_move(struct imap *m, struct wr *out)
{
	return m->read_only ? read_only(m) : do_copy(m, out);
}

static int
do_expunge(struct imap *m, struct wr *out)
{
	(void)out;
	return m->read_only ? read_only(m) : imap_ask(m, IMAP_REMOVE);
}

static const struct verb verbs[] = {
    {"CAPABILITY", IMAP_DO_CAPABILITY, ANY, imap_args_none, do_capability, false},
    {"NOOP", IMAP_DO_NOOP, ANY, imap_args_none, do_noop, false},
    {"LOGOUT", IMAP_DO_LOGOUT, ANY, imap_args_none, do_logout, false},
    {"ID", IMAP_DO_ID, ANY, imap_args_id, do_id, false},
    {"STARTTLS", IMAP_DO_STARTTLS, BEFORE, imap_args_none, do_starttls, false},
    {"LOGIN", IMAP_DO_LOGIN, BEFORE, imap_args_login, do_login, false},
    {"AUTHENTICATE", IMAP_DO_AUTHENTICATE, BEFORE, imap_args_authenticate, do_authenticate, false},
    {"ENABLE", IMAP_DO_ENABLE, AFTER, imap_args_enable, do_enable, false},
    {"NAMESPACE", IMAP_DO_NAMESPACE, AFTER, imap_args_none, do_namespace, false},
    {"SELECT", IMAP_DO_SELECT, AFTER, imap_args_mailbox, do_select, false},
    {"EXAMINE", IMAP_DO_EXAMINE, AFTER, imap_args_mailbox, do_select, false},
    {"CREATE", IMAP_DO_CREATE, AFTER, imap_args_create, do_folder, false},
    {"DELETE", IMAP_DO_DELETE, AFTER, imap_args_mailbox, do_folder, false},
    {"RENAME", IMAP_DO_RENAME, AFTER, imap_args_rename, do_folder, false},
    {"SUBSCRIBE", IMAP_DO_SUBSCRIBE, AFTER, imap_args_mailbox, do_folder, false},
    {"UNSUBSCRIBE", IMAP_DO_UNSUBSCRIBE, AFTER, imap_args_mailbox, do_folder, false},
    {"LIST", IMAP_DO_LIST, AFTER, imap_args_list, imap_list_begin, false},
    {"LSUB", IMAP_DO_LSUB, AFTER, imap_args_list, imap_list_begin, false},
    {"STATUS", IMAP_DO_STATUS, AFTER, imap_args_status, do_status, false},
    {"APPEND", IMAP_DO_APPEND, AFTER, imap_args_append, do_append, false},
    {"IDLE", IMAP_DO_IDLE, AFTER, imap_args_none, do_idle, false},
    {"CHECK", IMAP_DO_CHECK, OPENED, imap_args_none, do_noop, false},
    {"CLOSE", IMAP_DO_CLOSE, OPENED, imap_args_none, do_close, false},
    {"UNSELECT", IMAP_DO_UNSELECT, OPENED, imap_args_none, do_unselect, false},
    {"EXPUNGE", IMAP_DO_EXPUNGE, OPENED, imap_args_expunge, do_expunge, true},
    {"SEARCH", IMAP_DO_SEARCH, OPENED, imap_args_search, do_search, true},
    {"FETCH", IMAP_DO_FETCH, OPENED, imap_args_fetch, do_rows, true},
    {"STORE", IMAP_DO_STORE, OPENED, imap_args_store, do_store, true},
    {"COPY", IMAP_DO_COPY, OPENED, imap_args_copy, do_copy, true},
    {"MOVE", IMAP_DO_MOVE, OPENED, imap_args_copy, do_move, true},
};

/* The tag and the name of the command; NULL: there is no such one. */
static const struct verb *
take_verb(struct imap_command *c, struct rd *in)
{
	struct bytes name;

	c->tag = imap_take_tag(in);
	imap_take(in, ' ');
	name = imap_take_name(in);
	c->uid = bytes_eq_nocase(name, BYTES("UID"));
	if (c->uid) {
		imap_take(in, ' ');
		name = imap_take_name(in);
	}
	for (size_t i = 0; i < COUNT(verbs) && !in->bad; i++)
		if (bytes_eq_nocase(name, bytes_of(verbs[i].name)) &&
		    (!c->uid || verbs[i].by_uid)) {
			c->verb = verbs[i].verb;
			return &verbs[i];
		}
	return NULL;
}

static int
out_of_order(struct imap *m, const struct verb *v, struct wr *out)
{
	if (m->state == IMAP_NOT_AUTHENTICATED)
		return imap_bad(m, out, "BAD log in first");
	return imap_bad(m, out, v->in == BEFORE ? "BAD you are logged in" : "BAD SELECT first");
}

static int
no_arguments(struct imap *m, struct err e, struct wr *out)
{
	if (e.code == ERR_RANGE)
		return imap_bad(m, out, "BAD too many of these, or too deep");
	if (e.code == ERR_NOTFOUND)
		return imap_finish(m, "NO [BADCHARSET (US-ASCII UTF-8)] no such charset here");
	if (e.code == ERR_FULL)
		return imap_finish(m, "NO [LIMIT] the command is too large");
	return imap_bad(m, out, "BAD what was that");
}

static bool
is_name(struct bytes name)
{
	return name.n && name.n <= IMAP_NAME_MAX;
}

static bool
has_good_names(const struct imap_command *c)
{
	switch (c->verb) {
	case IMAP_DO_SELECT:
	case IMAP_DO_EXAMINE:
	case IMAP_DO_CREATE:
	case IMAP_DO_DELETE:
	case IMAP_DO_SUBSCRIBE:
	case IMAP_DO_UNSUBSCRIBE:
	case IMAP_DO_STATUS:
	case IMAP_DO_APPEND:
	case IMAP_DO_COPY:
	case IMAP_DO_MOVE:
		return is_name(c->mailbox);
	case IMAP_DO_RENAME:
		return is_name(c->mailbox) && is_name(c->to);
	default:
		return true;
	}
}

static bool
has_good_keywords(const struct imap_command *c)
{
	for (size_t i = 0; i < c->flags.n; i++)
		if (c->flags.keywords[i].n > IMAP_KEYWORD_MAX)
			return false;
	return c->flags.n <= IMAP_KEYWORDS_MAX;
}

const char *
imap_why_not(const struct imap_command *c)
{
	if (!has_good_names(c))
		return "NO [CANNOT] that is no name for a mailbox";
	return has_good_keywords(c) ? NULL : "NO [LIMIT] too many keywords, or one too long";
}

int
imap_verb(struct imap *m, struct wr *out)
{
	struct bytes text = buf_bytes(&m->text);
	struct rd in = rd_of(text);
	const struct verb *v;
	const char *why;
	struct err e;

	if (m->state == IMAP_NOT_AUTHENTICATED && ++m->early > IMAP_COMMANDS_EARLY)
		return imap_leave(m, out, "too many commands without a login");
	if (text.n && memchr(text.p, '\0', text.n)) /* attack 108 */
		return imap_bad(m, out, "BAD a NUL");
	m->command = arena_alloc(&m->arena, sizeof(*m->command));
	if (!m->command)
		return imap_leave(m, out, "[UNAVAILABLE] no memory");
	v = take_verb(m->command, &in);
	if (!v)
		return imap_bad(m, out, "BAD no such command");
	if (!(v->in & IN(m->state)))
		return out_of_order(m, v, out);
	e = v->args(m->command, &in, &m->arena);
	if (is_ok(e))
		imap_take_end(&in);
	if (!is_ok(e) || in.bad)
		return no_arguments(m, e, out);
	why = imap_why_not(m->command);
	return why ? imap_finish(m, why) : v->run(m, out);
}

bool
imap_is_append(struct imap *m)
{
	struct rd in = rd_of(buf_bytes(&m->text));
	struct imap_command *c = arena_alloc(&m->arena, sizeof(*c));
	const struct verb *v = c ? take_verb(c, &in) : NULL;

	if (!v || v->verb != IMAP_DO_APPEND || memchr(m->text.p + m->text.head, '\0', m->text.n))
		return false;
	if (!is_ok(v->args(c, &in, &m->arena)) || in.bad || rd_left(&in))
		return false;
	m->command = c;
	return true;
}

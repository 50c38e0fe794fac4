/*
 * pop3_verbs.c - what each command does; the table at the end tells when it may come.  The
 * arguments still have their blanks: in a password they count.
 */
#include "base/text.h"
#include "proto/pop3_session.h"
#include "proto/verb.h"

#include <stdlib.h>

#define IN(st) (1u << (st))

enum { ANY = IN(POP3_AUTHORIZATION) | IN(POP3_NAMED) | IN(POP3_TRANSACTION) };

/* The row of the message that the word numbers; false for what is none, or is marked. */
static bool
find(const struct pop3 *p, struct bytes word, size_t *row)
{
	uint64_t number;

	if (!text_u64(word, p->n, &number) || !number || pop3_is_marked(p, (size_t)number - 1))
		return false;
	*row = (size_t)number - 1;
	return true;
}

static int
no_message(struct pop3 *p, struct wr *out)
{
	return pop3_refuse(p, out, "-ERR no such message");
}

static int
takes_nothing(struct pop3 *p, struct wr *out)
{
	return pop3_refuse(p, out, "-ERR that command takes nothing");
}

static bool
may_log_in(const struct pop3 *p)
{
	return p->tls || p->plaintext;
}

static int
do_user(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	args = text_trim(args);
	if (!may_log_in(p)) /* said before the secret is sent (RFC 8314 3.3, attack 92) */
		return pop3_refuse(p, out, "-ERR no login without TLS: STLS first");
	if (!args.n || args.n > sizeof(p->user))
		return pop3_refuse(p, out, "-ERR who?");
	memcpy(p->user, args.p, args.n);
	p->user_n = (uint8_t)args.n;
	p->state = POP3_NAMED;
	return pop3_reply(out, "+OK and the password?"); /* the same for a name that nobody has */
}

/* Blanks belong to the password (RFC 1939 7). */
static int
do_pass(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	p->state = POP3_AUTHORIZATION;
	if (!args.n || args.n > POP3_SECRET_MAX)
		return pop3_refuse(p, out, "-ERR no password, or one too long");
	p->secret = args;
	return pop3_ask(p, POP3_LOGIN);
}

static int
do_capa(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	if (args.n)
		return takes_nothing(p, out);
	wr_text(out, "+OK what there is\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
	             "PIPELINING\r\nEXPIRE NEVER\r\nIMPLEMENTATION Stead\r\n");
	if (p->conf->stls && !p->tls)
		wr_text(out, "STLS\r\n");
	if (may_log_in(p))
		wr_text(out, "USER\r\n");
	return pop3_reply(out, ".");
}

static int
do_stls(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	if (p->tls)
		return pop3_refuse(p, out, "-ERR TLS is active");
	if (!p->conf->stls)
		return pop3_refuse(p, out, "-ERR STLS is not offered");
	if (args.n)
		return takes_nothing(p, out);
	pop3_reply(out, "+OK ready for TLS");
	return pop3_ask(p, POP3_TLS);
}

static int
do_stat(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	if (args.n)
		return takes_nothing(p, out);
	wr_printf(out, "+OK %zu %llu\r\n", p->live, (unsigned long long)p->octets);
	return POP3_GO_ON;
}

static int
start_list(struct pop3 *p, enum pop3_list list, struct bytes args, struct wr *out)
{
	size_t row;

	args = text_trim(args);
	if (args.n && !find(p, args, &row))
		return no_message(p, out);
	if (args.n) {
		wr_text(out, "+OK ");
		pop3_row(p, list, row, out);
		return POP3_GO_ON;
	}
	wr_printf(out, "+OK %zu messages (%llu octets)\r\n", p->live,
	          (unsigned long long)p->octets);
	p->list = list;
	p->number = 0;
	return POP3_GO_ON;
}

static int
do_list(void *session, struct bytes args, struct wr *out)
{
	return start_list(session, POP3_SIZES, args, out);
}

static int
do_uidl(void *session, struct bytes args, struct wr *out)
{
	return start_list(session, POP3_UIDS, args, out);
}

static int
start_body(struct pop3 *p, size_t row, struct wr *out)
{
	p->number = row + 1;
	if (p->rows[row].size)
		return pop3_ask(p, POP3_BODY);
	return pop3_reply(out, "+OK 0 octets\r\n.");
}

static int
do_retr(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;
	size_t row;

	if (!find(p, text_trim(args), &row))
		return no_message(p, out);
	p->sending = (struct pop3_sending){.top = false};
	return start_body(p, row, out);
}

static int
do_top(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;
	struct bytes rest = text_trim(args), word = text_cut(&rest, ' ');
	uint64_t lines;
	size_t row;

	if (!find(p, word, &row))
		return no_message(p, out);
	if (!text_u64(text_trim(rest), INT32_MAX, &lines))
		return pop3_refuse(p, out, "-ERR how many lines?");
	p->sending = (struct pop3_sending){.top = true, .lines = lines, .blank = true};
	return start_body(p, row, out);
}

static int
do_dele(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;
	size_t row;

	if (!find(p, text_trim(args), &row))
		return no_message(p, out);
	if (!p->marks)
		p->marks = calloc(1, p->n / 8 + 1);
	if (!p->marks)
		return pop3_refuse(p, out, "-ERR [SYS/TEMP] no memory now");
	p->marks[row / 8] = (uint8_t)(p->marks[row / 8] | 1u << row % 8);
	p->live--;
	p->octets -= p->rows[row].size;
	return pop3_reply(out, "+OK to be deleted at QUIT");
}

static int
do_rset(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	if (args.n)
		return takes_nothing(p, out);
	pop3_unmark(p);
	return pop3_reply(out, "+OK nothing is to be deleted");
}

static int
do_noop(void *session, struct bytes args, struct wr *out)
{
	return args.n ? takes_nothing(session, out) : pop3_reply(out, "+OK");
}

static int
do_quit(void *session, struct bytes args, struct wr *out)
{
	struct pop3 *p = session;

	if (args.n) /* what follows QUIT was not meant for us: deleting needs a clear word */
		return takes_nothing(p, out);
	if (p->state == POP3_TRANSACTION && p->live < p->n)
		return pop3_ask(p, POP3_UPDATE);
	return pop3_leave(p, out, "+OK good bye");
}

static const struct verb verbs[] = {
    {"USER", IN(POP3_AUTHORIZATION) | IN(POP3_NAMED), do_user},
    {"PASS", IN(POP3_NAMED), do_pass},
    {"CAPA", ANY, do_capa},
    {"STLS", IN(POP3_AUTHORIZATION) | IN(POP3_NAMED), do_stls},
    {"STAT", IN(POP3_TRANSACTION), do_stat},
    {"LIST", IN(POP3_TRANSACTION), do_list},
    {"UIDL", IN(POP3_TRANSACTION), do_uidl},
    {"RETR", IN(POP3_TRANSACTION), do_retr},
    {"TOP", IN(POP3_TRANSACTION), do_top},
    {"DELE", IN(POP3_TRANSACTION), do_dele},
    {"RSET", IN(POP3_TRANSACTION), do_rset},
    {"NOOP", IN(POP3_TRANSACTION), do_noop},
    {"QUIT", ANY, do_quit},
};

static const char *const order[] = {
    [POP3_AUTHORIZATION] = "-ERR log in first: USER, then PASS",
    [POP3_NAMED] = "-ERR PASS first",
    [POP3_TRANSACTION] = "-ERR you are logged in",
};

int
pop3_verb(struct pop3 *p, struct bytes line, struct wr *out)
{
	struct bytes word, args;
	const struct verb *v;

	if (p->state != POP3_TRANSACTION && ++p->early > POP3_EARLY_MAX)
		return pop3_leave(p, out, "-ERR too many commands without a login, closing");
	if (!verb_is_plain(line))
		return pop3_refuse(p, out, "-ERR a command is plain text");
	verb_cut(line, &word, &args);
	v = verb_find(verbs, COUNT(verbs), word);
	if (!v)
		return pop3_refuse(p, out, "-ERR unknown command");
	if (line.n + 2 > POP3_COMMAND_MAX && v->run != do_user && v->run != do_pass)
		return pop3_refuse(p, out, "-ERR line too long");
	if (!(v->in & IN(p->state)))
		return pop3_refuse(p, out, order[p->state]);
	return v->run(p, args, out);
}

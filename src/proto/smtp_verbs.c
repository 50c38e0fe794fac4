/*
 * smtp_verbs.c - what each command does; the table at the end tells when it may come.
 */
#include "base/text.h"
#include "proto/smtp_params.h"
#include "proto/smtp_session.h"
#include "proto/verb.h"

#define IN(st) (1u << (st))

enum {
	ANY = IN(SMTP_START) | IN(SMTP_READY) | IN(SMTP_MAIL) | IN(SMTP_RCPTS),
	NAME_SHOWN = 200, /* of a peer's name in a reply: a line has 512 (RFC 5321 4.5.3.1.5) */
	OVERSHOOT = 1000, /* RCPTs beyond the limit until each counts as an error */
};

static bool
is_helo_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
	       (c && strchr("-._:[]", c));
}

/* What goes into Received must not be able to end a comment or a line there. */
static bool
is_helo(struct bytes b)
{
	if (!b.n || b.n > SMTP_HELO_MAX)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (!is_helo_char(b.p[i]))
			return false;
	return true;
}

static int
hello(struct smtp *s, struct bytes name, struct wr *out, bool esmtp)
{
	const struct smtp_conf *c = s->conf;
	uint8_t room[SMTP_REPLY_MAX];
	struct wr w = wr_of(room, sizeof(room));
	int shown = name.n < NAME_SHOWN ? (int)name.n : NAME_SHOWN;

	if (!is_helo(name))
		return smtp_refuse(s, out, "501 5.5.4 a domain or an address in brackets, please");
	smtp_reset(s);
	s->state = SMTP_READY;
	s->esmtp = esmtp;
	s->helo_n = (uint8_t)name.n;
	memcpy(s->helo, name.p, name.n);
	wr_printf(&w, "250%c%.*s Hello %.*s, pleased to meet you", esmtp ? '-' : ' ',
	          (int)c->host.n, (const char *)c->host.p, shown, (const char *)name.p);
	if (esmtp) {
		wr_text(&w, "\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n");
		if (c->starttls && !s->tls)
			wr_text(&w, "250-STARTTLS\r\n");
		if (smtp_may_login(s) && !s->logged_in)
			wr_text(&w, "250-AUTH " SASL_MECHANISMS "\r\n");
		wr_printf(&w, "250-SIZE %llu\r\n250 HELP", (unsigned long long)c->size_max);
	}
	wr_u8(&w, '\0');
	return smtp_idle(s, out, (const char *)room);
}

static int
do_helo(void *session, struct bytes args, struct wr *out)
{
	return hello(session, args, out, false);
}

static int
do_ehlo(void *session, struct bytes args, struct wr *out)
{
	return hello(session, args, out, true);
}

/* Reads the path behind FROM: or TO:, as RFC 5321 writes it or as a person does. */
static struct err
parse_path(struct bytes args, struct bytes word, unsigned flags, struct address *a, struct rd *rest)
{
	if (!bytes_begins_nocase(args, word))
		return ERR(ERR_SYNTAX, 0, "smtp: no FROM: or TO:");
	*rest = rd_of((struct bytes){args.p + word.n, args.n - word.n});
	while (rd_left(rest) && (*rest->p == ' ' || *rest->p == '\t'))
		rd_u8(rest);
	return address_parse(a, rest, flags | ADDRESS_LOOSE);
}

static int
do_mail(void *session, struct bytes args, struct wr *out)
{
	struct smtp *s = session;
	const struct smtp_offer offer = {s->conf->size_max, s->conf->login != SMTP_NO_LOGIN};
	struct smtp_params params;
	struct address a;
	const char *refused;
	struct rd rest;
	struct err e = parse_path(args, BYTES("FROM:"), ADDRESS_NULL, &a, &rest);

	if (offer.auth && !s->logged_in)
		return smtp_refuse(s, out,
		                   smtp_may_login(s) ? "530 5.7.0 log in first"
		                                     : "530 5.7.0 STARTTLS first, then log in");
	if (e.code == ERR_DENIED)
		return smtp_refuse(s, out, "553 5.6.7 an address beyond ASCII needs SMTPUTF8");
	if (!is_ok(e))
		return smtp_refuse(s, out,
		                   e.code == ERR_RANGE ? "501 5.1.7 sender address too long"
		                                       : "501 5.1.7 wrong sender address");
	refused = smtp_params_mail(&rest, &offer, &params);
	if (refused)
		return smtp_refuse(s, out, refused);
	if (!smtp_propose(s, &a)) {
		smtp_reply(out, "452 4.3.1 no memory for this message now");
		return SMTP_GO_ON;
	}
	s->declared = params.size;
	return s->logged_in && a.n ? smtp_ask(s, SMTP_SENDER) : smtp_begin(s, out);
}

static int
do_rcpt(void *session, struct bytes args, struct wr *out)
{
	struct smtp *s = session;
	struct address a;
	const char *refused;
	struct rd rest;
	struct err e = parse_path(args, BYTES("TO:"), ADDRESS_POSTMASTER, &a, &rest);

	if (e.code == ERR_DENIED)
		return smtp_refuse(s, out, "553 5.6.7 an address beyond ASCII needs SMTPUTF8");
	if (!is_ok(e))
		return smtp_refuse(s, out,
		                   e.code == ERR_RANGE ? "501 5.1.3 recipient address too long"
		                                       : "501 5.1.3 wrong recipient address");
	refused = smtp_params_rcpt(&rest);
	if (refused)
		return smtp_refuse(s, out, refused);
	if (s->rcpts >= s->conf->rcpt_max || !smtp_propose(s, &a)) {
		if (s->overshoot >= OVERSHOOT)
			return smtp_refuse(s, out, "452 4.5.3 too many recipients");
		s->overshoot++;
		smtp_reply(out, "452 4.5.3 too many recipients");
		return SMTP_GO_ON;
	}
	return smtp_ask(s, SMTP_RCPT);
}

static int
do_data(void *session, struct bytes args, struct wr *out)
{
	struct smtp *s = session;

	if (args.n)
		return smtp_refuse(s, out, "501 5.5.4 DATA takes nothing");
	return smtp_ask(s, SMTP_DATA);
}

static int
do_rset(void *session, struct bytes args, struct wr *out)
{
	struct smtp *s = session;

	if (args.n)
		return smtp_refuse(s, out, "501 5.5.4 RSET takes nothing");
	smtp_reset(s);
	return smtp_idle(s, out, "250 2.0.0 forgotten");
}

static int
do_noop(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return smtp_idle(session, out, "250 2.0.0 ok");
}

/* Who exists is told to RCPT only, where each guess counts (RFC 5321 7.3, attack 51). */
static int
do_vrfy(void *session, struct bytes args, struct wr *out)
{
	if (!args.n)
		return smtp_refuse(session, out, "501 5.5.4 whom?");
	return smtp_idle(session, out, "252 2.5.0 not told here; send mail and see");
}

static int
do_help(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return smtp_idle(
	    session, out,
	    "214-2.0.0 HELO EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY EXPN HELP QUIT\r\n"
	    "214 2.0.0 see RFC 5321");
}

static int
do_quit(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return smtp_leave(session, out, "221 2.0.0 closing, good bye");
}

static int
do_starttls(void *session, struct bytes args, struct wr *out)
{
	struct smtp *s = session;

	if (s->tls)
		return smtp_refuse(s, out, "503 5.5.1 TLS is active");
	if (s->logged_in) /* all that came before TLS must be forgotten, a login too */
		return smtp_refuse(s, out, "503 5.5.1 STARTTLS comes before a login");
	if (!s->conf->starttls)
		return smtp_refuse(s, out, "502 5.5.1 STARTTLS is not offered");
	if (args.n)
		return smtp_refuse(s, out, "501 5.5.4 STARTTLS takes nothing");
	smtp_reply(out, "220 2.0.0 ready for TLS");
	return smtp_ask(s, SMTP_TLS);
}

static int
do_auth(void *session, struct bytes args, struct wr *out)
{
	return smtp_auth(session, args, out);
}

/* A peer that sends chunks unasked goes on with octets that are no commands (attack 39). */
static int
do_bdat(void *session, struct bytes args, struct wr *out)
{
	(void)args;
	return smtp_leave(session, out, "502 5.5.1 BDAT is not offered, closing");
}

static const struct verb verbs[] = {
    {"HELO", ANY, do_helo},
    {"EHLO", ANY, do_ehlo},
    {"MAIL", IN(SMTP_READY), do_mail},
    {"RCPT", IN(SMTP_MAIL) | IN(SMTP_RCPTS), do_rcpt},
    {"DATA", IN(SMTP_RCPTS), do_data},
    {"RSET", ANY, do_rset},
    {"NOOP", ANY, do_noop},
    {"VRFY", ANY, do_vrfy},
    {"EXPN", ANY, do_vrfy},
    {"HELP", ANY, do_help},
    {"QUIT", ANY, do_quit},
    {"STARTTLS", IN(SMTP_READY), do_starttls},
    {"AUTH", ANY, do_auth}, /* smtp_auth() tells when */
    {"BDAT", ANY, do_bdat},
};

static const char *const order[] = {
    [SMTP_START] = "503 5.5.1 HELO or EHLO first",
    [SMTP_READY] = "503 5.5.1 MAIL first",
    [SMTP_MAIL] = "503 5.5.1 RCPT first, or RSET",
    [SMTP_RCPTS] = "503 5.5.1 a message is under way: DATA or RSET",
};

int
smtp_verb(struct smtp *s, struct bytes line, struct wr *out)
{
	struct bytes word, args;
	const struct verb *v;

	if (!verb_is_plain(line))
		return smtp_refuse(s, out, "500 5.5.2 a command is plain text");
	verb_cut(line, &word, &args);
	args = text_trim(args);
	v = verb_find(verbs, COUNT(verbs), word);
	if (!v)
		return smtp_refuse(s, out, "500 5.5.1 unknown command");
	if (!(v->in & IN(s->state)))
		return smtp_refuse(s, out, order[s->state]);
	return v->run(s, args, out);
}

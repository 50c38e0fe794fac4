/*
 * smtp_auth.c - AUTH (RFC 4954): proto/sasl's exchange in SMTP's lines and replies.
 *
 * A refused login tells nothing but that it was refused: no such user and a wrong password have one
 * reply (attack 93).  Who logs in wrongly too often is sent away.
 */
#include "base/text.h"
#include "proto/smtp_session.h"

#include <assert.h>

void
smtp_auth_drop(struct smtp *s)
{
	sasl_free(s->sasl);
	s->sasl = NULL;
}

static int
succeed(struct smtp *s, struct wr *out)
{
	s->logged_in = true;
	s->logins = 0;
	smtp_reply(out, "235 2.7.0 logged in");
	return SMTP_GO_ON;
}

static int
fail(struct smtp *s, struct wr *out, enum sasl_failure why)
{
	switch (why) {
	case SASL_BY_PASSWORD:
		if (++s->logins >= SMTP_LOGINS_MAX)
			return smtp_leave(s, out, "421 4.7.0 too many refused logins, closing");
		return smtp_refuse(s, out, "535 5.7.8 name or password wrong");
	case SASL_BY_SYNTAX:
		return smtp_refuse(s, out,
		                   "501 5.5.2 wrong base64, or not a message of this login");
	case SASL_BY_CLIENT:
		return smtp_refuse(s, out, "501 5.7.0 login given up");
	case SASL_BY_US:
		break;
	}
	return smtp_idle(s, out, "454 4.7.0 cannot check that now, try again later");
}

/* What the exchange wants now. */
static int
go_on(struct smtp *s, enum sasl_want want, struct wr *out)
{
	enum sasl_failure why;

	s->state = SMTP_READY;
	switch (want) {
	case SASL_CHALLENGE:
		s->state = SMTP_LOGIN;
		wr_text(out, "334 ");
		sasl_challenge(s->sasl, out);
		smtp_reply(out, "");
		return SMTP_GO_ON;
	case SASL_PASSWORD:
	case SASL_SALT:
	case SASL_PROOF:
		return smtp_ask(s, SMTP_AUTH);
	case SASL_DONE:
		smtp_auth_drop(s);
		return succeed(s, out);
	case SASL_FAILED:
		break;
	}
	why = sasl_failure(s->sasl);
	smtp_auth_drop(s);
	return fail(s, out, why);
}

bool
smtp_may_login(const struct smtp *s)
{
	return s->conf->login == SMTP_PLAIN_LOGIN || (s->conf->login == SMTP_TLS_LOGIN && s->tls);
}

int
smtp_auth(struct smtp *s, struct bytes args, struct wr *out)
{
	struct bytes rest = args, name = text_cut(&rest, ' '), initial = text_trim(rest);
	enum sasl_mechanism mechanism;

	if (s->conf->login == SMTP_NO_LOGIN)
		return smtp_refuse(s, out, "502 5.5.1 AUTH is not offered");
	if (s->state != SMTP_READY)
		return smtp_refuse(s, out, "503 5.5.1 AUTH comes behind EHLO, and before MAIL");
	if (s->logged_in) /* RFC 4954 4: once a session */
		return smtp_refuse(s, out, "503 5.5.1 you are logged in");
	if (!smtp_may_login(s))
		return smtp_refuse(s, out, "538 5.7.11 STARTTLS first");
	if (!sasl_mechanism(name, &mechanism))
		return smtp_refuse(s, out, "504 5.5.4 " SASL_MECHANISMS " are offered");
	s->sasl = sasl_new(mechanism, s->nonce);
	if (!s->sasl)
		return fail(s, out, SASL_BY_US);
	return go_on(s, sasl_begin(s->sasl, initial.n ? &initial : NULL), out);
}

/* base64 knows no other line end, so what has one is no line of ours (attacks 36, 37). */
static bool
is_bare(struct bytes line)
{
	return line.n && (memchr(line.p, '\n', line.n) || memchr(line.p, '\r', line.n) ||
	                  memchr(line.p, '\0', line.n));
}

int
smtp_auth_line(struct smtp *s, struct rd *in, struct wr *out)
{
	struct bytes line;

	/* not verb_line(): a password in base64 may look like the first line of a browser */
	if (!rd_line(in, &line)) {
		if (rd_left(in) <= SASL_LINE_MAX + 1)
			return SMTP_INPUT;
		return smtp_leave(s, out, "500 5.5.6 line too long, closing");
	}
	if (is_bare(line))
		return smtp_leave(s, out, "500 5.5.2 lines end with CRLF, closing");
	if (line.n > SASL_LINE_MAX)
		return smtp_leave(s, out, "500 5.5.6 line too long, closing");
	return go_on(s, sasl_line(s->sasl, line), out);
}

int
smtp_auth_settle(struct smtp *s, struct wr *out)
{
	return go_on(s, sasl_want(s->sasl), out);
}

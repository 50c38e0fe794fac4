/*
 * smtp_envelope.c - who sends, and to whom: auth's answer, then the directory's.
 */
#include "serve/smtp_session.h"

#include "base/log.h"
#include "serve/senders.h"

/* ---- who sends ---- */

static void
logged_in(void *owner, enum login_result result)
{
	struct smtp_session *s = owner;

	s->serve->logins += result == LOGIN_OK;
	s->serve->logins_refused += result == LOGIN_DENIED || result == LOGIN_LATER;
	s->waiting = false;
	smtp_answer(s->smtp, SMTP_OK);
	smtp_session_turn(s);
}

/* ---- recipients ---- */

/* Elsewhere: for our users, and for networks that are trusted (attack 45). */
static bool
may_relay(const struct smtp_session *s, struct bytes address)
{
	return (s->trusted || smtp_logged_in(s->smtp)) && memchr(address.p, '@', address.n);
}

static enum smtp_answer
answer_rcpt(struct smtp_session *s)
{
	struct smtp_serve *serve = s->serve;
	struct bytes address = smtp_text(s->smtp);
	struct directory_answer found;

	if (!smtp_rcpts(s->smtp)) /* RSET asks nobody */
		s->recipients = 0;
	if (!serve->image)
		return SMTP_TEMP;
	if (s->recipients + 2 + address.n > SMTP_RECIPIENTS_MAX)
		return SMTP_MANY;
	switch (directory_lookup(&serve->directory, address, &found)) {
	case DIRECTORY_NO_DOMAIN:
		if (!may_relay(s, address))
			return SMTP_NO_RELAY;
		break;
	case DIRECTORY_ACCOUNT:
	case DIRECTORY_LIST:
		break;
	case DIRECTORY_NONE:
		return SMTP_UNKNOWN;
	case DIRECTORY_BROKEN:
		return SMTP_TEMP;
	}
	s->recipients += 2 + address.n;
	return SMTP_OK;
}

/* ---- public ---- */

void
smtp_session_auth(struct smtp_session *s)
{
	s->waiting = login_sasl(&s->login, smtp_sasl(s->smtp), logged_in);
	if (!s->waiting)
		smtp_answer(s->smtp, SMTP_OK);
}

void
smtp_session_sender(struct smtp_session *s)
{
	struct bytes sender = smtp_text(s->smtp);
	enum smtp_answer answer = SMTP_TEMP;

	if (s->serve->image)
		answer = senders_envelope(&s->serve->directory, sender, s->login.account);
	if (answer != SMTP_OK) {
		s->serve->refused++;
		log_event(LOG_INFO, "smtp.sender_refused",
		          kv_ip("peer", conn_peer(s->front.conn)->ip), kv_text("from", sender),
		          kv_u64("account", s->login.account),
		          kv_word("why", smtp_session_why(answer)));
	}
	smtp_answer(s->smtp, answer);
}

void
smtp_session_rcpt(struct smtp_session *s)
{
	enum smtp_answer answer = answer_rcpt(s);

	if (answer != SMTP_OK) {
		s->serve->refused++;
		log_event(
		    LOG_INFO, "smtp.rcpt_refused", kv_ip("peer", conn_peer(s->front.conn)->ip),
		    kv_text("rcpt", smtp_text(s->smtp)), kv_word("why", smtp_session_why(answer)));
	}
	smtp_answer(s->smtp, answer);
}

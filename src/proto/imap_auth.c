/*
 * imap_auth.c - AUTHENTICATE runs proto/sasl line by line; LOGIN is its PLAIN in other clothes, so
 * that the driver answers one kind of question (RFC 3501 6.2.2, 6.2.3, RFC 4959).
 */
#include "base/base64.h"
#include "proto/imap_session.h"
#include "proto/verb.h"

#include <assert.h>

static int
logged_in(struct imap *m)
{
	m->state = IMAP_AUTHENTICATED;
	m->code = IMAP_CODE_CAPABILITY;
	return imap_finish_quietly(m, "OK logged in");
}

static int
refused(struct imap *m, struct wr *out)
{
	if (++m->logins < IMAP_LOGINS_MAX)
		return imap_finish_quietly(m, "NO [AUTHENTICATIONFAILED] wrong name or password");
	m->result = "NO [AUTHENTICATIONFAILED] wrong name or password";
	imap_result_on(m, out);
	return imap_leave(m, out, "too many logins failed");
}

static int
failed(struct imap *m, struct wr *out)
{
	bool login = m->command->verb == IMAP_DO_LOGIN;

	switch (sasl_failure(m->sasl)) {
	case SASL_BY_PASSWORD:
		return refused(m, out);
	case SASL_BY_SYNTAX:
		return login ? refused(m, out)
		             : imap_bad(m, out, "BAD not a message of that mechanism");
	case SASL_BY_CLIENT:
		return imap_bad(m, out, "BAD given up");
	case SASL_BY_US:
		break;
	}
	return imap_refuse(m, out, IMAP_TEMP);
}

static int
challenge(struct imap *m, struct rd *in, struct wr *out)
{
	struct bytes line;

	if (!m->challenged) {
		wr_text(out, "+ ");
		sasl_challenge(m->sasl, out);
		imap_line(out, "");
		m->challenged = true;
		return IMAP_GO_ON; /* the client reads it before it answers */
	}
	switch (verb_line(in, SASL_LINE_MAX + 2, &line)) {
	case VERB_MORE:
		return IMAP_INPUT;
	case VERB_ALIEN:
	case VERB_BARE:
	case VERB_LONG:
		return imap_leave(m, out, "that is no line of base64");
	case VERB_LINE:
		break;
	}
	m->challenged = false;
	sasl_line(m->sasl, line);
	return IMAP_GO_ON;
}

/* Begins the exchange with base64 of NUL, name, NUL, secret: PLAIN's only message. */
static bool
begin_plain(struct imap *m)
{
	static const uint8_t no_nonce[SASL_NONCE];
	const struct imap_command *c = m->command;
	size_t n = c->user.n + c->secret.n + 2, size = base64_size(n);
	uint8_t *raw = arena_alloc(&m->arena, n + size);
	struct wr w = wr_of(raw, n), text = wr_of(raw ? raw + n : NULL, raw ? size : 0);
	struct bytes initial = {text.p, size};

	m->sasl = raw ? sasl_new(SASL_PLAIN, no_nonce) : NULL;
	if (!m->sasl)
		return false;
	wr_u8(&w, 0);
	wr_bytes(&w, c->user);
	wr_u8(&w, 0);
	wr_bytes(&w, c->secret);
	base64_encode(&text, (struct bytes){raw, n});
	sasl_begin(m->sasl, &initial);
	return true;
}

int
imap_sasl_on(struct imap *m, struct rd *in, struct wr *out)
{
	switch (sasl_want(m->sasl)) {
	case SASL_CHALLENGE:
		return challenge(m, in, out);
	case SASL_PASSWORD:
	case SASL_SALT:
	case SASL_PROOF:
		return IMAP_SASL;
	case SASL_DONE:
		return logged_in(m);
	case SASL_FAILED:
		break;
	}
	return failed(m, out);
}

int
imap_login_begin(struct imap *m, struct wr *out)
{
	const struct imap_command *c = m->command;

	if (!c->user.n || c->user.n > SASL_NAME_MAX || c->secret.n > SASL_SECRET_MAX)
		return refused(m, out);
	if (!begin_plain(m))
		return imap_refuse(m, out, IMAP_TEMP);
	m->doing = IMAP_ON_SASL;
	return IMAP_GO_ON;
}

void
imap_nonce(struct imap *m, const uint8_t nonce[SASL_NONCE])
{
	enum sasl_mechanism mechanism;

	assert(m->open == IMAP_NONCE && !m->answered);
	m->answer = IMAP_TEMP;
	m->answered = true;
	if (sasl_mechanism(m->command->mechanism, &mechanism))
		m->sasl = sasl_new(mechanism, nonce);
	if (!m->sasl)
		return;
	sasl_begin(m->sasl, m->command->initial);
	m->answer = IMAP_OK;
}

/*
 * sasl.c - the exchange line by line: base64, PLAIN and LOGIN; SCRAM's messages are in sasl_scram.c.
 *
 * Invariants:
 * 1. `open` is SASL_CHALLENGE only while the client is to answer one.
 * 2. What the client sent lies decoded in `text` and nowhere else; it is wiped with the exchange.
 */
#include "proto/sasl_exchange.h"

#include "base/base64.h"

#include <assert.h>
#include <stdlib.h>

enum sasl_want
sasl_fail(struct sasl *x, enum sasl_failure why)
{
	explicit_bzero(x->text, sizeof(x->text));
	x->failure = why;
	return x->open = SASL_FAILED;
}

bool
sasl_keep_name(struct sasl *x, struct bytes name)
{
	if (name.n > sizeof(x->name))
		return false;
	if (name.n)
		memcpy(x->name, name.p, name.n);
	x->name_n = (uint16_t)name.n;
	return true;
}

/* ---- PLAIN: authzid NUL authcid NUL passwd (RFC 4616 2) ---- */

/* Up to the next NUL, which is eaten; `bad` where there is none. */
static struct bytes
take_field(struct rd *r)
{
	const uint8_t *end = rd_left(r) ? memchr(r->p, '\0', rd_left(r)) : NULL;
	struct bytes field = rd_take(r, end ? (size_t)(end - r->p) : rd_left(r) + 1);

	rd_u8(r);
	return field;
}

static enum sasl_want
plain_message(struct sasl *x, struct bytes message)
{
	struct rd r = rd_of(message);
	struct bytes authzid = take_field(&r), name = take_field(&r), password = rd_rest(&r);

	if (r.bad || !name.n || !password.n || memchr(password.p, '\0', password.n))
		return sasl_fail(x, SASL_BY_SYNTAX);
	if (password.n > SASL_SECRET_MAX || (authzid.n && !bytes_eq(authzid, name)) ||
	    !sasl_keep_name(x, name))
		return sasl_fail(x, SASL_BY_PASSWORD);
	x->password = password;
	return x->open = SASL_PASSWORD;
}

/* ---- LOGIN: two questions, as Microsoft's clients ask for them ---- */

static enum sasl_want
login_message(struct sasl *x, struct bytes message)
{
	if (x->step++ == 0) {
		if (!sasl_keep_name(x, message))
			return sasl_fail(x, SASL_BY_PASSWORD);
		x->challenge = BYTES("Password:");
		return x->open = SASL_CHALLENGE;
	}
	if (message.n > SASL_SECRET_MAX)
		return sasl_fail(x, SASL_BY_PASSWORD);
	x->password = message;
	return x->open = SASL_PASSWORD;
}

/* ---- all of them ---- */

/* Decodes a line behind what must stay in `text`. */
static enum sasl_want
take(struct sasl *x, struct bytes line)
{
	uint8_t *start = x->text + x->kept;
	struct wr w = wr_of(start, sizeof(x->text) - x->kept);
	struct bytes message;

	/* strict, also that no bit is left over: two texts of one password are two (attack 96) */
	if (line.n > SASL_LINE_MAX || !base64_decode(&w, line) || w.full)
		return sasl_fail(x, SASL_BY_SYNTAX);
	message = wr_since(&w, start);
	switch (x->mechanism) {
	case SASL_PLAIN:
		return plain_message(x, message);
	case SASL_LOGIN:
		return login_message(x, message);
	case SASL_SCRAM_SHA_256:
		break;
	}
	return sasl_scram_message(x, message);
}

bool
sasl_mechanism(struct bytes name, enum sasl_mechanism *out)
{
	static const struct {
		const char *name;
		enum sasl_mechanism mechanism;
	} rows[] = {
	    {"PLAIN", SASL_PLAIN}, {"LOGIN", SASL_LOGIN}, {"SCRAM-SHA-256", SASL_SCRAM_SHA_256}};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (bytes_eq_nocase(name, bytes_of(rows[i].name))) {
			*out = rows[i].mechanism;
			return true;
		}
	return false;
}

struct sasl *
sasl_new(enum sasl_mechanism mechanism, const uint8_t nonce[SASL_NONCE])
{
	struct sasl *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->mechanism = mechanism;
	x->open = SASL_CHALLENGE;
	memcpy(x->nonce, nonce, SASL_NONCE);
	return x;
}

void
sasl_free(struct sasl *x)
{
	if (x)
		explicit_bzero(x, sizeof(*x));
	free(x);
}

enum sasl_want
sasl_begin(struct sasl *x, const struct bytes *initial)
{
	if (initial)
		return take(x, bytes_eq(*initial, BYTES("=")) ? NO_BYTES : *initial);
	x->challenge = x->mechanism == SASL_LOGIN ? BYTES("Username:") : NO_BYTES;
	return x->open;
}

enum sasl_want
sasl_line(struct sasl *x, struct bytes line)
{
	assert(x->open == SASL_CHALLENGE);
	if (bytes_eq(line, BYTES("*")))
		return sasl_fail(x, SASL_BY_CLIENT);
	return take(x, line);
}

enum sasl_want
sasl_want(const struct sasl *x)
{
	return x->open;
}

enum sasl_failure
sasl_failure(const struct sasl *x)
{
	return x->failure;
}

void
sasl_challenge(const struct sasl *x, struct wr *w)
{
	base64_encode(w, x->challenge);
}

struct bytes
sasl_name(const struct sasl *x)
{
	return (struct bytes){x->name, x->name_n};
}

struct bytes
sasl_password(const struct sasl *x)
{
	return x->password;
}

struct bytes
sasl_message(const struct sasl *x)
{
	return (struct bytes){x->text + x->bare, x->message - x->bare};
}

struct bytes
sasl_proof(const struct sasl *x)
{
	return (struct bytes){x->proof, sizeof(x->proof)};
}

void
sasl_answer(struct sasl *x, enum sasl_answer answer)
{
	assert(x->open == SASL_PASSWORD || x->open == SASL_SALT || x->open == SASL_PROOF);
	assert(answer != SASL_OK || x->open == SASL_PASSWORD);
	if (answer == SASL_OK)
		x->open = SASL_DONE;
	else
		sasl_fail(x, answer == SASL_DENIED ? SASL_BY_PASSWORD : SASL_BY_US);
}

void
sasl_salt(struct sasl *x, struct bytes salt, uint32_t iterations)
{
	assert(x->open == SASL_SALT);
	sasl_scram_salt(x, salt, iterations);
}

void
sasl_signature(struct sasl *x, struct bytes signature)
{
	assert(x->open == SASL_PROOF);
	sasl_scram_signature(x, signature);
}

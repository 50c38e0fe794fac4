/*
 * sasl.h - the server's side of a SASL exchange (RFC 4422) as a machine that SMTP AUTH and IMAP
 * AUTHENTICATE run line by line: PLAIN (RFC 4616), LOGIN, SCRAM-SHA-256 (RFC 5802, 7677).
 *
 *	x = sasl_new(mechanism, nonce);
 *	sasl_begin(x, &initial or NULL);        // the initial response as it was written, "=" too
 *	SASL_CHALLENGE                          // "334 " or "+ ", sasl_challenge(), CRLF; then
 *	sasl_line(x, line);                     // the client's next line, and so on
 *	SASL_PASSWORD, SASL_SALT, SASL_PROOF    // a question: serve/login.h answers it, not the machine
 *	SASL_DONE, SASL_FAILED                  // sasl_failure() tells why; sasl_free()
 *
 * Only SASL_DONE is a login: behind a proof that was right the client may still say "*".
 * Channel binding is not offered; nobody logs in as one and acts as another (attack 97).
 */
#ifndef PROTO_SASL_H
#define PROTO_SASL_H

#include "base/bytes.h"

enum {
	SASL_NAME_MAX = 320,    /* octets; talk.def: auth_login, auth_scram */
	SASL_SECRET_MAX = 1024, /* octets of a password (attack 95) */
	SASL_LINE_MAX = 2224, /* of a client's line without its CRLF: base64 of two names and such a
	                          password; the caller refuses a longer one */
	SASL_CHALLENGE_MAX = 640, /* octets that sasl_challenge() writes at most */
	SASL_NONCE = 18,          /* random octets for sasl_new() */
	SASL_MEMORY_MAX = 4096,   /* octets that an exchange holds at most */
};

enum sasl_mechanism { SASL_PLAIN = 1, SASL_LOGIN, SASL_SCRAM_SHA_256 };
/* All of them, the best first, a blank between two. */
#define SASL_MECHANISMS "SCRAM-SHA-256 PLAIN LOGIN"

enum sasl_want {
	SASL_CHALLENGE, /* send sasl_challenge(), then sasl_line() */
	/* questions */
	SASL_PASSWORD, /* is it he? sasl_name(), sasl_password(): sasl_answer() */
	SASL_SALT,     /* sasl_salt() for sasl_name(), or sasl_answer(SASL_TEMP) */
	SASL_PROOF, /* sasl_name(), sasl_message(), sasl_proof(): sasl_signature() or sasl_answer() */
	/* ends */
	SASL_DONE,
	SASL_FAILED,
};

enum sasl_answer {
	SASL_OK,
	SASL_DENIED, /* wrong name or password: one answer for both (attack 93) */
	SASL_TEMP,   /* cannot tell now */
};

/* Why SASL_FAILED, with SMTP's reply for it (RFC 4954). */
enum sasl_failure {
	SASL_BY_PASSWORD = 1, /* 535 5.7.8: name or password, or to act for another */
	SASL_BY_SYNTAX, /* 501 5.5.2: not base64, or not a message of the mechanism (attack 96) */
	SASL_BY_CLIENT, /* 501 5.7.0: "*", it gave up */
	SASL_BY_US,     /* 454 4.7.0 */
};

struct sasl;

/* False when there is no such mechanism; case does not count. */
bool sasl_mechanism(struct bytes name, enum sasl_mechanism *);
/* nonce: fresh random octets.  NULL when out of memory. */
struct sasl *sasl_new(enum sasl_mechanism, const uint8_t nonce[SASL_NONCE]);
/* Wipes it; NULL does nothing. */
void sasl_free(struct sasl *);

/* First of all.  `initial`: the initial response in base64, "=" for one without octets (RFC 4954 4,
 * RFC 4959 3); NULL when there was none. */
enum sasl_want sasl_begin(struct sasl *, const struct bytes *initial);
/* To SASL_CHALLENGE: the line without its CRLF, of any length; nothing of it is borrowed. */
enum sasl_want sasl_line(struct sasl *, struct bytes line);
enum sasl_want sasl_want(const struct sasl *);
enum sasl_failure sasl_failure(const struct sasl *);
/* In base64, also nothing at all; at most SASL_CHALLENGE_MAX. */
void sasl_challenge(const struct sasl *, struct wr *);

/* Borrowed until the question is answered; the name until sasl_free(). */
struct bytes sasl_name(const struct sasl *);
struct bytes sasl_password(const struct sasl *);
struct bytes sasl_message(const struct sasl *); /* the AuthMessage of RFC 5802 3 */
struct bytes sasl_proof(const struct sasl *);   /* 32 octets */

/* To SASL_PASSWORD; to the others when it is not SASL_OK. */
void sasl_answer(struct sasl *, enum sasl_answer);
/* To SASL_SALT: up to 64 octets. */
void sasl_salt(struct sasl *, struct bytes salt, uint32_t iterations);
/* To SASL_PROOF, when the proof was right: the ServerSignature, up to 64 octets. */
void sasl_signature(struct sasl *, struct bytes signature);

#endif

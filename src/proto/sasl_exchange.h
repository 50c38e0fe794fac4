/*
 * sasl_exchange.h - the state of a SASL exchange, which sasl.c and sasl_scram.c share.  Only they
 * include it; everybody else knows sasl.h.
 */
#ifndef PROTO_SASL_EXCHANGE_H
#define PROTO_SASL_EXCHANGE_H

#include "proto/sasl.h"

enum {
	SASL_FIRST_MAX = 1024,       /* octets of SCRAM's client-first-message */
	SASL_CLIENT_NONCE_MAX = 256, /* of the client's nonce; usual are 24 to 44 */
	SASL_SALT_MAX = 64,
	SASL_PROOF_SIZE = 32, /* SHA-256 */
	SASL_TEXT_MAX =
	    3072, /* PLAIN's message, or SCRAM's first, server-first and final message */
};

struct sasl {
	enum sasl_mechanism mechanism;
	enum sasl_want open;
	enum sasl_failure failure;
	unsigned step; /* messages of the client so far */
	struct bytes challenge, password;
	/*
	 * SCRAM's messages as they came and went, a comma between two: [0, bare) the gs2-header,
	 * [bare, message) the AuthMessage so far, of which [server, kept) is server-first.
	 */
	size_t bare, server, kept, message;
	size_t nonce_n; /* of the whole nonce, which stands behind "r=" in server-first */
	uint16_t name_n;
	uint8_t name[SASL_NAME_MAX], nonce[SASL_NONCE], proof[SASL_PROOF_SIZE];
	uint8_t text[SASL_TEXT_MAX];
};
_Static_assert(sizeof(struct sasl) <= SASL_MEMORY_MAX, "an exchange is small");

enum sasl_want sasl_fail(struct sasl *, enum sasl_failure);
/* False: it is too long to be one. */
bool sasl_keep_name(struct sasl *, struct bytes name);

/* The client's next message, which lies in x->text at x->kept. */
enum sasl_want sasl_scram_message(struct sasl *, struct bytes message);
void sasl_scram_salt(struct sasl *, struct bytes salt, uint32_t iterations);
void sasl_scram_signature(struct sasl *, struct bytes signature);

#endif

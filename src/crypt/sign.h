/*
 * sign.h - private keys, and what they may sign: for the keys role.
 *
 * Keys are of P-256 or P-384, or RSA of 2048 to 4096 bits.  A signature is asked for with a purpose,
 * and is refused when the message is not one that the purpose ever signs: so a front that was taken
 * over can finish handshakes, but cannot have anything else signed with the same key.
 */
#ifndef CRYPT_SIGN_H
#define CRYPT_SIGN_H

#include "base/bytes.h"
#include "base/err.h"

#define SIGN_MESSAGE_MAX 65536
#define SIGN_MAX         512  /* the largest signature: RSA of 4096 bits */
#define SIGN_PUBLIC_MAX  640  /* the largest SubjectPublicKeyInfo */
#define SIGN_PEM_MAX     4096 /* the largest private key as PEM */

enum sign_purpose {
	SIGN_TLS = 1, /* a server's CertificateVerify (1.3) or ServerKeyExchange (1.2) */
};

/* The code points of TLS's SignatureScheme, RFC 8446 4.2.3: they go over the words as they are. */
enum sign_scheme {
	SIGN_RSA_PKCS1_SHA256 = 0x0401, /* the three PKCS #1 ones in TLS 1.2 only */
	SIGN_RSA_PKCS1_SHA384 = 0x0501,
	SIGN_RSA_PKCS1_SHA512 = 0x0601,
	SIGN_ECDSA_P256_SHA256 = 0x0403,
	SIGN_ECDSA_P384_SHA384 = 0x0503,
	SIGN_RSA_PSS_SHA256 = 0x0804,
	SIGN_RSA_PSS_SHA384 = 0x0805,
	SIGN_RSA_PSS_SHA512 = 0x0806,
};

struct evp_pkey_st;
struct sign_key; /* opaque; holds a private key, wiped when freed */

/* A new key of P-256. */
MUST_CHECK struct err sign_key_generate(struct sign_key **out);
/* Answers: ERR_SYNTAX no unencrypted private key in PEM, ERR_RANGE a kind or size not taken here. */
MUST_CHECK struct err sign_key_load(struct sign_key **out, struct bytes pem);
/* PKCS #8 in PEM, unencrypted: the caller wipes it.  Answers: ERR_FULL no room. */
MUST_CHECK struct err sign_key_save(const struct sign_key *, struct wr *pem);
void sign_key_free(struct sign_key *);

/* SubjectPublicKeyInfo in DER (RFC 5280 4.1.2.7).  Answers: ERR_FULL no room. */
MUST_CHECK struct err sign_key_public(const struct sign_key *, struct wr *der);
/*
 * Signs the message (not a digest of it).  Answers: ERR_DENIED the purpose does not sign such a
 * message, or the key or the message does not go with the scheme; ERR_FULL no room.
 */
MUST_CHECK struct err sign_message(const struct sign_key *, enum sign_purpose, uint16_t scheme,
                                   struct bytes message, struct wr *signature);
/* The library's own object, borrowed; for the files of this room. */
struct evp_pkey_st *sign_key_native(const struct sign_key *);

#endif

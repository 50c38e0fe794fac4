/*
 * certificate.h - certificates that a server signs for itself until it gets better ones, and what
 * `check` asks of any.
 */
#ifndef CRYPT_CERTIFICATE_H
#define CRYPT_CERTIFICATE_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypt/sign.h"

#define CERTIFICATE_MAX       16384 /* one of ours as PEM */
#define CERTIFICATE_NAMES_MAX 64
#define CERTIFICATE_DAYS      397 /* the most that clients take */
#define CERTIFICATE_SERIAL    16
#define CERTIFICATE_CHAIN     16 /* certificates in a chain */

struct certificate_subject {
	struct bytes common_name;  /* at most 64 bytes: X.520's limit */
	const struct bytes *names; /* subjectAltName: DNS names, or IP addresses in text */
	size_t n;                  /* 1 to CERTIFICATE_NAMES_MAX */
	int64_t from;              /* seconds since 1970 */
	uint32_t days;
	uint8_t serial[CERTIFICATE_SERIAL]; /* random */
};

/* In PEM.  Answers: ERR_RANGE a name or number that no certificate can hold, ERR_FULL no room. */
MUST_CHECK struct err certificate_make(const struct sign_key *, const struct certificate_subject *,
                                       struct wr *pem);

/* What the first certificate of a chain says. */
struct certificate {
	int64_t from, until; /* seconds since 1970 */
	size_t chain;        /* certificates in the chain, this one included */
};

/*
 * Answers: ERR_SYNTAX not a chain of at most CERTIFICATE_CHAIN certificates in PEM, or something else
 * stands there too: a private key that lies beside its certificate must not get to a front.
 */
MUST_CHECK struct err certificate_read(struct bytes chain_pem, struct certificate *out);
/*
 * Does the first certificate of the chain go with this public key (sign_key_public())?
 * Answers: ERR_SYNTAX no chain, or no key; ERR_DENIED another key's.
 */
MUST_CHECK struct err certificate_check(struct bytes chain_pem, struct bytes public_der);

/* A chain as the library's own objects, for whoever hands them back to it.  Answers as above. */
struct x509_st;
struct certificate_chain {
	struct x509_st *all[CERTIFICATE_CHAIN]; /* the leaf first */
	size_t n;
};
MUST_CHECK struct err certificate_chain_read(struct bytes pem, struct certificate_chain *out);
void certificate_chain_free(struct certificate_chain *);

#endif

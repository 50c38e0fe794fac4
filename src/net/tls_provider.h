/*
 * tls_provider.h - keys without a private part, for tls.c: OpenSSL believes that it holds the key,
 * and each signature is asked for elsewhere.
 *
 * Implemented as a provider inside the program (provider(7)), loaded into a library context of its
 * own, so that no other look-up ever finds its algorithms.
 */
#ifndef NET_TLS_PROVIDER_H
#define NET_TLS_PROVIDER_H

#include "net/tls.h"

struct evp_pkey_st;

/* Once, as part of tls_start(). */
MUST_CHECK struct err tls_provider_start(void);
/*
 * A key that signs by sign(owner, number, ...), and whose public part is that of `public`.  The
 * caller frees it with EVP_PKEY_free().  Answers: ERR_RANGE a kind of key that is not taken.
 */
MUST_CHECK struct err tls_provider_key(struct evp_pkey_st **out, struct evp_pkey_st *public,
                                       tls_sign *sign, void *owner, uint32_t number);

#endif

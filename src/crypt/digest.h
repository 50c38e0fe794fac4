/*
 * digest.h - SHA-256 and what is made from it, constant-time comparison and wiping: the one door to
 * the library's digests.
 *
 * A fault means that the library could not (memory); nothing in `out` is to be used then.
 */
#ifndef CRYPT_DIGEST_H
#define CRYPT_DIGEST_H

#include "base/bytes.h"
#include "base/err.h"

#define DIGEST_SIZE 32 /* of SHA-256, and of all that is made here */

/*
 * Loads and seeds all that the library would otherwise read or open at its first use, its
 * configuration file among it.  Once, before anything else of this room and before cage_seal().
 */
MUST_CHECK struct err digest_start(void);

MUST_CHECK struct err digest_sha256(struct bytes, uint8_t out[DIGEST_SIZE]);
/* HMAC-SHA-256, RFC 2104. */
MUST_CHECK struct err digest_hmac(struct bytes key, struct bytes message, uint8_t out[DIGEST_SIZE]);
/* PBKDF2-HMAC-SHA-256 of one block, RFC 8018 5.2: what RFC 5802 calls Hi(). */
MUST_CHECK struct err digest_pbkdf2(struct bytes password, struct bytes salt, uint32_t iterations,
                                    uint8_t out[DIGEST_SIZE]);

/* SHA-256 of what comes in pieces. */
struct digest;
MUST_CHECK struct err digest_new(struct digest **out);
MUST_CHECK struct err digest_add(struct digest *, struct bytes);
/* Gives the digest of all that was added, and begins anew. */
MUST_CHECK struct err digest_end(struct digest *, uint8_t out[DIGEST_SIZE]);
void digest_free(struct digest *);

/*
 * For whoever calls the library: the number of what it refused last, for an err's sys, and its queue
 * of errors emptied for whoever looks next.
 */
int32_t digest_library(void);

/* Equal?  Takes a time that depends on the lengths only. */
bool digest_eq(struct bytes, struct bytes);
/* Overwrites a secret; no compiler leaves it out. */
void digest_wipe(void *, size_t n);

#endif

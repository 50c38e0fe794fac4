/* digest.c - SHA-256 and what is made from it. */
#include "crypt/digest.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

struct digest {
	EVP_MD_CTX *context;
};

struct err
digest_start(void)
{
	uint8_t seed;

	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	                         NULL) ||
	    RAND_bytes(&seed, 1) != 1 || RAND_priv_bytes(&seed, 1) != 1)
		return ERR(ERR_LIBRARY, digest_library(), "libcrypto: start");
	return OK;
}

struct err
digest_sha256(struct bytes b, uint8_t out[DIGEST_SIZE])
{
	if (!EVP_Digest(b.p, b.n, out, NULL, EVP_sha256(), NULL))
		return ERR(ERR_LIBRARY, digest_library(), "sha256");
	return OK;
}

struct err
digest_hmac(struct bytes key, struct bytes message, uint8_t out[DIGEST_SIZE])
{
	/* HMAC() takes a NULL key for "the one before": an empty key must not look like it. */
	const void *k = key.n ? (const void *)key.p : "";

	if (key.n > INT_MAX)
		return ERR(ERR_LIBRARY, 0, "hmac: key");
	if (!HMAC(EVP_sha256(), k, (int)key.n, message.p, message.n, out, NULL))
		return ERR(ERR_LIBRARY, digest_library(), "hmac");
	return OK;
}

struct err
digest_pbkdf2(struct bytes password, struct bytes salt, uint32_t iterations,
              uint8_t out[DIGEST_SIZE])
{
	const char *p = password.n ? (const char *)password.p : "";

	if (password.n > INT_MAX || salt.n > INT_MAX || iterations < 1 || iterations > INT_MAX)
		return ERR(ERR_LIBRARY, 0, "pbkdf2: sizes");
	if (!PKCS5_PBKDF2_HMAC(p, (int)password.n, salt.p, (int)salt.n, (int)iterations,
	                       EVP_sha256(), DIGEST_SIZE, out))
		return ERR(ERR_LIBRARY, digest_library(), "pbkdf2");
	return OK;
}

struct err
digest_new(struct digest **out)
{
	struct digest *d = malloc(sizeof(*d));

	*out = NULL;
	if (!d)
		return ERR(ERR_MEMORY, 0, "digest");
	d->context = EVP_MD_CTX_new();
	if (!d->context || !EVP_DigestInit_ex(d->context, EVP_sha256(), NULL)) {
		digest_free(d);
		return ERR(ERR_LIBRARY, digest_library(), "digest");
	}
	*out = d;
	return OK;
}

struct err
digest_add(struct digest *d, struct bytes b)
{
	if (!EVP_DigestUpdate(d->context, b.p, b.n))
		return ERR(ERR_LIBRARY, digest_library(), "digest");
	return OK;
}

struct err
digest_end(struct digest *d, uint8_t out[DIGEST_SIZE])
{
	if (!EVP_DigestFinal_ex(d->context, out, NULL) ||
	    !EVP_DigestInit_ex(d->context, EVP_sha256(), NULL))
		return ERR(ERR_LIBRARY, digest_library(), "digest");
	return OK;
}

void
digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->context);
	free(d);
}

int32_t
digest_library(void)
{
	unsigned long number = ERR_get_error();

	ERR_clear_error();
	return (int32_t)(number & INT32_MAX);
}

bool
digest_eq(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void
digest_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

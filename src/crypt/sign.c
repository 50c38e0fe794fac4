/*
 * sign.c - private keys, and what each purpose signs.
 *
 * A scheme is a row of a table: the key, the digest and the padding that go with it.  A purpose is a
 * function that looks at the whole message, so nobody can pass a digest of something else.
 */
#include "crypt/sign.h"
#include "crypt/digest.h"
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define NO_PADDING   0 /* an elliptic curve has none */

enum kind { RSA_KEY, P256_KEY, P384_KEY };

struct sign_key {
	EVP_PKEY *key;
	enum kind kind;
};

static const struct scheme {
	uint16_t number;
	enum kind kind;
	const char *digest;
	int padding;
	bool is_tls13; /* may sign a CertificateVerify, RFC 8446 4.4.3 */
} schemes[] = {
    {SIGN_RSA_PKCS1_SHA256, RSA_KEY, "SHA256", RSA_PKCS1_PADDING, false},
    {SIGN_RSA_PKCS1_SHA384, RSA_KEY, "SHA384", RSA_PKCS1_PADDING, false},
    {SIGN_RSA_PKCS1_SHA512, RSA_KEY, "SHA512", RSA_PKCS1_PADDING, false},
    {SIGN_RSA_PSS_SHA256, RSA_KEY, "SHA256", RSA_PKCS1_PSS_PADDING, true},
    {SIGN_RSA_PSS_SHA384, RSA_KEY, "SHA384", RSA_PKCS1_PSS_PADDING, true},
    {SIGN_RSA_PSS_SHA512, RSA_KEY, "SHA512", RSA_PKCS1_PSS_PADDING, true},
    {SIGN_ECDSA_P256_SHA256, P256_KEY, "SHA256", NO_PADDING, true},
    {SIGN_ECDSA_P384_SHA384, P384_KEY, "SHA384", NO_PADDING, true},
};

/* The named curves of an ephemeral key in TLS 1.2 and the bytes of a point: RFC 8422 5.1.1, 5.4. */
static const struct curve {
	uint16_t number;
	uint8_t point;
} curves[] = {{23, 65}, {24, 97}, {25, 133}, {29, 32}, {30, 56}};

/* A key with a pass phrase is refused: the library would ask for it on the terminal. */
static int
no_phrase(char *phrase, int n, int writing, void *owner)
{
	(void)phrase, (void)n, (void)writing, (void)owner;
	return -1;
}

/* Which kind of key it is; false when it is none that is taken here. */
static bool
key_kind(EVP_PKEY *key, enum kind *out)
{
	char group[64] = "";
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA")) {
		*out = RSA_KEY;
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	}
	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
		return false;
	if (strcmp(group, SN_X9_62_prime256v1) == 0)
		*out = P256_KEY;
	else if (strcmp(group, SN_secp384r1) == 0)
		*out = P384_KEY;
	else
		return false;
	return true;
}

/* Takes the library's key, also when it is refused. */
static struct err
key_take(EVP_PKEY *native, struct sign_key **out)
{
	struct sign_key *k;
	enum kind kind;

	if (!key_kind(native, &kind)) {
		EVP_PKEY_free(native);
		(void)digest_library();
		return ERR(ERR_RANGE, 0, "key: not of a kind that is taken");
	}
	k = malloc(sizeof(*k));
	if (!k) {
		EVP_PKEY_free(native);
		return ERR(ERR_MEMORY, 0, "key");
	}
	*k = (struct sign_key){native, kind};
	*out = k;
	return OK;
}

/* What stands in a memory BIO, handed on; OPENSSL_clear_free() wipes it with the BIO. */
static struct err
bio_give(BIO *bio, struct wr *w)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	if (n <= 0)
		return ERR(ERR_LIBRARY, digest_library(), "key: write");
	wr_bytes(w, (struct bytes){(const uint8_t *)p, (size_t)n});
	return w->full ? ERR(ERR_FULL, 0, "key: write") : OK;
}

/* RFC 8446 4.4.3: 64 spaces, the context, a zero, the hash of the transcript. */
static bool
is_certificate_verify(struct bytes message)
{
	struct rd r = rd_of(message);
	struct bytes spaces = rd_take(&r, 64);
	struct bytes context = rd_take(&r, sizeof("TLS 1.3, server CertificateVerify"));
	size_t hash = rd_left(&r);

	for (size_t i = 0; i < spaces.n; i++)
		if (spaces.p[i] != ' ')
			return false;
	return !r.bad && memcmp(context.p, "TLS 1.3, server CertificateVerify", context.n) == 0 &&
	       (hash == 32 || hash == 48); /* the suites of 1.3 hash with SHA-256 or SHA-384 */
}

/* RFC 8422 5.4: the two randoms, then ServerECDHParams and nothing else. */
static bool
is_server_key_exchange(struct bytes message)
{
	struct rd r = rd_of(message);
	uint8_t type;
	uint16_t number;
	struct bytes point;

	(void)rd_take(&r, 64);
	type = rd_u8(&r);
	number = rd_u16(&r);
	point = rd_bytes8(&r);
	if (r.bad || rd_left(&r) || type != 3)
		return false;
	for (size_t i = 0; i < COUNT(curves); i++)
		if (curves[i].number == number)
			return curves[i].point == point.n;
	return false;
}

static bool
purpose_fits(enum sign_purpose purpose, const struct scheme *s, struct bytes message)
{
	switch (purpose) {
	case SIGN_TLS:
		return is_certificate_verify(message) ? s->is_tls13
		                                      : is_server_key_exchange(message);
	}
	return false;
}

static const struct scheme *
scheme_find(uint16_t number)
{
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (schemes[i].number == number)
			return &schemes[i];
	return NULL;
}

struct err
sign_key_generate(struct sign_key **out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	*out = NULL;
	if (!key)
		return ERR(ERR_LIBRARY, digest_library(), "key: generate");
	return key_take(key, out);
}

struct err
sign_key_load(struct sign_key **out, struct bytes pem)
{
	BIO *bio;
	EVP_PKEY *key;

	*out = NULL;
	if (pem.n == 0 || pem.n > SIGN_MESSAGE_MAX)
		return ERR(ERR_SYNTAX, 0, "key: no PEM");
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (!bio)
		return ERR(ERR_LIBRARY, digest_library(), "key: load");
	key = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL);
	BIO_free(bio);
	if (!key)
		return ERR(ERR_SYNTAX, digest_library(), "key: no unencrypted private key in PEM");
	return key_take(key, out);
}

struct err
sign_key_save(const struct sign_key *k, struct wr *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	struct err e;

	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, k->key, NULL, NULL, 0, NULL, NULL))
		e = ERR(ERR_LIBRARY, digest_library(), "key: save");
	else
		e = bio_give(bio, pem);
	BIO_free(bio);
	return e;
}

void
sign_key_free(struct sign_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->key);
	free(k);
}

struct err
sign_key_public(const struct sign_key *k, struct wr *der)
{
	unsigned char *p = NULL;
	int n = i2d_PUBKEY(k->key, &p);

	if (n <= 0)
		return ERR(ERR_LIBRARY, digest_library(), "key: public");
	wr_bytes(der, (struct bytes){p, (size_t)n});
	OPENSSL_free(p);
	return der->full ? ERR(ERR_FULL, 0, "key: public") : OK;
}

struct err
sign_message(const struct sign_key *k, enum sign_purpose purpose, uint16_t number,
             struct bytes message, struct wr *signature)
{
	const struct scheme *s = scheme_find(number);
	uint8_t made[SIGN_MAX];
	size_t n = sizeof(made);
	EVP_MD_CTX *context = NULL;
	EVP_PKEY_CTX *key = NULL;
	struct err e = OK;

	if (!s || s->kind != k->kind || message.n > SIGN_MESSAGE_MAX ||
	    !purpose_fits(purpose, s, message))
		return ERR(ERR_DENIED, 0, "sign: not for this purpose, or not with this key");
	context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestSignInit_ex(context, &key, s->digest, NULL, NULL, k->key, NULL))
		goto refused;
	if (s->padding != NO_PADDING && EVP_PKEY_CTX_set_rsa_padding(key, s->padding) <= 0)
		goto refused;
	if (s->padding == RSA_PKCS1_PSS_PADDING &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_DIGEST) <= 0)
		goto refused;
	if (EVP_DigestSign(context, made, &n, message.p, message.n) <= 0)
		goto refused;
	wr_bytes(signature, (struct bytes){made, n});
	if (signature->full)
		e = ERR(ERR_FULL, 0, "sign");
	goto out;
refused:
	e = ERR(ERR_LIBRARY, digest_library(), "sign");
out:
	EVP_MD_CTX_free(context);
	return e;
}

struct evp_pkey_st *
sign_key_native(const struct sign_key *k)
{
	return k->key;
}

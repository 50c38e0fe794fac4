/* sign.c - keys in and out of PEM; what TLS signs, and that nothing else is. */
#include "crypt/sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char context13[] = "TLS 1.3, server CertificateVerify";

/* A key of the library's own as PEM. */
static struct bytes
pem_of(EVP_PKEY *key, const EVP_CIPHER *cipher, uint8_t room[8192])
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	assert_non_null(key);
	assert_true(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, "phrase", 6, NULL, NULL));
	n = BIO_get_mem_data(bio, &p);
	assert_true(n < 8192);
	memcpy(room, p, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return (struct bytes){room, (size_t)n};
}

static struct sign_key *
key_of(EVP_PKEY *key)
{
	static uint8_t room[8192];
	struct sign_key *k;

	assert_true(is_ok(sign_key_load(&k, pem_of(key, NULL, room))));
	return k;
}

/* The message of TLS 1.3 with a hash of n bytes. */
static struct bytes
message13(uint8_t room[256], size_t n)
{
	struct wr w = wr_of(room, 256);

	for (int i = 0; i < 64; i++)
		wr_u8(&w, ' ');
	wr_bytes(&w, (struct bytes){(const uint8_t *)context13, sizeof(context13)});
	for (size_t i = 0; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	return wr_since(&w, room);
}

/* The message of TLS 1.2 with a point of n bytes on a curve. */
static struct bytes
message12(uint8_t room[256], uint16_t curve, uint8_t n)
{
	struct wr w = wr_of(room, 256);

	for (int i = 0; i < 64; i++)
		wr_u8(&w, (uint8_t)(i * 7));
	wr_u8(&w, 3);
	wr_u16(&w, curve);
	wr_u8(&w, n);
	for (size_t i = 0; i < n; i++)
		wr_u8(&w, (uint8_t)i);
	return wr_since(&w, room);
}

/* By the library, with the public key as others see it. */
static bool
verifies(const struct sign_key *k, const char *digest, bool pss, struct bytes message,
         struct bytes signature)
{
	uint8_t der[SIGN_PUBLIC_MAX];
	struct wr w = wr_of(der, sizeof(der));
	const unsigned char *p = der;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pc;
	EVP_PKEY *key;
	bool good;

	assert_true(is_ok(sign_key_public(k, &w)));
	key = d2i_PUBKEY(NULL, &p, (long)(w.p - der));
	assert_non_null(key);
	assert_int_equal(EVP_DigestVerifyInit_ex(c, &pc, digest, NULL, NULL, key, NULL), 1);
	if (pss) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	good = EVP_DigestVerify(c, signature.p, signature.n, message.p, message.n) == 1;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return good;
}

enum { P256, P384, RSA2048, KEYS };

static const struct {
	int key;
	uint16_t scheme;
	const char *digest;
	bool pss, tls13;
} schemes[] = {
    {P256, SIGN_ECDSA_P256_SHA256, "SHA256", false, true},
    {P384, SIGN_ECDSA_P384_SHA384, "SHA384", false, true},
    {RSA2048, SIGN_RSA_PSS_SHA256, "SHA256", true, true},
    {RSA2048, SIGN_RSA_PSS_SHA384, "SHA384", true, true},
    {RSA2048, SIGN_RSA_PSS_SHA512, "SHA512", true, true},
    {RSA2048, SIGN_RSA_PKCS1_SHA256, "SHA256", false, false},
    {RSA2048, SIGN_RSA_PKCS1_SHA384, "SHA384", false, false},
    {RSA2048, SIGN_RSA_PKCS1_SHA512, "SHA512", false, false},
};

static struct sign_key *keys[KEYS];

static int
setup(void **state)
{
	(void)state;
	assert_true(is_ok(sign_key_generate(&keys[P256])));
	keys[P384] = key_of(EVP_EC_gen("P-384"));
	keys[RSA2048] = key_of(EVP_RSA_gen(2048));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		sign_key_free(keys[i]);
	sign_key_free(NULL);
	return 0;
}

static void
each_scheme_signs_with_its_key_only(void **state)
{
	uint8_t room[256], made[SIGN_MAX];
	struct bytes m12 = message12(room, 29, 32), m13;

	(void)state;
	for (size_t i = 0; i < COUNT(schemes); i++) {
		for (int k = 0; k < KEYS; k++) {
			struct wr w = wr_of(made, sizeof(made));
			struct err e;

			m12 = message12(room, 29, 32);
			e = sign_message(keys[k], SIGN_TLS, schemes[i].scheme, m12, &w);
			assert_int_equal(e.code, k == schemes[i].key ? 0 : ERR_DENIED);
			if (k != schemes[i].key)
				continue;
			assert_true(verifies(keys[k], schemes[i].digest, schemes[i].pss, m12,
			                     wr_since(&w, made)));
			w = wr_of(made, sizeof(made));
			m13 = message13(room, 32);
			e = sign_message(keys[k], SIGN_TLS, schemes[i].scheme, m13, &w);
			assert_int_equal(e.code, schemes[i].tls13 ? 0 : ERR_DENIED);
			if (schemes[i].tls13)
				assert_true(verifies(keys[k], schemes[i].digest, schemes[i].pss,
				                     m13, wr_since(&w, made)));
		}
	}
}

static void
tls_signs_nothing_else(void **state)
{
	uint8_t room[256], made[SIGN_MAX];
	struct bytes m;
	struct wr w;

	(void)state;
#define REFUSED(message)                                                                           \
	w = wr_of(made, sizeof(made));                                                             \
	assert_int_equal(                                                                          \
	    sign_message(keys[P256], SIGN_TLS, SIGN_ECDSA_P256_SHA256, message, &w).code,          \
	    ERR_DENIED);                                                                           \
	assert_int_equal(wr_since(&w, made).n, 0)
#define SIGNED(message)                                                                            \
	w = wr_of(made, sizeof(made));                                                             \
	assert_true(is_ok(sign_message(keys[P256], SIGN_TLS, SIGN_ECDSA_P256_SHA256, message, &w)))

	SIGNED(message13(room, 32));
	SIGNED(message13(room, 48));
	REFUSED(NO_BYTES);
	REFUSED(BYTES("a hash of thirty-two bytes is it"));
	REFUSED(message13(room, 0));
	REFUSED(message13(room, 31));
	REFUSED(message13(room, 33));
	REFUSED(message13(room, 64));
	m = message13(room, 32);
	for (size_t i = 0; i < m.n - 32; i++) { /* each byte before the hash */
		room[i] ^= 1;
		REFUSED(m);
		room[i] ^= 1;
	}
	SIGNED(message12(room, 23, 65));
	SIGNED(message12(room, 24, 97));
	SIGNED(message12(room, 29, 32));
	REFUSED(message12(room, 29, 31));
	REFUSED(message12(room, 23, 64));
	REFUSED(message12(room, 22, 65));
	m = message12(room, 29, 32);
	m.n--;
	REFUSED(m);
	m.n += 2;
	REFUSED(m);
	m = message12(room, 29, 32);
	room[64] = 1; /* explicit_prime */
	REFUSED(m);
	m = message13(room, 32);
	w = wr_of(made, sizeof(made));
	assert_int_equal(
	    sign_message(keys[P256], (enum sign_purpose)99, SIGN_ECDSA_P256_SHA256, m, &w).code,
	    ERR_DENIED);
	assert_int_equal(sign_message(keys[P256], SIGN_TLS, 0x0203, m, &w).code, ERR_DENIED);
	w = wr_of(made, 8);
	assert_int_equal(sign_message(keys[P256], SIGN_TLS, SIGN_ECDSA_P256_SHA256, m, &w).code,
	                 ERR_FULL);
}

static void
a_saved_key_is_the_same_key(void **state)
{
	uint8_t pem[SIGN_PEM_MAX], one[SIGN_PUBLIC_MAX], other[SIGN_PUBLIC_MAX];

	(void)state;
	for (size_t i = 0; i < KEYS; i++) {
		struct wr w = wr_of(pem, sizeof(pem)), a = wr_of(one, sizeof(one)),
			  b = wr_of(other, sizeof(other));
		struct sign_key *again;

		assert_true(is_ok(sign_key_save(keys[i], &w)));
		assert_true(is_ok(sign_key_load(&again, wr_since(&w, pem))));
		assert_true(is_ok(sign_key_public(keys[i], &a)));
		assert_true(is_ok(sign_key_public(again, &b)));
		assert_true(bytes_eq(wr_since(&a, one), wr_since(&b, other)));
		sign_key_free(again);
		w = wr_of(pem, 20);
		assert_int_equal(sign_key_save(keys[i], &w).code, ERR_FULL);
		a = wr_of(one, 20);
		assert_int_equal(sign_key_public(keys[i], &a).code, ERR_FULL);
	}
}

static void
other_keys_are_refused(void **state)
{
	static uint8_t room[8192];
	struct sign_key *k;

	(void)state;
	assert_int_equal(sign_key_load(&k, pem_of(EVP_RSA_gen(1024), NULL, room)).code, ERR_RANGE);
	assert_int_equal(sign_key_load(&k, pem_of(EVP_EC_gen("P-521"), NULL, room)).code,
	                 ERR_RANGE);
	assert_int_equal(sign_key_load(&k, pem_of(EVP_EC_gen("secp256k1"), NULL, room)).code,
	                 ERR_RANGE);
	assert_int_equal(
	    sign_key_load(&k, pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, room)).code,
	    ERR_RANGE);
	/* Nobody is asked for a pass phrase. */
	assert_int_equal(
	    sign_key_load(&k, pem_of(EVP_EC_gen("P-256"), EVP_aes_256_cbc(), room)).code,
	    ERR_SYNTAX);
	assert_int_equal(sign_key_load(&k, NO_BYTES).code, ERR_SYNTAX);
	assert_int_equal(sign_key_load(&k, BYTES("-----BEGIN PRIVATE KEY-----\nAAAA\n")).code,
	                 ERR_SYNTAX);
	assert_null(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_scheme_signs_with_its_key_only),
	    cmocka_unit_test(tls_signs_nothing_else),
	    cmocka_unit_test(a_saved_key_is_the_same_key),
	    cmocka_unit_test(other_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

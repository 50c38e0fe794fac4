/* certificate.c - what init makes is what clients take; what is not a chain is refused. */
#include "crypt/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FROM 1790000000 /* a second in 2026 */

static struct sign_key *key, *other;
static uint8_t pem[CERTIFICATE_MAX], key_pem[SIGN_PEM_MAX];
static struct bytes made, secret;

static const char *const texts[] = {"mail.example.org", "example.org", "*.example.org", "192.0.2.1",
                                    "2001:db8::1"};
static struct bytes names[COUNT(texts)];

static struct certificate_subject
subject(void)
{
	return (struct certificate_subject){
	    .common_name = BYTES("mail.example.org"),
	    .names = names,
	    .n = COUNT(names),
	    .from = FROM,
	    .days = CERTIFICATE_DAYS,
	    .serial = {0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	};
}

static int
setup(void **state)
{
	struct certificate_subject s = subject();
	struct wr w = wr_of(pem, sizeof(pem)), k = wr_of(key_pem, sizeof(key_pem));

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		names[i] = bytes_of(texts[i]);
	assert_true(is_ok(sign_key_generate(&key)));
	assert_true(is_ok(sign_key_generate(&other)));
	assert_true(is_ok(certificate_make(key, &s, &w)));
	made = wr_since(&w, pem);
	assert_true(is_ok(sign_key_save(key, &k)));
	secret = wr_since(&k, key_pem);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sign_key_free(key);
	sign_key_free(other);
	return 0;
}

static void
a_made_certificate_says_what_was_asked(void **state)
{
	BIO *bio = BIO_new_mem_buf(made.p, (int)made.n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	const ASN1_INTEGER *serial;
	struct certificate c;

	(void)state;
	assert_non_null(x);
	assert_int_equal(X509_get_version(x), X509_VERSION_3);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	assert_int_equal(X509_check_host(x, "mail.example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "www.example.org", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(x, "example.net", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "192.0.2.2", 0), 0);
	assert_int_equal(X509_check_ca(x), 0);
	assert_true(X509_get_key_usage(x) == KU_DIGITAL_SIGNATURE);
	assert_true(X509_get_extended_key_usage(x) == XKU_SSL_SERVER);
	serial = X509_get0_serialNumber(x);
	assert_int_equal(ASN1_STRING_length(serial), CERTIFICATE_SERIAL);
	assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not negative */
	X509_free(x);
	BIO_free(bio);
	assert_true(is_ok(certificate_read(made, &c)));
	assert_int_equal(c.from, FROM);
	assert_int_equal(c.until, FROM + INT64_C(86400) * CERTIFICATE_DAYS);
	assert_int_equal(c.chain, 1);
}

static void
a_certificate_goes_with_its_key_only(void **state)
{
	uint8_t der[SIGN_PUBLIC_MAX];
	struct wr w = wr_of(der, sizeof(der));

	(void)state;
	assert_true(is_ok(sign_key_public(key, &w)));
	assert_true(is_ok(certificate_check(made, wr_since(&w, der))));
	w = wr_of(der, sizeof(der));
	assert_true(is_ok(sign_key_public(other, &w)));
	assert_int_equal(certificate_check(made, wr_since(&w, der)).code, ERR_DENIED);
	assert_int_equal(certificate_check(made, BYTES("x")).code, ERR_SYNTAX);
	assert_int_equal(certificate_check(made, NO_BYTES).code, ERR_SYNTAX);
	assert_int_equal(certificate_check(NO_BYTES, wr_since(&w, der)).code, ERR_SYNTAX);
}

static void
only_chains_are_read(void **state)
{
	static uint8_t room[20 * CERTIFICATE_MAX];
	struct certificate_chain chain;
	struct certificate c;
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	wr_text(&w, "a line that says whose it is\n");
	wr_bytes(&w, made);
	wr_bytes(&w, made);
	assert_true(is_ok(certificate_read(wr_since(&w, room), &c)));
	assert_int_equal(c.chain, 2);
	assert_true(is_ok(certificate_chain_read(wr_since(&w, room), &chain)));
	assert_int_equal(chain.n, 2);
	certificate_chain_free(&chain);
	/* A private key beside it must not get to a front. */
	wr_bytes(&w, secret);
	assert_int_equal(certificate_read(wr_since(&w, room), &c).code, ERR_SYNTAX);
	assert_int_equal(certificate_read(secret, &c).code, ERR_SYNTAX);
	assert_int_equal(certificate_read(NO_BYTES, &c).code, ERR_SYNTAX);
	assert_int_equal(certificate_read(BYTES("no PEM"), &c).code, ERR_SYNTAX);
	for (size_t n = 1; n < made.n - 1; n += 7)
		assert_int_equal(certificate_read((struct bytes){made.p, n}, &c).code, ERR_SYNTAX);
	w = wr_of(room, sizeof(room));
	for (size_t i = 0; i <= CERTIFICATE_CHAIN; i++)
		wr_bytes(&w, made);
	assert_int_equal(certificate_read(wr_since(&w, room), &c).code, ERR_SYNTAX);
}

static void
names_that_no_certificate_holds_are_refused(void **state)
{
	const struct bytes bad[] = {
	    BYTES(""), BYTES("a b"), BYTES("a\0b"), BYTES("a\nb"), BYTES("m\xc3\xbcller"),
	};
	static uint8_t room[CERTIFICATE_MAX];
	uint8_t longest[65];
	struct certificate_subject s;
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 0; i < COUNT(bad); i++) {
		s = subject();
		s.common_name = bad[i];
		assert_int_equal(certificate_make(key, &s, &w).code, ERR_RANGE);
		s = subject();
		s.names = &bad[i];
		s.n = 1;
		assert_int_equal(certificate_make(key, &s, &w).code, ERR_RANGE);
	}
	s = subject();
	s.common_name = (struct bytes){longest, sizeof(longest)};
	assert_int_equal(certificate_make(key, &s, &w).code, ERR_RANGE);
	s = subject();
	s.n = 0;
	assert_int_equal(certificate_make(key, &s, &w).code, ERR_RANGE);
	s = subject();
	s.days = 0;
	assert_int_equal(certificate_make(key, &s, &w).code, ERR_RANGE);
	s = subject();
	w = wr_of(room, 100);
	assert_int_equal(certificate_make(key, &s, &w).code, ERR_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_made_certificate_says_what_was_asked),
	    cmocka_unit_test(a_certificate_goes_with_its_key_only),
	    cmocka_unit_test(only_chains_are_read),
	    cmocka_unit_test(names_that_no_certificate_holds_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

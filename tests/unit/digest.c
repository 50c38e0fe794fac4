/* digest.c - against the vectors of the standards, whole and in pieces. */
#include "crypt/digest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void
is_hex(const uint8_t got[DIGEST_SIZE], const char *want)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * DIGEST_SIZE + 1];

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		text[2 * i] = digits[got[i] >> 4];
		text[2 * i + 1] = digits[got[i] & 15];
	}
	text[sizeof(text) - 1] = 0;
	assert_string_equal(text, want);
}

static const struct {
	const char *text, *sum; /* FIPS 180-4 */
} sums[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void
sha256_of_whole_and_pieces(void **state)
{
	uint8_t out[DIGEST_SIZE];
	struct digest *d;

	(void)state;
	assert_true(is_ok(digest_new(&d)));
	for (size_t i = 0; i < COUNT(sums); i++) {
		struct bytes b = bytes_of(sums[i].text);

		assert_true(is_ok(digest_sha256(b, out)));
		is_hex(out, sums[i].sum);
		for (size_t cut = 1; cut < 64; cut++) {
			for (size_t at = 0; at < b.n; at += cut) {
				size_t n = b.n - at < cut ? b.n - at : cut;

				assert_true(is_ok(digest_add(d, (struct bytes){b.p + at, n})));
			}
			assert_true(is_ok(digest_end(d, out)));
			is_hex(out, sums[i].sum);
		}
	}
	digest_free(d);
	digest_free(NULL);
}

static void
hmac_of_rfc_4231(void **state)
{
	uint8_t out[DIGEST_SIZE];

	(void)state;
	assert_true(is_ok(digest_hmac(BYTES("Jefe"), BYTES("what do ya want for nothing?"), out)));
	is_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	/* An empty key is a key, and not the one before. */
	assert_true(is_ok(digest_hmac(NO_BYTES, NO_BYTES, out)));
	is_hex(out, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
pbkdf2_of_rfc_7914(void **state)
{
	uint8_t out[DIGEST_SIZE];

	(void)state;
	assert_true(is_ok(digest_pbkdf2(BYTES("passwd"), BYTES("salt"), 1, out)));
	is_hex(out, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	assert_true(is_ok(digest_pbkdf2(BYTES("Password"), BYTES("NaCl"), 80000, out)));
	is_hex(out, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
	assert_true(is_fault(digest_pbkdf2(BYTES("x"), BYTES("y"), 0, out)));
}

static void
equality_looks_at_all(void **state)
{
	uint8_t secret[4] = {1, 2, 3, 4};

	(void)state;
	assert_true(digest_eq(BYTES("abc"), BYTES("abc")));
	assert_false(digest_eq(BYTES("abc"), BYTES("abd")));
	assert_false(digest_eq(BYTES("abc"), BYTES("ab")));
	assert_true(digest_eq(NO_BYTES, NO_BYTES));
	digest_wipe(secret, sizeof(secret));
	assert_memory_equal(secret, "\0\0\0\0", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_of_whole_and_pieces),
	    cmocka_unit_test(hmac_of_rfc_4231),
	    cmocka_unit_test(pbkdf2_of_rfc_7914),
	    cmocka_unit_test(equality_looks_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

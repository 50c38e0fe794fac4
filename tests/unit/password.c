/* password.c - hashes, verifiers, and what is refused before any hashing. */
#include "crypt/password.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t salts[PASSWORD_RANDOM] = "0123456789abcde\0fedcba9876543210";

static void
a_made_record_opens_with_its_password_only(void **state)
{
	static const struct {
		const char *right, *wrong;
	} cases[] = {
	    {"pencil", "pencil "},
	    {"x", "X"},
	    {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa8"},
	};
	struct password_record r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes right = bytes_of(cases[i].right);

		assert_true(is_ok(password_make(right, PASSWORD_COST_MIN, salts, &r)));
		assert_memory_equal(r.hash, "$y$", 3);
		assert_true(is_ok(password_check(&r, right)));
		assert_int_equal(password_check(&r, bytes_of(cases[i].wrong)).code, ERR_DENIED);
		assert_int_equal(password_check(&r, NO_BYTES).code, ERR_DENIED);
	}
}

/* The same as crypt(3) itself gives for this salt and cost. */
static void
the_hash_is_that_of_crypt(void **state)
{
	struct password_record r;

	(void)state;
	assert_true(is_ok(password_make(BYTES("password"), 5, salts, &r)));
	assert_string_equal(r.hash, "$y$j9T$k2XAnEHBqQ1Ct2aMXFKN..$"
	                            "r2se.clpTZgDnmlTdBTZzE/KXC04fzmw/Xd.nTpsuT7");
}

static void
limits_are_kept_before_hashing(void **state)
{
	static uint8_t big[PASSWORD_MAX + 1];
	struct password_record r;

	(void)state;
	memset(big, 'a', sizeof(big));
	assert_int_equal(password_make((struct bytes){big, sizeof(big)}, 1, salts, &r).code,
	                 ERR_RANGE);
	assert_int_equal(password_make(NO_BYTES, 1, salts, &r).code, ERR_SYNTAX);
	assert_int_equal(password_make(BYTES("a\0b"), 1, salts, &r).code, ERR_SYNTAX);
	assert_int_equal(password_make(BYTES("ab"), 0, salts, &r).code, ERR_RANGE);
	assert_int_equal(password_make(BYTES("ab"), 12, salts, &r).code, ERR_RANGE);
	assert_true(is_ok(password_make(BYTES("ab"), 1, salts, &r)));
	assert_int_equal(password_check(&r, (struct bytes){big, sizeof(big)}).code, ERR_DENIED);
	assert_int_equal(password_check(&r, BYTES("ab\0c")).code, ERR_DENIED);
}

/* Each byte counts, up to the last of PASSWORD_MAX: also around crypt(3)'s own 511. */
static void
nothing_is_cut_off(void **state)
{
	static const size_t lengths[] = {72, 73, 510, 511, 512, 513, 1023, PASSWORD_MAX};
	static uint8_t text[PASSWORD_MAX];
	struct password_record r;

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct bytes b = {text, lengths[i]};

		memset(text, 'p', sizeof(text));
		assert_true(is_ok(password_make(b, 1, salts, &r)));
		assert_true(is_ok(password_check(&r, b)));
		text[b.n - 1] = 'q';
		assert_int_equal(password_check(&r, b).code, ERR_DENIED);
		text[b.n - 1] = 'p';
		b.n--;
		assert_int_equal(password_check(&r, b).code, ERR_DENIED);
	}
}

static const struct {
	const char *name, *hash, *password;
} foreign[] = {
    {"sha512crypt",
     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoE"
     "OfaS35inz1",
     "Hello world!"},
    {"sha256crypt", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"},
    {"bcrypt", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
    {"bcrypt b", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
    {"md5crypt", "$1$abc$Kb85XxsXB.VXinPhbS4431", "pw"},
    {"yescrypt", "$y$j75$k2XAnEHBqQ1Ct2aMXFKN..$CCUGB/DaZ3ZDBX9NAhb4ieYeJUHqlEytZdGREDvIaW9",
     "password"},
};

static void
foreign_hashes_are_taken(void **state)
{
	struct password_record r;

	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct err e = password_import(bytes_of(foreign[i].hash), &r);

		if (!is_ok(e))
			fail_msg("%s: %s", foreign[i].name, e.why);
		assert_false(r.has_scram);
		if (!is_ok(password_check(&r, bytes_of(foreign[i].password))))
			fail_msg("%s does not open", foreign[i].name);
		assert_int_equal(password_check(&r, BYTES("other")).code, ERR_DENIED);
	}
}

static const struct {
	const char *hash;
	int32_t code;
} refused[] = {
    {"", ERR_SYNTAX},
    {"secret", ERR_SYNTAX},
    {"abJnggxhB/yWI", ERR_SYNTAX}, /* DES: eight bytes count */
    {"*", ERR_SYNTAX},
    {"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", ERR_SYNTAX},
    {"$6$saltstring$tooshort", ERR_SYNTAX},
    {"$6$rounds=999999999$saltstring$"
     "svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
     ERR_RANGE},
    {"$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_RANGE},
    {"$y$jzT$k2XAnEHBqQ1Ct2aMXFKN..$CCUGB/DaZ3ZDBX9NAhb4ieYeJUHqlEytZdGREDvIaW9", ERR_RANGE},
    {"$y$j9zz$k2XAnEHBqQ1Ct2aMXFKN..$CCUGB/DaZ3ZDBX9NAhb4ieYeJUHqlEytZdGREDvIaW9", ERR_RANGE},
    {"$7$zU..../....abcdefgh$CCUGB/DaZ3ZDBX9NAhb4ieYeJUHqlEytZdGREDvIaW9", ERR_RANGE},
};

static void
foreign_hashes_that_are_refused(void **state)
{
	struct password_record r;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct err e = password_import(bytes_of(refused[i].hash), &r);

		if (e.code != refused[i].code)
			fail_msg("%s: %d", refused[i].hash, e.code);
		assert_int_equal(r.hash[0], 0);
	}
	assert_int_equal(password_import(BYTES("$6$a\0b$x"), &r).code, ERR_SYNTAX);
}

/* bcrypt looks at 72 bytes: what has more is not let in by the first 72. */
static void
a_long_password_does_not_open_bcrypt(void **state)
{
	static const char text[] =
	    "0123456789012345678901234567890123456789012345678901234567890123456789012";
	struct bytes b = {(const uint8_t *)text, 72};
	struct password_record r;

	(void)state;
	assert_true(is_ok(password_import(
	    BYTES("$2b$04$CCCCCCCCCCCCCCCCCCCCC.FK1BvzBLAltNsbGCqDzcz8ivvVoPdea"), &r)));
	assert_true(is_ok(password_check(&r, b)));
	b.n++;
	assert_int_equal(password_check(&r, b).code, ERR_DENIED);
}

/* RFC 7677 3. */
static void
scram_of_the_rfc(void **state)
{
	static const uint8_t salt[PASSWORD_SALT] = {0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e,
	                                            0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa, 0x81};
	static const uint8_t proof[DIGEST_SIZE] = {0x74, 0x7c, 0xdb, 0x65, 0xaa, 0x56, 0x22, 0x4e,
	                                           0x23, 0x52, 0x13, 0x7e, 0x52, 0xd7, 0xbd, 0xca,
	                                           0xd6, 0xa0, 0xf7, 0x38, 0xdf, 0x30, 0x78, 0x2c,
	                                           0xaa, 0x69, 0xa2, 0xcf, 0xb0, 0x27, 0x75, 0x54};
	static const uint8_t signature[DIGEST_SIZE] = {
	    0xea, 0xba, 0xe2, 0x4d, 0x10, 0x62, 0xdb, 0x75, 0xa9, 0x45, 0x1f,
	    0xf0, 0xb6, 0xea, 0x7e, 0x98, 0xc8, 0x54, 0x65, 0x49, 0xff, 0x74,
	    0x1e, 0x67, 0x2d, 0x32, 0x51, 0xb2, 0x39, 0x7d, 0xe4, 0x6e};
	static const char message[] = "n=user,r=rOprNGfwEbeRWgbNEkqO,"
				      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s="
				      "W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
				      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
	struct password_record r = {.hash = "$y$", .has_scram = true, .iterations = 4096};
	uint8_t salted[DIGEST_SIZE], key[DIGEST_SIZE], got[DIGEST_SIZE], bad[DIGEST_SIZE];
	struct bytes s = {salted, sizeof(salted)};

	(void)state;
	memcpy(r.salt, salt, sizeof(salt));
	assert_true(is_ok(
	    digest_pbkdf2(BYTES("pencil"), (struct bytes){salt, sizeof(salt)}, 4096, salted)));
	assert_true(is_ok(digest_hmac(s, BYTES("Client Key"), key)));
	assert_true(is_ok(digest_sha256((struct bytes){key, sizeof(key)}, r.stored_key)));
	assert_true(is_ok(digest_hmac(s, BYTES("Server Key"), r.server_key)));
	assert_true(is_ok(
	    password_scram(&r, bytes_of(message), (struct bytes){proof, sizeof(proof)}, got)));
	assert_memory_equal(got, signature, sizeof(signature));
	for (size_t i = 0; i < sizeof(proof); i++) {
		memcpy(bad, proof, sizeof(bad));
		bad[i] ^= 1;
		assert_int_equal(
		    password_scram(&r, bytes_of(message), (struct bytes){bad, sizeof(bad)}, got)
			.code,
		    ERR_DENIED);
	}
	assert_int_equal(
	    password_scram(&r, BYTES("n=root"), (struct bytes){proof, sizeof(proof)}, got).code,
	    ERR_DENIED);
	assert_int_equal(password_scram(&r, bytes_of(message), NO_BYTES, got).code, ERR_DENIED);
	r.has_scram = false;
	assert_int_equal(
	    password_scram(&r, bytes_of(message), (struct bytes){proof, sizeof(proof)}, got).code,
	    ERR_DENIED);
}

/* What a client makes of the password fits the verifier that password_make() wrote. */
static void
a_made_record_takes_its_client(void **state)
{
	uint8_t salted[DIGEST_SIZE], key[DIGEST_SIZE], sum[DIGEST_SIZE], proof[DIGEST_SIZE];
	struct password_record r;

	(void)state;
	assert_true(is_ok(password_make(BYTES("pencil"), 1, salts, &r)));
	assert_int_equal(r.iterations, PASSWORD_ITERATIONS);
	assert_memory_equal(r.salt, salts + PASSWORD_SALT, PASSWORD_SALT);
	assert_true(is_ok(digest_pbkdf2(BYTES("pencil"), (struct bytes){r.salt, sizeof(r.salt)},
	                                r.iterations, salted)));
	assert_true(
	    is_ok(digest_hmac((struct bytes){salted, sizeof(salted)}, BYTES("Client Key"), key)));
	assert_true(is_ok(digest_sha256((struct bytes){key, sizeof(key)}, sum)));
	assert_true(is_ok(digest_hmac((struct bytes){sum, sizeof(sum)}, BYTES("msg"), proof)));
	for (size_t i = 0; i < sizeof(proof); i++)
		proof[i] ^= key[i];
	assert_true(
	    is_ok(password_scram(&r, BYTES("msg"), (struct bytes){proof, sizeof(proof)}, sum)));
}

static void
a_dummy_opens_to_nobody_and_looks_the_same(void **state)
{
	struct password_record dummy, real;

	(void)state;
	assert_true(is_ok(password_dummy(2, salts, &dummy)));
	assert_true(is_ok(password_make(BYTES("pencil"), 2, salts, &real)));
	assert_memory_equal(dummy.hash, real.hash, 7); /* the same method and cost */
	assert_int_equal(strlen(dummy.hash), strlen(real.hash));
	assert_int_equal(password_check(&dummy, BYTES("pencil")).code, ERR_DENIED);
	assert_int_equal(password_check(&dummy, (struct bytes){salts, PASSWORD_RANDOM}).code,
	                 ERR_DENIED);
}

static void
a_packed_record_comes_back(void **state)
{
	uint8_t room[PASSWORD_PACKED_MAX];
	struct password_record r, back;

	(void)state;
	for (int imported = 0; imported < 2; imported++) {
		struct wr w = wr_of(room, sizeof(room));
		struct rd rd;
		struct bytes packed;

		if (imported)
			assert_true(is_ok(password_import(bytes_of(foreign[0].hash), &r)));
		else
			assert_true(is_ok(password_make(BYTES("pencil"), 1, salts, &r)));
		password_pack(&w, &r);
		assert_false(w.full);
		packed = wr_since(&w, room);
		rd = rd_of(packed);
		assert_true(is_ok(password_unpack(&rd, &back)));
		assert_int_equal(rd_left(&rd), 0);
		assert_string_equal(r.hash, back.hash);
		assert_int_equal(r.has_scram, back.has_scram);
		assert_int_equal(r.iterations, back.iterations);
		assert_memory_equal(r.stored_key, back.stored_key, DIGEST_SIZE);
		assert_memory_equal(r.server_key, back.server_key, DIGEST_SIZE);
		for (size_t n = 0; n < packed.n; n++) {
			rd = rd_of((struct bytes){room, n});
			assert_int_equal(password_unpack(&rd, &back).code, ERR_CORRUPT);
			assert_int_equal(back.hash[0], 0);
		}
		room[0]++; /* another version */
		rd = rd_of(packed);
		assert_int_equal(password_unpack(&rd, &back).code, ERR_CORRUPT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_made_record_opens_with_its_password_only),
	    cmocka_unit_test(the_hash_is_that_of_crypt),
	    cmocka_unit_test(limits_are_kept_before_hashing),
	    cmocka_unit_test(nothing_is_cut_off),
	    cmocka_unit_test(foreign_hashes_are_taken),
	    cmocka_unit_test(foreign_hashes_that_are_refused),
	    cmocka_unit_test(a_long_password_does_not_open_bcrypt),
	    cmocka_unit_test(scram_of_the_rfc),
	    cmocka_unit_test(a_made_record_takes_its_client),
	    cmocka_unit_test(a_dummy_opens_to_nobody_and_looks_the_same),
	    cmocka_unit_test(a_packed_record_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Attack 95: passwords that are too long, cut by a hash, or end at a NUL. */
#include "crypt/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static const uint8_t salts[PASSWORD_RANDOM] = {1, 2, 3};

static double
seconds_of_check(const struct password_record *r, struct bytes password)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(password_check(r, password).code, ERR_DENIED);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
}

static void
attack_095_a_megabyte_is_not_hashed(void **state)
{
	size_t n = 1 << 20;
	uint8_t *p = malloc(n);
	struct password_record r;

	(void)state;
	assert_non_null(p);
	memset(p, 'a', n);
	assert_true(is_ok(password_make(BYTES("pencil"), 6, salts, &r)));
	/* One check at this cost takes some 40 ms; what is refused unhashed takes none. */
	assert_true(seconds_of_check(&r, (struct bytes){p, n}) < 0.005);
	assert_int_equal(password_make((struct bytes){p, n}, 6, salts, &r).code, ERR_RANGE);
	free(p);
}

static void
attack_095_nul_ends_nothing(void **state)
{
	struct password_record r;

	(void)state;
	assert_true(is_ok(password_make(BYTES("pencil"), 1, salts, &r)));
	assert_int_equal(password_check(&r, BYTES("pencil\0case")).code, ERR_DENIED);
	assert_int_equal(password_check(&r, BYTES("pencil\0")).code, ERR_DENIED);
	assert_int_equal(password_make(BYTES("pencil\0case"), 1, salts, &r).code, ERR_SYNTAX);
}

/* 72 is where bcrypt ends, 511 where crypt(3) does. */
static void
attack_095_every_byte_counts(void **state)
{
	static uint8_t text[PASSWORD_MAX];
	struct password_record r;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t n = 70; n <= PASSWORD_MAX; n += 53) {
		assert_true(is_ok(password_make((struct bytes){text, n}, 1, salts, &r)));
		assert_int_equal(password_check(&r, (struct bytes){text, n - 1}).code, ERR_DENIED);
		if (n < PASSWORD_MAX)
			assert_int_equal(password_check(&r, (struct bytes){text, n + 1}).code,
			                 ERR_DENIED);
		assert_true(is_ok(password_check(&r, (struct bytes){text, n})));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_095_a_megabyte_is_not_hashed),
	    cmocka_unit_test(attack_095_nul_ends_nothing),
	    cmocka_unit_test(attack_095_every_byte_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

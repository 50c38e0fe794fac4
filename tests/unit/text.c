/* text.c - nothing foreign gets through unescaped, nothing wrong is a number or UTF-8. */
#include "base/text.h"

#include <stdlib.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
only_printable_ascii_stays(void **state)
{
	static const struct {
		struct bytes in;
		const char *out;
	} cases[] = {
	    {{(const uint8_t *)"", 0}, ""},
	    {{(const uint8_t *)"a b~", 4}, "a b~"},
	    {{(const uint8_t *)"a\"b\\", 4}, "a\\x22b\\x5c"},
	    {{(const uint8_t *)"\0\r\n\x1b[31m", 8}, "\\x00\\x0d\\x0a\\x1b[31m"},
	    {{(const uint8_t *)"\x7f\xc3\xa9\xff", 4}, "\\x7f\\xc3\\xa9\\xff"},
	};
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wr w = wr_of(room, sizeof(room));

		text_escape(&w, cases[i].in);
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].out)));
	}
	for (unsigned c = 0; c < 256; c++) {
		uint8_t b = (uint8_t)c;
		struct wr w = wr_of(room, TEXT_ESCAPED);

		text_escape(&w, (struct bytes){&b, 1});
		assert_false(w.full);
	}
}

static void
a_number_is_digits_only(void **state)
{
	static const struct {
		const char *in;
		uint64_t max, out;
		bool good;
	} cases[] = {
	    {"0", 0, 0, true},
	    {"007", 10, 7, true},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
	    {"18446744073709551616", UINT64_MAX, 0, false},
	    {"99999999999999999999", UINT64_MAX, 0, false},
	    {"000000000000000000001", UINT64_MAX, 0, false},
	    {"256", 255, 0, false},
	    {"255", 255, 255, true},
	    {"", 10, 0, false},
	    {"-1", 10, 0, false},
	    {"+1", 10, 0, false},
	    {" 1", 10, 0, false},
	    {"1 ", 10, 0, false},
	    {"0x1", 10, 0, false},
	    {"1/", 10, 0, false},
	    {"1:", 10, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t v = 77;

		assert_int_equal(text_u64(bytes_of(cases[i].in), cases[i].max, &v), cases[i].good);
		assert_true(v == (cases[i].good ? cases[i].out : 77));
	}
}

static void
hex_goes_both_ways(void **state)
{
	static const char *const bad[] = {"0", "0g", "g0", "0 ", "000", "/0", ":0", "@0"};
	uint8_t all[256], text[512], back[256];
	struct wr w = wr_of(text, sizeof(text)), v = wr_of(back, sizeof(back));

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	text_hex(&w, (struct bytes){all, sizeof(all)});
	assert_memory_equal(text + 20, "0a0b", 4);
	assert_true(text_unhex(&v, (struct bytes){text, sizeof(text)}));
	assert_memory_equal(back, all, sizeof(all));
	v = wr_of(back, 2);
	assert_true(text_unhex(&v, BYTES("aBFf")));
	assert_memory_equal(back, "\xab\xff", 2);
	for (size_t i = 0; i < COUNT(bad); i++) {
		v = wr_of(back, sizeof(back));
		assert_false(text_unhex(&v, bytes_of(bad[i])));
	}
}

static void
words_are_trimmed_and_cut(void **state)
{
	struct bytes b = BYTES("a,,b"), empty = NO_BYTES;

	(void)state;
	assert_true(bytes_eq(text_trim(BYTES(" \t a b\t ")), BYTES("a b")));
	assert_int_equal(text_trim(BYTES(" \t ")).n, 0);
	assert_int_equal(text_trim(empty).n, 0);
	assert_true(bytes_eq(text_cut(&b, ','), BYTES("a")));
	assert_int_equal(text_cut(&b, ',').n, 0);
	assert_true(bytes_eq(text_cut(&b, ','), BYTES("b")));
	assert_int_equal(b.n, 0);
	assert_int_equal(text_cut(&empty, ',').n, 0);
}

static void
lower_case_is_ascii_s(void **state)
{
	uint8_t room[8];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	text_lower_into(&w, BYTES("AZ@[\xc3\x89"));
	assert_true(bytes_eq(wr_since(&w, room), BYTES("az@[\xc3\x89")));
	text_lower_into(&w, BYTES("ABC"));
	assert_true(w.full);
}

static void
utf8_is_as_rfc_3629_has_it(void **state)
{
	static const struct {
		const char *in;
		size_t good;
	} cases[] = {
	    {"", 0},
	    {"abc", 3},
	    {"\xc3\xa9", 2},
	    {"\xed\x9f\xbf\xee\x80\x80", 6},
	    {"\xf4\x8f\xbf\xbf", 4},
	    {"\xf0\x90\x80\x80", 4},
	    {"a\xc0\x80", 1},         /* overlong */
	    {"a\xc1\xbf", 1},         /* overlong */
	    {"a\xe0\x9f\xbf", 1},     /* overlong */
	    {"a\xf0\x8f\xbf\xbf", 1}, /* overlong */
	    {"a\xed\xa0\x80", 1},     /* a surrogate */
	    {"a\xf4\x90\x80\x80", 1}, /* beyond U+10FFFF */
	    {"a\xf5\x80\x80\x80", 1},
	    {"a\x80", 1},
	    {"a\xc3", 1},
	    {"a\xe2\x82", 1},
	    {"a\xf0\x9f\x98", 1},
	    {"a\xe2\x28\xa1", 1},
	    {"a\xff", 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes b = bytes_of(cases[i].in);

		assert_int_equal(text_utf8_good(b), cases[i].good);
		assert_int_equal(text_is_utf8(b), cases[i].good == b.n);
	}
}

static void
stamps_agree_with_the_system(void **state)
{
	uint8_t room[64];
	char text[64];

	(void)state;
	/* Every 1.3 days up to 2400, so that all kinds of leap years pass. */
	for (uint64_t s = 0; s < 13569465600; s += 112321) {
		struct wr w = wr_of(room, sizeof(room));
		time_t t = (time_t)s;
		struct tm tm;

		text_stamp(&w, s * 1000000000 + 678999999);
		assert_non_null(gmtime_r(&t, &tm));
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.678Z", &tm);
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(text)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_printable_ascii_stays),
	    cmocka_unit_test(a_number_is_digits_only),
	    cmocka_unit_test(hex_goes_both_ways),
	    cmocka_unit_test(words_are_trimmed_and_cut),
	    cmocka_unit_test(lower_case_is_ascii_s),
	    cmocka_unit_test(utf8_is_as_rfc_3629_has_it),
	    cmocka_unit_test(stamps_agree_with_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* date.c - date-times are written in one form and read in all of RFC 5322. */
#include "mail/date.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static struct bytes
written(int64_t seconds, int minutes)
{
	static uint8_t room[DATE_MAX];
	struct wr w = wr_of(room, sizeof(room));

	date_write(&w, seconds, minutes);
	assert_false(w.full);
	return wr_since(&w, room);
}

static void
dates_are_written(void **state)
{
	static const struct {
		int64_t seconds;
		int minutes;
		const char *text;
	} cases[] = {
	    {0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"},
	    {1795356316, 0, "Sun, 22 Nov 2026 14:05:16 +0000"},
	    {1795356316, 330, "Sun, 22 Nov 2026 19:35:16 +0530"},
	    {1795356316, -480, "Sun, 22 Nov 2026 06:05:16 -0800"},
	    {951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"},
	    {-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"},
	    {4107542400, 0, "Mon, 01 Mar 2100 00:00:00 +0000"},
	    {INT64_MAX, 1439, "Fri, 31 Dec 9999 23:59:59 +2359"},
	    {INT64_MIN, -1439, "Mon, 01 Jan 1900 00:00:00 -2359"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_true(
		    bytes_eq(written(cases[i].seconds, cases[i].minutes), bytes_of(cases[i].text)));
}

static void
what_was_written_is_read_again(void **state)
{
	int64_t read;
	int minutes;

	(void)state;
	for (int64_t t = -2200000000; t < 8000000000; t += 86400 * 13 + 3607) {
		assert_true(is_ok(date_parse(written(t, (int)(t % 1000)), &read, &minutes)));
		assert_int_equal(read, t);
		assert_int_equal(minutes, t % 1000);
	}
}

static void
all_forms_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int minutes;
	} cases[] = {
	    {"22 Nov 2026 14:05:16 +0000", 1795356316, 0},
	    {"Sun,22 Nov 2026 14:05:16 GMT", 1795356316, 0},
	    {"sun, 22 nov 2026 09:05:16 EST", 1795356316, -300},
	    {"Sun, 22 Nov 26 14:05:16 UT", 1795356316, 0},
	    {"Sun, 22 Nov 126 14:05:16 Z", 1795356316, 0},
	    {"\tSun ,\r\n 22 (the (nested \\) ) day) Nov 2026 14 : 05 : 16 +0100 (CET)", 1795352716,
	     60},
	    {"Sun, 22 Nov 2026 14:05:60 +0000", 1795356359, 0},
	    {"Sun, 22 Nov 2026 14:05 +0000", 1795356300, 0},
	    {"Sun, 22 Nov 2026 14:05:16", 1795356316, 0},
	    {"1 Jan 70 00:00:00 -0000", 0, 0},
	    {"1 Jan 1970 00:00:00 (((((", 0, 0},
	};
	int64_t seconds;
	int minutes;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(is_ok(date_parse(bytes_of(cases[i].text), &seconds, &minutes)));
		assert_int_equal(seconds, cases[i].seconds);
		assert_int_equal(minutes, cases[i].minutes);
	}
}

static void
what_is_no_date_is_refused(void **state)
{
	static const char *const cases[] = {
	    "",
	    "Sun",
	    "22",
	    "22 Nov",
	    "22 Nov 2026",
	    "22 Nov 2026 14",
	    "22 Nov 2026 14:",
	    "0 Nov 2026 14:05 +0000",
	    "31 Nov 2026 14:05 +0000",
	    "29 Feb 2027 14:05 +0000",
	    "29 Feb 1900 14:05 +0000",
	    "22 Foo 2026 14:05 +0000",
	    "22 Nov 1899 14:05 +0000",
	    "22 Nov 20260 14:05 +0000",
	    "22 Nov 2026 24:05 +0000",
	    "22 Nov 2026 14:60 +0000",
	    "22 Nov 2026 14:05:61 +0000",
	    "22 Nov 2026 14:05:16 +000",
	    "22 Nov 2026 14:05:16 +2400",
	    "22 Nov 2026 14:05:16 +0060",
	    "22 Nov 2026 14:05:16 +0000 x",
	    "99999999999999999999 Nov 2026 14:05 +0000",
	    "-1 Nov 2026 14:05 +0000",
	};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(date_parse(bytes_of(cases[i]), &seconds, NULL).code, ERR_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_are_written),
	    cmocka_unit_test(what_was_written_is_read_again),
	    cmocka_unit_test(all_forms_are_read),
	    cmocka_unit_test(what_is_no_date_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

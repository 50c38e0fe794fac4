/* calendar.c - every day of some centuries, held against counting on the fingers. */
#include "base/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
known_days(void **state)
{
	(void)state;
	assert_int_equal(calendar_days((struct calendar_date){1970, 1, 1}), 0);
	assert_int_equal(calendar_days((struct calendar_date){2000, 2, 29}), 11016);
	assert_int_equal(calendar_days((struct calendar_date){1900, 1, 1}), -25567);
	assert_int_equal(calendar_days((struct calendar_date){9999, 12, 31}), 2932896);
}

/* The day after is the next of the month, else the first of the next one, else of the next year. */
static void
days_follow_each_other(void **state)
{
	struct calendar_date d = {1, 1, 1};
	int64_t day = calendar_days(d);

	(void)state;
	for (; d.year < 2500; day++) {
		struct calendar_date is = calendar_date(day);

		assert_int_equal(is.year, d.year);
		assert_int_equal(is.month, d.month);
		assert_int_equal(is.day, d.day);
		assert_int_equal(calendar_days(d), day);
		if (++d.day <= calendar_month_days(d.year, d.month))
			continue;
		d.day = 1;
		d.month = d.month % 12 + 1;
		d.year += d.month == 1;
	}
}

static void
months_have_their_lengths(void **state)
{
	(void)state;
	assert_int_equal(calendar_month_days(2023, 2), 28);
	assert_int_equal(calendar_month_days(2024, 2), 29);
	assert_int_equal(calendar_month_days(1900, 2), 28);
	assert_int_equal(calendar_month_days(2000, 2), 29);
	assert_int_equal(calendar_month_days(2024, 12), 31);
	assert_int_equal(calendar_month_days(2024, 0), 0);
	assert_int_equal(calendar_month_days(2024, 13), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_days),
	    cmocka_unit_test(days_follow_each_other),
	    cmocka_unit_test(months_have_their_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

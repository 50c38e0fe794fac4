/*
 * calendar.c - years are counted from 1 March of year 0, so that the day that may be missing is the
 * last of a year; 719468 days lie between that and 1970-01-01, and 146097 are a period of 400 years.
 */
#include "base/calendar.h"

enum { EPOCH = 719468, PERIOD = 146097 };

int64_t
calendar_days(struct calendar_date d)
{
	int64_t y = d.year - (d.month <= 2), m = d.month > 2 ? d.month - 3 : d.month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + d.day - 1 - EPOCH;
}

struct calendar_date
calendar_date(int64_t days)
{
	int64_t z = days + EPOCH, period = z / PERIOD, doe = z % PERIOD;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;

	return (struct calendar_date){yoe + period * 400 + (m >= 10),
	                              (unsigned)(m < 10 ? m + 3 : m - 9),
	                              (unsigned)(doy - (153 * m + 2) / 5 + 1)};
}

unsigned
calendar_month_days(int64_t year, unsigned month)
{
	static const uint8_t days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	unsigned leap = month == 2 && ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);

	return month < sizeof(days) ? days[month] + leap : 0;
}

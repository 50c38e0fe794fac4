/*
 * calendar.h - days and dates of the Gregorian calendar, for every form in which a protocol writes a
 * moment.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdint.h>

struct calendar_date {
	int64_t year;
	unsigned month, day; /* from 1 */
};

/* Days since 1970-01-01 of a date that there is, from the year 1 on. */
int64_t calendar_days(struct calendar_date);
/* The other way, for days of the same years. */
struct calendar_date calendar_date(int64_t days);
/* 28 to 31; 0 for a month that there is not. */
unsigned calendar_month_days(int64_t year, unsigned month);

#endif

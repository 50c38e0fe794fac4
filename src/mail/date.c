/* date.c - RFC 5322 3.3 and 4.3. */
#include "mail/date.h"

#include "base/calendar.h"

enum { DAY = 86400, YEAR_MIN = 1900, YEAR_MAX = 9999, ZONE_MAX = 24 * 60 - 1 };

#define FIRST ((int64_t)-2208988800)  /* 1 Jan 1900 00:00:00 */
#define LAST  ((int64_t)253402300799) /* 31 Dec 9999 23:59:59 */

static const char days[] = "ThuFriSatSunMonTueWed"; /* 1 Jan 1970 was a Thursday */
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static const struct {
	const char *name;
	int hours; /* east of UTC; all others of RFC 5322 4.3 mean "unknown", which is +0000 */
} zones[] = {
    {"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6},
    {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8},
};

/* Comments may nest: a depth is counted, nothing is recursed into (attack 70). */
static void
skip_blanks(struct rd *in)
{
	size_t depth = 0;
	uint8_t c;

	while (rd_left(in)) {
		c = *in->p;
		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (c == '\\' && depth && rd_left(in) > 1)
			rd_u8(in);
		else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n')
			return;
		rd_u8(in);
	}
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(uint8_t c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* The octets from here that are of the kind; blanks before them are skipped. */
static struct bytes
take(struct rd *in, bool (*kind)(uint8_t))
{
	const uint8_t *start;

	skip_blanks(in);
	start = in->p;
	while (rd_left(in) && kind(*in->p))
		rd_u8(in);
	return (struct bytes){start, (size_t)(in->p - start)};
}

static bool
take_char(struct rd *in, uint8_t c)
{
	skip_blanks(in);
	if (!rd_left(in) || *in->p != c)
		return false;
	rd_u8(in);
	return true;
}

/* A number of `least` to `most` digits; -1 when there is none. */
static int64_t
take_number(struct rd *in, size_t least, size_t most)
{
	struct bytes b = take(in, is_digit);
	int64_t v = 0;

	if (b.n < least || b.n > most)
		return -1;
	for (size_t i = 0; i < b.n; i++)
		v = v * 10 + (b.p[i] - '0');
	return v;
}

static int64_t
take_month(struct rd *in)
{
	struct bytes name = take(in, is_letter);

	for (size_t m = 0; m < 12; m++)
		if (bytes_eq_nocase(name, (struct bytes){(const uint8_t *)months + m * 3, 3}))
			return (int64_t)m + 1;
	return -1;
}

static int64_t
take_year(struct rd *in)
{
	const uint8_t *start;
	int64_t year;

	skip_blanks(in);
	start = in->p;
	year = take_number(in, 2, 4);
	switch (in->p - start) { /* RFC 5322 4.3 */
	case 2:
		return year < 50 ? year + 2000 : year + 1900;
	case 3:
		return year + 1900;
	default:
		return year;
	}
}

/* Minutes east of UTC.  A missing zone is taken as UTC: old programs left it out. */
static bool
take_zone(struct rd *in, int *minutes)
{
	bool west = take_char(in, '-'), east = !west && take_char(in, '+');
	int64_t hhmm;
	struct bytes name;

	*minutes = 0;
	if (west || east) {
		hhmm = take_number(in, 4, 4);
		if (hhmm < 0 || hhmm % 100 > 59 || hhmm / 100 * 60 + hhmm % 100 > ZONE_MAX)
			return false;
		*minutes = (int)(hhmm / 100 * 60 + hhmm % 100) * (west ? -1 : 1);
		return true;
	}
	name = take(in, is_letter);
	for (size_t i = 0; i < COUNT(zones); i++)
		if (bytes_eq_nocase(name, bytes_of(zones[i].name)))
			*minutes = zones[i].hours * 60;
	return true;
}

/* hh:mm or hh:mm:ss as seconds; -1 when it is not. */
static int64_t
take_time(struct rd *in)
{
	int64_t hour = take_number(in, 1, 2), minute = -1, second = 0;

	if (take_char(in, ':'))
		minute = take_number(in, 1, 2);
	if (take_char(in, ':'))
		second = take_number(in, 1, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return -1;
	return hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
}

void
date_write(struct wr *w, int64_t seconds, int minutes)
{
	int east = minutes < 0 ? -minutes : minutes;
	struct calendar_date d;
	int64_t t, day, rest;

	t = (seconds < FIRST ? FIRST : seconds > LAST ? LAST : seconds) + (int64_t)minutes * 60;
	t = t < FIRST ? FIRST : t > LAST ? LAST : t;
	rest = ((t % DAY) + DAY) % DAY;
	day = (t - rest) / DAY;
	d = calendar_date(day);
	wr_printf(w, "%.3s, %02u %.3s %04d %02d:%02d:%02d %c%02d%02d",
	          days + ((day % 7) + 7) % 7 * 3, d.day, months + (size_t)(d.month - 1) * 3,
	          (int)d.year, (int)(rest / 3600), (int)(rest / 60 % 60), (int)(rest % 60),
	          minutes < 0 ? '-' : '+', east / 60, east % 60);
}

struct err
date_parse(struct bytes text, int64_t *seconds, int *minutes)
{
	struct rd in = rd_of(text);
	int64_t year, month, day, time;
	struct calendar_date date;
	int zone = 0;

	if (take(&in, is_letter).n) /* the day's name: what it says is not believed */
		take_char(&in, ',');
	day = take_number(&in, 1, 2);
	month = take_month(&in);
	year = take_year(&in);
	time = take_time(&in);
	if (day < 1 || month < 1 || year < YEAR_MIN || year > YEAR_MAX || time < 0 ||
	    day > calendar_month_days(year, (unsigned)month) || !take_zone(&in, &zone))
		return ERR(ERR_SYNTAX, 0, "date: not a date-time");
	skip_blanks(&in);
	if (rd_left(&in))
		return ERR(ERR_SYNTAX, 0, "date: something behind it");
	date = (struct calendar_date){year, (unsigned)month, (unsigned)day};
	*seconds = calendar_days(date) * DAY + time - (int64_t)zone * 60;
	if (minutes)
		*minutes = zone;
	return OK;
}

/* imap_parse.c - words of a command; every octet is looked at once. */
#include "proto/imap_parse.h"

#include "base/calendar.h"
#include "base/text.h"
#include "proto/imap_name.h"

const char imap_months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_char(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool
is_astring_char(uint8_t c)
{
	return imap_is_atom_char(c) || c == ']';
}

static bool
is_tag_char(uint8_t c)
{
	return is_astring_char(c) && c != '+';
}

static bool
is_pattern_char(uint8_t c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

static bool
is_item_char(uint8_t c)
{
	return is_name_char(c) || c == '.';
}

/* All octets of a class; there must be one. */
static struct bytes
take_while(struct rd *in, bool (*is)(uint8_t))
{
	size_t n = 0, left = rd_left(in);

	while (n < left && is(in->p[n]))
		n++;
	if (!n)
		in->bad = true;
	return rd_take(in, n);
}

/* The opening quote was taken. */
static struct bytes
take_quoted(struct rd *in, struct arena *a)
{
	size_t n = 0, left = rd_left(in), escapes = 0;
	struct bytes raw;
	struct wr w;

	while (n < left && in->p[n] != '"' && in->p[n] != '\r' && in->p[n] != '\n') {
		if (in->p[n] == '\\') {
			escapes++;
			n++;
			if (n == left || (in->p[n] != '"' && in->p[n] != '\\'))
				break;
		}
		n++;
	}
	if (n >= left || in->p[n] != '"')
		in->bad = true;
	raw = rd_take(in, n);
	imap_take(in, '"');
	if (in->bad || !escapes)
		return raw;
	w = wr_of(arena_alloc(a, raw.n), raw.n);
	if (!w.p) {
		in->bad = true;
		return NO_BYTES;
	}
	for (size_t i = 0; i < raw.n; i++) {
		i += raw.p[i] == '\\';
		wr_u8(&w, raw.p[i]);
	}
	return (struct bytes){w.end - raw.n, raw.n - escapes};
}

/* The opening brace was taken. */
static struct bytes
take_literal(struct rd *in)
{
	uint32_t n = imap_take_number(in);

	imap_skip(in, '+');
	imap_take(in, '}');
	imap_take(in, '\r');
	imap_take(in, '\n');
	return rd_take(in, n);
}

static bool
begins_string(const struct rd *in)
{
	return imap_peek(in) == '"' || imap_peek(in) == '{';
}

static unsigned
take_month(struct rd *in)
{
	struct bytes name = rd_take(in, 3);

	for (unsigned i = 0; i < COUNT(imap_months) && name.n; i++)
		if (bytes_eq_nocase(name, bytes_of(imap_months[i])))
			return i + 1;
	in->bad = true;
	return 1;
}

static unsigned
take_digits(struct rd *in, size_t n)
{
	struct bytes digits = rd_take(in, n);
	uint64_t v = 0;

	if (!text_u64(digits, UINT32_MAX, &v))
		in->bad = true;
	return (unsigned)v;
}

/* "-Feb-1994" behind the day. */
static int64_t
take_rest_of_date(struct rd *in, unsigned day)
{
	struct calendar_date d = {.day = day};

	imap_take(in, '-');
	d.month = take_month(in);
	imap_take(in, '-');
	d.year = take_digits(in, 4);
	if (d.year < 1 || !day || day > calendar_month_days(d.year, d.month))
		in->bad = true;
	return in->bad ? 0 : calendar_days(d);
}

static const struct {
	const char *name;
	uint32_t flag;
} system_flags[] = {
    {"Seen", IMAP_SEEN},       {"Answered", IMAP_ANSWERED}, {"Flagged", IMAP_FLAGGED},
    {"Deleted", IMAP_DELETED}, {"Draft", IMAP_DRAFT},       {"Recent", 0},
};

static void
take_system_flag(struct rd *in, struct imap_flags *flags)
{
	for (size_t i = 0; i < COUNT(system_flags); i++)
		if (imap_skip_word(in, system_flags[i].name)) {
			flags->flags |= system_flags[i].flag;
			return;
		}
	in->bad = true;
}

/* More or longer ones than can be kept stay in it by a count or length that the verb refuses. */
static void
take_keyword(struct rd *in, struct bytes *names, size_t *n)
{
	struct bytes name = imap_take_atom(in);

	for (size_t i = 0; i < *n; i++)
		if (bytes_eq_nocase(names[i], name))
			return;
	if (*n <= IMAP_KEYWORDS_MAX)
		names[(*n)++] = name;
}

bool
imap_is_atom_char(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '(' && c != ')' && c != '{' && c != '%' && c != '*' &&
	       c != '"' && c != '\\' && c != ']';
}

bool
imap_skip_word(struct rd *in, const char *word)
{
	struct bytes w = bytes_of(word);
	struct bytes rest = {in->p, rd_left(in)};

	if (!bytes_begins_nocase(rest, w) || (rest.n > w.n && is_name_char(rest.p[w.n])))
		return false;
	rd_take(in, w.n);
	return true;
}

struct bytes
imap_take_tag(struct rd *in)
{
	struct bytes tag = take_while(in, is_tag_char);

	if (tag.n > IMAP_TAG_MAX)
		in->bad = true;
	return tag;
}

struct bytes
imap_take_atom(struct rd *in)
{
	return take_while(in, imap_is_atom_char);
}

struct bytes
imap_take_name(struct rd *in)
{
	return take_while(in, is_item_char);
}

struct bytes
imap_take_string(struct rd *in, struct arena *a)
{
	if (imap_skip(in, '"'))
		return take_quoted(in, a);
	if (imap_skip(in, '{'))
		return take_literal(in);
	in->bad = true;
	return NO_BYTES;
}

struct bytes
imap_take_astring(struct rd *in, struct arena *a)
{
	return begins_string(in) ? imap_take_string(in, a) : take_while(in, is_astring_char);
}

struct bytes
imap_take_nstring(struct rd *in, struct arena *a)
{
	if (begins_string(in))
		return imap_take_string(in, a);
	if (!imap_skip_word(in, "NIL"))
		in->bad = true;
	return NO_BYTES;
}

uint32_t
imap_take_number(struct rd *in)
{
	struct bytes digits = take_while(in, is_digit);
	uint64_t v = 0;

	if (!text_u64(digits, UINT32_MAX, &v))
		in->bad = true;
	return (uint32_t)v;
}

struct bytes
imap_take_pattern(struct rd *in, struct arena *a)
{
	return begins_string(in) ? imap_take_string(in, a) : take_while(in, is_pattern_char);
}

struct bytes
imap_take_mailbox(struct rd *in, struct arena *a)
{
	struct bytes wire = imap_take_astring(in, a);
	struct wr w = wr_of(arena_alloc(a, wire.n + 1), wire.n + 1);
	uint8_t *start = w.p;
	struct bytes name;

	if (in->bad || !start || !imap_name_decode(&w, wire)) {
		in->bad = true;
		return NO_BYTES;
	}
	name = wr_since(&w, start);
	if (bytes_begins_nocase(name, BYTES("INBOX")) &&
	    (name.n == 5 || name.p[5] == IMAP_NAME_SEPARATOR))
		memcpy(start, "INBOX", 5);
	return name;
}

int64_t
imap_take_date(struct rd *in)
{
	bool quoted = imap_skip(in, '"');
	unsigned day = take_digits(in, 1);
	int64_t days;

	if (is_digit(imap_peek(in)))
		day = day * 10 + take_digits(in, 1);
	days = take_rest_of_date(in, day);
	if (quoted)
		imap_take(in, '"');
	return days;
}

int64_t
imap_take_date_time(struct rd *in)
{
	unsigned day, hour, minute, second, zone_h, zone_m;
	int64_t days, zone;
	bool west;

	imap_take(in, '"');
	day = imap_skip(in, ' ') ? take_digits(in, 1) : take_digits(in, 2);
	days = take_rest_of_date(in, day);
	imap_take(in, ' ');
	hour = take_digits(in, 2);
	imap_take(in, ':');
	minute = take_digits(in, 2);
	imap_take(in, ':');
	second = take_digits(in, 2);
	imap_take(in, ' ');
	west = imap_skip(in, '-');
	if (!west)
		imap_take(in, '+');
	zone_h = take_digits(in, 2);
	zone_m = take_digits(in, 2);
	imap_take(in, '"');
	if (hour > 23 || minute > 59 || second > 60 || zone_h > 23 || zone_m > 59)
		in->bad = true;
	zone = (int64_t)zone_h * 3600 + zone_m * 60;
	return days * 86400 + hour * 3600 + minute * 60 + second + (west ? zone : -zone);
}

void
imap_take_flags(struct rd *in, struct arena *a, struct imap_flags *flags)
{
	bool list = imap_skip(in, '(');
	struct bytes *names = arena_alloc(a, (IMAP_KEYWORDS_MAX + 1) * sizeof(*names));
	size_t n = 0;

	if (!names)
		in->bad = true;
	*flags = (struct imap_flags){.keywords = names};
	while (!in->bad && !(list && imap_peek(in) == ')')) {
		if (imap_skip(in, '\\'))
			take_system_flag(in, flags);
		else
			take_keyword(in, names, &n);
		if (!imap_skip(in, ' '))
			break;
	}
	if (list)
		imap_take(in, ')');
	flags->n = n;
}

void
imap_take_end(struct rd *in)
{
	if (rd_left(in))
		in->bad = true;
}

/* charset.c - ISO-8859-15 and windows-1252 differ from ISO-8859-1 in a few places only. */
#include "mail/charset.h"

#include "base/text.h"

enum { REPLACEMENT = 0xfffd };

static const struct {
	const char *name;
	enum charset_which which;
} names[] = {
    {"us-ascii", CHARSET_ASCII},
    {"ascii", CHARSET_ASCII},
    {"ansi_x3.4-1968", CHARSET_ASCII},
    {"iso646-us", CHARSET_ASCII},
    {"utf-8", CHARSET_UTF8},
    {"utf8", CHARSET_UTF8},
    {"iso-8859-1", CHARSET_LATIN1},
    {"iso8859-1", CHARSET_LATIN1},
    {"iso_8859-1", CHARSET_LATIN1},
    {"latin1", CHARSET_LATIN1},
    {"l1", CHARSET_LATIN1},
    {"cp819", CHARSET_LATIN1},
    {"iso-8859-15", CHARSET_LATIN9},
    {"iso8859-15", CHARSET_LATIN9},
    {"iso_8859-15", CHARSET_LATIN9},
    {"latin-9", CHARSET_LATIN9},
    {"latin9", CHARSET_LATIN9},
    {"windows-1252", CHARSET_WINDOWS_1252},
    {"cp1252", CHARSET_WINDOWS_1252},
};

static const struct {
	uint8_t octet;
	uint16_t character;
} latin9[] = {
    {0xa4, 0x20ac}, {0xa6, 0x0160}, {0xa8, 0x0161}, {0xb4, 0x017d},
    {0xb8, 0x017e}, {0xbc, 0x0152}, {0xbd, 0x0153}, {0xbe, 0x0178},
};

static const uint16_t windows_1252[32] = {
    0x20ac,      REPLACEMENT, 0x201a, 0x0192, 0x201e, 0x2026,      0x2020, 0x2021,
    0x02c6,      0x2030,      0x0160, 0x2039, 0x0152, REPLACEMENT, 0x017d, REPLACEMENT,
    REPLACEMENT, 0x2018,      0x2019, 0x201c, 0x201d, 0x2022,      0x2013, 0x2014,
    0x02dc,      0x2122,      0x0161, 0x203a, 0x0153, REPLACEMENT, 0x017e, 0x0178,
};

enum charset_which
charset_find(struct bytes name)
{
	if (!name.n)
		return CHARSET_ASCII;
	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_eq_nocase(name, bytes_of(names[i].name)))
			return names[i].which;
	return CHARSET_UNKNOWN;
}

void
charset_put(struct wr *out, uint32_t c)
{
	uint8_t four[4];
	size_t n = 0;

	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = REPLACEMENT;
	if (c < 0x80) {
		four[n++] = (uint8_t)c;
	} else if (c < 0x800) {
		four[n++] = (uint8_t)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		four[n++] = (uint8_t)(0xe0 | c >> 12);
		four[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	} else {
		four[n++] = (uint8_t)(0xf0 | c >> 18);
		four[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		four[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		four[n++] = (uint8_t)(0x80 | (c & 0x3f));
	wr_bytes(out, (struct bytes){four, n});
}

static uint32_t
one_octet(enum charset_which which, uint8_t c)
{
	switch (which) {
	case CHARSET_LATIN1:
		return c;
	case CHARSET_LATIN9:
		for (size_t i = 0; i < COUNT(latin9); i++)
			if (latin9[i].octet == c)
				return latin9[i].character;
		return c;
	case CHARSET_WINDOWS_1252:
		return c < 0xa0 ? windows_1252[c - 0x80] : c;
	case CHARSET_ASCII:
	case CHARSET_UTF8:
	case CHARSET_UNKNOWN:
		break;
	}
	return REPLACEMENT;
}

/* How many octets a character has that begins so; 0 when none does. */
static size_t
utf8_length(uint8_t c)
{
	if (c < 0xc2)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
}

/* Whether c may be the second octet: neither overlong nor a surrogate nor beyond the last. */
static bool
utf8_second(uint8_t first, uint8_t c)
{
	switch (first) {
	case 0xe0:
		return c >= 0xa0 && c < 0xc0;
	case 0xed:
		return c >= 0x80 && c < 0xa0;
	case 0xf0:
		return c >= 0x90 && c < 0xc0;
	case 0xf4:
		return c >= 0x80 && c < 0x90;
	default:
		return c >= 0x80 && c < 0xc0;
	}
}

/* An octet beyond ASCII, or any while a character is not whole. */
static void
utf8_octet(struct charset *s, uint8_t c, struct wr *out)
{
	bool goes_on = s->n == 1 ? utf8_second(s->held[0], c) : c >= 0x80 && c < 0xc0;

	if (s->n && !goes_on) {
		charset_put(out, REPLACEMENT);
		s->n = 0;
	}
	if (!s->n && c < 0x80) {
		wr_u8(out, c);
		return;
	}
	if (!s->n && !utf8_length(c)) {
		charset_put(out, REPLACEMENT);
		return;
	}
	s->held[s->n++] = c;
	if (s->n == utf8_length(s->held[0])) {
		wr_bytes(out, (struct bytes){s->held, s->n});
		s->n = 0;
	}
}

void
charset_feed(struct charset *s, struct rd *in, struct wr *out)
{
	uint8_t c;

	while (rd_left(in) && wr_room(out) >= CHARSET_ROOM) {
		c = rd_u8(in);
		if (c < 0x80 && !s->n)
			wr_u8(out, c);
		else if (s->which == CHARSET_UTF8)
			utf8_octet(s, c, out);
		else
			charset_put(out, one_octet((enum charset_which)s->which, c));
	}
}

void
charset_finish(struct charset *s, struct wr *out)
{
	if (s->n)
		charset_put(out, REPLACEMENT);
	s->n = 0;
}

/*
 * rdata_from.c - record data from master file text (RFC 1035 5.1, RFC 3597 5, RFC 4034, and the
 * RFC of each type), field by field.
 *
 * A reader of a field takes its token or tokens and leaves the lexer behind them; where it fails,
 * the lexer still stands on the token that is wrong.
 */
#include "base/base64.h"
#include "base/calendar.h"
#include "base/text.h"
#include "dns/rdata_row.h"

#include <arpa/inet.h>
#include <assert.h>

struct in {
	struct lex *l;
	struct bytes origin;
	struct wr *out;
};

/* RFC 4034 A.1 and IANA's "DNS Security Algorithm Numbers". */
static const struct {
	uint8_t number;
	const char *name;
} algorithms[] = {
    {1, "RSAMD5"},
    {3, "DSA"},
    {5, "RSASHA1"},
    {6, "DSA-NSEC3-SHA1"},
    {7, "RSASHA1-NSEC3-SHA1"},
    {8, "RSASHA256"},
    {10, "RSASHA512"},
    {12, "ECC-GOST"},
    {13, "ECDSAP256SHA256"},
    {14, "ECDSAP384SHA384"},
    {15, "ED25519"},
    {16, "ED448"},
    {252, "INDIRECT"},
    {253, "PRIVATEDNS"},
    {254, "PRIVATEOID"},
};

static bool
done(struct lex *l)
{
	lex_next(l);
	return true;
}

/* The present token as a word; false, and said so, when it is none. */
static bool
word(struct in *in, struct bytes *out)
{
	if (in->l->kind != LEX_WORD)
		return lex_fail(in->l, lex_is_end(in->l) ? "the data ends too early"
		                                         : "a word without quotes is wanted");
	*out = in->l->text;
	return true;
}

static bool
from_number(struct in *in, uint64_t max, uint64_t *v)
{
	struct bytes text;

	if (!word(in, &text))
		return false;
	if (!text_u64(text, UINT64_MAX, v))
		return lex_fail(in->l, "a number is wanted");
	if (*v > max)
		return lex_fail(in->l, "a number too large for its field");
	return done(in->l);
}

static bool
from_u8(struct in *in)
{
	uint64_t v;

	if (!from_number(in, UINT8_MAX, &v))
		return false;
	wr_u8(in->out, (uint8_t)v);
	return true;
}

static bool
from_u16(struct in *in)
{
	uint64_t v;

	if (!from_number(in, UINT16_MAX, &v))
		return false;
	wr_u16(in->out, (uint16_t)v);
	return true;
}

static bool
from_u32(struct in *in)
{
	uint64_t v;

	if (!from_number(in, UINT32_MAX, &v))
		return false;
	wr_u32(in->out, (uint32_t)v);
	return true;
}

static bool
from_algorithm(struct in *in)
{
	struct bytes text;

	if (!word(in, &text))
		return false;
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (bytes_eq_nocase(bytes_of(algorithms[i].name), text)) {
			wr_u8(in->out, algorithms[i].number);
			return done(in->l);
		}
	return from_u8(in);
}

static bool
from_type(struct in *in)
{
	struct bytes text;
	uint16_t type;

	if (!word(in, &text))
		return false;
	if (!dns_type_parse(&type, text))
		return lex_fail(in->l, "a record type is wanted");
	wr_u16(in->out, type);
	return done(in->l);
}

/* Any number of 32 bits, for data has those too; or with units. */
static bool
from_seconds(struct in *in)
{
	struct bytes text;
	uint32_t v;

	if (!word(in, &text))
		return false;
	if (!dns_ttl_parse(&v, text))
		return from_u32(in);
	wr_u32(in->out, v);
	return done(in->l);
}

/* YYYYMMDDHHmmSS, or the seconds as a number (RFC 4034 3.2). */
static bool
from_moment(struct in *in)
{
	static const char not_a_moment[] = "a moment YYYYMMDDHHmmSS until 2106 is wanted";
	struct bytes text;
	uint64_t v;
	struct calendar_date d;
	int64_t t;

	if (!word(in, &text))
		return false;
	if (text.n != 14 || !text_u64(text, UINT64_MAX, &v))
		return from_u32(in);
	d = (struct calendar_date){(int64_t)(v / 10000000000), (unsigned)(v / 100000000 % 100),
	                           (unsigned)(v / 1000000 % 100)};
	if (d.year < 1970 || d.day < 1 || d.day > calendar_month_days(d.year, d.month) ||
	    v / 10000 % 100 > 23 || v / 100 % 100 > 59 || v % 100 > 59)
		return lex_fail(in->l, not_a_moment);
	t = (int64_t)(v / 10000 % 100 * 3600 + v / 100 % 100 * 60 + v % 100) +
	    calendar_days(d) * 86400;
	if (t > UINT32_MAX)
		return lex_fail(in->l, not_a_moment);
	wr_u32(in->out, (uint32_t)t);
	return done(in->l);
}

static bool
from_address(struct in *in, int family, size_t size)
{
	uint8_t ip[16];
	char text[INET6_ADDRSTRLEN] = "";
	struct bytes b;

	if (!word(in, &b))
		return false;
	/* An octet 0 would end the text for inet_pton() before its time. */
	if (b.n >= sizeof(text) || memchr(b.p, 0, b.n))
		return lex_fail(in->l, "an address is wanted");
	memcpy(text, b.p, b.n);
	if (inet_pton(family, text, ip) != 1)
		return lex_fail(in->l, family == AF_INET ? "an IPv4 address is wanted"
		                                         : "an IPv6 address is wanted");
	wr_bytes(in->out, (struct bytes){ip, size});
	return done(in->l);
}

static bool
from_name(struct in *in)
{
	struct dname name;
	const char *wrong;
	struct bytes text;

	if (!word(in, &text))
		return false;
	wrong = dname_parse_text(&name, text, in->origin);
	if (wrong)
		return lex_fail(in->l, wrong);
	wr_bytes(in->out, dname_bytes(&name));
	return done(in->l);
}

/* The octets of one string, escapes resolved, at most max. */
static bool
from_octets(struct in *in, size_t max)
{
	struct rd r = rd_of(in->l->text);
	bool escaped;
	int c;

	if (!lex_is_text(in->l))
		return lex_fail(in->l, "a string is wanted");
	while ((c = lex_octet(&r, &escaped)) >= 0) {
		if (!max--)
			return lex_fail(in->l, "a string longer than 255 octets");
		wr_u8(in->out, (uint8_t)c);
	}
	if (c == -2)
		return lex_fail(in->l, "a wrong escape in a string");
	return done(in->l);
}

static bool
from_string(struct in *in)
{
	uint8_t *size = wr_take(in->out, 1);

	if (!size)
		return true; /* too long: full tells */
	if (!from_octets(in, UINT8_MAX))
		return false;
	*size = (uint8_t)(in->out->p - size - 1);
	return true;
}

static bool
from_strings(struct in *in)
{
	do
		if (!from_string(in))
			return false;
	while (lex_is_text(in->l) && !in->out->full);
	return true;
}

/* Digits in as many words as there are; a pair may be cut by white space (RFC 4034 5.3). */
static bool
from_hex(struct in *in)
{
	const char *wrong = "hex digits are wanted";
	int high = -1;
	struct bytes text;

	do {
		if (!word(in, &text))
			return false;
		for (size_t i = 0; i < text.n; i++) {
			int v = text_hex_digit(text.p[i]);

			if (v < 0)
				return lex_fail(in->l, wrong);
			if (high >= 0)
				wr_u8(in->out, (uint8_t)(high << 4 | v));
			high = high < 0 ? v : -1;
		}
		lex_next(in->l);
	} while (lex_is_text(in->l));
	return high < 0 || lex_fail(in->l, "a hex digit without its second");
}

/* Base64 in as many words as there are, cut anywhere. */
static bool
from_base64(struct in *in)
{
	uint8_t four[4];
	size_t n = 0;
	bool ended = false;
	struct bytes text;

	do {
		if (!word(in, &text))
			return false;
		for (size_t i = 0; i < text.n; i++) {
			four[n++] = text.p[i];
			if (n < 4)
				continue;
			if (ended || !base64_decode(in->out, (struct bytes){four, 4}))
				return lex_fail(in->l, "base64 is wanted");
			ended = four[3] == '=';
			n = 0;
		}
		lex_next(in->l);
	} while (lex_is_text(in->l));
	return !n || lex_fail(in->l, "base64 that is not whole");
}

/* Hex in one word behind its length, "-" for none (RFC 5155 3.3). */
static bool
from_salt(struct in *in)
{
	uint8_t room[UINT8_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes text;

	if (!word(in, &text))
		return false;
	if (!bytes_eq(text, BYTES("-")) && (!text_unhex(&w, text) || w.full))
		return lex_fail(in->l, "hex digits or \"-\" are wanted");
	wr_bytes8(in->out, wr_since(&w, room));
	return done(in->l);
}

/* Base32 with the extended hex alphabet, without padding (RFC 4648 7, RFC 5155 3.3). */
static bool
from_hash(struct in *in)
{
	uint8_t room[UINT8_MAX];
	struct wr w = wr_of(room, sizeof(room));
	unsigned held = 0, bits = 0;
	struct bytes text;

	if (!word(in, &text))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = lower(text.p[i]);

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'v')))
			return lex_fail(in->l, "base32hex is wanted");
		held = (held << 5 | (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10)) & 0xfff;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			wr_u8(&w, (uint8_t)(held >> bits));
		}
	}
	if (w.full || bits >= 5 || held & ((1u << bits) - 1))
		return lex_fail(in->l, "base32hex that is not whole");
	wr_bytes8(in->out, wr_since(&w, room));
	return done(in->l);
}

static bool
from_tag(struct in *in)
{
	struct bytes text;

	if (!word(in, &text))
		return false;
	if (text.n > UINT8_MAX)
		return lex_fail(in->l, "a tag longer than 255 octets");
	wr_bytes8(in->out, text);
	return done(in->l);
}

/* Pairs of hex digits between dashes (RFC 7043 3.2); or groups of four between colons (RFC 6742). */
static bool
from_groups(struct in *in, size_t size, size_t per, uint8_t between)
{
	struct bytes text;
	size_t digits = 0;
	unsigned held = 0;

	if (!word(in, &text))
		return false;
	if (text.n != 2 * size + size / per - 1)
		return lex_fail(in->l, "groups of hex digits are wanted");
	for (size_t i = 0; i < text.n; i++) {
		int v = text_hex_digit(text.p[i]);
		bool gap = (i + 1) % (2 * per + 1) == 0;

		if (gap ? text.p[i] != between : v < 0)
			return lex_fail(in->l, "groups of hex digits are wanted");
		if (gap)
			continue;
		held = held << 4 | (unsigned)v;
		if (++digits % 2 == 0)
			wr_u8(in->out, (uint8_t)held);
	}
	return done(in->l);
}

/* Types in any order, each as often as one likes. */
static bool
from_bitmap(struct in *in)
{
	uint8_t bits[256][32] = {0};
	struct bytes text;
	uint16_t type;

	while (lex_is_text(in->l)) {
		if (!word(in, &text))
			return false;
		if (!dns_type_parse(&type, text))
			return lex_fail(in->l, "a record type is wanted");
		bits[type >> 8][(type & 255) / 8] |= (uint8_t)(0x80 >> (type & 7));
		lex_next(in->l);
	}
	for (unsigned w = 0; w < 256; w++) {
		uint8_t n = 32;

		while (n && !bits[w][n - 1])
			n--;
		if (!n)
			continue;
		wr_u8(in->out, (uint8_t)w);
		wr_bytes8(in->out, (struct bytes){bits[w], n});
	}
	return true;
}

static bool
from_field(char letter, struct in *in)
{
	switch (letter) {
	case 'N':
	case 'm':
	case 'n':
		return from_name(in);
	case '1':
		return from_u8(in);
	case '2':
		return from_u16(in);
	case '4':
		return from_u32(in);
	case 't':
		return from_type(in);
	case 'k':
		return from_algorithm(in);
	case 'l':
		return from_seconds(in);
	case 'd':
		return from_moment(in);
	case 'a':
		return from_address(in, AF_INET, 4);
	case 'A':
		return from_address(in, AF_INET6, 16);
	case 'I':
		return from_groups(in, 8, 2, ':');
	case 'e':
		return from_groups(in, 6, 1, '-');
	case 'E':
		return from_groups(in, 8, 1, '-');
	case 's':
		return from_string(in);
	case 'S':
		return from_strings(in);
	case 'i':
		return from_tag(in);
	case 'q':
	case 'Q':
		return from_octets(in, RDATA_MAX);
	case 'h':
		return from_hex(in);
	case 'b':
		return from_base64(in);
	case 'x':
		return from_salt(in);
	case 'y':
		return from_hash(in);
	case 'T':
		return from_bitmap(in);
	default:
		assert(false && "a letter without a reader");
		return false;
	}
}

/* \# LENGTH HEX (RFC 3597 5). */
static bool
from_generic(struct in *in)
{
	const uint8_t *start = in->out->p;
	uint64_t n;

	lex_next(in->l);
	if (!from_number(in, RDATA_MAX, &n))
		return false;
	if (lex_is_text(in->l) && !from_hex(in))
		return false;
	if (wr_since(in->out, start).n != n)
		return lex_fail(in->l, "not as many octets as the length says");
	return true;
}

bool
rdata_from_text(uint16_t type, struct lex *l, struct bytes origin, struct wr *out)
{
	const char *f = rdata_fields(type);
	struct in in = {l, origin, out};
	const uint8_t *start = out->p;

	if (l->kind == LEX_WORD && bytes_eq(l->text, BYTES("\\#"))) {
		if (!from_generic(&in))
			return false;
	} else if (!f) {
		return lex_fail(
		    l, "data of a type without a form of its own is written \\# LENGTH HEX");
	} else {
		while (*f && !out->full)
			if (!from_field(*f++, &in))
				return false;
	}
	if (out->full)
		return lex_fail(l, "data longer than 65535 octets");
	if (l->kind == LEX_BAD)
		return false;
	if (!lex_is_end(l))
		return lex_fail(l, "more than the data of this type");
	if (!rdata_check(type, wr_since(out, start)))
		return lex_fail(l, "data that is not of its type's form");
	return true;
}

/* imap_name.c - modified UTF-7 both ways, and patterns. */
#include "proto/imap_name.h"

#include "base/text.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

enum { REPLACEMENT = '?' };

/* The value of a digit of modified base64; -1 when it is none. */
static int
digit_value(uint8_t c)
{
	const char *at = c ? memchr(digits, c, 64) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void
put_utf8(struct wr *w, uint32_t c)
{
	if (c < 0x80) {
		wr_u8(w, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		wr_u8(w, (uint8_t)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			wr_u8(w, (uint8_t)(0xe0 | c >> 12));
		} else {
			wr_u8(w, (uint8_t)(0xf0 | c >> 18));
			wr_u8(w, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		}
		wr_u8(w, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	wr_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
}

/* A unit of UTF-16; *high is the first half of a pair that waits for its second, else 0. */
static bool
put_unit(struct wr *w, uint32_t unit, uint32_t *high)
{
	bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;

	if (is_low != (*high != 0))
		return false;
	if (is_high) {
		*high = unit;
		return true;
	}
	if (is_low)
		unit = 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00);
	*high = 0;
	put_utf8(w, unit);
	return true;
}

/* The octets between "&" and "-". */
static bool
decode_shift(struct wr *w, struct bytes b)
{
	uint32_t bits = 0, high = 0;
	unsigned held = 0;

	for (size_t i = 0; i < b.n; i++) {
		int v = digit_value(b.p[i]);

		if (v < 0)
			return false;
		bits = (bits << 6 | (uint32_t)v) & 0x3fffff;
		held += 6;
		if (held < 16)
			continue;
		held -= 16;
		if (!put_unit(w, bits >> held & 0xffff, &high))
			return false;
	}
	return !high;
}

/* The next character of well-formed UTF-8. */
static uint32_t
take_utf8(struct rd *r)
{
	uint8_t c = rd_u8(r);
	size_t more = c < 0xc0 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	uint32_t v = more ? c & (0x3fu >> more) : c;

	while (more--)
		v = v << 6 | (rd_u8(r) & 0x3f);
	return v;
}

struct shift { /* an encoded stretch that is being written */
	uint32_t bits;
	unsigned held;
	bool open;
};

static void
shift_unit(struct wr *w, struct shift *s, uint32_t unit)
{
	if (!s->open)
		wr_u8(w, '&');
	s->open = true;
	s->bits = s->bits << 16 | unit;
	s->held += 16;
	while (s->held >= 6) {
		s->held -= 6;
		wr_u8(w, (uint8_t)digits[s->bits >> s->held & 0x3f]);
	}
	s->bits &= 0x3f;
}

static void
shift_end(struct wr *w, struct shift *s)
{
	if (!s->open)
		return;
	if (s->held)
		wr_u8(w, (uint8_t)digits[s->bits << (6 - s->held) & 0x3f]);
	wr_u8(w, '-');
	*s = (struct shift){.open = false};
}

static void
encode_one(struct wr *w, struct shift *s, uint32_t c)
{
	if (c >= ' ' && c < 0x7f) {
		shift_end(w, s);
		wr_u8(w, (uint8_t)c);
		if (c == '&')
			wr_u8(w, '-');
	} else if (c < 0x10000) {
		shift_unit(w, s, c);
	} else {
		shift_unit(w, s, 0xd800 + ((c - 0x10000) >> 10));
		shift_unit(w, s, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

/* The same as imap_name_encode() into `wire`: whatever else decodes to `name` is refused. */
static bool
is_spelled(struct bytes name, struct bytes wire)
{
	struct rd r = rd_of(name);
	struct shift s = {.open = false};
	uint8_t room[32];

	while (rd_left(&r) || s.open) {
		struct wr w = wr_of(room, sizeof(room));
		struct bytes part;

		if (rd_left(&r))
			encode_one(&w, &s, take_utf8(&r));
		else
			shift_end(&w, &s);
		part = wr_since(&w, room);
		if (part.n > wire.n || !bytes_eq(part, (struct bytes){wire.p, part.n}))
			return false;
		wire = (struct bytes){wire.p + part.n, wire.n - part.n};
	}
	return !wire.n;
}

static bool
has_control(struct bytes name)
{
	struct rd r = rd_of(name);

	while (rd_left(&r)) {
		uint32_t c = take_utf8(&r);

		if (c < ' ' || (c >= 0x7f && c < 0xa0))
			return true;
	}
	return false;
}

/* No name is longer; so no more octets of a pattern, and a wildcard beside each, can match. */
enum { NAME_MAX = 255, PATTERN_MAX = 2 * NAME_MAX + 1 };

static bool
is_wild(uint8_t c)
{
	return c == '*' || c == '%';
}

/* Wildcards side by side made one; SIZE_MAX when it is too long to match anything. */
static size_t
squeeze(struct bytes pattern, uint8_t out[PATTERN_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < pattern.n; i++) {
		uint8_t c = pattern.p[i];

		if (n && is_wild(c) && is_wild(out[n - 1])) {
			if (c == '*')
				out[n - 1] = c;
			continue;
		}
		if (n == PATTERN_MAX)
			return SIZE_MAX;
		out[n++] = c;
	}
	return n;
}

/* One octet of the name: at[i] tells that what was seen so far matches the first i of pattern. */
static void
advance(const uint8_t *pattern, size_t n, uint8_t c, bool nocase, bool at[PATTERN_MAX + 1])
{
	for (size_t i = n + 1; i-- > 0;) {
		bool stay =
		    i < n && (pattern[i] == '*' || (pattern[i] == '%' && c != IMAP_NAME_SEPARATOR));
		bool step = i && at[i - 1] &&
		            (pattern[i - 1] == c || (nocase && lower(pattern[i - 1]) == lower(c)));

		at[i] = (at[i] && stay) || (step && !is_wild(pattern[i - 1]));
	}
	for (size_t i = 0; i < n; i++) /* a wildcard may be nothing */
		at[i + 1] |= at[i] && is_wild(pattern[i]);
}

static int
weight(uint8_t c)
{
	return c == IMAP_NAME_SEPARATOR ? -1 : c;
}

bool
imap_name_decode(struct wr *w, struct bytes wire)
{
	const uint8_t *start = w->p;
	struct bytes rest = wire, shifted;

	while (rest.n) {
		uint8_t c = rest.p[0];

		rest = (struct bytes){rest.p + 1, rest.n - 1};
		if (c < ' ' || c >= 0x7f)
			return false;
		if (c != '&') {
			wr_u8(w, c);
			continue;
		}
		if (!rest.n || !memchr(rest.p, '-', rest.n))
			return false;
		shifted = text_cut(&rest, '-');
		if (!shifted.n)
			wr_u8(w, '&');
		else if (!decode_shift(w, shifted))
			return false;
	}
	if (w->full)
		return false;
	return is_spelled(wr_since(w, start), wire) && !has_control(wr_since(w, start));
}

void
imap_name_encode(struct wr *w, struct bytes name)
{
	struct shift s = {.open = false};

	while (name.n) {
		size_t good = text_utf8_good(name);
		struct rd r = rd_of((struct bytes){name.p, good});

		while (rd_left(&r))
			encode_one(w, &s, take_utf8(&r));
		if (good < name.n)
			encode_one(w, &s, REPLACEMENT);
		good += good < name.n;
		name = (struct bytes){name.p + good, name.n - good};
	}
	shift_end(w, &s);
}

bool
imap_name_match(struct bytes pattern, struct bytes name)
{
	bool nocase = bytes_eq_nocase(name, BYTES("INBOX"));
	uint8_t squeezed[PATTERN_MAX];
	size_t n = squeeze(pattern, squeezed);
	bool at[PATTERN_MAX + 1] = {true};

	if (n == SIZE_MAX)
		return false;
	at[1] = n && is_wild(squeezed[0]);
	for (size_t i = 0; i < name.n; i++)
		advance(squeezed, n, name.p[i], nocase, at);
	return at[n];
}

int
imap_name_order(struct bytes a, struct bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n, i = 0;

	while (i < n && a.p[i] == b.p[i])
		i++;
	if (i < n)
		return weight(a.p[i]) - weight(b.p[i]);
	return (a.n > b.n) - (a.n < b.n);
}

bool
imap_name_beneath(struct bytes a, struct bytes b)
{
	return a.n > b.n && a.p[b.n] == IMAP_NAME_SEPARATOR &&
	       bytes_eq((struct bytes){a.p, b.n}, b);
}

/* text.c - escaping, numbers, hex, UTF-8, stamps; no locale. */
#include "base/text.h"

#include "base/calendar.h"

static const char digits[] = "0123456789abcdef";

enum { U64_DIGITS = 20 };

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

void
text_escape(struct wr *w, struct bytes b)
{
	for (size_t i = 0; i < b.n && !w->full; i++) {
		uint8_t c = b.p[i];

		if (c >= ' ' && c <= '~' && c != '\\' && c != '"') {
			wr_u8(w, c);
		} else {
			uint8_t x[TEXT_ESCAPED] = {'\\', 'x', (uint8_t)digits[c >> 4],
			                           (uint8_t)digits[c & 15]};

			wr_bytes(w, (struct bytes){x, sizeof(x)});
		}
	}
}

bool
text_u64(struct bytes b, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!b.n || b.n > U64_DIGITS)
		return false;
	for (size_t i = 0; i < b.n; i++) {
		uint64_t d = (uint64_t)b.p[i] - '0';

		if (b.p[i] < '0' || d > 9 || v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

int
text_hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
text_hex(struct wr *w, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		wr_u8(w, (uint8_t)digits[b.p[i] >> 4]);
		wr_u8(w, (uint8_t)digits[b.p[i] & 15]);
	}
}

bool
text_unhex(struct wr *w, struct bytes b)
{
	if (b.n % 2)
		return false;
	for (size_t i = 0; i < b.n; i += 2) {
		int high = text_hex_digit(b.p[i]), low = text_hex_digit(b.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		wr_u8(w, (uint8_t)(high << 4 | low));
	}
	return true;
}

struct bytes
text_trim(struct bytes b)
{
	while (b.n && is_blank(b.p[b.n - 1]))
		b.n--;
	while (b.n && is_blank(b.p[0])) {
		b.p++;
		b.n--;
	}
	return b;
}

struct bytes
text_cut(struct bytes *rest, uint8_t sep)
{
	const uint8_t *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	struct bytes head = *rest;

	if (!at) {
		*rest = NO_BYTES;
		return head;
	}
	head.n = (size_t)(at - head.p);
	*rest = (struct bytes){at + 1, rest->n - head.n - 1};
	return head;
}

void
text_lower_into(struct wr *w, struct bytes b)
{
	uint8_t *p = wr_take(w, b.n);

	for (size_t i = 0; p && i < b.n; i++)
		p[i] = lower(b.p[i]);
}

/* The length of the well-formed sequence at the start of b (RFC 3629 section 4), else 0. */
static size_t
utf8_one(struct bytes b)
{
	uint8_t c = b.p[0], least = 0x80, most = 0xbf;
	size_t n;

	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == 0xe0)
		least = 0xa0; /* less would be overlong */
	if (c == 0xf0)
		least = 0x90;
	if (c == 0xed)
		most = 0x9f; /* more would be a surrogate */
	if (c == 0xf4)
		most = 0x8f; /* more would be beyond U+10FFFF */
	if (b.n < n || b.p[1] < least || b.p[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (b.p[i] < 0x80 || b.p[i] > 0xbf)
			return 0;
	return n;
}

size_t
text_utf8_good(struct bytes b)
{
	size_t good = 0, n;

	while (good < b.n && (n = utf8_one((struct bytes){b.p + good, b.n - good})))
		good += n;
	return good;
}

void
text_stamp(struct wr *w, uint64_t wall_ns)
{
	uint64_t s = wall_ns / 1000000000;
	unsigned of_day = (unsigned)(s % 86400);
	struct calendar_date d = calendar_date((int64_t)(s / 86400));

	wr_printf(w, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (unsigned)d.year, d.month, d.day,
	          of_day / 3600, of_day / 60 % 60, of_day % 60,
	          (unsigned)(wall_ns / 1000000 % 1000));
}

/* base64.c - RFC 4648 section 4. */
#include "base/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void
base64_encode(struct wr *w, struct bytes b)
{
	for (size_t i = 0; i < b.n && !w->full; i += 3) {
		size_t n = b.n - i < 3 ? b.n - i : 3;
		uint32_t v = (uint32_t)b.p[i] << 16 | (n > 1 ? (uint32_t)b.p[i + 1] << 8 : 0) |
		             (n > 2 ? (uint32_t)b.p[i + 2] : 0);
		uint8_t four[4] = {(uint8_t)letters[v >> 18], (uint8_t)letters[v >> 12 & 63],
		                   n > 1 ? (uint8_t)letters[v >> 6 & 63] : '=',
		                   n > 2 ? (uint8_t)letters[v & 63] : '='};

		wr_bytes(w, (struct bytes){four, sizeof(four)});
	}
}

/* n - 1 bytes from n letters, of which the bits behind the last byte must be 0. */
static bool
decode_group(struct wr *w, const uint8_t *p, size_t n)
{
	uint8_t three[3];
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int x = i < n ? value(p[i]) : 0;

		if (x < 0)
			return false;
		v = v << 6 | (uint32_t)x;
	}
	three[0] = (uint8_t)(v >> 16);
	three[1] = (uint8_t)(v >> 8);
	three[2] = (uint8_t)v;
	if ((n < 4 && three[2]) || (n < 3 && three[1]))
		return false;
	wr_bytes(w, (struct bytes){three, n - 1});
	return true;
}

bool
base64_decode(struct wr *w, struct bytes b)
{
	size_t n;

	if (b.n % 4)
		return false;
	for (size_t i = 0; i < b.n; i += 4) {
		n = 4;
		if (i + 4 == b.n && b.p[i + 3] == '=')
			n = b.p[i + 2] == '=' ? 2 : 3;
		if (!decode_group(w, b.p + i, n))
			return false;
	}
	return true;
}

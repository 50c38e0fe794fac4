/* fold.c - simple case folding (Unicode 3.13): one character for one, never a longer one. */
#include "view/fold.h"

#include "mail/charset.h"

/* Ranges of letters: `step` is what is added to a capital; 0: capitals are even, 1: they are odd. */
static const struct {
	uint16_t first, last;
	uint16_t step;
} ranges[] = {
    {0xc0, 0xd6, 32},    {0xd8, 0xde, 32},   {0x100, 0x12f, 0},  {0x132, 0x137, 0},
    {0x139, 0x148, 1},   {0x14a, 0x177, 0},  {0x179, 0x17e, 1},  {0x1cd, 0x1dc, 1},
    {0x1de, 0x1ef, 0},   {0x1f8, 0x21f, 0},  {0x222, 0x233, 0},  {0x388, 0x38a, 37},
    {0x391, 0x3a1, 32},  {0x3a3, 0x3ab, 32}, {0x400, 0x40f, 80}, {0x410, 0x42f, 32},
    {0x460, 0x481, 0},   {0x48a, 0x4bf, 0},  {0x4d0, 0x52f, 0},  {0x1e00, 0x1e95, 0},
    {0x1ea0, 0x1eff, 0},
};

/* Letters that are in no range. */
static const struct {
	uint16_t from, to;
} letters[] = {
    {0x130, 'i'},   {0x178, 0xff},  {0x17f, 's'},   {0x386, 0x3ac}, {0x38c, 0x3cc}, {0x38e, 0x3cd},
    {0x38f, 0x3ce}, {0x3c2, 0x3c3}, {0x1e9e, 0xdf}, {0x212a, 'k'},  {0x212b, 0xe5},
};

static uint32_t
fold(uint32_t c)
{
	for (size_t i = 0; i < COUNT(ranges); i++) {
		if (c < ranges[i].first || c > ranges[i].last)
			continue;
		if (ranges[i].step > 1)
			return c + ranges[i].step;
		return c % 2 == ranges[i].step ? c + 1 : c;
	}
	for (size_t i = 0; i < COUNT(letters); i++)
		if (letters[i].from == c)
			return letters[i].to;
	return c;
}

/* The octets of a character of two or three; all that is folded has no more. */
static size_t
length(uint8_t c)
{
	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

size_t
fold_text(uint8_t *text, size_t n)
{
	struct wr w = wr_of(text, n);
	uint32_t c;
	size_t k;

	for (size_t i = 0; i < n; i += k) {
		if (text[i] < 0x80) {
			*w.p++ = lower(text[i]);
			k = 1;
			continue;
		}
		k = length(text[i]);
		k = k < n - i ? k : n - i;
		c = k == 2   ? (text[i] & 0x1fU) << 6 | (text[i + 1] & 0x3fU)
		    : k == 3 ? (text[i] & 0xfU) << 12 | (text[i + 1] & 0x3fU) << 6 |
		                   (text[i + 2] & 0x3fU)
		             : 0;
		if (c && fold(c) != c) {
			charset_put(&w, fold(c));
		} else { /* they lie before where they are read from, or at it */
			memmove(w.p, text + i, k);
			w.p += k;
		}
	}
	return wr_since(&w, text).n;
}

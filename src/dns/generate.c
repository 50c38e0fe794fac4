/*
 * generate.c - $GENERATE as BIND has it: `$` is the value, `${offset,width,base}` the value plus an
 * offset, as wide as asked, in base d, o, x, X, or n, N: hex digits from the lowest with dots
 * between, for ip6.arpa.  `$$` and `\$` are a dollar.
 */
#include "dns/generate.h"

#include "base/text.h"
#include "dns/zonefile.h"

enum { WIDTH_MAX = 63 };

static const char wrong[] = "${OFFSET,WIDTH,BASE} that is not of this form";

static void
put_nibbles(struct wr *out, uint64_t v, uint64_t width, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	/* The width counts the dots too. */
	for (;;) {
		wr_u8(out, (uint8_t)digits[v & 15]);
		v >>= 4;
		width -= width > 0;
		if (!v && !width)
			return;
		wr_u8(out, '.');
		width -= width > 0;
		if (!v && !width)
			return;
	}
}

static const char *
put_value(struct wr *out, int64_t v, uint64_t width, uint8_t base)
{
	if (v < 0)
		return "an offset that makes the value negative";
	switch (base) {
	case 'd':
		wr_printf(out, "%0*lld", (int)width, (long long)v);
		return NULL;
	case 'o':
		wr_printf(out, "%0*llo", (int)width, (unsigned long long)v);
		return NULL;
	case 'x':
		wr_printf(out, "%0*llx", (int)width, (unsigned long long)v);
		return NULL;
	case 'X':
		wr_printf(out, "%0*llX", (int)width, (unsigned long long)v);
		return NULL;
	case 'n':
	case 'N':
		put_nibbles(out, (uint64_t)v, width, base == 'N');
		return NULL;
	default:
		return wrong;
	}
}

/* Behind "${": up to the brace. */
static const char *
put_braced(struct wr *out, struct rd *r, uint32_t value)
{
	const uint8_t *start = r->p;
	struct bytes inside, part;
	uint64_t offset = 0, width = 0;
	uint8_t base = 'd', c;
	bool minus;

	while ((c = rd_u8(r)) != '}')
		if (r->bad)
			return wrong;
	inside = (struct bytes){start, (size_t)(r->p - start) - 1};
	part = text_cut(&inside, ',');
	minus = part.n && part.p[0] == '-';
	if (minus)
		part = (struct bytes){part.p + 1, part.n - 1};
	if (!text_u64(part, INT32_MAX, &offset))
		return wrong;
	part = text_cut(&inside, ',');
	if (part.n && !text_u64(part, WIDTH_MAX, &width))
		return wrong;
	if (inside.n > 1)
		return wrong;
	if (inside.n)
		base = inside.p[0];
	return put_value(out, minus ? (int64_t)value - (int64_t)offset : (int64_t)(value + offset),
	                 width, base);
}

const char *
generate_range(struct generate_range *out, struct bytes text)
{
	static const char form[] = "a range FIRST-LAST or FIRST-LAST/STEP is wanted";
	struct bytes first = text_cut(&text, '-'), last = text_cut(&text, '/');
	uint64_t from, to, step = 1;

	if (!text_u64(first, INT32_MAX, &from) || !text_u64(last, UINT32_MAX, &to) ||
	    (text.n && !text_u64(text, INT32_MAX, &step)) || !step || to < from)
		return form;
	if ((to - from) / step >= ZONEFILE_GENERATE_MAX)
		return "a range of more than 65536 records";
	if (to > INT32_MAX)
		return form;
	*out = (struct generate_range){(uint32_t)from, (uint32_t)to, (uint32_t)step};
	return NULL;
}

const char *
generate_line(struct wr *out, struct bytes line, uint32_t value)
{
	struct rd r = rd_of(line);
	const char *bad = NULL;

	while (rd_left(&r) && !bad) {
		uint8_t c = rd_u8(&r);

		if (c == '\\' && rd_left(&r)) {
			wr_u8(out, c);
			wr_u8(out, rd_u8(&r));
		} else if (c != '$') {
			wr_u8(out, c);
		} else if (rd_left(&r) && r.p[0] == '$') {
			wr_u8(out, rd_u8(&r));
		} else if (rd_left(&r) && r.p[0] == '{') {
			rd_u8(&r);
			bad = put_braced(out, &r, value);
		} else {
			wr_printf(out, "%u", value);
		}
	}
	if (!bad && out->full)
		bad = "a line longer than 4096 octets";
	return bad;
}

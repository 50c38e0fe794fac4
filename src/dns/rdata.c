/* rdata.c - the wire side of record data: checked, expanded and walked by the letters of its row. */
#include "dns/rdata.h"

#include "dns/rdata_row.h"

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

static void
need(struct rd *r, bool good)
{
	if (!good)
		r->bad = true;
}

static void
take_strings(struct rd *r)
{
	do
		rd_bytes8(r);
	while (rd_left(r));
}

static void
take_tag(struct rd *r)
{
	struct bytes tag = rd_bytes8(r);

	need(r, tag.n > 0); /* RFC 8659 4.1 */
	for (size_t i = 0; i < tag.n; i++)
		need(r, is_alnum(tag.p[i]));
}

/*
 * Windows ascend, a window has 1 to 32 octets, and the last is not 0 (RFC 4034 4.1.2): so each set
 * of types has one form, and text brings back the same octets.
 */
static void
take_bitmap(struct rd *r)
{
	int before = -1;

	while (rd_left(r)) {
		int window = rd_u8(r);
		struct bytes bits = rd_bytes8(r);

		need(r, window > before && bits.n >= 1 && bits.n <= 32 && bits.p[bits.n - 1]);
		before = window;
	}
}

static void
expand_name(struct rd *r, struct bytes msg, struct wr *out)
{
	struct dname name;

	dname_read(r, msg, &name);
	wr_bytes(out, dname_bytes(&name));
}

struct bytes
field_take(char letter, struct rd *r)
{
	struct bytes all = {r->p, rd_left(r)};

	switch (letter) {
	case 'N':
	case 'm':
	case 'n':
		dname_take(r);
		break;
	case '1':
	case 'k':
		rd_u8(r);
		break;
	case '2':
	case 't':
		rd_u16(r);
		break;
	case '4':
	case 'd':
	case 'l':
	case 'a':
		rd_take(r, 4);
		break;
	case 'e':
		rd_take(r, 6);
		break;
	case 'E':
	case 'I':
		rd_take(r, 8);
		break;
	case 'A':
		rd_take(r, 16);
		break;
	case 's':
	case 'x':
		rd_bytes8(r);
		break;
	case 'y':
		need(r, rd_bytes8(r).n > 0);
		break;
	case 'S':
		take_strings(r);
		break;
	case 'i':
		take_tag(r);
		break;
	case 'q':
		rd_rest(r);
		break;
	case 'Q':
	case 'h':
	case 'b':
		need(r, rd_rest(r).n > 0);
		break;
	case 'T':
		take_bitmap(r);
		break;
	default:
		need(r, false);
	}
	return r->bad ? NO_BYTES : (struct bytes){all.p, all.n - rd_left(r)};
}

bool
rdata_check(uint16_t type, struct bytes wire)
{
	const char *f = rdata_fields(type);
	struct rd r = rd_of(wire);

	if (wire.n > RDATA_MAX)
		return false;
	if (!f)
		return true;
	while (*f && !r.bad)
		field_take(*f++, &r);
	return !r.bad && !rd_left(&r);
}

void
rdata_expand(uint16_t type, struct rd *r, size_t n, struct bytes msg, struct wr *out)
{
	const char *f = rdata_fields(type);
	struct rd in = rd_of(rd_take(r, n));

	if (r->bad)
		return;
	if (!f) {
		wr_bytes(out, rd_rest(&in));
		return;
	}
	for (; *f && !in.bad; f++)
		if (*f == 'N' || *f == 'm')
			expand_name(&in, msg, out);
		else
			wr_bytes(out, field_take(*f, &in));
	need(r, !in.bad && !rd_left(&in));
}

bool
rdata_has_names(uint16_t type)
{
	const char *f = rdata_fields(type);

	while (f && *f)
		if (field_is_name(*f++))
			return true;
	return false;
}

bool
rdata_next(struct rdata_walk *w, struct rdata_part *out)
{
	const char *f = rdata_fields(w->type);
	struct rd r = rd_of(w->rest);
	unsigned i = w->field;

	if (!w->rest.n)
		return false;
	*out = (struct rdata_part){w->rest, false, false};
	if (f && field_is_name(f[i])) {
		struct bytes name = dname_take(&r);

		if (name.n)
			*out = (struct rdata_part){name, true, f[i] == 'N'};
		w->field++;
	} else if (f) {
		while (f[i] && !field_is_name(f[i]) && !r.bad)
			field_take(f[i++], &r);
		if (f[i] && !r.bad)
			out->bytes.n -= rd_left(&r);
		w->field = i;
	}
	w->rest.p += out->bytes.n;
	w->rest.n -= out->bytes.n;
	return true;
}

/* encode.c - RFC 2045 6.7 and 6.8. */
#include "mail/encode.h"

#include "base/text.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits[] = "0123456789ABCDEF";

static const char *const names[] = {"7bit", "8bit", "binary", "quoted-printable", "base64"};

enum encoding
encoding_find(struct bytes name)
{
	if (!name.n)
		return ENCODING_7BIT;
	for (size_t i = 0; i < COUNT(names); i++)
		if (bytes_eq_nocase(name, bytes_of(names[i])))
			return (enum encoding)i;
	return ENCODING_UNKNOWN;
}

const char *
encoding_name(enum encoding e)
{
	return names[e == ENCODING_UNKNOWN ? ENCODING_BINARY : e];
}

/* ---- base64 ---- */

static int
letter(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void
decode_base64(struct decode *d, struct rd *in, struct wr *out)
{
	uint8_t c;
	int v;

	while (rd_left(in) && wr_room(out) >= DECODE_ROOM) {
		c = rd_u8(in);
		v = letter(c);
		d->ended |= c == '=';
		if (d->ended || v < 0)
			continue;
		d->bits = d->bits << 6 | (uint32_t)v;
		if (++d->n == 4) {
			wr_u8(out, (uint8_t)(d->bits >> 16));
			wr_u8(out, (uint8_t)(d->bits >> 8));
			wr_u8(out, (uint8_t)d->bits);
			d->n = 0;
		}
	}
}

static void
finish_base64(struct decode *d, struct wr *out)
{
	if (d->n >= 2)
		wr_u8(out, (uint8_t)(d->bits >> (6 * d->n - 8)));
	if (d->n == 3)
		wr_u8(out, (uint8_t)(d->bits >> 2));
	d->n = 0;
}

/* ---- quoted-printable ---- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/*
 * What is held is one of: a run of blanks; "=" and a run of blanks; either with a CR behind it;
 * "=" and a digit.
 */
static void
let_go(struct decode *d, struct wr *out)
{
	wr_bytes(out, (struct bytes){d->held, d->n});
	d->n = 0;
}

/* The line ends: what is held was padding, or the mark of a soft break, which takes the end along. */
static void
end_line(struct decode *d, struct wr *out)
{
	bool soft = d->n && d->held[0] == '=';
	bool cr = d->n && d->held[d->n - 1] == '\r';

	d->n = 0;
	if (!soft && cr)
		wr_u8(out, '\r');
	if (!soft)
		wr_u8(out, '\n');
}

static void
decode_qp_octet(struct decode *d, uint8_t c, struct wr *out)
{
	int digit = text_hex_digit(c);

	if (d->n == 2 && d->held[0] == '=' && text_hex_digit(d->held[1]) >= 0) {
		if (digit >= 0) {
			wr_u8(out, (uint8_t)(text_hex_digit(d->held[1]) << 4 | digit));
			d->n = 0;
			return;
		}
		let_go(d, out);
	}
	if (c == '\n') {
		end_line(d, out);
		return;
	}
	if (d->n && d->held[d->n - 1] == '\r')
		let_go(d, out);
	if (d->n == 1 && d->held[0] == '=' && digit >= 0) {
		d->held[d->n++] = c;
		return;
	}
	if (is_blank(c) && d->n > DECODE_BLANKS_MAX) /* the first of too many stay */
		let_go(d, out);
	if (!is_blank(c) && c != '\r')
		let_go(d, out);
	if (is_blank(c) || c == '\r' || c == '=')
		d->held[d->n++] = c;
	else
		wr_u8(out, c);
}

static void
finish_qp(struct decode *d, struct wr *out)
{
	bool soft = d->n && d->held[0] == '=';

	while (d->n && is_blank(d->held[d->n - 1]))
		d->n--;
	if (!soft || d->n > 1)
		let_go(d, out);
	d->n = 0;
}

static size_t
plain(struct bytes b)
{
	size_t n = 0;

	while (n < b.n && b.p[n] != '=' && b.p[n] != '\r' && b.p[n] != '\n' && !is_blank(b.p[n]))
		n++;
	return n;
}

static void
decode_qp(struct decode *d, struct rd *in, struct wr *out)
{
	size_t n;

	while (rd_left(in) && wr_room(out) >= DECODE_ROOM) {
		n = wr_room(out) < rd_left(in) ? wr_room(out) : rd_left(in);
		n = d->n ? 0 : plain((struct bytes){in->p, n});
		if (n)
			wr_bytes(out, rd_take(in, n));
		else
			decode_qp_octet(d, rd_u8(in), out);
	}
}

void
decode_feed(struct decode *d, struct rd *in, struct wr *out)
{
	size_t n;

	switch ((enum encoding)d->encoding) {
	case ENCODING_BASE64:
		decode_base64(d, in, out);
		return;
	case ENCODING_QP:
		decode_qp(d, in, out);
		return;
	case ENCODING_7BIT:
	case ENCODING_8BIT:
	case ENCODING_BINARY:
	case ENCODING_UNKNOWN:
		break;
	}
	n = wr_room(out) < rd_left(in) ? wr_room(out) : rd_left(in);
	if (n >= DECODE_ROOM || n == rd_left(in))
		wr_bytes(out, rd_take(in, n));
}

void
decode_finish(struct decode *d, struct wr *out)
{
	if (d->encoding == ENCODING_BASE64)
		finish_base64(d, out);
	else if (d->encoding == ENCODING_QP)
		finish_qp(d, out);
}

/* ---- encoding ---- */

static void
encode_group(struct encode *e, uint8_t third, size_t n, struct wr *out)
{
	uint32_t v = (uint32_t)e->held[0] << 16 | (uint32_t)e->held[1] << 8 | third;

	if (e->column == ENCODE_LINE_MAX) {
		wr_text(out, "\r\n");
		e->column = 0;
	}
	wr_u8(out, (uint8_t)letters[v >> 18]);
	wr_u8(out, (uint8_t)letters[v >> 12 & 63]);
	wr_u8(out, n > 1 ? (uint8_t)letters[v >> 6 & 63] : '=');
	wr_u8(out, n > 2 ? (uint8_t)letters[v & 63] : '=');
	e->column = (uint8_t)(e->column + 4);
	e->n = 0;
}

static void
encode_base64(struct encode *e, uint8_t c, struct wr *out)
{
	if (e->n == 2)
		encode_group(e, c, 3, out);
	else
		e->held[e->n++] = c;
}

/* One octet, or its three, on a line that has room for it and for the "=" of a soft break. */
static void
put_qp(struct encode *e, uint8_t c, bool coded, struct wr *out)
{
	size_t n;

	if (e->column + (coded ? 3u : 1u) >= ENCODE_LINE_MAX) {
		wr_text(out, "=\r\n");
		e->column = 0;
	}
	coded |= c == '-' && !e->column; /* no line of ours is a delimiter */
	n = coded ? 3 : 1;
	e->column = (uint8_t)(e->column + n);
	if (!coded) {
		wr_u8(out, c);
		return;
	}
	wr_u8(out, '=');
	wr_u8(out, (uint8_t)digits[c >> 4]);
	wr_u8(out, (uint8_t)digits[c & 15]);
}

/* A blank before the end of a line is coded, lest it be taken for padding. */
static void
encode_qp(struct encode *e, uint8_t c, struct wr *out)
{
	bool cr = e->n && e->held[e->n - 1] == '\r';

	if (cr && c == '\n') {
		if (e->n == 2)
			put_qp(e, e->held[0], true, out);
		wr_text(out, "\r\n");
		e->n = e->column = 0;
		return;
	}
	if (cr && e->n == 2)
		put_qp(e, e->held[0], false, out);
	if (cr)
		put_qp(e, '\r', true, out);
	else if (e->n && c != '\r')
		put_qp(e, e->held[0], false, out);
	if (cr || c != '\r')
		e->n = 0;
	if (is_blank(c) || c == '\r')
		e->held[e->n++] = c;
	else
		put_qp(e, c, c < ' ' || c > '~' || c == '=', out);
}

void
encode_feed(struct encode *e, struct rd *in, struct wr *out)
{
	while (rd_left(in) && wr_room(out) >= ENCODE_ROOM) {
		if (e->encoding == ENCODING_BASE64)
			encode_base64(e, rd_u8(in), out);
		else
			encode_qp(e, rd_u8(in), out);
	}
}

void
encode_finish(struct encode *e, struct wr *out)
{
	if (e->encoding == ENCODING_BASE64) {
		if (e->n == 1)
			e->held[1] = 0;
		if (e->n)
			encode_group(e, 0, e->n, out);
		return;
	}
	for (size_t i = 0; i < e->n; i++) /* at the very end a blank is padding, too */
		put_qp(e, e->held[i], i + 1 == e->n || e->held[i] == '\r', out);
	e->n = 0;
}

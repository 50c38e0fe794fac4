/*
 * rdata_to.c - record data as master file text, field by field: what rdata_from.c reads back to the
 * same octets.  Only printable ASCII leaves (attack 17).
 */
#include "base/base64.h"
#include "base/calendar.h"
#include "base/text.h"
#include "dns/rdata_row.h"

#include <arpa/inet.h>
#include <assert.h>

static void
to_octets(struct wr *w, struct bytes b)
{
	wr_u8(w, '"');
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i],
			digits[] = {'\\', (uint8_t)('0' + c / 100), (uint8_t)('0' + c / 10 % 10),
		                    (uint8_t)('0' + c % 10)};

		if (c < ' ' || c > '~') {
			wr_bytes(w, (struct bytes){digits, sizeof(digits)});
			continue;
		}
		if (c == '"' || c == '\\')
			wr_u8(w, '\\');
		wr_u8(w, c);
	}
	wr_u8(w, '"');
}

static void
to_strings(struct wr *w, struct bytes b)
{
	struct rd r = rd_of(b);

	while (rd_left(&r)) {
		to_octets(w, rd_bytes8(&r));
		if (rd_left(&r))
			wr_u8(w, ' ');
	}
}

static void
to_moment(struct wr *w, uint32_t t)
{
	struct calendar_date d = calendar_date(t / 86400);
	unsigned s = t % 86400;

	wr_printf(w, "%04u%02u%02u%02u%02u%02u", (unsigned)d.year, d.month, d.day, s / 3600,
	          s / 60 % 60, s % 60);
}

static void
to_address(struct wr *w, int family, struct bytes ip)
{
	char text[INET6_ADDRSTRLEN];

	wr_text(w, inet_ntop(family, ip.p, text, sizeof(text)));
}

static void
to_hash(struct wr *w, struct bytes b)
{
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < b.n; i++) {
		held = (held << 8 | b.p[i]) & 0xfff;
		bits += 8;
		for (; bits >= 5; bits -= 5)
			wr_u8(
			    w,
			    (uint8_t) "0123456789abcdefghijklmnopqrstuv"[held >> (bits - 5) & 31]);
	}
	if (bits)
		wr_u8(w, (uint8_t) "0123456789abcdefghijklmnopqrstuv"[held << (5 - bits) & 31]);
}

static void
to_groups(struct wr *w, struct bytes b, size_t per, uint8_t between)
{
	for (size_t i = 0; i < b.n; i++) {
		if (i && i % per == 0)
			wr_u8(w, between);
		text_hex(w, (struct bytes){b.p + i, 1});
	}
}

static void
to_bitmap(struct wr *w, struct bytes b)
{
	struct rd r = rd_of(b);
	bool first = true;

	while (rd_left(&r)) {
		unsigned window = rd_u8(&r);
		struct bytes bits = rd_bytes8(&r);

		for (unsigned i = 0; i < 8 * bits.n; i++) {
			if (!(bits.p[i / 8] & 0x80 >> i % 8))
				continue;
			if (!first)
				wr_u8(w, ' ');
			first = false;
			dns_type_text(w, (uint16_t)(window << 8 | i));
		}
	}
}

static void
to_field(char letter, struct bytes b, struct wr *w)
{
	struct rd r = rd_of(b);

	switch (letter) {
	case 'N':
	case 'm':
	case 'n':
		dname_to_text(w, b);
		break;
	case '1':
	case 'k':
		wr_printf(w, "%u", rd_u8(&r));
		break;
	case '2':
		wr_printf(w, "%u", rd_u16(&r));
		break;
	case '4':
	case 'l':
		wr_printf(w, "%u", rd_u32(&r));
		break;
	case 't':
		dns_type_text(w, rd_u16(&r));
		break;
	case 'd':
		to_moment(w, rd_u32(&r));
		break;
	case 'a':
		to_address(w, AF_INET, b);
		break;
	case 'A':
		to_address(w, AF_INET6, b);
		break;
	case 'I':
		to_groups(w, b, 2, ':');
		break;
	case 'e':
	case 'E':
		to_groups(w, b, 1, '-');
		break;
	case 's':
	case 'S':
		to_strings(w, b);
		break;
	case 'i':
		wr_bytes(w, rd_bytes8(&r));
		break;
	case 'q':
	case 'Q':
		to_octets(w, b);
		break;
	case 'h':
		text_hex(w, b);
		break;
	case 'b':
		base64_encode(w, b);
		break;
	case 'x':
		if (b.p[0])
			text_hex(w, rd_bytes8(&r));
		else
			wr_u8(w, '-');
		break;
	case 'y':
		to_hash(w, rd_bytes8(&r));
		break;
	case 'T':
		to_bitmap(w, b);
		break;
	default:
		assert(false && "a letter without a writer");
	}
}

void
rdata_to_text(uint16_t type, struct bytes wire, struct wr *out)
{
	const char *f = rdata_fields(type);
	struct rd r = rd_of(wire);

	if (!f || !rdata_check(type, wire)) {
		wr_printf(out, "\\# %zu", wire.n);
		if (wire.n)
			wr_u8(out, ' ');
		text_hex(out, wire);
		return;
	}
	for (const char *p = f; *p; p++) {
		struct bytes field = field_take(*p, &r);

		if (p != f && (field.n || *p != 'T'))
			wr_u8(out, ' ');
		to_field(*p, field, out);
	}
}

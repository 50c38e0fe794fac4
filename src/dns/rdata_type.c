/*
 * rdata_type.c - the table of record types, and types, classes and TTLs in text (RFC 1035 3.2, 5.1;
 * RFC 3597 5; the numbers are IANA's "DNS Parameters").
 */
#include "base/text.h"
#include "dns/rdata_row.h"

#define ROW(type, name, fields)                                                                    \
	{                                                                                          \
		type, name, fields, sizeof(name) - 1                                               \
	}

/* By number, ascending: rdata_row() halves it. */
static const struct rdata_row rows[] = {
    ROW(1, "A", "a"),
    ROW(2, "NS", "N"),
    ROW(3, "MD", "N"),
    ROW(4, "MF", "N"),
    ROW(5, "CNAME", "N"),
    ROW(6, "SOA", "NN4llll"),
    ROW(7, "MB", "N"),
    ROW(8, "MG", "N"),
    ROW(9, "MR", "N"),
    ROW(10, "NULL", NULL),
    ROW(12, "PTR", "N"),
    ROW(13, "HINFO", "ss"),
    ROW(14, "MINFO", "NN"),
    ROW(15, "MX", "2N"),
    ROW(16, "TXT", "S"),
    ROW(17, "RP", "mm"),
    ROW(18, "AFSDB", "2m"),
    ROW(19, "X25", "s"),
    ROW(21, "RT", "2m"),
    ROW(26, "PX", "2mm"),
    ROW(28, "AAAA", "A"),
    ROW(33, "SRV", "222m"),
    ROW(35, "NAPTR", "22sssm"),
    ROW(36, "KX", "2n"),
    ROW(39, "DNAME", "n"),
    ROW(41, "OPT", NULL),
    ROW(43, "DS", "2k1h"),
    ROW(44, "SSHFP", "11h"),
    ROW(46, "RRSIG", "tk1ldd2nb"),
    ROW(47, "NSEC", "nT"),
    ROW(48, "DNSKEY", "21kb"),
    ROW(49, "DHCID", "b"),
    ROW(50, "NSEC3", "112xyT"),
    ROW(51, "NSEC3PARAM", "112x"),
    ROW(52, "TLSA", "111h"),
    ROW(53, "SMIMEA", "111h"),
    ROW(59, "CDS", "2k1h"),
    ROW(60, "CDNSKEY", "21kb"),
    ROW(61, "OPENPGPKEY", "b"),
    ROW(62, "CSYNC", "42T"),
    ROW(63, "ZONEMD", "411h"),
    ROW(99, "SPF", "S"),
    ROW(104, "NID", "2I"),
    ROW(105, "L32", "2a"),
    ROW(106, "L64", "2I"),
    ROW(107, "LP", "2n"),
    ROW(108, "EUI48", "e"),
    ROW(109, "EUI64", "E"),
    ROW(249, "TKEY", NULL),
    ROW(250, "TSIG", NULL),
    ROW(251, "IXFR", NULL),
    ROW(252, "AXFR", NULL),
    ROW(253, "MAILB", NULL),
    ROW(254, "MAILA", NULL),
    ROW(255, "ANY", NULL),
    ROW(256, "URI", "22Q"),
    ROW(257, "CAA", "1iq"),
    ROW(32768, "TA", "2k1h"),
    ROW(32769, "DLV", "2k1h"),
};

static const struct {
	uint16_t class;
	const char *name;
} classes[] = {
    {DNS_CLASS_IN, "IN"},     {DNS_CLASS_CH, "CH"},   {DNS_CLASS_HS, "HS"},
    {DNS_CLASS_NONE, "NONE"}, {DNS_CLASS_ANY, "ANY"},
};

/* "TYPE123" or "CLASS123" (RFC 3597 5). */
static bool
numbered(uint16_t *out, struct bytes text, struct bytes prefix)
{
	uint64_t v;

	if (!bytes_begins_nocase(text, prefix))
		return false;
	text = (struct bytes){text.p + prefix.n, text.n - prefix.n};
	if (text.n > 5 || !text_u64(text, UINT16_MAX, &v))
		return false;
	*out = (uint16_t)v;
	return true;
}

const struct rdata_row *
rdata_row(uint16_t type)
{
	size_t low = 0, high = COUNT(rows);

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (rows[mid].type == type)
			return &rows[mid];
		if (rows[mid].type < type)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const char *
rdata_fields(uint16_t type)
{
	const struct rdata_row *row = rdata_row(type);

	return row ? row->fields : NULL;
}

bool
dns_type_parse(uint16_t *out, struct bytes text)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes name = {(const uint8_t *)rows[i].name, rows[i].name_size};

		if (name.n == text.n && bytes_eq_nocase(name, text)) {
			*out = rows[i].type;
			return true;
		}
	}
	return numbered(out, text, BYTES("TYPE"));
}

void
dns_type_text(struct wr *w, uint16_t type)
{
	const struct rdata_row *row = rdata_row(type);

	if (row)
		wr_bytes(w, (struct bytes){(const uint8_t *)row->name, row->name_size});
	else
		wr_printf(w, "TYPE%u", type);
}

bool
dns_class_parse(uint16_t *out, struct bytes text)
{
	for (size_t i = 0; i < COUNT(classes); i++)
		if (bytes_eq_nocase(bytes_of(classes[i].name), text)) {
			*out = classes[i].class;
			return true;
		}
	return numbered(out, text, BYTES("CLASS"));
}

void
dns_class_text(struct wr *w, uint16_t class)
{
	for (size_t i = 0; i < COUNT(classes); i++)
		if (classes[i].class == class) {
			wr_text(w, classes[i].name);
			return;
		}
	wr_printf(w, "CLASS%u", class);
}

bool
dns_type_is_meta(uint16_t type)
{
	return type == 0 || type == DNS_TYPE_OPT || (type >= 128 && type <= 255);
}

bool
dns_ttl_parse(uint32_t *out, struct bytes text)
{
	static const struct {
		uint8_t unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	struct rd r = rd_of(text);
	uint64_t sum = 0, v = 0;
	bool digits = false, with_units = false;

	while (rd_left(&r)) {
		uint8_t c = lower(rd_u8(&r));
		size_t u = 0;

		if (c >= '0' && c <= '9') {
			v = v * 10 + (uint64_t)(c - '0');
			if (v > INT32_MAX)
				return false;
			digits = true;
			continue;
		}
		while (u < COUNT(units) && units[u].unit != c)
			u++;
		if (u == COUNT(units) || !digits)
			return false;
		sum += v * units[u].seconds;
		if (sum > INT32_MAX)
			return false;
		v = 0;
		digits = false;
		with_units = true;
	}
	/* "90" or "1h30m", not "1h30": a number alone has no unit, else each has one. */
	if (digits == with_units)
		return false;
	*out = (uint32_t)(sum + v);
	return true;
}

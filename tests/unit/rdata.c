/* rdata.c - record data: wire to text to wire is the identity for every type; wrong data is refused. */
#include "dns/rdata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static uint8_t wire[RDATA_MAX], again[RDATA_MAX], text[RDATA_TEXT_MAX];

static const struct {
	const char *type, *in, *out; /* out NULL: the same */
} good[] = {
    {"A", "192.0.2.1", NULL},
    {"AAAA", "2001:DB8:0:0::1", "2001:db8::1"},
    {"AAAA", "::ffff:192.0.2.1", NULL},
    {"NS", "ns", "ns.example.org."},
    {"CNAME", "@", "example.org."},
    {"PTR", "Host.Example.", NULL},
    {"MX", "10 mail", "10 mail.example.org."},
    {"MX", "0 .", NULL},
    {"SOA", "ns hostmaster 2026010100 1h 15m 4w 5m",
     "ns.example.org. hostmaster.example.org. 2026010100 3600 900 2419200 300"},
    {"SOA", "( ns. a\\.b. ; who\n 1 2\n 3 4 ; why\n 4294967295 )", "ns. a\\.b. 1 2 3 4 4294967295"},
    {"TXT", "v=spf1 \"a b\" \"\" \\\"\\065\\000\\;", "\"v=spf1\" \"a b\" \"\" \"\\\"A\\000;\""},
    {"TXT", "\"; ( ) \\\\\"", "\"; ( ) \\\\\""},
    {"SRV", "0 5 5060 sip", "0 5 5060 sip.example.org."},
    {"CAA", "0 issue \"ca.example; x=y\"", NULL},
    {"CAA", "128 tbs Unknown", "128 tbs \"Unknown\""},
    {"TLSA", "3 1 1 AB cd0 1", "3 1 1 abcd01"},
    {"SSHFP", "4 2 (12 34\n 56)", "4 2 123456"},
    {"DS", "60485 RSASHA1 1 2BB183AF", "60485 5 1 2bb183af"},
    {"DNSKEY", "257 3 ECDSAP256SHA256 AQ ID BA==", "257 3 13 AQIDBA=="},
    {"RRSIG", "A 5 3 1d 20030322173103 20260228235959 2642 example. oJB1",
     "A 5 3 86400 20030322173103 20260228235959 2642 example. oJB1"},
    {"RRSIG", "TYPE1234 13 0 4294967295 0 4294967295 0 . AA==",
     "TYPE1234 13 0 4294967295 19700101000000 21060207062815 0 . AA=="},
    {"RRSIG", "MX 13 1 1 20240229000000 20000301000000 0 . AA==", NULL},
    {"NSEC", "host.example. TYPE1234 NSEC RRSIG MX A", "host.example. A MX RRSIG NSEC TYPE1234"},
    {"NSEC3", "1 1 12 AABBCCDD 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG",
     "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"},
    {"NSEC3", "1 0 0 - 2VPTU5TIMAMQTTGL4LUU9KG21E0AOR3S",
     "1 0 0 - 2vptu5timamqttgl4luu9kg21e0aor3s"},
    {"NSEC3PARAM", "1 0 0 -", NULL},
    {"HINFO", "Generic\\ PC \"NetBSD 1.4\"", "\"Generic PC\" \"NetBSD 1.4\""},
    {"NAPTR", "100 50 \"s\" \"z3950+I2L\" \"\" _z3950._tcp.gatech.edu.", NULL},
    {"RP", ". txt", ". txt.example.org."},
    {"CSYNC", "66 3 A NS AAAA", NULL},
    {"URI", "10 1 \"ftp://ftp.example/\"", NULL},
    {"EUI48", "00-00-5E-00-53-2a", "00-00-5e-00-53-2a"},
    {"EUI64", "00-00-5e-ef-10-00-00-2a", NULL},
    {"NID", "10 0014:4fff:ff20:ee64", NULL},
    {"L32", "10 10.1.2.0", NULL},
    {"CDS", "0 0 0 00", NULL},
    {"CDNSKEY", "0 3 0 AA==", NULL},
    {"OPENPGPKEY", "mQ ==", "mQ=="},
    {"TYPE65280", "\\# 3 010203", NULL},
    {"TYPE65280", "\\# 0", NULL},
    {"type65280", "\\# 4 ( 0a 0B\n0c0 d )", "\\# 4 0a0b0c0d"},
    {"A", "\\# 4 0a000001", "10.0.0.1"},
    {"TYPE1", "10.0.0.1", NULL},
    {"MX", "\\# 5 000A 01 61 00", "10 a."},
};

static const struct {
	const char *type, *in;
	uint32_t column; /* of the fault */
} wrong[] = {
    {"A", "", 1},
    {"A", "1.2.3", 1},
    {"A", "1.2.3.256", 1},
    {"A", "1.2.3.4 5", 9},
    {"A", "\"1.2.3.4\"", 1},
    {"AAAA", "1.2.3.4", 1},
    {"AAAA", "1:2:3:4:5:6:7:8:9", 1},
    {"AAAA", "11111111111111111111111111111111111111111111111111", 1},
    {"NS", "a..b", 1},
    {"MX", "mail", 1},
    {"MX", "65536 mail", 1},
    {"MX", "-1 mail", 1},
    {"MX", "10", 3},
    {"MX", "10 a b", 6},
    {"SOA", "a b 1 2 3 4", 12},
    {"SOA", "a b 1 2 3x 4 5", 9},
    {"TXT", "", 1},
    {"TXT", "\"a", 1},
    {"TXT", "a\\", 1},
    {"TXT", "ok \\300", 4},
    {"CAA", "0 is-sue x", 11},
    {"CAA", "0 issue", 8},
    {"TLSA", "3 1 1", 6},
    {"TLSA", "3 1 1 abc", 10},
    {"TLSA", "3 1 1 xy", 7},
    {"DNSKEY", "1 3 8 A", 8},
    {"DNSKEY", "1 3 8 A=== ", 7},
    {"DNSKEY", "1 3 8 AA==AA==", 7},
    {"RRSIG", "A 5 3 1 20230229000000 0 0 . AA==", 9},
    {"RRSIG", "A 5 3 1 0 20231301000000 0 . AA==", 11},
    {"RRSIG", "A 5 3 1 0 20230101240000 0 . AA==", 11},
    {"RRSIG", "A 5 3 1 0 21060207062816 0 . AA==", 11},
    {"NSEC", "a. A NOTYPE", 6},
    {"NSEC3", "1 0 0 - w", 9},
    {"EUI48", "00-00-5e-00-53", 1},
    {"NID", "1 0014:4fff-ff20:ee64", 3},
    {"TYPE65280", "1.2.3.4", 1},
    {"TYPE65280", "\\# 3 0102", 10},
    {"TYPE65280", "\\# 65536 00", 4},
    {"TYPE65280", "\\# x 00", 4},
    {"A", "\\# 3 010203", 12},
    {"A", "( 1.2.3.4", 10},
    {"A", "1.2.3.4 )", 9},
};

static struct bytes
parsed(uint16_t type, struct bytes in, uint8_t *room)
{
	struct lex l = lex_of_words(in);
	struct wr w = wr_of(room, RDATA_MAX);

	assert_true(rdata_from_text(type, &l, BYTES("\7example\3org\0"), &w));
	assert_true(lex_is_end(&l));
	assert_true(rdata_check(type, wr_since(&w, room)));
	return wr_since(&w, room);
}

static struct bytes
printed(uint16_t type, struct bytes b)
{
	struct wr w = wr_of(text, sizeof(text));

	rdata_to_text(type, b, &w);
	assert_false(w.full);
	for (const uint8_t *p = text; p < w.p; p++)
		assert_true(*p >= ' ' && *p <= '~');
	return wr_since(&w, text);
}

static void
text_becomes_wire_and_text_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const char *want = good[i].out ? good[i].out : good[i].in;
		struct bytes a, out;
		uint16_t type;

		assert_true(dns_type_parse(&type, bytes_of(good[i].type)));
		a = parsed(type, bytes_of(good[i].in), wire);
		out = printed(type, a);
		if (!bytes_eq(out, bytes_of(want)))
			fail_msg("%s: %.*s, not %s", good[i].type, (int)out.n, out.p, want);
		assert_true(bytes_eq(parsed(type, out, again), a));
	}
}

static void
wrong_text_is_refused_at_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct lex l = lex_of_words(bytes_of(wrong[i].in));
		struct wr w = wr_of(wire, sizeof(wire));
		uint16_t type;

		assert_true(dns_type_parse(&type, bytes_of(wrong[i].type)));
		if (rdata_from_text(type, &l, DNAME_ROOT, &w))
			fail_msg("%s %s is taken", wrong[i].type, wrong[i].in);
		assert_non_null(l.wrong);
		if (l.column != wrong[i].column)
			fail_msg("%s %s: column %u: %s", wrong[i].type, wrong[i].in, l.column,
			         l.wrong);
	}
}

/* Each good data cut short, and with an octet more, is checked and shown within its bounds. */
static void
cut_data_is_opaque(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct bytes a;
		uint16_t type;

		dns_type_parse(&type, bytes_of(good[i].type));
		a = parsed(type, bytes_of(good[i].in), wire);
		for (size_t n = 0; n <= a.n + 1; n++) {
			uint8_t *cut = malloc(n ? n : 1); /* its own, for the sanitizer */
			struct bytes b = {cut, n};
			struct rdata_walk walk = {type, 0, b};
			struct rdata_part part;
			size_t sum = 0;

			assert_non_null(cut);
			memset(cut, 0, n);
			memcpy(cut, a.p, n < a.n ? n : a.n);
			if (rdata_check(type, b))
				assert_true(bytes_eq(parsed(type, printed(type, b), again), b));
			else
				assert_memory_equal(printed(type, b).p, "\\# ", 3);
			while (rdata_next(&walk, &part)) {
				assert_true(part.bytes.n);
				sum += part.bytes.n;
			}
			assert_int_equal(sum, n);
			free(cut);
		}
	}
}

static void
wire_that_is_not_canonical_is_refused(void **state)
{
	static const struct {
		uint16_t type;
		struct bytes wire;
	} cases[] = {
	    {DNS_TYPE_A, {(const uint8_t *)"abc", 3}},
	    {DNS_TYPE_NS, {(const uint8_t *)"\xc0\x0c", 2}},
	    {DNS_TYPE_MX, {(const uint8_t *)"\0", 1}}, /* attack 35 */
	    {DNS_TYPE_TLSA, {(const uint8_t *)"\3\1\1", 3}},
	    {DNS_TYPE_TXT, {(const uint8_t *)"", 0}},
	    {DNS_TYPE_TXT, {(const uint8_t *)"\2a", 2}},
	    {DNS_TYPE_CAA, {(const uint8_t *)"\0\0x", 3}},
	    {DNS_TYPE_CAA, {(const uint8_t *)"\0\1\n", 3}},
	    {DNS_TYPE_NSEC, {(const uint8_t *)"\0\0\0", 3}},         /* an empty window */
	    {DNS_TYPE_NSEC, {(const uint8_t *)"\0\0\1\0", 4}},       /* a last octet of 0 */
	    {DNS_TYPE_NSEC, {(const uint8_t *)"\0\1\1\1\0\1\1", 7}}, /* windows that descend */
	    {DNS_TYPE_NSEC3, {(const uint8_t *)"\1\0\0\0\0\0", 6}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_false(rdata_check(cases[i].type, cases[i].wire));
}

static void
names_inside_are_found(void **state)
{
	static const struct {
		uint16_t type;
		const char *in, *parts; /* c: name to compress, n: name, x: octets */
	} cases[] = {
	    {DNS_TYPE_A, "1.2.3.4", "x"},
	    {DNS_TYPE_MX, "1 a", "xc"},
	    {DNS_TYPE_SOA, "a b 1 2 3 4 5", "ccx"},
	    {DNS_TYPE_SRV, "1 2 3 a", "xn"},
	    {DNS_TYPE_NSEC, "a A", "nx"},
	    {DNS_TYPE_DNAME, "a", "n"},
	    {DNS_TYPE_RRSIG, "A 1 2 3 4 5 6 a AAAA", "xnx"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes a = parsed(cases[i].type, bytes_of(cases[i].in), wire);
		struct rdata_walk walk = {cases[i].type, 0, a};
		struct rdata_part part;
		const char *p = cases[i].parts;

		for (; rdata_next(&walk, &part); p++) {
			assert_int_equal(*p, part.may_compress ? 'c' : part.is_name ? 'n' : 'x');
			if (part.is_name)
				assert_true(dname_ok(part.bytes));
		}
		assert_int_equal(*p, 0);
		assert_int_equal(rdata_has_names(cases[i].type),
		                 strpbrk(cases[i].parts, "cn") != NULL);
	}
}

static void
only_old_types_expand(void **state)
{
	static const uint8_t msg[] = {0, 0,   0, 0, 0, 0, 0, 0, 0, 0,   0,    0,
	                              1, 'b', 0, 0, 0, 0, 0, 7, 1, 'a', 0xc0, 12};
	static const struct {
		uint16_t type;
		size_t at, n;
		const char *out; /* NULL: bad */
	} cases[] = {
	    {DNS_TYPE_NS, 20, 4, "a.b."},         {DNS_TYPE_MX, 18, 6, "7 a.b."},
	    {DNS_TYPE_MX, 18, 5, NULL},           {DNS_TYPE_NS, 12, 4, NULL},
	    {DNS_TYPE_SRV, 14, 10, "0 0 7 a.b."}, {DNS_TYPE_DNAME, 20, 4, NULL},
	    {DNS_TYPE_NSEC, 20, 4, NULL},         {65280, 20, 4, "\\# 4 0161c00c"},
	    {DNS_TYPE_NS, 20, 5, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd r = {msg + cases[i].at, msg + sizeof(msg), false};
		struct wr w = wr_of(wire, sizeof(wire));

		rdata_expand(cases[i].type, &r, cases[i].n, (struct bytes){msg, sizeof(msg)}, &w);
		assert_int_equal(r.bad, !cases[i].out);
		if (cases[i].out)
			assert_true(bytes_eq(printed(cases[i].type, wr_since(&w, wire)),
			                     bytes_of(cases[i].out)));
	}
}

static void
every_type_and_class_has_a_name(void **state)
{
	(void)state;
	for (unsigned v = 0; v <= UINT16_MAX; v++) {
		struct wr w = wr_of(text, sizeof(text));
		uint16_t back = (uint16_t)~v;

		dns_type_text(&w, (uint16_t)v);
		assert_true(dns_type_parse(&back, wr_since(&w, text)));
		assert_int_equal(back, v);
		w = wr_of(text, sizeof(text));
		dns_class_text(&w, (uint16_t)v);
		assert_true(dns_class_parse(&back, wr_since(&w, text)));
		assert_int_equal(back, v);
	}
	assert_false(dns_type_parse(&(uint16_t){0}, BYTES("TYPE65536")));
	assert_false(dns_type_parse(&(uint16_t){0}, BYTES("TYPE")));
	assert_false(dns_type_parse(&(uint16_t){0}, BYTES("TYPE1x")));
	assert_false(dns_type_parse(&(uint16_t){0}, BYTES("")));
}

static void
the_longest_data_fits(void **state)
{
	static const uint8_t fill[] = {0, 1, 0xff};

	(void)state;
	for (size_t i = 0; i < COUNT(fill); i++) {
		struct bytes a = {wire, sizeof(wire)}, out;

		memset(wire, fill[i], sizeof(wire));
		out = printed(DNS_TYPE_TXT, a);
		if (rdata_check(DNS_TYPE_TXT, a))
			assert_true(bytes_eq(parsed(DNS_TYPE_TXT, out, again), a));
		out = printed(65280, a);
		assert_true(bytes_eq(parsed(65280, out, again), a));
	}
	/* Each type there is in one bitmap. */
	wire[0] = 0;
	for (size_t i = 0; i < 256; i++) {
		wire[1 + 34 * i] = (uint8_t)i;
		wire[2 + 34 * i] = 32;
		memset(wire + 3 + 34 * i, 0xff, 32);
	}
	assert_true(
	    bytes_eq(parsed(DNS_TYPE_NSEC,
	                    printed(DNS_TYPE_NSEC, (struct bytes){wire, 1 + 34 * 256}), again),
	             (struct bytes){wire, 1 + 34 * 256}));
}

static void
data_too_long_is_refused(void **state)
{
	struct wr in = wr_of(text, sizeof(text));
	struct wr w = wr_of(wire, sizeof(wire));
	struct lex l;

	(void)state;
	for (size_t i = 0; i < 32768; i++)
		wr_text(&in, "a ");
	l = lex_of_words(wr_since(&in, text));
	assert_false(rdata_from_text(DNS_TYPE_TXT, &l, DNAME_ROOT, &w));
	assert_non_null(strstr(l.wrong, "65535"));
}

static void
ttls_have_units(void **state)
{
	static const struct {
		const char *in;
		int64_t out; /* -1: none */
	} cases[] = {{"0", 0},           {"5400", 5400},
	             {"1h30m", 5400},    {"1W2D3H4M5S", 788645},
	             {"", -1},           {"h", -1},
	             {"1h30", -1},       {"1x", -1},
	             {"-1", -1},         {"2147483647", INT32_MAX},
	             {"2147483648", -1}, {"3551w", -1},
	             {"1hm", -1},        {"99999999999999999999", -1}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t v;

		assert_int_equal(dns_ttl_parse(&v, bytes_of(cases[i].in)), cases[i].out >= 0);
		if (cases[i].out >= 0)
			assert_int_equal(v, cases[i].out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_becomes_wire_and_text_again),
	    cmocka_unit_test(wrong_text_is_refused_at_its_place),
	    cmocka_unit_test(cut_data_is_opaque),
	    cmocka_unit_test(wire_that_is_not_canonical_is_refused),
	    cmocka_unit_test(names_inside_are_found),
	    cmocka_unit_test(only_old_types_expand),
	    cmocka_unit_test(every_type_and_class_has_a_name),
	    cmocka_unit_test(the_longest_data_fits),
	    cmocka_unit_test(data_too_long_is_refused),
	    cmocka_unit_test(ttls_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

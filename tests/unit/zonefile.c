/* zonefile.c - master files: what they say comes out as records, what is wrong is told with its place. */
#include "dns/zonefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct sink {
	struct wr out;
	unsigned records;
};

static uint8_t room[1 << 20];

static const char *
take(void *owner, const struct zonefile_record *rr)
{
	struct sink *s = owner;
	bool refused = bytes_eq(dname_label(rr->owner), BYTES("refused"));

	assert_true(dname_ok(rr->owner));
	assert_true(rdata_check(rr->type, rr->rdata));
	assert_int_equal(rr->class, DNS_CLASS_IN);
	s->records++;
	zonefile_write(&s->out, rr->owner, rr->ttl, rr->class, rr->type, rr->rdata);
	return refused ? "this record is not wanted" : NULL;
}

static bool
include(void *owner, struct bytes name, struct bytes *text)
{
	static const struct {
		const char *name, *text;
	} files[] = {
	    {"plain", "b A 1.1.1.1\n"},
	    {"a b", "$ORIGIN x.\n$TTL 9\nb A 1.1.1.2\n"},
	    {"broken", "ok A 1.1.1.1\nb A 1.1.1\n"},
	    {"loop", "$INCLUDE pool\n"},
	    {"pool", "; back\n$INCLUDE loop\n"},
	    {"0", "$INCLUDE 1"},
	    {"1", "$INCLUDE 2"},
	    {"2", "$INCLUDE 3"},
	    {"3", "$INCLUDE 4"},
	    {"4", "$INCLUDE 5"},
	    {"5", "$INCLUDE 6"},
	    {"6", "$INCLUDE 7"},
	    {"7", "$INCLUDE 8"},
	    {"empty", ""},
	};

	(void)owner;
	for (size_t i = 0; i < COUNT(files); i++)
		if (bytes_eq(name, bytes_of(files[i].name))) {
			*text = bytes_of(files[i].text);
			return true;
		}
	return false;
}

static struct err
parse(struct sink *s, struct bytes text, struct zonefile_error *wrong)
{
	struct zonefile_reader reader = {s, take, include};

	*s = (struct sink){wr_of(room, sizeof(room)), 0};
	return zonefile_parse(&reader, BYTES("zone"), text, BYTES("\1z\0"), wrong);
}

static const struct {
	const char *name, *in, *out;
} good[] = {
    {"nothing", "", ""},
    {"comments and blank lines", "; a\n\n  \n\t; b\n   (\n) ; c\n", ""},
    {"no line end at the end", "a 1 A 1.2.3.4", "a.z.\t1\tIN\tA\t1.2.3.4\n"},
    {"CRLF", "a 1 A 1.2.3.4\r\n\r\n", "a.z.\t1\tIN\tA\t1.2.3.4\n"},
    {"TTL and class in any order",
     "a 1 IN A 1.2.3.4\na IN 1h A 1.2.3.4\na A 1.2.3.4\na in A 1.2.3.4\na CLASS1 2 A 1.2.3.4",
     "a.z.\t1\tIN\tA\t1.2.3.4\na.z.\t3600\tIN\tA\t1.2.3.4\na.z.\t3600\tIN\tA\t1.2.3.4\n"
     "a.z.\t3600\tIN\tA\t1.2.3.4\na.z.\t2\tIN\tA\t1.2.3.4\n"},
    {"the last owner", "a 1 A 1.2.3.4\n A 1.2.3.5\n\t( NS ) b\n@ NS c",
     "a.z.\t1\tIN\tA\t1.2.3.4\na.z.\t1\tIN\tA\t1.2.3.5\na.z.\t1\tIN\tNS\tb.z.\n"
     "z.\t1\tIN\tNS\tc.z.\n"},
    {"the SOA's MINIMUM", "@ SOA a b (\n 1 ; serial\n 2 3\n\t4 5 )\n NS c",
     "z.\t5\tIN\tSOA\ta.z. b.z. 1 2 3 4 5\nz.\t5\tIN\tNS\tc.z.\n"},
    {"$TTL before the last one stated", "$TTL 1d\na 1 A 1.2.3.4\na A 1.2.3.5\n",
     "a.z.\t1\tIN\tA\t1.2.3.4\na.z.\t86400\tIN\tA\t1.2.3.5\n"},
    {"$ORIGIN", "$ORIGIN b\na 1 A 1.2.3.4\n$origin c.\n@ A 1.2.3.4\na A 1.2.3.4",
     "a.b.z.\t1\tIN\tA\t1.2.3.4\nc.\t1\tIN\tA\t1.2.3.4\na.c.\t1\tIN\tA\t1.2.3.4\n"},
    {"escapes", "a\\.b\\032c 1 TXT a\\;b \"c;d\" ; e\n\\$TTL 1 TXT \\(",
     "a\\.b\\032c.z.\t1\tIN\tTXT\t\"a;b\" \"c;d\"\n\\$TTL.z.\t1\tIN\tTXT\t\"(\"\n"},
    {"an unknown type", "a 1 TYPE65280 \\# 2 (ab\ncd)\na 1 TYPE1 1.2.3.4",
     "a.z.\t1\tIN\tTYPE65280\t\\# 2 abcd\na.z.\t1\tIN\tA\t1.2.3.4\n"},
    {"owners like types and classes", "IN 1 IN A 1.2.3.4\nA A 1.2.3.4\n5 A 1.2.3.4",
     "IN.z.\t1\tIN\tA\t1.2.3.4\nA.z.\t1\tIN\tA\t1.2.3.4\n5.z.\t1\tIN\tA\t1.2.3.4\n"},
    {"$INCLUDE changes nothing here",
     "$TTL 7\na A 1.2.3.4\n$INCLUDE \"a b\" ; why\n A 1.2.3.5\n$INCLUDE plain sub\n$INCLUDE "
     "empty\nc A 1.2.3.6",
     "a.z.\t7\tIN\tA\t1.2.3.4\nb.x.\t9\tIN\tA\t1.1.1.2\na.z.\t7\tIN\tA\t1.2.3.5\n"
     "b.sub.z.\t7\tIN\tA\t1.1.1.1\nc.z.\t7\tIN\tA\t1.2.3.6\n"},
    {"$GENERATE", "$TTL 1\n$GENERATE 1-5/2 h$ A 192.0.2.$\n",
     "h1.z.\t1\tIN\tA\t192.0.2.1\nh3.z.\t1\tIN\tA\t192.0.2.3\nh5.z.\t1\tIN\tA\t192.0.2.5\n"},
    {"$GENERATE with offset, width and base",
     "$GENERATE 9-10 a${-9,3}b$$.${16,0,x}.${240,4,X}.${0,2,o} 3 IN TXT \"$ \\$ ; x\" ${0,5,n}",
     "a000b\\$.19.00F9.11.z.\t3\tIN\tTXT\t\"9 $ ; x\" \"9.0.0\"\n"
     "a001b\\$.1a.00FA.12.z.\t3\tIN\tTXT\t\"10 $ ; x\" \"a.0.0\"\n"},
};

static const struct {
	const char *name, *in, *file;
	uint32_t line, column;
	const char *text;
} wrong[] = {
    {"no TTL", "a A 1.2.3.4\n", "zone", 1, 12, "without a TTL"},
    {"no owner", "\n A 1.2.3.4\n", "zone", 2, 1, "no owner"},
    {"a quoted owner", "\"a\" 1 A 1.2.3.4", "zone", 1, 1, "an owner is wanted"},
    {"a wrong owner", "a..b 1 A 1.2.3.4", "zone", 1, 1, "empty label"},
    {"a wrong type", "a 1 IN WHAT 1", "zone", 1, 8, "not a record type"},
    {"a type for questions", "a 1 IN AXFR \\# 0", "zone", 1, 8, "not a record type"},
    {"type 0", "a 1 IN TYPE0 \\# 0", "zone", 1, 8, "not a record type"},
    {"a wrong TTL", "a 1x A 1.2.3.4", "zone", 1, 3, "wrong TTL"},
    {"two TTLs", "a 1 1 A 1.2.3.4", "zone", 1, 5, "wrong TTL"},
    {"two classes", "a 1 IN IN A 1.2.3.4", "zone", 1, 8, "not a record type"},
    {"another class", "a 1 CH A 1.2.3.4", "zone", 1, 5, "class other than IN"},
    {"data", "a 1 A (\n1.2.3.4\n\t5 )", "zone", 3, 2, "more than the data"},
    {"too little data", "a 1 MX 10 ; x\nb 1 A 1.2.3.4", "zone", 1, 14, "ends too early"},
    {"an open parenthesis", "a 1 A ( 1.2.3.4\n\n", "zone", 3, 1, "never closed"},
    {"a lone parenthesis", "a 1 A 1.2.3.4 )\n", "zone", 1, 15, "never opened"},
    {"an open quote", "a 1 TXT \"x\nb 1 A 1.2.3.4\"", "zone", 1, 9, "does not end on its line"},
    {"an unknown directive", "$WHAT", "zone", 1, 1, "unknown directive"},
    {"$TTL alone", "$TTL\n", "zone", 1, 5, "without its argument"},
    {"$TTL and more", "$TTL 1 2\n", "zone", 1, 8, "more than the directive takes"},
    {"$ORIGIN", "$ORIGIN a..b", "zone", 1, 9, "empty label"},
    {"an included file", "$TTL 1\n$INCLUDE broken\n", "broken", 2, 5, "IPv4"},
    {"no such file", "\n$INCLUDE  /etc/shadow\n", "zone", 2, 11, "cannot be included"},
    {"the file itself", "$INCLUDE zone", "zone", 1, 10, "includes itself"},
    {"a loop", "$INCLUDE loop", "pool", 2, 10, "includes itself"},
    {"too deep", "$INCLUDE 0", "6", 1, 1, "deeper than 8"},
    {"no file", "$INCLUDE \"\"", "zone", 1, 10, "not the name of a file"},
    {"an octet 0", "$INCLUDE a\\000b", "zone", 1, 10, "not the name of a file"},
    {"$GENERATE too much", "\n\n$GENERATE 0-4294967295 a$ 1 A 1.2.3.4", "zone", 3, 11, "65536"},
    {"$GENERATE one too many", "$GENERATE 0-65536 a$ 1 A 1.2.3.4", "zone", 1, 11, "65536"},
    {"$GENERATE backward", "$GENERATE 2-1 a$ 1 A 1.2.3.4", "zone", 1, 11, "a range"},
    {"$GENERATE step 0", "$GENERATE 1-2/0 a$ 1 A 1.2.3.4", "zone", 1, 11, "a range"},
    {"$GENERATE no brace", "$GENERATE 1-2 a${1 1 A 1.2.3.4", "zone", 1, 1, "not of this form"},
    {"$GENERATE width", "$GENERATE 1-2 a${0,64} 1 A 1.2.3.4", "zone", 1, 1, "not of this form"},
    {"$GENERATE base", "$GENERATE 1-2 a${0,0,q} 1 A 1.2.3.4", "zone", 1, 1, "not of this form"},
    {"$GENERATE below 0", "$GENERATE 1-2 a${-2} 1 A 1.2.3.4", "zone", 1, 1, "negative"},
    {"$GENERATE data", "\n$GENERATE 254-256 a$ 1 A 1.2.3.$", "zone", 2, 1, "IPv4"},
    {"the caller's word", "a 1 A 1.2.3.4\nrefused 1 A 1.2.3.4", "zone", 2, 1, "not wanted"},
};

static void
files_become_records(void **state)
{
	struct zonefile_error e;
	struct sink s;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (!is_ok(parse(&s, bytes_of(good[i].in), &e)))
			fail_msg("%s: %s:%u:%u: %s", good[i].name, e.file, e.line, e.column,
			         e.text);
		if (!bytes_eq(wr_since(&s.out, room), bytes_of(good[i].out)))
			fail_msg("%s: %.*s", good[i].name, (int)(s.out.p - room), room);
	}
}

static void
records_become_the_same_records(void **state)
{
	struct zonefile_error e;
	struct sink s;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(is_ok(parse(&s, bytes_of(good[i].out), &e)));
		assert_true(bytes_eq(wr_since(&s.out, room), bytes_of(good[i].out)));
	}
}

static void
errors_name_file_line_and_column(void **state)
{
	struct zonefile_error e;
	struct sink s;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(parse(&s, bytes_of(wrong[i].in), &e).code, ERR_SYNTAX);
		if (strcmp(e.file, wrong[i].file) != 0 || e.line != wrong[i].line ||
		    e.column != wrong[i].column || !strstr(e.text, wrong[i].text))
			fail_msg("%s: %s:%u:%u: %s", wrong[i].name, e.file, e.line, e.column,
			         e.text);
	}
}

/* Cut anywhere, a file is read or refused within its bounds. */
static void
files_cut_anywhere(void **state)
{
	struct zonefile_error e;
	struct sink s;

	(void)state;
	for (size_t i = 0; i < COUNT(good) + COUNT(wrong); i++) {
		struct bytes in =
		    bytes_of(i < COUNT(good) ? good[i].in : wrong[i - COUNT(good)].in);

		for (size_t n = 0; n < in.n; n++) {
			uint8_t *cut = malloc(n ? n : 1); /* its own, for the sanitizer */
			struct err err;

			assert_non_null(cut);
			memcpy(cut, in.p, n);
			err = parse(&s, (struct bytes){cut, n}, &e);
			assert_true(is_ok(err) || (err.code == ERR_SYNTAX && e.text && e.line));
			free(cut);
		}
	}
}

static void
generate_makes_up_to_its_bound(void **state)
{
	struct zonefile_reader reader = {NULL, NULL, NULL};
	struct zonefile_error e;
	struct sink s = {{NULL, NULL, true}, 0};

	(void)state;
	reader.owner = &s;
	reader.record = take;
	assert_true(is_ok(zonefile_parse(
	    &reader, BYTES("zone"), BYTES("$GENERATE 1-65536 a$ 1 TXT $"), BYTES("\1z\0"), &e)));
	assert_int_equal(s.records, 65536);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(files_become_records),
	    cmocka_unit_test(records_become_the_same_records),
	    cmocka_unit_test(errors_name_file_line_and_column),
	    cmocka_unit_test(files_cut_anywhere),
	    cmocka_unit_test(generate_makes_up_to_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* conf.c - files become structs; what is wrong in them is told with its place. */
#include "base/conf.h"

#include <stddef.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct zone {
	struct bytes file;
	bool sign;
};

struct settings {
	struct bytes name;
	uint64_t number, size, time;
	bool flag;
	uint32_t level;
	struct conf_texts texts;
	struct conf_addrs listen, other;
	struct {
		uint64_t cost;
		struct conf_nets nets;
		struct {
			uint64_t deep;
		} in;
	} auth;
	struct conf_named zones;
};

#define AT(m)    .offset = offsetof(struct settings, m)
#define IN(b, m) .offset = offsetof(struct settings, b.m) - offsetof(struct settings, b)

static const struct conf_key zone_keys[] = {
    {.name = "file", .type = CONF_TEXT, .offset = offsetof(struct zone, file), .required = true},
    {.name = "sign", .type = CONF_FLAG, .offset = offsetof(struct zone, sign), .fallback = "on"},
    {.name = NULL},
};
static const struct conf_key in_keys[] = {
    {.name = "deep", .type = CONF_NUMBER, IN(auth.in, deep), .fallback = "3"},
    {.name = NULL},
};
static const struct conf_key auth_keys[] = {
    {.name = "hash_cost",
     .type = CONF_NUMBER,
     IN(auth, cost),
     .fallback = "5",
     .min = 1,
     .max = 11},
    {.name = "plaintext_login", .type = CONF_NETS, IN(auth, nets), .fallback = "[127.0.0.0/8 ::1]"},
    {.name = "in", .type = CONF_BLOCK, IN(auth, in), .keys = in_keys},
    {.name = NULL},
};
static const struct conf_key keys[] = {
    {.name = "name", .type = CONF_TEXT, AT(name), .max = 12, .help = "What it is called."},
    {.name = "number",
     .type = CONF_NUMBER,
     AT(number),
     .fallback = "7",
     .max = 64,
     .unit = "connections",
     .help = "How many."},
    {.name = "size", .type = CONF_SIZE, AT(size), .fallback = "50m", .min = 1024, .max = 1u << 30},
    {.name = "time", .type = CONF_DURATION, AT(time), .fallback = "5m", .max = 86400000},
    {.name = "flag", .type = CONF_FLAG, AT(flag)},
    {.name = "level",
     .type = CONF_CHOICE,
     AT(level),
     .fallback = "info",
     .choices = "error warn info"},
    {.name = "texts", .type = CONF_TEXTS, AT(texts), .max = 3},
    {.name = "listen", .type = CONF_ADDRS, AT(listen), .port = 25},
    {.name = "other", .type = CONF_ADDRS, AT(other)},
    {.name = "auth", .type = CONF_BLOCK, AT(auth), .keys = auth_keys},
    {.name = "zones",
     .type = CONF_NAMED,
     AT(zones),
     .keys = zone_keys,
     .size = sizeof(struct zone)},
    {.name = NULL},
};

static struct conf_faults faults;
static struct arena arena;

static struct err
read_text(const char *text, struct settings *s)
{
	memset(&faults, 0, sizeof(faults));
	return conf_read(bytes_of(text), "f", keys, s, sizeof(*s), &arena, &faults);
}

static void
an_empty_file_gives_the_defaults(void **state)
{
	static const char *const texts[] = {"", "\n", "# only a comment", " \t\r\n# a {\n;"};
	struct settings s;

	(void)state;
	for (size_t i = 0; i + 1 < COUNT(texts); i++) {
		assert_true(is_ok(read_text(texts[i], &s)));
		assert_int_equal(s.name.n, 0);
		assert_int_equal(s.number, 7);
		assert_int_equal(s.size, 50 << 20);
		assert_int_equal(s.time, 300000);
		assert_false(s.flag);
		assert_int_equal(s.level, 2);
		assert_null(s.listen.list);
		assert_int_equal(s.auth.cost, 5);
		assert_int_equal(s.auth.in.deep, 3);
		assert_int_equal(s.auth.nets.n, 2);
		assert_int_equal(s.auth.nets.list[0].bits, 104);
		assert_int_equal(s.zones.n, 0);
	}
	assert_int_equal(read_text(texts[3], &s).code, ERR_SYNTAX);
	arena_free(&arena);
}

static void
a_file_fills_the_struct(void **state)
{
	static const char text[] =
	    "name \"a \\\"b\\\"\\\\ \\t\"; # a comment { ; \"\n"
	    "number 64;size 64K;time\n90s;flag on;level error;\n"
	    "texts [ a, b\n\"c d\" ];\n"
	    "listen [[::]:25, 192.0.2.1 [2001:db8::1]:26];\n"
	    "other [::1]:53;\r\n"
	    "auth { plaintext_login []; in { deep 0; } }\n"
	    "zones {\n\texample.org { file /a#b; }\n\t\"example.com\" { file b; sign off; }\n}\n";
	const struct zone *z;
	struct settings s;

	(void)state;
	assert_true(is_ok(read_text(text, &s)));
	assert_true(bytes_eq(s.name, BYTES("a \"b\"\\ \t")));
	assert_int_equal(s.number, 64);
	assert_int_equal(s.size, 65536);
	assert_int_equal(s.time, 90000);
	assert_true(s.flag);
	assert_int_equal(s.level, 0);
	assert_int_equal(s.texts.n, 3);
	assert_true(bytes_eq(s.texts.list[2], BYTES("c d")));
	assert_int_equal(s.listen.n, 3);
	assert_int_equal(s.listen.list[1].port, 25);
	assert_int_equal(s.listen.list[2].port, 26);
	assert_int_equal(s.other.n, 1);
	assert_int_equal(s.other.list[0].port, 53);
	assert_int_equal(s.auth.cost, 5);
	assert_int_equal(s.auth.nets.n, 0);
	assert_non_null(s.auth.nets.list);
	assert_int_equal(s.auth.in.deep, 0);
	assert_int_equal(s.zones.n, 2);
	z = s.zones.list;
	assert_true(bytes_eq(s.zones.names[1], BYTES("example.com")));
	assert_true(bytes_eq(z[0].file, BYTES("/a#b")) && z[0].sign);
	assert_true(bytes_eq(z[1].file, BYTES("b")) && !z[1].sign);
	arena_free(&arena);
}

static void
what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"number", "f:1:7: the end of the file where a value or \";\" should be"},
	    {"number 1", "f:1:9: the end of the file where a value or \";\" should be"},
	    {"number 1}", "f:1:9: \"}\" where a value or \";\" should be"},
	    {";", "f:1:1: \";\" where a name should be"},
	    {"}", "f:1:1: \"}\" where a name should be"},
	    {"{}", "f:1:1: \"{\" where a name should be"},
	    {"[a];", "f:1:1: \"[\" where a name should be"},
	    {"texts a, b;", "f:1:8: \",\" where a value or \";\" should be"},
	    {"texts [a b;", "f:1:11: \";\" where a value or \"]\" should be"},
	    {"texts [,a];", "f:1:8: \",\" where a value or \"]\" should be"},
	    {"texts [a [b]];", "f:1:10: \"[\" where a value or \"]\" should be"},
	    {"texts [a] b;", "f:1:11: a word where \";\" should be"},
	    {"texts [a] [b];", "f:1:11: \"[\" where \";\" (a list stands alone) should be"},
	    {"texts [a] {}", "f:1:11: \"{\" where \";\" should be"},
	    {"auth {\n in { deep 1; }\n",
	     "f:1:1: the block that begins here is not closed by \"}\""},
	    {"\n name \"abc;\n", "f:2:7: the string that begins here does not end on its line"},
	    {"name \"a", "f:1:6: the string that begins here does not end on its line"},
	    {"name \"a\\", "f:1:8: a string knows \\\" \\\\ \\n and \\t only"},
	    {"name \"a\\x\";", "f:1:8: a string knows \\\" \\\\ \\n and \\t only"},
	    {"name a\x01;", "f:1:7: a control character"},
	    {"\n\nname \xff;", "f:3:6: not UTF-8"},
	    {"number x;", "f:1:8: number: \"x\" is not a number"},
	    {"number -1;", "f:1:8: number: \"-1\" is not a number"},
	    {"number 65;", "f:1:8: number: 65 is outside 0 to 64 connections"},
	    {"size 1k;\nsize 2k;", "f:2:1: size is set twice, first in line 1"},
	    {"size 1023;", "f:1:6: size: 1023 is outside 1k to 1g"},
	    {"size 2g;", "f:1:6: size: 2g is outside 1k to 1g"},
	    {"size 99999999999t;", "f:1:6: size: \"99999999999t\" is not a size such as 64k"},
	    {"size 10x;", "f:1:6: size: \"10x\" is not a size such as 64k"},
	    {"time 10;", "f:1:6: time: \"10\" is not a duration such as 30s"},
	    {"time 2d;", "f:1:6: time: 2d is outside 0 to 1d"},
	    {"flag yes;", "f:1:6: flag: \"yes\" is not on or off"},
	    {"level loud;", "f:1:7: level: \"loud\" is none of: error warn info"},
	    {"name 0123456789abc;", "f:1:6: name: 13 is outside 0 to 12 bytes"},
	    {"name a b;", "f:1:8: name takes one value"},
	    {"name a\nflag on;", "f:2:1: name takes one value; is a \";\" missing before this?"},
	    {"name [a];", "f:1:1: name takes one value, not a list"},
	    {"name;", "f:1:1: name needs a value"},
	    {"name {}", "f:1:1: name takes a value, not a block { ... }"},
	    {"auth on;", "f:1:1: auth needs a block { ... } and nothing else"},
	    {"auth on {}", "f:1:1: auth needs a block { ... } and nothing else"},
	    {"texts a b c d;", "f:1:1: texts: 4 is outside 0 to 3 entries"},
	    {"other [192.0.2.1:25 ::1];",
	     "f:1:21: other: \"::1\" is not an address with a port, such as "
	     "192.0.2.1:25 or [2001:db8::1]:25"},
	    {"auth { plaintext_login 10.0.0.1/8; }",
	     "f:1:24: plaintext_login: \"10.0.0.1/8\" is not a network such as 192.0.2.0/24"},
	    {"lissten [];", "f:1:1: unknown key \"lissten\" (did you mean \"listen\"?)"},
	    {"Listen [];", "f:1:1: unknown key \"Listen\" (did you mean \"listen\"?)"},
	    {"quite_else 1;", "f:1:1: unknown key \"quite_else\""},
	    {"\"a\\nb\" 1;", "f:1:1: unknown key \"a\\x0ab\""},
	    {"auth {\n  hash_cots 3;\n}",
	     "f:2:3: unknown key \"hash_cots\" (did you mean \"hash_cost\"?)"},
	    {"zones { a {} }", "f:1:9: file is missing in this block"},
	    {"zones { a x; }", "f:1:9: zones: NAME { ... } should be here"},
	    {"zones {\na { file x; }\nA { file y; } }", "f:3:1: \"A\" is there already, in line 2"},
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_text(cases[i].in, &s).code, ERR_SYNTAX);
		assert_string_equal(faults.list[0].text, cases[i].out);
		assert_int_equal(faults.n, 1);
		arena_free(&arena);
	}
}

static void
all_complaints_are_told_up_to_a_cap(void **state)
{
	char text[CONF_FAULTS_MAX * 4 + 64];
	struct wr w = wr_of(text, sizeof(text) - 1);
	struct settings s;

	(void)state;
	assert_int_equal(read_text("nmae x;\nnumber 99;\n auth { hash_cost 0; }", &s).code,
	                 ERR_SYNTAX);
	assert_int_equal(faults.n, 3);
	assert_int_equal(faults.list[2].line, 3);
	assert_int_equal(faults.list[2].col, 19);
	for (int i = 0; i < CONF_FAULTS_MAX + 3; i++)
		wr_text(&w, "x 1;");
	*w.p = 0;
	assert_int_equal(read_text(text, &s).code, ERR_SYNTAX);
	assert_int_equal(faults.n, CONF_FAULTS_MAX + 3);
	arena_free(&arena);
}

static void
depth_and_size_are_bounded(void **state)
{
	static char big[CONF_INPUT_MAX + 2];
	struct conf_node *root;

	(void)state;
	for (int depth = 1; depth < 200; depth++) {
		struct wr w = wr_of(big, sizeof(big));
		struct err e;

		memset(&faults, 0, sizeof(faults));
		for (int i = 0; i < depth; i++)
			wr_text(&w, "a{");
		for (int i = 0; i < depth; i++)
			wr_text(&w, "}");
		e = conf_parse(wr_since(&w, (uint8_t *)big), "f", &arena, &root, &faults);
		assert_int_equal(is_ok(e), depth <= CONF_DEPTH_MAX);
		if (depth > CONF_DEPTH_MAX)
			assert_string_equal(faults.list[0].text,
			                    "f:1:34: more than 16 blocks within each other");
	}
	memset(big, ' ', sizeof(big));
	assert_true(is_ok(conf_parse((struct bytes){(uint8_t *)big, CONF_INPUT_MAX}, "f", &arena,
	                             &root, &faults)));
	assert_int_equal(conf_parse((struct bytes){(uint8_t *)big, CONF_INPUT_MAX + 1}, "f", &arena,
	                            &root, &faults)
	                     .code,
	                 ERR_SYNTAX);
	arena_free(&arena);
}

static void
memory_that_ends_is_a_fault(void **state)
{
	struct settings s;
	bool done = false;

	(void)state;
	for (size_t cap = 16; !done && cap < 100000; cap += 16) {
		struct arena a = arena_init(cap);
		struct err e;

		memset(&faults, 0, sizeof(faults));
		e = conf_read(BYTES("name \"a\"; texts [a b c]; zones { a { file b; } }"), "f",
		              keys, &s, sizeof(s), &a, &faults);
		assert_int_equal(faults.n, 0);
		assert_true(is_ok(e) || e.code == ERR_MEMORY);
		done = is_ok(e);
		arena_free(&a);
	}
	assert_true(done);
}

static void
the_manual_s_list_is_made_of_the_schema(void **state)
{
	static char text[8192];
	struct wr w = wr_of(text, sizeof(text) - 1);

	(void)state;
	conf_describe(&w, keys);
	assert_false(w.full);
	assert_non_null(strstr(text, "number\n\tHow many.\n\tType: a number.  Range: 0 to 64 "
	                             "connections.  Default: 7.\n"));
	assert_non_null(strstr(
	    text, "size\n\t\n\tType: a size such as 64k.  Range: 1k to 1g.  Default: 50m.\n"));
	assert_non_null(strstr(text, "\nauth.in.deep\n"));
	assert_non_null(strstr(text, "\nzones.NAME.file\n\t\n\tType: a text.  Required.\n"));
	assert_non_null(strstr(text, "One of: error warn info.  Default: info."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_file_gives_the_defaults),
	    cmocka_unit_test(a_file_fills_the_struct),
	    cmocka_unit_test(what_is_wrong_is_told_with_its_place),
	    cmocka_unit_test(all_complaints_are_told_up_to_a_cap),
	    cmocka_unit_test(depth_and_size_are_bounded),
	    cmocka_unit_test(memory_that_ends_is_a_fault),
	    cmocka_unit_test(the_manual_s_list_is_made_of_the_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

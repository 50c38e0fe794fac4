/*
 * Attack 13: master files that include what they must not, that include themselves or fan out, or
 * that generate without end: each is an error with its line and column.  (That nothing outside the
 * zone's folder is opened is the opener's part: the parser itself opens nothing.)
 */
#include "dns/zonefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct folder {
	struct bytes files; /* what each file holds that is not absolute */
	unsigned asked, records;
	char last[ZONEFILE_NAME_MAX + 1];
};

static const char *
count(void *owner, const struct zonefile_record *rr)
{
	struct folder *f = owner;

	(void)rr;
	f->records++;
	return NULL;
}

/* As the opener beneath a folder does: no absolute path, no way up. */
static bool
include(void *owner, struct bytes name, struct bytes *text)
{
	struct folder *f = owner;

	f->asked++;
	snprintf(f->last, sizeof(f->last), "%.*s", (int)name.n, (const char *)name.p);
	if (name.p[0] == '/' || strstr(f->last, ".."))
		return false;
	*text = f->files;
	return true;
}

static struct zonefile_error
refused(struct folder *f, const char *text)
{
	struct zonefile_reader reader = {f, count, include};
	struct zonefile_error e;

	f->asked = f->records = 0;
	assert_int_equal(
	    zonefile_parse(&reader, BYTES("zone"), bytes_of(text), BYTES("\1z\0"), &e).code,
	    ERR_SYNTAX);
	return e;
}

static void
attack_013_includes_outside_the_folder(void **state)
{
	static const struct {
		const char *in, *asked;
	} cases[] = {{"\n  \n$INCLUDE /etc/shadow", "/etc/shadow"},
	             {";\n\n$INCLUDE \"../../etc/shadow\"", "../../etc/shadow"},
	             {"\n\n$INCLUDE \\047etc\\047shadow", "/etc/shadow"},
	             {"\n\n$INCLUDE a/../../b", "a/../../b"}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct folder f = {BYTES(""), 0, 0, ""};
		struct zonefile_error e = refused(&f, cases[i].in);

		/* The opener sees the very name that would be opened, escapes resolved. */
		assert_string_equal(f.last, cases[i].asked);
		assert_int_equal(f.asked, 1);
		assert_int_equal(e.line, 3);
		assert_int_equal(e.column, 10);
	}
}

static void
attack_013_include_loops(void **state)
{
	struct folder f = {BYTES("$INCLUDE a\n"), 0, 0, ""};
	struct zonefile_error e = refused(&f, "$INCLUDE a\n");

	(void)state;
	assert_string_equal(e.file, "a");
	assert_int_equal(e.line, 1);
	assert_int_equal(f.asked, 1);
	/* By another spelling each time: the depth ends it. */
	f.files = BYTES("$INCLUDE a\n");
	e = refused(&f, "$INCLUDE ./zone\n$INCLUDE b\n");
	assert_non_null(e.text);
	/* A file that opens two others, which open two others: what is opened is counted. */
	f.files = BYTES("");
	e = refused(&f, "$INCLUDE zone\n");
	assert_non_null(strstr(e.text, "itself"));
}

static bool
fan(void *owner, struct bytes name, struct bytes *text)
{
	static const char *const levels[] = {"1", "2", "3", "4", "5", "6", "7"};
	static char body[7][2048];
	struct folder *f = owner;

	f->asked++;
	for (size_t i = 0; i < COUNT(levels); i++)
		if (bytes_eq(name, bytes_of(levels[i]))) {
			body[i][0] = 0;
			for (size_t k = 0; k < 100 && i + 1 < COUNT(levels); k++)
				snprintf(body[i] + strlen(body[i]),
				         sizeof(body[i]) - strlen(body[i]), "$INCLUDE %s\n",
				         levels[i + 1]);
			*text = bytes_of(body[i]);
			return true;
		}
	return false;
}

static void
attack_013_includes_that_fan_out(void **state)
{
	struct folder f = {NO_BYTES, 0, 0, ""};
	struct zonefile_reader reader = {&f, count, fan};
	struct zonefile_error e;

	(void)state;
	assert_int_equal(
	    zonefile_parse(&reader, BYTES("zone"), BYTES("$INCLUDE 1"), BYTES("\1z\0"), &e).code,
	    ERR_SYNTAX);
	assert_int_equal(f.asked, ZONEFILE_INCLUDES_MAX);
	assert_non_null(strstr(e.text, "1024"));
	assert_true(e.line && e.column);
}

static void
attack_013_generate_without_end(void **state)
{
	static const char *const cases[] = {"$GENERATE 0-4294967295 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 0-65536 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 0-4294967295/65535 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 0-18446744073709551616 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 4294967295-0 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 1-2/0 a$ 1 A 1.2.3.4",
	                                    "$GENERATE 1-2 a${0,4294967295} 1 A 1.2.3.4",
	                                    "$GENERATE 1-2 a${-4294967295} 1 A 1.2.3.4"};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct folder f = {NO_BYTES, 0, 0, ""};
		struct zonefile_error e = refused(&f, cases[i]);

		assert_int_equal(f.records, 0);
		assert_int_equal(e.line, 1);
		assert_true(e.column == 1 || e.column == 11);
	}
}

/* Depth without end costs neither stack nor more than linear time. */
static void
attack_013_parentheses_and_quotes(void **state)
{
	enum { N = 1 << 20 };
	static const char *const begin[] = {"a 1 TXT ((((", "a 1 TXT \"", "a 1 TXT x=\"", "a\\"};
	static const char fill[] = {'(', 'x', '\\', '\\', 0};
	struct folder f = {NO_BYTES, 0, 0, ""};
	char *text = malloc(N + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < COUNT(begin); i++) {
		memset(text, fill[i], N);
		text[N] = 0;
		memcpy(text, begin[i], strlen(begin[i]));
		assert_int_equal(refused(&f, text).line, 1);
	}
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_013_includes_outside_the_folder),
	    cmocka_unit_test(attack_013_include_loops),
	    cmocka_unit_test(attack_013_includes_that_fan_out),
	    cmocka_unit_test(attack_013_generate_without_end),
	    cmocka_unit_test(attack_013_parentheses_and_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* verb.c - command lines, cut anywhere, and the table of commands. */
#include "proto/verb.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* What BYTES() gives, as an initialiser: an outside text with NULs in it. */
#define RAW(s)                                                                                     \
	{                                                                                          \
		(const uint8_t *)("" s), sizeof(s) - 1                                             \
	}

static const struct {
	struct bytes in;
	enum verb_line verdict;
	const char *line;
} cases[] = {
    {RAW(""), VERB_MORE, NULL},
    {RAW("NOOP"), VERB_MORE, NULL},
    {RAW("NOOP\r"), VERB_MORE, NULL},
    {RAW("NOOP\r\n"), VERB_LINE, "NOOP"},
    {RAW("\r\n"), VERB_LINE, ""},
    {RAW("NOOP\n"), VERB_BARE, NULL},
    {RAW("NOOP\rX"), VERB_BARE, NULL},
    {RAW("NOOP\r\r\n"), VERB_BARE, NULL},
    {RAW("NO\0P\r\n"), VERB_BARE, NULL},
    {RAW("123456789\r"), VERB_LONG, NULL},
    {RAW("123456789\r\n"), VERB_LONG, NULL},
    {RAW("12345678\r\n"), VERB_LINE, "12345678"},
    {RAW("123456789012"), VERB_LONG, NULL},
    {RAW("GET"), VERB_MORE, NULL},
    {RAW("GET /"), VERB_ALIEN, NULL},
    {RAW("get\r\n"), VERB_ALIEN, NULL},
    {RAW("POST\n"), VERB_ALIEN, NULL},
    {RAW("HEAD /"), VERB_ALIEN, NULL},
    {RAW("OPTIONS *"), VERB_ALIEN, NULL},
    {RAW("CONNECT x"), VERB_ALIEN, NULL},
    {RAW("PRI * HTTP"), VERB_ALIEN, NULL},
    {RAW("GETX\r\n"), VERB_LINE, "GETX"},
    {RAW("\x16\x03\x01"), VERB_ALIEN, NULL},
    {RAW("SSH-2.0-x"), VERB_ALIEN, NULL},
};

static void
verdicts_do_not_depend_on_cuts(void **state)
{
	struct bytes line;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum verb_line verdict = VERB_MORE;
		struct rd in = rd_of(cases[i].in);

		assert_int_equal(verb_line(&in, 10, &line), cases[i].verdict);
		assert_int_equal(rd_left(&in), cases[i].line ? 0 : cases[i].in.n);
		for (size_t n = 0; n <= cases[i].in.n && verdict == VERB_MORE; n++) {
			in = rd_of((struct bytes){cases[i].in.p, n});
			verdict = verb_line(&in, 10, &line);
		}
		assert_int_equal(verdict, cases[i].verdict);
		if (verdict == VERB_LINE)
			assert_true(bytes_eq(line, bytes_of(cases[i].line)));
	}
}

static void
verbs_are_found_in_any_case(void **state)
{
	static const struct verb table[] = {{"QUIT", 1, NULL}, {"NOOP", 2, NULL}};
	struct bytes word, args;

	(void)state;
	verb_cut(BYTES("nOOp  a b "), &word, &args);
	assert_true(bytes_eq(args, BYTES(" a b ")));
	assert_ptr_equal(verb_find(table, 2, word), &table[1]);
	verb_cut(BYTES("NOO"), &word, &args);
	assert_int_equal(args.n, 0);
	assert_null(verb_find(table, 2, word));
	verb_cut(BYTES(""), &word, &args);
	assert_null(verb_find(table, 2, word));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(verdicts_do_not_depend_on_cuts),
	    cmocka_unit_test(verbs_are_found_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

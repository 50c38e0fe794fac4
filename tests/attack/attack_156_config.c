/*
 * attack_156_config.c - a configuration with an unknown or a doubled key is refused, and each
 * complaint says file, line and column.
 */
#include "base/conf.h"

#include <stddef.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct settings {
	struct conf_addrs listen;
	uint64_t instances;
};

static const struct conf_key smtp_keys[] = {
    {.name = "listen", .type = CONF_ADDRS, .offset = offsetof(struct settings, listen)},
    {.name = "instances",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, instances),
     .fallback = "1",
     .min = 1,
     .max = 16},
    {.name = NULL},
};

static const struct conf_key keys[] = {
    {.name = "smtp", .type = CONF_BLOCK, .offset = 0, .keys = smtp_keys},
    {.name = NULL},
};

static struct err
read_text(const char *text, struct conf_faults *faults)
{
	struct arena arena = arena_init(0);
	struct settings s;
	struct err e;

	memset(faults, 0, sizeof(*faults));
	e = conf_read(bytes_of(text), "stead.conf", keys, &s, sizeof(s), &arena, faults);
	arena_free(&arena);
	return e;
}

static void
attack_156_unknown_key(void **state)
{
	struct conf_faults faults;

	(void)state;
	assert_int_equal(read_text("# mail\nsmtp {\n\tlissten [*:25];\n}\n", &faults).code,
	                 ERR_SYNTAX);
	assert_int_equal(faults.n, 1);
	assert_int_equal(faults.list[0].line, 3);
	assert_int_equal(faults.list[0].col, 2);
	assert_string_equal(faults.list[0].text,
	                    "stead.conf:3:2: unknown key \"lissten\" (did you mean \"listen\"?)");
}

static void
attack_156_doubled_key(void **state)
{
	struct conf_faults faults;

	(void)state;
	assert_int_equal(
	    read_text("smtp {\n\tinstances 2;\n\tinstances 3;\n}\nsmtp { }\n", &faults).code,
	    ERR_SYNTAX);
	assert_int_equal(faults.n, 2);
	assert_string_equal(faults.list[0].text,
	                    "stead.conf:3:2: instances is set twice, first in line 2");
	assert_string_equal(faults.list[1].text,
	                    "stead.conf:5:1: smtp is set twice, first in line 1");
}

/* A complaint is shown to people: bytes of the file must not move their cursor. */
static void
attack_156_complaints_are_escaped(void **state)
{
	struct conf_faults faults;

	(void)state;
	assert_int_equal(read_text("\"\\n\\t\\\"\xc2\x9b\" 1;", &faults).code, ERR_SYNTAX);
	assert_string_equal(faults.list[0].text,
	                    "stead.conf:1:1: unknown key \"\\x0a\\x09\\x22\\xc2\\x9b\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_156_unknown_key),
	    cmocka_unit_test(attack_156_doubled_key),
	    cmocka_unit_test(attack_156_complaints_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

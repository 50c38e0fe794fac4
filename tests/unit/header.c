/* header.c - the fields of a header, and where it ends. */
#include "mail/header.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
fields_are_shown_in_order(void **state)
{
	static const char text[] = "From: a\r\nSubject :b\r\n\tc\r\n  d\r\nX:\r\n\r\nTo: body\r\n";
	static const struct {
		const char *name, *value;
		size_t at, n;
	} fields[] = {
	    {"From", " a", 0, 9}, {"Subject", "b\r\n\tc\r\n  d", 9, 21}, {"X", "", 30, 4}};
	struct header h = header_of(bytes_of(text));
	struct header_field f;

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		assert_true(header_next(&h, &f));
		assert_true(bytes_eq(f.name, bytes_of(fields[i].name)));
		assert_true(bytes_eq(f.value, bytes_of(fields[i].value)));
		assert_int_equal(f.at, fields[i].at);
		assert_int_equal(f.n, fields[i].n);
	}
	assert_false(header_next(&h, &f));
	assert_true(h.whole);
	assert_int_equal(header_body(bytes_of(text)), 36);
	assert_true(header_find(bytes_of(text), BYTES("subject"), &f));
	assert_false(header_find(bytes_of(text), BYTES("To"), &f));
}

static void
the_body_begins_behind_the_header(void **state)
{
	static const struct {
		const char *text;
		size_t body;
	} cases[] = {
	    {"", 0},
	    {"\r\n", 2},
	    {"\r\nx", 2},
	    {"hello\r\n", 0},
	    {"hello", 0},
	    {" a: b\r\n", 0},
	    {"a: b", 4},
	    {"a: b\r\n", 6},
	    {"a: b\r\n\r\n", 8},
	    {"a: b\r\n\r", 6},
	    {"a: b\r\nno field\r\n\r\nx", 6},
	    {"a: b\n\n\r\n\r\nx", 6},
	    {":\r\n", 0},
	    {"a\tb: c\r\n", 0},
	    {"a \t: c\r\n", 8},
	    {"\303\244: c\r\n", 0},
	    {"a: b\r\n\n", 7},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(header_body(bytes_of(cases[i].text)), cases[i].body);
}

static void
a_walk_stops_at_its_limits(void **state)
{
	size_t n = 3 * (HEADER_FIELDS_MAX + 1) + 2, big = HEADER_OCTETS_MAX + 100;
	uint8_t *text = malloc(big);
	struct header_field f;
	struct header h;
	size_t fields = 0;

	(void)state;
	for (size_t i = 0; i < n; i++)
		text[i] = (uint8_t) ":\r\n"[i % 3];
	for (size_t i = 0; i + 3 <= n; i += 4) /* a:CRLF */
		memcpy(text + i, "a:\r\n", 4);
	for (h = header_of((struct bytes){text, big}); header_next(&h, &f);)
		fields++;
	assert_true(fields <= HEADER_FIELDS_MAX);
	memset(text, ' ', big);
	memcpy(text, "a:", 2);
	memcpy(text + big - 9, "\r\nb: c\r\n", 8);
	h = header_of((struct bytes){text, big});
	assert_true(header_next(&h, &f));
	assert_int_equal(f.n, HEADER_OCTETS_MAX);
	assert_false(header_next(&h, &f));
	assert_false(h.whole);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_shown_in_order),
	    cmocka_unit_test(the_body_begins_behind_the_header),
	    cmocka_unit_test(a_walk_stops_at_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* bytes.c - the door for outside bytes: nothing is read or written beyond the bounds. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
reads_past_the_end_give_zeros_and_stick(void **state)
{
	struct rd r = rd_of(BYTES("\x01\x02\x03"));

	(void)state;
	assert_int_equal(rd_u16(&r), 0x0102);
	assert_int_equal(rd_u16(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0);
	assert_int_equal(rd_left(&r), 0);
}

static void
a_writer_writes_whole_things_or_nothing(void **state)
{
	uint8_t room[4];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	wr_bytes8(&w, BYTES("abcd"));
	assert_true(w.full);
	assert_int_equal(wr_since(&w, room).n, 0);
	wr_u8(&w, 1);
	assert_int_equal(wr_since(&w, room).n, 0);
}

static void
only_crlf_ends_a_line(void **state)
{
	static const struct {
		const char *in, *line;
	} cases[] = {
	    {"a\r\nb", "a"}, {"a\nb\r\n", "a\nb"}, {"a\r", NULL},      {"\r\n", ""},
	    {"a\rb", NULL},  {"a\r\r\n", "a\r"},   {"a\n\r\n", "a\n"}, {"\n\n", NULL},
	};
	struct bytes line;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd r = rd_of(bytes_of(cases[i].in));

		assert_int_equal(rd_line(&r, &line), cases[i].line != NULL);
		if (cases[i].line)
			assert_true(bytes_eq(line, bytes_of(cases[i].line)));
		else
			assert_int_equal(rd_left(&r), strlen(cases[i].in));
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_past_the_end_give_zeros_and_stick),
	    cmocka_unit_test(a_writer_writes_whole_things_or_nothing),
	    cmocka_unit_test(only_crlf_ends_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

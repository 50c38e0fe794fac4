/* base64.c - RFC 4648 section 10's examples, and that every other spelling is refused. */
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const struct {
	const char *bytes, *text;
} cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
the_rfc_s_examples_go_both_ways(void **state)
{
	uint8_t room[16];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wr w = wr_of(room, sizeof(room));

		base64_encode(&w, bytes_of(cases[i].bytes));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].text)));
		assert_int_equal(base64_size(strlen(cases[i].bytes)), strlen(cases[i].text));
		w = wr_of(room, sizeof(room));
		assert_true(base64_decode(&w, bytes_of(cases[i].text)));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].bytes)));
	}
}

static void
every_byte_goes_both_ways(void **state)
{
	uint8_t all[256], text[344], back[256];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 167);
	for (size_t n = 0; n <= sizeof(all); n++) {
		struct wr w = wr_of(text, sizeof(text)), v = wr_of(back, sizeof(back));

		base64_encode(&w, (struct bytes){all, n});
		assert_true(base64_decode(&v, wr_since(&w, text)));
		assert_true(bytes_eq(wr_since(&v, back), (struct bytes){all, n}));
	}
}

static void
other_spellings_are_refused(void **state)
{
	static const char *const bad[] = {
	    "Z",    "Zg",       "Zg=",   "Zg===",  "Zh==",     "Zm9=", "====", "=",
	    "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n", "Zm9v\r\n", "Zm-_", "Zg=a", "=Zg=",
	};
	uint8_t room[16];
	struct wr w;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		w = wr_of(room, sizeof(room));
		assert_false(base64_decode(&w, bytes_of(bad[i])));
	}
	w = wr_of(room, sizeof(room));
	assert_false(base64_decode(&w, BYTES("Zm9\0")));
	w = wr_of(room, 2);
	assert_true(base64_decode(&w, BYTES("Zm9v")));
	assert_true(w.full);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_rfc_s_examples_go_both_ways),
	    cmocka_unit_test(every_byte_goes_both_ways),
	    cmocka_unit_test(other_spellings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

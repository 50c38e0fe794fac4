/* dot.c - text to the wire and back is the same text, wherever it is cut. */
#include "proto/dot.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* What BYTES() gives, as an initialiser: an outside text with NULs in it. */
#define RAW(s)                                                                                     \
	{                                                                                          \
		(const uint8_t *)("" s), sizeof(s) - 1                                             \
	}

/* Everything that dot_take() gives, in reads of `cut`; the verdict that ended it. */
static enum dot_took
take_all(struct bytes wire, size_t cut, struct wr *text, size_t *left)
{
	size_t done = 0, read = 0;
	struct dot_in d = {false, 0};
	enum dot_took took = DOT_MORE;

	while (took == DOT_MORE && read < wire.n) {
		uint8_t *copy;
		struct bytes piece;
		struct rd in;

		read = wire.n - read < cut ? wire.n : read + cut;
		copy = malloc(read - done);
		memcpy(copy, wire.p + done, read - done);
		in = rd_of((struct bytes){copy, read - done});
		while ((took = dot_take(&d, &in, 40, &piece)) == DOT_PIECE)
			wr_bytes(text, piece);
		done += (size_t)(in.p - copy);
		free(copy);
	}
	*left = wire.n - done;
	return took;
}

static const struct {
	struct bytes wire, text;
	enum dot_took verdict;
	size_t left;
} cases[] = {
    {RAW(".\r\n"), RAW(""), DOT_END, 0},
    {RAW(".\r\nMAIL"), RAW(""), DOT_END, 4},
    {RAW("a\r\n..b\r\n.c\r\n.\r\n.\r\n"), RAW("a\r\n.b\r\nc\r\n"), DOT_END, 3},
    {RAW("\r\n\r\n.\r\n"), RAW("\r\n\r\n"), DOT_END, 0},
    {RAW("a."), RAW("a."), DOT_MORE, 0},
    {RAW("a\r\n."), RAW("a\r\n"), DOT_MORE, 1},
    {RAW("a\r\n.\r"), RAW("a\r\n"), DOT_MORE, 2},
    {RAW("a\r"), RAW("a"), DOT_MORE, 1},
    {RAW("1234567890123456789012345678901234567890\r\n.\r\n"),
     RAW("1234567890123456789012345678901234567890\r\n"), DOT_END, 0},
};

static void
pieces_make_the_text(void **state)
{
	uint8_t room[256];
	size_t left;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut <= cases[i].wire.n; cut++) {
			struct wr text = wr_of(room, sizeof(room));

			assert_int_equal(take_all(cases[i].wire, cut, &text, &left),
			                 cases[i].verdict);
			assert_true(bytes_eq(wr_since(&text, room), cases[i].text));
			if (cases[i].verdict != DOT_END || cut == cases[i].wire.n)
				assert_int_equal(left, cases[i].left);
		}
}

static void
other_line_ends_are_refused(void **state)
{
	static const struct {
		struct bytes wire;
		enum dot_took verdict;
	} bad[] = {
	    {RAW("a\n.\n"), DOT_BARE},
	    {RAW("a\n.\r\n"), DOT_BARE},
	    {RAW("a\r.\r"), DOT_BARE},
	    {RAW("a\r\n.\n"), DOT_BARE},
	    {RAW("a\r\n.\rx"), DOT_BARE},
	    {RAW("a\r\n\0.\r\n"), DOT_BARE},
	    {RAW("a\r\n.\0\r\n"), DOT_BARE},
	    {RAW("a\r\n.\r\r\n"), DOT_BARE},
	    {RAW("a\r\r\n"), DOT_BARE},
	    {RAW("\n"), DOT_BARE},
	    {RAW("12345678901234567890123456789012345678901\r\n"), DOT_LONG},
	    {RAW("12345678901234567890123456789012345678901"), DOT_LONG},
	};
	uint8_t room[256];
	size_t left;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		for (size_t cut = 1; cut <= bad[i].wire.n; cut++) {
			struct wr text = wr_of(room, sizeof(room));

			assert_int_equal(take_all(bad[i].wire, cut, &text, &left), bad[i].verdict);
		}
}

static void
what_was_put_is_taken_again(void **state)
{
	static const struct {
		const char *text, *wire;
	} texts[] = {
	    {"", ".\r\n"},
	    {".", "..\r\n.\r\n"},
	    {".\r\n", "..\r\n.\r\n"},
	    {"a\r\n.\r\n..\r\n.b\r\n\r\n", "a\r\n..\r\n...\r\n..b\r\n\r\n.\r\n"},
	    {"a\r\nb", "a\r\nb\r\n.\r\n"},
	    {"\r\n\r\n", "\r\n\r\n.\r\n"},
	};
	uint8_t wire[256], back[256];
	size_t left;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t cut = 1; cut < 16; cut++)
			for (size_t room = 2; room < 16; room++) {
				struct bytes all = bytes_of(texts[i].text);
				struct wr w = wr_of(wire, 0), text = wr_of(back, sizeof(back));
				struct dot_out d = {false, false};
				size_t at = 0;

				while (at < all.n) {
					size_t n = all.n - at < cut ? all.n - at : cut;

					w.end = w.p + room;
					at += dot_put(&d, (struct bytes){all.p + at, n}, &w);
				}
				w.end = w.p + DOT_END_MAX;
				dot_end(&d, &w);
				assert_false(w.full);
				assert_true(bytes_eq(wr_since(&w, wire), bytes_of(texts[i].wire)));
				assert_int_equal(take_all(wr_since(&w, wire), cut, &text, &left),
				                 DOT_END);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pieces_make_the_text),
	    cmocka_unit_test(other_line_ends_are_refused),
	    cmocka_unit_test(what_was_put_is_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

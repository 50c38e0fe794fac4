/* encode.c - transfer encodings: what is wrong has one reading, and cuts change nothing. */
#include "mail/encode.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ROOM = 4096 };

static struct bytes
decoded(enum encoding encoding, struct bytes b, size_t cut, uint8_t *room)
{
	struct decode d = {.encoding = (uint8_t)encoding};
	struct wr w = wr_of(room, ROOM), piece;
	struct rd in;

	for (size_t i = 0; i < b.n; i += cut) {
		in = rd_of((struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
		while (rd_left(&in)) { /* as little room as there may be */
			piece = wr_of(w.p, DECODE_ROOM);
			decode_feed(&d, &in, &piece);
			assert_false(piece.full);
			w.p = piece.p;
		}
	}
	decode_finish(&d, &w);
	return wr_since(&w, room);
}

static struct bytes
encoded(enum encoding encoding, struct bytes b, size_t cut, uint8_t *room)
{
	struct encode e = {.encoding = (uint8_t)encoding};
	struct wr w = wr_of(room, ROOM), piece;
	struct rd in;

	for (size_t i = 0; i < b.n; i += cut) {
		in = rd_of((struct bytes){b.p + i, b.n - i < cut ? b.n - i : cut});
		while (rd_left(&in)) {
			piece = wr_of(w.p, ENCODE_ROOM);
			encode_feed(&e, &in, &piece);
			assert_false(piece.full);
			w.p = piece.p;
		}
	}
	piece = wr_of(w.p, ENCODE_ROOM);
	encode_finish(&e, &piece);
	assert_false(piece.full);
	w.p = piece.p;
	return wr_since(&w, room);
}

static void
what_is_wrong_has_one_reading(void **state)
{
	static const struct {
		enum encoding encoding;
		const char *text, *means;
	} cases[] = {
	    {ENCODING_BASE64, "", ""},
	    {ENCODING_BASE64, "Zm9v", "foo"},
	    {ENCODING_BASE64, "Zm9vYg==", "foob"},
	    {ENCODING_BASE64, "Zm9vYmE=", "fooba"},
	    {ENCODING_BASE64, "Zm 9v\r\nYm\tFy", "foobar"},
	    {ENCODING_BASE64, "Z*m-9_v!\377", "foo"},
	    {ENCODING_BASE64, "Zm9vYg==Zm9v", "foob"}, /* behind the padding is nothing */
	    {ENCODING_BASE64, "Zm9v=Zm9v", "foo"},
	    {ENCODING_BASE64, "Zm9vYg", "foob"},
	    {ENCODING_BASE64, "Zm9vY", "foo"},
	    {ENCODING_BASE64, "====", ""},
	    {ENCODING_QP, "", ""},
	    {ENCODING_QP, "a=3Db=3db", "a=b=b"},
	    {ENCODING_QP, "a=\r\nb=\nc", "abc"},
	    {ENCODING_QP, "a= \t\r\nb", "ab"},
	    {ENCODING_QP, "a \t\r\nb\t\nc \t", "a\r\nb\nc"},
	    {ENCODING_QP, "a  b", "a  b"},
	    {ENCODING_QP, "a=", "a"},
	    {ENCODING_QP, "a= ", "a"},
	    {ENCODING_QP, "a=4", "a=4"},
	    {ENCODING_QP, "a=4x=xx==41=", "a=4x=xx=A"},
	    {ENCODING_QP, "a=\rb= c", "a=\rb= c"},
	    {ENCODING_QP, "a \rb\r\r\n", "a \rb\r\r\n"},
	    {ENCODING_QP, "=4\r\n=4\n", "=4\r\n=4\n"},
	    {ENCODING_QP, "=\r\n=\r\n=\r\nx", "x"},
	    {ENCODING_QP, "\344\377", "\344\377"},
	    {ENCODING_7BIT, "a=41 \r\n", "a=41 \r\n"},
	    {ENCODING_8BIT, "\344", "\344"},
	    {ENCODING_BINARY, "Zm9v", "Zm9v"},
	    {ENCODING_UNKNOWN, "Zm9v", "Zm9v"},
	};
	uint8_t room[ROOM];
	struct bytes text, means;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		text = bytes_of(cases[i].text);
		means = bytes_of(cases[i].means);
		for (size_t cut = 1; cut <= text.n + 1; cut++) {
			struct bytes b = decoded(cases[i].encoding, text, cut, room);

			if (!bytes_eq(b, means))
				print_error("case %zu, cut %zu: %.*s\n", i, cut, (int)b.n, b.p);
			assert_true(bytes_eq(b, means));
		}
	}
}

static void
too_many_blanks_stay(void **state)
{
	uint8_t text[1000], room[ROOM];
	struct bytes b;

	(void)state;
	memset(text, ' ', sizeof(text));
	text[999] = '\n';
	b = decoded(ENCODING_QP, (struct bytes){text, sizeof(text)}, 7, room);
	assert_true(b.n > 1 && b.n < 1000 && b.p[b.n - 1] == '\n');
	text[0] = '=';
	b = decoded(ENCODING_QP, (struct bytes){text, sizeof(text)}, 3, room);
	assert_true(b.n > 1 && b.n < 1000 && b.p[0] == '=');
}

static void
lines_are_short_and_come_back(void **state)
{
	uint8_t text[1024], room[ROOM], back[ROOM];
	static const char some[] = "a =-\r\n\t\377\0.F";
	struct bytes b, e;
	uint32_t x = 1;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n += 1 + n / 8) {
		for (size_t i = 0; i < n; i++) {
			x = x * 1664525 + 1013904223;
			text[i] = (uint8_t)some[(x >> 16) % (n % 2 ? 4 : sizeof(some) - 1)];
		}
		b = (struct bytes){text, n};
		for (int k = ENCODING_QP; k <= ENCODING_BASE64; k++) {
			size_t column = 0;

			e = encoded((enum encoding)k, b, n % 13 + 1, room);
			for (size_t i = 0; i < e.n; i++) {
				assert_true(e.p[i] < 0x7f && (e.p[i] >= ' ' || e.p[i] == '\t' ||
				                              e.p[i] == '\r' || e.p[i] == '\n'));
				assert_true(e.p[i] != '-' || column);
				column = e.p[i] == '\n' ? 0 : column + 1;
				assert_true(column <= ENCODE_LINE_MAX + (e.p[i] == '\r'));
			}
			assert_true(bytes_eq(b, decoded((enum encoding)k, e, 9, back)));
		}
	}
}

static void
text_stays_readable(void **state)
{
	static const struct {
		enum encoding encoding;
		const char *text, *coded;
	} cases[] = {
	    {ENCODING_QP, "a b\r\nc\r\n", "a b\r\nc\r\n"},
	    {ENCODING_QP, "a \r\n\t", "a=20\r\n=09"},
	    {ENCODING_QP, "1=2\rx\ny", "1=3D2=0Dx=0Ay"},
	    {ENCODING_QP, " \r", " =0D"},
	    {ENCODING_QP, "--b-", "=2D-b-"},
	    {ENCODING_BASE64, "foob", "Zm9vYg=="},
	    {ENCODING_BASE64, "012345678901234567890123456789012345678901234567890123456",
	     "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2"},
	    {ENCODING_BASE64, "0123456789012345678901234567890123456789012345678901234567",
	     "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2\r\n"
	     "Nw=="},
	};
	uint8_t room[ROOM];
	struct bytes b;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		b = encoded(cases[i].encoding, bytes_of(cases[i].text), i + 1, room);
		if (!bytes_eq(b, bytes_of(cases[i].coded)))
			print_error("case %zu: %.*s\n", i, (int)b.n, b.p);
		assert_true(bytes_eq(b, bytes_of(cases[i].coded)));
	}
}

static void
names_are_known(void **state)
{
	(void)state;
	assert_int_equal(encoding_find(NO_BYTES), ENCODING_7BIT);
	assert_int_equal(encoding_find(BYTES("Quoted-Printable")), ENCODING_QP);
	assert_int_equal(encoding_find(BYTES("BASE64")), ENCODING_BASE64);
	assert_int_equal(encoding_find(BYTES("x-uuencode")), ENCODING_UNKNOWN);
	assert_string_equal(encoding_name(ENCODING_QP), "quoted-printable");
	assert_string_equal(encoding_name(ENCODING_UNKNOWN), "binary");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_wrong_has_one_reading),
	    cmocka_unit_test(too_many_blanks_stay),
	    cmocka_unit_test(lines_are_short_and_come_back),
	    cmocka_unit_test(text_stays_readable),
	    cmocka_unit_test(names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

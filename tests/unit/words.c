/* words.c - encoded words and parameters, and the charsets they are in. */
#include "mail/words.h"

#include "mail/charset.h"
#include "mail/content.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
words_are_decoded(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
	    {"", ""},
	    {" plain text", "plain text"},
	    {"a\r\n b", "a b"},
	    {"=?ISO-8859-1?Q?a?=", "a"},
	    {"=?ISO-8859-1?Q?a?= b", "a b"},
	    {"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
	    {"=?ISO-8859-1?Q?a?=  \r\n  =?ISO-8859-1?Q?b?= c", "ab c"},
	    {"=?ISO-8859-1?Q?a_b?=", "a b"},
	    {"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"},
	    {"=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
	    {"=?iso-8859-1?q?=E4=f6?=", "\303\244\303\266"},
	    {"=?UTF-8?B?w6TDtg==?=", "\303\244\303\266"},
	    {"=?utf-8?b?w6?= =?utf-8?b?Q=?=", "\357\277\275"},
	    {"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "\303\244"}, /* a character in two words */
	    {"=?utf-8?q?=C3?= x", "\357\277\275 x"},
	    {"=?utf-8?q?=C0=80?=", "\357\277\275\357\277\275"},
	    {"=?utf-8?q?=ED=A0=80?=", "\357\277\275\357\277\275\357\277\275"},
	    {"=?utf-8?q?=F4=90=80=80x?=", "\357\277\275\357\277\275\357\277\275\357\277\275x"},
	    {"=?utf-8?q?=E2=82x?=", "\357\277\275x"},
	    {"=?iso-8859-15?q?=A4?=", "\342\202\254"},
	    {"=?windows-1252?q?=80=81?=", "\342\202\254\357\277\275"},
	    {"=?koi8-r?q?a=C1?=", "a\357\277\275"},
	    {"=?us-ascii?q?=E4?=", "\357\277\275"},
	    {"=?utf-8?q?a=0D=0Ab=00c?=", "abc"},
	    {"=?utf-8?q?a=4?= =?utf-8?q?=G1?=", "a=4=G1"},
	    {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
	    {"=?utf-8?q?a", "=?utf-8?q?a"},
	    {"=??q?a?=", "=??q?a?="},
	    {"=?=?utf-8?q?a?=", "=?a"},
	    {"\303\244\344", "\303\244\357\277\275"},
	    {"x=?utf-8?q?a?=y", "xay"},
	};
	uint8_t room[1024];
	struct wr w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes raw = bytes_of(cases[i].raw);

		w = wr_of(room, raw.n * WORDS_GROWTH + WORDS_SPARE);
		words_decode(&w, raw);
		assert_false(w.full);
		*w.p = 0;
		assert_string_equal((const char *)room, cases[i].text);
	}
}

static void
characters_are_never_cut(void **state)
{
	uint8_t room[200];
	struct wr w;

	(void)state;
	for (size_t n = 0; n < 60; n++) {
		w = wr_of(room, n);
		words_decode(&w,
		             BYTES("=?iso-8859-15?q?=A4=A4=A4=A4=A4=A4=A4=A4=A4=A4=A4=A4=A4?="));
		assert_false(w.full);
		assert_true(wr_since(&w, room).n % 3 == 0);
	}
}

static void
parameters_are_decoded(void **state)
{
	static const struct {
		const char *params, *text; /* NULL: there is none */
	} cases[] = {
	    {"", NULL},
	    {"filename=a.txt", "a.txt"},
	    {"FileName=\"a b\"", "a b"},
	    {"filename=\"\"", ""},
	    {"filename*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "This is ***fun***"},
	    {"filename*=utf-8''%c3%a4; filename=a", "\303\244"},
	    {"filename*=iso-8859-1''%e4%", "\303\244%"},
	    {"filename*=plain", "plain"},
	    {"filename*0=a; filename*1=b", "ab"},
	    {"filename*1=b; filename*0=a; filename*3=d", "ab"},
	    {"filename*0*=iso-8859-1''%e4; filename*1=%41; filename*2*=%42", "\303\244%41B"},
	    {"filename*0*=utf-8''%c3; filename*1*=%a4", "\303\244"},
	    {"filename*1=b", NULL},
	    {"filename=\"=?utf-8?q?=C3=A4?=\"", "\303\244"},
	    {"filename*=x-none''%e4", "\357\277\275"},
	    {"filename*=utf-8''a%0d%0a%00b", "ab"},
	};
	uint8_t packed[CONTENT_PACKED_MAX], room[WORDS_PARAM_MAX + 1];
	char header[512];
	struct content c;
	struct wr w;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		w = wr_of(header, sizeof(header));
		wr_printf(&w, "Content-Disposition: attachment; %s\r\n", cases[i].params);
		struct bytes h = wr_since(&w, (uint8_t *)header);

		w = wr_of(packed, sizeof(packed));
		content_read(&w, h, false);
		assert_true(content_unpack(wr_since(&w, packed), &c));
		w = wr_of(room, sizeof(room) - 1);
		if (words_param(&w, c.disposition_params, "filename") != (cases[i].text != NULL))
			print_error("%s\n", cases[i].params);
		*w.p = 0;
		assert_string_equal((const char *)room, cases[i].text ? cases[i].text : "");
	}
}

static void
charsets_go_in_pieces(void **state)
{
	static const char text[] = "a\303\244\342\202\254\360\237\230\200\377"
				   "b\342\202";
	static const char means[] = "a\303\244\342\202\254\360\237\230\200\357\277\275"
				    "b\357\277\275";
	uint8_t room[256];

	(void)state;
	for (size_t cut = 1; cut < sizeof(text); cut++) {
		struct charset c = {.which = (uint8_t)charset_find(BYTES("UTF8"))};
		struct wr w = wr_of(room, sizeof(room));

		for (size_t i = 0; i < sizeof(text) - 1; i += cut) {
			size_t n = sizeof(text) - 1 - i < cut ? sizeof(text) - 1 - i : cut;
			struct rd in = rd_of((struct bytes){(const uint8_t *)text + i, n});

			charset_feed(&c, &in, &w);
		}
		charset_finish(&c, &w);
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(means)));
	}
	assert_int_equal(charset_find(NO_BYTES), CHARSET_ASCII);
	assert_int_equal(charset_find(BYTES("ISO-8859-1")), CHARSET_LATIN1);
	assert_int_equal(charset_find(BYTES("big5")), CHARSET_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_are_decoded),
	    cmocka_unit_test(characters_are_never_cut),
	    cmocka_unit_test(parameters_are_decoded),
	    cmocka_unit_test(charsets_go_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * attack_072_mime_ambiguity.c - what two readers could read differently: one reading here, the same
 * for all who ask, and a flag that says so.
 */
#include "mail/mime.h"
#include "mail/summary.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>

static const struct {
	const char *name, *header;
	const char *type; /* what counts */
	enum encoding encoding;
	bool ambiguous;
} cases[] = {
    {"all is well", "Content-Type: a/b; c=d\r\nContent-Transfer-Encoding: base64\r\n", "a",
     ENCODING_BASE64, false},
    {"two types", "Content-Type: a/b\r\nContent-Type: text/html\r\n", "a", ENCODING_7BIT, true},
    {"two encodings",
     "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: quoted-printable\r\n", "text",
     ENCODING_BASE64, true},
    {"an encoding and more", "Content-Transfer-Encoding: base64 7bit\r\n", "text", ENCODING_BASE64,
     true},
    {"a comment is nothing", "Content-Transfer-Encoding: (7bit) base64 (8bit)\r\n", "text",
     ENCODING_BASE64, false},
    {"two boundaries", "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n", "multipart",
     ENCODING_7BIT, true},
    {"no boundary", "Content-Type: multipart/mixed\r\n", "text", ENCODING_7BIT, true},
    {"an empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\r\n", "text", ENCODING_7BIT,
     true},
    {"an encoded multipart",
     "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n",
     "multipart", ENCODING_7BIT, true},
    {"two names of a file", "Content-Type: a/b; name=a; NAME=b\r\n", "a", ENCODING_7BIT, true},
    {"a type and more", "Content-Type: a/b c/d\r\n", "a", ENCODING_7BIT, true},
    {"a quote that does not end", "Content-Type: a/b; name=\"x\r\n", "a", ENCODING_7BIT, true},
    {"a quote within a value", "Content-Type: a/b; name=x\"y;z=\"\r\n", "a", ENCODING_7BIT, true},
    {"no type", "Content-Type: a\r\n", "text", ENCODING_7BIT, true},
    {"an empty type", "Content-Type: \r\n", "text", ENCODING_7BIT, true},
    {"two dispositions", "Content-Disposition: inline\r\nContent-Disposition: attachment\r\n",
     "text", ENCODING_7BIT, true},
};

static void
attack_072_mime_ambiguity(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct summary_scan s;
		struct content c;
		struct mime m;

		mime_init(&m, MIME_MEMORY);
		mime_feed(&m, bytes_of(cases[i].header));
		mime_feed(&m, BYTES("\r\nbody\r\n"));
		mime_done(&m);
		mime_content(&m, 0, &c);
		if (!content_is(&c, cases[i].type, NULL) || m.ambiguous != cases[i].ambiguous)
			print_error("%s\n", cases[i].name);
		assert_true(content_is(&c, cases[i].type, NULL));
		assert_int_equal(m.parts[0].encoding, cases[i].encoding);
		assert_int_equal(m.ambiguous, cases[i].ambiguous);
		mime_fini(&m);
		summary_init(&s);
		summary_feed(&s, bytes_of(cases[i].header));
		assert_int_equal(summary_done(&s).ambiguous, cases[i].ambiguous);
		summary_fini(&s);
	}
}

/* Soft breaks make nothing grow, and nothing is held of them. */
static void
attack_072_mime_soft_breaks(void **state)
{
	struct decode d = {.encoding = ENCODING_QP};
	uint8_t room[4 * DECODE_ROOM];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 1000000; i++) {
		struct rd in = rd_of(BYTES("=\r\n= \t\r\n=\n"));
		struct wr w = wr_of(room, sizeof(room));

		decode_feed(&d, &in, &w);
		assert_int_equal(rd_left(&in), 0);
		n += wr_since(&w, room).n;
	}
	assert_int_equal(n, 0);
}

/* Inner padding ends it, alien octets are nothing: the same in pieces of every size. */
static void
attack_072_mime_one_decoder(void **state)
{
	static const char text[] = "Zm9v*\r\n\377 Yg==IGV2aWw=\r\n--b";
	uint8_t room[4 * DECODE_ROOM];

	(void)state;
	for (size_t cut = 1; cut < sizeof(text); cut++) {
		struct decode d = {.encoding = ENCODING_BASE64};
		struct wr w = wr_of(room, sizeof(room));

		for (size_t i = 0; i < sizeof(text) - 1; i += cut) {
			size_t n = sizeof(text) - 1 - i < cut ? sizeof(text) - 1 - i : cut;
			struct rd in = rd_of((struct bytes){(const uint8_t *)text + i, n});

			decode_feed(&d, &in, &w);
		}
		decode_finish(&d, &w);
		assert_true(bytes_eq(wr_since(&w, room), BYTES("foob")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_072_mime_ambiguity),
	    cmocka_unit_test(attack_072_mime_soft_breaks),
	    cmocka_unit_test(attack_072_mime_one_decoder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

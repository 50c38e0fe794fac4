/* attack_068_mime_continuations.c - 100,000 pieces of one parameter (RFC 2231). */
#include "mail/content.h"
#include "mail/mime.h"
#include "mail/words.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { PIECES = 100000 };

static void
attack_068_mime_continuations(void **state)
{
	size_t room = (size_t)PIECES * 32;
	uint8_t name[WORDS_PARAM_MAX];
	char *text = malloc(room);
	struct wr w = wr_of(text, room), out;
	struct content c;
	struct mime m;

	(void)state;
	wr_text(&w, "Content-Disposition: attachment");
	for (size_t i = 0; i < PIECES; i++)
		wr_printf(&w, ";\r\n filename*%zu*=%%61", i);
	wr_text(&w, "\r\n\r\n");
	assert_false(w.full);
	mime_init(&m, MIME_MEMORY);
	mime_feed(&m, wr_since(&w, (uint8_t *)text));
	mime_done(&m);
	assert_true(m.used <= MIME_MEMORY && m.ambiguous);
	mime_content(&m, 0, &c);
	assert_true(c.disposition_params.n <= CONTENT_FIELD_MAX);
	out = wr_of(name, sizeof(name));
	assert_true(words_param(&out, c.disposition_params, "filename"));
	assert_int_equal(wr_since(&out, name).n, CONTENT_PARAMS_MAX);
	mime_fini(&m);
	free(text);
}

/* Each larger than is kept of a value: what comes out has a cap of its own. */
static void
attack_068_mime_large_pieces(void **state)
{
	size_t room = (size_t)64 * 3000;
	uint8_t name[WORDS_PARAM_MAX * 2], packed[CONTENT_PACKED_MAX];
	char *text = malloc(room);
	struct wr w = wr_of(text, room), out;
	struct content c;

	(void)state;
	wr_text(&w, "Content-Disposition: attachment");
	for (size_t i = 0; i < 60; i++) {
		wr_printf(&w, "; filename*%zu=", i);
		for (size_t k = 0; k < 200; k++)
			wr_text(&w, "0123456789");
	}
	wr_text(&w, "\r\n");
	assert_false(w.full);
	out = wr_of(packed, sizeof(packed));
	assert_true(content_read(&out, wr_since(&w, (uint8_t *)text), false).ambiguous);
	assert_true(content_unpack(wr_since(&out, packed), &c));
	out = wr_of(name, sizeof(name));
	assert_true(words_param(&out, c.disposition_params, "filename"));
	assert_true(wr_since(&out, name).n <= WORDS_PARAM_MAX);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_068_mime_continuations),
	    cmocka_unit_test(attack_068_mime_large_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

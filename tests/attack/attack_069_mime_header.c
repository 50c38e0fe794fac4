/* attack_069_mime_header.c - a header of many megabytes, a million addresses. */
#include "mail/envelope.h"
#include "mail/mime.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
attack_069_mime_addresses(void **state)
{
	struct content c;
	struct mime m;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	mime_feed(&m, BYTES("From: a@b\r\nTo: z@example.org"));
	for (size_t i = 0; i < 1000000; i++)
		mime_feed(&m, BYTES(",a@b"));
	mime_feed(&m, BYTES("\r\nSubject: s\r\nContent-Type: a/b\r\n\r\nx"));
	mime_done(&m);
	assert_true(m.used <= MIME_MEMORY && m.cut);
	mime_content(&m, 0, &c);
	assert_true(content_is(&c, "a", "b"));
	assert_true(mime_envelope(&m, 0).n > ENVELOPE_LIST_MAX / 2);
	assert_true(mime_envelope(&m, 0).n <= ENVELOPE_MAX);
	assert_int_equal(m.parts[0].end - m.parts[0].body, 1);
	mime_fini(&m);
}

static void
attack_069_mime_fields(void **state)
{
	struct mime m;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	for (size_t i = 0; i < 1000000; i++)
		mime_feed(&m, BYTES("X-Nothing: 0123456789012345678901234567890123456789\r\n"));
	mime_feed(&m, BYTES("Subject: s\r\nContent-Type: a/b\r\n\r\nx"));
	mime_done(&m);
	assert_true(m.used <= MIME_MEMORY && !m.cut); /* what nobody asks for is not kept */
	assert_int_equal(m.parts[0].end - m.parts[0].body, 1);
	mime_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_069_mime_addresses),
	    cmocka_unit_test(attack_069_mime_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

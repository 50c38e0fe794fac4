/* attack_084_pop3_stls.c - plaintext in the same segment as STLS. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const maildrop[] = {"a: b\r\n\r\nx\r\n"};

static size_t
said(const struct pop3_play *t, const char *text)
{
	struct bytes b = pop3_play_said(t);
	size_t n = 0, len = strlen(text);

	for (size_t i = 0; i + len <= b.n; i++)
		n += memcmp(b.p + i, text, len) == 0;
	return n;
}

static void
attack_084_pop3_stls(void **state)
{
	static struct pop3_play t;
	static const char client[] = "USER evil\r\nSTLS\r\nUSER bob\r\nPASS hungry\r\nDELE 1\r\n";

	(void)state;
	pop3_play_init(&t, maildrop, 1);
	t.after_tls = "PASS hungry\r\nCAPA\r\nSTLS\r\nQUIT\r\n";
	for (size_t cut = 1; cut <= strlen(client); cut++) {
		pop3_play(&t, bytes_of(client), cut);
		assert_int_equal(t.handshakes, 1);
		assert_int_equal(t.logins, 0);
		assert_int_equal(said(&t, "-ERR log in first"), 1);
		assert_int_equal(said(&t, "-ERR TLS is active"), 1);
		assert_int_equal(said(&t, "\r\nSTLS\r\n"), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_084_pop3_stls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

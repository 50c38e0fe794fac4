/* attack_092_pop3_plaintext.c - a password before TLS. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const maildrop[] = {"a: b\r\n\r\nx\r\n"};

/* Refused at USER, so that a client that waits for its answer never sends the secret. */
static void
attack_092_pop3_plaintext(void **state)
{
	static struct pop3_play t;

	(void)state;
	pop3_play_init(&t, maildrop, 1);
	t.plaintext = false;
	pop3_play(&t, BYTES("CAPA\r\nUSER bob\r\nPASS hungry\r\nSTAT\r\n"), 7);
	assert_int_equal(t.logins, 0);
	assert_true(bytes_eq(
	    pop3_play_said(&t),
	    BYTES(
		"+OK fakeplace.edu POP3 Stead\r\n"
		"+OK what there is\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
		"EXPIRE NEVER\r\nIMPLEMENTATION Stead\r\nSTLS\r\n.\r\n"
		"-ERR no login without TLS: STLS first\r\n"
		"-ERR log in first: USER, then PASS\r\n-ERR log in first: USER, then PASS\r\n")));
	t.after_tls = "USER bob\r\nPASS hungry\r\nSTAT\r\n";
	pop3_play(&t, BYTES("USER bob\r\nSTLS\r\n"), 7);
	assert_int_equal(t.logins, 1);
	t.tls = true;
	pop3_play(&t, BYTES("USER bob\r\nPASS hungry\r\n"), 7);
	assert_int_equal(t.logins, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_092_pop3_plaintext),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

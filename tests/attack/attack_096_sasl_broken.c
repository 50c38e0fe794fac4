/* attack_096_sasl_broken.c - lines of a login that are none; the session and the next login go on. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define GOOD "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"

static const struct {
	const char *client, *code;
} cases[] = {
    {"AUTH PLAIN AGJvYgBzZWNyZXQ\r\n", "501 5.5.2 "},   /* no padding */
    {"AUTH PLAIN AGJvYgBzZWNyZXQ==\r\n", "501 5.5.2 "}, /* too much of it */
    {"AUTH PLAIN AGJvYgBzZWNyZXR=\r\n", "501 5.5.2 "},  /* bits left over */
    {"AUTH PLAIN AGJv Yg BzZWNyZXQ=\r\n", "501 5.5.2 "},
    {"AUTH PLAIN AGJvYgBzZWNyZXQ=AAAA\r\n", "501 5.5.2 "},
    {"AUTH PLAIN AGJvYgBzZW-_ZXQ=\r\n", "501 5.5.2 "}, /* the other alphabet */
    {"AUTH PLAIN =\r\n", "501 5.5.2 "},
    {"AUTH PLAIN ==\r\n", "501 5.5.2 "},
    {"AUTH PLAIN *\r\n", "501 5.5.2 "},
    {"AUTH PLAIN\r\n*\r\n", "501 5.7.0 "},
    {"AUTH PLAIN\r\n\r\n", "501 5.5.2 "},
    {"AUTH PLAIN\r\n=\r\n", "501 5.5.2 "},
    {"AUTH PLAIN\r\nAUTH PLAIN\r\n", "501 5.5.2 "}, /* a command within */
    {"AUTH LOGIN\r\nYm9i\r\n*\r\n", "501 5.7.0 "},
    {"AUTH LOGIN\r\n\377\376\r\n", "501 5.5.2 "},
    {"AUTH SCRAM-SHA-256 AAAA\r\n", "501 5.5.2 "},
    {"AUTH SCRAM-SHA-256 =\r\n", "501 5.5.2 "},
    {"AUTH SCRAM-SHA-256-PLUS AAAA\r\n", "504 5.5.4 "},
    {"AUTH XYZZY\r\n", "504 5.5.4 "},
    {"AUTH *\r\n", "504 5.5.4 "},
    {"AUTH\r\n", "504 5.5.4 "},
};

static void
attack_096_sasl_broken(void **state)
{
	static struct smtp_play t;
	char client[400];

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 40; cut++) {
			snprintf(client, sizeof(client), "EHLO a\r\n%s" GOOD, cases[i].client);
			smtp_play(&t, bytes_of(client), cut);
			assert_int_equal(count_in(smtp_play_said(&t), cases[i].code), 1);
			assert_int_equal(count_in(smtp_play_said(&t), "235 2.7.0 "), 1);
			assert_int_equal(t.logins, 1);
		}
}

static void
attack_096_double_auth(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	smtp_play(&t, BYTES("EHLO a\r\n" GOOD GOOD "AUTH LOGIN Ym9i\r\n"), 1000);
	assert_int_equal(t.logins, 1);
	assert_int_equal(count_in(smtp_play_said(&t), "503 5.5.1 "), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_096_sasl_broken),
	    cmocka_unit_test(attack_096_double_auth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* attack_104_pop3_arguments.c - numbers that are none, and lines that are too long. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const maildrop[] = {"a: b\r\n\r\nx\r\n", "c: d\r\n\r\ny\r\n"};

#define LOGIN "USER bob\r\nPASS hungry\r\n"

static size_t
errors(const struct pop3_play *t)
{
	struct bytes b = pop3_play_said(t);
	size_t n = 0;

	for (size_t i = 0; i + 5 <= b.n; i++)
		n += memcmp(b.p + i, "-ERR ", 5) == 0 && (i == 0 || b.p[i - 1] == '\n');
	return n;
}

static void
attack_104_pop3_arguments(void **state)
{
	static const char *const commands[] = {
	    "TOP 1 99999999999",
	    "TOP 1 -1",
	    "TOP 1",
	    "TOP",
	    "TOP 1 1 1",
	    "TOP 3 1",
	    "TOP 0 1",
	    "LIST -1",
	    "LIST 0",
	    "LIST 3",
	    "LIST 1 2",
	    "LIST 18446744073709551617",
	    "LIST 0x1",
	    "RETR 0",
	    "RETR",
	    "RETR -0",
	    "RETR +1",
	    "RETR 1x",
	    "RETR 4294967297",
	    "DELE",
	    "DELE 0",
	    "DELE 1 2",
	    "UIDL 9",
	    "UIDL a",
	    "STAT 1",
	    "RSET 1",
	    "NOOP 1",
	    "CAPA 1",
	    "QUIT 1",
	};
	static struct pop3_play t;
	char client[256];

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	for (size_t i = 0; i < COUNT(commands); i++) {
		snprintf(client, sizeof(client), LOGIN "%s\r\nSTAT\r\n", commands[i]);
		pop3_play(&t, bytes_of(client), 16);
		assert_int_equal(errors(&t), 1);
		assert_false(t.closed);
	}
}

static void
attack_104_pop3_long_commands(void **state)
{
	static struct pop3_play t;
	static char client[12000];

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	for (int n = 240; n < 10240; n = n * 3 / 2) {
		for (int whole = 0; whole < 2; whole++) {
			snprintf(client, sizeof(client), LOGIN "LIST %0*d%s", n, 0,
			         whole ? "\r\n" : "");
			pop3_play(&t, bytes_of(client), 1000);
			assert_int_equal(errors(&t), whole || n > POP3_LINE_MAX ? 1 : 0);
			assert_int_equal(t.closed, n + 7 > POP3_LINE_MAX);
		}
	}
}

/* A password of 1 KiB reaches the question whole, one octet more does not. */
static void
attack_104_pop3_long_passwords(void **state)
{
	static struct pop3_play t;
	char client[2048];

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	snprintf(client, sizeof(client), "USER bob\r\nPASS %0*d\r\n", POP3_SECRET_MAX, 0);
	pop3_play(&t, bytes_of(client), 100);
	assert_int_equal(t.logins, 1);
	snprintf(client, sizeof(client), "USER bob\r\nPASS %0*d\r\n", POP3_SECRET_MAX + 1, 0);
	pop3_play(&t, bytes_of(client), 100);
	assert_int_equal(t.logins, 0);
	assert_true(t.closed);
	snprintf(client, sizeof(client), "USER %0*d\r\n", POP3_USER_MAX + 1, 0);
	pop3_play(&t, bytes_of(client), 100);
	assert_int_equal(errors(&t), 1);
}

static void
attack_104_pop3_commands_without_a_login_end(void **state)
{
	static struct pop3_play t;
	static char client[8 * 1000 + 1];

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		memcpy(client + i * 6, "CAPA\r\n", 7);
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	pop3_play(&t, bytes_of(client), 100);
	assert_true(t.closed);
	assert_int_equal(errors(&t), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_104_pop3_arguments),
	    cmocka_unit_test(attack_104_pop3_long_commands),
	    cmocka_unit_test(attack_104_pop3_long_passwords),
	    cmocka_unit_test(attack_104_pop3_commands_without_a_login_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

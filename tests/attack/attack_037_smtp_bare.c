/* attack_037_smtp_bare.c - a bare CR, a bare LF or a NUL, anywhere. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define BEGIN "HELO ycp.edu\r\nMAIL FROM:<alice@ycp.edu>\r\nRCPT TO:<bob@fakeplace.edu>\r\n"

#define TEXT "Subject: x\r\n y\r\n\r\ntext\r\n..\r\n.\r\n"

static const char bad[] = "\r\n"; /* and the NUL behind them */

/* The rule is: refused with 5xx, and closed; nothing of it is stored. */
static void
put_everywhere(const char *text, size_t from, size_t to, const char *code)
{
	static struct smtp_play t;
	char client[256];
	size_t n = strlen(text);

	smtp_play_init(&t);
	for (size_t at = from; at < to; at++)
		for (size_t c = 0; c < sizeof(bad); c++)
			for (size_t cut = 1; cut <= n; cut += 3) {
				/* beside its counterpart it would only make another CRLF */
				if (bad[c] &&
				    (text[at] == '\n' || text[at] == '\r' || text[at - 1] == '\r'))
					continue;
				memcpy(client, text, at);
				client[at] = bad[c];
				memcpy(client + at + 1, text + at, n - at);
				smtp_play(&t, (struct bytes){(const uint8_t *)client, n + 1}, cut);
				assert_true(t.closed);
				assert_int_equal(smtp_play_stored(&t).n, 0);
				assert_int_equal(count_in(smtp_play_said(&t), code), 1);
				assert_int_equal(count_in(smtp_play_said(&t), "221 "), 0);
			}
}

static void
attack_037_smtp_bare_in_data(void **state)
{
	(void)state;
	put_everywhere(BEGIN "DATA\r\n" TEXT "QUIT\r\n", strlen(BEGIN "DATA\r\n") + 1,
	               strlen(BEGIN "DATA\r\n" TEXT) - 1, "554 5.6.0 ");
}

static void
attack_037_smtp_bare_in_commands(void **state)
{
	(void)state;
	put_everywhere(BEGIN "RSET\r\nQUIT\r\n", 1, strlen(BEGIN "RSET\r\nQUIT\r\n"),
	               "500 5.5.2 lines end with CRLF, closing");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_037_smtp_bare_in_data),
	    cmocka_unit_test(attack_037_smtp_bare_in_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

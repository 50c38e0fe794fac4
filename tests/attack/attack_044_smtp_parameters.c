/* attack_044_smtp_parameters.c - parameters that are wrong, doubled or unknown. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const struct {
	const char *line, *code;
} cases[] = {
    {"MAIL FROM:<a@b> ENVID=x+00", "555 5.5.4 "},
    {"MAIL FROM:<a@b> RET=FULL", "555 5.5.4 "},
    {"MAIL FROM:<a@b> SMTPUTF8", "555 5.5.4 "},
    {"MAIL FROM:<a@b> AUTH=<>", "555 5.5.4 "},
    {"MAIL FROM:<a@b> =", "555 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE", "501 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE=", "501 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE=+1", "501 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE=0x1", "501 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE=000000000000000000001", "501 5.5.4 "},
    {"MAIL FROM:<a@b> SIZE=1 BODY=7BIT size=1", "501 5.5.4 "},
    {"MAIL FROM:<a@b> BODY=8BITMIME BODY=8BITMIME", "501 5.5.4 "},
    {"MAIL FROM:<a@b> BODY", "501 5.5.4 "},
    {"RCPT TO:<bob@fakeplace.edu> ORCPT=rfc822;x+00", "555 5.5.4 "},
    {"RCPT TO:<bob@fakeplace.edu> NOTIFY=NEVER NOTIFY=NEVER", "555 5.5.4 "},
};

static void
attack_044_smtp_parameters(void **state)
{
	static struct smtp_play t;
	char client[256];

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(client, sizeof(client), "EHLO a\r\n%s%s\r\n",
		         cases[i].line[0] == 'R' ? "MAIL FROM:<>\r\n" : "", cases[i].line);
		smtp_play(&t, bytes_of(client), 20);
		assert_int_equal(count_in(smtp_play_said(&t), cases[i].code), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_044_smtp_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

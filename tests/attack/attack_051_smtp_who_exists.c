/* attack_051_smtp_who_exists.c - a recipient that nobody is is refused at RCPT, and nothing else
 * tells who exists. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
attack_051_unknown_at_rcpt(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	smtp_play(&t,
	          BYTES("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@fakeplace.edu>\r\n"
	                "RCPT TO:<bob@fakeplace.edu>\r\nDATA\r\nx\r\n.\r\n"),
	          1000);
	assert_int_equal(count_in(smtp_play_said(&t), "550 5.1.1 "), 1);
	assert_true(bytes_eq(smtp_play_stored(&t), BYTES("{|bob@fakeplace.edu|x\r\n}")));
}

static const char *const questions[] = {
    "VRFY bob\r\n",
    "VRFY nobody\r\n",
    "VRFY <bob@fakeplace.edu>\r\n",
    "VRFY <nobody@fakeplace.edu>\r\n",
    "EXPN staff\r\n",
    "EXPN nobody\r\n",
};

static void
attack_051_vrfy_and_expn(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	for (int login = 0; login < 2; login++)
		for (size_t i = 0; i < COUNT(questions); i++) {
			t.conf.login = login ? SMTP_PLAIN_LOGIN : SMTP_NO_LOGIN;
			smtp_play(&t, bytes_of(questions[i]), 1000);
			assert_true(
			    bytes_eq(smtp_play_said(&t),
			             BYTES("220 fakeplace.edu ESMTP Stead\r\n"
			                   "252 2.5.0 not told here; send mail and see\r\n")));
			assert_int_equal(t.asked.p - t.asked_room, 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_051_unknown_at_rcpt),
	    cmocka_unit_test(attack_051_vrfy_and_expn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

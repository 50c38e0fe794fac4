/* attack_045_smtp_relay.c - thirty ways to ask for a relay. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* Known ways to say an address elsewhere in the form of one here; none may get a 250. */
static const char *const forms[] = {
    "<victim@elsewhere.edu>",
    "<victim%elsewhere.edu@fakeplace.edu>",
    "<\"victim%elsewhere.edu\"@fakeplace.edu>",
    "<victim@elsewhere.edu@fakeplace.edu>",
    "<\"victim@elsewhere.edu\"@fakeplace.edu>",
    "<\"victim\\@elsewhere.edu\"@fakeplace.edu>",
    "<victim%elsewhere.edu>",
    "<\"victim@elsewhere.edu\">",
    "<elsewhere.edu!victim@fakeplace.edu>",
    "<elsewhere.edu!victim>",
    "<\"elsewhere.edu!victim\"@fakeplace.edu>",
    "<fakeplace.edu!elsewhere.edu!victim>",
    "<@fakeplace.edu:victim@elsewhere.edu>",
    "<@fakeplace.edu,@other.edu:victim@elsewhere.edu>",
    "<@[192.0.2.1]:victim@elsewhere.edu>",
    "<@fakeplace.edu:\"victim@elsewhere.edu\"@fakeplace.edu>",
    "<victim@elsewhere.edu@[192.0.2.1]>",
    "<victim%elsewhere.edu@[192.0.2.1]>",
    "<victim@[192.0.2.1]>",
    "<victim@[IPv6:2001:db8::1]>",
    "<victim@elsewhere.edu%fakeplace.edu>",
    "<victim@fakeplace.edu.elsewhere.edu>",
    "<victim@elsewhere.edu.>",
    "<victim@fakeplace.edu@>",
    "<\"victim@elsewhere.edu\"@>",
    "victim@elsewhere.edu",
    "victim@elsewhere.edu@fakeplace.edu",
    "<<victim@elsewhere.edu>@fakeplace.edu>",
    "<victim@elsewhere.edu\t@fakeplace.edu>",
    "<smtp:victim@elsewhere.edu>",
};

static void
attack_045_smtp_relay(void **state)
{
	static struct smtp_play t;
	char client[256];

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(forms); i++) {
		snprintf(client, sizeof(client),
		         "EHLO a\r\nMAIL FROM:<bob@fakeplace.edu>\r\nRCPT TO:%s\r\nDATA\r\n",
		         forms[i]);
		smtp_play(&t, bytes_of(client), 30);
		assert_int_equal(count_in(smtp_play_said(&t), "250 2.1.5 "), 0);
		assert_int_equal(count_in(smtp_play_said(&t), "\r\n550 5.7.1 ") +
		                     count_in(smtp_play_said(&t), "\r\n550 5.1.1 ") +
		                     count_in(smtp_play_said(&t), "\r\n501 5.1.3 "),
		                 1);
		assert_int_equal(count_in(smtp_play_said(&t), "\r\n354 "), 0);
	}
}

/* Submission relays for who logged in, and takes nothing from anybody else. */
static void
attack_045_submission_without_a_login(void **state)
{
	static const char *const before[] = {"", "AUTH PLAIN\r\n*\r\n",
	                                     "AUTH PLAIN AGJvYgB3cm9uZw==\r\n", "AUTH PLAIN =\r\n"};
	static struct smtp_play t;
	char client[512];

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(forms); i++)
		for (size_t j = 0; j < COUNT(before); j++) {
			snprintf(client, sizeof(client),
			         "EHLO a\r\n%sMAIL FROM:<bob@fakeplace.edu>\r\nRCPT TO:%s\r\n"
			         "DATA\r\n",
			         before[j], forms[i]);
			smtp_play(&t, bytes_of(client), 30);
			assert_int_equal(count_in(smtp_play_said(&t), "530 5.7.0 "), 1);
			assert_int_equal(count_in(smtp_play_said(&t), "250 2.1."), 0);
			assert_int_equal(count_in(smtp_play_said(&t), "\r\n354 "), 0);
			assert_int_equal(t.asked.p - t.asked_room, 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_045_smtp_relay),
	    cmocka_unit_test(attack_045_submission_without_a_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

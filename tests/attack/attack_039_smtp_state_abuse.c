/* attack_039_smtp_state_abuse.c - commands where they do not belong. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define HELO "HELO ycp.edu\r\n"
#define MAIL "MAIL FROM:<alice@ycp.edu>\r\n"
#define TO   "RCPT TO:<bob@fakeplace.edu>\r\n"

static const struct {
	const char *client, *code;
	enum smtp_answer commit;
	size_t messages;
} cases[] = {
    {HELO "DATA\r\n", "503 ", SMTP_OK, 0},
    {HELO MAIL "DATA\r\n", "503 ", SMTP_OK, 0},
    {HELO MAIL "RCPT TO:<nobody@fakeplace.edu>\r\nDATA\r\n", "503 ", SMTP_OK, 0},
    {HELO MAIL TO "RSET\r\nDATA\r\n", "503 ", SMTP_OK, 0},
    {HELO MAIL TO "RSET\r\n" TO, "503 ", SMTP_OK, 0},
    {HELO MAIL TO "EHLO x\r\n" TO, "503 ", SMTP_OK, 0},
    {HELO MAIL MAIL, "503 ", SMTP_OK, 0},
    {HELO MAIL TO "VRFY x\r\nDATA\r\n.\r\n", "252 ", SMTP_OK, 1},
    {HELO MAIL TO "DATA\r\nx\r\n.\r\n" TO, "503 ", SMTP_REFUSED, 0},
    {HELO MAIL TO "DATA\r\nx\r\n.\r\nDATA\r\n", "503 ", SMTP_TEMP, 0},
    {HELO MAIL TO "DATA\r\nx\r\n.\r\nDATA\r\n", "503 ", SMTP_OK, 1},
    {HELO MAIL TO "BDAT 3 LAST\r\nabcDATA\r\nx\r\n.\r\n", "502 ", SMTP_OK, 0},
    {MAIL TO "DATA\r\n", "503 ", SMTP_OK, 0},
};

static void
attack_039_smtp_state_abuse(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 100; cut++) {
			t.commit = cases[i].commit;
			smtp_play(&t, bytes_of(cases[i].client), cut);
			assert_int_equal(count_in(smtp_play_stored(&t), "{"), cases[i].messages);
			assert_true(count_in(smtp_play_said(&t), cases[i].code) >= 1);
			assert_int_equal(count_in(smtp_play_said(&t), "accepted"),
			                 cases[i].messages);
		}
}

/* The second message has a sender and recipients of its own only. */
static void
attack_039_smtp_nothing_stays_of_a_refused_message(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	smtp_play(&t,
	          BYTES(HELO MAIL TO "RSET\r\nMAIL FROM:<>\r\nRCPT TO:<carol@fakeplace.edu>\r\n"
	                             "DATA\r\nx\r\n.\r\n"),
	          1000);
	assert_true(bytes_eq(smtp_play_stored(&t), BYTES("{|carol@fakeplace.edu|x\r\n}")));
}

#define LOGIN "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"
#define BOB   "MAIL FROM:<bob@fakeplace.edu>\r\n"

static const struct {
	const char *client, *code;
	size_t messages;
} submissions[] = {
    {HELO BOB TO "DATA\r\n", "530 ", 0},
    {HELO "AUTH LOGIN\r\n" BOB TO "DATA\r\n", "501 ", 0},
    {HELO LOGIN BOB "AUTH LOGIN\r\n" TO "DATA\r\nx\r\n.\r\n", "503 ", 1},
    {HELO LOGIN TO "DATA\r\n", "503 ", 0},
    {HELO LOGIN BOB TO "STARTTLS\r\nDATA\r\nx\r\n.\r\n", "503 ", 1},
    {HELO LOGIN BOB TO "RSET\r\nDATA\r\n", "503 ", 0},
    {HELO LOGIN MAIL BOB TO "DATA\r\nx\r\n.\r\n", "553 ", 1},
    {HELO LOGIN "BDAT 3 LAST\r\nabc", "502 ", 0},
    {LOGIN HELO BOB, "503 ", 0},
};

/* The same where a login comes first. */
static void
attack_039_submission_state_abuse(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(submissions); i++)
		for (size_t cut = 1; cut < 100; cut++) {
			smtp_play(&t, bytes_of(submissions[i].client), cut);
			assert_int_equal(count_in(smtp_play_stored(&t), "{"),
			                 submissions[i].messages);
			assert_true(count_in(smtp_play_said(&t), submissions[i].code) >= 1);
			assert_int_equal(count_in(smtp_play_said(&t), "accepted"),
			                 submissions[i].messages);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_039_smtp_state_abuse),
	    cmocka_unit_test(attack_039_submission_state_abuse),
	    cmocka_unit_test(attack_039_smtp_nothing_stays_of_a_refused_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* attack_042_smtp_storms.c - recipients, junk and idle commands without an end. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* The same line until the session ends; how many were sent. */
static size_t
storm(struct smtp_play *t, const char *begin, const char *line, size_t max)
{
	enum smtp_want want = SMTP_INPUT;
	size_t n = 0;

	smtp_play_init(t);
	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->asked = wr_of(t->asked_room, sizeof(t->asked_room));
	t->stored = wr_of(t->stored_room, sizeof(t->stored_room));
	t->s = smtp_new(&t->conf, NO_BYTES, NO_BYTES, false);
	smtp_play_turn(t, bytes_of(begin), &want);
	for (; n < max && want == SMTP_INPUT; n++) {
		smtp_play_turn(t, bytes_of(line), &want);
		assert_true(smtp_memory(t->s) < 2 * SMTP_ENVELOPE_MAX);
	}
	return n;
}

#define HELO "HELO ycp.edu\r\n"
#define MAIL "MAIL FROM:<alice@ycp.edu>\r\n"

static void
attack_042_smtp_storms_end(void **state)
{
	static const struct {
		const char *begin, *line;
		size_t least, most;
	} cases[] = {
	    {HELO, "XYZZY\r\n", SMTP_ERRORS_MAX, SMTP_ERRORS_MAX},
	    {HELO MAIL, "RCPT TO:<nobody@fakeplace.edu>\r\n", SMTP_ERRORS_MAX, SMTP_ERRORS_MAX},
	    {HELO, "NOOP\r\n", SMTP_JUNK_MAX, SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO, "RSET\r\n", SMTP_JUNK_MAX, SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO, "VRFY bob\r\n", SMTP_JUNK_MAX, SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO, "EHLO x\r\n", SMTP_JUNK_MAX, SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO, MAIL "RSET\r\n", SMTP_JUNK_MAX, SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO MAIL, "RCPT TO:<later@fakeplace.edu>\r\n", SMTP_JUNK_MAX,
	     SMTP_JUNK_MAX + SMTP_ERRORS_MAX},
	    {HELO MAIL, "RCPT TO:<bob@fakeplace.edu>\r\n", SMTP_RCPT_MAX, 2 * SMTP_RCPT_MAX + 30},
	};
	static struct smtp_play t;
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		n = storm(&t, cases[i].begin, cases[i].line, 100000);
		assert_in_range(n, cases[i].least, cases[i].most);
		assert_int_equal(count_in(smtp_play_said(&t), "\r\n421 4.7.0 "), 1);
		smtp_free(t.s);
	}
}

/* The first thousand have their mail; the others were told 452. */
static void
attack_042_smtp_too_many_recipients(void **state)
{
	static struct smtp_play t;
	enum smtp_want want;
	size_t at = 0, n = 0;
	struct bytes a;

	(void)state;
	storm(&t, HELO MAIL, "RCPT TO:<bob@fakeplace.edu>\r\n", SMTP_RCPT_MAX + 5);
	assert_int_equal(count_in(smtp_play_said(&t), "\r\n452 4.5.3 "), 5);
	assert_int_equal(smtp_rcpts(t.s), SMTP_RCPT_MAX);
	while (smtp_rcpt(t.s, &at, &a))
		n += bytes_eq(a, BYTES("bob@fakeplace.edu"));
	assert_int_equal(n, SMTP_RCPT_MAX);
	smtp_play_turn(&t, BYTES("DATA\r\n.\r\n"), &want);
	assert_int_equal(count_in(smtp_play_said(&t), "accepted"), 1);
	smtp_free(t.s);
}

/* Long addresses reach the memory's cap before the number's. */
static void
attack_042_smtp_envelope_is_bounded(void **state)
{
	static struct smtp_play t;
	char line[128];

	(void)state;
	snprintf(line, sizeof(line), "RCPT TO:<%064d@fakeplace.edu>\r\n", 0);
	storm(&t, HELO MAIL, line, 900);
	assert_in_range(smtp_rcpts(t.s), 500, 899);
	assert_true(count_in(smtp_play_said(&t), "\r\n452 4.5.3 ") > 1);
	smtp_free(t.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_042_smtp_storms_end),
	    cmocka_unit_test(attack_042_smtp_too_many_recipients),
	    cmocka_unit_test(attack_042_smtp_envelope_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

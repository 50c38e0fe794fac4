/* attack_038_smtp_endless_line.c - a line without an end, in commands and in data. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define BEGIN "HELO ycp.edu\r\nMAIL FROM:<alice@ycp.edu>\r\nRCPT TO:<bob@fakeplace.edu>\r\nDATA\r\n"

/* Octets of one endless line that a session reads before it closes. */
static size_t
swallowed(struct smtp_play *t, const char *begin)
{
	static uint8_t line[100000];
	enum smtp_want want = SMTP_INPUT;
	size_t read = 0, kept = 0, eaten;

	memset(line, 'x', sizeof(line));
	t->said = wr_of(t->said_room, sizeof(t->said_room));
	t->s = smtp_new(&t->conf, NO_BYTES, NO_BYTES, false);
	smtp_play_turn(t, bytes_of(begin), &want);
	while (want == SMTP_INPUT && read < sizeof(line)) {
		read += 1000;
		kept += 1000;
		t->text = wr_of(t->body_room, sizeof(t->body_room));
		eaten = smtp_play_turn(t, (struct bytes){line, kept}, &want);
		kept -= eaten;
	}
	assert_int_equal(want, SMTP_CLOSE);
	smtp_free(t->s);
	return read;
}

static void
attack_038_smtp_endless_line(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	assert_true(swallowed(&t, BEGIN) <= SMTP_TEXT_LINE_MAX + 1000);
	assert_int_equal(count_in(smtp_play_said(&t), "\r\n500 5.5.2 line too long"), 1);
	assert_true(swallowed(&t, "HELO ycp.edu\r\n") <= 2000);
	assert_int_equal(count_in(smtp_play_said(&t), "\r\n500 5.5.2 line too long"), 1);
}

/* A long line is handed on as it comes: nothing of it is kept. */
static void
attack_038_smtp_long_lines_stream(void **state)
{
	static struct smtp_play t;
	static char client[sizeof(BEGIN) + SMTP_TEXT_LINE_MAX + 8];

	(void)state;
	smtp_play_init(&t);
	snprintf(client, sizeof(client), "%s%0*d\r\n.\r\n", BEGIN, SMTP_TEXT_LINE_MAX, 0);
	for (size_t cut = 1; cut < 100000; cut = cut * 3 + 1) {
		smtp_play(&t, bytes_of(client), cut);
		assert_int_equal(count_in(smtp_play_said(&t), "250 2.0.0 s1-1 Message"), 1);
		assert_true(smtp_play_stored(&t).n > SMTP_TEXT_LINE_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_038_smtp_endless_line),
	    cmocka_unit_test(attack_038_smtp_long_lines_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

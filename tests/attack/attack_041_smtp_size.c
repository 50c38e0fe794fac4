/* attack_041_smtp_size.c - a small size declared, an endless body sent. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define BEGIN                                                                                      \
	"EHLO ycp.edu\r\nMAIL FROM:<alice@ycp.edu> SIZE=1\r\nRCPT "                                \
	"TO:<bob@fakeplace.edu>\r\nDATA\r\n"

/* A body that goes on for ever behind SIZE=1: dropped at the limit, closed a limit later. */
static void
attack_041_smtp_size_lies(void **state)
{
	enum { LIMIT = 100 * 1000 };
	static struct smtp_play t;
	static char lines[1000];
	enum smtp_want want = SMTP_INPUT;
	size_t sent = 0;

	(void)state;
	smtp_play_init(&t);
	t.conf.size_max = LIMIT;
	for (size_t i = 0; i < sizeof(lines); i++)
		lines[i] = "0123456\r\n0"[i % 10 == 9 ? 0 : i % 10];
	memcpy(lines + sizeof(lines) - 3, "0\r\n", 3);
	t.said = wr_of(t.said_room, sizeof(t.said_room));
	t.asked = wr_of(t.asked_room, sizeof(t.asked_room));
	t.s = smtp_new(&t.conf, NO_BYTES, BYTES("s1"), false);
	smtp_play_turn(&t, BYTES(BEGIN), &want);
	assert_int_equal(smtp_declared(t.s), 1);
	while (want == SMTP_INPUT && sent < 1000 * 1000 * 1000) {
		smtp_play_turn(&t, (struct bytes){(const uint8_t *)lines, sizeof(lines)}, &want);
		sent += sizeof(lines);
		assert_true((t.drops == 1) == (sent > LIMIT));
		assert_true(wr_since(&t.text, t.body_room).n <= LIMIT);
	}
	assert_int_equal(want, SMTP_CLOSE);
	assert_true(sent <= 2 * LIMIT + 2 * sizeof(lines));
	assert_int_equal(count_in(smtp_play_said(&t), "552 5.3.4 "), 1);
	smtp_free(t.s);
}

static void
attack_041_smtp_size_declared(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	smtp_play(&t,
	          BYTES("EHLO a\r\nMAIL FROM:<a@b> SIZE=1000001\r\n"
	                "MAIL FROM:<a@b> SIZE=18446744073709551616\r\n"),
	          1000);
	assert_int_equal(count_in(smtp_play_said(&t), "552 5.3.4 "), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_041_smtp_size_lies),
	    cmocka_unit_test(attack_041_smtp_size_declared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

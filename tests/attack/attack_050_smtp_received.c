/* attack_050_smtp_received.c - a message that goes in a loop. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static void
attack_050_smtp_received(void **state)
{
	static const char field[] =
	    "Received: from a by b;\r\n\tSun, 22 Nov 2026 14:05:16 +0000\r\n";
	struct summary_scan scan = {0};
	struct bytes b = bytes_of(field);

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		summary_feed(&scan, (struct bytes){b.p, i % b.n});
		summary_feed(&scan, (struct bytes){b.p + i % b.n, b.n - i % b.n});
		assert_true((scan.row.received > SUMMARY_RECEIVED_MAX) == (i >= 50));
	}
	summary_feed(&scan, BYTES("\r\n"));
	for (size_t i = 0; i < 100; i++)
		summary_feed(&scan, b);
	assert_int_equal(summary_done(&scan).received, 100);
	summary_fini(&scan);
}

/* What the driver does with it: the message is refused, and the session goes on. */
static void
attack_050_smtp_loop_is_refused(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.commit = SMTP_LOOP;
	smtp_play(&t,
	          BYTES("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<bob@fakeplace.edu>\r\nDATA\r\n"
	                "Received: x\r\n\r\n.\r\nNOOP\r\n"),
	          10);
	assert_int_equal(count_in(smtp_play_said(&t), "554 5.4.6 "), 1);
	assert_int_equal(count_in(smtp_play_said(&t), "250 2.0.0 ok"), 1);
	assert_int_equal(smtp_play_stored(&t).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_050_smtp_received),
	    cmocka_unit_test(attack_050_smtp_loop_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

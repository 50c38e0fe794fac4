/* attack_084_smtp_starttls.c - plaintext in the same segment as STARTTLS. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define HELO "EHLO evil\r\n"

/* What was injected in plaintext behind STARTTLS is never heard of again. */
static void
attack_084_smtp_starttls(void **state)
{
	static struct smtp_play t;
	static const char inside[] =
	    "RCPT TO:<bob@fakeplace.edu>\r\nEHLO good\r\nRCPT TO:<bob@fakeplace.edu>\r\nQUIT\r\n";
	static const char client[] =
	    HELO "STARTTLS\r\nMAIL FROM:<evil@x.edu>\r\nRCPT TO:<bob@fakeplace.edu>\r\nDATA\r\n";

	(void)state;
	smtp_play_init(&t);
	t.after_tls = inside;
	for (size_t cut = 1; cut <= strlen(client); cut++) {
		smtp_play(&t, bytes_of(client), cut);
		assert_int_equal(t.handshakes, 1);
		assert_int_equal(count_in(smtp_play_said(&t), "250 2.1.0 "), 0);
		assert_int_equal(wr_since(&t.asked, t.asked_room).n, 0);
		assert_int_equal(count_in(smtp_play_said(&t), "250-STARTTLS"), 1);
		assert_int_equal(count_in(smtp_play_said(&t), "503 5.5.1 HELO or EHLO first"), 1);
		assert_int_equal(count_in(smtp_play_said(&t), "503 5.5.1 MAIL first"), 1);
	}
}

/* The same read holds STARTTLS and more: all of it is gone from the input. */
static void
attack_084_smtp_read_ahead_is_eaten(void **state)
{
	struct smtp_conf conf = {.host = BYTES("fakeplace.edu"), .rcpt_max = 1, .starttls = true};
	struct smtp *s = smtp_new(&conf, NO_BYTES, NO_BYTES, false);
	struct rd in = rd_of(BYTES(HELO "STARTTLS\r\nEHLO x\r\nMA"));
	uint8_t room[2 * SMTP_REPLY_MAX];
	struct wr out = wr_of(room, sizeof(room));

	(void)state;
	assert_int_equal(smtp_step(s, &in, &out), SMTP_TLS);
	assert_int_equal(rd_left(&in), 0);
	in = rd_of(BYTES("MAIL FROM:<>\r\n"));
	assert_int_equal(smtp_step(s, &in, &out), SMTP_TLS); /* nothing is heard meanwhile */
	assert_int_equal(rd_left(&in), 14);
	smtp_tls_done(s);
	assert_int_equal(smtp_helo(s).n, 0);
	assert_true(smtp_is_tls(s));
	smtp_free(s);
}

static void
attack_084_smtp_no_second_tls(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.after_tls = HELO "STARTTLS\r\n";
	smtp_play(&t, BYTES(HELO "STARTTLS\r\n"), 100);
	assert_int_equal(t.handshakes, 1);
	assert_int_equal(count_in(smtp_play_said(&t), "503 5.5.1 TLS is active"), 1);
	t.conf.starttls = false;
	smtp_play(&t, BYTES(HELO "STARTTLS\r\n"), 100);
	assert_int_equal(t.handshakes, 0);
	assert_int_equal(count_in(smtp_play_said(&t), "502 5.5.1 STARTTLS is not offered"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_084_smtp_starttls),
	    cmocka_unit_test(attack_084_smtp_read_ahead_is_eaten),
	    cmocka_unit_test(attack_084_smtp_no_second_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* attack_046_smtp_alien.c - browsers and others who take us for something else. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const struct {
	const char *text;
	size_t n;
} aliens[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27},
    {"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\nEHLO a\r\nMAIL FROM:<>\r\n", 61},
    {"HEAD / HTTP/1.0\r\n\r\n", 19},
    {"OPTIONS * HTTP/1.1\r\n", 20},
    {"CONNECT x:25 HTTP/1.1\r\n", 23},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24},
    {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
    {"SSH-2.0-OpenSSH_9.2\r\n", 21},
};

static void
attack_046_smtp_alien(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(aliens); i++)
		for (size_t cut = 1; cut <= aliens[i].n; cut++) {
			smtp_play(&t, (struct bytes){(const uint8_t *)aliens[i].text, aliens[i].n},
			          cut);
			assert_true(t.closed);
			assert_true(bytes_eq(smtp_play_said(&t),
			                     BYTES("220 fakeplace.edu ESMTP Stead\r\n")));
		}
}

/* Also later in a session, but not in the text of a message. */
static void
attack_046_smtp_alien_later(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	smtp_play(&t, BYTES("EHLO a\r\nPOST / HTTP/1.1\r\nMAIL FROM:<>\r\n"), 10);
	assert_true(t.closed);
	assert_int_equal(count_in(smtp_play_said(&t), "250 2.1.0 "), 0);
	smtp_play(&t,
	          BYTES("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<bob@fakeplace.edu>\r\nDATA\r\n"
	                "GET / HTTP/1.1\r\n.\r\n"),
	          10);
	assert_int_equal(count_in(smtp_play_said(&t), "accepted"), 1);
}

static void
attack_046_smtp_pregreet(void **state)
{
	struct smtp_conf conf = {.host = BYTES("fakeplace.edu"), .rcpt_max = 1, .starttls = true};
	struct smtp *s = smtp_new(&conf, NO_BYTES, NO_BYTES, false);
	struct rd in = rd_of(BYTES("EHLO a\r\nMAIL FROM:<>\r\n"));
	uint8_t room[SMTP_REPLY_MAX];
	struct wr out = wr_of(room, sizeof(room));

	(void)state;
	smtp_end(s, SMTP_PREGREET);
	assert_int_equal(smtp_step(s, &in, &out), SMTP_CLOSE);
	assert_int_equal(count_in(wr_since(&out, room), "554 "), 1);
	assert_int_equal(count_in(wr_since(&out, room), "250"), 0);
	smtp_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_046_smtp_alien),
	    cmocka_unit_test(attack_046_smtp_alien_later),
	    cmocka_unit_test(attack_046_smtp_pregreet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

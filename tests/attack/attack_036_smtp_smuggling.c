/* attack_036_smtp_smuggling.c - ends that others believe in, and a second message behind them. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define BEGIN "EHLO ycp.edu\r\nMAIL FROM:<alice@ycp.edu>\r\nRCPT TO:<bob@fakeplace.edu>\r\nDATA\r\n"
#define SECOND                                                                                     \
	"MAIL FROM:<root@fakeplace.edu>\r\nRCPT "                                                  \
	"TO:<carol@fakeplace.edu>\r\nDATA\r\nforged\r\n.\r\n"                                      \
	"QUIT\r\n"

/* What some server or other takes for the end of a message. */
static const struct {
	const char *text;
	size_t n;
} ends[] = {
    {"\n.\n", 3},       {"\n.\r\n", 4},       {"\r.\r", 3},         {"\r\n.\n", 4},
    {"\r\n.\r", 4},     {"\r\n\0.\r\n", 6},   {"\r\n.\r\r\n", 6},   {"\r.\r\n", 4},
    {"\n.\r", 3},       {"\r\n.\0\r\n", 6},   {"\r\r\n.\r\r\n", 7}, {"\r\n\r.\r\n", 6},
    {"\r\n.\n\r\n", 6}, {"\r\n\n.\n\r\n", 7}, {"\0\r\n.\n", 5},     {"\n\n.\n\n", 5},
};

/* One message or none, then the connection is closed with 5xx: never two. */
static void
attack_036_smtp_smuggling(void **state)
{
	static struct smtp_play t;
	char client[1024];
	size_t n;

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(ends); i++)
		for (int closed = 0; closed < 2; closed++) {
			n = (size_t)snprintf(client, sizeof(client), "%sa: b\r\n\r\ntext", BEGIN);
			memcpy(client + n, ends[i].text, ends[i].n);
			n += ends[i].n;
			n += (size_t)snprintf(client + n, sizeof(client) - n, "%s%s", SECOND,
			                      closed ? "\r\n.\r\n" : "");
			for (size_t cut = 1; cut <= n; cut++) {
				smtp_play(&t, (struct bytes){(const uint8_t *)client, n}, cut);
				assert_int_equal(smtp_play_stored(&t).n, 0);
				assert_true(t.closed);
				assert_int_equal(count_in(smtp_play_said(&t), "\r\n554 5.6.0 "), 1);
				assert_int_equal(count_in(smtp_play_said(&t), "\r\n250 2.1.0 "), 1);
				assert_int_equal(count_in(smtp_play_said(&t), "accepted"), 0);
			}
		}
}

/* The text of a stuffed dot line is text, also when it looks like commands. */
static void
attack_036_smtp_commands_in_a_body_are_text(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	for (size_t cut = 1; cut < 200; cut++) {
		smtp_play(&t, BYTES(BEGIN "..\r\n" SECOND), cut);
		assert_int_equal(count_in(smtp_play_stored(&t), "{"), 1);
		assert_int_equal(count_in(smtp_play_stored(&t), "|.\r\nMAIL FROM:"), 1);
		assert_int_equal(count_in(smtp_play_said(&t), "250 2.1.0 "), 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_036_smtp_smuggling),
	    cmocka_unit_test(attack_036_smtp_commands_in_a_body_are_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

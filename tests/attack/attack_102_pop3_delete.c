/* attack_102_pop3_delete.c - a session that ends without QUIT deletes nothing. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const maildrop[] = {"a: b\r\n\r\nx\r\n", "c: d\r\n\r\ny\r\n"};

#define LOGIN "USER bob\r\nPASS hungry\r\n"

/* Only QUIT, whole and in the transaction phase, asks for the update. */
static void
attack_102_pop3_deletes_at_quit_only(void **state)
{
	static const struct {
		const char *client;
		size_t updates;
	} cases[] = {
	    {LOGIN "DELE 1\r\n", 0},
	    {LOGIN "DELE 1\r\nQUIT", 0},
	    {LOGIN "DELE 1\r\nQUIT\r", 0},
	    {LOGIN "DELE 1\r\nQUIT\n", 0},
	    {LOGIN "DELE 1\r\nQUIT now\r\n", 0},
	    {LOGIN "DELE 1\r\nRSET\r\nQUIT\r\n", 0},
	    {LOGIN "DELE 1\r\nGET / HTTP/1.1\r\nQUIT\r\n", 0},
	    {LOGIN "DELE 1\r\nX\0Y\r\nQUIT\r\n", 0},
	    {LOGIN "QUIT\r\n", 0},
	    {"DELE 1\r\nQUIT\r\n", 0},
	    {LOGIN "DELE 1\r\nQUIT\r\n", 1},
	};
	static struct pop3_play t;

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 64; cut++) {
			pop3_play(&t, bytes_of(cases[i].client), cut);
			assert_int_equal(t.updates, cases[i].updates);
			assert_true(bytes_eq(pop3_play_removed(&t),
			                     cases[i].updates ? BYTES("1 ") : BYTES("")));
		}
}

/* Errors until the session is thrown out do not delete either. */
static void
attack_102_pop3_thrown_out_deletes_nothing(void **state)
{
	static struct pop3_play t;
	static char client[512] = LOGIN "DELE 1\r\n";

	(void)state;
	for (size_t i = 0; i < POP3_ERRORS_MAX; i++)
		memcpy(client + strlen(client), "X\r\n", 4);
	memcpy(client + strlen(client), "QUIT\r\n", 7);
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	pop3_play(&t, bytes_of(client), 50);
	assert_true(t.closed);
	assert_int_equal(t.updates, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_102_pop3_deletes_at_quit_only),
	    cmocka_unit_test(attack_102_pop3_thrown_out_deletes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

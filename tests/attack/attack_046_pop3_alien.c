/* attack_046_pop3_alien.c - a browser on the POP3 port. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const maildrop[] = {"a: b\r\n\r\nx\r\n"};

/* A browser that was sent here hears the greeting and nothing else. */
static void
attack_046_pop3_alien(void **state)
{
	static struct pop3_play t;
	struct bytes client = BYTES("POST / HTTP/1.1\r\n\r\nUSER bob\r\nPASS hungry\r\n");

	(void)state;
	pop3_play_init(&t, maildrop, 1);
	for (size_t cut = 1; cut <= client.n; cut++) {
		pop3_play(&t, client, cut);
		assert_true(t.closed);
		assert_true(
		    bytes_eq(pop3_play_said(&t), BYTES("+OK fakeplace.edu POP3 Stead\r\n")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_046_pop3_alien),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* attack_046_imap_alien.c - a browser on the IMAP port. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* A browser that was sent here hears the greeting and nothing else. */
static void
attack_046_imap_alien(void **state)
{
	const struct bytes clients[] = {
	    BYTES("POST / HTTP/1.1\r\n\r\na LOGIN bob \"hun\\\"gry\"\r\n"),
	    BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
	    BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	};
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	for (size_t i = 0; i < COUNT(clients); i++)
		for (size_t cut = 1; cut <= clients[i].n; cut++) {
			imap_play(&t, clients[i], cut);
			assert_true(t.closed);
			assert_non_null(memmem(t.said_room, 80, "* OK [", 6));
			assert_ptr_equal(memchr(t.said_room, '\n', 4096), t.said.p - 1);
		}
}

/* Behind a first line that is a command, what looks like one of HTTP is a tag. */
static void
attack_046_imap_tags_may_be_words(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	imap_play(&t, BYTES("a NOOP\r\nGET NOOP\r\n"), 3);
	assert_false(t.closed);
	assert_non_null(memmem(t.said_room, 4096, "\r\nGET OK done\r\n", 15));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_046_imap_alien),
	    cmocka_unit_test(attack_046_imap_tags_may_be_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

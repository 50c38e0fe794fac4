/* attack_108_imap_nul.c - NUL in what a command says, and literals that may hold it. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define IN "l LOGIN bob \"hun\\\"gry\"\r\n"

static void
attack_108_imap_nul(void **state)
{
	const struct {
		struct bytes client;
		bool closed;
		const char *did;
	} cases[] = {
	    {BYTES(IN "a CREATE \"x\0y\"\r\nb NOOP\r\n"), false, ""},
	    {BYTES(IN "a CREATE x\0y\r\nb NOOP\r\n"), false, ""},
	    {BYTES(IN "a CREATE {3+}\r\nx\0y\r\nb NOOP\r\n"), false, ""},
	    {BYTES(IN "a\0 CREATE x\r\nb NOOP\r\n"), false, ""},
	    {BYTES(IN "a CREATE x\r\n\0\r\nb NOOP\r\n"), false, "create x\n"},
	    {BYTES(IN "a CREATE {3}\r\nx\0y\r\nb NOOP\r\n"), false, ""},
	    {BYTES(IN "a CREATE ~{3}\r\nb NOOP\r\n"), false, ""}, /* literal8: RFC 3516 */
	    {BYTES(IN "a CREATE ~{3+}\r\nx\0y\r\nb NOOP\r\n"), true, ""},
	    {BYTES(IN "a APPEND x ~{3+}\r\nx\0y\r\nb NOOP\r\n"), true, ""},
	    {BYTES(IN "a APPEND x\0 {3+}\r\nxyz\r\nb NOOP\r\n"), false, ""},
	};
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 80; cut += 3) {
			struct bytes b;

			imap_play(&t, cases[i].client, cut);
			b = imap_play_said(&t);
			assert_int_equal(t.closed, cases[i].closed);
			assert_true(bytes_eq(imap_play_did_all(&t), bytes_of(cases[i].did)));
			assert_non_null(memmem(b.p, b.n, " BAD ", 5));
			assert_null(memchr(b.p, '\0', b.n));
			assert_int_equal(memmem(b.p, b.n, "b OK done", 9) != NULL, !t.closed);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_108_imap_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* attack_092_imap_plaintext.c - a login where the network can read along. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static bool
said(const struct imap_play *t, const char *text)
{
	struct bytes b = imap_play_said(t);

	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

static void
attack_092_imap_plaintext(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	t.plaintext = false;
	imap_play(&t,
	          BYTES("a LOGIN bob \"hun\\\"gry\"\r\nb AUTHENTICATE PLAIN AGJvYgBodW4iZ3J5\r\n"
	                "c AUTHENTICATE PLAIN\r\nd CREATE x\r\n"),
	          7);
	assert_true(said(&t, "STARTTLS LOGINDISABLED]"));
	assert_false(said(&t, "AUTH="));
	assert_true(said(&t, "a NO [PRIVACYREQUIRED]"));
	assert_true(said(&t, "b NO [PRIVACYREQUIRED]"));
	assert_true(said(&t, "c NO [PRIVACYREQUIRED]")); /* no "+": the secret is not asked for */
	assert_false(said(&t, "\n+"));
	assert_true(said(&t, "d BAD log in first"));
}

static void
attack_092_imap_inside_tls(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	t.plaintext = false;
	t.tls = true;
	imap_play(&t, BYTES("a CAPABILITY\r\nb LOGIN bob \"hun\\\"gry\"\r\n"), 7);
	assert_false(said(&t, "LOGINDISABLED"));
	assert_false(said(&t, "STARTTLS"));
	assert_true(said(&t, "AUTH=PLAIN"));
	assert_true(said(&t, "b OK [CAPABILITY"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_092_imap_plaintext),
	    cmocka_unit_test(attack_092_imap_inside_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

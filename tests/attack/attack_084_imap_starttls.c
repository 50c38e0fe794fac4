/* attack_084_imap_starttls.c - plaintext in the same segment as STARTTLS. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static size_t
said(const struct imap_play *t, const char *text)
{
	struct bytes b = imap_play_said(t);
	size_t n = 0, len = strlen(text);

	for (size_t i = 0; i + len <= b.n; i++)
		n += memcmp(b.p + i, text, len) == 0;
	return n;
}

static void
attack_084_imap_starttls(void **state)
{
	static struct imap_play t;
	static const char client[] =
	    "a STARTTLS\r\nb LOGIN bob \"hun\\\"gry\"\r\nc CREATE evil\r\n";

	(void)state;
	imap_play_init(&t);
	t.after_tls = "d CREATE x\r\ne CAPABILITY\r\nf STARTTLS\r\ng LOGOUT\r\n";
	for (size_t cut = 1; cut <= strlen(client); cut++) {
		imap_play(&t, bytes_of(client), cut);
		assert_int_equal(t.handshakes, 1);
		assert_int_equal(imap_play_did_all(&t).n, 0);
		assert_int_equal(said(&t, "b "), 0);
		assert_int_equal(said(&t, "c "), 0);
		assert_int_equal(said(&t, "d BAD log in first"), 1);
		assert_int_equal(said(&t, "f BAD TLS is active"), 1);
		assert_int_equal(said(&t, " STARTTLS"), 1); /* in the greeting */
	}
}

/* Half a command or a literal that was promised before is not gone on with. */
static void
attack_084_imap_starttls_forgets(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	t.after_tls = "CREATE evil\r\n";
	imap_play(&t, BYTES("a STARTTLS\r\nb LOGIN {3+}\r\n"), 1000);
	assert_int_equal(t.handshakes, 1);
	assert_int_equal(said(&t, "\r\nCREATE BAD"), 1);
	assert_int_equal(imap_play_did_all(&t).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_084_imap_starttls),
	    cmocka_unit_test(attack_084_imap_starttls_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

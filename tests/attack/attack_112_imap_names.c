/* attack_112_imap_names.c - names that climb, names that are not modified UTF-7, patterns of stars. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define IN "l LOGIN bob \"hun\\\"gry\"\r\n"

/* A name is a key: what looks like a path is asked for as it stands. */
static void
attack_112_imap_paths_are_names(void **state)
{
	static struct imap_play t;

	(void)state;
	imap_play_init(&t);
	imap_play(&t, BYTES(IN "a CREATE ../../etc\r\na DELETE /\r\na CREATE a//b/../c\r\n"), 9);
	assert_true(bytes_eq(imap_play_did_all(&t),
	                     BYTES("create ../../etc\ndelete /\ncreate a//b/../c\n")));
}

static void
attack_112_imap_bad_utf7(void **state)
{
	static const char *const bad[] = {
	    "&",     "&AOk",  "&AGE-", "&AOk-&AOk-",       "&2D0-", "&3gA-",
	    "&AAA-", "&AAo-", "&AOl-", "{2+}\r\n\xc3\xa9", "&Jjo!-"};
	static struct imap_play t;
	char client[256];

	(void)state;
	imap_play_init(&t);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct bytes b;

		snprintf(client, sizeof(client),
		         IN "a CREATE %s\r\nb SELECT %s\r\nc LIST \"\" %s\r\nd NOOP\r\n", bad[i],
		         bad[i], bad[i]);
		imap_play(&t, bytes_of(client), 5);
		b = imap_play_said(&t);
		assert_int_equal(imap_play_did_all(&t).n, 0);
		assert_non_null(memmem(b.p, b.n, "\r\na BAD ", 8));
		assert_non_null(memmem(b.p, b.n, "\r\nb BAD ", 8));
		assert_non_null(memmem(b.p, b.n, "\r\nc BAD ", 8));
		assert_non_null(memmem(b.p, b.n, "\r\nd OK ", 7));
	}
}

/* A hundred of the worst matches; one that tried every way would not end today. */
static void
attack_112_imap_patterns_are_linear(void **state)
{
	uint8_t name[255], stars[511], pairs[510];

	(void)state;
	memset(name, 'a', sizeof(name));
	memset(stars, '*', sizeof(stars));
	for (size_t i = 0; i < sizeof(pairs); i++)
		pairs[i] = i % 2 ? 'a' : i % 4 ? '%' : '*';
	pairs[sizeof(pairs) - 1] = 'b';
	assert_true(imap_name_match((struct bytes){stars, sizeof(stars)},
	                            (struct bytes){name, sizeof(name)}));
	for (size_t i = 0; i < 100; i++)
		assert_false(imap_name_match((struct bytes){pairs, sizeof(pairs)},
		                             (struct bytes){name, sizeof(name)}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_112_imap_paths_are_names),
	    cmocka_unit_test(attack_112_imap_bad_utf7),
	    cmocka_unit_test(attack_112_imap_patterns_are_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

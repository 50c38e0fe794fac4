/* imap_name.c - modified UTF-7 both ways, patterns and the order of names. */
#include "proto/imap_name.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const struct {
	const char *wire, *name;
} good[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {"~peter/mail/&U,BTFw-/&ZeVnLIqe-",
     "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
    {"a&-b", "a&b"},
    {"&-&-", "&&"},
    {"&AOk-t&AOk-", "\xc3\xa9t\xc3\xa9"},
    {"&AOkA6Q-", "\xc3\xa9\xc3\xa9"},
    {"&2D3eAA-", "\xf0\x9f\x98\x80"},
    {"&2D3eAADp-", "\xf0\x9f\x98\x80\xc3\xa9"},
    {"../x", "../x"},
    {"a\\b\"%*", "a\\b\"%*"},
};

static const char *const bad[] = {
    "&",          "&AOk",   "a&b",   "&AGE-", /* "a" has a spelling of its own */
    "&AOk-&AOk-",                             /* a stretch that ends for nothing */
    "&AOl-",      "&AOkA-", "&A-",   "&2D0-",    "&3gA-", "&3gDYPQ-", /* bits, surrogates */
    "&AAA-",      "&AAo-",  "&AIA-", "\xc3\xa9", "a\tb",  "\x7f",     "&AO/k-", "&=-", "&AOk=-",
};

static void
names_have_one_spelling(void **state)
{
	uint8_t room[256];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct wr w = wr_of(room, sizeof(room));

		assert_true(imap_name_decode(&w, bytes_of(good[i].wire)));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(good[i].name)));
		w = wr_of(room, sizeof(room));
		imap_name_encode(&w, bytes_of(good[i].name));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(good[i].wire)));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct wr w = wr_of(room, sizeof(room));

		assert_false(imap_name_decode(&w, bytes_of(bad[i])));
	}
}

static void
what_is_not_utf8_is_shown(void **state)
{
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	imap_name_encode(&w, BYTES("a\xff\xc3"));
	assert_true(bytes_eq(wr_since(&w, room), BYTES("a??")));
}

static void
patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
	    {"", "", true},
	    {"", "a", false},
	    {"a", "a", true},
	    {"a", "A", false},
	    {"*", "", true},
	    {"*", "a/b/c", true},
	    {"%", "a", true},
	    {"%", "a/b", false},
	    {"%/%", "a/b", true},
	    {"%/%", "a", false},
	    {"a/*", "a/b/c", true},
	    {"a*c", "a/b/c", true},
	    {"a%c", "abc", true},
	    {"a%c", "a/c", false},
	    {"*b%", "a/b", true},
	    {"*b%", "a/bx/c", false},
	    {"*b%", "ab/ab", true},
	    {"inbox", "INBOX", true},
	    {"iN*", "INBOX", true},
	    {"inbox", "INBOX/a", false},
	    {"%a%b%", "xaxbx", true},
	    {"%a%b%", "xbxax", false},
	    {"*a*b", "a/a/b/b", true},
	    {"*%", "a/b", true},
	    {"%*%", "a/b", true},
	    {"a%%b", "ab", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(
		    imap_name_match(bytes_of(cases[i].pattern), bytes_of(cases[i].name)),
		    cases[i].matches);
}

static void
the_order_keeps_what_is_beneath_together(void **state)
{
	static const char *const sorted[] = {"",      "/",   "A",  "a",    "a/", "a/b",
	                                     "a/b/c", "a/c", "a-", "a-/x", "ab"};

	(void)state;
	for (size_t i = 0; i < COUNT(sorted); i++)
		for (size_t k = 0; k < COUNT(sorted); k++) {
			int c = imap_name_order(bytes_of(sorted[i]), bytes_of(sorted[k]));

			assert_int_equal((c > 0) - (c < 0), (i > k) - (i < k));
		}
	assert_true(imap_name_beneath(BYTES("a/b"), BYTES("a")));
	assert_false(imap_name_beneath(BYTES("ab"), BYTES("a")));
	assert_false(imap_name_beneath(BYTES("a"), BYTES("a")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_have_one_spelling),
	    cmocka_unit_test(what_is_not_utf8_is_shown),
	    cmocka_unit_test(patterns),
	    cmocka_unit_test(the_order_keeps_what_is_beneath_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

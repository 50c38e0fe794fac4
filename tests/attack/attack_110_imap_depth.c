/* attack_110_imap_depth.c - searches that are deep, and sets that are long. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define IN "l LOGIN bob \"hun\\\"gry\"\r\ns SELECT INBOX\r\n"

static struct imap_play t;
static uint8_t big[1 << 18];

static bool
said(const char *text)
{
	struct bytes b = imap_play_said(&t);

	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

/* A search with n times `open`, ALL, and n times `close`. */
static void
search(const char *open, size_t n, const char *close)
{
	struct wr w = wr_of(big, sizeof(big));

	wr_text(&w, IN "a SEARCH ");
	for (size_t i = 0; i < n; i++)
		wr_text(&w, open);
	wr_text(&w, "ALL");
	for (size_t i = 0; i < n; i++)
		wr_text(&w, close);
	wr_text(&w, "\r\nb NOOP\r\n");
	assert_false(w.full);
	imap_play_init(&t);
	imap_play_message(&t, 1, 0, "a: b\r\n\r\nc\r\n");
	imap_play(&t, wr_since(&w, big), 1 << 20);
	assert_true(said("b OK done"));
}

static void
attack_110_imap_deep_search(void **state)
{
	static const struct {
		const char *open, *close;
	} kinds[] = {{"(", ")"}, {"NOT ", ""}, {"OR ", " ALL"}, {"OR ALL ", ""}, {"ALL (", ")"}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		search(kinds[i].open, IMAP_SEARCH_DEPTH, kinds[i].close);
		assert_true(said("a OK done"));
		search(kinds[i].open, IMAP_SEARCH_DEPTH + 1, kinds[i].close);
		assert_true(said("a BAD too many of these, or too deep"));
		search(kinds[i].open, 6000, kinds[i].close);
		assert_true(said("a BAD too many of these, or too deep"));
	}
	search("ALL ", IMAP_SEARCH_NODES / 2 - 1, "");
	assert_true(said("a OK done"));
	search("ALL ", IMAP_SEARCH_NODES / 2, "");
	assert_true(said("a BAD too many of these, or too deep"));
}

/* "1,1,1,...", "*:1,*:1,...": a set costs its length once, then looks are short. */
static void
attack_110_imap_long_sets(void **state)
{
	static const char *const parts[] = {"1,", "*:1,", "1:*,", "1:4294967295,"};

	(void)state;
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct arena a = arena_init(IMAP_MEMORY_MAX);
		struct wr w = wr_of(big, IMAP_COMMAND_MAX);
		struct rd in;
		struct imap_set set;

		while (wr_room(&w) > 32)
			wr_text(&w, parts[i]);
		wr_text(&w, "1");
		in = rd_of(wr_since(&w, big));
		assert_true(is_ok(imap_set_read(&set, &in, &a)));
		assert_true(imap_set_resolve(&set, 1000000, true));
		assert_int_equal(set.n, 1);
		assert_true(imap_set_has(&set, 1));
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_110_imap_deep_search),
	    cmocka_unit_test(attack_110_imap_long_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

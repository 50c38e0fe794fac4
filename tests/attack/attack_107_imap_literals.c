/* attack_107_imap_literals.c - literals, parentheses and lines without end, before and behind a login. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define IN "l LOGIN bob \"hun\\\"gry\"\r\ns SELECT INBOX\r\n"

static struct imap_play t;
static uint8_t big[1 << 21];

static bool
said(const char *text)
{
	struct bytes b = imap_play_said(&t);

	return memmem(b.p, b.n, text, strlen(text)) != NULL;
}

/* `head`, then `n` times `body`, then `tail`. */
static struct bytes
many(const char *head, const char *body, size_t n, const char *tail)
{
	struct wr w = wr_of(big, sizeof(big));

	wr_text(&w, head);
	while (n--)
		wr_text(&w, body);
	wr_text(&w, tail);
	assert_false(w.full);
	return wr_since(&w, big);
}

static void
play(struct bytes client)
{
	imap_play_init(&t);
	imap_play_message(&t, 1, 0, "a: b\r\n\r\nc\r\n");
	imap_play(&t, client, 1000);
}

/* Refused before anything is kept; one that comes without waiting ends the session. */
static void
attack_107_imap_huge_literals(void **state)
{
	static const struct {
		const char *client;
		bool closed;
	} cases[] = {
	    {"a LOGIN {4294967295}\r\nb NOOP\r\n", false},
	    {"a LOGIN {18446744073709551615}\r\nb NOOP\r\n", false},
	    {"a LOGIN {99999999999999999999999999}\r\nb NOOP\r\n", false},
	    {"a LOGIN {8192}\r\nb NOOP\r\n", false},
	    {"a APPEND INBOX {4294967295}\r\nb NOOP\r\n", false}, /* nobody is logged in */
	    {IN "a SEARCH SUBJECT {65536}\r\nb NOOP\r\n", false},
	    {IN "a APPEND {65536}\r\nb NOOP\r\n", false},
	    {"a LOGIN {4294967295+}\r\nb NOOP\r\n", true},
	    {IN "a SEARCH SUBJECT {65536+}\r\nb NOOP\r\n", true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		play(bytes_of(cases[i].client));
		assert_true(said("a BAD a literal that is not taken here"));
		assert_int_equal(t.closed, cases[i].closed);
		assert_int_equal(said("b OK done"), !cases[i].closed);
		assert_true(t.peak < 16 * 1024);
	}
}

static void
attack_107_imap_many_literals(void **state)
{
	(void)state;
	play(many("a LOGIN", " {0+}\r\n", 100000, "\r\n"));
	assert_true(t.closed && said("a BAD the command is too long"));
	assert_true(t.peak < 24 * 1024);
	play(many("a LOGIN", " {0}\r\n", 100000, "\r\n"));
	assert_true(t.closed && t.peak < 24 * 1024);
	play(many(IN "a SEARCH", " {0+}\r\n", 100000, "\r\n"));
	assert_true(t.closed && t.peak < (size_t)IMAP_MEMORY_MAX);
	play(many(IN "a APPEND", " {0+}\r\n", 100000, "\r\n"));
	assert_true(t.closed && t.peak < (size_t)IMAP_MEMORY_MAX);
}

static void
attack_107_imap_parentheses(void **state)
{
	(void)state;
	play(many("a LIST ", "(", 1000000, "\r\n"));
	assert_true(t.closed && t.peak < 24 * 1024);
	play(many("a ID ", "(", 5000, "\r\nb NOOP\r\n"));
	assert_true(said("a BAD") && said("b OK") && t.peak < 24 * 1024);
	play(many(IN "a SEARCH ", "(", 60000, "\r\nb NOOP\r\n"));
	assert_true(said("a BAD") && said("b OK"));
	play(many(IN "a FETCH 1 ", "(", 60000, "\r\nb NOOP\r\n"));
	assert_true(said("a BAD") && said("b OK"));
	play(many(IN "a STORE 1 FLAGS ", "(", 60000, "\r\nb NOOP\r\n"));
	assert_true(said("a BAD") && said("b OK"));
}

/* A line without an end: its first octets are held up to the cap, then nothing. */
static void
attack_107_imap_endless_line(void **state)
{
	(void)state;
	play(many("", "a", 2000000, ""));
	assert_true(t.closed && t.peak < 24 * 1024 && said("* BAD the command is too long"));
	play(many(IN "a NOOP", " ", 2000000, ""));
	assert_true(t.closed && t.peak < (size_t)2 * IMAP_COMMAND_MAX + 4096);
}

/* Whatever is wrong in so many ways is sent away. */
static void
attack_107_imap_errors_end_it(void **state)
{
	(void)state;
	play(many("", "a LOGIN {4294967295}\r\n", 2 * IMAP_ERRORS_MAX, ""));
	assert_true(t.closed && said("* BYE too many errors"));
	play(many("", "a NOOP\r\n", 2 * IMAP_COMMANDS_EARLY, ""));
	assert_true(t.closed && said("* BYE too many commands without a login"));
}

/* What one command can be made into at most. */
static void
attack_107_imap_memory_of_a_command(void **state)
{
	static const struct {
		const char *head, *body, *tail;
		size_t n;
	} cases[] = {
	    {"a FETCH ", "1,3,", "9 FLAGS", 16000},
	    {"a SEARCH ", "1,3,", "9", 16000},
	    {"a SEARCH ", "1 ", "1", 32000},
	    {"a STORE 1 FLAGS (", "a ", "b)", 32000},
	    {"a FETCH 1 (", "BODY[HEADER.FIELDS (a)] ", "UID)", 2700},
	    {"a FETCH 1 (BODY[HEADER.FIELDS (", "a ", "b)])", 30000},
	    {"a SEARCH SUBJECT \"", "\\\"", "\"", 32000},
	    {"a FETCH 1 BODY[", "1.", "1]", 30000},
	    {"a CREATE \"", "&AOk-", "\"", 13000},
	    {"a LIST \"\" \"", "%*", "\"", 30000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char head[128], tail[64];

		snprintf(head, sizeof(head), IN "%s", cases[i].head);
		snprintf(tail, sizeof(tail), "%s\r\nb NOOP\r\n", cases[i].tail);
		play(many(head, cases[i].body, cases[i].n, tail));
		assert_true(t.peak < IMAP_MEMORY_MAX + 2 * (size_t)IMAP_COMMAND_MAX);
		assert_true(said("b OK done"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_107_imap_huge_literals),
	    cmocka_unit_test(attack_107_imap_many_literals),
	    cmocka_unit_test(attack_107_imap_parentheses),
	    cmocka_unit_test(attack_107_imap_endless_line),
	    cmocka_unit_test(attack_107_imap_errors_end_it),
	    cmocka_unit_test(attack_107_imap_memory_of_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

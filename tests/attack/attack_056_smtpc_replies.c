/*
 * Replies that are none, or too much of one: bounded, never taken for another command's, and the
 * recipients deferred.
 */
#include "../play_smtpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *name, *at, *reply;
	bool whole; /* only where it arrives at once: later it would be the next reply */
} rows[] = {
    {"999", "MAIL", "999 what\r\n", false},
    {"a code below 200", "MAIL", "199 what\r\n", false},
    {"no code", "MAIL", "hello\r\n", false},
    {"a short line", "MAIL", "25\r\n", false},
    {"an empty line", "MAIL", "\r\n", false},
    {"no blank behind the code", "MAIL", "250ok\r\n", false},
    {"mixed codes", "EHLO", "250-mx.test\r\n550 no\r\n", false},
    {"mixed codes in a refusal", "RCPT", "550-no\r\n250 yes\r\n", false},
    {"NUL", "MAIL", "250 o\1k\r\n", false},
    {"a bare LF", "MAIL", "250 ok\n", false},
    {"a bare CR", "MAIL", "250 o\rk\r\n", false},
    {"an HTTP server", "", "HTTP/1.1 400 Bad\r\n", false},
    {"an SSH server", "", "SSH-2.0-OpenSSH\r\n", false},
    {"250 to DATA", "DATA", "250 yes\r\n", false},
    {"354 to MAIL", "MAIL", "354 go on\r\n", false},
    {"354 to the dot", ".", "354 go on\r\n", false},
    {"an early 250", "DATA", "354 go on\r\n250 2.0.0 queued\r\n", false},
    {"a reply too many", "EHLO", "250 mx.test\r\n250 2.1.0 ok\r\n", true},
    {"a reply too many to RCPT", "RCPT TO:<c@", "250 ok\r\n250 ok\r\n", false},
    {"two greetings", "", "220 mx.test\r\n220 mx.test\r\n", true},
};

static void
attack_056_no_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct play_rule rules[] = {{rows[i].at, rows[i].reply}, {NULL, NULL}};

		for (size_t cut = 0; cut < (rows[i].whole ? 1u : 40u); cut++) {
			struct play p = play_open(rules, cut, false);

			play_message(&p, 3, "hi\r\n");
			if (strncmp(p.results, "T4.5.0", 6) != 0)
				print_error("%s, cut %zu: %s\n", rows[i].name, cut, p.results);
			for (const char *r = p.results; r;
			     r = strchr(r, ' ') ? strchr(r, ' ') + 1 : NULL)
				assert_memory_equal(r, "T4.5.0", 6);
			assert_int_equal(play_run(&p, NO_BYTES), SMTPC_CLOSE);
			play_close(&p);
		}
	}
}

/* Neither a line nor a reply grows without bound: the machine stops eating at once. */
static void
attack_056_too_long(void **state)
{
	static const char *const starts[] = {"250-", "250-x\r\n", "250 "};
	static char reply[10 << 20];

	(void)state;
	for (size_t i = 0; i < COUNT(starts); i++) {
		const struct play_rule rules[] = {{"EHLO", reply}, {NULL, NULL}};
		struct play p;
		size_t n = strlen(starts[i]);

		memset(reply, 'x', sizeof(reply) - 1);
		for (size_t at = 0; at + n < sizeof(reply) && (i == 1 || !at); at += n)
			memcpy(reply + at, starts[i], n);
		p = play_open(rules, 4096, false);
		play_message(&p, 1, "hi\r\n");
		assert_string_equal(p.results, "T4.5.0e");
		assert_true(p.sink.to_client.n > sizeof(reply) - 2 * SMTPC_REPLY_OCTETS);
		play_close(&p);
	}
}

/* "250" comes in time for the next command's reply: it is not taken for it. */
static void
attack_056_stale_in_pipelining(void **state)
{
	static const struct play_rule rules[] = {
	    {"MAIL", "250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued\r\n"},
	    {NULL, NULL}};

	(void)state;
	for (size_t cut = 0; cut < 60; cut++) {
		struct play p = play_open(rules, cut, false);

		play_message(&p, 3, "hi\r\n");
		assert_string_equal(p.results, "T4.5.0e T4.5.0e T4.5.0e");
		play_close(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_056_no_replies),
	    cmocka_unit_test(attack_056_too_long),
	    cmocka_unit_test(attack_056_stale_in_pipelining),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

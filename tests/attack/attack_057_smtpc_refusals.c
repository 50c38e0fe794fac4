/*
 * 4yz, 5yz or the end at each state and for each recipient: the outcome of each recipient is that of
 * what was said to it, and of nothing else.
 */
#include "../play_smtpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *at;      /* the command that is answered so */
	const char *later;   /* results for 451, */
	const char *never;   /* for 550, */
	const char *closing; /* for 421, */
	const char *end;     /* and where the connection ends instead */
} rows[] = {
    {"", "T4.3.0e T4.3.0e T4.3.0e", "F5.0.0e F5.0.0e F5.0.0e", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    /* 550 to EHLO: HELO is tried, and all is well */
    {"EHLO", "T4.3.0e T4.3.0e T4.3.0e", "D2.0.0 D2.0.0 D2.0.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"MAIL", "T4.3.0e T4.3.0e T4.3.0e", "F5.0.0 F5.0.0 F5.0.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"RCPT TO:<a@", "T4.3.0e D2.0.0 D2.0.0", "F5.1.0 D2.0.0 D2.0.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"RCPT TO:<b@", "D2.0.0 T4.3.0e D2.0.0", "D2.0.0 F5.1.0 D2.0.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"RCPT TO:<c@", "D2.0.0 D2.0.0 T4.3.0e", "D2.0.0 D2.0.0 F5.1.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"RCPT", "T4.3.0e T4.3.0e T4.3.0e", "F5.1.0 F5.1.0 F5.1.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {"DATA", "T4.3.0e T4.3.0e T4.3.0e", "F5.0.0 F5.0.0 F5.0.0", "T4.3.2e T4.3.2e T4.3.2e",
     "T4.4.2e T4.4.2e T4.4.2e"},
    {".", "T4.3.0 T4.3.0 T4.3.0", "F5.0.0 F5.0.0 F5.0.0", "T4.3.2 T4.3.2 T4.3.2",
     "T4.4.2 T4.4.2 T4.4.2"},
};

static void
look(const char *at, const char *reply, const char *expected, bool pipelines)
{
	const struct play_rule rules[] = {
	    {at, reply}, {pipelines ? "NONE" : "EHLO", "250 mx.test\r\n"}, {NULL, NULL}};

	for (size_t cut = 0; cut < 30; cut++) {
		struct play p = play_open(rules, cut, false);

		play_message(&p, 3, "hi\r\n");
		if (strcmp(p.results, expected) != 0)
			print_error("%s %s, cut %zu, %d\n", at, reply ? reply : "end", cut,
			            pipelines);
		assert_string_equal(p.results, expected);
		play_close(&p);
	}
}

static void
attack_057_each_state_each_recipient(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (int pipelines = 0; pipelines < 2; pipelines++) {
			look(rows[i].at, "451 later\r\n", rows[i].later, pipelines);
			look(rows[i].at, "550 never\r\n", rows[i].never, pipelines);
			look(rows[i].at, "421 bye\r\n\2", rows[i].closing, pipelines);
			look(rows[i].at, NULL, rows[i].end, pipelines);
		}
}

/* What was decided before the end stays so. */
static void
attack_057_decided_before_the_end(void **state)
{
	static const struct play_rule rules[] = {{"RCPT TO:<a@", "550 5.1.1 nobody\r\n"},
	                                         {"RCPT TO:<b@", "450 4.2.1 greylisted\r\n"},
	                                         {".", NULL},
	                                         {NULL, NULL}};

	(void)state;
	for (size_t cut = 0; cut < 30; cut++) {
		struct play p = play_open(rules, cut, false);

		play_message(&p, 3, "hi\r\n");
		assert_string_equal(p.results, "F5.1.1 T4.2.1e T4.4.2");
		play_close(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_057_each_state_each_recipient),
	    cmocka_unit_test(attack_057_decided_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

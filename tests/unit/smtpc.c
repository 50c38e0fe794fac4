/* The sending side of SMTP against servers of all kinds, each talk in pieces of every size. */
#include "../play_smtpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define EHLO_PLAIN                                                                                 \
	{                                                                                          \
		"EHLO", "250 mx.test\r\n"                                                          \
	}

static const struct {
	const char *name;
	struct play_rule rules[6];
	const char *results; /* of three recipients */
	const char *said;    /* NULL: not looked at */
} talks[] = {
    {"all is well, with pipelining",
     {{NULL, NULL}},
     "D2.0.0 D2.0.0 D2.0.0",
     "EHLO us.test\r\nMAIL FROM:<me@us.test> SIZE=12\r\nRCPT TO:<a@x.test>\r\n"
     "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\nhi\r\n..dot\r\n\r\n.\r\n"},
    {"without it, and without SIZE",
     {EHLO_PLAIN},
     "D2.0.0 D2.0.0 D2.0.0",
     "EHLO us.test\r\nMAIL FROM:<me@us.test>\r\nRCPT TO:<a@x.test>\r\n"
     "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\nhi\r\n..dot\r\n\r\n.\r\n"},
    {"EHLO is not known: HELO",
     {{"EHLO", "502 what?\r\n"}, {"STARTTLS", "220 never asked\r\n"}},
     "D2.0.0 D2.0.0 D2.0.0",
     "EHLO us.test\r\nHELO us.test\r\nMAIL FROM:<me@us.test>\r\nRCPT TO:<a@x.test>\r\n"
     "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\nhi\r\n..dot\r\n\r\n.\r\n"},
    {"a code alone", {{"MAIL", "250\r\n"}, {".", "250\r\n"}}, "D2.0.0 D2.0.0 D2.0.0", NULL},
    {"some are refused, with pipelining",
     {{"RCPT TO:<b@", "550 5.1.1 nobody\r\n"}},
     "D2.0.0 F5.1.1 D2.0.0",
     NULL},
    {"the same without",
     {EHLO_PLAIN, {"RCPT TO:<b@", "550-nobody\r\n550 here\r\n"}},
     "D2.0.0 F5.1.0 D2.0.0",
     NULL},
    {"all are refused: a lone dot behind 354",
     {{"RCPT", "550 5.1.1 nobody\r\n"}, {".", "554 no recipients\r\n"}},
     "F5.1.1 F5.1.1 F5.1.1",
     "EHLO us.test\r\nMAIL FROM:<me@us.test> SIZE=12\r\nRCPT TO:<a@x.test>\r\n"
     "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nDATA\r\n.\r\n"},
    {"all are refused, and DATA is not said",
     {EHLO_PLAIN, {"RCPT", "550 5.1.1 nobody\r\n"}},
     "F5.1.1 F5.1.1 F5.1.1",
     "EHLO us.test\r\nMAIL FROM:<me@us.test>\r\nRCPT TO:<a@x.test>\r\n"
     "RCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\n"},
    {"the sender is refused, and nothing more is said",
     {EHLO_PLAIN, {"MAIL", "553 5.7.1 not you\r\n"}},
     "F5.7.1 F5.7.1 F5.7.1",
     "EHLO us.test\r\nMAIL FROM:<me@us.test>\r\n"},
    {"too many recipients, as old servers say it",
     {{"RCPT TO:<c@", "552 too many\r\n"}},
     "D2.0.0 D2.0.0 T4.5.3e",
     NULL},
    {"a full mailbox says 552, too",
     {{"RCPT TO:<c@", "552 5.2.2 full\r\n"}},
     "D2.0.0 D2.0.0 F5.2.2",
     NULL},
    {"a status that is not its code's is none",
     {{"RCPT TO:<b@", "450 5.1.1 perhaps\r\n"}},
     "D2.0.0 T4.2.0e D2.0.0",
     NULL},
    {"a status that is too long is none",
     {{".", "550 5.1.1.1 no\r\n"}},
     "F5.0.0 F5.0.0 F5.0.0",
     NULL},
    {"larger than the server takes",
     {{"EHLO", "250-mx.test\r\n250 SIZE 11\r\n"}},
     "F5.3.4 F5.3.4 F5.3.4",
     "EHLO us.test\r\n"},
    {"SIZE without a number is no limit",
     {{"EHLO", "250-mx.test\r\n250 SIZE\r\n"}},
     "D2.0.0 D2.0.0 D2.0.0",
     NULL},
    {"refused after the dot", {{".", "554 5.6.0 spam\r\n"}}, "F5.6.0 F5.6.0 F5.6.0", NULL},
    {"it has our own name", {{"", "220 US.test ESMTP\r\n"}}, "F5.4.6e F5.4.6e F5.4.6e", ""},
    {"it has our own name behind EHLO",
     {{"EHLO", "250 us.test\r\n"}},
     "F5.4.6e F5.4.6e F5.4.6e",
     "EHLO us.test\r\n"},
};

static void
every_talk(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 0; cut < 90; cut++) {
			struct play p = play_open(talks[i].rules, cut, false);

			play_message(&p, 3, "hi\r\n.dot\r\n\r\n");
			if (strcmp(p.results, talks[i].results) != 0)
				print_error("%s, cut %zu\n", talks[i].name, cut);
			assert_string_equal(p.results, talks[i].results);
			if (talks[i].said)
				assert_string_equal(p.sink.said, talks[i].said);
			play_close(&p);
		}
}

static void
tls_when_it_is_offered(void **state)
{
	static const struct play_rule offers[] = {
	    {"EHLO", "250-mx.test\r\n250-STARTTLS\r\n250 PIPELINING\r\n"}, {NULL, NULL}};
	static const struct play_rule refuses[] = {{"EHLO", "250-mx.test\r\n250 STARTTLS\r\n"},
	                                           {"STARTTLS", "454 4.7.0 no\r\n"},
	                                           {NULL, NULL}};

	(void)state;
	for (size_t cut = 0; cut < 40; cut++) {
		struct play p = play_open(offers, cut, true);

		play_message(&p, 1, "x\r\n");
		assert_string_equal(p.results, "D2.0.0");
		assert_int_equal(p.shakes, 1);
		assert_true(smtpc_is_tls(p.s));
		play_close(&p);
		p = play_open(offers, cut, false); /* told not to */
		play_message(&p, 1, "x\r\n");
		assert_string_equal(p.results, "D2.0.0");
		assert_null(strstr(p.sink.said, "STARTTLS"));
		play_close(&p);
		p = play_open(refuses, cut, true); /* opportunistic: in plain then */
		play_message(&p, 1, "x\r\n");
		assert_string_equal(p.results, "D2.0.0");
		assert_int_equal(p.shakes, 0);
		play_close(&p);
	}
}

/* Several messages over one connection; RSET only behind a transaction that was left open. */
static void
further_messages(void **state)
{
	static const struct play_rule rules[] = {
	    {"EHLO", "250 mx.test\r\n"}, {"RCPT TO:<a@", "550 5.1.1 nobody\r\n"}, {NULL, NULL}};

	(void)state;
	for (size_t cut = 0; cut < 40; cut++) {
		struct play p = play_open(rules, cut, false);

		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_IDLE);
		play_message(&p, 2, "one\r\n");
		assert_string_equal(p.results, "F5.1.1 D2.0.0");
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_IDLE);
		play_message(&p, 1, "two\r\n");
		assert_string_equal(p.results, "F5.1.1");
		assert_null(strstr(p.sink.said, "RSET"));
		play_message(&p, 2, "three\r\n");
		assert_string_equal(p.results, "F5.1.1 D2.0.0");
		assert_non_null(strstr(p.sink.said, "RSET\r\nMAIL"));
		assert_int_equal(p.sink.messages, 2);
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_IDLE);
		smtpc_quit(p.s);
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_CLOSE);
		assert_non_null(strstr(p.sink.said, "QUIT\r\n"));
		play_close(&p);
	}
}

/* A server that leaves while we rest: the next message is for another connection. */
static void
left_while_idle(void **state)
{
	static const char bye[] = "421 4.4.2 idle\r\n";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct play p = play_open(NULL, 0, false);

		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_IDLE);
		if (i)
			smtpc_lost(p.s, "closed");
		else
			assert_true(buf_add(&p.in, bytes_of(bye)));
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_CLOSE);
		play_message(&p, 1, "x\r\n");
		assert_string_equal(p.results, "T4.4.2e");
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_CLOSE);
		play_close(&p);
	}
}

static void
addresses_are_written_as_they_must(void **state)
{
	static const struct bytes rcpts[] = {
	    {(const uint8_t *)"two words@x.test", 16},
	    {(const uint8_t *)"evil\r\nRSET@x.test", 17},
	    {(const uint8_t *)"\xc3\xa4@x.test", 9},
	};
	static const struct play_rule utf8[] = {{"EHLO", "250-mx.test\r\n250 SMTPUTF8\r\n"},
	                                        {NULL, NULL}};
	const struct smtpc_message m = {.rcpts = rcpts, .n = 3, .size = 3};
	struct play p = play_open(NULL, 0, false);

	(void)state;
	assert_true(smtpc_message(p.s, &m));
	assert_int_equal(play_run(&p, BYTES("x\r\n")), SMTPC_RESULT);
	play_results(&p, 3);
	assert_string_equal(p.results, "D2.0.0 F5.1.3 F5.6.7");
	assert_non_null(
	    strstr(p.sink.said, "MAIL FROM:<> SIZE=3\r\nRCPT TO:<\"two words\"@x.test>\r\nDATA"));
	play_close(&p);
	p = play_open(utf8, 0, false);
	assert_true(smtpc_message(p.s, &m));
	assert_int_equal(play_run(&p, BYTES("x\r\n")), SMTPC_RESULT);
	play_results(&p, 3);
	assert_string_equal(p.results, "D2.0.0 F5.1.3 D2.0.0");
	assert_non_null(strstr(p.sink.said, "MAIL FROM:<> SMTPUTF8\r\n"));
	play_close(&p);
}

static void
what_is_kept_of_a_reply(void **state)
{
	static const struct play_rule rules[] = {
	    {".", "554-5.7.1 We do\t not\r\n554-5.7.1 like \xff this\r\n554 5.7.1\r\n"},
	    {NULL, NULL}};
	struct play p = play_open(rules, 0, false);
	const struct smtpc_message m = {.rcpts = play_rcpts, .n = 1, .size = 3};
	struct smtpc_result r;

	(void)state;
	assert_true(smtpc_message(p.s, &m));
	assert_int_equal(play_run(&p, BYTES("x\r\n")), SMTPC_RESULT);
	r = smtpc_result(p.s, 0);
	assert_true(r.is_reply);
	assert_true(bytes_eq(r.text, BYTES("554 5.7.1 We do  not like ? this")));
	assert_true(bytes_eq(smtpc_server(p.s), BYTES("mx.test")));
	play_close(&p);
}

static void
eight_bits(void **state)
{
	static const struct play_rule rules[] = {{"EHLO", "250-mx.test\r\n250 8bitmime\r\n"},
	                                         {NULL, NULL}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct play p = play_open(i ? rules : NULL, 0, false);
		const struct smtpc_message m = {
		    .rcpts = play_rcpts, .n = 1, .size = 3, .is_8bit = true};

		assert_true(smtpc_message(p.s, &m));
		assert_int_equal(play_run(&p, BYTES("\xe4\r\n")), SMTPC_RESULT);
		assert_int_equal(smtpc_takes_8bit(p.s), i);
		assert_int_equal(strstr(p.sink.said, " BODY=8BITMIME\r\n") != NULL, i);
		play_close(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_talk),
	    cmocka_unit_test(tls_when_it_is_offered),
	    cmocka_unit_test(further_messages),
	    cmocka_unit_test(left_while_idle),
	    cmocka_unit_test(addresses_are_written_as_they_must),
	    cmocka_unit_test(what_is_kept_of_a_reply),
	    cmocka_unit_test(eight_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

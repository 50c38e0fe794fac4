/* smtp.c - talks with the SMTP machine, each in reads of every size. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define GREETING "220 fakeplace.edu ESMTP Stead\r\n"
#define HELLO    "250 fakeplace.edu Hello ycp.edu, pleased to meet you\r\n"
#define SENDER   "250 2.1.0 sender ok\r\n"
#define RCPT     "250 2.1.5 recipient ok\r\n"
#define GO_AHEAD "354 go on; end with a dot on a line of its own\r\n"
#define TAKEN(n) "250 2.0.0 s1-" n " Message accepted for delivery\r\n"
#define BYE      "221 2.0.0 closing, good bye\r\n"

#define HELO "HELO ycp.edu\r\n"
#define MAIL "MAIL FROM:<alice@ycp.edu>\r\n"
#define TO   "RCPT TO:<bob@fakeplace.edu>\r\n"

static const struct {
	const char *name, *client, *server, *stored;
} talks[] = {
    {"by hand, as a person types it",
     "HELO ycp.edu\r\nMAIL FROM: alice@ycp.edu\r\nRCPT TO: bob@fakeplace.edu\r\nDATA\r\n"
     "Do you like ketchup?\r\nHow about pickles?\r\n.\r\nQUIT\r\n",
     HELLO SENDER RCPT GO_AHEAD TAKEN("1") BYE,
     "{alice@ycp.edu|bob@fakeplace.edu|Do you like ketchup?\r\nHow about pickles?\r\n}"},
    {"what EHLO offers", "EHLO ycp.edu\r\nquit\r\n",
     "250-fakeplace.edu Hello ycp.edu, pleased to meet you\r\n250-PIPELINING\r\n"
     "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-SIZE 1000000\r\n"
     "250 HELP\r\n" BYE,
     ""},
    {"two messages, one connection", HELO MAIL TO "DATA\r\n1\r\n.\r\n" MAIL TO "DATA\r\n2\r\n.\r\n",
     HELLO SENDER RCPT GO_AHEAD TAKEN("1") SENDER RCPT GO_AHEAD TAKEN("2"),
     "{alice@ycp.edu|bob@fakeplace.edu|1\r\n}{alice@ycp.edu|bob@fakeplace.edu|2\r\n}"},
    {"an empty message", HELO MAIL TO "DATA\r\n.\r\n", HELLO SENDER RCPT GO_AHEAD TAKEN("1"),
     "{alice@ycp.edu|bob@fakeplace.edu|}"},
    {"dots", HELO MAIL TO "DATA\r\n..\r\n..a\r\n.b\r\na.\r\n...\r\n\r\n.\r\n",
     HELLO SENDER RCPT GO_AHEAD TAKEN("1"),
     "{alice@ycp.edu|bob@fakeplace.edu|.\r\n.a\r\nb\r\na.\r\n..\r\n\r\n}"},
    {"the null sender and postmaster",
     HELO "MAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\nx\r\n.\r\n",
     HELLO SENDER RCPT GO_AHEAD TAKEN("1"), "{|Postmaster|x\r\n}"},
    {"recipients that are not",
     HELO MAIL "RCPT TO:<nobody@fakeplace.edu>\r\nRCPT TO:<x@elsewhere.edu>\r\n"
               "RCPT TO:<full@fakeplace.edu>\r\nRCPT TO:<later@fakeplace.edu>\r\nDATA\r\n" TO
               "DATA\r\nx\r\n.\r\n",
     HELLO SENDER "550 5.1.1 no such user here\r\n550 5.7.1 relaying denied\r\n"
                  "452 4.2.2 mailbox full\r\n451 4.3.0 not now, try again later\r\n"
                  "503 5.5.1 RCPT first, or RSET\r\n" RCPT GO_AHEAD TAKEN("1"),
     "{alice@ycp.edu|bob@fakeplace.edu|x\r\n}"},
    {"the order of commands",
     MAIL TO "DATA\r\n" HELO TO "DATA\r\n" MAIL MAIL TO MAIL "STARTTLS\r\nRSET\r\n" TO,
     "503 5.5.1 HELO or EHLO first\r\n503 5.5.1 HELO or EHLO first\r\n"
     "503 5.5.1 HELO or EHLO first\r\n" HELLO
     "503 5.5.1 MAIL first\r\n503 5.5.1 MAIL first\r\n" SENDER
     "503 5.5.1 RCPT first, or RSET\r\n" RCPT "503 5.5.1 a message is under way: DATA or RSET\r\n"
     "503 5.5.1 a message is under way: DATA or RSET\r\n250 2.0.0 forgotten\r\n"
     "503 5.5.1 MAIL first\r\n",
     ""},
    {"VRFY and NOOP in a transaction leave it alone",
     HELO MAIL "VRFY bob\r\n" TO "NOOP x\r\nEXPN all\r\nDATA\r\nx\r\n.\r\n",
     HELLO SENDER "252 2.5.0 not told here; send mail and see\r\n" RCPT "250 2.0.0 ok\r\n"
                  "252 2.5.0 not told here; send mail and see\r\n" GO_AHEAD TAKEN("1"),
     "{alice@ycp.edu|bob@fakeplace.edu|x\r\n}"},
    {"HELO forgets the envelope", HELO MAIL TO HELO "DATA\r\n",
     HELLO SENDER RCPT HELLO "503 5.5.1 MAIL first\r\n", ""},
    {"case and blanks", "helo  ycp.edu \r\nmail from:<a@b.c> \r\nRcpt To:\t<bob@fakeplace.edu>\r\n",
     HELLO SENDER RCPT, ""},
    {"HELO wants a name", "HELO\r\nHELO a(b)\r\nEHLO a b\r\n",
     "501 5.5.4 a domain or an address in brackets, please\r\n"
     "501 5.5.4 a domain or an address in brackets, please\r\n"
     "501 5.5.4 a domain or an address in brackets, please\r\n",
     ""},
    {"parameters of MAIL",
     HELO "MAIL FROM:<a@b.c> SIZE=1000001\r\nMAIL FROM:<a@b.c> SIZE=99999999999999999999\r\n"
          "MAIL FROM:<a@b.c> SIZE=-1\r\nMAIL FROM:<a@b.c> SIZE=1 SIZE=1\r\n"
          "MAIL FROM:<a@b.c> BODY=BINARYMIME\r\nMAIL FROM:<a@b.c> X=1\r\n"
          "MAIL FROM:<a@b.c>SIZE=1\r\nMAIL FROM:<a@b.c> size=1000000 body=8bitmime\r\n"
          "RCPT TO:<bob@fakeplace.edu> NOTIFY=NEVER\r\n",
     HELLO "552 5.3.4 message larger than our limit\r\n552 5.3.4 message larger than our limit\r\n"
           "501 5.5.4 wrong parameter\r\n501 5.5.4 parameter given twice\r\n"
           "501 5.5.4 wrong parameter\r\n555 5.5.4 parameter not offered\r\n"
           "501 5.1.7 wrong sender address\r\n" SENDER "555 5.5.4 parameter not offered\r\n",
     ""},
    {"addresses that are none",
     HELO "MAIL alice@ycp.edu\r\nMAIL FROM:\r\nMAIL FROM:<a b@c>\r\n"
          "MAIL FROM:<\303\244@b.c>\r\n" MAIL "RCPT TO:<>\r\nRCPT bob\r\nRCPT TO:<bob>\r\n",
     HELLO
     "501 5.1.7 wrong sender address\r\n501 5.1.7 wrong sender address\r\n"
     "501 5.1.7 wrong sender address\r\n553 5.6.7 an address beyond ASCII needs SMTPUTF8\r\n" SENDER
     "501 5.1.3 wrong recipient address\r\n501 5.1.3 wrong recipient address\r\n"
     "501 5.1.3 wrong recipient address\r\n",
     ""},
    {"what is not offered",
     "EHLO [192.0.2.7]\r\nAUTH PLAIN\r\nETRN x\r\n\x01\r\nBDAT 4 LAST\r\nQUIT\r\n",
     "250-fakeplace.edu Hello [192.0.2.7], pleased to meet you\r\n250-PIPELINING\r\n"
     "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-SIZE 1000000\r\n"
     "250 HELP\r\n502 5.5.1 AUTH is not offered\r\n500 5.5.1 unknown command\r\n"
     "500 5.5.2 a command is plain text\r\n502 5.5.1 BDAT is not offered, closing\r\n",
     ""},
};

static void
check(struct smtp_play *t, const char *name, const char *said, const char *stored)
{
	struct bytes b = smtp_play_said(t);
	bool same = bytes_eq(b, bytes_of(said)) && bytes_eq(smtp_play_stored(t), bytes_of(stored));

	if (!same)
		print_message("%s:\n%.*s---\n%.*s\n", name, (int)b.n, (const char *)b.p,
		              (int)smtp_play_stored(t).n, (const char *)t->stored_room);
	assert_true(same);
}

static void
talks_at_every_cut(void **state)
{
	static struct smtp_play t;
	char said[4096];

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 1; cut <= strlen(talks[i].client); cut++) {
			smtp_play(&t, bytes_of(talks[i].client), cut);
			snprintf(said, sizeof(said), GREETING "%s", talks[i].server);
			check(&t, talks[i].name, said, talks[i].stored);
		}
}

#define BEGIN     HELO MAIL TO
#define BEGIN_OUT GREETING HELLO SENDER RCPT

static void
answers_of_the_driver(void **state)
{
	static struct smtp_play t;
	static const struct {
		enum smtp_answer data, body, commit;
		const char *said;
	} cases[] = {
	    {SMTP_FULL, SMTP_OK, SMTP_OK,
	     BEGIN_OUT "452 4.3.1 no room now, try again later\r\n"
	               "500 5.5.1 unknown command\r\n500 5.5.1 unknown command\r\n" BYE},
	    {SMTP_OK, SMTP_FULL, SMTP_OK,
	     BEGIN_OUT GO_AHEAD "452 4.3.1 no room now, try again later\r\n" BYE},
	    {SMTP_OK, SMTP_LOOP, SMTP_OK,
	     BEGIN_OUT GO_AHEAD "554 5.4.6 too many hops, this message goes in a loop\r\n" BYE},
	    {SMTP_OK, SMTP_OK, SMTP_TEMP,
	     BEGIN_OUT GO_AHEAD "451 4.3.0 not now, try again later\r\n" BYE},
	    {SMTP_OK, SMTP_OK, SMTP_REFUSED,
	     BEGIN_OUT GO_AHEAD "550 5.7.1 refused by our policy\r\n" BYE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 1; cut < 64; cut++) {
			smtp_play_init(&t);
			t.data = cases[i].data;
			t.body = cases[i].body;
			t.commit = cases[i].commit;
			smtp_play(&t, BYTES(BEGIN "DATA\r\nhello\r\n.\r\nQUIT\r\n"), cut);
			check(&t, "answers", cases[i].said, "");
		}
}

static void
a_body_past_the_limit_is_dropped_and_refused(void **state)
{
	static struct smtp_play t;

	(void)state;
	for (size_t cut = 1; cut < 64; cut++) {
		smtp_play_init(&t);
		t.conf.size_max = 10;
		smtp_play(&t, BYTES(BEGIN "DATA\r\n12345678\r\n.\r\n"), cut);
		check(&t, "just fits", BEGIN_OUT GO_AHEAD TAKEN("1"),
		      "{alice@ycp.edu|bob@fakeplace.edu|12345678\r\n}");
		smtp_play(&t, BYTES(BEGIN "DATA\r\n123456789\r\n.\r\n" MAIL), cut);
		check(&t, "too long",
		      BEGIN_OUT GO_AHEAD "552 5.3.4 message larger than our limit\r\n" SENDER, "");
		assert_int_equal(t.drops, 1);
	}
}

static void
a_late_end_says_why(void **state)
{
	static const char *const said[] = {
	    "554 5.5.1 you spoke before the greeting, closing\r\n",
	    "421 4.7.0 too many connections, closing\r\n",
	    "421 4.4.2 nothing came for too long, closing\r\n",
	    "421 4.3.2 going down, try again later\r\n",
	};
	struct smtp_conf conf = {.host = BYTES("fakeplace.edu"), .rcpt_max = 1};
	struct rd in = rd_of(BYTES("HELO a\r\n"));
	uint8_t room[SMTP_REPLY_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(said); i++) {
		struct smtp *s = smtp_new(&conf, NO_BYTES, NO_BYTES, false);
		struct wr out = wr_of(room, sizeof(room));

		smtp_end(s, (enum smtp_why)i);
		assert_int_equal(smtp_step(s, &in, &out), SMTP_CLOSE);
		assert_true(bytes_eq(wr_since(&out, room), bytes_of(said[i])));
		assert_int_equal(rd_left(&in), 8);
		smtp_free(s);
	}
}

/* Told to end while a message is being committed, the client first hears what came of it. */
static void
a_commit_is_told_before_the_end(void **state)
{
	struct smtp_conf conf = {.host = BYTES("fakeplace.edu"), .rcpt_max = 1};
	struct smtp *s = smtp_new(&conf, NO_BYTES, BYTES("s1"), false);
	struct rd in = rd_of(BYTES("HELO a\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<bob@fakeplace.edu>\r\n"
	                           "DATA\r\n.\r\nNOOP\r\n"));
	uint8_t room[SMTP_REPLY_MAX * 8];
	struct wr out = wr_of(room, sizeof(room));
	enum smtp_want want;

	(void)state;
	while ((want = smtp_step(s, &in, &out)) != SMTP_COMMIT)
		smtp_answer(s, SMTP_OK);
	out = wr_of(room, sizeof(room));
	smtp_answer(s, SMTP_OK);
	smtp_end(s, SMTP_STOP);
	assert_int_equal(smtp_step(s, &in, &out), SMTP_CLOSE);
	assert_true(
	    bytes_eq(wr_since(&out, room), BYTES("250 2.0.0 s1-1 Message accepted for delivery\r\n"
	                                         "421 4.3.2 going down, try again later\r\n")));
	assert_int_equal(rd_left(&in), 6);
	smtp_free(s);
}

static void
received_names_all_that_took_part(void **state)
{
	struct smtp_conf conf = {.host = BYTES("fakeplace.edu"), .rcpt_max = 1};
	struct smtp *s = smtp_new(&conf, BYTES("2001:db8::7"), BYTES("s1"), true);
	uint8_t room[SMTP_RECEIVED_MAX], said[SMTP_REPLY_MAX * 2];
	struct wr w = wr_of(room, sizeof(room)), out = wr_of(said, sizeof(said));
	struct rd in = rd_of(BYTES("EHLO ycp.edu\r\nMAIL FROM:<a@b.c>\r\n"));

	(void)state;
	assert_int_equal(smtp_step(s, &in, &out), SMTP_INPUT);
	smtp_received(s, 1795356316, &w);
	assert_true(
	    bytes_eq(wr_since(&w, room), BYTES("Received: from ycp.edu ([IPv6:2001:db8::7])\r\n"
	                                       "\tby fakeplace.edu (Stead) with ESMTPS id s1-1;\r\n"
	                                       "\tSun, 22 Nov 2026 14:05:16 +0000\r\n")));
	assert_int_equal(count_in(wr_since(&out, said), "STARTTLS"), 0);
	smtp_free(s);
}

static void
longest_names_fit_the_room(void **state)
{
	static char host[254], helo[256 + 16];
	struct smtp_conf conf = {.host = {(const uint8_t *)host, 253},
	                         .size_max = UINT64_MAX,
	                         .rcpt_max = 1,
	                         .starttls = true,
	                         .login = SMTP_PLAIN_LOGIN};
	uint8_t room[SMTP_RECEIVED_MAX], said[SMTP_REPLY_MAX];
	struct smtp *s;
	struct rd in;

	(void)state;
	memset(host, 'h', 253);
	snprintf(helo, sizeof(helo), "EHLO %0255d\r\n", 0);
	s = smtp_new(&conf, BYTES("2001:db8:1111:2222:3333:4444:5555:6666"),
	             BYTES("0123456789abcdef0123456789abcdef+"), true);
	in = rd_of(bytes_of(helo));
	for (int i = 0; i < 2; i++) {
		struct wr out = wr_of(said, sizeof(said)), w = wr_of(room, sizeof(room));

		smtp_step(s, &in, &out);
		smtp_received(s, UINT64_MAX, &w);
		assert_false(out.full || w.full);
	}
	assert_int_equal(smtp_helo(s).n, 255);
	smtp_free(s);
}

static void
an_idle_session_is_small(void **state)
{
	static struct smtp_play t;
	enum smtp_want want;

	(void)state;
	smtp_play_init(&t);
	t.said = wr_of(t.said_room, sizeof(t.said_room));
	t.stored = wr_of(t.stored_room, sizeof(t.stored_room));
	t.asked = wr_of(t.asked_room, sizeof(t.asked_room));
	t.s = smtp_new(&t.conf, NO_BYTES, NO_BYTES, false);
	smtp_play_turn(&t, BYTES(BEGIN "DATA\r\nx\r\n.\r\n"), &want);
	assert_int_equal(want, SMTP_INPUT);
	assert_true(smtp_memory(t.s) < 1024);
	smtp_free(t.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_at_every_cut),
	    cmocka_unit_test(answers_of_the_driver),
	    cmocka_unit_test(a_body_past_the_limit_is_dropped_and_refused),
	    cmocka_unit_test(a_late_end_says_why),
	    cmocka_unit_test(a_commit_is_told_before_the_end),
	    cmocka_unit_test(received_names_all_that_took_part),
	    cmocka_unit_test(longest_names_fit_the_room),
	    cmocka_unit_test(an_idle_session_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* pop3.c - talks with the POP3 machine, each in reads of every size. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define GREETING "+OK fakeplace.edu POP3 Stead\r\n"
#define LOGIN    "user bob\r\npass hungry\r\n"
#define LOGGED   "+OK and the password?\r\n+OK 2 messages (62 octets)\r\n"
#define BYE      "+OK good bye\r\n"

static const char *const maildrop[] = {
    "Subject: a\r\n\r\none\r\n.two\r\n.\r\n",   /* 28 octets */
    "From: x\r\nTo: y\r\n\r\nno line end here", /* 34 */
};

static const struct {
	const char *name, *client, *server, *removed;
} talks[] = {
    {"by hand, in lower case", LOGIN "list\r\nretr 1\r\ndele 1\r\nquit\r\n",
     LOGGED "+OK 2 messages (62 octets)\r\n1 28\r\n2 34\r\n.\r\n"
            "+OK 28 octets\r\nSubject: a\r\n\r\none\r\n..two\r\n..\r\n.\r\n"
            "+OK to be deleted at QUIT\r\n+OK deleted, good bye\r\n",
     "1 "},
    {"in capitals", "USER bob\r\nPASS hungry\r\nSTAT\r\nNOOP\r\nQUIT\r\n",
     LOGGED "+OK 2 62\r\n+OK\r\n" BYE, ""},
    {"a message without a last line end", LOGIN "RETR 2\r\n",
     LOGGED "+OK 34 octets\r\nFrom: x\r\nTo: y\r\n\r\nno line end here\r\n.\r\n", ""},
    {"TOP", LOGIN "TOP 1 0\r\nTOP 1 1\r\nTOP 1 2\r\nTOP 1 9\r\nTOP 2 1\r\n",
     LOGGED "+OK 28 octets\r\nSubject: a\r\n\r\n.\r\n"
            "+OK 28 octets\r\nSubject: a\r\n\r\none\r\n.\r\n"
            "+OK 28 octets\r\nSubject: a\r\n\r\none\r\n..two\r\n.\r\n"
            "+OK 28 octets\r\nSubject: a\r\n\r\none\r\n..two\r\n..\r\n.\r\n"
            "+OK 34 octets\r\nFrom: x\r\nTo: y\r\n\r\nno line end here\r\n.\r\n",
     ""},
    {"UIDL and one row", LOGIN "UIDL\r\nUIDL 2\r\nLIST 1\r\n",
     LOGGED "+OK 2 messages (62 octets)\r\n1 u1\r\n2 u2\r\n.\r\n+OK 2 u2\r\n+OK 1 28\r\n", ""},
    {"what is marked is gone until RSET",
     LOGIN "DELE 1\r\nDELE 1\r\nRETR 1\r\nLIST 1\r\nLIST\r\nSTAT\r\nRSET\r\nSTAT\r\nQUIT\r\n",
     LOGGED "+OK to be deleted at QUIT\r\n-ERR no such message\r\n-ERR no such message\r\n"
            "-ERR no such message\r\n+OK 1 messages (34 octets)\r\n2 34\r\n.\r\n+OK 1 34\r\n"
            "+OK nothing is to be deleted\r\n+OK 2 62\r\n" BYE,
     ""},
    {"the order of commands",
     "STAT\r\nPASS hungry\r\nUSER bob\r\nLIST\r\n" LOGIN "USER bob\r\nSTLS\r\nQUIT\r\n",
     "-ERR log in first: USER, then PASS\r\n-ERR log in first: USER, then PASS\r\n"
     "+OK and the password?\r\n-ERR PASS first\r\n" LOGGED
     "-ERR you are logged in\r\n-ERR you are logged in\r\n" BYE,
     ""},
    {"a wrong password, then the right one", "USER bob\r\nPASS Hungry\r\nPASS hungry\r\n" LOGIN,
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password\r\n"
     "-ERR log in first: USER, then PASS\r\n" LOGGED,
     ""},
    {"blanks are part of a password", "USER bob\r\nPASS hungry \r\nUSER bob\r\nPASS  hungry\r\n",
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password\r\n"
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password\r\n",
     ""},
    {"three wrong ones end it",
     "USER a\r\nPASS b\r\nUSER a\r\nPASS b\r\nUSER a\r\nPASS b\r\n" LOGIN,
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password\r\n"
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password\r\n"
     "+OK and the password?\r\n-ERR [AUTH] wrong name or password, closing\r\n",
     ""},
    {"what there is", "CAPA\r\n",
     "+OK what there is\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
     "EXPIRE NEVER\r\nIMPLEMENTATION Stead\r\nSTLS\r\nUSER\r\n.\r\n",
     ""},
    {"unknown ones", LOGIN "XYZZY\r\nAPOP bob c4c9334bac560ecc979e58001b3e22fb\r\n\r\nQUIT x\r\n",
     LOGGED "-ERR unknown command\r\n-ERR unknown command\r\n-ERR unknown command\r\n"
            "-ERR that command takes nothing\r\n",
     ""},
};

static void
check(struct pop3_play *t, const char *name, const char *said, const char *removed)
{
	struct bytes b = pop3_play_said(t);
	bool same =
	    bytes_eq(b, bytes_of(said)) && bytes_eq(pop3_play_removed(t), bytes_of(removed));

	if (!same)
		print_message("%s:\n%.*s---\n%s", name, (int)b.n, (const char *)b.p, said);
	assert_true(same);
}

static void
talks_at_every_cut(void **state)
{
	static struct pop3_play t;
	char said[4096];

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 1; cut <= strlen(talks[i].client); cut++) {
			t.piece = cut;
			t.room = POP3_REPLY_MAX + cut % 7;
			pop3_play(&t, bytes_of(talks[i].client), cut);
			snprintf(said, sizeof(said), GREETING "%s", talks[i].server);
			check(&t, talks[i].name, said, talks[i].removed);
		}
}

static void
refusals_of_the_driver(void **state)
{
	static struct pop3_play t;
	static const struct {
		enum pop3_answer listing, body, update;
		const char *said;
	} cases[] = {
	    {POP3_IN_USE, POP3_OK, POP3_OK,
	     GREETING
	     "+OK and the password?\r\n-ERR [IN-USE] another session has this maildrop\r\n"
	     "-ERR log in first: USER, then PASS\r\n-ERR log in first: USER, then PASS\r\n" BYE},
	    {POP3_TEMP, POP3_OK, POP3_OK,
	     GREETING
	     "+OK and the password?\r\n-ERR [SYS/TEMP] not now, try again later\r\n"
	     "-ERR log in first: USER, then PASS\r\n-ERR log in first: USER, then PASS\r\n" BYE},
	    {POP3_OK, POP3_GONE, POP3_OK,
	     GREETING LOGGED "-ERR that message is gone\r\n+OK to be deleted at QUIT\r\n"
	                     "+OK deleted, good bye\r\n"},
	    {POP3_OK, POP3_TEMP, POP3_TEMP,
	     GREETING LOGGED "-ERR [SYS/TEMP] not now, try again later\r\n"
	                     "+OK to be deleted at QUIT\r\n"
	                     "-ERR [SYS/TEMP] some deleted messages not removed\r\n"},
	};

	(void)state;
	pop3_play_init(&t, maildrop, COUNT(maildrop));
	for (size_t i = 0; i < COUNT(cases); i++) {
		t.listing = cases[i].listing;
		t.body = cases[i].body;
		t.update = cases[i].update;
		pop3_play(&t, BYTES(LOGIN "RETR 1\r\nDELE 1\r\nQUIT\r\n"), 1000);
		check(&t, "refusals", cases[i].said, t.updates ? "1 " : "");
	}
}

/* A failure behind the first octet of a body can only close. */
static void
a_body_that_fails_halfway_closes(void **state)
{
	struct pop3_conf conf = {BYTES("h"), false};
	struct pop3 *p = pop3_new(&conf, true, false);
	struct pop3_message row = {100, BYTES("u")};
	struct rd in = rd_of(BYTES(LOGIN "RETR 1\r\n"));
	uint8_t room[2048];
	struct wr out = wr_of(room, sizeof(room));
	const uint8_t *before;

	(void)state;
	assert_int_equal(pop3_step(p, &in, &out), POP3_LOGIN);
	pop3_answer(p, POP3_OK);
	assert_int_equal(pop3_step(p, &in, &out), POP3_LISTING);
	pop3_listing(p, &row, 1);
	assert_int_equal(pop3_step(p, &in, &out), POP3_BODY);
	assert_int_equal(pop3_body(p, BYTES("half"), &out), 4);
	before = out.p;
	assert_int_equal(pop3_step(p, &in, &out), POP3_BODY);
	pop3_answer(p, POP3_TEMP);
	assert_int_equal(pop3_step(p, &in, &out), POP3_CLOSE);
	assert_ptr_equal(out.p, before);
	pop3_free(p);
}

static void
the_end_is_said_between_replies_only(void **state)
{
	struct pop3_conf conf = {BYTES("h"), false};
	struct pop3 *p = pop3_new(&conf, true, false);
	uint8_t room[2048];
	struct wr out = wr_of(room, sizeof(room));
	struct rd in = rd_of(BYTES(LOGIN));

	(void)state;
	assert_int_equal(pop3_step(p, &in, &out), POP3_LOGIN);
	pop3_end(p);
	out = wr_of(room, sizeof(room));
	assert_int_equal(pop3_step(p, &in, &out), POP3_CLOSE);
	assert_true(bytes_eq(wr_since(&out, room),
	                     BYTES("-ERR [SYS/TEMP] going down, try again later\r\n")));
	pop3_free(p);
}

/* Told to end while messages are being removed, the client first hears that they were. */
static void
an_update_is_told_before_the_end(void **state)
{
	struct pop3_conf conf = {BYTES("h"), false};
	struct pop3 *p = pop3_new(&conf, true, false);
	const struct pop3_message row = {.size = 5, .uid = BYTES("u1")};
	uint8_t room[2048];
	struct wr out = wr_of(room, sizeof(room));
	struct rd in = rd_of(BYTES(LOGIN "DELE 1\r\nQUIT\r\n"));

	(void)state;
	assert_int_equal(pop3_step(p, &in, &out), POP3_LOGIN);
	pop3_answer(p, POP3_OK);
	assert_int_equal(pop3_step(p, &in, &out), POP3_LISTING);
	pop3_listing(p, &row, 1);
	assert_int_equal(pop3_step(p, &in, &out), POP3_UPDATE);
	out = wr_of(room, sizeof(room));
	pop3_answer(p, POP3_OK);
	pop3_end(p);
	assert_int_equal(pop3_step(p, &in, &out), POP3_CLOSE);
	assert_memory_equal(room, "+OK", 3);
	assert_null(memmem(room, sizeof(room) - wr_room(&out), "-ERR", 4));
	pop3_free(p);
}

static void
long_lists_wait_for_room(void **state)
{
	enum { N = 5000 };
	static struct pop3_message rows[N];
	static uint8_t room[POP3_REPLY_MAX], all[1 << 17];
	struct pop3_conf conf = {BYTES("h"), false};
	struct pop3 *p = pop3_new(&conf, true, false);
	struct rd in = rd_of(BYTES(LOGIN "UIDL\r\n"));
	struct wr said = wr_of(all, sizeof(all)), out;
	enum pop3_want want;
	size_t lines = 0;

	(void)state;
	for (size_t i = 0; i < N; i++)
		rows[i] = (struct pop3_message){i, BYTES("0123456789")};
	do {
		out = wr_of(room, sizeof(room));
		want = pop3_step(p, &in, &out);
		assert_false(out.full);
		wr_bytes(&said, wr_since(&out, room));
		if (want == POP3_LOGIN)
			pop3_answer(p, POP3_OK);
		if (want == POP3_LISTING)
			pop3_listing(p, rows, N);
	} while (want != POP3_INPUT);
	for (const uint8_t *c = all; c < said.p; c++)
		lines += *c == '\n';
	assert_int_equal(lines, 1 + 1 + 1 + 1 + N + 1);
	assert_true(pop3_memory(p) < 1024);
	pop3_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_at_every_cut),
	    cmocka_unit_test(refusals_of_the_driver),
	    cmocka_unit_test(a_body_that_fails_halfway_closes),
	    cmocka_unit_test(the_end_is_said_between_replies_only),
	    cmocka_unit_test(an_update_is_told_before_the_end),
	    cmocka_unit_test(long_lists_wait_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

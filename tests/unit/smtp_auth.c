/* smtp_auth.c - submission: what must come before MAIL, and who may send as whom. */
#include "../play_smtp.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

#define GREETING "220 fakeplace.edu ESMTP Stead\r\n"
#define HELLO    "250 fakeplace.edu Hello a, pleased to meet you\r\n"
#define SENDER   "250 2.1.0 sender ok\r\n"
#define RCPT     "250 2.1.5 recipient ok\r\n"
#define GO_AHEAD "354 go on; end with a dot on a line of its own\r\n"
#define TAKEN    "250 2.0.0 s1-1 Message accepted for delivery\r\n"
#define IN       "235 2.7.0 logged in\r\n"
#define WRONG    "535 5.7.8 name or password wrong\r\n"
#define SYNTAX   "501 5.5.2 wrong base64, or not a message of this login\r\n"
#define ORDER    "503 5.5.1 AUTH comes behind EHLO, and before MAIL\r\n"
#define FIRST    "530 5.7.0 log in first\r\n"

#define HELO  "HELO a\r\n"
#define MAIL  "MAIL FROM:<bob@fakeplace.edu>\r\n"
#define TO    "RCPT TO:<bob@fakeplace.edu>\r\n"
#define DATA  "DATA\r\nx\r\n.\r\n"
#define LOGIN "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n" /* NUL bob NUL secret */
#define EVIL  "AUTH PLAIN AGJvYgB3cm9uZw==\r\n" /* NUL bob NUL wrong */
#define LATER "AUTH PLAIN AGxhdGVyAHg=\r\n"

static const struct {
	const char *name, *client, *server, *stored;
} talks[] = {
    {"log in, send", HELO LOGIN MAIL TO DATA, HELLO IN SENDER RCPT GO_AHEAD TAKEN,
     "{bob@fakeplace.edu|bob@fakeplace.edu|x\r\n}"},
    {"nothing before a login", HELO MAIL TO "DATA\r\n" LOGIN MAIL,
     HELLO FIRST "503 5.5.1 MAIL first\r\n503 5.5.1 MAIL first\r\n" IN SENDER, ""},
    {"in rounds", HELO "AUTH PLAIN\r\nAGJvYgBzZWNyZXQ=\r\n" MAIL, HELLO "334 \r\n" IN SENDER, ""},
    {"LOGIN", HELO "auth login\r\nYm9i\r\nc2VjcmV0\r\n" MAIL,
     HELLO "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n" IN SENDER, ""},
    {"LOGIN with its name at once", HELO "AUTH LOGIN Ym9i\r\nc2VjcmV0\r\n",
     HELLO "334 UGFzc3dvcmQ6\r\n" IN, ""},
    {"a password that looks like a browser",
     HELO "AUTH LOGIN Ym9i\r\nPOST\r\nAUTH LOGIN Ym9i\r\nGET/\r\n",
     HELLO "334 UGFzc3dvcmQ6\r\n" WRONG "334 UGFzc3dvcmQ6\r\n" WRONG, ""},
    {"SCRAM",
     HELO "AUTH SCRAM-SHA-256 biwsbj1ib2Iscj1DTk9OQ0U=\r\n"
          "Yz1iaXdzLHI9Q05PTkNFQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBLHA9Y0hCd2NIQndjSEJ3Y0hCd2NIQndjSE"
          "J3Y0hCd2NIQndjSEJ3Y0hCd2NIQT0=\r\n\r\n" MAIL,
     HELLO "334 cj1DTk9OQ0VBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUEscz1jMkZzZENCdlppQnpiMjFsWW05a2VRPT0saT"
           "00MDk2\r\n"
           "334 dj1jM056YzNOemMzTnpjM056YzNOemMzTnpjM056YzNOemMzTnpjM056YzNNPQ==\r\n" IN SENDER,
     ""},
    {"given up", HELO "AUTH LOGIN\r\n*\r\n" MAIL,
     HELLO "334 VXNlcm5hbWU6\r\n501 5.7.0 login given up\r\n" FIRST, ""},
    {"wrong, then right", HELO EVIL LOGIN MAIL, HELLO WRONG IN SENDER, ""},
    {"not now", HELO LATER LOGIN, HELLO "454 4.7.0 cannot check that now, try again later\r\n" IN,
     ""},
    {"once a session", HELO LOGIN LOGIN, HELLO IN "503 5.5.1 you are logged in\r\n", ""},
    {"not in a transaction", HELO LOGIN MAIL LOGIN TO LOGIN "RSET\r\n" MAIL,
     HELLO IN SENDER ORDER RCPT ORDER "250 2.0.0 forgotten\r\n" SENDER, ""},
    {"not before EHLO", LOGIN, ORDER, ""},
    {"a login outlives EHLO and RSET", HELO LOGIN HELO "RSET\r\n" MAIL,
     HELLO IN HELLO "250 2.0.0 forgotten\r\n" SENDER, ""},
    {"unknown mechanisms", HELO "AUTH CRAM-MD5\r\nAUTH\r\nAUTH PLAIN=\r\n",
     HELLO "504 5.5.4 SCRAM-SHA-256 PLAIN LOGIN are offered\r\n"
           "504 5.5.4 SCRAM-SHA-256 PLAIN LOGIN are offered\r\n"
           "504 5.5.4 SCRAM-SHA-256 PLAIN LOGIN are offered\r\n",
     ""},
    {"broken base64",
     HELO "AUTH PLAIN !\r\nAUTH PLAIN AGJvYgBzZWNyZXQ\r\nAUTH PLAIN =\r\nAUTH PLAIN A A\r\n",
     HELLO SYNTAX SYNTAX SYNTAX SYNTAX, ""},
    {"who sends",
     HELO LOGIN "MAIL FROM:<alice@fakeplace.edu>\r\nMAIL FROM:<x@y.z>\r\n" TO "MAIL FROM:<>\r\n",
     HELLO IN "553 5.7.1 this sender address is not yours\r\n"
              "553 5.7.1 this sender address is not yours\r\n503 5.5.1 MAIL first\r\n" SENDER,
     ""},
    {"the AUTH parameter",
     HELO LOGIN "MAIL FROM:<bob@fakeplace.edu> AUTH=<>\r\nRSET\r\n"
                "MAIL FROM:<bob@fakeplace.edu> AUTH=e+3Dmc2@example.com SIZE=1\r\nRSET\r\n"
                "MAIL FROM:<bob@fakeplace.edu> AUTH=e+3dmc2@example.com\r\n"
                "MAIL FROM:<bob@fakeplace.edu> AUTH=a+4\r\n"
                "MAIL FROM:<bob@fakeplace.edu> AUTH=\r\n"
                "MAIL FROM:<bob@fakeplace.edu> AUTH=<> AUTH=<>\r\n",
     HELLO IN SENDER "250 2.0.0 forgotten\r\n" SENDER
                     "250 2.0.0 forgotten\r\n501 5.5.4 wrong parameter\r\n"
                     "501 5.5.4 wrong parameter\r\n501 5.5.4 wrong parameter\r\n"
                     "501 5.5.4 parameter given twice\r\n",
     ""},
    {"STARTTLS forgets, so it comes first", HELO LOGIN "STARTTLS\r\n",
     HELLO IN "503 5.5.1 STARTTLS comes before a login\r\n", ""},
};

static void
talks_at_every_cut(void **state)
{
	static struct smtp_play t;
	uint8_t want[8192];

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t cut = 1; cut < 80; cut++) {
			struct wr w = wr_of(want, sizeof(want));

			smtp_play(&t, bytes_of(talks[i].client), cut);
			wr_text(&w, GREETING);
			wr_text(&w, talks[i].server);
			if (!bytes_eq(smtp_play_said(&t), wr_since(&w, want)) ||
			    !bytes_eq(smtp_play_stored(&t), bytes_of(talks[i].stored)))
				fail_msg("%s, cut %zu:\n%.*s\nstored %.*s", talks[i].name, cut,
				         (int)smtp_play_said(&t).n, smtp_play_said(&t).p,
				         (int)smtp_play_stored(&t).n, smtp_play_stored(&t).p);
		}
}

/* What EHLO offers, and what AUTH and MAIL say, by what is allowed and whether there is TLS. */
static const struct {
	enum smtp_login login;
	bool tls, offered;
	const char *auth, *mail;
} places[] = {
    {SMTP_NO_LOGIN, false, false, "502 5.5.1 ", "250 2.1.0 "},
    {SMTP_NO_LOGIN, true, false, "502 5.5.1 ", "250 2.1.0 "},
    {SMTP_TLS_LOGIN, false, false, "538 5.7.11 ", "530 5.7.0 STARTTLS first"},
    {SMTP_TLS_LOGIN, true, true, "235 2.7.0 ", "530 5.7.0 log in first"},
    {SMTP_PLAIN_LOGIN, false, true, "235 2.7.0 ", "530 5.7.0 log in first"},
    {SMTP_PLAIN_LOGIN, true, true, "235 2.7.0 ", "530 5.7.0 log in first"},
};

static void
a_login_only_where_it_is_safe(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	for (size_t i = 0; i < COUNT(places); i++) {
		t.conf.login = places[i].login;
		t.tls = places[i].tls;
		smtp_play(&t, BYTES("EHLO a\r\n" MAIL "RSET\r\n" LOGIN "EHLO a\r\n"), 20);
		/* who is logged in is not offered it again */
		assert_int_equal(count_in(smtp_play_said(&t), "250-AUTH SCRAM-SHA-256 PLAIN LOGIN"),
		                 places[i].offered);
		assert_int_equal(count_in(smtp_play_said(&t), places[i].auth), 1);
		assert_int_equal(count_in(smtp_play_said(&t), places[i].mail), 1);
		assert_int_equal(t.logins, places[i].offered);
	}
}

/* Nothing that was said before TLS is known inside it, and a login before it is not asked for. */
static void
a_login_behind_starttls(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_TLS_LOGIN;
	t.after_tls = LOGIN "EHLO a\r\n" LOGIN MAIL;
	smtp_play(&t, BYTES("EHLO a\r\n" LOGIN "STARTTLS\r\n" LOGIN), 500);
	assert_int_equal(t.handshakes, 1);
	assert_int_equal(t.logins, 1);
	assert_int_equal(count_in(smtp_play_said(&t), "538 5.7.11 "), 1);
	assert_int_equal(count_in(smtp_play_said(&t), ORDER), 1);
	assert_int_equal(count_in(smtp_play_said(&t), IN SENDER), 1);
}

static void
refused_logins_end_the_session(void **state)
{
	static struct smtp_play t;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	smtp_play(&t, BYTES(HELO EVIL EVIL EVIL LOGIN MAIL), 1000);
	assert_true(t.closed);
	assert_int_equal(t.logins, SMTP_LOGINS_MAX);
	assert_int_equal(count_in(smtp_play_said(&t), "535 "), SMTP_LOGINS_MAX - 1);
	assert_int_equal(count_in(smtp_play_said(&t), "421 4.7.0 too many refused logins"), 1);
	assert_int_equal(count_in(smtp_play_said(&t), "235 "), 0);
}

static const struct {
	const char *end, *said;
	size_t n; /* octets of the line before its end */
} lines[] = {
    {"\r\n", SYNTAX, SASL_LINE_MAX},
    {"\r\n", "500 5.5.6 line too long, closing\r\n", SASL_LINE_MAX + 1},
    {"", "500 5.5.6 line too long, closing\r\n", SASL_LINE_MAX + 2},
    {"", "", SASL_LINE_MAX + 1},
    {"\n\r\n", "500 5.5.2 lines end with CRLF, closing\r\n", 8},
    {"\rx\r\n", "500 5.5.2 lines end with CRLF, closing\r\n", 8},
};

static void
lines_of_a_login_have_an_end(void **state)
{
	static struct smtp_play t;
	static char client[SASL_LINE_MAX + 64], said[256];

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (size_t i = 0; i < COUNT(lines); i++)
		for (size_t cut = 1; cut < 3000; cut = cut * 3 + 1) {
			int n = snprintf(client, sizeof(client), HELO "AUTH PLAIN\r\n");

			memset(client + n, 'A', lines[i].n);
			snprintf(client + n + lines[i].n, 8, "%s", lines[i].end);
			snprintf(said, sizeof(said), GREETING HELLO "334 \r\n%s", lines[i].said);
			smtp_play(&t, bytes_of(client), cut);
			assert_true(bytes_eq(smtp_play_said(&t), bytes_of(said)));
		}
}

/* RFC 3848: A for a login, S for TLS. */
static void
received_tells_of_the_login(void **state)
{
	static struct smtp_play t;
	uint8_t room[SMTP_RECEIVED_MAX];
	enum smtp_want want;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	for (int tls = 0; tls < 2; tls++) {
		struct wr w = wr_of(room, sizeof(room));

		t.said = wr_of(t.said_room, sizeof(t.said_room));
		t.s = smtp_new(&t.conf, BYTES("192.0.2.7"), BYTES("s1"), tls);
		smtp_play_turn(&t, BYTES("EHLO a\r\n" LOGIN MAIL), &want);
		assert_true(smtp_logged_in(t.s));
		smtp_received(t.s, 0, &w);
		assert_int_equal(
		    count_in(wr_since(&w, room), tls ? " with ESMTPSA id " : " with ESMTPA id "),
		    1);
		smtp_free(t.s);
	}
}

/* A session that ends within a login frees it, and keeps nothing of it while it is idle. */
static void
a_login_leaves_no_memory(void **state)
{
	static struct smtp_play t;
	enum smtp_want want;

	(void)state;
	smtp_play_init(&t);
	t.conf.login = SMTP_PLAIN_LOGIN;
	t.said = wr_of(t.said_room, sizeof(t.said_room));
	t.s = smtp_new(&t.conf, NO_BYTES, NO_BYTES, false);
	smtp_play_turn(&t, BYTES(HELO "AUTH LOGIN\r\n"), &want);
	assert_true(smtp_memory(t.s) > SASL_MEMORY_MAX &&
	            smtp_memory(t.s) < 1024 + SASL_MEMORY_MAX);
	smtp_play_turn(&t, BYTES("*\r\n"), &want);
	assert_true(smtp_memory(t.s) < 1024);
	smtp_play_turn(&t, BYTES("AUTH LOGIN\r\n"), &want);
	smtp_free(t.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(talks_at_every_cut),
	    cmocka_unit_test(a_login_only_where_it_is_safe),
	    cmocka_unit_test(a_login_behind_starttls),
	    cmocka_unit_test(refused_logins_end_the_session),
	    cmocka_unit_test(lines_of_a_login_have_an_end),
	    cmocka_unit_test(received_tells_of_the_login),
	    cmocka_unit_test(a_login_leaves_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

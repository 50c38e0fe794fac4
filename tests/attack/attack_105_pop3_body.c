/* attack_105_pop3_body.c - bodies of dot lines, and readers that are slow. */
#include "../play_pop3.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* What a client reads of a RETR: behind the first line, dots unstuffed, to CRLF.CRLF. */
static size_t
received(struct bytes said, size_t skip, uint8_t *text)
{
	struct rd in = rd_of(said);
	struct bytes line;
	size_t n = 0;

	for (size_t i = 0; i < skip; i++)
		assert_true(rd_line(&in, &line));
	while (rd_line(&in, &line) && !bytes_eq(line, BYTES("."))) {
		if (line.n && line.p[0] == '.')
			line = (struct bytes){line.p + 1, line.n - 1};
		memcpy(text + n, line.p, line.n);
		memcpy(text + n + line.n, "\r\n", 2);
		n += line.n + 2;
	}
	assert_int_equal(rd_left(&in), 0);
	return n;
}

static void
attack_105_pop3_dot_lines(void **state)
{
	static struct pop3_play t;
	static char message[8192];
	static uint8_t text[8192];
	const char *maildrop[] = {message};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 600; i++) {
		memset(message + n, '.', i % 7);
		n += i % 7;
		if (i % 5 == 0)
			message[n++] = 'x';
		memcpy(message + n, "\r\n", 3);
		n += 2;
	}
	pop3_play_init(&t, maildrop, 1);
	for (t.piece = 1; t.piece < 5000; t.piece = t.piece * 2 + 1)
		for (t.room = POP3_REPLY_MAX; t.room < 3000; t.room += 501) {
			pop3_play(&t, BYTES("USER bob\r\nPASS hungry\r\nRETR 1\r\n"), 1000);
			assert_int_equal(received(pop3_play_said(&t), 4, text), n);
			assert_memory_equal(text, message, n);
		}
}

/* A slow reader: nothing is taken beyond the room, and the session keeps nothing of it. */
static void
attack_105_pop3_slow_reader(void **state)
{
	static uint8_t piece[1 << 16];
	struct pop3_conf conf = {BYTES("h"), false};
	struct pop3_message row = {1000 * 1000 * 1000, BYTES("u")};
	struct pop3 *p = pop3_new(&conf, true, false);
	struct rd in = rd_of(BYTES("USER bob\r\nPASS hungry\r\nRETR 1\r\nQUIT\r\n"));
	uint8_t room[2048];
	struct wr out = wr_of(room, sizeof(room));
	uint64_t sent = 0;

	(void)state;
	memset(piece, '.', sizeof(piece));
	assert_int_equal(pop3_step(p, &in, &out), POP3_LOGIN);
	pop3_answer(p, POP3_OK);
	assert_int_equal(pop3_step(p, &in, &out), POP3_LISTING);
	pop3_listing(p, &row, 1);
	assert_int_equal(pop3_step(p, &in, &out), POP3_BODY);
	for (size_t i = 0; i < 1000; i++) {
		sent += pop3_body(p, (struct bytes){piece, sizeof(piece)}, &out);
		assert_int_equal(pop3_body(p, (struct bytes){piece, sizeof(piece)}, &out), 0);
		assert_int_equal(pop3_step(p, &in, &out), POP3_ROOM);
		assert_int_equal(pop3_offset(p), sent);
		assert_int_equal(rd_left(&in), 6); /* QUIT waits */
		out = wr_of(room, sizeof(room));
		assert_int_equal(pop3_step(p, &in, &out), POP3_BODY);
	}
	assert_true(sent > 2000 * 1000 && pop3_missing(p) == row.size - sent);
	assert_true(pop3_memory(p) < 1024);
	pop3_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_105_pop3_dot_lines),
	    cmocka_unit_test(attack_105_pop3_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

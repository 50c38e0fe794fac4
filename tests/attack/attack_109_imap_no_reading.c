/* attack_109_imap_no_reading.c - 10,000 pipelined FETCH of whole messages, and nobody reads. */
#include "../play_imap.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

enum { FETCHES = 10000, SIZE = 50 * 1000 * 1000 };

/*
 * The machine writes only where it is given room, and asks for octets only then: it holds one
 * command, whatever waits in front of it and however large the message is.
 */
static void
attack_109_imap_no_reading(void **state)
{
	static uint8_t client[FETCHES * 20], room[4 * IMAP_REPLY_MAX], octets[32 * 1024];
	struct imap_conf conf = {BYTES("h"), false};
	struct imap *p = imap_new(&conf, true, false);
	struct imap_row row = {.number = 1, .uid = 1, .size = SIZE, .body = 10};
	struct imap_opened opened = {.exists = 1, .uidvalidity = 1, .uidnext = 2};
	struct wr text = wr_of(client, sizeof(client)), out = wr_of(room, sizeof(room));
	struct rd in;
	size_t given = 0, rounds = 0;
	enum imap_want want;

	(void)state;
	wr_text(&text, "l LOGIN a b\r\ns SELECT b\r\n");
	for (size_t i = 0; i < FETCHES; i++)
		wr_text(&text, "a FETCH 1 BODY[]\r\n");
	in = rd_of(wr_since(&text, client));
	assert_int_equal(imap_step(p, &in, &out), IMAP_SASL);
	sasl_answer(imap_sasl(p), SASL_OK);
	assert_int_equal(imap_step(p, &in, &out), IMAP_OPEN);
	imap_opened(p, &opened);
	out = wr_of(room, sizeof(room));
	assert_int_equal(imap_step(p, &in, &out), IMAP_RESOLVE);
	imap_answer(p, IMAP_OK);
	assert_int_equal(imap_step(p, &in, &out), IMAP_ROW);
	imap_row(p, &row);
	while ((want = imap_step(p, &in, &out)) == IMAP_OCTETS)
		given += imap_octets(p, (struct bytes){octets, sizeof(octets)}, &out);
	assert_int_equal(want, IMAP_ROOM); /* nobody reads: there it stays */
	assert_true(given < sizeof(room));
	assert_int_equal(imap_step(p, &in, &out), IMAP_ROOM);
	assert_true(imap_memory(p) < 8 * 1024);
	assert_true(rd_left(&in) > (FETCHES - 2) * (size_t)18);

	do { /* somebody does: the same memory carries it all */
		out = wr_of(room, sizeof(room));
		while ((want = imap_step(p, &in, &out)) == IMAP_OCTETS)
			given += imap_octets(p, (struct bytes){octets, sizeof(octets)}, &out);
		assert_true(imap_memory(p) < 8 * 1024);
		rounds++;
	} while (want == IMAP_ROOM);
	assert_int_equal(want, IMAP_ROW);
	assert_int_equal(given, SIZE);
	assert_true(rounds >= SIZE / sizeof(room));
	imap_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_109_imap_no_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The connection breaks behind the final dot, before its reply was read: the message may be there,
 * and may come twice; it is never lost, and not given to another server at once (RFC 1047).
 */
#include "../play_smtpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
attack_055_reset_behind_the_dot(void **state)
{
	static const struct play_rule rules[] = {{".", "250 2.0.0 que\2"}, {NULL, NULL}};

	(void)state;
	for (size_t cut = 0; cut < 30; cut++) {
		struct play p = play_open(rules, cut, false);

		play_message(&p, 2, "hi\r\n");
		assert_string_equal(p.results, "T4.4.2 T4.4.2");
		assert_int_equal(p.sink.messages, 1);
		assert_int_equal(play_run(&p, NO_BYTES), SMTPC_CLOSE);
		play_close(&p);
	}
}

/* Before the dot the server cannot have it: another one may be asked. */
static void
attack_055_reset_within_the_body(void **state)
{
	const struct smtpc_message m = {.rcpts = play_rcpts, .n = 1, .size = 9};
	struct play p = play_open(NULL, 0, false);
	uint8_t room[SMTPC_ROOM_MAX];
	struct rd none = rd_of(NO_BYTES);
	struct wr out = wr_of(room, sizeof(room));

	(void)state;
	assert_int_equal(play_run(&p, NO_BYTES), SMTPC_IDLE);
	assert_true(smtpc_message(p.s, &m));
	for (int i = 0; i < 100; i++) {
		struct rd in = rd_of(buf_bytes(&p.in));
		struct wr w = wr_of(room, sizeof(room));
		enum smtpc_want want = smtpc_step(p.s, &in, &w);

		buf_eat(&p.in, p.in.n - rd_left(&in));
		play_take(&p.sink, wr_since(&w, room));
		if (want == SMTPC_PIECE)
			break;
		play_arrive(&p);
	}
	assert_int_equal(smtpc_body(p.s, BYTES("half"), &out), 4);
	assert_false(smtpc_in_doubt(p.s));
	smtpc_lost(p.s, "reset");
	assert_int_equal(smtpc_step(p.s, &none, &out), SMTPC_RESULT);
	play_results(&p, 1);
	assert_string_equal(p.results, "T4.4.2e");
	play_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_055_reset_behind_the_dot),
	    cmocka_unit_test(attack_055_reset_within_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

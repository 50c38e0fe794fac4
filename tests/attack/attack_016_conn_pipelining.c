/*
 * Attack 16: a client sends without end and never reads.  Two bounded buffers fill, then nothing is
 * read from it, no work is done for it, and its idle deadline comes.
 */
#include "../conn_peer.h"

static void
pipelines(bool real)
{
	struct purse purse = {0, 1 << 20};
	struct conn_conf conf = {.in_max = 4096, .out_max = 8192, .purse = &purse};
	struct session s = {.conn = NULL};
	struct loop *l;
	struct peer p;
	int fd[2], turns;

	assert_true(is_ok(real ? loop_open(&l) : loop_sim_open(&l, 16)));
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	session_open(&s, l, fd[0], &conf);
	conn_idle(s.conn, 500);
	peer_open(&p, l, fd[1], 0);
	p.deaf = true;
	for (int i = 0; i < 200000; i++)
		peer_say(&p, BYTES("NOOP and more\r\n"));
	run_ms(l, 200);
	turns = s.turns;
	run_ms(l, 100);
	assert_int_equal(s.turns, turns); /* nothing spins */
	assert_true(conn_in(s.conn).n <= 4096 && conn_unsent(s.conn) <= 8192);
	assert_true(purse.used <= CONN_OWN + 4096 + 8192);
	assert_true(p.out.n > 0);
	run_ms(l, 1000);
	assert_int_equal(conn_late(s.conn), CONN_IDLE);
	conn_free(s.conn);
	assert_int_equal(purse.used, 0);
	peer_close(&p);
	loop_close(l);
}

static void
attack_016_pipelining(void **state)
{
	(void)state;
	pipelines(false);
	pipelines(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_016_pipelining),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

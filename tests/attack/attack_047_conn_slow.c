/*
 * Attack 47: thousands of connections that send an octet each ten seconds in a phase of bulk.  They
 * are told to be too slow after two windows at most, and a fresh client is served at once meanwhile.
 */
#include "../conn_peer.h"

enum { SLOW = 1000 };

static struct session slow[SLOW];
static int slow_fd[SLOW];

static void
send_one(struct loop *l)
{
	size_t sent;

	for (int i = 0; i < SLOW; i++)
		if (slow[i].conn)
			assert_true(is_ok(loop_send(l, slow_fd[i], &BYTES("x"), 1, &sent)));
}

static void
attack_047_slow_bulk(void **state)
{
	struct conn_conf conf = {.in_max = 4096, .out_max = 4096};
	struct session fast = {.conn = NULL}, fresh = {.conn = NULL};
	struct peer p, q;
	struct loop *l;
	int fd[2], late = 0;

	(void)state;
	assert_true(is_ok(loop_sim_open(&l, 47)));
	for (int i = 0; i < SLOW; i++) {
		assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
		slow_fd[i] = fd[1];
		slow[i] = (struct session){.eats_all = true};
		session_open(&slow[i], l, fd[0], &conf);
		conn_expect(slow[i].conn, 100);
	}
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	fast.eats_all = true;
	session_open(&fast, l, fd[0], &conf);
	conn_expect(fast.conn, 100);
	peer_open(&p, l, fd[1], 0);
	for (int i = 0; i < 3; i++) {
		static uint8_t bulk[2000];

		send_one(l);
		peer_say(&p, (struct bytes){bulk, sizeof(bulk)});
		run_ms(l, CONN_RATE_MS);
	}
	for (int i = 0; i < SLOW; i++)
		late += conn_late(slow[i].conn) == CONN_SLOW;
	assert_int_equal(late, SLOW);
	assert_int_equal(conn_late(fast.conn), CONN_IN_TIME);

	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	session_open(&fresh, l, fd[0], &conf);
	peer_open(&q, l, fd[1], 0);
	peer_say(&q, BYTES("hello\r\n"));
	run_ms(l, 100);
	assert_int_equal(q.in.n, 7);

	for (int i = 0; i < SLOW; i++) {
		conn_free(slow[i].conn);
		loop_close_fd(l, slow_fd[i]);
	}
	conn_free(fast.conn);
	conn_free(fresh.conn);
	peer_close(&p);
	peer_close(&q);
	assert_int_equal(sim_open_fds(l), 0);
	loop_close(l);
}

/* A client is not blamed for a window in which we did not read. */
static void
attack_047_not_his_fault(void **state)
{
	struct conn_conf conf = {.in_max = 4096, .out_max = 4096};
	struct session s = {.conn = NULL};
	struct loop *l;
	int fd[2];

	(void)state;
	assert_true(is_ok(loop_sim_open(&l, 47)));
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	session_open(&s, l, fd[0], &conf);
	conn_expect(s.conn, 1000);
	conn_hold(s.conn, true);
	run_ms(l, 3 * CONN_RATE_MS);
	assert_int_equal(conn_late(s.conn), CONN_IN_TIME);
	conn_hold(s.conn, false);
	run_ms(l, 3 * CONN_RATE_MS);
	assert_int_equal(conn_late(s.conn), CONN_SLOW);
	conn_free(s.conn);
	loop_close_fd(l, fd[1]);
	loop_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_047_slow_bulk),
	    cmocka_unit_test(attack_047_not_his_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 161: a client says STARTTLS and ends its direction; both are there when the line is looked
 * at, since the owner was waiting for something else.  Nobody is there to shake hands with: the
 * connection breaks, what was written before leaves, and the process lives.
 */
#include "../conn_peer.h"

static struct tls_world world;

/* With held input the line is eaten only behind the end, as a login or a commit has it. */
static void
end_behind(bool real, size_t piece, bool held)
{
	struct conn_conf conf = {.tls = world.server, .in_max = 4096, .out_max = 4096};
	struct session s = {.conn = NULL};
	struct bytes line = BYTES("STARTTLS\r\n");
	struct loop *l;
	struct peer p;
	int fd[2];

	assert_true(is_ok(real ? loop_open(&l) : loop_sim_open(&l, piece)));
	if (!real)
		sim_weather(l, &(struct sim_weather){.whole = true});
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	peer_open(&p, l, fd[1], piece);
	peer_say(&p, line);
	run_ms(l, 50);
	assert_int_equal(p.out.n, 0);
	assert_true(is_ok(loop_shutdown(l, fd[1])));
	s.waits = held;
	session_open(&s, l, fd[0], &conf);
	run_ms(l, 50);
	if (held) {
		assert_int_equal(conn_state(s.conn), CONN_ENDED);
		assert_int_equal(s.lines, 0);
		s.waits = false;
		session_turn(&s, s.conn);
		run_ms(l, 50);
	}
	assert_int_equal(s.lines, 1);
	assert_int_equal(conn_state(s.conn), CONN_BROKEN);
	assert_int_equal(conn_error(s.conn).code, ERR_GONE);
	assert_true(bytes_eq(buf_bytes(&p.in), line));
	conn_free(s.conn);
	peer_close(&p);
	loop_close(l);
}

static void
attack_161_starttls_and_end(void **state)
{
	(void)state;
	for (int real = 0; real < 2; real++)
		for (size_t piece = 0; piece < 4; piece++) {
			end_behind(real, piece, true);
			end_behind(real, piece, false);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_161_starttls_and_end)};
	int failed;

	world_open(&world);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(&world);
	return failed;
}

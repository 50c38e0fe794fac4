/*
 * Attack 89: the stream ends without close_notify, as anybody on the way can have it.  The owner
 * sees CONN_CUT, never CONN_ENDED, wherever the cut falls; so nothing of it is committed.
 */
#include "../conn_peer.h"

static struct tls_world world;

/* Ends after `keep` cipher octets of the client's last words. */
static enum conn_state
end_after(size_t keep, bool notify, uint64_t seed, size_t *eaten)
{
	struct conn_conf conf = {
	    .tls = world.server, .tls_now = true, .in_max = 4096, .out_max = 4096};
	struct session s = {.eats_all = true};
	struct bytes cipher;
	struct loop *l;
	struct peer p;
	enum conn_state state;
	int fd[2];
	size_t sent;

	assert_true(is_ok(loop_sim_open(&l, seed)));
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	session_open(&s, l, fd[0], &conf);
	peer_open(&p, l, fd[1], 0);
	peer_tls(&p, &world);
	run_ms(l, 100);
	assert_int_equal(conn_state(s.conn), CONN_OPEN);
	assert_int_equal(tls_write(p.tls, BYTES("the last words")), 14);
	if (notify)
		tls_close(p.tls);
	cipher = tls_out(p.tls);
	if (keep < cipher.n)
		cipher.n = keep;
	if (cipher.n)
		assert_true(is_ok(loop_send(l, p.fd, &cipher, 1, &sent)));
	assert_true(is_ok(loop_shutdown(l, p.fd)));
	run_ms(l, 100);
	state = conn_state(s.conn);
	*eaten = s.eaten;
	conn_free(s.conn);
	peer_close(&p);
	loop_close(l);
	return state;
}

static void
attack_089_cut(void **state)
{
	size_t eaten;

	(void)state;
	for (size_t keep = 0; keep < 70; keep++)
		assert_int_equal(end_after(keep, false, keep, &eaten), CONN_CUT);
	assert_int_equal(end_after(1000, false, 1, &eaten), CONN_CUT);
	assert_int_equal(eaten, 14); /* all came, but nobody says that it is all */
	assert_int_equal(end_after(1000, true, 1, &eaten), CONN_ENDED);
	assert_int_equal(eaten, 14);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_089_cut),
	};
	int failed;

	world_open(&world);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(&world);
	return failed;
}

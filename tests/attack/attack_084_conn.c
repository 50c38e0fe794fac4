/*
 * Attack 84: somebody on the way puts commands behind the client's STARTTLS, in plain.  They are
 * dropped, or end the connection: none is ever seen, before TLS or within it.
 */
#include "../conn_peer.h"

static struct tls_world world;

static void
inject(bool real, size_t piece, struct bytes plain, uint64_t late_ms, bool dropped)
{
	struct conn_conf conf = {.tls = world.server, .in_max = 4096, .out_max = 4096};
	struct session s = {.conn = NULL};
	struct loop *l;
	struct peer p;
	int fd[2];

	assert_true(is_ok(real ? loop_open(&l) : loop_sim_open(&l, piece)));
	if (!real)
		sim_weather(l, &(struct sim_weather){.whole = true});
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	session_open(&s, l, fd[0], &conf);
	peer_open(&p, l, fd[1], piece);
	peer_say(&p, plain);
	run_until_got(&p, 10);
	assert_true(bytes_begins_nocase(buf_bytes(&p.in), BYTES("STARTTLS\r\n")));
	buf_eat(&p.in, p.in.n);
	if (late_ms) { /* in plain, after the server has said that TLS may begin */
		run_ms(l, late_ms);
		peer_say(&p, BYTES("EVIL late\r\n"));
		run_ms(l, late_ms);
	}
	if (dropped) {
		peer_tls(&p, &world);
		peer_say(&p, BYTES("good\r\n"));
		run_until_got(&p, 6);
		assert_true(bytes_eq(buf_bytes(&p.in), BYTES("good\r\n")));
		assert_int_equal(conn_state(s.conn), CONN_OPEN);
		assert_non_null(conn_tls(s.conn));
	} else {
		run_ms(l, 50);
		assert_int_equal(conn_state(s.conn), CONN_BROKEN);
	}
	assert_int_equal(s.evil, 0);
	conn_free(s.conn);
	peer_close(&p);
	loop_close(l);
}

static void
attack_084_same_segment(void **state)
{
	(void)state;
	for (int real = 0; real < 2; real++) {
		inject(real, 0, BYTES("STARTTLS\r\nEVIL\r\n"), 0, true);
		inject(real, 0, BYTES("STARTTLS\r\nEVIL\r\nEVIL\r\nEVI"), 0, true);
		inject(real, 0, BYTES("STARTTLS\r\nSTARTTLS\r\nEVIL\r\n"), 0, true);
	}
}

/* What comes after the dropped buffer is taken for TLS, and is none. */
static void
attack_084_later_segment(void **state)
{
	(void)state;
	for (int real = 0; real < 2; real++)
		inject(real, 0, BYTES("STARTTLS\r\n"), 20, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_084_same_segment),
	    cmocka_unit_test(attack_084_later_segment),
	};
	int failed;

	world_open(&world);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(&world);
	return failed;
}

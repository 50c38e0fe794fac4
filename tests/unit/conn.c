/* Connections: lines and bulk, plain and in TLS, in pieces; deadlines, purses, ends. */
#include "../conn_peer.h"

#include <malloc.h>

static struct tls_world world;

enum how { PLAIN, TLS_NOW, STARTTLS, HOWS };
static const size_t pieces[] = {1, 2, 3, 7, 64, 0};

struct both {
	struct loop *loop;
	struct peer peer;
	struct session session;
	struct purse purse;
	struct conn_conf conf;
};

static void
open_both(struct both *b, bool real, uint64_t seed, enum how how, size_t piece)
{
	int fd[2];

	*b = (struct both){.purse = {0, 1 << 20}};
	b->conf = (struct conn_conf){.tls = how == PLAIN ? NULL : world.server,
	                             .tls_now = how == TLS_NOW,
	                             .in_max = 4096,
	                             .out_max = 16384,
	                             .purse = &b->purse};
	assert_true(is_ok(real ? loop_open(&b->loop) : loop_sim_open(&b->loop, seed)));
	assert_true(is_ok(loop_pair(b->loop, LOOP_STREAM, fd)));
	session_open(&b->session, b->loop, fd[0], &b->conf);
	peer_open(&b->peer, b->loop, fd[1], piece);
	if (how == TLS_NOW)
		peer_tls(&b->peer, &world);
	if (how == STARTTLS) {
		peer_say(&b->peer, BYTES("STARTTLS\r\n"));
		run_until_got(&b->peer, 10);
		buf_eat(&b->peer.in, 10);
		peer_tls(&b->peer, &world);
	}
}

static void
close_both(struct both *b)
{
	conn_free(b->session.conn);
	assert_int_equal(b->purse.used, 0);
	peer_close(&b->peer);
	loop_close(b->loop);
}

/* A talk of some lines, then QUIT: all is answered, and the end is clean. */
static void
talk(bool real, enum how how, size_t piece)
{
	struct both b;
	struct bytes got, all = BYTES("one\r\ntwo\r\n\r\nlast line\r\n");

	open_both(&b, real, piece, how, piece);
	peer_say(&b.peer, all);
	peer_say(&b.peer, BYTES("QUIT\r\n"));
	run_until_got(&b.peer, SIZE_MAX);
	got = buf_bytes(&b.peer.in);
	assert_true(bytes_eq(got, all));
	assert_true(b.peer.ended);
	assert_false(b.peer.broken);
	assert_int_equal(b.peer.clean, how != PLAIN);
	assert_int_equal(b.session.lines, 4 + (how == STARTTLS));
	peer_close(&b.peer);
	run_ms(b.loop, real ? 20 : 100);
	assert_null(b.session.conn); /* it was CONN_DONE */
	close_both(&b);
}

static void
test_lines(void **state)
{
	(void)state;
	for (int how = 0; how < HOWS; how++)
		for (size_t i = 0; i < COUNT(pieces); i++)
			for (int real = 0; real < 2; real++)
				talk(real, (enum how)how, pieces[i]);
}

/* More than the buffers hold, in both directions. */
static void
test_bulk(void **state)
{
	enum { BULK = 500000 };

	(void)state;
	for (int how = 0; how < HOWS; how++)
		for (int real = 0; real < 2; real++) {
			struct both b;
			struct conn_counts counts;
			static uint8_t up[BULK];

			open_both(&b, real, 1, (enum how)how, 0);
			b.session.eats_all = true;
			b.session.bulk = BULK;
			peer_say(&b.peer, (struct bytes){up, BULK});
			run_until_got(&b.peer, BULK);
			for (int i = 0; i < 500 && b.session.eaten < BULK; i++)
				run_ms(b.loop, 2);
			assert_int_equal(b.session.eaten, BULK);
			assert_int_equal(b.peer.in.n, BULK);
			for (size_t i = 0; i < BULK; i++)
				if (buf_bytes(&b.peer.in).p[i] != (uint8_t)((BULK - i) * 13))
					fail_msg("octet %zu", i);
			counts = conn_counts(b.session.conn);
			assert_true(counts.in >= BULK && counts.out >= BULK);
			assert_true(b.purse.used <= CONN_OWN + CONN_OWN_TLS);
			close_both(&b);
		}
}

/* What a question shows stays put while it is held, whatever else comes. */
static void
test_hold(void **state)
{
	struct both b;
	struct bytes shown;

	(void)state;
	open_both(&b, false, 1, PLAIN, 0);
	peer_say(&b.peer, BYTES("RCPT TO:<alice"));
	run_ms(b.loop, 50);
	conn_hold(b.session.conn, true);
	shown = conn_in(b.session.conn);
	for (int i = 0; i < 100; i++)
		peer_say(&b.peer, BYTES("0123456789012345678901234567890123456789"));
	run_ms(b.loop, 100);
	assert_ptr_equal(conn_in(b.session.conn).p, shown.p);
	assert_int_equal(conn_in(b.session.conn).n, shown.n);
	conn_hold(b.session.conn, false);
	run_ms(b.loop, 100);
	assert_true(conn_in(b.session.conn).n > shown.n);
	close_both(&b);
}

static void
test_ends(void **state)
{
	struct both b;

	(void)state;
	for (int how = 0; how < HOWS; how++) { /* the peer ends in between */
		open_both(&b, false, 1, (enum how)how, 0);
		run_ms(b.loop, 300);
		if (b.peer.tls)
			tls_close(b.peer.tls);
		peer_want(&b.peer);
		run_ms(b.loop, 50);
		if (how == PLAIN)
			peer_close(&b.peer);
		run_ms(b.loop, 50);
		assert_int_equal(conn_state(b.session.conn), CONN_ENDED);
		close_both(&b);
	}
	open_both(&b, false, 1, PLAIN, 0); /* its network breaks */
	run_ms(b.loop, 50);
	sim_cut(b.loop, b.peer.fd);
	run_ms(b.loop, 50);
	assert_int_equal(conn_state(b.session.conn), CONN_BROKEN);
	assert_true(is_fault(conn_error(b.session.conn)));
	conn_finish(b.session.conn);
	run_ms(b.loop, 50);
	assert_null(b.session.conn);
	close_both(&b);

	open_both(&b, false, 1, TLS_NOW, 0); /* it says nothing in the handshake (attack 16) */
	tls_free(b.peer.tls);
	b.peer.tls = NULL;
	run_ms(b.loop, CONN_HANDSHAKE_MS - 1000);
	assert_int_equal(conn_state(b.session.conn), CONN_HANDSHAKE);
	run_ms(b.loop, 2000);
	assert_int_equal(conn_state(b.session.conn), CONN_BROKEN);
	close_both(&b);

	open_both(&b, false, 1, PLAIN, 0); /* it neither reads nor ends when we finish */
	b.peer.deaf = true;
	peer_want(&b.peer);
	b.session.bulk = 200000;
	peer_say(&b.peer, BYTES("x\r\n"));
	run_ms(b.loop, 100);
	conn_finish(b.session.conn);
	run_ms(b.loop, CONN_FINISH_MS + 100);
	assert_null(b.session.conn);
	close_both(&b);
}

/* What is written before conn_finish() arrives whole, though the client still sends. */
static void
test_finish_while_client_sends(void **state)
{
	(void)state;
	for (int how = 0; how < HOWS; how++)
		for (int real = 0; real < 2; real++) {
			static uint8_t up[30000];
			struct both b;

			open_both(&b, real, 1, (enum how)how, 0);
			b.session.finish_at_end = how == PLAIN;
			b.session.bulk = 100000;
			peer_say(&b.peer, BYTES("line\r\n"));
			peer_say(&b.peer, (struct bytes){up, sizeof(up)});
			run_until_got(&b.peer, 100006);
			b.session.finish_at_end = true;
			peer_say(&b.peer, (struct bytes){up, sizeof(up)});
			if (b.session.conn && how != PLAIN)
				conn_finish(b.session.conn);
			run_until_got(&b.peer, SIZE_MAX);
			assert_int_equal(b.peer.in.n, 100006);
			assert_true(b.peer.ended);
			assert_int_equal(b.peer.clean, how != PLAIN);
			close_both(&b);
		}
}

static void
test_deadlines(void **state)
{
	struct both b;

	(void)state;
	open_both(&b, false, 1, PLAIN, 0);
	conn_idle(b.session.conn, 5000);
	for (int i = 0; i < 10; i++) { /* a byte each two seconds is not idle */
		peer_say(&b.peer, BYTES("x"));
		run_ms(b.loop, 2000);
		assert_int_equal(b.session.late, CONN_IN_TIME);
	}
	run_ms(b.loop, 4000);
	assert_int_equal(b.session.late, CONN_IDLE);
	conn_idle(b.session.conn, 5000); /* the owner gives it another chance */
	assert_int_equal(conn_late(b.session.conn), CONN_IN_TIME);
	run_ms(b.loop, 4900);
	assert_int_equal(conn_late(b.session.conn), CONN_IN_TIME);
	conn_idle(b.session.conn, 0);
	run_ms(b.loop, 100000);
	assert_int_equal(conn_late(b.session.conn), CONN_IN_TIME);

	conn_until(b.session.conn, 3000);
	for (int i = 0; i < 29; i++) {
		assert_int_equal(conn_late(b.session.conn), CONN_IN_TIME);
		peer_say(&b.peer, BYTES("x"));
		run_ms(b.loop, 100);
	}
	run_ms(b.loop, 200);
	assert_int_equal(conn_late(b.session.conn), CONN_OVERDUE);
	close_both(&b);
}

static void
test_purse(void **state)
{
	struct both b;
	struct conn_conf conf;
	struct conn *c;
	int fd[2];

	(void)state;
	open_both(&b, false, 1, PLAIN, 0);
	assert_int_equal(b.purse.used, CONN_OWN);
	peer_say(&b.peer, BYTES("half a line"));
	run_ms(b.loop, 50);
	assert_int_equal(b.purse.used, CONN_OWN + 11);

	/* A purse with little room: so much is read and no more. */
	b.purse.cap = CONN_OWN + 20;
	peer_say(&b.peer, BYTES("0123456789012345678901234567890123456789"));
	run_ms(b.loop, 1000);
	assert_int_equal(conn_in(b.session.conn).n, 20);
	assert_true(conn_room(b.session.conn, 10).full);
	b.purse.cap = 1 << 20;
	run_ms(b.loop, 1000);
	assert_int_equal(conn_in(b.session.conn).n, 51);

	b.purse.cap = b.purse.used + CONN_OWN - 1;
	assert_true(is_ok(loop_pair(b.loop, LOOP_STREAM, fd)));
	conf = b.conf;
	assert_int_equal(conn_open(&c, b.loop, fd[0], &conf, session_turn, NULL).code, ERR_FULL);
	loop_close_fd(b.loop, fd[1]);
	close_both(&b);
	assert_int_equal(b.purse.used, 0);
}

static void
frees_itself(void *owner, struct conn *c)
{
	int *turns = owner;

	++*turns;
	conn_free(c);
	conn_free(NULL);
}

static void
test_freed_in_turn(void **state)
{
	struct conn_conf conf = {.in_max = 100, .out_max = 100};
	struct loop *l;
	struct conn *c;
	int fd[2], turns = 0;
	size_t sent;

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	assert_true(is_ok(conn_open(&c, l, fd[0], &conf, frees_itself, &turns)));
	assert_true(is_ok(loop_send(l, fd[1], &BYTES("x"), 1, &sent)));
	assert_true(is_ok(loop_run(l)));
	assert_int_equal(turns, 1);
	loop_close_fd(l, fd[1]);
	loop_close(l);
}

static void
ignores(void *owner, struct conn *c)
{
	(void)owner;
	conn_ate(c, conn_in(c).n);
}

/* An idle connection owns less than 1 KiB, also after it was busy. */
static void
test_idle_memory(void **state)
{
	enum { N = 500 };
	static struct conn *c[N];
	static int fds[N][2];
	struct conn_conf conf = {.in_max = 65536, .out_max = 65536};
	struct loop *l;
	size_t before, after, sent;

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	for (int i = 0; i < N; i++)
		assert_true(is_ok(loop_pair(l, LOOP_STREAM, fds[i])));
	run_ms(l, 5);
	loop_give_back(l, loop_lend(l));
	before = mallinfo2().uordblks;
	for (int i = 0; i < N; i++) {
		assert_true(is_ok(conn_open(&c[i], l, fds[i][0], &conf, ignores, NULL)));
		conn_idle(c[i], 60000);
		assert_true(is_ok(loop_send(l, fds[i][1], &BYTES("hello"), 1, &sent)));
		assert_true(conn_write(c[i], BYTES("hello")));
	}
	run_ms(l, 50);
	after = mallinfo2().uordblks;
	if (before) /* a sanitizer's allocator tells nothing */
		assert_true(after > before && (after - before) / N < 1024);
	for (int i = 0; i < N; i++) {
		assert_int_equal(conn_counts(c[i]).in, 5);
		conn_free(c[i]);
		loop_close_fd(l, fds[i][1]);
	}
	loop_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_bulk),
	    cmocka_unit_test(test_hold),
	    cmocka_unit_test(test_ends),
	    cmocka_unit_test(test_finish_while_client_sends),
	    cmocka_unit_test(test_deadlines),
	    cmocka_unit_test(test_purse),
	    cmocka_unit_test(test_freed_in_turn),
	    cmocka_unit_test(test_idle_memory),
	};
	int failed;

	world_open(&world);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_close(&world);
	return failed;
}

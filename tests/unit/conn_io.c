/* A connection whose client is us: TLS begun by STARTTLS or at once, and what does not become TLS. */
#include "../conn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct loop *loop;
static struct tls_world world;
static struct tls_client *anybody; /* looks at no certificate */

struct end {
	struct conn *conn;
	enum conn_state last;
	bool begin; /* STARTTLS at the first octets */
	size_t got;
	uint8_t bytes[64 * 1024];
};

static void
turn(void *owner, struct conn *c)
{
	struct end *e = owner;
	struct bytes b = conn_in(c);

	e->last = conn_state(c);
	if (e->last == CONN_DONE || e->last == CONN_BROKEN) {
		conn_free(c);
		e->conn = NULL;
		return;
	}
	for (size_t i = 0; i < b.n; i++)
		e->bytes[e->got++ % sizeof(e->bytes)] = b.p[i];
	conn_ate(c, b.n);
	if (e->begin && b.n) {
		e->begin = false;
		conn_starttls(c);
	}
}

static void
begin(struct end *server, struct end *client, bool now, bool server_has_tls, struct tls_client *how)
{
	const struct conn_conf s = {.tls = server_has_tls ? world.server : NULL,
	                            .tls_now = now && server_has_tls,
	                            .in_max = 4096,
	                            .out_max = 65536};
	const struct conn_conf c = {.tls_client = how,
	                            .tls_name = BYTES("mx.example.org"),
	                            .tls_now = now,
	                            .in_max = 4096,
	                            .out_max = 65536};
	int fd[2];

	*server = (struct end){.conn = NULL};
	*client = (struct end){.conn = NULL};
	assert_true(is_ok(loop_pair(loop, LOOP_STREAM, fd)));
	assert_true(is_ok(conn_open(&server->conn, loop, fd[0], &s, turn, server)));
	assert_true(is_ok(conn_open(&client->conn, loop, fd[1], &c, turn, client)));
}

static void
end(struct end *server, struct end *client)
{
	conn_free(server->conn);
	conn_free(client->conn);
	sim_run(loop, 100);
	assert_int_equal(sim_open_fds(loop), 0);
}

static void
speak(struct end *from, struct end *to)
{
	static uint8_t much[50000];
	size_t before = to->got;

	memset(much, 'x', sizeof(much));
	assert_true(conn_write(from->conn, (struct bytes){much, sizeof(much)}));
	sim_run(loop, 5000);
	assert_int_equal(to->got - before, sizeof(much));
}

static void
tls_from_the_first_octet(void **state)
{
	struct end server, client;

	(void)state;
	begin(&server, &client, true, true, anybody);
	assert_int_equal(conn_state(client.conn), CONN_HANDSHAKE);
	sim_run(loop, 1000);
	assert_int_equal(client.last, CONN_OPEN);
	assert_true(tls_is_open(conn_tls(client.conn)));
	assert_true(bytes_eq(tls_host(conn_tls(server.conn)), BYTES("mx.example.org")));
	speak(&client, &server);
	speak(&server, &client);
	conn_finish(client.conn);
	sim_run(loop, 5000);
	assert_int_equal(client.last, CONN_DONE);
	assert_int_equal(server.last, CONN_ENDED);
	end(&server, &client);
}

static void
tls_by_starttls(void **state)
{
	struct end server, client;

	(void)state;
	begin(&server, &client, false, true, anybody);
	assert_true(conn_write(client.conn, BYTES("STARTTLS\r\n")));
	server.begin = client.begin = true;
	sim_run(loop, 100);
	assert_int_equal(conn_state(server.conn), CONN_HANDSHAKE);
	client.got = 0;
	conn_starttls(client.conn);
	client.begin = false;
	sim_run(loop, 1000);
	assert_int_equal(client.last, CONN_OPEN);
	assert_true(tls_is_open(conn_tls(client.conn)));
	speak(&client, &server);
	speak(&server, &client);
	end(&server, &client);
}

/* Octets in plain where a handshake is due, its end, and nothing at all. */
static void
no_handshake(void **state)
{
	struct end server, client;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(&server, &client, true, false, anybody);
		if (i == 0)
			assert_true(conn_write(server.conn, BYTES("250 that is no TLS\r\n")));
		if (i == 1)
			conn_finish(server.conn);
		sim_run(loop, i == 2 ? CONN_HANDSHAKE_MS - 1000 : 5000);
		assert_int_equal(client.conn == NULL, i != 2);
		sim_run(loop, 2000);
		assert_int_equal(client.last, CONN_BROKEN);
		assert_int_equal(client.got, 0);
		end(&server, &client);
	}
}

/* One that looks at certificates takes this one. */
static void
a_client_that_verifies(void **state)
{
	struct end server, client;

	(void)state;
	begin(&server, &client, true, true, world.client);
	sim_run(loop, 1000);
	assert_int_equal(client.last, CONN_OPEN);
	end(&server, &client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tls_from_the_first_octet),
	    cmocka_unit_test(tls_by_starttls),
	    cmocka_unit_test(no_handshake),
	    cmocka_unit_test(a_client_that_verifies),
	};
	int failed;

	world_open(&world);
	assert_true(is_ok(tls_client_new(&anybody, NO_BYTES)));
	assert_true(is_ok(loop_sim_open(&loop, 5)));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_close(loop);
	tls_client_free(anybody);
	world_close(&world);
	return failed;
}

/* Connections that we begin and datagrams with one other side, real and simulated. */
#include "net/loop.h"
#include "net/loop_sim.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct addr here = {{[10] = 0xff, 0xff, 127, 0, 0, 1}, 0, 0};
static const struct addr here6 = {{[15] = 1}, 0, 0};

typedef void loop_case(struct loop *);

static void
on_both(loop_case *fn)
{
	struct loop *l;

	assert_true(is_ok(loop_open(&l)));
	fn(l);
	loop_close(l);
	for (uint64_t seed = 0; seed < 20; seed++) {
		assert_true(is_ok(loop_sim_open(&l, seed)));
		fn(l);
		assert_int_equal(sim_open_fds(l), 0);
		loop_close(l);
	}
}

static void
await(struct loop *l, int fd, unsigned events)
{
	uint64_t left = 5000;

	assert_true(loop_wait(l, fd, events, &left));
}

static int
take(struct loop *l, int listener, struct addr *peer)
{
	struct err e;
	int fd;

	do {
		await(l, listener, LOOP_READ);
		e = loop_accept(l, listener, &fd, peer);
	} while (e.code == ERR_LATER);
	assert_true(is_ok(e));
	return fd;
}

/* Octets pass both ways, and each side knows where the other is. */
static void
talk(struct loop *l, int client, int server)
{
	char c = 0;
	size_t n;

	assert_true(is_ok(loop_send(l, client, &BYTES("a"), 1, &n)));
	await(l, server, LOOP_READ);
	assert_true(is_ok(loop_recv(l, server, &c, 1, &n)));
	assert_int_equal(c, 'a');
	assert_true(is_ok(loop_send(l, server, &BYTES("b"), 1, &n)));
	await(l, client, LOOP_READ);
	assert_true(is_ok(loop_recv(l, client, &c, 1, &n)));
	assert_int_equal(c, 'b');
}

static void
connects(struct loop *l)
{
	const struct addr *froms[] = {NULL, &here, &(struct addr){.port = 0}};

	for (size_t i = 0; i < COUNT(froms); i++) {
		struct addr at, local, peer;
		int listener, client, server;

		assert_true(is_ok(loop_listen(l, &here, LOOP_STREAM, false, &listener)));
		assert_true(is_ok(loop_local(l, listener, &at)));
		assert_true(is_ok(loop_connect(l, -1, froms[i], &at, &client)));
		await(l, client, LOOP_WRITE);
		assert_true(is_ok(loop_connected(l, client)));
		server = take(l, listener, &peer);
		assert_true(is_ok(loop_local(l, client, &local)));
		assert_int_equal(local.port, peer.port);
		talk(l, client, server);
		loop_close_fd(l, client);
		loop_close_fd(l, server);
		loop_close_fd(l, listener);
	}
}

static void
connects_what_was_bound(struct loop *l)
{
	struct addr at, own, local, peer;
	int listener, bound, client, server;

	assert_true(is_ok(loop_listen(l, &here, LOOP_STREAM, false, &listener)));
	assert_true(is_ok(loop_local(l, listener, &at)));
	assert_true(is_ok(loop_bind(l, &here, &bound)));
	assert_true(is_ok(loop_local(l, bound, &own)));
	assert_true(own.port);
	assert_true(is_ok(loop_connect(l, bound, NULL, &at, &client)));
	assert_int_equal(client, bound);
	await(l, client, LOOP_WRITE);
	assert_true(is_ok(loop_connected(l, client)));
	server = take(l, listener, &peer);
	assert_true(is_ok(loop_local(l, client, &local)));
	assert_true(addr_eq(&local, &own));
	assert_true(addr_eq(&peer, &own));
	talk(l, client, server);
	loop_close_fd(l, client);
	loop_close_fd(l, server);
	loop_close_fd(l, listener);
}

static void
is_refused(struct loop *l)
{
	struct addr at;
	struct err e;
	int fd = -1;

	/* A port that was free a moment ago. */
	assert_true(is_ok(loop_listen(l, &here, LOOP_STREAM, false, &fd)));
	assert_true(is_ok(loop_local(l, fd, &at)));
	loop_close_fd(l, fd);
	e = loop_connect(l, -1, NULL, &at, &fd);
	if (is_ok(e)) {
		await(l, fd, LOOP_WRITE);
		e = loop_connected(l, fd);
		loop_close_fd(l, fd);
	}
	assert_int_equal(e.code, ERR_NOTFOUND);
	assert_int_equal(e.sys, ECONNREFUSED);
}

static struct loop_dgram
dgram(const struct addr *peer, char *p)
{
	return (struct loop_dgram){.peer = *peer, .p = (uint8_t *)p, .n = 1, .cap = 1};
}

static void
send_one(struct loop *l, int fd, const struct addr *to, char c)
{
	struct loop_dgram d = dgram(to, &c);
	size_t n;

	assert_true(is_ok(loop_dgram_send(l, fd, &d, 1, &n)));
	assert_int_equal(n, 1);
}

static struct addr
receive(struct loop *l, int fd, char *c)
{
	struct loop_dgram d = dgram(&here, c);
	size_t n;

	await(l, fd, LOOP_READ);
	assert_true(is_ok(loop_dgram_recv(l, fd, &d, 1, &n)));
	assert_int_equal(n, 1);
	return d.peer;
}

/* What comes from anybody else does not reach it. */
static void
datagrams(struct loop *l)
{
	struct addr at, from, stranger_at, peer;
	int server, stranger, fd;
	uint64_t left = 30;
	char c;

	assert_true(is_ok(loop_listen(l, &here, LOOP_DATAGRAM, false, &server)));
	assert_true(is_ok(loop_local(l, server, &at)));
	assert_true(is_ok(loop_listen(l, &here, LOOP_DATAGRAM, false, &stranger)));
	assert_true(is_ok(loop_local(l, stranger, &stranger_at)));
	assert_true(is_ok(loop_dgram_open(l, &here, &at, &fd)));
	assert_true(is_ok(loop_local(l, fd, &from)));
	send_one(l, fd, &at, 'q');
	peer = receive(l, server, &c);
	assert_int_equal(c, 'q');
	assert_int_equal(peer.port, from.port);
	send_one(l, stranger, &from, 'x');
	assert_false(loop_wait(l, fd, LOOP_READ, &left));
	send_one(l, server, &peer, 'r');
	receive(l, fd, &c);
	assert_int_equal(c, 'r');
	loop_close_fd(l, fd);
	loop_close_fd(l, stranger);
	loop_close_fd(l, server);
}

static void
test_connects(void **state)
{
	(void)state;
	on_both(connects);
}

static void
test_connects_what_was_bound(void **state)
{
	(void)state;
	on_both(connects_what_was_bound);
}

static void
test_is_refused(void **state)
{
	(void)state;
	on_both(is_refused);
}

static void
test_datagrams(void **state)
{
	(void)state;
	on_both(datagrams);
}

static void
test_ipv6(void **state)
{
	struct loop *l;
	struct addr at, peer;
	int listener, client, server;

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	if (is_ok(loop_listen(l, &here6, LOOP_STREAM, false, &listener))) {
		assert_true(is_ok(loop_local(l, listener, &at)));
		assert_true(is_ok(loop_connect(l, -1, NULL, &at, &client)));
		await(l, client, LOOP_WRITE);
		assert_true(is_ok(loop_connected(l, client)));
		server = take(l, listener, &peer);
		talk(l, client, server);
		loop_close_fd(l, client);
		loop_close_fd(l, server);
		loop_close_fd(l, listener);
	}
	loop_close(l);
}

/* The kernel tells of a port where nobody is. */
static void
test_datagram_refused(void **state)
{
	struct loop *l;
	struct addr at;
	struct loop_dgram d;
	char c;
	size_t n;
	int fd;
	struct err e;

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	assert_true(is_ok(loop_listen(l, &here, LOOP_DATAGRAM, false, &fd)));
	assert_true(is_ok(loop_local(l, fd, &at)));
	loop_close_fd(l, fd);
	assert_true(is_ok(loop_dgram_open(l, NULL, &at, &fd)));
	send_one(l, fd, &at, 'q');
	await(l, fd, LOOP_READ);
	d = dgram(&at, &c);
	e = loop_dgram_recv(l, fd, &d, 1, &n);
	assert_int_equal(e.code, ERR_IO);
	assert_int_equal(e.sys, ECONNREFUSED);
	loop_close_fd(l, fd);
	loop_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_connects),   cmocka_unit_test(test_connects_what_was_bound),
	    cmocka_unit_test(test_is_refused), cmocka_unit_test(test_datagrams),
	    cmocka_unit_test(test_ipv6),       cmocka_unit_test(test_datagram_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

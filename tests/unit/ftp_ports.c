/* ftp_ports.c - who is awaited at which passive port, and everybody else. */
#include "serve/ftp_ports.h"

#include "base/random.h"
#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { FIRST = 50000, PORTS = 4, CLIENTS = 8 };

struct client {
	struct ftp_await await;
	struct addr at;
	int came;
};

struct place {
	struct loop *loop;
	struct random *random;
	struct ftp_ports *ports;
	struct client clients[CLIENTS];
};

static struct addr
address(uint8_t last, uint16_t port)
{
	return (struct addr){{[10] = 0xff, [11] = 0xff, 192, 0, 2, last}, port, 0};
}

static void
init(struct place *p)
{
	*p = (struct place){.random = random_seeded(1)};
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(ftp_ports_open(&p->ports, p->loop, p->random)));
	for (uint16_t i = 0; i < PORTS; i++) {
		struct addr a = address(1, (uint16_t)(FIRST + i));
		int fd;

		assert_true(is_ok(loop_listen(p->loop, &a, LOOP_STREAM, false, &fd)));
		assert_true(is_ok(ftp_ports_add(p->ports, fd)));
	}
}

static void
fini(struct place *p)
{
	for (size_t i = 0; i < CLIENTS; i++)
		ftp_await_stop(&p->clients[i].await);
	ftp_ports_close(p->ports);
	sim_run(p->loop, 1000);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
	random_close(p->random);
}

static void
came(void *owner)
{
	((struct client *)owner)->came++;
}

static bool
await(struct place *p, size_t client, uint8_t from)
{
	const struct addr local = address(1, 21), peer = address(from, 0);
	struct client *c = &p->clients[client];

	return ftp_await(p->ports, &c->await, &local, peer.ip, came, c, &c->at);
}

/* A connection from there; whether it is open still after a while. */
static bool
connects(struct place *p, uint8_t from, uint16_t port)
{
	const struct addr to = address(1, port), a = address(from, 40000);
	size_t got;
	uint8_t octet;
	struct err e;
	int fd;

	assert_true(is_ok(sim_connect(p->loop, &a, &to, &fd)));
	sim_run(p->loop, 1000);
	e = loop_recv(p->loop, fd, &octet, 1, &got);
	loop_close_fd(p->loop, fd);
	sim_run(p->loop, 1000);
	return e.code == ERR_LATER;
}

static void
attack_132_strangers(void **state)
{
	struct place p;
	int fd;

	(void)state;
	init(&p);
	assert_false(connects(&p, 9, FIRST)); /* nobody is awaited */
	assert_true(await(&p, 0, 9));
	assert_true(p.clients[0].at.port >= FIRST && p.clients[0].at.port < FIRST + PORTS);
	assert_false(connects(&p, 8, p.clients[0].at.port)); /* from elsewhere */
	assert_int_equal(p.clients[0].came, 0);
	assert_int_equal(ftp_await_take(&p.clients[0].await), -1);
	assert_true(connects(&p, 9, p.clients[0].at.port)); /* he is served still */
	assert_int_equal(p.clients[0].came, 1);
	assert_false(connects(&p, 9, p.clients[0].at.port)); /* once */
	fd = ftp_await_take(&p.clients[0].await);
	assert_true(fd >= 0);
	loop_close_fd(p.loop, fd);
	assert_int_equal(ftp_await_take(&p.clients[0].await), -1);
	assert_int_equal(ftp_ports_counts(p.ports).strangers, 3);
	fini(&p);
}

static void
attack_138_each_address_has_all_ports(void **state)
{
	struct place p;
	unsigned seen = 0;

	(void)state;
	init(&p);
	for (size_t i = 0; i < PORTS; i++) {
		assert_true(await(&p, i, 9));
		seen |= 1u << (p.clients[i].at.port - FIRST);
	}
	assert_int_equal(seen, (1u << PORTS) - 1); /* each another one */
	assert_false(await(&p, PORTS, 9));
	assert_int_equal(ftp_ports_counts(p.ports).none_free, 1);
	assert_true(await(&p, PORTS, 8)); /* others are as well off as before */
	assert_true(connects(&p, 9, p.clients[0].at.port));
	assert_true(await(&p, PORTS + 1, 9)); /* who came needs no port any more */
	assert_int_equal(p.clients[PORTS + 1].at.port, p.clients[0].at.port);
	ftp_await_stop(&p.clients[1].await);
	assert_true(await(&p, PORTS + 2, 9));
	/* anew: the port of before is free, and what came there is closed */
	assert_true(await(&p, 0, 7));
	fini(&p);
}

static void
another_address_of_ours(void **state)
{
	const struct addr local = address(2, 21), peer = address(9, 0);
	struct client c = {.came = 0};
	struct place p;

	(void)state;
	init(&p);
	assert_false(ftp_await(p.ports, &c.await, &local, peer.ip, came, &c, &c.at));
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_132_strangers),
	    cmocka_unit_test(attack_138_each_address_has_all_ports),
	    cmocka_unit_test(another_address_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

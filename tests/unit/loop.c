/* The loop, real and simulated: the same cases for both kinds. */
#include "net/loop.h"
#include "net/accept.h"
#include "net/loop_sim.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

typedef void loop_case(struct loop *);

/* Each case on a real loop, then on simulated ones of some seeds. */
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

/* ---- timers and tasks ---- */

struct note {
	struct loop *loop;
	struct loop_timer timer;
	struct loop_task task;
	char name;
	char *log;
	struct note *other;
};

static void
noted(void *owner)
{
	struct note *n = owner;

	n->log[strlen(n->log)] = n->name;
}

static void
noted_and_stops_other(void *owner)
{
	struct note *n = owner;

	noted(n);
	loop_timer_stop(n->loop, &n->other->timer);
	loop_defer_stop(n->loop, &n->other->task);
}

static void
noted_again(void *owner)
{
	struct note *n = owner;

	noted(n);
	if (strlen(n->log) < 5)
		loop_timer_set(n->loop, &n->timer, 0, noted_again, n);
}

static void
deferred_again(void *owner)
{
	struct note *n = owner;

	noted(n);
	if (strlen(n->log) < 5)
		loop_defer(n->loop, &n->task, deferred_again, n);
}

static void
timers(struct loop *l)
{
	char log[16] = "";
	struct note a = {.loop = l, .name = 'a', .log = log}, b = a, c = a, d = a;
	uint64_t start = loop_now_ms(l);

	b.name = 'b';
	c.name = 'c';
	d.name = 'd';
	c.other = &d;
	loop_timer_set(l, &a.timer, 20, noted, &a);
	loop_timer_set(l, &b.timer, 1, noted, &b);
	loop_timer_set(l, &c.timer, 10, noted_and_stops_other, &c);
	loop_timer_set(l, &d.timer, 15, noted, &d);
	loop_timer_set(l, &a.timer, 5, noted, &a); /* set anew */
	assert_true(loop_timer_runs(&a.timer));
	assert_true(is_ok(loop_run(l)));
	assert_string_equal(log, "bac");
	assert_false(loop_timer_runs(&a.timer));
	assert_true(loop_now_ms(l) >= start + 10);

	log[0] = log[1] = log[2] = 0;
	loop_timer_set(l, &a.timer, 0, noted_again, &a);
	assert_true(is_ok(loop_run(l)));
	assert_string_equal(log, "aaaaa");
}

static void
tasks(struct loop *l)
{
	char log[16] = "";
	struct note a = {.loop = l, .name = 'a', .log = log}, b = a, c = a;

	b.name = 'b';
	c.name = 'c';
	a.other = &b;
	loop_defer(l, &a.task, noted_and_stops_other, &a);
	loop_defer(l, &b.task, noted, &b);
	loop_defer(l, &c.task, noted, &c);
	loop_defer(l, &c.task, noted, &c);
	assert_true(is_ok(loop_run(l)));
	assert_string_equal(log, "ac");
	memset(log, 0, sizeof(log));
	loop_defer(l, &a.task, deferred_again, &a);
	loop_timer_set(l, &b.timer, 0, noted, &b);
	assert_true(is_ok(loop_run(l)));
	assert_true(strlen(log) >= 5); /* a task that comes again does not starve a timer */
	assert_non_null(strchr(log, 'b'));
}

static void
test_timers(void **state)
{
	(void)state;
	on_both(timers);
}

static void
test_tasks(void **state)
{
	(void)state;
	on_both(tasks);
}

/* ---- streams ---- */

enum { BULK = 300000 };

struct end {
	struct loop *loop;
	struct loop_poll *poll;
	int fd;
	size_t sent, got;
	bool ended;
};

static uint8_t
octet(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void
send_bulk(void *owner, unsigned events)
{
	struct end *e = owner;
	uint8_t room[5000];
	size_t n = BULK - e->sent < sizeof(room) ? BULK - e->sent : sizeof(room), sent;
	struct bytes pieces[2];
	struct err r;

	assert_int_equal(events, LOOP_WRITE);
	for (size_t i = 0; i < n; i++)
		room[i] = octet(e->sent + i);
	pieces[0] = (struct bytes){room, n / 3};
	pieces[1] = (struct bytes){room + n / 3, n - n / 3};
	r = loop_send(e->loop, e->fd, pieces, 2, &sent);
	if (r.code == ERR_LATER)
		return;
	assert_true(is_ok(r));
	e->sent += sent;
	if (e->sent < BULK)
		return;
	assert_true(is_ok(loop_shutdown(e->loop, e->fd)));
	loop_poll_want(e->poll, 0);
}

static void
recv_bulk(void *owner, unsigned events)
{
	struct end *e = owner;
	uint8_t room[3000];
	size_t got;
	struct err r = loop_recv(e->loop, e->fd, room, sizeof(room), &got);

	assert_int_equal(events, LOOP_READ);
	if (r.code == ERR_LATER)
		return;
	assert_true(is_ok(r));
	for (size_t i = 0; i < got; i++)
		assert_int_equal(room[i], octet(e->got + i));
	e->got += got;
	if (got)
		return;
	e->ended = true; /* closing inside of its callback */
	loop_poll_close(e->poll);
	loop_close_fd(e->loop, e->fd);
}

static void
stream(struct loop *l)
{
	struct end a = {.loop = l}, b = {.loop = l};
	int fd[2];

	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	a.fd = fd[0];
	b.fd = fd[1];
	assert_true(is_ok(loop_poll_open(&a.poll, l, a.fd, send_bulk, &a)));
	assert_true(is_ok(loop_poll_open(&b.poll, l, b.fd, recv_bulk, &b)));
	loop_poll_want(a.poll, LOOP_WRITE);
	loop_poll_want(b.poll, LOOP_READ);
	assert_true(is_ok(loop_run(l)));
	assert_true(b.ended);
	assert_int_equal(b.got, BULK);
	loop_poll_close(a.poll);
	loop_close_fd(l, a.fd);
}

static void
test_stream(void **state)
{
	(void)state;
	on_both(stream);
}

struct gone {
	struct loop *loop;
	struct loop_poll *poll;
	int fd;
	int told;
};

static void
sees_end(void *owner, unsigned events)
{
	struct gone *g = owner;
	char c;
	size_t got = 1;

	(void)events;
	g->told++;
	assert_true(is_ok(loop_recv(g->loop, g->fd, &c, 1, &got)));
	assert_int_equal(got, 0);
	assert_false(is_ok(loop_send(g->loop, g->fd, &BYTES("x"), 1, &got)));
	loop_poll_close(g->poll);
}

static void
peer_goes(struct loop *l)
{
	struct gone g = {.loop = l};
	int fd[2];

	assert_true(is_ok(loop_pair(l, LOOP_STREAM, fd)));
	g.fd = fd[0];
	assert_true(is_ok(loop_poll_open(&g.poll, l, g.fd, sees_end, &g)));
	loop_poll_want(g.poll, LOOP_READ);
	loop_close_fd(l, fd[1]);
	assert_true(is_ok(loop_run(l)));
	assert_int_equal(g.told, 1);
	loop_close_fd(l, g.fd);
}

static void
test_peer_goes(void **state)
{
	(void)state;
	on_both(peer_goes);
}

/* ---- listening ---- */

struct server {
	struct loop *loop;
	struct accept *accept;
	struct addr peer, at;
	int n;
};

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct server *s = owner;

	s->n++;
	s->peer = *peer;
	assert_true(is_ok(loop_local(s->loop, fd, &s->at)));
	loop_close_fd(s->loop, fd);
	accept_close(s->accept);
	s->accept = NULL;
}

static void
test_accept_sim(void **state)
{
	struct server s = {0};
	struct addr at = {{[10] = 0xff, 0xff, 192, 0, 2, 1}, 25, 0};
	struct addr from = {{[10] = 0xff, 0xff, 192, 0, 2, 9}, 0, 0};
	int listener, fd;

	(void)state;
	assert_true(is_ok(loop_sim_open(&s.loop, 3)));
	assert_int_equal(sim_connect(s.loop, &from, &at, &fd).code, ERR_NOTFOUND);
	assert_true(is_ok(loop_listen(s.loop, &at, LOOP_STREAM, false, &listener)));
	assert_true(is_ok(accept_open(&s.accept, s.loop, listener, accepted, &s)));
	assert_true(is_ok(sim_connect(s.loop, &from, &at, &fd)));
	assert_true(is_ok(loop_run(s.loop)));
	assert_int_equal(s.n, 1);
	assert_true(addr_eq(&s.at, &at));
	assert_memory_equal(s.peer.ip, from.ip, 16);
	loop_close_fd(s.loop, fd);
	assert_int_equal(sim_open_fds(s.loop), 0);
	loop_close(s.loop);
}

/* ---- messages ---- */

static void
messages(struct loop *l)
{
	struct err e;
	uint8_t room[64];
	size_t got;
	uint64_t left = 1000;
	int fd[2], passed, more[2];
	char c;

	assert_true(is_ok(loop_pair(l, LOOP_MESSAGES, fd)));
	assert_true(is_ok(loop_pair(l, LOOP_STREAM, more)));
	e = loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed);
	assert_int_equal(e.code, ERR_LATER);
	assert_true(is_ok(loop_msg_send(l, fd[0], BYTES("one"), -1)));
	assert_true(is_ok(loop_msg_send(l, fd[0], BYTES("two"), more[1])));
	loop_close_fd(l, more[1]);
	assert_true(loop_wait(l, fd[1], LOOP_READ, &left));
	assert_true(is_ok(loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed)));
	assert_int_equal(got, 3);
	assert_int_equal(passed, -1);
	assert_memory_equal(room, "one", 3);
	assert_true(loop_wait(l, fd[1], LOOP_READ, &left));
	assert_true(is_ok(loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed)));
	assert_memory_equal(room, "two", 3);
	assert_true(passed >= 0);

	/* What was passed is the other end of the stream. */
	assert_true(is_ok(loop_send(l, passed, &BYTES("x"), 1, &got)));
	assert_true(loop_wait(l, more[0], LOOP_READ, &left));
	assert_true(is_ok(loop_recv(l, more[0], &c, 1, &got)));
	assert_int_equal(c, 'x');
	loop_close_fd(l, passed);
	loop_close_fd(l, more[0]);

	/* Too long for the room. */
	assert_true(is_ok(loop_msg_send(l, fd[0], BYTES("four"), -1)));
	assert_true(loop_wait(l, fd[1], LOOP_READ, &left));
	e = loop_msg_recv(l, fd[1], room, 3, &got, &passed);
	assert_int_equal(e.code, ERR_SYNTAX);
	left = 5;
	assert_false(loop_wait(l, fd[1], LOOP_READ, &left));
	assert_int_equal(left, 0);
	loop_close_fd(l, fd[0]);
	left = 1000;
	assert_true(loop_wait(l, fd[1], LOOP_READ, &left));
	assert_true(is_ok(loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed)));
	assert_int_equal(got, 0);
	loop_close_fd(l, fd[1]);
}

static void
test_messages(void **state)
{
	(void)state;
	on_both(messages);
}

/* A real descriptor through a simulated channel. */
static void
test_memfd_in_sim(void **state)
{
	struct loop *l;
	int fd[2], memfd = memfd_create("test", MFD_CLOEXEC), passed;
	uint64_t left = 1000;
	uint8_t room[8];
	size_t got;

	(void)state;
	assert_true(memfd >= 0 && write(memfd, "hello", 5) == 5);
	assert_true(is_ok(loop_sim_open(&l, 1)));
	assert_true(is_ok(loop_pair(l, LOOP_MESSAGES, fd)));
	assert_true(is_ok(loop_msg_send(l, fd[0], BYTES("m"), memfd)));
	loop_close_fd(l, memfd);
	assert_true(loop_wait(l, fd[1], LOOP_READ, &left));
	assert_true(is_ok(loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed)));
	assert_int_equal(pread(passed, room, 5, 0), 5);
	assert_memory_equal(room, "hello", 5);
	loop_close_fd(l, passed);
	loop_close_fd(l, fd[0]);
	loop_close_fd(l, fd[1]);
	loop_close(l);
}

/* Two descriptors with one message: both are closed, the message is refused. */
static void
test_too_many_descriptors(void **state)
{
	struct {
		_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(3 * sizeof(int))];
	} control = {.room = {0}};
	struct iovec io = {(char[]){"x"}, 1};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room};
	struct cmsghdr *c;
	struct loop *l;
	int fd[2], fds[3], before, after, passed;
	uint8_t room[8];
	size_t got;

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	for (int n = 1; n <= 3; n++) {
		struct err e;

		assert_true(is_ok(loop_pair(l, LOOP_MESSAGES, fd)));
		before = dup(fd[0]);
		close(before);
		fds[0] = fds[1] = fds[2] = fd[0];
		m.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
		assert_int_equal(sendmsg(fd[0], &m, 0), 1);
		e = loop_msg_recv(l, fd[1], room, sizeof(room), &got, &passed);
		assert_int_equal(e.code, n == 1 ? 0 : ERR_SYNTAX);
		if (n == 1) {
			assert_true(fcntl(passed, F_GETFD) & FD_CLOEXEC);
			loop_close_fd(l, passed);
		}
		assert_true(n == 1 || passed == -1);
		after = dup(fd[0]);
		close(after);
		assert_int_equal(before, after); /* nothing was left open */
		loop_close_fd(l, fd[0]);
		loop_close_fd(l, fd[1]);
	}
	loop_close(l);
}

/* ---- the simulation ---- */

/* A conversation over the virtual net, as a text of what happened when. */
static void
history(uint64_t seed, char *out, size_t room)
{
	static const struct sim_weather weather = {
	    .delay_min_ms = 1, .delay_max_ms = 50, .lose_ppm = 100000};
	struct addr a = {{[10] = 0xff, 0xff, 192, 0, 2, 1}, 53, 0};
	struct addr b = {{[10] = 0xff, 0xff, 192, 0, 2, 2}, 53, 0};
	struct loop *l;
	uint8_t p[1];
	int from, to;

	assert_true(is_ok(loop_sim_open(&l, seed)));
	sim_weather(l, &weather);
	assert_true(is_ok(loop_listen(l, &a, LOOP_DATAGRAM, false, &from)));
	assert_true(is_ok(loop_listen(l, &b, LOOP_DATAGRAM, false, &to)));
	for (p[0] = 0; p[0] < 50; p[0]++) {
		struct loop_dgram d = {b, {{0}, 0, 0}, p, 1, 1, false};
		size_t sent;

		assert_true(is_ok(loop_dgram_send(l, from, &d, 1, &sent)));
		assert_int_equal(sent, 1);
	}
	for (int i = 0; i < 60; i++) {
		struct loop_dgram d = {.p = p, .cap = 1};
		size_t got = 0, n = strlen(out);

		while (is_ok(loop_dgram_recv(l, to, &d, 1, &got))) {
			n = strlen(out);
			assert_memory_equal(d.peer.ip, a.ip, 16);
			assert_memory_equal(d.local.ip, b.ip, 16);
			snprintf(out + n, room - n, "%d:%d ", (int)loop_now_ms(l), p[0]);
		}
		sim_run(l, 1);
	}
	loop_close_fd(l, from);
	loop_close_fd(l, to);
	loop_close(l);
}

static void
test_a_seed_replays(void **state)
{
	char a[1024] = "", b[1024] = "", c[1024] = "";

	(void)state;
	history(11, a, sizeof(a));
	history(11, b, sizeof(b));
	history(12, c, sizeof(c));
	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
}

static void
test_virtual_time(void **state)
{
	char log[16] = "";
	struct note n = {.name = 'n', .log = log};
	uint64_t wall;

	(void)state;
	assert_true(is_ok(loop_sim_open(&n.loop, 1)));
	wall = loop_wall_ns(n.loop);
	loop_timer_set(n.loop, &n.timer, 86400000, noted, &n); /* a day passes at once */
	sim_run(n.loop, 86399999);
	assert_string_equal(log, "");
	sim_run(n.loop, 1);
	assert_string_equal(log, "n");
	assert_int_equal(loop_wall_ns(n.loop) - wall, UINT64_C(86400000000000));
	loop_close(n.loop);
}

static void
cut_seen(void *owner, unsigned events)
{
	struct gone *g = owner;
	struct err e;
	size_t got;
	char c;

	(void)events;
	g->told++;
	e = loop_recv(g->loop, g->fd, &c, 1, &got);
	assert_int_equal(e.sys, ECONNRESET);
	loop_poll_close(g->poll);
}

static void
test_cut(void **state)
{
	struct gone g = {0};
	int fd[2];

	(void)state;
	assert_true(is_ok(loop_sim_open(&g.loop, 1)));
	assert_true(is_ok(loop_pair(g.loop, LOOP_STREAM, fd)));
	g.fd = fd[0];
	assert_true(is_ok(loop_poll_open(&g.poll, g.loop, g.fd, cut_seen, &g)));
	loop_poll_want(g.poll, LOOP_READ);
	sim_run(g.loop, 10);
	sim_cut(g.loop, fd[1]);
	sim_run(g.loop, 10);
	assert_int_equal(g.told, 1);
	loop_close_fd(g.loop, fd[0]);
	loop_close_fd(g.loop, fd[1]);
	loop_close(g.loop);
}

/* ---- signals ---- */

struct heard {
	struct loop *loop;
	int n;
};

static void
signalled(void *owner)
{
	struct heard *h = owner;

	h->n++;
	loop_stop(h->loop);
}

static void
test_signal(void **state)
{
	struct heard h = {0};
	struct loop_signal *s;

	(void)state;
	assert_true(is_ok(loop_open(&h.loop)));
	assert_true(is_ok(loop_signal_open(&s, h.loop, SIGUSR1, signalled, &h)));
	raise(SIGUSR1);
	assert_true(is_ok(loop_run(h.loop)));
	assert_int_equal(h.n, 1);
	loop_signal_close(s);
	loop_close(h.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_timers),
	    cmocka_unit_test(test_tasks),
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_peer_goes),
	    cmocka_unit_test(test_accept_sim),
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_memfd_in_sim),
	    cmocka_unit_test(test_too_many_descriptors),
	    cmocka_unit_test(test_a_seed_replays),
	    cmocka_unit_test(test_virtual_time),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

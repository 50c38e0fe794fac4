/*
 * Attack 151: descriptors have run out.  Clients are turned away, nothing spins (below 5 % of a
 * processor), and once there are descriptors again the next client is served.
 */
#include "net/accept.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { CLIENTS = 60, LIMIT = 40, RUN_MS = 1000 };

struct server {
	struct loop *loop;
	struct accept *accept;
	int fds[CLIENTS], n;
};

static void
made(void *owner, int fd, const struct addr *peer)
{
	struct server *s = owner;

	assert_true(addr_ip_is_v4(peer->ip));
	s->fds[s->n++] = fd;
}

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
run_ms(struct loop *l, uint64_t ms)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(l, &t, ms, stop, l);
	assert_true(is_ok(loop_run(l)));
	loop_timer_stop(l, &t);
}

/* Connects so many times, holds them all, ends when it is told to. */
static pid_t
clients(uint16_t port, int n, const int until[2])
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	close(until[1]);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < n; i++)
		if (connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof(to)))
			_exit(1);
	_exit(read(until[0], &c, 1) != 0);
}

static void
attack_151_no_descriptor_left(void **state)
{
	struct addr at = {{[10] = 0xff, 0xff, 127, 0, 0, 1}, 0, 0};
	struct rlimit old, few;
	struct server s = {.n = 0};
	int listener, until[2], status;
	struct accept_counts counts;
	clock_t busy;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(until), 0);
	assert_true(is_ok(loop_open(&s.loop)));
	assert_true(is_ok(loop_listen(s.loop, &at, LOOP_STREAM, false, &listener)));
	assert_true(is_ok(accept_open(&s.accept, s.loop, listener, made, &s)));
	at = *accept_local(s.accept);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	pid = clients(at.port, CLIENTS, until);
	few = (struct rlimit){LIMIT, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	busy = clock();
	run_ms(s.loop, RUN_MS);
	busy = clock() - busy;
	counts = accept_counts(s.accept);
	assert_true(s.n > 0 && s.n < LIMIT);
	assert_true(counts.turned_away > 0);
	assert_true(busy < CLOCKS_PER_SEC / 20 * RUN_MS / 1000);

	/* No reserve either, and somebody waits: still nothing spins. */
	while (dup(0) >= 0)
		;
	busy = clock();
	run_ms(s.loop, RUN_MS);
	assert_true(clock() - busy < CLOCKS_PER_SEC / 20 * RUN_MS / 1000);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	run_ms(s.loop, 300);
	status = s.n;
	close(until[1]);
	close(until[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(pipe(until), 0);
	status = s.n;
	s.n = 0;
	pid = clients(at.port, 1, until);
	run_ms(s.loop, 300);
	assert_int_equal(s.n, 1);
	close(until[1]);
	close(until[0]);
	waitpid(pid, &status, 0);
	accept_close(s.accept);
	loop_close(s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_151_no_descriptor_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

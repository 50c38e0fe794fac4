/* Datagrams in batches, over the kernel's loopback and over the virtual net. */
#include "net/udp.h"
#include "net/loop_sim.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { QUERIES = 150 };

struct server {
	struct loop *loop;
	struct udp *udp;
	size_t seen, most;
	bool close_at_once;
	uint8_t asked[16];
};

/* Echoes; "silent" gets no answer, "long" one that does not fit. */
static void
echo(void *owner, struct udp_item *items, size_t n)
{
	struct server *s = owner;

	s->seen += n;
	if (n > s->most)
		s->most = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(s->asked, items[i].local.ip, 16);
		if (bytes_eq(items[i].query, BYTES("silent")))
			continue;
		wr_bytes(&items[i].reply, items[i].query);
		if (bytes_eq(items[i].query, BYTES("long")))
			wr_take(&items[i].reply, 1000);
	}
	if (s->close_at_once) {
		udp_close(s->udp);
		s->udp = NULL;
	}
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

/* A client at 127.0.0.1 asks 127.0.0.2: the answer must come from there, though the server has
 * bound all addresses. */
static void
kernel_case(const struct addr *any)
{
	struct server s = {0};
	struct sockaddr_in to = {.sin_family = AF_INET}, from;
	socklen_t from_n = sizeof(from);
	struct addr at;
	struct udp_counts counts;
	int fd, client = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), replies = 0, value;
	socklen_t n = sizeof(value);
	char room[64];
	ssize_t got;

	assert_true(is_ok(loop_open(&s.loop)));
	assert_true(is_ok(loop_listen(s.loop, any, LOOP_DATAGRAM, true, &fd)));
	assert_true(is_ok(loop_local(s.loop, fd, &at)));
	assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, &n), 0);
	assert_int_equal(value, IP_PMTUDISC_PROBE); /* DF (attack 7) */
	assert_true(is_ok(udp_open(&s.udp, s.loop, fd, 32, 32, echo, &s)));
	to.sin_port = htons(at.port);
	to.sin_addr.s_addr = htonl(0x7f000002);
	for (int i = 0; i < QUERIES; i++)
		assert_int_equal(sendto(client, "ask", 3, 0, (struct sockaddr *)&to, sizeof(to)),
		                 3);
	sendto(client, "silent", 6, 0, (struct sockaddr *)&to, sizeof(to));
	sendto(client, "long", 4, 0, (struct sockaddr *)&to, sizeof(to));
	sendto(client, "0123456789012345678901234567890123", 34, 0, (struct sockaddr *)&to,
	       sizeof(to));
	run_ms(s.loop, 100);
	while ((got = recvfrom(client, room, sizeof(room), 0, (struct sockaddr *)&from, &from_n)) >=
	       0) {
		assert_int_equal(got, 3);
		assert_int_equal(from.sin_addr.s_addr, to.sin_addr.s_addr);
		assert_int_equal(from.sin_port, to.sin_port);
		replies++;
	}
	assert_int_equal(replies, QUERIES);
	counts = udp_counts(s.udp);
	assert_int_equal(counts.in, QUERIES + 3);
	assert_int_equal(counts.out, QUERIES);
	assert_int_equal(counts.cut, 1);
	assert_int_equal(s.seen, QUERIES + 2);
	assert_true(s.most > 1 && s.most <= LOOP_BATCH);
	udp_close(s.udp);
	loop_close(s.loop);
	close(client);
}

static void
answers_leave_from_where_they_were_asked(void **state)
{
	struct addr v4 = {{[10] = 0xff, 0xff}, 0, 0}, all = {{0}, 0, 0};

	(void)state;
	kernel_case(&v4);
	kernel_case(&all);
}

static void
over_the_virtual_net(void **state)
{
	struct addr at = {{[10] = 0xff, 0xff, 192, 0, 2, 1}, 53, 0};
	struct addr me = {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 0, 0};
	struct server s = {0};
	uint8_t room[16];
	size_t got = 0, replies = 0, sent;
	int fd, client;

	(void)state;
	assert_true(is_ok(loop_sim_open(&s.loop, 5)));
	assert_true(is_ok(loop_listen(s.loop, &at, LOOP_DATAGRAM, false, &fd)));
	assert_true(is_ok(loop_listen(s.loop, &me, LOOP_DATAGRAM, false, &client)));
	assert_true(is_ok(udp_open(&s.udp, s.loop, fd, 32, 32, echo, &s)));
	for (int i = 0; i < QUERIES; i++) {
		struct loop_dgram d = {at, {{0}, 0, 0}, (uint8_t[]){'a'}, 1, 1, false};

		assert_true(is_ok(loop_dgram_send(s.loop, client, &d, 1, &sent)));
	}
	sim_run(s.loop, 1000);
	for (;;) {
		struct loop_dgram d = {.p = room, .cap = sizeof(room)};

		if (!is_ok(loop_dgram_recv(s.loop, client, &d, 1, &got)))
			break;
		assert_true(addr_eq(&d.peer, &at));
		replies++;
	}
	assert_int_equal(replies, QUERIES);
	udp_close(s.udp);
	loop_close_fd(s.loop, client);
	assert_int_equal(sim_open_fds(s.loop), 0);
	loop_close(s.loop);
}

static void
closed_in_its_handler(void **state)
{
	struct addr at = {{[10] = 0xff, 0xff, 192, 0, 2, 1}, 53, 0};
	struct server s = {.close_at_once = true};
	struct loop_dgram d = {at, {{0}, 0, 0}, (uint8_t[]){'a'}, 1, 1, false};
	struct addr me = {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 0, 0};
	int fd, client;
	size_t sent;

	(void)state;
	assert_true(is_ok(loop_sim_open(&s.loop, 5)));
	assert_true(is_ok(loop_listen(s.loop, &at, LOOP_DATAGRAM, false, &fd)));
	assert_true(is_ok(loop_listen(s.loop, &me, LOOP_DATAGRAM, false, &client)));
	assert_true(is_ok(udp_open(&s.udp, s.loop, fd, 32, 32, echo, &s)));
	assert_true(is_ok(loop_dgram_send(s.loop, client, &d, 1, &sent)));
	assert_true(is_ok(loop_run(s.loop)));
	assert_null(s.udp);
	loop_close_fd(s.loop, client);
	loop_close(s.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_leave_from_where_they_were_asked),
	    cmocka_unit_test(over_the_virtual_net),
	    cmocka_unit_test(closed_in_its_handler),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

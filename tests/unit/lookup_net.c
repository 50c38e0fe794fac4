/* The look-up tool against servers that lie, cut short, refuse or say nothing; over loopback. */
#include "tool/lookup_net.h"
#include "dns/writer.h"

#include "base/random.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { PATIENCE_MS = 3000 };

struct server {
	int udp, tcp, liar; /* liar: another port of the same address */
	struct sockaddr_in peer;
	uint8_t query[DNS_UDP_PLAIN], reply[DNS_TCP_MAX + 2];
	struct bytes asked;
};

static uint16_t
port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	return ntohs(a.sin_port);
}

static int
bound(int type, uint16_t port)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    (type == SOCK_DGRAM || listen(fd, 5) == 0))
		return fd;
	close(fd);
	return -1;
}

/* Both sockets on one port, which may be taken for the other kind. */
static void
listen_both(struct server *s)
{
	do {
		s->udp = bound(SOCK_DGRAM, 0);
		s->tcp = bound(SOCK_STREAM, port_of(s->udp));
		if (s->tcp < 0)
			close(s->udp);
	} while (s->tcp < 0);
	s->liar = bound(SOCK_DGRAM, 0);
}

/* ---- the server's side, in a process of its own ---- */

static void
must(bool good)
{
	if (!good)
		_exit(1);
}

static void
hear(struct server *s)
{
	socklen_t size = sizeof(s->peer);
	ssize_t n =
	    recvfrom(s->udp, s->query, sizeof(s->query), 0, (struct sockaddr *)&s->peer, &size);

	must(n > 0);
	s->asked = (struct bytes){s->query, (size_t)n};
}

/* An answer of one address to what was asked, with these flags more. */
static struct bytes
answer(struct server *s, uint16_t flags, uint16_t rcode, uint8_t last)
{
	const uint8_t ip[] = {192, 0, 2, last};
	struct dns_query q;
	struct dns_writer w;

	must(dns_query_read(s->asked, &q) == DNS_OK);
	if (rcode)
		q.edns.present = false; /* as from a server that knows no EDNS */
	dns_writer_reply(&w, &q, s->reply + 2, DNS_UDP_PLAIN);
	w.flags |= flags;
	w.rcode = rcode;
	if (!rcode)
		must(dns_writer_record(&w, DNS_ANSWER, q.name, DNS_TYPE_A, 60,
		                       (struct bytes){ip, 4}));
	return dns_writer_finish(&w);
}

static void
say(struct server *s, int fd, struct bytes b)
{
	must(sendto(fd, b.p, b.n, 0, (struct sockaddr *)&s->peer, sizeof(s->peer)) >= 0);
}

static void
forges(struct server *s)
{
	struct bytes b;

	hear(s);
	say(s, s->liar, answer(s, 0, 0, 66)); /* the right answer from the wrong port */
	b = answer(s, 0, 0, 67);
	s->reply[2] ^= 1; /* another id */
	say(s, s->udp, b);
	b = answer(s, 0, 0, 68);
	s->reply[2 + DNS_HEADER + 1] ^= 1; /* another name */
	say(s, s->udp, b);
	say(s, s->udp, (struct bytes){s->reply, 0});
	say(s, s->udp, (struct bytes){(const uint8_t *)"junk", 4});
	say(s, s->udp, answer(s, 0, 0, 1));
}

static void
knows_no_edns(struct server *s)
{
	hear(s);
	say(s, s->udp, answer(s, 0, DNS_RCODE_FORMERR, 0));
	hear(s);
	must(s->query[11] == 0); /* nothing additional */
	say(s, s->udp, answer(s, 0, 0, 2));
}

static void
over_tcp(struct server *s, bool whole)
{
	int fd = accept(s->tcp, NULL, NULL);
	uint8_t room[DNS_UDP_PLAIN + 2];
	ssize_t n = recv(fd, room, sizeof(room), 0);
	struct bytes b;

	must(n > 2);
	s->asked = (struct bytes){room + 2, (size_t)n - 2};
	b = answer(s, 0, 0, 3);
	s->reply[0] = (uint8_t)(b.n >> 8);
	s->reply[1] = (uint8_t)b.n;
	for (size_t i = 0; i < b.n + 2 - !whole; i++)
		must(send(fd, s->reply + i, 1, MSG_NOSIGNAL) == 1);
	close(fd);
}

static void
truncates(struct server *s)
{
	hear(s);
	say(s, s->udp, answer(s, DNS_FLAG_TC, 0, 66));
	over_tcp(s, true);
}

static void
breaks_off(struct server *s)
{
	hear(s);
	say(s, s->udp, answer(s, DNS_FLAG_TC, 0, 66));
	over_tcp(s, false);
}

static void
says_it_late(struct server *s)
{
	hear(s); /* the first try gets nothing */
	hear(s);
	say(s, s->udp, answer(s, 0, 0, 4));
}

static void
says_nothing(struct server *s)
{
	hear(s);
	hear(s);
}

/* ---- the client's side ---- */

static const struct {
	const char *name;
	void (*serve)(struct server *);
	uint8_t last; /* of the address that is believed; 0: nothing is */
	const char *note;
} cases[] = {
    {"forges", forges, 1, "it is ignored"},
    {"knows no EDNS", knows_no_edns, 2, "retrying without it"},
    {"truncates", truncates, 3, "retrying in TCP mode"},
    {"breaks off", breaks_off, 0, "no servers could be reached"},
    {"late", says_it_late, 4, "timed out"},
    {"nothing", says_nothing, 0, "no servers could be reached"},
};

/* example.org, with a second for each try. */
static void
read_ask(struct lookup_ask *a, uint32_t tries, FILE *complaints)
{
	char name[] = "example.org", seconds[] = "+time=1", *argv[] = {name, name, seconds};

	assert_int_equal(lookup_ask_read(a, 3, argv, LOOKUP_AS_DIG, complaints), LOOKUP_ASKED);
	a->tries = tries;
}

static void
ask(struct server *s, uint8_t last, const char *note)
{
	char notes[4096] = "";
	FILE *out = fmemopen(notes, sizeof(notes), "w");
	struct lookup_reply *reply = calloc(1, sizeof(*reply));
	struct random *random = random_open();
	struct lookup_servers servers;
	struct lookup_ask a;
	enum lookup_exit code;

	assert_non_null(reply);
	read_ask(&a, 2, out);
	a.server = "127.0.0.1";
	a.port = port_of(s->udp);
	assert_int_equal(lookup_net_servers(&a, &servers, out), LOOKUP_DONE);
	code = lookup_net_ask(&a, &servers, random, reply, out);
	fclose(out);
	assert_non_null(strstr(notes, note));
	assert_int_equal(code, last ? LOOKUP_DONE : LOOKUP_SILENCE);
	if (last) { /* the address stands before OPT, or is the last of all */
		const uint8_t ip[] = {192, 0, 2, last};

		assert_non_null(memmem(reply->message.p, reply->message.n, ip, sizeof(ip)));
	}
	random_close(random);
	free(reply);
}

static void
against(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct server *s = calloc(1, sizeof(*s));
		pid_t child;
		int status;

		assert_non_null(s);
		listen_both(s);
		child = fork();
		assert_true(child >= 0);
		if (!child) {
			alarm(PATIENCE_MS / 1000 + 2);
			cases[i].serve(s);
			_exit(0);
		}
		ask(s, cases[i].last, cases[i].note);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status)
			print_error("%s: the server failed\n", cases[i].name);
		assert_int_equal(status, 0);
		close(s->udp);
		close(s->tcp);
		close(s->liar);
		free(s);
	}
}

/* The first refuses the connection at once; the second answers. */
static void
goes_to_the_next_server(void **state)
{
	char notes[4096] = "";
	FILE *out = fmemopen(notes, sizeof(notes), "w");
	struct lookup_reply *reply = calloc(1, sizeof(*reply));
	struct server *s = calloc(1, sizeof(*s));
	struct random *random = random_open();
	struct lookup_servers servers = {.n = 2};
	struct lookup_ask a;
	pid_t child;
	int closed = bound(SOCK_DGRAM, 0), status;

	(void)state;
	assert_true(reply && s);
	listen_both(s);
	read_ask(&a, 1, out);
	assert_true(addr_parse(BYTES("127.0.0.1"), port_of(closed), &servers.list[0].addr));
	assert_true(addr_parse(BYTES("127.0.0.1"), port_of(s->udp), &servers.list[1].addr));
	close(closed);
	child = fork();
	if (!child) {
		alarm(5);
		hear(s);
		say(s, s->udp, answer(s, 0, 0, 5));
		_exit(0);
	}
	assert_int_equal(lookup_net_ask(&a, &servers, random, reply, out), LOOKUP_DONE);
	fclose(out);
	assert_non_null(strstr(notes, "connection refused"));
	assert_ptr_equal(reply->server, &servers.list[1]);
	waitpid(child, &status, 0);
	random_close(random);
	close(s->udp);
	close(s->tcp);
	close(s->liar);
	free(s);
	free(reply);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(against),
	    cmocka_unit_test(goes_to_the_next_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who may be called, for what, by whom; and the way of a connection from dial to who asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the ones above first */
#include "base/log.h"
#include "net/accept.h"
#include "net/loop_sim.h"
#include "serve/dial.h"
#include "talk/report.h"

#include <cmocka.h>
#include <errno.h>

enum { DATA_PORT = 20 };

static struct place {
	struct loop *loop;
	struct peers *peers;
	struct dial *dial;
	struct chan *out, *ftp, *master;
	struct chan_ask ask;
	struct talk_dial_connect_answer answer;
	int fd, accepted; /* the asker's; how many the listener got */
	struct addr from; /* of the last one that the listener got */
	bool answered, no_socket, drained;
} p;

/* ---- the others ---- */

static void
dial_heard(void *owner, const struct peer *peer, struct chan_word *w)
{
	(void)owner;
	dial_word(p.dial, peer, w);
}

static void
master_heard(void *owner, struct chan *c, struct chan_word *w)
{
	struct talk_dial_socket t;
	struct talk_dial_socket_answer a = {.code = p.no_socket ? ERR_DENIED : 0};
	struct addr from = {.port = DATA_PORT};
	int fd = -1;

	(void)owner;
	if (w->word != WORD_DIAL_SOCKET)
		return;
	assert_true(talk_dial_socket_get(&w->body, &t));
	memcpy(from.ip, t.local.p, 16);
	if (!p.no_socket)
		assert_true(is_ok(loop_bind(p.loop, &from, &fd)));
	chan_answer(c, w->seq, talk_dial_socket_answer_out(&a), fd);
	loop_close_fd(p.loop, fd);
}

static void
other_heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner, (void)c, (void)w;
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	(void)owner, (void)c, (void)why;
}

static const struct peers_handlers handlers = {dial_heard, NULL, NULL};
static const struct chan_handlers master_handlers = {master_heard, gone},
				  other_handlers = {other_heard, gone};

static void
join(struct chan **far, enum role role, const struct chan_handlers *h)
{
	int fd[2];

	assert_true(is_ok(loop_pair(p.loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(p.peers, role, 0, fd[0])));
	assert_true(is_ok(chan_open(far, p.loop, fd[1], role, ROLE_DIAL, h, NULL)));
}

static void
begin(const char *relay, bool loopback)
{
	const struct dial_conf conf = {.relay = bytes_of(relay), .port = 25, .loopback = loopback};

	p = (struct place){.fd = -1};
	log_up_to(LOG_ERROR);
	assert_true(is_ok(loop_sim_open(&p.loop, 3)));
	assert_true(is_ok(peers_open(&p.peers, p.loop, ROLE_DIAL, &handlers, NULL)));
	join(&p.out, ROLE_OUT, &other_handlers);
	join(&p.ftp, ROLE_FTP, &other_handlers);
	join(&p.master, ROLE_MASTER, &master_handlers);
	assert_true(is_ok(dial_open(&p.dial, &conf, p.loop, p.peers)));
	chan_say(p.master, talk_go_out(&(struct talk_go){0}), -1);
	sim_run(p.loop, 100);
}

static void
end(void)
{
	dial_close(p.dial);
	loop_close_fd(p.loop, p.fd);
	chan_close(p.out);
	chan_close(p.ftp);
	chan_close(p.master);
	peers_close(p.peers);
	sim_run(p.loop, 100);
	assert_int_equal(sim_open_fds(p.loop), 0);
	loop_close(p.loop);
}

static struct addr
addr_of(const char *text)
{
	struct addr a = {.port = 0};

	if (text)
		assert_true(addr_parse(bytes_of(text), 25, &a));
	return a;
}

static void
came(void *owner, struct err e, struct chan_word *w)
{
	(void)owner;
	p.answered = true;
	if (!is_ok(e))
		return;
	assert_true(talk_dial_connect_answer_get(&w->body, &p.answer));
	loop_close_fd(p.loop, p.fd);
	p.fd = chan_take_fd(w);
}

/* What `who` is told: the code; from may be NULL. */
static int
ask(struct chan *who, uint8_t purpose, const char *to, const char *from)
{
	struct addr t = addr_of(to), f = addr_of(from);
	const struct talk_dial_connect word = {
	    .purpose = purpose, .to = {t.ip, 16}, .port = t.port, .from = {f.ip, from ? 16 : 0}};

	p.answered = false;
	assert_true(
	    is_ok(chan_ask(who, &p.ask, talk_dial_connect_out(&word), -1, 60000, came, NULL)));
	for (int i = 0; i < 400 && !p.answered; i++)
		sim_run(p.loop, 100);
	assert_true(p.answered);
	assert_int_equal(p.answer.code == 0, p.fd >= 0);
	return p.answer.code;
}

static void
accepted(void *owner, int fd, const struct addr *from)
{
	(void)owner;
	p.accepted++;
	p.from = *from;
	loop_close_fd(p.loop, fd);
}

static struct accept *
listen_at(const char *text)
{
	struct addr a = addr_of(text);
	struct accept *out;
	int fd;

	assert_true(is_ok(loop_listen(p.loop, &a, LOOP_STREAM, false, &fd)));
	assert_true(is_ok(accept_open(&out, p.loop, fd, accepted, NULL)));
	return out;
}

/* ---- tests ---- */

/* ERR_NOTFOUND: it was tried, and nobody is there. */
static const struct {
	bool ftp; /* who asks: ftp, else out */
	uint8_t purpose;
	const char *to, *from, *relay;
	bool loopback;
	int code;
} rows[] = {
    {false, DIAL_SMTP, "192.0.2.1:25", NULL, "", false, ERR_NOTFOUND},
    {false, DIAL_SMTP, "[2001:db8::1]:25", NULL, "", false, ERR_NOTFOUND},
    {false, DIAL_SMTP, "10.0.0.1:25", NULL, "", false, ERR_NOTFOUND},
    {false, DIAL_SMTP, "192.0.2.1:26", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "192.0.2.1:22", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, NULL, NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "0.0.0.0:25", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "[::]:25", NULL, "", true, ERR_DENIED},
    {false, DIAL_SMTP, "0.0.0.0:25", NULL, "", true, ERR_DENIED},
    {false, DIAL_SMTP, "127.0.0.1:25", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "[::1]:25", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "[::ffff:127.0.0.1]:25", NULL, "", false, ERR_DENIED},
    {false, DIAL_SMTP, "127.0.0.1:25", NULL, "", true, ERR_NOTFOUND},
    {false, DIAL_SMTP, "255.255.255.255:25", NULL, "", true, ERR_DENIED},
    {false, DIAL_SMTP, "224.0.0.1:25", NULL, "", true, ERR_DENIED},
    {false, DIAL_SMTP, "[ff02::1]:25", NULL, "", true, ERR_DENIED},
    /* a relay: it, and nothing else */
    {false, DIAL_SMTP, "127.0.0.1:2525", NULL, "127.0.0.1:2525", false, ERR_NOTFOUND},
    {false, DIAL_SMTP, "127.0.0.1:25", NULL, "127.0.0.1:2525", false, ERR_DENIED},
    {false, DIAL_SMTP, "127.0.0.2:2525", NULL, "127.0.0.1:2525", false, ERR_DENIED},
    {false, DIAL_SMTP, "192.0.2.1:25", NULL, "127.0.0.1:2525", false, ERR_DENIED},
    {false, DIAL_SMTP, "127.0.0.1:2525", NULL, "relay.test:2525", false, ERR_NOTFOUND},
    {false, DIAL_SMTP, "192.0.2.1:25", NULL, "relay.test:2525", false, ERR_DENIED},
    {false, DIAL_SMTP, "0.0.0.0:2525", NULL, "relay.test:2525", false, ERR_DENIED},
    /* data of FTP */
    {true, DIAL_FTP, "192.0.2.1:1024", "192.0.2.9", "", false, ERR_NOTFOUND},
    {true, DIAL_FTP, "192.0.2.1:1023", "192.0.2.9", "", false, ERR_DENIED},
    {true, DIAL_FTP, "192.0.2.1:25", "192.0.2.9", "", false, ERR_DENIED},
    {true, DIAL_FTP, "192.0.2.1:5000", NULL, "", false, ERR_DENIED},
    {true, DIAL_FTP, "127.0.0.1:5000", "192.0.2.9", "", true, ERR_DENIED},
    {true, DIAL_FTP, "192.0.2.1:5000", "127.0.0.1", "", true, ERR_DENIED},
    {true, DIAL_FTP, "127.0.0.1:5000", "127.0.0.1", "", false, ERR_NOTFOUND},
    {true, DIAL_FTP, "0.0.0.0:5000", "192.0.2.9", "", false, ERR_DENIED},
    {true, DIAL_FTP, "224.0.0.1:5000", "192.0.2.9", "", false, ERR_DENIED},
    /* nobody has the other's purpose */
    {true, DIAL_SMTP, "192.0.2.1:25", NULL, "", false, ERR_DENIED},
    {false, DIAL_FTP, "192.0.2.1:5000", "192.0.2.9", "", false, ERR_DENIED},
    {false, 0, "192.0.2.1:25", NULL, "", false, ERR_DENIED},
    {false, 77, "192.0.2.1:25", NULL, "", false, ERR_DENIED},
};

static void
who_may_be_called(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int code;

		begin(rows[i].relay, rows[i].loopback);
		code = ask(rows[i].ftp ? p.ftp : p.out, rows[i].purpose, rows[i].to, rows[i].from);
		if (code != rows[i].code)
			print_error("row %zu: %s\n", i, rows[i].to);
		assert_int_equal(code, rows[i].code);
		end();
	}
}

static void
a_connection_is_handed_over(void **state)
{
	struct accept *a;
	struct addr local;

	(void)state;
	begin("", false);
	a = listen_at("192.0.2.1:25");
	assert_int_equal(ask(p.out, DIAL_SMTP, "192.0.2.1:25", NULL), 0);
	assert_true(is_ok(loop_local(p.loop, p.fd, &local)));
	sim_run(p.loop, 200);
	assert_int_equal(p.accepted, 1);
	accept_close(a);
	end();
}

static void
data_comes_from_its_port(void **state)
{
	struct accept *a;

	(void)state;
	for (int no_socket = 0; no_socket < 2; no_socket++) {
		begin("", false);
		p.no_socket = no_socket;
		a = listen_at("192.0.2.1:5000");
		assert_int_equal(ask(p.ftp, DIAL_FTP, "192.0.2.1:5000", "192.0.2.9"), 0);
		sim_run(p.loop, 200);
		assert_int_equal(p.accepted, 1);
		assert_int_equal(p.from.ip[15], 9);
		assert_int_equal(p.from.port == DATA_PORT, !no_socket);
		accept_close(a);
		end();
	}
}

static void
drained(void *owner)
{
	(void)owner;
	p.drained = true;
}

static void
drains(void **state)
{
	(void)state;
	begin("", false);
	dial_drain(p.dial, drained, NULL);
	assert_true(p.drained);
	assert_int_equal(ask(p.out, DIAL_SMTP, "192.0.2.1:25", NULL), ERR_LATER);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_may_be_called),
	    cmocka_unit_test(a_connection_is_handed_over),
	    cmocka_unit_test(data_comes_from_its_port),
	    cmocka_unit_test(drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

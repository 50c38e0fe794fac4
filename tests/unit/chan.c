/* Channels: words there and back, over real sockets and over the simulation. */
#include "net/chan.h"
#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Two ends: a master and a front; what was heard, as a text. */
struct both {
	struct loop *loop;
	struct chan *master, *front;
	char log[512];
	struct chan_ask ask[3];
	uint32_t to_answer[8];
	size_t n_to_answer;
	bool answer_at_once, close_when_heard, simulated;
};

static void
note(struct both *b, const char *what, int n)
{
	size_t at = strlen(b->log);

	snprintf(b->log + at, sizeof(b->log) - at, "%s%d ", what, n);
}

static bool
answer(struct both *b, uint32_t seq)
{
	struct talk_status_answer a = {BYTES("counters")};

	return chan_answer(b->front, seq, talk_status_answer_out(&a), -1);
}

static void
front_heard(void *owner, struct chan *c, struct chan_word *w)
{
	struct both *b = owner;
	struct talk_settings settings;
	int fd;

	switch ((int)w->word) {
	case WORD_SETTINGS:
		assert_true(talk_settings_get(&w->body, &settings));
		note(b, "settings", (int)settings.config.n);
		break;
	case WORD_LISTENER:
		fd = chan_take_fd(w);
		assert_true(fd >= 0);
		loop_close_fd(b->loop, fd);
		note(b, "listener", 0);
		break;
	case WORD_FOLDER:
		note(b, "folder", w->fd >= 0); /* not taken: closed behind us */
		break;
	case WORD_GO:
		note(b, "go", (int)chan_phase(c));
		break;
	case WORD_STATUS:
		note(b, "status", (int)w->seq);
		if (b->answer_at_once)
			assert_true(answer(b, w->seq));
		else
			b->to_answer[b->n_to_answer++] = w->seq;
		break;
	default:
		note(b, "word", (int)w->word);
	}
	if (b->close_when_heard) {
		chan_close(c);
		b->front = NULL;
	}
}

static void
front_gone(void *owner, struct chan *c, struct err why)
{
	struct both *b = owner;

	note(b, "front gone", why.code);
	chan_close(c);
	b->front = NULL;
}

static void
master_heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)c;
	note(owner, "ready", (int)w->word);
}

static void
master_gone(void *owner, struct chan *c, struct err why)
{
	struct both *b = owner;

	note(b, "master gone", why.code);
	chan_close(c);
	b->master = NULL;
}

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct both *b = owner;
	struct talk_status_answer a;

	if (is_ok(e)) {
		assert_true(talk_status_answer_get(&w->body, &a));
		assert_true(bytes_eq(a.counters, BYTES("counters")));
	}
	note(b, "answered", e.code);
}

static const struct chan_handlers master_handlers = {master_heard, master_gone};
static const struct chan_handlers front_handlers = {front_heard, front_gone};

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
run_ms(struct both *b, uint64_t ms)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(b->loop, &t, ms, stop, b->loop);
	assert_true(is_ok(loop_run(b->loop)));
	loop_timer_stop(b->loop, &t);
}

typedef void both_case(struct both *);

static void
on_one(struct loop *l, bool simulated, both_case *fn)
{
	struct both b = {.loop = l, .simulated = simulated};
	int fd[2];

	assert_true(is_ok(loop_pair(l, LOOP_MESSAGES, fd)));
	assert_true(
	    is_ok(chan_open(&b.master, l, fd[0], ROLE_MASTER, ROLE_SMTP, &master_handlers, &b)));
	assert_true(
	    is_ok(chan_open(&b.front, l, fd[1], ROLE_SMTP, ROLE_MASTER, &front_handlers, &b)));
	fn(&b);
	chan_close(b.master);
	chan_close(b.front);
	loop_close(l);
}

static void
on_all(both_case *fn)
{
	struct loop *l;

	assert_true(is_ok(loop_open(&l)));
	on_one(l, false, fn);
	for (uint64_t seed = 0; seed < 10; seed++) {
		assert_true(is_ok(loop_sim_open(&l, seed)));
		on_one(l, true, fn);
	}
}

static bool
say_settings(struct both *b, size_t n)
{
	static uint8_t config[40000];
	struct talk_settings s = {.config = {config, n}};

	return chan_say(b->master, talk_settings_out(&s), -1);
}

static void
start(struct both *b)
{
	struct talk_go go = {0};

	assert_true(chan_say(b->master, talk_go_out(&go), -1));
}

static struct err
ask(struct both *b, int i, uint32_t ms)
{
	struct talk_status s = {0};

	return chan_ask(b->master, &b->ask[i], talk_status_out(&s), -1, ms, answered, b);
}

/* ---- cases ---- */

static void
words(struct both *b)
{
	struct talk_listener l = {.service = 1};
	struct talk_folder f = {.purpose = 1};
	struct talk_ready ready = {BYTES("cage")};
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(say_settings(b, 100));
	assert_false(say_settings(b, 40000)); /* passes its limit: not sent */
	assert_true(chan_say(b->master, talk_listener_out(&l), fd));
	assert_true(chan_say(b->master, talk_folder_out(&f), fd));
	assert_int_equal(chan_phase(b->master), PHASE_START);
	start(b);
	assert_int_equal(chan_phase(b->master), PHASE_RUN);
	run_ms(b, 50);
	assert_int_equal(chan_phase(b->front), PHASE_RUN);
	assert_true(chan_say(b->front, talk_ready_out(&ready), -1));
	run_ms(b, 20);
	assert_non_null(strstr(b->log, "settings100 listener0 folder1"));
	assert_non_null(strstr(b->log, "ready7"));
	assert_non_null(strstr(b->log, "go2"));
	loop_close_fd(b->loop, fd);
}

static void
asks(struct both *b)
{
	start(b);
	assert_true(is_ok(ask(b, 0, 1000)));
	assert_true(is_ok(ask(b, 1, 1000)));
	assert_true(is_ok(ask(b, 2, 20)));
	run_ms(b, 10);
	assert_string_equal(b->log, "go2 status1 status2 status3 ");
	b->log[0] = 0;
	assert_true(answer(b, b->to_answer[1])); /* in another order than asked */
	assert_true(answer(b, b->to_answer[0]));
	run_ms(b, 50);
	assert_string_equal(b->log, "answered0 answered0 answered9 ");
	assert_true(answer(b, b->to_answer[2])); /* too late: dropped */
	run_ms(b, 10);
	assert_int_equal(chan_counts(b->master).late, 1);
	assert_string_equal(b->log, "answered0 answered0 answered9 ");

	b->log[0] = 0;
	b->n_to_answer = 0;
	assert_true(is_ok(ask(b, 0, 1000)));
	chan_ask_stop(&b->ask[0]);
	chan_ask_stop(&b->ask[0]);
	assert_true(is_ok(ask(b, 0, 1000)));
	run_ms(b, 10);
	assert_true(answer(b, b->to_answer[0]));
	assert_true(answer(b, b->to_answer[1]));
	run_ms(b, 10);
	assert_string_equal(b->log, "status4 status5 answered0 ");
}

static void
peer_ends(struct both *b)
{
	start(b);
	assert_true(is_ok(ask(b, 0, 1000)));
	run_ms(b, 10);
	chan_close(b->front);
	b->front = NULL;
	run_ms(b, 10);
	assert_string_equal(b->log, "go2 status1 answered-4 master gone-4 ");
	assert_null(b->master);
}

static void
closed_while_asking(struct both *b)
{
	start(b);
	assert_true(is_ok(ask(b, 0, 1000)));
	chan_close(b->master); /* tells its asks */
	b->master = NULL;
	assert_string_equal(b->log, "answered-4 ");
}

static void
closed_in_its_handler(struct both *b)
{
	b->close_when_heard = true;
	assert_true(say_settings(b, 1));
	assert_true(say_settings(b, 2));
	run_ms(b, 10);
	assert_string_equal(b->log, "settings1 master gone-4 ");
}

/* A peer that does not read: the queue fills up, then words and asks are refused. */
static void
slow_peer(struct both *b)
{
	struct talk_drain drain = {0};
	int said = 0, lossy = 0;
	struct err e;

	start(b);
	run_ms(b, 5);
	chan_pause(b->front, true);
	while (chan_say_lossy(b->master, talk_drain_out(&drain), -1))
		assert_true(++lossy < 1000000);
	while (chan_say(b->master, talk_drain_out(&drain), -1))
		assert_true(++said < 1000000);
	assert_true(said > 100); /* the half that lossy words may not use */
	e = ask(b, 0, 1000);
	assert_int_equal(e.code, ERR_FULL);
	assert_null(b->ask[0].chan);
	assert_true(chan_counts(b->master).dropped >= 3);
	run_ms(b, 20);
	assert_int_equal(b->log[4], 0);
	b->log[0] = 0;
	chan_pause(b->front, false);
	b->n_to_answer = 0;
	for (int i = 0; i < 1000 && chan_counts(b->master).waiting; i++) {
		run_ms(b, 5);
		b->log[0] = 0;
	}
	run_ms(b, 50);
	assert_int_equal(chan_counts(b->front).in, said + lossy + 1);
}

/* Words that come while an ask blocks are heard afterwards, in their order. */
static void
ask_and_wait(struct both *b)
{
	struct talk_status s = {0};
	struct talk_status_answer a;
	struct chan_word w;
	struct err e;

	start(b);
	run_ms(b, 10);
	b->log[0] = 0;
	if (b->simulated) {
		b->answer_at_once = true;
		e = chan_ask_now(b->master, talk_status_out(&s), -1, 1000, &w);
		assert_true(is_ok(e));
		assert_true(talk_status_answer_get(&w.body, &a));
		assert_true(bytes_eq(a.counters, BYTES("counters")));
		assert_int_equal(w.fd, -1);
		b->answer_at_once = false;
	}
	e = chan_ask_now(b->master, talk_status_out(&s), -1, 20, &w);
	assert_int_equal(e.code, ERR_LATER);
}

static void
test_words(void **state)
{
	(void)state;
	on_all(words);
}

static void
test_asks(void **state)
{
	(void)state;
	on_all(asks);
}

static void
test_peer_ends(void **state)
{
	(void)state;
	on_all(peer_ends);
}

static void
test_closing(void **state)
{
	(void)state;
	on_all(closed_while_asking);
	on_all(closed_in_its_handler);
}

static void
test_slow_peer(void **state)
{
	(void)state;
	on_all(slow_peer);
}

static void
test_ask_and_wait(void **state)
{
	(void)state;
	on_all(ask_and_wait);
}

/* ---- the private channel of a front to keys, answered by a child process ---- */

struct front {
	struct loop *loop;
	int heard;
};

static void
never(void *owner, struct chan *c, struct chan_word *w)
{
	struct front *f = owner;

	(void)c;
	(void)w;
	f->heard++;
}

static void
never_gone(void *owner, struct chan *c, struct err why)
{
	(void)owner;
	(void)c;
	(void)why;
}

/* Answers the first ask wrongly numbered by one, then rightly. */
static void
keys_role(int fd)
{
	uint8_t room[1024];
	struct talk_keys_sign_answer a = {0, BYTES("signature")};
	struct talk_head head;
	struct rd r;
	ssize_t n;

	while ((n = recv(fd, room, sizeof(room), 0)) > 0) {
		struct wr w;

		r = rd_of((struct bytes){room, (size_t)n});
		if (!talk_get_head(&r, &head))
			_exit(1);
		head.answer = true;
		for (int i = head.seq > 1; i >= 0; i--) { /* the late one of before, this one */
			struct talk_head h = head;

			h.seq -= (uint32_t)i;
			w = wr_of(room, sizeof(room));
			talk_put_head(&w, &h);
			talk_keys_sign_answer_put(&w, &a);
			if (send(fd, room, wr_since(&w, room).n, 0) < 0)
				_exit(1);
		}
	}
	_exit(0);
}

static void
test_keys(void **state)
{
	static const struct chan_handlers handlers = {never, never_gone};
	struct talk_keys_sign s = {1, 0x0403, BYTES("message")};
	struct front f = {.heard = 0};
	struct chan *c;
	int fd[2];
	pid_t pid;

	(void)state;
	assert_true(is_ok(loop_open(&f.loop)));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		keys_role(fd[1]);
	}
	close(fd[1]);
	assert_true(is_ok(chan_open(&c, f.loop, fd[0], ROLE_SMTP, ROLE_KEYS, &handlers, &f)));
	for (int i = 0; i < 100; i++) {
		struct talk_keys_sign_answer a;
		struct chan_word w;
		struct err e = chan_ask_now(c, talk_keys_sign_out(&s), -1, 5000, &w);

		assert_true(is_ok(e));
		assert_true(talk_keys_sign_answer_get(&w.body, &a));
		assert_true(bytes_eq(a.signature, BYTES("signature")));
	}
	assert_int_equal(f.heard, 0);
	chan_close(c);
	loop_close(f.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),     cmocka_unit_test(test_asks),
	    cmocka_unit_test(test_peer_ends), cmocka_unit_test(test_closing),
	    cmocka_unit_test(test_slow_peer), cmocka_unit_test(test_ask_and_wait),
	    cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

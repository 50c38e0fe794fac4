/*
 * Attack 155: a role was taken over and sends garbage on its channel.  It is cut off and the reason
 * is told; the receiver lives, handles no wrong word, and leaves no descriptor open.
 */
#include "base/random.h"
#include "net/chan.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct receiver {
	struct loop *loop;
	struct chan *chan;
	int heard, gone, code, answered;
	struct chan_ask ask;
};

static void
heard(void *owner, struct chan *c, struct chan_word *w)
{
	struct receiver *r = owner;

	(void)c;
	(void)w;
	r->heard++;
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	struct receiver *r = owner;

	r->gone++;
	r->code = why.code;
	chan_close(c);
	r->chan = NULL;
	loop_stop(r->loop);
}

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct receiver *r = owner;

	(void)w;
	r->answered += is_ok(e) ? 1 : 100;
}

static const struct chan_handlers handlers = {heard, gone};

static void
stop(void *owner)
{
	loop_stop(owner);
}

/* The receiver; the attacker's end is the bare socket that is returned. */
static int
open_receiver(struct receiver *r, enum role me, enum role attacker)
{
	int fd[2];

	*r = (struct receiver){.heard = 0};
	assert_true(is_ok(loop_open(&r->loop)));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	assert_true(is_ok(chan_open(&r->chan, r->loop, fd[0], me, attacker, &handlers, r)));
	return fd[1];
}

static void
run(struct receiver *r, int attacker)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(r->loop, &t, 20, stop, r->loop);
	assert_true(is_ok(loop_run(r->loop)));
	loop_timer_stop(r->loop, &t);
	chan_close(r->chan);
	loop_close(r->loop);
	close(attacker);
}

static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static size_t
message(uint8_t *room, uint16_t word, bool answer, uint32_t seq, size_t body)
{
	struct wr w = wr_of(room, TALK_MAX);

	talk_put_head(&w, &(struct talk_head){word, answer, seq});
	memset(wr_take(&w, body), 0, body);
	return wr_since(&w, room).n;
}

static ssize_t
send_with(int fd, const void *p, size_t n, const int *fds, size_t n_fds)
{
	struct {
		_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(8 * sizeof(int))];
	} control = {.room = {0}};
	struct iovec io = {(void *)(uintptr_t)p, n};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

	if (n_fds) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = (struct cmsghdr *)(void *)control.room;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const struct {
	const char *name;
	enum role me, attacker;
	uint16_t word;
	bool answer;
	uint32_t seq;
	size_t body, fds;
	bool fine;
} cases[] = {
    {"a word that it may say", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 0, 16, 0, true},
    {"a word that only others may say", ROLE_BOX, ROLE_AUTH, WORD_BOX_LEAVE, false, 0, 16, 0,
     false},
    {"the master's word", ROLE_BOX, ROLE_MAIL, WORD_GO, false, 0, 0, 0, false},
    {"no word at all", ROLE_BOX, ROLE_MAIL, 9999, false, 0, 16, 0, false},
    {"a word of another phase", ROLE_MASTER, ROLE_CTL, WORD_SERVER_STATUS, false, 1, 0, 0, false},
    {"a say with a number", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 5, 16, 0, false},
    {"an ask without a number", ROLE_KEYS, ROLE_SMTP, WORD_KEYS_SIGN, false, 0, 8, 0, false},
    {"a field too few", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 0, 15, 0, false},
    {"an octet too many", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 0, 17, 0, false},
    {"more than the word's limit", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 0, 60000, 0, false},
    {"a descriptor where none goes", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, false, 0, 16, 1, false},
    {"a descriptor missing", ROLE_SMTP, ROLE_BOX, WORD_DIRECTORY_IMAGE, false, 0, 8, 0, false},
    {"its descriptor", ROLE_SMTP, ROLE_BOX, WORD_DIRECTORY_IMAGE, false, 0, 8, 1, true},
    {"two descriptors", ROLE_SMTP, ROLE_BOX, WORD_DIRECTORY_IMAGE, false, 0, 8, 2, false},
    {"eight descriptors", ROLE_SMTP, ROLE_BOX, WORD_DIRECTORY_IMAGE, false, 0, 8, 8, false},
    {"an answer to no ask", ROLE_SMTP, ROLE_KEYS, WORD_KEYS_SIGN, true, 7, 3, 0, false},
    {"an answer to a say", ROLE_BOX, ROLE_MAIL, WORD_BOX_LEAVE, true, 1, 0, 0, false},
};

static void
attack_155_wrong_words(void **state)
{
	static uint8_t room[TALK_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int before = lowest_free(), fds[8];
		struct receiver r;
		int attacker = open_receiver(&r, cases[i].me, cases[i].attacker);
		size_t n =
		    message(room, cases[i].word, cases[i].answer, cases[i].seq, cases[i].body);

		for (size_t j = 0; j < COUNT(fds); j++)
			fds[j] = attacker;
		assert_true(send_with(attacker, room, n, fds, cases[i].fds) == (ssize_t)n);
		run(&r, attacker);
		if (r.heard != cases[i].fine || r.gone == cases[i].fine)
			fail_msg("%s: heard %d, gone %d", cases[i].name, r.heard, r.gone);
		if (!cases[i].fine)
			assert_int_equal(r.code, ERR_SYNTAX);
		assert_int_equal(lowest_free(), before);
	}
}

/* What was right before the wrong word stays handled, what comes after it is not read. */
static void
attack_155_after_right_words(void **state)
{
	struct receiver r;
	int attacker = open_receiver(&r, ROLE_BOX, ROLE_MAIL);
	uint8_t room[64];

	(void)state;
	for (int i = 0; i < 5; i++) {
		size_t n = message(room, WORD_BOX_LEAVE, false, i == 3, 16);

		assert_true(send_with(attacker, room, n, NULL, 0) > 0);
	}
	run(&r, attacker);
	assert_int_equal(r.heard, 3);
	assert_int_equal(r.gone, 1);
}

/* A wrong answer to an ask that is open: the asker is told, once. */
static void
attack_155_wrong_answers(void **state)
{
	static const struct {
		const char *name;
		uint16_t word;
		uint32_t seq;
		size_t body;
		bool fine;
	} answers[] = {
	    {"the right one", WORD_KEYS_SIGN, 1, 3, true},
	    {"cut short", WORD_KEYS_SIGN, 1, 2, false},
	    {"another word's", WORD_AUTH_LOGIN, 1, 17, false},
	    {"of an ask to come", WORD_KEYS_SIGN, 2, 3, false},
	};
	uint8_t room[64];

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct talk_keys_sign s = {1, 0x0403, BYTES("m")};
		struct receiver r;
		int attacker = open_receiver(&r, ROLE_MAIL, ROLE_KEYS);
		size_t n = message(room, answers[i].word, true, answers[i].seq, answers[i].body);

		assert_true(is_ok(
		    chan_ask(r.chan, &r.ask, talk_keys_sign_out(&s), -1, 1000, answered, &r)));
		assert_true(send_with(attacker, room, n, NULL, 0) > 0);
		run(&r, attacker);
		assert_int_equal(r.answered, answers[i].fine ? 1 : 100);
		assert_int_equal(r.gone, !answers[i].fine);
	}
}

/* Any octets, from every role to every role. */
static void
attack_155_garbage(void **state)
{
	struct random *random = random_seeded(155);
	static uint8_t room[TALK_MAX + 100];
	int before = lowest_free();

	(void)state;
	for (int turn = 0; turn < 300; turn++) {
		enum role me = (enum role)random_below(random, ROLE_COUNT);
		enum role from = (enum role)random_below(random, ROLE_COUNT);
		struct receiver r;
		int attacker = open_receiver(&r, me, from), value = 0;
		struct loop_timer t = {.fire = NULL};

		for (int i = 0; i < 8; i++) {
			size_t n = random_below(random, turn % 10 ? 200 : sizeof(room));

			random_fill(random, room, n);
			if (n >= TALK_HEAD && random_below(random, 4)) { /* a head that is right */
				struct wr w = wr_of(room, TALK_HEAD);

				talk_put_head(
				    &w, &(struct talk_head){
					    talk_rows[random_below(random, talk_row_count)].number,
					    random_below(random, 2),
					    (uint32_t)random_below(random, 3)});
			}
			value = (int)random_below(random, 3);
			if (send_with(attacker, room, n, &attacker, value == 1) < 0)
				break;
		}
		loop_timer_set(r.loop, &t, 2, stop, r.loop);
		assert_true(is_ok(loop_run(r.loop)));
		loop_timer_stop(r.loop, &t);
		chan_close(r.chan);
		loop_close(r.loop);
		close(attacker);
		assert_true(r.gone <= 1);
		assert_int_equal(lowest_free(), before);
	}
	random_close(random);
}

/* An attacker that sends without end has others served in between. */
static void
attack_155_flood(void **state)
{
	struct receiver r;
	int attacker = open_receiver(&r, ROLE_BOX, ROLE_MAIL);
	struct loop_timer t = {.fire = NULL};
	uint8_t room[64];
	size_t n = message(room, WORD_BOX_LEAVE, false, 0, 16);
	int sent = 0;

	(void)state;
	assert_int_equal(fcntl(attacker, F_SETFL, O_NONBLOCK), 0);
	while (send_with(attacker, room, n, NULL, 0) > 0)
		sent++;
	loop_timer_set(r.loop, &t, 0, stop, r.loop);
	assert_true(is_ok(loop_run(r.loop)));
	assert_true(r.heard < sent); /* the timer came before the last word */
	run(&r, attacker);
	assert_int_equal(r.heard, sent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_155_wrong_words),
	    cmocka_unit_test(attack_155_after_right_words),
	    cmocka_unit_test(attack_155_wrong_answers),
	    cmocka_unit_test(attack_155_garbage),
	    cmocka_unit_test(attack_155_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

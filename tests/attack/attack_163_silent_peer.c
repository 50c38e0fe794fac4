/*
 * Attack 163: `keys` hangs while clients come to shake hands.  The first of them stops its front for
 * a deadline, the others are told at once, until the answer that was due has come after all.
 */
#include "base/clock.h"
#include "net/chan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SHORT_MS = 50, LONG_MS = 5000 };

static void
heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner, (void)c, (void)w;
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	(void)owner, (void)c, (void)why;
}

static const struct chan_handlers handlers = {heard, gone};

static void
over(void *owner)
{
	loop_stop(owner);
}

static void
run_ms(struct loop *l, uint64_t ms)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(l, &t, ms, over, l);
	assert_true(is_ok(loop_run(l)));
}

/* The number of the question that lies in the socket. */
static uint32_t
question(struct loop *l, int fd)
{
	static uint8_t room[TALK_MAX];
	struct talk_head head;
	size_t n;
	int none;
	struct rd r;

	assert_true(is_ok(loop_msg_recv(l, fd, room, sizeof(room), &n, &none)));
	r = rd_of((struct bytes){room, n});
	assert_true(talk_get_head(&r, &head));
	return head.seq;
}

static void
answer(struct loop *l, int fd, uint32_t seq)
{
	const struct talk_keys_sign_answer a = {.signature = BYTES("signature")};
	uint8_t room[200];
	struct wr w = wr_of(room, sizeof(room));

	talk_put_head(&w, &(struct talk_head){WORD_KEYS_SIGN, true, seq});
	talk_keys_sign_answer_put(&w, &a);
	assert_true(is_ok(loop_msg_send(l, fd, wr_since(&w, room), -1)));
}

static struct err
ask(struct chan *c, uint32_t ms)
{
	const struct talk_keys_sign word = {.message = BYTES("message")};
	struct chan_word w;

	return chan_ask_now(c, talk_keys_sign_out(&word), -1, ms, &w);
}

static void
attack_163_asked_again(void **state)
{
	struct loop *l;
	struct chan *c;
	uint64_t began;
	uint32_t seq;
	int fd[2];

	(void)state;
	assert_true(is_ok(loop_open(&l)));
	assert_true(is_ok(loop_pair(l, LOOP_MESSAGES, fd)));
	assert_true(is_ok(chan_open(&c, l, fd[0], ROLE_SMTP, ROLE_KEYS, &handlers, NULL)));
	assert_int_equal(ask(c, SHORT_MS).code, ERR_LATER);
	seq = question(l, fd[1]);
	began = clock_mono_ns();
	for (int i = 0; i < 100; i++)
		assert_int_equal(ask(c, LONG_MS).code, ERR_LATER);
	assert_true(clock_mono_ns() - began < (uint64_t)LONG_MS / 2 * 1000000);
	answer(l, fd[1], seq);
	run_ms(l, 20);
	assert_int_equal(chan_counts(c).late, 1);
	answer(l, fd[1], seq + 1); /* lies there when it is asked for */
	assert_true(is_ok(ask(c, LONG_MS)));
	chan_close(c);
	loop_close_fd(l, fd[1]);
	loop_close(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_163_asked_again)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * attack_174_unread_answers.c - a front that asks for a great deal and reads nothing for a while: no
 * answer is lost, and what waits for it is bounded by what it was heard to ask.
 */
#include "net/chan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ASKS = 2000, OCTETS = 48 * 1024 };

struct place {
	struct loop *loop;
	struct chan *box, *front;
	struct chan_ask asks[ASKS];
	size_t heard, answered, broken;
};

static void
stop(void *owner)
{
	loop_stop(owner);
}

static void
run_ms(struct place *p, uint64_t ms)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(p->loop, &t, ms, stop, p->loop);
	assert_true(is_ok(loop_run(p->loop)));
	loop_timer_stop(p->loop, &t);
}

static void
box_heard(void *owner, struct chan *c, struct chan_word *w)
{
	static const uint8_t octets[OCTETS];
	struct place *p = owner;

	p->heard++;
	assert_true(chan_answer(c, w->seq,
	                        talk_box_read_answer_out(&(struct talk_box_read_answer){
				    .bytes = {octets, sizeof(octets)}}),
	                        -1));
}

static void
front_heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner, (void)c, (void)w;
}

static void
gone(void *owner, struct chan *c, struct err why)
{
	struct place *p = owner;

	(void)c, (void)why;
	p->broken++;
}

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct place *p = owner;
	struct talk_box_read_answer a;

	assert_true(is_ok(e));
	assert_true(talk_box_read_answer_get(&w->body, &a));
	assert_int_equal(a.bytes.n, OCTETS);
	p->answered++;
}

static const struct chan_handlers box_handlers = {box_heard, gone};
static const struct chan_handlers front_handlers = {front_heard, gone};

static void
ask_all(struct place *p)
{
	for (size_t asked = 0; asked < ASKS;) {
		struct talk_box_read word = {.uid = 1, .length = OCTETS};
		struct err e = chan_ask(p->front, &p->asks[asked], talk_box_read_out(&word), -1,
		                        600000, answered, p);

		if (is_ok(e))
			asked++;
		else
			assert_int_equal(e.code, ERR_FULL); /* the asker is told, and waits */
		if (!is_ok(e)) {
			chan_pause(p->front, false);
			run_ms(p, 5);
			chan_pause(p->front, true);
		}
	}
}

static void
attack_174_unread_answers(void **state)
{
	static struct place p;
	int fd[2];

	(void)state;
	p = (struct place){.heard = 0};
	assert_true(is_ok(loop_open(&p.loop)));
	assert_true(is_ok(loop_pair(p.loop, LOOP_MESSAGES, fd)));
	assert_true(
	    is_ok(chan_open(&p.box, p.loop, fd[0], ROLE_BOX, ROLE_MAIL, &box_handlers, &p)));
	assert_true(
	    is_ok(chan_open(&p.front, p.loop, fd[1], ROLE_MAIL, ROLE_BOX, &front_handlers, &p)));
	chan_pause(p.front, true);
	ask_all(&p);
	run_ms(&p, 50);
	assert_true(p.heard < ASKS); /* it is not heard while it takes no answers */
	assert_true(chan_counts(p.box).waiting * OCTETS < 2 * 1024 * 1024);
	chan_pause(p.front, false);
	for (int i = 0; i < 10000 && p.answered < ASKS; i++)
		run_ms(&p, 5);
	assert_int_equal(p.answered, ASKS);
	assert_int_equal(p.broken, 0);
	assert_int_equal(chan_counts(p.box).dropped, 0);
	chan_close(p.front);
	chan_close(p.box);
	loop_close(p.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_174_unread_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

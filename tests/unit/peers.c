/* peers.c - who is there, who has gone, and who waits for an answer still. */
#include "net/peers.h"

#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* A box in the middle; the fronts' ends are bare channels. */
struct place {
	struct loop *loop;
	struct peers *box;
	struct chan *far[4];
	size_t n_far;
	struct asker asker;
	struct chan_ask ask[4];
	char log[1024];
};

static void
note(struct place *p, const char *what, enum role role, unsigned number)
{
	size_t n = strlen(p->log);

	snprintf(p->log + n, sizeof(p->log) - n, "%s:%s%u ", what, role_name(role), number);
}

static void
said(struct place *p, const char *expected)
{
	sim_run(p->loop, 1000);
	assert_string_equal(p->log, expected);
	p->log[0] = 0;
}

/* ---- the box ---- */

static void
word(void *owner, const struct peer *peer, struct chan_word *w)
{
	struct place *p = owner;

	assert_ptr_equal(peer->chan, peers_chan(p->box, peer->role, peer->instance));
	note(p, talk_row((uint16_t)w->word)->name, peer->role, peer->instance);
	p->asker = peers_asker(peer, w);
}

static void
come(void *owner, const struct peer *peer)
{
	note(owner, "come", peer->role, peer->instance);
}

static void
gone(void *owner, const struct peer *peer, struct err why)
{
	struct place *p = owner;

	assert_null(peer->chan);
	assert_null(peers_chan(p->box, peer->role, peer->instance));
	assert_true(why.code != 0);
	note(p, "gone", peer->role, peer->instance);
}

static const struct peers_handlers handlers = {word, come, gone};

/* ---- the fronts ---- */

static void
far_word(void *owner, struct chan *c, struct chan_word *w)
{
	struct place *p = owner;

	(void)w;
	for (size_t i = 0; i < p->n_far; i++)
		if (p->far[i] == c)
			note(p, "heard", chan_peer(c), (unsigned)i);
}

static void
far_gone(void *owner, struct chan *c, struct err why)
{
	struct place *p = owner;

	(void)why;
	for (size_t i = 0; i < p->n_far; i++)
		if (p->far[i] == c) {
			note(p, "lost", chan_peer(c), (unsigned)i);
			p->far[i] = NULL;
		}
	chan_close(c);
}

static const struct chan_handlers far_handlers = {far_word, far_gone};

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	(void)w;
	note(owner, "answered", ROLE_BOX, (unsigned)(e.code < 0 ? 0 : e.code + 1));
}

static void
join(struct place *p, enum role role, uint8_t instance)
{
	int fd[2];

	assert_true(is_ok(loop_pair(p->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(
	    chan_open(&p->far[p->n_far++], p->loop, fd[1], role, ROLE_BOX, &far_handlers, p)));
	assert_true(is_ok(peers_add(p->box, role, instance, fd[0])));
}

static void
init(struct place *p)
{
	*p = (struct place){.n_far = 0};
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(peers_open(&p->box, p->loop, ROLE_BOX, &handlers, p)));
}

static void
fini(struct place *p)
{
	peers_close(p->box);
	for (size_t i = 0; i < p->n_far; i++)
		chan_close(p->far[i]);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
}

static void
leave(struct place *p, size_t far)
{
	const struct talk_box_leave leaving = {.handle = {{1}}};

	assert_true(chan_say(p->far[far], talk_box_leave_out(&leaving), -1));
}

static void
open_box(struct place *p, size_t far)
{
	const struct talk_box_open ask = {.mailbox = BYTES("INBOX")};

	assert_true(is_ok(
	    chan_ask(p->far[far], &p->ask[far], talk_box_open_out(&ask), -1, 60000, answered, p)));
}

static bool
answer(struct place *p)
{
	const struct talk_box_open_answer a = {.code = 0};

	return peers_answer(p->box, p->asker, talk_box_open_answer_out(&a), -1);
}

/* ---- cases ---- */

static void
words_come_with_who_said_them(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	assert_null(peers_chan(p.box, ROLE_MAIL, 0));
	assert_null(peers_chan(p.box, ROLE_MAIL, 255));
	join(&p, ROLE_MAIL, 0);
	join(&p, ROLE_MAIL, PEERS_INSTANCES - 1);
	leave(&p, 1);
	said(&p, "come:mail0 come:mail15 box_leave:mail15 ");
	leave(&p, 0);
	said(&p, "box_leave:mail0 ");
	fini(&p);
}

static void
an_answer_goes_to_who_asked(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	join(&p, ROLE_MAIL, 0);
	join(&p, ROLE_MAIL, 1);
	open_box(&p, 1);
	said(&p, "come:mail0 come:mail1 box_open:mail1 ");
	assert_true(answer(&p));
	said(&p, "answered:box1 ");
	assert_int_equal(p.asker.instance, 1);
	fini(&p);
}

/* The next life has numbers of its own: an answer to the last one must not become one of them. */
static void
what_an_earlier_life_asked_is_answered_to_nobody(void **state)
{
	struct asker first;
	struct place p;

	(void)state;
	init(&p);
	join(&p, ROLE_MAIL, 0);
	open_box(&p, 0);
	said(&p, "come:mail0 box_open:mail0 ");
	first = p.asker;
	chan_close(p.far[0]);
	p.far[0] = NULL;
	said(&p, "answered:box0 gone:mail0 ");
	assert_false(answer(&p));
	join(&p, ROLE_MAIL, 0);
	open_box(&p, 1);
	said(&p, "come:mail0 box_open:mail0 ");
	assert_int_equal(first.seq, p.asker.seq);
	assert_false(peers_answer(p.box, first,
	                          talk_box_open_answer_out(&(struct talk_box_open_answer){0}), -1));
	said(&p, "");
	assert_true(answer(&p));
	said(&p, "answered:box1 ");
	fini(&p);
}

static void
a_newer_channel_takes_the_place(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	join(&p, ROLE_MAIL, 3);
	said(&p, "come:mail3 ");
	join(&p, ROLE_MAIL, 3);
	said(&p, "gone:mail3 come:mail3 lost:box0 ");
	leave(&p, 1);
	said(&p, "box_leave:mail3 ");
	fini(&p);
}

static void
a_word_for_all_of_a_role(void **state)
{
	const struct talk_directory_image image = {.version = 7};
	struct place p;
	int fd[2];

	(void)state;
	init(&p);
	join(&p, ROLE_SMTP, 0);
	join(&p, ROLE_MAIL, 0);
	join(&p, ROLE_SMTP, 9);
	assert_true(is_ok(loop_pair(p.loop, LOOP_STREAM, fd)));
	peers_say_all(p.box, ROLE_SMTP, talk_directory_image_out(&image), fd[0]);
	loop_close_fd(p.loop, fd[0]);
	loop_close_fd(p.loop, fd[1]);
	sim_run(p.loop, 1000);
	assert_non_null(strstr(p.log, "heard:box0 ")); /* in an order of the weather's */
	assert_non_null(strstr(p.log, "heard:box2 "));
	assert_null(strstr(p.log, "heard:box1 "));
	fini(&p);
}

static void
who_breaks_the_table_is_cut(void **state)
{
	int fd[2];
	struct place p;

	(void)state;
	init(&p);
	assert_true(is_ok(loop_pair(p.loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(p.box, ROLE_MAIL, 0, fd[0])));
	assert_true(is_ok(loop_msg_send(p.loop, fd[1], BYTES("garbage"), -1)));
	said(&p, "come:mail0 gone:mail0 ");
	loop_close_fd(p.loop, fd[1]);
	fini(&p);
}

/* ---- the end ---- */

static void
who_hangs_up_is_heard_by_nobody(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	join(&p, ROLE_MAIL, 0);
	open_box(&p, 0);
	said(&p, "come:mail0 box_open:mail0 ");
	peers_hang_up(p.box); /* no gone: he knows */
	assert_null(peers_chan(p.box, ROLE_MAIL, 0));
	assert_false(answer(&p));
	said(&p, "answered:box0 lost:box0 ");
	fini(&p);
}

struct last {
	struct peers *peers;
	struct chan_ask ask;
	bool found;
};

static void
at_the_end(void *owner, struct err e, struct chan_word *w)
{
	struct last *l = owner;

	(void)w;
	assert_int_equal(e.code, ERR_GONE);
	l->found = peers_chan(l->peers, ROLE_BOX, 0) != NULL;
	l->ask.chan = NULL;
}

static void
quiet_word(void *owner, const struct peer *peer, struct chan_word *w)
{
	(void)owner;
	(void)peer;
	(void)w;
}

static void
who_is_told_at_the_end_finds_no_peer(void **state)
{
	static const struct peers_handlers quiet = {quiet_word, NULL, NULL};
	const struct talk_box_open ask = {.mailbox = BYTES("INBOX")};
	struct last l = {.found = true};
	struct loop *loop;
	int fd[2];

	(void)state;
	assert_true(is_ok(loop_sim_open(&loop, 1)));
	assert_true(is_ok(peers_open(&l.peers, loop, ROLE_MAIL, &quiet, NULL)));
	assert_true(is_ok(loop_pair(loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(peers_add(l.peers, ROLE_BOX, 0, fd[0])));
	assert_true(is_ok(chan_ask(peers_chan(l.peers, ROLE_BOX, 0), &l.ask,
	                           talk_box_open_out(&ask), -1, 60000, at_the_end, &l)));
	peers_close(l.peers);
	assert_false(l.found);
	peers_close(NULL);
	loop_close_fd(loop, fd[1]);
	assert_int_equal(sim_open_fds(loop), 0);
	loop_close(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_come_with_who_said_them),
	    cmocka_unit_test(an_answer_goes_to_who_asked),
	    cmocka_unit_test(what_an_earlier_life_asked_is_answered_to_nobody),
	    cmocka_unit_test(a_newer_channel_takes_the_place),
	    cmocka_unit_test(a_word_for_all_of_a_role),
	    cmocka_unit_test(who_breaks_the_table_is_cut),
	    cmocka_unit_test(who_hangs_up_is_heard_by_nobody),
	    cmocka_unit_test(who_is_told_at_the_end_finds_no_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

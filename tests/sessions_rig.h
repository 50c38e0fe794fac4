/*
 * sessions_rig.h - a box in virtual time with three fronts, and the words that they ask.
 */
#ifndef TESTS_SESSIONS_RIG_H
#define TESTS_SESSIONS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/random.h"
#include "box/box.h"
#include "net/loop_sim.h"
#include "talk/rows.h"

#include <stdlib.h>

enum { FRONTS = 3 };

struct front {
	struct place *place;
	struct chan *chan;
	size_t hints;
	struct talk_box_changed hint;
};

struct place {
	struct loop *loop;
	struct random *random;
	struct store *store;
	struct peers *peers;
	struct box *box;
	struct chan *auth;
	struct front fronts[FRONTS]; /* mail 0, mail 1, smtp */
	struct chan_ask ask;
	size_t answered;
	uint8_t room[65536];
	struct bytes answer; /* the fields of the last one */
};

static inline void
quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	(void)record;
}

static inline void
heard(void *owner, const struct peer *p, struct chan_word *w)
{
	box_word(((struct place *)owner)->box, p, w);
}

static inline void
lost(void *owner, const struct peer *p, struct err why)
{
	(void)why;
	box_peer_gone(((struct place *)owner)->box, p);
}

static inline void
gave_up(void *owner, struct err e)
{
	(void)owner;
	fail_msg("%s", e.why);
}

static inline void
hinted(void *owner, struct chan *c, struct chan_word *w)
{
	struct front *f = owner;

	(void)c;
	if (w->word != WORD_BOX_CHANGED)
		return;
	f->hints++;
	assert_true(talk_box_changed_get(&w->body, &f->hint));
}

static inline void
far_gone(void *owner, struct chan *c, struct err why)
{
	(void)owner;
	(void)c;
	(void)why;
}

static const struct peers_handlers handlers = {heard, NULL, lost};
static const struct chan_handlers far = {hinted, far_gone};

static inline struct chan *
join(struct place *p, enum role role, uint8_t instance, void *owner)
{
	struct chan *c;
	int fd[2];

	assert_true(is_ok(loop_pair(p->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(chan_open(&c, p->loop, fd[1], role, ROLE_BOX, &far, owner)));
	assert_true(is_ok(peers_add(p->peers, role, instance, fd[0])));
	return c;
}

static inline struct place *
init(void)
{
	struct store_conf conf = {.engine = STORE_MEMORY};
	struct place *p = calloc(1, sizeof(*p));
	struct box_env env = {.failed = gave_up, .owner = p, .areas = -1};

	assert_non_null(p);
	log_to(quiet, NULL);
	conf.random = env.random = p->random = random_seeded(1);
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(store_open(&p->store, &conf)));
	assert_true(is_ok(peers_open(&p->peers, p->loop, ROLE_BOX, &handlers, p)));
	env.loop = p->loop;
	env.store = p->store;
	env.peers = p->peers;
	assert_true(is_ok(box_open(&p->box, &env)));
	assert_true(is_ok(box_start(p->box)));
	p->auth = join(p, ROLE_AUTH, 0, &p->fronts[0]);
	for (uint8_t i = 0; i < FRONTS; i++)
		p->fronts[i] = (struct front){
		    .place = p,
		    .chan = join(p, i < 2 ? ROLE_MAIL : ROLE_SMTP, i & 1, &p->fronts[i])};
	return p;
}

static inline void
fini(struct place *p)
{
	peers_hang_up(p->peers);
	store_close(p->store);
	box_close(p->box);
	peers_close(p->peers);
	chan_close(p->auth);
	for (int i = 0; i < FRONTS; i++)
		chan_close(p->fronts[i].chan);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
	random_close(p->random);
	free(p);
	log_to(NULL, NULL);
}

/* ---- asking ---- */

static inline void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct place *p = owner;
	struct bytes b;

	assert_true(is_ok(e));
	b = rd_rest(&w->body);
	if (b.n)
		memcpy(p->room, b.p, b.n);
	p->answer = (struct bytes){p->room, b.n};
	p->answered++;
}

static inline struct rd
ask(struct place *p, struct chan *c, struct talk_out word)
{
	p->answered = 0;
	assert_true(is_ok(chan_ask(c, &p->ask, word, -1, 60000, answered, p)));
	sim_run(p->loop, 100);
	assert_int_equal(p->answered, 1);
	return rd_of(p->answer);
}

static inline struct talk_id
id(uint8_t n)
{
	return (struct talk_id){{n, 7}};
}

static inline void
grant(struct place *p, uint8_t n, uint64_t account, enum role role, uint8_t instance)
{
	const struct talk_box_grant word = {
	    .handle = id(n), .account = account, .role = (uint8_t)role, .instance = instance};
	struct talk_box_grant_answer a;
	struct rd r = ask(p, p->auth, talk_box_grant_out(&word));

	assert_true(talk_box_grant_answer_get(&r, &a) && a.code == 0);
}

static inline struct talk_box_open_answer
open_box(struct place *p, int front, uint8_t handle, bool exclusive, const char *mailbox)
{
	const struct talk_box_open word = {
	    .handle = id(handle), .exclusive = exclusive, .mailbox = bytes_of(mailbox)};
	struct talk_box_open_answer a;
	struct rd r = ask(p, p->fronts[front].chan, talk_box_open_out(&word));

	assert_true(talk_box_open_answer_get(&r, &a));
	return a;
}

static inline struct talk_box_append_answer
append(struct place *p, int front, uint8_t handle, uint8_t n, const char *mailbox)
{
	const struct talk_box_append word = {.handle = id(handle),
	                                     .op = {{n, n, 1}},
	                                     .mailbox = bytes_of(mailbox),
	                                     .received_s = 5,
	                                     .summary = BYTES("s"),
	                                     .body = BYTES("text")};
	struct talk_box_append_answer a;
	struct rd r = ask(p, p->fronts[front].chan, talk_box_append_out(&word));

	assert_true(talk_box_append_answer_get(&r, &a));
	return a;
}

static uint8_t one_range[8] = {0, 0, 0, 1, 0, 0, 0, 9};

/* Every word that a mail front may ask with a handle. */
static inline struct rd
ask_word(struct place *p, int front, int which, struct talk_id h, uint32_t mailbox,
         const char *name)
{
	struct chan *c = p->fronts[front].chan;
	const struct bytes list = {one_range, 8}, n = bytes_of(name);

	switch (which) {
	case 0:
		return ask(p, c,
		           talk_box_open_out(&(struct talk_box_open){.handle = h, .mailbox = n}));
	case 1:
		return ask(p, c,
		           talk_box_rows_out(&(struct talk_box_rows){
			       .handle = h, .mailbox = mailbox, .ranges = list}));
	case 2:
		return ask(p, c,
		           talk_box_read_out(&(struct talk_box_read){
			       .handle = h, .mailbox = mailbox, .uid = 1, .length = 9}));
	case 3:
		return ask(p, c,
		           talk_box_remove_out(&(struct talk_box_remove){
			       .handle = h, .mailbox = mailbox, .ranges = list}));
	case 4:
		return ask(p, c, talk_box_folders_out(&(struct talk_box_folders){.handle = h}));
	case 5:
		return ask(p, c,
		           talk_box_folder_out(&(struct talk_box_folder){
			       .handle = h, .what = FOLDER_DELETE, .name = n}));
	case 6:
		return ask(p, c,
		           talk_box_flags_out(&(struct talk_box_flags){.handle = h,
		                                                       .mailbox = mailbox,
		                                                       .how = FLAGS_ADD,
		                                                       .flags = 1,
		                                                       .ranges = list}));
	case 7:
		return ask(p, c,
		           talk_box_append_out(&(struct talk_box_append){
			       .handle = h, .op = {{1}}, .mailbox = n, .body = BYTES("x")}));
	case 8:
		return ask(
		    p, c,
		    talk_box_copy_out(&(struct talk_box_copy){
			.handle = h, .op = {{2}}, .mailbox = mailbox, .to = n, .ranges = list}));
	case 9:
		return ask(p, c,
		           talk_box_changes_out(
			       &(struct talk_box_changes){.handle = h, .mailbox = mailbox}));
	default:
		return ask(
		    p, c,
		    talk_box_uids_out(&(struct talk_box_uids){.handle = h, .mailbox = mailbox}));
	}
}
enum { WORDS = 11 };

#endif

/* box.c - accounts that leave, handles that nobody uses: what box does by itself between words. */
#include "box/box.h"

#include "base/log.h"
#include "base/random.h"
#include "box/handles.h"
#include "box/mailbox.h"
#include "net/loop_sim.h"
#include "talk/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ASKS = 4 };

struct place {
	struct loop *loop;
	struct random *random;
	struct store *store;
	struct peers *peers;
	struct box *box;
	struct chan *ctl, *auth, *smtp;
	struct chan_ask ask[ASKS];
	struct {
		int calls;
		uint8_t code;
		uint64_t account;
	} said[ASKS];
	size_t asked, hints;
};

static void
quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	(void)record;
}

static void
heard(void *owner, const struct peer *p, struct chan_word *w)
{
	box_word(((struct place *)owner)->box, p, w);
}

static void
came(void *owner, const struct peer *p)
{
	box_peer_came(((struct place *)owner)->box, p);
}

static void
lost(void *owner, const struct peer *p, struct err why)
{
	(void)why;
	box_peer_gone(((struct place *)owner)->box, p);
}

static void
gave_up(void *owner, struct err e)
{
	(void)owner;
	fail_msg("%s", e.why);
}

static void
far_word(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner;
	(void)c;
	(void)w;
}

static void
far_gone(void *owner, struct chan *c, struct err why)
{
	(void)owner;
	(void)c;
	(void)why;
}

static const struct peers_handlers handlers = {heard, came, lost};
static const struct chan_handlers far = {far_word, far_gone};

static struct chan *
join(struct place *p, enum role role)
{
	struct chan *c;
	int fd[2];

	assert_true(is_ok(loop_pair(p->loop, LOOP_MESSAGES, fd)));
	assert_true(is_ok(chan_open(&c, p->loop, fd[1], role, ROLE_BOX, &far, p)));
	assert_true(is_ok(peers_add(p->peers, role, 0, fd[0])));
	return c;
}

static void
open_box(struct place *p)
{
	struct box_env env = {.loop = p->loop,
	                      .random = p->random,
	                      .store = p->store,
	                      .failed = gave_up,
	                      .owner = p,
	                      .areas = -1};

	assert_true(is_ok(peers_open(&p->peers, p->loop, ROLE_BOX, &handlers, p)));
	env.peers = p->peers;
	assert_true(is_ok(box_open(&p->box, &env)));
	assert_true(is_ok(box_start(p->box)));
	p->ctl = join(p, ROLE_CTL);
	p->auth = join(p, ROLE_AUTH);
	p->smtp = join(p, ROLE_SMTP);
}

static void
init(struct place *p)
{
	struct store_conf conf = {.engine = STORE_MEMORY};

	*p = (struct place){.asked = 0};
	log_to(quiet, NULL);
	conf.random = p->random = random_seeded(1);
	assert_true(is_ok(loop_sim_open(&p->loop, 1)));
	assert_true(is_ok(store_open(&p->store, &conf)));
	open_box(p);
}

static void
fini(struct place *p)
{
	peers_hang_up(p->peers);
	store_close(p->store);
	box_close(p->box);
	peers_close(p->peers);
	chan_close(p->ctl);
	chan_close(p->auth);
	chan_close(p->smtp);
	assert_int_equal(sim_open_fds(p->loop), 0);
	loop_close(p->loop);
	random_close(p->random);
	log_to(NULL, NULL);
}

/* ---- asking ---- */

static void
changed(void *owner, struct err e, struct chan_word *w)
{
	struct talk_people_change_answer a;
	struct place *p = owner;
	size_t i = p->asked++;

	if (e.code == ERR_GONE) /* box has died */
		return;
	assert_true(is_ok(e));
	assert_true(talk_people_change_answer_get(&w->body, &a));
	p->said[i].calls++;
	p->said[i].code = a.code;
	p->said[i].account = a.account;
}

static void
ask_change(struct place *p, struct chan_ask *ask, enum people_change what, const char *name)
{
	const struct talk_people_change word = {.what = (uint8_t)what, .name = bytes_of(name)};

	assert_true(
	    is_ok(chan_ask(p->ctl, ask, talk_people_change_out(&word), -1, 60000, changed, p)));
}

static uint64_t
add(struct place *p, enum people_change what, const char *name)
{
	p->asked = 0;
	ask_change(p, &p->ask[0], what, name);
	sim_run(p->loop, 1000);
	assert_int_equal(p->asked, 1);
	assert_int_equal(p->said[0].code, 0);
	return p->said[0].account;
}

static void
delivered(void *owner, struct err e)
{
	assert_true(is_ok(e));
	++*(size_t *)owner;
}

static void
put(void *owner, struct err e, uint64_t version)
{
	(void)owner;
	(void)version;
	assert_true(is_ok(e));
}

static void
fill(struct place *p, uint64_t account, size_t n)
{
	const struct store_body body = {.bytes = BYTES("text"), .fd = -1};
	struct mailboxes *m;
	size_t done = 0;

	assert_true(is_ok(mailboxes_open(&m, p->store)));
	for (size_t i = 0; i < n; i++) {
		const struct delivery d = {.accounts = &account,
		                           .n = 1,
		                           .blob = store_blob_new(p->store),
		                           .size = 4,
		                           .now_s = 1};

		store_blob_put(p->store, d.blob, &body, put, NULL);
		mailbox_deliver(m, &d, delivered, &done);
		assert_true(is_ok(store_turn(p->store)));
	}
	assert_int_equal(done, n);
	mailboxes_close(m);
}

static size_t
keys_of(struct place *p, struct shard_id shard, const char *from, const char *to)
{
	struct arena a = arena_init(0);
	struct store_page page;
	size_t n;

	assert_true(is_ok(store_range(p->store, shard, STORE_ANY, bytes_of(from), bytes_of(to),
	                              STORE_RANGE_MAX, &page, &a)));
	n = page.n;
	arena_free(&a);
	return n;
}

static size_t
mail_of(struct place *p, uint64_t account)
{
	return keys_of(p, shard_number(SHARD_ACCOUNT, account), "", "");
}

static const struct shard_id directory = {SHARD_DIRECTORY, {0}};

/* Is an address of this account still there? */
static bool
has(struct place *p, char kind, uint64_t account)
{
	const uint8_t from = (uint8_t)kind, to = (uint8_t)(kind + 1);
	struct arena a = arena_init(0);
	struct store_page page;
	bool found = false;

	assert_true(is_ok(store_range(p->store, directory, STORE_ANY, (struct bytes){&from, 1},
	                              (struct bytes){&to, 1}, STORE_RANGE_MAX, &page, &a)));
	for (size_t i = 0; i < page.n; i++) {
		struct rd r = rd_of(page.entries[i].value);

		found |= rd_u64(&r) == account;
	}
	arena_free(&a);
	return found;
}

static bool
is_leaving(struct place *p, uint64_t account)
{
	struct arena a = arena_init(0);
	struct store_entry entry;
	uint8_t key[9];
	struct wr w = wr_of(key, sizeof(key));
	struct err e;

	wr_u8(&w, 'x');
	wr_u64(&w, account);
	e = store_get(p->store, directory, wr_since(&w, key), &entry, &a);
	arena_free(&a);
	return is_ok(e);
}

/* ---- who leaves ---- */

/* Whoever dies in the midst finds a mark for all mail that is left. */
static void
directory_changed(void *owner, struct shard_id shard, uint64_t version)
{
	struct place *p = owner;

	(void)shard;
	(void)version;
	p->hints++;
	for (uint64_t account = 1; account <= 3; account++)
		assert_true(has(p, 'a', account) || is_leaving(p, account) || !mail_of(p, account));
}

static void
an_account_is_forgotten_behind_its_mail(void **state)
{
	uint64_t account[3];
	struct place p;

	(void)state;
	init(&p);
	assert_true(is_ok(store_watch(p.store, directory, directory_changed, &p)));
	add(&p, PEOPLE_ADD_DOMAIN, "a.org");
	account[0] = add(&p, PEOPLE_ADD_ACCOUNT, "a@a.org");
	account[1] = add(&p, PEOPLE_ADD_ACCOUNT, "b@a.org");
	account[2] = add(&p, PEOPLE_ADD_ACCOUNT, "c@a.org");
	fill(&p, account[0], 2500);
	fill(&p, account[1], 3500);
	fill(&p, account[2], 1);
	p.asked = 0;
	ask_change(&p, &p.ask[0], PEOPLE_REMOVE_ACCOUNT, "a@a.org");
	ask_change(&p, &p.ask[1], PEOPLE_REMOVE_ACCOUNT, "b@a.org");
	ask_change(&p, &p.ask[2], PEOPLE_REMOVE_ACCOUNT, "c@a.org");
	sim_run(p.loop, 2000);
	assert_int_equal(p.asked, 3);
	assert_true(p.hints > 3);
	store_unwatch(p.store, directory, directory_changed, &p);
	for (size_t i = 0; i < COUNT(account); i++) {
		assert_false(is_leaving(&p, account[i]));
		assert_int_equal(mail_of(&p, account[i]), 0);
	}
	fini(&p);
}

static void
stop_there(void *owner, struct shard_id shard, uint64_t version)
{
	(void)shard;
	(void)version;
	loop_stop(((struct place *)owner)->loop);
}

static void
a_new_life_goes_on_with_it(void **state)
{
	uint64_t account;
	struct place p;

	(void)state;
	init(&p);
	add(&p, PEOPLE_ADD_DOMAIN, "a.org");
	account = add(&p, PEOPLE_ADD_ACCOUNT, "a@a.org");
	fill(&p, account, 2500);
	p.asked = 0;
	ask_change(&p, &p.ask[0], PEOPLE_REMOVE_ACCOUNT, "a@a.org");
	assert_true(is_ok(store_watch(p.store, directory, stop_there, &p)));
	sim_run(p.loop, 2000);
	assert_true(is_leaving(&p, account));
	assert_true(mail_of(&p, account) > 0);
	store_unwatch(p.store, directory, stop_there, &p);
	peers_hang_up(p.peers); /* it dies before the mail is gone */
	while (store_pending(p.store))
		assert_true(is_ok(store_turn(p.store)));
	box_close(p.box);
	peers_close(p.peers);
	chan_close(p.ctl);
	chan_close(p.auth);
	chan_close(p.smtp);
	open_box(&p);
	sim_run(p.loop, 1000);
	assert_false(is_leaving(&p, account));
	assert_int_equal(mail_of(&p, account), 0);
	fini(&p);
}

static uint8_t delivery_code;

static void
delivery_answered(void *owner, struct err e, struct chan_word *w)
{
	struct talk_box_deliver_answer a;

	(void)owner;
	assert_true(is_ok(e));
	assert_true(talk_box_deliver_answer_get(&w->body, &a));
	delivery_code = a.code;
}

/* The directory has changed, and its new image is not made yet. */
static void
deliver_now(void *owner, struct shard_id shard, uint64_t version)
{
	struct place *p = owner;
	uint8_t room[16];
	struct wr w = wr_of(room, sizeof(room));
	struct talk_box_deliver word = {.op = {{(uint8_t)++p->hints}}, .body = BYTES("text")};

	(void)shard;
	(void)version;
	if (p->ask[1].chan) /* one is enough */
		return;
	wr_bytes16(&w, BYTES("a@a.org"));
	word.recipients = wr_since(&w, room);
	assert_true(is_ok(chan_ask(p->smtp, &p->ask[1], talk_box_deliver_out(&word), -1, 60000,
	                           delivery_answered, NULL)));
}

/* A front that has not seen the new image yet goes on delivering. */
static void
mail_that_meets_a_removal_leaves_nothing(void **state)
{
	struct place p;
	uint64_t account;

	(void)state;
	init(&p);
	add(&p, PEOPLE_ADD_DOMAIN, "a.org");
	for (int i = 0; i < 30; i++) {
		account = add(&p, PEOPLE_ADD_ACCOUNT, "a@a.org");
		p.asked = 0;
		delivery_code = 255;
		assert_true(is_ok(store_watch(p.store, directory, deliver_now, &p)));
		ask_change(&p, &p.ask[0], PEOPLE_REMOVE_ACCOUNT, "a@a.org");
		sim_run(p.loop, 1000);
		store_unwatch(p.store, directory, deliver_now, &p);
		assert_true(delivery_code == 0 || delivery_code == ERR_NOTFOUND);
		assert_false(is_leaving(&p, account));
		assert_int_equal(mail_of(&p, account), 0);
	}
	fini(&p);
}

/* ---- handles ---- */

static size_t
sessions(struct place *p)
{
	uint8_t room[1024];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes name;
	uint64_t value = 99;
	struct rd r;

	box_status(p->box, &w);
	r = rd_of(wr_since(&w, room));
	while (report_counter(&r, &name, &value) && !bytes_eq(name, BYTES("sessions")))
		;
	return (size_t)value;
}

static void
grant_answered(void *owner, struct err e, struct chan_word *w)
{
	(void)owner;
	(void)w;
	assert_true(is_ok(e));
}

static void
a_handle_that_nobody_used_goes(void **state)
{
	struct chan_ask ask[2] = {{.chan = NULL}, {.chan = NULL}};
	struct place p;

	(void)state;
	init(&p);
	for (uint8_t i = 0; i < 2; i++) {
		const struct talk_box_grant word = {
		    .handle = {{(uint8_t)(i + 1)}}, .account = 1, .role = ROLE_MAIL};

		assert_true(is_ok(chan_ask(p.auth, &ask[i], talk_box_grant_out(&word), -1, 5000,
		                           grant_answered, NULL)));
		sim_run(p.loop, HANDLES_UNUSED_MS / 3);
		assert_int_equal(sessions(&p), i + 1);
	}
	sim_run(p.loop, HANDLES_UNUSED_MS * 2);
	assert_int_equal(sessions(&p), 0);
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_account_is_forgotten_behind_its_mail),
	    cmocka_unit_test(a_new_life_goes_on_with_it),
	    cmocka_unit_test(mail_that_meets_a_removal_leaves_nothing),
	    cmocka_unit_test(a_handle_that_nobody_used_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

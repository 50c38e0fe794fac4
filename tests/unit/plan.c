/* plan.c - the queue's schedule in virtual time. */
#include "../plan_rig.h"

enum { DAY_S = 24 * 3600 };

static void
recipients_of_a_domain_go_together(void **state)
{
	struct plan_try a, b, none;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org b@Y.org c@X.org");
	assert_true(plan_rig_next(&r, &a));
	assert_true(plan_rig_next(&r, &b));
	assert_false(plan_rig_next(&r, &none));
	assert_int_equal(plan_rig_rcpts(&a) + plan_rig_rcpts(&b), 3);
	assert_true(bytes_eq(a.domain, BYTES("x.org")) || bytes_eq(b.domain, BYTES("x.org")));
	assert_true(bytes_eq(a.domain, BYTES("y.org")) || bytes_eq(b.domain, BYTES("y.org")));
	plan_rig_tried(&r, &a, rig_ok);
	plan_rig_tried(&r, &b, rig_ok);
	assert_int_equal(plan_counts(r.plan).messages, 1);
	assert_int_equal(plan_rig_settle(&r), 1);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	assert_int_equal(plan_counts(r.plan).octets, 0);
	plan_rig_fini(&r);
}

/* 5 minutes, then 1.5 to 2 times as long, up to 4 hours; one warning, one report behind 5 days. */
static void
what_is_deferred_comes_back_later_and_later(void **state)
{
	uint64_t start, before = 0;
	struct plan_try try;
	struct plan_rig r;
	size_t tries = 0, warned = 0, told = 0;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org");
	start = r.t.now_ms;
	while (plan_counts(r.plan).messages) {
		uint64_t begun = r.t.now_ms, wait;

		while (plan_counts(r.plan).messages && !plan_rig_next(&r, &try)) {
			plan_rig_pass(&r, 10000);
			assert_true(is_ok(plan_look(r.plan, r.t)));
			plan_rig_settle(&r);
			told += plan_rig_report(&r, &warned);
		}
		if (!plan_counts(r.plan).messages)
			break;
		wait = r.t.now_ms - begun;
		if (tries == 1)
			assert_in_range(wait, 270 * 1000, 331 * 1000);
		if (tries > 1 && before < 2 * 3600 * 1000)
			assert_in_range(wait, before * 14 / 10, before * 21 / 10 + 10000);
		assert_true(wait <= (uint64_t)PLAN_RETRY_MAX_S * 1000 * 8 / 7 + 10000);
		before = wait;
		tries++;
		plan_rig_tried(&r, &try, rig_later);
		plan_rig_settle(&r);
		told += plan_rig_report(&r, &warned);
	}
	assert_in_range(r.t.now_ms - start, (uint64_t)PLAN_GIVE_UP_S * 1000,
	                (uint64_t)(PLAN_GIVE_UP_S + PLAN_RETRY_MAX_S) * 1000);
	assert_in_range(tries, 30, 60);
	assert_int_equal(warned, 1);
	assert_int_equal(told, 1);
	plan_rig_fini(&r);
}

static void
recipients_that_fail_together_share_a_report(void **state)
{
	struct spool_result results[3] = {rig_never, rig_ok, rig_never};
	struct plan_report report;
	struct spool_rcpt rcpt;
	struct plan_try try;
	struct plan_rig r;
	size_t at = 0;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org b@x.org c@x.org");
	assert_true(plan_rig_next(&r, &try));
	assert_true(is_ok(plan_tried(r.plan, r.t, &try, results, 3)));
	/* the store knows first, or a crash would make two reports of one */
	assert_false(plan_report(r.plan, r.t, &report));
	plan_rig_settle(&r);
	assert_true(plan_report(r.plan, r.t, &report));
	assert_false(report.delay);
	assert_true(plan_report_rcpt(&report, &at, &rcpt));
	assert_true(bytes_eq(rcpt.address, BYTES("a@x.org")));
	assert_true(bytes_eq(rcpt.reply, BYTES("550 who")));
	assert_true(plan_report_rcpt(&report, &at, &rcpt));
	assert_true(bytes_eq(rcpt.address, BYTES("c@x.org")));
	assert_false(plan_report_rcpt(&report, &at, &rcpt));
	plan_reported(r.plan, &report);
	plan_rig_settle(&r);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

/* What the store had of a life that died between the report and its settling. */
static void
a_new_life_reports_the_same(void **state)
{
	const struct spool_head head = {
	    .id = 32, .created_s = RIG_WALL_S, .size = 9, .header = 9, .sender = BYTES("s@h.org")};
	const struct spool_rcpt rows[] = {
	    {.number = 4,
	     .state = SPOOL_GIVEN_UP,
	     .tries = 1,
	     .report = 4,
	     .address = BYTES("a@x.org")},
	    {.number = 6,
	     .state = SPOOL_GIVEN_UP,
	     .tries = 1,
	     .report = 6,
	     .address = BYTES("b@x.org")},
	    {.number = 7,
	     .state = SPOOL_GIVEN_UP,
	     .tries = 1,
	     .report = 4,
	     .address = BYTES("c@y.org")},
	    {.number = 9,
	     .state = SPOOL_WAITING,
	     .tries = 1,
	     .next_s = RIG_WALL_S,
	     .address = BYTES("d@y.org")},
	};
	size_t n[10] = {0}, at;
	struct plan_report report;
	struct spool_rcpt rcpt;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	assert_true(is_ok(plan_add(r.plan, r.t, false, &head, rows, COUNT(rows))));
	assert_int_equal(plan_add(r.plan, r.t, false, &head, rows, COUNT(rows)).code, ERR_EXISTS);
	for (int i = 0; i < 2; i++) {
		assert_true(plan_report(r.plan, r.t, &report));
		for (at = 0; plan_report_rcpt(&report, &at, &rcpt);)
			n[report.number]++;
		plan_reported(r.plan, &report);
		plan_rig_settle(&r);
	}
	assert_false(plan_report(r.plan, r.t, &report));
	assert_int_equal(n[4], 2);
	assert_int_equal(n[6], 1);
	plan_rig_fini(&r);
}

static void
a_place_gets_more_tries_while_it_works(void **state)
{
	struct plan_try tries[PLAN_TRIES_MAX];
	struct plan_rig r;
	size_t n = 0, most = 0;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t i = 1; i <= 500; i++)
		plan_rig_add(&r, i, "s@h.org", "a@x.org");
	while (plan_counts(r.plan).messages) {
		while (plan_rig_next(&r, &tries[n]))
			n++;
		if (!most)
			assert_int_equal(n, 5);
		most = n > most ? n : most;
		plan_rig_tried(&r, &tries[--n], rig_ok);
		plan_rig_settle(&r);
	}
	assert_int_equal(most, 20);
	plan_rig_fini(&r);
}

static size_t
begin_all(struct plan_rig *r, struct plan_try tries[PLAN_TRIES_MAX + 1])
{
	size_t n = 0;

	while (n <= PLAN_TRIES_MAX && plan_rig_next(r, &tries[n]))
		n++;
	return n;
}

/* Half of them is for places that took a message in this life. */
static void
all_tries_together_have_a_bound(void **state)
{
	struct plan_try tries[PLAN_TRIES_MAX + 1];
	struct plan_rig r;
	char rcpt[32];
	size_t n;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t i = 1; i <= 600; i++) {
		snprintf(rcpt, sizeof(rcpt), "a@x%d.org", (int)i % 300);
		plan_rig_add(&r, i, "s@h.org", rcpt);
	}
	for (int worked = 0; worked < 300; worked += (int)n) {
		n = begin_all(&r, tries);
		assert_in_range(n, PLAN_TRIES_MAX / 2, PLAN_TRIES_MAX);
		for (size_t i = n; i > 0; i--)
			plan_rig_tried(&r, &tries[i - 1], rig_ok);
	}
	for (uint64_t i = 1001; i <= 1600; i++) {
		snprintf(rcpt, sizeof(rcpt), "a@%s%d.org", i % 2 ? "x" : "new", (int)i % 300);
		plan_rig_add(&r, i, "s@h.org", rcpt);
	}
	n = begin_all(&r, tries);
	assert_int_equal(n, PLAN_TRIES_MAX);
	while (n)
		plan_rig_tried(&r, &tries[--n], rig_dead);
	plan_rig_fini(&r);
}

/* With a relay, all go to one place. */
static void
a_relay_is_one_place(void **state)
{
	struct plan_try tries[PLAN_TRIES_MAX];
	struct plan_rig r;
	char rcpt[32];
	size_t n = 0;

	(void)state;
	plan_rig_init(&r);
	plan_relay(r.plan, true);
	for (uint64_t i = 1; i <= 300; i++) {
		snprintf(rcpt, sizeof(rcpt), "a@x%d.org", (int)i);
		plan_rig_add(&r, i, "s@h.org", rcpt);
	}
	while (plan_rig_next(&r, &tries[n]))
		n++;
	assert_int_equal(n, 5);
	while (n)
		plan_rig_tried(&r, &tries[--n], rig_ok);
	plan_rig_fini(&r);
}

static void
a_try_that_was_cut_off_comes_back_soon(void **state)
{
	struct plan_try try;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org");
	assert_true(plan_rig_next(&r, &try));
	assert_true(is_ok(plan_put_off(r.plan, r.t, &try, 4000)));
	assert_false(plan_rig_next(&r, &try));
	assert_int_equal(plan_wakes(r.plan, r.t), 4000);
	plan_rig_pass(&r, 4000);
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_ok);
	plan_rig_settle(&r);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

static void
people_hold_release_retry_and_remove(void **state)
{
	struct plan_try try;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	assert_int_equal(plan_change(r.plan, r.t, 16, QUEUE_HOLD).code, ERR_NOTFOUND);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org");
	assert_true(is_ok(plan_change(r.plan, r.t, 16, QUEUE_HOLD)));
	assert_false(plan_rig_next(&r, &try));
	assert_int_equal(plan_rig_settle(&r), 1); /* the store knows that it is held */
	plan_rig_pass(&r, UINT64_C(6) * DAY_S * 1000);
	assert_true(is_ok(plan_look(r.plan, r.t)));
	assert_int_equal(plan_rig_settle(&r), 0); /* nobody gives it up meanwhile */
	assert_true(is_ok(plan_change(r.plan, r.t, 16, QUEUE_RELEASE)));
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_ok);
	plan_rig_settle(&r);
	plan_rig_add(&r, 17, "s@h.org", "a@x.org");
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_dead);
	plan_rig_settle(&r);
	assert_false(plan_rig_next(&r, &try));
	assert_true(is_ok(plan_change(r.plan, r.t, 17, QUEUE_RETRY)));
	assert_true(plan_rig_next(&r, &try)); /* also where the place rests */
	assert_true(is_ok(plan_change(r.plan, r.t, 17, QUEUE_REMOVE)));
	assert_int_equal(plan_change(r.plan, r.t, 17, QUEUE_REMOVE).code, ERR_NOTFOUND);
	plan_rig_tried(&r, &try, rig_later);
	assert_int_equal(plan_rig_settle(&r), 1);
	assert_int_equal(plan_rig_report(&r, NULL), 0); /* who removes it tells nobody */
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

/* It is tried for some hours behind its release, not given up at once. */
static void
what_was_held_is_not_too_old(void **state)
{
	struct plan_try try;
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org");
	assert_true(is_ok(plan_change(r.plan, r.t, 16, QUEUE_HOLD)));
	plan_rig_pass(&r, UINT64_C(6) * DAY_S * 1000);
	assert_true(is_ok(plan_change(r.plan, r.t, 16, QUEUE_RELEASE)));
	assert_true(is_ok(plan_look(r.plan, r.t)));
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_later);
	plan_rig_settle(&r);
	assert_int_equal(plan_rig_report(&r, NULL), 0);
	plan_rig_pass(&r, 3600 * 1000);
	assert_true(is_ok(plan_look(r.plan, r.t)));
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_ok);
	plan_rig_settle(&r);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

/* box knows nothing of it any more, whatever goes on with it here. */
static void
a_message_that_box_lost_goes(void **state)
{
	struct plan_report report;
	struct plan_try try;
	struct plan_rig r;
	uint8_t room[SPOOL_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	uint32_t flags;
	uint64_t id;

	(void)state;
	plan_rig_init(&r);
	plan_rig_add(&r, 16, "s@h.org", "a@x.org b@y.org");
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_never);
	plan_rig_settle(&r);
	assert_true(plan_report(r.plan, r.t, &report));
	assert_true(plan_rig_next(&r, &try));
	plan_rig_tried(&r, &try, rig_later);
	assert_true(plan_settle(r.plan, r.t, &id, &flags, &w));
	plan_settled(r.plan, id, true);
	plan_reported(r.plan, &report);
	w = wr_of(room, sizeof(room));
	if (plan_settle(r.plan, r.t, &id, &flags, &w))
		plan_settled(r.plan, id, true);
	assert_int_equal(plan_counts(r.plan).messages, 0);
	plan_rig_fini(&r);
}

/* All that is overdue does not begin at once. */
static void
a_restart_makes_no_herd(void **state)
{
	struct plan_rig r;
	uint64_t wakes[3];
	struct plan_try try;
	char rcpt[32];
	size_t now = 0;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t i = 1; i <= 2000; i++) {
		snprintf(rcpt, sizeof(rcpt), "a@x%d.org", (int)i);
		assert_true(
		    is_ok(plan_rig_give(&r, i, "s@h.org", rcpt, 2, RIG_WALL_S - DAY_S / 2)));
	}
	while (plan_rig_next(&r, &try)) {
		now++;
		plan_rig_tried(&r, &try, rig_ok);
	}
	assert_true(now < 50);
	wakes[0] = plan_wakes(r.plan, r.t);
	assert_true(wakes[0] < 5000);
	plan_rig_fini(&r);
}

static void
what_is_listed(void **state)
{
	uint8_t room[SPOOL_PACKED_MAX];
	struct wr w = wr_of(room, 400);
	struct spool_rcpt rcpt;
	struct spool_head head;
	struct plan_rig r;
	uint64_t seen = 0;
	uint16_t n;
	bool more = true;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t i = 20; i; i--) /* in any order */
		plan_rig_add(&r, i, "s@h.org", "a@x.org b@y.org");
	while (more) {
		struct rd rows;

		w = wr_of(room, 400);
		plan_list(r.plan, r.t, seen, 0, &w, &more);
		rows = rd_of(wr_since(&w, room));
		while (spool_head_get(&rows, &head, &n)) {
			assert_int_equal(head.id, seen + 1);
			seen = head.id;
			assert_int_equal(n, 2);
			while (n--)
				assert_true(spool_rcpt_get(&rows, &rcpt));
		}
	}
	assert_int_equal(seen, 20);
	w = wr_of(room, sizeof(room));
	plan_list(r.plan, r.t, 0, 7, &w, &more);
	assert_false(more);
	assert_int_equal(rd_u64(&(struct rd){room, room + 8, false}), 7);
	assert_int_equal(plan_after(r.plan, 7), 8);
	assert_int_equal(plan_after(r.plan, 20), 0);
	plan_rig_fini(&r);
}

static void
a_row_that_is_none_is_refused(void **state)
{
	struct spool_head head = {.id = 1, .size = 10, .header = 11};
	struct spool_rcpt row = {.state = SPOOL_WAITING, .address = BYTES("a@x.org")};
	struct plan_rig r;

	(void)state;
	plan_rig_init(&r);
	assert_int_equal(plan_add(r.plan, r.t, true, &head, &row, 1).code, ERR_SYNTAX);
	head.header = 10;
	assert_int_equal(plan_add(r.plan, r.t, true, &head, &row, 0).code, ERR_SYNTAX);
	row.address = BYTES("a@");
	assert_int_equal(plan_add(r.plan, r.t, true, &head, &row, 1).code, ERR_SYNTAX);
	row.address = BYTES("a@x.org");
	row.state = SPOOL_DONE;
	assert_int_equal(plan_add(r.plan, r.t, true, &head, &row, 1).code, ERR_SYNTAX);
	assert_int_equal(plan_counts(r.plan).octets, 0);
	plan_rig_fini(&r);
}

struct chaos {
	struct plan_rig r;
	struct random *dice;
	struct plan_try tries[PLAN_TRIES_MAX];
	struct plan_report reports[8];
	size_t n, n_reports;
	uint64_t id;
};

/* Something happens; new messages and people's whims only in the first half. */
static void
one_thing(struct chaos *c, bool first_half)
{
	const struct spool_result results[] = {rig_ok, rig_later, rig_never, rig_dead};
	uint64_t what = random_below(c->dice, 12);
	enum queue_change change = QUEUE_RELEASE;
	struct plan_rig *r = &c->r;
	struct err e = OK;

	if (what == 0 && first_half && ++c->id)
		plan_rig_add(r, c->id, c->id % 5 ? "s@h.org" : "",
		             "a@x.org b@y.org c@x.org d@z.org");
	if (what < 4 && c->n < COUNT(c->tries) && plan_rig_next(r, &c->tries[c->n]))
		c->n++;
	if (what >= 4 && what < 7 && c->n)
		plan_rig_tried(r, &c->tries[--c->n],
		               results[random_below(c->dice, COUNT(results))]);
	if (what == 7 && c->n)
		e = plan_put_off(r->plan, r->t, &c->tries[--c->n], 3000);
	if (what == 8)
		plan_rig_settle(r);
	if (what == 9 && c->n_reports < COUNT(c->reports) &&
	    plan_report(r->plan, r->t, &c->reports[c->n_reports]))
		c->n_reports++;
	if (what == 10 && c->n_reports)
		plan_reported(r->plan, &c->reports[--c->n_reports]);
	if (first_half)
		change = (enum queue_change)(1 + random_below(c->dice, 4));
	if (what == 11 && c->id)
		e = plan_change(r->plan, r->t, 1 + random_below(c->dice, c->id), change);
	assert_false(is_fault(e));
	plan_rig_pass(r, random_below(c->dice, first_half ? 60000 : 3600000));
	assert_true(is_ok(plan_look(r->plan, r->t)));
}

/* Whatever happens in whatever order: nothing is left, nothing is counted wrong. */
static void
any_order_of_things_comes_to_an_end(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct chaos c = {.dice = random_seeded(seed)};
		struct plan_rig *r = &c.r;

		plan_rig_init(r);
		for (int i = 0; i < 6000; i++)
			one_thing(&c, i < 3000);
		while (c.n)
			plan_rig_tried(r, &c.tries[--c.n], rig_ok);
		while (c.n_reports)
			plan_reported(r->plan, &c.reports[--c.n_reports]);
		for (uint64_t i = plan_after(r->plan, 0); i; i = plan_after(r->plan, i)) {
			struct err e = plan_change(r->plan, r->t, i, QUEUE_REMOVE);

			(void)e; /* removed already */
		}
		plan_rig_settle(r);
		assert_int_equal(plan_counts(r->plan).messages, 0);
		assert_int_equal(plan_counts(r->plan).octets, 0);
		assert_int_equal(plan_counts(r->plan).running, 0);
		assert_int_equal(plan_counts(r->plan).ready, 0);
		plan_rig_fini(r);
		random_close(c.dice);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recipients_of_a_domain_go_together),
	    cmocka_unit_test(what_is_deferred_comes_back_later_and_later),
	    cmocka_unit_test(recipients_that_fail_together_share_a_report),
	    cmocka_unit_test(a_new_life_reports_the_same),
	    cmocka_unit_test(a_place_gets_more_tries_while_it_works),
	    cmocka_unit_test(all_tries_together_have_a_bound),
	    cmocka_unit_test(a_relay_is_one_place),
	    cmocka_unit_test(a_try_that_was_cut_off_comes_back_soon),
	    cmocka_unit_test(people_hold_release_retry_and_remove),
	    cmocka_unit_test(what_was_held_is_not_too_old),
	    cmocka_unit_test(a_message_that_box_lost_goes),
	    cmocka_unit_test(a_restart_makes_no_herd),
	    cmocka_unit_test(what_is_listed),
	    cmocka_unit_test(a_row_that_is_none_is_refused),
	    cmocka_unit_test(any_order_of_things_comes_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 175: a hundred places whose servers never greet, or greet octet by octet, so that all the
 * tries that there may be at once wait for them.  Mail to places that work goes on at once, new
 * places have their first try soon, and a server has a bounded time to begin, whatever it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first, and what they include */
#include "../out_rig.h"
#include "../plan_rig.h"
#include "queue/plan_parts.h"

#include <cmocka.h>

/* ---- the plan, in virtual time ---- */

enum {
	TARPITS = 100,
	HELD_S = OUT_OPENS_MANY_MS / 1000, /* so long each holds a try */
	NEW_S = 2 * HELD_S + 1,            /* a hundred tarpits are two times the unproven tries */
};

struct running {
	struct plan_try try;
	uint64_t until_ms;
};

struct tarpits {
	struct plan_rig rig;
	struct running running[PLAN_TRIES_MAX];
	size_t n, held; /* running; of these, by tarpits */
	size_t sent_old, sent_new, later;
	uint64_t id;
};

static bool
begins(const struct plan_try *try, const char *prefix)
{
	size_t n = strlen(prefix);

	return try->domain.n >= n && !memcmp(try->domain.p, prefix, n);
}

static void
add(struct tarpits *t, const char *domain, int number)
{
	char rcpt[40];

	snprintf(rcpt, sizeof(rcpt), "a@%s%d.org", domain, number);
	plan_rig_add(&t->rig, ++t->id, "s@h.org", rcpt);
}

static void
end_try(struct tarpits *t, const struct plan_try *try)
{
	if (begins(try, "tarpit")) {
		t->held--;
		plan_rig_tried(&t->rig, try, rig_dead);
	} else if (begins(try, "grey")) {
		t->later++;
		plan_rig_tried(&t->rig, try, rig_later);
	} else {
		t->sent_old += begins(try, "old");
		t->sent_new += begins(try, "new");
		plan_rig_tried(&t->rig, try, rig_ok);
	}
}

/* Begins all that may begin; then a second passes, and what is over ends: all but tarpits. */
static void
second(struct tarpits *t)
{
	size_t kept = 0;

	for (; t->n < COUNT(t->running) && plan_rig_next(&t->rig, &t->running[t->n].try); t->n++) {
		bool tarpit = begins(&t->running[t->n].try, "tarpit");

		t->held += tarpit;
		t->running[t->n].until_ms = t->rig.t.now_ms + (tarpit ? HELD_S * 1000 : 500);
	}
	/* else its driver would not sleep */
	assert_true(plan_wakes(t->rig.plan, t->rig.t) > 0 || t->n == COUNT(t->running));
	plan_rig_pass(&t->rig, 1000);
	for (size_t i = 0; i < t->n; i++)
		if (t->running[i].until_ms > t->rig.t.now_ms)
			t->running[kept++] = t->running[i];
		else
			end_try(t, &t->running[i].try);
	t->n = kept;
	plan_rig_settle(&t->rig);
}

static void
stop(struct tarpits *t)
{
	while (t->n)
		end_try(t, &t->running[--t->n].try);
	plan_rig_fini(&t->rig);
}

static void
attack_175_places_that_work_go_on(void **state)
{
	struct tarpits t = {0};
	size_t old = 0, new = 0, most = 0;

	(void)state;
	plan_rig_init(&t.rig);
	for (int i = 0; i < 5; i++)
		add(&t, "old", i);
	second(&t);
	old = t.sent_old;
	for (int i = 0; i < TARPITS * 10; i++)
		add(&t, "tarpit", i % TARPITS);
	for (int s = 0; s < 3600; s++) {
		add(&t, "old", s % 5);
		second(&t);
		assert_int_equal(t.sent_old, ++old); /* in the second in which it came */
		most = t.held > most ? t.held : most;
	}
	assert_int_equal(most, SITES_UNPROVEN_MAX);
	for (int s = 0; s < 3600; s++) { /* and new ones, where the tarpits were tried once */
		add(&t, "new", s);
		second(&t);
		assert_int_equal(t.sent_new, ++new);
	}
	stop(&t);
}

static void
attack_175_new_places_have_their_try_soon(void **state)
{
	struct tarpits t = {0};
	int waited = 0;

	(void)state;
	plan_rig_init(&t.rig);
	for (int i = 0; i < TARPITS * 10; i++)
		add(&t, "tarpit", i % TARPITS);
	second(&t);
	for (int i = 0; i < 120; i++) /* a flood of them that are good */
		add(&t, "new", i);
	for (; t.sent_new < 120 && waited < 3600; waited++)
		second(&t);
	assert_in_range(waited, 1, NEW_S + 120 / (SITES_UNPROVEN_MAX - SITES_TRIED_MAX) + 1);
	stop(&t);
}

/* Each took one message, and then became a tarpit: it has proven nothing any more. */
static void
attack_175_proven_tarpits(void **state)
{
	struct tarpits t = {0};

	(void)state;
	plan_rig_init(&t.rig);
	for (int i = 0; i < TARPITS; i++)
		add(&t, "tarpit", i);
	for (struct plan_try try; plan_rig_next(&t.rig, &try);)
		plan_rig_tried(&t.rig, &try, rig_ok);
	for (int i = 0; i < TARPITS * 10; i++)
		add(&t, "tarpit", i % TARPITS);
	for (int s = 0; s <= HELD_S; s++)
		second(&t);
	for (int s = 0; s < 1800; s++) {
		add(&t, "new", s);
		second(&t);
		assert_int_equal(t.sent_new, s + 1);
		assert_true(t.held <= SITES_UNPROVEN_MAX);
	}
	stop(&t);
}

/* New tarpits without end; who defers first tries has his second ones all the same. */
static void
attack_175_greylisting(void **state)
{
	struct tarpits t = {0};

	(void)state;
	plan_rig_init(&t.rig);
	for (int i = 0; i < 10; i++)
		add(&t, "grey", i);
	for (int s = 0; s < 900; s++) {
		for (int i = 0; i < 5; i++)
			add(&t, "tarpit", s * 5 + i);
		second(&t);
	}
	assert_true(t.later >= 2 * 10);
	stop(&t);
}

static void
attack_175_what_is_remembered_has_a_bound(void **state)
{
	struct tarpits t = {0};

	(void)state;
	plan_rig_init(&t.rig);
	for (int i = 0; i < 3 * SITES_KEPT; i++) {
		struct plan_try try;

		add(&t, "x", i);
		assert_true(plan_rig_next(&t.rig, &try));
		plan_rig_tried(&t.rig, &try, i % 2 ? rig_ok : rig_never);
		plan_rig_settle(&t.rig);
	}
	assert_in_range(map_count(&t.rig.plan->sites.map), 1, 2 * SITES_KEPT);
	assert_true(t.rig.plan->sites.idle[SITE_PROVEN].n == SITES_KEPT);
	stop(&t);
}

/* ---- the conversation, over the virtual net ---- */

static const struct play_name dns[] = {
    {"x.test MX", "10 mx1.test"}, {"mx1.test A", "192.0.2.1"}, {NULL, NULL}};
static struct out_rig r;

/* Says it, and then `more` each second until it is over; in how many seconds that was. */
static unsigned
trickle(const struct play_rule *rules, const char *more)
{
	struct rig_send *send;
	struct rig_server *s;
	unsigned seconds = 0;

	rig_open(&r, "", dns);
	s = rig_server(&r, "192.0.2.1", 25, rules);
	s->stays = true;
	send = rig_send(&r, "x.test", 1);
	for (; !send->done && seconds < 7200; seconds++) {
		sim_run(r.loop, 1000);
		if (s->n && s->sessions[0].conn && conn_state(s->sessions[0].conn) == CONN_OPEN &&
		    !send->done)
			assert_true(conn_write(s->sessions[0].conn, bytes_of(more)));
	}
	assert_string_equal(send->results, "T4.4.2@mx1.test");
	rig_close(&r);
	return seconds;
}

static void
attack_175_trickled_replies(void **state)
{
	static const struct play_rule greeting[] = {{"", "220-"}, {NULL, NULL}};
	static const struct play_rule ehlo[] = {{"EHLO", "250-"}, {NULL, NULL}};
	static const struct play_rule mail[] = {
	    {"EHLO", "250 mx.test\r\n"}, {"MAIL", "250-"}, {NULL, NULL}};
	static const struct play_rule rcpt[] = {
	    {"EHLO", "250 mx.test\r\n"}, {"RCPT", "250-"}, {NULL, NULL}};
	unsigned bound = OUT_OPENS_MS / 1000;

	(void)state;
	assert_in_range(trickle(greeting, "x"), bound, bound + 2);
	assert_in_range(trickle(ehlo, "x"), bound, bound + 2);
	assert_in_range(trickle(mail, "x"), bound, bound + 2);
	bound = (OUT_ADDRESSES_MS + OUT_RCPT_MS) / 1000;
	assert_in_range(trickle(rcpt, "x"), bound, bound + 2);
}

static void
send_to(size_t number)
{
	char domain[20];

	snprintf(domain, sizeof(domain), "x%zu.test", number);
	rig_send(&r, domain, 1);
}

/* Where many wait, each waits for less, also the one that has waited for longer already. */
static void
attack_175_many_silent_servers(void **state)
{
	enum { SILENT = 60 };
	static const struct play_rule mute[] = {{"", ""}, {NULL, NULL}};
	static char questions[SILENT][20];
	static struct play_name names[SILENT + 3];
	struct rig_server *s;
	size_t n = 0;

	(void)state;
	for (; n < SILENT; n++) {
		snprintf(questions[n], sizeof(questions[n]), "x%zu.test MX", n);
		names[n] = (struct play_name){questions[n], "10 mx1.test"};
	}
	names[n] = (struct play_name){"mx1.test A", "192.0.2.1"};
	rig_open(&r, "", names);
	s = rig_server(&r, "192.0.2.1", 25, mute);
	send_to(0);
	sim_run(r.loop, OUT_OPENS_MANY_MS + 15 * 1000);
	assert_non_null(s->sessions[0].conn);
	for (size_t i = 1; i < SILENT; i++)
		send_to(i);
	sim_run(r.loop, 10 * 1000);
	assert_null(s->sessions[0].conn);
	assert_int_equal(s->n, SILENT);
	sim_run(r.loop, OUT_OPENS_MANY_MS);
	for (size_t i = 0; i < SILENT; i++)
		assert_true(r.sends[i].done);
	rig_close(&r);
}

/* More silent servers of one place than there is time for: it is tried again, later. */
static void
attack_175_many_servers_of_one_place(void **state)
{
	static const struct play_rule mute[] = {{"", ""}, {NULL, NULL}};
	static char questions[RIG_SERVERS][20], addresses[RIG_SERVERS][20];
	static struct play_name names[RIG_SERVERS + 2] = {
	    {"x.test MX", "1 m0.test;2 m1.test;3 m2.test;4 m3.test;5 m4.test;6 m5.test;7 m6.test"}};
	uint64_t begun;

	(void)state;
	for (size_t i = 0; i < RIG_SERVERS; i++) {
		snprintf(questions[i], sizeof(questions[i]), "m%zu.test A", i);
		snprintf(addresses[i], sizeof(addresses[i]), "192.0.2.%zu", i + 1);
		names[i + 1] = (struct play_name){questions[i], addresses[i]};
	}
	rig_open(&r, "", names);
	for (size_t i = 0; i < RIG_SERVERS; i++)
		rig_server(&r, addresses[i], 25, mute);
	begun = loop_now_ms(r.loop);
	rig_result(&r, "x.test", 1);
	assert_in_range(loop_now_ms(r.loop) - begun, OUT_LOOKS_MS, OUT_LOOKS_MS + OUT_OPENS_MS);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_175_places_that_work_go_on),
	    cmocka_unit_test(attack_175_new_places_have_their_try_soon),
	    cmocka_unit_test(attack_175_proven_tarpits),
	    cmocka_unit_test(attack_175_greylisting),
	    cmocka_unit_test(attack_175_what_is_remembered_has_a_bound),
	    cmocka_unit_test(attack_175_trickled_replies),
	    cmocka_unit_test(attack_175_many_silent_servers),
	    cmocka_unit_test(attack_175_many_servers_of_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

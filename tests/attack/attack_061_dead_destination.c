/*
 * Attack 61: ten thousand messages for a place that does not answer.  Those for other places go out
 * as soon as if there were none, and the dead place is asked now and then, by few.
 */
#include "../plan_rig.h"

enum { DEAD = 10000, OTHERS = 200, TRY_MS = 30000 };

struct running {
	struct plan_try try;
	uint64_t until_ms;
	bool dead;
};

/* A step moves a bounded number of what is due: as the driver does, go on until it is all. */
static bool
next(struct plan_rig *r, struct plan_try *try)
{
	do
		if (plan_rig_next(r, try))
			return true;
	while (plan_wakes(r->plan, r->t) == 0);
	return false;
}

static void
attack_061_dead_destination(void **state)
{
	struct running running[PLAN_TRIES_MAX];
	size_t n = 0, sent = 0, most_dead = 0, dead_tries = 0;
	struct plan_rig r;
	char rcpt[40];
	uint64_t id = 0;

	(void)state;
	plan_rig_init(&r);
	for (int i = 0; i < DEAD; i++)
		plan_rig_add(&r, ++id, "s@h.org", "a@dead.org");
	for (int second = 0; second < 2 * OTHERS; second++) {
		size_t dead = 0, kept = 0;

		if (second % 2 == 0) {
			snprintf(rcpt, sizeof(rcpt), "a@x%d.org", second % 14);
			plan_rig_add(&r, ++id, "s@h.org", rcpt);
		}
		while (n < COUNT(running) && next(&r, &running[n].try)) {
			running[n].dead = bytes_eq(running[n].try.domain, BYTES("dead.org"));
			dead_tries += running[n].dead;
			running[n].until_ms = r.t.now_ms + (running[n].dead ? TRY_MS : 500);
			n++;
		}
		plan_rig_pass(&r, 1000);
		for (size_t i = 0; i < n; i++) {
			if (running[i].until_ms > r.t.now_ms) {
				dead += running[i].dead;
				running[kept++] = running[i];
				continue;
			}
			sent += !running[i].dead;
			plan_rig_tried(&r, &running[i].try, running[i].dead ? rig_dead : rig_ok);
		}
		n = kept;
		plan_rig_settle(&r);
		most_dead = dead > most_dead ? dead : most_dead;
		/* each went in the second in which it came */
		assert_int_equal(sent, (size_t)second / 2 + 1);
	}
	assert_true(most_dead <= 5);
	assert_true(dead_tries < 20);
	for (size_t i = 0; i < n; i++)
		plan_rig_tried(&r, &running[i].try, rig_dead);
	plan_rig_fini(&r);
}

/* Back again, it gets all that waited, soon. */
static void
attack_061_back_again(void **state)
{
	struct plan_try tries[PLAN_TRIES_MAX];
	struct plan_rig r;
	uint64_t begun;

	(void)state;
	plan_rig_init(&r);
	for (uint64_t id = 1; id <= 2000; id++)
		plan_rig_add(&r, id, "s@h.org", "a@dead.org");
	begun = r.t.now_ms;
	while (plan_counts(r.plan).messages) {
		bool up = r.t.now_ms - begun > 3600 * 1000;
		size_t n = 0;

		while (n < COUNT(tries) && plan_rig_next(&r, &tries[n]))
			n++;
		while (n)
			plan_rig_tried(&r, &tries[--n], up ? rig_ok : rig_dead);
		plan_rig_settle(&r);
		plan_rig_pass(&r, 1000);
		assert_true(r.t.now_ms - begun < 5 * 3600 * 1000);
	}
	plan_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_061_dead_destination),
	    cmocka_unit_test(attack_061_back_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

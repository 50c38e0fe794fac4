/* plan_rig.h - for tests of the queue's plan: one in virtual time, and easy messages. */
#ifndef TESTS_PLAN_RIG_H
#define TESTS_PLAN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "queue/plan.h"

enum { RIG_WALL_S = 1800000000, RIG_START_MS = 5000 };
struct plan_rig {
	struct random *random;
	struct plan *plan;
	struct plan_time t;
};

static inline void
plan_rig_init(struct plan_rig *r)
{
	static const uint8_t key[16] = "plan";

	r->random = random_seeded(3);
	r->plan = plan_new(key, r->random);
	r->t = (struct plan_time){RIG_START_MS, RIG_WALL_S};
	assert_non_null(r->plan);
}

static inline void
plan_rig_fini(struct plan_rig *r)
{
	plan_free(r->plan);
	random_close(r->random);
}

static inline void
plan_rig_pass(struct plan_rig *r, uint64_t ms)
{
	r->t.wall_s += (r->t.now_ms % 1000 + ms) / 1000;
	r->t.now_ms += ms;
}

/* rcpts: addresses with blanks between. */
static inline struct err
plan_rig_give(struct plan_rig *r, uint64_t id, const char *sender, const char *rcpts,
              uint16_t tries, uint64_t created_s)
{
	const struct spool_head head = {
	    id, created_s, 100, 50, 0, *sender ? 0 : SPOOL_BOUNCE, bytes_of(sender)};
	struct spool_rcpt rows[SPOOL_RCPTS_MAX], *row = rows;

	for (struct bytes rest = bytes_of(rcpts); rest.n && row < rows + COUNT(rows); row++) {
		*row = (struct spool_rcpt){
		    .number = (uint16_t)(row - rows), .state = SPOOL_WAITING, .tries = tries};
		row->next_s = r->t.wall_s;
		row->address = text_cut(&rest, ' ');
	}
	return plan_add(r->plan, r->t, tries == 0 && created_s == r->t.wall_s, &head, rows,
	                (size_t)(row - rows));
}

static inline void
plan_rig_add(struct plan_rig *r, uint64_t id, const char *sender, const char *rcpts)
{
	assert_true(is_ok(plan_rig_give(r, id, sender, rcpts, 0, r->t.wall_s)));
}

static inline bool
plan_rig_next(struct plan_rig *r, struct plan_try *try)
{
	bool found;

	assert_true(is_ok(plan_next(r->plan, r->t, try, &found)));
	return found;
}

static inline size_t
plan_rig_rcpts(const struct plan_try *try)
{
	struct bytes address;
	size_t at = 0, n = 0;

	while (plan_try_rcpt(try, &at, &address))
		n++;
	return n;
}

#define RIG_TEXT(s)                                                                                \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}
#define RIG_RESULT(name, o, a, b, server, text, is)                                                \
	static const struct spool_result name = {o, {a, b, 1}, RIG_TEXT(server), RIG_TEXT(text), is}
RIG_RESULT(rig_ok, SPOOL_DELIVERED, 2, 0, "mx.x", "250 ok", true);
RIG_RESULT(rig_later, SPOOL_DEFERRED, 4, 2, "mx.x", "450 later", true);
RIG_RESULT(rig_never, SPOOL_FAILED, 5, 1, "mx.x", "550 who", true);
RIG_RESULT(rig_dead, SPOOL_DEFERRED, 4, 4, "", "no route", false);

/* For all recipients. */
static inline void
plan_rig_tried(struct plan_rig *r, const struct plan_try *try, struct spool_result result)
{
	struct spool_result results[SPOOL_RCPTS_MAX];
	size_t n = plan_rig_rcpts(try);

	for (size_t i = 0; i < n; i++)
		results[i] = result;
	assert_true(is_ok(plan_tried(r->plan, r->t, try, results, n)));
}

/* Settles all that is to be settled; how many messages that were. */
static inline size_t
plan_rig_settle(struct plan_rig *r)
{
	uint8_t room[SPOOL_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	uint32_t flags;
	uint64_t id;
	size_t n;

	for (n = 0; plan_settle(r->plan, r->t, &id, &flags, &w); n++) {
		plan_settled(r->plan, id, false);
		w = wr_of(room, sizeof(room));
	}
	return n;
}

/* Tells all who are to be told; how many reports of failures that were.  warned may be NULL. */
static inline size_t
plan_rig_report(struct plan_rig *r, size_t *warned)
{
	struct plan_report report;
	size_t n = 0;

	while (plan_report(r->plan, r->t, &report)) {
		if (report.delay && warned)
			++*warned;
		n += !report.delay && !(report.head->flags & SPOOL_BOUNCE);
		plan_reported(r->plan, &report);
		plan_rig_settle(r);
	}
	return n;
}

#endif

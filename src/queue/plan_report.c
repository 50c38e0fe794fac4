/* plan_report.c - what the store, a sender or a person is told of the plan, and what they change. */
#include "queue/plan_parts.h"

#include <assert.h>

enum { MINUTE_MS = 60 * 1000 };

/* ---- settling ---- */

static uint64_t
next_s(struct message *m, const struct message_rcpt *r, struct plan_time t)
{
	const struct message_group *g = message_group(m, r);

	if (g->state != GROUP_WAITS || g->due.key <= t.now_ms)
		return t.wall_s;
	return t.wall_s + (g->due.key - t.now_ms) / 1000;
}

static void
put_rcpt(struct message *m, const struct message_rcpt *r, struct plan_time t, struct wr *w)
{
	struct spool_rcpt row = message_row(r);

	row.next_s = next_s(m, r, t);
	spool_rcpt_put(w, &row);
}

bool
plan_settle(struct plan *p, struct plan_time t, uint64_t *id, uint32_t *flags, struct wr *rows)
{
	struct message *m = p->settle;

	if (!m)
		return false;
	p->settle = m->next_settle;
	if (!p->settle)
		p->settle_end = &p->settle;
	p->to_settle--;
	m->in_settle = false;
	m->settling = true;
	m->dirty = false;
	*id = m->head.id;
	*flags = m->head.flags;
	for (size_t i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].dirty) {
			put_rcpt(m, &m->rcpts[i], t, rows);
			m->rcpts[i].dirty = false;
		}
	assert(!rows->full); /* message_say() keeps as much as fits */
	return true;
}

void
plan_settled(struct plan *p, uint64_t id, bool gone)
{
	struct message *m = plan_find(p, id);
	bool open = false;

	if (!m)
		return;
	m->settling = false;
	for (size_t i = 0; i < m->n_rcpts; i++)
		open |= m->rcpts[i].state != SPOOL_DONE || m->rcpts[i].dirty;
	if (gone || !open)
		plan_drop(p, m);
	else
		plan_line_up(p, m);
}

/* ---- telling the sender ---- */

/* The report of the first recipient that is given up, as the store knows. */
static bool
failed(const struct message *m, uint16_t *number)
{
	for (size_t i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].state == SPOOL_GIVEN_UP && !m->rcpts[i].dirty) {
			*number = m->rcpts[i].report;
			return true;
		}
	return false;
}

/* So many in a minute, but for those that are only forgotten. */
static bool
may_report(struct plan *p, struct plan_time t, const struct message *m)
{
	if (m->head.flags & SPOOL_BOUNCE)
		return true;
	if (t.now_ms - p->minute_ms >= MINUTE_MS) {
		p->minute_ms = t.now_ms;
		p->reports = 0;
	}
	if (p->reports >= PLAN_REPORTS_MAX)
		return false;
	p->reports++;
	return true;
}

bool
plan_report(struct plan *p, struct plan_time t, struct plan_report *out)
{
	struct message *m;

	while ((m = p->report)) {
		*out =
		    (struct plan_report){.head = &m->head, .age_s = plan_age_s(m, t), .message = m};
		/* a failure first: who failed needs no warning */
		out->delay = !failed(m, &out->number);
		if (out->delay && !(m->warn && message_count(m, SPOOL_WAITING)))
			m->warn = false;
		else if (!may_report(p, t, m))
			return false;
		p->report = m->next_report;
		if (!p->report)
			p->report_end = &p->report;
		p->to_report--;
		m->in_report = false;
		if (!out->delay || m->warn) {
			m->reporting = true;
			return true;
		}
	}
	return false;
}

bool
plan_report_rcpt(const struct plan_report *report, size_t *at, struct spool_rcpt *out)
{
	const struct message *m = report->message;

	for (; *at < m->n_rcpts; ++*at) {
		const struct message_rcpt *r = &m->rcpts[*at];

		if (report->delay ? r->state == SPOOL_WAITING
		                  : r->state == SPOOL_GIVEN_UP && r->report == report->number) {
			*out = message_row(r);
			++*at;
			return true;
		}
	}
	return false;
}

static void
take_away(struct message *m)
{
	m->removed = true;
	m->warn = false;
	for (size_t i = 0; i < m->n_rcpts; i++) {
		struct message_rcpt *r = &m->rcpts[i];

		/* who is being tried, or told of, is done when that is over */
		if (message_group(m, r)->state == GROUP_RUNS || m->reporting ||
		    r->state == SPOOL_DONE)
			continue;
		r->state = SPOOL_DONE;
		r->dirty = true;
	}
}

void
plan_reported(struct plan *p, const struct plan_report *report)
{
	struct message *m = report->message;

	m->reporting = false;
	if (report->delay) {
		m->warn = false;
		m->head.flags |= SPOOL_WARNED;
		m->dirty = true;
	}
	for (size_t i = 0; !report->delay && i < m->n_rcpts; i++)
		if (m->rcpts[i].state == SPOOL_GIVEN_UP && m->rcpts[i].report == report->number) {
			m->rcpts[i].state = SPOOL_DONE;
			m->rcpts[i].dirty = true;
		}
	if (m->removed)
		take_away(m); /* the others of it were left as they were */
	plan_line_up(p, m);
}

/* ---- what people do ---- */

static struct err
go_now(struct plan *p, struct plan_time t, struct message *m)
{
	struct err e = OK;

	for (size_t i = 0; is_ok(e) && i < m->n_groups; i++) {
		struct message_group *g = &m->groups[i];

		if (g->state == GROUP_WAITS || g->state == GROUP_IDLE)
			e = plan_wait(p, t, g, 0);
		sites_rouse(&p->sites, plan_site(p, g));
	}
	return e;
}

/* It has not grown too old while it was held. */
static void
rejuvenate(struct message *m, struct plan_time t)
{
	if (plan_age_s(m, t) > PLAN_GIVE_UP_S - PLAN_LATE_S)
		m->born_ms = (int64_t)t.now_ms - (int64_t)(PLAN_GIVE_UP_S - PLAN_LATE_S) * 1000;
}

static void
set_flag(struct message *m, uint32_t flag, bool on)
{
	uint32_t flags = on ? m->head.flags | flag : m->head.flags & ~flag;

	m->dirty |= flags != m->head.flags;
	m->head.flags = flags;
}

struct err
plan_change(struct plan *p, struct plan_time t, uint64_t id, enum queue_change what)
{
	struct message *m = plan_find(p, id);
	struct err e = OK;

	if (!m || m->removed)
		return (struct err){ERR_NOTFOUND, 0, "no such message is queued"};
	switch (what) {
	case QUEUE_RETRY:
		e = go_now(p, t, m);
		break;
	case QUEUE_HOLD:
		set_flag(m, SPOOL_HELD, true);
		break;
	case QUEUE_RELEASE:
		if (m->head.flags & SPOOL_HELD) {
			set_flag(m, SPOOL_HELD, false);
			rejuvenate(m, t);
			e = go_now(p, t, m);
		}
		break;
	case QUEUE_REMOVE:
		take_away(m);
		break;
	}
	plan_line_up(p, m);
	return e;
}

void
plan_keep_back(struct plan *p, uint64_t id)
{
	struct message *m = plan_find(p, id);

	if (!m)
		return;
	set_flag(m, SPOOL_HELD, true);
	plan_line_up(p, m);
}

/* The first message behind this id. */
static const struct message *
behind(const struct plan *p, uint64_t id)
{
	const struct message *m = plan_find(p, id);

	if (m)
		return m->next;
	for (m = p->first; m && m->head.id <= id;)
		m = m->next;
	return m;
}

uint64_t
plan_after(const struct plan *p, uint64_t id)
{
	const struct message *m = behind(p, id);

	return m ? m->head.id : 0;
}

static bool
put_message(struct message *m, struct plan_time t, struct wr *w)
{
	struct wr mine = *w;
	uint16_t n = (uint16_t)(m->n_rcpts - message_count(m, SPOOL_DONE));

	spool_head_put(&mine, &m->head, n);
	for (size_t i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].state != SPOOL_DONE)
			put_rcpt(m, &m->rcpts[i], t, &mine);
	if (mine.full)
		return false;
	*w = mine;
	return true;
}

void
plan_list(const struct plan *p, struct plan_time t, uint64_t after, uint64_t only, struct wr *w,
          bool *more)
{
	const struct message *m = only ? plan_find(p, only) : behind(p, after);

	for (*more = false; m && !*more; m = only ? NULL : m->next)
		if (!m->removed)
			*more = !put_message(plan_find(p, m->head.id), t, w);
}

struct plan_counts
plan_counts(const struct plan *p)
{
	return (struct plan_counts){
	    .messages = map_count(&p->messages),
	    .running = p->running,
	    .ready = p->sites.ready,
	    .to_settle = p->to_settle,
	    .to_report = p->to_report,
	    .octets = p->octets,
	};
}

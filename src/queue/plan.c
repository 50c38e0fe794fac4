/* plan.c - what is due goes into the line of its place; the places take turns. */
#include "queue/plan_parts.h"

#include "base/random.h"

#include <assert.h>
#include <stdlib.h>

enum {
	DUE_ONCE = 1000,  /* groups that are moved in one step */
	LOOK_ONCE = 1000, /* messages that are looked at in one step */
	SPREAD_MAX_MS = 5 * 60 * 1000,
	DOWN_MAX_S =
	    2 * 24 * 3600, /* longer than that a server is not away: its clock has jumped */
};

_Static_assert((int)SITES_UNPROVEN_MAX * 2 == PLAN_TRIES_MAX, "half is for places that work");

static struct bytes
id_name(const uint64_t *id)
{
	return (struct bytes){(const uint8_t *)id, sizeof(*id)};
}

struct message *
plan_find(const struct plan *p, uint64_t id)
{
	return map_get(&p->messages, id_name(&id));
}

uint64_t
plan_age_s(const struct message *m, struct plan_time t)
{
	int64_t ms = (int64_t)t.now_ms - m->born_ms;

	return ms > 0 ? (uint64_t)ms / 1000 : 0;
}

struct bytes
plan_site(const struct plan *p, const struct message_group *g)
{
	return p->relay ? NO_BYTES : g->domain;
}

/* The wait behind so many tries, before chance has its say. */
static uint64_t
wait_s(unsigned tries)
{
	uint64_t s = PLAN_RETRY_S;

	for (unsigned i = 1; i < tries && s < PLAN_RETRY_MAX_S; i++)
		s = s * 7 / 4;
	return s < PLAN_RETRY_MAX_S ? s : PLAN_RETRY_MAX_S;
}

/* A fourteenth less or more, so that what came together does not stay together. */
static uint64_t
retry_ms(struct plan *p, unsigned tries)
{
	uint64_t ms = wait_s(tries) * 1000;

	return ms - ms / 14 + random_below(p->random, ms / 7);
}

/* ---- lines ---- */

static bool
has_dirty(const struct message *m)
{
	bool dirty = m->dirty;

	for (size_t i = 0; i < m->n_rcpts && !dirty; i++)
		dirty = m->rcpts[i].dirty;
	return dirty;
}

/* Who was given up may be told of when the store knows it. */
static bool
has_report(const struct message *m)
{
	bool report = m->warn;

	for (size_t i = 0; i < m->n_rcpts && !report; i++)
		report = m->rcpts[i].state == SPOOL_GIVEN_UP && !m->rcpts[i].dirty;
	return report;
}

void
plan_line_up(struct plan *p, struct message *m)
{
	if (!m->in_settle && !m->settling && has_dirty(m)) {
		m->in_settle = true;
		m->next_settle = NULL;
		*p->settle_end = m;
		p->settle_end = &m->next_settle;
		p->to_settle++;
	}
	if (!m->in_report && !m->reporting && !m->settling && has_report(m)) {
		m->in_report = true;
		m->next_report = NULL;
		*p->report_end = m;
		p->report_end = &m->next_report;
		p->to_report++;
	}
}

static void
leave_lines(struct plan *p, struct message *m)
{
	struct message **at;

	for (at = &p->settle; m->in_settle && *at != m;)
		at = &(*at)->next_settle;
	if (m->in_settle) {
		*at = m->next_settle;
		if (p->settle_end == &m->next_settle)
			p->settle_end = at;
		p->to_settle--;
	}
	for (at = &p->report; m->in_report && *at != m;)
		at = &(*at)->next_report;
	if (m->in_report) {
		*at = m->next_report;
		if (p->report_end == &m->next_report)
			p->report_end = at;
		p->to_report--;
	}
	m->in_settle = m->in_report = false;
}

/* ---- coming and going ---- */

static void
insert(struct plan *p, struct message *m)
{
	struct message *behind = p->last;

	while (behind && behind->head.id > m->head.id)
		behind = behind->prev;
	m->prev = behind;
	m->next = behind ? behind->next : p->first;
	*(behind ? &behind->next : &p->first) = m;
	*(m->next ? &m->next->prev : &p->last) = m;
}

static void
stand_still(struct plan *p, struct message_group *g)
{
	if (g->state == GROUP_WAITS)
		heap_remove(&p->due, &g->due);
	if (g->state == GROUP_READY)
		sites_leave(&p->sites, g);
	if (g->state != GROUP_RUNS)
		g->state = GROUP_IDLE;
}

void
plan_drop(struct plan *p, struct message *m)
{
	leave_lines(p, m);
	for (size_t i = 0; i < m->n_groups; i++)
		stand_still(p, &m->groups[i]);
	m->removed = true;
	if (message_runs(m) || m->reporting)
		return; /* who holds it comes back */
	map_remove(&p->messages, id_name(&m->head.id));
	*(m->prev ? &m->prev->next : &p->first) = m->next;
	*(m->next ? &m->next->prev : &p->last) = m->prev;
	if (p->look == m)
		p->look = m->next;
	p->octets -= m->octets;
	for (size_t i = 0; i < m->n_rcpts; i++)
		p->octets -= (uint64_t)m->rcpts[i].server_n + m->rcpts[i].reply_n;
	message_free(m);
}

/*
 * How old it is.  A message that would be older than it can be was not tried meanwhile, since the
 * clock has jumped or nobody was here: its tries tell its age (attack 63).
 */
static uint64_t
age_at_coming(const struct message *m, uint64_t wall_s)
{
	uint64_t age = wall_s > m->head.created_s ? wall_s - m->head.created_s : 0;
	unsigned tries = 0;

	if (age > PLAN_GIVE_UP_S + DOWN_MAX_S) {
		age = 0;
		for (size_t i = 0; i < m->n_rcpts; i++)
			tries = m->rcpts[i].tries > tries ? m->rcpts[i].tries : tries;
		for (unsigned i = 1; i <= tries && age < PLAN_GIVE_UP_S; i++)
			age += wait_s(i);
	}
	return age < PLAN_GIVE_UP_S - PLAN_LATE_S ? age : PLAN_GIVE_UP_S - PLAN_LATE_S;
}

/* When a recipient's next try is, as it was told before this life. */
static uint64_t
first_wait_ms(struct plan *p, const struct spool_rcpt *r, struct plan_time t)
{
	uint64_t spread = 1000 + map_count(&p->messages) * 20;

	if (!r->tries)
		return 0;
	if (r->next_s > t.wall_s && r->next_s - t.wall_s <= PLAN_RETRY_MAX_S * 8 / 7)
		return (r->next_s - t.wall_s) * 1000;
	/* overdue, or no time that we would have told: not all of them at once */
	return random_below(p->random, spread < SPREAD_MAX_MS ? spread : SPREAD_MAX_MS);
}

static struct err
schedule(struct plan *p, struct plan_time t, struct message *m, const struct spool_rcpt *rows,
         size_t n)
{
	uint64_t after[SPOOL_RCPTS_MAX] = {0};
	struct err e = OK;

	for (size_t i = 0; i < m->n_groups; i++)
		after[i] = UINT64_MAX;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < m->n_rcpts; k++)
			if (m->rcpts[k].number == rows[i].number) {
				size_t g = (size_t)(message_group(m, &m->rcpts[k]) - m->groups);
				uint64_t ms = first_wait_ms(p, &rows[i], t);

				after[g] = ms < after[g] ? ms : after[g];
				break;
			}
	for (size_t i = 0; is_ok(e) && i < m->n_groups; i++)
		e = plan_wait(p, t, &m->groups[i], after[i]);
	return e;
}

struct err
plan_add(struct plan *p, struct plan_time t, bool fresh, const struct spool_head *head,
         const struct spool_rcpt *rows, size_t n)
{
	struct message *m;
	struct err e;

	if (plan_find(p, head->id))
		return (struct err){ERR_EXISTS, 0, "this message is queued"};
	if (p->octets >= PLAN_OCTETS_MAX)
		return (struct err){ERR_FULL, 0, "as many messages as are held"};
	e = message_new(&m, head, rows, n);
	if (!is_ok(e))
		return e;
	if (!map_put(&p->messages, id_name(&m->head.id), m)) {
		message_free(m);
		return ERR(ERR_MEMORY, 0, "queued message");
	}
	p->octets += m->octets;
	for (size_t i = 0; i < m->n_rcpts; i++)
		p->octets += (uint64_t)m->rcpts[i].server_n + m->rcpts[i].reply_n;
	m->born_ms = (int64_t)t.now_ms - (fresh ? 0 : (int64_t)age_at_coming(m, t.wall_s) * 1000);
	insert(p, m);
	e = schedule(p, t, m, rows, n);
	plan_line_up(p, m);
	return e;
}

bool
plan_has_room(const struct plan *p)
{
	return p->octets < PLAN_OCTETS_MAX / 2;
}

/* ---- tries ---- */

static bool
may_run(const struct message_group *g)
{
	return !g->message->removed && !(g->message->head.flags & SPOOL_HELD) &&
	       message_group_count(g, SPOOL_WAITING);
}

struct err
plan_wait(struct plan *p, struct plan_time t, struct message_group *g, uint64_t after_ms)
{
	stand_still(p, g);
	if (g->state == GROUP_RUNS || !may_run(g))
		return OK;
	g->state = GROUP_WAITS;
	return heap_push(&p->due, &g->due, t.now_ms + after_ms)
	           ? OK
	           : ERR(ERR_MEMORY, 0, "queued messages");
}

static struct err
line_up_due(struct plan *p, struct plan_time t)
{
	struct heap_node *node;
	struct err e = OK;

	for (int i = 0; is_ok(e) && i < DUE_ONCE; i++) {
		struct message_group *g;

		node = heap_first(&p->due);
		if (!node || node->key > t.now_ms)
			break;
		g = (struct message_group *)node; /* its first member */
		stand_still(p, g);
		if (may_run(g))
			e = sites_ready(&p->sites, g, plan_site(p, g));
	}
	return e;
}

struct err
plan_next(struct plan *p, struct plan_time t, struct plan_try *out, bool *found)
{
	struct err e = line_up_due(p, t);

	*found = false;
	sites_wake(&p->sites, t.now_ms);
	while (is_ok(e) && !*found && p->running < PLAN_TRIES_MAX) {
		struct message_group *g = sites_take(&p->sites);

		if (!g)
			break;
		if (may_run(g)) {
			*out = (struct plan_try){&g->message->head, g->domain, g};
			*found = true;
			p->running++;
		} else {
			e = sites_over(&p->sites, g, SITE_NOTHING, t.now_ms);
		}
	}
	return e;
}

bool
plan_try_rcpt(const struct plan_try *try, size_t *at, struct bytes *address)
{
	const struct message_group *g = try->group;

	for (; *at < g->n; ++*at) {
		const struct message_rcpt *r = &g->message->rcpts[g->first + *at];

		if (r->state == SPOOL_WAITING) {
			*address = r->address;
			++*at;
			return true;
		}
	}
	return false;
}

/* All who wait in this message, or in one group of it. */
static void
give_up(struct message *m, const struct message_group *only)
{
	uint16_t lowest = UINT16_MAX;

	/* no two reports of a message begin with the same recipient: its number is the report's */
	for (size_t i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].state == SPOOL_WAITING && m->rcpts[i].number < lowest &&
		    (!only || message_group(m, &m->rcpts[i]) == only))
			lowest = m->rcpts[i].number;
	for (size_t i = 0; i < m->n_rcpts; i++) {
		struct message_rcpt *r = &m->rcpts[i];

		if (r->state != SPOOL_WAITING || (only && message_group(m, r) != only))
			continue;
		r->state = SPOOL_GIVEN_UP;
		r->report = lowest;
		r->dirty = true;
	}
}

/* Recipients that failed at one try are told in one report. */
static struct err
apply(struct plan *p, struct message_group *g, const struct spool_result *results, size_t n)
{
	static const struct spool_result none = {.outcome = SPOOL_DEFERRED, .status = {4, 3, 0}};
	struct message *m = g->message;
	uint16_t report = UINT16_MAX;
	struct err e = OK;
	size_t at = 0;

	for (size_t i = g->first; is_ok(e) && i < (size_t)g->first + g->n; i++) {
		const struct spool_result *result = at < n ? &results[at] : &none;
		struct message_rcpt *r = &m->rcpts[i];
		int64_t grown = 0;

		if (r->state != SPOOL_WAITING)
			continue;
		at++;
		e = message_say(m, r, result, &grown);
		p->octets = (uint64_t)((int64_t)p->octets + grown);
		r->tries = (uint16_t)(r->tries + (r->tries < UINT16_MAX));
		r->dirty = true;
		if (result->outcome == SPOOL_DELIVERED || (m->removed && is_ok(e))) {
			r->state = SPOOL_DONE;
		} else if (result->outcome == SPOOL_FAILED) {
			report = r->number < report ? r->number : report;
			r->state = SPOOL_GIVEN_UP;
			r->report = UINT16_MAX; /* of this try; told below */
		}
	}
	for (size_t i = g->first; i < (size_t)g->first + g->n; i++)
		if (m->rcpts[i].state == SPOOL_GIVEN_UP && m->rcpts[i].report == UINT16_MAX)
			m->rcpts[i].report = report;
	return e;
}

static enum site_news
news_of(const struct spool_result *results, size_t n)
{
	bool answered = false, unreachable = false, busy = false;

	for (size_t i = 0; i < n; i++) {
		const struct spool_result *r = &results[i];

		if (r->outcome == SPOOL_DELIVERED)
			return SITE_WORKED;
		answered |= r->is_reply;
		busy |= r->is_reply && r->reply.n >= 3 && !memcmp(r->reply.p, "421", 3);
		unreachable |= r->outcome == SPOOL_DEFERRED && !r->is_reply;
	}
	if (busy)
		return SITE_BUSY;
	return answered ? SITE_ANSWERED : unreachable ? SITE_UNREACHABLE : SITE_NOTHING;
}

/* A try is over, whatever came of it. */
static struct err
over(struct plan *p, struct plan_time t, struct message_group *g, enum site_news news,
     uint64_t after_ms)
{
	struct message *m = g->message;
	struct err e = sites_over(&p->sites, g, news, t.now_ms);

	p->running--;
	if (is_ok(e) && m->removed && !has_dirty(m)) {
		plan_drop(p, m);
		return e;
	}
	if (is_ok(e))
		e = plan_wait(p, t, g, after_ms);
	plan_line_up(p, m);
	return e;
}

struct err
plan_tried(struct plan *p, struct plan_time t, const struct plan_try *try,
           const struct spool_result *results, size_t n)
{
	struct message_group *g = try->group;
	struct err e = apply(p, g, results, n);
	unsigned tries = 0;

	if (!is_ok(e))
		return e;
	if (plan_age_s(g->message, t) >= PLAN_GIVE_UP_S)
		give_up(g->message, g);
	for (size_t i = g->first; i < (size_t)g->first + g->n; i++)
		if (g->message->rcpts[i].state == SPOOL_WAITING &&
		    g->message->rcpts[i].tries > tries)
			tries = g->message->rcpts[i].tries;
	return over(p, t, g, news_of(results, n), retry_ms(p, tries));
}

struct err
plan_put_off(struct plan *p, struct plan_time t, const struct plan_try *try, uint64_t after_ms)
{
	struct message *m = try->group->message;

	/* a person has removed it meanwhile: nobody of it is tried again */
	for (size_t i = 0; m->removed && i < m->n_rcpts; i++)
		if (m->rcpts[i].state == SPOOL_WAITING) {
			m->rcpts[i].state = SPOOL_DONE;
			m->rcpts[i].dirty = true;
		}
	return over(p, t, try->group, SITE_NOTHING, after_ms);
}

uint64_t
plan_wakes(const struct plan *p, struct plan_time t)
{
	const struct heap_node *due = heap_first(&p->due);
	uint64_t at = sites_wakes(&p->sites);

	if (due && due->key < at)
		at = due->key;
	if (p->running < PLAN_TRIES_MAX && sites_has_turn(&p->sites))
		return 0;
	if (at == UINT64_MAX)
		return at;
	return at > t.now_ms ? at - t.now_ms : 0;
}

/* ---- age ---- */

static void
look_at(struct plan *p, struct plan_time t, struct message *m)
{
	uint64_t age = plan_age_s(m, t);
	bool waits;

	if ((m->head.flags & SPOOL_HELD) || m->removed || message_runs(m))
		return;
	waits = message_count(m, SPOOL_WAITING) != 0;
	if (waits && age >= PLAN_GIVE_UP_S) {
		give_up(m, NULL);
		for (size_t i = 0; i < m->n_groups; i++)
			stand_still(p, &m->groups[i]);
	} else if (waits && age >= PLAN_WARN_S &&
	           !(m->head.flags & (SPOOL_WARNED | SPOOL_BOUNCE)) && !m->reporting) {
		m->warn = true;
	}
	plan_line_up(p, m);
}

struct err
plan_look(struct plan *p, struct plan_time t)
{
	for (int i = 0; i < LOOK_ONCE; i++) {
		struct message *m = p->look ? p->look : p->first;

		if (!m)
			break;
		p->look = m->next;
		look_at(p, t, m);
		if (!p->look)
			break;
	}
	return OK;
}

/* ---- life ---- */

struct plan *
plan_new(const uint8_t key[16], struct random *random)
{
	struct plan *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->random = random;
	map_init(&p->messages, key);
	sites_init(&p->sites, key);
	p->settle_end = &p->settle;
	p->report_end = &p->report;
	return p;
}

void
plan_free(struct plan *p)
{
	struct message *next;

	if (!p)
		return;
	heap_fini(&p->due);
	for (struct message *m = p->first; m; m = next) {
		next = m->next;
		message_free(m);
	}
	sites_fini(&p->sites);
	map_free(&p->messages);
	free(p);
}

void
plan_relay(struct plan *p, bool relay)
{
	p->relay = relay;
}

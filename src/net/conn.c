/*
 * conn.c - a peer's stream as its owner sees it: deadlines, turns, and what conn.h offers.
 */
#include "net/conn_parts.h"

#include <assert.h>
#include <stdlib.h>

enum {
	ROUNDS = 4,           /* of turn() and flush before the others of this loop */
	PURSE_RETRY_MS = 200, /* until an empty purse is looked at again */
};

static void task_work(void *owner);

/* ---- time ---- */

static void
sooner(uint64_t *at, uint64_t other)
{
	if (other && other < *at)
		*at = other;
}

/* The first of its deadlines; UINT64_MAX when there is none. */
static uint64_t
first_deadline(const struct conn *c)
{
	uint64_t at = UINT64_MAX;

	sooner(&at, c->limit_at);
	sooner(&at, c->purse_at);
	if (c->stage == CONN_TALKING && c->state < CONN_BROKEN && !c->late) {
		sooner(&at, c->until_at);
		sooner(&at, c->window_at);
		sooner(&at, c->idle_ms ? c->last_ms + c->idle_ms : 0);
	}
	return at;
}

static void
late(struct conn *c, enum conn_late which)
{
	c->late = which;
	c->news = true;
}

/* The end of a window of conn_expect(). */
static void
look_at_rate(struct conn *c, uint64_t now)
{
	if (c->window_bytes < (uint64_t)c->rate * CONN_RATE_MS / 1000 && !c->forgiven)
		late(c, CONN_SLOW);
	c->window_at = now + CONN_RATE_MS;
	c->window_bytes = 0;
	c->forgiven = false;
}

static void
look_at_deadlines(struct conn *c)
{
	uint64_t now = loop_now_ms(c->loop);

	if (c->purse_at && c->purse_at <= now)
		c->purse_at = 0;
	if (c->limit_at && c->limit_at <= now) {
		if (c->stage == CONN_TALKING)
			conn_broke(c, ERR(ERR_LATER, 0, "TLS took too long to begin"));
		else
			conn_finished(c);
	}
	if (c->stage != CONN_TALKING || c->state >= CONN_BROKEN || c->late)
		return;
	if (c->until_at && c->until_at <= now)
		late(c, CONN_OVERDUE);
	else if (c->window_at && c->window_at <= now)
		look_at_rate(c, now);
	else if (c->idle_ms && c->last_ms + c->idle_ms <= now)
		late(c, CONN_IDLE);
}

static void
timer_fired(void *owner)
{
	struct conn *c = owner;

	c->armed_at = UINT64_MAX;
	look_at_deadlines(c);
	task_work(c);
}

/* The owner looks again when the purse may have room. */
static void
wait_for_purse(struct conn *c)
{
	if (!c->purse_at)
		c->purse_at = loop_now_ms(c->loop) + PURSE_RETRY_MS;
}

/* What it waits for now.  The timer is moved forward only: fired too early, it is set anew. */
static void
refresh(struct conn *c)
{
	uint64_t at, now = loop_now_ms(c->loop);
	size_t room = conn_read_room(c);
	bool sends = c->state < CONN_BROKEN && conn_unsent(c) > 0;

	if (!room && c->stage == CONN_TALKING && !sends)
		c->forgiven = true; /* it is us who do not read */
	if (c->stage == CONN_TALKING && conn_purse_room(c) < (c->need ? c->need : 1))
		wait_for_purse(c);
	loop_poll_want(c->poll, (room ? LOOP_READ : 0u) | (sends ? LOOP_WRITE : 0u));
	at = first_deadline(c);
	if (at == UINT64_MAX || at >= c->armed_at)
		return;
	c->armed_at = at;
	loop_timer_set(c->loop, &c->timer, at > now ? at - now : 0, timer_fired, c);
}

/* ---- moving on ---- */

static void
unbusy(struct conn *c)
{
	if (!--c->busy && c->freed)
		free(c);
}

/* Feeds, tells, sends, until nothing is new. */
static void
work(struct conn *c)
{
	for (int i = 0; i < ROUNDS; i++) {
		conn_feed(c);
		if (c->news && (c->stage == CONN_TALKING || c->stage == CONN_FINISHED)) {
			c->news = false;
			c->turn(c->owner, c);
			if (c->freed)
				return;
		}
		conn_flush(c);
		if (!c->news && !conn_may_feed(c))
			break;
	}
	if (conn_may_feed(c) ||
	    (c->news && (c->stage == CONN_TALKING || c->stage == CONN_FINISHED)))
		loop_defer(c->loop, &c->task, task_work, c);
	refresh(c);
}

static void
task_work(void *owner)
{
	struct conn *c = owner;

	c->busy++;
	work(c);
	unbusy(c);
}

static void
polled(void *owner, unsigned events)
{
	struct conn *c = owner;

	c->busy++;
	if (events & LOOP_READ)
		conn_read(c);
	work(c);
	unbusy(c);
}

/* The owner did something: it is looked at before this turn of the loop ends. */
static void
touch(struct conn *c)
{
	if (!c->busy)
		loop_defer(c->loop, &c->task, task_work, c);
}

/* ---- public ---- */

struct err
conn_open(struct conn **out, struct loop *l, int fd, const struct conn_conf *conf, conn_turn *turn,
          void *owner)
{
	struct conn *c = calloc(1, sizeof(*c));
	struct err e;

	assert(conf->in_max && conf->out_max && (conf->tls || conf->tls_client || !conf->tls_now));
	assert(!(conf->tls && conf->tls_client) && (!conf->tls_client || conf->tls_name.n));
	if (!c || (conf->purse && !purse_charge(conf->purse, CONN_OWN))) {
		loop_close_fd(l, fd);
		e = c ? ERR(ERR_FULL, 0, "the purse does not allow a connection")
		      : ERR(ERR_MEMORY, 0, "a connection");
		free(c);
		return e;
	}
	c->loop = l;
	c->fd = fd;
	c->conf = *conf;
	c->turn = turn;
	c->owner = owner;
	c->in = buf_init(conf->in_max);
	c->out = buf_init(conf->out_max);
	c->raw = buf_init(CONN_CHUNK);
	c->armed_at = UINT64_MAX;
	c->last_ms = loop_now_ms(l);
	c->state = conf->tls_now ? CONN_HANDSHAKE : CONN_OPEN;
	e = loop_poll_open(&c->poll, l, fd, polled, c);
	if (is_ok(e) && conf->tls_now) {
		conn_begin_tls(c);
		e = c->why;
	}
	if (!is_ok(e)) {
		conn_free(c);
		return e;
	}
	touch(c);
	*out = c;
	return OK;
}

void
conn_free(struct conn *c)
{
	if (!c || c->freed)
		return;
	c->freed = true;
	c->busy++;
	buf_free(&c->in);
	buf_free(&c->out);
	buf_free(&c->raw);
	conn_purse_settle(c);
	if (c->conf.purse)
		purse_refund(c->conf.purse, CONN_OWN + (c->tls ? CONN_OWN_TLS : 0));
	tls_free(c->tls);
	loop_timer_stop(c->loop, &c->timer);
	loop_defer_stop(c->loop, &c->task);
	loop_poll_close(c->poll);
	loop_close_fd(c->loop, c->fd);
	unbusy(c);
}

enum conn_state
conn_state(const struct conn *c)
{
	return c->state;
}

struct err
conn_error(const struct conn *c)
{
	return c->why;
}

const struct addr *
conn_peer(const struct conn *c)
{
	return &c->conf.peer;
}

const struct tls *
conn_tls(const struct conn *c)
{
	return c->tls;
}

struct bytes
conn_in(const struct conn *c)
{
	return buf_bytes(&c->in);
}

void
conn_ate(struct conn *c, size_t n)
{
	if (!n)
		return;
	buf_eat(&c->in, n);
	conn_purse_settle(c);
	touch(c);
}

void
conn_hold(struct conn *c, bool held)
{
	if (c->held == held)
		return;
	c->held = held;
	touch(c);
}

struct wr
conn_room(struct conn *c, size_t n)
{
	struct wr w = {NULL, NULL, true};

	if (c->stage != CONN_TALKING || c->starttls || c->state == CONN_HANDSHAKE ||
	    c->state >= CONN_BROKEN)
		return w;
	assert(n && n <= c->conf.out_max);
	if (n <= conn_purse_room(c))
		w = buf_room(&c->out, n);
	if (w.full) {
		c->need = n;
		touch(c);
	}
	return w;
}

void
conn_wrote(struct conn *c, size_t n)
{
	buf_wrote(&c->out, n);
	conn_purse_settle(c);
	touch(c);
}

bool
conn_write(struct conn *c, struct bytes b)
{
	struct wr w;

	if (!b.n)
		return true;
	w = conn_room(c, b.n);
	if (w.full)
		return false;
	wr_bytes(&w, b);
	conn_wrote(c, b.n);
	return true;
}

size_t
conn_unsent(const struct conn *c)
{
	return c->out.n + (c->tls ? tls_out(c->tls).n : 0);
}

void
conn_starttls(struct conn *c)
{
	assert((c->state == CONN_OPEN || c->state == CONN_ENDED) && c->stage == CONN_TALKING &&
	       !c->tls && (c->conf.tls || c->conf.tls_client));
	c->state = CONN_HANDSHAKE; /* who has ended is seen to have ended once more (attack 161) */
	c->starttls = true;
	buf_free(&c->in);
	c->held = false;
	conn_purse_settle(c);
	c->limit_at = loop_now_ms(c->loop) + CONN_HANDSHAKE_MS;
	touch(c);
}

void
conn_finish(struct conn *c)
{
	if (c->stage != CONN_TALKING)
		return;
	buf_free(&c->in);
	buf_free(&c->raw);
	conn_purse_settle(c);
	c->stage = CONN_FLUSHING;
	c->starttls = false;
	c->limit_at = loop_now_ms(c->loop) + CONN_FINISH_MS;
	if (c->state >= CONN_BROKEN || c->state == CONN_HANDSHAKE)
		conn_finished(c);
	touch(c);
}

enum conn_late
conn_late(const struct conn *c)
{
	return c->late;
}

void
conn_idle(struct conn *c, uint32_t ms)
{
	c->late = CONN_IN_TIME;
	c->idle_ms = ms;
	c->last_ms = loop_now_ms(c->loop);
	touch(c);
}

void
conn_until(struct conn *c, uint32_t ms)
{
	c->late = CONN_IN_TIME;
	c->until_at = ms ? loop_now_ms(c->loop) + ms : 0;
	touch(c);
}

void
conn_expect(struct conn *c, uint32_t bytes_per_s)
{
	c->late = CONN_IN_TIME;
	c->rate = bytes_per_s;
	c->window_at = bytes_per_s ? loop_now_ms(c->loop) + CONN_RATE_MS : 0;
	c->window_bytes = 0;
	c->forgiven = false;
	touch(c);
}

struct conn_counts
conn_counts(const struct conn *c)
{
	return c->counts;
}

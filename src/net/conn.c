/*
 * conn.c - a client's stream: socket, TLS machine and two buffers, moved on by work().
 *
 * Invariants:
 * 1. turn() is called from the loop only, never from within a conn_ function.
 * 2. in.n <= in_max, out.n <= out_max; bytes wait in `raw` or TLS (`more`) only while `in` is full,
 *    and nothing is read meanwhile.
 * 3. Between conn_starttls() and the handshake nothing is read, and `in` is empty (attack 84).
 * 4. Once `stage` is not TALKING the owner hears of CONN_DONE only.
 * 5. What the purse was charged is CONN_OWN, CONN_OWN_TLS in TLS, and `charged`; all is refunded.
 */
#include "net/conn.h"

#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

enum {
	CHUNK = 16 * 1024,    /* of one TLS record; plain bytes given to TLS at once */
	ROUNDS = 4,           /* of turn() and flush before the others of this loop */
	PURSE_RETRY_MS = 200, /* until an empty purse is looked at again */
};

enum stage { TALKING, FLUSHING, LINGERING, FINISHED };

struct conn {
	struct loop *loop;
	struct loop_poll *poll;
	struct loop_task task;
	struct loop_timer timer;
	uint64_t armed_at; /* what the timer is set to */
	struct conn_conf conf;
	int fd;
	conn_turn *turn;
	void *owner;
	enum conn_state state;
	enum stage stage;
	struct err why;
	struct tls *tls;
	bool starttls; /* TLS begins when what was written has left */
	bool held, news, freed;
	bool more;     /* TLS has plain bytes that wait for room in `in` */
	unsigned busy; /* callbacks that are running: freed behind the last one */
	struct buf in, out, raw;
	size_t need;             /* what conn_room() had to refuse last; 0: nothing */
	size_t charged, dropped; /* dropped: octets while LINGERING */
	struct conn_counts counts;

	enum conn_late late;
	uint32_t idle_ms, rate;
	uint64_t last_ms;  /* when a byte last came or left */
	uint64_t until_at; /* these four: 0 for none */
	uint64_t limit_at; /* of the handshake, of conn_finish() */
	uint64_t purse_at; /* when to look at an empty purse again */
	uint64_t window_at;
	uint64_t window_bytes;
	bool forgiven;
};

static void task_work(void *owner);

/* ---- what it costs ---- */

static size_t
purse_room(const struct conn *c)
{
	const struct purse *p = c->conf.purse;

	if (!p)
		return SIZE_MAX;
	return p->cap > p->used ? p->cap - p->used : 0;
}

/* Makes `charged` what the buffers hold; room in the purse was looked at before they grew. */
static void
settle_purse(struct conn *c)
{
	size_t n = c->in.n + c->out.n + c->raw.n;

	if (!c->conf.purse)
		return;
	if (n > c->charged && purse_charge(c->conf.purse, n - c->charged))
		c->charged = n;
	if (n < c->charged) {
		purse_refund(c->conf.purse, c->charged - n);
		c->charged = n;
	}
}

/* The owner looks again when the purse may have room. */
static void
wait_for_purse(struct conn *c)
{
	if (!c->purse_at)
		c->purse_at = loop_now_ms(c->loop) + PURSE_RETRY_MS;
}

/* ---- states ---- */

static void
change(struct conn *c, enum conn_state state)
{
	c->state = state;
	c->news = true;
}

static void
finished(struct conn *c)
{
	c->stage = FINISHED;
	c->limit_at = 0;
	change(c, CONN_DONE);
}

static void
broken(struct conn *c, struct err why)
{
	buf_free(&c->out);
	c->starttls = false;
	c->limit_at = 0;
	if (c->stage != TALKING) {
		finished(c);
		return;
	}
	c->why = why;
	change(c, CONN_BROKEN);
}

static void
begin_tls(struct conn *c)
{
	struct err e;

	c->starttls = false;
	buf_free(&c->in);
	if (c->conf.purse && !purse_charge(c->conf.purse, CONN_OWN_TLS)) {
		broken(c, ERR(ERR_FULL, 0, "the purse does not allow TLS"));
		return;
	}
	e = tls_new(&c->tls, c->conf.tls);
	if (!is_ok(e)) {
		if (c->conf.purse)
			purse_refund(c->conf.purse, CONN_OWN_TLS);
		broken(c, e);
		return;
	}
	c->limit_at = loop_now_ms(c->loop) + CONN_HANDSHAKE_MS;
}

/* The peer's direction has ended. */
static void
ended(struct conn *c)
{
	if (c->stage == LINGERING)
		finished(c);
	else if (c->state == CONN_HANDSHAKE)
		broken(c, ERR(ERR_GONE, 0, "the client left before TLS began"));
	else if (c->state == CONN_OPEN)
		change(c, c->tls ? CONN_CUT : CONN_ENDED);
}

/* ---- input ---- */

static void
progress(struct conn *c, size_t n)
{
	c->last_ms = loop_now_ms(c->loop);
	c->window_bytes += n;
}

/* What TLS can do with these cipher bytes; what it leaves is kept in raw. */
static void
feed(struct conn *c, struct rd *cipher)
{
	enum tls_want want = TLS_ROOM;

	while (want == TLS_ROOM && c->in.n < c->conf.in_max) {
		size_t room = c->conf.in_max - c->in.n;
		struct wr w = buf_room(&c->in, room < CHUNK ? room : CHUNK);
		const uint8_t *start = w.p;
		size_t n;

		if (w.full) {
			broken(c, ERR(ERR_MEMORY, 0, "input"));
			return;
		}
		want = tls_step(c->tls, cipher, &w);
		n = wr_since(&w, start).n;
		buf_wrote(&c->in, n);
		c->counts.in += n;
		c->news |= n > 0;
	}
	c->more = want == TLS_ROOM;
	if (c->state == CONN_HANDSHAKE && tls_is_open(c->tls)) {
		c->limit_at = 0;
		change(c, CONN_OPEN);
	}
	if (want == TLS_CLOSED && c->state == CONN_OPEN)
		change(c, CONN_ENDED);
	if (want == TLS_BROKEN && c->state < CONN_BROKEN)
		broken(c, tls_error(c->tls));
}

/* May bytes that wait for room in `in` go there now? */
static bool
may_feed(const struct conn *c)
{
	return (c->raw.n || c->more) && !c->held && c->in.n < c->conf.in_max &&
	       c->stage == TALKING && c->state < CONN_BROKEN;
}

static void
feed_raw(struct conn *c)
{
	struct rd r;

	if (!may_feed(c))
		return;
	r = rd_of(buf_bytes(&c->raw));
	feed(c, &r);
	buf_eat(&c->raw, c->raw.n - rd_left(&r));
	settle_purse(c);
}

static void
take_input(struct conn *c, struct bytes b)
{
	struct rd r = rd_of(b);

	progress(c, b.n);
	if (c->stage == LINGERING) {
		c->dropped += b.n;
		if (c->dropped > CONN_LINGER_MAX)
			finished(c);
		return;
	}
	if (c->tls) {
		feed(c, &r);
		if (c->state < CONN_BROKEN && rd_left(&r) && !buf_add(&c->raw, rd_rest(&r)))
			broken(c, ERR(ERR_MEMORY, 0, "input"));
	} else if (buf_add(&c->in, b)) {
		c->counts.in += b.n;
		c->news = true;
	} else {
		broken(c, ERR(ERR_MEMORY, 0, "input"));
	}
	settle_purse(c);
}

/* How many bytes may be read now. */
static size_t
read_room(struct conn *c)
{
	size_t room = c->tls ? CHUNK : c->conf.in_max - c->in.n, purse;

	if (c->stage == LINGERING)
		return LOOP_ROOM;
	if (c->stage != TALKING || c->held || c->starttls || c->raw.n || c->more ||
	    c->in.n >= c->conf.in_max || c->state > CONN_OPEN)
		return 0;
	purse = purse_room(c);
	if (purse < room)
		room = purse;
	return room < LOOP_ROOM ? room : LOOP_ROOM;
}

static void
read_some(struct conn *c)
{
	size_t room = read_room(c), got;
	struct err e;
	void *p;

	if (!room)
		return;
	p = loop_lend(c->loop);
	if (!p) {
		broken(c, ERR(ERR_MEMORY, 0, "input"));
		return;
	}
	e = loop_recv(c->loop, c->fd, p, room, &got);
	if (is_ok(e) && got)
		take_input(c, (struct bytes){p, got});
	else if (is_ok(e))
		ended(c);
	else if (e.code != ERR_LATER && e.code != ERR_FULL)
		broken(c, e);
	loop_give_back(c->loop, p);
}

/* ---- output ---- */

/* Sends b; how much of it left, 0 also when it broke. */
static size_t
send_some(struct conn *c, struct bytes b)
{
	size_t sent = 0;
	struct err e = loop_send(c->loop, c->fd, &b, 1, &sent);

	if (!is_ok(e)) {
		if (e.code != ERR_LATER && e.code != ERR_FULL)
			broken(c, e);
		return 0;
	}
	progress(c, sent);
	return sent;
}

static void
flush_tls(struct conn *c)
{
	for (;;) {
		struct bytes cipher = tls_out(c->tls), plain = buf_bytes(&c->out);
		size_t n;

		if (cipher.n) {
			n = send_some(c, cipher);
			if (!n)
				return;
			tls_sent(c->tls, n);
			if (n < cipher.n)
				return;
			continue;
		}
		if (!plain.n || c->state == CONN_HANDSHAKE)
			return;
		if (plain.n > CHUNK)
			plain.n = CHUNK;
		n = tls_write(c->tls, plain);
		if (!n) {
			broken(c, ERR(ERR_LIBRARY, tls_error(c->tls).sys, "TLS takes no more"));
			return;
		}
		buf_eat(&c->out, n);
		c->counts.out += n;
	}
}

static void
flush_plain(struct conn *c)
{
	while (c->out.n) {
		size_t n = send_some(c, buf_bytes(&c->out));

		if (!n)
			return;
		buf_eat(&c->out, n);
		c->counts.out += n;
	}
}

/* The steps of conn_finish(), as far as they go now. */
static void
finish_some(struct conn *c)
{
	if (c->stage != FLUSHING || conn_unsent(c))
		return;
	if (c->tls && tls_is_open(c->tls)) {
		tls_close(c->tls);
		flush_tls(c); /* close_notify fits an empty socket; if not, the end says it too */
	}
	if (c->stage != FLUSHING)
		return;
	if (!is_ok(loop_shutdown(c->loop, c->fd)) || (c->state == CONN_ENDED && !c->tls) ||
	    c->state == CONN_CUT) {
		finished(c);
		return;
	}
	c->stage = LINGERING;
	c->limit_at = loop_now_ms(c->loop) + CONN_LINGER_MS;
}

static void
flush(struct conn *c)
{
	if (c->state < CONN_BROKEN && c->stage != FINISHED) {
		if (c->tls)
			flush_tls(c);
		else
			flush_plain(c);
		finish_some(c);
		if (c->starttls && !c->out.n)
			begin_tls(c);
	} else if (c->tls && tls_out(c->tls).n) {
		struct bytes alert = tls_out(c->tls);
		size_t sent;

		/* Once: why TLS broke, for the peer. */
		if (is_ok(loop_send(c->loop, c->fd, &alert, 1, &sent)))
			tls_sent(c->tls, sent);
	}
	settle_purse(c);
	if (c->need && c->out.n + c->need <= c->conf.out_max && purse_room(c) >= c->need) {
		c->need = 0;
		c->news = true;
	}
}

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
	if (c->stage == TALKING && c->state < CONN_BROKEN && !c->late) {
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
		if (c->stage == TALKING)
			broken(c, ERR(ERR_LATER, 0, "TLS took too long to begin"));
		else
			finished(c);
	}
	if (c->stage != TALKING || c->state >= CONN_BROKEN || c->late)
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

/* What it waits for now.  The timer is moved forward only: fired too early, it is set anew. */
static void
refresh(struct conn *c)
{
	uint64_t at, now = loop_now_ms(c->loop);
	size_t room = read_room(c);
	bool sends = c->state < CONN_BROKEN && conn_unsent(c) > 0;

	if (!room && c->stage == TALKING && !sends)
		c->forgiven = true; /* it is us who do not read */
	if (c->stage == TALKING && purse_room(c) < (c->need ? c->need : 1))
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
		feed_raw(c);
		if (c->news && (c->stage == TALKING || c->stage == FINISHED)) {
			c->news = false;
			c->turn(c->owner, c);
			if (c->freed)
				return;
		}
		flush(c);
		if (!c->news && !may_feed(c))
			break;
	}
	if (may_feed(c) || (c->news && (c->stage == TALKING || c->stage == FINISHED)))
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
		read_some(c);
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

	assert(conf->in_max && conf->out_max && (conf->tls || !conf->tls_now));
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
	c->raw = buf_init(CHUNK);
	c->armed_at = UINT64_MAX;
	c->last_ms = loop_now_ms(l);
	c->state = conf->tls_now ? CONN_HANDSHAKE : CONN_OPEN;
	e = loop_poll_open(&c->poll, l, fd, polled, c);
	if (is_ok(e) && conf->tls_now) {
		begin_tls(c);
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
	settle_purse(c);
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
	settle_purse(c);
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

	if (c->stage != TALKING || c->starttls || c->state == CONN_HANDSHAKE ||
	    c->state >= CONN_BROKEN)
		return w;
	assert(n && n <= c->conf.out_max);
	if (n <= purse_room(c))
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
	settle_purse(c);
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
	assert((c->state == CONN_OPEN || c->state == CONN_ENDED) && c->stage == TALKING &&
	       !c->tls && c->conf.tls);
	c->state = CONN_HANDSHAKE; /* who has ended is seen to have ended once more (attack 161) */
	c->starttls = true;
	buf_free(&c->in);
	c->held = false;
	settle_purse(c);
	c->limit_at = loop_now_ms(c->loop) + CONN_HANDSHAKE_MS;
	touch(c);
}

void
conn_finish(struct conn *c)
{
	if (c->stage != TALKING)
		return;
	buf_free(&c->in);
	buf_free(&c->raw);
	settle_purse(c);
	c->stage = FLUSHING;
	c->starttls = false;
	c->limit_at = loop_now_ms(c->loop) + CONN_FINISH_MS;
	if (c->state >= CONN_BROKEN || c->state == CONN_HANDSHAKE)
		finished(c);
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

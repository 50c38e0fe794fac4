/*
 * loop_sim.c - virtual time: a turn lets arrive what is due, tells who polls, fires timers, runs
 * tasks; when nothing happened, time jumps to what happens next.
 */
#include "net/loop_sim.h"

#include "net/loop_fd.h"
#include "net/sim_net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* 2024-01-01 00:00 UTC */
#define EPOCH_NS (UINT64_C(1704067200) * 1000000000)

struct sim {
	struct loop loop; /* first: a loop is one of these */
	struct sim_net net;
};

static struct sim *
sim_of(const struct loop *l)
{
	return (struct sim *)(uintptr_t)l;
}

/* ---- turns ---- */

/* Tells those that were kicked before this turn; each once, however ready it stays. */
static bool
tell_ready(struct sim *s)
{
	uint64_t now = ++s->net.turn;
	struct sim_poll *p;
	bool any = false;

	while ((p = s->net.ready) && p->turn < now) {
		unsigned events = sim_net_events(&s->net, p->poll.fd) & p->poll.want;

		sim_net_unkick(&s->net, p);
		if (!events)
			continue;
		any = true;
		sim_net_kick(&s->net, p); /* it may be ready still */
		p->poll.told(p->poll.owner, events);
	}
	return any;
}

static bool
turn(struct sim *s)
{
	bool any = sim_net_arrive(&s->net);

	any |= tell_ready(s);
	return loop_turn(&s->loop) || any;
}

/* Until `end`: false when nothing can happen before. */
static bool
step(struct sim *s, uint64_t end)
{
	uint64_t timer, arrival, next;

	if (turn(s) || s->loop.n_tasks)
		return true;
	timer = loop_next(&s->loop);
	arrival = sim_net_next(&s->net);
	next = timer < arrival ? timer : arrival;
	if (next == LOOP_NEVER || next > end)
		return false;
	if (next > s->loop.now_ms)
		s->loop.now_ms = s->net.now_ms = next;
	return true;
}

static struct err
sim_loop_run(struct loop *l)
{
	while (!l->stopped && step(sim_of(l), LOOP_NEVER - 1))
		;
	return OK;
}

static void
sim_loop_close(struct loop *l)
{
	struct sim *s = sim_of(l);

	sim_net_fini(&s->net);
	loop_fini(l);
	free(s);
}

static uint64_t
sim_loop_wall_ns(const struct loop *l)
{
	return EPOCH_NS + l->now_ms * 1000000;
}

static bool
sim_loop_wait(struct loop *l, int fd, unsigned events, uint64_t *left_ms)
{
	struct sim *s = sim_of(l);
	uint64_t end = l->now_ms + *left_ms;

	while (!(sim_net_events(&s->net, fd) & events) && l->now_ms < end && step(s, end))
		;
	*left_ms = end > l->now_ms ? end - l->now_ms : 0;
	if (sim_net_events(&s->net, fd) & events)
		return true;
	if (*left_ms)
		l->now_ms = s->net.now_ms = end; /* nothing will come: the time passes */
	*left_ms = 0;
	return false;
}

/* ---- polls ---- */

static struct err
sim_loop_poll_open(struct loop_poll **out, struct loop *l, int fd, loop_poll_fn *told, void *owner)
{
	struct sim_poll *p;
	struct err e;

	if (!sim_net_is_virtual(fd))
		return ERR(ERR_IO, EPERM, "a simulation cannot poll the kernel's descriptors");
	p = calloc(1, sizeof(*p));
	if (!p)
		return ERR(ERR_MEMORY, 0, "a poll");
	p->poll = (struct loop_poll){l, fd, 0, told, owner};
	e = sim_net_watch(&sim_of(l)->net, fd, p);
	if (!is_ok(e)) {
		free(p);
		return e;
	}
	*out = &p->poll;
	return OK;
}

static void
sim_loop_poll_want(struct loop_poll *poll, unsigned events)
{
	poll->want = events;
	sim_net_kick(&sim_of(poll->loop)->net, (struct sim_poll *)(void *)poll);
}

static void
sim_loop_poll_close(struct loop_poll *poll)
{
	struct sim_poll *p = (struct sim_poll *)(void *)poll;

	sim_net_unwatch(&sim_of(poll->loop)->net, p);
	free(p);
}

static struct err
sim_loop_signal_open(struct loop_signal **out, struct loop *l, int number, loop_fn *fn, void *owner)
{
	(void)l;
	(void)number;
	(void)fn;
	(void)owner;
	*out = NULL;
	return OK;
}

/* ---- descriptors ---- */

static void
sim_loop_close_fd(struct loop *l, int fd)
{
	if (sim_net_is_virtual(fd))
		sim_net_close(&sim_of(l)->net, fd);
	else
		loop_fd_close(fd);
}

static struct err
sim_loop_dup(struct loop *l, int fd, int *out)
{
	return sim_net_dup(&sim_of(l)->net, fd, out);
}

static struct err
sim_loop_pair(struct loop *l, enum loop_kind kind, int fd[2])
{
	return sim_net_pair(&sim_of(l)->net, kind, fd);
}

static struct err
sim_loop_listen(struct loop *l, const struct addr *a, enum loop_kind kind, bool shared, int *fd)
{
	(void)shared;
	return sim_net_listen(&sim_of(l)->net, a, kind, fd);
}

static struct err
sim_loop_connect(struct loop *l, int fd, const struct addr *from, const struct addr *to, int *out)
{
	static const struct addr any;

	return sim_net_connect(&sim_of(l)->net, fd, from ? from : &any, to, out);
}

static struct err
sim_loop_connected(struct loop *l, int fd)
{
	return sim_net_connected(&sim_of(l)->net, fd);
}

static struct err
sim_loop_bind(struct loop *l, const struct addr *from, int *fd)
{
	return sim_net_bind(&sim_of(l)->net, from, fd);
}

static struct err
sim_loop_dgram_open(struct loop *l, const struct addr *from, const struct addr *to, int *fd)
{
	return sim_net_dgram_open(&sim_of(l)->net, from, to, fd);
}

static struct err
sim_loop_local(struct loop *l, int fd, struct addr *a)
{
	return sim_net_local(&sim_of(l)->net, fd, a);
}

static struct err
sim_loop_recv(struct loop *l, int fd, void *p, size_t n, size_t *got)
{
	return sim_net_recv(&sim_of(l)->net, fd, p, n, got, NULL);
}

static struct err
sim_loop_send(struct loop *l, int fd, const struct bytes *pieces, size_t n, size_t *sent)
{
	return sim_net_send(&sim_of(l)->net, fd, pieces, n, -1, sent);
}

static struct err
sim_loop_shutdown(struct loop *l, int fd)
{
	return sim_net_shutdown(&sim_of(l)->net, fd);
}

static struct err
sim_loop_accept(struct loop *l, int listener, int *fd, struct addr *peer)
{
	return sim_net_accept(&sim_of(l)->net, listener, fd, peer);
}

static struct err
sim_loop_msg_send(struct loop *l, int fd, struct bytes message, int pass)
{
	size_t sent;

	return sim_net_send(&sim_of(l)->net, fd, &message, 1, pass, &sent);
}

static struct err
sim_loop_msg_recv(struct loop *l, int fd, void *p, size_t n, size_t *got, int *passed)
{
	return sim_net_recv(&sim_of(l)->net, fd, p, n, got, passed);
}

static struct err
sim_loop_dgram_recv(struct loop *l, int fd, struct loop_dgram *d, size_t max, size_t *got)
{
	return sim_net_dgram_recv(&sim_of(l)->net, fd, d, max, got);
}

static struct err
sim_loop_dgram_send(struct loop *l, int fd, const struct loop_dgram *d, size_t n, size_t *sent)
{
	return sim_net_dgram_send(&sim_of(l)->net, fd, d, n, sent);
}

static const struct loop_ops sim_ops = {
    .close = sim_loop_close,
    .run = sim_loop_run,
    .wall_ns = sim_loop_wall_ns,
    .poll_open = sim_loop_poll_open,
    .poll_want = sim_loop_poll_want,
    .poll_close = sim_loop_poll_close,
    .wait = sim_loop_wait,
    .signal_open = sim_loop_signal_open,
    .close_fd = sim_loop_close_fd,
    .dup = sim_loop_dup,
    .pair = sim_loop_pair,
    .listen = sim_loop_listen,
    .connect = sim_loop_connect,
    .connected = sim_loop_connected,
    .bind = sim_loop_bind,
    .dgram_open = sim_loop_dgram_open,
    .local = sim_loop_local,
    .recv = sim_loop_recv,
    .send = sim_loop_send,
    .shutdown = sim_loop_shutdown,
    .accept = sim_loop_accept,
    .msg_send = sim_loop_msg_send,
    .msg_recv = sim_loop_msg_recv,
    .dgram_recv = sim_loop_dgram_recv,
    .dgram_send = sim_loop_dgram_send,
};

/* ---- public ---- */

struct err
loop_sim_open(struct loop **out, uint64_t seed)
{
	struct sim *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "a simulation");
	loop_init(&s->loop, &sim_ops);
	e = sim_net_init(&s->net, seed);
	if (!is_ok(e)) {
		free(s);
		return e;
	}
	*out = &s->loop;
	return OK;
}

void
sim_weather(struct loop *l, const struct sim_weather *w)
{
	assert(w->delay_min_ms <= w->delay_max_ms);
	sim_of(l)->net.weather = *w;
}

struct err
sim_connect(struct loop *l, const struct addr *from, const struct addr *to, int *fd)
{
	return sim_net_connect(&sim_of(l)->net, -1, from, to, fd);
}

void
sim_cut(struct loop *l, int fd)
{
	sim_net_cut(&sim_of(l)->net, fd);
}

void
sim_run(struct loop *l, uint64_t ms)
{
	struct sim *s = sim_of(l);
	uint64_t end = l->now_ms + ms;

	l->stopped = false;
	while (!l->stopped && step(s, end))
		;
	if (!l->stopped && l->now_ms < end)
		l->now_ms = s->net.now_ms = end;
}

size_t
sim_open_fds(const struct loop *l)
{
	return sim_net_count(&sim_of(l)->net);
}

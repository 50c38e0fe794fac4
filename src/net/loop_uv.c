/*
 * loop_uv.c - the real loop, on libuv: its polls and signals; time and tasks are loop.c's, and one
 * libuv timer wakes for the first of ours.
 */
#include "base/clock.h"
#include "net/loop_fd.h"
#include "net/loop_ops.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <uv.h>

struct uv_kind {
	struct loop loop; /* first: a loop is one of these */
	uv_loop_t uv;
	uv_timer_t wake;
	int reserve; /* to be given up where a client must be turned away (attack 151) */
};

struct uv_polled {
	struct loop_poll poll; /* first */
	uv_poll_t uv;
};

struct loop_signal {
	struct uv_kind *kind;
	uv_signal_t uv;
	loop_fn *fn;
	void *owner;
};

static struct uv_kind *
kind_of(struct loop *l)
{
	return (struct uv_kind *)(void *)l;
}

static void
woken(uv_timer_t *t)
{
	(void)t;
}

static struct err
uv_kind_run(struct loop *l)
{
	struct uv_kind *k = kind_of(l);

	while (!l->stopped) {
		uint64_t next = loop_next(l);
		bool busy = l->n_tasks > 0, alive;

		uv_update_time(&k->uv);
		l->now_ms = uv_now(&k->uv);
		/* one that is due fires `wake` before the wait, which would then know no end */
		busy |= next <= l->now_ms;
		if (next != LOOP_NEVER)
			uv_timer_start(&k->wake, woken, next > l->now_ms ? next - l->now_ms : 0, 0);
		else
			uv_timer_stop(&k->wake);
		alive = uv_run(&k->uv, busy ? UV_RUN_NOWAIT : UV_RUN_ONCE);
		l->now_ms = uv_now(&k->uv);
		loop_turn(l);
		if (!alive && !l->n_tasks && loop_next(l) == LOOP_NEVER && !uv_loop_alive(&k->uv))
			return OK;
	}
	return OK;
}

static void
uv_kind_close(struct loop *l)
{
	struct uv_kind *k = kind_of(l);
	int r;

	uv_close((uv_handle_t *)&k->wake, NULL);
	uv_run(&k->uv, UV_RUN_DEFAULT); /* handles free themselves in their last turn */
	r = uv_loop_close(&k->uv);
	assert(r == 0); /* else a poll or a signal is still open */
	(void)r;
	loop_fini(l);
	loop_fd_close(k->reserve);
	free(k);
}

static uint64_t
uv_kind_wall_ns(const struct loop *l)
{
	(void)l;
	return clock_wall_ns();
}

/* ---- polls ---- */

static void
polled(uv_poll_t *uv, int status, int events)
{
	struct uv_polled *p = uv->data;
	unsigned told = 0;

	p->poll.loop->now_ms = uv_now(uv->loop);
	if (status < 0) {
		told = p->poll.want;
		p->poll.want = 0; /* libuv has stopped it */
	} else {
		told |= events & (UV_READABLE | UV_DISCONNECT) ? LOOP_READ : 0u;
		told |= events & UV_WRITABLE ? LOOP_WRITE : 0u;
		told &= p->poll.want;
	}
	if (told)
		p->poll.told(p->poll.owner, told);
}

static void
poll_freed(uv_handle_t *uv)
{
	free(uv->data);
}

static struct err
uv_kind_poll_open(struct loop_poll **out, struct loop *l, int fd, loop_poll_fn *told, void *owner)
{
	struct uv_polled *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return ERR(ERR_MEMORY, 0, "a poll");
	r = uv_poll_init(&kind_of(l)->uv, &p->uv, fd);
	if (r != 0) {
		free(p);
		return ERR(ERR_IO, -r, "a poll");
	}
	p->uv.data = p;
	p->poll = (struct loop_poll){l, fd, 0, told, owner};
	*out = &p->poll;
	return OK;
}

static void
uv_kind_poll_want(struct loop_poll *poll, unsigned events)
{
	struct uv_polled *p = (struct uv_polled *)(void *)poll;
	int wanted =
	    (events & LOOP_READ ? UV_READABLE : 0) | (events & LOOP_WRITE ? UV_WRITABLE : 0);
	int r = wanted ? uv_poll_start(&p->uv, wanted, polled) : uv_poll_stop(&p->uv);

	assert(r == 0);
	(void)r;
	poll->want = events;
}

static void
uv_kind_poll_close(struct loop_poll *poll)
{
	struct uv_polled *p = (struct uv_polled *)(void *)poll;

	uv_close((uv_handle_t *)&p->uv, poll_freed);
}

static bool
uv_kind_wait(struct loop *l, int fd, unsigned events, uint64_t *left_ms)
{
	uint64_t now = clock_mono_ns() / 1000000, end = now + *left_ms;
	struct pollfd p = {.fd = fd};
	int r;

	(void)l;
	p.events = (short)((events & LOOP_READ ? POLLIN : 0) | (events & LOOP_WRITE ? POLLOUT : 0));
	do {
		uint64_t left = end > now ? end - now : 0;

		r = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		now = clock_mono_ns() / 1000000;
	} while (r == 0 ? now < end : r < 0 && errno == EINTR);
	*left_ms = end > now ? end - now : 0;
	return r > 0;
}

/* ---- signals ---- */

static void
signalled(uv_signal_t *uv, int number)
{
	struct loop_signal *s = uv->data;

	(void)number;
	s->kind->loop.now_ms = uv_now(uv->loop);
	s->fn(s->owner);
}

static void
signal_freed(uv_handle_t *uv)
{
	free(uv->data);
}

static struct err
uv_kind_signal_open(struct loop_signal **out, struct loop *l, int number, loop_fn *fn, void *owner)
{
	struct loop_signal *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return ERR(ERR_MEMORY, 0, "a signal");
	*s = (struct loop_signal){.kind = kind_of(l), .fn = fn, .owner = owner};
	r = uv_signal_init(&s->kind->uv, &s->uv);
	if (r != 0) {
		free(s);
		return ERR(ERR_IO, -r, "a signal");
	}
	s->uv.data = s;
	r = uv_signal_start(&s->uv, signalled, number);
	if (r != 0) {
		uv_close((uv_handle_t *)&s->uv, signal_freed);
		return ERR(ERR_IO, -r, "a signal");
	}
	*out = s;
	return OK;
}

void
loop_signal_close(struct loop_signal *s)
{
	if (s)
		uv_close((uv_handle_t *)&s->uv, signal_freed);
}

/* ---- descriptors ---- */

static void
uv_kind_close_fd(struct loop *l, int fd)
{
	(void)l;
	loop_fd_close(fd);
}

static struct err
uv_kind_dup(struct loop *l, int fd, int *out)
{
	(void)l;
	return loop_fd_dup(fd, out);
}

static struct err
uv_kind_pair(struct loop *l, enum loop_kind kind, int fd[2])
{
	(void)l;
	return loop_fd_pair(kind, fd);
}

static struct err
uv_kind_listen(struct loop *l, const struct addr *a, enum loop_kind kind, bool shared, int *fd)
{
	(void)l;
	return loop_fd_listen(a, kind, shared, fd);
}

static struct err
uv_kind_connect(struct loop *l, int fd, const struct addr *from, const struct addr *to, int *out)
{
	(void)l;
	return loop_fd_connect(fd, from, to, out);
}

static struct err
uv_kind_connected(struct loop *l, int fd)
{
	(void)l;
	return loop_fd_connected(fd);
}

static struct err
uv_kind_bind(struct loop *l, const struct addr *from, int *fd)
{
	(void)l;
	return loop_fd_bind(from, fd);
}

static struct err
uv_kind_dgram_open(struct loop *l, const struct addr *from, const struct addr *to, int *fd)
{
	(void)l;
	return loop_fd_dgram_open(from, to, fd);
}

static struct err
uv_kind_local(struct loop *l, int fd, struct addr *a)
{
	(void)l;
	return loop_fd_local(fd, a);
}

static struct err
uv_kind_recv(struct loop *l, int fd, void *p, size_t n, size_t *got)
{
	(void)l;
	return loop_fd_recv(fd, p, n, got);
}

static struct err
uv_kind_send(struct loop *l, int fd, const struct bytes *pieces, size_t n, size_t *sent)
{
	(void)l;
	return loop_fd_send(fd, pieces, n, sent);
}

static struct err
uv_kind_shutdown(struct loop *l, int fd)
{
	(void)l;
	return loop_fd_shutdown(fd);
}

static struct err
uv_kind_accept(struct loop *l, int listener, int *fd, struct addr *peer)
{
	return loop_fd_accept(listener, &kind_of(l)->reserve, fd, peer);
}

static struct err
uv_kind_msg_send(struct loop *l, int fd, struct bytes message, int pass)
{
	(void)l;
	return loop_fd_msg_send(fd, message, pass);
}

static struct err
uv_kind_msg_recv(struct loop *l, int fd, void *p, size_t n, size_t *got, int *passed)
{
	(void)l;
	return loop_fd_msg_recv(fd, p, n, got, passed);
}

static struct err
uv_kind_dgram_recv(struct loop *l, int fd, struct loop_dgram *d, size_t max, size_t *got)
{
	(void)l;
	return loop_fd_dgram_recv(fd, d, max, got);
}

static struct err
uv_kind_dgram_send(struct loop *l, int fd, const struct loop_dgram *d, size_t n, size_t *sent)
{
	(void)l;
	return loop_fd_dgram_send(fd, d, n, sent);
}

static const struct loop_ops uv_kind_ops = {
    .close = uv_kind_close,
    .run = uv_kind_run,
    .wall_ns = uv_kind_wall_ns,
    .poll_open = uv_kind_poll_open,
    .poll_want = uv_kind_poll_want,
    .poll_close = uv_kind_poll_close,
    .wait = uv_kind_wait,
    .signal_open = uv_kind_signal_open,
    .close_fd = uv_kind_close_fd,
    .dup = uv_kind_dup,
    .pair = uv_kind_pair,
    .listen = uv_kind_listen,
    .connect = uv_kind_connect,
    .connected = uv_kind_connected,
    .bind = uv_kind_bind,
    .dgram_open = uv_kind_dgram_open,
    .local = uv_kind_local,
    .recv = uv_kind_recv,
    .send = uv_kind_send,
    .send_file = loop_fd_send_file,
    .shutdown = uv_kind_shutdown,
    .accept = uv_kind_accept,
    .msg_send = uv_kind_msg_send,
    .msg_recv = uv_kind_msg_recv,
    .dgram_recv = uv_kind_dgram_recv,
    .dgram_send = uv_kind_dgram_send,
};

struct err
loop_open(struct loop **out)
{
	struct uv_kind *k = calloc(1, sizeof(*k));
	struct err e = OK;
	int r;

	if (!k)
		return ERR(ERR_MEMORY, 0, "a loop");
	loop_init(&k->loop, &uv_kind_ops);
	r = uv_loop_init(&k->uv);
	if (r != 0) {
		free(k);
		return ERR(ERR_IO, -r, "a loop");
	}
	uv_timer_init(&k->uv, &k->wake);
	k->loop.now_ms = uv_now(&k->uv);
	k->reserve = loop_fd_reserve();
	if (k->reserve < 0) {
		e = ERR(ERR_IO, errno, "the reserve descriptor");
		uv_kind_close(&k->loop);
		return e;
	}
	*out = &k->loop;
	return OK;
}

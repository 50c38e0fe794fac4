/* accept.c - a poll on a listener, and the rest it takes when descriptors have run out. */
#include "net/accept.h"

#include <stdlib.h>

enum {
	A_TURN = 16,   /* clients taken before the others of this loop have their turn */
	REST_MS = 100, /* with no descriptor left: 160 are turned away a second at most */
};

struct accept {
	struct loop *loop;
	struct loop_poll *poll;
	struct loop_timer rest;
	struct addr local;
	int fd;
	bool *closed; /* closed: set where accept_close() was called in made() */
	accept_fn *made;
	void *owner;
	struct accept_counts counts;
};

static void
want(struct accept *a)
{
	loop_poll_want(a->poll, loop_timer_runs(&a->rest) ? 0 : LOOP_READ);
}

static void
rested(void *owner)
{
	want(owner);
}

static void
take(void *owner, unsigned events)
{
	struct accept *a = owner;
	struct addr peer;
	struct err e;
	bool closed = false;
	int fd;

	(void)events;
	a->closed = &closed;
	for (int i = 0; i < A_TURN; i++) {
		e = loop_accept(a->loop, a->fd, &fd, &peer);
		if (is_ok(e)) {
			a->counts.taken++;
			a->made(a->owner, fd, &peer);
			if (closed)
				return;
		} else if (e.code == ERR_LATER) {
			break;
		} else { /* a fault of the listener itself also rests: it must not spin */
			a->counts.turned_away += e.code == ERR_FULL;
			if (i > 0 && e.code == ERR_FULL)
				continue;
			loop_timer_set(a->loop, &a->rest, REST_MS, rested, a);
			break;
		}
	}
	a->closed = NULL;
	want(a);
}

struct err
accept_open(struct accept **out, struct loop *l, int listener, accept_fn *made, void *owner)
{
	struct accept *a = calloc(1, sizeof(*a));
	struct err e;

	if (!a) {
		loop_close_fd(l, listener);
		return ERR(ERR_MEMORY, 0, "accept");
	}
	*a = (struct accept){.loop = l, .fd = listener, .made = made, .owner = owner};
	e = loop_local(l, listener, &a->local);
	if (is_ok(e))
		e = loop_poll_open(&a->poll, l, listener, take, a);
	if (!is_ok(e)) {
		accept_close(a);
		return e;
	}
	want(a);
	*out = a;
	return OK;
}

struct accept_counts
accept_counts(const struct accept *a)
{
	return a->counts;
}

const struct addr *
accept_local(const struct accept *a)
{
	return &a->local;
}

void
accept_close(struct accept *a)
{
	if (!a)
		return;
	if (a->closed)
		*a->closed = true;
	loop_timer_stop(a->loop, &a->rest);
	loop_poll_close(a->poll);
	loop_close_fd(a->loop, a->fd);
	free(a);
}

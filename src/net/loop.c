/*
 * loop.c - what both kinds of loop share: timers, tasks, lent memory, and the way to the kind.
 *
 * Invariants:
 * 1. A timer is in the heap, or in `spilled`, or does not run.
 * 2. A turn fires no more timers and runs no more tasks than there were at its start: so it ends
 *    whatever its callbacks do.
 */
#include "net/loop_ops.h"

#include <assert.h>
#include <stdlib.h>

_Static_assert(offsetof(struct loop_timer, node) == 0, "a node of the heap is its timer");

void
loop_init(struct loop *l, const struct loop_ops *ops)
{
	*l = (struct loop){.ops = ops};
	l->tasks_end = &l->tasks;
}

void
loop_fini(struct loop *l)
{
	assert(!l->tasks && !l->timers.n && !l->spilled);
	heap_fini(&l->timers);
	while (l->spares)
		free(l->spare[--l->spares]);
}

/* ---- timers ---- */

bool
loop_timer_runs(const struct loop_timer *t)
{
	return heap_holds(&t->node) || t->link;
}

void
loop_timer_stop(struct loop *l, struct loop_timer *t)
{
	if (heap_holds(&t->node))
		heap_remove(&l->timers, &t->node);
	if (t->link) {
		*t->link = t->next;
		if (t->next)
			t->next->link = t->link;
		t->link = NULL;
	}
}

void
loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t after_ms, loop_fn *fire, void *owner)
{
	uint64_t at = l->now_ms + after_ms;

	t->fire = fire;
	t->owner = owner;
	if (heap_holds(&t->node)) {
		heap_move(&l->timers, &t->node, at);
		return;
	}
	loop_timer_stop(l, t);
	if (heap_push(&l->timers, &t->node, at))
		return;
	t->node.key = at;
	t->next = l->spilled;
	t->link = &l->spilled;
	if (t->next)
		t->next->link = &t->next;
	l->spilled = t;
}

uint64_t
loop_next(const struct loop *l)
{
	const struct heap_node *first = heap_first(&l->timers);
	uint64_t at = first ? first->key : LOOP_NEVER;

	for (const struct loop_timer *t = l->spilled; t; t = t->next)
		if (t->node.key < at)
			at = t->node.key;
	return at;
}

/* The next timer that is due at `now`, stopped; NULL. */
static struct loop_timer *
due(struct loop *l, uint64_t now)
{
	struct heap_node *first = heap_first(&l->timers);

	if (first && first->key <= now) {
		heap_remove(&l->timers, first);
		return (struct loop_timer *)(void *)first;
	}
	for (struct loop_timer *t = l->spilled; t; t = t->next) {
		if (t->node.key <= now) {
			loop_timer_stop(l, t);
			return t;
		}
	}
	return NULL;
}

/* ---- tasks ---- */

void
loop_defer(struct loop *l, struct loop_task *t, loop_fn *run, void *owner)
{
	t->run = run;
	t->owner = owner;
	if (t->link)
		return;
	t->next = NULL;
	t->link = l->tasks_end;
	*l->tasks_end = t;
	l->tasks_end = &t->next;
	l->n_tasks++;
}

void
loop_defer_stop(struct loop *l, struct loop_task *t)
{
	if (!t->link)
		return;
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	else
		l->tasks_end = t->link;
	t->link = NULL;
	l->n_tasks--;
}

bool
loop_turn(struct loop *l)
{
	size_t timers = l->timers.n, tasks;
	struct loop_timer *t;
	bool any = false;

	for (t = l->spilled; t; t = t->next)
		timers++;
	for (; timers && (t = due(l, l->now_ms)); timers--) {
		any = true;
		t->fire(t->owner);
	}
	for (tasks = l->n_tasks; tasks && l->tasks; tasks--) {
		struct loop_task *task = l->tasks;

		any = true;
		loop_defer_stop(l, task);
		task->run(task->owner);
	}
	return any;
}

/* ---- lent memory ---- */

void *
loop_lend(struct loop *l)
{
	return l->spares ? l->spare[--l->spares] : malloc(LOOP_ROOM);
}

void
loop_give_back(struct loop *l, void *p)
{
	if (p && l->spares < LOOP_SPARE)
		l->spare[l->spares++] = p;
	else
		free(p);
}

/* ---- to the kind ---- */

void
loop_close(struct loop *l)
{
	if (l)
		l->ops->close(l);
}

struct err
loop_run(struct loop *l)
{
	l->stopped = false;
	return l->ops->run(l);
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

uint64_t
loop_wall_ns(const struct loop *l)
{
	return l->ops->wall_ns(l);
}

struct err
loop_poll_open(struct loop_poll **out, struct loop *l, int fd, loop_poll_fn *told, void *owner)
{
	return l->ops->poll_open(out, l, fd, told, owner);
}

void
loop_poll_want(struct loop_poll *p, unsigned events)
{
	if (p->want != events)
		p->loop->ops->poll_want(p, events);
}

void
loop_poll_close(struct loop_poll *p)
{
	if (p)
		p->loop->ops->poll_close(p);
}

bool
loop_wait(struct loop *l, int fd, unsigned events, uint64_t *left_ms)
{
	return l->ops->wait(l, fd, events, left_ms);
}

struct err
loop_signal_open(struct loop_signal **out, struct loop *l, int number, loop_fn *fn, void *owner)
{
	return l->ops->signal_open(out, l, number, fn, owner);
}

void
loop_close_fd(struct loop *l, int fd)
{
	if (fd >= 0)
		l->ops->close_fd(l, fd);
}

struct err
loop_dup(struct loop *l, int fd, int *out)
{
	return l->ops->dup(l, fd, out);
}

struct err
loop_pair(struct loop *l, enum loop_kind kind, int fd[2])
{
	return l->ops->pair(l, kind, fd);
}

struct err
loop_listen(struct loop *l, const struct addr *a, enum loop_kind kind, bool shared, int *fd)
{
	return l->ops->listen(l, a, kind, shared, fd);
}

struct err
loop_local(struct loop *l, int fd, struct addr *a)
{
	return l->ops->local(l, fd, a);
}

struct err
loop_recv(struct loop *l, int fd, void *p, size_t n, size_t *got)
{
	return l->ops->recv(l, fd, p, n, got);
}

struct err
loop_send(struct loop *l, int fd, const struct bytes *pieces, size_t n, size_t *sent)
{
	assert(n <= LOOP_PIECES);
	return l->ops->send(l, fd, pieces, n, sent);
}

struct err
loop_shutdown(struct loop *l, int fd)
{
	return l->ops->shutdown(l, fd);
}

struct err
loop_accept(struct loop *l, int listener, int *fd, struct addr *peer)
{
	return l->ops->accept(l, listener, fd, peer);
}

struct err
loop_msg_send(struct loop *l, int fd, struct bytes message, int pass)
{
	assert(message.n); /* an empty one would be read as the end */
	return l->ops->msg_send(l, fd, message, pass);
}

struct err
loop_msg_recv(struct loop *l, int fd, void *p, size_t n, size_t *got, int *passed)
{
	return l->ops->msg_recv(l, fd, p, n, got, passed);
}

struct err
loop_dgram_recv(struct loop *l, int fd, struct loop_dgram *d, size_t max, size_t *got)
{
	return l->ops->dgram_recv(l, fd, d, max < LOOP_BATCH ? max : LOOP_BATCH, got);
}

struct err
loop_dgram_send(struct loop *l, int fd, const struct loop_dgram *d, size_t n, size_t *sent)
{
	return l->ops->dgram_send(l, fd, d, n < LOOP_BATCH ? n : LOOP_BATCH, sent);
}

/* udp.c - one poll, one batch at a time, buffers made once. */
#include "net/udp.h"

#include <assert.h>
#include <stdlib.h>

enum { BATCHES_A_TURN = 4 };

struct udp {
	struct loop *loop;
	struct loop_poll *poll;
	int fd;
	size_t query_max, reply_max;
	udp_fn *answer;
	void *owner;
	bool *closed; /* set where udp_close() was called in answer() */
	struct udp_counts counts;
	struct loop_dgram in[LOOP_BATCH], out[LOOP_BATCH];
	struct udp_item items[LOOP_BATCH];
	uint8_t *room; /* LOOP_BATCH queries, then as many replies */
};

static uint8_t *
reply_room(struct udp *u, size_t i)
{
	return u->room + LOOP_BATCH * u->query_max + i * u->reply_max;
}

/* The whole queries of a batch; false when the socket had none. */
static bool
receive(struct udp *u, size_t *n)
{
	size_t got = 0;

	*n = 0;
	if (!is_ok(loop_dgram_recv(u->loop, u->fd, u->in, LOOP_BATCH, &got)))
		return false;
	for (size_t i = 0; i < got; i++) {
		struct loop_dgram *d = &u->in[i];

		if (d->cut) {
			u->counts.cut++;
			continue;
		}
		u->items[*n] = (struct udp_item){
		    d->peer, d->local, {d->p, d->n}, wr_of(reply_room(u, *n), u->reply_max)};
		++*n;
	}
	u->counts.in += got;
	return got > 0;
}

static void
send_replies(struct udp *u, size_t n)
{
	size_t ready = 0, sent = 0;

	for (size_t i = 0; i < n; i++) {
		const struct udp_item *it = &u->items[i];
		uint8_t *start = reply_room(u, i);

		if (!it->reply.full && it->reply.p > start)
			u->out[ready++] = (struct loop_dgram){
			    it->peer, it->local, start, (size_t)(it->reply.p - start), 0, false};
	}
	if (ready && !is_ok(loop_dgram_send(u->loop, u->fd, u->out, ready, &sent)))
		sent = 0;
	u->counts.out += sent;
	u->counts.dropped += ready - sent;
}

static void
readable(void *owner, unsigned events)
{
	struct udp *u = owner;
	bool closed = false;
	size_t n;

	(void)events;
	u->closed = &closed;
	for (int i = 0; i < BATCHES_A_TURN && receive(u, &n); i++) {
		u->counts.batches++;
		if (!n)
			continue;
		u->answer(u->owner, u->items, n);
		if (closed)
			return;
		send_replies(u, n);
		if (n < LOOP_BATCH)
			break;
	}
	u->closed = NULL;
}

struct err
udp_open(struct udp **out, struct loop *l, int fd, size_t query_max, size_t reply_max,
         udp_fn *answer, void *owner)
{
	struct udp *u = calloc(1, sizeof(*u));
	struct err e = ERR(ERR_MEMORY, 0, "udp");

	assert(query_max && query_max <= UINT16_MAX && reply_max && reply_max <= UINT16_MAX);
	if (!u) {
		loop_close_fd(l, fd);
		return e;
	}
	u->loop = l;
	u->fd = fd;
	u->query_max = query_max;
	u->reply_max = reply_max;
	u->answer = answer;
	u->owner = owner;
	u->room = malloc(LOOP_BATCH * (query_max + reply_max));
	for (size_t i = 0; u->room && i < LOOP_BATCH; i++) {
		u->in[i].p = u->room + i * query_max;
		u->in[i].cap = query_max;
	}
	if (u->room)
		e = loop_poll_open(&u->poll, l, fd, readable, u);
	if (!is_ok(e)) {
		udp_close(u);
		return e;
	}
	loop_poll_want(u->poll, LOOP_READ);
	*out = u;
	return OK;
}

bool
udp_send(struct udp *u, const struct addr *peer, const struct addr *local, struct bytes b)
{
	const struct loop_dgram d = {*peer, *local, (uint8_t *)(uintptr_t)b.p, b.n, 0, false};
	size_t sent = 0;

	if (!is_ok(loop_dgram_send(u->loop, u->fd, &d, 1, &sent)))
		sent = 0;
	u->counts.out += sent;
	u->counts.dropped += 1 - sent;
	return sent == 1;
}

struct udp_counts
udp_counts(const struct udp *u)
{
	return u->counts;
}

void
udp_close(struct udp *u)
{
	if (!u)
		return;
	if (u->closed)
		*u->closed = true;
	loop_poll_close(u->poll);
	loop_close_fd(u->loop, u->fd);
	free(u->room);
	free(u);
}

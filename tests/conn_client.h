/*
 * conn_client.h - a client of a connection under test, plain or in TLS, which sends in pieces of any
 * size.
 */
#ifndef TESTS_CONN_CLIENT_H
#define TESTS_CONN_CLIENT_H

#include "conn_world.h"

struct peer {
	struct loop *loop;
	struct loop_poll *poll;
	struct tls *tls;
	int fd;
	struct buf in, out;
	size_t piece; /* octets a send; 0: all */
	bool deaf;    /* does not read */
	bool ended, clean, broken;
};

static void
peer_want(struct peer *p)
{
	bool sends = p->tls ? tls_out(p->tls).n || (p->out.n && tls_is_open(p->tls)) : p->out.n > 0;

	if (p->poll)
		loop_poll_want(p->poll, (p->deaf || p->ended ? 0u : LOOP_READ) |
		                            (sends && !p->broken ? LOOP_WRITE : 0u));
}

static void
peer_take(struct peer *p, struct bytes b)
{
	struct rd r = rd_of(b);
	enum tls_want want = TLS_ROOM;

	if (!p->tls) {
		assert_true(buf_add(&p->in, b));
		return;
	}
	while (want == TLS_ROOM) {
		uint8_t room[20000];
		struct wr w = wr_of(room, sizeof(room));

		want = tls_step(p->tls, &r, &w);
		assert_true(buf_add(&p->in, wr_since(&w, room)));
	}
	p->clean |= want == TLS_CLOSED;
	p->broken |= want == TLS_BROKEN;
}

static void
peer_send(struct peer *p)
{
	struct bytes b = buf_bytes(&p->out);
	size_t sent = 0;
	struct err e;

	if (p->tls) {
		if (!tls_out(p->tls).n && b.n)
			buf_eat(&p->out, tls_write(p->tls, b));
		b = tls_out(p->tls);
	}
	if (p->piece && b.n > p->piece)
		b.n = p->piece;
	if (!b.n)
		return;
	e = loop_send(p->loop, p->fd, &b, 1, &sent);
	p->broken |= is_fault(e);
	if (p->tls)
		tls_sent(p->tls, sent);
	else
		buf_eat(&p->out, sent);
}

static void
peer_polled(void *owner, unsigned events)
{
	struct peer *p = owner;
	uint8_t room[4096];
	size_t got;
	struct err e;

	if (events & LOOP_READ) {
		e = loop_recv(p->loop, p->fd, room, sizeof(room), &got);
		p->broken |= is_fault(e);
		p->ended |= is_fault(e) || (is_ok(e) && !got);
		if (is_ok(e) && got)
			peer_take(p, (struct bytes){room, got});
	}
	if (events & LOOP_WRITE)
		peer_send(p);
	peer_want(p);
}

static inline void
peer_open(struct peer *p, struct loop *l, int fd, size_t piece)
{
	*p = (struct peer){.loop = l, .fd = fd, .piece = piece};
	p->in = buf_init(4 << 20);
	p->out = buf_init(4 << 20);
	assert_true(is_ok(loop_poll_open(&p->poll, l, fd, peer_polled, p)));
	peer_want(p);
}

static inline void
peer_say(struct peer *p, struct bytes b)
{
	assert_true(buf_add(&p->out, b));
	peer_want(p);
}

/* From now on in TLS. */
static inline void
peer_tls(struct peer *p, struct tls_world *w)
{
	assert_true(is_ok(tls_new_client(&p->tls, w->client, BYTES("mx.example.org"), NO_BYTES)));
	peer_take(p, NO_BYTES);
	peer_want(p);
}

static inline void
peer_close(struct peer *p)
{
	if (!p->loop)
		return;
	loop_poll_close(p->poll);
	loop_close_fd(p->loop, p->fd);
	tls_free(p->tls);
	buf_free(&p->in);
	buf_free(&p->out);
	*p = (struct peer){.loop = NULL};
}

#endif

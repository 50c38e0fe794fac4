/* resolve_out.c - sockets that live as long as a question. */
#include "serve/resolve_out.h"

#include "base/random.h"

#include <errno.h>

enum { PORTS_TRIED = 16, FRAME_MAX = 2 + DNS_TCP_MAX };

void
resolve_out_end(struct resolve_out *o)
{
	if (!o->open)
		return;
	o->open = false;
	conn_free(o->conn);
	o->conn = NULL;
	loop_poll_close(o->poll);
	o->poll = NULL;
	loop_close_fd(o->loop, o->fd);
	o->fd = -1;
}

/* ---- UDP ---- */

/* One datagram a call: told() may end this question. */
static void
readable(void *owner, unsigned events)
{
	struct resolve_out *o = owner;
	uint8_t *room = loop_lend(o->loop);
	struct loop *loop = o->loop;
	struct loop_dgram d = {.p = room, .cap = LOOP_ROOM};
	struct err e;
	size_t got;

	(void)events;
	if (!room)
		return;
	e = loop_dgram_recv(loop, o->fd, &d, 1, &got);
	if (is_ok(e) && got)
		o->told(o->owner, (struct bytes){d.p, d.n}, 0);
	else if (!is_ok(e) && e.code != ERR_LATER)
		o->told(o->owner, NO_BYTES, e.sys);
	loop_give_back(loop, room);
}

static struct err
begin_udp(struct resolve_out *o, struct random *random)
{
	struct loop_dgram d = {.peer = o->to, .p = o->frame + 2, .n = o->frame_n - 2u};
	struct err e = OK;
	size_t sent;

	for (int i = 0; i < PORTS_TRIED; i++) {
		struct addr from = {.port = iterate_port(random)};

		e = loop_dgram_open(o->loop, &from, &o->to, &o->fd);
		if (is_ok(e) || e.sys != EADDRINUSE)
			break;
	}
	if (!is_ok(e))
		return e;
	e = loop_poll_open(&o->poll, o->loop, o->fd, readable, o);
	if (!is_ok(e))
		return e;
	loop_poll_want(o->poll, LOOP_READ);
	e = loop_dgram_send(o->loop, o->fd, &d, 1, &sent);
	return e.code == ERR_LATER ? OK : e; /* as if it had been lost */
}

/* ---- TCP ---- */

static void
turn(void *owner, struct conn *conn)
{
	struct resolve_out *o = owner;
	struct rd r = rd_of(conn_in(conn));
	struct bytes packet = rd_bytes16(&r);

	if (!r.bad)
		o->told(o->owner, packet, 0); /* the first is the only one */
	else if (conn_state(conn) != CONN_OPEN)
		o->told(o->owner, NO_BYTES, ECONNRESET);
}

static void
writable(void *owner, unsigned events)
{
	struct resolve_out *o = owner;
	const struct conn_conf conf = {
	    .peer = o->to, .in_max = FRAME_MAX, .out_max = sizeof(o->frame)};
	struct err e = loop_connected(o->loop, o->fd);
	int fd = o->fd;

	(void)events;
	if (e.code == ERR_LATER)
		return;
	if (is_ok(e)) {
		loop_poll_close(o->poll);
		o->poll = NULL;
		o->fd = -1;
		e = conn_open(&o->conn, o->loop, fd, &conf, turn, o);
	}
	if (is_ok(e) && conn_write(o->conn, (struct bytes){o->frame, o->frame_n}))
		return;
	o->told(o->owner, NO_BYTES, e.sys ? e.sys : ENOBUFS);
}

static struct err
begin_tcp(struct resolve_out *o)
{
	struct err e = loop_connect(o->loop, -1, NULL, &o->to, &o->fd);

	if (is_ok(e))
		e = loop_poll_open(&o->poll, o->loop, o->fd, writable, o);
	if (is_ok(e))
		loop_poll_want(o->poll, LOOP_WRITE);
	return e;
}

struct err
resolve_out_begin(struct resolve_out *o, struct loop *loop, struct random *random,
                  const struct iterate_send *ask, resolve_out_fn *told, void *owner)
{
	struct wr w = wr_of(o->frame, sizeof(o->frame));
	struct err e;

	o->loop = loop;
	o->to = ask->to;
	o->told = told;
	o->owner = owner;
	o->open = true;
	o->fd = -1;
	o->poll = NULL;
	o->conn = NULL;
	wr_bytes16(&w, ask->packet);
	o->frame_n = (uint16_t)wr_since(&w, o->frame).n;
	e = ask->tcp ? begin_tcp(o) : begin_udp(o, random);
	if (is_ok(e))
		return OK;
	resolve_out_end(o);
	return ERR(ERR_NOTFOUND, e.sys, "ask a name server");
}

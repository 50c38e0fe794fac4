/*
 * conn_peer.h - a line server on a connection under test, and the time that it and its client take.
 */
#ifndef TESTS_CONN_PEER_H
#define TESTS_CONN_PEER_H

#include "conn_client.h"

/* ---- the server ---- */

struct session {
	struct conn *conn;
	int turns, lines, evil; /* evil: lines that begin so */
	size_t bulk, eaten;     /* octets to be written; octets that were not in lines */
	bool eats_all;          /* takes everything, line or not */
	bool waits;             /* for something else: looks at no line */
	enum conn_state last;
	enum conn_late late;
	bool finish_at_end;
};

static bool
session_line(struct session *s, struct bytes line)
{
	struct wr w;

	s->lines++;
	s->evil += bytes_begins_nocase(line, BYTES("EVIL"));
	w = conn_room(s->conn, line.n + 2);
	if (w.full)
		return false;
	wr_bytes(&w, line);
	wr_text(&w, "\r\n");
	conn_wrote(s->conn, line.n + 2);
	return true;
}

static void
session_bulk(struct session *s)
{
	while (s->bulk) {
		size_t n = s->bulk < 5000 ? s->bulk : 5000;
		struct wr w = conn_room(s->conn, n);

		if (w.full)
			return;
		for (size_t i = 0; i < n; i++)
			wr_u8(&w, (uint8_t)((s->bulk - i) * 13));
		conn_wrote(s->conn, n);
		s->bulk -= n;
	}
}

static void
session_turn(void *owner, struct conn *c)
{
	struct session *s = owner;
	struct rd r = rd_of(conn_in(c));
	struct bytes line;
	size_t before;

	s->turns++;
	s->last = conn_state(c);
	s->late = conn_late(c);
	if (s->last == CONN_DONE) {
		conn_free(c);
		s->conn = NULL;
		return;
	}
	if (s->waits)
		return;
	if (s->eats_all) {
		s->eaten += rd_left(&r);
		conn_ate(c, rd_left(&r));
	}
	for (;;) {
		r = rd_of(conn_in(c));
		before = rd_left(&r);
		if (conn_state(c) == CONN_HANDSHAKE || !rd_line(&r, &line))
			break;
		if (bytes_eq(line, BYTES("QUIT"))) {
			conn_finish(c);
			return;
		}
		if (!session_line(s, line))
			break;
		line.n = bytes_eq(line, BYTES("STARTTLS"));
		conn_ate(c, before - rd_left(&r));
		if (line.n)
			conn_starttls(c);
	}
	session_bulk(s);
	if (s->finish_at_end && !s->bulk)
		conn_finish(c);
}

static inline void
session_open(struct session *s, struct loop *l, int fd, const struct conn_conf *conf)
{
	assert_true(is_ok(conn_open(&s->conn, l, fd, conf, session_turn, s)));
}

/* ---- time ---- */

static void
loop_over(void *owner)
{
	loop_stop(owner);
}

/* On either kind of loop. */
static inline void
run_ms(struct loop *l, uint64_t ms)
{
	struct loop_timer t = {.fire = NULL};

	loop_timer_set(l, &t, ms, loop_over, l);
	assert_true(is_ok(loop_run(l)));
	loop_timer_stop(l, &t);
}

/* Until the peer has got n octets or ended; a few seconds at most. */
static inline void
run_until_got(struct peer *p, size_t n)
{
	for (int i = 0; i < 2000 && p->in.n < n && !p->ended; i++)
		run_ms(p->loop, 2);
}

#endif

/*
 * resolve_stream.c - the resolver's TCP clients (RFC 7766): questions are taken as they come, some at
 * a time, and answered in the order in which their answers are there.
 *
 * The list of streams: the one that was silent the longest first.
 */
#include "serve/resolve_client.h"

enum {
	FRAME = 2 + DNS_TCP_MAX,
	OUT_MAX = 4 * FRAME,
	TURN_QUERIES = 32, /* of one connection, before others have theirs */
};

enum waits { FOR_NOTHING, FOR_INPUT, FOR_ROOM };

struct resolve_stream {
	struct resolve *resolve;
	struct resolve_stream *next, **link;
	struct conn *conn;
	struct purse_peer *peer;
	struct resolve_client *open; /* its questions that wait */
	size_t n_open;
	struct loop_task again;
	enum waits waits; /* for what conn_until() runs */
	bool closing;
};

static void turn(void *owner, struct conn *conn);

static void
unlink_stream(struct resolve_stream *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	else
		s->resolve->streams_end = s->link;
}

static void
link_stream(struct resolve_stream *s, struct resolve_stream **at)
{
	s->next = *at;
	s->link = at;
	*at = s;
	if (s->next)
		s->next->link = &s->next;
	else
		s->resolve->streams_end = &s->next;
}

static void
stream_free(struct resolve_stream *s)
{
	struct resolve *r = s->resolve;
	struct purse_peer *peer = s->peer;

	while (s->open)
		resolve_client_free(s->open);
	unlink_stream(s);
	loop_defer_stop(r->front.loop, &s->again);
	conn_free(s->conn);
	pool_put(r->streams_pool, s);
	front_leave(&r->front, peer);
}

static void
finish(struct resolve_stream *s)
{
	s->closing = true;
	unlink_stream(s);
	link_stream(s, &s->resolve->streams);
	conn_finish(s->conn);
}

static void
turn_again(void *owner)
{
	struct resolve_stream *s = owner;

	turn(s, s->conn);
}

/* Whoever does not read what he asked for is not waited for. */
static bool
send_frame(struct resolve_stream *s, struct bytes answer)
{
	struct resolve *r = s->resolve;
	struct wr length = wr_of(r->frame, 2);

	wr_u16(&length, (uint16_t)answer.n);
	return conn_write(s->conn, (struct bytes){r->frame, 2 + answer.n});
}

void
resolve_stream_answer(struct resolve_client *c, const struct iterate_result *result)
{
	struct resolve_stream *s = c->stream;
	struct resolve *r = c->resolve;
	struct wr out = wr_of(r->frame + 2, DNS_TCP_MAX);

	resolve_client_write(r, &c->q, true, result, &out);
	s->n_open--;
	if (!s->closing && !send_frame(s, wr_since(&out, r->frame + 2)))
		finish(s);
	loop_defer(r->front.loop, &s->again, turn_again, s); /* the next question, or the end */
}

enum progress { TAKEN, NO_INPUT, NO_ROOM, SENSELESS };

/* Takes the next question that is there whole. */
static enum progress
take_next(struct resolve_stream *s)
{
	struct resolve *r = s->resolve;
	struct bytes in = conn_in(s->conn), packet, answer;
	struct rd rd = rd_of(in);
	struct wr out = wr_of(r->frame + 2, DNS_TCP_MAX);
	struct resolve_client *c = NULL;

	packet = rd_bytes16(&rd);
	if (rd.bad)
		return NO_INPUT;
	if (s->n_open == RESOLVE_TCP_OPEN || conn_unsent(s->conn) > OUT_MAX - FRAME)
		return NO_ROOM;
	r->counts.tcp++;
	if (resolve_client_begin(r, packet, true, conn_peer(s->conn), &out, &c)) {
		answer = wr_since(&out, r->frame + 2);
		if (!answer.n || !send_frame(s, answer))
			return SENSELESS;
		conn_ate(s->conn, (size_t)(rd.p - in.p));
		return TAKEN;
	}
	conn_ate(s->conn, (size_t)(rd.p - in.p));
	c->stream = s;
	c->next = s->open;
	c->link = &s->open;
	if (c->next)
		c->next->link = &c->next;
	s->open = c;
	s->n_open++;
	resolve_client_start(c);
	return s->closing ? SENSELESS : TAKEN;
}

/* While a question is half here, or answers are not read, the client has its time for that. */
static void
watch(struct resolve_stream *s, enum waits waits, bool anew)
{
	if (waits != FOR_NOTHING && (anew || waits != s->waits))
		conn_until(s->conn, RESOLVE_QUERY_MS);
	else if (waits == FOR_NOTHING && s->waits != FOR_NOTHING)
		conn_until(s->conn, 0);
	s->waits = waits;
	conn_idle(s->conn, s->n_open ? 0 : RESOLVE_IDLE_MS);
}

/* What a stream does that takes no more for now. */
static void
rest(struct resolve_stream *s, enum progress p, bool some)
{
	bool ended = conn_state(s->conn) != CONN_OPEN || s->resolve->front.draining;

	if (p == SENSELESS && !s->closing)
		finish(s);
	if (s->closing)
		return;
	if (!some && conn_late(s->conn) != CONN_IN_TIME) {
		if (conn_unsent(s->conn))
			stream_free(s); /* it does not read: there is no use in more time */
		else
			finish(s);
	} else if (p == NO_INPUT && ended && !s->n_open) {
		finish(s);
	} else if (p == NO_ROOM) {
		watch(s, s->n_open ? FOR_NOTHING : FOR_ROOM, some);
	} else {
		watch(s, conn_in(s->conn).n ? FOR_INPUT : FOR_NOTHING, some);
	}
}

static void
turn(void *owner, struct conn *conn)
{
	struct resolve_stream *s = owner;
	struct resolve *r = s->resolve;
	enum conn_state state = conn_state(conn);
	enum progress p;
	unsigned n = 0;

	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		stream_free(s);
		return;
	}
	if (s->closing)
		return;
	do {
		p = take_next(s);
		n += p == TAKEN;
	} while (p == TAKEN && n < TURN_QUERIES && !s->closing);
	if (n && !s->closing) {
		unlink_stream(s);
		link_stream(s, r->streams_end);
	}
	if (p == TAKEN && !s->closing)
		loop_defer(r->front.loop, &s->again, turn_again, s); /* others first */
	else
		rest(s, p, n > 0);
}

struct pool *
resolve_streams_pool(void)
{
	return pool_open(sizeof(struct resolve_stream), RESOLVE_TCP);
}

void
resolve_stream_accepted(void *owner, int fd, const struct addr *peer)
{
	struct resolve *r = owner;
	struct conn_conf conf = {.peer = *peer, .in_max = FRAME, .out_max = OUT_MAX};
	struct purse_peer *purse = front_enter(&r->front, peer);
	struct resolve_stream *s = NULL;
	struct err e;

	if (purse && pool_used(r->streams_pool) == RESOLVE_TCP) {
		r->evicted++;
		stream_free(r->streams);
	}
	if (purse)
		s = pool_get(r->streams_pool);
	if (!s) {
		loop_close_fd(r->front.loop, fd);
		if (purse)
			front_leave(&r->front, purse);
		return;
	}
	*s = (struct resolve_stream){.resolve = r, .peer = purse};
	link_stream(s, r->streams_end);
	conf.purse = &purse->bytes;
	e = conn_open(&s->conn, r->front.loop, fd, &conf, turn, s);
	if (!is_ok(e)) {
		stream_free(s);
		return;
	}
	conn_idle(s->conn, RESOLVE_IDLE_MS);
}

void
resolve_streams_close(struct resolve *r)
{
	while (r->streams)
		stream_free(r->streams);
}

void
resolve_streams_drain(struct resolve *r)
{
	struct resolve_stream *next;

	for (struct resolve_stream *s = r->streams; s; s = next) {
		next = s->next; /* turn() may free s, or put it elsewhere */
		turn(s, s->conn);
	}
}

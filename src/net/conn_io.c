/*
 * conn_io.c - a peer's stream between its socket, its TLS machine and its two buffers.
 */
#include "net/conn_parts.h"

static void
change(struct conn *c, enum conn_state state)
{
	c->state = state;
	c->news = true;
}

static void
progress(struct conn *c, size_t n)
{
	c->last_ms = loop_now_ms(c->loop);
	c->window_bytes += n;
}

/* The peer's direction has ended. */
static void
ended(struct conn *c)
{
	if (c->stage == CONN_LINGERING)
		conn_finished(c);
	else if (c->state == CONN_HANDSHAKE)
		conn_broke(c, ERR(ERR_GONE, 0, "the peer left before TLS began"));
	else if (c->state == CONN_OPEN)
		change(c, c->tls ? CONN_CUT : CONN_ENDED);
}

/* What TLS can do with these cipher bytes; what it leaves is kept in raw. */
static void
feed(struct conn *c, struct rd *cipher)
{
	enum tls_want want = TLS_ROOM;

	while (want == TLS_ROOM && c->in.n < c->conf.in_max) {
		size_t room = c->conf.in_max - c->in.n;
		struct wr w = buf_room(&c->in, room < CONN_CHUNK ? room : CONN_CHUNK);
		const uint8_t *start = w.p;
		size_t n;

		if (w.full) {
			conn_broke(c, ERR(ERR_MEMORY, 0, "input"));
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
		conn_broke(c, tls_error(c->tls));
}

static void
take_input(struct conn *c, struct bytes b)
{
	struct rd r = rd_of(b);

	progress(c, b.n);
	if (c->stage == CONN_LINGERING) {
		c->dropped += b.n;
		if (c->dropped > CONN_LINGER_MAX)
			conn_finished(c);
		return;
	}
	if (c->tls) {
		feed(c, &r);
		if (c->state < CONN_BROKEN && rd_left(&r) && !buf_add(&c->raw, rd_rest(&r)))
			conn_broke(c, ERR(ERR_MEMORY, 0, "input"));
	} else if (buf_add(&c->in, b)) {
		c->counts.in += b.n;
		c->news = true;
	} else {
		conn_broke(c, ERR(ERR_MEMORY, 0, "input"));
	}
	conn_purse_settle(c);
}

/* Sends b; how much of it left, 0 also when it broke. */
static size_t
send_some(struct conn *c, struct bytes b)
{
	size_t sent = 0;
	struct err e = loop_send(c->loop, c->fd, &b, 1, &sent);

	if (!is_ok(e)) {
		if (e.code != ERR_LATER && e.code != ERR_FULL)
			conn_broke(c, e);
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
		if (plain.n > CONN_CHUNK)
			plain.n = CONN_CHUNK;
		n = tls_write(c->tls, plain);
		if (!n) {
			conn_broke(c, ERR(ERR_LIBRARY, tls_error(c->tls).sys, "TLS takes no more"));
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
	if (c->stage != CONN_FLUSHING || conn_unsent(c))
		return;
	if (c->tls && tls_is_open(c->tls)) {
		tls_close(c->tls);
		flush_tls(c); /* close_notify fits an empty socket; if not, the end says it too */
	}
	if (c->stage != CONN_FLUSHING)
		return;
	if (!is_ok(loop_shutdown(c->loop, c->fd)) || (c->state == CONN_ENDED && !c->tls) ||
	    c->state == CONN_CUT) {
		conn_finished(c);
		return;
	}
	c->stage = CONN_LINGERING;
	c->limit_at = loop_now_ms(c->loop) + CONN_LINGER_MS;
}

/* ---- shared with conn.c ---- */

size_t
conn_purse_room(const struct conn *c)
{
	const struct purse *p = c->conf.purse;

	if (!p)
		return SIZE_MAX;
	return p->cap > p->used ? p->cap - p->used : 0;
}

/* Makes `charged` what the buffers hold; room in the purse was looked at before they grew. */
void
conn_purse_settle(struct conn *c)
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

void
conn_finished(struct conn *c)
{
	c->stage = CONN_FINISHED;
	c->limit_at = 0;
	change(c, CONN_DONE);
}

void
conn_broke(struct conn *c, struct err why)
{
	buf_free(&c->out);
	c->starttls = false;
	c->limit_at = 0;
	if (c->stage != CONN_TALKING) {
		conn_finished(c);
		return;
	}
	c->why = why;
	change(c, CONN_BROKEN);
}

void
conn_begin_tls(struct conn *c)
{
	struct err e;

	c->starttls = false;
	buf_free(&c->in);
	if (c->conf.purse && !purse_charge(c->conf.purse, CONN_OWN_TLS)) {
		conn_broke(c, ERR(ERR_FULL, 0, "the purse does not allow TLS"));
		return;
	}
	e = c->conf.tls ? tls_new(&c->tls, c->conf.tls)
	                : tls_new_client(&c->tls, c->conf.tls_client, c->conf.tls_name, NO_BYTES);
	if (!is_ok(e)) {
		if (c->conf.purse)
			purse_refund(c->conf.purse, CONN_OWN_TLS);
		conn_broke(c, e);
		return;
	}
	c->limit_at = loop_now_ms(c->loop) + CONN_HANDSHAKE_MS;
	if (c->conf.tls_client) { /* a client speaks first */
		struct rd nothing = rd_of(NO_BYTES);

		feed(c, &nothing);
	}
}

/* May bytes that wait for room in `in` go there now? */
bool
conn_may_feed(const struct conn *c)
{
	return (c->raw.n || c->more) && !c->held && c->in.n < c->conf.in_max &&
	       c->stage == CONN_TALKING && c->state < CONN_BROKEN;
}

void
conn_feed(struct conn *c)
{
	struct rd r;

	if (!conn_may_feed(c))
		return;
	r = rd_of(buf_bytes(&c->raw));
	feed(c, &r);
	buf_eat(&c->raw, c->raw.n - rd_left(&r));
	conn_purse_settle(c);
}

/* How many bytes may be read now. */
size_t
conn_read_room(struct conn *c)
{
	size_t room = c->tls ? CONN_CHUNK : c->conf.in_max - c->in.n, purse;

	if (c->stage == CONN_LINGERING)
		return LOOP_ROOM;
	if (c->stage != CONN_TALKING || c->held || c->starttls || c->raw.n || c->more ||
	    c->in.n >= c->conf.in_max || c->state > CONN_OPEN)
		return 0;
	purse = conn_purse_room(c);
	if (purse < room)
		room = purse;
	return room < LOOP_ROOM ? room : LOOP_ROOM;
}

void
conn_read(struct conn *c)
{
	size_t room = conn_read_room(c), got;
	struct err e;
	void *p;

	if (!room)
		return;
	p = loop_lend(c->loop);
	if (!p) {
		conn_broke(c, ERR(ERR_MEMORY, 0, "input"));
		return;
	}
	e = loop_recv(c->loop, c->fd, p, room, &got);
	if (is_ok(e) && got)
		take_input(c, (struct bytes){p, got});
	else if (is_ok(e))
		ended(c);
	else if (e.code != ERR_LATER && e.code != ERR_FULL)
		conn_broke(c, e);
	loop_give_back(c->loop, p);
}

void
conn_flush(struct conn *c)
{
	if (c->state < CONN_BROKEN && c->stage != CONN_FINISHED) {
		if (c->tls)
			flush_tls(c);
		else
			flush_plain(c);
		finish_some(c);
		if (c->starttls && !c->out.n) {
			conn_begin_tls(c);
			if (c->tls && c->state < CONN_BROKEN)
				flush_tls(c);
		}
	} else if (c->tls && tls_out(c->tls).n) {
		struct bytes alert = tls_out(c->tls);
		size_t sent;

		/* Once: why TLS broke, for the peer. */
		if (is_ok(loop_send(c->loop, c->fd, &alert, 1, &sent)))
			tls_sent(c->tls, sent);
	}
	conn_purse_settle(c);
	if (c->need && c->out.n + c->need <= c->conf.out_max && conn_purse_room(c) >= c->need) {
		c->need = 0;
		c->news = true;
	}
}

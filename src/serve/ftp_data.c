/*
 * ftp_data.c - the two ways of data: raw, by the loop's own poll, and by a conn.
 *
 * Invariants:
 * 1. done() is called once, from the loop; after that the owner is not known any more.
 * 2. A slice moves at most SLICE octets, then others of this loop have their turn.
 * 3. Of what came in TLS nothing counts before the session was seen to be of `control`.
 */
#include "serve/ftp_data.h"

#include "net/loop_file.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SLICE = 512 * 1024,
	ROOM = 256 * 1024, /* for one read from a client */
	READS = 4,         /* of them before the others of this loop */
	PIECE = 16 * 1024, /* of a file, on its way into a conn */
	FLUSHED_MS = 5,    /* until it is looked again whether the last octets have left */
};

struct ftp_data {
	struct ftp_datas *all;
	struct ftp_data *next, **link;
	struct ftp_data_conf conf;
	struct conn *conn;      /* NULL: raw */
	struct loop_poll *poll; /* raw */
	int fd;
	struct loop_timer timer; /* raw: stalled; conn: whether all has left */
	struct loop_task task;
	uint64_t at, moved;
	bool done, freed; /* freed: by its owner */
	bool leaving;     /* conn_finish() is at work */
	bool bound;       /* TLS was looked at */
	bool cr;          /* TAKE, ascii: a CR came whose next octet has not */
	bool told_all;    /* SEND, TEXT: all is in the conn */
};

static void
destroy(struct ftp_data *d)
{
	struct loop *l = d->all->loop;

	loop_timer_stop(l, &d->timer);
	loop_defer_stop(l, &d->task);
	conn_free(d->conn);
	loop_poll_close(d->poll);
	loop_close_fd(l, d->fd);
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	free(d);
}

/* It is over: the owner is told, and frees it. */
static void
end(struct ftp_data *d, enum ftp_data_end how)
{
	if (d->done)
		return;
	d->done = true;
	loop_timer_stop(d->all->loop, &d->timer);
	if (d->conn && (how == FTP_DATA_DONE || how == FTP_DATA_NOT_BOUND)) {
		d->leaving = true;
		conn_finish(d->conn);
	} else if (d->poll) {
		loop_poll_close(d->poll);
		d->poll = NULL;
		if (how == FTP_DATA_DONE && !is_ok(loop_shutdown(d->all->loop, d->fd)))
			how = FTP_DATA_CUT;
	}
	d->conf.done(d->conf.owner, how);
}

static enum ftp_data_end
file_failed(struct err e)
{
	return e.code == ERR_FULL ? FTP_DATA_FULL : FTP_DATA_FAILED;
}

/* ---- raw ---- */

static void
stalled(void *owner)
{
	end(owner, FTP_DATA_CUT);
}

static void
progress(struct ftp_data *d, size_t n)
{
	d->moved += n;
	if (n)
		loop_timer_set(d->all->loop, &d->timer, FTP_DATA_STALL_MS, stalled, d);
}

static void
send_slice(struct ftp_data *d)
{
	uint64_t before = d->at;
	struct err e = loop_send_file(d->all->loop, d->fd, d->conf.file, &d->at, SLICE);

	progress(d, (size_t)(d->at - before));
	if (is_ok(e) && d->at == before)
		end(d, FTP_DATA_DONE);
	else if (!is_ok(e) && e.code != ERR_LATER) /* a socket never tells EIO: it is the disk's */
		end(d, e.sys == EIO ? FTP_DATA_FAILED : FTP_DATA_CUT);
}

static void
take_slice(struct ftp_data *d)
{
	struct bytes b = {d->all->room, 0};
	struct err e = OK;

	for (int i = 0; i < READS; i++) {
		e = loop_recv(d->all->loop, d->fd, d->all->room, ROOM, &b.n);
		if (!is_ok(e) || !b.n)
			break;
		progress(d, b.n);
		e = loop_file_write(d->conf.file, b);
		if (!is_ok(e)) {
			end(d, file_failed(e));
			return;
		}
		if (b.n < ROOM / 2) /* that was all for now */
			return;
	}
	if (is_ok(e) && !b.n)
		end(d, FTP_DATA_DONE);
	else if (!is_ok(e) && e.code != ERR_LATER)
		end(d, FTP_DATA_CUT);
}

static void
polled(void *owner, unsigned events)
{
	struct ftp_data *d = owner;

	(void)events;
	if (d->conf.job == FTP_DATA_SEND)
		send_slice(d);
	else
		take_slice(d);
}

/* ---- by a conn: out ---- */

/* All is in the conn: it is over when it has left. */
static void
wait_flushed(void *owner)
{
	struct ftp_data *d = owner;

	if (conn_state(d->conn) == CONN_BROKEN) /* what it held went with it */
		end(d, FTP_DATA_CUT);
	else if (!conn_unsent(d->conn))
		end(d, FTP_DATA_DONE);
	else
		loop_timer_set(d->all->loop, &d->timer, FLUSHED_MS, wait_flushed, d);
}

/* LF becomes CRLF; a CR before it stays what it was. */
static void
put_lines(struct wr *w, struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] == '\n')
			wr_u8(w, '\r');
		wr_u8(w, b.p[i]);
	}
}

static enum ftp_text
put_file(struct ftp_data *d, struct wr *w)
{
	bool ascii = d->conf.ascii;
	uint8_t *to = ascii ? d->all->room : w->p;
	struct bytes b = {to, 0};
	struct err e = loop_file_read(d->conf.file, d->at, to, PIECE, &b.n);

	if (!is_ok(e))
		return FTP_TEXT_FAILED;
	d->at += b.n;
	d->moved += b.n;
	if (ascii)
		put_lines(w, b);
	else
		wr_take(w, b.n);
	return b.n ? FTP_TEXT_MORE : FTP_TEXT_END;
}

static void
fill(struct ftp_data *d)
{
	enum ftp_text how = FTP_TEXT_MORE;

	while (how == FTP_TEXT_MORE) {
		struct wr w = conn_room(d->conn, (size_t)2 * PIECE);
		uint8_t *start = w.p;

		if (w.full)
			return;
		if (d->conf.job == FTP_DATA_TEXT) {
			how = d->conf.text(d->conf.owner, &w);
			d->moved += wr_since(&w, start).n;
		} else {
			how = put_file(d, &w);
		}
		conn_wrote(d->conn, wr_since(&w, start).n);
	}
	if (how == FTP_TEXT_FAILED) {
		end(d, FTP_DATA_FAILED);
	} else if (how == FTP_TEXT_END) {
		d->told_all = true;
		loop_defer(d->all->loop, &d->task, wait_flushed, d);
	}
}

/* ---- by a conn: in ---- */

/* CRLF becomes LF; a CR alone stays.  What is left of the last octet is in d->cr. */
static struct bytes
take_lines(struct ftp_data *d, struct bytes b)
{
	struct wr w = wr_of(d->all->room, ROOM);

	for (size_t i = 0; i < b.n; i++) {
		if (d->cr && b.p[i] != '\n')
			wr_u8(&w, '\r');
		d->cr = b.p[i] == '\r';
		if (!d->cr)
			wr_u8(&w, b.p[i]);
	}
	return wr_since(&w, d->all->room);
}

static bool
take_some(struct ftp_data *d)
{
	struct bytes b = conn_in(d->conn);
	struct err e;

	if (!b.n)
		return true;
	e = loop_file_write(d->conf.file, d->conf.ascii ? take_lines(d, b) : b);
	d->moved += b.n;
	conn_ate(d->conn, b.n);
	if (!is_ok(e))
		end(d, file_failed(e));
	return is_ok(e);
}

static void
take(struct ftp_data *d)
{
	enum conn_state state = conn_state(d->conn);

	if (!take_some(d))
		return;
	if (state == CONN_CUT)
		end(d, FTP_DATA_CUT);
	if (state != CONN_ENDED)
		return;
	if (d->cr && !is_ok(loop_file_write(d->conf.file, BYTES("\r"))))
		end(d, FTP_DATA_FAILED);
	else
		end(d, FTP_DATA_DONE);
}

/* ---- the conn's turn ---- */

/* True: TLS is as it must be, or there is none. */
static bool
is_bound(struct ftp_data *d)
{
	const struct tls *tls = conn_tls(d->conn);

	if (d->bound)
		return true;
	d->bound = true;
	if (!d->conf.tls)
		return true;
	if (d->conf.bound && !tls_is_of(tls, d->conf.control)) {
		end(d, FTP_DATA_NOT_BOUND);
		return false;
	}
	tls_new_ticket(d->conf.control);
	return true;
}

static void
turn(void *owner, struct conn *conn)
{
	struct ftp_data *d = owner;
	enum conn_state state = conn_state(conn);

	if (d->done) {
		if (d->freed && (state == CONN_DONE || state == CONN_BROKEN))
			destroy(d);
		return;
	}
	if (state == CONN_HANDSHAKE)
		return;
	if (state == CONN_BROKEN) {
		end(d, d->conf.tls && !d->bound ? FTP_DATA_NO_TLS : FTP_DATA_CUT);
		return;
	}
	if (!is_bound(d))
		return;
	if (conn_late(conn) != CONN_IN_TIME)
		end(d, FTP_DATA_CUT);
	else if (d->conf.job == FTP_DATA_TAKE)
		take(d);
	else if (!d->told_all)
		fill(d);
}

static void
more(void *owner)
{
	struct ftp_data *d = owner;

	turn(d, d->conn);
}

/* ---- public ---- */

struct err
ftp_datas_init(struct ftp_datas *all, struct loop *loop)
{
	*all = (struct ftp_datas){.loop = loop, .room = malloc(ROOM)};
	return all->room ? OK : ERR(ERR_MEMORY, 0, "data connections");
}

void
ftp_datas_fini(struct ftp_datas *all)
{
	while (all->first)
		destroy(all->first);
	free(all->room);
	all->room = NULL;
}

static struct err
open_raw(struct ftp_data *d, int fd)
{
	struct err e = loop_poll_open(&d->poll, d->all->loop, fd, polled, d);

	d->fd = fd;
	if (!is_ok(e))
		return e;
	loop_poll_want(d->poll, d->conf.job == FTP_DATA_SEND ? LOOP_WRITE : LOOP_READ);
	loop_timer_set(d->all->loop, &d->timer, FTP_DATA_STALL_MS, stalled, d);
	return OK;
}

static struct err
open_conn(struct ftp_data *d, int fd)
{
	const struct conn_conf conf = {.peer = d->conf.peer,
	                               .tls = d->conf.tls,
	                               .tls_now = d->conf.tls != NULL,
	                               .in_max = FTP_DATA_BUFFER,
	                               .out_max = FTP_DATA_BUFFER};
	struct err e = conn_open(&d->conn, d->all->loop, fd, &conf, turn, d);

	if (!is_ok(e))
		return e;
	conn_idle(d->conn, FTP_DATA_STALL_MS);
	loop_defer(d->all->loop, &d->task, more, d);
	return OK;
}

struct err
ftp_data_open(struct ftp_data **out, struct ftp_datas *all, int fd,
              const struct ftp_data_conf *conf)
{
	struct ftp_data *d = calloc(1, sizeof(*d));
	bool raw = !conf->tls && !conf->ascii && conf->job != FTP_DATA_TEXT;
	struct err e;

	if (!d) {
		loop_close_fd(all->loop, fd);
		return ERR(ERR_MEMORY, 0, "a data connection");
	}
	*d = (struct ftp_data){
	    .all = all, .conf = *conf, .fd = -1, .at = conf->at, .next = all->first};
	d->link = &all->first;
	if (d->next)
		d->next->link = &d->next;
	all->first = d;
	e = raw ? open_raw(d, fd) : open_conn(d, fd);
	if (!is_ok(e))
		destroy(d);
	else
		*out = d;
	return e;
}

void
ftp_data_free(struct ftp_data *d)
{
	if (!d)
		return;
	d->freed = true;
	if (!d->leaving || conn_state(d->conn) >= CONN_BROKEN)
		destroy(d);
}

void
ftp_data_more(struct ftp_data *d)
{
	loop_defer(d->all->loop, &d->task, more, d);
}

uint64_t
ftp_data_moved(const struct ftp_data *d)
{
	return d->moved;
}

/*
 * imap.c - each want of proto/imap becomes a word, and its answer the machine's answer.  One
 * question of a session is open at a time; what a command needs is freed with it.
 */
#include "base/log.h"
#include "base/map.h"
#include "base/random.h"
#include "serve/imap_front.h"
#include "talk/report.h"

#include <stdlib.h>

enum {
	IN_MAX = IMAP_COMMAND_MAX + 4096,
	OUT_MAX = 128 * 1024,
	BODIES_MAX = 512 * 1024 * 1024, /* octets of all messages on their way in */
	IDLE_MS = 31 * 60 * 1000,       /* RFC 3501 5.4: at least half an hour */
	LOGIN_MS = 60 * 1000,           /* until it is logged in */
	APPEND_RATE = 100,              /* octets a second, less is too slow (attack 47) */
	ASK_MS = 60 * 1000,
	PLAIN = 0,
	TLS_NOW = 1,
};

struct listener {
	struct imap_serve *serve;
	struct front_port port;
};

struct imap_serve {
	struct front front;
	struct map by_handle;     /* those that are logged in */
	struct imap_conf conf[2]; /* of sessions without and with a certificate */
	struct imap_serve_conf given;
	struct listener listeners[2];
	struct purse bodies;
	uint64_t logins, refused, counts[IMAP_COUNTS];
};

static void turn(void *owner, struct conn *conn);

static struct bytes
handle_name(const struct imap_front *f)
{
	return (struct bytes){f->login.handle.b, sizeof(f->login.handle.b)};
}

/* ---- the work of a command ---- */

static void
work_free(struct imap_front *f)
{
	struct imap_work *w = f->work;

	if (!w)
		return;
	imap_front_row_done(w, &f->front.peer->bytes);
	buf_free(&w->page);
	buf_free(&w->news.page);
	buf_free(&w->texts);
	buf_free(&w->chunk);
	free(w->set);
	free(w->from);
	free(w->to);
	if (w->begun)
		body_drop(&w->body);
	summary_fini(&w->scan);
	imap_front_find_free(w->find);
	imap_front_folders_free(w->folders);
	free(w);
	f->work = NULL;
	purse_refund(&f->front.peer->bytes, IMAP_WORK_OWN);
}

struct imap_work *
imap_front_work(struct imap_front *f)
{
	if (f->work)
		return f->work;
	if (purse_charge(&f->front.peer->bytes, IMAP_WORK_OWN)) {
		f->work = calloc(1, sizeof(*f->work));
		if (!f->work)
			purse_refund(&f->front.peer->bytes, IMAP_WORK_OWN);
	}
	if (!f->work) {
		imap_answer(f->imap, IMAP_TEMP);
		return NULL;
	}
	f->work->page = buf_init(IMAP_PAGE_MAX);
	f->work->news.page = buf_init(IMAP_PAGE_MAX);
	f->work->texts = buf_init((size_t)4 << 20);
	f->work->chunk = buf_init(IMAP_CHUNK + IMAP_PAGE_MAX);
	return f->work;
}

/* ---- sessions ---- */

static void
unmap(struct imap_front *f)
{
	if (f->mapped)
		map_remove(&f->serve->by_handle, handle_name(f));
	f->mapped = false;
}

static void
session_free(struct imap_front *f)
{
	loop_defer_stop(f->serve->front.loop, &f->again);
	loop_defer_stop(f->serve->front.loop, &f->later);
	chan_ask_stop(&f->ask);
	work_free(f);
	imap_front_leave(f);
	unmap(f);
	login_fini(&f->login);
	imap_free(f->imap);
	front_session_close(&f->front);
}

struct random *
imap_front_random(struct imap_front *f)
{
	return f->serve->front.random;
}

uint64_t
imap_front_now_s(const struct imap_front *f)
{
	return loop_wall_ns(f->serve->front.loop) / 1000000000;
}

struct purse *
imap_front_bodies(struct imap_front *f)
{
	return &f->serve->bodies;
}

uint64_t
imap_front_size_max(const struct imap_front *f)
{
	return f->serve->given.size_max;
}

void
imap_front_count(struct imap_front *f, enum imap_count what, uint64_t n)
{
	f->serve->counts[what] += n;
}

enum imap_answer
imap_front_code(uint8_t code)
{
	switch ((int)code) {
	case 0:
		return IMAP_OK;
	case ERR_NOTFOUND:
		return IMAP_ABSENT;
	case ERR_EXISTS:
		return IMAP_EXISTS;
	case ERR_SYNTAX:
	case ERR_DENIED:
		return IMAP_CANNOT;
	case ERR_FULL:
		return IMAP_FULL;
	default:
		return IMAP_TEMP;
	}
}

struct bytes
imap_front_ranges(uint8_t *room, size_t n, const struct uid_range *ranges, size_t n_ranges,
                  size_t *at)
{
	struct wr w = wr_of(room, n);

	while (*at < n_ranges && wr_room(&w) >= sizeof(uint32_t) * 2)
		uid_range_put(&w, ranges[(*at)++]);
	return wr_since(&w, room);
}

/* ---- asking box ---- */

bool
imap_front_ask(struct imap_front *f, struct talk_out word, int fd, chan_answered *answered)
{
	struct chan *box = peers_chan(f->serve->front.peers, ROLE_BOX, 0);

	f->waiting = box && is_ok(chan_ask(box, &f->ask, word, fd, ASK_MS, answered, f));
	if (!f->waiting)
		imap_answer(f->imap, IMAP_TEMP);
	return f->waiting;
}

void
imap_front_turn(struct imap_front *f)
{
	f->waiting = false;
	turn(f, f->front.conn);
}

static void
later(void *owner)
{
	imap_front_turn(owner);
}

void
imap_front_later(struct imap_front *f)
{
	f->waiting = true;
	loop_defer(f->serve->front.loop, &f->later, later, f);
}

void
imap_front_answer(struct imap_front *f, enum imap_answer answer)
{
	imap_answer(f->imap, answer);
	imap_front_turn(f);
}

/* ---- logins ---- */

static void
logged_in(void *owner, enum login_result result)
{
	struct imap_front *f = owner;

	if (result == LOGIN_OK) {
		f->serve->logins++;
		f->mapped = map_put(&f->serve->by_handle, handle_name(f), f);
		conn_idle(f->front.conn, IDLE_MS);
		conn_until(f->front.conn, 0);
	} else if (result != LOGIN_MORE) {
		f->serve->refused++;
	}
	imap_front_turn(f);
}

static bool
exchange(struct imap_front *f)
{
	unmap(f);
	f->waiting = login_sasl(&f->login, imap_sasl(f->imap), logged_in);
	return !f->waiting;
}

static bool
nonce(struct imap_front *f)
{
	uint8_t octets[SASL_NONCE];

	random_fill(f->serve->front.random, octets, sizeof(octets));
	imap_nonce(f->imap, octets);
	return true;
}

/* ---- the turn ---- */

/* The first question of a command that has work. */
static bool
begins(enum imap_want want)
{
	return want == IMAP_FOLDERS || want == IMAP_STATE || want == IMAP_OPEN ||
	       want == IMAP_BEGIN || want == IMAP_RESOLVE || want == IMAP_FIND ||
	       want == IMAP_TAKE || want == IMAP_REMOVE;
}

/*
 * The work of a command that was pipelined before this one is dropped.  Between two commands a tagged
 * answer is written, and nothing between two askings of one question.
 */
static void
begin_anew(struct imap_front *f)
{
	if (f->wrote)
		work_free(f);
	f->wrote = false;
}

/* Answers the question, or begins to; false: the session waits, or nothing was asked. */
static bool
answer(struct imap_front *f, enum imap_want want)
{
	if (begins(want))
		begin_anew(f);
	switch (want) {
	case IMAP_NONCE:
		return nonce(f);
	case IMAP_SASL:
		return exchange(f);
	case IMAP_FOLDERS:
		return imap_front_folders(f);
	case IMAP_FOLDER:
		return imap_front_folder_change(f);
	case IMAP_STATE:
		return imap_front_folder_status(f);
	case IMAP_OPEN:
		return imap_front_open(f);
	case IMAP_LEAVE:
		imap_front_leave(f);
		imap_answer(f->imap, IMAP_OK);
		return true;
	case IMAP_SYNC:
		return imap_front_sync(f);
	case IMAP_BEGIN:
		return imap_front_append_begin(f);
	case IMAP_PIECE:
		return imap_front_append_piece(f);
	case IMAP_DROP:
		work_free(f);
		imap_answer(f->imap, IMAP_OK);
		return true;
	case IMAP_COMMIT:
		return imap_front_append_commit(f);
	case IMAP_RESOLVE:
		return imap_front_resolve(f);
	case IMAP_ROW:
		return imap_front_next_row(f);
	case IMAP_STRUCTURE:
		return imap_front_make_structure(f);
	case IMAP_PART:
		return imap_front_find_part(f);
	case IMAP_OCTETS:
		return imap_front_send_octets(f);
	case IMAP_FIND:
		return imap_front_find(f);
	case IMAP_TAKE:
		return imap_front_take(f);
	case IMAP_REMOVE:
		return imap_front_remove(f);
	case IMAP_INPUT:
	case IMAP_WAIT:
	case IMAP_ROOM:
	case IMAP_TLS:
	case IMAP_CLOSE:
		break;
	}
	return false;
}

static void
finish(struct imap_front *f)
{
	f->closing = true;
	work_free(f);
	imap_front_leave(f);
	unmap(f);
	login_leave(&f->login);
	conn_finish(f->front.conn);
}

/* An APPEND has to come fast enough; the window goes on from piece to piece. */
static void
expect(struct imap_front *f, bool message)
{
	if (f->expects != message)
		conn_expect(f->front.conn, message ? APPEND_RATE : 0);
	f->expects = message;
}

static bool
step(struct imap_front *f)
{
	struct conn *conn = f->front.conn;
	struct bytes held = conn_in(conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(conn, IMAP_REPLY_MAX);
	uint8_t *start = out.p;
	enum imap_want want;
	bool on;

	if (out.full)
		return false;
	want = imap_step(f->imap, &in, &out);
	f->wrote |= wr_since(&out, start).n > 0;
	conn_wrote(conn, wr_since(&out, start).n);
	if ((want == IMAP_INPUT || want == IMAP_WAIT) && !(f->work && f->work->comes))
		work_free(f); /* the command is over, or has not begun */
	/* it filled the room that it got: there may be more */
	on = want == IMAP_ROOM ? wr_since(&out, start).n > 0 : answer(f, want);
	expect(f, f->work && f->work->comes);
	/* behind answer(): a piece, or a secret, lies in the input until it was sent on */
	conn_ate(conn, (size_t)(in.p - held.p));
	if (want == IMAP_TLS)
		conn_starttls(conn);
	else if (want == IMAP_CLOSE)
		finish(f);
	else if ((want == IMAP_INPUT || want == IMAP_WAIT) && conn_state(conn) != CONN_OPEN)
		finish(f); /* it ended without LOGOUT */
	return on;
}

static void
turn(void *owner, struct conn *conn)
{
	struct imap_front *f = owner;
	enum conn_state state = conn_state(conn);

	if (login_busy(&f->login) && (state == CONN_DONE || state == CONN_BROKEN))
		return; /* it counts until auth has answered */
	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		session_free(f);
		return;
	}
	if (f->closing || f->waiting || state == CONN_HANDSHAKE)
		return;
	if ((conn_late(conn) != CONN_IN_TIME || f->serve->front.draining) && !f->stopped) {
		f->stopped = true;
		conn_idle(conn, 0);
		expect(f, false);
		imap_end(f->imap);
	}
	if (conn_tls(conn) && !imap_is_tls(f->imap))
		imap_tls_done(f->imap);
	if (!imap_is_logged_in(f->imap) && login_waits(&f->login))
		return;
	while (step(f))
		;
}

static void
turn_again(void *owner)
{
	struct imap_front *f = owner;

	turn(f, f->front.conn);
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	const struct listener *l = owner;
	struct imap_serve *serve = l->serve;
	struct imap_front *f = front_session_open(&serve->front, &l->port, fd, peer);

	if (!f)
		return;
	f->serve = serve;
	login_init(&f->login, &serve->front, f->front.peer, peer, PROTOCOL_IMAP, turn_again, f);
	f->imap =
	    imap_new(&serve->conf[f->front.tls != NULL], l->port.tls_now,
	             nets_contain(serve->given.plaintext, serve->given.n_plaintext, peer->ip));
	if (!f->imap) {
		session_free(f);
		return;
	}
	conn_until(f->front.conn, LOGIN_MS);
	turn(f, f->front.conn);
}

/* ---- public ---- */

struct err
imap_serve_open(struct imap_serve **out, const struct imap_serve_conf *conf, struct loop *loop,
                struct random *random, struct peers *peers)
{
	struct imap_serve *serve = calloc(1, sizeof(*serve));
	uint8_t key[16];
	struct err e;

	if (!serve)
		return ERR(ERR_MEMORY, 0, "imap");
	random_fill(random, key, sizeof(key));
	map_init(&serve->by_handle, key);
	serve->given = *conf;
	serve->bodies.cap = BODIES_MAX;
	serve->conf[0] = (struct imap_conf){.host = conf->host};
	serve->conf[1] = (struct imap_conf){.host = conf->host, .starttls = true};
	for (int tls_now = PLAIN; tls_now <= TLS_NOW; tls_now++)
		serve->listeners[tls_now] =
		    (struct listener){serve, {IN_MAX, OUT_MAX, tls_now, turn}};
	e = front_init(&serve->front, loop, random, peers, sizeof(struct imap_front),
	               FRONT_SESSIONS);
	if (is_ok(e))
		*out = serve;
	else
		free(serve);
	return e;
}

void
imap_serve_close(struct imap_serve *serve)
{
	if (!serve)
		return;
	while (serve->front.first)
		session_free((struct imap_front *)serve->front.first);
	map_free(&serve->by_handle);
	front_fini(&serve->front);
	free(serve);
}

struct err
imap_serve_certificate(struct imap_serve *serve, struct bytes chain, uint32_t key)
{
	return front_certificate(&serve->front, chain, key, BYTES("imap"));
}

struct err
imap_serve_listen(struct imap_serve *serve, int fd, bool tls_now)
{
	return front_listen(&serve->front, fd, accepted,
	                    &serve->listeners[tls_now ? TLS_NOW : PLAIN]);
}

void
imap_serve_settings(struct imap_serve *serve, const struct net *plaintext, size_t n,
                    uint64_t size_max)
{
	serve->given.plaintext = plaintext;
	serve->given.n_plaintext = n;
	serve->given.size_max = size_max;
}

void
imap_serve_word(struct imap_serve *serve, struct chan_word *w)
{
	struct talk_box_changed t;
	struct imap_front *f;

	if (w->word != WORD_BOX_CHANGED || !talk_box_changed_get(&w->body, &t))
		return;
	f = map_get(&serve->by_handle, (struct bytes){t.handle.b, sizeof(t.handle.b)});
	if (!f || !f->box || f->box->number != t.mailbox)
		return;
	f->changed = true;
	imap_changed(f->imap);
	/* not from here: the word's memory is the channel's */
	loop_defer(serve->front.loop, &f->again, turn_again, f);
}

void
imap_serve_box_gone(struct imap_serve *serve)
{
	struct front_session *next;

	for (struct front_session *s = serve->front.first; s; s = next) {
		struct imap_front *f = (struct imap_front *)s;

		next = s->next;
		if (!f->mapped || f->closing)
			continue;
		f->stopped = true;
		imap_end(f->imap);
		loop_defer(serve->front.loop, &f->again, turn_again, f);
	}
}

void
imap_serve_drain(struct imap_serve *serve, loop_fn *drained, void *owner)
{
	front_drain(&serve->front, drained, owner);
}

void
imap_serve_status(const struct imap_serve *serve, struct wr *counters)
{
	report_put_counter(counters, "imap_sessions", serve->front.sessions);
	report_put_counter(counters, "imap_all_sessions", serve->front.all_sessions);
	report_put_counter(counters, "imap_logins", serve->logins);
	report_put_counter(counters, "imap_refused", serve->refused);
	report_put_counter(counters, "imap_messages_sent", serve->counts[IMAP_COUNT_SENT]);
	report_put_counter(counters, "imap_messages_appended", serve->counts[IMAP_COUNT_APPENDED]);
}

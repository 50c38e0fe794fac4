/*
 * ftp.c - a control connection: each want of proto/ftp becomes a word, or a transfer (ftp_move.c).
 */
#include "serve/ftp.h"

#include "base/log.h"
#include "base/random.h"
#include "serve/ftp_session.h"
#include "talk/report.h"

#include <stdlib.h>

enum {
	IN_MAX = 8192,
	OUT_MAX = 64 * 1024,
	LOGIN_MS = 60 * 1000, /* until it is logged in */
	ASK_MS = 30 * 1000,
};

_Static_assert((int)FTP_MAKE_FOLDER == (int)FILE_MAKE_FOLDER &&
                   (int)FTP_REMOVE_FOLDER == (int)FILE_REMOVE_FOLDER &&
                   (int)FTP_REMOVE == (int)FILE_REMOVE && (int)FTP_RENAME == (int)FILE_RENAME,
               "changes go to box by their number");

static void turn(void *owner, struct conn *conn);

static void
turn_again(void *owner)
{
	struct ftp_session *s = owner;

	turn(s, s->front.conn);
}

void
ftp_session_again(struct ftp_session *s)
{
	loop_defer(s->serve->front.loop, &s->again, turn_again, s);
}

enum ftp_answer
ftp_answer_of(const struct ftp_session *s, uint8_t code)
{
	switch ((enum err_code)code) {
	case ERR_NOTFOUND:
		return FTP_NOTFOUND;
	case ERR_EXISTS:
		return FTP_EXISTS;
	case ERR_SYNTAX:
		return FTP_NAME;
	case ERR_RANGE:
		return FTP_RANGE;
	case ERR_FULL:
		return FTP_FULL;
	case ERR_DENIED: /* a box that has begun anew denies what a session could do before */
		return s->stopped ? FTP_TEMP : FTP_DENIED;
	case ERR_STALE:
	case ERR_SEEN:
	case ERR_LATER:
	case ERR_IO:
	case ERR_MEMORY:
	case ERR_CORRUPT:
	case ERR_GONE:
	case ERR_LIBRARY:
		break;
	}
	return code ? FTP_TEMP : FTP_OK;
}

static void
session_free(struct ftp_session *s)
{
	chan_ask_stop(&s->ask);
	ftp_move_drop(s);
	ftp_await_stop(&s->await);
	loop_defer_stop(s->serve->front.loop, &s->again);
	ftp_free(s->ftp);
	login_fini(&s->login);
	front_session_close(&s->front);
}

/* ---- questions ---- */

/* Asks box; without an answer to come, the machine is told to say so. */
static void
ask(struct ftp_session *s, struct talk_out word, chan_answered *answered)
{
	struct chan *box = peers_chan(s->serve->front.peers, ROLE_BOX, 0);

	s->waiting = box && is_ok(chan_ask(box, &s->ask, word, -1, ASK_MS, answered, s));
	if (!s->waiting)
		ftp_answer(s->ftp, FTP_TEMP);
}

static void
answered_with(struct ftp_session *s, enum ftp_answer answer)
{
	s->waiting = false;
	ftp_answer(s->ftp, answer);
	turn(s, s->front.conn);
}

static void
logged_in(void *owner, enum login_result result)
{
	struct ftp_session *s = owner;

	if (result == LOGIN_OK) {
		s->serve->logins++;
		conn_until(s->front.conn, 0);
		conn_idle(s->front.conn, FTP_IDLE_MS);
		answered_with(s, FTP_OK);
	} else {
		s->serve->refused++;
		answered_with(s, result == LOGIN_DENIED ? FTP_BAD : FTP_TEMP);
	}
}

static void
login(struct ftp_session *s)
{
	ftp_await_stop(&s->await);
	s->waiting = login_password(&s->login, ftp_user(s->ftp), ftp_secret(s->ftp), logged_in);
	if (!s->waiting)
		ftp_answer(s->ftp, FTP_TEMP);
}

static void
looked(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_file_stat_answer answer;
	struct ftp_facts facts;

	if (!is_ok(e) || !talk_file_stat_answer_get(&w->body, &answer)) {
		answered_with(s, FTP_TEMP);
		return;
	}
	if (answer.code) {
		answered_with(s, ftp_answer_of(s, answer.code));
		return;
	}
	facts = (struct ftp_facts){.kind = answer.kind == FILE_FOLDER ? FTP_FOLDER : FTP_FILE,
	                           .size = answer.size,
	                           .modified_s = answer.modified_s};
	s->waiting = false;
	ftp_found(s->ftp, &facts);
	turn(s, s->front.conn);
}

static void
look(struct ftp_session *s)
{
	const struct talk_file_stat word = {.handle = s->login.handle, .path = ftp_path(s->ftp)};

	ask(s, talk_file_stat_out(&word), looked);
}

static void
changed(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_file_change_answer answer;

	if (!is_ok(e) || !talk_file_change_answer_get(&w->body, &answer))
		answered_with(s, FTP_TEMP);
	else
		answered_with(s, ftp_answer_of(s, answer.code));
}

static void
change(struct ftp_session *s)
{
	const struct talk_file_change word = {.handle = s->login.handle,
	                                      .what = (uint8_t)ftp_change(s->ftp),
	                                      .path = ftp_path(s->ftp),
	                                      .to = ftp_target(s->ftp)};

	ask(s, talk_file_change_out(&word), changed);
}

/* Networks from which we are reached at our own address, whatever a NAT announces outside. */
static bool
is_near(const uint8_t ip[16])
{
	static const char *const near[] = {"10.0.0.0/8",  "172.16.0.0/12",  "192.168.0.0/16",
	                                   "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"};
	struct net n;

	for (size_t i = 0; i < COUNT(near); i++)
		if (net_parse(bytes_of(near[i]), &n) && net_contains(&n, ip))
			return true;
	return false;
}

static void
came(void *owner)
{
	ftp_session_again(owner);
}

static void
await(struct ftp_session *s)
{
	const struct ftp_serve_conf *conf = &s->serve->given;
	const uint8_t *peer = conn_peer(s->front.conn)->ip;
	struct addr at;

	if (!ftp_await(s->serve->ports, &s->await, &s->local, peer, came, s, &at)) {
		ftp_answer(s->ftp, FTP_NO_DATA);
		return;
	}
	if (conf->announces && !is_near(peer))
		memcpy(at.ip, conf->passive_ip, sizeof(at.ip));
	ftp_awaited(s->ftp, &at);
}

/* ---- the turn ---- */

static void
leave(struct ftp_session *s)
{
	s->closing = true;
	ftp_move_drop(s);
	ftp_await_stop(&s->await);
	login_leave(&s->login);
	conn_finish(s->front.conn);
}

/* Nothing more comes, and what came has been eaten. */
static bool
has_ended(const struct ftp_session *s)
{
	return conn_state(s->front.conn) != CONN_OPEN && !conn_in(s->front.conn).n;
}

/* Answers the question, or begins to; false: the session waits, or nothing was asked. */
static bool
answer(struct ftp_session *s, enum ftp_want want)
{
	switch (want) {
	case FTP_LOGIN:
		login(s);
		return !s->waiting;
	case FTP_LOOK:
		look(s);
		return !s->waiting;
	case FTP_CHANGE:
		change(s);
		return !s->waiting;
	case FTP_PASSIVE:
		await(s);
		return true;
	case FTP_SHOW:
	case FTP_TRANSFER:
		if (!ftp_moves(s))
			ftp_move_begin(s, want == FTP_SHOW);
		else
			ftp_move_on(s);
		return false; /* it has the session look again */
	case FTP_ABORT:
		ftp_move_stop(s);
		return false;
	case FTP_INPUT:
	case FTP_ROOM:
	case FTP_TLS:
	case FTP_CLOSE:
		break;
	}
	return false;
}

static bool
step(struct ftp_session *s)
{
	struct bytes held = conn_in(s->front.conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(s->front.conn, FTP_REPLY_MAX);
	uint8_t *start = out.p;
	enum ftp_want want;
	size_t wrote;

	if (out.full)
		return false;
	if (s->move.data)
		ftp_moved(s->ftp, ftp_data_moved(s->move.data));
	want = ftp_step(s->ftp, &in, &out);
	wrote = wr_since(&out, start).n;
	conn_wrote(s->front.conn, wrote);
	conn_ate(s->front.conn, (size_t)(in.p - held.p));
	if (want == FTP_TLS) {
		conn_starttls(s->front.conn);
	} else if (want == FTP_CLOSE) {
		leave(s);
	} else if ((want == FTP_INPUT && conn_state(s->front.conn) != CONN_OPEN) ||
	           (want == FTP_TRANSFER && has_ended(s))) {
		leave(s); /* as ABOR and QUIT (RFC 959 4.1.1) */
	} else if (want == FTP_ROOM) {
		return wrote > 0; /* it filled the room that it got: there may be more */
	} else {
		return answer(s, want);
	}
	return false;
}

/*
 * A deadline was missed.  During a transfer a client may be silent, but who does not even read what
 * he was told is waited for no longer: then nothing can be said, and all that he holds is freed.
 */
static bool
in_time(struct ftp_session *s)
{
	if (conn_unsent(s->front.conn)) {
		leave(s);
		return false;
	}
	if (ftp_moves(s))
		conn_idle(s->front.conn, FTP_IDLE_MS);
	else
		ftp_idle(s->ftp);
	return true;
}

static void
turn(void *owner, struct conn *conn)
{
	struct ftp_session *s = owner;
	enum conn_state state = conn_state(conn);

	if (login_busy(&s->login) && (state == CONN_DONE || state == CONN_BROKEN))
		return; /* it counts until auth has answered */
	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		session_free(s);
		return;
	}
	if (s->closing || s->waiting || state == CONN_HANDSHAKE)
		return;
	if (conn_late(conn) != CONN_IN_TIME && !in_time(s))
		return;
	if (s->serve->front.draining && !s->stopped) {
		s->stopped = true;
		ftp_end(s->ftp);
	}
	if (conn_tls(conn) && !ftp_is_tls(s->ftp))
		ftp_tls_done(s->ftp);
	if (login_waits(&s->login))
		return;
	while (step(s))
		;
}

/* So many that another could not be served: told in a word, since a client may try again. */
static void
turn_away(struct ftp_serve *serve, int fd)
{
	struct bytes said = BYTES("421 Too many connections, try again later.\r\n");
	size_t sent;

	if (!is_ok(loop_send(serve->front.loop, fd, &said, 1, &sent)))
		sent = 0; /* then without a word */
	loop_close_fd(serve->front.loop, fd);
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct ftp_serve *serve = owner;
	const struct ftp_serve_conf *given = &serve->given;
	struct ftp_peer is = {.unique = random_u64(serve->front.random)};
	struct ftp_session *s;
	struct addr local;

	if (serve->front.sessions >= FTP_SESSIONS_MAX ||
	    !is_ok(loop_local(serve->front.loop, fd, &local))) {
		turn_away(serve, fd);
		return;
	}
	s = front_session_open(&serve->front, &serve->port, fd, peer);
	if (!s)
		return;
	s->serve = serve;
	s->local = local;
	s->move.file = -1;
	login_init(&s->login, &serve->front, s->front.peer, peer, PROTOCOL_FTP, turn_again, s);
	memcpy(is.ip, peer->ip, sizeof(is.ip));
	is.plaintext = nets_contain(given->plaintext, given->n_plaintext, peer->ip);
	s->ftp = ftp_new(&serve->conf[s->front.tls != NULL], &is);
	if (!s->ftp) {
		session_free(s);
		return;
	}
	conn_until(s->front.conn, LOGIN_MS);
	turn(s, s->front.conn);
}

/* ---- public ---- */

struct err
ftp_serve_open(struct ftp_serve **out, const struct ftp_serve_conf *conf, struct loop *loop,
               struct random *random, struct peers *peers)
{
	struct ftp_serve *serve = calloc(1, sizeof(*serve));
	struct err e;

	if (!serve)
		return ERR(ERR_MEMORY, 0, "ftp");
	ftp_serve_settings(serve, conf);
	serve->port = (struct front_port){.in_max = IN_MAX, .out_max = OUT_MAX, .turn = turn};
	e = ftp_datas_init(&serve->datas, loop);
	if (is_ok(e))
		e = ftp_ports_open(&serve->ports, loop, random);
	if (is_ok(e))
		e = front_init(&serve->front, loop, random, peers, sizeof(struct ftp_session),
		               FTP_SESSIONS_MAX);
	if (is_ok(e)) {
		*out = serve;
		return OK;
	}
	ftp_ports_close(serve->ports);
	ftp_datas_fini(&serve->datas);
	free(serve);
	return e;
}

void
ftp_serve_close(struct ftp_serve *serve)
{
	if (!serve)
		return;
	while (serve->front.first)
		session_free((struct ftp_session *)(void *)serve->front.first);
	ftp_ports_close(serve->ports);
	ftp_datas_fini(&serve->datas);
	front_fini(&serve->front);
	free(serve);
}

void
ftp_serve_settings(struct ftp_serve *serve, const struct ftp_serve_conf *conf)
{
	serve->given = *conf;
	serve->conf[0] = (struct ftp_conf){.host = conf->host};
	serve->conf[1] = (struct ftp_conf){.host = conf->host, .tls = true};
}

struct err
ftp_serve_certificate(struct ftp_serve *serve, struct bytes chain, uint32_t key)
{
	struct err e = front_certificate(&serve->front, chain, key, BYTES("ftp"));

	if (is_ok(e)) /* some clients name their data connections so */
		e = tls_server_families(serve->front.tls->server, BYTES("ftp-data"));
	return e;
}

struct err
ftp_serve_listen(struct ftp_serve *serve, int fd, bool data)
{
	if (data)
		return ftp_ports_add(serve->ports, fd);
	return front_listen(&serve->front, fd, accepted, serve);
}

void
ftp_serve_box_gone(struct ftp_serve *serve)
{
	for (struct front_session *f = serve->front.first; f; f = f->next) {
		struct ftp_session *s = (struct ftp_session *)(void *)f;

		if (!s->login.has_handle || s->stopped)
			continue;
		s->stopped = true;
		ftp_end(s->ftp);
		ftp_session_again(s);
	}
}

void
ftp_serve_drain(struct ftp_serve *serve, loop_fn *drained, void *owner)
{
	front_drain(&serve->front, drained, owner);
}

void
ftp_serve_status(const struct ftp_serve *serve, struct wr *counters)
{
	struct ftp_ports_counts ports = ftp_ports_counts(serve->ports);

	report_put_counter(counters, "sessions", serve->front.sessions);
	report_put_counter(counters, "all_sessions", serve->front.all_sessions);
	report_put_counter(counters, "logins", serve->logins);
	report_put_counter(counters, "refused", serve->refused);
	report_put_counter(counters, "transfers", serve->moving);
	report_put_counter(counters, "files_sent", serve->sent);
	report_put_counter(counters, "files_received", serve->received);
	report_put_counter(counters, "listings", serve->listed);
	report_put_counter(counters, "transfers_failed", serve->failed);
	report_put_counter(counters, "octets_sent", serve->octets_sent);
	report_put_counter(counters, "octets_received", serve->octets_received);
	report_put_counter(counters, "data_strangers", ports.strangers);
	report_put_counter(counters, "data_other_tls", serve->not_bound);
	report_put_counter(counters, "data_no_port", ports.none_free);
}

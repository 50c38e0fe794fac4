/*
 * ftp_move.c - a transfer, from the question to its answer.
 *
 * Invariants:
 * 1. The machine's question is answered once for each ftp_move_begin(), unless ftp_move_drop() came.
 * 2. An upload's token is committed or dropped; where neither can be said, box drops it with the
 *    session's handle.
 * 3. Only what came to its end is committed: a cut, a stall or ABOR leaves the old file (attacks
 *    89, 137).
 */
#include "serve/ftp_session.h"

#include "base/log.h"

enum {
	ASK_MS = 30 * 1000,
	COPY_MS =
	    600 * 1000, /* for box to copy what is kept of a file, or to bring one to the disk */
	DIAL_MS = 35 * 1000,  /* dial has limits of its own, within this */
	AWAIT_MS = 30 * 1000, /* for a passive connection to come, from 150 on */
	SHOW_ROOM = 16 * 1024,
};

static bool
writes(const struct ftp_transfer *t)
{
	return t->act == FTP_STOR || t->act == FTP_APPE;
}

static bool
lists(const struct ftp_transfer *t)
{
	return t->act >= FTP_LIST;
}

/* ---- the end ---- */

static void
drop_upload(struct ftp_session *s)
{
	const struct talk_file_drop word = {.handle = s->login.handle, .token = s->move.token};
	struct chan *box = peers_chan(s->serve->front.peers, ROLE_BOX, 0);

	if (s->move.token && box)
		chan_say(box, talk_file_drop_out(&word), -1);
	s->move.token = 0;
}

/* Gives back all that the transfer holds. */
static void
clear(struct ftp_session *s)
{
	struct ftp_move *m = &s->move;

	chan_ask_stop(&m->ask);
	loop_timer_stop(s->serve->front.loop, &m->timer);
	ftp_data_free(m->data);
	ftp_listing_fini(&m->listing);
	loop_close_fd(s->serve->front.loop, m->file);
	ftp_await_stop(&s->await);
	purse_refund(&s->front.peer->bytes, m->charged);
	s->serve->moving--;
	conn_idle(s->front.conn, FTP_IDLE_MS);
	*m = (struct ftp_move){.file = -1};
}

static const char *
event_of(const struct ftp_transfer *t, enum ftp_answer answer)
{
	if (answer != FTP_OK)
		return "ftp.failed";
	return writes(t) ? "ftp.received" : "ftp.sent";
}

static const char *
reason_of(enum ftp_answer answer)
{
	static const char *const words[] = {
	    [FTP_OK] = "done",       [FTP_BAD] = "refused",
	    [FTP_TEMP] = "not-now",  [FTP_NOTFOUND] = "not-found",
	    [FTP_EXISTS] = "exists", [FTP_DENIED] = "denied",
	    [FTP_NAME] = "name",     [FTP_RANGE] = "offset",
	    [FTP_FULL] = "no-space", [FTP_NO_DATA] = "no-connection",
	    [FTP_CUT] = "cut",       [FTP_NOT_BOUND] = "other-tls-session",
	    [FTP_NO_TLS] = "no-tls", [FTP_BUSY] = "too-many",
	};

	return words[answer];
}

static void
note(struct ftp_session *s, const struct ftp_transfer *t, enum ftp_answer answer)
{
	struct ftp_serve *serve = s->serve;
	uint64_t ms = loop_now_ms(serve->front.loop) - s->move.began_ms;

	serve->failed += answer != FTP_OK;
	serve->not_bound += answer == FTP_NOT_BOUND;
	if (lists(t)) {
		serve->listed += answer == FTP_OK;
		return;
	}
	if (writes(t)) {
		serve->received += answer == FTP_OK;
		serve->octets_received += s->move.octets;
	} else {
		serve->sent += answer == FTP_OK;
		serve->octets_sent += s->move.octets;
	}
	log_event(LOG_INFO, event_of(t, answer), kv_ip("peer", conn_peer(s->front.conn)->ip),
	          kv_u64("account", s->login.account), kv_text("path", t->path),
	          kv_u64("octets", s->move.octets), kv_u64("ms", ms),
	          kv_word("tls", t->tls ? "yes" : "no"), kv_word("end", reason_of(answer)));
}

static void
finish(struct ftp_session *s, enum ftp_answer answer)
{
	const struct ftp_transfer *t = ftp_transfer(s->ftp);

	if (s->move.data)
		s->move.octets = ftp_data_moved(s->move.data);
	note(s, t, answer);
	if (answer != FTP_OK)
		drop_upload(s);
	clear(s);
	ftp_answer(s->ftp, answer);
	ftp_session_again(s);
}

/* ---- what box is asked ---- */

/* Asks a role; without an answer to come it is over. */
static void
ask(struct ftp_session *s, enum role whom, struct talk_out word, uint32_t ms,
    chan_answered *answered)
{
	struct chan *c = peers_chan(s->serve->front.peers, whom, 0);

	if (!c || !is_ok(chan_ask(c, &s->move.ask, word, -1, ms, answered, s)))
		finish(s, whom == ROLE_DIAL ? FTP_NO_DATA : FTP_TEMP);
}

/* The file is there, or what is to be listed: 150, then a connection. */
static void
ready(struct ftp_session *s, uint64_t size)
{
	if (s->move.stopped) {
		finish(s, FTP_CUT);
		return;
	}
	s->move.stage = FTP_MOVE_SAYING;
	ftp_begins(s->ftp, size);
	ftp_session_again(s);
}

static void
read_answered(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_file_read_answer answer;

	if (!is_ok(e) || !talk_file_read_answer_get(&w->body, &answer)) {
		finish(s, FTP_TEMP);
		return;
	}
	s->move.file = chan_take_fd(w);
	if (answer.code || s->move.file < 0)
		finish(s, answer.code ? ftp_answer_of(s, answer.code) : FTP_TEMP);
	else if (ftp_transfer(s->ftp)->offset > answer.size)
		finish(s, FTP_RANGE);
	else
		ready(s, answer.size - ftp_transfer(s->ftp)->offset);
}

static void
write_answered(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_file_write_answer answer;

	if (!is_ok(e) || !talk_file_write_answer_get(&w->body, &answer)) {
		finish(s, FTP_TEMP);
		return;
	}
	s->move.file = chan_take_fd(w);
	s->move.token = answer.code ? 0 : answer.token;
	if (answer.code || s->move.file < 0)
		finish(s, answer.code ? ftp_answer_of(s, answer.code) : FTP_TEMP);
	else
		ready(s, 0);
}

static void page_came(void *owner);

static void
stat_answered(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	const struct ftp_transfer *t = ftp_transfer(s->ftp);
	struct talk_file_stat_answer answer;
	struct ftp_facts facts;

	if (!is_ok(e) || !talk_file_stat_answer_get(&w->body, &answer)) {
		finish(s, FTP_TEMP);
		return;
	}
	facts = (struct ftp_facts){.kind = answer.kind == FILE_FOLDER ? FTP_FOLDER : FTP_FILE,
	                           .size = answer.size,
	                           .modified_s = answer.modified_s};
	if (answer.code)
		finish(s, ftp_answer_of(s, answer.code));
	else if (!ftp_listing_init(&s->move.listing, t, &facts, s->serve->front.peers,
	                           s->login.handle, loop_wall_ns(s->serve->front.loop) / 1000000000,
	                           page_came, s))
		finish(s, FTP_DENIED);
	else
		ready(s, 0);
}

static void
ask_file(struct ftp_session *s)
{
	const struct ftp_transfer *t = ftp_transfer(s->ftp);
	const struct talk_file_read reading = {.handle = s->login.handle, .path = t->path};
	const struct talk_file_stat looking = {.handle = s->login.handle, .path = t->path};
	const struct talk_file_write writing = {.handle = s->login.handle,
	                                        .path = t->path,
	                                        .how = t->act == FTP_APPE ? FILE_APPEND
	                                               : t->offset        ? FILE_RESUME
	                                                                  : FILE_REPLACE,
	                                        .offset = t->offset};

	s->move.stage = FTP_MOVE_ASKING;
	if (lists(t))
		ask(s, ROLE_BOX, talk_file_stat_out(&looking), ASK_MS, stat_answered);
	else if (writes(t))
		ask(s, ROLE_BOX, talk_file_write_out(&writing), COPY_MS, write_answered);
	else
		ask(s, ROLE_BOX, talk_file_read_out(&reading), ASK_MS, read_answered);
}

/* ---- data ---- */

static void
committed(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_file_commit_answer answer;

	s->move.token = 0; /* whatever the answer is, box has forgotten it, or will */
	if (!is_ok(e) || !talk_file_commit_answer_get(&w->body, &answer))
		finish(s, FTP_TEMP);
	else
		finish(s, answer.code ? ftp_answer_of(s, answer.code) : FTP_OK);
}

static void
commit(struct ftp_session *s)
{
	const struct talk_file_commit word = {.handle = s->login.handle, .token = s->move.token};

	s->move.octets = ftp_data_moved(s->move.data);
	ftp_data_free(s->move.data);
	s->move.data = NULL;
	s->move.stage = FTP_MOVE_SETTLING;
	ask(s, ROLE_BOX, talk_file_commit_out(&word), COPY_MS, committed);
}

static void
moved(void *owner, enum ftp_data_end how)
{
	static const enum ftp_answer answers[] = {
	    [FTP_DATA_DONE] = FTP_OK,       [FTP_DATA_CUT] = FTP_CUT,
	    [FTP_DATA_NO_TLS] = FTP_NO_TLS, [FTP_DATA_NOT_BOUND] = FTP_NOT_BOUND,
	    [FTP_DATA_FULL] = FTP_FULL,     [FTP_DATA_FAILED] = FTP_TEMP,
	};
	struct ftp_session *s = owner;

	if (how == FTP_DATA_DONE && writes(ftp_transfer(s->ftp)))
		commit(s);
	else
		finish(s, answers[how]);
}

static enum ftp_text
text(void *owner, struct wr *w)
{
	struct ftp_session *s = owner;

	return ftp_listing_text(&s->move.listing, w);
}

/* The data connection is there; fd is taken over. */
static void
move(struct ftp_session *s, int fd)
{
	const struct ftp_transfer *t = ftp_transfer(s->ftp);
	const struct tls *control = conn_tls(s->front.conn);
	struct ftp_data_conf conf = {.peer = *conn_peer(s->front.conn),
	                             .file = s->move.file,
	                             .at = t->offset,
	                             .ascii = t->ascii,
	                             .text = text,
	                             .done = moved,
	                             .owner = s};

	loop_timer_stop(s->serve->front.loop, &s->move.timer);
	conf.job = lists(t) ? FTP_DATA_TEXT : writes(t) ? FTP_DATA_TAKE : FTP_DATA_SEND;
	if (t->tls) {
		conf.tls = s->front.tls->server;
		conf.control = control;
		conf.bound = s->serve->given.data_resumes;
	}
	s->move.stage = FTP_MOVE_MOVING;
	if (!is_ok(ftp_data_open(&s->move.data, &s->serve->datas, fd, &conf)))
		finish(s, FTP_NO_DATA);
}

/* ---- getting the connection ---- */

static void
nobody_came(void *owner)
{
	finish(owner, FTP_NO_DATA);
}

static void
dialed(void *owner, struct err e, struct chan_word *w)
{
	struct ftp_session *s = owner;
	struct talk_dial_connect_answer answer;
	int fd = -1;

	if (is_ok(e) && talk_dial_connect_answer_get(&w->body, &answer) && !answer.code)
		fd = chan_take_fd(w);
	if (fd >= 0)
		move(s, fd);
	else
		finish(s, FTP_NO_DATA);
}

static void
connect_out(struct ftp_session *s)
{
	const struct ftp_transfer *t = ftp_transfer(s->ftp);
	const struct talk_dial_connect word = {.purpose = DIAL_FTP,
	                                       .to = {t->to.ip, sizeof(t->to.ip)},
	                                       .port = t->to.port,
	                                       .from = {s->local.ip, sizeof(s->local.ip)}};

	s->move.stage = FTP_MOVE_DIALING;
	ask(s, ROLE_DIAL, talk_dial_connect_out(&word), DIAL_MS, dialed);
}

/* 150 was written: now the connection. */
static void
get_connection(struct ftp_session *s)
{
	int fd;

	if (ftp_transfer(s->ftp)->active) {
		connect_out(s);
		return;
	}
	fd = ftp_await_take(&s->await);
	if (fd >= 0) {
		move(s, fd);
		return;
	}
	s->move.stage = FTP_MOVE_AWAITING;
	loop_timer_set(s->serve->front.loop, &s->move.timer, AWAIT_MS, nobody_came, s);
}

/* ---- STAT with a path: lines on the control connection ---- */

static void
show(struct ftp_session *s)
{
	enum ftp_text how = FTP_TEXT_MORE;

	s->move.stage = FTP_MOVE_MOVING;
	while (how == FTP_TEXT_MORE) {
		struct wr w = conn_room(s->front.conn, SHOW_ROOM);
		uint8_t *start = w.p;

		if (w.full)
			return;
		how = ftp_listing_text(&s->move.listing, &w);
		conn_wrote(s->front.conn, wr_since(&w, start).n);
	}
	if (how != FTP_TEXT_WAIT)
		finish(s, how == FTP_TEXT_END ? FTP_OK : FTP_TEMP);
}

static void
page_came(void *owner)
{
	struct ftp_session *s = owner;

	if (s->move.data)
		ftp_data_more(s->move.data);
	else
		ftp_session_again(s);
}

/* ---- public ---- */

void
ftp_move_begin(struct ftp_session *s, bool shows)
{
	struct ftp_serve *serve = s->serve;
	size_t charge = FTP_DATA_OWN;

	s->move = (struct ftp_move){
	    .file = -1, .shows = shows, .began_ms = loop_now_ms(serve->front.loop)};
	if (serve->moving >= FTP_TRANSFERS_MAX || !purse_charge(&s->front.peer->bytes, charge)) {
		serve->failed++;
		ftp_answer(s->ftp, FTP_BUSY);
		ftp_session_again(s);
		return;
	}
	s->move.charged = charge;
	serve->moving++;
	ask_file(s);
}

void
ftp_move_on(struct ftp_session *s)
{
	struct ftp_move *m = &s->move;

	if (m->stage == FTP_MOVE_SAYING && !m->shows)
		get_connection(s);
	else if (m->shows && (m->stage == FTP_MOVE_SAYING || m->stage == FTP_MOVE_MOVING))
		show(s);
	else if (m->stage == FTP_MOVE_AWAITING && s->await.fd >= 0)
		move(s, ftp_await_take(&s->await));
}

void
ftp_move_stop(struct ftp_session *s)
{
	switch (s->move.stage) {
	case FTP_MOVE_NONE:
		break;
	case FTP_MOVE_ASKING:   /* an upload that box begins must be dropped there */
	case FTP_MOVE_SETTLING: /* nobody knows whether it is durable: box tells */
		s->move.stopped = true;
		break;
	case FTP_MOVE_SAYING:
	case FTP_MOVE_DIALING:
	case FTP_MOVE_AWAITING:
	case FTP_MOVE_MOVING:
		finish(s, FTP_CUT);
		break;
	}
}

void
ftp_move_drop(struct ftp_session *s)
{
	if (!ftp_moves(s))
		return;
	if (s->move.data)
		s->move.octets = ftp_data_moved(s->move.data);
	note(s, ftp_transfer(s->ftp), FTP_CUT);
	drop_upload(s);
	clear(s);
}

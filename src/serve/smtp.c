/*
 * smtp.c - the life of a session: what proto/smtp wants is answered by smtp_envelope.c and
 * smtp_message.c.
 */
#include "serve/smtp_session.h"

#include "base/log.h"
#include "base/random.h"
#include "talk/report.h"

#include <stdlib.h>

enum {
	BODIES_MAX = 512 * 1024 * 1024, /* octets of all messages on their way in */
	DIRECTORY_MAX = 1 << 30,
	IN_MAX = 64 * 1024,
	OUT_MAX = 16 * 1024,
	IDLE_MS = 300 * 1000, /* RFC 5321 4.5.3.2.7 */
	DATA_RATE = 100,      /* octets a second, less is too slow (attack 47) */
	CONFS = 6,
};

static void turn(void *owner, struct conn *conn);

static void
session_free(struct smtp_session *s)
{
	chan_ask_stop(&s->ask);
	loop_timer_stop(s->serve->front.loop, &s->away);
	smtp_session_forget(s);
	smtp_free(s->smtp);
	purse_refund(&s->front.peer->bytes, s->charged);
	login_fini(&s->login);
	front_session_close(&s->front);
}

/* Also what is refused must come at a rate (attack 47); nothing is expected while box works. */
static void
expect(struct smtp_session *s, bool bulk)
{
	if (bulk != s->bulk)
		conn_expect(s->front.conn, bulk ? DATA_RATE : 0);
	s->bulk = bulk;
}

/* ---- the turn ---- */

/* Answers the question; false: the session waits, or is gone. */
static bool
answer(struct smtp_session *s, enum smtp_want want)
{
	switch (want) {
	case SMTP_AUTH:
		smtp_session_auth(s);
		return !s->waiting;
	case SMTP_SENDER:
		smtp_session_sender(s);
		return true;
	case SMTP_RCPT:
		smtp_session_rcpt(s);
		return true;
	case SMTP_DATA:
		smtp_session_data(s);
		return true;
	case SMTP_BODY:
		smtp_session_body(s);
		return true;
	case SMTP_DROP:
		smtp_session_forget(s);
		smtp_answer(s->smtp, SMTP_OK);
		return true;
	case SMTP_COMMIT:
		smtp_session_commit(s);
		return !s->waiting;
	case SMTP_INPUT:
	case SMTP_ROOM:
	case SMTP_TLS:
	case SMTP_CLOSE:
		break;
	}
	return false;
}

/* The machine's envelope, or login, is the client's; false: its purse does not allow it. */
static bool
charge(struct smtp_session *s)
{
	struct purse *purse = &s->front.peer->bytes;
	size_t n = smtp_memory(s->smtp);

	if (n < s->charged)
		purse_refund(purse, s->charged - n);
	else if (!purse_charge(purse, n - s->charged))
		return false;
	s->charged = n;
	return true;
}

static enum smtp_want
step(struct smtp_session *s)
{
	struct bytes held = conn_in(s->front.conn);
	struct rd in = rd_of(held);
	struct wr out = conn_room(s->front.conn, SMTP_REPLY_MAX);
	uint8_t *start = out.p;
	enum smtp_want want;
	bool on;

	if (out.full)
		return SMTP_ROOM;
	want = smtp_step(s->smtp, &in, &out);
	conn_wrote(s->front.conn, wr_since(&out, start).n);
	/* it filled the room that it got: there may be more */
	on = want == SMTP_ROOM ? wr_since(&out, start).n > 0 : answer(s, want);
	expect(s, smtp_in_message(s->smtp) && !s->waiting);
	/* behind answer(): a piece of the body lies in the input */
	conn_ate(s->front.conn, (size_t)(in.p - held.p));
	if (!charge(s) && !s->ended) {
		smtp_session_end(s, SMTP_BUSY);
		on = !s->waiting;
	}
	return on ? SMTP_RCPT : want;
}

static void
finish(struct smtp_session *s)
{
	s->closing = true;
	conn_finish(s->front.conn);
}

static void
check_time(struct smtp_session *s)
{
	if (conn_late(s->front.conn) == CONN_IN_TIME || s->closing)
		return;
	conn_idle(s->front.conn, 0);
	conn_expect(s->front.conn, 0);
	smtp_session_end(s, SMTP_IDLE);
}

/* Each login gets a nonce of its own: a login asks auth, so there is one at most in a turn. */
static void
refresh_nonce(struct smtp_session *s)
{
	uint8_t nonce[SASL_NONCE];

	if (!s->login.front || smtp_logged_in(s->smtp))
		return;
	random_fill(s->serve->front.random, nonce, sizeof(nonce));
	smtp_nonce(s->smtp, nonce);
}

static void
turn(void *owner, struct conn *conn)
{
	struct smtp_session *s = owner;
	enum conn_state state = conn_state(conn);
	enum smtp_want want = SMTP_RCPT;

	if (login_busy(&s->login) && (state == CONN_DONE || state == CONN_BROKEN))
		return; /* it counts until auth has answered */
	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		/* what box was given is box's; this client will not hear of it (attack 48) */
		session_free(s);
		return;
	}
	if (s->closing || s->waiting || state == CONN_HANDSHAKE)
		return;
	check_time(s);
	if (s->serve->front.draining && !s->ended)
		smtp_session_end(s, SMTP_STOP);
	if (conn_tls(conn) && !smtp_is_tls(s->smtp))
		smtp_tls_done(s->smtp);
	if (!s->ended && login_waits(&s->login))
		return;
	refresh_nonce(s);
	while (want == SMTP_RCPT)
		want = step(s);
	if (want == SMTP_TLS)
		conn_starttls(conn);
	else if (want == SMTP_CLOSE)
		finish(s);
	else if (want == SMTP_INPUT && state != CONN_OPEN)
		finish(s); /* the peer ended, cut or not: what is not committed is dropped */
}

static void
turn_again(void *owner)
{
	smtp_session_turn(owner);
}

static struct smtp *
machine(struct smtp_session *s, const struct smtp_listener *l, const struct addr *peer)
{
	struct smtp_serve *serve = s->serve;
	enum smtp_login login = SMTP_NO_LOGIN;
	uint8_t ip[ADDR_IP_TEXT], id[SMTP_ID_MAX];
	struct wr ip_text = wr_of(ip, sizeof(ip)), id_text = wr_of(id, sizeof(id));

	addr_ip_text(&ip_text, peer->ip);
	wr_printf(&id_text, "%llx%llx",
	          (unsigned long long)(loop_wall_ns(serve->front.loop) / 1000000),
	          (unsigned long long)serve->next_id++);
	if (l->kind != SMTP_MX)
		login =
		    nets_contain(serve->networks.plaintext, serve->networks.n_plaintext, peer->ip)
			? SMTP_PLAIN_LOGIN
			: SMTP_TLS_LOGIN;
	return smtp_new(&serve->conf[login][s->front.tls != NULL], wr_since(&ip_text, ip),
	                wr_since(&id_text, id), l->port.tls_now);
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	const struct smtp_listener *l = owner;
	struct smtp_serve *serve = l->serve;
	struct smtp_session *s = front_session_open(&serve->front, &l->port, fd, peer);

	if (!s)
		return;
	s->serve = serve;
	s->body = body_init(&s->front.peer->bytes, &serve->bodies);
	s->fields = smtp_fields_init();
	if (l->kind == SMTP_MX)
		s->trusted = nets_contain(serve->networks.relay, serve->networks.n_relay, peer->ip);
	else
		login_init(&s->login, &serve->front, s->front.peer, peer, PROTOCOL_SUBMISSION,
		           turn_again, s);
	s->smtp = machine(s, l, peer);
	if (!s->smtp) {
		session_free(s);
		return;
	}
	conn_idle(s->front.conn, IDLE_MS);
	smtp_session_turn(s);
}

/* ---- for the other files of a session ---- */

void
smtp_session_turn(struct smtp_session *s)
{
	turn(s, s->front.conn);
}

void
smtp_session_end(struct smtp_session *s, enum smtp_why why)
{
	s->ended = true;
	smtp_end(s->smtp, why);
}

const char *
smtp_session_why(enum smtp_answer answer)
{
	static const char *const names[] = {
	    [SMTP_OK] = "ok",
	    [SMTP_UNKNOWN] = "unknown",
	    [SMTP_NO_RELAY] = "no-relay",
	    [SMTP_MANY] = "many",
	    [SMTP_QUOTA] = "quota",
	    [SMTP_TEMP] = "temporary",
	    [SMTP_FULL] = "full",
	    [SMTP_LOOP] = "loop",
	    [SMTP_REFUSED] = "refused",
	    [SMTP_ALIEN] = "not-theirs",
	    [SMTP_FORGED] = "forged-from",
	    [SMTP_NO_FROM] = "no-from",
	};

	return names[answer];
}

/* ---- public ---- */

struct err
smtp_serve_open(struct smtp_serve **out, const struct smtp_serve_conf *conf, struct loop *loop,
                struct random *random, struct peers *peers)
{
	struct smtp_serve *serve = calloc(1, sizeof(*serve));
	struct err e;

	if (!serve)
		return ERR(ERR_MEMORY, 0, "smtp");
	serve->bodies.cap = BODIES_MAX;
	serve->networks = conf->networks;
	for (size_t i = 0; i < CONFS; i++)
		serve->conf[i / 2][i % 2] = (struct smtp_conf){.host = conf->host,
		                                               .size_max = conf->size_max,
		                                               .rcpt_max = conf->rcpt_max,
		                                               .starttls = i % 2,
		                                               .login = (enum smtp_login)(i / 2)};
	for (enum smtp_kind k = SMTP_MX; k < SMTP_KINDS; k++)
		serve->listeners[k] = (struct smtp_listener){
		    serve, {IN_MAX, OUT_MAX, k == SMTP_SUBMISSION_TLS, turn}, k};
	e = front_init(&serve->front, loop, random, peers, sizeof(struct smtp_session),
	               FRONT_SESSIONS);
	if (is_ok(e))
		*out = serve;
	else
		free(serve);
	return e;
}

void
smtp_serve_close(struct smtp_serve *serve)
{
	if (!serve)
		return;
	while (serve->front.first)
		session_free((struct smtp_session *)serve->front.first);
	front_fini(&serve->front);
	snap_release(serve->image);
	free(serve);
}

struct err
smtp_serve_certificate(struct smtp_serve *serve, struct bytes chain, uint32_t key)
{
	return front_certificate(&serve->front, chain, key, BYTES("smtp"));
}

struct err
smtp_serve_listen(struct smtp_serve *serve, int fd)
{
	return front_listen(&serve->front, fd, accepted, &serve->listeners[SMTP_MX]);
}

struct err
smtp_serve_listen_submission(struct smtp_serve *serve, int fd, bool tls_now)
{
	return front_listen(&serve->front, fd, accepted,
	                    &serve->listeners[tls_now ? SMTP_SUBMISSION_TLS : SMTP_SUBMISSION]);
}

void
smtp_serve_networks(struct smtp_serve *serve, const struct smtp_networks *networks)
{
	serve->networks = *networks;
}

void
smtp_serve_limits(struct smtp_serve *serve, uint64_t size_max, uint32_t rcpt_max)
{
	for (size_t i = 0; i < CONFS; i++) {
		serve->conf[i / 2][i % 2].size_max = size_max;
		serve->conf[i / 2][i % 2].rcpt_max = rcpt_max;
	}
}

struct err
smtp_serve_directory(struct smtp_serve *serve, int fd)
{
	struct directory fresh;
	struct snap *image;
	struct err e = snap_map(&image, fd, DIRECTORY_MAX);

	if (!is_ok(e))
		return e;
	if (!directory_open(&fresh, snap_bytes(image))) {
		snap_release(image);
		return ERR(ERR_SYNTAX, 0, "directory image");
	}
	snap_swap(&serve->image, image);
	serve->directory = fresh;
	return OK;
}

void
smtp_serve_box_came(struct smtp_serve *serve)
{
	struct front_session *next;

	for (struct front_session *s = serve->front.first; s; s = next) {
		next = s->next;
		smtp_session_again((struct smtp_session *)s);
	}
}

void
smtp_serve_drain(struct smtp_serve *serve, loop_fn *drained, void *owner)
{
	front_drain(&serve->front, drained, owner);
}

void
smtp_serve_status(const struct smtp_serve *serve, struct wr *counters)
{
	report_put_counter(counters, "sessions", serve->front.sessions);
	report_put_counter(counters, "all_sessions", serve->front.all_sessions);
	report_put_counter(counters, "accepted", serve->accepted);
	report_put_counter(counters, "refused", serve->refused);
	report_put_counter(counters, "retried", serve->retried);
	report_put_counter(counters, "logins", serve->logins);
	report_put_counter(counters, "logins_refused", serve->logins_refused);
	report_put_counter(counters, "body_octets", serve->bodies.used);
}

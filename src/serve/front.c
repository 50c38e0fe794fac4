/* front.c - the common part of the fronts. */
#include "serve/front.h"

#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"

#include <stdlib.h>

struct err
front_init(struct front *f, struct loop *loop, struct random *random, struct peers *peers,
           size_t session, size_t max)
{
	uint8_t key[16];

	*f = (struct front){.loop = loop, .random = random, .peers = peers};
	random_fill(random, key, sizeof(key));
	f->purses = purses_open(key, FRONT_NETWORKS, FRONT_CONNECTIONS, FRONT_BYTES);
	if (session)
		f->pool = pool_open(session, max);
	if (f->purses && (f->pool || !session))
		return OK;
	pool_close(f->pool);
	purses_close(f->purses);
	return ERR(ERR_MEMORY, 0, "a front");
}

/* It is not the newest any more. */
static void
retire(struct front_tls *tls)
{
	if (!tls || tls->sessions)
		return;
	tls_server_free(tls->server);
	free(tls);
}

static void
close_listeners(struct front *f)
{
	for (size_t i = 0; i < f->n_listeners; i++)
		accept_close(f->listeners[i]);
	f->n_listeners = 0;
}

void
front_fini(struct front *f)
{
	close_listeners(f);
	loop_timer_stop(f->loop, &f->rotate);
	retire(f->tls);
	pool_close(f->pool);
	purses_close(f->purses);
}

/* ---- TLS ---- */

/* Within a handshake: this process waits, as its other sessions do, for some 100 us. */
static struct err
sign(void *owner, uint32_t key, uint16_t scheme, struct bytes message, struct wr *signature)
{
	struct front *f = owner;
	const struct talk_keys_sign word = {.key = key, .scheme = scheme, .message = message};
	struct chan *keys = peers_chan(f->peers, ROLE_KEYS, 0);
	struct talk_keys_sign_answer answer;
	struct chan_word w;
	struct err e;

	if (!keys)
		return ERR(ERR_LATER, 0, "keys is not there");
	e = chan_ask_now(keys, talk_keys_sign_out(&word), -1, FRONT_SIGN_MS, &w);
	if (!is_ok(e))
		return e;
	if (!talk_keys_sign_answer_get(&w.body, &answer) || answer.code)
		return ERR(ERR_DENIED, 0, "keys refused to sign");
	wr_bytes(signature, answer.signature);
	return signature->full ? ERR(ERR_FULL, 0, "signature") : OK;
}

static void
rotate(void *owner)
{
	struct front *f = owner;
	struct err e = f->tls ? tls_server_rotate(f->tls->server) : OK;

	if (!is_ok(e))
		log_event(LOG_ERROR, "tls.rotate_failed", kv_err(e));
	loop_timer_set(f->loop, &f->rotate, (uint64_t)TLS_ROTATE * 1000, rotate, f);
}

struct err
front_certificate(struct front *f, struct bytes chain, uint32_t key, struct bytes protocol)
{
	const struct tls_server_conf conf = {
	    .protocol = protocol, .alpn = &protocol, .alpn_n = 1, .sign = sign, .owner = f};
	struct front_tls *fresh = calloc(1, sizeof(*fresh));
	struct err e;

	if (!fresh)
		return ERR(ERR_MEMORY, 0, "certificate");
	e = tls_server_new(&fresh->server, &conf);
	if (is_ok(e))
		e = tls_server_add(fresh->server, chain, key);
	if (!is_ok(e)) {
		retire(fresh);
		return e;
	}
	retire(f->tls);
	f->tls = fresh;
	loop_timer_set(f->loop, &f->rotate, (uint64_t)TLS_ROTATE * 1000, rotate, f);
	return OK;
}

/* ---- sessions ---- */

struct err
front_listen(struct front *f, int fd, accept_fn *accepted, void *owner)
{
	struct err e;

	if (f->n_listeners == FRONT_LISTENERS) {
		loop_close_fd(f->loop, fd);
		return ERR(ERR_FULL, 0, "listeners");
	}
	e = accept_open(&f->listeners[f->n_listeners], f->loop, fd, accepted, owner);
	if (is_ok(e))
		f->n_listeners++;
	return e;
}

struct purse_peer *
front_enter(struct front *f, const struct addr *peer)
{
	struct purse_peer *p = NULL;

	if (!f->draining && addr_ip_is_loopback(peer->ip))
		p = purses_enter_up_to(f->purses, peer->ip, FRONT_SESSIONS, FRONT_OWN_BYTES);
	else if (!f->draining)
		p = purses_enter(f->purses, peer->ip);

	if (p) {
		f->sessions++;
		f->all_sessions++;
	}
	return p;
}

struct front_tls *
front_tls_enter(struct front *f)
{
	if (f->tls)
		f->tls->sessions++;
	return f->tls;
}

void
front_tls_leave(struct front *f, struct front_tls *tls)
{
	if (tls && --tls->sessions == 0 && tls != f->tls)
		retire(tls);
}

void
front_leave(struct front *f, struct purse_peer *p)
{
	purses_leave(f->purses, p);
	f->sessions--;
	if (f->draining && !f->sessions)
		f->drained(f->owner);
}

void *
front_session_open(struct front *f, const struct front_port *port, int fd, const struct addr *peer)
{
	struct conn_conf conf = {.peer = *peer,
	                         .tls_now = port->tls_now,
	                         .in_max = port->in_max,
	                         .out_max = port->out_max};
	struct purse_peer *purse = !port->tls_now || f->tls ? front_enter(f, peer) : NULL;
	struct front_session *s = purse ? pool_get(f->pool) : NULL;

	if (!s) {
		loop_close_fd(f->loop, fd);
		if (purse)
			front_leave(f, purse);
		return NULL;
	}
	*s = (struct front_session){
	    .front = f, .port = port, .next = f->first, .link = &f->first, .peer = purse};
	if (s->next)
		s->next->link = &s->next;
	f->first = s;
	s->tls = front_tls_enter(f);
	conf.purse = &purse->bytes;
	conf.tls = s->tls ? s->tls->server : NULL;
	if (is_ok(conn_open(&s->conn, f->loop, fd, &conf, port->turn, s)))
		return s;
	front_session_close(s);
	return NULL;
}

void
front_session_close(struct front_session *s)
{
	struct front *f = s->front;
	struct purse_peer *peer = s->peer;

	conn_free(s->conn);
	front_tls_leave(f, s->tls);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	pool_put(f->pool, s);
	front_leave(f, peer);
}

void
front_broken(const struct conn *conn)
{
	struct err e = conn_error(conn);
	bool ours = e.code == ERR_MEMORY || e.code == ERR_CORRUPT;

	/* networks and clients break connections all the time */
	log_event(ours ? LOG_ERROR : LOG_DEBUG, "conn.broken", kv_ip("peer", conn_peer(conn)->ip),
	          kv_err(e));
}

void
front_drain(struct front *f, loop_fn *drained, void *owner)
{
	close_listeners(f);
	f->draining = true;
	f->drained = drained;
	f->owner = owner;
	if (!f->sessions)
		drained(owner);
	for (struct front_session *s = f->first, *next; s; s = next) {
		next = s->next;
		s->port->turn(s, s->conn);
	}
}

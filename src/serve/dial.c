/*
 * dial.c - a call for each connection that is asked for: judged, begun, waited for, handed over.
 */
#include "serve/dial.h"

#include "base/log.h"
#include "policy/route.h"
#include "talk/report.h"

#include <errno.h>
#include <stdlib.h>

enum { FTP_PORT_MIN = 1024 }; /* a client's data port; below are services (RFC 2577 3) */

struct call {
	struct dial *dial;
	struct call *next, **link;
	struct asker asker;
	enum dial_purpose purpose;
	struct addr to, from;
	int fd;
	bool fixed; /* fd is bound to the port that FTP data comes from */
	struct loop_poll *poll;
	struct loop_timer timer;
	struct chan_ask ask;
};

struct dial {
	struct loop *loop;
	struct peers *peers;
	struct dial_conf conf;
	uint8_t relay[255];
	struct call *calls;
	size_t n;
	uint64_t connected, failed, refused;
	bool draining;
	loop_fn *drained;
	void *owner;
};

/* ---- who may be called ---- */

static bool
may_mail(const struct dial *d, const struct addr *to)
{
	struct route_relay relay;

	if (route_is_bad_ip(to->ip))
		return false;
	if (!d->conf.relay.n)
		return to->port == d->conf.port &&
		       (d->conf.loopback || !addr_ip_is_loopback(to->ip));
	/* a person named it, so it may be this machine; what a name means is told by out */
	return route_relay_parse(d->conf.relay, d->conf.port, &relay) &&
	       (relay.is_ip ? addr_eq(to, &relay.addr) : to->port == relay.addr.port);
}

static bool
may_file(const struct addr *to, const struct addr *from)
{
	return to->port >= FTP_PORT_MIN && !route_is_bad_ip(to->ip) && !route_is_bad_ip(from->ip) &&
	       addr_ip_is_loopback(to->ip) == addr_ip_is_loopback(from->ip);
}

static bool
may(const struct dial *d, enum role who, const struct call *c)
{
	if (c->purpose == DIAL_SMTP && who == ROLE_OUT)
		return may_mail(d, &c->to);
	return c->purpose == DIAL_FTP && who == ROLE_FTP && may_file(&c->to, &c->from);
}

/* ---- a call ---- */

static void
say(struct peers *peers, struct asker asker, uint8_t code, int number, int fd)
{
	const struct talk_dial_connect_answer a = {.code = code, .sys = (uint32_t)number};

	peers_answer(peers, asker, talk_dial_connect_answer_out(&a), fd);
}

static void
call_free(struct call *c)
{
	struct dial *d = c->dial;

	chan_ask_stop(&c->ask);
	loop_timer_stop(d->loop, &c->timer);
	loop_poll_close(c->poll);
	loop_close_fd(d->loop, c->fd);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	free(c);
	d->n--;
	if (d->draining && !d->n)
		d->drained(d->owner);
}

static void
fail(struct call *c, struct err e)
{
	c->dial->failed++;
	say(c->dial->peers, c->asker, e.code == ERR_NOTFOUND ? ERR_NOTFOUND : ERR_LATER, e.sys, -1);
	call_free(c);
}

static void
polled(void *owner, unsigned events)
{
	struct call *c = owner;
	struct err e = loop_connected(c->dial->loop, c->fd);

	(void)events;
	if (e.code == ERR_LATER)
		return;
	if (!is_ok(e)) {
		fail(c, e);
		return;
	}
	c->dial->connected++;
	loop_poll_close(c->poll);
	c->poll = NULL;
	say(c->dial->peers, c->asker, 0, 0, c->fd);
	call_free(c);
}

static void
overdue(void *owner)
{
	fail(owner, ERR(ERR_NOTFOUND, ETIMEDOUT, "connect"));
}

static struct err
begin(struct call *c)
{
	struct dial *d = c->dial;
	struct err e = ERR(ERR_NOTFOUND, 0, "connect");
	int fd;

	if (c->fixed) {
		e = loop_connect(d->loop, c->fd, NULL, &c->to, &fd);
		if (is_ok(e))
			return OK;
		loop_close_fd(d->loop, c->fd); /* another connection has this pair of ports */
		c->fd = -1;
	}
	e = loop_connect(d->loop, -1, c->purpose == DIAL_FTP ? &c->from : NULL, &c->to, &fd);
	if (is_ok(e))
		c->fd = fd;
	return e;
}

static void
connect_now(struct call *c)
{
	struct err e = begin(c);

	if (is_ok(e))
		e = loop_poll_open(&c->poll, c->dial->loop, c->fd, polled, c);
	if (is_ok(e))
		loop_poll_want(c->poll, LOOP_WRITE);
	else
		fail(c, e);
}

/* Without that socket any port of the address does; most clients take it. */
static void
socket_came(void *owner, struct err e, struct chan_word *w)
{
	struct call *c = owner;
	struct talk_dial_socket_answer a;

	if (is_ok(e) && talk_dial_socket_answer_get(&w->body, &a) && a.code == 0) {
		c->fd = chan_take_fd(w);
		c->fixed = c->fd >= 0;
	}
	connect_now(c);
}

static bool
ask_socket(struct call *c)
{
	const struct talk_dial_socket word = {.local = {c->from.ip, 16}};
	struct chan *master = peers_chan(c->dial->peers, ROLE_MASTER, 0);

	return master && is_ok(chan_ask(master, &c->ask, talk_dial_socket_out(&word), -1,
	                                DIAL_SOCKET_MS, socket_came, c));
}

static void
call_new(struct dial *d, struct asker asker, const struct call *made)
{
	struct call *c = d->draining || d->n >= DIAL_MAX ? NULL : malloc(sizeof(*c));

	if (!c) {
		say(d->peers, asker, ERR_LATER, EAGAIN, -1);
		return;
	}
	*c = *made;
	c->dial = d;
	c->asker = asker;
	c->next = d->calls;
	c->link = &d->calls;
	if (c->next)
		c->next->link = &c->next;
	d->calls = c;
	d->n++;
	loop_timer_set(d->loop, &c->timer, c->purpose == DIAL_FTP ? DIAL_FTP_MS : DIAL_SMTP_MS,
	               overdue, c);
	if (c->purpose != DIAL_FTP || !ask_socket(c))
		connect_now(c);
}

/* ---- public ---- */

struct err
dial_open(struct dial **out, const struct dial_conf *conf, struct loop *loop, struct peers *peers)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (!d)
		return ERR(ERR_MEMORY, 0, "dial");
	d->loop = loop;
	d->peers = peers;
	dial_settings(d, conf);
	*out = d;
	return OK;
}

void
dial_close(struct dial *d)
{
	if (!d)
		return;
	d->draining = false;
	while (d->calls)
		call_free(d->calls);
	free(d);
}

void
dial_settings(struct dial *d, const struct dial_conf *conf)
{
	struct wr w = wr_of(d->relay, sizeof(d->relay));

	d->conf = *conf;
	wr_bytes(&w, conf->relay);
	d->conf.relay = wr_since(&w, d->relay);
}

void
dial_word(struct dial *d, const struct peer *p, struct chan_word *w)
{
	struct asker asker = peers_asker(p, w);
	struct talk_dial_connect t;
	struct call made = {.fd = -1};

	if (w->word != WORD_DIAL_CONNECT || !talk_dial_connect_get(&w->body, &t))
		return;
	made.purpose = (enum dial_purpose)t.purpose;
	made.to.port = t.port;
	if (t.to.n == 16)
		memcpy(made.to.ip, t.to.p, 16); /* else it stays unspecified, and is refused */
	if (t.from.n == 16)
		memcpy(made.from.ip, t.from.p, 16);
	if (may(d, p->role, &made)) {
		call_new(d, asker, &made);
		return;
	}
	d->refused++;
	log_event(LOG_WARN, "dial.refused", kv_word("asker", role_name(p->role)),
	          kv_ip("to", made.to.ip), kv_u64("port", made.to.port));
	say(d->peers, asker, ERR_DENIED, EACCES, -1);
}

void
dial_drain(struct dial *d, loop_fn *drained, void *owner)
{
	d->draining = true;
	d->drained = drained;
	d->owner = owner;
	if (!d->n)
		drained(owner);
}

void
dial_status(const struct dial *d, struct wr *counters)
{
	report_put_counter(counters, "connecting", d->n);
	report_put_counter(counters, "connected", d->connected);
	report_put_counter(counters, "failed", d->failed);
	report_put_counter(counters, "refused", d->refused);
}

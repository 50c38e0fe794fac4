/*
 * names.c - packets to questions to answers.
 *
 * A UDP batch is answered in one call from net/udp.  Of a TCP connection every whole query that
 * lies in its input is answered at once and in order, as long as its output has room: who pipelines
 * without reading has two bounded buffers full and waits (attack 16).
 *
 * The list of sessions, invariants:
 *  1. those that are being closed come first, then the others, the one that was silent the longest
 *     before those that asked later;
 *  2. a session stands in it from accepted() to session_free().
 */
#include "serve/names.h"

#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"
#include "dns/writer.h"
#include "net/snap.h"
#include "net/udp.h"
#include "talk/report.h"
#include "zone/rrl.h"

#include <stdlib.h>

enum {
	FRAME = 2 + DNS_TCP_MAX, /* a message behind its length (RFC 1035 4.2.2) */
	OUT_MAX = 2 * FRAME,
	TURNS = 8,         /* counters of turns, see turn_of() */
	TURN_ANSWERS = 32, /* to one connection, before others have theirs */
};
#define IMAGE_MAX ((size_t)16 << 30) /* what zone/builder.h makes at most */

enum waits { FOR_NOTHING, FOR_INPUT, FOR_ROOM };

struct session {
	struct names *names;
	struct session *next, **link;
	struct conn *conn;
	struct purse_peer *peer;
	struct loop_task again;
	enum waits waits; /* for what conn_until() runs */
	bool closing;
};

struct socket {
	struct names *names;
	struct udp *udp;
	uint16_t port; /* our own */
};

struct names {
	struct front front;
	struct snap *image; /* NULL: none yet */
	struct zone_image zones;
	struct rrl *rrl; /* NULL: no limit */
	struct pool *pool;
	struct session *first, **end;
	struct socket sockets[NAMES_SOCKETS];
	size_t n_sockets;
	uint32_t turns[TURNS];
	uint64_t outcomes[ZONE_OUTCOMES];
	uint64_t udp, tcp; /* queries */
	uint64_t truncated, limited, forged, evicted, images;
	struct udp_counts closed; /* of sockets that are gone */
	uint8_t frame[FRAME];
};

/* ---- answering ---- */

/*
 * Where sets of addresses begin.  A client that wants a host asks for A and AAAA in turn: one
 * counter for both would give each of them every second beginning only.
 */
static uint32_t
turn_of(struct names *s, uint16_t type)
{
	return s->turns[type % TURNS]++;
}

/* The answer of a server that has no zones yet: who asks goes to another one, or comes back. */
static struct zone_done
answer_nothing(const struct dns_query *q, enum dns_verdict verdict, struct wr *out)
{
	struct zone_done done = {.outcome = ZONE_FAILED, .rcode = DNS_RCODE_SERVFAIL};
	struct dns_writer w;
	struct bytes reply;

	if (verdict == DNS_OK) {
		dns_writer_reply(&w, q, out->p, DNS_UDP_PLAIN);
		w.rcode = DNS_RCODE_SERVFAIL;
		reply = dns_writer_finish(&w);
	} else {
		reply = dns_writer_refuse(q, verdict, out->p, DNS_UDP_PLAIN);
		done.outcome = verdict == DNS_DROP ? ZONE_DROPPED : ZONE_FAULTY;
	}
	(void)wr_take(out, reply.n);
	return done;
}

static struct zone_done
answer(struct names *s, struct bytes packet, bool tcp, const struct addr *peer, struct dns_query *q,
       struct wr *out)
{
	struct zone_ask ask = {.verdict = dns_query_read(packet, q), .tcp = tcp};

	if (!s->image)
		return answer_nothing(q, ask.verdict, out);
	memcpy(ask.peer, peer->ip, sizeof(ask.peer));
	ask.turn = turn_of(s, q->type);
	return zone_answer(&s->zones, q, &ask, out);
}

static void
count(struct names *s, const struct zone_done *done)
{
	s->outcomes[done->outcome]++;
	s->truncated += done->truncated;
}

/* ---- UDP ---- */

/*
 * Whoever would answer our answer: echo, chargen, another name server's own port, and ourselves
 * (attack 2).
 */
static bool
is_forged(const struct socket *k, const struct udp_item *it)
{
	switch (it->peer.port) {
	case 0:
	case 7:
	case 19:
	case 53:
		return true;
	default:
		return it->peer.port == k->port &&
		       memcmp(it->peer.ip, it->local.ip, sizeof(it->peer.ip)) == 0;
	}
}

static void
answer_item(struct names *s, struct udp_item *it)
{
	const struct wr room = it->reply;
	struct dns_query q;
	struct zone_done done = answer(s, it->query, false, &it->peer, &q, &it->reply);
	enum rrl_verdict verdict = RRL_SEND;

	count(s, &done);
	if (s->rrl && done.outcome != ZONE_DROPPED)
		verdict = rrl_judge(s->rrl, it->peer.ip, false, &done, loop_now_ms(s->front.loop));
	if (verdict == RRL_SEND)
		return;
	s->limited++;
	it->reply = room;
	if (verdict == RRL_TRUNCATE)
		zone_answer_slip(&q, &it->reply);
}

static void
answer_batch(void *owner, struct udp_item *items, size_t n)
{
	struct socket *k = owner;

	k->names->udp += n;
	for (size_t i = 0; i < n; i++) {
		if (is_forged(k, &items[i]))
			k->names->forged++;
		else
			answer_item(k->names, &items[i]);
	}
}

static void
close_sockets(struct names *s)
{
	for (size_t i = 0; i < s->n_sockets; i++) {
		struct udp_counts c = udp_counts(s->sockets[i].udp);

		s->closed.out += c.out;
		s->closed.cut += c.cut;
		s->closed.dropped += c.dropped;
		udp_close(s->sockets[i].udp);
	}
	s->n_sockets = 0;
}

/* ---- TCP ---- */

static void
unlink_session(struct session *s)
{
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	else
		s->names->end = s->link;
}

static void
link_session(struct session *s, struct session **at)
{
	s->next = *at;
	s->link = at;
	*at = s;
	if (s->next)
		s->next->link = &s->next;
	else
		s->names->end = &s->next;
}

static void
session_free(struct session *s)
{
	struct names *names = s->names;
	struct purse_peer *peer = s->peer;

	unlink_session(s);
	loop_defer_stop(names->front.loop, &s->again);
	conn_free(s->conn);
	pool_put(names->pool, s);
	front_leave(&names->front, peer);
}

static void
finish(struct session *s)
{
	s->closing = true;
	unlink_session(s);
	link_session(s, &s->names->first);
	conn_finish(s->conn);
}

enum progress { ANSWERED, NO_INPUT, NO_ROOM, SENSELESS };

/* Answers the next query that is there whole. */
static enum progress
answer_next(struct session *s)
{
	struct names *names = s->names;
	struct bytes in = conn_in(s->conn), packet, reply;
	struct rd r = rd_of(in);
	struct wr out = wr_of(names->frame + 2, DNS_TCP_MAX), length = wr_of(names->frame, 2);
	struct dns_query q;
	struct zone_done done;

	packet = rd_bytes16(&r);
	if (r.bad)
		return NO_INPUT;
	done = answer(names, packet, true, conn_peer(s->conn), &q, &out);
	reply = wr_since(&out, names->frame);
	wr_u16(&length, (uint16_t)(reply.n - 2));
	if (done.outcome != ZONE_DROPPED && !conn_write(s->conn, reply))
		return NO_ROOM; /* it is answered anew once the client has read */
	names->tcp++;
	count(names, &done);
	conn_ate(s->conn, (size_t)(r.p - in.p));
	return done.outcome == ZONE_DROPPED ? SENSELESS : ANSWERED;
}

/* While a query is half here, or an answer has no room, the client has its time for that. */
static void
watch(struct session *s, enum waits waits, bool anew)
{
	if (waits != FOR_NOTHING && (anew || waits != s->waits))
		conn_until(s->conn, NAMES_QUERY_MS);
	else if (waits == FOR_NOTHING && s->waits != FOR_NOTHING)
		conn_until(s->conn, 0);
	s->waits = waits;
}

static void
late(struct session *s)
{
	if (conn_unsent(s->conn))
		session_free(s); /* it does not read: there is no use in more time */
	else
		finish(s);
}

static void turn(void *owner, struct conn *conn);

static void
turn_again(void *owner)
{
	struct session *s = owner;

	turn(s, s->conn);
}

static void
turn(void *owner, struct conn *conn)
{
	struct session *s = owner;
	struct names *names = s->names;
	enum conn_state state = conn_state(conn);
	enum progress p;
	unsigned n = 0;
	bool some;

	if (state == CONN_DONE || state == CONN_BROKEN) {
		if (state == CONN_BROKEN)
			front_broken(conn);
		session_free(s);
		return;
	}
	if (s->closing)
		return;
	do {
		p = answer_next(s);
		n += p == ANSWERED;
	} while (p == ANSWERED && n < TURN_ANSWERS);
	if (p == ANSWERED) /* the others, and UDP, first (attack 169) */
		loop_defer(names->front.loop, &s->again, turn_again, s);
	some = n > 0;
	if (some) {
		unlink_session(s);
		link_session(s, names->end);
	}
	if (p == ANSWERED)
		return;
	if (p == SENSELESS)
		finish(s);
	else if (!some && conn_late(conn) != CONN_IN_TIME)
		late(s);
	else if (p == NO_INPUT && (state != CONN_OPEN || names->front.draining))
		finish(s);
	else if (p == NO_ROOM)
		watch(s, FOR_ROOM, some);
	else
		watch(s, conn_in(conn).n ? FOR_INPUT : FOR_NOTHING, some);
}

static void
evict(struct names *names)
{
	if (pool_used(names->pool) < NAMES_TCP)
		return;
	names->evicted++;
	session_free(names->first);
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct names *names = owner;
	struct conn_conf conf = {.peer = *peer, .in_max = FRAME, .out_max = OUT_MAX};
	struct purse_peer *purse = front_enter(&names->front, peer);
	struct session *s = NULL;
	struct err e;

	if (purse) {
		evict(names);
		s = pool_get(names->pool);
	}
	if (!s) {
		loop_close_fd(names->front.loop, fd);
		if (purse)
			front_leave(&names->front, purse);
		return;
	}
	*s = (struct session){.names = names, .peer = purse};
	link_session(s, names->end);
	conf.purse = &purse->bytes;
	e = conn_open(&s->conn, names->front.loop, fd, &conf, turn, s);
	if (!is_ok(e)) {
		session_free(s);
		return;
	}
	conn_idle(s->conn, NAMES_IDLE_MS);
}

/* ---- public ---- */

struct err
names_open(struct names **out, uint32_t rate, struct loop *loop, struct random *random)
{
	struct names *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "names");
	s->end = &s->first;
	e = front_init(&s->front, loop, random, NULL, 0, 0);
	if (!is_ok(e)) {
		free(s);
		return e;
	}
	s->pool = pool_open(sizeof(struct session), NAMES_TCP);
	e = s->pool ? names_rate(s, rate) : ERR(ERR_MEMORY, 0, "names");
	if (is_ok(e))
		*out = s;
	else
		names_close(s);
	return e;
}

void
names_close(struct names *s)
{
	if (!s)
		return;
	close_sockets(s);
	s->front.draining = false; /* nobody waits for that any more */
	while (s->first)
		session_free(s->first);
	front_fini(&s->front);
	pool_close(s->pool);
	rrl_free(s->rrl);
	snap_release(s->image);
	free(s);
}

struct err
names_udp(struct names *s, int fd)
{
	struct socket *k = &s->sockets[s->n_sockets];
	struct addr local;
	struct err e = s->n_sockets < NAMES_SOCKETS ? loop_local(s->front.loop, fd, &local)
	                                            : ERR(ERR_FULL, 0, "sockets");

	if (!is_ok(e)) {
		loop_close_fd(s->front.loop, fd);
		return e;
	}
	*k = (struct socket){.names = s, .port = local.port};
	e = udp_open(&k->udp, s->front.loop, fd, NAMES_QUERY_MAX, DNS_UDP_MAX, answer_batch, k);
	if (is_ok(e))
		s->n_sockets++;
	return e;
}

struct err
names_tcp(struct names *s, int fd)
{
	return front_listen(&s->front, fd, accepted, s);
}

struct err
names_image(struct names *s, int fd)
{
	struct zone_image zones;
	struct snap *image;
	struct err e = snap_map(&image, fd, IMAGE_MAX);

	if (!is_ok(e))
		return e;
	e = zone_image_open(&zones, snap_bytes(image));
	if (!is_ok(e)) {
		snap_release(image);
		return e;
	}
	snap_swap(&s->image, image);
	s->zones = zones;
	s->images++;
	return OK;
}

struct err
names_rate(struct names *s, uint32_t rate)
{
	struct rrl_conf conf = RRL_DEFAULTS;
	uint8_t key[SIPHASH_KEY];
	struct rrl *fresh = NULL;

	conf.rate = rate;
	random_fill(s->front.random, key, sizeof(key));
	if (rate) {
		fresh = rrl_new(&conf, key);
		if (!fresh)
			return ERR(ERR_MEMORY, 0, "rate limit");
	}
	rrl_free(s->rrl);
	s->rrl = fresh;
	return OK;
}

void
names_drain(struct names *s, loop_fn *drained, void *owner)
{
	struct session *next;

	close_sockets(s);
	front_drain(&s->front, drained, owner);
	for (struct session *k = s->first; k; k = next) {
		next = k->next; /* turn() may free k, or put it first */
		turn(k, k->conn);
	}
}

void
names_status(const struct names *s, struct wr *counters)
{
	static const char *const outcomes[ZONE_OUTCOMES] = {
	    [ZONE_DROPPED] = "dropped",   [ZONE_ANSWERED] = "answered", [ZONE_NODATA] = "nodata",
	    [ZONE_NXDOMAIN] = "nxdomain", [ZONE_REFERRED] = "referred", [ZONE_REFUSED] = "refused",
	    [ZONE_FAULTY] = "faulty",     [ZONE_FAILED] = "failed",
	};
	struct udp_counts sent = s->closed;

	for (size_t i = 0; i < s->n_sockets; i++) {
		struct udp_counts c = udp_counts(s->sockets[i].udp);

		sent.cut += c.cut;
		sent.dropped += c.dropped;
	}
	report_put_counter(counters, "zones", s->image ? s->zones.zones : 0);
	report_put_counter(counters, "images", s->images);
	report_put_counter(counters, "udp", s->udp);
	report_put_counter(counters, "tcp", s->tcp);
	for (size_t i = 0; i < ZONE_OUTCOMES; i++)
		report_put_counter(counters, outcomes[i], s->outcomes[i]);
	report_put_counter(counters, "truncated", s->truncated);
	report_put_counter(counters, "limited", s->limited);
	report_put_counter(counters, "forged", s->forged);
	report_put_counter(counters, "too_long", sent.cut);
	report_put_counter(counters, "unsent", sent.dropped);
	report_put_counter(counters, "sessions", s->front.sessions);
	report_put_counter(counters, "all_sessions", s->front.all_sessions);
	report_put_counter(counters, "evicted", s->evicted);
}

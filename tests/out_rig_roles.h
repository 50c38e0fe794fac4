/*
 * out_rig_roles.h - the roles out and dial on a virtual loop, between a queue and a resolver that
 * are played.
 */
#ifndef TESTS_OUT_RIG_ROLES_H
#define TESTS_OUT_RIG_ROLES_H

#include "out_rig_servers.h"
#include "play_route.h"

#include "base/log.h"
#include "base/random.h"
#include "serve/dial.h"
#include "serve/out.h"
#include "talk/spool.h"

enum { RIG_SENDS = 256 };

struct rig_send {
	struct chan_ask ask;
	bool done;
	char results[1024]; /* "D2.0.0@mx.test F5.1.1@mx.test" */
	char reply[600];    /* of the first */
};

struct out_rig {
	struct loop *loop;
	struct random *random;
	struct tls_world world;
	struct out *out;
	struct dial *dial;
	struct peers *out_peers, *dial_peers;
	struct chan *queue, *resolve;
	struct play_dns dns;
	struct rig_server servers[RIG_SERVERS];
	size_t n_servers;
	struct rig_send sends[RIG_SENDS];
	size_t n_sends;
	bool drained;
};

static inline struct rig_server *
rig_server(struct out_rig *r, const char *ip, uint16_t port, const struct play_rule *rules)
{
	struct rig_server *s = &r->servers[r->n_servers++];
	struct addr a = {.port = port};
	int fd;

	s->loop = r->loop;
	s->world = &r->world;
	s->rules = rules;
	assert(addr_ip_parse(bytes_of(ip), a.ip));
	if (!is_ok(loop_listen(r->loop, &a, LOOP_STREAM, false, &fd)) ||
	    !is_ok(accept_open(&s->accept, r->loop, fd, rig_accepted, s)))
		assert(false);
	return s;
}

static void
rig_out_word(void *owner, const struct peer *p, struct chan_word *w)
{
	out_word(((struct out_rig *)owner)->out, p, w);
}

static void
rig_dial_word(void *owner, const struct peer *p, struct chan_word *w)
{
	dial_word(((struct out_rig *)owner)->dial, p, w);
}

static void
rig_resolve_word(void *owner, struct chan *c, struct chan_word *w)
{
	struct out_rig *r = owner;
	struct talk_resolve_ask t;
	struct talk_resolve_ask_answer a = {0};
	struct route_answer found;

	assert(w->word == WORD_RESOLVE_ASK && talk_resolve_ask_get(&w->body, &t));
	found = play_answer(&r->dns, t.name, t.type);
	a.code = found.unknown ? ERR_LATER : 0;
	a.rcode = found.rcode;
	a.canonical = t.name;
	a.records = found.records;
	a.text = found.text;
	chan_answer(c, w->seq, talk_resolve_ask_answer_out(&a), -1);
}

static void
rig_no_word(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner, (void)c, (void)w;
	assert(false);
}

static void
rig_gone(void *owner, struct chan *c, struct err why)
{
	(void)owner, (void)c, (void)why;
}

static const struct chan_handlers rig_queue_handlers = {rig_no_word, rig_gone};
static const struct chan_handlers rig_resolve_handlers = {rig_resolve_word, rig_gone};
static const struct peers_handlers rig_out_handlers = {rig_out_word, NULL, NULL};
static const struct peers_handlers rig_dial_handlers = {rig_dial_word, NULL, NULL};

#define RIG_OK(e) assert(is_ok(e))

static inline void
rig_join(struct out_rig *r, struct chan **far, enum role role, const struct chan_handlers *h)
{
	int fd[2];

	RIG_OK(loop_pair(r->loop, LOOP_MESSAGES, fd));
	RIG_OK(peers_add(r->out_peers, role, 0, fd[0]));
	RIG_OK(chan_open(far, r->loop, fd[1], role, ROLE_OUT, h, r));
}

static inline void
rig_open(struct out_rig *r, const char *relay, const struct play_name *dns)
{
	const struct out_conf conf = {
	    .host = BYTES("us.test"), .relay = bytes_of(relay), .port = 25};
	const struct dial_conf dial = {.relay = bytes_of(relay), .port = 25};
	const struct sim_weather weather = {.delay_max_ms = 5, .whole = true};
	int fd[2];

	*r = (struct out_rig){.dns = {.names = dns}};
	log_up_to(LOG_ERROR);
	world_open(&r->world);
	RIG_OK(loop_sim_open(&r->loop, 11));
	sim_weather(r->loop, &weather);
	r->random = random_seeded(11);
	RIG_OK(peers_open(&r->out_peers, r->loop, ROLE_OUT, &rig_out_handlers, r));
	RIG_OK(peers_open(&r->dial_peers, r->loop, ROLE_DIAL, &rig_dial_handlers, r));
	RIG_OK(loop_pair(r->loop, LOOP_MESSAGES, fd));
	RIG_OK(peers_add(r->out_peers, ROLE_DIAL, 0, fd[0]));
	RIG_OK(peers_add(r->dial_peers, ROLE_OUT, 0, fd[1]));
	rig_join(r, &r->queue, ROLE_QUEUE, &rig_queue_handlers);
	rig_join(r, &r->resolve, ROLE_RESOLVE, &rig_resolve_handlers);
	RIG_OK(out_open(&r->out, &conf, r->loop, r->random, r->out_peers));
	RIG_OK(dial_open(&r->dial, &dial, r->loop, r->dial_peers));
}

#endif

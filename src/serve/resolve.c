/*
 * resolve.c - sockets, files, and what roles ask by word.
 *
 * What the cache knows, or the hosts file, leaves with the batch in which it was asked; the rest
 * waits in a struct resolve_client for its job.
 */
#include "serve/resolve.h"

#include "base/random.h"
#include "base/text.h"
#include "serve/resolve_client.h"
#include "talk/report.h"

#include <stdlib.h>

/* ---- what came out ---- */

/* name: as it was asked. */
static void
answer_word(struct resolve *r, struct asker asker, struct bytes name,
            const struct iterate_result *result)
{
	struct talk_resolve_ask_answer a = {.verdict = DNS_INDETERMINATE, .canonical = name};
	const struct reply_set *last = result && result->n ? &result->sets[result->n - 1] : NULL;
	struct rd rd = rd_of(last ? last->records : NO_BYTES);

	if (!result || result->rcode == DNS_RCODE_SERVFAIL) {
		a.code = ERR_LATER;
		a.text = bytes_of(result ? result->why : "too many questions are under way");
	} else {
		a.rcode = (uint8_t)result->rcode;
		/* that there is none is worth nothing without a SOA (RFC 2308 5) */
		a.ttl = result->soa.n                   ? result->soa.ttl
		        : last && !result->aliased_only ? CACHE_TTL_MAX
		                                        : 0;
		for (size_t i = 0; i < result->n; i++)
			a.ttl = result->sets[i].ttl < a.ttl ? result->sets[i].ttl : a.ttl;
		if (last && result->aliased_only)
			a.canonical = rd_bytes16(&rd);
		else if (last)
			a.canonical = last->owner;
		if (last && !result->aliased_only)
			a.records = last->records;
	}
	if (r->front.peers)
		(void)peers_answer(r->front.peers, asker, talk_resolve_ask_answer_out(&a), -1);
}

static void
answer_udp(struct resolve_client *c, const struct iterate_result *result)
{
	struct resolve *r = c->resolve;
	struct wr out = wr_of(r->frame, DNS_UDP_MAX);

	if (r->now == c) {
		resolve_client_write(r, &c->q, false, result, r->now_out);
		return;
	}
	resolve_client_write(r, &c->q, false, result, &out);
	(void)udp_send(c->udp, &c->peer, &c->local, wr_since(&out, r->frame));
}

static void
answered(void *owner, const struct iterate_result *result)
{
	struct resolve_client *c = owner;

	if (c->udp)
		answer_udp(c, result);
	else if (c->stream)
		resolve_stream_answer(c, result);
	else
		answer_word(c->resolve, c->asker, c->q.name, result);
	resolve_client_free(c);
}

void
resolve_client_start(struct resolve_client *c)
{
	jobs_ask(c->resolve->jobs, &c->wait, c->q.name, c->q.type, answered, c);
}

/* ---- UDP ---- */

/* Whoever would answer our answer, as in names.c (attack 2). */
static bool
is_forged(const struct resolve_socket *k, const struct udp_item *it)
{
	switch (it->peer.port) {
	case 0:
	case 7:
	case 19:
	case 53:
		return true;
	default:
		return it->peer.port == k->local.port && !memcmp(it->peer.ip, it->local.ip, 16);
	}
}

static void
answer_batch(void *owner, struct udp_item *items, size_t n)
{
	struct resolve_socket *k = owner;
	struct resolve *r = k->resolve;

	r->counts.udp += n;
	for (size_t i = 0; i < n && !r->draining; i++) {
		struct udp_item *it = &items[i];
		struct resolve_client *c = NULL;

		if (is_forged(k, it)) {
			r->counts.dropped++;
			continue;
		}
		if (resolve_client_begin(r, it->query, false, &it->peer, &it->reply, &c))
			continue;
		c->udp = k->udp;
		c->local = it->local;
		r->now = c;
		r->now_out = &it->reply;
		resolve_client_start(c); /* c may be gone behind it */
		r->now = NULL;
	}
}

/* ---- words ---- */

void
resolve_word(struct resolve *r, struct asker asker, const struct talk_resolve_ask *ask)
{
	static const struct addr us; /* all roles share one purse */
	struct dns_query q = {.type = ask->type, .class = DNS_CLASS_IN};
	uint8_t question[DNAME_MAX + 4];
	struct wr w = wr_of(question, sizeof(question));
	struct arena arena = arena_init(DNS_TCP_MAX);
	struct iterate_result result;
	struct resolve_client *c;

	r->counts.words++;
	if (!dname_ok(ask->name) || dns_type_is_meta(ask->type) || ask->type == CACHE_DELEGATION) {
		const struct talk_resolve_ask_answer wrong = {.code = ERR_SYNTAX};

		(void)peers_answer(r->front.peers, asker, talk_resolve_ask_answer_out(&wrong), -1);
		return;
	}
	if (resolve_client_local(r, ask->name, ask->type, &arena, &result)) {
		answer_word(r, asker, ask->name, &result);
		arena_free(&arena);
		return;
	}
	wr_bytes(&w, ask->name);
	wr_u16(&w, ask->type);
	wr_u16(&w, DNS_CLASS_IN);
	q.question = wr_since(&w, question);
	q.name = (struct bytes){question, ask->name.n};
	c = resolve_client_new(r, &q, &us);
	if (!c) {
		answer_word(r, asker, ask->name, NULL);
		return;
	}
	c->asker = asker;
	resolve_client_start(c);
}

/* ---- settings and files ---- */

void
resolve_settings(struct resolve *r, const struct net *clients, size_t n, uint16_t port)
{
	struct net *fresh = calloc(n + 1, sizeof(*fresh));

	r->iterate.world.port = port;
	if (!fresh)
		return; /* the old ones stay */
	if (n)
		memcpy(fresh, clients, n * sizeof(*fresh));
	free(r->nets);
	r->nets = fresh;
	r->nets_n = n;
}

/* A line for a person, and only if it fits. */
static void
tell(struct wr *told, struct bytes file, uint32_t line, uint32_t column, const char *text)
{
	struct wr w;

	if (!told)
		return;
	w = *told;
	text_escape(&w, file);
	wr_printf(&w, ":%u:%u: %s\n", line, column, text);
	if (!w.full)
		*told = w;
}

struct err
resolve_hints(struct resolve *r, struct bytes file, struct bytes text, struct wr *told)
{
	struct hints *fresh = calloc(1, sizeof(*fresh));
	struct zonefile_error wrong = {.line = 1, .column = 1, .text = ""};
	struct err e = fresh ? OK : ERR(ERR_MEMORY, 0, "hints");

	if (fresh && text.n)
		e = hints_read(fresh, file, text, &wrong);
	else if (fresh)
		hints_default(fresh);
	if (is_ok(e) && memcmp(fresh, &r->hints, sizeof(*fresh)) != 0) {
		r->hints = *fresh;
		r->iterate.world.loopback = hints_are_loopback(fresh);
		cache_clear(r->iterate.world.cache); /* it comes from another root */
	}
	if (e.code == ERR_SYNTAX)
		tell(told, file, wrong.line, wrong.column, wrong.text);
	free(fresh);
	return e;
}

struct err
resolve_hosts(struct resolve *r, struct bytes file, struct bytes text, struct wr *told)
{
	struct local_wrong wrong = {1, 1, ""};
	struct local *fresh = NULL;
	uint8_t key[16];
	struct err e;

	random_fill(r->front.random, key, sizeof(key));
	e = local_new(&fresh, key, text, &wrong);
	if (e.code == ERR_SYNTAX)
		tell(told, file, wrong.line, wrong.column, wrong.text);
	if (!is_ok(e))
		return e;
	local_free(r->local);
	r->local = fresh;
	return OK;
}

/* ---- the whole ---- */

/* The parts that may be missing where memory has run out. */
static bool
is_whole(const struct resolve *r)
{
	return r->iterate.world.cache && r->iterate.world.servers && r->jobs && r->clients &&
	       r->streams_pool && r->waits && r->nets;
}

static struct err
open_parts(struct resolve *r, const struct resolve_conf *conf)
{
	struct delegation_world *w = &r->iterate.world;
	uint8_t key[3][16];
	struct err e = front_init(&r->front, conf->loop, conf->random, conf->peers, 0, 0);

	if (!is_ok(e))
		return e;
	random_fill(conf->random, key, sizeof(key));
	hints_default(&r->hints);
	r->iterate.minimise = true;
	*w = (struct delegation_world){.cache = cache_new(key[0], RESOLVE_CACHE),
	                               .servers = servers_new(key[1], RESOLVE_SERVERS),
	                               .hints = &r->hints,
	                               .random = conf->random,
	                               .own = r->own,
	                               .port = conf->port};
	r->jobs = jobs_new(conf->loop, conf->random, &r->iterate);
	r->clients = pool_open(sizeof(struct resolve_client), RESOLVE_WAITING);
	r->streams_pool = resolve_streams_pool();
	r->waits = purses_open(key[2], FRONT_NETWORKS, RESOLVE_OF_ONE, 0);
	resolve_settings(r, conf->clients, conf->clients_n, conf->port);
	return is_whole(r) ? OK : ERR(ERR_MEMORY, 0, "resolve");
}

struct err
resolve_open(struct resolve **out, const struct resolve_conf *conf)
{
	struct resolve *r = calloc(1, sizeof(*r));
	struct err e;

	if (!r)
		return ERR(ERR_MEMORY, 0, "resolve");
	r->streams_end = &r->streams;
	e = open_parts(r, conf);
	if (is_ok(e))
		*out = r;
	else
		resolve_close(r);
	return e;
}

static void
close_sockets(struct resolve *r)
{
	for (size_t i = 0; i < r->n_sockets; i++)
		udp_close(r->sockets[i].udp);
	r->n_sockets = 0;
}

void
resolve_close(struct resolve *r)
{
	if (!r)
		return;
	r->draining = false; /* nobody waits for that any more */
	r->front.draining = false;
	if (r->front.loop) {
		loop_defer_stop(r->front.loop, &r->done);
		resolve_streams_close(r);
		front_fini(&r->front);
	}
	close_sockets(r);
	jobs_free(r->jobs);
	pool_close(r->clients);
	pool_close(r->streams_pool);
	purses_close(r->waits);
	cache_free(r->iterate.world.cache);
	servers_free(r->iterate.world.servers);
	local_free(r->local);
	free(r->nets);
	free(r);
}

/* Our own listeners are never asked; a wildcard has no address to compare. */
static void
add_own(struct resolve *r, const struct addr *a)
{
	if (r->iterate.world.own_n < COUNT(r->own))
		r->own[r->iterate.world.own_n++] = *a;
}

struct err
resolve_udp(struct resolve *r, int fd)
{
	struct resolve_socket *k = &r->sockets[r->n_sockets];
	struct addr local;
	struct err e = r->n_sockets < RESOLVE_SOCKETS ? loop_local(r->front.loop, fd, &local)
	                                              : ERR(ERR_FULL, 0, "sockets");

	if (!is_ok(e)) {
		loop_close_fd(r->front.loop, fd);
		return e;
	}
	*k = (struct resolve_socket){.resolve = r, .local = local};
	e = udp_open(&k->udp, r->front.loop, fd, RESOLVE_QUERY_MAX, DNS_UDP_MAX, answer_batch, k);
	if (is_ok(e)) {
		r->n_sockets++;
		add_own(r, &local);
	}
	return e;
}

struct err
resolve_tcp(struct resolve *r, int fd)
{
	struct addr local;
	struct err e = loop_local(r->front.loop, fd, &local);

	if (is_ok(e))
		add_own(r, &local);
	return front_listen(&r->front, fd, resolve_stream_accepted, r);
}

/* ---- the end ---- */

static void
all_done(void *owner)
{
	struct resolve *r = owner;

	r->drained(r->drained_owner);
}

void
resolve_look_drained(struct resolve *r)
{
	if (r->draining && r->streams_done && !pool_used(r->clients))
		loop_defer(r->front.loop, &r->done, all_done, r);
}

static void
streams_done(void *owner)
{
	struct resolve *r = owner;

	r->streams_done = true;
	resolve_look_drained(r);
}

void
resolve_drain(struct resolve *r, loop_fn *drained, void *owner)
{
	r->draining = true;
	r->drained = drained;
	r->drained_owner = owner;
	front_drain(&r->front, streams_done, r);
	resolve_streams_drain(r);
}

void
resolve_status(const struct resolve *r, struct wr *counters)
{
	struct jobs_counts j = jobs_counts(r->jobs);
	struct cache_counts c = cache_counts(r->iterate.world.cache);
	const struct {
		const char *name;
		uint64_t value;
	} all[] = {
	    {"udp", r->counts.udp},
	    {"tcp", r->counts.tcp},
	    {"words", r->counts.words},
	    {"answered", r->counts.answered},
	    {"failed", r->counts.failed},
	    {"refused", r->counts.refused},
	    {"faulty", r->counts.faulty},
	    {"dropped", r->counts.dropped},
	    {"local", r->counts.local},
	    {"waiting", pool_used(r->clients)},
	    {"jobs", j.open},
	    {"all_jobs", j.begun},
	    {"shared", j.shared},
	    {"asked", j.sent},
	    {"asked_tcp", j.tcp},
	    {"late", j.late},
	    {"mismatched", j.mismatched},
	    {"cache_entries", c.entries},
	    {"cache_bytes", c.bytes},
	    {"cache_hits", c.hits},
	    {"cache_misses", c.misses},
	    {"cache_evicted", c.evicted},
	    {"sessions", r->front.sessions},
	    {"all_sessions", r->front.all_sessions},
	    {"evicted", r->evicted},
	};

	for (size_t i = 0; i < COUNT(all); i++)
		report_put_counter(counters, all[i].name, all[i].value);
}

/*
 * iterate.c - frames, and what moves them.
 *
 * Invariants:
 * 1. Exactly one frame is the top, and it alone has a question open.
 * 2. `queries` never goes down, whatever frames come and go, and nothing is sent beyond
 *    ITERATE_QUERIES or behind `end_ms` (attack 22).
 * 3. A frame moves to a zone strictly below the one it was in, or to another name: so it ends.
 */
#include "resolve/iterate.h"

#include "base/random.h"
#include "dns/writer.h"

#include <assert.h>
#include <stdlib.h>

enum {
	PACKET_MAX = DNS_UDP_PLAIN,
	RESULT_MAX = 256 * 1024,  /* what the sets of a result may take */
	REPLY_ROOM = 1024 * 1024, /* and those of one reply, while it is looked at */
};

enum phase { LOOK, FIND, CHOOSE, SEND, OPEN, OVER };

struct frame {
	struct dname name; /* goes on along aliases */
	uint16_t type;
	struct delegation at;
	size_t place, target; /* who is asked, whose addresses are looked for */
	unsigned minimised;
	bool whole; /* the whole name is shown from now on */
};

struct question {
	struct dname name;
	uint16_t type, id;
	struct addr to;
	bool tcp, edns;
	uint64_t sent_ms;
	uint32_t wait_ms;
	unsigned mismatches;
	uint8_t packet[PACKET_MAX];
	struct bytes bytes;
};

struct iterate {
	struct iterate_conf conf;
	enum phase phase;
	struct dname name; /* as it was asked */
	struct frame *frames[ITERATE_DEPTH];
	size_t depth; /* of the top */
	uint64_t end_ms;
	unsigned aliases;
	struct question q;
	struct arena kept, scratch;
	struct reply *reply;
	struct iterate_result result;
	struct iterate_hop hop;
};

static struct frame *
top(const struct iterate *it)
{
	return it->frames[it->depth];
}

/* ---- frames ---- */

static void
pop(struct iterate *it)
{
	free(it->frames[it->depth]);
	it->frames[it->depth--] = NULL;
}

static bool
is_looked_for(const struct iterate *it, struct bytes name, uint16_t type)
{
	for (size_t i = 0; i <= it->depth; i++)
		if (it->frames[i]->type == type &&
		    dname_eq(dname_bytes(&it->frames[i]->name), name))
			return true;
	return false;
}

/* False: it would go in a circle, too deep, or there is no memory. */
static bool
push(struct iterate *it, struct bytes name, uint16_t type)
{
	struct frame *f;

	if (it->depth + 1 == ITERATE_DEPTH || is_looked_for(it, name, type))
		return false;
	f = calloc(1, sizeof(*f));
	if (!f)
		return false;
	dname_copy(&f->name, name);
	f->type = type;
	it->frames[++it->depth] = f;
	it->phase = LOOK;
	return true;
}

/* The top has looked for a server's addresses: what came out goes to the frame below it. */
static void
look_done(struct iterate *it, bool negative, uint16_t type, struct bytes records)
{
	struct dname name = top(it)->name;
	struct frame *f;

	pop(it);
	f = top(it);
	it->phase = CHOOSE;
	if (negative && type == DNS_TYPE_A && push(it, dname_bytes(&name), DNS_TYPE_AAAA))
		return;
	delegation_learn(&f->at, &it->conf.world, f->target, type, records);
}

/* ---- the end ---- */

static void
fail_all(struct iterate *it, const char *why)
{
	it->result.rcode = DNS_RCODE_SERVFAIL;
	it->result.why = why;
	it->result.n = 0;
	it->result.soa = (struct reply_set){.n = 0};
	it->phase = OVER;
}

/*
 * The whole has come to its limits.  That is remembered of the name that was asked: another one, which
 * it had led to, may be found within them.
 */
static void
give_up(struct iterate *it, uint64_t now_ms, const char *why)
{
	cache_put_failure(it->conf.world.cache, now_ms, dname_bytes(&it->name),
	                  it->frames[0]->type);
	fail_all(it, why);
}

/* The top cannot be answered. */
static void
fail(struct iterate *it, uint64_t now_ms, const char *why)
{
	struct frame *f = top(it);

	cache_put_failure(it->conf.world.cache, now_ms, dname_bytes(&f->name), f->type);
	if (it->depth)
		look_done(it, false, f->type, NO_BYTES);
	else
		fail_all(it, why);
}

/* A copy that lives as long as the machine; false, and all has failed, when there is no room. */
static bool
keep(struct iterate *it, const struct reply_set *s, struct reply_set *out)
{
	*out = *s;
	out->owner = arena_copy(&it->kept, s->owner);
	out->records = arena_copy(&it->kept, s->records);
	if (out->owner.p && (out->records.p || !s->records.n))
		return true;
	fail_all(it, "the answer is too large");
	return false;
}

static void
found(struct iterate *it, const struct reply_set *s)
{
	if (it->depth) {
		look_done(it, false, s->type, s->records);
		return;
	}
	if (it->result.n < ITERATE_SETS && keep(it, s, &it->result.sets[it->result.n])) {
		it->result.n++;
		it->result.aliased_only = false;
		it->phase = OVER;
	}
}

static void
found_none(struct iterate *it, bool nxdomain, const struct reply_set *soa)
{
	if (it->depth) {
		look_done(it, !nxdomain, top(it)->type, NO_BYTES);
		return;
	}
	if (soa->n && !keep(it, soa, &it->result.soa))
		return;
	it->result.rcode = nxdomain ? DNS_RCODE_NXDOMAIN : DNS_RCODE_NOERROR;
	it->phase = OVER;
}

/* An alias: the name goes on there, from the cache or the root. */
static void
follow(struct iterate *it, uint64_t now_ms, const struct reply_set *s)
{
	struct rd r = rd_of(s->records);
	struct bytes target = rd_bytes16(&r);
	struct frame *f = top(it);

	if (it->depth) { /* RFC 2181 10.3: the name of a server is no alias */
		fail(it, now_ms, "");
		return;
	}
	if (it->aliases == ITERATE_ALIASES || !dname_ok(target)) {
		give_up(it, now_ms, "too many aliases follow each other");
		return;
	}
	it->aliases++;
	if (!keep(it, s, &it->result.sets[it->result.n]))
		return;
	it->result.n++;
	it->result.aliased_only = true;
	dname_copy(&f->name, target);
	f->minimised = 0;
	f->whole = false;
	it->phase = LOOK;
}

/* ---- the cache ---- */

static struct reply_set
shown(const struct cache_set *s, struct bytes owner, uint16_t type)
{
	return (struct reply_set){owner, type, s->n, s->ttl, s->records};
}

static void
look(struct iterate *it, uint64_t now_ms)
{
	struct frame *f = top(it);
	struct cache *c = it->conf.world.cache;
	struct bytes name = dname_bytes(&f->name);
	struct cache_set s =
	    cache_get(c, now_ms, name, f->type, it->depth ? CACHE_GLUE : CACHE_ANSWER);
	struct reply_set set;

	if (s.kind == CACHE_NOTHING && f->type != DNS_TYPE_CNAME) {
		s = cache_get(c, now_ms, name, DNS_TYPE_CNAME, CACHE_ANSWER);
		set = shown(&s, name, DNS_TYPE_CNAME);
		if (s.kind == CACHE_SET) {
			follow(it, now_ms, &set);
			return;
		}
		s.kind = CACHE_NOTHING;
	}
	set = shown(&s, name, f->type);
	switch (s.kind) {
	case CACHE_NOTHING:
		it->phase = FIND;
		return;
	case CACHE_SET:
		found(it, &set);
		return;
	case CACHE_NODATA:
	case CACHE_NXDOMAIN: {
		uint8_t room[2 + CACHE_ENTRY_MAX];
		struct wr w = wr_of(room, sizeof(room));

		wr_bytes16(&w, s.soa);
		set = (struct reply_set){s.soa_owner, DNS_TYPE_SOA, s.soa.n > 0, s.ttl,
		                         wr_since(&w, room)};
		found_none(it, s.kind == CACHE_NXDOMAIN, &set);
		return;
	}
	case CACHE_FAILED:
		if (it->depth)
			look_done(it, false, f->type, NO_BYTES);
		else
			fail_all(it, "it could not be found out a moment ago");
	}
}

/* ---- asking ---- */

/* Is it known already that the servers have nothing to tell about this part of the name? */
static bool
is_passed(const struct iterate *it, uint64_t now_ms, struct bytes part)
{
	struct cache_set s =
	    cache_get(it->conf.world.cache, now_ms, part, DNS_TYPE_A, CACHE_ANSWER);

	return s.kind == CACHE_SET || s.kind == CACHE_NODATA;
}

/* RFC 9156 2.3: one label more than the zone has, then one more, and at last the whole name. */
static void
set_question(struct iterate *it, uint64_t now_ms)
{
	struct frame *f = top(it);
	struct bytes name = dname_bytes(&f->name);
	unsigned labels = f->name.labels, show = f->at.zone.labels + 1;

	dname_copy(&it->q.name, name);
	it->q.type = f->type;
	if (!it->conf.minimise || f->whole)
		return;
	while (show < labels && is_passed(it, now_ms, dname_strip(name, labels - show)))
		show++;
	if (show >= labels || f->minimised == ITERATE_MINIMISED)
		return;
	f->minimised++;
	dname_copy(&it->q.name, dname_strip(name, labels - show));
	it->q.type = DNS_TYPE_A;
}

static bool
is_minimised(const struct iterate *it)
{
	return it->q.name.labels < top(it)->name.labels;
}

static void
write_packet(struct iterate *it)
{
	struct question *q = &it->q;
	struct dns_writer w;

	q->id = (uint16_t)random_u64(it->conf.world.random);
	q->mismatches = 0;
	dns_writer_ask(&w, q->packet, sizeof(q->packet), q->id, 0, dname_bytes(&q->name), q->type,
	               DNS_CLASS_IN, q->edns ? ITERATE_EDNS : 0, false);
	q->bytes = dns_writer_finish(&w);
	it->phase = SEND;
}

static void
choose(struct iterate *it, uint64_t now_ms)
{
	const struct delegation_world *w = &it->conf.world;
	struct frame *f = top(it);
	struct server_view v;
	uint16_t type;
	size_t at;

	switch (delegation_next(&f->at, w, now_ms, &at)) {
	case DELEGATION_OVER:
		fail(it, now_ms, "no server of the zone gave an answer");
		return;
	case DELEGATION_LOOK:
		f->target = at;
		type = servers_routed(w->servers, now_ms, (const uint8_t[16]){[10] = 0xff, 0xff})
		           ? DNS_TYPE_A
		           : DNS_TYPE_AAAA;
		if (!push(it, dname_bytes(&f->at.targets[at].name), type))
			f->at.failed++;
		return;
	case DELEGATION_ASK:
		f->place = at;
		v = servers_view(w->servers, now_ms, f->at.places[at].ip, dname_bytes(&f->at.zone));
		it->q = (struct question){
		    .to = {.port = w->port}, .edns = !v.no_edns, .wait_ms = v.wait_ms};
		memcpy(it->q.to.ip, f->at.places[at].ip, 16);
		f->at.places[at].tries++;
		set_question(it, now_ms);
		write_packet(it);
	}
}

/* The same server once more, in another way. */
static void
ask_otherwise(struct iterate *it, bool tcp, bool edns)
{
	it->q.tcp = tcp;
	it->q.edns = edns;
	if (tcp)
		it->q.wait_ms = SERVERS_WAIT_MAX_MS;
	write_packet(it);
}

static struct delegation_place *
asked(const struct iterate *it)
{
	struct frame *f = top(it);

	return &f->at.places[f->place];
}

enum iterate_want
iterate_step(struct iterate *it, uint64_t now_ms, struct iterate_send *out)
{
	arena_free(&it->scratch);
	it->reply = NULL;
	it->hop.reply = NULL;
	for (;;) {
		if (it->phase != OVER && now_ms >= it->end_ms)
			give_up(it, now_ms, "the time is over");
		switch (it->phase) {
		case LOOK:
			look(it, now_ms);
			break;
		case FIND:
			delegation_find(&top(it)->at, &it->conf.world, now_ms,
			                top(it)->type == DNS_TYPE_DS
			                    ? dname_parent(dname_bytes(&top(it)->name))
			                    : dname_bytes(&top(it)->name));
			it->phase = CHOOSE;
			break;
		case CHOOSE:
			choose(it, now_ms);
			break;
		case SEND:
			if (it->result.queries == ITERATE_QUERIES) {
				give_up(it, now_ms, "it took too many questions");
				break;
			}
			it->result.queries++;
			it->q.sent_ms = now_ms;
			if (it->q.wait_ms > it->end_ms - now_ms)
				it->q.wait_ms = (uint32_t)(it->end_ms - now_ms);
			*out = (struct iterate_send){it->q.to,      it->q.tcp,
			                             it->q.wait_ms, dname_bytes(&it->q.name),
			                             it->q.type,    it->q.bytes};
			it->phase = OPEN;
			return ITERATE_SEND;
		case OPEN:
			return ITERATE_WAIT;
		case OVER:
			return ITERATE_DONE;
		}
	}
}

/* ---- what a reply says ---- */

static enum cache_rank
rank_of(const struct reply *r)
{
	return r->flags & DNS_FLAG_AA ? CACHE_AUTHORITY : CACHE_ANSWER;
}

/* Negative: about a part of the name (go on), or about the name. */
static void
take_negative(struct iterate *it, uint64_t now_ms, const struct reply *r)
{
	bool nxdomain = r->kind == REPLY_NXDOMAIN, part = is_minimised(it);
	struct reply_set soa = r->soa;
	struct frame *f = top(it);

	if (soa.n) {
		struct rd data = rd_of(soa.records);
		struct bytes rdata = rd_bytes16(&data);

		/* servers that know no empty names say NXDOMAIN of them: not to be believed of a part
		 */
		if (!part || !nxdomain)
			cache_put_negative(it->conf.world.cache, now_ms, dname_bytes(&it->q.name),
			                   it->q.type, nxdomain ? CACHE_NXDOMAIN : CACHE_NODATA,
			                   soa.owner, soa.ttl, rdata);
		soa.ttl = cache_negative_ttl(soa.ttl, rdata);
	}
	if (!part) {
		found_none(it, nxdomain, &soa);
		return;
	}
	/* without a SOA it is not kept, and would be asked again and again */
	f->whole = nxdomain || !soa.n || !soa.ttl;
	asked(it)->tries = 0;
	it->phase = CHOOSE;
}

static void
take_set(struct iterate *it, uint64_t now_ms, const struct reply *r)
{
	struct frame *f = top(it);
	struct reply_set set = r->set;

	set.owner = dname_bytes(&it->q.name);
	cache_put(it->conf.world.cache, now_ms, set.owner, set.type, rank_of(r), set.ttl,
	          set.records, set.n);
	if (is_minimised(it)) { /* it has said nothing of the name itself */
		f->whole = r->kind == REPLY_CNAME || !set.ttl;
		asked(it)->tries = 0;
		it->phase = CHOOSE;
	} else if (r->kind == REPLY_CNAME) {
		follow(it, now_ms, &set);
	} else {
		found(it, &set);
	}
}

static void
take(struct iterate *it, uint64_t now_ms, const struct reply *r)
{
	const struct delegation_world *w = &it->conf.world;
	struct frame *f = top(it);

	switch (r->kind) {
	case REPLY_ANSWER:
	case REPLY_CNAME:
		take_set(it, now_ms, r);
		return;
	case REPLY_NODATA:
	case REPLY_NXDOMAIN:
		take_negative(it, now_ms, r);
		return;
	case REPLY_REFERRAL:
		delegation_follow(&f->at, w, now_ms, r);
		it->phase = CHOOSE;
		return;
	case REPLY_TRUNCATED:
		ask_otherwise(it, true, it->q.edns);
		return;
	case REPLY_NO_EDNS:
		servers_no_edns(w->servers, now_ms, it->q.to.ip);
		ask_otherwise(it, it->q.tcp, false);
		return;
	case REPLY_LAME:
		servers_lame(w->servers, now_ms, it->q.to.ip, dname_bytes(&f->at.zone));
		break;
	case REPLY_REFUSED:
	case REPLY_TOO_LARGE:
	case REPLY_BROKEN:
		break;
	}
	asked(it)->out = true;
	it->phase = CHOOSE;
}

static void
note(struct iterate *it, uint64_t now_ms, enum iterate_event event)
{
	const struct frame *f = top(it);

	it->hop = (struct iterate_hop){
	    .event = event,
	    .zone = f->at.zone,
	    .server = f->at.targets[f->at.places[f->place].target].name,
	    .name = it->q.name,
	    .type = it->q.type,
	    .to = it->q.to,
	    .tcp = it->q.tcp,
	    .depth = (unsigned)it->depth,
	    .took_ms = (uint32_t)(now_ms - it->q.sent_ms),
	};
}

/* Another reply than the one that was waited for: somebody guesses (attack 25). */
static bool
mismatch(struct iterate *it, uint64_t now_ms)
{
	note(it, now_ms, ITERATE_MISMATCH);
	if (it->q.tcp) { /* on a connection of its own it is the server's mistake */
		asked(it)->out = true;
		it->phase = CHOOSE;
		return true;
	}
	if (++it->q.mismatches == ITERATE_MISMATCHES)
		ask_otherwise(it, true, it->q.edns);
	return false;
}

bool
iterate_reply(struct iterate *it, uint64_t now_ms, struct bytes packet)
{
	struct reply_question q = {.zone = NO_BYTES, .id = it->q.id, .type = it->q.type};
	struct err e;

	if (it->phase != OPEN)
		return false;
	q.zone = dname_bytes(&top(it)->at.zone);
	q.name = dname_bytes(&it->q.name);
	q.edns = it->q.edns;
	q.tcp = it->q.tcp;
	if (!reply_fits(&q, packet))
		return mismatch(it, now_ms);
	if (!it->q.tcp)
		servers_took(it->conf.world.servers, it->q.to.ip,
		             (uint32_t)(now_ms - it->q.sent_ms));
	arena_free(&it->scratch);
	it->reply = arena_alloc(&it->scratch, sizeof(*it->reply));
	e = it->reply ? reply_read(it->reply, &q, packet, &it->scratch) : ERR(ERR_MEMORY, 0, "");
	note(it, now_ms, ITERATE_REPLIED);
	it->hop.size = packet.n;
	if (!is_ok(e)) {
		asked(it)->out = true;
		it->phase = CHOOSE;
		return true;
	}
	it->hop.reply = it->reply;
	take(it, now_ms, it->reply);
	return true;
}

void
iterate_late(struct iterate *it, uint64_t now_ms)
{
	if (it->phase != OPEN)
		return;
	note(it, now_ms, ITERATE_LATE);
	servers_late(it->conf.world.servers, now_ms, it->q.to.ip);
	asked(it)->out |= it->q.tcp;
	it->phase = CHOOSE;
}

void
iterate_unreachable(struct iterate *it, uint64_t now_ms, bool no_route)
{
	if (it->phase != OPEN)
		return;
	note(it, now_ms, ITERATE_UNREACHABLE);
	if (no_route)
		servers_no_route(it->conf.world.servers, now_ms, it->q.to.ip);
	else
		servers_late(it->conf.world.servers, now_ms, it->q.to.ip);
	asked(it)->out = true;
	it->phase = CHOOSE;
}

void
iterate_again(struct iterate *it)
{
	if (it->phase == OPEN)
		it->phase = LOOK;
}

/* ---- the whole ---- */

struct iterate *
iterate_new(const struct iterate_conf *conf, struct bytes name, uint16_t type, uint64_t now_ms)
{
	struct iterate *it = calloc(1, sizeof(*it));

	if (!it)
		return NULL;
	it->frames[0] = calloc(1, sizeof(*it->frames[0]));
	if (!it->frames[0]) {
		free(it);
		return NULL;
	}
	it->conf = *conf;
	it->end_ms = now_ms + ITERATE_MS;
	it->kept = arena_init(RESULT_MAX);
	it->scratch = arena_init(REPLY_ROOM);
	it->result.why = "";
	dname_copy(&it->name, name);
	it->frames[0]->name = it->name;
	it->frames[0]->type = type;
	return it;
}

void
iterate_free(struct iterate *it)
{
	if (!it)
		return;
	for (size_t i = 0; i < ITERATE_DEPTH; i++)
		free(it->frames[i]);
	arena_free(&it->kept);
	arena_free(&it->scratch);
	free(it);
}

const struct iterate_result *
iterate_result(const struct iterate *it)
{
	return &it->result;
}

const struct iterate_hop *
iterate_hop(const struct iterate *it)
{
	return &it->hop;
}

uint16_t
iterate_port(struct random *r)
{
	return (uint16_t)(1024 + random_below(r, 65536 - 1024));
}

/*
 * delegation.c - servers of a zone, their addresses, and the choice among them.
 *
 * A server whose name lies in the zone that it serves can be found through its glue only.  When that
 * was forgotten before the delegation was, the delegation is of no use, and the zone above is asked
 * again.
 */
#include "resolve/delegation.h"

#include "base/random.h"
#include "resolve/address.h"

static bool
is_own(const struct delegation_world *w, const uint8_t ip[16])
{
	for (size_t i = 0; i < w->own_n; i++)
		if (w->own[i].port == w->port && !memcmp(w->own[i].ip, ip, 16))
			return true;
	return false;
}

/* One address once, whatever servers say that they have it (attack 23). */
static void
add_place(struct delegation *d, const struct delegation_world *w, size_t target,
          const uint8_t ip[16])
{
	struct delegation_place *p = &d->places[d->places_n];

	if (d->places_n == DELEGATION_PLACES || !address_may_serve(ip, w->loopback) ||
	    is_own(w, ip))
		return;
	for (size_t i = 0; i < d->places_n; i++)
		if (!memcmp(d->places[i].ip, ip, 16))
			return;
	*p = (struct delegation_place){.target = (uint8_t)target};
	memcpy(p->ip, ip, 16);
	d->places_n++;
}

static void
add_records(struct delegation *d, const struct delegation_world *w, size_t target, uint16_t type,
            struct bytes records)
{
	struct rd r = rd_of(records);
	uint8_t ip[16];

	while (rd_left(&r))
		if (address_from_rdata(type, rd_bytes16(&r), ip)) {
			d->targets[target].known = true;
			add_place(d, w, target, ip);
		}
}

/* The servers of an NS set. */
static void
begin(struct delegation *d, struct bytes zone, uint64_t until_ms, struct bytes records)
{
	struct rd r = rd_of(records);

	dname_copy(&d->zone, zone);
	d->until_ms = until_ms;
	d->targets_n = d->places_n = 0;
	d->lookups = d->failed = 0;
	while (rd_left(&r) && d->targets_n < REPLY_SERVERS) {
		struct delegation_target *t = &d->targets[d->targets_n++];

		dname_copy(&t->name, rd_bytes16(&r));
		t->known = false;
	}
}

static void
add_cached(struct delegation *d, const struct delegation_world *w, uint64_t now_ms)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};

	for (size_t i = 0; i < d->targets_n; i++)
		for (size_t t = 0; t < COUNT(types); t++) {
			struct bytes name = dname_bytes(&d->targets[i].name);
			struct cache_set s =
			    cache_get(w->cache, now_ms, name, types[t], CACHE_GLUE);

			if (s.kind == CACHE_SET)
				add_records(d, w, i, types[t], s.records);
		}
}

/* Is there an address, or a server that can be found without asking this very zone? */
static bool
is_useful(const struct delegation *d)
{
	if (d->places_n)
		return true;
	for (size_t i = 0; i < d->targets_n; i++)
		if (!d->targets[i].known &&
		    !dname_is_below(dname_bytes(&d->targets[i].name), dname_bytes(&d->zone)))
			return true;
	return false;
}

static void
from_hints(struct delegation *d, const struct delegation_world *w)
{
	begin(d, DNAME_ROOT, UINT64_MAX, NO_BYTES);
	for (size_t i = 0; i < w->hints->servers_n; i++) {
		d->targets[d->targets_n].name = w->hints->servers[i];
		d->targets[d->targets_n++].known = true;
	}
	for (size_t i = 0; i < w->hints->addresses_n; i++)
		add_place(d, w, w->hints->addresses[i].server, w->hints->addresses[i].ip);
}

void
delegation_find(struct delegation *d, const struct delegation_world *w, uint64_t now_ms,
                struct bytes name)
{
	for (; !dname_is_root(name); name = dname_parent(name)) {
		struct cache_set s =
		    cache_get(w->cache, now_ms, name, CACHE_DELEGATION, CACHE_GLUE);

		if (s.kind != CACHE_SET)
			continue;
		begin(d, name, now_ms + (uint64_t)s.ttl * 1000, s.records);
		add_cached(d, w, now_ms);
		if (is_useful(d))
			return;
	}
	from_hints(d, w);
}

void
delegation_follow(struct delegation *d, const struct delegation_world *w, uint64_t now_ms,
                  const struct reply *r)
{
	uint64_t left = d->until_ms > now_ms ? (d->until_ms - now_ms) / 1000 : 0;
	uint32_t ttl = r->set.ttl < left ? r->set.ttl : (uint32_t)left; /* attack 24 */

	cache_put(w->cache, now_ms, r->set.owner, CACHE_DELEGATION, CACHE_REFERRAL, ttl,
	          r->set.records, r->set.n);
	begin(d, r->set.owner, now_ms + (uint64_t)ttl * 1000, r->set.records);
	for (size_t i = 0; i < r->glue_n; i++) {
		const struct reply_set *g = &r->glue[i];

		cache_put(w->cache, now_ms, g->owner, g->type, CACHE_GLUE, g->ttl, g->records,
		          g->n);
		for (size_t t = 0; t < d->targets_n; t++)
			if (dname_eq(dname_bytes(&d->targets[t].name), g->owner))
				add_records(d, w, t, g->type, g->records);
	}
	add_cached(d, w, now_ms);
}

void
delegation_learn(struct delegation *d, const struct delegation_world *w, size_t target,
                 uint16_t type, struct bytes records)
{
	d->targets[target].known = true;
	d->failed += !records.n;
	add_records(d, w, target, type, records);
}

/* ---- the choice ---- */

enum { NEVER = 1 << 30, ONCE_MORE = 1 << 20, SILENT = 1 << 24, NEARLY_AS_NEAR_MS = 16 };

/* The less the better. */
static uint32_t
cost_of(const struct delegation *d, const struct delegation_world *w, uint64_t now_ms,
        const struct delegation_place *p)
{
	struct server_view v = servers_view(w->servers, now_ms, p->ip, dname_bytes(&d->zone));

	if (p->out || v.lame || p->tries >= DELEGATION_TRIES || (v.silent && p->tries) ||
	    !servers_routed(w->servers, now_ms, p->ip))
		return NEVER;
	return p->tries * (uint32_t)ONCE_MORE + (v.silent ? SILENT : 0) + v.expect_ms +
	       (uint32_t)random_below(w->random, NEARLY_AS_NEAR_MS);
}

static bool
find_unknown(struct delegation *d, const struct delegation_world *w, size_t *at)
{
	size_t n = 0, first;

	if (!d->targets_n || d->lookups >= DELEGATION_LOOKUPS || d->failed >= DELEGATION_FAILED)
		return false;
	for (first = (size_t)random_below(w->random, d->targets_n); n < d->targets_n; n++) {
		*at = (first + n) % d->targets_n;
		if (!d->targets[*at].known) {
			d->targets[*at].known = true;
			d->lookups++;
			return true;
		}
	}
	return false;
}

enum delegation_next
delegation_next(struct delegation *d, const struct delegation_world *w, uint64_t now_ms, size_t *at)
{
	uint32_t best = NEVER;
	size_t place = 0;

	for (size_t i = 0; i < d->places_n; i++) {
		uint32_t cost = cost_of(d, w, now_ms, &d->places[i]);

		if (cost < best) {
			best = cost;
			place = i;
		}
	}
	/* somebody who was not asked yet may be better than one who did not answer */
	if (best >= ONCE_MORE && find_unknown(d, w, at))
		return DELEGATION_LOOK;
	*at = place;
	return best < NEVER ? DELEGATION_ASK : DELEGATION_OVER;
}

/*
 * resolve_world.h - a small Internet without a network: name servers are zone images under addresses,
 * in a time of its own.
 */
#ifndef TESTS_RESOLVE_WORLD_H
#define TESTS_RESOLVE_WORLD_H

#include "zone_ask.h"

#include "base/random.h"
#include "resolve/iterate.h"

/* Lines with the same address are one server. */
struct world_zone {
	const char *ip, *apex, *text;
};

struct world;
/* Says something else than the zones do; true: *reply is it (nothing: it was lost). */
typedef bool world_twist(struct world *, const struct iterate_send *, struct wr *reply);

enum { WORLD_SERVERS = 32 };

struct world {
	struct iterate_conf conf;
	struct hints hints;
	struct {
		uint8_t ip[16];
		struct kit kit;
	} servers[WORLD_SERVERS];
	size_t n;
	uint64_t now;
	world_twist *twist;
	void *owner;
	unsigned sent, sent_tcp; /* of the last question */
	char log[1 << 16];       /* "IP NAME TYPE", a line for each that was sent */
	char text[1 << 18];      /* the last result */
};

static inline void
world_ip(const char *text, uint8_t ip[16])
{
	bool good = addr_ip_parse(bytes_of(text), ip);

	assert(good);
}

static inline struct world *
world_new(const struct world_zone *zones, size_t n, const char *hints)
{
	struct world *w = calloc(1, sizeof(*w));
	struct zonefile_error wrong;
	struct err e;

	assert(w);
	w->now = 1000;
	w->conf.world = (struct delegation_world){.cache = cache_new(kit_key, 1 << 20),
	                                          .servers = servers_new(kit_key, 1 << 20),
	                                          .hints = &w->hints,
	                                          .random = random_seeded(1),
	                                          .port = 53};
	e = hints_read(&w->hints, BYTES("hints"), bytes_of(hints), &wrong);
	assert(is_ok(e));
	for (size_t i = 0; i < n; i++) {
		struct zone_builder *b = zone_builder_new(kit_key, 0);
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= !strcmp(zones[k].ip, zones[i].ip);
		for (size_t k = i; k < n && !again; k++)
			if (!strcmp(zones[k].ip, zones[i].ip))
				kit_add(b, zones[k].apex, zones[k].text);
		if (again) {
			zone_builder_free(b);
			continue;
		}
		assert(w->n < WORLD_SERVERS);
		world_ip(zones[i].ip, w->servers[w->n].ip);
		w->servers[w->n++].kit = kit_seal(b, 1);
	}
	return w;
}

static inline void
world_free(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		kit_free(&w->servers[i].kit);
	cache_free(w->conf.world.cache);
	servers_free(w->conf.world.servers);
	random_close(w->conf.world.random);
	free(w);
}

/* In the place of all that a server served. */
static inline void
world_change(struct world *w, const char *ip, const char *apex, const char *text)
{
	uint8_t at[16];

	world_ip(ip, at);
	for (size_t i = 0; i < w->n; i++) {
		struct zone_builder *b;

		if (memcmp(w->servers[i].ip, at, 16) != 0)
			continue;
		kit_free(&w->servers[i].kit);
		b = zone_builder_new(kit_key, 0);
		kit_add(b, apex, text);
		w->servers[i].kit = kit_seal(b, 2);
	}
}

#endif

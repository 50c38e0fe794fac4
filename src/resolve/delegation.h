/*
 * delegation.h - a zone with its servers as one question sees them: their names, their addresses,
 * which of these were tried, and whom to ask next.
 */
#ifndef RESOLVE_DELEGATION_H
#define RESOLVE_DELEGATION_H

#include "resolve/cache.h"
#include "resolve/hints.h"
#include "resolve/reply.h"
#include "resolve/servers.h"

struct random;

enum {
	DELEGATION_PLACES = 32,  /* addresses of one zone that are looked at */
	DELEGATION_LOOKUPS = 16, /* servers without an address that are looked for: attack 22 */
	DELEGATION_FAILED = 5,   /* of which so many may fail */
	DELEGATION_TRIES = 4,    /* of one address */
};

struct delegation {
	struct dname zone;
	uint64_t until_ms; /* when the parent's word for it is over */
	struct delegation_target {
		struct dname name;
		bool known; /* has addresses, or was looked for */
	} targets[REPLY_SERVERS];
	struct delegation_place {
		uint8_t ip[16];
		uint8_t target, tries;
		bool out; /* not to be asked again */
	} places[DELEGATION_PLACES];
	size_t targets_n, places_n;
	unsigned lookups, failed;
};

/* What all questions of one resolver share. */
struct delegation_world {
	struct cache *cache;
	struct servers *servers;
	const struct hints *hints;
	struct random *random;
	const struct addr *own; /* where we listen ourselves: never asked (attack 23) */
	size_t own_n;
	uint16_t port; /* of all servers */
	bool loopback; /* servers may be there */
};

/* The nearest zone above the name whose servers are known, at last the root. */
void delegation_find(struct delegation *, const struct delegation_world *, uint64_t now_ms,
                     struct bytes name);
/* What a referral says; it is also put into the cache, for no longer than the zone above it. */
void delegation_follow(struct delegation *, const struct delegation_world *, uint64_t now_ms,
                       const struct reply *);
/* Addresses of a target that was looked for; none: it has failed. */
void delegation_learn(struct delegation *, const struct delegation_world *, size_t target,
                      uint16_t type, struct bytes records);

enum delegation_next { DELEGATION_ASK, DELEGATION_LOOK, DELEGATION_OVER };
/* Whom to ask, or for which target's addresses to look: *at is its place in the one or other list. */
enum delegation_next delegation_next(struct delegation *, const struct delegation_world *,
                                     uint64_t now_ms, size_t *at);

#endif

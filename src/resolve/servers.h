/*
 * servers.h - what is known of name servers by their addresses: how long they take, which are silent,
 * which do not take EDNS, and for which zones they are lame.
 */
#ifndef RESOLVE_SERVERS_H
#define RESOLVE_SERVERS_H

#include "base/addr.h"

enum {
	SERVERS_UNKNOWN_MS = 60,   /* what a server is expected to take that was never asked */
	SERVERS_WAIT_MIN_MS = 250, /* for a reply, however near it is */
	SERVERS_WAIT_MS = 600,     /* the first time */
	SERVERS_WAIT_MAX_MS = 2400,
	SERVERS_SILENT = 4,      /* this often in a row: it is left alone ... */
	SERVERS_REST_MS = 10000, /* ... for so long, and then twice as long each time ... */
	SERVERS_REST_MAX_MS = 320000,
	SERVERS_LAME_MS = 600000, /* and a lame one for that zone */
	SERVERS_NO_EDNS_MS = 3600000,
	SERVERS_FAMILY_MS = 60000, /* a family without a route is tried again then */
};

struct servers;
/* key: 16 random octets; max: octets that all may take.  NULL without memory. */
struct servers *servers_new(const uint8_t key[16], size_t max);
void servers_free(struct servers *);

struct server_view {
	uint32_t expect_ms; /* its smoothed round trip */
	uint32_t wait_ms;   /* how long to wait for it */
	bool silent;        /* to be left alone now: it has not answered for long */
	bool lame;          /* for this zone */
	bool no_edns;
};
struct server_view servers_view(struct servers *, uint64_t now_ms, const uint8_t ip[16],
                                struct bytes zone);

void servers_took(struct servers *, const uint8_t ip[16], uint32_t ms);
void servers_late(struct servers *, uint64_t now_ms, const uint8_t ip[16]);
void servers_no_edns(struct servers *, uint64_t now_ms, const uint8_t ip[16]);
void servers_lame(struct servers *, uint64_t now_ms, const uint8_t ip[16], struct bytes zone);

/* There is no route for this address's family: none of it is chosen for a while. */
void servers_no_route(struct servers *, uint64_t now_ms, const uint8_t ip[16]);
bool servers_routed(const struct servers *, uint64_t now_ms, const uint8_t ip[16]);

#endif

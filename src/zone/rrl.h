/*
 * rrl.h - response-rate limiting: whoever forges a victim's address gets little out of us (attack
 * 6), and who was forged still gets through, over TCP.
 *
 * A bucket of tokens for each network (IPv4 /24, IPv6 /56) and each thing that answers hang on: the
 * name (or wildcard, or cut) for answers and referrals, the zone for NXDOMAIN, nothing for errors.
 * It is filled once a second; an answer costs a token.  Without one, every slip-th answer becomes a
 * truncated one, which is no longer than the query, as long as there are tokens for these too.
 *
 * Memory is fixed: `buckets` times RRL_BUCKET octets, 1.25 MiB with the defaults.  Buckets are
 * found by a keyed hash, four places each; the fullest of the four, which says least, gives way to
 * a new one.
 */
#ifndef ZONE_RRL_H
#define ZONE_RRL_H

#include "zone/answer.h"

enum {
	RRL_RATE = 50,     /* answers a second, for each network and thing */
	RRL_SLIP = 2,      /* every second answer over the rate is a truncated one ... */
	RRL_SLIP_RATE = 8, /* ... but not more a second: 50 * 1232 + 8 * 48 octets < 62 kB */
	RRL_BUCKETS = 65536,
	RRL_BUCKETS_MAX = 1 << 24,
	RRL_BUCKET = 20, /* octets */
};

struct rrl_conf {
	uint32_t rate;      /* 0: no limit */
	uint32_t slip;      /* 0: never, 1: all, n: every n-th */
	uint32_t slip_rate; /* truncated answers a second */
	uint32_t buckets;   /* rounded up to a power of two; at most RRL_BUCKETS_MAX */
	bool exempt_tcp, exempt_loopback;
};
#define RRL_DEFAULTS                                                                               \
	((struct rrl_conf){RRL_RATE, RRL_SLIP, RRL_SLIP_RATE, RRL_BUCKETS, true, false})

enum rrl_verdict { RRL_SEND, RRL_TRUNCATE, RRL_DROP };

struct rrl;

/* All its memory; NULL: no memory. */
struct rrl *rrl_new(const struct rrl_conf *, const uint8_t key[SIPHASH_KEY]);
void rrl_free(struct rrl *);
/* What to do with an answer, by the time of a clock that does not go back, in milliseconds. */
enum rrl_verdict rrl_judge(struct rrl *, const uint8_t peer[16], bool tcp, const struct zone_done *,
                           uint64_t now_ms);

#endif

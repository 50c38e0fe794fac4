/*
 * cache.h - what was learned from name servers, by name and type, until its TTL is over: record sets,
 * that there is no such set (RFC 2308), that there is no such name, that it could not be learned (RFC
 * 9520), and, apart from the sets that are answered, who a parent zone says serves its child.
 *
 * Times are milliseconds of one clock that goes forward.
 */
#ifndef RESOLVE_CACHE_H
#define RESOLVE_CACHE_H

#include "dns/msg.h"

enum {
	CACHE_ENTRY_MAX = 8192,     /* octets of a set: attack 30 */
	CACHE_RECORDS_MAX = 100,    /* records of a set: attack 30 */
	CACHE_TTL_MAX = 86400,      /* RFC 8767 4 allows a cap; a day is what others take */
	CACHE_NEGATIVE_MAX = 10800, /* RFC 2308 5 */
	CACHE_FAILURE_S = 5,        /* RFC 9520 3.2: from 1 s to 5 min */
};

/*
 * How much a set is to be trusted (RFC 2181 5.4.1), from least: a lower one never replaces a higher
 * one that is still good.  Only from CACHE_ANSWER on is it good enough to be answered.
 */
enum cache_rank {
	CACHE_GLUE,      /* additional data of a referral */
	CACHE_REFERRAL,  /* NS sets of a parent */
	CACHE_ANSWER,    /* an answer of a server that did not say it was authoritative */
	CACHE_AUTHORITY, /* an authoritative answer */
};

enum cache_kind { CACHE_NOTHING, CACHE_SET, CACHE_NODATA, CACHE_NXDOMAIN, CACHE_FAILED };

/* Records in wire form without compression, a length of 16 bits before each. */
struct cache_set {
	enum cache_kind kind;
	enum cache_rank rank;
	uint32_t ttl;  /* what is left, in seconds */
	uint16_t n;    /* records */
	uint32_t turn; /* goes on by one with each get: where to begin among equals */
	struct bytes records;
	struct bytes soa_owner, soa; /* of the two negatives; no bytes: there was none */
};

/* A name server's delegation is kept under this type, which no question can have (RFC 6895 3.1). */
enum { CACHE_DELEGATION = 0xffff };

struct cache;
/* key: 16 random octets; max: octets that all may take.  NULL without memory. */
struct cache *cache_new(const uint8_t key[16], size_t max);
void cache_free(struct cache *);

/*
 * What is known of a name and type.  Borrowed until the next put.  CACHE_NXDOMAIN is known of all
 * types of a name at once.
 */
struct cache_set cache_get(struct cache *, uint64_t now_ms, struct bytes name, uint16_t type,
                           enum cache_rank at_least);

/*
 * Keeps a set of n records; a TTL of 0 is for one question only and is not kept.  False: it is not
 * kept since something better is known, it is too large, or memory is used up.
 */
bool cache_put(struct cache *, uint64_t now_ms, struct bytes name, uint16_t type, enum cache_rank,
               uint32_t ttl, struct bytes records, uint16_t n);
/* kind: NODATA or NXDOMAIN; the TTL is that of RFC 2308 5.  Without a SOA nothing is kept. */
void cache_put_negative(struct cache *, uint64_t now_ms, struct bytes name, uint16_t type,
                        enum cache_kind, struct bytes soa_owner, uint32_t soa_ttl,
                        struct bytes soa);
void cache_put_failure(struct cache *, uint64_t now_ms, struct bytes name, uint16_t type);

/* The TTL of a negative answer: the lesser of the SOA's own and its MINIMUM (RFC 2308 5). */
uint32_t cache_negative_ttl(uint32_t soa_ttl, struct bytes soa);

/* Forgets all. */
void cache_clear(struct cache *);

struct cache_counts {
	uint64_t hits, misses, evicted;
	size_t entries, bytes;
};
struct cache_counts cache_counts(const struct cache *);

#endif

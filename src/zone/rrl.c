/*
 * rrl.c - buckets of tokens in a fixed table.
 *
 * A bucket is filled once a second, at the first answer of that second: so what leaves in a second
 * of a flood is the rate and not twice that, and a bucket whose second is over says nothing that a
 * new one does not say; none ever has to be swept.
 */
#include "zone/rrl.h"

#include <assert.h>
#include <stdlib.h>

#include "base/addr.h"

enum { WAYS = 4, SECOND = 1000, V4_PREFIX = 15, V6_PREFIX = 7 /* octets: /24 mapped, /56 */ };

struct bucket {
	uint32_t tag;    /* of whom: upper half of the hash; 0: of nobody */
	uint32_t filled; /* when: milliseconds, as far as they fit */
	uint32_t tokens, slip_tokens;
	uint32_t limited; /* answers over the rate since then */
};
_Static_assert(sizeof(struct bucket) == RRL_BUCKET, "what the header says");

struct rrl {
	struct rrl_conf conf;
	uint8_t key[SIPHASH_KEY];
	uint32_t sets; /* a power of two */
	struct bucket *buckets;
};

/* What is counted together. */
enum kind { POSITIVE, NXDOMAIN, ERROR };

static enum kind
kind_of(enum zone_outcome outcome)
{
	switch (outcome) {
	case ZONE_ANSWERED:
	case ZONE_NODATA:
	case ZONE_REFERRED:
		return POSITIVE;
	case ZONE_NXDOMAIN:
		return NXDOMAIN;
	case ZONE_DROPPED:
	case ZONE_REFUSED:
	case ZONE_FAULTY:
	case ZONE_FAILED:
		break;
	}
	return ERROR;
}

static uint64_t
hash_of(const struct rrl *l, const uint8_t peer[16], enum kind kind, struct bytes about)
{
	uint8_t room[1 + V4_PREFIX + DNAME_MAX];
	struct wr w = wr_of(room, sizeof(room));
	size_t prefix = addr_ip_is_v4(peer) ? V4_PREFIX : V6_PREFIX;

	wr_u8(&w, (uint8_t)kind);
	wr_bytes(&w, (struct bytes){peer, prefix});
	for (size_t i = 0; kind != ERROR && i < about.n && i < DNAME_MAX; i++)
		wr_u8(&w, lower(about.p[i]));
	return siphash(l->key, wr_since(&w, room));
}

static struct bucket *
bucket_of(struct rrl *l, uint64_t hash, uint32_t now)
{
	struct bucket *b = &l->buckets[(size_t)((uint32_t)hash & (l->sets - 1)) * WAYS], *best = b;
	const uint32_t tag = (uint32_t)(hash >> 32) | 1;
	uint64_t most = 0;

	for (size_t i = 0; i < WAYS; i++) {
		const bool over = !b[i].tag || now - b[i].filled >= SECOND;
		const uint64_t says_least = over ? UINT64_MAX : b[i].tokens;

		if (b[i].tag == tag) {
			best = &b[i];
			if (!over)
				return best;
			break;
		}
		if (says_least > most) {
			most = says_least;
			best = &b[i];
		}
	}
	*best = (struct bucket){tag, now, l->conf.rate, l->conf.slip_rate, 0};
	return best;
}

struct rrl *
rrl_new(const struct rrl_conf *conf, const uint8_t key[SIPHASH_KEY])
{
	struct rrl *l = calloc(1, sizeof(*l));

	assert(conf->buckets <= RRL_BUCKETS_MAX);
	if (!l)
		return NULL;
	l->conf = *conf;
	memcpy(l->key, key, sizeof(l->key));
	for (l->sets = 1; l->sets * WAYS < conf->buckets;)
		l->sets *= 2;
	l->buckets = calloc((size_t)l->sets * WAYS, sizeof(*l->buckets));
	if (!l->buckets) {
		free(l);
		return NULL;
	}
	return l;
}

void
rrl_free(struct rrl *l)
{
	if (!l)
		return;
	free(l->buckets);
	free(l);
}

enum rrl_verdict
rrl_judge(struct rrl *l, const uint8_t peer[16], bool tcp, const struct zone_done *done,
          uint64_t now_ms)
{
	const enum kind kind = kind_of(done->outcome);
	struct bucket *b;

	if (!l->conf.rate || (tcp && l->conf.exempt_tcp) ||
	    (l->conf.exempt_loopback && addr_ip_is_loopback(peer)))
		return RRL_SEND;
	b = bucket_of(l, hash_of(l, peer, kind, done->about), (uint32_t)now_ms);
	if (b->tokens > 0) {
		b->tokens--;
		return RRL_SEND;
	}
	/* Nobody needs an error so much that he would come back over TCP for it. */
	if (kind == ERROR || !l->conf.slip || ++b->limited % l->conf.slip || !b->slip_tokens)
		return RRL_DROP;
	b->slip_tokens--;
	return RRL_TRUNCATE;
}

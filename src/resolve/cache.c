/*
 * cache.c - entries in a bounded table, under the name in lower case and the type.
 *
 * Invariants:
 * 1. An entry whose time is over is never given, and goes when it is come upon: looking at it does
 *    not keep it (attack 30).
 * 2. While an entry is good, only a set of the same rank or a higher one replaces it.
 */
#include "resolve/cache.h"

#include "resolve/table.h"

#include <stdlib.h>

enum { KEY_MAX = DNAME_MAX + 2, NAME_ITSELF = 0 /* the type under which NXDOMAIN is kept */ };

struct cache {
	struct table table;
	uint64_t hits, misses;
};

struct entry {
	uint64_t until_ms;
	uint32_t turn;
	uint16_t n, records_n, soa_n;
	uint8_t kind, rank, owner_n;
	uint8_t data[]; /* records, or owner and SOA */
};

static struct bytes
key_of(uint8_t room[KEY_MAX], struct bytes name, uint16_t type)
{
	struct wr w = wr_of(room, KEY_MAX);

	for (size_t i = 0; i < name.n; i++)
		wr_u8(&w, lower(name.p[i]));
	wr_u16(&w, type);
	return wr_since(&w, room);
}

struct cache *
cache_new(const uint8_t key[16], size_t max)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c)
		table_init(&c->table, key, max);
	return c;
}

void
cache_free(struct cache *c)
{
	if (c)
		table_free(&c->table);
	free(c);
}

/* NULL: there is none whose time is not over. */
static struct entry *
good(struct cache *c, uint64_t now_ms, struct bytes key)
{
	struct entry *e = table_get(&c->table, key);

	if (e && e->until_ms <= now_ms) {
		table_remove(&c->table, key);
		e = NULL;
	}
	return e;
}

static struct cache_set
show(struct entry *e, uint64_t now_ms)
{
	struct rd r = {e->data, e->data + e->records_n + e->owner_n + e->soa_n, false};

	return (struct cache_set){
	    .kind = (enum cache_kind)e->kind,
	    .rank = (enum cache_rank)e->rank,
	    .ttl = (uint32_t)((e->until_ms - now_ms + 999) / 1000),
	    .n = e->n,
	    .turn = e->turn++,
	    .records = rd_take(&r, e->records_n),
	    .soa_owner = rd_take(&r, e->owner_n),
	    .soa = rd_take(&r, e->soa_n),
	};
}

struct cache_set
cache_get(struct cache *c, uint64_t now_ms, struct bytes name, uint16_t type,
          enum cache_rank at_least)
{
	uint8_t room[KEY_MAX];
	struct entry *e = good(c, now_ms, key_of(room, name, type));

	if ((!e || e->rank < at_least) && type != CACHE_DELEGATION)
		e = good(c, now_ms, key_of(room, name, NAME_ITSELF));
	if (!e || e->rank < at_least) {
		c->misses++;
		return (struct cache_set){.kind = CACHE_NOTHING};
	}
	c->hits++;
	return show(e, now_ms);
}

/* Room for an entry of this rank; NULL where it has none. */
static struct entry *
place(struct cache *c, uint64_t now_ms, struct bytes key, enum cache_rank rank, size_t data)
{
	struct entry *e = good(c, now_ms, key);

	if (e && e->rank > rank)
		return NULL;
	e = table_put(&c->table, key, sizeof(*e) + data);
	if (e)
		e->rank = (uint8_t)rank;
	return e;
}

bool
cache_put(struct cache *c, uint64_t now_ms, struct bytes name, uint16_t type, enum cache_rank rank,
          uint32_t ttl, struct bytes records, uint16_t n)
{
	uint8_t room[KEY_MAX];
	struct entry *e;

	if (!ttl || records.n > CACHE_ENTRY_MAX || n > CACHE_RECORDS_MAX)
		return false;
	e = place(c, now_ms, key_of(room, name, type), rank, records.n);
	if (!e)
		return false;
	if (type != CACHE_DELEGATION && rank >= CACHE_ANSWER)
		table_remove(&c->table, key_of(room, name, NAME_ITSELF));
	e->kind = CACHE_SET;
	e->until_ms = now_ms + (uint64_t)(ttl < CACHE_TTL_MAX ? ttl : CACHE_TTL_MAX) * 1000;
	e->n = n;
	e->records_n = (uint16_t)records.n;
	if (records.n)
		memcpy(e->data, records.p, records.n);
	return true;
}

uint32_t
cache_negative_ttl(uint32_t soa_ttl, struct bytes soa)
{
	struct rd r = rd_of(soa);
	uint32_t minimum;

	dname_take(&r);
	dname_take(&r);
	rd_take(&r, 16);
	minimum = rd_u32(&r);
	if (r.bad)
		return 0;
	minimum = minimum < soa_ttl ? minimum : soa_ttl;
	return minimum < CACHE_NEGATIVE_MAX ? minimum : CACHE_NEGATIVE_MAX;
}

void
cache_put_negative(struct cache *c, uint64_t now_ms, struct bytes name, uint16_t type,
                   enum cache_kind kind, struct bytes soa_owner, uint32_t soa_ttl, struct bytes soa)
{
	uint32_t ttl = cache_negative_ttl(soa_ttl, soa);
	uint8_t room[KEY_MAX];
	struct bytes key = key_of(room, name, kind == CACHE_NXDOMAIN ? NAME_ITSELF : type);
	struct entry *e;

	if (!ttl || soa.n > CACHE_ENTRY_MAX)
		return;
	e = place(c, now_ms, key, CACHE_AUTHORITY, soa_owner.n + soa.n);
	if (!e)
		return;
	e->kind = (uint8_t)kind;
	e->until_ms = now_ms + (uint64_t)ttl * 1000;
	e->owner_n = (uint8_t)soa_owner.n;
	e->soa_n = (uint16_t)soa.n;
	memcpy(e->data, soa_owner.p, soa_owner.n);
	memcpy(e->data + soa_owner.n, soa.p, soa.n);
}

void
cache_put_failure(struct cache *c, uint64_t now_ms, struct bytes name, uint16_t type)
{
	uint8_t room[KEY_MAX];
	struct entry *e = place(c, now_ms, key_of(room, name, type), CACHE_ANSWER, 0);

	if (e) {
		e->kind = CACHE_FAILED;
		e->until_ms = now_ms + CACHE_FAILURE_S * 1000;
	}
}

void
cache_clear(struct cache *c)
{
	table_free(&c->table);
}

struct cache_counts
cache_counts(const struct cache *c)
{
	return (struct cache_counts){c->hits, c->misses, c->table.evicted, c->table.n,
	                             c->table.bytes};
}

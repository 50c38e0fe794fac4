/*
 * builder.c - keeps the zones, and lays them out as layout.h says.
 *
 * Places are fixed first (place_zone), which tells the size; then everything is written in the
 * same order, and an assertion holds each place against where the writing is.
 */
#include "zone/builder.h"

#include <assert.h>
#include <stdlib.h>

#include "base/map.h"
#include "zone/check.h"
#include "zone/index.h"
#include "zone/layout.h"
#include "zone/tree.h"

struct zone_item {
	struct zone_tree *tree;
	size_t before; /* memory of the trees before this one */
	bool judged, good;
	uint32_t names; /* places in the image: the slots; the nodes follow them */
};

struct zone_builder {
	uint8_t key[SIPHASH_KEY];
	size_t cap; /* of the trees' memory; 0: none */
	struct zone_item *items;
	size_t n, room;
	struct map apexes; /* of all items, to their trees */
	bool open;         /* the last item may be added to */
	uint32_t rows;     /* a place */
	uint64_t units;    /* of the whole image; 0: not known */
};

static struct bytes
lowered(struct dname *room, struct bytes name)
{
	dname_copy_lower(room, name);
	return dname_bytes(room);
}

/* ---- layout ---- */

static uint64_t
units(uint64_t octets)
{
	return (octets + LAYOUT_UNIT - 1) / LAYOUT_UNIT;
}

/* How many slots for n names: at least one stays empty. */
static uint64_t
slots_for(uint64_t n)
{
	uint64_t slots = 2;

	while (slots < 2 * n)
		slots *= 2;
	return slots;
}

static uint64_t
data_units(const struct zone_tree_set *s)
{
	return units(s->size + 2 * (uint64_t)s->n);
}

/* Fixes the places of a zone from *at on, in units, and moves *at behind it. */
static void
place_zone(struct zone_item *z, uint64_t *at)
{
	struct zone_tree *t = z->tree;

	z->names = (uint32_t)*at;
	*at += slots_for(t->n_nodes) * (LAYOUT_SLOT / LAYOUT_UNIT);
	for (size_t i = 0; i < t->n_nodes; i++) {
		struct zone_tree_node *n = &t->nodes[i];

		n->at = (uint32_t)*at;
		*at += units(LAYOUT_NODE + 1 + n->owner.n + (uint64_t)n->n_sets * LAYOUT_SET);
		for (uint32_t k = n->first; k < n->first + n->n_sets; k++)
			*at += data_units(&t->sets[k]);
	}
}

static uint32_t
count_good(const struct zone_builder *b)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->items[i].good;
	return n;
}

static void
place_all(struct zone_builder *b)
{
	uint64_t n = count_good(b), at = units(LAYOUT_HEADER) + slots_for(n) * 2;

	b->rows = (uint32_t)at;
	at += n * units(LAYOUT_ROW);
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].good)
			place_zone(&b->items[i], &at);
	b->units = at;
}

/* ---- writing ---- */

/* An empty table at the place where the writing is. */
struct table {
	uint8_t *slots;
	struct zone_slots s;
};

static struct table
table_new(struct wr *w, const uint8_t *start, uint64_t names)
{
	struct table t = {.s = {.n = (uint32_t)slots_for(names), .probes = 0}};

	t.s.at = (uint32_t)(wr_since(w, start).n / LAYOUT_UNIT);
	t.slots = wr_take(w, (size_t)t.s.n * LAYOUT_SLOT);
	assert(t.slots);
	memset(t.slots, 0, (size_t)t.s.n * LAYOUT_SLOT);
	return t;
}

static void
table_put(struct table *t, uint64_t hash, uint32_t value)
{
	for (uint32_t step = 0; step < t->s.n; step++) {
		uint8_t *slot = t->slots + (size_t)((uint32_t)(hash + step) & (t->s.n - 1)) * 8;
		struct rd seen = rd_of((struct bytes){slot + 4, 4});
		struct wr w = wr_of(slot, LAYOUT_SLOT);

		if (rd_u32(&seen) != 0)
			continue;
		wr_u32(&w, (uint32_t)(hash >> 32));
		wr_u32(&w, value);
		if (step >= t->s.probes)
			t->s.probes = step + 1;
		/* A keyed hash, and half the slots empty: runs have some ten slots. */
		assert(t->s.probes <= LAYOUT_PROBES_MAX);
		return;
	}
	assert(false);
}

static void
put_slots(struct wr *w, const struct zone_slots *s)
{
	wr_u32(w, s->at);
	wr_u32(w, s->n);
	wr_u32(w, s->probes);
}

static void
fill_up(struct wr *w, const uint8_t *start)
{
	while (wr_since(w, start).n % LAYOUT_UNIT)
		wr_u8(w, 0);
}

static uint32_t
place_of(const struct zone_tree *t, uint32_t node)
{
	return node == ZONE_TREE_NONE ? 0 : t->nodes[node].at;
}

static void
put_node(struct wr *w, const uint8_t *start, const struct zone_tree *t, size_t i)
{
	const struct zone_tree_node *n = &t->nodes[i];
	uint64_t data =
	    n->at + units(LAYOUT_NODE + 1 + n->owner.n + (uint64_t)n->n_sets * LAYOUT_SET);

	assert(wr_since(w, start).n == (size_t)n->at * LAYOUT_UNIT);
	wr_u32(w, i + 1 < t->n_nodes ? t->nodes[i + 1].at : 0);
	wr_u32(w, place_of(t, n->cut));
	wr_u32(w, place_of(t, n->wild));
	wr_u8(w, n->flags);
	wr_u8(w, n->labels);
	wr_u16(w, (uint16_t)n->n_sets);
	wr_bytes8(w, n->owner);
	fill_up(w, start);
	for (uint32_t k = n->first; k < n->first + n->n_sets; k++) {
		const struct zone_tree_set *s = &t->sets[k];

		wr_u16(w, s->type);
		wr_u16(w, (uint16_t)s->n);
		wr_u32(w, s->ttl);
		wr_u32(w, (uint32_t)data);
		wr_u32(w, (uint32_t)(s->size + 2 * (uint64_t)s->n));
		data += data_units(s);
	}
	for (uint32_t k = n->first; k < n->first + n->n_sets; k++) {
		const struct zone_tree_set *s = &t->sets[k];

		for (uint32_t r = s->first; r < s->first + s->n; r++)
			wr_bytes16(w, zone_tree_rdata(&t->records[r]));
		fill_up(w, start);
	}
}

static uint32_t
serial_of(const struct zone_tree *t)
{
	const struct zone_tree_set *soa = zone_tree_set(t, &t->nodes[0], DNS_TYPE_SOA);
	struct rd r = rd_of(zone_tree_rdata(&t->records[soa->first]));

	(void)dname_take(&r); /* MNAME, RNAME: RFC 1035 3.3.13 */
	(void)dname_take(&r);
	return rd_u32(&r);
}

/* A zone with its row. */
static void
put_zone(const struct zone_item *z, struct wr *w, const uint8_t *start, struct wr *row)
{
	const struct zone_tree *t = z->tree;
	struct table names = table_new(w, start, t->n_nodes);

	assert(names.s.at == z->names);
	for (size_t i = 0; i < t->n_nodes; i++) {
		table_put(&names, t->nodes[i].hash, t->nodes[i].at);
		put_node(w, start, t, i);
	}
	wr_u32(row, t->nodes[0].at);
	wr_u32(row, serial_of(t));
	wr_u32(row, (uint32_t)t->n_nodes);
	wr_u32(row, (uint32_t)t->n_records);
	put_slots(row, &names.s);
}

/* ---- collecting ---- */

/* How much memory the trees hold. */
static size_t
memory_of(const struct zone_builder *b)
{
	const struct zone_item *last = b->n ? &b->items[b->n - 1] : NULL;

	return last ? last->before + zone_tree_memory(last->tree) : 0;
}

/* All records of the zone that p is the apex of. */
static struct err
carry(struct zone_builder *b, const struct zone_image *img, const struct zone_place *p)
{
	struct zone_node n = p->node;

	for (uint32_t left = p->zone.nodes; left > 0; left--) {
		struct zonefile_record rr = {.owner = n.owner, .class = DNS_CLASS_IN};

		for (unsigned i = 0; i < n.n_sets; i++) {
			struct zone_set s;
			struct rd data;

			if (zone_node_nth(img, &n, i, &s) != ZONE_FOUND)
				return ERR(ERR_SYNTAX, 0, "zone image: damaged");
			data = rd_of(s.data);
			rr.type = s.type;
			rr.ttl = s.ttl;
			while (zone_set_next(&data, &rr.rdata)) {
				struct err e = zone_builder_add(b, &rr);

				if (!is_ok(e))
					return e;
			}
		}
		if (!n.next)
			return OK;
		if (zone_image_node(img, n.next, &n) != ZONE_FOUND)
			break;
	}
	return ERR(ERR_SYNTAX, 0, "zone image: damaged");
}

struct zone_builder *
zone_builder_new(const uint8_t key[SIPHASH_KEY], size_t cap)
{
	struct zone_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	memcpy(b->key, key, sizeof(b->key));
	b->cap = cap;
	map_init(&b->apexes, key);
	return b;
}

void
zone_builder_free(struct zone_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n; i++)
		zone_tree_free(b->items[i].tree);
	map_free(&b->apexes);
	free(b->items);
	free(b);
}

struct err
zone_builder_zone(struct zone_builder *b, struct bytes apex)
{
	size_t before = memory_of(b), cap = b->cap ? b->cap - before : 0;
	struct dname room;
	struct zone_tree *t;

	if (!dname_ok(apex))
		return ERR(ERR_SYNTAX, 0, "zones: not a name");
	b->open = false;
	if (map_get(&b->apexes, lowered(&room, apex)))
		return ERR(ERR_EXISTS, 0, "zones: there are two of one name");
	if (b->cap && b->cap <= before)
		return ERR(ERR_FULL, 0, "zones: too large");
	if (b->n == b->room) {
		size_t more = b->room ? 2 * b->room : 8;
		struct zone_item *p = realloc(b->items, more * sizeof(*p));

		if (!p)
			return ERR(ERR_MEMORY, 0, "zones: no memory");
		b->items = p;
		b->room = more;
	}
	t = zone_tree_new(apex, b->key, cap);
	if (!t || !map_put(&b->apexes, lowered(&room, apex), t)) {
		zone_tree_free(t);
		return ERR(ERR_MEMORY, 0, "zones: no memory");
	}
	b->items[b->n++] = (struct zone_item){.tree = t, .before = before};
	b->open = true;
	b->units = 0;
	return OK;
}

void
zone_builder_drop(struct zone_builder *b)
{
	struct zone_item *last = &b->items[b->n - 1];
	struct dname room;

	assert(b->open);
	(void)map_remove(&b->apexes, lowered(&room, last->tree->apex));
	zone_tree_free(last->tree);
	b->n--;
	b->open = false;
}

struct err
zone_builder_add(struct zone_builder *b, const struct zonefile_record *r)
{
	assert(b->open);
	return zone_tree_add(b->items[b->n - 1].tree, r);
}

struct err
zone_builder_carry(struct zone_builder *b, const struct zone_image *img, struct bytes apex)
{
	struct zone_place p;
	struct err e;

	if (!dname_ok(apex))
		return ERR(ERR_SYNTAX, 0, "zones: not a name");
	zone_find(img, apex, false, &p);
	if (p.kind == ZONE_PLACE_BROKEN)
		return ERR(ERR_SYNTAX, 0, "zone image: damaged");
	if (p.kind != ZONE_PLACE_EXACT || !(p.node.flags & ZONE_NODE_APEX))
		return ERR(ERR_NOTFOUND, 0, "zone image: no such zone");
	e = zone_builder_zone(b, p.node.owner);
	if (!is_ok(e))
		return e;
	e = carry(b, img, &p);
	if (!is_ok(e))
		zone_builder_drop(b);
	return e;
}

struct err
zone_builder_check(struct zone_builder *b, void (*tell)(void *owner, const struct zone_problem *),
                   void *owner, unsigned *errors)
{
	*errors = 0;
	b->open = false;
	for (size_t i = 0; i < b->n; i++) {
		struct zone_item *z = &b->items[i];

		if (!z->judged) {
			struct err e = zone_tree_arrange(z->tree);

			if (!is_ok(e))
				return e;
			z->good = zone_check(z->tree, tell, owner);
			z->judged = true;
		}
		*errors += !z->good;
	}
	return OK;
}

struct err
zone_builder_size(struct zone_builder *b, size_t *out)
{
	place_all(b);
	if (b->units > UINT32_MAX)
		return ERR(ERR_RANGE, 0, "zones: larger than an image can be");
	*out = (size_t)b->units * LAYOUT_UNIT;
	return OK;
}

void
zone_builder_build(struct zone_builder *b, uint64_t version, struct wr *region)
{
	const uint8_t *start = region->p;
	uint8_t *header = wr_take(region, LAYOUT_HEADER), *row_room;
	uint8_t depths[16] = {0};
	uint32_t zones = count_good(b), number = 0;
	struct table apexes;
	struct wr rows, w;

	assert(header && b->units);
	apexes = table_new(region, start, zones);
	row_room = wr_take(region, (size_t)zones * LAYOUT_ROW);
	assert(row_room || !zones);
	rows = wr_of(row_room, (size_t)zones * LAYOUT_ROW);
	for (size_t i = 0; i < b->n; i++) {
		struct zone_item *z = &b->items[i];

		if (!z->good)
			continue;
		put_zone(z, region, start, &rows);
		table_put(&apexes, z->tree->nodes[0].hash, ++number);
		depths[z->tree->nodes[0].labels / 8] |=
		    (uint8_t)(1u << z->tree->nodes[0].labels % 8);
	}
	w = wr_of(header, LAYOUT_HEADER);
	wr_text(&w, LAYOUT_MAGIC);
	wr_u32(&w, LAYOUT_FORMAT);
	wr_u32(&w, zones);
	wr_u64(&w, version);
	wr_u64(&w, b->units * LAYOUT_UNIT);
	wr_bytes(&w, (struct bytes){b->key, sizeof(b->key)});
	wr_bytes(&w, (struct bytes){depths, sizeof(depths)});
	put_slots(&w, &apexes.s);
	wr_u32(&w, b->rows);
	assert(!w.full && !region->full &&
	       wr_since(region, start).n == (size_t)b->units * LAYOUT_UNIT);
}

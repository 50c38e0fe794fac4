/*
 * image.c - reads an image (layout.h) without trust: whatever is read is a number until it was
 * held against the region's length.
 */
#include "zone/image.h"

#include "zone/layout.h"

/* What begins at a place, up to the region's end; bad when the place is outside. */
static struct rd
reader_at(const struct zone_image *img, uint32_t at)
{
	struct rd r = rd_of(img->all);

	(void)rd_take(&r, (size_t)at * LAYOUT_UNIT);
	if (at == 0)
		r.bad = true;
	return r;
}

static struct zone_slots
read_slots(struct rd *r)
{
	struct zone_slots s;

	s.at = rd_u32(r);
	s.n = rd_u32(r);
	s.probes = rd_u32(r);
	return s;
}

/* A power of two, and all slots inside? */
static bool
slots_ok(const struct zone_image *img, const struct zone_slots *s)
{
	struct rd r = reader_at(img, s->at);

	return s->n != 0 && (s->n & (s->n - 1)) == 0 && rd_left(&r) / LAYOUT_SLOT >= s->n;
}

struct err
zone_image_open(struct zone_image *out, struct bytes region)
{
	struct rd r = rd_of(region);
	struct bytes magic = rd_take(&r, sizeof(LAYOUT_MAGIC) - 1), key, depths;
	uint32_t format = rd_u32(&r);
	uint64_t size;

	out->zones = rd_u32(&r);
	out->version = rd_u64(&r);
	size = rd_u64(&r);
	key = rd_take(&r, sizeof(out->key));
	depths = rd_take(&r, sizeof(out->depths));
	out->apexes = read_slots(&r);
	out->rows = rd_u32(&r);
	if (r.bad || !bytes_eq(magic, BYTES(LAYOUT_MAGIC)) || format != LAYOUT_FORMAT)
		return ERR(ERR_SYNTAX, 0, "not a zone image of this format");
	if (size > region.n || size < LAYOUT_HEADER)
		return ERR(ERR_SYNTAX, 0, "zone image: cut off");
	out->all = (struct bytes){region.p, (size_t)size};
	memcpy(out->key, key.p, key.n);
	memcpy(out->depths, depths.p, depths.n);
	r = reader_at(out, out->rows);
	if (!slots_ok(out, &out->apexes) || rd_left(&r) / LAYOUT_ROW < out->zones)
		return ERR(ERR_SYNTAX, 0, "zone image: a table outside");
	return OK;
}

enum zone_look
zone_image_zone(const struct zone_image *img, uint32_t n, struct zone_view *out)
{
	struct rd r = reader_at(img, img->rows);

	if (n >= img->zones)
		return ZONE_NONE;
	(void)rd_take(&r, (size_t)n * LAYOUT_ROW);
	out->apex = rd_u32(&r);
	out->serial = rd_u32(&r);
	out->nodes = rd_u32(&r);
	out->records = rd_u32(&r);
	out->names = read_slots(&r);
	return r.bad || !slots_ok(img, &out->names) ? ZONE_BROKEN : ZONE_FOUND;
}

uint32_t
zone_image_slot(const struct zone_image *img, const struct zone_slots *s, uint64_t hash,
                uint32_t *step)
{
	const uint32_t tag = (uint32_t)(hash >> 32);
	uint32_t most = s->probes < LAYOUT_PROBES_MAX ? s->probes : LAYOUT_PROBES_MAX;

	while (*step < most && *step < s->n) {
		uint32_t i = ((uint32_t)hash + (*step)++) & (s->n - 1), seen, value;
		struct rd r = rd_of(img->all);

		(void)rd_take(&r, (size_t)s->at * LAYOUT_UNIT + (size_t)i * LAYOUT_SLOT);
		seen = rd_u32(&r);
		value = rd_u32(&r);
		if (value == 0)
			break;
		if (seen == tag)
			return value;
	}
	*step = most;
	return 0;
}

enum zone_look
zone_image_node(const struct zone_image *img, uint32_t at, struct zone_node *out)
{
	struct rd r = reader_at(img, at);

	out->at = at;
	out->next = rd_u32(&r);
	out->cut = rd_u32(&r);
	out->wild = rd_u32(&r);
	out->flags = rd_u8(&r);
	out->labels = rd_u8(&r);
	out->n_sets = rd_u16(&r);
	out->owner = rd_bytes8(&r);
	/* the fixed part is whole units, so only the owner with its length needs filling up */
	(void)rd_take(&r, -(1 + out->owner.n) & (LAYOUT_UNIT - 1));
	out->sets = rd_take(&r, (size_t)out->n_sets * LAYOUT_SET);
	return r.bad || out->owner.n == 0 ? ZONE_BROKEN : ZONE_FOUND;
}

/* The set whose row r stands on. */
static enum zone_look
read_set(const struct zone_image *img, struct rd *r, struct zone_set *out)
{
	struct rd data;
	uint32_t at, n;

	out->type = rd_u16(r);
	out->n = rd_u16(r);
	out->ttl = rd_u32(r);
	at = rd_u32(r);
	n = rd_u32(r);
	data = reader_at(img, at);
	out->data = rd_take(&data, n);
	return r->bad || data.bad || out->n == 0 ? ZONE_BROKEN : ZONE_FOUND;
}

enum zone_look
zone_node_nth(const struct zone_image *img, const struct zone_node *node, unsigned i,
              struct zone_set *out)
{
	struct rd r = rd_of(node->sets);

	if (i >= node->n_sets)
		return ZONE_NONE;
	(void)rd_take(&r, (size_t)i * LAYOUT_SET);
	return read_set(img, &r, out);
}

enum zone_look
zone_node_set(const struct zone_image *img, const struct zone_node *node, uint16_t type,
              struct zone_set *out)
{
	struct rd r = rd_of(node->sets);

	while (rd_left(&r) >= LAYOUT_SET) {
		struct rd row = r;

		if (rd_u16(&row) == type)
			return read_set(img, &r, out);
		(void)rd_take(&r, LAYOUT_SET);
	}
	return ZONE_NONE;
}

bool
zone_set_next(struct rd *data, struct bytes *rdata)
{
	if (rd_left(data) == 0)
		return false;
	*rdata = rd_bytes16(data);
	return !data->bad;
}

uint64_t
zone_hash(const uint8_t key[SIPHASH_KEY], uint64_t above, struct bytes label)
{
	uint8_t room[8 + DNAME_LABEL_MAX];
	struct wr w = wr_of(room, sizeof(room));

	wr_u64(&w, above);
	for (size_t i = 0; i < label.n; i++)
		wr_u8(&w, lower(label.p[i]));
	return siphash(key, wr_since(&w, room));
}

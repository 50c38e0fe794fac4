/*
 * index.c - finding names.
 *
 * Most names are the apex, one label beneath it, or beneath a delegation that is: so the name one
 * label beneath the apex is looked for first, then the whole name, and only then is the closest
 * encloser searched by halves.  Halving is right since a name has all its ancestors as nodes
 * (layout.h, invariant 1); in a damaged image it finds something wrong, but ends.
 */
#include "zone/index.h"

/* A name's suffixes by their number of labels. */
struct suffixes {
	struct bytes name;
	unsigned labels; /* of the name */
	unsigned hashed; /* hash[] is known up to here */
	uint64_t hash[DNAME_LABELS_MAX + 1];
	uint8_t from[DNAME_LABELS_MAX + 1]; /* where in the name a suffix of n labels begins */
};

static void
suffixes_of(struct suffixes *s, struct bytes name)
{
	unsigned n = dname_labels(name);

	s->name = name;
	s->labels = n;
	s->hashed = 0;
	s->hash[0] = ZONE_HASH_ROOT;
	for (size_t at = 0;; at += 1u + name.p[at]) {
		s->from[n] = (uint8_t)at;
		if (n-- == 0)
			break;
	}
}

static struct bytes
suffix(const struct suffixes *s, unsigned labels)
{
	return (struct bytes){s->name.p + s->from[labels], s->name.n - s->from[labels]};
}

static uint64_t
suffix_hash(const struct zone_image *img, struct suffixes *s, unsigned labels)
{
	while (s->hashed < labels) {
		unsigned n = ++s->hashed;

		s->hash[n] = zone_hash(img->key, s->hash[n - 1], dname_label(suffix(s, n)));
	}
	return s->hash[labels];
}

/* The node of the suffix with so many labels. */
static enum zone_look
probe(const struct zone_image *img, const struct zone_view *zone, struct suffixes *s,
      unsigned labels, struct zone_node *out)
{
	uint64_t hash = suffix_hash(img, s, labels);
	uint32_t step = 0, at;

	while ((at = zone_image_slot(img, &zone->names, hash, &step)) != 0) {
		if (zone_image_node(img, at, out) != ZONE_FOUND)
			return ZONE_BROKEN;
		if (bytes_eq_nocase(out->owner, suffix(s, labels)))
			return out->labels == labels ? ZONE_FOUND : ZONE_BROKEN;
	}
	return ZONE_NONE;
}

/* The zone whose apex is the suffix with so many labels. */
static enum zone_look
probe_apex(const struct zone_image *img, struct suffixes *s, unsigned labels,
           struct zone_view *zone, struct zone_node *apex)
{
	uint64_t hash = suffix_hash(img, s, labels);
	uint32_t step = 0, number;

	while ((number = zone_image_slot(img, &img->apexes, hash, &step)) != 0) {
		if (zone_image_zone(img, number - 1, zone) != ZONE_FOUND ||
		    zone_image_node(img, zone->apex, apex) != ZONE_FOUND)
			return ZONE_BROKEN;
		if (bytes_eq_nocase(apex->owner, suffix(s, labels)))
			return apex->labels == labels && apex->flags & ZONE_NODE_APEX ? ZONE_FOUND
			                                                              : ZONE_BROKEN;
	}
	return ZONE_NONE;
}

/* The closest apex at or above the suffix with `from` labels. */
static enum zone_look
closest_apex(const struct zone_image *img, struct suffixes *s, unsigned from,
             struct zone_view *zone, struct zone_node *apex)
{
	for (unsigned n = from + 1; n-- > 0;) {
		enum zone_look look = ZONE_NONE;

		if (img->depths[n / 8] >> n % 8 & 1)
			look = probe_apex(img, s, n, zone, apex);
		if (look != ZONE_NONE)
			return look;
	}
	return ZONE_NONE;
}

/*
 * Finds the name's node, or else its closest encloser (or a cut beneath which it is), in *node,
 * which holds the apex at first.  ZONE_NONE: not the name's own.
 */
static enum zone_look
descend(const struct zone_image *img, const struct zone_view *zone, struct suffixes *s,
        struct zone_node *node)
{
	/* a suffix of `low` labels is a node; one of more than `high` is none */
	unsigned low = node->labels, high = s->labels, next = low + 1;

	while (low < high) {
		struct zone_node found;
		enum zone_look look = probe(img, zone, s, next, &found);

		if (look == ZONE_BROKEN)
			return ZONE_BROKEN;
		if (look == ZONE_FOUND) {
			*node = found;
			low = next;
			if (found.flags & (ZONE_NODE_DELEGATION | ZONE_NODE_DNAME))
				break;
		} else {
			high = next - 1;
		}
		next = high == s->labels ? high : low + (high - low + 1) / 2;
	}
	return low == s->labels ? ZONE_FOUND : ZONE_NONE;
}

/* *node is occluded: puts the cut in its place. */
static bool
to_cut(const struct zone_image *img, struct suffixes *s, struct zone_node *node)
{
	uint32_t cut = node->cut;

	return zone_image_node(img, cut, node) == ZONE_FOUND &&
	       node->flags & (ZONE_NODE_DELEGATION | ZONE_NODE_DNAME) && node->labels < s->labels &&
	       bytes_eq_nocase(node->owner, suffix(s, node->labels));
}

static enum zone_place_kind
place_in(const struct zone_image *img, struct suffixes *s, struct zone_place *p)
{
	enum zone_look look = descend(img, &p->zone, s, &p->node);

	if (look == ZONE_BROKEN)
		return ZONE_PLACE_BROKEN;
	if (p->node.flags & ZONE_NODE_OCCLUDED)
		return to_cut(img, s, &p->node) ? ZONE_PLACE_CUT : ZONE_PLACE_BROKEN;
	if (look == ZONE_FOUND)
		return ZONE_PLACE_EXACT;
	if (p->node.flags & (ZONE_NODE_DELEGATION | ZONE_NODE_DNAME))
		return ZONE_PLACE_CUT;
	return ZONE_PLACE_MISSING;
}

void
zone_find(const struct zone_image *img, struct bytes name, bool above, struct zone_place *out)
{
	struct suffixes s;
	enum zone_look look = ZONE_NONE;

	suffixes_of(&s, name);
	if (above && s.labels > 0)
		look = closest_apex(img, &s, s.labels - 1, &out->zone, &out->node);
	if (look == ZONE_NONE)
		look = closest_apex(img, &s, s.labels, &out->zone, &out->node);
	if (look != ZONE_FOUND) {
		out->kind = look == ZONE_NONE ? ZONE_PLACE_OUTSIDE : ZONE_PLACE_BROKEN;
		return;
	}
	out->apex = suffix(&s, out->node.labels);
	out->kind = place_in(img, &s, out);
	if (out->kind == ZONE_PLACE_BROKEN)
		return;
	out->owner = suffix(&s, out->node.labels);
	if (out->kind == ZONE_PLACE_MISSING && out->node.flags & ZONE_NODE_WILD) {
		uint32_t wild = out->node.wild;

		out->kind = zone_image_node(img, wild, &out->node) == ZONE_FOUND
		                ? ZONE_PLACE_WILDCARD
		                : ZONE_PLACE_BROKEN;
		out->owner = name;
	}
}

enum zone_look
zone_find_in(const struct zone_image *img, const struct zone_view *zone, struct bytes apex,
             struct bytes name, struct zone_node *out)
{
	struct suffixes s;

	if (!dname_is_below(name, apex))
		return ZONE_NONE;
	suffixes_of(&s, name);
	return probe(img, zone, &s, s.labels, out);
}

/*
 * image.h - all zones as one sealed, position-independent region: written whole by builder.h, mapped
 * and read by those who answer.
 *
 * A reader does not trust the writer, who parses strangers' transfers: every offset, count and
 * length is checked against the region where it is read, and what does not fit is ZONE_BROKEN.
 * Names of an image are octets until dname_ok() said so.  Views live as long as the region is
 * mapped.  Only these functions know the layout, which stands in layout.h.
 */
#ifndef ZONE_IMAGE_H
#define ZONE_IMAGE_H

#include "base/err.h"
#include "base/siphash.h"
#include "dns/rdata.h"

enum zone_look { ZONE_NONE, ZONE_FOUND, ZONE_BROKEN };

/* An open hash table in the image: where its slots begin, a power of two, the longest search. */
struct zone_slots {
	uint32_t at, n, probes;
};

struct zone_image {
	struct bytes all;
	uint64_t version; /* the builder's: a later image has a higher one */
	uint32_t zones;
	uint32_t rows;            /* where the zones' rows begin */
	struct zone_slots apexes; /* from apex names to numbers of zones */
	uint8_t key[SIPHASH_KEY];
	uint8_t depths[16]; /* bit n: there is an apex of n labels */
};

/* A zone. */
struct zone_view {
	uint32_t apex; /* its node */
	uint32_t serial, nodes, records;
	struct zone_slots names; /* from owner names to nodes */
};

enum zone_node_flag {
	ZONE_NODE_APEX = 1,
	ZONE_NODE_DELEGATION = 2, /* NS, and not the apex */
	ZONE_NODE_DNAME = 4,
	ZONE_NODE_CNAME = 8,
	ZONE_NODE_EMPTY = 16,    /* only names beneath it: RFC 4592 2.2.2 */
	ZONE_NODE_OCCLUDED = 32, /* beneath a delegation or a DNAME: glue, or dead */
	ZONE_NODE_WILD = 64,     /* has a child "*" */
};

struct zone_node {
	uint32_t at;
	uint32_t next; /* in canonical order (RFC 4034 6.1); 0: this is the zone's last */
	uint32_t cut;  /* the highest delegation or DNAME above an occluded node */
	uint32_t wild; /* the child "*" */
	uint8_t flags, labels;
	uint16_t n_sets;
	struct bytes owner, sets;
};

/* Records of one owner and type, duplicates gone, in canonical order of their data. */
struct zone_set {
	uint16_t type, n;
	uint32_t ttl;
	struct bytes data; /* for zone_set_next() */
};

/* ERR_SYNTAX: not an image of this format; who has an older one keeps that. */
MUST_CHECK struct err zone_image_open(struct zone_image *, struct bytes region);

/* Zone number n, of those from 0 to zones - 1; the order has no meaning. */
enum zone_look zone_image_zone(const struct zone_image *, uint32_t n, struct zone_view *);
enum zone_look zone_image_node(const struct zone_image *, uint32_t at, struct zone_node *);
/*
 * The slot that `hash` leads to: its value, or 0 when there is none.  Values of the same hash can
 * be more than one: *step is 0 at first, and the next call goes on from there.
 */
uint32_t zone_image_slot(const struct zone_image *, const struct zone_slots *, uint64_t hash,
                         uint32_t *step);

/* The i-th set of a node, from 0 to n_sets - 1, by ascending type. */
enum zone_look zone_node_nth(const struct zone_image *, const struct zone_node *, unsigned i,
                             struct zone_set *);
enum zone_look zone_node_set(const struct zone_image *, const struct zone_node *, uint16_t type,
                             struct zone_set *);
/* The next record's data of set->data, read through an rd; false behind the last. */
bool zone_set_next(struct rd *data, struct bytes *rdata);

/* The hash of a name is that of its leftmost label upon the hash of the name above; the root's: */
#define ZONE_HASH_ROOT UINT64_C(0)
uint64_t zone_hash(const uint8_t key[SIPHASH_KEY], uint64_t above, struct bytes label);

#endif

/*
 * tree.h - one zone on its way into an image: records as they come in, then arranged into sets and
 * nodes.  builder.h is the door; check.h judges what is here.
 */
#ifndef ZONE_TREE_H
#define ZONE_TREE_H

#include "base/arena.h"
#include "dns/zonefile.h"
#include "zone/image.h"

#define ZONE_TREE_NONE UINT32_MAX
enum { ZONE_TREE_STRAYS = 16 /* records outside of the zone that are kept, to be told */ };

struct zone_tree_record {
	const uint8_t *data; /* its length in two octets, then the rdata */
	uint32_t owner, ttl, line;
	uint16_t type, file;
};

struct zone_tree_owner {
	struct bytes name;
	uint32_t rank; /* in canonical order; equal names have the same */
};

struct zone_tree_set {
	uint32_t first, n; /* records */
	uint32_t ttl;      /* the lowest of all (RFC 2181 5.2) */
	uint16_t type;
	bool ttls_differ;
	uint64_t size; /* octets of all data */
};

struct zone_tree_node {
	struct bytes owner;
	uint32_t parent, cut, wild; /* nodes, or ZONE_TREE_NONE */
	uint32_t first, n_sets;     /* sets */
	uint64_t hash;              /* zone_hash() */
	uint32_t at;                /* the builder's: its place in the image */
	uint8_t flags, labels;      /* enum zone_node_flag */
	bool glue;                  /* check.c's: an NS names it */
};

/*
 * After zone_tree_arrange():
 *  1. nodes are in canonical order, the apex first, each after all its ancestors, and all of those
 *     down from the apex are there;
 *  2. sets are in the order of nodes, then of types; records in that of sets, then of data, and no
 *     record is there twice.
 */
struct zone_tree {
	struct bytes apex;
	struct arena arena;
	size_t cap, held; /* most octets ever; of those, in the arrays here */
	struct zone_tree_record *records;
	struct zone_tree_owner *owners;
	struct zone_tree_set *sets;
	struct zone_tree_node *nodes;
	struct bytes *files;
	uint32_t *index; /* by hash: a node's number + 1; at least half of it is 0 */
	size_t index_size;
	const uint8_t *key; /* of the hash */
	size_t n_records, n_owners, n_sets, n_nodes, n_files;
	size_t records_room, owners_room, sets_room, nodes_room, files_room;
	struct zone_tree_record strays[ZONE_TREE_STRAYS];
	size_t n_strays;
};

/* NULL: no memory, or not even this is within the cap (0: none).  The key stays the caller's. */
struct zone_tree *zone_tree_new(struct bytes apex, const uint8_t key[SIPHASH_KEY], size_t cap);
void zone_tree_free(struct zone_tree *);
size_t zone_tree_memory(const struct zone_tree *);
/* ERR_SYNTAX, ERR_FULL, ERR_MEMORY as zone_builder_add(); not after zone_tree_arrange(). */
MUST_CHECK struct err zone_tree_add(struct zone_tree *, const struct zonefile_record *);
MUST_CHECK struct err zone_tree_arrange(struct zone_tree *);

/* The name's node; NULL when there is none. */
struct zone_tree_node *zone_tree_find(const struct zone_tree *, struct bytes name);
const struct zone_tree_set *zone_tree_set(const struct zone_tree *, const struct zone_tree_node *,
                                          uint16_t type);
struct bytes zone_tree_rdata(const struct zone_tree_record *);

#endif

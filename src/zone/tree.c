/*
 * tree.c - collects records compactly (24 octets, the data, and a name for each run of records of
 * one owner), then sorts once.
 *
 * Names are sorted by a key whose octets compare as RFC 4034 6.1 wants it: the labels from the
 * right in lower case, each ended by 0; so that no label's octet is that end, 0 and 1 are written
 * as 1 1 and 1 2.
 */
#include "zone/tree.h"

#include <assert.h>
#include <stdlib.h>

enum { KEY_MAX = 2 * DNAME_MAX };

/* The array with room for one more element; with *e not OK as it was. */
static void *
grow(struct zone_tree *t, void *array, size_t *room, size_t n, size_t size, struct err *e)
{
	size_t more = *room ? *room : 8;
	void *p;

	*e = OK;
	if (n < *room)
		return array;
	if (n >= UINT32_MAX / 2 || (t->cap && zone_tree_memory(t) + more * size > t->cap)) {
		*e = ERR(ERR_FULL, 0, "zone: too large");
		return array;
	}
	p = realloc(array, (*room + more) * size);
	if (!p) {
		*e = ERR(ERR_MEMORY, 0, "zone: no memory");
		return array;
	}
	*room += more;
	t->held += more * size;
	return p;
}

#define GROW(t, name, e)                                                                           \
	((t)->name =                                                                               \
	     grow((t), (t)->name, &(t)->name##_room, (t)->n_##name, sizeof(*(t)->name), (e)))

/* Memory of the zone's arena; NULL and *e. */
static void *
take(struct zone_tree *t, size_t n, struct err *e)
{
	void *p = NULL;

	if (t->cap && zone_tree_memory(t) + n > t->cap)
		*e = ERR(ERR_FULL, 0, "zone: too large");
	else if (!(p = arena_alloc(&t->arena, n)))
		*e = ERR(ERR_MEMORY, 0, "zone: no memory");
	return p;
}

static struct bytes
copy(struct zone_tree *t, struct bytes b, struct err *e)
{
	uint8_t *p = take(t, b.n, e);

	if (!p)
		return NO_BYTES;
	if (b.n)
		memcpy(p, b.p, b.n);
	return (struct bytes){p, b.n};
}

/* The number of an owner; runs of one owner share it. */
static struct err
add_owner(struct zone_tree *t, struct bytes name, uint32_t *number)
{
	struct err e;

	if (!t->n_owners || !bytes_eq(t->owners[t->n_owners - 1].name, name)) {
		GROW(t, owners, &e);
		if (!is_ok(e))
			return e;
		t->owners[t->n_owners].name = copy(t, name, &e);
		if (!is_ok(e))
			return e;
		t->n_owners++;
	}
	*number = (uint32_t)t->n_owners - 1;
	return OK;
}

/* The number of a file; only a few are ever there, and the last one is nearly always meant. */
static struct err
add_file(struct zone_tree *t, struct bytes name, uint16_t *number)
{
	struct err e;
	size_t i = t->n_files;

	while (i > 0 && !bytes_eq(t->files[i - 1], name))
		i--;
	if (i == 0) {
		if (t->n_files > UINT16_MAX)
			return ERR(ERR_FULL, 0, "zone: too many files");
		GROW(t, files, &e);
		if (!is_ok(e))
			return e;
		t->files[t->n_files] = copy(t, name, &e);
		if (!is_ok(e))
			return e;
		i = ++t->n_files;
	}
	*number = (uint16_t)(i - 1);
	return OK;
}

static struct err
add_data(struct zone_tree *t, struct bytes rdata, const uint8_t **out)
{
	struct err e = OK;
	uint8_t *p = take(t, 2 + rdata.n, &e);
	struct wr w;

	if (!p)
		return e;
	w = wr_of(p, 2 + rdata.n);
	wr_bytes16(&w, rdata);
	*out = p;
	return OK;
}

/* ---- arranging ---- */

struct sorting {
	const uint8_t *key;
	uint32_t n, owner;
};

/* Labels from the left; how many. */
static size_t
split(struct bytes name, struct bytes labels[DNAME_LABELS_MAX])
{
	size_t n = 0;

	for (; !dname_is_root(name); name = dname_parent(name))
		labels[n++] = dname_label(name);
	return n;
}

static uint64_t
hash_of(const struct zone_tree *t, struct bytes name)
{
	struct bytes labels[DNAME_LABELS_MAX];
	uint64_t hash = ZONE_HASH_ROOT;

	for (size_t n = split(name, labels); n > 0; n--)
		hash = zone_hash(t->key, hash, labels[n - 1]);
	return hash;
}

static void
put_key(struct wr *w, struct bytes name)
{
	struct bytes labels[DNAME_LABELS_MAX];
	size_t n = split(name, labels);

	while (n-- > 0) {
		for (size_t i = 0; i < labels[n].n; i++) {
			uint8_t c = lower(labels[n].p[i]);

			if (c <= 1)
				wr_u8(w, 1);
			wr_u8(w, c <= 1 ? (uint8_t)(c + 1) : c);
		}
		wr_u8(w, 0);
	}
}

static int
sorting_cmp(const void *a, const void *b)
{
	const struct sorting *x = a, *y = b;

	return bytes_cmp((struct bytes){x->key, x->n}, (struct bytes){y->key, y->n});
}

/* Gives each owner its rank; there are *ranks of them. */
static struct err
rank_owners(struct zone_tree *t, size_t *ranks)
{
	struct sorting *s = calloc(t->n_owners + 1, sizeof(*s));
	struct arena keys = arena_init(0);
	struct err e = ERR(ERR_MEMORY, 0, "zone: no memory to sort");
	uint32_t rank = 0;

	*ranks = 0;
	if (!s)
		goto out;
	for (size_t i = 0; i < t->n_owners; i++) {
		uint8_t room[KEY_MAX];
		struct wr w = wr_of(room, sizeof(room));
		struct bytes key;

		put_key(&w, t->owners[i].name);
		assert(!w.full);
		key = arena_copy(&keys, wr_since(&w, room));
		if (!key.p)
			goto out;
		s[i] = (struct sorting){key.p, (uint32_t)key.n, (uint32_t)i};
	}
	qsort(s, t->n_owners, sizeof(*s), sorting_cmp);
	for (size_t i = 0; i < t->n_owners; i++) {
		if (i && sorting_cmp(&s[i - 1], &s[i]) != 0)
			rank++;
		t->owners[s[i].owner].rank = rank;
		*ranks = (size_t)rank + 1;
	}
	e = OK;
out:
	arena_free(&keys);
	free(s);
	return e;
}

/* Compares data with its names in lower case, as duplicates are told (RFC 4034 6.2, 6.3). */
static int
rdata_cmp(uint16_t type, struct bytes a, struct bytes b)
{
	struct rdata_walk wa = {type, 0, a}, wb = {type, 0, b};
	struct rdata_part pa, pb;

	if (!rdata_has_names(type))
		return bytes_cmp(a, b);
	for (;;) {
		bool more_a = rdata_next(&wa, &pa), more_b = rdata_next(&wb, &pb);
		int c = 0;

		if (!more_a || !more_b)
			return more_a - more_b;
		if (pa.is_name && pb.is_name) {
			struct dname na, nb;

			dname_copy_lower(&na, pa.bytes);
			dname_copy_lower(&nb, pb.bytes);
			c = bytes_cmp(dname_bytes(&na), dname_bytes(&nb));
		} else {
			c = bytes_cmp(pa.bytes, pb.bytes);
		}
		if (c)
			return c;
	}
}

/* Of records with the same owner. */
static int
record_cmp(const void *a, const void *b)
{
	const struct zone_tree_record *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return rdata_cmp(x->type, zone_tree_rdata(x), zone_tree_rdata(y));
}

/* Sorts the records by owner (they are counted, then put in their places), and those by data. */
static struct err
sort_records(struct zone_tree *t, size_t ranks)
{
	uint32_t *end = calloc(ranks + 1, sizeof(*end)); /* behind the last of a rank, in the end */
	struct zone_tree_record *sorted = malloc((t->records_room + 1) * sizeof(*sorted));
	size_t n = t->n_records;

	if (!end || !sorted) {
		free(end);
		free(sorted);
		return ERR(ERR_MEMORY, 0, "zone: no memory to sort");
	}
	for (size_t i = 0; i < n; i++)
		end[t->owners[t->records[i].owner].rank + 1]++;
	for (size_t i = 0; i < ranks; i++)
		end[i + 1] += end[i];
	for (size_t i = 0; i < n; i++)
		sorted[end[t->owners[t->records[i].owner].rank]++] = t->records[i];
	for (size_t i = 0; i < ranks; i++) {
		uint32_t first = i ? end[i - 1] : 0;

		if (end[i] - first > 1)
			qsort(sorted + first, end[i] - first, sizeof(*sorted), record_cmp);
	}
	free(end);
	free(t->records);
	t->records = sorted;
	return OK;
}

static struct err
add_node(struct zone_tree *t, struct bytes owner, unsigned labels, uint32_t parent)
{
	struct zone_tree_node *up, *n;
	struct err e;

	GROW(t, nodes, &e);
	if (!is_ok(e))
		return e;
	n = &t->nodes[t->n_nodes];
	*n = (struct zone_tree_node){.owner = owner,
	                             .parent = parent,
	                             .cut = ZONE_TREE_NONE,
	                             .wild = ZONE_TREE_NONE,
	                             .first = (uint32_t)t->n_sets,
	                             .hash = hash_of(t, owner),
	                             .flags = ZONE_NODE_EMPTY,
	                             .labels = (uint8_t)labels};
	if (parent == ZONE_TREE_NONE) {
		n->flags |= ZONE_NODE_APEX;
	} else {
		up = &t->nodes[parent];
		n->cut = up->flags & (ZONE_NODE_DELEGATION | ZONE_NODE_DNAME) &&
		                 up->cut == ZONE_TREE_NONE
		             ? parent
		             : up->cut;
		if (n->cut != ZONE_TREE_NONE)
			n->flags |= ZONE_NODE_OCCLUDED;
		if (dname_is_wildcard(owner)) {
			up->wild = (uint32_t)t->n_nodes;
			up->flags |= ZONE_NODE_WILD;
		}
	}
	t->n_nodes++;
	return OK;
}

/*
 * The node of a name and of those between it and the last node's name, which comes before it in
 * canonical order: so what both have in common is there.
 */
static struct err
add_nodes_to(struct zone_tree *t, struct bytes owner, uint32_t path[DNAME_LABELS_MAX + 1])
{
	unsigned labels = dname_labels(owner), common = dname_labels(t->apex);
	struct err e = OK;

	if (t->n_nodes) {
		common = dname_common(t->nodes[t->n_nodes - 1].owner, owner);
	} else {
		path[common] = 0;
		e = add_node(t, t->apex, common, ZONE_TREE_NONE);
	}
	for (unsigned n = common + 1; n <= labels && is_ok(e); n++) {
		path[n] = (uint32_t)t->n_nodes;
		e = add_node(t, dname_strip(owner, labels - n), n, path[n - 1]);
	}
	return e;
}

/* Begins the set of a record at the last node. */
static struct err
add_set(struct zone_tree *t, const struct zone_tree_record *r, uint32_t first)
{
	struct zone_tree_node *n = &t->nodes[t->n_nodes - 1];
	struct err e;

	GROW(t, sets, &e);
	if (!is_ok(e))
		return e;
	t->sets[t->n_sets++] =
	    (struct zone_tree_set){.first = first, .ttl = r->ttl, .type = r->type};
	n->n_sets++;
	n->flags &= (uint8_t)~ZONE_NODE_EMPTY;
	if (r->type == DNS_TYPE_NS && !(n->flags & ZONE_NODE_APEX))
		n->flags |= ZONE_NODE_DELEGATION;
	if (r->type == DNS_TYPE_DNAME)
		n->flags |= ZONE_NODE_DNAME;
	if (r->type == DNS_TYPE_CNAME)
		n->flags |= ZONE_NODE_CNAME;
	return OK;
}

/* Sets and nodes from sorted records, whose duplicates are dropped on the way. */
static struct err
gather(struct zone_tree *t)
{
	uint32_t path[DNAME_LABELS_MAX + 1] = {0};
	size_t kept = 0;
	struct err e = OK;

	if (!t->n_records)
		return add_nodes_to(t, t->apex, path);
	for (size_t i = 0; i < t->n_records && is_ok(e); i++) {
		struct zone_tree_record r = t->records[i];
		const struct zone_tree_record *last = kept ? &t->records[kept - 1] : NULL;
		bool same_owner = last && t->owners[last->owner].rank == t->owners[r.owner].rank;
		bool same_set = same_owner && last->type == r.type;
		struct zone_tree_set *set;

		if (!same_owner)
			e = add_nodes_to(t, t->owners[r.owner].name, path);
		if (is_ok(e) && !same_set)
			e = add_set(t, &r, (uint32_t)kept);
		if (!is_ok(e))
			break;
		set = &t->sets[t->n_sets - 1];
		set->ttls_differ |= r.ttl != set->ttl;
		set->ttl = r.ttl < set->ttl ? r.ttl : set->ttl;
		if (same_set && rdata_cmp(r.type, zone_tree_rdata(last), zone_tree_rdata(&r)) == 0)
			continue; /* RFC 2181 5 */
		set->n++;
		set->size += zone_tree_rdata(&r).n;
		t->records[kept++] = r;
	}
	t->n_records = kept;
	return e;
}

static struct err
make_index(struct zone_tree *t)
{
	size_t size = 2;

	while (size < 2 * t->n_nodes)
		size *= 2;
	if (t->cap && zone_tree_memory(t) + size * sizeof(*t->index) > t->cap)
		return ERR(ERR_FULL, 0, "zone: too large");
	t->index = calloc(size, sizeof(*t->index));
	if (!t->index)
		return ERR(ERR_MEMORY, 0, "zone: no memory");
	t->index_size = size;
	t->held += size * sizeof(*t->index);
	for (size_t i = 0; i < t->n_nodes; i++) {
		size_t at = (size_t)t->nodes[i].hash & (size - 1);

		while (t->index[at])
			at = (at + 1) & (size - 1);
		t->index[at] = (uint32_t)i + 1;
	}
	return OK;
}

struct zone_tree *
zone_tree_new(struct bytes apex, const uint8_t key[SIPHASH_KEY], size_t cap)
{
	struct zone_tree *t = calloc(1, sizeof(*t));
	struct err e = OK;

	if (!t)
		return NULL;
	t->cap = cap;
	t->key = key;
	t->arena = arena_init(0);
	t->apex = copy(t, apex, &e);
	if (!is_ok(e)) {
		zone_tree_free(t);
		return NULL;
	}
	return t;
}

void
zone_tree_free(struct zone_tree *t)
{
	if (!t)
		return;
	arena_free(&t->arena);
	free(t->records);
	free(t->owners);
	free(t->sets);
	free(t->nodes);
	free(t->files);
	free(t->index);
	free(t);
}

size_t
zone_tree_memory(const struct zone_tree *t)
{
	return sizeof(*t) + t->held + t->arena.used;
}

struct err
zone_tree_add(struct zone_tree *t, const struct zonefile_record *in)
{
	struct zone_tree_record r = {.line = in->line, .type = in->type};
	struct err e;

	if (!dname_ok(in->owner) || dns_type_is_meta(in->type) || !rdata_check(in->type, in->rdata))
		return ERR(ERR_SYNTAX, 0, "zone: not a record");
	r.ttl = in->ttl > INT32_MAX ? 0 : in->ttl; /* RFC 2181 8 */
	if (!dname_is_below(in->owner, t->apex) && t->n_strays == ZONE_TREE_STRAYS)
		return OK;
	GROW(t, records, &e);
	if (is_ok(e))
		e = add_owner(t, in->owner, &r.owner);
	if (is_ok(e))
		e = add_file(t, in->file, &r.file);
	if (is_ok(e))
		e = add_data(t, in->rdata, &r.data);
	if (!is_ok(e))
		return e;
	if (dname_is_below(in->owner, t->apex))
		t->records[t->n_records++] = r;
	else
		t->strays[t->n_strays++] = r;
	return OK;
}

struct err
zone_tree_arrange(struct zone_tree *t)
{
	size_t ranks;
	struct err e = rank_owners(t, &ranks);

	if (is_ok(e))
		e = sort_records(t, ranks);
	if (is_ok(e))
		e = gather(t);
	if (is_ok(e))
		e = make_index(t);
	return e;
}

struct zone_tree_node *
zone_tree_find(const struct zone_tree *t, struct bytes name)
{
	uint64_t hash = hash_of(t, name);
	size_t at = (size_t)hash & (t->index_size - 1);

	for (; t->index[at]; at = (at + 1) & (t->index_size - 1)) {
		struct zone_tree_node *n = &t->nodes[t->index[at] - 1];

		if (n->hash == hash && dname_eq(n->owner, name))
			return n;
	}
	return NULL;
}

const struct zone_tree_set *
zone_tree_set(const struct zone_tree *t, const struct zone_tree_node *n, uint16_t type)
{
	for (uint32_t i = n->first; i < n->first + n->n_sets; i++)
		if (t->sets[i].type == type)
			return &t->sets[i];
	return NULL;
}

struct bytes
zone_tree_rdata(const struct zone_tree_record *r)
{
	return (struct bytes){r->data + 2, (size_t)r->data[0] << 8 | r->data[1]};
}

/*
 * builder.h - from records to an image: collects them by zone, judges each zone as a person would
 * want it judged, lays the good ones out over a region.
 *
 *	zone_builder_new, for each zone: zone_builder_zone, zone_builder_add ...,
 *	zone_builder_check, zone_builder_size, zone_builder_build, zone_builder_free
 *
 * An image is always built whole; zones that did not change are carried over from the one before.
 */
#ifndef ZONE_BUILDER_H
#define ZONE_BUILDER_H

#include "dns/zonefile.h"
#include "zone/image.h"

struct zone_builder; /* one thread */

/* The key hashes names in the image; cap bounds the memory held (0: none).  NULL: no memory. */
struct zone_builder *zone_builder_new(const uint8_t key[SIPHASH_KEY], size_t cap);
void zone_builder_free(struct zone_builder *);

/*
 * Begins a zone; what is added next belongs to it.  ERR_EXISTS: there is one with this apex, and
 * none has begun; ERR_SYNTAX: not a name; ERR_FULL: the cap; ERR_MEMORY.
 */
MUST_CHECK struct err zone_builder_zone(struct zone_builder *, struct bytes apex);
/* Forgets the zone begun last (its file had errors); another may begin. */
void zone_builder_drop(struct zone_builder *);
/*
 * A record of the zone begun last; everything is copied.  file and line may be empty and 0.
 * ERR_SYNTAX: data that is not of its type's form, or a type that is in no zone (attack 12);
 * ERR_FULL: the cap, or more records than an image has numbers for; ERR_MEMORY.
 */
MUST_CHECK struct err zone_builder_add(struct zone_builder *, const struct zonefile_record *);
/*
 * Begins a zone with all records that it has in an image.  ERR_NOTFOUND: the image has no such
 * zone; ERR_SYNTAX: it is damaged; else as above.  After an error no zone was
 * begun.
 */
MUST_CHECK struct err zone_builder_carry(struct zone_builder *, const struct zone_image *,
                                         struct bytes apex);

struct zone_problem {
	bool is_error; /* the zone is left out of the image; else a warning */
	struct bytes zone, owner;
	uint16_t type;      /* 0: no type is meant */
	struct bytes file;  /* where the record came from; empty: not known */
	uint32_t line;      /* 0: not known */
	const char *text;   /* "stands beside other data of the same name" */
	struct bytes other; /* a name that the text ends with; no bytes: none */
};
enum {
	ZONE_PROBLEMS_MAX = 100, /* told of one zone; the last one then says that there are more */
	ZONE_PROBLEM_TEXT_MAX = 4 * ZONEFILE_NAME_MAX + 2 * DNAME_TEXT_MAX + 256,
};
/* "example.org.zone:12: error: www.example.org. CNAME: stands beside ...", without a line end. */
void zone_problem_text(const struct zone_problem *, struct wr *);

/*
 * Judges the zones that were not judged yet and tells each problem, which is good for the call
 * only (tell may be NULL).  *errors: how many zones are left out.  ERR_FULL: the cap; ERR_MEMORY: after
 * these it can only be freed.
 */
MUST_CHECK struct err zone_builder_check(struct zone_builder *,
                                         void (*tell)(void *owner, const struct zone_problem *),
                                         void *owner, unsigned *errors);

/*
 * How large the image of the good zones will be, after zone_builder_check(), since when nothing was
 * added.  ERR_RANGE: larger than an image can be (16 GiB).
 */
MUST_CHECK struct err zone_builder_size(struct zone_builder *, size_t *out);
/* Writes it, as zone_builder_size() has just laid it out, to a region with that much room. */
void zone_builder_build(struct zone_builder *, uint64_t version, struct wr *region);

#endif

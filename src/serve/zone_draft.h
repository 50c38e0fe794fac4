/*
 * zone_draft.h - an image of zones in the making: texts that are taken over or refused, zones that
 * go on as they are served, and all that has to be said about them.  For zones.c.
 */
#ifndef SERVE_ZONE_DRAFT_H
#define SERVE_ZONE_DRAFT_H

#include "base/map.h"
#include "zone/builder.h"

/* While one is made: what a slip of the pen in $GENERATE may cost at most. */
#define ZONE_DRAFT_MEMORY ((size_t)8 << 30)
#define ZONE_IMAGE_MAX    ((size_t)16 << 30)

struct zone_draft {
	const uint8_t *key;
	const struct zone_image *served; /* NULL: nothing yet */
	struct wr *told;                 /* lines for a person; may be NULL */
	struct zone_builder *builder;    /* to add to */
	struct map bad;                  /* apexes of zones that the judge left out */
	unsigned refused;                /* texts and zones */
};

/* All three must live as long as the draft. */
MUST_CHECK struct err zone_draft_begin(struct zone_draft *, const uint8_t key[SIPHASH_KEY],
                                       const struct zone_image *served, struct wr *told);
void zone_draft_end(struct zone_draft *);

/* A text was not taken: says so, with the place in *wrong, if that has one, or else for `file`. */
void zone_draft_refuse(struct zone_draft *, struct bytes apex, struct bytes file, struct err why,
                       const struct zonefile_error *wrong);
/* The zone as it is served; there may be no such version. */
MUST_CHECK struct err zone_draft_carry(struct zone_draft *, struct bytes apex);
/* All that are served, but this one.  ERR_FULL. */
MUST_CHECK struct err zone_draft_carry_others(struct zone_draft *, struct bytes apex);

/* Judges and says what there is to say; *errors: how many zones are bad. */
MUST_CHECK struct err zone_draft_judge(struct zone_draft *, unsigned *errors);
/*
 * Judges what was not, and makes the image; in the place of bad zones stand their served versions.
 * ERR_FULL, ERR_RANGE: too large.
 */
MUST_CHECK struct err zone_draft_seal(struct zone_draft *, uint64_t version, int *fd);

#endif

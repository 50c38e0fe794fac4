/*
 * index.h - from a name to its place: which zone it is in, and what stands there (RFC 1034 4.3.2,
 * steps 2 and 3; RFC 4592 3.3.1).
 *
 * The work is a hash a label, and searches that grow with the logarithm of the labels.
 */
#ifndef ZONE_INDEX_H
#define ZONE_INDEX_H

#include "zone/image.h"

enum zone_place_kind {
	ZONE_PLACE_OUTSIDE,  /* in no zone of ours */
	ZONE_PLACE_EXACT,    /* node is the name's; it may be a delegation itself */
	ZONE_PLACE_CUT,      /* beneath a delegation or a DNAME: node is that one */
	ZONE_PLACE_WILDCARD, /* no such name; node is the wildcard that stands for it */
	ZONE_PLACE_MISSING,  /* no such name; node is its closest encloser */
	ZONE_PLACE_BROKEN,   /* the image is damaged here; nothing else is told */
};

struct zone_place {
	enum zone_place_kind kind;
	struct zone_view zone;
	struct zone_node node;
	struct bytes apex; /* a suffix of the name that was asked */
	struct bytes
	    owner; /* the same: the name itself (exact, wildcard), the cut's, the encloser's */
};

/*
 * Where is it?  The closest enclosing zone is meant; with `above` that of the parent, if that is
 * ours too: a DS belongs to the upper side of a cut (RFC 4035 3.1.4.1).
 */
void zone_find(const struct zone_image *, struct bytes name, bool above, struct zone_place *out);
/*
 * The node of exactly this name in the zone with this apex, occluded or not: for glue.  The name is
 * a good one (dname_ok).
 */
enum zone_look zone_find_in(const struct zone_image *, const struct zone_view *, struct bytes apex,
                            struct bytes name, struct zone_node *out);

#endif

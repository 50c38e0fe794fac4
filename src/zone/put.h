/*
 * put.h - sets of an image into an answer: whole or not at all, addresses in turning order.
 */
#ifndef ZONE_PUT_H
#define ZONE_PUT_H

#include "dns/writer.h"
#include "zone/image.h"

struct zone_put {
	struct dns_writer w;
	const struct zone_image *img;
	uint32_t turn; /* addresses begin with this record, modulo their number */
	bool broken;   /* the image is damaged: sticks, and what was written has no meaning */
};

/* False, and nothing written, when the set does not fit or `broken` is set. */
bool zone_put_set(struct zone_put *, enum dns_section, struct bytes owner, const struct zone_set *);
/* The same where the answer misleads without the set: then TC is set (RFC 2181 9). */
bool zone_put_needed(struct zone_put *, enum dns_section, struct bytes owner,
                     const struct zone_set *);
/* What an image look said, ZONE_BROKEN remembered: found? */
bool zone_put_found(struct zone_put *, enum zone_look);

#endif

/*
 * extra.h - the additional section: addresses of the hosts that a set names.
 */
#ifndef ZONE_EXTRA_H
#define ZONE_EXTRA_H

#include "zone/index.h"
#include "zone/put.h"

enum { ZONE_EXTRAS_MAX = 64 /* hosts that addresses are looked up for, but for glue */ };

/* Has data of this type the name of a host, whose addresses are wanted next? */
bool zone_extra_wanted(uint16_t type);
/* That name; false when the data is not of the form. */
bool zone_extra_host(uint16_t type, struct bytes rdata, struct bytes *name);

/*
 * Addresses for a referral by this NS set, place->owner being the cut: first of hosts beneath the
 * cut, which nobody can find otherwise (TC when one does not fit, RFC 9471 2.1), then of others in
 * the zone (as many as fit, RFC 9471 2.2).
 */
void zone_extra_glue(struct zone_put *, const struct zone_place *, const struct zone_set *ns);
/* Addresses for an answer with this set: as many as fit; only of hosts in the same zone. */
void zone_extra_addresses(struct zone_put *, const struct zone_place *, const struct zone_set *);

#endif

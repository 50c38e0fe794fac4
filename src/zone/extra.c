/*
 * extra.c - additional data.  Names beyond the zone are not looked for: who asks would not believe
 * us about them.
 */
#include "zone/extra.h"

enum { SVCB = 64, HTTPS = 65 }; /* RFC 9460 */

/* Where in the data the host's name begins. */
static const struct host {
	uint16_t type;
	uint8_t at;
} hosts[] = {
    {DNS_TYPE_NS, 0},  {DNS_TYPE_MX, 2}, /* preference: RFC 1035 3.3.9 */
    {DNS_TYPE_SRV, 6},                   /* priority, weight, port: RFC 2782 */
    {SVCB, 2},                           /* priority: RFC 9460 2.2, 4.1 */
    {HTTPS, 2},
};

static const struct host *
host_of(uint16_t type)
{
	for (size_t i = 0; i < COUNT(hosts); i++)
		if (hosts[i].type == type)
			return &hosts[i];
	return NULL;
}

bool
zone_extra_wanted(uint16_t type)
{
	return host_of(type) != NULL;
}

bool
zone_extra_host(uint16_t type, struct bytes rdata, struct bytes *name)
{
	const struct host *h = host_of(type);
	struct rd r = rd_of(rdata);

	if (!h)
		return false;
	(void)rd_take(&r, h->at);
	*name = dname_take(&r);
	return !r.bad;
}

/* Both kinds of addresses; false when one does not fit. */
static bool
put_addresses(struct zone_put *p, struct bytes name, const struct zone_node *node)
{
	static const uint16_t types[] = {DNS_TYPE_A, DNS_TYPE_AAAA};
	bool all = true;

	for (size_t i = 0; i < COUNT(types); i++) {
		struct zone_set set;

		if (zone_put_found(p, zone_node_set(p->img, node, types[i], &set)))
			all &= zone_put_set(p, DNS_ADDITIONAL, name, &set);
	}
	return all;
}

/* Hosts beneath the cut, or all others; false when addresses of one do not fit. */
static bool
glue_pass(struct zone_put *p, const struct zone_place *place, const struct zone_set *ns,
          bool beneath)
{
	struct rd data = rd_of(ns->data);
	struct bytes rdata, name;

	while (zone_set_next(&data, &rdata) && !p->broken) {
		struct zone_node node;

		if (!zone_extra_host(DNS_TYPE_NS, rdata, &name) ||
		    dname_is_below(name, place->owner) != beneath)
			continue;
		if (zone_put_found(p,
		                   zone_find_in(p->img, &place->zone, place->apex, name, &node)) &&
		    !put_addresses(p, name, &node))
			return false;
	}
	return true;
}

void
zone_extra_glue(struct zone_put *p, const struct zone_place *place, const struct zone_set *ns)
{
	if (!glue_pass(p, place, ns, true))
		p->w.flags |= DNS_FLAG_TC;
	else
		(void)glue_pass(p, place, ns, false);
}

/* Was it there before?  Else it is from now on. */
static bool
seen(uint32_t *list, unsigned *n, uint32_t at)
{
	for (unsigned i = 0; i < *n; i++)
		if (list[i] == at)
			return true;
	list[(*n)++] = at;
	return false;
}

void
zone_extra_addresses(struct zone_put *p, const struct zone_place *place, const struct zone_set *set)
{
	struct rd data = rd_of(set->data);
	struct bytes rdata, name;
	uint32_t done[ZONE_EXTRAS_MAX];
	unsigned n = 0, looked = 0;

	while (looked++ < ZONE_EXTRAS_MAX && zone_set_next(&data, &rdata) && !p->broken) {
		struct zone_node node = place->node;

		if (!zone_extra_host(set->type, rdata, &name))
			continue;
		if (dname_is_root(name)) { /* in SVCB: the owner itself (RFC 9460 2.5.2) */
			if (set->type != SVCB && set->type != HTTPS)
				continue;
			name = place->owner;
		} else if (!zone_put_found(
			       p, zone_find_in(p->img, &place->zone, place->apex, name, &node))) {
			continue;
		}
		/* Glue is not ours to vouch for, but for our own name servers' (RFC 2181 5.4.1). */
		if (node.flags & ZONE_NODE_OCCLUDED && set->type != DNS_TYPE_NS)
			continue;
		if (!seen(done, &n, node.at) && !put_addresses(p, name, &node))
			return;
	}
}

/* put.c - a set is handed to the writer in batches, so that no answer needs memory for its length.
 */
#include "zone/put.h"

enum { BATCH = 32 };

/* The next n records of the data. */
static bool
put_run(struct zone_put *p, enum dns_section section, struct bytes owner,
        const struct zone_set *set, struct rd data, unsigned n)
{
	struct bytes rdatas[BATCH];

	while (n > 0) {
		size_t k = 0;

		while (k < BATCH && k < n && zone_set_next(&data, &rdatas[k]))
			k++;
		if (k == 0) {
			p->broken = true;
			return false;
		}
		if (!dns_writer_rrset(&p->w, section, owner, set->type, set->ttl, rdatas, k))
			return false;
		n -= (unsigned)k;
	}
	return true;
}

bool
zone_put_set(struct zone_put *p, enum dns_section section, struct bytes owner,
             const struct zone_set *set)
{
	const bool turns = set->type == DNS_TYPE_A || set->type == DNS_TYPE_AAAA;
	const unsigned first = turns ? p->turn % set->n : 0;
	struct dns_mark before = dns_writer_mark(&p->w);
	struct rd all = rd_of(set->data), from = all;
	struct bytes skipped;

	for (unsigned i = 0; i < first; i++)
		if (!zone_set_next(&from, &skipped))
			p->broken = true;
	if (!p->broken && put_run(p, section, owner, set, from, set->n - first) &&
	    put_run(p, section, owner, set, all, first))
		return true;
	dns_writer_undo(&p->w, &before);
	return false;
}

bool
zone_put_needed(struct zone_put *p, enum dns_section section, struct bytes owner,
                const struct zone_set *set)
{
	if (zone_put_set(p, section, owner, set))
		return true;
	p->w.flags |= DNS_FLAG_TC;
	return false;
}

bool
zone_put_found(struct zone_put *p, enum zone_look look)
{
	if (look == ZONE_BROKEN)
		p->broken = true;
	return look == ZONE_FOUND;
}

/* sim_parcel.c - parcels in a list. */
#include "net/sim_parcel.h"

#include <stdlib.h>

struct parcel *
parcel_new(size_t n)
{
	struct parcel *p = malloc(sizeof(*p) + n);

	if (p)
		*p = (struct parcel){.n = n, .fd = -1};
	return p;
}

void
parcels_add(struct parcels *l, struct parcel *p)
{
	p->next = NULL;
	if (l->last)
		l->last->next = p;
	else
		l->first = p;
	l->last = p;
}

struct parcel *
parcels_take(struct parcels *l)
{
	struct parcel *p = l->first;

	l->first = p->next;
	if (!l->first)
		l->last = NULL;
	return p;
}

void
parcels_insert(struct parcels *l, struct parcel *p)
{
	struct parcel **at = &l->first;

	if (!l->last || l->last->at <= p->at) {
		parcels_add(l, p);
		return;
	}
	while ((*at)->at <= p->at)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

/* imap_set.c - sequence sets: read, resolved once, searched. */
#include "proto/imap_set.h"

#include "proto/imap_parse.h"

#include <stdlib.h>

static uint32_t
take_one(struct rd *in)
{
	uint32_t n;

	if (imap_skip(in, '*'))
		return IMAP_STAR;
	n = imap_take_number(in);
	if (!n) /* nz-number */
		in->bad = true;
	return n;
}

static struct imap_range
take_range(struct rd *in)
{
	struct imap_range r;

	r.first = r.last = take_one(in);
	if (imap_skip(in, ':'))
		r.last = take_one(in);
	return r;
}

/* How many ranges follow at most. */
static size_t
count(const struct rd *in)
{
	size_t n = 1, left = rd_left(in);

	for (size_t i = 0; i < left; i++) {
		uint8_t c = in->p[i];

		if (c == ',')
			n++;
		else if (c != '*' && c != ':' && (c < '0' || c > '9'))
			break;
	}
	return n;
}

static int
by_first(const void *left, const void *right)
{
	const struct imap_range *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

/* Puts `*` and the order right; false: numbers that are not there. */
static bool
settle(struct imap_range *r, uint32_t star, bool uids)
{
	bool open = r->first == IMAP_STAR || r->last == IMAP_STAR;
	uint32_t swap;

	if (r->first == IMAP_STAR)
		r->first = star;
	if (r->last == IMAP_STAR)
		r->last = star;
	if (r->first > r->last) {
		swap = r->first;
		r->first = r->last;
		r->last = swap;
	}
	if (uids || r->last <= star)
		return true;
	return open && !star;
}

struct err
imap_set_read(struct imap_set *set, struct rd *in, struct arena *a)
{
	*set = (struct imap_set){.ranges = arena_alloc(a, count(in) * sizeof(*set->ranges))};
	if (!set->ranges)
		return ERR(ERR_FULL, 0, "sequence set");
	do
		set->ranges[set->n++] = take_range(in);
	while (!in->bad && imap_skip(in, ','));
	return in->bad ? ERR(ERR_SYNTAX, 0, "sequence set") : OK;
}

bool
imap_set_resolve(struct imap_set *set, uint32_t star, bool uids)
{
	struct imap_range *r = set->ranges;
	size_t n = 0;

	if (set->resolved)
		return true;
	for (size_t i = 0; i < set->n; i++)
		if (!settle(&r[i], star, uids))
			return false;
	if (!star) /* nobody is there */
		set->n = 0;
	if (set->n)
		qsort(r, set->n, sizeof(*r), by_first);
	for (size_t i = 0; i < set->n; i++) {
		if (n && r[i].first <= r[n - 1].last) {
			if (r[i].last > r[n - 1].last)
				r[n - 1].last = r[i].last;
		} else if (n && r[i].first == r[n - 1].last + 1) {
			r[n - 1].last = r[i].last;
		} else {
			r[n++] = r[i];
		}
	}
	set->n = n;
	set->resolved = true;
	return true;
}

bool
imap_set_has(const struct imap_set *set, uint32_t number)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->ranges[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < set->n && set->ranges[low].first <= number;
}

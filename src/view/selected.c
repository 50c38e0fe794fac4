/* selected.c - ranges, searched by halves and merged by walks along both sides. */
#include "view/selected.h"

#include <stdlib.h>

void
selected_fini(struct selected *s)
{
	free(s->ranges);
	*s = (struct selected){0};
}

/* ---- adding ---- */

static struct err
append(struct selected *s, uint32_t first, uint32_t last)
{
	struct selected_range *end = s->n ? &s->ranges[s->n - 1] : NULL;
	size_t cap = s->cap ? s->cap * 2 : 1;
	struct selected_range *grown;

	if (end && first <= end->last + 1) {
		end->last = last;
	} else {
		if (s->n == SELECTED_RANGES_MAX)
			return ERR(ERR_FULL, 0, "ranges of a mailbox");
		if (s->n == s->cap) {
			grown = realloc(s->ranges, cap * sizeof(*grown));
			if (!grown)
				return ERR(ERR_MEMORY, 0, "ranges of a mailbox");
			s->ranges = grown;
			s->cap = cap;
		}
		s->ranges[s->n++] = (struct selected_range){first, last, s->count};
	}
	s->count += last - first + 1;
	return OK;
}

struct err
selected_add(struct selected *s, struct bytes ranges)
{
	struct rd r = rd_of(ranges);
	struct uid_range range;
	struct err e = OK;

	while (is_ok(e) && uid_range_get(&r, &range)) {
		uint32_t known = selected_last(s);

		if (!range.first || range.last == UINT32_MAX)
			return ERR(ERR_SYNTAX, 0, "ranges of UIDs");
		if (range.last <= known)
			continue;
		e = append(s, range.first <= known ? known + 1 : range.first, range.last);
	}
	if (is_ok(e) && r.bad)
		e = ERR(ERR_SYNTAX, 0, "ranges of UIDs");
	return e;
}

struct err
selected_add_uid(struct selected *s, uint32_t uid)
{
	uint8_t room[8];
	struct wr w = wr_of(room, sizeof(room));

	uid_range_put(&w, (struct uid_range){uid, uid});
	return selected_add(s, wr_since(&w, room));
}

/* ---- looking ---- */

uint32_t
selected_last(const struct selected *s)
{
	return s->n ? s->ranges[s->n - 1].last : 0;
}

/* The first range that does not end before this UID; s->n: there is none. */
static size_t
range_of_uid(const struct selected *s, uint32_t uid)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->ranges[mid].last < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
selected_number(const struct selected *s, uint32_t uid)
{
	size_t i = range_of_uid(s, uid);

	if (i == s->n || uid < s->ranges[i].first)
		return 0;
	return s->ranges[i].before + (uid - s->ranges[i].first) + 1;
}

uint32_t
selected_uid(const struct selected *s, uint32_t number)
{
	size_t low = 0, high = s->n;

	if (!number || number > s->count)
		return 0;
	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->ranges[mid].before < number)
			low = mid;
		else
			high = mid;
	}
	return s->ranges[low].first + (number - s->ranges[low].before - 1);
}

uint32_t
selected_from(const struct selected *s, uint32_t uid)
{
	size_t i = range_of_uid(s, uid);

	if (i == s->n)
		return 0;
	if (uid <= s->ranges[i].first)
		return s->count - s->ranges[i].before;
	return s->count - s->ranges[i].before - (uid - s->ranges[i].first);
}

size_t
selected_memory(const struct selected *s)
{
	return s->cap * sizeof(*s->ranges);
}

/* ---- ranges of UIDs, made ---- */

struct made {
	struct uid_range *list;
	size_t n, cap;
};

static struct err
made_add(struct made *m, uint32_t first, uint32_t last)
{
	struct uid_range *grown;
	size_t cap = m->cap * 2 + 4;

	if (m->n && first <= m->list[m->n - 1].last + 1) {
		if (last > m->list[m->n - 1].last)
			m->list[m->n - 1].last = last;
		return OK;
	}
	if (m->n == m->cap) {
		grown = realloc(m->list, cap * sizeof(*grown));
		if (!grown)
			return ERR(ERR_MEMORY, 0, "ranges of a set");
		m->list = grown;
		m->cap = cap;
	}
	m->list[m->n++] = (struct uid_range){first, last};
	return OK;
}

static struct err
made_give(struct made *m, struct err e, struct uid_range **out, size_t *n)
{
	if (!is_ok(e)) {
		free(m->list);
		return e;
	}
	*out = m->list;
	*n = m->n;
	return OK;
}

/* What of first..last is known; *i: a range that does not lie behind `first`, moved along. */
static struct err
add_known(const struct selected *s, struct made *m, size_t *i, uint32_t first, uint32_t last)
{
	struct err e = OK;

	while (*i < s->n && s->ranges[*i].last < first)
		++*i;
	for (size_t k = *i; is_ok(e) && k < s->n && s->ranges[k].first <= last; k++) {
		const struct selected_range *r = &s->ranges[k];

		e = made_add(m, r->first < first ? first : r->first,
		             r->last > last ? last : r->last);
		*i = k;
	}
	return e;
}

/* The UIDs of numbers first..last, which are there. */
static struct err
add_numbers(const struct selected *s, struct made *m, uint32_t first, uint32_t last)
{
	size_t i = range_of_uid(s, selected_uid(s, first));

	return add_known(s, m, &i, selected_uid(s, first), selected_uid(s, last));
}

struct err
selected_resolve(const struct selected *s, struct imap_set *set, bool uids, struct uid_range **out,
                 size_t *n)
{
	struct made m = {0};
	struct err e = OK;
	size_t at = 0;

	*out = NULL;
	*n = 0;
	if (!imap_set_resolve(set, uids ? selected_last(s) : s->count, uids))
		return ERR(ERR_RANGE, 0, "a number that is not there");
	for (size_t i = 0; is_ok(e) && i < set->n; i++) {
		struct imap_range r = set->ranges[i];

		e = uids ? add_known(s, &m, &at, r.first, r.last)
		         : add_numbers(s, &m, r.first, r.last);
	}
	return made_give(&m, e, out, n);
}

struct err
selected_known(const struct selected *s, struct bytes ranges, struct uid_range **out, size_t *n)
{
	struct rd r = rd_of(ranges);
	struct uid_range range;
	struct made m = {0};
	struct err e = OK;
	size_t at = 0;

	*out = NULL;
	*n = 0;
	while (is_ok(e) && uid_range_get(&r, &range))
		e = add_known(s, &m, &at, range.first, range.last);
	return made_give(&m, e, out, n);
}

struct err
selected_all(const struct selected *s, struct uid_range **out, size_t *n)
{
	struct made m = {0};
	struct err e = OK;
	size_t at = 0;

	*out = NULL;
	*n = 0;
	if (s->n)
		e = add_known(s, &m, &at, s->ranges[0].first, selected_last(s));
	return made_give(&m, e, out, n);
}

/* ---- removing ---- */

struct err
selected_remove(struct selected *s, const struct uid_range *gone, size_t n)
{
	struct selected kept = {0};
	struct err e = OK;
	size_t g = 0;

	for (size_t i = 0; is_ok(e) && i < s->n; i++) {
		uint32_t first = s->ranges[i].first, last = s->ranges[i].last;

		while (is_ok(e) && first <= last) {
			while (g < n && gone[g].last < first)
				g++;
			if (g == n || gone[g].first > last) {
				e = append(&kept, first, last);
				break;
			}
			if (gone[g].first > first)
				e = append(&kept, first, gone[g].first - 1);
			first = gone[g].last + 1;
		}
	}
	if (!is_ok(e)) {
		selected_fini(&kept);
		return e;
	}
	free(s->ranges);
	*s = kept;
	return OK;
}

/* needle.c - the table is made as the text is searched: by matching the string with itself. */
#include "view/needle.h"

bool
needle_make(struct needle *d, struct bytes text, struct arena *arena)
{
	uint32_t k = 0;

	d->at = 0;
	d->text = arena_copy(arena, text);
	d->back = text.n < UINT32_MAX / 8 ? arena_alloc(arena, text.n * sizeof(*d->back)) : NULL;
	if (!d->text.p || !d->back)
		return false;
	for (size_t i = 1; i < text.n; i++) {
		while (k && text.p[i] != text.p[k])
			k = d->back[k - 1];
		k += text.p[i] == text.p[k];
		d->back[i] = k;
	}
	return true;
}

bool
needle_find(struct needle *d, struct bytes piece)
{
	const uint8_t *p = piece.p, *end = piece.n ? p + piece.n : p, *first;

	while (p < end) {
		if (!d->at) {
			first = memchr(p, d->text.p[0], (size_t)(end - p));
			if (!first)
				return false;
			p = first;
		}
		while (d->at && *p != d->text.p[d->at])
			d->at = d->back[d->at - 1];
		d->at += *p == d->text.p[d->at];
		p++;
		if (d->at == d->text.n) {
			d->at = 0;
			return true;
		}
	}
	return false;
}

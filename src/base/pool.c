/*
 * pool.c - slabs of objects, and a list of those that are free.
 *
 * 1. An object is either out, or in the list of free ones, or not yet cut off the newest slab.
 * 2. used <= made <= max.
 */
#include "base/pool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, SLAB = 64 * 1024 };

struct slab {
	struct slab *older;
	_Alignas(ALIGN) uint8_t room[];
};

struct spare {
	struct spare *next;
};

struct pool {
	size_t size, max, per_slab;
	size_t used, made;
	struct slab *slabs;
	size_t uncut; /* objects at the end of the newest slab that were never out */
	struct spare *spares;
};

static void *
cut(struct pool *p)
{
	struct slab *s;

	if (p->made == p->max)
		return NULL;
	if (!p->uncut) {
		s = calloc(1, sizeof(*s) + p->per_slab * p->size);
		if (!s)
			return NULL;
		s->older = p->slabs;
		p->slabs = s;
		p->uncut = p->per_slab;
	}
	p->made++;
	return p->slabs->room + --p->uncut * p->size;
}

struct pool *
pool_open(size_t size, size_t max)
{
	struct pool *p = calloc(1, sizeof(*p));

	assert(size && size < SIZE_MAX / 2);
	if (!p)
		return NULL;
	p->size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	p->max = max;
	p->per_slab = p->size < SLAB ? SLAB / p->size : 1;
	if (p->per_slab > max)
		p->per_slab = max ? max : 1;
	return p;
}

void *
pool_get(struct pool *p)
{
	struct spare *s = p->spares;
	void *object = s;

	if (s) {
		p->spares = s->next;
		memset(object, 0, p->size);
	} else {
		object = cut(p);
	}
	if (object)
		p->used++;
	return object;
}

void
pool_put(struct pool *p, void *object)
{
	struct spare *s = object;

	if (!s)
		return;
	assert(p->used);
	p->used--;
	s->next = p->spares;
	p->spares = s;
}

size_t
pool_used(const struct pool *p)
{
	return p->used;
}

void
pool_close(struct pool *p)
{
	if (!p)
		return;
	for (struct slab *s = p->slabs, *older; s; s = older) {
		older = s->older;
		free(s);
	}
	free(p);
}

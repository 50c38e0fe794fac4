/* arena.c - chunks of doubling size, each zeroed by calloc. */
#include "base/arena.h"

#include <stdlib.h>

enum { ALIGN = 16, FIRST_CHUNK = 1024, LARGEST_CHUNK = 256 * 1024 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(ALIGN) uint8_t room[];
};

static bool
add_chunk(struct arena *a, size_t n)
{
	size_t size = a->chunks ? a->chunks->size * 2 : FIRST_CHUNK;
	struct arena_chunk *c;

	if (size > LARGEST_CHUNK)
		size = LARGEST_CHUNK;
	if (size < n)
		size = n;
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		return false;
	*c = (struct arena_chunk){a->chunks, size};
	a->chunks = c;
	a->p = c->room;
	a->end = c->room + size;
	return true;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (a->cap && n > a->cap - a->used)
		return NULL;
	if (!a->p || n > (size_t)(a->end - a->p))
		if (!add_chunk(a, n))
			return NULL;
	p = a->p;
	a->p += n;
	a->used += n;
	return p;
}

struct bytes
arena_copy(struct arena *a, struct bytes b)
{
	uint8_t *p = arena_alloc(a, b.n ? b.n : 1);

	if (!p)
		return NO_BYTES;
	if (b.n)
		memcpy(p, b.p, b.n);
	return (struct bytes){p, b.n};
}

char *
arena_string(struct arena *a, struct bytes b)
{
	char *p = arena_alloc(a, b.n + 1);

	if (p && b.n)
		memcpy(p, b.p, b.n);
	return p;
}

void
arena_wipe(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks; c; c = c->older)
		explicit_bzero(c->room, c->size);
}

void
arena_free(struct arena *a)
{
	for (struct arena_chunk *c = a->chunks, *older; c; c = older) {
		older = c->older;
		free(c);
	}
	*a = arena_init(a->cap);
}

/*
 * arena.h - memory that dies together: a request allocates from its arena and frees it whole.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/bytes.h"

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* the newest first */
	uint8_t *p, *end;           /* what is free in the newest */
	size_t used, cap;           /* bytes given out; the most that may be (0: no cap) */
};

/* An empty arena owns nothing; cap bounds what it may ever give out. */
static inline struct arena
arena_init(size_t cap)
{
	return (struct arena){NULL, NULL, NULL, 0, cap};
}

/* n zeroed bytes, aligned for anything; NULL when memory or the cap is used up. */
void *arena_alloc(struct arena *, size_t n);
/* A copy in the arena; with p NULL when it does not fit. */
struct bytes arena_copy(struct arena *, struct bytes);
/* The same with a NUL behind it, for interfaces that want one. */
char *arena_string(struct arena *, struct bytes);
/* Overwrites all that was given out, where secrets lay in it; it stays given out. */
void arena_wipe(struct arena *);
/* Frees all; the arena may be used again. */
void arena_free(struct arena *);

#endif

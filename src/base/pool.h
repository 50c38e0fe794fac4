/*
 * pool.h - objects of one size, up to a stated number: a session is one of these, so what all
 * sessions together can cost is known at start.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

struct pool;

/* A pool of at most max objects of size bytes, taken from the system in slabs as needed. */
struct pool *pool_open(size_t size, size_t max);
/* A zeroed object, aligned for anything; NULL at max or when memory is used up. */
void *pool_get(struct pool *);
/* Gives back what pool_get() of the same pool gave; NULL does nothing. */
void pool_put(struct pool *, void *);
/* Objects that are out. */
size_t pool_used(const struct pool *);
/* Frees all, also what is still out; NULL does nothing. */
void pool_close(struct pool *);

#endif

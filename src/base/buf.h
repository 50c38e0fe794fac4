/*
 * buf.h - a queue of bytes that grows up to a cap: what was read and not yet eaten, what was
 * written and not yet sent.  An empty buffer owns no memory.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

struct buf {
	uint8_t *p;          /* the allocation */
	size_t head, n, cap; /* bytes [head, head + n) are held; cap is the allocation's size */
	size_t max;          /* never holds more than this */
};

static inline struct buf
buf_init(size_t max)
{
	return (struct buf){NULL, 0, 0, 0, max};
}

static inline struct bytes
buf_bytes(const struct buf *b)
{
	return (struct bytes){b->p ? b->p + b->head : NULL, b->n};
}

/* Forgets the first n bytes; frees the memory with the last one. */
void buf_eat(struct buf *, size_t n);
/* Room for n more bytes behind the last; its p is NULL when max or memory does not allow it. */
struct wr buf_room(struct buf *, size_t n);
/* Counts as held what was written into the room that buf_room() gave last. */
void buf_wrote(struct buf *, size_t n);
/* Appends all or nothing; false when it does not fit. */
bool buf_add(struct buf *, struct bytes);
void buf_free(struct buf *);

#endif

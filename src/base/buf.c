/* buf.c - one allocation, slid to its start before it grows. */
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>

enum { SMALLEST = 512 };

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = buf_init(b->max);
}

void
buf_eat(struct buf *b, size_t n)
{
	assert(n <= b->n);
	b->head += n;
	b->n -= n;
	if (!b->n)
		buf_free(b);
}

struct wr
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : SMALLEST;
	uint8_t *p;

	if (n > b->max || b->n > b->max - n)
		return (struct wr){NULL, NULL, true};
	if (b->head && b->head + b->n + n > b->cap) {
		memmove(b->p, b->p + b->head, b->n);
		b->head = 0;
	}
	while (cap < b->n + n)
		cap *= 2;
	if (cap != b->cap) {
		p = realloc(b->p, cap);
		if (!p)
			return (struct wr){NULL, NULL, true};
		b->p = p;
		b->cap = cap;
	}
	return wr_of(b->p + b->head + b->n, n);
}

void
buf_wrote(struct buf *b, size_t n)
{
	assert(b->head + b->n + n <= b->cap);
	b->n += n;
	if (!b->n)
		buf_free(b);
}

bool
buf_add(struct buf *b, struct bytes add)
{
	struct wr w = buf_room(b, add.n);

	if (w.full)
		return false;
	wr_bytes(&w, add);
	buf_wrote(b, add.n);
	return true;
}

/* uidset.c - chunks of bits in an array that is sorted by where they begin. */
#include "box/uidset.h"

#include <stdlib.h>

enum { BITS = 4096, WORD = 64, WORDS = BITS / WORD };

struct uidset_chunk {
	uint32_t base; /* of UIDs, by BITS */
	uint32_t n;    /* bits that are set */
	uint64_t bits[WORDS];
};

/* Where the chunk of this base is, or would be. */
static size_t
place_of(const struct uidset *s, uint32_t base)
{
	size_t low = 0, high = s->n;

	if (s->n && s->chunks[s->n - 1]->base <= base) /* most often it is the last */
		return s->n - (s->chunks[s->n - 1]->base == base);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->chunks[mid]->base < base)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct uidset_chunk *
chunk_of(const struct uidset *s, uint32_t uid)
{
	size_t at = place_of(s, uid / BITS);

	return at < s->n && s->chunks[at]->base == uid / BITS ? s->chunks[at] : NULL;
}

static struct uidset_chunk *
make_chunk(struct uidset *s, uint32_t base)
{
	size_t at = place_of(s, base);
	struct uidset_chunk *c;

	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 4;
		struct uidset_chunk **grown =
		    realloc(s->chunks, cap * sizeof(struct uidset_chunk *));

		if (!grown)
			return NULL;
		s->chunks = grown;
		s->cap = cap;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->base = base;
	memmove(s->chunks + at + 1, s->chunks + at, (s->n - at) * sizeof(struct uidset_chunk *));
	s->chunks[at] = c;
	s->n++;
	return c;
}

bool
uidset_add(struct uidset *s, uint32_t uid)
{
	struct uidset_chunk *c = chunk_of(s, uid);
	uint64_t bit = UINT64_C(1) << uid % WORD;

	if (!c)
		c = make_chunk(s, uid / BITS);
	if (!c)
		return false;
	if (!(c->bits[uid % BITS / WORD] & bit)) {
		c->bits[uid % BITS / WORD] |= bit;
		c->n++;
		s->count++;
	}
	return true;
}

void
uidset_remove(struct uidset *s, uint32_t uid)
{
	struct uidset_chunk *c = chunk_of(s, uid);
	uint64_t bit = UINT64_C(1) << uid % WORD;
	size_t at;

	if (!c || !(c->bits[uid % BITS / WORD] & bit))
		return;
	c->bits[uid % BITS / WORD] &= ~bit;
	s->count--;
	if (--c->n)
		return;
	at = place_of(s, c->base);
	free(c);
	s->n--;
	memmove(s->chunks + at, s->chunks + at + 1, (s->n - at) * sizeof(struct uidset_chunk *));
}

bool
uidset_has(const struct uidset *s, uint32_t uid)
{
	const struct uidset_chunk *c = chunk_of(s, uid);

	return c && c->bits[uid % BITS / WORD] >> uid % WORD & 1;
}

/* The first bit from `at` on that is set, or clear; BITS: there is none. */
static uint32_t
next_bit(const struct uidset_chunk *c, uint32_t at, bool set)
{
	while (at < BITS) {
		uint64_t word = set ? c->bits[at / WORD] : ~c->bits[at / WORD];

		word &= UINT64_MAX << at % WORD;
		if (word)
			return at / WORD * WORD + (uint32_t)__builtin_ctzll(word);
		at = (at / WORD + 1) * WORD;
	}
	return BITS;
}

/* The last of the run that begins at `first`, which is in chunk number `at`. */
static uint32_t
run_end(const struct uidset *s, size_t at, uint32_t first)
{
	uint32_t end = next_bit(s->chunks[at], first % BITS, false);

	while (end == BITS && at + 1 < s->n && s->chunks[at + 1]->base == s->chunks[at]->base + 1)
		end = next_bit(s->chunks[++at], 0, false);
	return s->chunks[at]->base * BITS + (end - 1);
}

bool
uidset_run(const struct uidset *s, uint32_t from, uint32_t to, struct uid_range *out)
{
	for (size_t at = place_of(s, from / BITS); at < s->n; at++) {
		const struct uidset_chunk *c = s->chunks[at];
		uint32_t bit = next_bit(c, c->base == from / BITS ? from % BITS : 0, true);

		if (bit == BITS)
			continue;
		out->first = c->base * BITS + bit;
		if (out->first > to)
			return false;
		out->last = run_end(s, at, out->first);
		if (out->last > to)
			out->last = to;
		return true;
	}
	return false;
}

void
uidset_free(struct uidset *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->chunks[i]);
	free(s->chunks);
	*s = (struct uidset){NULL, 0, 0, 0};
}

size_t
uidset_memory(const struct uidset *s)
{
	return s->n * sizeof(struct uidset_chunk) + s->cap * sizeof(struct uidset_chunk *);
}

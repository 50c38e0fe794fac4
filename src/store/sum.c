/*
 * sum.c - the polynomial checksum.  Four lanes take every fourth word each and step by the fourth
 * power of the key, so that four multiplications are under way at once; the lanes join to the same
 * value that Horner's rule gives word by word.
 */
#include "store/sum.h"

#include <endian.h>

#include "base/random.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

enum { WORD = 7, LANES = 4, STRIPE = WORD * LANES };

__extension__ typedef unsigned __int128 wide;

/* Below 2^61 + 8, for a below 2^63 and b below 2^62. */
static inline uint64_t
times(uint64_t a, uint64_t b)
{
	wide x = (wide)a * b;
	uint64_t r = ((uint64_t)x & PRIME) + (uint64_t)(x >> 61);

	return (r & PRIME) + (r >> 61);
}

static inline uint64_t
load(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* Eight bytes are read for each word of seven; the last of a stripe must not read behind it. */
static inline void
stripe(uint64_t lane[LANES], const uint8_t *p, uint64_t k4)
{
	const uint64_t mask = (UINT64_C(1) << 56) - 1;

	lane[0] = times(lane[0], k4) + (load(p) & mask);
	lane[1] = times(lane[1], k4) + (load(p + WORD) & mask);
	lane[2] = times(lane[2], k4) + (load(p + 2 * WORD) & mask);
	lane[3] = times(lane[3], k4) + (load(p + 3 * WORD - 1) >> 8);
}

uint64_t
sum_key(struct random *random)
{
	const uint64_t least = UINT64_C(1) << 32;

	return least + random_below(random, PRIME - 1 - least);
}

uint64_t
sum_of(uint64_t key, uint64_t seed, struct bytes b)
{
	uint64_t lane[LANES] = {0, 0, 0, seed}, k2 = times(key, key), k4 = times(k2, k2), h;
	size_t n = b.n;
	const uint8_t *p = b.p;

	for (; n >= STRIPE; n -= STRIPE, p += STRIPE)
		stripe(lane, p, k4);
	h = times(lane[0], k4) % PRIME + times(times(lane[1], k2), key) % PRIME;
	h = (h + times(lane[2], k2) + times(lane[3], key)) % PRIME;
	while (n > 0) {
		uint64_t word = 0;
		size_t take = n < WORD ? n : WORD;

		for (size_t i = 0; i < take; i++)
			word |= (uint64_t)p[i] << 8 * i;
		h = times(h + word, key);
		p += take;
		n -= take;
	}
	return times(h + b.n % PRIME, key) % PRIME;
}

/*
 * random.c - getrandom(2) through a buffer, or xoshiro256** (D. Blackman and S. Vigna) from a seed
 * that splitmix64 spreads.
 */
#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct random {
	bool is_seeded;
	uint64_t s[4];
	size_t left; /* bytes at the end of room that were not given yet */
	uint8_t room[512];
};

static uint64_t
turn(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static uint64_t
xoshiro(uint64_t s[4])
{
	uint64_t result = turn(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = turn(s[3], 45);
	return result;
}

/* getrandom() without flags waits for the kernel's first seed only, and may be cut by a signal. */
static void
draw(uint8_t *p, size_t n)
{
	while (n) {
		ssize_t got = getrandom(p, n, 0);

		assert(got >= 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static void
refill(struct random *r)
{
	r->left = sizeof(r->room);
	if (!r->is_seeded) {
		draw(r->room, sizeof(r->room));
		return;
	}
	for (size_t i = 0; i < sizeof(r->room); i += 8) {
		uint64_t v = xoshiro(r->s);

		for (size_t k = 0; k < 8; k++)
			r->room[i + k] = (uint8_t)(v >> 8 * k);
	}
}

struct random *
random_open(void)
{
	return calloc(1, sizeof(struct random));
}

struct random *
random_seeded(uint64_t seed)
{
	struct random *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->is_seeded = true;
	for (size_t i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		r->s[i] = z ^ z >> 31;
	}
	return r;
}

void
random_close(struct random *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof(*r));
	free(r);
}

void
random_fill(struct random *r, void *p, size_t n)
{
	uint8_t *to = p;

	while (n) {
		size_t k;

		if (!r->left)
			refill(r);
		k = n < r->left ? n : r->left;
		memcpy(to, r->room + sizeof(r->room) - r->left, k);
		/* What was given away must not be found here later. */
		explicit_bzero(r->room + sizeof(r->room) - r->left, k);
		r->left -= k;
		to += k;
		n -= k;
	}
}

uint64_t
random_u64(struct random *r)
{
	uint8_t b[8];
	uint64_t v = 0;

	random_fill(r, b, sizeof(b));
	for (size_t i = 0; i < sizeof(b); i++)
		v |= (uint64_t)b[i] << 8 * i;
	return v;
}

uint64_t
random_below(struct random *r, uint64_t n)
{
	uint64_t v, skip;

	assert(n);
	skip =
	    -n % n; /* 2^64 mod n: with the lowest `skip` left out, every rest is equally likely */
	do
		v = random_u64(r);
	while (v < skip);
	return v % n;
}

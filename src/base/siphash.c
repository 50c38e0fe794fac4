/* siphash.c - SipHash-2-4 as its paper describes it; words are little-endian. */
#include "base/siphash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t
turn(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static uint64_t
word(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void
rounds(struct state *s, int n)
{
	while (n--) {
		s->a += s->b;
		s->c += s->d;
		s->b = turn(s->b, 13) ^ s->a;
		s->d = turn(s->d, 16) ^ s->c;
		s->a = turn(s->a, 32) + s->d;
		s->c += s->b;
		s->d = turn(s->d, 21) ^ s->a;
		s->b = turn(s->b, 17) ^ s->c;
		s->c = turn(s->c, 32);
	}
}

static void
eat(struct state *s, uint64_t m)
{
	s->d ^= m;
	rounds(s, 2);
	s->a ^= m;
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY], struct bytes b)
{
	uint64_t k0 = word(key, 8), k1 = word(key + 8, 8);
	struct state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
	                  k1 ^ 0x7465646279746573};
	size_t whole = b.n & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		eat(&s, word(b.p + i, 8));
	eat(&s, (uint64_t)b.n << 56 | (b.n > whole ? word(b.p + whole, b.n - whole) : 0));
	s.c ^= 0xff;
	rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}

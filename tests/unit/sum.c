/* The checksum against its definition, word by word, and against single changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "store/sum.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

__extension__ typedef unsigned __int128 wide;

static uint64_t
step(uint64_t h, uint64_t word, uint64_t key)
{
	return (uint64_t)(((wide)h + word) % PRIME * key % PRIME);
}

static uint64_t
by_definition(uint64_t key, uint64_t seed, struct bytes b)
{
	uint64_t h = step(0, seed, key);

	for (size_t i = 0; i < b.n; i += 7) {
		uint64_t word = 0;

		for (size_t k = 0; k < 7 && i + k < b.n; k++)
			word |= (uint64_t)b.p[i + k] << 8 * k;
		h = step(h, word, key);
	}
	return step(h, b.n, key);
}

static void
is_as_defined(void **state)
{
	struct random *random = random_seeded(1);
	uint8_t p[400];

	(void)state;
	for (int round = 0; round < 20; round++) {
		uint64_t key = round == 0 ? PRIME - 1 : sum_key(random);
		uint64_t seed = round % 2 ? random_u64(random) % PRIME : PRIME - 1;

		random_fill(random, p, sizeof(p));
		if (round == 0)
			memset(p, 0xff, sizeof(p));
		for (size_t n = 0; n <= sizeof(p); n++) {
			struct bytes b = {p, n};

			assert_true(sum_of(key, seed, b) == by_definition(key, seed, b));
			assert_true(sum_of(key, seed, b) < PRIME);
		}
	}
	random_close(random);
}

static void
sees_every_bit(void **state)
{
	struct random *random = random_seeded(2);
	uint64_t key = sum_key(random), sum;
	uint8_t p[100];

	(void)state;
	random_fill(random, p, sizeof(p));
	sum = sum_of(key, 0, (struct bytes){p, sizeof(p)});
	for (size_t i = 0; i < 8 * sizeof(p); i++) {
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_true(sum_of(key, 0, (struct bytes){p, sizeof(p)}) != sum);
		p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	memset(p, 0, sizeof(p));
	for (size_t n = 0; n < sizeof(p); n++) /* zeros of another length */
		assert_true(sum_of(key, 0, (struct bytes){p, n}) !=
		            sum_of(key, 0, (struct bytes){p, n + 1}));
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_as_defined),
	    cmocka_unit_test(sees_every_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* map.c - what was put under a key is found under it, and the hash is SipHash-2-4. */
#include "base/map.h"

#include "base/random.h"
#include "base/siphash.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The vectors of the paper and of its reference code: the input is 0, 1, 2 ... */
static void
siphash_gives_the_published_numbers(void **state)
{
	static const struct {
		size_t n;
		uint64_t hash;
	} cases[] = {
	    {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {2, 0x0d6c8009d9a94f5a},
	    {7, 0xab0200f58b01d137},  {8, 0x93f5f5799a932462},  {15, 0xa129ca6149be45e5},
	    {16, 0x3f2acc7f57c29bdb}, {63, 0x958a324ceb064572},
	};
	uint8_t in[64];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_true(siphash(key, (struct bytes){in, cases[i].n}) == cases[i].hash);
	assert_true(siphash(key, NO_BYTES) == cases[0].hash);
}

static void
a_map_is_a_table_of_what_was_put(void **state)
{
	enum { N = 3000 };
	static bool there[N];
	static int values[N];
	struct random *r = random_seeded(7);
	struct map m;
	size_t n = 0;

	(void)state;
	map_init(&m, key);
	for (size_t i = 0; i < 20 * N; i++) {
		size_t k = random_below(r, N);
		char text[32];
		struct bytes b = {(uint8_t *)text,
		                  (size_t)snprintf(text, sizeof(text), "key %zu", k)};

		assert_ptr_equal(map_get(&m, b), there[k] ? &values[k] : NULL);
		if (random_below(r, 3)) {
			n += !there[k];
			assert_true(map_put(&m, b, &values[k]));
		} else {
			n -= there[k];
			assert_ptr_equal(map_remove(&m, b), there[k] ? &values[k] : NULL);
		}
		there[k] = map_get(&m, b) != NULL;
		assert_int_equal(map_count(&m), n);
	}
	random_close(r);
	map_free(&m);
	assert_int_equal(map_count(&m), 0);
	assert_null(map_get(&m, BYTES("key 1")));
}

static void
a_key_is_copied_and_may_be_empty(void **state)
{
	char text[] = "abc";
	int one, two;
	struct map m;

	(void)state;
	map_init(&m, key);
	assert_null(map_remove(&m, BYTES("abc")));
	assert_true(map_put(&m, bytes_of(text), &one));
	text[0] = 'x';
	assert_ptr_equal(map_get(&m, BYTES("abc")), &one);
	assert_true(map_put(&m, NO_BYTES, &one));
	assert_true(map_put(&m, BYTES(""), &two));
	assert_ptr_equal(map_get(&m, NO_BYTES), &two);
	assert_int_equal(map_count(&m), 2);
	assert_null(map_get(&m, BYTES("abc\0")));
	map_free(&m);
}

static void
a_walk_gives_each_once_also_while_removing(void **state)
{
	enum { N = 200 };
	static uint8_t seen[N];
	struct map m;

	(void)state;
	map_init(&m, key);
	for (size_t i = 0; i < N; i++) {
		uint8_t k = (uint8_t)i;

		assert_true(map_put(&m, (struct bytes){&k, 1}, &seen[i]));
	}
	for (int turn = 1; turn <= 2; turn++) {
		struct map_at at = {0};
		struct bytes k;
		uint8_t *value;

		while ((value = map_next(&m, &at, &k))) {
			assert_int_equal(value - seen, k.p[0]);
			(*value)++;
			if (k.p[0] % 2)
				assert_ptr_equal(map_remove(&m, k), value);
		}
	}
	for (size_t i = 0; i < N; i++)
		assert_int_equal(seen[i], i % 2 ? 1 : 2);
	assert_int_equal(map_count(&m), N / 2);
	map_free(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(siphash_gives_the_published_numbers),
	    cmocka_unit_test(a_map_is_a_table_of_what_was_put),
	    cmocka_unit_test(a_key_is_copied_and_may_be_empty),
	    cmocka_unit_test(a_walk_gives_each_once_also_while_removing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

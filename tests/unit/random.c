/* random.c - a seed repeats, the kernel does not, a range is evenly filled; and the clock. */
#include "base/random.h"

#include "base/bytes.h"
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
a_seed_gives_the_same_numbers(void **state)
{
	struct random *a = random_seeded(42), *b = random_seeded(42), *c = random_seeded(43);
	uint8_t x[1000], y[1000], z[1000];

	(void)state;
	random_fill(a, x, sizeof(x));
	for (size_t i = 0; i < sizeof(y); i++)
		random_fill(b, y + i, 1);
	random_fill(c, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, z, sizeof(x));
	assert_true(random_u64(a) == random_u64(b));
	random_close(a);
	random_close(b);
	random_close(c);
	random_close(NULL);
}

static void
the_kernel_s_do_not_repeat(void **state)
{
	struct random *a = random_open(), *b = random_open();
	uint8_t x[4096], y[4096], zero[4096] = {0};

	(void)state;
	random_fill(a, x, sizeof(x));
	random_fill(b, y, sizeof(y));
	for (size_t i = 0; i + 16 <= sizeof(x); i += 16) {
		assert_memory_not_equal(x + i, y + i, 16);
		assert_memory_not_equal(x + i, zero + i, 16);
	}
	random_close(a);
	random_close(b);
}

static void
a_range_is_evenly_filled(void **state)
{
	enum { TURNS = 60000 };
	struct random *r = random_seeded(3);
	unsigned count[6] = {0};

	(void)state;
	for (size_t i = 0; i < TURNS; i++)
		count[random_below(r, COUNT(count))]++;
	for (size_t i = 0; i < COUNT(count); i++)
		assert_in_range(count[i], TURNS / 6 - 500, TURNS / 6 + 500);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(random_below(r, 1), 0);
		assert_true(random_below(r, UINT64_MAX) < UINT64_MAX);
		assert_true(random_below(r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
	random_close(r);
}

static void
the_clock_goes_forward(void **state)
{
	uint64_t a = clock_mono_ns(), b = clock_mono_ns();

	(void)state;
	assert_true(b >= a);
	assert_true(clock_wall_s() > 1700000000);
	assert_true(clock_wall_ns() / 1000000000 - clock_wall_s() < 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_seed_gives_the_same_numbers),
	    cmocka_unit_test(the_kernel_s_do_not_repeat),
	    cmocka_unit_test(a_range_is_evenly_filled),
	    cmocka_unit_test(the_clock_goes_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

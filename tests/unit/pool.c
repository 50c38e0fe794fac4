/* pool.c - never more objects than stated, each zeroed and aligned, none given twice. */
#include "base/pool.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
no_more_than_max_come_out(void **state)
{
	static const struct {
		size_t size, max;
	} cases[] = {{1, 1}, {24, 10}, {512, 1000}, {100000, 3}, {16, 5000}, {8, 0}};
	static void *out[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pool *p = pool_open(cases[i].size, cases[i].max);

		for (int turn = 0; turn < 2; turn++) {
			for (size_t k = 0; k < cases[i].max; k++) {
				uint8_t *object = out[k] = pool_get(p);

				assert_non_null(object);
				assert_int_equal((uintptr_t)object % 16, 0);
				for (size_t b = 0; b < cases[i].size; b++)
					assert_int_equal(object[b], 0);
				memset(object, 0xa5, cases[i].size);
			}
			assert_null(pool_get(p));
			assert_int_equal(pool_used(p), cases[i].max);
			for (size_t k = 0; k < cases[i].max; k++) {
				for (size_t b = 0; b < cases[i].size; b++)
					assert_int_equal(((uint8_t *)out[k])[b], 0xa5);
				pool_put(p, out[k]);
			}
			assert_int_equal(pool_used(p), 0);
		}
		pool_close(p);
	}
}

static void
what_is_still_out_goes_with_the_pool(void **state)
{
	struct pool *p = pool_open(100, 10);

	(void)state;
	assert_non_null(pool_get(p));
	pool_put(p, NULL);
	assert_int_equal(pool_used(p), 1);
	pool_close(p);
	pool_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_more_than_max_come_out),
	    cmocka_unit_test(what_is_still_out_goes_with_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

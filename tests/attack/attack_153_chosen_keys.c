/*
 * attack_153_chosen_keys.c - keys that meet under one secret do not under another: who does not
 * know the key cannot make a table slow.
 */
#include "base/random.h"
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { BITS = 10, BUCKETS = 1 << BITS, CHOSEN = 1000 };

static void
attack_153_collisions_do_not_carry_over(void **state)
{
	struct random *r = random_seeded(1);
	static unsigned bucket[BUCKETS];
	uint8_t known[SIPHASH_KEY], secret[SIPHASH_KEY];
	unsigned most = 0;
	uint64_t n = 0;

	(void)state;
	random_fill(r, known, sizeof(known));
	random_fill(r, secret, sizeof(secret));
	for (size_t found = 0; found < CHOSEN; n++) {
		struct bytes key = {(const uint8_t *)&n, sizeof(n)};

		if (siphash(known, key) % BUCKETS != 0)
			continue;
		found++;
		if (++bucket[siphash(secret, key) % BUCKETS] > most)
			most = bucket[siphash(secret, key) % BUCKETS];
	}
	/* A thousand balls in a thousand buckets: more than 12 in one is one in a million. */
	assert_in_range(most, 1, 12);
	random_close(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_153_collisions_do_not_carry_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

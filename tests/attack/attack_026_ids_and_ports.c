/*
 * Attack 26: a million outgoing questions: ids and ports come evenly from the whole of their ranges, and
 * tell nothing of each other.
 */
#include "../resolve_play.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { DRAWN = 1000000, IDS = 65536, PORTS = 65536 - 1024, CELLS = 256 };

/*
 * Over so many cells chi-square is nearly normal, with mean n - 1 and variance 2(n - 1).  Six
 * deviations: a good generator fails once in 500 million runs.
 */
static void
is_even(const uint32_t *cells, size_t n, uint64_t drawn)
{
	double expected = (double)drawn / (double)n, chi = 0, far;

	for (size_t i = 0; i < n; i++)
		chi += ((double)cells[i] - expected) * ((double)cells[i] - expected) / expected;
	far = chi - (double)(n - 1);
	assert_true(far * far < 36.0 * 2.0 * (double)(n - 1));
}

static uint16_t
next_id(struct world *w, unsigned number)
{
	struct iterate_send s;
	struct dname d;
	char name[32];
	struct iterate *it;
	uint16_t id;

	snprintf(name, sizeof(name), "x%u.", number % 1000);
	it = iterate_new(&w->conf, kit_name(&d, name), DNS_TYPE_A, w->now);
	assert_int_equal(iterate_step(it, w->now, &s), ITERATE_SEND);
	id = (uint16_t)(s.packet.p[0] << 8 | s.packet.p[1]);
	iterate_free(it);
	return id;
}

static void
attack_026_even(void **state)
{
	struct world *w = world_new(NULL, 0, ". 1 NS ns.root.\nns.root. 1 A 10.0.0.1\n");
	uint32_t *ids = calloc(IDS, sizeof(*ids)), *ports = calloc(PORTS, sizeof(*ports));
	uint32_t *pairs = calloc((size_t)CELLS * CELLS, sizeof(*pairs));
	uint32_t *both = calloc((size_t)CELLS * CELLS, sizeof(*both));
	uint16_t last = 0;

	(void)state;
	random_close(w->conf.world.random);
	w->conf.world.random = random_open(); /* what the role has */
	assert_true(ids && ports && pairs && both && w->conf.world.random);
	for (unsigned i = 0; i < DRAWN; i++) {
		uint16_t id = next_id(w, i), port = iterate_port(w->conf.world.random);

		assert_true(port >= 1024);
		ids[id]++;
		ports[port - 1024]++;
		pairs[(size_t)(last >> 8) * CELLS + (id >> 8)]++;
		both[(size_t)(id & 255) * CELLS + (port & 255)]++;
		last = id;
	}
	is_even(ids, IDS, DRAWN);
	is_even(ports, PORTS, DRAWN);
	is_even(pairs, (size_t)CELLS * CELLS, DRAWN);
	is_even(both, (size_t)CELLS * CELLS, DRAWN);
	free(ids);
	free(ports);
	free(pairs);
	free(both);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_026_even),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

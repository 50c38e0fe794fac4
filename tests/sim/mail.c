/*
 * mail.c - the whole walk of a mail, from MAIL to DELE, while connections break and box dies; each
 * run from one seed.  STEAD_SEED=N runs one seed, STEAD_LONG=1 many.
 */
#include "reader.h"
#include "sender.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum {
	SEEDS = 300,
	SEEDS_LONG = 20000,
	SEEDS_TWICE = 20,
	SENDERS = 10,
	READERS = 10,
	CRASHES = 3,
	BEGIN_MS = 40 * 1000,
	BACK_MS = 25 * 1000, /* longer than a front waits for box */
	FAULTS_MS = 3 * BEGIN_MS,
	QUIET_MS = 1000 * 1000,
};

struct crash {
	struct world *world;
	struct loop_timer timer;
};

static struct ledger ledger;
static struct sender senders[SENDERS];
static struct reader readers[READERS];
static struct crash crashes[CRASHES];

static void
crash(void *owner)
{
	struct crash *c = owner;

	world_crash(c->world, random_below(c->world->dice, BACK_MS));
}

static void
start_all(struct world *w, size_t n_senders, size_t n_readers)
{
	size_t n_crashes = (size_t)random_below(w->dice, CRASHES + 1);
	const struct sim_weather weather = {
	    .delay_max_ms = 1 + (uint32_t)random_below(w->dice, 60),
	    .cut_ppm = random_below(w->dice, 2) ? (uint32_t)random_below(w->dice, 5000) : 0,
	    .whole = random_below(w->dice, 3) == 0,
	};

	w->fall_ppm = random_below(w->dice, 3) ? 0 : (uint32_t)random_below(w->dice, 100000);
	sim_weather(w->loop, &weather);
	for (size_t i = 0; i < n_senders; i++)
		sender_start(&senders[i], &ledger, BEGIN_MS);
	for (size_t i = 0; i < n_readers; i++)
		reader_start(&readers[i], &ledger, 2 * BEGIN_MS);
	for (size_t i = 0; i < n_crashes; i++) {
		crashes[i] = (struct crash){.world = w};
		loop_timer_set(w->loop, &crashes[i].timer, random_below(w->dice, 2 * BEGIN_MS),
		               crash, &crashes[i]);
	}
}

static void
check_end(struct world *w, size_t n_senders, size_t n_readers)
{
	for (size_t i = 0; i < n_senders; i++)
		WORLD_MUST(w, sender_is_over(&senders[i]));
	for (size_t i = 0; i < n_readers; i++)
		WORLD_MUST(w, reader_is_over(&readers[i]));
	WORLD_MUST(w, w->box != NULL);
	ledger_audit(&ledger);
	WORLD_MUST(w, world_smtp_counter(w, "sessions") == 0);
	WORLD_MUST(w, world_smtp_counter(w, "body_octets") == 0);
	WORLD_MUST(w, world_pop3_counter(w, "sessions") == 0);
	WORLD_MUST(w, world_box_counter(w, "sessions") == 0);
}

struct sum {
	uint64_t trace;
	size_t letters, taken, seen;
	uint64_t retried;
};

static struct sum
run(uint64_t seed)
{
	struct world w;
	struct sum sum = {0};
	size_t n_senders, n_readers;

	world_open(&w, seed);
	ledger_init(&ledger, &w);
	n_senders = 1 + (size_t)random_below(w.dice, SENDERS);
	n_readers = (size_t)random_below(w.dice, READERS + 1);
	start_all(&w, n_senders, n_readers);
	sim_run(w.loop, FAULTS_MS);
	world_mend(&w);
	sim_run(w.loop, QUIET_MS);
	check_end(&w, n_senders, n_readers);
	sum.trace = w.trace;
	sum.letters = ledger.n;
	sum.seen = ledger.n_seen;
	sum.retried = world_smtp_counter(&w, "retried");
	for (size_t i = 0; i < ledger.n; i++)
		sum.taken += ledger.letters[i].fate == LETTER_TAKEN;
	ledger_fini(&ledger);
	world_close(&w);
	return sum;
}

static size_t
open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static uint64_t
seeds_to_run(uint64_t *first)
{
	const char *one = getenv("STEAD_SEED");

	*first = one ? strtoull(one, NULL, 10) : 1;
	return one ? 1 : getenv("STEAD_LONG") ? SEEDS_LONG : SEEDS;
}

static void
what_was_acknowledged_is_there_once(void **state)
{
	uint64_t first, n = seeds_to_run(&first);
	size_t before = open_descriptors();
	struct sum all = {0};

	(void)state;
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct sum one = run(seed);

		all.letters += one.letters;
		all.taken += one.taken;
		all.seen += one.seen;
		all.retried += one.retried;
		if (open_descriptors() != before)
			fail_msg("STEAD_SEED=%llu: descriptors were left open",
			         (unsigned long long)seed);
	}
	if (n > 1) { /* the faults must not be so many that nothing is tested */
		assert_true(all.taken > n * 5);
		assert_true(all.taken < all.letters);
		assert_true(all.seen > n);
		assert_true(all.retried > n / 10);
	}
	print_message("%llu seeds: %zu letters, %zu acknowledged, %zu read, %llu handed in anew\n",
	              (unsigned long long)n, all.letters, all.taken, all.seen,
	              (unsigned long long)all.retried);
}

static void
a_seed_replays(void **state)
{
	uint64_t first, n = seeds_to_run(&first);

	(void)state;
	for (uint64_t i = 0; i < (n < SEEDS_TWICE ? n : SEEDS_TWICE); i++) {
		struct sum one = run(first + i), again = run(first + i);

		assert_true(one.trace == again.trace);
		assert_int_equal(one.taken, again.taken);
		assert_int_equal(one.seen, again.seen);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_acknowledged_is_there_once),
	    cmocka_unit_test(a_seed_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

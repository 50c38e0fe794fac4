/*
 * mail.c - the whole walk of a mail, from MAIL to DELE, while connections break and box dies; each
 * run from one seed.  STEAD_SEED=N runs one seed, STEAD_LONG=1 many.
 */
#include "reader.h"
#include "sender.h"
#include "world.h"

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

static const struct sender_rcpt rcpts[] = {
    {"u0@example.org", 1, false},  {"U1@Example.org", 2, false},  {"u2+tag@example.org", 4, false},
    {"u3@example.org", 8, false},  {"all@example.org", 3, false}, {"nobody@example.org", 0, true},
    {"u0@elsewhere.net", 0, true},
};
static struct sender_conf sender_conf;
static struct ledger ledger;
static struct sender senders[SENDERS];
static struct reader readers[READERS];
static struct crash crashes[CRASHES];

static void
crash(void *owner)
{
	struct crash *c = owner;

	site_crash(&c->world->site, ROLE_BOX, random_below(c->world->scene.dice, BACK_MS));
}

static void
init_ledger(struct world *w)
{
	struct ledger_person people[WORLD_USERS];

	for (size_t i = 0; i < WORLD_USERS; i++)
		people[i] = (struct ledger_person){
		    .address = w->site.conf.people[i].address, .site = &w->site, .number = i};
	ledger_init(&ledger, &w->scene, people, WORLD_USERS);
	sender_conf = (struct sender_conf){.to = site_at(&w->site, 25),
	                                   .from = "a@b.org",
	                                   .rcpts = rcpts,
	                                   .n_rcpts = COUNT(rcpts),
	                                   .letters = 4};
}

static void
start_all(struct world *w, size_t n_senders, size_t n_readers)
{
	size_t n_crashes = (size_t)random_below(w->scene.dice, CRASHES + 1);
	const struct sim_weather weather = {
	    .delay_max_ms = 1 + (uint32_t)random_below(w->scene.dice, 60),
	    .cut_ppm =
		random_below(w->scene.dice, 2) ? (uint32_t)random_below(w->scene.dice, 5000) : 0,
	    .whole = random_below(w->scene.dice, 3) == 0,
	};

	w->site.fall_ppm =
	    random_below(w->scene.dice, 3) ? 0 : (uint32_t)random_below(w->scene.dice, 100000);
	scene_weather(&w->scene, &weather);
	for (size_t i = 0; i < n_senders; i++)
		sender_start(&senders[i], &ledger, &sender_conf, BEGIN_MS);
	for (size_t i = 0; i < n_readers; i++)
		reader_start(&readers[i], &ledger, scene_chance(&w->scene, WORLD_USERS),
		             2 * BEGIN_MS);
	for (size_t i = 0; i < n_crashes; i++) {
		crashes[i] = (struct crash){.world = w};
		loop_timer_set(w->scene.loop, &crashes[i].timer,
		               random_below(w->scene.dice, 2 * BEGIN_MS), crash, &crashes[i]);
	}
}

static void
check_end(struct world *w, size_t n_senders, size_t n_readers)
{
	for (size_t i = 0; i < n_senders; i++)
		SCENE_MUST(&w->scene, sender_is_over(&senders[i]));
	for (size_t i = 0; i < n_readers; i++)
		SCENE_MUST(&w->scene, reader_is_over(&readers[i]));
	SCENE_MUST(&w->scene, site_is_whole(&w->site));
	SCENE_MUST(&w->scene, site_counter(&w->site, ROLE_SMTP, "sessions") == 0);
	SCENE_MUST(&w->scene, site_counter(&w->site, ROLE_SMTP, "body_octets") == 0);
	SCENE_MUST(&w->scene, site_counter(&w->site, ROLE_MAIL, "sessions") == 0);
	SCENE_MUST(&w->scene, site_counter(&w->site, ROLE_BOX, "sessions") == 0);
	ledger_audit(&ledger);
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
	init_ledger(&w);
	n_senders = 1 + (size_t)random_below(w.scene.dice, SENDERS);
	n_readers = (size_t)random_below(w.scene.dice, READERS + 1);
	start_all(&w, n_senders, n_readers);
	sim_run(w.scene.loop, FAULTS_MS);
	site_mend(&w.site);
	sim_run(w.scene.loop, QUIET_MS);
	check_end(&w, n_senders, n_readers);
	sum.trace = w.scene.trace;
	sum.letters = ledger.n;
	sum.seen = ledger.n_seen;
	sum.retried = site_counter(&w.site, ROLE_SMTP, "retried");
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
	    cmocka_unit_test_teardown(what_was_acknowledged_is_there_once, scene_teardown),
	    cmocka_unit_test_teardown(a_seed_replays, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

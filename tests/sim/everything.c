/*
 * everything.c - letters from site to site, names, folders and files at once, while connections
 * break, datagrams are lost, roles die and a site is away for hours; each run from one seed.
 * STEAD_SEED=N runs one seed, STEAD_SEEDS=N so many, STEAD_LONG=1 many more; STEAD_SHOW=1 shows all
 * that is said and logged.
 */
#include "asker.h"
#include "ftper.h"
#include "imapper.h"
#include "reader.h"
#include "sender.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#ifdef STEAD_SANITIZED
enum { SEEDS = 300, SEEDS_LONG = 5000 };
#else
enum { SEEDS = 1000, SEEDS_LONG = 20000 };
#endif

enum {
	SEEDS_TWICE = 20,
	SENDERS = 6,
	READERS = 4,
	ASKERS = 3,
	IMAPPERS = 5,
	FTPERS = 2,
	MOVES = 4,
	CRASHES = 8,
	BEGIN_MS = 60 * 1000,
	FAULTS_MS = 4 * BEGIN_MS,
	SETTLE_MS = 60 * 1000, /* a resolver remembers failures for a while */
	BACK_MS = 25 * 1000,
	SLOW_MS = 20 * 1000, /* longer than some wait for an answer */
	AWAY_MIN_MS = 600 * 1000,
	AWAY_MAX_MS = 7 * 3600 * 1000,
	HOUR_MS = 3600 * 1000,
	DAYS_MAX = 3,
	QUIET_MS = 45 * 60 * 1000, /* longer than any session is idle */
};

static const struct sender_rcpt rcpts[] = {
    {"alice@ycp.edu", 1u << ALICE, false},
    {"bob@fakeplace.edu", 1u << BOB, false},
    {"bob@fakeplace.edu", 1u << BOB, false},
    {"carol@fakeplace.edu", 1u << CAROL, false},
    {"nobody@fakeplace.edu", 1u << NOBODY, false},
    {"somebody@nowhere.edu", 1u << NOWHERE, false},
    {"nobody@ycp.edu", 0, true},
};

struct run {
	struct internet net;
	struct ledger ledger;
	struct sender_conf conf;
	struct sender senders[SENDERS + 1];
	struct reader readers[READERS + 2];
	struct asker_client askers[ASKERS + 1];
	struct imapper imappers[IMAPPERS + 2];
	struct imapper_counts imap;
	struct ftper ftpers[FTPERS];
	size_t n_senders, n_readers, n_askers, n_imappers, n_ftpers;
	struct event {
		struct run *run;
		struct loop_timer timer;
	} crashes[CRASHES], moves[MOVES];
	bool calm; /* nothing breaks */
};

static struct run r;

static struct scene *
scene(void)
{
	return &r.net.scene;
}

/* ---- what happens ---- */

static void
crash(void *owner)
{
	struct event *e = owner;

	internet_crash(&e->run->net, scene_chance(scene(), BACK_MS));
}

static void
away(void *owner)
{
	struct event *e = owner;

	internet_away(&e->run->net, AWAY_MIN_MS + scene_chance(scene(), AWAY_MAX_MS - AWAY_MIN_MS));
}

static void
move(void *owner)
{
	struct event *e = owner;

	internet_move(&e->run->net);
}

static void
plan(struct event *events, size_t n, loop_fn *what)
{
	for (size_t i = 0; i < n; i++) {
		events[i] = (struct event){.run = &r};
		loop_timer_set(scene()->loop, &events[i].timer, scene_chance(scene(), 2 * BEGIN_MS),
		               what, &events[i]);
	}
}

static void
plan_faults(void)
{
	unsigned kind = scene_chance(scene(), 4);
	const struct sim_weather weather = {
	    .delay_max_ms = 1 + scene_chance(scene(), scene_chance(scene(), 8) ? 60 : SLOW_MS),
	    .cut_ppm = scene_chance(scene(), 2) ? scene_chance(scene(), 20000) : 0,
	    .lose_ppm = scene_chance(scene(), 2) ? scene_chance(scene(), 200000) : 0,
	    .whole = scene_chance(scene(), 3) == 0,
	};

	scene_weather(scene(), &weather);
	if (kind & 1)
		r.net.ycp.fall_ppm = scene_chance(scene(), 50000);
	if (kind & 2)
		r.net.fakeplace.fall_ppm = scene_chance(scene(), 50000);
	if (scene_chance(scene(), 8) == 0)
		plan(r.crashes, 1, away);
	else
		plan(r.crashes, scene_chance(scene(), CRASHES + 1), crash);
}

static void
start_all(void)
{
	r.n_senders = 1 + scene_chance(scene(), SENDERS);
	r.n_readers = scene_chance(scene(), READERS + 1);
	r.n_askers = scene_chance(scene(), ASKERS + 1);
	r.n_imappers = scene_chance(scene(), IMAPPERS + 1);
	r.n_ftpers = scene_chance(scene(), FTPERS + 1);
	for (size_t i = 0; i < r.n_ftpers; i++)
		ftper_start(&r.ftpers[i], &r.net.ycp, (unsigned)i, 2 * BEGIN_MS);
	for (size_t i = 0; i < r.n_senders; i++)
		sender_start(&r.senders[i], &r.ledger, &r.conf, BEGIN_MS);
	for (size_t i = 0; i < r.n_readers; i++)
		reader_start(&r.readers[i], &r.ledger, BOB + scene_chance(scene(), 2),
		             2 * BEGIN_MS);
	for (size_t i = 0; i < r.n_askers; i++)
		asker_start(&r.askers[i], &r.net, false, BEGIN_MS);
	for (size_t i = 0; i < r.n_imappers; i++)
		imapper_start(&r.imappers[i], &r.ledger, &r.imap, BOB, i % 2, 2 * BEGIN_MS);
	plan(r.moves, scene_chance(scene(), MOVES + 1), move);
}

/* ---- the end: all is whole again, and everybody is served ---- */

static void
check_queue_is_empty(void)
{
	struct site *s = &r.net.ycp;

	for (int hour = 0; site_counter(s, ROLE_QUEUE, "queued"); hour++) {
		SCENE_MUST(scene(), hour < 24 * DAYS_MAX);
		sim_run(scene()->loop, HOUR_MS);
	}
	site_crash(s, ROLE_QUEUE, 1); /* what the store has comes back */
	sim_run(scene()->loop, 60 * 1000);
	SCENE_MUST(scene(), site_counter(s, ROLE_QUEUE, "queued") == 0);
}

/* Nothing is broken any more, so each of them must come to its end. */
static void
serve_once_more(void)
{
	struct asker_client *asker = &r.askers[r.n_askers++];
	size_t letter = r.ledger.n;

	r.conf.letters = 1;
	sender_start(&r.senders[r.n_senders++], &r.ledger, &r.conf, 1);
	asker_start(asker, &r.net, true, 1);
	sim_run(scene()->loop, QUIET_MS);
	SCENE_MUST(scene(), asker->over && asker->answered == asker->asked);
	SCENE_MUST(scene(), letter == LETTERS || r.ledger.letters[letter].fate != LETTER_UNKNOWN);
	check_queue_is_empty();
	for (size_t i = 0; i < r.n_ftpers; i++)
		ftper_again(&r.ftpers[i]);
	for (size_t person = BOB; person <= CAROL; person++)
		reader_start(&r.readers[r.n_readers++], &r.ledger, person, 1);
	for (int mover = 0; mover < 2; mover++) {
		struct imapper *c = &r.imappers[r.n_imappers++];

		imapper_start(c, &r.ledger, &r.imap, BOB, mover, 1);
		sim_run(scene()->loop, mover ? QUIET_MS : 1000);
	}
	for (size_t i = 0; i < r.n_ftpers; i++)
		SCENE_MUST(scene(), r.ftpers[i].well);
	for (size_t i = r.n_imappers - 2; i < r.n_imappers; i++)
		SCENE_MUST(scene(), r.imappers[i].well);
}

static void
check_end(void)
{
	for (size_t i = 0; i < r.n_senders; i++)
		SCENE_MUST(scene(), sender_is_over(&r.senders[i]));
	for (size_t i = 0; i < r.n_readers; i++)
		SCENE_MUST(scene(), reader_is_over(&r.readers[i]));
	for (size_t i = 0; i < r.n_askers; i++)
		SCENE_MUST(scene(), r.askers[i].over);
	for (size_t i = 0; i < r.n_imappers; i++)
		SCENE_MUST(scene(), r.imappers[i].over);
	SCENE_MUST(scene(), internet_is_whole(&r.net));
	SCENE_MUST(scene(), site_counter(&r.net.ycp, ROLE_SMTP, "sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.fakeplace, ROLE_SMTP, "sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.fakeplace, ROLE_MAIL, "sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.fakeplace, ROLE_MAIL, "imap_sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.ycp, ROLE_OUT, "messages") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.ycp, ROLE_FTP, "sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.ycp, ROLE_OUT, "connections") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.ycp, ROLE_BOX, "sessions") == 0);
	SCENE_MUST(scene(), site_counter(&r.net.fakeplace, ROLE_BOX, "sessions") == 0);
	ledger_audit(&r.ledger);
}

/* ---- runs ---- */

struct sum {
	uint64_t trace;
	size_t letters, taken, seen, repeats, reports, delays, asked, answered, stored, fetched;
	size_t incidents;
	struct imapper_counts imap;
};

static void
open_run(uint64_t seed)
{
	struct ledger_person people[INTERNET_PEOPLE];

	r = (struct run){.calm = seed % 4 == 1};
	internet_open(&r.net, seed);
	internet_people(&r.net, people);
	ledger_init(&r.ledger, scene(), people, INTERNET_PEOPLE);
	r.ledger.small = true;
	r.ledger.header = "From: Alice <alice@ycp.edu>\r\n"
			  "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
			  "Message-ID: <sim@ycp.edu>\r\n";
	r.conf = (struct sender_conf){.to = site_at(&r.net.ycp, 587),
	                              .from = "alice@ycp.edu",
	                              .login = ledger_login(&r.ledger, ALICE),
	                              .rcpts = rcpts,
	                              .n_rcpts = COUNT(rcpts),
	                              .letters = 3};
}

static struct sum
run(uint64_t seed)
{
	struct sum sum = {0};

	open_run(seed);
	start_all();
	if (!r.calm)
		plan_faults();
	sim_run(scene()->loop, FAULTS_MS);
	internet_mend(&r.net);
	sim_run(scene()->loop, SETTLE_MS);
	for (int i = 0; i < 8 && !internet_is_whole(&r.net); i++)
		sim_run(scene()->loop, HOUR_MS);
	serve_once_more();
	check_end();
	sum = (struct sum){.trace = scene()->trace,
	                   .letters = r.ledger.n,
	                   .seen = r.ledger.n_seen,
	                   .repeats = r.ledger.repeats,
	                   .reports = r.ledger.reports,
	                   .delays = r.ledger.delays,
	                   .incidents = scene()->n_incidents,
	                   .imap = r.imap};
	for (size_t i = 0; i < r.ledger.n; i++)
		sum.taken += r.ledger.letters[i].fate == LETTER_TAKEN;
	for (size_t i = 0; i < r.n_askers; i++) {
		sum.asked += r.askers[i].asked;
		sum.answered += r.askers[i].answered;
		SCENE_MUST(scene(), !r.calm || r.askers[i].asked == r.askers[i].answered);
	}
	for (size_t i = 0; i < r.n_ftpers; i++) {
		sum.stored += r.ftpers[i].stored;
		sum.fetched += r.ftpers[i].fetched;
	}
	ledger_fini(&r.ledger);
	internet_close(&r.net);
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
	const char *one = getenv("STEAD_SEED"), *so_many = getenv("STEAD_SEEDS");

	*first = one ? strtoull(one, NULL, 10) : 1;
	if (so_many)
		return strtoull(so_many, NULL, 10);
	return one ? 1 : getenv("STEAD_LONG") ? SEEDS_LONG : SEEDS;
}

static void
add(struct sum *all, const struct sum *one)
{
	all->letters += one->letters;
	all->taken += one->taken;
	all->seen += one->seen;
	all->repeats += one->repeats;
	all->reports += one->reports;
	all->delays += one->delays;
	all->incidents += one->incidents;
	all->asked += one->asked;
	all->answered += one->answered;
	all->stored += one->stored;
	all->fetched += one->fetched;
	all->imap.moved += one->imap.moved;
	all->imap.expunged += one->imap.expunged;
	all->imap.news += one->imap.news;
	all->imap.fetched += one->imap.fetched;
	all->imap.waited += one->imap.waited;
}

static void
show(uint64_t n, const struct sum *all)
{
	print_message("%llu seeds, %zu faults: %zu letters, %zu acknowledged, %zu read, %zu copies "
	              "too many, %zu reports of failures and %zu of delays\n",
	              (unsigned long long)n, all->incidents, all->letters, all->taken, all->seen,
	              all->repeats, all->reports, all->delays);
	print_message("DNS: %zu questions, %zu answered\n", all->asked, all->answered);
	print_message("FTP: %zu stored, %zu fetched\n", all->stored, all->fetched);
	print_message(
	    "IMAP: %zu looked at, %zu moved, %zu came and %zu went while somebody looked, "
	    "%zu waits\n",
	    all->imap.fetched, all->imap.moved, all->imap.news, all->imap.expunged,
	    all->imap.waited);
}

/* The faults must not be so many, nor so few, that nothing is tested. */
static void
check_weight(size_t n, const struct sum *all)
{
	assert_true(all->taken > n * 2 && all->taken < all->letters);
	assert_true(all->incidents > n && all->reports > n && all->asked > n * 10);
	assert_true(all->answered > all->asked / 10 * 9);
	assert_true(all->stored > n && all->fetched > n / 2);
	assert_true(all->imap.moved > n / 2 && all->imap.expunged > n && all->imap.news > n);
	assert_true(n < 1000 || (all->repeats && all->delays));
}

static void
everything_ends_well(void **state)
{
	uint64_t first, n = seeds_to_run(&first);
	size_t before = open_descriptors();
	struct sum all = {0};

	(void)state;
	for (uint64_t seed = first; seed < first + n; seed++) {
		struct sum one = run(seed);

		add(&all, &one);
		if (open_descriptors() != before)
			fail_msg("STEAD_SEED=%llu: descriptors were left open",
			         (unsigned long long)seed);
	}
	show(n, &all);
	if (n >= 100)
		check_weight((size_t)n, &all);
}

static void
a_seed_replays(void **state)
{
	uint64_t first, n = seeds_to_run(&first);

	(void)state;
	for (uint64_t i = 0; i < (n < SEEDS_TWICE ? n : SEEDS_TWICE); i++) {
		struct sum one = run(first + i), again = run(first + i);

		if (one.trace != again.trace)
			fail_msg("STEAD_SEED=%llu: the second run is another",
			         (unsigned long long)(first + i));
		assert_int_equal(one.taken, again.taken);
		assert_int_equal(one.seen, again.seen);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(everything_ends_well, scene_teardown),
	    cmocka_unit_test_teardown(a_seed_replays, scene_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

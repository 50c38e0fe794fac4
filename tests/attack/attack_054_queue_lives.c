/*
 * Attacks 54 and 57: queue, box and out die at any moment, while other servers answer whatever they
 * like.  Every recipient that was accepted is delivered at least once, or its sender is told, and
 * told exactly once; nothing else is left.
 */
#include "../unit/queue_rig.h"

enum { SEEDS = 12, MESSAGES = 12, RCPTS = 3, ALL = MESSAGES * RCPTS };

struct world {
	struct queue_rig rig;
	struct random *dice;
	size_t delivered[ALL], refused[ALL];
};

/* r12@far1.org: the twelfth recipient of all. */
static size_t
number_of(struct bytes recipient)
{
	struct bytes rest = recipient;
	uint64_t n = 0;

	rest = text_cut(&rest, '@');
	assert_true(text_u64((struct bytes){rest.p + 1, rest.n - 1}, ALL - 1, &n));
	return (size_t)n;
}

static struct spool_result
whatever(struct queue_rig *r, struct bytes recipient)
{
	struct world *w = r->owner;
	size_t n = number_of(recipient);

	switch (random_below(w->dice, 4)) {
	case 0:
		w->refused[n]++;
		return rig_refused;
	case 1:
		w->delivered[n]++;
		return rig_delivered;
	default:
		return rig_deferred;
	}
}

static void
die(struct world *w)
{
	struct queue_rig *r = &w->rig;

	switch (random_below(w->dice, 3)) {
	case 0:
		rig_queue_kill(r);
		sim_run(r->loop, random_below(w->dice, 3000));
		rig_queue_start(r);
		break;
	case 1:
		rig_box_kill(r);
		sim_run(r->loop, random_below(w->dice, 8000));
		rig_box_start(r);
		break;
	default:
		rig_out_kill(r);
		sim_run(r->loop, random_below(w->dice, 3000));
		rig_out_start(r);
		break;
	}
}

static void
check(struct world *w)
{
	for (size_t i = 0; i < ALL; i++) {
		char text[64];
		size_t told;

		snprintf(text, sizeof(text),
		         "Final-Recipient: rfc822; r%zu@far%zu.org\r\nAction: f", i, i % 2);
		told = rig_mail_of(&w->rig, 1, text);
		if (told > 1 || (!told && !w->delivered[i]))
			fail_msg("recipient %zu: %zu delivered, %zu refused, %zu told", i,
			         w->delivered[i], w->refused[i], told);
	}
	assert_int_equal(rig_spooled(&w->rig, 'q') + rig_spooled(&w->rig, 'r'), 0);
}

static void
run(uint64_t seed)
{
	struct random *random = random_seeded(seed);
	struct world *w = calloc(1, sizeof(*w));
	struct store *store = rig_memory(random);
	size_t accepted = 0;

	assert_non_null(w);
	w->dice = random_seeded(seed);
	rig_init(&w->rig, store, seed);
	w->rig.outcome = whatever;
	w->rig.owner = w;
	while (accepted < MESSAGES) {
		struct rig_mail m = {.sender = "alice@a.org", .trusted = true};
		char rcpts[RCPTS * 32];
		size_t n = accepted * RCPTS;

		snprintf(rcpts, sizeof(rcpts), "r%zu@far%zu.org r%zu@far%zu.org r%zu@far%zu.org", n,
		         n % 2, n + 1, (n + 1) % 2, n + 2, (n + 2) % 2);
		m.rcpts = rcpts;
		m.large = accepted % 2;
		assert_int_equal(rig_send(&w->rig, &m), 0);
		accepted++;
		for (int i = 0; i < 4; i++) {
			sim_run(w->rig.loop, random_below(w->dice, 12));
			die(w);
		}
	}
	for (int i = 0; i < 60; i++) {
		sim_run(w->rig.loop, random_below(w->dice, i % 2 ? 30 : 600 * 1000));
		die(w);
	}
	sim_run(w->rig.loop, UINT64_C(11) * 86400 * 1000);
	check(w);
	rig_fini(&w->rig);
	store_close(store);
	random_close(w->dice);
	random_close(random);
	free(w);
}

static void
attack_054_queue_lives(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run(seed);
}

/* One of each kind in one message: each comes to its own, and one report tells all that failed. */
static struct spool_result
by_name(struct queue_rig *r, struct bytes recipient)
{
	switch (recipient.p[0]) {
	case '2':
		return rig_delivered;
	case '5':
		return rig_refused;
	default:
		return r->tries < 4 ? rig_deferred : rig_delivered;
	}
}

static void
attack_057_each_recipient_its_own(void **state)
{
	struct random *random = random_seeded(1);
	const struct rig_mail m = {.sender = "alice@a.org",
	                           .rcpts = "2a@f.org 4a@f.org 5a@f.org 2b@f.org 5b@f.org 4b@f.org",
	                           .trusted = true};
	struct queue_rig r;
	struct store *store = rig_memory(random);

	(void)state;
	rig_init(&r, store, 1);
	r.outcome = by_name;
	assert_int_equal(rig_send(&r, &m), 0);
	sim_run(r.loop, 3600 * 1000);
	assert_int_equal(rig_mail_of(&r, 1, NULL), 1);
	assert_int_equal(rig_mail_of(&r, 1, "rfc822; 5a@f.org\r\nAction: failed"), 1);
	assert_int_equal(rig_mail_of(&r, 1, "rfc822; 5b@f.org\r\nAction: failed"), 1);
	assert_int_equal(rig_mail_of(&r, 1, "rfc822; 2"), 0);
	assert_int_equal(rig_mail_of(&r, 1, "rfc822; 4"), 0);
	assert_int_equal(rig_spooled(&r, 'r'), 0);
	rig_fini(&r);
	store_close(store);
	random_close(random);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_054_queue_lives),
	    cmocka_unit_test(attack_057_each_recipient_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

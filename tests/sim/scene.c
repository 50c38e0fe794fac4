/* scene.c - see scene.h */
#include "scene.h"

#include "base/log.h"
#include "base/text.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#ifdef STEAD_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

static uint64_t running; /* the seed of the scene that is open, 0: none */

void
scene_broken(const struct scene *s, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail_msg("STEAD_SEED=%llu, at %llu ms: %s", (unsigned long long)s->seed,
	         (unsigned long long)loop_now_ms(s->loop), text);
}

unsigned
scene_chance(struct scene *s, unsigned n)
{
	return (unsigned)random_below(s->dice, n);
}

struct addr
scene_addr(const char *ip, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(bytes_of(ip), port, &a));
	return a;
}

void
scene_note(struct scene *s, struct bytes heard)
{
	for (size_t i = 0; i < heard.n; i++) /* FNV-1a */
		s->trace = (s->trace ^ heard.p[i]) * 0x100000001b3;
	s->trace = (s->trace ^ loop_now_ms(s->loop)) * 0x100000001b3;
}

void
scene_show(const struct scene *s, const char *who, const void *whose, struct bytes said)
{
	uint8_t text[400];
	struct wr w = wr_of(text, sizeof(text));

	if (!s->shows)
		return;
	text_escape(&w, (struct bytes){said.p, said.n < 90 ? said.n : 90});
	fprintf(stderr, "%8llu %s %p %.*s\n", (unsigned long long)loop_now_ms(s->loop), who, whose,
	        (int)wr_since(&w, text).n, (const char *)text);
}

void
scene_incident(struct scene *s)
{
	SCENE_MUST(s, s->n_incidents < SCENE_INCIDENTS);
	s->incidents[s->n_incidents++] = loop_now_ms(s->loop);
}

bool
scene_had_incident(const struct scene *s, uint64_t from_ms, uint64_t to_ms)
{
	for (size_t i = 0; i < s->n_incidents; i++)
		if (s->incidents[i] >= from_ms && s->incidents[i] <= to_ms)
			return true;
	return false;
}

static void
was_cut(void *owner)
{
	scene_incident(owner);
}

void
scene_weather(struct scene *s, const struct sim_weather *given)
{
	struct sim_weather w = *given;

	w.was_cut = was_cut;
	w.owner = s;
	sim_weather(s->loop, &w);
}

static void
quiet(void *owner, const struct log_record *record)
{
	(void)owner;
	(void)record;
}

static void
tell_seed(void)
{
	if (running)
		fprintf(stderr, "STEAD_SEED=%llu runs it alone, with STEAD_SHOW=1 aloud\n",
		        (unsigned long long)running);
	running = 0;
}

static void
aborted(int number)
{
	signal(number, SIG_DFL);
	tell_seed();
	raise(number);
}

int
scene_teardown(void **state)
{
	(void)state;
	tell_seed();
	return 0;
}

void
scene_open(struct scene *s, uint64_t seed)
{
	running = seed;
	signal(SIGABRT, aborted);
#ifdef STEAD_SANITIZED
	__sanitizer_set_death_callback(tell_seed);
#endif
	*s = (struct scene){.seed = seed, .trace = 0xcbf29ce484222325};
	s->shows = getenv("STEAD_SHOW") != NULL;
	if (!s->shows)
		log_to(quiet, NULL);
	assert_true(is_ok(loop_sim_open(&s->loop, seed)));
	s->random = random_seeded(seed * 3 + 1);
	s->dice = random_seeded(seed * 3 + 2);
	assert_true(s->random && s->dice);
}

void
scene_close(struct scene *s)
{
	SCENE_MUST(s, sim_open_fds(s->loop) == 0);
	loop_close(s->loop);
	random_close(s->random);
	random_close(s->dice);
	log_to(NULL, NULL);
	running = 0;
}

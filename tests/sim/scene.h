/*
 * scene.h - what everything of one run shares: the loop in virtual time, the dice, a trace of all
 * that was heard, and when something broke.
 */
#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include "base/random.h"
#include "net/loop_sim.h"

enum { SCENE_INCIDENTS = 4096 };

struct scene {
	uint64_t seed;
	struct loop *loop;
	struct random *random; /* the roles' own */
	struct random *dice;   /* of what happens to them */
	struct net everywhere;
	bool shows;     /* STEAD_SHOW=1: what is logged and said goes to standard error */
	bool mended;    /* nothing breaks any more, and clients do not go without a word */
	uint64_t trace; /* a hash of all that clients heard, and when */
	uint64_t incidents[SCENE_INCIDENTS]; /* when a connection was cut or a role died, rising */
	size_t n_incidents;
};

/* One at a time.  However the process ends while it is open, its seed is told. */
void scene_open(struct scene *, uint64_t seed);
/* Everything must have ended; whatever was left open is a failure. */
void scene_close(struct scene *);

/* Behind a test of cmocka: tells the seed of a scene that was not closed. */
int scene_teardown(void **state);

/* A number below n. */
unsigned scene_chance(struct scene *, unsigned n);
struct addr scene_addr(const char *ip, uint16_t port);
void scene_note(struct scene *, struct bytes heard);
void scene_show(const struct scene *, const char *who, const void *whose, struct bytes said);
void scene_weather(struct scene *, const struct sim_weather *);
void scene_incident(struct scene *);
/* Was there one from `from` to `to`? */
bool scene_had_incident(const struct scene *, uint64_t from_ms, uint64_t to_ms);

/* Ends the test, with the seed that shows it again. */
__attribute__((format(printf, 2, 3))) void scene_broken(const struct scene *, const char *fmt, ...);
#define SCENE_MUST(s, claim)                                                                       \
	do {                                                                                       \
		if (!(claim))                                                                      \
			scene_broken((s), "%s:%d: %s", __FILE__, __LINE__, #claim);                \
	} while (0)

#endif

/*
 * site.h - the places that mail goes to, and how many tries each may have at once: few at first,
 * more while it works, fewer when it fails; one that cannot be reached rests, longer each time, and
 * what waits for it waits in its own line, so that nobody else is held up (attack 61).
 *
 * Anybody can make us send to places that he has set up to be slow.  So those that have not proven
 * themselves share a part of the tries, and of these, those that were tried in vain a part again:
 * however many they are, places that work go on, and new ones have their first try (attack 175).
 *
 * Invariants: (1) a site is in the round of its standing exactly while its line is not empty, it
 * has a try left and it does not rest; (2) one without line and tries is kept while it rests, and
 * behind that, when it is not FRESH, among the SITES_KEPT of its standing that became idle last;
 * (3) running[] counts the tries of all sites by their standing now.
 */
#ifndef QUEUE_SITE_H
#define QUEUE_SITE_H

#include "base/map.h"
#include "queue/message.h"

enum {
	SITE_TRIES_FIRST = 5,
	SITE_TRIES_MAX = 20,
	SITE_REST_MS = 60 * 1000, /* after the first failure; doubled with each further one */
	SITE_REST_MAX_MS = 30 * 60 * 1000,
	SITES_UNPROVEN_MAX = 50, /* tries at once of all that are not PROVEN ... */
	SITES_TRIED_MAX = 25,    /* ... and of these, of those that are TRIED */
	SITES_TRIED_TURN = 4,    /* one turn in so many is theirs, whoever is FRESH: greylisting */
	SITES_KEPT = 4096,       /* idle ones of a standing that are remembered */
};

enum site_standing {
	SITE_FRESH,  /* no try of this life tells anything yet */
	SITE_TRIED,  /* it took nothing yet, or could not be reached since */
	SITE_PROVEN, /* it took a message */
	SITE_STANDINGS,
};

struct site_list {
	struct site *first, **last;
	size_t n;
};

struct site {
	struct heap_node wake;     /* while it rests */
	struct site *next, **link; /* in this list: */
	struct site_list *in;      /* a round, or the idle ones; NULL: in none */
	struct message_group *first, **last;
	enum site_standing standing;
	uint32_t running, limit, failures;
	uint64_t rests_until_ms;
	size_t name_n;
	uint8_t name[];
};

struct sites {
	struct map map;
	struct heap resting;
	struct site_list rounds[SITE_STANDINGS]; /* whose turn is next */
	struct site_list idle[SITE_STANDINGS];
	size_t running[SITE_STANDINGS];
	size_t ready;         /* groups in all lines */
	bool proven_had;      /* the last turn was of a proven one */
	unsigned fresh_turns; /* since one that is TRIED had its turn */
};

void sites_init(struct sites *, const uint8_t key[16]);
void sites_fini(struct sites *); /* no group is in a line any more */

/* Puts the group at the end of its site's line.  name: whose line that is. */
MUST_CHECK struct err sites_ready(struct sites *, struct message_group *, struct bytes name);
/* Takes a group out of its line, where it stands. */
void sites_leave(struct sites *, struct message_group *);
/* The next group that may be tried, which counts as running from here; NULL: none may. */
struct message_group *sites_take(struct sites *);
/* Would sites_take() give one? */
bool sites_has_turn(const struct sites *);

enum site_news {
	SITE_NOTHING,  /* the try tells nothing about the place */
	SITE_WORKED,   /* it took a message */
	SITE_ANSWERED, /* it is there, and took none */
	SITE_BUSY,     /* it wants fewer connections (421) */
	SITE_UNREACHABLE,
};
/* The group's try is over: it stands nowhere now. */
MUST_CHECK struct err sites_over(struct sites *, struct message_group *, enum site_news,
                                 uint64_t now_ms);
/* Those whose rest is over work again. */
void sites_wake(struct sites *, uint64_t now_ms);
/* A person wants it to be tried now. */
void sites_rouse(struct sites *, struct bytes name);
/* When the next rest is over; UINT64_MAX: nobody rests. */
uint64_t sites_wakes(const struct sites *);

#endif

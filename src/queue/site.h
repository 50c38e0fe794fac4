/*
 * site.h - the places that mail goes to, and how many tries each may have at once: few at first,
 * more while it works, fewer when it fails; one that cannot be reached rests, longer each time, and
 * what waits for it waits in its own line, so that nobody else is held up (attack 61).
 *
 * Invariants: (1) a site is in the round exactly while its line is not empty, it has a try left and
 * it does not rest; (2) one without line and tries is kept only while it rests.
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
};

struct site {
	struct heap_node wake;     /* while it rests */
	struct site *next, **link; /* in the round; link is NULL outside it */
	struct message_group *first, **last;
	uint32_t running, limit, failures;
	uint64_t rests_until_ms;
	size_t name_n;
	uint8_t name[];
};

struct sites {
	struct map map;
	struct heap resting;
	struct site *first, **last; /* the round: whose turn is next */
	size_t ready;               /* groups in all lines */
};

void sites_init(struct sites *, const uint8_t key[16]);
void sites_fini(struct sites *); /* no group is in a line any more */

/* Puts the group at the end of its site's line.  name: whose line that is. */
MUST_CHECK struct err sites_ready(struct sites *, struct message_group *, struct bytes name);
/* Takes a group out of its line, where it stands. */
void sites_leave(struct sites *, struct message_group *);
/* The next group that may be tried, which counts as running from here; NULL: none may. */
struct message_group *sites_take(struct sites *);

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

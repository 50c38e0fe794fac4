/*
 * world.h - a mail server in one process, under virtual time: box with a store, a stub of
 * auth, an SMTP and a POP3 front, joined by simulated channels.
 *
 * Box may die at any time.  With the store in memory all that it had handed in is committed then,
 * and nobody hears of it; with the log on a simulated disk the power fails with it, and what was not
 * committed is lost.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/random.h"
#include "box/box.h"
#include "net/loop_sim.h"
#include "serve/pop3.h"
#include "serve/smtp.h"
#include "store/disk_sim.h"

enum { WORLD_USERS = 4 }; /* u0@example.org ... with the passwords secret0 ... */

struct world {
	uint64_t seed;
	struct loop *loop;
	struct random *random; /* the roles' own */
	struct random *dice;   /* of what happens to them */
	struct store *store;
	struct store_conf conf;
	struct disk_sim *disk; /* NULL: the store is in memory */
	char dir[64];          /* of the store's index */
	int folder, home;      /* the same, and the working directory of before */
	struct box *box;       /* NULL while it is dead */
	struct peers *box_peers, *auth, *smtp_peers, *mail_peers;
	int box_ends[3]; /* its ends of the channels */
	struct smtp_serve *smtp;
	struct pop3_serve *pop3;
	struct net everywhere;
	struct loop_timer revive;
	struct loop_task fall;
	uint32_t fall_ppm; /* how often box dies of a word, of a million */
	size_t logins;     /* that auth has under way */
	bool smtp_drained, pop3_drained;
	uint64_t accounts[WORLD_USERS];
	uint64_t trace; /* a hash of all that clients heard, and when */
};

void world_open(struct world *, uint64_t seed);
/* Everything must have ended; whatever was left open is a failure. */
void world_close(struct world *);

/* Where the services listen. */
struct addr world_smtp(void);
struct addr world_pop3(void);

/* Box dies now; it comes back after so many ms. */
void world_crash(struct world *, uint64_t back_ms);
/* Nothing is broken from now on. */
void world_mend(struct world *);
/* A counter of a front's or box's status. */
uint64_t world_smtp_counter(struct world *, const char *name);
uint64_t world_pop3_counter(struct world *, const char *name);
uint64_t world_box_counter(struct world *, const char *name);
void world_note(struct world *, struct bytes heard);
/* Ends the test, with the seed that shows it again. */
__attribute__((format(printf, 2, 3))) void world_broken(const struct world *, const char *fmt, ...);
#define WORLD_MUST(w, claim)                                                                       \
	do {                                                                                       \
		if (!(claim))                                                                      \
			world_broken((w), "%s:%d: %s", __FILE__, __LINE__, #claim);                \
	} while (0)

#endif

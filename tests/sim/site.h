/*
 * site.h - a mail server in one process, under virtual time: its roles, each with its driver,
 * joined by simulated channels as the master joins them.
 *
 * A role may die at any time and comes back.  With box's store in memory all that it had handed in
 * is committed then, and nobody hears of it; with the log on a simulated disk the power fails with
 * it, and what was not committed is lost.
 */
#ifndef SIM_SITE_H
#define SIM_SITE_H

#include "box/box.h"
#include "scene.h"
#include "serve/auth.h"
#include "serve/dial.h"
#include "serve/ftp.h"
#include "serve/imap.h"
#include "serve/out.h"
#include "serve/pop3.h"
#include "serve/queue.h"
#include "serve/resolve.h"
#include "serve/smtp.h"
#include "store/disk_sim.h"

enum { SITE_PEOPLE = 4, SITE_JOINS = 12 };

enum site_part {
	SITE_SMTP = 1,
	SITE_SUBMISSION = 2,
	SITE_POP3 = 4,
	SITE_IMAP = 8,
	SITE_FTP = 16,
	SITE_QUEUE = 32, /* with out, dial and resolve, which answers at port 53 as well */
};

struct site_conf {
	const char *host, *domain, *ip;
	unsigned parts; /* enum site_part */
	struct site_person {
		const char *address, *password;
	} people[SITE_PEOPLE];
	const char *alias, *targets; /* parted by a space; NULL: there is none */
	const char *hints;           /* of the resolver */
	bool on_disk;                /* box's store */
	bool hashes;                 /* auth is the role itself, else a stub without the hash */
};

struct site;
struct site_role {
	struct site *site;
	const struct site_kind *kind; /* NULL: the site has none of it */
	struct peers *peers;          /* NULL: it is dead */
	struct loop_timer revive;
	struct loop_task fall;
};

struct site {
	struct scene *scene;
	struct site_conf conf;
	struct site_role roles[ROLE_COUNT];
	int joins[SITE_JOINS]; /* the channels' first ends; -1: there is none */
	uint32_t fall_ppm;     /* how often a role dies of a word, of a million */
	uint64_t accounts[SITE_PEOPLE];

	struct store *store;
	struct store_conf store_conf;
	struct disk_sim *disk; /* NULL: the store is in memory */
	char dir[64];          /* of the store's index */
	int folder, home;      /* the same, and the working directory of before */
	char area_dir[64];
	int areas; /* of the files; -1: there are none */

	/* NULL while the role is dead */
	struct box *box;
	struct smtp_serve *smtp;
	struct pop3_serve *pop3;
	struct imap_serve *imap;
	struct ftp_serve *ftp;
	struct queue_serve *queue;
	struct out *out;
	struct dial *dial;
	struct resolve *resolve;
	struct auth_serve *auth; /* NULL also when it is a stub */
	struct store *auth_store;
	struct logins *logins;
	size_t logging_in; /* that the stub has under way */
	unsigned drained;
};

void site_open(struct site *, struct scene *, const struct site_conf *);
/* Everything must have ended; whatever was left open is a failure. */
void site_close(struct site *);

struct addr site_at(const struct site *, uint16_t port);
/* A role dies now; it comes back after so many ms.  One that is dead stays so. */
void site_crash(struct site *, enum role, uint64_t back_ms);
bool site_has(const struct site *, enum role);
/* Whether all its roles live. */
bool site_is_whole(const struct site *);
/* No role dies of a word any more. */
void site_mend(struct site *);
/* A counter of a living role's status. */
uint64_t site_counter(struct site *, enum role, const char *name);

/* ---- site_roles.c ---- */

/* How a role is opened and closed. */
struct site_kind {
	enum role role;
	unsigned parts; /* it is there with any of these; 0: always */
	bool falls;     /* it may die */
	const struct peers_handlers *handlers;
	void (*open)(struct site *, struct peers *);
	void (*start)(struct site *); /* when it is joined; may be NULL */
	void (*close)(struct site *);
	void (*status)(struct site *, struct wr *);
};
extern const struct site_kind site_kinds[];
extern const size_t site_kinds_n;

/* A word comes to a role, which may die of it.  Owner: the role. */
void site_hears(struct site_role *, const struct peer *, struct chan_word *,
                void (*word)(struct site *, const struct peer *, struct chan_word *));
/* As its role does when the store can go no further. */
void site_gave_up(void *site, struct err);

/* ---- site_store.c ---- */

void site_store_make(struct site *);
/* What is handed in is done, or the power fails. */
void site_store_stop(struct site *);
void site_store_forget(struct site *);
void site_people_make(struct site *);
/* All that was handed in to a store in memory. */
void site_store_turn(struct store *);

#endif

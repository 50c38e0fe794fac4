/*
 * role.h - what every role is: a row with its cage and the functions that attach.c calls.  A role's
 * file opens what the role holds and hands the words that come to the rooms below; it has no logic
 * of its own.
 *
 * The life of a role: settings, listeners, folder, certificate and peers come from the master; then
 * `go`: cage_drop(), open(), cage_seal(), `ready`, start(); words; drain(), and attach_done().
 */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "net/cage.h"
#include "net/peers.h"
#include "role/settings.h"

struct random;
struct store;
struct store_conf;

enum { LISTENERS_MAX = 1280 }; /* FTP: the passive ports, and its addresses */
/* Of any file that a role may write to, the one behind its standard error among them. */
#define ROLE_FILE_SIZE ((uint64_t)1 << 41)

/* The files of zones that the configuration names. */
struct attach_files {
	struct attach_file {
		char *name; /* the zone's, as text */
		int fd;
	} * list;
	size_t n;
};

/* What a role was given; valid as long as it runs. */
struct attach {
	enum role role;
	uint8_t instance;
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct role_settings settings;
	int folder; /* its own, which is also the working directory until it is sealed; -1: none */
	int areas;  /* box: the folder of the accounts' files; -1: none */
	struct {
		enum service service;
		int fd; /* taken over by who uses it */
	} listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct bytes certificate; /* PEM; empty: there is none */
	uint32_t certificate_key;
	struct attach_files files; /* those of before a reload are gone behind it */
};

struct role_body {
	struct cage_row cage;
	/* Between the two halves of the cage; *state is given to all others.  A fault ends the role. */
	struct err (*open)(struct attach *, void **state);
	/* All may be NULL.  start(): the role is sealed, take the first byte of a stranger. */
	void (*start)(void *state);
	void (*word)(void *state, const struct peer *, struct chan_word *);
	void (*come)(void *state, const struct peer *);
	void (*gone)(void *state, const struct peer *);
	/* Answers: what was wrong stays as it was before; `told` says why, for a person, line by line. */
	struct err (*reload)(void *state, const struct role_settings *, struct wr *told);
	void (*certificate)(void *state, struct bytes chain, uint32_t key);
	void (*status)(void *state, struct wr *counters);
	/* Finish what is under way, then call attach_done(); NULL: at once. */
	void (*drain)(void *state);
	void (*close)(void *state);
};

extern const struct role_body role_log, role_keys, role_auth, role_box, role_queue, role_ctl,
    role_dial, role_smtp, role_mail, role_out, role_dns, role_zone, role_resolve, role_ftp;

/* NULL for roles that are no process of their own: master and tool. */
const struct role_body *role_body(enum role);

/* Runs a role in this process until it is drained; channel: the descriptor to the master. */
int attach_run(enum role, uint8_t instance, int channel);
/*
 * store_open() for a role's open(): when another process has the store, it is waited for a while.
 * The role of a server that was killed may hold it until its sync is over.
 */
MUST_CHECK struct err attach_store(struct store **, const struct store_conf *);
/* The role has finished what it had under way. */
void attach_done(struct attach *);
/* A fault that the role cannot go on after: it is logged, and the process ends. */
void attach_fail(struct attach *, struct err);

/* Only in a build with -Dacts=true: cage steps to leave out, told by the environment. */
uint32_t attach_skipped_steps(void);

#endif

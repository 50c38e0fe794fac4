/* master_state.h - what master.c and master_words.c share: the master itself. */
#ifndef ROLE_MASTER_STATE_H
#define ROLE_MASTER_STATE_H

#include "role/children.h"
#include "role/listen.h"
#include "role/master.h"

enum { MASTER_CERTIFICATE_MAX = 49152, MASTER_SETTINGS_MAX = 32000 };

/* The files as they were when they were read. */
struct config {
	struct arena arena; /* the texts */
	struct settings settings;
	struct bytes certificate; /* PEM; empty: there is none, and nothing offers TLS */
};

struct master_ask; /* a question of the command line that is being answered */

struct master {
	enum master_mode mode;
	int dir, lock, executable, control, ready_fd;
	struct loop *loop;
	struct config config;
	struct listeners listeners;
	struct children *children;
	struct master_ask *asks;
	bool ready, draining;
	uint8_t stage;
	uint64_t started_ms;
	uint32_t uids[ROLE_COUNT];
	int exit_code;
};

/* master.c: with an answer or a fault nothing is read, and text says why. */
MUST_CHECK struct err master_read(struct master *, struct config *, struct wr *text);
/* Can the zones' files that it names be read?  Answers: ERR_SYNTAX, and text says which cannot. */
MUST_CHECK struct err master_check_files(struct master *, const struct config *, struct wr *text);
/* It counts from now on, and is the master's: *config is empty then. */
void master_adopt(struct master *, struct config *);
/* Gives a child what it is to know beside its settings: certificate, files of zones. */
void master_offer(struct master *, const struct config *, struct child *);

/*
 * master_words.c: every role has said that it is ready; master_settled() comes when each has also
 * handled what the others had for it: the channels to its peers, the images of directory and zones.
 */
void master_settle(struct master *);
void master_settled(struct master *);
/*
 * master_words.c: reads the configuration anew; every role takes its part, `keys` first, and when it
 * refuses the key nothing changes.  Answers `seq` of the asker (NULL: nobody waits, the log tells).
 */
void master_reload_all(struct master *, struct child *asker, uint32_t seq);
/* A word of a child; owner is the master. */
void master_word(void *owner, struct child *, struct chan_word *);
/* What this child asked need not be answered any more. */
void master_child_died(struct master *, struct child *);
/* Drops all open questions. */
void master_forget(struct master *);

#endif

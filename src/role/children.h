/*
 * children.h - the role processes of a master: started from the held descriptor of the executable,
 * joined by channels wherever talk.def has a word between two of them, and started again with a
 * growing pause when they die.
 */
#ifndef ROLE_CHILDREN_H
#define ROLE_CHILDREN_H

#include "net/cage.h"
#include "net/peers.h"
#include "talk/report.h"

#include <sys/types.h>

enum {
	CHILD_PAUSE_FIRST_MS =
	    50, /* before the first restart; doubles with each that follows soon */
	CHILD_PAUSE_MAX_MS = 30000,
	CHILD_STEADY_MS = 10000, /* who lived so long begins anew with the first pause */
};

struct children;

struct child {
	enum role role;
	uint8_t instance;
	enum report_state state;
	pid_t pid; /* 0: none now */
	uint32_t restarts, pause_ms;
	uint64_t started_ms;
	uint8_t cage[CAGE_PACKED]; /* as it reported */
	struct chan *chan;
	struct loop_timer timer;
	struct children *children;
	struct child *next;
};

struct children_handlers {
	/* Says what this child is to know, and `go`; its peers are joined right after. */
	void (*give)(void *owner, struct child *, struct chan *);
	void (*word)(void *owner, struct child *, struct chan_word *);
	void (*ready)(void *owner, struct child *);
	/* It is dead; it will be started again unless it is draining. */
	void (*died)(void *owner, struct child *, int status);
};

/* executable: an open descriptor of this program, which stays the caller's. */
MUST_CHECK struct err children_open(struct children **, struct loop *, int executable,
                                    const struct children_handlers *, void *owner);
/* Kills what is left. */
void children_close(struct children *);

MUST_CHECK struct err children_start(struct children *, enum role, uint8_t instance);
/* The first; the others hang on `next`. */
struct child *children_first(const struct children *);
struct child *children_find(const struct children *, enum role, uint8_t instance);
/* Tells one to finish; it is killed after deadline_ms. */
void children_drain(struct children *, struct child *, uint32_t deadline_ms);
/* SIGCHLD came. */
void children_reap(struct children *);

#endif

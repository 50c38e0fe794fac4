/*
 * cage_parts.h - the two last steps of cage.c, a file each: cage_land.c (Landlock) and
 * cage_filter.c (seccomp), and the table of calls that the latter is made from.
 */
#ifndef NET_CAGE_PARTS_H
#define NET_CAGE_PARTS_H

#include "net/cage.h"

/* Is this step to be left out by a test? */
bool cage_skips(const struct cage *, enum cage_step);

/* The steps CAGE_LAND_*. */
MUST_CHECK struct err cage_land(const struct cage *, struct cage_report *);
/* The step CAGE_CALLS. */
MUST_CHECK struct err cage_filter(const struct cage *, struct cage_report *);

/* What is looked at beside the number of a call; the code of each is in cage_filter.c. */
enum cage_rule {
	RULE_ANY,        /* nothing */
	RULE_REFUSED,    /* always refused, and quietly: libraries try it and do without */
	RULE_NOT_EXEC,   /* argument 2 has no PROT_EXEC */
	RULE_SELF,       /* argument 0 is this process */
	RULE_OWN_LIMITS, /* argument 0 is this process, argument 2 is NULL: to look only */
	RULE_SOCKET,     /* a family and a type that the row may have */
	RULE_NO_ADDRESS, /* argument 4 is NULL: to where it is connected */
	RULE_OPTION,     /* a socket's option that loads no code */
	RULE_THREAD,     /* clone() with all that makes it a thread */
	RULE_FCNTL,      /* flags, locks, seals; not the signals */
	RULE_IOCTL,      /* the few that libuv and stdio use */
	RULE_PRCTL,      /* the name of a thread */
	RULE_READ_ONLY,  /* argument 2 opens for reading, and makes nothing */
	RULE_EMPTY_PATH, /* argument 3 has AT_EMPTY_PATH: a descriptor, not a name */
};

struct cage_call {
	int number;
	uint32_t promises; /* any of them brings the call */
	enum cage_rule rule;
};

extern const struct cage_call cage_calls[];
extern const size_t cage_calls_n;

#endif

/*
 * resolve_job.h - questions under way: one for each name and type, whoever waits for it, and no
 * question open twice at the servers (attack 27).
 */
#ifndef SERVE_RESOLVE_JOB_H
#define SERVE_RESOLVE_JOB_H

#include "resolve/iterate.h"

struct loop;

enum {
	JOBS_MAX = 2000,
	JOBS_OF_CLIENTS = 1800, /* the others are for our own roles, whatever clients ask */
};

struct job;
struct jobs;

/* Borrowed for the call; NULL: too much is under way already. */
typedef void job_fn(void *owner, const struct iterate_result *);

/* Somebody who waits, embedded in its owner; zeroed before its first use. */
struct job_wait {
	struct job *job; /* NULL: it does not wait */
	struct job_wait *next, **link;
	job_fn *done;
	void *owner;
};

/* What conf refers to outlives it; conf itself too, and may be changed for the jobs that begin. */
struct jobs *jobs_new(struct loop *, struct random *, const struct iterate_conf *conf);
void jobs_free(struct jobs *); /* nobody is told any more; NULL does nothing */

/* done() comes once, perhaps before this returns. */
void jobs_ask(struct jobs *, struct job_wait *, struct bytes name, uint16_t type, job_fn *done,
              void *owner);
/* It is not told; the job ends where nobody else waits for it. */
void job_forget(struct job_wait *);

struct jobs_counts {
	uint64_t begun, shared, sent, tcp, late, mismatched, failed;
	size_t open;
};
struct jobs_counts jobs_counts(const struct jobs *);

#endif

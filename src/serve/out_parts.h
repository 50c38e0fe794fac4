/*
 * out_parts.h - what out.c and out_job.c share: the role's state, and a message under way.  For
 * these two only.
 */
#ifndef SERVE_OUT_PARTS_H
#define SERVE_OUT_PARTS_H

#include "base/arena.h"
#include "serve/out.h"
#include "serve/out_call.h"
#include "talk/spool.h"

/* A connection, busy, at rest or on its way to its end. */
struct out_line {
	struct out *out;
	struct out_line *next, **link;
	struct out_call *call;
	bool rests;
	struct loop_timer timer; /* of its rest */
	uint8_t key_n;
	uint8_t key[255]; /* the domain whose mail went over it, or the relay */
};

struct out_job {
	struct out *out;
	struct out_job *next, **link;
	struct asker asker;
	struct arena arena; /* what was asked, and what was said to it */
	uint64_t id;
	struct bytes domain, sender, relay;
	size_t n;
	struct bytes *rcpts;
	struct out_rcpt {
		bool closed;                /* its result is final for this try */
		struct spool_result result; /* outcome 0: nothing is known yet */
	} * results;
	struct out_body body;

	/* the try that is under way: those of the recipients that are open */
	struct smtpc_message message;
	struct bytes *open;
	size_t *numbers;

	struct route *route;
	struct chan_ask ask;
	struct out_line *line; /* NULL: none now */
	struct out_place place;
	bool plain;  /* TLS has failed at this place */
	bool reused; /* the line was at rest before */
	bool asking, ready, late;
	bool alone; /* a role of ours was away: what the place would say is not known */
	unsigned tries, talks;
	uint64_t asked_ms, looked_ms; /* when it asked; what it took so far to find a server */
	struct loop_task task;
	struct loop_timer timer;
};

struct out {
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct out_conf conf;
	uint8_t relay[255];
	struct tls_client *tls;
	struct out_call_env env;
	struct out_job *jobs;
	struct out_line *lines;
	size_t n_jobs, n_lines, n_rest, n_opening;
	uint64_t delivered, deferred, failed, reused, plain;
	bool draining;
	loop_fn *drained;
	void *owner;
};

/* ---- out.c ---- */

/* Where mail of this job's domain goes: what lines are kept for. */
struct bytes out_key(const struct out_job *);
/* A line at rest for this key; NULL: there is none. */
struct out_line *out_rested(struct out *, struct bytes key);
/* Gives the job's message to a line at rest, or to a new one to the job's place. */
MUST_CHECK struct err out_line_use(struct out_line *, struct out_job *);
MUST_CHECK struct err out_line_new(struct out_job *);
/* Behind the answer. */
void out_job_gone(struct out *);

/* ---- out_job.c ---- */

/* A job as it was asked for; NULL without memory, or when it is not one. */
struct out_job *out_job_new(struct out *, struct asker, const struct talk_out_send *, int fd);
/* The results are to be told within so many ms. */
void out_job_hurry(struct out_job *, uint64_t ms);
/* out_call_env.over() */
void out_job_over(void *owner, struct out_call *, enum out_end, int number);
/* Without an answer. */
void out_job_free(struct out_job *);

/* Results for n recipients that are the same, in talk/spool's packed form. */
void out_results_same(struct wr *, size_t n, const struct spool_result *);

#endif

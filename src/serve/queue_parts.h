/* queue_parts.h - what the files of the queue's driver share; for them alone. */
#ifndef SERVE_QUEUE_PARTS_H
#define SERVE_QUEUE_PARTS_H

#include "base/log.h"
#include "queue/plan.h"
#include "serve/queue.h"

/* Jobs under way, each of a kind; a job is in one of these lists. */
struct queue_job {
	struct queue_serve *serve;
	struct queue_job *next, **link;
	struct chan_ask ask;
	struct loop_timer timer;
	void (*again)(struct queue_job *); /* what box was away for; NULL: nothing waits */
};

struct queue_jobs {
	struct queue_job *first;
	size_t n;
};

struct queue_serve {
	struct queue_serve_conf conf;
	struct loop *loop;
	struct random *random;
	struct peers *peers;
	struct plan *plan;
	struct loop_task turn;
	struct loop_timer wake, look, poll;
	struct queue_jobs tries, settles, reports, changes, questions;
	struct chan_ask load;
	uint64_t bodies; /* octets of the messages that are tried now */
	uint64_t loaded; /* all up to this id were seen in the store */
	bool load_again; /* there may be more than the load under way sees */
	bool behind;     /* the store has more than there was room for */
	bool ready;      /* all that was there at the start is loaded */
	bool draining;
	loop_fn *drained;
	void *drained_owner;
	uint64_t sent, deferred, failed, reported;
};

struct plan_time queue_now(const struct queue_serve *);
/* Something has changed: jobs are begun at the end of this turn of the loop. */
void queue_soon(struct queue_serve *);
/* A fault that this process cannot go on with. */
void queue_check(struct queue_serve *, struct err);

/* A zeroed job at the front of the list; NULL without memory. */
void *queue_job_new(struct queue_serve *, struct queue_jobs *, size_t size);
void queue_job_free(struct queue_jobs *, struct queue_job *);
/* Once more when box is back, or in after_ms. */
void queue_job_again(struct queue_job *, uint64_t after_ms, void (*again)(struct queue_job *));

/* An id as people see it: hex. */
enum { QUEUE_ID_MAX = 16 };
struct kv queue_kv_id(char room[QUEUE_ID_MAX + 1], uint64_t id);

/* May another try begin?  If not, whoever or whatever it waits for calls queue_soon(). */
bool queue_may_try(const struct queue_serve *);
/* Begin as many jobs as there is work and room for. */
void queue_try_begin(struct queue_serve *);
void queue_settle_begin(struct queue_serve *);
void queue_report_begin(struct queue_serve *);
/* Frees what such a job holds beside itself. */
void queue_settle_drop(struct queue_job *);
void queue_report_drop(struct queue_job *);

#endif

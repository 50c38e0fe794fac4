/*
 * queue.h - the driver of outgoing mail: what box has in its spool is planned (queue/plan.h), handed
 * to `out` with its body when it is due, and settled in the store; senders are told of failures, and
 * people see and change what waits.
 *
 * Whoever is away is waited for: without box nothing is settled, without out nothing is tried, and a
 * try that was cut off is made again after some seconds.
 */
#ifndef SERVE_QUEUE_H
#define SERVE_QUEUE_H

#include "net/peers.h"

struct random;
struct queue_serve;

struct queue_serve_conf {
	struct bytes host; /* who reports; borrowed for its life */
	bool relay;        /* all mail goes over one server */
	/* Memory is used up: the role must end and start anew. */
	void (*failed)(void *owner, struct err);
	void *owner;
};

MUST_CHECK struct err queue_serve_open(struct queue_serve **, const struct queue_serve_conf *,
                                       struct loop *, struct random *, struct peers *);
void queue_serve_close(struct queue_serve *);
/* The role is sealed: what box has is loaded. */
void queue_serve_start(struct queue_serve *);
void queue_serve_relay(struct queue_serve *, bool relay);
/* A word of box or of people. */
void queue_serve_word(struct queue_serve *, const struct peer *, struct chan_word *);
/* box or out is there again. */
void queue_serve_came(struct queue_serve *, const struct peer *);
/* Nothing more is tried; drained() comes when what goes on is over and settled. */
void queue_serve_drain(struct queue_serve *, loop_fn *drained, void *owner);
void queue_serve_status(const struct queue_serve *, struct wr *counters);

#endif

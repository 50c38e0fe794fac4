/*
 * queue_settle.c - what changed is told to box under one operation id until box has it, whatever
 * happens in between.
 */
#include "serve/queue_parts.h"

#include "base/random.h"

#include <stdlib.h>

enum { SETTLES_MAX = 64, SETTLE_MS = 60 * 1000, AGAIN_MS = 5000 };

struct settle_job {
	struct queue_job job;
	struct talk_id op;
	uint64_t id;
	uint32_t flags;
	uint8_t *rows;
	size_t n;
};

void
queue_settle_drop(struct queue_job *job)
{
	free(((struct settle_job *)job)->rows);
}

static void say(struct queue_job *job);

static void
settled(void *owner, struct err e, struct chan_word *w)
{
	struct talk_queue_settle_answer answer = {.code = ERR_LATER};
	struct settle_job *s = owner;
	struct queue_serve *q = s->job.serve;
	char id[QUEUE_ID_MAX + 1];

	if (is_ok(e) && !talk_queue_settle_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code && answer.code != ERR_NOTFOUND) {
		if (is_ok(e))
			log_event(LOG_WARN, "queue.settle_failed", queue_kv_id(id, s->id),
			          kv_err((struct err){answer.code, 0, ""}));
		queue_job_again(&s->job, AGAIN_MS, say);
		return;
	}
	plan_settled(q->plan, s->id, answer.code == ERR_NOTFOUND);
	queue_settle_drop(&s->job);
	queue_job_free(&q->settles, &s->job);
	queue_soon(q);
}

static void
say(struct queue_job *job)
{
	struct settle_job *s = (struct settle_job *)job;
	struct chan *box = peers_chan(job->serve->peers, ROLE_BOX, 0);
	const struct talk_queue_settle word = {
	    .op = s->op, .id = s->id, .flags = s->flags, .rows = {s->rows, s->n}};

	if (!box || !is_ok(chan_ask(box, &job->ask, talk_queue_settle_out(&word), -1, SETTLE_MS,
	                            settled, s)))
		queue_job_again(job, AGAIN_MS, say);
}

void
queue_settle_begin(struct queue_serve *q)
{
	bool box = peers_chan(q->peers, ROLE_BOX, 0) != NULL;

	while (box && q->settles.n < SETTLES_MAX && plan_counts(q->plan).to_settle) {
		uint8_t *room = loop_lend(q->loop), *rows = NULL;
		struct wr w = wr_of(room, room ? SPOOL_PACKED_MAX : 0);
		struct settle_job *s = room ? queue_job_new(q, &q->settles, sizeof(*s)) : NULL;

		if (s)
			plan_settle(q->plan, queue_now(q), &s->id, &s->flags, &w);
		if (s) {
			s->n = wr_since(&w, room).n;
			rows = malloc(s->n + 1);
		}
		if (rows)
			memcpy(rows, room, s->n);
		loop_give_back(q->loop, room);
		if (!rows) { /* what is not kept would be lost: a new life loads it again */
			queue_check(q, ERR(ERR_MEMORY, 0, "settle"));
			return;
		}
		s->rows = rows;
		random_fill(q->random, s->op.b, sizeof(s->op.b));
		say(&s->job);
	}
}

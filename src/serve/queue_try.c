/* queue_try.c - a try: the body from box, to out, and what became of each recipient. */
#include "serve/queue_parts.h"

#include "base/random.h"

#include <unistd.h>

enum {
	BODY_MS = 5 * 60 * 1000,
	SEND_MS = 2 * 3600 * 1000, /* out has deadlines of its own, below this one */
	SOON_MS = 3000,            /* so long, and up to twice, when a try was cut off */
	RECIPIENTS_MAX = 32768,    /* talk.def: out_send */
	SETTLES_WAIT = 1000,       /* no more tries are begun beyond what box has not settled */
	BODIES_MAX = 256 * 1024 * 1024, /* octets of all that are tried, but for the last one */
};

struct try_job {
	struct queue_job job;
	struct plan_try try;
	uint64_t size;
};

static void
forget(struct try_job *t)
{
	struct queue_serve *q = t->job.serve;

	q->bodies -= t->size;
	queue_job_free(&q->tries, &t->job);
}

static void
put_off(struct try_job *t)
{
	struct queue_serve *q = t->job.serve;
	struct plan_try try = t->try;

	forget(t);
	queue_check(q, plan_put_off(q->plan, queue_now(q), &try,
	                            SOON_MS + random_below(q->random, SOON_MS)));
	queue_soon(q);
}

/* ---- what became of it ---- */

static void
tell(struct queue_serve *q, const struct spool_head *head, struct bytes to,
     const struct spool_result *r)
{
	static const char *const names[] = {[SPOOL_DELIVERED] = "queue.sent",
	                                    [SPOOL_DEFERRED] = "queue.deferred",
	                                    [SPOOL_FAILED] = "queue.failed"};
	char id[QUEUE_ID_MAX + 1];

	q->sent += r->outcome == SPOOL_DELIVERED;
	q->deferred += r->outcome == SPOOL_DEFERRED;
	q->failed += r->outcome == SPOOL_FAILED;
	log_event(LOG_INFO, names[r->outcome], queue_kv_id(id, head->id),
	          kv_text("from", head->sender), kv_text("to", to), kv_text("server", r->server),
	          kv_text("reply", r->reply));
}

static size_t
read_results(struct try_job *t, struct bytes packed, struct spool_result *results)
{
	struct rd r = rd_of(packed);
	struct bytes to;
	size_t n = 0, at = 0;

	while (plan_try_rcpt(&t->try, &at, &to) && spool_result_get(&r, &results[n])) {
		struct spool_result *got = &results[n++];

		if (got->outcome < SPOOL_DELIVERED || got->outcome > SPOOL_FAILED)
			got->outcome = SPOOL_DEFERRED;
		tell(t->job.serve, t->try.head, to, got);
	}
	return n;
}

static void
sent(void *owner, struct err e, struct chan_word *w)
{
	struct spool_result results[SPOOL_RCPTS_MAX];
	struct try_job *t = owner;
	struct queue_serve *q = t->job.serve;
	struct talk_out_send_answer answer;
	struct plan_try try = t->try;
	size_t n;

	if (!is_ok(e) || !talk_out_send_answer_get(&w->body, &answer) || !answer.results.n) {
		put_off(t);
		return;
	}
	n = read_results(t, answer.results, results);
	forget(t);
	queue_check(q, plan_tried(q->plan, queue_now(q), &try, results, n));
	queue_soon(q);
}

/* ---- the body, and on to out ---- */

static struct bytes
recipients(const struct plan_try *try, struct wr w)
{
	uint8_t *start = w.p;
	struct bytes address;
	size_t at = 0;

	while (plan_try_rcpt(try, &at, &address))
		wr_bytes16(&w, address);
	return w.full ? NO_BYTES : wr_since(&w, start);
}

static void
send(struct try_job *t, const struct talk_queue_body_answer *body, int fd)
{
	struct queue_serve *q = t->job.serve;
	struct chan *out = peers_chan(q->peers, ROLE_OUT, 0);
	const struct spool_head *head = t->try.head;
	uint8_t *room = loop_lend(q->loop);
	struct err e = ERR(ERR_GONE, 0, "out");

	if (out && room) {
		const struct talk_out_send word = {
		    .id = head->id,
		    .domain = t->try.domain,
		    .sender = head->sender,
		    .recipients = recipients(&t->try, wr_of(room, RECIPIENTS_MAX)),
		    .skip = head->skip,
		    .header = head->header,
		    .size = head->size,
		    .body = body->body,
		};

		e = chan_ask(out, &t->job.ask, talk_out_send_out(&word), fd, SEND_MS, sent, t);
	}
	loop_give_back(q->loop, room);
	if (!is_ok(e))
		put_off(t);
}

static void
got_body(void *owner, struct err e, struct chan_word *w)
{
	struct talk_queue_body_answer answer = {.code = ERR_LATER};
	struct try_job *t = owner;
	struct queue_serve *q = t->job.serve;
	uint64_t id = t->try.head->id;
	char text[QUEUE_ID_MAX + 1];

	if (is_ok(e) && !talk_queue_body_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (!answer.code) {
		send(t, &answer, w->fd);
		return;
	}
	if (answer.code == ERR_NOTFOUND) { /* removed meanwhile */
		e = plan_change(q->plan, queue_now(q), id, QUEUE_REMOVE);
		(void)e; /* ERR_NOTFOUND: known already */
	} else if (answer.code == ERR_DENIED) {
		log_event(LOG_ERROR, "queue.damaged", queue_kv_id(text, id),
		          kv_text("from", t->try.head->sender));
		plan_keep_back(q->plan, id);
	}
	put_off(t);
}

bool
queue_may_try(const struct queue_serve *q)
{
	return !q->draining && peers_chan(q->peers, ROLE_BOX, 0) &&
	       peers_chan(q->peers, ROLE_OUT, 0) && q->bodies < BODIES_MAX &&
	       plan_counts(q->plan).to_settle < SETTLES_WAIT;
}

void
queue_try_begin(struct queue_serve *q)
{
	struct chan *box = peers_chan(q->peers, ROLE_BOX, 0);
	bool found = true;

	while (found && queue_may_try(q)) {
		struct talk_queue_body word;
		struct plan_try try;
		struct try_job *t;
		struct err e = plan_next(q->plan, queue_now(q), &try, &found);

		queue_check(q, e);
		if (!is_ok(e) || !found)
			return;
		t = queue_job_new(q, &q->tries, sizeof(*t));
		if (!t) {
			queue_check(q, plan_put_off(q->plan, queue_now(q), &try, SOON_MS));
			return;
		}
		t->try = try;
		t->size = try.head->size;
		q->bodies += t->size;
		word.id = try.head->id;
		e = chan_ask(box, &t->job.ask, talk_queue_body_out(&word), -1, BODY_MS, got_body,
		             t);
		if (!is_ok(e)) {
			put_off(t);
			return;
		}
	}
}

/* queue.c - loading what the store has, the turns of the jobs, and what people ask. */
#include "serve/queue_parts.h"

#include "base/random.h"
#include "talk/report.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	LOAD_MS = 60 * 1000,
	LOOK_MS = 10 * 1000,
	POLL_MS = 5 * 60 * 1000, /* news may be lost */
	AGAIN_MS = 5000,
	CHANGES_ONCE = 500, /* messages that one slice of a change of all reaches */
	WAKE_MAX_MS = 3600 * 1000,
	READY_MS = 30 * 1000, /* for who asks before everything is loaded */
	QUESTIONS_MAX = 64,
};

struct plan_time
queue_now(const struct queue_serve *q)
{
	return (struct plan_time){loop_now_ms(q->loop), loop_wall_ns(q->loop) / 1000000000};
}

void
queue_check(struct queue_serve *q, struct err e)
{
	if (!is_ok(e))
		q->conf.failed(q->conf.owner, e);
}

struct kv
queue_kv_id(char room[QUEUE_ID_MAX + 1], uint64_t id)
{
	snprintf(room, QUEUE_ID_MAX + 1, "%llx", (unsigned long long)id);
	return kv_text("id", bytes_of(room));
}

/* ---- jobs ---- */

void *
queue_job_new(struct queue_serve *q, struct queue_jobs *jobs, size_t size)
{
	struct queue_job *j = calloc(1, size);

	if (!j)
		return NULL;
	j->serve = q;
	j->next = jobs->first;
	j->link = &jobs->first;
	if (j->next)
		j->next->link = &j->next;
	jobs->first = j;
	jobs->n++;
	return j;
}

void
queue_job_free(struct queue_jobs *jobs, struct queue_job *j)
{
	chan_ask_stop(&j->ask);
	loop_timer_stop(j->serve->loop, &j->timer);
	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	jobs->n--;
	free(j);
}

static void
run_again(void *owner)
{
	struct queue_job *j = owner;
	void (*again)(struct queue_job *) = j->again;

	j->again = NULL;
	loop_timer_stop(j->serve->loop, &j->timer);
	if (again)
		again(j);
}

void
queue_job_again(struct queue_job *j, uint64_t after_ms, void (*again)(struct queue_job *))
{
	j->again = again;
	loop_timer_set(j->serve->loop, &j->timer, after_ms, run_again, j);
}

static void
run_all(struct queue_jobs *jobs)
{
	struct queue_job *next;

	for (struct queue_job *j = jobs->first; j; j = next) {
		next = j->next; /* run_again() frees no job before its own answer */
		run_again(j);
	}
}

/* ---- turns ---- */

static void load(struct queue_serve *q);

static void
wake(void *owner)
{
	queue_soon(owner);
}

static void
turn(void *owner)
{
	struct queue_serve *q = owner;
	uint64_t ms;

	queue_settle_begin(q);
	queue_report_begin(q);
	queue_try_begin(q);
	if (q->behind && plan_has_room(q->plan))
		load(q);
	ms = plan_wakes(q->plan, queue_now(q));
	if (ms == 0) /* more is due than one turn takes; or what it waits for calls us */
		ms = queue_may_try(q) ? 1 : WAKE_MAX_MS;
	if (ms != UINT64_MAX)
		loop_timer_set(q->loop, &q->wake, ms < WAKE_MAX_MS ? ms : WAKE_MAX_MS, wake, q);
	if (q->drained && !q->tries.n && !q->settles.n) {
		loop_fn *drained = q->drained;

		q->drained = NULL;
		drained(q->drained_owner);
	}
}

void
queue_soon(struct queue_serve *q)
{
	loop_defer(q->loop, &q->turn, turn, q);
}

static void
look(void *owner)
{
	struct queue_serve *q = owner;

	queue_check(q, plan_look(q->plan, queue_now(q)));
	loop_timer_set(q->loop, &q->look, LOOK_MS, look, q);
	queue_soon(q);
}

/* ---- loading ---- */

static void
poll(void *owner)
{
	load(owner);
}

/* The next message of a page; false at its end. */
static bool
next_message(struct rd *r, struct spool_head *head, struct spool_rcpt *rows, uint16_t *n)
{
	if (!spool_head_get(r, head, n) || *n > SPOOL_RCPTS_MAX)
		return false;
	for (uint16_t i = 0; i < *n; i++)
		if (!spool_rcpt_get(r, &rows[i]))
			return false;
	return true;
}

/* Answer: ERR_FULL no room for all of them now. */
static struct err
take_rows(struct queue_serve *q, struct bytes packed, bool fresh)
{
	struct spool_rcpt rows[SPOOL_RCPTS_MAX];
	struct rd r = rd_of(packed);
	struct spool_head head;
	char id[QUEUE_ID_MAX + 1];
	struct err e = OK;
	uint16_t n;

	while (is_ok(e) && next_message(&r, &head, rows, &n)) {
		e = plan_add(q->plan, queue_now(q), fresh, &head, rows, n);
		if (is_ok(e) && fresh)
			log_event(LOG_INFO, "queue.queued", queue_kv_id(id, head.id),
			          kv_text("from", head.sender), kv_u64("rcpts", n),
			          kv_u64("size", head.size));
		if (e.code == ERR_SYNTAX)
			log_event(LOG_ERROR, "queue.damaged", queue_kv_id(id, head.id),
			          kv_text("from", head.sender));
		if (e.code == ERR_EXISTS || e.code == ERR_SYNTAX)
			e = OK;
		if (is_ok(e) && !fresh && head.id > q->loaded)
			q->loaded = head.id;
	}
	if (is_fault(e))
		queue_check(q, e);
	q->behind |= e.code == ERR_FULL;
	return e;
}

static void
loaded(void *owner, struct err e, struct chan_word *w)
{
	struct talk_queue_load_answer answer = {.code = ERR_LATER};
	struct queue_serve *q = owner;
	uint64_t before = q->loaded;
	bool more;

	if (is_ok(e) && !talk_queue_load_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	if (answer.code) {
		log_event(LOG_WARN, "queue.load_failed",
		          kv_err(is_ok(e) ? ERR(ERR_LATER, 0, "box") : e));
		loop_timer_set(q->loop, &q->poll, AGAIN_MS, poll, q);
		return;
	}
	q->behind = false;
	e = take_rows(q, answer.rows, false);
	more = is_ok(e) && ((answer.more && q->loaded > before) || q->load_again);
	q->load_again = false;
	loop_timer_set(q->loop, &q->poll, POLL_MS, poll, q);
	if (more) {
		load(q);
	} else {
		q->ready = true;
		run_all(&q->questions);
	}
	queue_soon(q);
}

static void
load(struct queue_serve *q)
{
	struct chan *box = peers_chan(q->peers, ROLE_BOX, 0);
	const struct talk_queue_load word = {.after = q->loaded};

	if (q->load.chan) {
		q->load_again = true;
		return;
	}
	loop_timer_set(q->loop, &q->poll, POLL_MS, poll, q);
	if (box &&
	    !is_ok(chan_ask(box, &q->load, talk_queue_load_out(&word), -1, LOAD_MS, loaded, q)))
		loop_timer_set(q->loop, &q->poll, AGAIN_MS, poll, q);
}

static void
on_news(struct queue_serve *q, struct chan_word *w)
{
	struct talk_queue_news t;
	struct err e;

	if (!talk_queue_news_get(&w->body, &t))
		return;
	if (!t.rows.n) {
		load(q);
		return;
	}
	e = take_rows(q, t.rows, true);
	(void)e; /* for what has no room now, it is behind */
	queue_soon(q);
}

/* ---- people ---- */

static void
answer_list(struct queue_serve *q, struct asker to, uint64_t after, uint64_t only)
{
	uint8_t *room = loop_lend(q->loop);
	struct wr rows = wr_of(room, room ? SPOOL_PACKED_MAX : 0);
	struct talk_queue_list_answer answer = {.code = room && q->ready ? 0 : ERR_LATER};
	bool more = false;

	if (!answer.code)
		plan_list(q->plan, queue_now(q), after, only, &rows, &more);
	answer.more = more;
	answer.rows = wr_since(&rows, room);
	if (!answer.code && only && !answer.rows.n)
		answer.code = ERR_NOTFOUND;
	peers_answer(q->peers, to, talk_queue_list_answer_out(&answer), -1);
	loop_give_back(q->loop, room);
}

/* A change of all messages, a slice a turn. */
struct change_job {
	struct queue_job job;
	struct asker asker;
	enum queue_change what;
	uint64_t at;
	uint32_t count;
};

static void
answer_change(struct queue_serve *q, struct asker to, uint8_t code, uint32_t count)
{
	struct talk_queue_change_answer answer = {.code = code, .count = count};

	if (code == ERR_LATER)
		answer.text = BYTES("the queue is not loaded yet: try again");
	if (code == ERR_NOTFOUND)
		answer.text = BYTES("no message of this id is in the queue");
	if (code == ERR_SYNTAX)
		answer.text = BYTES("this is nothing that the queue can do");
	peers_answer(q->peers, to, talk_queue_change_answer_out(&answer), -1);
}

static void
change_some(struct queue_job *job)
{
	struct change_job *c = (struct change_job *)job;
	struct queue_serve *q = job->serve;
	uint64_t id = plan_after(q->plan, c->at);

	for (int i = 0; id && i < CHANGES_ONCE; i++) {
		struct err e = plan_change(q->plan, queue_now(q), id, c->what);

		if (is_fault(e))
			queue_check(q, e);
		c->count += is_ok(e);
		c->at = id;
		id = plan_after(q->plan, id);
	}
	queue_soon(q);
	if (id) {
		queue_job_again(job, 0, change_some);
		return;
	}
	answer_change(q, c->asker, 0, c->count);
	queue_job_free(&q->changes, job);
}

static void
change(struct queue_serve *q, struct asker to, uint64_t id, uint8_t what)
{
	struct change_job *c;
	struct err e;

	if (!q->ready || what < QUEUE_RETRY || what > QUEUE_REMOVE) {
		answer_change(q, to, q->ready ? ERR_SYNTAX : ERR_LATER, 0);
		return;
	}
	if (id) {
		e = plan_change(q->plan, queue_now(q), id, (enum queue_change)what);
		if (is_fault(e))
			queue_check(q, e);
		answer_change(q, to, talk_code(e), is_ok(e));
		queue_soon(q);
		return;
	}
	c = queue_job_new(q, &q->changes, sizeof(*c));
	if (!c) {
		answer_change(q, to, ERR_LATER, 0);
		return;
	}
	c->asker = to;
	c->what = (enum queue_change)what;
	change_some(&c->job);
}

/* What was asked before everything is loaded waits for that: a command may have just started us. */
struct question_job {
	struct queue_job job;
	struct asker asker;
	uint64_t after, id;
	uint8_t what; /* 0: to list */
};

static void
question_answer(struct queue_job *job)
{
	struct question_job *j = (struct question_job *)job;

	if (j->what)
		change(job->serve, j->asker, j->id, j->what);
	else
		answer_list(job->serve, j->asker, j->after, j->id);
	queue_job_free(&job->serve->questions, job);
}

static void
question(struct queue_serve *q, const struct question_job *asked)
{
	struct question_job *j;

	if (q->ready || q->questions.n >= QUESTIONS_MAX) {
		j = NULL;
	} else {
		j = queue_job_new(q, &q->questions, sizeof(*j));
	}
	if (j) {
		j->asker = asked->asker;
		j->after = asked->after;
		j->id = asked->id;
		j->what = asked->what;
		queue_job_again(&j->job, READY_MS, question_answer);
	} else if (asked->what) {
		change(q, asked->asker, asked->id, asked->what);
	} else {
		answer_list(q, asked->asker, asked->after, asked->id);
	}
}

static void
on_list(struct queue_serve *q, const struct peer *p, struct chan_word *w)
{
	struct question_job j = {.asker = peers_asker(p, w)};
	struct talk_queue_list t;

	if (!talk_queue_list_get(&w->body, &t))
		return;
	j.after = t.after;
	j.id = t.only;
	question(q, &j);
}

static void
on_change(struct queue_serve *q, const struct peer *p, struct chan_word *w)
{
	struct question_job j = {.asker = peers_asker(p, w)};
	struct talk_queue_change t;

	if (!talk_queue_change_get(&w->body, &t))
		return;
	j.id = t.id;
	j.what = t.what;
	if (t.what)
		question(q, &j);
	else
		answer_change(q, j.asker, ERR_SYNTAX, 0);
}

/* ---- public ---- */

void
queue_serve_word(struct queue_serve *q, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_QUEUE_NEWS:
		on_news(q, w);
		break;
	case WORD_QUEUE_LIST:
		on_list(q, p, w);
		break;
	case WORD_QUEUE_CHANGE:
		on_change(q, p, w);
		break;
	default:
		break;
	}
}

void
queue_serve_came(struct queue_serve *q, const struct peer *p)
{
	if (p->role == ROLE_BOX) {
		run_all(&q->settles);
		run_all(&q->reports);
		load(q);
	}
	queue_soon(q);
}

void
queue_serve_start(struct queue_serve *q)
{
	load(q);
	loop_timer_set(q->loop, &q->look, LOOK_MS, look, q);
}

void
queue_serve_relay(struct queue_serve *q, bool relay)
{
	plan_relay(q->plan, relay);
}

void
queue_serve_drain(struct queue_serve *q, loop_fn *drained, void *owner)
{
	q->draining = true;
	q->drained = drained;
	q->drained_owner = owner;
	queue_soon(q);
}

void
queue_serve_status(const struct queue_serve *q, struct wr *counters)
{
	struct plan_counts c = plan_counts(q->plan);

	report_put_counter(counters, "queued", c.messages);
	report_put_counter(counters, "trying", c.running);
	report_put_counter(counters, "octets", c.octets);
	report_put_counter(counters, "sent", q->sent);
	report_put_counter(counters, "deferred", q->deferred);
	report_put_counter(counters, "failed", q->failed);
	report_put_counter(counters, "reported", q->reported);
}

struct err
queue_serve_open(struct queue_serve **out, const struct queue_serve_conf *conf, struct loop *loop,
                 struct random *random, struct peers *peers)
{
	struct queue_serve *q = calloc(1, sizeof(*q));
	uint8_t key[16];

	if (!q)
		return ERR(ERR_MEMORY, 0, "queue");
	*q = (struct queue_serve){.conf = *conf, .loop = loop, .random = random, .peers = peers};
	random_fill(random, key, sizeof(key));
	q->plan = plan_new(key, random);
	if (!q->plan) {
		free(q);
		return ERR(ERR_MEMORY, 0, "queue");
	}
	plan_relay(q->plan, conf->relay);
	*out = q;
	return OK;
}

static void
drop_all(struct queue_jobs *jobs, void (*drop)(struct queue_job *))
{
	while (jobs->first) {
		if (drop)
			drop(jobs->first);
		queue_job_free(jobs, jobs->first);
	}
}

void
queue_serve_close(struct queue_serve *q)
{
	if (!q)
		return;
	drop_all(&q->tries, NULL);
	drop_all(&q->settles, queue_settle_drop);
	drop_all(&q->reports, queue_report_drop);
	drop_all(&q->changes, NULL);
	drop_all(&q->questions, NULL);
	chan_ask_stop(&q->load);
	loop_defer_stop(q->loop, &q->turn);
	loop_timer_stop(q->loop, &q->wake);
	loop_timer_stop(q->loop, &q->look);
	loop_timer_stop(q->loop, &q->poll);
	plan_free(q->plan);
	free(q);
}

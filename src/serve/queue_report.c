/*
 * queue_report.c - a sender is told: the header from box, the report, and box delivers it.  Its
 * operation id comes from what is told of alone, so that a life that repeats it adds nothing
 * (attacks 54, 57).
 */
#include "serve/queue_parts.h"

#include "base/random.h"
#include "base/siphash.h"
#include "mail/summary.h"
#include "net/snap.h"
#include "queue/dsn.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	REPORTS_AT_ONCE = 8,
	REPORTS_MAX = 1000, /* with those that box could not take yet, which hold up nobody */
	BODY_MS = 5 * 60 * 1000,
	DELIVER_MS = 60 * 1000,
	AGAIN_MS = 10 * 1000, /* doubled with each failure */
	AGAIN_MAX_MS = 10 * 60 * 1000,
	INLINE_MAX = 48 * 1024, /* talk.def: box_deliver */
};

struct report_job {
	struct queue_job job;
	struct plan_report report;
	struct buf message;
	uint32_t skip;
	int fd; /* the message, sealed, when it is large; else -1 */
	uint64_t since_ms, wait_ms;
};

void
queue_report_drop(struct queue_job *job)
{
	struct report_job *r = (struct report_job *)job;

	buf_free(&r->message);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void
finish(struct report_job *r)
{
	struct queue_serve *q = r->job.serve;
	struct plan_report report = r->report;

	queue_report_drop(&r->job);
	queue_job_free(&q->reports, &r->job);
	plan_reported(q->plan, &report);
	queue_soon(q);
}

static void
tell(struct report_job *r, const char *event)
{
	char id[QUEUE_ID_MAX + 1];
	struct spool_rcpt rcpt;
	size_t at = 0, n = 0;

	while (plan_report_rcpt(&r->report, &at, &rcpt))
		n++;
	log_event(LOG_INFO, event, queue_kv_id(id, r->report.head->id),
	          kv_text("from", r->report.head->sender),
	          kv_word("what", r->report.delay ? "delayed" : "failed"), kv_u64("rcpts", n));
}

/* Those that box works for now; the others wait for another time. */
static size_t
busy(const struct queue_serve *q)
{
	size_t n = 0;

	for (const struct queue_job *j = q->reports.first; j; j = j->next)
		n += !j->again;
	return n;
}

static void fetch(struct queue_job *job);

/* Once more from the start: while it waits it holds no message. */
static void
again(struct report_job *r)
{
	struct queue_serve *q = r->job.serve;

	queue_report_drop(&r->job);
	r->wait_ms = r->wait_ms ? r->wait_ms * 2 : AGAIN_MS;
	if (r->wait_ms > AGAIN_MAX_MS)
		r->wait_ms = AGAIN_MAX_MS;
	queue_job_again(&r->job, r->wait_ms, fetch);
	queue_soon(q); /* another one may go on meanwhile */
}

/* ---- handing it in ---- */

static struct talk_id
op_of(const struct report_job *r)
{
	static const uint8_t keys[2][SIPHASH_KEY] = {"stead queue op 1", "stead queue op 2"};
	uint8_t room[8 + 2 + 1];
	struct wr w = wr_of(room, sizeof(room));
	struct talk_id op;
	struct wr o = wr_of(op.b, sizeof(op.b));

	wr_u64(&w, r->report.head->id);
	wr_u16(&w, r->report.number);
	wr_u8(&w, r->report.delay);
	for (size_t i = 0; i < COUNT(keys); i++)
		wr_u64(&o, siphash(keys[i], wr_since(&w, room)));
	return op;
}

/* As long as a message is tried: the mailbox that it is for may never be mended. */
static bool
may_go_on(const struct report_job *r)
{
	return queue_now(r->job.serve).now_ms - r->since_ms < (uint64_t)PLAN_GIVE_UP_S * 1000;
}

static void
delivered(void *owner, struct err e, struct chan_word *w)
{
	struct talk_box_deliver_answer answer = {.code = ERR_LATER};
	struct report_job *r = owner;

	if (is_ok(e) && !talk_box_deliver_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	switch (answer.code) {
	case 0:
		r->job.serve->reported++;
		tell(r, "queue.reported");
		finish(r);
		break;
	case ERR_NOTFOUND: /* who sent it was of here, and is no more */
	case ERR_DENIED:
	case ERR_RANGE:
		tell(r, "queue.unreported");
		finish(r);
		break;
	default:
		if (may_go_on(r)) {
			again(r);
		} else {
			tell(r, "queue.unreported");
			finish(r);
		}
		break;
	}
}

static struct bytes
summary(const struct report_job *r, struct wr w)
{
	struct summary_scan scan;
	struct summary row;
	uint8_t *start = w.p;

	summary_init(&scan);
	summary_feed(&scan, buf_bytes(&r->message));
	row = summary_done(&scan);
	summary_write(&w, &row);
	summary_fini(&scan);
	return w.full ? NO_BYTES : wr_since(&w, start);
}

static void
deliver(struct report_job *r)
{
	struct queue_serve *q = r->job.serve;
	struct chan *box = peers_chan(q->peers, ROLE_BOX, 0);
	uint8_t rows[SUMMARY_PACKED_MAX], to[2 + 320];
	struct wr t = wr_of(to, sizeof(to));
	struct talk_box_deliver word = {.op = op_of(r)};
	struct err e = ERR(ERR_GONE, 0, "box");

	wr_bytes16(&t, r->report.head->sender);
	word.recipients = wr_since(&t, to);
	word.summary = summary(r, wr_of(rows, sizeof(rows)));
	word.body = r->fd < 0 ? buf_bytes(&r->message) : NO_BYTES;
	if (box)
		e = chan_ask(box, &r->job.ask, talk_box_deliver_out(&word), r->fd, DELIVER_MS,
		             delivered, r);
	if (!is_ok(e))
		again(r);
}

/* ---- writing it ---- */

static struct err
write_report(struct report_job *r, struct bytes header)
{
	static const uint8_t key[SIPHASH_KEY] = "stead queue mark";
	const struct queue_serve *q = r->job.serve;
	const struct spool_head *head = r->report.head;
	struct spool_rcpt *rcpts = calloc(SPOOL_RCPTS_MAX, sizeof(*rcpts));
	uint64_t wall_s = queue_now(q).wall_s;
	uint64_t left = r->report.age_s < PLAN_GIVE_UP_S ? PLAN_GIVE_UP_S - r->report.age_s : 0;
	struct dsn dsn = {
	    .host = q->conf.host,
	    .id = head->id,
	    .sender = head->sender,
	    .delay = r->report.delay,
	    .created_s = head->created_s,
	    .now_s = wall_s,
	    .until_s = wall_s + left,
	    .header = header,
	    .chance = random_u64(q->random) ^ siphash(key, header),
	    .rcpts = rcpts,
	};
	struct err e = rcpts ? OK : ERR(ERR_MEMORY, 0, "report");
	size_t at = 0;

	while (is_ok(e) && dsn.n < SPOOL_RCPTS_MAX &&
	       plan_report_rcpt(&r->report, &at, &rcpts[dsn.n]))
		dsn.n++;
	r->message = buf_init(DSN_MAX);
	if (is_ok(e))
		e = dsn_write(&r->message, &dsn, &r->skip);
	if (is_ok(e) && r->message.n > INLINE_MAX)
		e = snap_copy("report", buf_bytes(&r->message), &r->fd);
	free(rcpts);
	return e;
}

static void
got_body(void *owner, struct err e, struct chan_word *w)
{
	struct talk_queue_body_answer answer = {.code = ERR_LATER};
	struct report_job *r = owner;
	const struct spool_head *head = r->report.head;
	uint8_t *room = loop_lend(r->job.serve->loop);
	struct bytes header = NO_BYTES;
	size_t n = (size_t)(head->header - head->skip);
	bool known;

	if (is_ok(e) && !talk_queue_body_answer_get(&w->body, &answer))
		answer.code = ERR_LATER;
	n = n < DSN_HEADER_MAX ? n : DSN_HEADER_MAX;
	if (!answer.code && w->fd >= 0 && room) {
		ssize_t got = pread(w->fd, room, n, head->skip);

		header = (struct bytes){room, got > 0 ? (size_t)got : 0};
	} else if (!answer.code && answer.body.n >= head->skip + n) {
		header = (struct bytes){answer.body.p + head->skip, n};
	}
	/* one that is damaged, or gone, is reported without its header */
	known = !answer.code || answer.code == ERR_DENIED || answer.code == ERR_NOTFOUND;
	if (known && is_ok(write_report(r, header)))
		deliver(r);
	else
		again(r);
	loop_give_back(r->job.serve->loop, room);
}

static void
fetch(struct queue_job *job)
{
	struct report_job *r = (struct report_job *)job;
	struct chan *box = peers_chan(job->serve->peers, ROLE_BOX, 0);
	const struct talk_queue_body word = {.id = r->report.head->id};

	if (busy(job->serve) > REPORTS_AT_ONCE) { /* many have waited for box */
		queue_job_again(job, AGAIN_MS, fetch);
		return;
	}
	if (!box ||
	    !is_ok(chan_ask(box, &job->ask, talk_queue_body_out(&word), -1, BODY_MS, got_body, r)))
		again(r);
}

void
queue_report_begin(struct queue_serve *q)
{
	bool may = peers_chan(q->peers, ROLE_BOX, 0) && !q->draining;
	struct plan_report report;

	while (may && busy(q) < REPORTS_AT_ONCE && q->reports.n < REPORTS_MAX &&
	       plan_report(q->plan, queue_now(q), &report)) {
		struct report_job *r = queue_job_new(q, &q->reports, sizeof(*r));

		if (!r) { /* the new life finds it where it was */
			queue_check(q, ERR(ERR_MEMORY, 0, "report"));
			return;
		}
		r->report = report;
		r->fd = -1;
		r->since_ms = queue_now(q).now_ms;
		if (report.head->flags & SPOOL_BOUNCE) { /* RFC 5321 6.1: nobody (attack 64) */
			tell(r, "queue.unreported");
			finish(r);
		} else {
			fetch(&r->job);
		}
	}
}

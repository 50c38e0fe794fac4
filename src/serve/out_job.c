/*
 * out_job.c - one message to the recipients of one domain: place after place, until each recipient
 * has its result or nothing is left to try.
 *
 * Invariants:
 * 1. A recipient is said to at most one server at a time, and to none once it is closed.
 * 2. Deferred by one server outweighs failed by another that did not look at the recipient.
 * 3. The job is answered exactly once, also when its time is over.
 */
#include "serve/out_parts.h"

#include "base/log.h"
#include "base/random.h"
#include "dns/msg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	ARENA_MAX = 2 << 20,
	RESULTS_MAX = 61440, /* talk.def: out_send */
	RESULT_FIXED = 9,    /* octets of a packed result beside its texts */
	ASK_MS = 60 * 1000,  /* for the resolver, which has deadlines of its own */
	MANY = 64,           /* recipients of whom less is kept of what is said */
};

_Static_assert((int)SMTPC_DELIVERED == SPOOL_DELIVERED && (int)SMTPC_DEFERRED == SPOOL_DEFERRED &&
                   (int)SMTPC_FAILED == SPOOL_FAILED,
               "outcomes have the same numbers");

static void go(void *owner);

static void
soon(struct out_job *j)
{
	loop_defer(j->out->loop, &j->task, go, j);
}

/* ---- results ---- */

static void
put(struct wr *w, const struct spool_result *given, size_t n)
{
	struct spool_result r = *given;
	size_t share = RESULTS_MAX / n - RESULT_FIXED;

	if (r.server.n > share / 2)
		r.server.n = share / 2;
	if (r.reply.n > SPOOL_REPLY_MAX)
		r.reply.n = SPOOL_REPLY_MAX;
	if (r.reply.n > share - r.server.n)
		r.reply.n = share - r.server.n;
	spool_result_put(w, &r);
}

void
out_results_same(struct wr *w, size_t n, const struct spool_result *r)
{
	for (size_t i = 0; i < n; i++)
		put(w, r, n);
}

/* What is known of a recipient so far; texts are copied. */
static void
note(struct out_job *j, size_t i, struct spool_result r, bool final)
{
	struct out_rcpt *rcpt = &j->results[i];
	size_t max = j->n > MANY ? SPOOL_RCPT_KEPT : SPOOL_REPLY_MAX;

	if (rcpt->closed)
		return;
	rcpt->closed = final;
	if (!final && rcpt->result.outcome == SPOOL_DEFERRED && r.outcome == SPOOL_FAILED)
		return; /* the one that deferred it may take it yet */
	if (r.reply.n > max)
		r.reply.n = max;
	r.reply = arena_copy(&j->arena, r.reply);
	r.server = arena_copy(&j->arena, r.server);
	if (!r.reply.p)
		r.reply = NO_BYTES;
	if (!r.server.p)
		r.server = NO_BYTES;
	rcpt->result = r;
}

static struct spool_result
own(enum spool_outcome outcome, const uint8_t status[3], struct bytes text)
{
	return (struct spool_result){.outcome = (uint8_t)outcome,
	                             .status = {status[0], status[1], status[2]},
	                             .reply = text};
}

/* For all that are open still, and have nothing better. */
static void
note_rest(struct out_job *j, struct spool_result r)
{
	for (size_t i = 0; i < j->n; i++)
		if (!j->results[i].result.outcome)
			note(j, i, r, false);
}

static void
note_deferred(struct out_job *j, const uint8_t status[3], const char *text)
{
	note_rest(j, own(SPOOL_DEFERRED, status, bytes_of(text)));
}

static void
tell_log(const struct out_job *j)
{
	size_t counts[SPOOL_FAILED + 1] = {0};
	const struct spool_result *shown = &j->results[0].result;
	enum spool_outcome worst;
	char id[17];

	snprintf(id, sizeof(id), "%016" PRIx64, j->id); /* as queue writes it */
	for (size_t i = 0; i < j->n; i++) {
		const struct spool_result *r = &j->results[i].result;

		counts[r->outcome]++;
		if (r->outcome > shown->outcome)
			shown = r;
	}
	worst = counts[SPOOL_FAILED]     ? SPOOL_FAILED
	        : counts[SPOOL_DEFERRED] ? SPOOL_DEFERRED
	                                 : SPOOL_DELIVERED;
	log_event(LOG_INFO,
	          worst == SPOOL_FAILED     ? "out.failed"
	          : worst == SPOOL_DEFERRED ? "out.deferred"
	                                    : "out.delivered",
	          kv_text("id", bytes_of(id)), kv_text("domain", j->domain),
	          kv_text("sender", j->sender), kv_text("rcpt", j->rcpts[0]), kv_u64("rcpts", j->n),
	          kv_u64("delivered", counts[SPOOL_DELIVERED]),
	          kv_u64("deferred", counts[SPOOL_DEFERRED]),
	          kv_u64("failed", counts[SPOOL_FAILED]), kv_text("server", shown->server),
	          kv_ip("ip", j->place.addr.ip), kv_u64("tries", j->tries),
	          kv_text("reply", shown->reply));
	j->out->delivered += counts[SPOOL_DELIVERED];
	j->out->deferred += counts[SPOOL_DEFERRED];
	j->out->failed += counts[SPOOL_FAILED];
}

/* Nobody has said anything to a recipient: the place is not at fault when one of our own was away. */
static bool
is_untried(const struct out_job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct spool_result *r = &j->results[i].result;

		if (r->outcome != SPOOL_DEFERRED || r->is_reply)
			return false;
	}
	return j->alone;
}

static void
finish(struct out_job *j)
{
	struct out *out = j->out;
	uint8_t *room = malloc(RESULTS_MAX);
	struct wr w = wr_of(room, room ? RESULTS_MAX : 0);
	struct talk_out_send_answer a;

	tell_log(j);
	for (size_t i = 0; room && i < j->n && !is_untried(j); i++)
		put(&w, &j->results[i].result, j->n);
	a.results = wr_since(&w, room);
	if (room && !w.full) /* else queue's deadline tells it to try again */
		peers_answer(out->peers, j->asker, talk_out_send_answer_out(&a), -1);
	free(room);
	out_job_free(j);
	out_job_gone(out);
}

/* There is no further place. */
static void
finish_with_route(struct out_job *j)
{
	struct route_why why = route_why(j->route);
	struct spool_result r =
	    own(why.later ? SPOOL_DEFERRED : SPOOL_FAILED, why.status, why.text);

	note_rest(j, r);
	for (size_t i = 0; i < j->n; i++) { /* a server that is not known yet may take it */
		struct spool_result *known = &j->results[i].result;

		if (why.later && !j->results[i].closed && known->outcome == SPOOL_FAILED)
			note(j, i, r, true);
	}
	finish(j);
}

/* ---- the way ---- */

static void
answered(void *owner, struct err e, struct chan_word *w)
{
	struct out_job *j = owner;
	struct talk_resolve_ask_answer t;
	struct route_answer a = {.unknown = true, .text = BYTES("the resolver did not answer")};

	j->asking = false;
	j->looked_ms += loop_now_ms(j->out->loop) - j->asked_ms;
	j->alone |= e.code == ERR_GONE;
	if (is_ok(e) && talk_resolve_ask_answer_get(&w->body, &t)) {
		a.unknown = t.code || t.verdict == DNS_BOGUS;
		a.rcode = t.rcode;
		a.records = t.records;
		a.text = t.verdict == DNS_BOGUS && !t.text.n ? BYTES("its signatures are wrong")
		                                             : t.text;
	}
	route_answer(j->route, &a);
	soon(j);
}

static void
ask(struct out_job *j)
{
	const struct route_answer none = {.unknown = true,
	                                  .text = BYTES("the resolver is not there")};
	struct chan *whom = peers_chan(j->out->peers, ROLE_RESOLVE, 0);
	struct talk_resolve_ask word;

	route_question(j->route, &word.name, &word.type);
	j->asked_ms = loop_now_ms(j->out->loop);
	j->asking = whom && is_ok(chan_ask(whom, &j->ask, talk_resolve_ask_out(&word), -1, ASK_MS,
	                                   answered, j));
	if (!j->asking) {
		j->alone = true;
		route_answer(j->route, &none);
		soon(j);
	}
}

/* Those that are open become the recipients of the next try; false: there are none. */
static bool
gather(struct out_job *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->n; i++)
		if (!j->results[i].closed) {
			j->open[n] = j->rcpts[i];
			j->numbers[n++] = i;
		}
	j->message = (struct smtpc_message){
	    .sender = j->sender,
	    .rcpts = j->open,
	    .n = n,
	    .size = j->body.bytes.n,
	    .is_8bit = j->body.is_8bit,
	    .is_8bit_head = j->body.is_8bit_head,
	};
	return n > 0;
}

static void
call(struct out_job *j)
{
	struct err e;

	j->tries++;
	j->reused = false;
	e = out_line_new(j);
	if (is_ok(e))
		return;
	note_deferred(j, (const uint8_t[]){4, 3, 0}, "no memory for a connection now");
	finish(j);
}

/* A place that the route tells. */
static void
take_target(struct out_job *j)
{
	struct route_target t = route_target(j->route);
	struct wr w = wr_of(j->place.name, sizeof(j->place.name));

	j->place.addr = t.addr;
	wr_bytes(&w, t.name);
	j->place.name_n = (uint8_t)wr_since(&w, j->place.name).n;
	j->plain = false;
	route_next(j->route);
	call(j);
}

/* A line at rest saves looking for the way; false: there is none. */
static bool
reuse(struct out_job *j)
{
	struct out_line *line = j->tries ? NULL : out_rested(j->out, out_key(j));

	if (!line || !is_ok(out_line_use(line, j)))
		return false;
	j->place = *out_call_place(line->call);
	j->reused = true;
	return true;
}

static bool
may_go_on(const struct out_job *j)
{
	uint64_t may = j->out->n_opening > OUT_OPENS_MANY ? OUT_LOOKS_MANY_MS : OUT_LOOKS_MS;

	return !j->late && j->tries < OUT_TRIES && j->talks < OUT_TALKS && j->looked_ms < may;
}

static void
way(struct out_job *j)
{
	if (!gather(j)) {
		finish(j);
	} else if (!may_go_on(j)) {
		note_deferred(j, (const uint8_t[]){4, 4, 7}, "there was no time for this message");
		finish(j);
	} else if (!reuse(j)) {
		switch (route_step(j->route)) {
		case ROUTE_ASK:
			ask(j);
			break;
		case ROUTE_TARGET:
			take_target(j);
			break;
		case ROUTE_END:
			finish_with_route(j);
			break;
		}
	}
}

/* The next step, when nothing is under way. */
static void
go(void *owner)
{
	struct out_job *j = owner;

	if (!j->ready)
		j->ready = out_body_scan(&j->body);
	if (!j->ready)
		soon(j);
	else if (!j->asking && !j->line)
		way(j);
}

/* ---- what became of a try ---- */

static void
note_spoken(struct out_job *j, const struct out_call *c)
{
	const struct out_place *place = out_call_place(c);
	const struct smtpc *s = out_call_smtpc(c);

	for (size_t i = 0; i < j->message.n; i++) {
		struct smtpc_result said = smtpc_result(s, i);
		struct spool_result r =
		    own((enum spool_outcome)said.outcome, said.status, said.text);

		r.server = (struct bytes){place->name, place->name_n};
		r.is_reply = said.is_reply;
		note(j, j->numbers[i], r, !said.elsewhere);
	}
	j->talks += smtpc_server(s).n > 0;
}

static void
note_unreached(struct out_job *j, int number)
{
	static const uint8_t status[] = {4, 4, 1};
	uint8_t room[SPOOL_REPLY_MAX], ip[ADDR_IP_TEXT];
	struct wr w = wr_of(room, sizeof(room)), text = wr_of(ip, sizeof(ip));
	struct spool_result r;

	addr_ip_text(&text, j->place.addr.ip);
	wr_printf(&w, "connect to %.*s (%.*s, port %u): %s", j->place.name_n, j->place.name,
	          (int)wr_since(&text, ip).n, ip, j->place.addr.port, strerror(number));
	r = own(SPOOL_DEFERRED, status, wr_since(&w, room));
	for (size_t i = 0; i < j->n; i++) /* what a server said tells more */
		if (!j->results[i].result.is_reply)
			note(j, i, r, false);
}

void
out_job_over(void *owner, struct out_call *c, enum out_end end, int number)
{
	struct out_job *j = owner;

	j->line = NULL;
	j->looked_ms += out_call_opened_ms(c);
	switch (end) {
	case OUT_UNREACHED:
		j->alone |= number == EAGAIN;
		note_unreached(j, number);
		break;
	case OUT_NO_TLS:
		j->plain = true;
		j->out->plain++;
		if (may_go_on(j)) {
			call(j);
			return;
		}
		break;
	case OUT_SPOKEN:
		note_spoken(j, c);
		break;
	}
	j->tries += j->reused; /* the next one is looked for by the route */
	soon(j);
}

/* ---- its life ---- */

static void
overdue(void *owner)
{
	struct out_job *j = owner;

	j->late = true;
	if (j->line) {
		out_call_stop(j->line->call, "there was no time for this message");
		return;
	}
	chan_ask_stop(&j->ask);
	j->asking = false;
	j->ready = true;
	soon(j);
}

static bool
take_recipients(struct out_job *j, struct bytes packed)
{
	struct rd r = rd_of(packed), count = r;

	while (rd_left(&count)) {
		rd_bytes16(&count);
		j->n++;
	}
	if (count.bad || !j->n || j->n > SPOOL_RCPTS_MAX)
		return false;
	j->rcpts = arena_alloc(&j->arena, j->n * sizeof(*j->rcpts));
	j->open = arena_alloc(&j->arena, j->n * sizeof(*j->open));
	j->numbers = arena_alloc(&j->arena, j->n * sizeof(*j->numbers));
	j->results = arena_alloc(&j->arena, j->n * sizeof(*j->results));
	if (!j->rcpts || !j->open || !j->numbers || !j->results)
		return false;
	packed = arena_copy(&j->arena, packed);
	r = rd_of(packed);
	for (size_t i = 0; packed.p && i < j->n; i++)
		j->rcpts[i] = rd_bytes16(&r);
	return packed.p != NULL;
}

struct out_job *
out_job_new(struct out *out, struct asker asker, const struct talk_out_send *t, int fd)
{
	struct route_conf conf = {
	    .host = out->conf.host, .port = out->conf.port, .loopback = out->conf.loopback};
	struct out_job *j = calloc(1, sizeof(*j));
	struct err e;

	if (!j)
		return NULL;
	j->out = out;
	j->asker = asker;
	j->id = t->id;
	j->arena = arena_init(ARENA_MAX);
	j->domain = arena_copy(&j->arena, t->domain);
	j->sender = arena_copy(&j->arena, t->sender);
	j->relay = conf.relay = arena_copy(&j->arena, out->conf.relay);
	e = out_body_open(&j->body, t->body, fd, t->size, t->skip, t->header);
	if (is_ok(e) && take_recipients(j, t->recipients))
		j->route = route_new(&conf, j->domain, random_u64(out->random));
	if (!j->route) {
		out_body_close(&j->body);
		arena_free(&j->arena);
		free(j);
		return NULL;
	}
	j->next = out->jobs;
	j->link = &out->jobs;
	if (j->next)
		j->next->link = &j->next;
	out->jobs = j;
	out->n_jobs++;
	out_job_hurry(j, OUT_MESSAGE_MS);
	soon(j);
	return j;
}

void
out_job_hurry(struct out_job *j, uint64_t ms)
{
	loop_timer_set(j->out->loop, &j->timer, ms, overdue, j);
}

void
out_job_free(struct out_job *j)
{
	chan_ask_stop(&j->ask);
	loop_defer_stop(j->out->loop, &j->task);
	loop_timer_stop(j->out->loop, &j->timer);
	*j->link = j->next;
	if (j->next)
		j->next->link = j->link;
	j->out->n_jobs--;
	route_free(j->route);
	out_body_close(&j->body);
	arena_free(&j->arena);
	free(j);
}

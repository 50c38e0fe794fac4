/* out.c - who may send now, and the connections that all messages share. */
#include "serve/out.h"

#include "net/tls.h"
#include "serve/out_parts.h"
#include "talk/report.h"

#include <stdlib.h>

enum {
	LINES_MAX = 400,     /* connections of all kinds */
	DRAIN_MS = 3000,     /* for messages that are under way */
	RESULTS_MAX = 61440, /* talk.def: out_send */
};

/* ---- lines ---- */

static void
line_free(struct out_line *line)
{
	struct out *out = line->out;

	loop_timer_stop(out->loop, &line->timer);
	*line->link = line->next;
	if (line->next)
		line->next->link = line->link;
	out->n_lines--;
	out->n_rest -= line->rests;
	free(line);
}

static struct out_line *
line_of(struct out *out, const struct out_call *c)
{
	struct out_line *line = out->lines;

	while (line && line->call != c)
		line = line->next;
	return line;
}

static void
line_wakes(struct out_line *line)
{
	loop_timer_stop(line->out->loop, &line->timer);
	line->out->n_rest -= line->rests;
	line->rests = false;
}

static void
line_rested_enough(void *owner)
{
	struct out_line *line = owner;

	line_wakes(line);
	out_call_quit(line->call);
}

static void
line_rests(void *whole, struct out_call *c)
{
	struct out *out = whole;
	struct out_line *line = line_of(out, c);

	if (line && line->rests)
		return;
	if (!line || out->draining || out->n_rest >= OUT_KEPT ||
	    out_call_messages(c) >= OUT_KEEP_MESSAGES) {
		out_call_quit(c);
		return;
	}
	out->n_rest++;
	line->rests = true;
	loop_timer_set(out->loop, &line->timer, OUT_KEEP_MS, line_rested_enough, line);
}

static void
line_gone(void *whole, struct out_call *c)
{
	struct out_line *line = line_of(whole, c);

	if (line)
		line_free(line);
}

/* One that rests is closed for one that works; false: none rests. */
static bool
make_room(struct out *out)
{
	for (struct out_line *line = out->lines; line; line = line->next)
		if (line->rests) {
			out_call_free(line->call);
			line_free(line);
			return true;
		}
	return false;
}

struct bytes
out_key(const struct out_job *j)
{
	return j->relay.n ? j->relay : j->domain;
}

struct out_line *
out_rested(struct out *out, struct bytes key)
{
	for (struct out_line *line = out->lines; line; line = line->next)
		if (line->rests && out_call_is_open(line->call) &&
		    bytes_eq_nocase((struct bytes){line->key, line->key_n}, key))
			return line;
	return NULL;
}

struct err
out_line_use(struct out_line *line, struct out_job *j)
{
	struct err e = out_call_send(line->call, &j->message, &j->body, j);

	if (!is_ok(e))
		return e;
	line_wakes(line);
	line->out->reused++;
	j->line = line;
	return OK;
}

struct err
out_line_new(struct out_job *j)
{
	struct out *out = j->out;
	struct bytes key = out_key(j);
	struct out_line *line;
	struct err e;

	if (out->n_lines >= LINES_MAX && !make_room(out))
		return ERR(ERR_FULL, 0, "connections");
	line = calloc(1, sizeof(*line));
	if (!line)
		return ERR(ERR_MEMORY, 0, "connection");
	e = out_call_new(&line->call, &out->env, &j->place, !j->plain, &j->message, &j->body, j);
	if (!is_ok(e)) {
		free(line);
		return e;
	}
	line->out = out;
	line->key_n = (uint8_t)(key.n < sizeof(line->key) ? key.n : sizeof(line->key));
	if (line->key_n)
		memcpy(line->key, key.p, line->key_n);
	line->next = out->lines;
	line->link = &out->lines;
	if (line->next)
		line->next->link = &line->next;
	out->lines = line;
	out->n_lines++;
	j->line = line;
	return OK;
}

/* ---- messages ---- */

void
out_job_gone(struct out *out)
{
	if (out->draining && !out->n_jobs)
		out->drained(out->owner);
}

/* Is there room for one more, and for one more of this domain? */
static bool
may_begin(const struct out *out, struct bytes domain)
{
	size_t n = 0;

	for (const struct out_job *j = out->jobs; j; j = j->next)
		n += out->conf.relay.n ? j->relay.n > 0 : bytes_eq_nocase(j->domain, domain);
	return !out->draining && out->n_jobs < OUT_MESSAGES && n < OUT_DESTINATION;
}

static void
answer_later(struct out *out, struct asker asker, struct bytes recipients)
{
	const struct spool_result later = {.outcome = SPOOL_DEFERRED,
	                                   .status = {4, 3, 2},
	                                   .reply = BYTES("there is no room for this message now")};
	uint8_t *room = malloc(RESULTS_MAX);
	struct wr w = wr_of(room, room ? RESULTS_MAX : 0);
	struct rd r = rd_of(recipients);
	struct talk_out_send_answer a;
	size_t n = 0;

	for (; rd_left(&r); n++)
		rd_bytes16(&r);
	if (room && n && n <= SPOOL_RCPTS_MAX)
		out_results_same(&w, n, &later);
	a.results = wr_since(&w, room);
	peers_answer(out->peers, asker, talk_out_send_answer_out(&a), -1);
	free(room);
}

/* Without results: it is tried again soon. */
static void
answer_untried(struct out *out, struct asker asker)
{
	const struct talk_out_send_answer a = {0};

	peers_answer(out->peers, asker, talk_out_send_answer_out(&a), -1);
}

/* ---- public ---- */

struct err
out_open(struct out **opened, const struct out_conf *conf, struct loop *loop, struct random *random,
         struct peers *peers)
{
	struct out *out = calloc(1, sizeof(*out));
	struct err e;

	if (!out)
		return ERR(ERR_MEMORY, 0, "out");
	e = tls_client_new(&out->tls, NO_BYTES); /* opportunistic: any certificate will do */
	if (!is_ok(e)) {
		free(out);
		return e;
	}
	out->loop = loop;
	out->random = random;
	out->peers = peers;
	out_settings(out, conf);
	out->env = (struct out_call_env){
	    .loop = loop,
	    .peers = peers,
	    .tls = out->tls,
	    .host = conf->host,
	    .over = out_job_over,
	    .rests = line_rests,
	    .gone = line_gone,
	    .whole = out,
	    .opening = &out->n_opening,
	};
	*opened = out;
	return OK;
}

void
out_close(struct out *out)
{
	if (!out)
		return;
	while (out->lines) {
		out_call_free(out->lines->call);
		line_free(out->lines);
	}
	while (out->jobs)
		out_job_free(out->jobs);
	tls_client_free(out->tls);
	free(out);
}

void
out_settings(struct out *out, const struct out_conf *conf)
{
	struct wr w = wr_of(out->relay, sizeof(out->relay));

	out->conf = *conf;
	wr_bytes(&w, conf->relay);
	out->conf.relay = wr_since(&w, out->relay);
}

void
out_word(struct out *out, const struct peer *p, struct chan_word *w)
{
	struct asker asker = peers_asker(p, w);
	struct talk_out_send t;

	if (w->word != WORD_OUT_SEND || !talk_out_send_get(&w->body, &t))
		return;
	if (!may_begin(out, t.domain))
		answer_untried(out, asker);
	else if (!out_job_new(out, asker, &t, w->fd))
		answer_later(out, asker, t.recipients);
}

void
out_drain(struct out *out, loop_fn *drained, void *owner)
{
	out->draining = true;
	out->drained = drained;
	out->owner = owner;
	for (struct out_job *j = out->jobs; j; j = j->next)
		out_job_hurry(j, DRAIN_MS);
	if (!out->n_jobs)
		drained(owner);
}

void
out_status(const struct out *out, struct wr *counters)
{
	report_put_counter(counters, "messages", out->n_jobs);
	report_put_counter(counters, "connections", out->n_lines);
	report_put_counter(counters, "delivered", out->delivered);
	report_put_counter(counters, "deferred", out->deferred);
	report_put_counter(counters, "failed", out->failed);
	report_put_counter(counters, "reused", out->reused);
	report_put_counter(counters, "without_tls", out->plain);
}

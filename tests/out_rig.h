/*
 * out_rig.h - messages that queue gives to the roles of out_rig_roles.h, and their results as text.
 */
#ifndef TESTS_OUT_RIG_H
#define TESTS_OUT_RIG_H

#include "net/snap.h"
#include "out_rig_roles.h"

static inline void
rig_close(struct out_rig *r)
{
	out_close(r->out);
	dial_close(r->dial);
	for (size_t i = 0; i < r->n_servers; i++) {
		accept_close(r->servers[i].accept);
		for (size_t k = 0; k < r->servers[i].n; k++) {
			conn_free(r->servers[i].sessions[k].conn);
			play_sink_close(&r->servers[i].sessions[k].sink);
		}
	}
	chan_close(r->queue);
	chan_close(r->resolve);
	peers_close(r->out_peers);
	peers_close(r->dial_peers);
	sim_run(r->loop, 1000);
	assert(sim_open_fds(r->loop) == 0);
	loop_close(r->loop);
	random_close(r->random);
	world_close(&r->world);
}

static void
rig_answered(void *owner, struct err e, struct chan_word *w)
{
	struct rig_send *s = owner;
	struct wr shown = wr_of(s->results, sizeof(s->results) - 1);
	struct talk_out_send_answer a;
	struct spool_result result;
	struct rd rows;
	bool first = true;

	if (e.code == ERR_GONE)
		return; /* the test is over */
	assert(is_ok(e) && talk_out_send_answer_get(&w->body, &a));
	for (rows = rd_of(a.results); spool_result_get(&rows, &result); first = false) {
		wr_printf(&shown, "%s%c%u.%u.%u%s%.*s", first ? "" : " ", "?DTF"[result.outcome],
		          result.status[0], result.status[1], result.status[2],
		          result.server.n ? "@" : "", (int)result.server.n,
		          (const char *)result.server.p);
		if (first)
			snprintf(s->reply, sizeof(s->reply), "%.*s", (int)result.reply.n,
			         (const char *)result.reply.p);
	}
	assert(!rows.bad);
	*shown.p = 0;
	s->done = true;
}

/* A message to a@, b@ ... of the domain; the body rides in the word, or in fd. */
static inline struct rig_send *
rig_send_body(struct out_rig *r, const char *domain, size_t n, struct bytes body, uint32_t skip,
              uint64_t header, int fd)
{
	struct rig_send *s = &r->sends[r->n_sends++];
	uint8_t room[32768];
	struct wr rcpts = wr_of(room, sizeof(room));
	struct talk_out_send word = {.id = r->n_sends,
	                             .domain = bytes_of(domain),
	                             .sender = BYTES("me@us.test"),
	                             .skip = skip,
	                             .header = header,
	                             .size = body.n,
	                             .body = fd < 0 ? body : NO_BYTES};

	for (size_t i = 0; i < n; i++) {
		char text[300];

		snprintf(text, sizeof(text), "%c%zu@%s", (int)('a' + i % 26), i, domain);
		wr_bytes16(&rcpts, bytes_of(text));
	}
	word.recipients = wr_since(&rcpts, room);
	RIG_OK(chan_ask(r->queue, &s->ask, talk_out_send_out(&word), fd, 7200 * 1000, rig_answered,
	                s));
	return s;
}

static inline struct rig_send *
rig_send(struct out_rig *r, const char *domain, size_t n)
{
	static const char body[] = "Return-Path: <x>\r\nSubject: y\r\n\r\nhi\r\n.dot\r\n";

	return rig_send_body(r, domain, n, bytes_of(body), 18, 32, -1);
}

/* Sends and waits as long as it takes. */
static inline const char *
rig_result(struct out_rig *r, const char *domain, size_t n)
{
	struct rig_send *s = rig_send(r, domain, n);

	for (int i = 0; i < 7200 && !s->done; i++)
		sim_run(r->loop, 1000);
	assert(s->done);
	return s->results;
}

#endif

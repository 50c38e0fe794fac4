/*
 * play_smtpc.h - a message that is given to a mail server through proto/smtpc, in pieces of any
 * size.
 */
#ifndef TESTS_PLAY_SMTPC_H
#define TESTS_PLAY_SMTPC_H

#include "play_smtpc_sink.h"
#include "proto/smtpc.h"

enum { PLAY_RCPTS = 3 };

struct play {
	struct smtpc *s;
	struct play_sink sink;
	struct buf in; /* what the machine has got, and not eaten */
	size_t cut;
	char results[512];
	int shakes;
};

static inline void
play_results(struct play *p, size_t n)
{
	struct wr w = wr_of(p->results, sizeof(p->results) - 1);

	for (size_t i = 0; i < n; i++) {
		struct smtpc_result r = smtpc_result(p->s, i);

		assert(r.outcome >= SMTPC_DELIVERED && r.outcome <= SMTPC_FAILED && r.text.n);
		wr_printf(&w, "%s%c%u.%u.%u%s", i ? " " : "", " DTF"[r.outcome], r.status[0],
		          r.status[1], r.status[2], r.elsewhere ? "e" : "");
	}
	*w.p = 0;
}

/* Lets the next piece arrive; false: nothing is under way. */
static inline bool
play_arrive(struct play *p)
{
	struct bytes b = buf_bytes(&p->sink.to_client);

	if (!b.n)
		return false;
	b.n = p->cut && b.n > p->cut ? p->cut : b.n;
	if (!buf_add(&p->in, b))
		assert(false);
	buf_eat(&p->sink.to_client, b.n);
	return true;
}

/* Until the machine rests, has closed, or a message has its result. */
static inline enum smtpc_want
play_run(struct play *p, struct bytes body)
{
	uint8_t room[SMTPC_ROOM_MAX];
	enum smtpc_want want = SMTPC_INPUT;

	for (int rounds = 0; rounds < 1000000; rounds++) {
		struct rd in = rd_of(buf_bytes(&p->in));
		struct wr out = wr_of(room, sizeof(room));

		want = smtpc_step(p->s, &in, &out);
		assert(!out.full);
		if (want == SMTPC_PIECE && !p->sink.to_client.n) {
			struct bytes piece = {body.p, p->cut && body.n > p->cut ? p->cut : body.n};
			size_t n = body.n ? smtpc_body(p->s, piece, &out) : 0;

			body = (struct bytes){body.p + n, body.n - n};
			if (!body.n)
				smtpc_body_end(p->s);
		}
		buf_eat(&p->in, p->in.n - rd_left(&in));
		play_take(&p->sink, wr_since(&out, room));
		if (want == SMTPC_TLS) {
			p->shakes++;
			buf_free(&p->in);
			smtpc_tls_done(p->s);
		}
		if (want == SMTPC_IDLE || want == SMTPC_RESULT || want == SMTPC_CLOSE)
			return want;
		if (want == SMTPC_INPUT && !play_arrive(p))
			smtpc_lost(p->s, p->sink.closed ? "closed" : "no answer");
		if (want == SMTPC_PIECE)
			play_arrive(p);
	}
	assert(false);
	return want;
}

static inline struct play
play_open(const struct play_rule *rules, size_t cut, bool tls)
{
	const struct smtpc_conf conf = {.host = BYTES("us.test"), .tls = tls};
	struct play p = {.s = smtpc_new(&conf), .cut = cut};

	assert(p.s);
	p.in = buf_init(16 << 20);
	play_sink_open(&p.sink, rules);
	return p;
}

static inline void
play_close(struct play *p)
{
	smtpc_free(p->s);
	play_sink_close(&p->sink);
	buf_free(&p->in);
}

static const struct bytes play_rcpts[PLAY_RCPTS] = {{(const uint8_t *)"a@x.test", 8},
                                                    {(const uint8_t *)"b@x.test", 8},
                                                    {(const uint8_t *)"c@x.test", 8}};

/* One message to n recipients over a new connection; what became of them is in p->results. */
static inline void
play_message(struct play *p, size_t n, const char *body)
{
	const struct smtpc_message m = {
	    .sender = BYTES("me@us.test"), .rcpts = play_rcpts, .n = n, .size = strlen(body)};
	enum smtpc_want want;

	if (!smtpc_message(p->s, &m))
		assert(false);
	want = play_run(p, bytes_of(body));
	assert(want == SMTPC_RESULT);
	play_results(p, n);
	smtpc_taken(p->s);
}

#endif

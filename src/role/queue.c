/* queue.c - the role that plans outgoing mail. */
#include "serve/queue.h"

#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct queue_serve *queue;
};

static void
failed(void *owner, struct err e)
{
	struct state *s = owner;

	attach_fail(s->attach, e); /* the next life loads what the store has */
}

static struct err
open_queue(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct queue_serve_conf conf = {.host = a->settings.host_name,
	                                      .relay = a->settings.out_relay.n != 0,
	                                      .failed = failed,
	                                      .owner = s};

	if (!s)
		return ERR(ERR_MEMORY, 0, "queue");
	*out = s;
	s->attach = a;
	return queue_serve_open(&s->queue, &conf, a->loop, a->random, a->peers);
}

static void
start(void *state)
{
	struct state *s = state;

	queue_serve_start(s->queue);
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;

	queue_serve_word(s->queue, p, w);
}

static void
come(void *state, const struct peer *p)
{
	struct state *s = state;

	queue_serve_came(s->queue, p);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;

	(void)told;
	queue_serve_relay(s->queue, fresh->out_relay.n != 0);
	return OK;
}

static void
drained(void *owner)
{
	struct state *s = owner;

	attach_done(s->attach);
}

static void
drain(void *state)
{
	struct state *s = state;

	queue_serve_drain(s->queue, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	queue_serve_status(s->queue, counters);
}

static void
close_queue(void *state)
{
	struct state *s = state;

	queue_serve_close(s->queue);
	free(s);
}

/* CAGE_MEMFD: a report that is too large for a word. */
const struct role_body role_queue = {
    .cage = {.name = "queue",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_MEMFD,
             .files = 1024,
             .file_size = ROLE_FILE_SIZE},
    .open = open_queue,
    .start = start,
    .word = word,
    .come = come,
    .reload = reload,
    .drain = drain,
    .status = status,
    .close = close_queue,
};

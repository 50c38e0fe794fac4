/* dial.c - the role that connects out for a stated purpose, and hands back the descriptor. */
#include "serve/dial.h"

#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct dial *dial;
};

static struct dial_conf
conf_of(const struct role_settings *s)
{
	return (struct dial_conf){
	    .relay = s->out_relay, .port = s->out_port, .loopback = s->out_loopback};
}

static struct err
open_dial(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct dial_conf conf = conf_of(&a->settings);

	if (!s)
		return ERR(ERR_MEMORY, 0, "dial");
	*out = s;
	s->attach = a;
	return dial_open(&s->dial, &conf, a->loop, a->peers);
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;

	dial_word(s->dial, p, w);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	const struct dial_conf conf = conf_of(fresh);

	(void)told;
	dial_settings(s->dial, &conf);
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

	dial_drain(s->dial, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	dial_status(s->dial, counters);
}

static void
close_dial(void *state)
{
	struct state *s = state;

	dial_close(s->dial);
	free(s);
}

const struct role_body role_dial = {
    .cage = {.name = "dial",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_TCP_OPEN,
             .files = 512,
             .file_size = ROLE_FILE_SIZE},
    .open = open_dial,
    .word = word,
    .reload = reload,
    .drain = drain,
    .status = status,
    .close = close_dial,
};

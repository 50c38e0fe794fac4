/* out.c - the role that speaks with other mail servers, over connections that dial gives it. */
#include "serve/out.h"

#include "net/tls.h"
#include "role/role.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct out *out;
};

static struct out_conf
conf_of(const struct attach *a, const struct role_settings *s)
{
	return (struct out_conf){
	    .host = a->settings.host_name,
	    .relay = s->out_relay,
	    .port = s->out_port,
	    .loopback = s->out_loopback,
	};
}

static struct err
open_out(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct out_conf conf = conf_of(a, &a->settings);
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "out");
	*out = s;
	s->attach = a;
	e = tls_start();
	if (is_ok(e))
		e = out_open(&s->out, &conf, a->loop, a->random, a->peers);
	return e;
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;

	out_word(s->out, p, w);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	const struct out_conf conf = conf_of(s->attach, fresh);

	(void)told;
	out_settings(s->out, &conf);
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

	out_drain(s->out, drained, s);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	out_status(s->out, counters);
}

static void
close_out(void *state)
{
	struct state *s = state;

	out_close(s->out);
	free(s);
}

const struct role_body role_out = {
    .cage = {.name = "out",
             .promises = CAGE_STDIO | CAGE_TALK,
             .files = 1024,
             .file_size = ROLE_FILE_SIZE},
    .open = open_out,
    .word = word,
    .reload = reload,
    .drain = drain,
    .status = status,
    .close = close_out,
};

/* box.c - the role that owns the store with mail and accounts. */
#include "box/box.h"

#include "role/role.h"
#include "store/disk.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct store *store;
	struct box *box;
};

static void
failed(void *owner, struct err e)
{
	struct state *s = owner;

	/* nothing is acknowledged any more; the next life reads what is really on the disk */
	attach_fail(s->attach, e);
}

static struct err
open_box(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	struct store_conf conf = {
	    .engine = STORE_LOG,
	    .dir_fd = a->folder,
	    .disk = disk_real(),
	    .random = a->random,
	};
	struct box_env env = {.loop = a->loop,
	                      .random = a->random,
	                      .peers = a->peers,
	                      .areas = a->areas,
	                      .failed = failed,
	                      .owner = s};
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "box");
	*out = s;
	s->attach = a;
	e = attach_store(&s->store, &conf);
	env.store = s->store;
	if (is_ok(e))
		e = box_open(&s->box, &env);
	if (is_ok(e))
		e = box_start(s->box);
	return e;
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;

	box_word(s->box, p, w);
}

static void
come(void *state, const struct peer *p)
{
	struct state *s = state;

	box_peer_came(s->box, p);
}

static void
gone(void *state, const struct peer *p)
{
	struct state *s = state;

	box_peer_gone(s->box, p);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	box_status(s->box, counters);
}

static void
close_box(void *state)
{
	struct state *s = state;

	store_close(s->store);
	box_close(s->box);
	free(s);
}

const struct role_body role_box = {
    .cage = {.name = "box",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_MEMFD | CAGE_FILES_READ | CAGE_FILES_WRITE,
             .files = 4096,
             .file_size = ROLE_FILE_SIZE},
    .open = open_box,
    .word = word,
    .come = come,
    .gone = gone,
    .status = status,
    .close = close_box,
};

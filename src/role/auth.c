/* auth.c - the role that holds the password verifiers. */
#include "serve/auth.h"

#include "crypt/digest.h"
#include "role/role.h"
#include "store/disk.h"

#include <stdlib.h>

struct state {
	struct attach *attach;
	struct store *store;
	struct logins *logins;
	struct auth_serve *serve;
};

static void
failed(void *owner, struct err e)
{
	struct state *s = owner;

	attach_fail(s->attach, e);
}

static struct err
open_auth(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	struct store_conf conf = {
	    .engine = STORE_LOG,
	    .dir_fd = a->folder,
	    .disk = disk_real(),
	    .random = a->random,
	    .segment_size = 1 << 20,
	    .map_size = (uint64_t)1 << 32,
	};
	struct auth_env env = {
	    .loop = a->loop, .random = a->random, .peers = a->peers, .failed = failed, .owner = s};
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "auth");
	*out = s;
	s->attach = a;
	e = digest_start();
	if (is_ok(e))
		e = attach_store(&s->store, &conf);
	if (is_ok(e))
		e = logins_open(&s->logins, s->store, a->random, a->settings.hash_cost,
		                a->settings.domain);
	env.store = s->store;
	env.logins = s->logins;
	return is_ok(e) ? auth_serve_open(&s->serve, &env) : e;
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;

	auth_serve_word(s->serve, p, w);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;

	(void)told;
	return logins_cost(s->logins, fresh->hash_cost);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	auth_serve_status(s->serve, counters);
}

static void
close_auth(void *state)
{
	struct state *s = state;

	store_close(s->store);
	auth_serve_close(s->serve);
	logins_close(s->logins);
	free(s);
}

const struct role_body role_auth = {
    .cage = {.name = "auth",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_FILES_READ | CAGE_FILES_WRITE,
             .files = 128,
             .file_size = ROLE_FILE_SIZE},
    .open = open_auth,
    .word = word,
    .reload = reload,
    .status = status,
    .close = close_auth,
};

/* dns.c - the role that answers questions about our zones, from the image that zone gave it. */
#include "base/log.h"
#include "role/role.h"
#include "serve/names.h"

#include <stdlib.h>
#include <sys/socket.h>

struct state {
	struct attach *attach;
	struct names *names;
};

static struct err
open_dns(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR(ERR_MEMORY, 0, "dns");
	*out = s;
	s->attach = a;
	return names_open(&s->names, a->settings.rate_limit, a->loop, a->random);
}

static bool
is_udp(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_DGRAM;
}

static void
start(void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		int fd = s->attach->listeners[i].fd;
		struct err e = is_udp(fd) ? names_udp(s->names, fd) : names_tcp(s->names, fd);

		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;
	struct talk_zone_image image;
	struct err e;

	if (w->word != WORD_ZONE_IMAGE || !talk_zone_image_get(&w->body, &image))
		return;
	e = names_image(s->names, w->fd);
	if (!is_ok(e))
		log_event(LOG_ERROR, "dns.image_refused", kv_word("from", role_name(p->role)),
		          kv_u64("version", image.version), kv_err(e));
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	(void)told;
	struct state *s = state;

	return names_rate(s->names, fresh->rate_limit);
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	names_status(s->names, counters);
}

static void
drained(void *state)
{
	struct state *s = state;

	attach_done(s->attach);
}

static void
drain(void *state)
{
	struct state *s = state;

	names_drain(s->names, drained, s);
}

static void
close_dns(void *state)
{
	struct state *s = state;

	names_close(s->names);
	free(s);
}

const struct role_body role_dns = {
    .cage = {.name = "dns",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT | CAGE_DATAGRAMS,
             .files = 4096,
             .file_size = ROLE_FILE_SIZE},
    .open = open_dns,
    .start = start,
    .word = word,
    .reload = reload,
    .status = status,
    .drain = drain,
    .close = close_dns,
};

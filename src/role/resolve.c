/* resolve.c - the role that asks the Internet's name servers, for clients and for other roles. */
#include "serve/resolve.h"
#include "base/log.h"
#include "resolve/local.h"
#include "role/role.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOLD_MAX = 1024 };

struct state {
	struct attach *attach;
	struct resolve *resolve;
};

/* ---- files of the configuration ---- */

/* A whole file of at most LOCAL_FILE_MAX octets, in memory of its own. */
static struct err
read_file(int fd, uint8_t **out, size_t *n)
{
	uint8_t *p = malloc(LOCAL_FILE_MAX + 1);
	ssize_t got = 0;

	*n = 0;
	*out = p;
	if (!p)
		return ERR(ERR_MEMORY, 0, "a file");
	while (*n <= LOCAL_FILE_MAX &&
	       (got = pread(fd, p + *n, LOCAL_FILE_MAX + 1 - *n, (off_t)*n)) > 0)
		*n += (size_t)got;
	if (got < 0)
		return ERR(ERR_IO, errno, "read a file");
	return *n > LOCAL_FILE_MAX ? ERR(ERR_RANGE, 0, "a file of more than 8 MiB") : OK;
}

static struct err
load_file(struct state *s, struct attach_file *f, struct wr *told)
{
	struct bytes name = bytes_of(f->name), text;
	uint8_t *p;
	size_t n;
	struct err e = read_file(f->fd, &p, &n);

	close(f->fd); /* the role holds no file while it speaks with strangers */
	f->fd = -1;
	text = (struct bytes){p, n};
	if (e.code == ERR_RANGE)
		wr_printf(told, "%s: more than 8 MiB\n", f->name);
	if (is_ok(e) && bytes_eq(name, BYTES("hints")))
		e = resolve_hints(s->resolve, name, text, told);
	else if (is_ok(e) && bytes_eq(name, BYTES("hosts")))
		e = resolve_hosts(s->resolve, name, text, told);
	free(p);
	return e;
}

/* What the configuration names no more: IANA's hints, no hosts. */
static struct err
load_default(struct state *s, struct bytes name)
{
	const struct attach_files *given = &s->attach->files;

	for (size_t i = 0; i < given->n; i++)
		if (bytes_eq(bytes_of(given->list[i].name), name))
			return OK;
	return bytes_eq(name, BYTES("hints")) ? resolve_hints(s->resolve, name, NO_BYTES, NULL)
	                                      : resolve_hosts(s->resolve, name, NO_BYTES, NULL);
}

/* All are looked at, so that all is told; what is wrong stays as it was before. */
static struct err
load(struct state *s, struct wr *told)
{
	struct attach_files *given = &s->attach->files;
	const struct err defaults[] = {load_default(s, BYTES("hints")),
	                               load_default(s, BYTES("hosts"))};
	struct err first = is_ok(defaults[0]) ? defaults[1] : defaults[0];

	for (size_t i = 0; i < given->n; i++) {
		struct err e = load_file(s, &given->list[i], told);

		if (is_ok(first))
			first = e;
	}
	return first;
}

/* ---- the role ---- */

static struct err
open_resolve(struct attach *a, void **out)
{
	struct state *s = calloc(1, sizeof(*s));
	const struct resolve_conf conf = {.loop = a->loop,
	                                  .random = a->random,
	                                  .peers = a->peers,
	                                  .clients = a->settings.clients.list,
	                                  .clients_n = a->settings.clients.n,
	                                  .port = a->settings.upstream_port};

	if (!s)
		return ERR(ERR_MEMORY, 0, "resolve");
	*out = s;
	s->attach = a;
	return resolve_open(&s->resolve, &conf);
}

static bool
is_udp(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_DGRAM;
}

/* Files are parsed in the whole cage only; one that is wrong stops nothing else. */
static void
start(void *state)
{
	struct state *s = state;
	uint8_t room[TOLD_MAX];
	struct wr told = wr_of(room, sizeof(room));
	struct err e = load(s, &told);

	if (!is_ok(e))
		log_event(LOG_ERROR, "resolve.file_refused", kv_text("why", wr_since(&told, room)),
		          kv_err(e));
	for (size_t i = 0; i < s->attach->n_listeners; i++) {
		int fd = s->attach->listeners[i].fd;

		e = is_udp(fd) ? resolve_udp(s->resolve, fd) : resolve_tcp(s->resolve, fd);
		if (!is_ok(e))
			attach_fail(s->attach, e);
	}
}

static void
word(void *state, const struct peer *p, struct chan_word *w)
{
	struct state *s = state;
	struct talk_resolve_ask ask;

	if (w->word == WORD_RESOLVE_ASK && talk_resolve_ask_get(&w->body, &ask))
		resolve_word(s->resolve, peers_asker(p, w), &ask);
}

static struct err
reload(void *state, const struct role_settings *fresh, struct wr *told)
{
	struct state *s = state;
	struct err e = load(s, told);

	if (is_ok(e))
		resolve_settings(s->resolve, fresh->clients.list, fresh->clients.n,
		                 fresh->upstream_port);
	return e;
}

static void
status(void *state, struct wr *counters)
{
	struct state *s = state;

	resolve_status(s->resolve, counters);
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

	resolve_drain(s->resolve, drained, s);
}

static void
close_resolve(void *state)
{
	struct state *s = state;

	resolve_close(s->resolve);
	free(s);
}

const struct role_body role_resolve = {
    .cage = {.name = "resolve",
             .promises = CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT | CAGE_DATAGRAMS | CAGE_UDP_OPEN |
                         CAGE_TCP_OPEN,
             .files = 8192,
             .file_size = ROLE_FILE_SIZE},
    .open = open_resolve,
    .start = start,
    .word = word,
    .reload = reload,
    .status = status,
    .drain = drain,
    .close = close_resolve,
};

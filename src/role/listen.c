/* listen.c - binding by the table of services. */
#include "role/listen.h"

#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000, PAUSE_MS = 20 };

/*
 * The roles of a server that was killed hold its addresses until the kernel has ended them, which may
 * be a moment behind the end of their master.
 */
static struct err
listen_patiently(struct loop *loop, struct listener *l, bool shared)
{
	const struct timespec pause = {0, PAUSE_MS * 1000000};
	struct err e;

	for (int waited = 0;; waited += PAUSE_MS) {
		e = loop_listen(loop, &l->addr, l->udp ? LOOP_DATAGRAM : LOOP_STREAM, shared,
		                &l->fd);
		if (is_ok(e) || e.sys != EADDRINUSE || waited >= PATIENCE_MS)
			return e;
		nanosleep(&pause, NULL);
	}
}

static struct err
listen_one(struct listeners *ls, struct loop *loop, struct listener l, bool shared)
{
	struct listener *grown = realloc(ls->list, (ls->n + 1) * sizeof(*grown));
	struct err e;

	if (!grown)
		return ERR(ERR_MEMORY, 0, "listeners");
	ls->list = grown;
	e = listen_patiently(loop, &l, shared);
	if (is_ok(e))
		ls->list[ls->n++] = l;
	return e;
}

/*
 * The resolver on loopback and the authority on all addresses, at one port: the kernel lets both be
 * bound only when both share it, and gives each packet and connection to the nearer address.  Two at
 * the very same address would share its clients instead, and are refused by the kernel as ever.
 */
static bool
is_beneath_another(const struct settings *s, enum service which, const struct addr *a)
{
	static const enum service names[] = {SERVICE_DNS, SERVICE_RESOLVER};
	bool near = false;

	if (which != SERVICE_DNS && which != SERVICE_RESOLVER)
		return false;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct conf_addrs *addrs = settings_listen(s, names[i]);

		for (size_t k = 0; k < addrs->n; k++) {
			if (addr_eq(&addrs->list[k], a) && names[i] != which)
				return false;
			near |= addrs->list[k].port == a->port && names[i] != which;
		}
	}
	return near;
}

struct err
listen_all(struct listeners *ls, struct loop *loop, const struct settings *s,
           struct listener *failed)
{
	for (enum service which = SERVICE_SMTP; which < SERVICE_COUNT; which++) {
		const struct conf_addrs *addrs = settings_listen(s, which);
		const struct service_row *row = service_row(which);
		uint8_t instances = settings_instances(s, row->role);

		for (size_t i = 0; i < addrs->n * instances * (row->udp ? 2 : 1); i++) {
			struct listener l = {
			    .service = which,
			    .instance = (uint8_t)(i / addrs->n % instances),
			    .udp = i >= addrs->n * instances,
			    .addr = addrs->list[i % addrs->n],
			};
			bool shared = instances > 1 || is_beneath_another(s, which, &l.addr);
			struct err e = listen_one(ls, loop, l, shared);

			if (!is_ok(e)) {
				*failed = l;
				return e;
			}
		}
	}
	return OK;
}

bool
listen_same(const struct listeners *ls, const struct settings *s)
{
	size_t wanted = 0, found = 0;

	for (enum service which = SERVICE_SMTP; which < SERVICE_COUNT; which++) {
		const struct conf_addrs *addrs = settings_listen(s, which);
		const struct service_row *row = service_row(which);

		wanted += addrs->n * settings_instances(s, row->role) * (row->udp ? 2 : 1);
		for (size_t i = 0; i < ls->n; i++)
			for (size_t k = 0; k < addrs->n; k++)
				found += ls->list[i].service == which &&
				         addr_eq(&ls->list[i].addr, &addrs->list[k]);
	}
	return wanted == found && wanted == ls->n;
}

struct err
listen_control(int dir, int *fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct err e = OK;
	int s;

	if (unlinkat(dir, "run/control.sock", 0) && errno != ENOENT)
		return ERR(ERR_IO, errno, "remove the old control socket");
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return ERR(ERR_IO, errno, "control socket");
	/* by the descriptor, since DIR may be longer than a socket's name */
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/run/control.sock", dir);
	if (bind(s, (struct sockaddr *)&un, sizeof(un)) || listen(s, 64))
		e = ERR(ERR_IO, errno, "bind the control socket");
	/* ctl asks who is there (SO_PEERCRED): the file's mode only keeps out the curious */
	else if (fchmodat(dir, "run/control.sock", 0666, 0))
		e = ERR(ERR_IO, errno, "mode of the control socket");
	if (is_ok(e))
		*fd = s;
	else
		close(s);
	return e;
}

void
listen_close(struct listeners *ls, struct loop *loop)
{
	for (size_t i = 0; i < ls->n; i++)
		loop_close_fd(loop, ls->list[i].fd);
	free(ls->list);
	*ls = (struct listeners){0};
}

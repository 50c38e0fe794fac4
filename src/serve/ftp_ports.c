/* ftp_ports.c - listeners of the passive range, and a map of who is awaited where. */
#include "serve/ftp_ports.h"

#include "base/map.h"
#include "base/random.h"
#include "net/accept.h"

#include <stdlib.h>

struct port {
	struct ftp_ports *ports;
	struct accept *accept;
	uint16_t number; /* which of the list */
};

struct ftp_ports {
	struct loop *loop;
	struct random *random;
	struct map awaited; /* of struct ftp_await, by their keys */
	struct port list[FTP_PORTS_MAX];
	size_t n;
	struct ftp_ports_counts counts;
};

static void
make_key(uint8_t key[18], uint16_t number, const uint8_t ip[16])
{
	struct wr w = wr_of(key, 18);

	wr_u16(&w, number);
	wr_bytes(&w, (struct bytes){ip, 16});
}

static struct bytes
key_of(const uint8_t key[18])
{
	return (struct bytes){key, 18};
}

static void
accepted(void *owner, int fd, const struct addr *peer)
{
	struct port *p = owner;
	struct ftp_await *a;
	uint8_t key[18];

	make_key(key, p->number, peer->ip);
	a = map_remove(&p->ports->awaited, key_of(key));
	if (!a) {
		p->ports->counts.strangers++;
		loop_close_fd(p->ports->loop, fd);
		return;
	}
	a->fd = fd;
	a->came(a->owner);
}

struct err
ftp_ports_open(struct ftp_ports **out, struct loop *loop, struct random *random)
{
	struct ftp_ports *ps = calloc(1, sizeof(*ps));
	uint8_t key[16];

	if (!ps)
		return ERR(ERR_MEMORY, 0, "passive ports");
	ps->loop = loop;
	ps->random = random;
	random_fill(random, key, sizeof(key));
	map_init(&ps->awaited, key);
	*out = ps;
	return OK;
}

void
ftp_ports_close(struct ftp_ports *ps)
{
	if (!ps)
		return;
	for (size_t i = 0; i < ps->n; i++)
		accept_close(ps->list[i].accept);
	map_free(&ps->awaited);
	free(ps);
}

struct err
ftp_ports_add(struct ftp_ports *ps, int fd)
{
	struct port *p = &ps->list[ps->n];
	struct err e;

	if (ps->n == FTP_PORTS_MAX) {
		loop_close_fd(ps->loop, fd);
		return ERR(ERR_FULL, 0, "passive ports");
	}
	*p = (struct port){.ports = ps, .number = (uint16_t)ps->n};
	e = accept_open(&p->accept, ps->loop, fd, accepted, p);
	if (is_ok(e))
		ps->n++;
	return e;
}

/* Does a listener at `at` take what comes to our address `local`? */
static bool
takes(const struct addr *at, const struct addr *local)
{
	static const uint8_t any[16], any_v4[16] = {[10] = 0xff, [11] = 0xff};

	return memcmp(at->ip, any, 16) == 0 || memcmp(at->ip, local->ip, 16) == 0 ||
	       (memcmp(at->ip, any_v4, 16) == 0 && addr_ip_is_v4(local->ip));
}

bool
ftp_await(struct ftp_ports *ps, struct ftp_await *a, const struct addr *local,
          const uint8_t peer[16], loop_fn *came, void *owner, struct addr *at)
{
	size_t first = ps->n ? (size_t)random_below(ps->random, ps->n) : 0;

	ftp_await_stop(a);
	for (size_t i = 0; i < ps->n; i++) {
		const struct port *p = &ps->list[(first + i) % ps->n];
		const struct addr *there = accept_local(p->accept);

		make_key(a->key, p->number, peer);
		if (!takes(there, local) || map_get(&ps->awaited, key_of(a->key)))
			continue;
		if (!map_put(&ps->awaited, key_of(a->key), a))
			break;
		a->ports = ps;
		a->fd = -1;
		a->came = came;
		a->owner = owner;
		*at = *local;
		at->port = there->port;
		return true;
	}
	ps->counts.none_free++;
	return false;
}

int
ftp_await_take(struct ftp_await *a)
{
	int fd = a->ports ? a->fd : -1;

	if (fd >= 0)
		a->ports = NULL;
	return fd;
}

void
ftp_await_stop(struct ftp_await *a)
{
	if (!a->ports)
		return;
	if (a->fd >= 0)
		loop_close_fd(a->ports->loop, a->fd);
	else
		map_remove(&a->ports->awaited, key_of(a->key));
	a->ports = NULL;
}

struct ftp_ports_counts
ftp_ports_counts(const struct ftp_ports *ps)
{
	return ps->counts;
}

/* purse.c - a map from prefixes to what each holds; a prefix without a connection is not in it. */
#include "base/purse.h"

#include "base/addr.h"
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

enum { PREFIX6 = 8 }; /* bytes of a /64 */

struct purses {
	struct map peers;
	size_t max, connections, bytes;
};

void
purse_refund(struct purse *p, size_t n)
{
	assert(n <= p->used);
	p->used -= n;
}

struct purses *
purses_open(const uint8_t key[16], size_t max, size_t connections, size_t bytes)
{
	struct purses *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	map_init(&p->peers, key);
	p->max = max;
	p->connections = connections;
	p->bytes = bytes;
	return p;
}

struct purse_peer *
purses_enter_up_to(struct purses *p, const uint8_t ip[16], size_t connections, size_t bytes)
{
	struct purse_peer *peer;
	uint8_t prefix[16] = {0};

	memcpy(prefix, ip, addr_ip_is_v4(ip) ? 16 : PREFIX6);
	peer = map_get(&p->peers, (struct bytes){prefix, sizeof(prefix)});
	if (peer)
		return purse_charge(&peer->connections, 1) ? peer : NULL;
	if (map_count(&p->peers) >= p->max || !connections)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (!peer || !map_put(&p->peers, (struct bytes){prefix, sizeof(prefix)}, peer)) {
		free(peer);
		return NULL;
	}
	memcpy(peer->prefix, prefix, sizeof(prefix));
	peer->connections = (struct purse){1, connections};
	peer->bytes = (struct purse){0, bytes};
	return peer;
}

struct purse_peer *
purses_enter(struct purses *p, const uint8_t ip[16])
{
	return purses_enter_up_to(p, ip, p->connections, p->bytes);
}

void
purses_leave(struct purses *p, struct purse_peer *peer)
{
	void *was;

	purse_refund(&peer->connections, 1);
	if (peer->connections.used)
		return;
	assert(!peer->bytes.used);
	was = map_remove(&p->peers, (struct bytes){peer->prefix, sizeof(peer->prefix)});
	assert(was == peer);
	free(was);
}

size_t
purses_count(const struct purses *p)
{
	return map_count(&p->peers);
}

void
purses_close(struct purses *p)
{
	struct map_at at = {0};
	void *peer;

	if (!p)
		return;
	while ((peer = map_next(&p->peers, &at, NULL)))
		free(peer);
	map_free(&p->peers);
	free(p);
}

/*
 * resolve_rig.h - an Internet on a virtual loop: dns roles' drivers as root, top-level and leaf
 * servers, a resolver's driver, and its clients.
 */
#ifndef TESTS_RESOLVE_RIG_H
#define TESTS_RESOLVE_RIG_H

#include "zone_ask.h"

#include "base/random.h"
#include "net/loop_sim.h"
#include "net/snap.h"
#include "serve/names.h"
#include "serve/resolve.h"
#include "talk/report.h"

#include <unistd.h>

enum { RIG_SERVERS = 16 };

/* Lines with the same address are one server. */
struct rig_zone {
	const char *ip, *apex, *text;
};

struct rig {
	struct loop *loop;
	struct random *random;
	struct names *servers[RIG_SERVERS];
	size_t n;
	struct resolve *resolve;
	struct addr at, me; /* me: a client that may ask */
	int udp;
	uint8_t packet[DNS_UDP_PLAIN], room[2 + DNS_TCP_MAX];
};

static inline struct addr
rig_addr(const char *text, uint16_t port)
{
	struct addr a = {.port = port};
	bool good = addr_ip_parse(bytes_of(text), a.ip);

	assert(good);
	return a;
}

static inline int
rig_listen(struct rig *r, const struct addr *at, enum loop_kind kind)
{
	int fd;
	struct err e = loop_listen(r->loop, at, kind, false, &fd);

	assert(is_ok(e));
	return fd;
}

/* A sealed image of all zones with this address. */
static inline int
rig_image(const struct rig_zone *zones, size_t n, const char *ip)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct snap_draft draft;
	struct kit k;
	struct err e;
	int fd;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(zones[i].ip, ip))
			kit_add(b, zones[i].apex, zones[i].text);
	k = kit_seal(b, 1);
	e = snap_make(&draft, "zones", k.n);
	assert(is_ok(e));
	memcpy(draft.p, k.region, k.n);
	e = snap_seal(&draft, k.n, &fd);
	assert(is_ok(e));
	kit_free(&k);
	return fd;
}

static inline void
rig_server(struct rig *r, const struct rig_zone *zones, size_t n, size_t i)
{
	struct addr at = rig_addr(zones[i].ip, 53);
	struct names *s;
	struct err e;
	int fd;

	for (size_t k = 0; k < i; k++)
		if (!strcmp(zones[k].ip, zones[i].ip))
			return;
	assert(r->n < RIG_SERVERS);
	e = names_open(&s, 0, r->loop, r->random);
	assert(is_ok(e));
	e = names_udp(s, rig_listen(r, &at, LOOP_DATAGRAM));
	assert(is_ok(e));
	e = names_tcp(s, rig_listen(r, &at, LOOP_STREAM));
	assert(is_ok(e));
	fd = rig_image(zones, n, zones[i].ip);
	e = names_image(s, fd);
	assert(is_ok(e));
	close(fd);
	r->servers[r->n++] = s;
}

static inline struct rig
rig_open(const struct rig_zone *zones, size_t n, const char *hints, uint64_t seed,
         struct peers *peers, struct loop *loop)
{
	static const struct net clients = {.ip = {[10] = 0xff, 0xff, 10, 9}, .bits = 112};
	struct rig r = {
	    .loop = loop, .at = rig_addr("10.8.0.1", 53), .me = rig_addr("10.9.0.1", 0)};
	struct resolve_conf conf = {
	    .peers = peers, .clients = &clients, .clients_n = 1, .port = 53};
	struct err e;

	r.random = random_seeded(seed);
	for (size_t i = 0; i < n; i++)
		rig_server(&r, zones, n, i);
	conf.loop = r.loop;
	conf.random = r.random;
	e = resolve_open(&r.resolve, &conf);
	assert(is_ok(e));
	e = resolve_udp(r.resolve, rig_listen(&r, &r.at, LOOP_DATAGRAM));
	assert(is_ok(e));
	e = resolve_tcp(r.resolve, rig_listen(&r, &r.at, LOOP_STREAM));
	assert(is_ok(e));
	e = resolve_hints(r.resolve, BYTES("hints"), bytes_of(hints), NULL);
	assert(is_ok(e));
	r.udp = rig_listen(&r, &r.me, LOOP_DATAGRAM);
	return r;
}

static inline void
rig_close(struct rig *r)
{
	loop_close_fd(r->loop, r->udp);
	resolve_close(r->resolve);
	for (size_t i = 0; i < r->n; i++)
		names_close(r->servers[i]);
	sim_run(r->loop, 1000);
	random_close(r->random);
}

#endif

/*
 * names_rig.h - a dns role's driver on a virtual loop, with clients: packets go in and answers come
 * out as they would on a network.
 */
#ifndef TESTS_NAMES_RIG_H
#define TESTS_NAMES_RIG_H

#include "zone_ask.h"

#include "base/buf.h"
#include "base/random.h"
#include "net/loop_sim.h"
#include "net/snap.h"
#include "serve/names.h"
#include "talk/report.h"

#include <unistd.h>

#define RIG_ZONE                                                                                   \
	"$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"                                 \
	"$GENERATE 1-6 six A 192.0.2.$\nsix AAAA 2001:db8::1\n"                                    \
	"$GENERATE 1-40 big TXT \"forty-texts-make-more-than-one-datagram-of-1232-octets-$\"\n"

struct rig {
	struct loop *loop;
	struct random *random;
	struct names *names;
	struct addr at, me;
	int udp; /* the client's */
	uint8_t packet[DNS_UDP_PLAIN], room[2 + DNS_TCP_MAX];
};

static inline struct addr
rig_addr(uint8_t net, uint8_t host, uint16_t port)
{
	return (struct addr){{[10] = 0xff, 0xff, 10, 0, net, host}, port, 0};
}

/* A sealed image of one zone z. */
static inline int
rig_image(const char *text, uint64_t version)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);
	struct snap_draft draft;
	struct kit k;
	struct err e;
	int fd;

	kit_add(b, "z.", text);
	k = kit_seal(b, version);
	e = snap_make(&draft, "zones", k.n);
	assert(is_ok(e));
	memcpy(draft.p, k.region, k.n);
	e = snap_seal(&draft, k.n, &fd);
	assert(is_ok(e));
	kit_free(&k);
	return fd;
}

static inline void
rig_load(struct rig *r, const char *text, uint64_t version)
{
	int fd = rig_image(text, version);
	struct err e = names_image(r->names, fd);

	assert(is_ok(e));
	close(fd);
}

static inline struct rig
rig_open(uint32_t rate)
{
	struct rig r = {.at = rig_addr(0, 1, 5300), .me = rig_addr(1, 1, 0)};
	int udp, tcp;
	struct err e = loop_sim_open(&r.loop, 7);

	assert(is_ok(e));
	r.random = random_seeded(7);
	e = names_open(&r.names, rate, r.loop, r.random);
	assert(is_ok(e));
	e = loop_listen(r.loop, &r.at, LOOP_DATAGRAM, false, &udp);
	assert(is_ok(e));
	e = names_udp(r.names, udp);
	assert(is_ok(e));
	e = loop_listen(r.loop, &r.at, LOOP_STREAM, false, &tcp);
	assert(is_ok(e));
	e = names_tcp(r.names, tcp);
	assert(is_ok(e));
	e = loop_listen(r.loop, &r.me, LOOP_DATAGRAM, false, &r.udp);
	assert(is_ok(e));
	return r;
}

static inline void
rig_close(struct rig *r)
{
	loop_close_fd(r->loop, r->udp);
	names_close(r->names);
	sim_run(r->loop, 1000);
	assert(sim_open_fds(r->loop) == 0);
	loop_close(r->loop);
	random_close(r->random);
}

static inline uint64_t
rig_count(const struct rig *r, const char *name)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));
	struct rd counters;
	struct bytes key;
	uint64_t value;

	names_status(r->names, &w);
	counters = rd_of(wr_since(&w, room));
	while (report_counter(&counters, &key, &value))
		if (bytes_eq(key, bytes_of(name)))
			return value;
	assert(false);
	return 0;
}

#endif

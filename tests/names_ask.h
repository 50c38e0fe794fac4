/*
 * names_ask.h - questions to the dns role of names_rig.h over the virtual net's UDP.
 */
#ifndef TESTS_NAMES_ASK_H
#define TESTS_NAMES_ASK_H

#include "names_rig.h"

static inline void
rig_send(struct rig *r, int fd, struct bytes packet)
{
	uint8_t copy[8192];
	struct loop_dgram d = {.peer = r->at, .p = copy, .n = packet.n};
	struct err e;
	size_t sent;

	assert(packet.n <= sizeof(copy));
	memcpy(copy, packet.p, packet.n);
	e = loop_dgram_send(r->loop, fd, &d, 1, &sent);
	assert(is_ok(e) && sent == 1);
}

/* The next datagram; no bytes: none came within a second. */
static inline struct bytes
rig_receive(struct rig *r, int fd, struct addr *from)
{
	struct loop_dgram d = {.p = r->room, .cap = sizeof(r->room)};
	struct err e;
	size_t got = 0;

	sim_run(r->loop, 1000);
	e = loop_dgram_recv(r->loop, fd, &d, 1, &got);
	if (!is_ok(e) || !got)
		return NO_BYTES;
	if (from)
		*from = d.peer;
	return (struct bytes){d.p, d.n};
}

static inline struct bytes
rig_packet(struct rig *r, const char *name, const char *type, uint16_t id)
{
	const struct kit_query q = {.name = name, .type = type, .edns = 4096};
	struct bytes packet = kit_packet(&q, r->packet);
	struct wr w = wr_of(r->packet, 2);

	wr_u16(&w, id);
	return packet;
}

static inline struct bytes
rig_ask(struct rig *r, const char *name, const char *type)
{
	rig_send(r, r->udp, rig_packet(r, name, type, 4711));
	return rig_receive(r, r->udp, NULL);
}

/* An octet of an answer; 0 behind its end. */
static inline uint8_t
rig_octet(struct bytes answer, size_t i)
{
	return answer.p && i < answer.n ? answer.p[i] : 0;
}

/* "NOERROR aa" and records, as zone_kit.h shows them; "" for no answer. */
static inline const char *
rig_show(struct bytes answer)
{
	static char text[1 << 20];
	struct wr w = wr_of(text, sizeof(text) - 1);

	if (answer.n)
		kit_show(answer, &w);
	*w.p = 0;
	return text;
}

#endif

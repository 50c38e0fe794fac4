/*
 * resolve_ask.h - clients of the resolver of resolve_rig.h, over UDP.
 */
#ifndef TESTS_RESOLVE_ASK_H
#define TESTS_RESOLVE_ASK_H

#include "resolve_rig.h"

#include "base/text.h"

static inline struct bytes
rig_packet(struct rig *r, const char *name, const char *type, uint16_t id, unsigned how)
{
	const struct kit_query q = {.name = name, .type = type, .how = how, .edns = 4096};
	struct bytes packet = kit_packet(&q, r->packet);
	struct wr w = wr_of(r->packet, 2);

	wr_u16(&w, id);
	return packet;
}

static inline void
rig_send(struct rig *r, int fd, struct bytes packet)
{
	uint8_t copy[DNS_UDP_PLAIN];
	struct loop_dgram d = {.peer = r->at, .p = copy, .n = packet.n};
	struct err e;
	size_t sent;

	memcpy(copy, packet.p, packet.n);
	e = loop_dgram_send(r->loop, fd, &d, 1, &sent);
	assert(is_ok(e) && sent == 1);
}

/* The next datagram within so many ms; no bytes: none. */
static inline struct bytes
rig_receive(struct rig *r, int fd, uint64_t ms)
{
	struct loop_dgram d = {.p = r->room, .cap = sizeof(r->room)};
	size_t got = 0;

	if (!loop_wait(r->loop, fd, LOOP_READ, &ms) ||
	    !is_ok(loop_dgram_recv(r->loop, fd, &d, 1, &got)) || !got)
		return NO_BYTES;
	return (struct bytes){d.p, d.n};
}

/* "NOERROR" and records, as zone_ask.h shows them but without TTLs; "" for no answer. */
static inline const char *
rig_show(struct bytes answer)
{
	static char text[1 << 20], whole[1 << 20];
	struct wr w = wr_of(whole, sizeof(whole) - 1), out = wr_of(text, sizeof(text) - 1);
	struct bytes rest;

	if (answer.n)
		kit_show(answer, &w);
	rest = wr_since(&w, (uint8_t *)whole);
	while (rest.n) {
		struct bytes line = text_cut(&rest, '\n');

		for (int i = 0; line.n; i++) {
			struct bytes word = text_cut(&line, ' ');

			if (i == 2)
				continue;
			wr_text(&out, i ? " " : "");
			wr_bytes(&out, word);
		}
		wr_text(&out, "\n");
	}
	*out.p = 0;
	return text;
}

/* An octet of an answer; 0 behind its end. */
static inline uint8_t
rig_octet(struct bytes answer, size_t i)
{
	return answer.p && i < answer.n ? answer.p[i] : 0;
}

static inline const char *
rig_ask(struct rig *r, const char *name, const char *type)
{
	rig_send(r, r->udp, rig_packet(r, name, type, 4711, KIT_RD));
	return rig_show(rig_receive(r, r->udp, 10000));
}

static inline uint64_t
rig_count(const struct rig *r, const char *name)
{
	uint8_t room[4096];
	struct wr w = wr_of(room, sizeof(room));
	struct rd counters;
	struct bytes key;
	uint64_t value;

	resolve_status(r->resolve, &w);
	counters = rd_of(wr_since(&w, room));
	while (report_counter(&counters, &key, &value))
		if (bytes_eq(key, bytes_of(name)))
			return value;
	assert(false);
	return 0;
}

#endif

/*
 * resolve_tcp.h - clients of the resolver of resolve_rig.h over TCP.
 */
#ifndef TESTS_RESOLVE_TCP_H
#define TESTS_RESOLVE_TCP_H

#include "resolve_ask.h"

static inline int
rig_connect(struct rig *r, const struct addr *from)
{
	int fd;
	struct err e = loop_connect(r->loop, -1, from, &r->at, &fd);

	assert(is_ok(e));
	return fd;
}

static inline void
rig_write(struct rig *r, int fd, struct bytes packet)
{
	uint8_t head[2];
	struct wr w = wr_of(head, sizeof(head));
	const struct bytes pieces[] = {{head, 2}, packet};
	struct err e;
	size_t sent;

	wr_u16(&w, (uint16_t)packet.n);
	e = loop_send(r->loop, fd, pieces, 2, &sent);
	assert(is_ok(e) && sent == 2 + packet.n);
}

/* n octets; false when they do not come within ten seconds. */
static inline bool
rig_read(struct rig *r, int fd, uint8_t *p, size_t n)
{
	uint64_t left = 10000;
	size_t got;

	while (n) {
		struct err e;

		if (!loop_wait(r->loop, fd, LOOP_READ, &left))
			return false;
		e = loop_recv(r->loop, fd, p, n, &got);
		if (e.code == ERR_LATER)
			continue;
		if (!is_ok(e) || !got)
			return false;
		p += got;
		n -= got;
	}
	return true;
}

/* The next answer of a connection; no bytes: it ended. */
static inline struct bytes
rig_frame(struct rig *r, int fd)
{
	size_t n;

	if (!rig_read(r, fd, r->room, 2))
		return NO_BYTES;
	n = (size_t)r->room[0] << 8 | r->room[1];
	return rig_read(r, fd, r->room, n) ? (struct bytes){r->room, n} : NO_BYTES;
}

#endif

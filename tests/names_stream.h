/*
 * names_stream.h - the same over its TCP, in pieces of any size.
 */
#ifndef TESTS_NAMES_STREAM_H
#define TESTS_NAMES_STREAM_H

#include "names_ask.h"

static inline int
rig_connect(struct rig *r, struct addr from)
{
	struct err e;
	int fd;

	e = sim_connect(r->loop, &from, &r->at, &fd);
	assert(is_ok(e));
	return fd;
}

/* In pieces of `cut` octets; false when the connection takes no more. */
static inline bool
rig_write(struct rig *r, int fd, struct bytes b, size_t cut)
{
	for (unsigned idle = 0; b.n && idle < 100;) {
		struct bytes piece = {b.p, b.n < cut ? b.n : cut};
		size_t sent = 0;
		struct err e = loop_send(r->loop, fd, &piece, 1, &sent);

		if (!is_ok(e) && e.code != ERR_LATER)
			return false;
		if (!is_ok(e)) {
			idle++;
			sim_run(r->loop, 5);
			continue;
		}
		b = (struct bytes){b.p + sent, b.n - sent};
	}
	return b.n == 0;
}

/* A query behind its length, to a writer. */
static inline void
rig_frame(struct rig *r, struct wr *w, const char *name, const char *type, uint16_t id)
{
	wr_bytes16(w, rig_packet(r, name, type, id));
}

/* What came within ms; *ended: the server has ended. */
static inline size_t
rig_read(struct rig *r, int fd, uint8_t *p, size_t n, uint64_t ms, bool *ended)
{
	size_t all = 0;

	*ended = false;
	for (uint64_t t = 0; t < ms && all < n && !*ended; t += 5) {
		size_t got = 0;
		struct err e;

		sim_run(r->loop, 5);
		while (is_ok(e = loop_recv(r->loop, fd, p + all, n - all, &got)) && got) {
			all += got;
			if (all == n)
				break;
		}
		*ended = (is_ok(e) && !got) || is_fault(e);
	}
	return all;
}

/* Has the server ended the connection within ms?  What it sent is dropped. */
static inline bool
rig_ends(struct rig *r, int fd, uint64_t ms)
{
	static uint8_t sink[1 << 22];
	bool ended;

	rig_read(r, fd, sink, sizeof(sink), ms, &ended);
	return ended;
}

#endif

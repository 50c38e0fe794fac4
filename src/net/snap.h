/*
 * snap.h - an image in sealed memory: one owner builds it, seals it and passes the descriptor;
 * readers map it and can be sure that it never changes or shrinks below them.
 *
 * A snap counts who holds it (the one place that may), so that a reader swaps to a new image while
 * old requests finish on the old one:
 *
 *	snap_swap(&role->image, fresh);         the next request sees the new one
 *	s = snap_hold(role->image); ... snap_release(s);
 */
#ifndef NET_SNAP_H
#define NET_SNAP_H

#include "base/bytes.h"
#include "base/err.h"

/* An image that is being built: n writable zeroed bytes at p. */
struct snap_draft {
	uint8_t *p;
	size_t n;
	int fd;
};
/* Answers: none; faults: ERR_IO, ERR_MEMORY.  name is for /proc only. */
MUST_CHECK struct err snap_make(struct snap_draft *, const char *name, size_t n);
/* Makes it larger; p may move. */
MUST_CHECK struct err snap_grow(struct snap_draft *, size_t n);
/* Cuts it to the n bytes that are used (> 0) and seals it; *fd is the caller's, the draft is done. */
MUST_CHECK struct err snap_seal(struct snap_draft *, size_t n, int *fd);
/* Those bytes in sealed memory (one zero byte for none); *fd is the caller's. */
struct err snap_copy(const char *name, struct bytes, int *fd) MUST_CHECK;
/* Gives up; also behind snap_seal(), where it does nothing. */
void snap_drop(struct snap_draft *);

/* Is it memory that nobody can write, grow or shrink any more?  *n is its size. */
MUST_CHECK struct err snap_check(int fd, size_t max, size_t *n);

struct snap;
/*
 * fd stays the caller's and may be closed at once.  Answers: ERR_DENIED, it is not sealed against
 * every change; ERR_RANGE, it is empty or larger than max.
 */
MUST_CHECK struct err snap_map(struct snap **out, int fd, size_t max);
struct bytes snap_bytes(const struct snap *);
struct snap *snap_hold(struct snap *);
/* Unmaps with the last one; NULL does nothing. */
void snap_release(struct snap *);
/* *place holds `fresh` from now on (taken over, may be NULL), and what was there is released. */
void snap_swap(struct snap **place, struct snap *fresh);

#endif

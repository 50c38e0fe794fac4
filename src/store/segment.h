/*
 * segment.h - the files of the log: "log-00000001" and so on, each a head and then frames.
 *
 * A segment's head is durable before its first frame is written, and says where the segment before
 * it ended; so the end of every segment but the last is known, and a bad frame before it is damage.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "base/bytes.h"
#include "base/err.h"
#include "store/frame.h"

struct disk;

enum {
	SEGMENT_HEAD = 4096, /* frames begin here, in a page of their own */
	SEGMENT_NAME = 32,   /* room for a name */
	SEGMENT_VERSION = 1,
	SEGMENTS_OPEN = 16, /* kept open for reading */
};

/* What a segment says of itself. */
struct segment_head {
	uint64_t number;      /* from 1, without gaps */
	uint64_t key;         /* of its frames' sums: random, so that old blocks are no frames */
	uint64_t group, prev; /* the group that goes on here, the sum of the last frame before */
	uint64_t prev_end;    /* where the segment before ended */
	uint8_t store[16];    /* whose log this is */
};

struct segment {
	int fd;
	struct segment_head head;
};

/* The segments of a folder, and those that are open for reading. */
struct segments {
	struct disk *disk;
	int dir_fd;
	uint8_t store[16];
	uint64_t first, last;               /* the numbers that there are; 0: none */
	struct segment open[SEGMENTS_OPEN]; /* of number n at n % SEGMENTS_OPEN; number 0: none */
};

void segments_init(struct segments *, struct disk *, int dir_fd, const uint8_t store[16]);
void segments_fini(struct segments *);
/* Finds first and last.  ERR_CORRUPT: one between them is missing. */
MUST_CHECK struct err segments_list(struct segments *);
/*
 * Makes segment last + 1 with blocks for `size` bytes, its head durable, open for writing as *fd.
 * Answer: ERR_FULL; then it is not there.
 */
MUST_CHECK struct err segments_add(struct segments *, const struct segment_head *, uint64_t size,
                                   int *fd);
/* Takes away the last one, durably: it holds nothing that was committed. */
MUST_CHECK struct err segments_drop(struct segments *);
/*
 * The segment of this number, borrowed until the next call.  ERR_CORRUPT: it is missing, or its head
 * is not what was written.
 */
MUST_CHECK struct err segments_get(struct segments *, uint64_t number, const struct segment **out);
/* The segment of this number for writing; the caller closes it. */
MUST_CHECK struct err segments_write(struct segments *, uint64_t number, int *fd);
/*
 * Reads and checks the frame at this offset of a segment into the room.  Answer: ERR_NOTFOUND there
 * is no good frame.
 */
MUST_CHECK struct err segment_frame(struct segments *, const struct segment *, uint64_t offset,
                                    uint8_t room[FRAME_MAX], struct frame *, struct bytes *data);

#endif

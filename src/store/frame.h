/*
 * frame.h - the unit of the log: a head and up to 64 KiB of data under one checksum.
 *
 * 1. A group is what one sync makes durable: pieces of bodies, changes, and one END; it is there
 *    when its END is there.
 * 2. Each frame names the sum of the one before it, through the whole log: a frame that was left
 *    over by an undone or torn group can never follow one that was written later.
 * 3. Groups are numbered without gaps, and the next is written after the sync of the one before.  So
 *    a good frame of a later group behind a bad one means damage; without it, a torn end.
 * 4. A frame with index 0 begins its group anew: what came of that group before was given up.
 */
#ifndef STORE_FRAME_H
#define STORE_FRAME_H

#include "base/bytes.h"

enum frame_kind { FRAME_PIECE = 1, FRAME_CHANGES, FRAME_END };

enum {
	FRAME_HEAD = 40,
	FRAME_ALIGN = 8,   /* frames begin at multiples of this */
	PIECE_HEAD = 32,   /* in front of the body's bytes: blob id, length and offset */
	PIECE_MAX = 65536, /* bytes of a body in one piece; all but the last have as many */
	FRAME_DATA_MAX = PIECE_HEAD + PIECE_MAX,
	FRAME_MAX = FRAME_HEAD + FRAME_DATA_MAX,
};

struct frame {
	uint32_t kind, length; /* of the data */
	uint32_t index;        /* in its group, from 0 */
	uint64_t group, prev, sum;
};

/* Bytes that a frame takes in the log. */
static inline size_t
frame_size(size_t length)
{
	return (FRAME_HEAD + length + FRAME_ALIGN - 1) / FRAME_ALIGN * FRAME_ALIGN;
}

/*
 * What stands at FRAME_MARK in every frame of a segment.  It comes from the key: a body made of
 * heads that a stranger invents would otherwise make the search for frames slow.
 */
enum { FRAME_MARK = 8 };
uint32_t frame_mark(uint64_t key);
/*
 * Writes the head in front of the data, which stands already at `at` + FRAME_HEAD, and zeros behind
 * it up to frame_size(); sets the frame's sum.
 */
void frame_seal(uint8_t *at, struct frame *, uint64_t key);
/* The head alone, without regard to its sum; false when it cannot be one. */
bool frame_head(struct bytes, uint64_t key, struct frame *out);
/* Head and data; false when they are not what was sealed under this key. */
bool frame_check(struct bytes, uint64_t key, struct frame *out, struct bytes *data);

#endif

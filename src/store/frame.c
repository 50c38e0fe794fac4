/* frame.c - sealing and checking the frames of the log. */
#include "store/frame.h"

#include "store/sum.h"

enum { SUM = 8 }; /* bytes of the sum itself, which it does not cover */

uint32_t
frame_mark(uint64_t key)
{
	return (uint32_t)sum_of(key, 0, BYTES("frame"));
}

void
frame_seal(uint8_t *at, struct frame *f, uint64_t key)
{
	size_t end = FRAME_HEAD + f->length;
	struct wr w = wr_of(at, end);

	wr_u64(&w, 0);
	wr_u32(&w, frame_mark(key));
	wr_u32(&w, f->kind);
	wr_u32(&w, f->length);
	wr_u32(&w, f->index);
	wr_u64(&w, f->group);
	wr_u64(&w, f->prev);
	memset(at + end, 0, frame_size(f->length) - end);
	f->sum = sum_of(key, 0, (struct bytes){at + SUM, end - SUM});
	w = wr_of(at, end);
	wr_u64(&w, f->sum);
}

bool
frame_head(struct bytes b, uint64_t key, struct frame *out)
{
	struct rd r = rd_of(b);

	out->sum = rd_u64(&r);
	if (rd_u32(&r) != frame_mark(key))
		return false;
	out->kind = rd_u32(&r);
	out->length = rd_u32(&r);
	out->index = rd_u32(&r);
	out->group = rd_u64(&r);
	out->prev = rd_u64(&r);
	return !r.bad && out->kind >= FRAME_PIECE && out->kind <= FRAME_END &&
	       out->length <= FRAME_DATA_MAX;
}

bool
frame_check(struct bytes b, uint64_t key, struct frame *out, struct bytes *data)
{
	if (!frame_head(b, key, out) || b.n < FRAME_HEAD + out->length)
		return false;
	*data = (struct bytes){b.p + FRAME_HEAD, out->length};
	return sum_of(key, 0, (struct bytes){b.p + SUM, FRAME_HEAD - SUM + out->length}) ==
	       out->sum;
}

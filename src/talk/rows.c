/* rows.c - message rows, packed one behind the other. */
#include "talk/rows.h"

void
message_row_put(struct wr *w, const struct message_row *row)
{
	if (row->summary.n > UINT16_MAX || wr_room(w) < MESSAGE_ROW_FIXED + row->summary.n) {
		w->full = true;
		return;
	}
	wr_u32(w, row->uid);
	wr_u32(w, row->flags);
	wr_u64(w, row->size);
	wr_u64(w, row->received_s);
	wr_u64(w, row->modseq);
	wr_bytes16(w, row->summary);
}

bool
message_row_get(struct rd *r, struct message_row *row)
{
	if (!rd_left(r))
		return false;
	row->uid = rd_u32(r);
	row->flags = rd_u32(r);
	row->size = rd_u64(r);
	row->received_s = rd_u64(r);
	row->modseq = rd_u64(r);
	row->summary = rd_bytes16(r);
	return !r->bad;
}

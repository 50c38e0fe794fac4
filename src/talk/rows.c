/* rows.c - rows and ranges, packed one behind the other. */
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
	wr_u64(w, row->keywords);
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
	row->keywords = rd_u64(r);
	row->size = rd_u64(r);
	row->received_s = rd_u64(r);
	row->modseq = rd_u64(r);
	row->summary = rd_bytes16(r);
	return !r->bad;
}

void
uid_range_put(struct wr *w, struct uid_range range)
{
	if (wr_room(w) < 8) {
		w->full = true;
		return;
	}
	wr_u32(w, range.first);
	wr_u32(w, range.last);
}

bool
uid_range_get(struct rd *r, struct uid_range *range)
{
	if (!rd_left(r))
		return false;
	range->first = rd_u32(r);
	range->last = rd_u32(r);
	if (range->first > range->last)
		r->bad = true;
	return !r->bad;
}

void
folder_row_put(struct wr *w, const struct folder_row *row)
{
	if (wr_room(w) < 7 * 4 + 8 + 1 + row->name.n || row->name.n > FOLDER_NAME_MAX) {
		w->full = true;
		return;
	}
	wr_u32(w, row->number);
	wr_u32(w, row->uidvalidity);
	wr_u32(w, row->uidnext);
	wr_u32(w, row->count);
	wr_u32(w, row->unseen);
	wr_u32(w, row->recent);
	wr_u32(w, row->flags);
	wr_u64(w, row->modseq);
	wr_bytes8(w, row->name);
}

bool
folder_row_get(struct rd *r, struct folder_row *row)
{
	if (!rd_left(r))
		return false;
	row->number = rd_u32(r);
	row->uidvalidity = rd_u32(r);
	row->uidnext = rd_u32(r);
	row->count = rd_u32(r);
	row->unseen = rd_u32(r);
	row->recent = rd_u32(r);
	row->flags = rd_u32(r);
	row->modseq = rd_u64(r);
	row->name = rd_bytes8(r);
	return !r->bad;
}

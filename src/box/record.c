/* record.c - numbers are big-endian, so that messages lie in the order of their UIDs. */
#include "box/record.h"

#include <assert.h>

enum { ROW_OLD = 1, ROW_VERSION = 2, FOLDER_VERSION = 2, NEXT_VERSION = 1, OP_VERSION = 1 };

/* ---- keys ---- */

struct bytes
record_message_key(uint8_t room[RECORD_KEY_MAX], char kind, uint32_t mailbox, uint32_t uid)
{
	struct wr w = wr_of(room, RECORD_KEY_MAX);

	wr_u8(&w, (uint8_t)kind);
	wr_u32(&w, mailbox);
	wr_u32(&w, uid);
	return wr_since(&w, room);
}

struct bytes
record_folder_key(uint8_t room[RECORD_KEY_MAX], char kind, uint32_t mailbox)
{
	struct wr w = wr_of(room, RECORD_KEY_MAX);

	wr_u8(&w, (uint8_t)kind);
	wr_u32(&w, mailbox);
	return wr_since(&w, room);
}

struct bytes
record_gone_key(uint8_t room[RECORD_KEY_MAX], uint32_t mailbox, uint64_t modseq)
{
	struct wr w = wr_of(room, RECORD_KEY_MAX);

	wr_u8(&w, 'e');
	wr_u32(&w, mailbox);
	wr_u64(&w, modseq);
	return wr_since(&w, room);
}

/* Ids are random: their first octets choose one of the places, and a later one takes it over. */
struct bytes
record_op_key(uint8_t room[RECORD_KEY_MAX], struct op_id op, uint32_t part)
{
	struct wr w = wr_of(room, RECORD_KEY_MAX);

	wr_u8(&w, 'o');
	wr_u16(&w, (uint16_t)((((uint32_t)op.id[0] << 8 | op.id[1]) + part) % RECORD_OPS));
	return wr_since(&w, room);
}

bool
record_message_of(struct bytes key, uint32_t *mailbox, uint32_t *uid)
{
	struct rd r = rd_of(key);

	rd_u8(&r);
	*mailbox = rd_u32(&r);
	*uid = rd_u32(&r);
	return !r.bad && !rd_left(&r);
}

bool
record_folder_of(struct bytes key, uint32_t *mailbox)
{
	struct rd r = rd_of(key);

	rd_u8(&r);
	*mailbox = rd_u32(&r);
	return !r.bad && !rd_left(&r);
}

bool
record_gone_of(struct bytes key, uint64_t *modseq)
{
	struct rd r = rd_of(key);

	rd_take(&r, 1 + 4);
	*modseq = rd_u64(&r);
	return !r.bad && !rd_left(&r);
}

/* ---- messages ---- */

struct bytes
record_row_value(uint8_t room[RECORD_ROW], const struct message_row *row)
{
	struct wr w = wr_of(room, RECORD_ROW);

	wr_u8(&w, ROW_VERSION);
	wr_u32(&w, row->flags);
	wr_u64(&w, row->keywords);
	wr_u64(&w, row->size);
	wr_u64(&w, row->received_s);
	wr_u64(&w, row->modseq);
	assert(!w.full);
	return wr_since(&w, room);
}

struct err
record_row_read(struct bytes key, struct bytes value, struct record_row *out)
{
	struct rd r = rd_of(value);
	uint8_t version = rd_u8(&r);
	uint32_t mailbox, uid;

	*out = (struct record_row){.is_old = version == ROW_OLD};
	if (!record_message_of(key, &mailbox, &uid) || version < ROW_OLD || version > ROW_VERSION)
		return ERR(ERR_CORRUPT, 0, "a message's row");
	out->row.uid = uid;
	out->row.flags = rd_u32(&r);
	if (!out->is_old)
		out->row.keywords = rd_u64(&r);
	out->row.size = rd_u64(&r);
	out->row.received_s = rd_u64(&r);
	out->row.modseq = rd_u64(&r);
	if (out->is_old) {
		out->sender = rd_bytes16(&r);
		out->row.summary = rd_bytes16(&r);
	}
	return r.bad ? ERR(ERR_CORRUPT, 0, "a message's row") : OK;
}

struct bytes
record_summary_value(uint8_t room[RECORD_SUMMARY_MAX], struct bytes sender, struct bytes summary)
{
	struct wr w = wr_of(room, RECORD_SUMMARY_MAX);

	wr_bytes16(&w, sender);
	wr_bytes16(&w, summary);
	assert(!w.full);
	return wr_since(&w, room);
}

struct err
record_summary_read(struct bytes value, struct bytes *summary)
{
	struct rd r = rd_of(value);

	rd_bytes16(&r);
	*summary = rd_bytes16(&r);
	return r.bad ? ERR(ERR_CORRUPT, 0, "a message's summary") : OK;
}

/* ---- mailboxes ---- */

struct bytes
record_folder_value(uint8_t room[RECORD_FOLDER_MAX], const struct record_folder *f)
{
	struct wr w = wr_of(room, RECORD_FOLDER_MAX);

	wr_bytes8(&w, f->name);
	wr_u32(&w, f->uidvalidity);
	wr_u32(&w, f->uidnext);
	wr_u8(&w, FOLDER_VERSION);
	wr_u8(&w, f->counted);
	wr_u32(&w, f->count);
	wr_u32(&w, f->unseen);
	wr_u32(&w, f->recent);
	wr_u32(&w, f->flags);
	wr_u64(&w, f->modseq);
	wr_u64(&w, f->gone_from);
	assert(!w.full);
	return wr_since(&w, room);
}

struct err
record_folder_read(struct bytes value, struct record_folder *f)
{
	struct rd r = rd_of(value);

	*f = (struct record_folder){.name = rd_bytes8(&r)};
	f->uidvalidity = rd_u32(&r);
	f->uidnext = rd_u32(&r);
	f->is_old = !rd_left(&r);
	if (f->is_old) {
		f->recent = 1;
		f->flags = FOLDER_EXISTS | FOLDER_SUBSCRIBED;
	} else {
		r.bad |= rd_u8(&r) != FOLDER_VERSION;
		f->counted = rd_u8(&r);
		f->count = rd_u32(&r);
		f->unseen = rd_u32(&r);
		f->recent = rd_u32(&r);
		f->flags = rd_u32(&r);
		f->modseq = rd_u64(&r);
		f->gone_from = rd_u64(&r);
	}
	return r.bad ? ERR(ERR_CORRUPT, 0, "a mailbox's record") : OK;
}

struct bytes
record_next_value(uint8_t room[RECORD_NEXT], const struct record_next *next)
{
	struct wr w = wr_of(room, RECORD_NEXT);

	wr_u8(&w, NEXT_VERSION);
	wr_u32(&w, next->number);
	wr_u32(&w, next->uidvalidity);
	return wr_since(&w, room);
}

struct err
record_next_read(struct bytes value, struct record_next *next)
{
	struct rd r = rd_of(value);

	r.bad |= rd_u8(&r) != NEXT_VERSION;
	next->number = rd_u32(&r);
	next->uidvalidity = rd_u32(&r);
	return r.bad ? ERR(ERR_CORRUPT, 0, "an account's next numbers") : OK;
}

/* ---- operations ---- */

struct bytes
record_op_value(uint8_t room[RECORD_OP_MAX], const struct record_op *o)
{
	struct wr w = wr_of(room, RECORD_OP_MAX);

	wr_u8(&w, OP_VERSION);
	wr_bytes(&w, (struct bytes){o->op.id, sizeof(o->op.id)});
	wr_u32(&w, o->part);
	wr_u32(&w, o->mailbox);
	wr_u32(&w, o->uidvalidity);
	wr_u32(&w, o->uid);
	wr_u32(&w, o->next);
	wr_bytes16(&w, o->from);
	assert(!w.full);
	return wr_since(&w, room);
}

bool
record_op_read(struct bytes value, struct op_id op, uint32_t part, struct record_op *o)
{
	struct rd r = rd_of(value);
	bool known = rd_u8(&r) == OP_VERSION;
	struct bytes id = rd_take(&r, sizeof(op.id));

	*o = (struct record_op){.op = op, .part = rd_u32(&r)};
	o->mailbox = rd_u32(&r);
	o->uidvalidity = rd_u32(&r);
	o->uid = rd_u32(&r);
	o->next = rd_u32(&r);
	o->from = rd_bytes16(&r);
	return known && !r.bad && o->part == part && bytes_eq(id, (struct bytes){op.id, 16});
}

/* spool.c - heads, recipients and results, packed one behind the other. */
#include "talk/spool.h"

void
spool_head_put(struct wr *w, const struct spool_head *h, uint16_t rcpts)
{
	wr_u64(w, h->id);
	wr_u64(w, h->created_s);
	wr_u64(w, h->size);
	wr_u64(w, h->header);
	wr_u32(w, h->skip);
	wr_u32(w, h->flags);
	wr_bytes16(w, h->sender);
	wr_u16(w, rcpts);
}

bool
spool_head_get(struct rd *r, struct spool_head *h, uint16_t *rcpts)
{
	if (!rd_left(r))
		return false;
	h->id = rd_u64(r);
	h->created_s = rd_u64(r);
	h->size = rd_u64(r);
	h->header = rd_u64(r);
	h->skip = rd_u32(r);
	h->flags = rd_u32(r);
	h->sender = rd_bytes16(r);
	*rcpts = rd_u16(r);
	return !r->bad;
}

void
spool_rcpt_put(struct wr *w, const struct spool_rcpt *s)
{
	wr_u16(w, s->number);
	wr_u8(w, s->state);
	wr_u16(w, s->tries);
	wr_u16(w, s->report);
	wr_u64(w, s->next_s);
	for (size_t i = 0; i < sizeof(s->status); i++)
		wr_u8(w, s->status[i]);
	wr_u8(w, s->is_reply);
	wr_bytes16(w, s->address);
	wr_bytes16(w, s->server);
	wr_bytes16(w, s->reply);
}

bool
spool_rcpt_get(struct rd *r, struct spool_rcpt *s)
{
	if (!rd_left(r))
		return false;
	s->number = rd_u16(r);
	s->state = rd_u8(r);
	s->tries = rd_u16(r);
	s->report = rd_u16(r);
	s->next_s = rd_u64(r);
	for (size_t i = 0; i < sizeof(s->status); i++)
		s->status[i] = rd_u8(r);
	s->is_reply = rd_u8(r) != 0;
	s->address = rd_bytes16(r);
	s->server = rd_bytes16(r);
	s->reply = rd_bytes16(r);
	return !r->bad;
}

void
spool_result_put(struct wr *w, const struct spool_result *s)
{
	wr_u8(w, s->outcome);
	for (size_t i = 0; i < sizeof(s->status); i++)
		wr_u8(w, s->status[i]);
	wr_u8(w, s->is_reply);
	wr_bytes16(w, s->server);
	wr_bytes16(w, s->reply);
}

bool
spool_result_get(struct rd *r, struct spool_result *s)
{
	if (!rd_left(r))
		return false;
	s->outcome = rd_u8(r);
	for (size_t i = 0; i < sizeof(s->status); i++)
		s->status[i] = rd_u8(r);
	s->is_reply = rd_u8(r) != 0;
	s->server = rd_bytes16(r);
	s->reply = rd_bytes16(r);
	return !r->bad;
}

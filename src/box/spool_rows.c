/* spool_rows.c - a version, and what talk/spool packs. */
#include "box/spool_rows.h"

#include "base/log.h"
#include "box/spool.h"

enum { ROW_VERSION = 1 };

struct shard_id
spool_partition(uint64_t id)
{
	return shard_number(SHARD_QUEUE, id % SPOOL_PARTITIONS);
}

struct bytes
spool_head_key(uint8_t room[SPOOL_HEAD_KEY], uint64_t id)
{
	struct wr w = wr_of(room, SPOOL_HEAD_KEY);

	wr_u8(&w, 'q');
	wr_u64(&w, id);
	return wr_since(&w, room);
}

struct bytes
spool_rcpt_key(uint8_t room[SPOOL_RCPT_KEY], uint64_t id, uint16_t number)
{
	struct wr w = wr_of(room, SPOOL_RCPT_KEY);

	wr_u8(&w, 'r');
	wr_u64(&w, id);
	wr_u16(&w, number);
	return wr_since(&w, room);
}

void
spool_head_write(struct wr *w, const struct spool_head *h)
{
	wr_u8(w, ROW_VERSION);
	spool_head_put(w, h, 0);
}

void
spool_rcpt_write(struct wr *w, const struct spool_rcpt *r)
{
	wr_u8(w, ROW_VERSION);
	spool_rcpt_put(w, r);
}

bool
spool_head_read(struct bytes value, uint64_t id, struct spool_head *h)
{
	struct rd r = rd_of(value);
	uint16_t none;

	return rd_u8(&r) == ROW_VERSION && spool_head_get(&r, h, &none) && !rd_left(&r) &&
	       h->id == id && h->header <= h->size && h->skip <= h->header &&
	       h->sender.n <= SPOOL_SENDER_MAX;
}

bool
spool_rcpt_read(struct bytes key, struct bytes value, struct spool_rcpt *s)
{
	struct rd k = rd_of(key), r = rd_of(value);

	rd_take(&k, SPOOL_HEAD_KEY);
	return rd_u8(&r) == ROW_VERSION && spool_rcpt_get(&r, s) && !rd_left(&r) &&
	       s->number == rd_u16(&k) && !k.bad && s->address.n &&
	       s->address.n <= SPOOL_SENDER_MAX && s->reply.n <= SPOOL_REPLY_MAX &&
	       s->server.n <= SPOOL_SERVER_MAX &&
	       (s->state == SPOOL_WAITING || s->state == SPOOL_GIVEN_UP);
}

struct err
spool_recipients(struct store *store, uint64_t id, struct store_page *page, struct arena *arena)
{
	uint8_t from[SPOOL_RCPT_KEY], to[SPOOL_RCPT_KEY];

	return store_range(store, spool_partition(id), STORE_ANY, spool_rcpt_key(from, id, 0),
	                   spool_rcpt_key(to, id + 1, 0), SPOOL_RCPTS_MAX + 1, page, arena);
}

void
spool_damaged(uint64_t id, struct err e)
{
	log_event(LOG_ERROR, "box.spool_damaged", kv_u64("id", id), kv_err(e));
}

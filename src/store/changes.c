/* changes.c - the records of a group's changes. */
#include "store/changes.h"

enum { SHARD_RECORD = 1 + SHARD_SIZE + 16 + 8, CHANGE_FIXED = 1 + 1 + 16 + 2 };

size_t
changes_size(const struct store_change *changes, size_t n)
{
	size_t size = SHARD_RECORD;

	for (size_t i = 0; i < n; i++)
		size += CHANGE_FIXED + changes[i].key.n + changes[i].value.n;
	return size;
}

void
shard_write(struct wr *w, struct shard_id shard)
{
	wr_u8(w, shard.kind);
	wr_bytes(w, (struct bytes){shard.id, sizeof(shard.id)});
}

void
id_read(struct rd *r, uint8_t out[16])
{
	struct bytes b = rd_take(r, 16);

	memset(out, 0, 16);
	if (b.n)
		memcpy(out, b.p, 16);
}

void
changes_write(struct wr *w, struct shard_id shard, struct op_id op, uint64_t version,
              const struct store_change *changes, size_t n)
{
	wr_u8(w, CHANGE_SHARD);
	shard_write(w, shard);
	wr_bytes(w, (struct bytes){op.id, sizeof(op.id)});
	wr_u64(w, version);
	for (size_t i = 0; i < n; i++) {
		const struct store_change *c = &changes[i];

		wr_u8(w, c->kind == STORE_PUT ? CHANGE_PUT : CHANGE_DELETE);
		wr_bytes8(w, c->key);
		if (c->kind == STORE_DELETE)
			continue;
		wr_bytes(w, (struct bytes){c->blob.id, sizeof(c->blob.id)});
		wr_bytes16(w, c->value);
	}
}

bool
changes_next(struct rd *r, struct change *out)
{
	if (rd_left(r) == 0)
		return false;
	out->kind = rd_u8(r);
	switch (out->kind) {
	case CHANGE_SHARD:
		out->shard.kind = rd_u8(r);
		id_read(r, out->shard.id);
		id_read(r, out->op.id);
		out->version = rd_u64(r);
		return !r->bad;
	case CHANGE_PUT:
		out->key = rd_bytes8(r);
		id_read(r, out->blob.id);
		out->value = rd_bytes16(r);
		return !r->bad;
	case CHANGE_DELETE:
		out->key = rd_bytes8(r);
		return !r->bad;
	}
	r->bad = true;
	return false;
}

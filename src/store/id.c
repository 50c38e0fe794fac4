/* id.c - making and comparing the names of things in the store. */
#include "store/id.h"

#include <string.h>

#include "base/bytes.h"

static bool
is_zero(const uint8_t id[16])
{
	static const uint8_t zero[16];

	return memcmp(id, zero, sizeof(zero)) == 0;
}

struct shard_id
shard_of(enum shard_kind kind, const uint8_t id[16])
{
	struct shard_id s = {(uint8_t)kind, {0}};

	memcpy(s.id, id, sizeof(s.id));
	return s;
}

struct shard_id
shard_number(enum shard_kind kind, uint64_t number)
{
	struct shard_id s = {(uint8_t)kind, {0}};
	struct wr w = wr_of(s.id + 8, 8);

	wr_u64(&w, number);
	return s;
}

bool
shard_eq(struct shard_id a, struct shard_id b)
{
	return a.kind == b.kind && memcmp(a.id, b.id, sizeof(a.id)) == 0;
}

bool
op_is_none(struct op_id op)
{
	return is_zero(op.id);
}

bool
op_eq(struct op_id a, struct op_id b)
{
	return memcmp(a.id, b.id, sizeof(a.id)) == 0;
}

bool
blob_is_none(struct blob_id blob)
{
	return is_zero(blob.id);
}

bool
blob_eq(struct blob_id a, struct blob_id b)
{
	return memcmp(a.id, b.id, sizeof(a.id)) == 0;
}

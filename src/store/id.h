/*
 * id.h - the names of things in the store: shards, operations, blobs.  Plain values of a fixed size.
 */
#ifndef STORE_ID_H
#define STORE_ID_H

#include <stdbool.h>
#include <stdint.h>

/* Part of the format on disk: a kind is never renumbered. */
enum shard_kind {
	SHARD_DIRECTORY = 1,
	SHARD_ACCOUNT,
	SHARD_MAILBOX,
	SHARD_ZONE,
	SHARD_QUEUE,
	SHARD_LOGINS,
	SHARD_FOLDER,
};

struct shard_id {
	uint8_t kind, id[16];
};

/* Names one attempt to change a shard, over all its repetitions.  All zero: none. */
struct op_id {
	uint8_t id[16];
};

/* Names a body.  All zero: none. */
struct blob_id {
	uint8_t id[16];
};

#define OP_NONE   ((struct op_id){{0}})
#define BLOB_NONE ((struct blob_id){{0}})

struct shard_id shard_of(enum shard_kind, const uint8_t id[16]);
/* For what is numbered, not named: big-endian in the last eight bytes, the others zero. */
struct shard_id shard_number(enum shard_kind, uint64_t number);

bool shard_eq(struct shard_id, struct shard_id);
bool op_is_none(struct op_id);
bool op_eq(struct op_id, struct op_id);
bool blob_is_none(struct blob_id);
bool blob_eq(struct blob_id, struct blob_id);

#endif

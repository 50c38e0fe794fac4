/*
 * changes.h - the changes of a group as one run of bytes: what the frames CHANGES and END carry.
 * A submit is a SHARD record and the PUT and DELETE records behind it.
 */
#ifndef STORE_CHANGES_H
#define STORE_CHANGES_H

#include "base/bytes.h"
#include "store/store.h"

enum change_kind { CHANGE_SHARD = 1, CHANGE_PUT, CHANGE_DELETE };
enum { SHARD_SIZE = 17 }; /* bytes of a shard's name on disk */

struct change {
	enum change_kind kind;
	struct shard_id shard; /* SHARD, and the two fields below */
	struct op_id op;
	uint64_t version;        /* that the submit leads to */
	struct bytes key, value; /* of PUT, with blob; DELETE: the key alone */
	struct blob_id blob;
};

/* Bytes that a submit takes at most. */
size_t changes_size(const struct store_change *, size_t n);
void changes_write(struct wr *, struct shard_id, struct op_id, uint64_t version,
                   const struct store_change *, size_t n);
/* The next record; false at the end, and with r->bad when the bytes are not records. */
bool changes_next(struct rd *r, struct change *out);

void shard_write(struct wr *, struct shard_id);
/* Sixteen bytes of a name. */
void id_read(struct rd *, uint8_t out[16]);

#endif

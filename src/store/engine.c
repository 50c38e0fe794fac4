/* engine.c - what the engines share. */
#include "store/engine.h"

#include <errno.h>
#include <unistd.h>

struct err
item_blob_missing(const struct item *items, size_t at, struct blob_id blob)
{
	for (size_t i = at; i-- > 0;)
		if (items[i].body && blob_eq(items[i].blob, blob) && !is_ok(items[i].err))
			return items[i].err;
	return ERR(ERR_NOTFOUND, 0, "no such blob to keep");
}

uint64_t
body_length(const struct store_body *body)
{
	return body->fd < 0 ? body->bytes.n : body->length;
}

struct err
body_read(const struct store_body *body, uint64_t at, void *room, size_t n)
{
	ssize_t r = 0;

	if (body->fd < 0) {
		if (n)
			memcpy(room, body->bytes.p + at, n);
		return OK;
	}
	for (size_t got = 0; got < n; got += (size_t)r) {
		do
			r = pread(body->fd, (uint8_t *)room + got, n - got,
			          (off_t)(body->offset + at + got));
		while (r < 0 && errno == EINTR);
		if (r < 0)
			return ERR(ERR_IO, errno, "reading a body");
		if (r == 0)
			return ERR(ERR_RANGE, 0, "the body's file ends too early");
	}
	return OK;
}

struct err
entry_copy(struct store_entry *out, struct bytes key, struct bytes value, struct blob_id blob,
           struct arena *arena)
{
	out->key = arena_copy(arena, key);
	out->value = value.n ? arena_copy(arena, value) : NO_BYTES;
	out->blob = blob;
	return out->key.p && (out->value.p || !value.n) ? OK : ERR(ERR_MEMORY, 0, "arena");
}

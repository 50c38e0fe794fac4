/* out_body.c - long messages are looked at stretch by stretch, so that no other waits for them. */
#include "serve/out_body.h"

#include <stdlib.h>

enum {
	STRETCH = 256 * 1024, /* of one look */
	PIECE = 64 * 1024,
	MADE_MAX = 32 * 1024,
};

struct err
out_body_open(struct out_body *b, struct bytes bytes, int fd, uint64_t size, uint32_t skip,
              uint64_t header)
{
	struct err e = OK;

	*b = (struct out_body){.snap = NULL};
	if (fd >= 0) {
		e = snap_map(&b->snap, fd, SIZE_MAX / 2);
		if (!is_ok(e))
			return e;
		b->bytes = snap_bytes(b->snap);
	} else if (bytes.n) {
		b->copy = malloc(bytes.n);
		if (!b->copy)
			return ERR(ERR_MEMORY, 0, "body");
		memcpy(b->copy, bytes.p, bytes.n);
		b->bytes = (struct bytes){b->copy, bytes.n};
	}
	if (b->bytes.n != size || skip > header || header > size) {
		out_body_close(b);
		return ERR(ERR_SYNTAX, 0, "sizes of a body");
	}
	if (size)
		b->bytes = (struct bytes){b->bytes.p + skip, b->bytes.n - skip};
	b->header = (size_t)(header - skip);
	return OK;
}

void
out_body_close(struct out_body *b)
{
	snap_release(b->snap);
	free(b->copy);
	*b = (struct out_body){.snap = NULL};
}

static bool
has_8bit(const uint8_t *p, size_t n)
{
	uint8_t all = 0;

	for (size_t i = 0; i < n; i++)
		all |= p[i];
	return all & 0x80;
}

bool
out_body_scan(struct out_body *b)
{
	size_t n = b->bytes.n - b->seen;

	if (b->seen < b->header && n > b->header - b->seen)
		n = b->header - b->seen;
	if (n > STRETCH)
		n = STRETCH;
	if (n && has_8bit(b->bytes.p + b->seen, n)) {
		b->is_8bit = true;
		b->is_8bit_head |= b->seen < b->header;
	}
	b->seen += n;
	if (b->is_8bit && b->seen >= b->header)
		b->seen = b->bytes.n;
	return b->seen == b->bytes.n;
}

void
out_reader_open(struct out_reader *r, const struct out_body *body, bool takes_8bit)
{
	*r = (struct out_reader){.body = body, .made = buf_init(MADE_MAX)};
	r->converts = body->is_8bit && !takes_8bit;
	if (r->converts)
		mime_init(&r->mime, MIME_MEMORY);
}

void
out_reader_close(struct out_reader *r)
{
	if (r->converts)
		mime_fini(&r->mime);
	buf_free(&r->made);
	*r = (struct out_reader){.body = NULL};
}

bool
out_reader_ready(struct out_reader *r)
{
	struct bytes all = r->body->bytes;
	size_t n = all.n - r->at;

	if (!r->converts || r->parsed)
		return true;
	n = n < STRETCH ? n : STRETCH;
	if (n)
		mime_feed(&r->mime, (struct bytes){all.p + r->at, n});
	r->at += n;
	if (r->at < all.n)
		return false;
	mime_done(&r->mime);
	r->at = 0;
	r->parsed = true;
	if (convert_plan(&r->mime) == CONVERT_NOTHING)
		r->done = true; /* nothing of it is to be changed */
	else
		convert_init(&r->convert, &r->mime);
	return true;
}

/* Converts on until there is something to be sent. */
static void
make(struct out_reader *r)
{
	struct bytes all = r->body->bytes;

	while (!r->made.n && !r->done) {
		size_t n = all.n - r->at < PIECE ? all.n - r->at : PIECE;
		struct rd in = rd_of(n ? (struct bytes){all.p + r->at, n} : NO_BYTES);
		struct wr out = buf_room(&r->made, MADE_MAX);
		const uint8_t *start = out.p;

		if (out.full)
			return;
		r->done = convert_step(&r->convert, &in, &out);
		r->at += n - rd_left(&in);
		buf_wrote(&r->made, wr_since(&out, start).n);
	}
}

struct bytes
out_reader_next(struct out_reader *r)
{
	struct bytes all = r->body->bytes;
	size_t n = all.n - r->at;

	if (r->converts && r->convert.tree) {
		make(r);
		return buf_bytes(&r->made);
	}
	if (!n)
		return NO_BYTES;
	return (struct bytes){all.p + r->at, n < PIECE ? n : PIECE};
}

void
out_reader_ate(struct out_reader *r, size_t n)
{
	if (r->converts && r->convert.tree)
		buf_eat(&r->made, n);
	else
		r->at += n;
}

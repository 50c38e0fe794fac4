/* body.c - a buffer that moves into a shared file when it outgrows BODY_MEMORY. */
#include "serve/body.h"

#include <unistd.h>

enum { FILE_FIRST = 4 * BODY_MEMORY };

struct body
body_init(struct purse *network, struct purse *all)
{
	return (struct body){.memory = buf_init(BODY_MEMORY),
	                     .file = {.fd = -1},
	                     .fd = -1,
	                     .purses = {network, all}};
}

static struct err
charge(struct body *b, size_t n)
{
	if (!purse_charge(b->purses[0], n))
		return ERR(ERR_FULL, 0, "the network's purse");
	if (purse_charge(b->purses[1], n))
		return OK;
	purse_refund(b->purses[0], n);
	return ERR(ERR_FULL, 0, "the front's purse");
}

struct err
body_spill(struct body *b)
{
	struct bytes held = buf_bytes(&b->memory);
	struct err e = b->file.p ? OK : snap_make(&b->file, "message", FILE_FIRST);

	if (!is_ok(e))
		return ERR(ERR_FULL, e.sys, "memory for a message");
	if (held.n)
		memcpy(b->file.p, held.p, held.n);
	buf_free(&b->memory);
	return OK;
}

static struct err
append(struct body *b, struct bytes piece)
{
	size_t n = b->file.n;
	struct err e;

	while (n < b->size + piece.n)
		n *= 2;
	e = n > b->file.n ? snap_grow(&b->file, n) : OK;
	if (!is_ok(e))
		return ERR(ERR_FULL, e.sys, "memory for a message");
	memcpy(b->file.p + b->size, piece.p, piece.n);
	return OK;
}

struct err
body_add(struct body *b, struct bytes piece)
{
	struct err e;

	if (!piece.n)
		return OK;
	e = charge(b, piece.n);
	if (!is_ok(e))
		return e;
	if (!b->file.p && b->size + piece.n > BODY_MEMORY)
		e = body_spill(b);
	if (is_ok(e) && b->file.p)
		e = append(b, piece);
	else if (is_ok(e) && !buf_add(&b->memory, piece))
		e = ERR(ERR_FULL, 0, "memory for a message");
	b->size += piece.n; /* charged, whether it is held or not */
	return e;
}

struct err
body_seal(struct body *b)
{
	struct err e = b->file.p ? snap_seal(&b->file, b->size, &b->fd) : OK;

	return is_ok(e) ? OK : ERR(ERR_FULL, e.sys, "sealing a message");
}

void
body_drop(struct body *b)
{
	purse_refund(b->purses[0], b->size);
	purse_refund(b->purses[1], b->size);
	buf_free(&b->memory);
	snap_drop(&b->file);
	if (b->fd >= 0)
		close(b->fd);
	*b = body_init(b->purses[0], b->purses[1]);
}

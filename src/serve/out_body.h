/*
 * out_body.h - the body of a message on its way out: mapped or copied, looked through once for
 * octets beyond ASCII, and read in pieces, in 7 bits where the server takes no more.
 */
#ifndef SERVE_OUT_BODY_H
#define SERVE_OUT_BODY_H

#include "base/buf.h"
#include "base/err.h"
#include "mail/convert.h"
#include "net/snap.h"

struct out_body {
	struct snap *snap;  /* where it came by descriptor */
	uint8_t *copy;      /* else */
	struct bytes bytes; /* what is sent */
	size_t header;      /* octets of it before the body of the message */
	size_t seen;        /* octets that were looked at */
	bool is_8bit, is_8bit_head;
};

/*
 * The first `skip` octets are not sent.  fd (-1: none) stays the caller's.  Answers: ERR_DENIED,
 * ERR_RANGE as snap_map(); ERR_SYNTAX the sizes are not the body's.
 */
MUST_CHECK struct err out_body_open(struct out_body *, struct bytes, int fd, uint64_t size,
                                    uint32_t skip, uint64_t header);
void out_body_close(struct out_body *);
/* Looks at the next stretch; true when all was seen. */
bool out_body_scan(struct out_body *);

/* A reading of it from its start; zeroed before its first use. */
struct out_reader {
	const struct out_body *body;
	size_t at;
	bool converts, parsed, done;
	struct mime mime;
	struct convert convert;
	struct buf made; /* converted, and not yet taken */
};
void out_reader_open(struct out_reader *, const struct out_body *, bool takes_8bit);
/* May be closed twice. */
void out_reader_close(struct out_reader *);
/* Goes on with what must be known before the first octet; true when the next piece can be had. */
bool out_reader_ready(struct out_reader *);
/* The next piece, borrowed until out_reader_ate(); no bytes at the end. */
struct bytes out_reader_next(struct out_reader *);
void out_reader_ate(struct out_reader *, size_t n);

#endif

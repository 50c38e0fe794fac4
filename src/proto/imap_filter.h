/*
 * imap_filter.h - HEADER.FIELDS: a header streams through, and the fields that are wanted come out,
 * closed by an empty line; once to be counted, since a literal is announced, and once to be sent.
 * Only imap*.c include this.
 */
#ifndef PROTO_IMAP_FILTER_H
#define PROTO_IMAP_FILTER_H

#include "base/bytes.h"

enum { IMAP_FILTER_NAME = 255, IMAP_FILTER_ROOM = IMAP_FILTER_NAME + 8 };

/* What of the octets that come out is written. */
struct imap_window {
	uint64_t skip, left;
	struct wr *out; /* NULL: they are only counted */
};

struct imap_filter {
	const struct bytes *fields;
	size_t n;
	bool others; /* HEADER.FIELDS.NOT */
	enum { IMAP_FILTER_START, IMAP_FILTER_NAMES, IMAP_FILTER_REST, IMAP_FILTER_DONE } state;
	bool keep, ended; /* of the field now; the last octet that came out ended a line */
	uint8_t name_n;
	uint8_t name[IMAP_FILTER_NAME];
	uint64_t count; /* octets that came out */
};

void imap_filter_init(struct imap_filter *, const struct bytes *fields, size_t n, bool others);
/*
 * Takes octets of the header, all of them or as many as leave IMAP_FILTER_ROOM in the window's
 * `out`, which must have that much; returns how many.
 */
size_t imap_filter_put(struct imap_filter *, struct bytes piece, struct imap_window *);
/* The header is over; needs the same room. */
void imap_filter_end(struct imap_filter *, struct imap_window *);

#endif

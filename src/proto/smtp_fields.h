/*
 * smtp_fields.h - what submission looks at in a message's header while it streams by: whose addresses
 * stand in From (attack 52), and whether Date and Message-ID are there (RFC 6409 8).
 *
 * Other programs read a broken header in other ways than we do, so this looks at every line before
 * the first empty one, and takes every From that somebody could see; what can be read in two ways
 * is no address.
 */
#ifndef PROTO_SMTP_FIELDS_H
#define PROTO_SMTP_FIELDS_H

#include "base/buf.h"
#include "mail/address.h"

enum { SMTP_FROM_MAX = 8192 }; /* octets of all From fields; more cannot be read */

struct smtp_fields {
	bool ended; /* the empty line behind the header was seen */
	bool has_date, has_message_id;
	bool broken; /* a line of the header is no field */
	/* the file's own */
	struct buf from; /* the values, unfolded, an LF behind each */
	bool overflow, begun, any;
	uint8_t state, name_n;
	uint8_t name[16];
};

struct smtp_fields smtp_fields_init(void);
void smtp_fields_fini(struct smtp_fields *);
/*
 * The next octets, CRLF behind each line.  Returns how many of them stand before the empty line: all
 * of them while it was not seen.
 */
size_t smtp_fields_feed(struct smtp_fields *, struct bytes piece);

/* The message has ended, and was all header: there was no empty line. */
void smtp_fields_end(struct smtp_fields *);

/* A walk over the addresses of all From fields, once the header has ended; a plain value. */
struct smtp_from {
	struct rd in;
	bool in_group;
};
enum smtp_from_kind {
	SMTP_FROM_ADDRESS,
	SMTP_FROM_END,
	SMTP_FROM_BAD, /* what stands there is not a list of addresses with one reading */
};
struct smtp_from smtp_from_begin(const struct smtp_fields *);
enum smtp_from_kind smtp_from_next(struct smtp_from *, struct address *);

#endif

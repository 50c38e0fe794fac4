/*
 * dot.h - text that ends at CRLF.CRLF, with the dots at the start of its lines doubled meanwhile
 * (RFC 5321 4.5.2, RFC 1939 3): read from the wire without buffering, and written to it.
 */
#ifndef PROTO_DOT_H
#define PROTO_DOT_H

#include "base/bytes.h"

struct dot_in {      /* starts as zeros, at the beginning of a line */
	bool inside; /* a line has begun */
	size_t line; /* octets of it so far */
};

enum dot_took {
	DOT_MORE,  /* nothing can be told before more is read; up to two octets stay in `in` */
	DOT_PIECE, /* a piece of the text, its stuffing removed, borrowed from `in` */
	DOT_END,   /* CRLF.CRLF was taken */
	DOT_BARE,  /* a CR or LF that is not CRLF, or a NUL: read nothing behind it (attack 36) */
	DOT_LONG,  /* a line longer than line_max (attack 38) */
};

/* Every octet is taken once, wherever the input is cut; a piece is many lines or half of one. */
enum dot_took dot_take(struct dot_in *, struct rd *in, size_t line_max, struct bytes *piece);

struct dot_out {     /* starts as zeros */
	bool inside; /* a line has begun */
	bool cr;     /* its last octet is a CR */
};

enum { DOT_END_MAX = 5 }; /* octets that dot_end() writes at most */

/* Writes the piece as far as there is room; returns how many octets of it were taken. */
size_t dot_put(struct dot_out *, struct bytes piece, struct wr *out);
/* Ends the last line if it has no end, and the text. */
void dot_end(struct dot_out *, struct wr *out);

#endif

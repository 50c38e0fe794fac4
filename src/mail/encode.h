/*
 * encode.h - the transfer encodings of a body (RFC 2045 6), both ways, as machines that take and
 * give pieces of any size.
 *
 * There is one decoder for all who look at a body (IMAP's search, conversion, policies), so that
 * all see the same (attack 72).  It is tolerant, as RFC 2045 asks, and has one reading of what is
 * wrong; base/base64.h is the strict one for values that have one spelling only, and its alphabet
 * is used here.
 *
 *   base64             octets that are not of the alphabet are skipped; the first "=" ends the data
 *                      whatever follows; bits that make no whole octet are dropped
 *   quoted-printable   "=" CRLF (or LF) is a soft break, blanks between them allowed, as is "=" at
 *                      the very end; hex digits of either case; any other "=" stands for itself;
 *                      blanks at the end of a line are dropped, but of a run of more than
 *                      DECODE_BLANKS_MAX the first ones stay; all else stands for itself
 *   7bit 8bit binary   as it is, and so is an encoding that is not known
 */
#ifndef MAIL_ENCODE_H
#define MAIL_ENCODE_H

#include "base/bytes.h"

enum encoding {
	ENCODING_7BIT, /* also where nothing is said (RFC 2045 6.1) */
	ENCODING_8BIT,
	ENCODING_BINARY,
	ENCODING_QP,
	ENCODING_BASE64,
	ENCODING_UNKNOWN, /* RFC 2045 6.4: to be treated as application/octet-stream */
};

/* By the name in Content-Transfer-Encoding, of any case; ENCODING_7BIT for no name. */
enum encoding encoding_find(struct bytes name);
/* The name in lower case; for ENCODING_UNKNOWN "binary". */
const char *encoding_name(enum encoding);

enum {
	DECODE_BLANKS_MAX = 125,
	DECODE_ROOM = 130, /* decode_feed() eats nothing while there is less room than this */
	ENCODE_ROOM = 16,  /* the same of encode_feed() */
	ENCODE_LINE_MAX = 76,
};

/* A decoder: a plain value that starts as zeros, but for its `encoding`. */
struct decode {
	uint8_t encoding; /* enum encoding */
	uint8_t n;        /* octets held */
	bool ended;       /* base64: behind its "=" */
	uint32_t bits;    /* base64: of the letters held */
	uint8_t
	    held[DECODE_BLANKS_MAX + 2]; /* quoted-printable: what the next octet decides about */
};

/* Decodes from `in` until it is eaten or `out` has less than DECODE_ROOM octets of room. */
void decode_feed(struct decode *, struct rd *in, struct wr *out);
/* The end of the data: writes what is held, at most DECODE_ROOM octets. */
void decode_finish(struct decode *, struct wr *out);

/*
 * An encoder: a plain value that starts as zeros, but for its `encoding`, which is ENCODING_QP or
 * ENCODING_BASE64.  Lines are at most ENCODE_LINE_MAX long and parted by CRLF; there is none behind
 * the last of base64.  Quoted-printable keeps CRLF as the end of a line and encodes every other CR
 * and LF, so that what was encoded is decoded to the same octets; no line of it begins with "-", so
 * that none is a delimiter.
 */
struct encode {
	uint8_t encoding;
	uint8_t n;       /* octets held */
	uint8_t column;  /* of the line that is being written */
	uint8_t held[2]; /* base64: of a group; quoted-printable: a blank or CR */
};

void encode_feed(struct encode *, struct rd *in, struct wr *out);
/* The end of the data: writes what is held, at most ENCODE_ROOM octets. */
void encode_finish(struct encode *, struct wr *out);

#endif

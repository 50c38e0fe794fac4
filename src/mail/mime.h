/*
 * mime.h - the parts of a message (RFC 2045, 2046), found while the message streams by in pieces of
 * any size: a tree with where each part's header and body lie, and what the part says of itself.
 *
 * Memory is capped by who parses, depth and number of parts here (attack 67); nothing is recursed
 * into, and each octet is looked at a bounded number of times.  Beyond a bound the rest is one
 * opaque part: a part too deep until the boundary around it, all else until the message's end.
 *
 * One reading of what is wrong (attack 72):
 *   - a line ends at LF; a CR before it belongs to the end.  (Mail that came by SMTP has no bare LF.)
 *   - a delimiter is "--", the boundary, "--" at the last one, then only blanks, in at most
 *     MIME_LINE_MAX octets: a boundary that begins another one does not match it.  The innermost
 *     multipart that it fits takes it; those within end there, as all do at the message's end.
 *   - behind its last delimiter a multipart has no more parts.
 *   - a multipart without a usable boundary is text/plain; one whose boundary never comes has no
 *     parts.
 *   - an encoding is not believed of a multipart or of message/rfc822 (RFC 2045 6.4).
 *   - a header ends at the empty line, before the first line that is no field, or at a delimiter.
 *   - message/partial and external-body are leaves: never put together, never fetched (attack 74).
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "mail/content.h"
#include "mail/encode.h"

enum {
	MIME_DEPTH_MAX = 100,     /* multiparts and messages within each other (attack 67) */
	MIME_PARTS_MAX = 10000,   /* of one message, itself counted (attack 67) */
	MIME_BOUNDARY_MAX = 200,  /* RFC 2046 5.1.1 allows 70; a longer one is none */
	MIME_LINE_MAX = 256,      /* octets of a line that may be a delimiter */
	MIME_TEXT_LINE_MAX = 998, /* RFC 5322 2.1.1 */
	MIME_HEADER_MAX = 65536,  /* octets of the fields of one part that are kept for reading */
	MIME_MEMORY = 2 << 20, /* what a reader of stored mail gives: enough for all of the above */
};

#define MIME_NONE UINT32_MAX

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* its children are its parts; it may have none */
	MIME_MESSAGE,   /* message/rfc822: one child, the message in it */
};

enum mime_flag {
	MIME_AMBIGUOUS = 1, /* something in it has more than one reading */
	MIME_8BIT = 2, /* its body has octets > 127; of a multipart: what is outside its parts */
	MIME_HEADER_8BIT = 4,  /* its header has */
	MIME_LONG_LINES = 8,   /* lines of more than MIME_TEXT_LINE_MAX in its body, or a NUL */
	MIME_OPAQUE = 16,      /* beyond a bound: a leaf, whatever its content says it is */
	MIME_CLOSED = 32,      /* its last delimiter was seen */
	MIME_HAS_VERSION = 64, /* the header has a MIME-Version */
	MIME_HAS_TYPE = 128,   /* the header has a Content-Type */
};

/* Octets of the message: its header is [at, body), its body [body, end). */
struct mime_part {
	uint64_t at, body, end;
	uint32_t lines;                /* ends of lines in the body */
	uint32_t parent, child, next;  /* numbers of parts, MIME_NONE: none; child is the first */
	uint32_t content, content_n;   /* in mime.text: mime_content() */
	uint32_t envelope, envelope_n; /* in mime.text: mime_envelope() */
	uint32_t last, boundary;       /* the parser's own: the last child; in mime.text */
	uint8_t boundary_n;
	uint8_t depth;                 /* 0: the message itself */
	uint8_t kind, encoding, flags; /* enum mime_kind, encoding, mime_flag */
};

struct mime {
	struct mime_part *parts; /* in the order of the message; 0 is the message; read only */
	uint32_t n;              /* at least 1 behind mime_done() */
	bool cut;                /* a bound was reached: there may be more than is shown */
	bool ambiguous;          /* a part is */

	/* all else is the parser's own */
	uint8_t state, eol;     /* eol: octets of the end of the line before */
	uint8_t line_flags;     /* enum mime_flag, of the line so far */
	uint8_t kept;           /* enum kept, of the field that may go on */
	bool last_cr;           /* the last octet was a CR */
	uint32_t cap, now;      /* parts allocated; the innermost open part */
	uint32_t lines;         /* ends of lines so far */
	size_t memory, used;    /* the cap of all that is allocated; what is */
	uint8_t *text, *header; /* packed contents and envelopes; fields of the header being read */
	size_t text_n, text_cap, header_n, header_cap;
	size_t line_header;    /* where in `header` the line began */
	uint64_t at, line_at;  /* octets fed; where the line began */
	struct mime_part only; /* the first part's place, before there are more */
	uint16_t line_n;       /* octets of the line that are held */
	uint8_t line[MIME_LINE_MAX];
};

/*
 * Makes a parser that allocates at most `memory` octets; it stays where it is.  What it gives is
 * borrowed from it until mime_fini(); refused memory counts as a bound.
 */
void mime_init(struct mime *, size_t memory);
void mime_feed(struct mime *, struct bytes piece);
/* The message ends here: the tree is whole, and nothing more may be fed. */
void mime_done(struct mime *);
void mime_fini(struct mime *);

/* What the part says of itself; of one that is opaque: application/octet-stream, and no more. */
void mime_content(const struct mime *, uint32_t part, struct content *);
/*
 * The rendered ENVELOPE of part 0 and of the child of a message/rfc822; else empty, as in a tree
 * that was unpacked for part 0.  Who wants no more than it feeds no more than the header.
 */
struct bytes mime_envelope(const struct mime *, uint32_t part);

#endif

/*
 * content.h - what a part says of itself in its Content- fields (RFC 2045, 2183, 3282, 2557, 1864),
 * read from its header and packed into a string, which is how a tree of parts keeps it.
 *
 * One reading of what is wrong (attack 72): of a field or a parameter that comes twice the first
 * counts; a Content-Type that is not of the form is text/plain in US-ASCII (RFC 2045 5.2); comments
 * are skipped wherever a token may stand (attack 70); what is no parameter is skipped until the next
 * ";".  Each of these, but for comments, is told as `ambiguous`.
 */
#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include "base/bytes.h"

enum {
	CONTENT_PARAMS_MAX = 64,   /* of one field; the others are not seen (attack 68) */
	CONTENT_PARAM_MAX = 1024,  /* octets of a value; what is longer is cut */
	CONTENT_FIELD_MAX = 4096,  /* octets of all parameters of a field as they are packed */
	CONTENT_STRING_MAX = 1024, /* octets of an id, description, location */
	CONTENT_WORD_MAX = 127,    /* octets of a type, a name of a parameter, an encoding */
	CONTENT_PACKED_MAX = 2 * CONTENT_FIELD_MAX + 4 * CONTENT_STRING_MAX + 1024,
};

/* Borrowed from the packed string.  Empty: the field is not there. */
struct content {
	struct bytes type, subtype; /* as written; never empty */
	struct bytes params;        /* of Content-Type; content_param() */
	struct bytes encoding;      /* the name that counts; empty means 7bit */
	struct bytes id, description, md5;
	struct bytes disposition, disposition_params;
	struct bytes languages; /* content_language() */
	struct bytes location;
};

struct content_seen {
	bool ambiguous;    /* something in it has more than one reading */
	bool type;         /* there is a Content-Type, */
	bool mime_version; /* a MIME-Version */
};

/*
 * Reads the fields of `header` (whole fields as they stand in the message) and writes them packed,
 * at most CONTENT_PACKED_MAX octets.  In a multipart/digest the default type is message/rfc822.
 */
struct content_seen content_read(struct wr *packed, struct bytes header, bool in_digest);
/* True for the name of a field that content_read() looks at. */
bool content_wants(struct bytes name);
/* False when it is not what content_read() wrote; all is empty then. */
bool content_unpack(struct bytes packed, struct content *);

/* Takes the next parameter off *params: its name as written, its value without quotes. */
bool content_param(struct bytes *params, struct bytes *name, struct bytes *value);
/* The value of the first parameter of that name; empty when there is none. */
struct bytes content_param_find(struct bytes params, const char *name);
/* Takes the next language tag off *languages. */
bool content_language(struct bytes *languages, struct bytes *tag);

static inline bool
content_is(const struct content *c, const char *type, const char *subtype)
{
	return bytes_eq_nocase(c->type, bytes_of(type)) &&
	       (!subtype || bytes_eq_nocase(c->subtype, bytes_of(subtype)));
}

#endif

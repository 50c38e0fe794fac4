/*
 * name.h - a domain name in wire form, uncompressed: the one form in which names are kept, compared
 * and handed around.
 *
 * A name is either a value (struct dname) or a view of one (struct bytes).  A view given to these
 * functions holds one whole name, ending in the root label and nothing behind it: it came from
 * dname_bytes(), dname_read(), dname_take() or dname_parse_text(), or dname_ok() said so.  Every
 * suffix at a label's edge is a name again, so an ancestor is a view into its descendant and costs
 * nothing.  The case of letters is kept, and has no meaning in comparisons (RFC 4343).
 */
#ifndef DNS_NAME_H
#define DNS_NAME_H

#include "base/bytes.h"

enum {
	DNAME_MAX = 255,                /* RFC 1035 3.1: octets with the root label */
	DNAME_LABEL_MAX = 63,           /* RFC 1035 3.1 */
	DNAME_LABELS_MAX = 127,         /* what fits into DNAME_MAX, without the root label */
	DNAME_HOPS_MAX = 256,           /* compression pointers in one name: attack 3 */
	DNAME_TEXT_MAX = 4 * DNAME_MAX, /* what dname_to_text() writes at most: \DDD each */
};

struct dname {
	uint8_t n;      /* octets of wire in use; 1 for the root; 0 only before it was made */
	uint8_t labels; /* without the root label */
	uint8_t wire[DNAME_MAX];
};

/* "." */
#define DNAME_ROOT ((struct bytes){(const uint8_t *)"", 1})

static inline struct bytes
dname_bytes(const struct dname *d)
{
	return (struct bytes){d->wire, d->n};
}

/* ---- from and to the outside ---- */

/*
 * Text in the form of RFC 1035 5.1 with the escapes \X and \DDD; "@" is the origin, and a name
 * without a final dot is put before it.  With an origin of no bytes only absolute names are good
 * (the origin DNAME_ROOT makes every name absolute).  NULL, or what is wrong, as half a sentence.
 */
const char *dname_parse_text(struct dname *out, struct bytes text, struct bytes origin);
/* The absolute name with its final dot; printable ASCII only, all else escaped (attack 17). */
void dname_to_text(struct wr *, struct bytes name);

/*
 * The name at r->p, which lies in the message `msg`.  Pointers go strictly backward and not into
 * the header; r->bad when the name is not one.  r stands behind the name as it is in the message.
 */
void dname_read(struct rd *r, struct bytes msg, struct dname *out);
/* A name that must not be compressed: a view of it; r->bad and no bytes when it is not one. */
struct bytes dname_take(struct rd *r);
/* Exactly one uncompressed name and nothing behind it? */
bool dname_ok(struct bytes);

/* ---- making ---- */

void dname_copy(struct dname *out, struct bytes name);
/* As dname_copy(), with the letters in lower case (RFC 4034 6.2). */
void dname_copy_lower(struct dname *out, struct bytes name);
void dname_lower(struct dname *);
/* The first n octets of `name` (whole labels) before `suffix`; false when longer than DNAME_MAX. */
bool dname_join(struct dname *out, struct bytes labels, struct bytes suffix);
/* "*." before the name; false when longer than DNAME_MAX (RFC 4592 2.1.1). */
bool dname_wildcard(struct dname *out, struct bytes parent);

/* ---- looking ---- */

bool dname_eq(struct bytes, struct bytes);
/* Canonical order of RFC 4034 6.1: by label from the right, without case; <0, 0, >0. */
int dname_cmp(struct bytes, struct bytes);
/* Is it `ancestor` itself or beneath it? */
bool dname_is_below(struct bytes name, struct bytes ancestor);
/* Labels without the root. */
unsigned dname_labels(struct bytes);
/* How many labels of both, counted from the right and without the root, are the same. */
unsigned dname_common(struct bytes, struct bytes);

static inline bool
dname_is_root(struct bytes name)
{
	return name.n == 1;
}

/* The leftmost label without its length; no bytes for the root. */
static inline struct bytes
dname_label(struct bytes name)
{
	return (struct bytes){name.p + 1, name.p[0]};
}

/* The name without its leftmost label; the root's parent is the root. */
static inline struct bytes
dname_parent(struct bytes name)
{
	size_t n = name.p[0] ? 1u + name.p[0] : 0;

	return (struct bytes){name.p + n, name.n - n};
}

/* Without the n leftmost labels; n may be at most dname_labels(). */
static inline struct bytes
dname_strip(struct bytes name, unsigned n)
{
	while (n--)
		name = dname_parent(name);
	return name;
}

/* Is the leftmost label "*"? */
static inline bool
dname_is_wildcard(struct bytes name)
{
	return name.n > 2 && name.p[0] == 1 && name.p[1] == '*';
}

#endif

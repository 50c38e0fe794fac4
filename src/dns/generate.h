/*
 * generate.h - the iterator of $GENERATE: its range, and what `$` and `${offset,width,base}` in a
 * line become.  For zonefile.c only.
 */
#ifndef DNS_GENERATE_H
#define DNS_GENERATE_H

#include "base/bytes.h"

struct generate_range {
	uint32_t first, last, step;
};

/* "1-10" or "1-10/2"; NULL, or what is wrong with it, as half a sentence. */
const char *generate_range(struct generate_range *out, struct bytes text);
/* The line for one value; NULL, or what is wrong. */
const char *generate_line(struct wr *out, struct bytes line, uint32_t value);

#endif

/*
 * zone_text.h - the texts of zones: which file is which zone, reading one whole, and what it may
 * include.  For zones.c.
 */
#ifndef SERVE_ZONE_TEXT_H
#define SERVE_ZONE_TEXT_H

#include "store/disk.h"
#include "zone/builder.h"

enum { ZONE_TEXT_FILE = 255 + 1 /* a file's name with its NUL */ };
#define ZONE_TEXT_MAX ((size_t)4 << 30) /* octets of one file, and of all that it includes */

/* "example.org", "example.org." or "." in lower case; false when it is no name. */
bool zone_text_apex(struct dname *out, struct bytes name);
/* As people write it: without the final dot, but for the root. */
void zone_text_name(struct wr *, struct bytes apex);
/* The file of a new zone; false: its name is too long for one. */
bool zone_text_file(char out[ZONE_TEXT_FILE], struct bytes apex);
/* Which zone a file of the folder is; false: none. */
bool zone_text_is_file(struct dname *apex, const char *file);

/*
 * All of it, in memory that is the caller's (a file that is mapped may shrink below the reader).
 * ERR_RANGE: longer than ZONE_TEXT_MAX.
 */
MUST_CHECK struct err zone_text_read(struct disk *, int fd, uint8_t **out, size_t *n);

/*
 * Adds the zone and its records to the builder; `file` is named in errors, `folder` is where it
 * includes from (-1: nowhere).  Answers, after which the zone was dropped again: ERR_SYNTAX (*wrong
 * says where and what), ERR_EXISTS there is this zone already, ERR_FULL the builder's cap.
 */
MUST_CHECK struct err zone_text_add(struct zone_builder *, struct bytes apex, struct bytes file,
                                    struct bytes text, struct disk *, int folder,
                                    struct zonefile_error *wrong);

#endif

/*
 * local.h - names that are answered here and asked nowhere: those of the hosts file, and the special
 * ones of RFC 6761 (localhost, invalid) with the reverse of loopback (RFC 6303).
 */
#ifndef RESOLVE_LOCAL_H
#define RESOLVE_LOCAL_H

#include "base/arena.h"
#include "base/err.h"
#include "dns/rdata.h"

enum { LOCAL_TTL = 3600, LOCAL_LINES = 100000, LOCAL_FILE_MAX = 8 * 1024 * 1024 };

struct local;

struct local_wrong {
	uint32_t line, column; /* from 1 */
	const char *text;
};
/*
 * Reads a hosts file: an address, names behind it, comments from "#" on.  ERR_SYNTAX: *wrong says
 * where and what; ERR_MEMORY.
 */
MUST_CHECK struct err local_new(struct local **out, const uint8_t key[16], struct bytes text,
                                struct local_wrong *wrong);
void local_free(struct local *);

enum local_found {
	LOCAL_NOT,      /* not ours: ask */
	LOCAL_SET,      /* records */
	LOCAL_NODATA,   /* the name is ours, and has no such records */
	LOCAL_NXDOMAIN, /* nor has it anything else */
};
/* Records as cache.h packs them; they live in the arena.  Out of memory is LOCAL_NOT. */
enum local_found local_get(const struct local *, struct bytes name, uint16_t type, struct arena *,
                           struct bytes *records, uint16_t *n);

#endif

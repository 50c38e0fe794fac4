/*
 * zonefile.h - master files (RFC 1035 5, RFC 2308 4): text to records and records to text.
 *
 * The parser reads no file: the caller gives the text, and opens for $INCLUDE what lies beneath the
 * zone's folder and nothing else (attack 13).  Records come out one at a time, by a call; there is
 * no allocation per record.
 *
 * Understood: $ORIGIN, $TTL, $INCLUDE, $GENERATE; TTL and class in any order, TTL with units
 * (1h30m); a blank owner is the last one.  A record without a TTL has that of $TTL, else the last
 * one stated, else the SOA's MINIMUM.  An included file changes neither origin, owner nor TTL of
 * the file that includes it.
 */
#ifndef DNS_ZONEFILE_H
#define DNS_ZONEFILE_H

#include "base/err.h"
#include "dns/rdata.h"

enum {
	ZONEFILE_DEPTH_MAX = 8,        /* files open in each other: attack 13 */
	ZONEFILE_INCLUDES_MAX = 1024,  /* $INCLUDE carried out for one zone */
	ZONEFILE_GENERATE_MAX = 65536, /* records of one $GENERATE: attack 13 */
	ZONEFILE_LINE_MAX = 4096,      /* a line made by $GENERATE */
	ZONEFILE_NAME_MAX = 255,       /* octets of an included file's name */
	ZONEFILE_TEXT_MAX = DNAME_TEXT_MAX + 64 + RDATA_TEXT_MAX, /* of zonefile_write() */
};

/* All views are good for the call only. */
struct zonefile_record {
	struct bytes owner, rdata;
	uint16_t type, class; /* class: always IN */
	uint32_t ttl;
	struct bytes file;
	uint32_t line;
};

struct zonefile_reader {
	void *owner;
	/* NULL: go on; else half a sentence that says what is wrong with this record. */
	const char *(*record)(void *owner, const struct zonefile_record *);
	/* The text of a file, which stays put until zonefile_parse() returns.  NULL: no includes.
	 */
	bool (*include)(void *owner, struct bytes name, struct bytes *text);
};

/* "FILE:LINE:COLUMN: TEXT" */
struct zonefile_error {
	char file[ZONEFILE_NAME_MAX + 1]; /* for a person: not escaped */
	uint32_t line, column;            /* from 1 */
	const char *text;                 /* a literal, or what record() said */
};

/*
 * Reads a zone's text; `name` is the file's for errors, `origin` the zone's name.  ERR_SYNTAX:
 * *wrong says where and what, and records before it were already delivered; ERR_MEMORY.
 */
MUST_CHECK struct err zonefile_parse(const struct zonefile_reader *, struct bytes name,
                                     struct bytes text, struct bytes origin,
                                     struct zonefile_error *wrong);

/* A line for a record, names absolute, with its line end; the room needs ZONEFILE_TEXT_MAX. */
void zonefile_write(struct wr *, struct bytes owner, uint32_t ttl, uint16_t class, uint16_t type,
                    struct bytes rdata);

#endif

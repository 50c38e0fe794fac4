/*
 * lookup_ask.h - what was asked on the command line, in dig's conventions or in nslookup's.
 */
#ifndef TOOL_LOOKUP_ASK_H
#define TOOL_LOOKUP_ASK_H

#include <stdio.h>

#include "dns/msg.h"
#include "tool/lookup.h"

/* What dig's layout shows. */
enum lookup_show {
	LOOKUP_CMD = 1,      /* the first lines, which repeat the question */
	LOOKUP_COMMENTS = 2, /* header, OPT, titles of sections */
	LOOKUP_QUESTION = 4,
	LOOKUP_ANSWER = 8,
	LOOKUP_AUTHORITY = 16,
	LOOKUP_ADDITIONAL = 32,
	LOOKUP_STATS = 64,
	LOOKUP_ALL = 127,
};

struct lookup_ask {
	enum lookup_manner manner;
	struct dname name; /* n 0: none was given */
	uint16_t type, class;
	const char *server; /* NULL: those of the system */
	uint16_t port;
	uint8_t family; /* 4, 6, or 0: both */
	bool tcp, edns, dnssec;
	bool ignore;       /* a truncated answer is taken as it is */
	bool brief;        /* +short */
	bool both;         /* nslookup: A, then AAAA */
	bool trace;        /* from the root, by ourselves */
	const char *hints; /* the root's servers for that; NULL: those that IANA publishes */
	bool reverse;      /* an address stood in the place of the name */
	uint16_t size;     /* of answers over UDP, told by EDNS */
	uint16_t flags;
	uint32_t seconds, tries;
	unsigned show;
};

enum lookup_said { LOOKUP_ASKED, LOOKUP_HELP, LOOKUP_WRONG };

/* argv[0] is skipped.  What is wrong is said on `complaints`; texts are borrowed from argv. */
enum lookup_said lookup_ask_read(struct lookup_ask *, int argc, char **argv, enum lookup_manner,
                                 FILE *complaints);
void lookup_ask_help(FILE *, enum lookup_manner);

#endif

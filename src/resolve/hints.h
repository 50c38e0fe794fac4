/*
 * hints.h - where the root's name servers are: from a file in master-file form, or those that IANA
 * publishes.
 */
#ifndef RESOLVE_HINTS_H
#define RESOLVE_HINTS_H

#include "base/addr.h"
#include "dns/zonefile.h"

enum { HINTS_SERVERS = 20, HINTS_ADDRESSES = 64 };

struct hints {
	size_t servers_n, addresses_n;
	struct dname servers[HINTS_SERVERS];
	struct hints_address {
		uint8_t server; /* its place among the servers */
		uint8_t ip[16];
	} addresses[HINTS_ADDRESSES];
};

/* The thirteen servers a to m.root-servers.net. */
void hints_default(struct hints *);
/*
 * NS records of the root, and A and AAAA of the servers that they name.  ERR_SYNTAX: *wrong says
 * where and what; ERR_MEMORY.  Then *out is as it was.
 */
MUST_CHECK struct err hints_read(struct hints *out, struct bytes file, struct bytes text,
                                 struct zonefile_error *wrong);
/* Are all addresses loopback: a net for tests, in which loopback may be asked? */
bool hints_are_loopback(const struct hints *);

#endif

/*
 * route_mx.h - the mail servers that a domain names, the most preferred first.  For route.c.
 */
#ifndef POLICY_ROUTE_MX_H
#define POLICY_ROUTE_MX_H

#include "dns/name.h"
#include "policy/route.h"

/*
 * Invariant: hosts are in rising order of preference, equal ones in the order of their ties, and no
 * host is our own name or as little preferred as that.
 */
struct route_mx {
	size_t n;
	struct route_host {
		uint16_t preference;
		uint64_t tie; /* drawn, so that equal ones share the load (RFC 5321 5.1) */
		struct dname name;
	} hosts[ROUTE_HOSTS];
	size_t records;
	bool null;   /* only "." is named: the domain takes no mail (RFC 7505) */
	bool itself; /* our own name is among them */
};

/*
 * Reads the RDATA of MX records, bytes16 each.  self: our name, of no bytes where it has none.
 * False: one of them is not of its form (attack 35).
 */
bool route_mx_read(struct route_mx *, struct bytes records, struct bytes self, uint64_t random);
/* The domain itself is the only server (RFC 5321 5.1: "implicit MX"). */
void route_mx_implicit(struct route_mx *, struct bytes domain, struct bytes self);
/* An RDATA of A (4 octets) or AAAA (16), and nothing else (attack 35). */
bool route_ip_read(struct bytes rdata, uint16_t type, uint8_t ip[16]);

#endif

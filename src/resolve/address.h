/* address.h - which addresses a name server may have. */
#ifndef RESOLVE_ADDRESS_H
#define RESOLVE_ADDRESS_H

#include "base/addr.h"
/*
 * Could a name server be there?  Not at 0.0.0.0 and ::, which mean ourselves, not at multicast,
 * reserved and link-local addresses, nor at an IPv4 address in the clothes of IPv6 (attack 23).
 */
bool address_may_serve(const uint8_t ip[16], bool loopback);
/* From the data of an A or AAAA record; false when it is none of that length, or ::ffff:0:0/96. */
bool address_from_rdata(uint16_t type, struct bytes rdata, uint8_t ip[16]);

#endif

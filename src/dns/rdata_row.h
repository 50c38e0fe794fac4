/*
 * rdata_row.h - a record type as a row: its number, its name, and its fields as letters.  For the
 * files of rdata.h only.
 */
#ifndef DNS_RDATA_ROW_H
#define DNS_RDATA_ROW_H

#include "dns/rdata.h"

/*
 * The letters.  Those marked * take all that is left, so they come last.
 *
 *  N  a name, which may be compressed both ways (RFC 3597 4: the types of RFC 1035)
 *  m  a name, which is expanded on receipt but never compressed (RFC 3597 4, RFC 2782)
 *  n  a name, never compressed
 *  1 2 4  a number of so many octets
 *  t  a type, by its name; k a DNSSEC algorithm: a number, or in text its mnemonic
 *  l  seconds, in text perhaps with units; d a moment as YYYYMMDDHHmmSS (RFC 4034 3.2)
 *  a  IPv4; A IPv6; I 64 bits in groups of hex (RFC 6742); e EUI-48; E EUI-64 (RFC 7043)
 *  s  a character-string; S* one or more of them
 *  i  a word of letters and digits behind its length (CAA's tag)
 *  q* a string to the end without a length; Q* the same, not empty
 *  h* hex digits, not empty; b* base64, not empty
 *  x  hex behind its length, "-" for none; y base32hex behind its length (RFC 5155 3.3)
 *  T* a bitmap of types (RFC 4034 4.1.2)
 */
struct rdata_row {
	uint16_t type;
	const char *name;
	const char *fields; /* NULL: opaque, written as RFC 3597 says */
	uint8_t name_size; /* of `name`: most rows are passed over by it when a name is looked up */
};

/* NULL for a type that has none. */
const struct rdata_row *rdata_row(uint16_t type);
/* The letters of a type; NULL when it is opaque. */
const char *rdata_fields(uint16_t type);

static inline bool
field_is_name(char letter)
{
	return letter == 'N' || letter == 'm' || letter == 'n';
}

/* Goes over one field; r->bad when the octets are not of its form. */
struct bytes field_take(char letter, struct rd *r);

#endif

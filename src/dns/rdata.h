/*
 * rdata.h - record types: what each type's data looks like, on the wire and in text.
 *
 * A type is a row of the table in rdata_type.c: number, name, and its fields as a string of
 * letters. Checking, reading, writing, expanding and walking all follow the row, so a new type is a
 * new row. A type without a row is opaque octets, written as RFC 3597 says; so is any data that is
 * not of its type's form, wherever it has to be shown.
 *
 * "wire" is uncompressed data of at most 65,535 octets everywhere but in rdata_expand().
 */
#ifndef DNS_RDATA_H
#define DNS_RDATA_H

#include "dns/lex.h"
#include "dns/name.h"

enum {
	RDATA_MAX = 65535,
	/* What rdata_to_text() writes at most: a bitmap of all types, ten letters each. */
	RDATA_TEXT_MAX = 720 * 1024,
};

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_NULL = 10,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_DNAME = 39,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_DS = 43,
	DNS_TYPE_SSHFP = 44,
	DNS_TYPE_RRSIG = 46,
	DNS_TYPE_NSEC = 47,
	DNS_TYPE_DNSKEY = 48,
	DNS_TYPE_NSEC3 = 50,
	DNS_TYPE_NSEC3PARAM = 51,
	DNS_TYPE_TLSA = 52,
	DNS_TYPE_CDS = 59,
	DNS_TYPE_CDNSKEY = 60,
	DNS_TYPE_TKEY = 249,
	DNS_TYPE_TSIG = 250,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
	DNS_TYPE_CAA = 257,
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_NONE = 254,
	DNS_CLASS_ANY = 255,
};

/* ---- types, classes, TTLs in text ---- */

/* "MX", "mx", "TYPE15"; false when it is none. */
bool dns_type_parse(uint16_t *out, struct bytes text);
/* "MX", or "TYPE65280" (RFC 3597). */
void dns_type_text(struct wr *, uint16_t type);
/* "IN", "in", "CLASS1"; false when it is none. */
bool dns_class_parse(uint16_t *out, struct bytes text);
void dns_class_text(struct wr *, uint16_t class);
/* Only asked for, or only of one message; never in a zone: 0, OPT, 128-255 (RFC 6895 3.1). */
bool dns_type_is_meta(uint16_t type);

/* "5400" or "1h30m", at most 2^31-1 (RFC 2181 8); false when it is none. */
bool dns_ttl_parse(uint32_t *out, struct bytes text);

/* ---- data ---- */

/* Is it of the form that its type wants, to the last octet? */
bool rdata_check(uint16_t type, struct bytes wire);
/*
 * Reads the tokens from the one that the lexer stands on up to the end of the line, where it then
 * stands; relative names are put before the origin.  False: l->wrong says what is wrong with the
 * token on which the lexer stands, and what was written has no meaning.  `out` needs RDATA_MAX.
 */
bool rdata_from_text(uint16_t type, struct lex *l, struct bytes origin, struct wr *out);
/* On one line, absolute names, printable ASCII only; `out` needs RDATA_TEXT_MAX at the most. */
void rdata_to_text(uint16_t type, struct bytes wire, struct wr *out);
/*
 * Data as it lies in the message `msg`, n octets from r->p on, to wire form.  Only in types where
 * RFC 3597 4 allows it may names be compressed; r->bad when the data is not of its type's form.
 * `out` needs RDATA_MAX.
 */
void rdata_expand(uint16_t type, struct rd *r, size_t n, struct bytes msg, struct wr *out);

/* ---- the names inside ---- */

struct rdata_part {
	struct bytes bytes; /* one name, or a run of octets that are none */
	bool is_name;
	bool may_compress; /* RFC 3597 4: the types of RFC 1035 only */
};

/*
 * Cuts data into its names and what lies between them: before the first call `rest` is the whole
 * data and `field` 0.  False at the end.  Data that fails rdata_check() is one run of octets from
 * where it fails.
 */
struct rdata_walk {
	uint16_t type;
	unsigned field;
	struct bytes rest;
};
bool rdata_next(struct rdata_walk *, struct rdata_part *out);
/* Has the type names in it that could be compressed? */
bool rdata_has_names(uint16_t type);

#endif

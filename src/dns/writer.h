/*
 * writer.h - writes one DNS message within a size: names compressed (RFC 1035 4.1.4) by a bounded
 * table, sections counted, record sets added whole or not at all, OPT last.
 *
 * A name is compressed against names of exactly the same case, so that the case of zone data stays;
 * only an owner that equals the question's name takes the question's case, as everybody does it.
 */
#ifndef DNS_WRITER_H
#define DNS_WRITER_H

#include "dns/msg.h"

enum { DNS_OPTIONS_MAX = 256 /* octets of EDNS options in one answer */ };

struct dns_writer {
	struct wr w;    /* ends where the records must end: what OPT needs is behind */
	uint8_t *start; /* of the message */
	uint16_t flags; /* the caller may set DNS_FLAG_AA, _RA, _AD, _TC */
	uint16_t rcode; /* with its upper bits, which go into OPT; the caller sets it */
	uint16_t counts[4];
	enum dns_section section;
	struct bytes qname; /* in the message */
	uint16_t class;
	bool edns, wants_dnssec;
	uint16_t edns_size; /* what we say that we take */
	uint16_t n_options;
	uint8_t n_known, n_compressed;
	struct {
		uint16_t at; /* where a name's suffix begins in the message (< 0x4000) */
		uint8_t size, first;
	} known[DNS_COMPRESS_MAX];
	uint8_t options[DNS_OPTIONS_MAX];
};

/*
 * Begins the answer to q in a room of n octets (n is also the limit; at least DNS_UDP_PLAIN): id,
 * opcode, RD and CD are the query's, the question is echoed octet by octet, and OPT will be there
 * when the query had one.  The room must not overlap the query's packet.
 */
void dns_writer_reply(struct dns_writer *, const struct dns_query *q, void *room, size_t n);
/* Begins a query; edns_size 0: without EDNS. */
void dns_writer_ask(struct dns_writer *, void *room, size_t n, uint16_t id, uint16_t flags,
                    struct bytes name, uint16_t type, uint16_t class, uint16_t edns_size,
                    bool wants_dnssec);

/* A record, in the order of sections; false, and nothing written, when it does not fit. */
bool dns_writer_record(struct dns_writer *, enum dns_section, struct bytes owner, uint16_t type,
                       uint32_t ttl, struct bytes rdata);
/*
 * All records of a set, or none: false when they do not fit.  Then the caller sets DNS_FLAG_TC, but
 * for additional data that is merely useful (RFC 2181 9).
 */
bool dns_writer_rrset(struct dns_writer *, enum dns_section, struct bytes owner, uint16_t type,
                      uint32_t ttl, const struct bytes *rdatas, size_t n);

/*
 * Undo: what was written since the mark, with its counts and its names, is gone; the work done for
 * compression stays counted.
 */
struct dns_mark {
	uint8_t *p;
	uint16_t counts[4];
	enum dns_section section;
	uint8_t n_known;
};
struct dns_mark dns_writer_mark(const struct dns_writer *);
void dns_writer_undo(struct dns_writer *, const struct dns_mark *);

/* An EDNS option of the answer; false when the other side has no EDNS, or when it does not fit. */
bool dns_writer_option(struct dns_writer *, uint16_t code, struct bytes data);
/* Puts OPT, counts, flags and rcode in place: the whole message. */
struct bytes dns_writer_finish(struct dns_writer *);

/* The answer to a query that got another verdict than DNS_OK; no bytes for DNS_DROP. */
struct bytes dns_writer_refuse(const struct dns_query *, enum dns_verdict, void *room, size_t n);

#endif

/*
 * msg.h - DNS messages (RFC 1035 4, RFC 6891): questions read with a verdict, any message walked
 * record by record, answers written within a size.
 *
 * Nothing here allocates; what is read is a view of the packet, and lives as long as that.
 */
#ifndef DNS_MSG_H
#define DNS_MSG_H

#include "base/err.h"
#include "dns/rdata.h"

enum {
	DNS_HEADER = 12,
	DNS_UDP_PLAIN = 512,    /* RFC 1035 4.2.1: without EDNS */
	DNS_UDP_MAX = 1232,     /* RFC 9715: no answer over UDP is longer (attack 7) */
	DNS_TCP_MAX = 65535,    /* RFC 1035 4.2.2 */
	DNS_COMPRESS_MAX = 120, /* names compressed in one message: attack 3 */
};

enum dns_flag {
	DNS_FLAG_QR = 0x8000,
	DNS_FLAG_AA = 0x0400,
	DNS_FLAG_TC = 0x0200,
	DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080,
	DNS_FLAG_AD = 0x0020,
	DNS_FLAG_CD = 0x0010,
};

enum { DNS_EDNS_DO = 0x8000 }; /* in the TTL of OPT: RFC 3225 3 */

enum dns_opcode { DNS_OPCODE_QUERY = 0, DNS_OPCODE_NOTIFY = 4, DNS_OPCODE_UPDATE = 5 };

enum dns_rcode {
	DNS_RCODE_NOERROR = 0,
	DNS_RCODE_FORMERR = 1,
	DNS_RCODE_SERVFAIL = 2,
	DNS_RCODE_NXDOMAIN = 3,
	DNS_RCODE_NOTIMP = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_YXDOMAIN = 6,
	DNS_RCODE_NOTAUTH = 9,
	DNS_RCODE_BADVERS = 16,
};

enum dns_option { DNS_OPTION_NSID = 3, DNS_OPTION_COOKIE = 10, DNS_OPTION_PADDING = 12 };

static inline unsigned
dns_opcode_of(uint16_t flags)
{
	return flags >> 11 & 15;
}

/* ---- a query, as a server sees it ---- */

struct dns_edns {
	bool present, wants_dnssec, wants_nsid;
	uint8_t version, rcode_high;
	uint16_t size;        /* the UDP payload that the other side takes */
	struct bytes options; /* all of them, whole (code, length, data) */
	struct bytes cookie;  /* of the first COOKIE option; no bytes: none (RFC 7873 5.2) */
};

struct dns_query {
	uint16_t id, flags, type, class;
	struct bytes question; /* name, type, class as they came; no bytes: there is none to echo */
	struct bytes name;     /* in its own case */
	struct bytes soa;      /* IXFR: the RDATA of the SOA in the authority section, as it lies */
	struct dns_edns edns;
};

enum dns_verdict {
	DNS_OK,
	DNS_DROP,    /* no answer at all: too short, or itself an answer (attack 2) */
	DNS_FORMERR, /* not a message, not one question (RFC 9619), bytes left over, two OPTs */
	DNS_NOTIMP,  /* another opcode than QUERY */
	DNS_BADVERS, /* EDNS version above 0 */
	DNS_REFUSED, /* another class than IN */
};

/* *out is filled as far as the packet could be read, whatever the verdict. */
MUST_CHECK enum dns_verdict dns_query_read(struct bytes packet, struct dns_query *out);
/* The most octets of an answer over UDP. */
size_t dns_udp_limit(const struct dns_query *);

/* ---- any message, record by record ---- */

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };

struct dns_msg {
	struct bytes all;
	struct rd r; /* behind what was walked; bad: the message is not one */
	uint16_t id, flags, counts[4];
	enum dns_section section; /* of the next record */
	uint16_t left;            /* records to come in that section */
};

struct dns_record {
	enum dns_section section;
	struct dname owner;
	uint16_t type, class;
	uint32_t ttl;
	struct rd rdata; /* as it lies, for rdata_expand() with n = rd_left() */
};

/* False when there is no whole header. */
bool dns_msg_open(struct dns_msg *, struct bytes packet);
/*
 * The next record; a question has neither TTL nor data.  False when there is none: r.bad tells a
 * broken message from its end, and octets behind the last record make it bad too.
 */
bool dns_msg_next(struct dns_msg *, struct dns_record *out);
/* What an OPT record says; false when it is not of the form. */
bool dns_edns_read(const struct dns_record *, struct dns_edns *out);

#endif

/*
 * answer.h - what an authoritative server says to a query (RFC 1034 4.3.2, with 2181, 2308, 4592,
 * 6604, 6672, 8482, 9471, 9715): from the image alone, without allocation and without a clock.
 */
#ifndef ZONE_ANSWER_H
#define ZONE_ANSWER_H

#include "dns/msg.h"
#include "zone/image.h"

enum { ZONE_CHAIN_MAX = 11 /* CNAMEs and DNAMEs followed for one query: attack 14 */ };

/* What the packet alone does not say. */
struct zone_ask {
	enum dns_verdict verdict; /* of dns_query_read() */
	bool tcp;                 /* else UDP: at most 1232 octets (attack 7) */
	uint8_t peer[16];         /* as base/addr.h keeps addresses; for views, which come later */
	uint32_t turn; /* sets of addresses begin with this record, modulo their number */
};

enum zone_outcome {
	ZONE_DROPPED, /* nothing was written, nothing is sent (attack 2) */
	ZONE_ANSWERED,
	ZONE_NODATA,
	ZONE_NXDOMAIN,
	ZONE_REFERRED,
	ZONE_REFUSED, /* not ours, another class, a transfer */
	ZONE_FAULTY,  /* FORMERR, NOTIMP, BADVERS */
	ZONE_FAILED,  /* SERVFAIL: the image is damaged there; YXDOMAIN: RFC 6672 2.2 */
};
#define ZONE_OUTCOMES (ZONE_FAILED + 1) /* for tables of counters */

struct zone_done {
	enum zone_outcome outcome;
	uint16_t rcode;
	bool truncated; /* TC was set */
	/*
	 * What the answer hangs on, for rrl.h: the name asked, the wildcard, the zone that has no
	 * such name, the cut.  Octets of the query or the image in any case of letters.
	 */
	struct bytes about;
};

/*
 * Writes the whole answer to q into *out, which has room for DNS_UDP_MAX (UDP) or DNS_TCP_MAX (TCP)
 * octets and does not overlap the query; with less room (at least DNS_UDP_PLAIN) answers end there,
 * with TC set.
 */
struct zone_done zone_answer(const struct zone_image *, const struct dns_query *q,
                             const struct zone_ask *, struct wr *out);
/* The answer in its place when rrl.h says RRL_TRUNCATE: the question with TC set, and nothing more. */
void zone_answer_slip(const struct dns_query *q, struct wr *out);

#endif

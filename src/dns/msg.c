/*
 * msg.c - reads DNS messages (RFC 1035 4.1, RFC 6891 6.1, RFC 9619).
 *
 * A query is read in one pass over at most one question and three records, so what a stranger can
 * make us do is bounded by his packet's length (attacks 1, 3, 4, 5).
 */
#include "dns/msg.h"

enum {
	NSID = DNS_OPTION_NSID,
	COOKIE = DNS_OPTION_COOKIE,
	QUERY_ADDITIONAL_MAX = 2, /* OPT, and a signature of the message (RFC 8945, RFC 2931) */
};

/* The question as a view; false when it is not one. */
static bool
read_question(struct rd *r, struct dns_query *q)
{
	const uint8_t *start = r->p;

	/* The first name has nothing before it that it could point to. */
	q->name = dname_take(r);
	q->type = rd_u16(r);
	q->class = rd_u16(r);
	if (r->bad)
		return false;
	q->question = (struct bytes){start, (size_t)(r->p - start)};
	return true;
}

/* A client's cookie alone, or with the server's of 8 to 32 octets (RFC 7873 4). */
static bool
cookie_good(struct bytes cookie)
{
	return cookie.n == 8 || (cookie.n >= 16 && cookie.n <= 40);
}

/* Records behind the question: all whole, the last octet used, at most one OPT. */
static bool
read_rest(struct dns_msg *m, struct dns_query *q)
{
	struct dns_record rr;

	while (dns_msg_next(m, &rr)) {
		if (rr.type == DNS_TYPE_OPT) {
			if (q->edns.present || rr.section != DNS_ADDITIONAL ||
			    !dns_edns_read(&rr, &q->edns))
				return false;
		} else if (rr.section == DNS_AUTHORITY) {
			if (rr.type != DNS_TYPE_SOA)
				return false;
			q->soa = rd_rest(&rr.rdata);
		}
	}
	return !m->r.bad;
}

/* Types that nobody can ask for (RFC 6895 3.1); 251 to 255 are questions. */
static bool
never_asked(uint16_t type)
{
	return dns_type_is_meta(type) && type < DNS_TYPE_IXFR;
}

enum dns_verdict
dns_query_read(struct bytes packet, struct dns_query *q)
{
	struct dns_msg m;
	bool asked;

	*q = (struct dns_query){0};
	if (!dns_msg_open(&m, packet) || m.flags & DNS_FLAG_QR)
		return DNS_DROP;
	q->id = m.id;
	q->flags = m.flags;
	asked = m.counts[DNS_QUESTION] == 1 && read_question(&m.r, q);
	if (dns_opcode_of(q->flags) != DNS_OPCODE_QUERY)
		return DNS_NOTIMP;
	if (!asked || m.counts[DNS_ANSWER] || m.counts[DNS_ADDITIONAL] > QUERY_ADDITIONAL_MAX ||
	    m.counts[DNS_AUTHORITY] != (q->type == DNS_TYPE_IXFR)) /* RFC 1995 3 */
		return DNS_FORMERR;
	m.left = 0; /* the question is read */
	if (!read_rest(&m, q) || never_asked(q->type))
		return DNS_FORMERR;
	if (q->edns.version > 0)
		return DNS_BADVERS;
	return q->class == DNS_CLASS_IN ? DNS_OK : DNS_REFUSED;
}

size_t
dns_udp_limit(const struct dns_query *q)
{
	if (!q->edns.present || q->edns.size < DNS_UDP_PLAIN)
		return DNS_UDP_PLAIN; /* RFC 6891 6.2.3 */
	return q->edns.size < DNS_UDP_MAX ? q->edns.size : DNS_UDP_MAX;
}

bool
dns_msg_open(struct dns_msg *m, struct bytes packet)
{
	*m = (struct dns_msg){.all = packet, .r = rd_of(packet), .section = DNS_QUESTION};
	m->id = rd_u16(&m->r);
	m->flags = rd_u16(&m->r);
	for (size_t i = 0; i < COUNT(m->counts); i++)
		m->counts[i] = rd_u16(&m->r);
	m->left = m->counts[DNS_QUESTION];
	return !m->r.bad;
}

bool
dns_msg_next(struct dns_msg *m, struct dns_record *out)
{
	while (!m->left && m->section < DNS_ADDITIONAL)
		m->left = m->counts[++m->section];
	if (!m->left) {
		if (rd_left(&m->r))
			m->r.bad = true;
		return false;
	}
	m->left--;
	out->section = m->section;
	dname_read(&m->r, m->all, &out->owner);
	out->type = rd_u16(&m->r);
	out->class = rd_u16(&m->r);
	out->ttl = 0;
	out->rdata = (struct rd){m->r.p, m->r.p, false};
	if (m->section != DNS_QUESTION) {
		struct bytes data;

		out->ttl = rd_u32(&m->r);
		data = rd_bytes16(&m->r);
		if (!m->r.bad)
			out->rdata = rd_of(data);
	}
	return !m->r.bad;
}

bool
dns_edns_read(const struct dns_record *rr, struct dns_edns *out)
{
	struct rd r = rr->rdata, whole = rr->rdata;
	bool cookie = false;

	if (!dname_is_root(dname_bytes(&rr->owner)))
		return false;
	*out = (struct dns_edns){
	    .present = true,
	    .wants_dnssec = rr->ttl & DNS_EDNS_DO,
	    .rcode_high = (uint8_t)(rr->ttl >> 24),
	    .version = (uint8_t)(rr->ttl >> 16),
	    .size = rr->class,
	};
	if (out->version > 0)
		return true; /* what its options look like is not known */
	out->options = rd_rest(&whole);
	while (rd_left(&r)) {
		uint16_t code = rd_u16(&r);
		struct bytes data = rd_bytes16(&r);

		if (r.bad)
			break;
		if (code == NSID)
			out->wants_nsid = true;
		if (code == COOKIE && !cookie) { /* the first counts (RFC 7873 5.2) */
			if (!cookie_good(data))
				return false;
			out->cookie = data;
			cookie = true;
		}
	}
	return !r.bad;
}

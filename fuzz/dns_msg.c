/*
 * dns_msg.c - any packet as a query, and as a message whose records are written into another one:
 * what is read fits its bounds, what is written reads back the same.
 */
#include "dns/writer.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint8_t wire[RDATA_MAX], again[RDATA_MAX], room[DNS_TCP_MAX], small[DNS_UDP_MAX];

/* A record as it was read is there after it was written. */
static void
compare(struct bytes answer, const struct dns_record *want, struct bytes rdata)
{
	struct wr w = wr_of(again, sizeof(again));
	struct dns_record rr;
	struct dns_msg m;
	bool good = dns_msg_open(&m, answer);

	assert(good);
	do {
		good = dns_msg_next(&m, &rr);
		assert(good);
	} while (m.section != DNS_ANSWER || m.left);
	assert(rr.type == want->type && rr.ttl == want->ttl);
	assert(dname_eq(dname_bytes(&rr.owner), dname_bytes(&want->owner)));
	rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), m.all, &w);
	assert(!rr.rdata.bad && bytes_eq(wr_since(&w, again), rdata));
}

static void
walk(struct bytes packet, const struct dns_query *q)
{
	struct dns_record rr;
	struct dns_writer d, before;
	struct dns_msg m;

	if (!dns_msg_open(&m, packet))
		return;
	dns_writer_reply(&d, q, room, sizeof(room));
	for (unsigned i = 0; i < 64 && dns_msg_next(&m, &rr); i++) {
		struct wr w = wr_of(wire, sizeof(wire));

		assert(dname_ok(dname_bytes(&rr.owner)));
		if (rr.section == DNS_QUESTION)
			continue;
		rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), packet, &w);
		if (rr.rdata.bad || w.full)
			continue;
		assert(rdata_check(rr.type, wr_since(&w, wire)));
		if (!dns_writer_record(&d, DNS_ANSWER, dname_bytes(&rr.owner), rr.type, rr.ttl,
		                       wr_since(&w, wire)))
			break;
		before = d;
		compare(dns_writer_finish(&d), &rr, wr_since(&w, wire));
		d = before;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bytes packet = {data, n}, answer;
	struct dns_query q;
	enum dns_verdict verdict = dns_query_read(packet, &q);

	answer = dns_writer_refuse(&q, verdict, small, dns_udp_limit(&q));
	assert(answer.n <= n && (answer.n > 0) == (verdict != DNS_DROP));
	if (verdict == DNS_OK)
		assert(dname_ok(q.name) && q.question.n);
	walk(packet, &q);
	return 0;
}

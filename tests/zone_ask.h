/*
 * zone_ask.h - asks a zone image and shows the answer as text, for tests.
 */
#ifndef TESTS_ZONE_ASK_H
#define TESTS_ZONE_ASK_H

#include "zone_kit.h"

struct kit_query {
	const char *name, *type;
	unsigned how;  /* KIT_* */
	uint16_t edns; /* the size told; 0: without EDNS */
	uint32_t turn;
};

/* Over UDP, without EDNS. */
#define ASK(n, t)                                                                                  \
	{                                                                                          \
		.name = (n), .type = (t)                                                           \
	}

static inline struct bytes
kit_packet(const struct kit_query *q, uint8_t room[DNS_UDP_PLAIN])
{
	struct dns_writer w;
	struct dname name;
	uint16_t type = 0;
	bool good = dns_type_parse(&type, bytes_of(q->type));

	assert(good);
	dns_writer_ask(&w, room, DNS_UDP_PLAIN, 4711, q->how & KIT_RD ? DNS_FLAG_RD : 0,
	               kit_name(&name, q->name), type, DNS_CLASS_IN, q->edns, q->how & KIT_DO);
	return dns_writer_finish(&w);
}

static inline struct zone_done
kit_answer(const struct zone_image *img, struct bytes packet, bool tcp, uint32_t turn,
           struct wr *out)
{
	struct dns_query q;
	struct zone_ask ask = {.verdict = dns_query_read(packet, &q), .tcp = tcp, .turn = turn};

	return zone_answer(img, &q, &ask, out);
}

/* "NOERROR aa", then a line a record: "an www.example.org. 3600 A 192.0.2.1". */
static inline void
kit_show(struct bytes reply, struct wr *out)
{
	static const char *const rcodes[16] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
	                                       "NOTIMP",  "REFUSED", "YXDOMAIN"};
	static const char *const sections[] = {"qd", "an", "ns", "ar"};
	static uint8_t data[RDATA_MAX];
	struct dns_msg m;
	struct dns_record r;
	bool good = dns_msg_open(&m, reply);

	assert(good);
	wr_printf(out, "%s%s%s\n", rcodes[m.flags & 15], m.flags & DNS_FLAG_AA ? " aa" : "",
	          m.flags & DNS_FLAG_TC ? " tc" : "");
	while (dns_msg_next(&m, &r)) {
		struct wr w = wr_of(data, sizeof(data));

		if (r.section == DNS_QUESTION || r.type == DNS_TYPE_OPT)
			continue;
		rdata_expand(r.type, &r.rdata, rd_left(&r.rdata), reply, &w);
		assert(!r.rdata.bad && !w.full);
		wr_printf(out, "%s ", sections[r.section]);
		dname_to_text(out, dname_bytes(&r.owner));
		wr_printf(out, " %u ", r.ttl);
		dns_type_text(out, r.type);
		wr_text(out, " ");
		rdata_to_text(r.type, wr_since(&w, data), out);
		wr_text(out, "\n");
	}
	assert(!m.r.bad && !out->full);
}

/* Asks and shows; done may be NULL, and is good until the next call. */
static inline void
kit_talk(const struct zone_image *img, const struct kit_query *q, struct wr *text,
         struct zone_done *done)
{
	static uint8_t room[DNS_TCP_MAX], packet[DNS_UDP_PLAIN]; /* done->about may be of these */
	struct wr out = wr_of(room, q->how & KIT_TCP ? sizeof(room) : (size_t)DNS_UDP_MAX);
	struct zone_done d =
	    kit_answer(img, kit_packet(q, packet), q->how & KIT_TCP, q->turn, &out);

	kit_show(wr_since(&out, room), text);
	if (done)
		*done = d;
}

#endif

/*
 * zone_answer.c - the first octet chooses: any octets as a query to a fixed zone; or as damage to
 * its image (two octets of place, one of value, over and over), which is then asked and carried
 * over.  Each answer is a whole message within the size that was asked for.
 */
#include "../tests/zone_ask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char zone[] = "$TTL 60\n"
			   "@ SOA ns a 1 2 3 4 5\n"
			   "  NS ns\n"
			   "  MX 1 ns\n"
			   "  MX 2 mail.d\n"
			   "ns A 192.0.2.1\n"
			   "   A 192.0.2.2\n"
			   "   AAAA ::1\n"
			   "c CNAME b\n"
			   "b CNAME c\n"
			   "d NS x.d\n"
			   "d NS x.e\n"
			   "d DS 1 13 2 00\n"
			   "e NS x.e\n"
			   "x.d A 192.0.2.3\n"
			   "x.e A 192.0.2.4\n"
			   "*.w TXT x\n"
			   "*.v CNAME q.w\n"
			   "o DNAME w\n"
			   "s SRV 1 2 3 ns\n"
			   "a.b.c.d.f A 192.0.2.1\n";

static const struct kit_query asks[] = {
    ASK("z.", "SOA"),     ASK("z.", "MX"),          ASK("ns.z.", "A"),    ASK("c.z.", "A"),
    ASK("y.x.d.z.", "A"), ASK("q.v.z.", "TXT"),     ASK("q.o.z.", "TXT"), ASK("no.z.", "A"),
    ASK("z.", "ANY"),     ASK("b.c.d.f.z.", "ANY"), ASK("d.z.", "DS"),    ASK("s.z.", "SRV"),
    ASK("a.z.", "DS"),
};

static struct kit
make(void)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);

	kit_add(b, "z.", zone);
	kit_add(b, "a.z.", "$TTL 60\n@ SOA ns a 1 2 3 4 5\n@ NS ns.z.\n* A 192.0.2.9\n");
	return kit_seal(b, 1);
}

static void
ask(const struct zone_image *img, struct bytes packet, bool tcp)
{
	static uint8_t room[DNS_TCP_MAX];
	struct wr out = wr_of(room, sizeof(room));
	struct zone_done done = kit_answer(img, packet, tcp, 1, &out);
	struct bytes reply = wr_since(&out, room);
	struct dns_query q;
	struct dns_record r;
	struct dns_msg m;

	(void)!dns_query_read(packet, &q);
	if (done.outcome == ZONE_DROPPED) {
		assert(reply.n == 0);
		return;
	}
	assert(reply.n <= (tcp ? (size_t)DNS_TCP_MAX : dns_udp_limit(&q)));
	assert(dns_msg_open(&m, reply) && m.flags & DNS_FLAG_QR);
	while (dns_msg_next(&m, &r))
		;
	assert(!m.r.bad && (m.flags & 15) == (done.rcode & 15));
	assert(done.truncated == ((m.flags & DNS_FLAG_TC) != 0));
	for (size_t i = 0; i < done.about.n; i++) /* readable to its end */
		room[0] ^= done.about.p[i];
}

static void
damage(const struct kit *k, struct rd in)
{
	uint8_t *copy = malloc(k->n), packet[DNS_UDP_PLAIN];
	struct zone_image img;
	struct zone_builder *b;
	struct err e;

	assert(copy);
	memcpy(copy, k->region, k->n);
	while (rd_left(&in) >= 3) {
		size_t at = rd_u16(&in) % k->n;

		copy[at] = rd_u8(&in);
	}
	if (is_ok(zone_image_open(&img, (struct bytes){copy, k->n}))) {
		for (size_t i = 0; i < COUNT(asks); i++)
			ask(&img, kit_packet(&asks[i], packet), i % 2);
		b = zone_builder_new(kit_key, 1 << 20);
		e = zone_builder_carry(b, &img, BYTES("\1z\0"));
		if (is_ok(e)) {
			struct kit again = kit_seal(b, 2);

			kit_free(&again);
		} else {
			zone_builder_free(b);
		}
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct kit k;
	struct rd in = rd_of((struct bytes){data, n});
	uint8_t how = rd_u8(&in);

	if (!k.region)
		k = make();
	if (how & 1)
		damage(&k, in);
	else
		ask(&k.img, rd_rest(&in), how & 2);
	return 0;
}

/*
 * resolve.c - events of a question in any order: the octets choose, again and again, between time
 * that passes, no reply, no route, a packet of octets, and a reply made of the question that is open
 * (its header and question are right, what follows are octets; or a well-formed set of records).
 *
 * Whatever comes: the machine ends within its budget, and its answer is one of the forms that an
 * answer has.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/random.h"
#include "dns/writer.h"
#include "resolve/iterate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint8_t key[16] = "sixteen octets.";
static const uint8_t names[][12] = {"\1a\3net",    "\2ns\1a\3net", "\3net",
                                    "\1a\1a\3net", "\1b\3org",     ""};
static const uint8_t sizes[] = {7, 10, 5, 9, 7, 1};
static const uint16_t types[] = {DNS_TYPE_A,   DNS_TYPE_NS,   DNS_TYPE_CNAME,
                                 DNS_TYPE_SOA, DNS_TYPE_AAAA, DNS_TYPE_MX};

static struct bytes
name_of(uint8_t c)
{
	size_t i = c % COUNT(names);

	return (struct bytes){names[i], sizes[i]};
}

/* The question, then octets: counts and records as they come. */
static struct bytes
raw_reply(const struct iterate_send *s, struct rd *in, uint8_t room[DNS_UDP_PLAIN])
{
	struct wr w = wr_of(room, DNS_UDP_PLAIN);
	struct rd q = rd_of(s->packet);
	struct bytes tail;

	wr_bytes(&w, rd_take(&q, 2));
	wr_u16(&w, (uint16_t)(DNS_FLAG_QR | rd_u16(in)));
	wr_u16(&w, 1);
	wr_u16(&w, rd_u8(in));
	wr_u16(&w, rd_u8(in));
	wr_u16(&w, rd_u8(in));
	rd_take(&q, 10);
	wr_bytes(&w, rd_take(&q, s->name.n + 4));
	tail = rd_bytes8(in);
	wr_bytes(&w, tail);
	return wr_since(&w, room);
}

/* A set of well-formed records. */
static struct bytes
made_reply(const struct iterate_send *s, struct rd *in, uint8_t room[DNS_UDP_PLAIN])
{
	struct dns_writer w;
	struct dns_query q;
	uint8_t section = DNS_ANSWER, count = rd_u8(in) % 12;

	if (dns_query_read(s->packet, &q) != DNS_OK)
		abort();
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	w.flags |= rd_u8(in) & 1 ? DNS_FLAG_AA : 0;
	w.rcode = rd_u8(in) % 6;
	while (count--) {
		uint8_t c = rd_u8(in), soa[40] = {0, 0};
		uint16_t type = types[rd_u8(in) % COUNT(types)];
		struct bytes owner = c & 128 ? s->name : name_of(c), data = name_of(rd_u8(in));
		uint8_t mx[2 + 12] = {0};

		if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA)
			data = rd_take(in, type == DNS_TYPE_A ? 4 : 16);
		if (type == DNS_TYPE_SOA)
			data = (struct bytes){soa, 22};
		if (type == DNS_TYPE_MX) {
			memcpy(mx + 2, data.p, data.n);
			data = (struct bytes){mx, 2 + data.n};
		}
		section = (uint8_t)(section + (c >> 5 & 1));
		if (section > DNS_ADDITIONAL)
			break;
		if (data.p)
			dns_writer_record(&w, (enum dns_section)section, owner, type, rd_u8(in),
			                  data);
	}
	return dns_writer_finish(&w);
}

static void
event(struct iterate *it, const struct iterate_send *s, uint64_t *now, struct rd *in)
{
	uint8_t room[DNS_UDP_PLAIN];
	struct bytes packet;

	switch (rd_u8(in) % 8) {
	case 0:
		*now += rd_u16(in);
		break;
	case 1:
		iterate_late(it, *now);
		break;
	case 2:
		iterate_unreachable(it, *now, rd_u8(in) & 1);
		break;
	case 3:
		iterate_again(it);
		break;
	case 4:
		(void)iterate_reply(it, *now, rd_bytes8(in));
		break;
	case 5:
		packet = raw_reply(s, in, room);
		(void)iterate_reply(it, *now, packet);
		break;
	default:
		packet = made_reply(s, in, room);
		(void)iterate_reply(it, *now, packet);
	}
}

static void
look_at(const struct iterate_result *r)
{
	assert(r->queries <= ITERATE_QUERIES && r->n <= ITERATE_SETS);
	assert(r->rcode == DNS_RCODE_NOERROR || r->rcode == DNS_RCODE_NXDOMAIN ||
	       (r->rcode == DNS_RCODE_SERVFAIL && !r->n && r->why[0]));
	for (size_t i = 0; i < r->n; i++) {
		struct rd rd = rd_of(r->sets[i].records);
		size_t n = 0;

		assert(dname_ok(r->sets[i].owner));
		for (; rd_left(&rd); n++)
			assert(rdata_check(r->sets[i].type, rd_bytes16(&rd)));
		assert(!rd.bad && n == r->sets[i].n && n <= CACHE_RECORDS_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct hints *hints = calloc(1, sizeof(*hints));
	struct iterate_conf conf = {.world = {.cache = cache_new(key, 1 << 18),
	                                      .servers = servers_new(key, 1 << 18),
	                                      .hints = hints,
	                                      .random = random_seeded(n),
	                                      .port = 53}};
	struct rd in = {data, data + n, false};
	uint64_t now = 1;

	if (!hints || !conf.world.cache || !conf.world.servers || !conf.world.random)
		abort();
	hints_default(hints);
	conf.minimise = rd_u8(&in) & 1;
	for (int question = 0; question < 4; question++) {
		struct iterate_send s;
		struct iterate *it =
		    iterate_new(&conf, name_of(rd_u8(&in)), types[rd_u8(&in) % COUNT(types)], now);
		enum iterate_want want;

		if (!it)
			abort();
		while ((want = iterate_step(it, now, &s)) != ITERATE_DONE) {
			if (want == ITERATE_SEND)
				assert(dname_ok(s.name) && s.wait_ms && s.wait_ms <= ITERATE_MS);
			if (rd_left(&in))
				event(it, &s, &now, &in);
			else
				iterate_late(it, now += s.wait_ms);
		}
		look_at(iterate_result(it));
		iterate_free(it);
	}
	cache_free(conf.world.cache);
	servers_free(conf.world.servers);
	random_close(conf.world.random);
	free(hints);
	return 0;
}

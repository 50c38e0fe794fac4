/* zone_answer.c - what src/zone/answer.c says: zones in text, questions, expected sections. */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zone_ask.h"

#include <cmocka.h>

static const struct {
	const char *apex, *text;
} zones[] = {
    {"example.org.",
     "$TTL 3600\n"
     "@ SOA ns1 admin 2026010101 7200 3600 1209600 300\n"
     "  NS ns1\n"
     "  NS ns2.example.net.\n"
     "  MX 10 Mail\n"
     "  MX 20 mail2\n"
     "  MX 30 mail\n"
     "  TXT \"a text\"\n"
     "ns1 A 192.0.2.53\n"
     "mail A 192.0.2.25\n"
     "mail AAAA 2001:db8::25\n"
     "mail2 A 192.0.2.26\n"
     "www A 192.0.2.80\n"
     "many 60 A 192.0.2.1\n"
     "many 60 A 192.0.2.2\n"
     "many 60 A 192.0.2.3\n"
     "alias CNAME www\n"
     "alias2 CNAME alias\n"
     "toother CNAME host.example.net.\n"
     "tonone CNAME nobody\n"
     "outside CNAME www.example.com.\n"
     "tosub CNAME www.sub\n"
     "loop1 CNAME loop2\n"
     "loop2 CNAME loop1\n"
     "self CNAME self\n"
     "deep.er.est A 192.0.2.90\n"
     "_imap._tcp SRV 0 1 143 mail\n"
     "svc TYPE64 \\# 3 000100\n"
     "svc A 192.0.2.91\n"
     "*.wild A 192.0.2.99\n"
     "*.wild MX 5 mail\n"
     "there.wild TXT \"there\"\n"
     "a.b.wild TXT \"b is empty\"\n"
     "*.cwild CNAME www\n"
     "*.lwild CNAME x.lwild\n"
     "sub NS ns.sub\n"
     "sub NS ns.sub2\n"
     "sub NS ns.far.example.\n"
     "sub DS 1 13 2 "
     "0000000000000000000000000000000000000000000000000000000000000000\n"
     "ns.sub A 192.0.2.10\n"
     "ns.sub AAAA 2001:db8::10\n"
     "sub2 NS ns.sub2\n"
     "ns.sub2 A 192.0.2.11\n"
     "child NS ns.child\n"
     "ns.child A 192.0.2.12\n"
     "old DNAME new\n"
     "host.new A 192.0.2.13\n"
     "dloop DNAME x.dloop\n"
     "dback DNAME dback2\n"
     "dback2 DNAME dback\n"
     "long DNAME aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd.aaaaaaaaaabbbbbbbbbbccccccccccddddddddd.e"
     "eeeeeeeeebbbbbbbbbbccccccccccdddddddddd.aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\n"},
    {"child.example.org.", "$TTL 60\n"
                           "@ SOA ns c 1 2 3 4 5\n"
                           "  NS ns\n"
                           "ns A 192.0.2.12\n"
                           "www A 192.0.2.81\n"},
    {"example.net.", "$TTL 60\n"
                     "@ SOA ns1 n 1 2 3 4 86400\n"
                     "  NS ns1\n"
                     "ns1 A 192.0.2.53\n"
                     "host A 192.0.2.82\n"},
};

#define SOA_ORG                                                                                    \
	"ns example.org. 300 SOA ns1.example.org. admin.example.org. "                             \
	"2026010101 7200 3600 1209600 300\n"
#define SOA_NET "ns example.net. 60 SOA ns1.example.net. n.example.net. 1 2 3 4 86400\n"
#define SOA_CHILD                                                                                  \
	"ns child.example.org. 5 SOA ns.child.example.org. c.child.example.org. 1 2 3 4 5\n"
#define WWW "an www.example.org. 3600 A 192.0.2.80\n"
#define REFER_SUB                                                                                  \
	"ns sub.example.org. 3600 NS ns.far.example.\n"                                            \
	"ns sub.example.org. 3600 NS ns.sub.example.org.\n"                                        \
	"ns sub.example.org. 3600 NS ns.sub2.example.org.\n"                                       \
	"ar ns.sub.example.org. 3600 A 192.0.2.10\n"                                               \
	"ar ns.sub.example.org. 3600 AAAA 2001:db8::10\n"                                          \
	"ar ns.sub2.example.org. 3600 A 192.0.2.11\n"

static const struct {
	struct kit_query q;
	enum zone_outcome outcome;
	const char *about; /* NULL: nothing */
	const char *text;
} talks[] = {
    /* exact */
    {ASK("www.example.org.", "A"), ZONE_ANSWERED, "www.example.org.", "NOERROR aa\n" WWW},
    {ASK("WwW.eXample.ORG.", "A"), ZONE_ANSWERED, "www.example.org.",
     "NOERROR aa\nan WwW.eXample.ORG. 3600 A 192.0.2.80\n"},
    {ASK("example.org.", "SOA"), ZONE_ANSWERED, "example.org.",
     "NOERROR aa\nan example.org. 3600 SOA ns1.example.org. admin.example.org. "
     "2026010101 7200 3600 1209600 300\n"},
    {ASK("example.org.", "MX"), ZONE_ANSWERED, "example.org.",
     "NOERROR aa\nan example.org. 3600 MX 10 Mail.example.org.\n"
     "an example.org. 3600 MX 20 mail2.example.org.\n"
     "an example.org. 3600 MX 30 mail.example.org.\n"
     "ar Mail.example.org. 3600 A 192.0.2.25\n"
     "ar Mail.example.org. 3600 AAAA 2001:db8::25\n"
     "ar mail2.example.org. 3600 A 192.0.2.26\n"},
    {ASK("example.org.", "NS"), ZONE_ANSWERED, "example.org.",
     "NOERROR aa\nan example.org. 3600 NS ns1.example.org.\n"
     "an example.org. 3600 NS ns2.example.net.\n"
     "ar ns1.example.org. 3600 A 192.0.2.53\n"},
    {ASK("_imap._tcp.example.org.", "SRV"), ZONE_ANSWERED, "_imap._tcp.example.org.",
     "NOERROR aa\nan _imap._tcp.example.org. 3600 SRV 0 1 143 mail.example.org.\n"
     "ar mail.example.org. 3600 A 192.0.2.25\n"
     "ar mail.example.org. 3600 AAAA 2001:db8::25\n"},
    /* turning order */
    {{.name = "many.example.org.", .type = "A", .turn = 0},
     ZONE_ANSWERED,
     "many.example.org.",
     "NOERROR aa\nan many.example.org. 60 A 192.0.2.1\nan many.example.org. 60 A 192.0.2.2\n"
     "an many.example.org. 60 A 192.0.2.3\n"},
    {{.name = "many.example.org.", .type = "A", .turn = 5},
     ZONE_ANSWERED,
     "many.example.org.",
     "NOERROR aa\nan many.example.org. 60 A 192.0.2.3\nan many.example.org. 60 A 192.0.2.1\n"
     "an many.example.org. 60 A 192.0.2.2\n"},
    /* negative */
    {ASK("www.example.org.", "AAAA"), ZONE_NODATA, "www.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("nobody.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("x.www.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("er.est.example.org.", "A"), ZONE_NODATA, "er.est.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("est.example.org.", "ANY"), ZONE_NODATA, "est.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("x.er.est.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("x.y.z.deep.er.est.example.org.", "A"), ZONE_NXDOMAIN, "example.org.",
     "NXDOMAIN aa\n" SOA_ORG},
    {ASK("nobody.example.net.", "A"), ZONE_NXDOMAIN, "example.net.", "NXDOMAIN aa\n" SOA_NET},
    /* not ours */
    {ASK("www.example.com.", "A"), ZONE_REFUSED, NULL, "REFUSED\n"},
    {ASK("org.", "A"), ZONE_REFUSED, NULL, "REFUSED\n"},
    {ASK(".", "NS"), ZONE_REFUSED, NULL, "REFUSED\n"},
    {ASK("xexample.org.", "A"), ZONE_REFUSED, NULL, "REFUSED\n"},
    /* CNAME */
    {ASK("alias.example.org.", "A"), ZONE_ANSWERED, "alias.example.org.",
     "NOERROR aa\nan alias.example.org. 3600 CNAME www.example.org.\n" WWW},
    {ASK("alias2.example.org.", "A"), ZONE_ANSWERED, "alias2.example.org.",
     "NOERROR aa\nan alias2.example.org. 3600 CNAME alias.example.org.\n"
     "an alias.example.org. 3600 CNAME www.example.org.\n" WWW},
    {ASK("alias.example.org.", "CNAME"), ZONE_ANSWERED, "alias.example.org.",
     "NOERROR aa\nan alias.example.org. 3600 CNAME www.example.org.\n"},
    {ASK("alias.example.org.", "ANY"), ZONE_ANSWERED, "alias.example.org.",
     "NOERROR aa\nan alias.example.org. 3600 CNAME www.example.org.\n"},
    {ASK("alias.example.org.", "MX"), ZONE_NODATA, "alias.example.org.",
     "NOERROR aa\nan alias.example.org. 3600 CNAME www.example.org.\n" SOA_ORG},
    {ASK("toother.example.org.", "A"), ZONE_ANSWERED, "toother.example.org.",
     "NOERROR aa\nan toother.example.org. 3600 CNAME host.example.net.\n"
     "an host.example.net. 60 A 192.0.2.82\n"},
    {ASK("toother.example.org.", "MX"), ZONE_NODATA, "toother.example.org.",
     "NOERROR aa\nan toother.example.org. 3600 CNAME host.example.net.\n" SOA_NET},
    {ASK("tonone.example.org.", "A"), ZONE_NXDOMAIN, "example.org.",
     "NXDOMAIN aa\nan tonone.example.org. 3600 CNAME nobody.example.org.\n" SOA_ORG},
    {ASK("outside.example.org.", "A"), ZONE_ANSWERED, "outside.example.org.",
     "NOERROR aa\nan outside.example.org. 3600 CNAME www.example.com.\n"},
    {ASK("tosub.example.org.", "A"), ZONE_ANSWERED, "tosub.example.org.",
     "NOERROR aa\nan tosub.example.org. 3600 CNAME www.sub.example.org.\n" REFER_SUB},
    {ASK("loop1.example.org.", "A"), ZONE_ANSWERED, "loop1.example.org.",
     "NOERROR aa\nan loop1.example.org. 3600 CNAME loop2.example.org.\n"
     "an loop2.example.org. 3600 CNAME loop1.example.org.\n"},
    {ASK("self.example.org.", "A"), ZONE_ANSWERED, "self.example.org.",
     "NOERROR aa\nan self.example.org. 3600 CNAME self.example.org.\n"},
    /* wildcards: RFC 4592 2.2.1 */
    {ASK("x.wild.example.org.", "A"), ZONE_ANSWERED, "*.wild.example.org.",
     "NOERROR aa\nan x.wild.example.org. 3600 A 192.0.2.99\n"},
    {ASK("x.y.z.wild.example.org.", "A"), ZONE_ANSWERED, "*.wild.example.org.",
     "NOERROR aa\nan x.y.z.wild.example.org. 3600 A 192.0.2.99\n"},
    {ASK("x.wild.example.org.", "MX"), ZONE_ANSWERED, "*.wild.example.org.",
     "NOERROR aa\nan x.wild.example.org. 3600 MX 5 mail.example.org.\n"
     "ar mail.example.org. 3600 A 192.0.2.25\n"
     "ar mail.example.org. 3600 AAAA 2001:db8::25\n"},
    {ASK("x.wild.example.org.", "TXT"), ZONE_NODATA, "*.wild.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("*.wild.example.org.", "A"), ZONE_ANSWERED, "*.wild.example.org.",
     "NOERROR aa\nan *.wild.example.org. 3600 A 192.0.2.99\n"},
    {ASK("there.wild.example.org.", "A"), ZONE_NODATA, "there.wild.example.org.",
     "NOERROR aa\n" SOA_ORG},
    {ASK("x.there.wild.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("b.wild.example.org.", "A"), ZONE_NODATA, "b.wild.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("x.b.wild.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("x.*.wild.example.org.", "A"), ZONE_NXDOMAIN, "example.org.", "NXDOMAIN aa\n" SOA_ORG},
    {ASK("wild.example.org.", "A"), ZONE_NODATA, "wild.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("x.cwild.example.org.", "A"), ZONE_ANSWERED, "*.cwild.example.org.",
     "NOERROR aa\nan x.cwild.example.org. 3600 CNAME www.example.org.\n" WWW},
    {ASK("y.lwild.example.org.", "A"), ZONE_ANSWERED, "*.lwild.example.org.",
     "NOERROR aa\nan y.lwild.example.org. 3600 CNAME x.lwild.example.org.\n"},
    /* referrals */
    {ASK("www.sub.example.org.", "A"), ZONE_REFERRED, "sub.example.org.", "NOERROR\n" REFER_SUB},
    {ASK("a.b.c.sub.example.org.", "ANY"), ZONE_REFERRED, "sub.example.org.",
     "NOERROR\n" REFER_SUB},
    {ASK("sub.example.org.", "A"), ZONE_REFERRED, "sub.example.org.", "NOERROR\n" REFER_SUB},
    {ASK("sub.example.org.", "NS"), ZONE_REFERRED, "sub.example.org.", "NOERROR\n" REFER_SUB},
    {ASK("ns.sub.example.org.", "A"), ZONE_REFERRED, "sub.example.org.", "NOERROR\n" REFER_SUB},
    {ASK("x.ns.sub.example.org.", "DS"), ZONE_REFERRED, "sub.example.org.", "NOERROR\n" REFER_SUB},
    {ASK("sub.example.org.", "DS"), ZONE_ANSWERED, "sub.example.org.",
     "NOERROR aa\nan sub.example.org. 3600 DS 1 13 2 "
     "0000000000000000000000000000000000000000000000000000000000000000\n"},
    {ASK("sub2.example.org.", "DS"), ZONE_NODATA, "sub2.example.org.", "NOERROR aa\n" SOA_ORG},
    /* both sides of a cut are ours */
    {ASK("www.child.example.org.", "A"), ZONE_ANSWERED, "www.child.example.org.",
     "NOERROR aa\nan www.child.example.org. 60 A 192.0.2.81\n"},
    {ASK("x.child.example.org.", "A"), ZONE_NXDOMAIN, "child.example.org.",
     "NXDOMAIN aa\n" SOA_CHILD},
    {ASK("child.example.org.", "DS"), ZONE_NODATA, "child.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("example.net.", "DS"), ZONE_NODATA, "example.net.", "NOERROR aa\n" SOA_NET},
    /* DNAME */
    {ASK("host.old.example.org.", "A"), ZONE_ANSWERED, "host.old.example.org.",
     "NOERROR aa\nan old.example.org. 3600 DNAME new.example.org.\n"
     "an host.old.example.org. 3600 CNAME host.new.example.org.\n"
     "an host.new.example.org. 3600 A 192.0.2.13\n"},
    {ASK("x.y.old.example.org.", "A"), ZONE_NXDOMAIN, "example.org.",
     "NXDOMAIN aa\nan old.example.org. 3600 DNAME new.example.org.\n"
     "an x.y.old.example.org. 3600 CNAME x.y.new.example.org.\n" SOA_ORG},
    {ASK("host.old.example.org.", "CNAME"), ZONE_ANSWERED, "host.old.example.org.",
     "NOERROR aa\nan old.example.org. 3600 DNAME new.example.org.\n"
     "an host.old.example.org. 3600 CNAME host.new.example.org.\n"},
    {ASK("old.example.org.", "DNAME"), ZONE_ANSWERED, "old.example.org.",
     "NOERROR aa\nan old.example.org. 3600 DNAME new.example.org.\n"},
    {ASK("old.example.org.", "A"), ZONE_NODATA, "old.example.org.", "NOERROR aa\n" SOA_ORG},
    {ASK("a.dloop.example.org.", "A"), ZONE_ANSWERED, "a.dloop.example.org.",
     "NOERROR aa\nan dloop.example.org. 3600 DNAME x.dloop.example.org.\n"
     "an a.dloop.example.org. 3600 CNAME a.x.dloop.example.org.\n"},
    /* ANY: the smallest set (RFC 8482) */
    {ASK("example.org.", "ANY"), ZONE_ANSWERED, "example.org.",
     "NOERROR aa\nan example.org. 3600 TXT \"a text\"\n"},
    {ASK("x.wild.example.org.", "ANY"), ZONE_ANSWERED, "*.wild.example.org.",
     "NOERROR aa\nan x.wild.example.org. 3600 A 192.0.2.99\n"},
    /* transfers are not for everybody */
    {ASK("example.org.", "AXFR"), ZONE_FAULTY, NULL, "NOTIMP\n"},
    {{.name = "example.org.", .type = "AXFR", .how = KIT_TCP}, ZONE_REFUSED, NULL, "REFUSED\n"},
    {ASK("example.org.", "TYPE253"), ZONE_FAULTY, NULL, "NOTIMP\n"},
};

static struct kit
make(void)
{
	struct zone_builder *b = zone_builder_new(kit_key, 0);

	for (size_t i = 0; i < COUNT(zones); i++)
		kit_add(b, zones[i].apex, zones[i].text);
	return kit_seal(b, 7);
}

static void
says_what_the_tables_say(void **state)
{
	struct kit k = make();
	static const uint16_t sizes[] = {0, 1232, 4096};

	(void)state;
	for (size_t i = 0; i < COUNT(talks); i++)
		for (size_t s = 0; s < COUNT(sizes); s++) {
			char room[16384];
			struct wr w = wr_of(room, sizeof(room));
			struct kit_query q = talks[i].q;
			struct zone_done done;
			struct dname about;

			q.edns = sizes[s];
			kit_talk(&k.img, &q, &w, &done);
			wr_u8(&w, 0);
			if (strcmp(room, talks[i].text) != 0)
				print_message("%s %s edns %u\n", q.name, q.type, q.edns);
			assert_string_equal(room, talks[i].text);
			assert_int_equal(done.outcome, talks[i].outcome);
			assert_false(done.truncated);
			if (!talks[i].about)
				assert_int_equal(done.about.n, 0);
			else
				assert_true(
				    bytes_eq_nocase(done.about, kit_name(&about, talks[i].about)));
		}
	kit_free(&k);
}

/* RFC 6672 2.2: a name that grows too long has an rcode of its own. */
static void
dname_too_long(void **state)
{
	struct kit k = make();
	char name[300], room[4096];
	struct wr w = wr_of(room, sizeof(room));
	struct zone_done done;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[60] = '.';
	memcpy(name + 110, ".long.example.org.", sizeof(".long.example.org."));
	kit_talk(&k.img, &(struct kit_query)ASK(name, "A"), &w, &done);
	wr_u8(&w, 0);
	assert_int_equal(done.outcome, ZONE_FAILED);
	assert_int_equal(done.rcode, DNS_RCODE_YXDOMAIN);
	assert_memory_equal(room, "YXDOMAIN aa\nan long.example.org. 3600 DNAME ", 44);
	kit_free(&k);
}

/* RFC 9460 2.5.2: a target of "." is the owner. */
static void
svcb_takes_its_owners_addresses(void **state)
{
	struct kit k = make();
	char room[4096];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	kit_talk(&k.img, &(struct kit_query)ASK("svc.example.org.", "TYPE64"), &w, NULL);
	wr_u8(&w, 0);
	assert_non_null(strstr(room, "\nar svc.example.org. 3600 A 192.0.2.91\n"));
	kit_free(&k);
}

/* RD and CD come back, EDNS says version 0 and 1232, the question is there as it was asked. */
static void
header_and_edns(void **state)
{
	struct kit k = make();
	struct kit_query q = {"wWw.example.org.", "A", KIT_RD | KIT_DO, 4096, 0};
	uint8_t packet[DNS_UDP_PLAIN], room[DNS_UDP_MAX];
	struct wr out = wr_of(room, sizeof(room));
	struct bytes asked = kit_packet(&q, packet);
	struct dns_record r;
	struct dns_msg m;
	struct dns_edns edns = {0};

	(void)state;
	(void)kit_answer(&k.img, asked, false, 0, &out);
	assert_true(dns_msg_open(&m, wr_since(&out, room)));
	assert_int_equal(m.id, 4711);
	assert_int_equal(m.flags, DNS_FLAG_QR | DNS_FLAG_AA | DNS_FLAG_RD);
	assert_memory_equal(room + DNS_HEADER, packet + DNS_HEADER, 17 + 4);
	while (dns_msg_next(&m, &r))
		if (r.type == DNS_TYPE_OPT)
			assert_true(dns_edns_read(&r, &edns));
	assert_false(m.r.bad);
	assert_true(edns.present && edns.wants_dnssec);
	assert_int_equal(edns.version, 0);
	assert_int_equal(edns.size, DNS_UDP_MAX);
	kit_free(&k);
}

/* Verdicts of the reader, with their bytes on the wire. */
static void
refuses_bad_queries(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t value;
		enum zone_outcome outcome;
		uint16_t rcode;
	} cases[] = {
	    {"an answer", 2, 0x80, ZONE_DROPPED, 0},
	    {"NOTIFY", 2, 4 << 3, ZONE_FAULTY, DNS_RCODE_NOTIMP},
	    {"UPDATE", 2, 5 << 3, ZONE_FAULTY, DNS_RCODE_NOTIMP},
	    {"two questions", 5, 2, ZONE_FAULTY, DNS_RCODE_FORMERR},
	    {"class CH", DNS_HEADER + 17 + 3, 3, ZONE_REFUSED, DNS_RCODE_REFUSED},
	    {"class ANY", DNS_HEADER + 17 + 3, 255, ZONE_REFUSED, DNS_RCODE_REFUSED},
	    {"EDNS version 1", DNS_HEADER + 17 + 4 + 6, 1, ZONE_FAULTY, DNS_RCODE_BADVERS},
	};
	struct kit k = make();
	struct kit_query q = {"www.example.org.", "A", 0, 1232, 0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t packet[DNS_UDP_PLAIN], room[DNS_UDP_MAX];
		struct wr out = wr_of(room, sizeof(room));
		struct bytes asked = kit_packet(&q, packet);
		struct zone_done done;

		packet[cases[i].at] = cases[i].value;
		done = kit_answer(&k.img, asked, false, 0, &out);
		assert_int_equal(done.outcome, cases[i].outcome);
		assert_int_equal(done.rcode, cases[i].rcode);
		assert_int_equal(done.about.n, 0);
		if (done.outcome == ZONE_DROPPED)
			assert_int_equal(wr_since(&out, room).n, 0);
		else
			assert_int_equal(room[3] & 15, cases[i].rcode & 15);
		assert_true(wr_since(&out, room).n <= asked.n);
	}
	kit_free(&k);
}

static void
slip_is_an_empty_truncated_answer(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN], room[DNS_UDP_MAX];
	struct wr out = wr_of(room, sizeof(room));
	struct bytes asked =
	    kit_packet(&(struct kit_query){"www.example.org.", "A", 0, 1232, 0}, packet);
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_read(asked, &q), DNS_OK);
	zone_answer_slip(&q, &out);
	assert_int_equal(wr_since(&out, room).n, asked.n);
	assert_int_equal(room[2], 0x82);
	assert_int_equal(room[3], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(says_what_the_tables_say),
	    cmocka_unit_test(dname_too_long),
	    cmocka_unit_test(svcb_takes_its_owners_addresses),
	    cmocka_unit_test(header_and_edns),
	    cmocka_unit_test(refuses_bad_queries),
	    cmocka_unit_test(slip_is_an_empty_truncated_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

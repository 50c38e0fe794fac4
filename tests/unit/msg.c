/* msg.c - queries get the verdict they deserve, messages are walked within their bounds. */
#include "dns/msg.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#define HEAD(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define QUESTION                    "\3wWw\1z\0\0\1\0\1"
#define OPT(size, ttl, data)        "\0\0\x29" size ttl data
#define Q(lit)                                                                                     \
	{                                                                                          \
		(const uint8_t *)(lit), sizeof(lit) - 1                                            \
	}
#define PLAIN         HEAD("\1\0", "\1", "\0", "\0", "\0") QUESTION
#define WITH_OPT(opt) HEAD("\0\0", "\1", "\0", "\0", "\1") QUESTION opt
#define NO_TTL        "\0\0\0\0"

static const struct {
	const char *name;
	struct bytes packet;
	enum dns_verdict verdict;
	bool echo, edns; /* there is a question to echo, there was EDNS */
} queries[] = {
    {"plain", Q(PLAIN), DNS_OK, true, false},
    {"too short", Q("\1\2\0\0\0\1\0\0\0\0\0"), DNS_DROP, false, false},
    {"nothing", Q(""), DNS_DROP, false, false},
    {"an answer", Q(HEAD("\x80\0", "\1", "\0", "\0", "\0") QUESTION), DNS_DROP, false, false},
    {"no question", Q(HEAD("\0\0", "\0", "\0", "\0", "\0")), DNS_FORMERR, false, false},
    {"two questions", Q(HEAD("\0\0", "\2", "\0", "\0", "\0") QUESTION QUESTION), DNS_FORMERR, false,
     false},
    {"a header alone", Q(HEAD("\0\0", "\1", "\0", "\0", "\0")), DNS_FORMERR, false, false},
    {"octets left over", Q(PLAIN "x"), DNS_FORMERR, true, false},
    {"a pointer as the name", Q(HEAD("\0\0", "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1"),
     DNS_FORMERR, false, false},
    {"an answer section",
     Q(HEAD("\0\0", "\1", "\1", "\0", "\0") QUESTION "\0\0\1\0\1" NO_TTL "\0\0"), DNS_FORMERR, true,
     false},
    {"an authority section",
     Q(HEAD("\0\0", "\1", "\0", "\1", "\0") QUESTION "\0\0\6\0\1" NO_TTL "\0\0"), DNS_FORMERR, true,
     false},
    {"NOTIFY", Q(HEAD("\x20\0", "\1", "\0", "\0", "\0") QUESTION), DNS_NOTIMP, true, false},
    {"UPDATE", Q(HEAD("\x28\0", "\0", "\0", "\0", "\0")), DNS_NOTIMP, false, false},
    {"class CH", Q(HEAD("\0\0", "\1", "\0", "\0", "\0") "\0\0\x10\0\3"), DNS_REFUSED, true, false},
    {"type OPT", Q(HEAD("\0\0", "\1", "\0", "\0", "\0") "\0\0\x29\0\1"), DNS_FORMERR, true, false},
    {"type 0", Q(HEAD("\0\0", "\1", "\0", "\0", "\0") "\0\0\0\0\1"), DNS_FORMERR, true, false},
    {"type ANY", Q(HEAD("\0\0", "\1", "\0", "\0", "\0") "\0\0\xff\0\1"), DNS_OK, true, false},
    {"EDNS", Q(WITH_OPT(OPT("\4\xd0", NO_TTL, "\0\0"))), DNS_OK, true, true},
    {"EDNS version 1", Q(WITH_OPT(OPT("\4\xd0", "\0\1\0\0", "\0\0"))), DNS_BADVERS, true, true},
    {"EDNS version 1 and odd options", Q(WITH_OPT(OPT("\4\xd0", "\0\1\0\0", "\0\1x"))), DNS_BADVERS,
     true, true},
    {"options cut", Q(WITH_OPT(OPT("\4\xd0", NO_TTL, "\0\5\0\3\0\2x"))), DNS_FORMERR, true, true},
    {"OPT cut", Q(WITH_OPT(OPT("\4\xd0", NO_TTL, "\0\1"))), DNS_FORMERR, true, false},
    {"OPT of a name",
     Q(HEAD("\0\0", "\1", "\0", "\0", "\1") QUESTION "\1a" OPT("\4\xd0", NO_TTL, "\0\0")),
     DNS_FORMERR, true, false},
    {"two OPTs",
     Q(HEAD("\0\0", "\1", "\0", "\0", "\2") QUESTION OPT("\4\xd0", NO_TTL, "\0\0")
           OPT("\4\xd0", NO_TTL, "\0\0")),
     DNS_FORMERR, true, true},
    {"a cookie",
     Q(WITH_OPT(OPT("\4\xd0", NO_TTL,
                    "\0\x0c\0\x0a\0\x08"
                    "abcdefgh"))),
     DNS_OK, true, true},
    {"a short cookie",
     Q(WITH_OPT(OPT("\4\xd0", NO_TTL,
                    "\0\x0b\0\x0a\0\x07"
                    "abcdefg"))),
     DNS_FORMERR, true, true},
};

static void
each_query_gets_its_verdict(void **state)
{
	struct dns_query q;

	(void)state;
	for (size_t i = 0; i < COUNT(queries); i++) {
		enum dns_verdict v = dns_query_read(queries[i].packet, &q);

		if (v != queries[i].verdict)
			fail_msg("%s: verdict %d", queries[i].name, (int)v);
		if ((q.question.n > 0) != queries[i].echo || q.edns.present != queries[i].edns)
			fail_msg("%s: echo %zu, edns %d", queries[i].name, q.question.n,
			         q.edns.present);
		if (v != DNS_DROP)
			assert_int_equal(q.id, 0x1234);
	}
}

static void
a_query_is_read_whole(void **state)
{
	static const struct bytes packet = Q(WITH_OPT(OPT("\x10\0", "\0\0\x80\0",
	                                                  "\0\x1c\0\3\0\0\0\x0a\0\x08"
	                                                  "abcdefgh"
	                                                  "\0\x0a\0\x01x\0\x0c\0\3\0\0\0")));
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_read(packet, &q), DNS_OK);
	assert_true(bytes_eq(q.question, (struct bytes)Q(QUESTION)));
	assert_true(bytes_eq(q.name, (struct bytes)Q("\3wWw\1z\0")));
	assert_int_equal(q.type, DNS_TYPE_A);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_true(q.edns.wants_dnssec);
	assert_true(q.edns.wants_nsid);
	assert_int_equal(q.edns.options.n, 28);
	assert_true(bytes_eq(q.edns.cookie, BYTES("abcdefgh"))); /* the first counts */
}

static void
udp_answers_are_bounded(void **state)
{
	static const struct {
		bool edns;
		uint16_t size;
		size_t limit;
	} cases[] = {{false, 0, 512},  {false, 4096, 512}, {true, 0, 512},     {true, 512, 512},
	             {true, 600, 600}, {true, 1232, 1232}, {true, 65535, 1232}};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dns_query q = {.edns = {.present = cases[i].edns, .size = cases[i].size}};

		assert_int_equal(dns_udp_limit(&q), cases[i].limit);
	}
}

static void
ixfr_brings_its_soa(void **state)
{
	static const struct bytes packet =
	    Q(HEAD("\0\0", "\1", "\0", "\1", "\0") "\1z\0\0\xfb\0\1"
	                                           "\xc0\x0c\0\6\0\1" NO_TTL "\0\3abc");
	struct dns_query q;

	(void)state;
	assert_int_equal(dns_query_read(packet, &q), DNS_OK);
	assert_true(bytes_eq(q.soa, BYTES("abc")));
}

static void
a_message_is_walked_record_by_record(void **state)
{
	static const struct bytes packet =
	    Q(HEAD("\x84\0", "\1", "\2", "\0", "\1") QUESTION
	      "\xc0\x0c\0\5\0\1\0\0\0\7\0\4\1x\xc0\x10"
	      "\xc0\x23\0\1\0\1\0\0\0\7\0\4\1\2\3\4" OPT("\4\xd0", NO_TTL, "\0\0"));
	static const struct {
		enum dns_section section;
		const char *owner;
		uint16_t type;
		const char *data;
	} want[] = {{DNS_QUESTION, "wWw.z.", DNS_TYPE_A, NULL},
	            {DNS_ANSWER, "wWw.z.", DNS_TYPE_CNAME, "x.z."},
	            {DNS_ANSWER, "x.z.", DNS_TYPE_A, "1.2.3.4"},
	            {DNS_ADDITIONAL, ".", DNS_TYPE_OPT, "\\# 0"}};
	struct dns_record rr;
	struct dns_msg m;
	size_t n = 0;

	(void)state;
	assert_true(dns_msg_open(&m, packet));
	for (; dns_msg_next(&m, &rr); n++) {
		uint8_t wire[64], text[128];
		struct wr w = wr_of(wire, sizeof(wire)), t = wr_of(text, sizeof(text));

		assert_int_equal(rr.section, want[n].section);
		assert_int_equal(rr.type, want[n].type);
		dname_to_text(&t, dname_bytes(&rr.owner));
		assert_true(bytes_eq(wr_since(&t, text), bytes_of(want[n].owner)));
		t = wr_of(text, sizeof(text));
		if (!want[n].data)
			continue;
		rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), m.all, &w);
		assert_false(rr.rdata.bad);
		rdata_to_text(rr.type, wr_since(&w, wire), &t);
		assert_true(bytes_eq(wr_since(&t, text), bytes_of(want[n].data)));
	}
	assert_int_equal(n, COUNT(want));
	assert_false(m.r.bad);
	/* Each shorter one is bad, and so is a longer one. */
	for (n = DNS_HEADER; n < packet.n; n++) {
		assert_true(dns_msg_open(&m, (struct bytes){packet.p, n}));
		while (dns_msg_next(&m, &rr))
			;
		assert_true(m.r.bad);
	}
	assert_true(dns_msg_open(&m, (struct bytes){packet.p, packet.n + 1})); /* its NUL */
	while (dns_msg_next(&m, &rr))
		;
	assert_true(m.r.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_query_gets_its_verdict),
	    cmocka_unit_test(a_query_is_read_whole),
	    cmocka_unit_test(udp_answers_are_bounded),
	    cmocka_unit_test(ixfr_brings_its_soa),
	    cmocka_unit_test(a_message_is_walked_record_by_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

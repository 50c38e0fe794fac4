/* The look-up tool: words to questions, replies to text, and what it does not believe. */
#include "dns/writer.h"
#include "tool/lookup_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { WORDS_MAX = 12, ID = 4711 };

/* Words with blanks between them to a question; the complaint, if any, in wrong[]. */
static enum lookup_said
read_words(struct lookup_ask *ask, const char *words, enum lookup_manner manner, char wrong[512])
{
	static char text[512];
	char *argv[WORDS_MAX + 1] = {text};
	int argc = 1;
	FILE *out = fmemopen(wrong, 512, "w");
	enum lookup_said said;

	assert_non_null(out);
	snprintf(text, sizeof(text), "lookup %s", words);
	for (char *p = text; *p; p++)
		if (*p == ' ') {
			*p = 0;
			assert_true(argc < WORDS_MAX);
			argv[argc++] = p + 1;
		}
	if (!*words)
		argc = 1;
	said = lookup_ask_read(ask, argc, argv, manner, out);
	fclose(out);
	return said;
}

static const struct {
	const char *words, *name, *type;
	const char *server;
	uint16_t port;
} asked[] = {
    {"example.org", "example.org.", "A", NULL, 53},
    {"", ".", "NS", NULL, 53},
    {"mx", ".", "MX", NULL, 53},
    {"@192.0.2.1 -p 5300 example.org mx in", "example.org.", "MX", "192.0.2.1", 5300},
    {"IN MX example.org @ns", "example.org.", "MX", "ns", 53},
    {"-p5300 TYPE65280 x.", "x.", "TYPE65280", NULL, 5300},
    {"-t mx -q mx", "mx.", "MX", NULL, 53},
    {"a a", "a.", "A", NULL, 53},
    {"--trace --hints FILE --port 5300 example.org", "example.org.", "A", NULL, 5300},
    {"example.org +trace", "example.org.", "A", NULL, 53},
    {"-x 192.0.2.1", "1.2.0.192.in-addr.arpa.", "PTR", NULL, 53},
    {"-x 192.0.2.1 any", "1.2.0.192.in-addr.arpa.", "ANY", NULL, 53},
    {"-x 2001:db8::567:89ab",
     "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "PTR", NULL, 53},
};

static void
words_to_questions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct lookup_ask ask;
		char wrong[512], name[DNAME_TEXT_MAX + 1], type[32];
		struct wr n = wr_of(name, sizeof(name)), t = wr_of(type, sizeof(type));

		assert_int_equal(read_words(&ask, asked[i].words, LOOKUP_AS_DIG, wrong),
		                 LOOKUP_ASKED);
		dname_to_text(&n, dname_bytes(&ask.name));
		*n.p = 0;
		dns_type_text(&t, ask.type);
		*t.p = 0;
		assert_string_equal(name, asked[i].name);
		assert_string_equal(type, asked[i].type);
		assert_int_equal(ask.port, asked[i].port);
		if (asked[i].server)
			assert_string_equal(ask.server, asked[i].server);
		else
			assert_null(ask.server);
	}
}

static void
options(void **state)
{
	struct lookup_ask ask;
	char wrong[512];

	(void)state;
	read_words(&ask, "x +short +tcp +norec +time=2 +tries=1 -6 +dnssec +noadd", LOOKUP_AS_DIG,
	           wrong);
	assert_true(ask.brief && ask.tcp && ask.edns && ask.dnssec);
	assert_int_equal(ask.flags, 0);
	assert_int_equal(ask.seconds, 2);
	assert_int_equal(ask.tries, 1);
	assert_int_equal(ask.family, 6);
	assert_int_equal(ask.show, LOOKUP_ALL & ~LOOKUP_ADDITIONAL);
	read_words(&ask, "x +noall +answer +noedns +retry=0 +bufsize=512", LOOKUP_AS_DIG, wrong);
	assert_int_equal(ask.show, LOOKUP_ANSWER);
	assert_int_equal(ask.tries, 1);
	assert_int_equal(ask.size, 512);
	assert_true(ask.edns); /* a size is told by EDNS */
}

static const struct {
	const char *words, *why;
	enum lookup_manner manner;
} wrongs[] = {
    {"a. b.", "lookup: one name is asked for at a time; this is a second one: b.\n", 0},
    {"x +nonsense", "lookup: an unknown option: +nonsense\n", 0},
    {"x +a", "lookup: an unknown option: +a\n", 0},
    {"x +time=0", "lookup: not a number that fits here: 0\n", 0},
    {"x +time=1000", "lookup: not a number that fits here: 1000\n", 0},
    {"x -p", "lookup: a value is missing behind: -p\n", 0},
    {"x -p 65536", "lookup: not a number that fits here: 65536\n", 0},
    {"x -z", "lookup: an unknown flag: -z\n", 0},
    {"x --trac", "lookup: an unknown flag: --trac\n", 0},
    {"x --hints", "lookup: a file is missing behind: --hints\n", 0},
    {"x --port", "lookup: not a number that fits here: (nothing)\n", 0},
    {"x -", "lookup: an unknown flag: -\n", 0},
    {"x @", "lookup: a server is missing behind: @\n", 0},
    {"x axfr", "lookup: zone transfers are not asked for here: axfr\n", 0},
    {"-x example.org", "lookup: not an address: example.org\n", 0},
    {"a..b", "lookup: a..b: not a domain name (a name with an empty label)\n", 0},
    {"", "lookup: which name?  See: nslookup --help\n", LOOKUP_AS_NSLOOKUP},
    {"a b c", "lookup: more than a name and a server: c\n", LOOKUP_AS_NSLOOKUP},
    {"-type=nosuch a", "lookup: not a record type: nosuch\n", LOOKUP_AS_NSLOOKUP},
};

static void
wrong_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct lookup_ask ask;
		char wrong[512] = "";

		assert_int_equal(read_words(&ask, wrongs[i].words, wrongs[i].manner, wrong),
		                 LOOKUP_WRONG);
		assert_string_equal(wrong, wrongs[i].why);
	}
}

/* ---- replies ---- */

struct reply_of {
	struct lookup_ask ask;
	struct lookup_server server;
	struct lookup_reply reply;
	struct dns_writer w;
};

static void
record(struct reply_of *r, enum dns_section s, const char *owner, uint16_t type, struct bytes data)
{
	struct dname name;

	assert_null(dname_parse_text(&name, bytes_of(owner), DNAME_ROOT));
	assert_true(dns_writer_record(&r->w, s, dname_bytes(&name), type, 3600, data));
}

/* Begins the reply to what the words ask. */
static struct reply_of *
reply_to(const char *words, enum lookup_manner manner, uint16_t flags, uint16_t rcode)
{
	struct reply_of *r = calloc(1, sizeof(*r));
	uint8_t packet[DNS_UDP_PLAIN];
	struct dns_writer w;
	struct dns_query q;
	char wrong[512];

	assert_non_null(r);
	assert_int_equal(read_words(&r->ask, words, manner, wrong), LOOKUP_ASKED);
	dns_writer_ask(&w, packet, sizeof(packet), ID, r->ask.flags, dname_bytes(&r->ask.name),
	               r->ask.type, r->ask.class, r->ask.edns ? 1232 : 0, false);
	assert_int_equal(dns_query_read(dns_writer_finish(&w), &q), DNS_OK);
	dns_writer_reply(&r->w, &q, r->reply.room, sizeof(r->reply.room));
	r->w.flags |= flags;
	r->w.rcode = rcode;
	r->server =
	    (struct lookup_server){{{[10] = 0xff, 0xff, 127, 0, 0, 1}, 10053, 0}, "localhost"};
	r->reply.server = &r->server;
	r->reply.took_ms = 3;
	r->reply.when_s = 1700000000;
	return r;
}

enum how { DIG, BRIEF, NSLOOKUP };

static const char *
show(struct reply_of *r, enum how how)
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	r->reply.message = dns_writer_finish(&r->w);
	if (how == DIG) {
		assert_true(lookup_show_dig(&r->ask, &r->reply, out));
	} else if (how == BRIEF) {
		assert_true(lookup_show_brief(&r->reply, out));
	} else {
		lookup_show_server(&r->server, out);
		if (lookup_show_nslookup(&r->ask, &r->reply, false, out) != LOOKUP_RECORDS)
			lookup_show_missing(&r->ask, &r->reply, out);
	}
	fclose(out);
	free(r);
	return text;
}

static struct reply_of *
web_reply(const char *words, enum lookup_manner manner, uint16_t flags)
{
	struct reply_of *r = reply_to(words, manner, flags, DNS_RCODE_NOERROR);

	record(r, DNS_ANSWER, "www.ycp.edu.", DNS_TYPE_CNAME, BYTES("\3web\3ycp\3edu\0"));
	record(r, DNS_ANSWER, "web.ycp.edu.", DNS_TYPE_A, BYTES("\300\0\2\1"));
	record(r, DNS_AUTHORITY, "ycp.edu.", DNS_TYPE_NS, BYTES("\2ns\3ycp\3edu\0"));
	return r;
}

static void
in_digs_layout(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	assert_string_equal(show(web_reply("www.ycp.edu", LOOKUP_AS_DIG, DNS_FLAG_AA), DIG),
	                    ";; Got answer:\n"
	                    ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711\n"
	                    ";; flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 1, ADDITIONAL: 1\n"
	                    ";; WARNING: recursion requested but not available\n"
	                    "\n"
	                    ";; OPT PSEUDOSECTION:\n"
	                    "; EDNS: version: 0, flags:; udp: 1232\n"
	                    ";; QUESTION SECTION:\n"
	                    ";www.ycp.edu.\t\t\tIN\tA\n"
	                    "\n"
	                    ";; ANSWER SECTION:\n"
	                    "www.ycp.edu.\t\t3600\tIN\tCNAME\tweb.ycp.edu.\n"
	                    "web.ycp.edu.\t\t3600\tIN\tA\t192.0.2.1\n"
	                    "\n"
	                    ";; AUTHORITY SECTION:\n"
	                    "ycp.edu.\t\t3600\tIN\tNS\tns.ycp.edu.\n"
	                    "\n"
	                    ";; Query time: 3 msec\n"
	                    ";; SERVER: 127.0.0.1#10053(localhost) (UDP)\n"
	                    ";; WHEN: Tue Nov 14 22:13:20 UTC 2023\n"
	                    ";; MSG SIZE  rcvd: 91\n"
	                    "\n");
	assert_string_equal(show(web_reply("www.ycp.edu +noall +answer", 0, 0), DIG),
	                    "www.ycp.edu.\t\t3600\tIN\tCNAME\tweb.ycp.edu.\n"
	                    "web.ycp.edu.\t\t3600\tIN\tA\t192.0.2.1\n");
	assert_string_equal(show(web_reply("www.ycp.edu", 0, 0), BRIEF),
	                    "web.ycp.edu.\n192.0.2.1\n");
}

/* A name whose length passes the columns keeps one blank; foreign octets are escaped. */
static void
odd_data(void **state)
{
	struct reply_of *r = reply_to("+noall +answer txt aaaaaaaaaaaaaaaaaaaa.example", 0, 0, 0);

	(void)state;
	record(r, DNS_ANSWER, "aaaaaaaaaaaaaaaaaaaa.example.", DNS_TYPE_TXT, BYTES("\5\033[2J\n"));
	record(r, DNS_ANSWER, "x.", DNS_TYPE_A, BYTES("\1\2")); /* not of its type's form */
	assert_string_equal(show(r, DIG),
	                    "aaaaaaaaaaaaaaaaaaaa.example. 3600 IN\tTXT\t\"\\027[2J\\010\"\n"
	                    "x.\t\t\t3600\tIN\tA\t\\# 2 0102\n");
}

static void
in_nslookups_layout(void **state)
{
	struct reply_of *r;

	(void)state;
	assert_string_equal(show(web_reply("www.ycp.edu", LOOKUP_AS_NSLOOKUP, 0), NSLOOKUP),
	                    "Server:\t\tlocalhost\nAddress:\t127.0.0.1#10053\n\n"
	                    "Non-authoritative answer:\n"
	                    "www.ycp.edu\tcanonical name = web.ycp.edu.\n"
	                    "Name:\tweb.ycp.edu\nAddress: 192.0.2.1\n");
	assert_null(
	    strstr(show(web_reply("www.ycp.edu", LOOKUP_AS_NSLOOKUP, DNS_FLAG_AA), NSLOOKUP),
	           "Non-authoritative"));
	r = reply_to("nosuch.ycp.edu", LOOKUP_AS_NSLOOKUP, 0, DNS_RCODE_NXDOMAIN);
	assert_non_null(
	    strstr(show(r, NSLOOKUP), "** server can't find nosuch.ycp.edu: NXDOMAIN\n"));
	r = reply_to("empty.ycp.edu", LOOKUP_AS_NSLOOKUP, 0, DNS_RCODE_NOERROR);
	assert_non_null(strstr(show(r, NSLOOKUP), "*** Can't find empty.ycp.edu: No answer\n"));
	r = reply_to("-type=soa z", LOOKUP_AS_NSLOOKUP, DNS_FLAG_AA, DNS_RCODE_NOERROR);
	record(r, DNS_ANSWER, "z.", DNS_TYPE_SOA,
	       BYTES("\2ns\0\1a\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"));
	assert_non_null(strstr(show(r, NSLOOKUP),
	                       "z\n\torigin = ns\n\tmail addr = a\n\tserial = 1\n\trefresh = 2\n"
	                       "\tretry = 3\n\texpire = 4\n\tminimum = 5\n"));
}

/* ---- what is believed ---- */

static struct bytes
good_reply(struct reply_of **out)
{
	*out = web_reply("www.ycp.edu", LOOKUP_AS_DIG, 0);
	return dns_writer_finish(&(*out)->w);
}

static void
only_its_answer_is_believed(void **state)
{
	static const struct {
		size_t at;
		uint8_t bits;
	} spoilt[] = {
	    {1, 1},    /* another id */
	    {2, 0x80}, /* a query */
	    {2, 0x08}, /* another opcode */
	    {5, 3},    /* two questions, which are not there */
	    {5, 1},    /* none */
	    {13, 1},   /* another name */
	    {26, 1},   /* another type */
	    {28, 2},   /* another class */
	    {7, 1},    /* records that are not there, or more than are counted */
	};
	struct reply_of *r;
	struct bytes packet = good_reply(&r);

	(void)state;
	assert_true(lookup_net_fits(&r->ask, ID, packet));
	r->reply.room[14] ^= 0x20; /* the case of letters has no meaning */
	assert_true(lookup_net_fits(&r->ask, ID, packet));
	for (size_t i = 0; i < COUNT(spoilt); i++) {
		r->reply.room[spoilt[i].at] ^= spoilt[i].bits;
		assert_false(lookup_net_fits(&r->ask, ID, packet));
		r->reply.room[spoilt[i].at] ^= spoilt[i].bits;
	}
	for (size_t n = 0; n < packet.n; n++)
		assert_false(lookup_net_fits(&r->ask, ID, (struct bytes){packet.p, n}));
	free(r);
}

/* Every bit of a reply turned: it is refused, or shown without harm. */
static void
turned_bits(void **state)
{
	struct reply_of *r;
	struct bytes packet = good_reply(&r);

	(void)state;
	for (size_t bit = 0; bit < packet.n * 8; bit++) {
		FILE *out = fopen("/dev/null", "w");

		r->reply.room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (lookup_net_fits(&r->ask, ID, packet)) {
			r->reply.message = packet;
			assert_true(lookup_show_dig(&r->ask, &r->reply, out));
			lookup_show_nslookup(&r->ask, &r->reply, false, out);
		}
		r->reply.room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		fclose(out);
	}
	free(r);
}

static const struct {
	const char *text, *servers;
	const char *words;
} resolvs[] = {
    {"nameserver 192.0.2.1\n# nameserver 192.0.2.9\nnameserver\t2001:db8::1\n",
     "192.0.2.1 2001:db8::1 ", "x"},
    {"nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "2001:db8::1 ", "-6 x"},
    {"search example.org\noptions ndots:1\n", "127.0.0.1 ", "x"},
    {"", "127.0.0.1 ", "x"},
    {"  nameserver   192.0.2.1   # home", "192.0.2.1 ", "x"},
    {"nameserver\nnameserver rubbish\nnameserver 192.0.2.1", "192.0.2.1 ", "x"},
};

static void
servers_of_the_system(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(resolvs); i++) {
		struct lookup_servers all = {.n = 0};
		struct lookup_ask ask;
		char wrong[512], text[256] = "";

		read_words(&ask, resolvs[i].words, LOOKUP_AS_DIG, wrong);
		lookup_net_resolv(bytes_of(resolvs[i].text), &ask, &all);
		for (size_t k = 0; k < all.n; k++) {
			struct wr w = wr_of(text + strlen(text), 100);

			addr_ip_text(&w, all.list[k].addr.ip);
			wr_text(&w, " ");
			*w.p = 0;
			assert_int_equal(all.list[k].addr.port, 53);
		}
		assert_string_equal(text, resolvs[i].servers);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_to_questions),
	    cmocka_unit_test(options),
	    cmocka_unit_test(wrong_words),
	    cmocka_unit_test(in_digs_layout),
	    cmocka_unit_test(odd_data),
	    cmocka_unit_test(in_nslookups_layout),
	    cmocka_unit_test(only_its_answer_is_believed),
	    cmocka_unit_test(turned_bits),
	    cmocka_unit_test(servers_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

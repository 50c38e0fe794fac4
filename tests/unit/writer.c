/* writer.c - what is written reads back the same, stays within its size, and compresses boundedly. */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static uint8_t room[DNS_TCP_MAX];

static struct dname
name(const char *text)
{
	struct dname d;

	assert_null(dname_parse_text(&d, bytes_of(text), DNAME_ROOT));
	return d;
}

/* A query of this packet, to be answered. */
static struct dns_query
query(uint8_t packet[DNS_UDP_PLAIN], const char *qname, uint16_t edns_size)
{
	struct dname d = name(qname);
	struct dns_writer w;
	struct dns_query q;

	dns_writer_ask(&w, packet, DNS_UDP_PLAIN, 0x4711, DNS_FLAG_RD, dname_bytes(&d), DNS_TYPE_A,
	               DNS_CLASS_IN, edns_size, edns_size > 0);
	assert_int_equal(dns_query_read(dns_writer_finish(&w), &q), DNS_OK);
	return q;
}

static bool
add(struct dns_writer *w, enum dns_section section, const char *owner, uint16_t type,
    const char *text)
{
	struct lex l = lex_of_words(bytes_of(text));
	struct dname d = name(owner);
	uint8_t wire[512];
	struct wr out = wr_of(wire, sizeof(wire));

	assert_true(rdata_from_text(type, &l, DNAME_ROOT, &out));
	return dns_writer_record(w, section, dname_bytes(&d), type, 60, wr_since(&out, wire));
}

/* "section owner type data;" of every record behind the question. */
static struct bytes
shown(struct bytes packet, uint8_t *text, size_t n)
{
	uint8_t wire[1024];
	struct wr t = wr_of(text, n);
	struct dns_record rr;
	struct dns_msg m;

	assert_true(dns_msg_open(&m, packet));
	while (dns_msg_next(&m, &rr)) {
		struct wr w = wr_of(wire, sizeof(wire));

		if (rr.section == DNS_QUESTION || rr.type == DNS_TYPE_OPT)
			continue;
		rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), m.all, &w);
		assert_false(rr.rdata.bad || w.full);
		wr_printf(&t, "%u ", rr.section);
		dname_to_text(&t, dname_bytes(&rr.owner));
		wr_u8(&t, ' ');
		dns_type_text(&t, rr.type);
		wr_u8(&t, ' ');
		rdata_to_text(rr.type, wr_since(&w, wire), &t);
		wr_u8(&t, ';');
	}
	assert_false(m.r.bad);
	return wr_since(&t, text);
}

static void
an_answer_reads_back(void **state)
{
	static const char want[] = "1 wWw.Example.org. CNAME a.b.example.org.;"
				   "1 a.b.example.org. A 192.0.2.1;"
				   "1 a.b.example.org. MX 5 mx.b.example.org.;"
				   "1 a.b.example.org. SRV 0 0 25 mx.b.example.org.;"
				   "2 example.org. NS ns.EXAMPLE.org.;"
				   "2 . NS ns.;"
				   "3 ns.EXAMPLE.org. AAAA 2001:db8::1;";
	uint8_t packet[DNS_UDP_PLAIN], text[1024];
	struct dns_query q = query(packet, "wWw.Example.org.", 1400), again;
	struct dns_writer w;
	struct bytes answer;

	(void)state;
	dns_writer_reply(&w, &q, room, DNS_UDP_MAX);
	w.flags |= DNS_FLAG_AA;
	assert_true(add(&w, DNS_ANSWER, "www.example.org.", DNS_TYPE_CNAME, "a.b.example.org."));
	assert_true(add(&w, DNS_ANSWER, "a.b.example.org.", DNS_TYPE_A, "192.0.2.1"));
	assert_true(add(&w, DNS_ANSWER, "a.b.example.org.", DNS_TYPE_MX, "5 mx.b.example.org."));
	assert_true(
	    add(&w, DNS_ANSWER, "a.b.example.org.", DNS_TYPE_SRV, "0 0 25 mx.b.example.org."));
	assert_true(add(&w, DNS_AUTHORITY, "example.org.", DNS_TYPE_NS, "ns.EXAMPLE.org."));
	assert_true(add(&w, DNS_AUTHORITY, ".", DNS_TYPE_NS, "ns."));
	assert_true(add(&w, DNS_ADDITIONAL, "ns.EXAMPLE.org.", DNS_TYPE_AAAA, "2001:db8::1"));
	assert_true(dns_writer_option(&w, DNS_OPTION_NSID, BYTES("me")));
	answer = dns_writer_finish(&w);
	assert_true(bytes_eq(shown(answer, text, sizeof(text)), bytes_of(want)));
	/* The question is echoed with its case; header and OPT are as they should be. */
	assert_memory_equal(answer.p + DNS_HEADER, q.question.p, q.question.n);
	assert_int_equal(answer.p[2], 0x85);
	assert_int_equal(answer.p[3], 0);
	room[2] &= 0x7f; /* as a query, to look at OPT */
	assert_int_equal(dns_query_read(answer, &again), DNS_FORMERR);
	assert_memory_equal(answer.p + answer.n - 17, "\0\0\x29\4\xd0\0\0\x80\0\0\6\0\3\0\2me", 17);
}

/* Compression saves what it should: an owner is a pointer, a target shares its suffix. */
static void
names_are_compressed(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN];
	struct dns_query q = query(packet, "example.org.", 0);
	struct dns_writer w;
	size_t before;

	(void)state;
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	before = (size_t)(w.w.p - room);
	assert_true(add(&w, DNS_ANSWER, "EXAMPLE.org.", DNS_TYPE_MX, "1 a.example.org."));
	assert_int_equal((size_t)(w.w.p - room) - before, 2 + 10 + 2 + 4);
	before = (size_t)(w.w.p - room);
	assert_true(add(&w, DNS_ANSWER, "example.org.", DNS_TYPE_MX, "1 a.example.org."));
	assert_int_equal((size_t)(w.w.p - room) - before, 2 + 10 + 2 + 2);
	before = (size_t)(w.w.p - room);
	assert_true(add(&w, DNS_ANSWER, "example.org.", DNS_TYPE_DNAME, "a.example.org."));
	assert_int_equal((size_t)(w.w.p - room) - before, 2 + 10 + 15);
	before = (size_t)(w.w.p - room);
	assert_true(add(&w, DNS_ANSWER, "example.org.", DNS_TYPE_MX, "1 A.EXAMPLE.org."));
	assert_int_equal((size_t)(w.w.p - room) - before, 2 + 10 + 2 + 10 + 2);
	dns_writer_finish(&w);
}

static void
a_set_that_does_not_fit_is_not_there(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN], text[4096];
	struct dns_query q = query(packet, "a.z.", 512);
	struct dname big = name("big.z.");
	struct bytes sixty[60], answer;
	struct dns_writer w;
	uint8_t *end;

	(void)state;
	for (size_t i = 0; i < COUNT(sixty); i++)
		sixty[i] = BYTES("\1\2\3\4");
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	assert_true(add(&w, DNS_ANSWER, "a.z.", DNS_TYPE_NS, "b.z."));
	end = w.w.p;
	assert_false(dns_writer_rrset(&w, DNS_ANSWER, dname_bytes(&big), DNS_TYPE_A, 1, sixty, 60));
	assert_ptr_equal(w.w.p, end);
	w.flags |= DNS_FLAG_TC;
	assert_true(dns_writer_rrset(&w, DNS_ANSWER, dname_bytes(&big), DNS_TYPE_A, 1, sixty, 2));
	/* The first owner names it, the second points to the first. */
	assert_int_equal(w.w.p - end, 4 + 2 + 14 + 2 + 14);
	while (add(&w, DNS_ADDITIONAL, "x.z.", DNS_TYPE_A, "1.2.3.4"))
		;
	answer = dns_writer_finish(&w);
	assert_in_range(answer.n, DNS_UDP_PLAIN - 16, DNS_UDP_PLAIN);
	assert_true(answer.p[2] & 2);
	assert_memory_equal(shown(answer, text, sizeof(text)).p,
	                    "1 a.z. NS b.z.;1 big.z. A 1.2.3.4;1 big.z. A 1.2.3.4;3 x.z. A", 61);
}

static void
undo_takes_back_names_and_counts(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN], text[256];
	struct dns_query q = query(packet, "a.z.", 0);
	struct dns_writer w;
	struct dns_mark mark;

	(void)state;
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	mark = dns_writer_mark(&w);
	assert_true(add(&w, DNS_AUTHORITY, "x.y.", DNS_TYPE_NS, "u.v."));
	dns_writer_undo(&w, &mark);
	assert_true(add(&w, DNS_ANSWER, "u.v.", DNS_TYPE_NS, "x.y."));
	assert_true(
	    bytes_eq(shown(dns_writer_finish(&w), text, sizeof(text)), BYTES("1 u.v. NS x.y.;")));
}

static void
verdicts_become_answers(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN];
	struct dns_query q = query(packet, "a.z.", 512);
	struct bytes b;

	(void)state;
	assert_int_equal(dns_writer_refuse(&q, DNS_DROP, room, DNS_UDP_PLAIN).n, 0);
	b = dns_writer_refuse(&q, DNS_BADVERS, room, DNS_UDP_PLAIN);
	assert_int_equal(b.p[3] & 15, 0);
	assert_int_equal(b.p[b.n - 6], 1); /* the upper bits of 16 */
	q.question = NO_BYTES;
	q.edns.present = false;
	b = dns_writer_refuse(&q, DNS_FORMERR, room, DNS_UDP_PLAIN);
	assert_true(bytes_eq(b, BYTES("\x47\x11\x81\1\0\0\0\0\0\0\0\0")));
}

static void
options_have_room_or_are_left_out(void **state)
{
	uint8_t packet[DNS_UDP_PLAIN], much[DNS_OPTIONS_MAX] = {0};
	struct dns_query q = query(packet, "a.z.", 512);
	struct dns_writer w;

	(void)state;
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	assert_false(dns_writer_option(&w, 1, (struct bytes){much, DNS_OPTIONS_MAX - 3}));
	assert_true(dns_writer_option(&w, 1, (struct bytes){much, DNS_OPTIONS_MAX - 4}));
	assert_false(dns_writer_option(&w, 1, NO_BYTES));
	while (add(&w, DNS_ANSWER, "a.z.", DNS_TYPE_A, "1.2.3.4"))
		;
	assert_in_range(dns_writer_finish(&w).n, DNS_UDP_PLAIN - 16, DNS_UDP_PLAIN);
	q.edns.present = false;
	dns_writer_reply(&w, &q, room, DNS_UDP_PLAIN);
	assert_false(dns_writer_option(&w, 1, NO_BYTES));
	dns_writer_finish(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_answer_reads_back),
	    cmocka_unit_test(names_are_compressed),
	    cmocka_unit_test(a_set_that_does_not_fit_is_not_there),
	    cmocka_unit_test(undo_takes_back_names_and_counts),
	    cmocka_unit_test(verdicts_become_answers),
	    cmocka_unit_test(options_have_room_or_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

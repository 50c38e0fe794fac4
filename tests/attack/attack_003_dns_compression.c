/*
 * Attack 3: pointer loops, forward pointers, the longest names, and answers that force compression:
 * at most 256 hops in a name, at most 120 names compressed in a message.
 */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static uint8_t packet[DNS_TCP_MAX], room[DNS_TCP_MAX];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A header that counts n records of the answer. */
static struct wr
message(unsigned n)
{
	struct wr w = wr_of(packet, sizeof(packet));

	wr_u32(&w, 0);
	wr_u16(&w, 0);
	wr_u16(&w, (uint16_t)n);
	wr_u32(&w, 0);
	return w;
}

/* Are all n octets a message?  Also as a query that must not be taken. */
static bool
is_message(size_t n)
{
	struct dns_record rr;
	struct dns_query q;
	struct dns_msg m;

	assert_true(dns_msg_open(&m, (struct bytes){packet, n}));
	while (dns_msg_next(&m, &rr)) {
		struct wr out = wr_of(room, sizeof(room));

		assert_true(dname_ok(dname_bytes(&rr.owner)));
		rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), m.all, &out);
	}
	assert_int_not_equal(dns_query_read((struct bytes){packet, n}, &q), DNS_OK);
	return !m.r.bad;
}

static void
rest_of_record(struct wr *w)
{
	wr_u32(w, DNS_TYPE_A << 16 | DNS_CLASS_IN);
	wr_u32(w, 0);
	wr_bytes16(w, BYTES("\1\2\3\4"));
}

static void
attack_003_loops_and_forward_pointers(void **state)
{
	static const struct {
		const char *owner;
		size_t n;
	} owners[] = {
	    {"\xc0\x0c", 2},         /* to itself */
	    {"\1a\xc0\x0c", 4},      /* to its own start */
	    {"\xc0\x0e\xc0\x0c", 4}, /* to each other */
	    {"\xc0\x0e", 2},         /* forward */
	    {"\xff\xff", 2},         /* far beyond */
	    {"\xc0\x00", 2},         /* into the header */
	    {"\x80\x00", 2},         /* a label of a kind that there is not */
	    {"\x41\x00", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(owners); i++) {
		struct wr w = message(1);

		wr_bytes(&w, (struct bytes){(const uint8_t *)owners[i].owner, owners[i].n});
		rest_of_record(&w);
		assert_false(is_message((size_t)(w.p - packet)));
	}
}

static void
attack_003_hops_are_counted(void **state)
{
	(void)state;
	for (unsigned hops = DNAME_HOPS_MAX - 1; hops <= DNAME_HOPS_MAX + 1; hops++) {
		struct wr w = message(2);

		/* In the first one's data a root label and pointers, each to the one before. */
		wr_u8(&w, 0);
		wr_u32(&w, 65280u << 16 | DNS_CLASS_IN);
		wr_u32(&w, 0);
		wr_u16(&w, (uint16_t)(1 + 2 * (hops - 1)));
		wr_u8(&w, 0);
		for (unsigned i = 0; i < hops - 1; i++)
			wr_u16(&w, (uint16_t)(0xc000 | (i ? w.p - packet - 2 : w.p - packet - 1)));
		wr_u16(&w, (uint16_t)(0xc000 | (w.p - packet - 2)));
		rest_of_record(&w);
		assert_int_equal(is_message((size_t)(w.p - packet)), hops <= DNAME_HOPS_MAX);
	}
}

static void
attack_003_names_of_127_labels(void **state)
{
	(void)state;
	for (unsigned labels = 127; labels <= 128; labels++) {
		struct wr w = message(3);

		for (unsigned i = 0; i < labels; i++)
			wr_u16(&w, 0x0161);
		wr_u8(&w, 0);
		rest_of_record(&w);
		/* The same by a pointer, and by a pointer behind one label more than it has. */
		wr_u16(&w, 0xc00c);
		rest_of_record(&w);
		wr_u32(&w, 0x0161c00e);
		rest_of_record(&w);
		assert_int_equal(is_message((size_t)(w.p - packet)), labels == 127);
		if (labels == 127) {
			w.p -= 18;
			wr_u32(&w, 0x0161c00c);
			rest_of_record(&w);
			assert_false(is_message((size_t)(w.p - packet)));
		}
	}
}

/* The most work that a message can be: full of records whose owners all take all the hops. */
static void
attack_003_a_full_message_of_hops_is_read_in_time(void **state)
{
	struct wr w = message(5400);
	unsigned n = 0;
	double t = now();

	(void)state;
	wr_u8(&w, 0);
	wr_u32(&w, 65280u << 16 | DNS_CLASS_IN);
	wr_u32(&w, 0);
	wr_u16(&w, 1 + 2 * 255);
	wr_u8(&w, 0);
	for (unsigned i = 0; i < 255; i++)
		wr_u16(&w, (uint16_t)(0xc000 | (i ? w.p - packet - 2 : w.p - packet - 1)));
	for (n = 1; wr_room(&w) > 12; n++) {
		wr_u16(&w, (uint16_t)(0xc000 | (12 + 11 + 1 + 2 * 254)));
		wr_u32(&w, 65280u << 16 | DNS_CLASS_IN);
		wr_u32(&w, 0);
		wr_u16(&w, 0);
	}
	packet[6] = (uint8_t)(n >> 8);
	packet[7] = (uint8_t)n;
	assert_true(is_message((size_t)(w.p - packet)));
	assert_true(now() - t < 1.0);
}

/* Names of many labels, all of them different, that share suffixes with all that came before. */
static void
attack_003_compressions_are_bounded(void **state)
{
	struct dns_writer d;
	struct dns_query q;
	struct dns_record rr;
	struct dns_msg m;
	struct dname origin;
	struct bytes answer;
	unsigned written = 0, read = 0;
	double t = now();

	(void)state;
	assert_int_equal(dns_query_read(BYTES("\1\2\1\0\0\1\0\0\0\0\0\0\1z\0\0\xf\0\1"), &q),
	                 DNS_OK);
	assert_null(dname_parse_text(&origin, BYTES("z."), DNAME_ROOT));
	dns_writer_reply(&d, &q, room, sizeof(room));
	for (;; written++) {
		uint8_t rdata[2 + DNAME_MAX] = {0, 1};
		struct wr w = wr_of(rdata + 2, DNAME_MAX);

		for (unsigned i = 0; i < 60; i++) {
			wr_u16(&w, 0x0300 | (uint16_t)(written & 255));
			wr_u16(&w, (uint16_t)((written >> 8) + i));
		}
		wr_bytes(&w, dname_bytes(&origin));
		if (!dns_writer_record(&d, DNS_ANSWER, dname_bytes(&origin), DNS_TYPE_MX, 1,
		                       wr_since(&w, rdata)))
			break;
		assert_true(d.n_compressed <= DNS_COMPRESS_MAX && d.n_known <= DNS_COMPRESS_MAX);
	}
	answer = dns_writer_finish(&d);
	assert_true(written > 200);
	assert_true(now() - t < 1.0);
	assert_true(dns_msg_open(&m, answer));
	while (dns_msg_next(&m, &rr)) {
		struct wr out = wr_of(packet, sizeof(packet));

		if (rr.section == DNS_QUESTION)
			continue;
		rdata_expand(rr.type, &rr.rdata, rd_left(&rr.rdata), m.all, &out);
		assert_false(rr.rdata.bad);
		read++;
	}
	assert_false(m.r.bad);
	assert_int_equal(read, written);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_003_loops_and_forward_pointers),
	    cmocka_unit_test(attack_003_hops_are_counted),
	    cmocka_unit_test(attack_003_names_of_127_labels),
	    cmocka_unit_test(attack_003_a_full_message_of_hops_is_read_in_time),
	    cmocka_unit_test(attack_003_compressions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

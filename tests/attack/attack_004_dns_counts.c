/* Attack 4: every QDCOUNT but 1 is FORMERR (RFC 9619), every class but IN is refused, no opcode but
 * QUERY is carried out; whatever comes, an answer can be made. */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static uint8_t packet[] = "\1\2\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1";

static enum dns_verdict
judge(void)
{
	uint8_t room[DNS_UDP_PLAIN];
	struct dns_query q;
	enum dns_verdict verdict = dns_query_read((struct bytes){packet, sizeof(packet) - 1}, &q);

	assert_true(dns_writer_refuse(&q, verdict, room, sizeof(room)).n < sizeof(packet));
	return verdict;
}

static void
set(size_t at, unsigned v)
{
	packet[at] = (uint8_t)(v >> 8);
	packet[at + 1] = (uint8_t)v;
}

static void
attack_004_one_question_and_no_records(void **state)
{
	(void)state;
	for (size_t at = 4; at < DNS_HEADER; at += 2) {
		unsigned right = at == 4;

		for (unsigned n = 0; n <= UINT16_MAX; n++) {
			set(at, n);
			assert_int_equal(judge(), n == right ? DNS_OK : DNS_FORMERR);
		}
		set(at, right);
	}
}

static void
attack_004_classes_and_opcodes(void **state)
{
	(void)state;
	for (unsigned opcode = 0; opcode < 16; opcode++) {
		set(2, opcode << 11);
		for (unsigned class = 0; class <= UINT16_MAX; class ++) {
			set(sizeof(packet) - 3, class);
			assert_int_equal(judge(), opcode                  ? DNS_NOTIMP
			                          : class == DNS_CLASS_IN ? DNS_OK
			                                                  : DNS_REFUSED);
		}
	}
	set(2, 0);
	set(sizeof(packet) - 3, DNS_CLASS_IN);
}

static void
attack_004_types(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		bool never = type == 0 || type == DNS_TYPE_OPT || (type >= 128 && type <= 250);

		set(sizeof(packet) - 5, type);
		/* IXFR without its SOA is none (RFC 1995 3). */
		assert_int_equal(judge(), never || type == DNS_TYPE_IXFR ? DNS_FORMERR : DNS_OK);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_004_one_question_and_no_records),
	    cmocka_unit_test(attack_004_classes_and_opcodes),
	    cmocka_unit_test(attack_004_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

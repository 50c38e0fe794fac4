/* Attack 2: what is itself an answer gets none, so two servers never talk to each other for ever. */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* All flags there are: an answer is dropped, and what we say to the others is dropped when it
 * comes back. */
static void
attack_002_answers_are_dropped(void **state)
{
	uint8_t packet[] = "\1\2\0\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1", room[DNS_UDP_PLAIN];
	struct dns_query q;

	(void)state;
	for (unsigned flags = 0; flags <= UINT16_MAX; flags++) {
		struct bytes answer;
		enum dns_verdict verdict;

		packet[2] = (uint8_t)(flags >> 8);
		packet[3] = (uint8_t)flags;
		verdict = dns_query_read((struct bytes){packet, sizeof(packet) - 1}, &q);
		assert_int_equal(verdict == DNS_DROP, (flags & DNS_FLAG_QR) != 0);
		answer = dns_writer_refuse(&q, verdict, room, sizeof(room));
		assert_int_equal(answer.n == 0, verdict == DNS_DROP);
		assert_int_equal(dns_query_read(answer, &q), DNS_DROP);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_002_answers_are_dropped)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Attack 7: whatever size a client says it takes, an answer over UDP ends at 1232 octets, and a set
 * that does not fit is not there at all. */
#include "dns/writer.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
attack_007_no_answer_is_longer_than_its_limit(void **state)
{
	uint8_t packet[] = "\1\2\0\0\0\1\0\0\0\0\0\1\1a\0\0\1\0\1\0\0\x29\0\0\0\0\0\0\0\0";
	uint8_t room[DNS_UDP_MAX];
	struct dns_query q;

	(void)state;
	for (unsigned size = 0; size <= UINT16_MAX; size += size < 1300 ? 1 : 97) {
		struct dns_writer d;
		size_t limit, n;

		packet[22] = (uint8_t)(size >> 8);
		packet[23] = (uint8_t)size;
		assert_int_equal(dns_query_read((struct bytes){packet, sizeof(packet) - 1}, &q),
		                 DNS_OK);
		limit = dns_udp_limit(&q);
		assert_true(limit <= DNS_UDP_MAX && limit >= DNS_UDP_PLAIN);
		assert_true(limit <= size || limit == DNS_UDP_PLAIN);
		dns_writer_reply(&d, &q, room, limit);
		while (dns_writer_record(&d, DNS_ANSWER, q.name, DNS_TYPE_A, 1, BYTES("\1\2\3\4")))
			;
		n = dns_writer_finish(&d).n;
		assert_true(n <= limit && n > limit - 16);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_007_no_answer_is_longer_than_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

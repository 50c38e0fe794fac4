/*
 * Attack 2: whoever would answer our answer gets none: answers themselves, sources that are echo,
 * chargen or a name server, and our own address.
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../names_ask.h"

#include <cmocka.h>

static void
attack_002_forged_sources(void **state)
{
	static const uint16_t ports[] = {7, 19, 53};
	struct rig r = rig_open(0);

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	for (size_t i = 0; i < COUNT(ports); i++) {
		struct addr from = rig_addr(2, 1, ports[i]);
		int fd;

		assert_true(is_ok(loop_listen(r.loop, &from, LOOP_DATAGRAM, false, &fd)));
		rig_send(&r, fd, rig_packet(&r, "ns.z.", "A", 1));
		assert_int_equal(rig_receive(&r, fd, NULL).n, 0);
		assert_int_equal(rig_count(&r, "forged"), i + 1);
		loop_close_fd(r.loop, fd);
	}
	rig_close(&r);
}

static void
attack_002_answers_to_answers(void **state)
{
	struct rig r = rig_open(0);
	struct bytes packet;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	packet = rig_packet(&r, "ns.z.", "A", 1);
	r.packet[2] |= 0x80;
	rig_send(&r, r.udp, packet);
	assert_int_equal(rig_receive(&r, r.udp, NULL).n, 0);
	assert_int_equal(rig_count(&r, "dropped"), 1);
	rig_close(&r);
}

/* Two steads that hear each other: the first word is the last. */
static void
attack_002_two_steads(void **state)
{
	struct rig r = rig_open(0);
	struct addr other = rig_addr(3, 1, 5300);
	struct names *second;
	struct bytes packet;
	int fd;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	assert_true(is_ok(names_open(&second, 0, r.loop, r.random)));
	assert_true(is_ok(loop_listen(r.loop, &other, LOOP_DATAGRAM, false, &fd)));
	/* a query that seems to come from the second one, before that one listens as a server */
	packet = rig_packet(&r, "ns.z.", "A", 1);
	rig_send(&r, fd, packet);
	assert_true(is_ok(names_udp(second, fd)));
	sim_run(r.loop, 10000);
	assert_int_equal(rig_count(&r, "udp"), 1);
	assert_int_equal(rig_count(&r, "answered"), 1);
	names_close(second);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_002_forged_sources),
	    cmocka_unit_test(attack_002_answers_to_answers),
	    cmocka_unit_test(attack_002_two_steads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attacks 34 and 27: a stranger gets REFUSED and costs no question; the same question from many at once
 * is one question at the servers.
 */
#include "../resolve_tcp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HINTS ". 3600 NS ns.root.\nns.root. 3600 A 10.0.0.1\n"
#define SOA   "$TTL 300\n@ SOA ns a 1 2 3 4 60\n"

static const struct rig_zone zones[] = {
    {"10.0.0.1", ".", SOA "@ NS ns.root.\nns.root. A 10.0.0.1\ncom NS ns.com\nns.com A 10.0.0.2\n"},
    {"10.0.0.2", "com.", SOA "@ NS ns\nns A 10.0.0.2\nwww A 192.0.2.1\n"},
};

static struct rig
open_rig(void)
{
	struct loop *loop;
	struct err e = loop_sim_open(&loop, 1);

	assert_true(is_ok(e));
	return rig_open(zones, COUNT(zones), HINTS, 1, NULL, loop);
}

static void
close_rig(struct rig *r)
{
	rig_close(r);
	assert_int_equal(sim_open_fds(r->loop), 0);
	loop_close(r->loop);
}

static void
attack_034_stranger(void **state)
{
	struct rig r = open_rig();
	struct addr stranger = rig_addr("10.10.0.1", 0);
	int udp = rig_listen(&r, &stranger, LOOP_DATAGRAM), tcp = rig_connect(&r, &stranger);

	(void)state;
	rig_send(&r, udp, rig_packet(&r, "www.com.", "A", 1, KIT_RD));
	assert_string_equal(rig_show(rig_receive(&r, udp, 5000)), "REFUSED\n");
	rig_write(&r, tcp, rig_packet(&r, "www.com.", "A", 1, KIT_RD));
	assert_string_equal(rig_show(rig_frame(&r, tcp)), "REFUSED\n");
	assert_int_equal(rig_count(&r, "asked"), 0);
	/* nor is he told what is in the cache; nor is anybody, who does not ask to have it found */
	assert_non_null(strstr(rig_ask(&r, "www.com.", "A"), "192.0.2.1"));
	rig_send(&r, udp, rig_packet(&r, "www.com.", "A", 1, KIT_RD));
	assert_string_equal(rig_show(rig_receive(&r, udp, 5000)), "REFUSED\n");
	rig_send(&r, r.udp, rig_packet(&r, "www.com.", "A", 1, 0));
	assert_string_equal(rig_show(rig_receive(&r, r.udp, 5000)), "REFUSED\n");
	loop_close_fd(r.loop, udp);
	loop_close_fd(r.loop, tcp);
	close_rig(&r);
}

static void
attack_027_one_in_flight(void **state)
{
	struct rig r = open_rig();
	unsigned answers = 0;

	(void)state;
	for (unsigned i = 0; i < 900; i++)
		rig_send(&r, r.udp, rig_packet(&r, "www.com.", "A", (uint16_t)i, KIT_RD));
	while (rig_receive(&r, r.udp, 5000).n)
		answers++;
	assert_int_equal(answers, 900);
	assert_true(rig_count(&r, "asked") <= 3);
	/* other names of the same zones: what they have in common is asked once */
	for (unsigned i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "www.n%u.net.", i);
		rig_send(&r, r.udp, rig_packet(&r, name, "A", (uint16_t)i, KIT_RD));
	}
	for (answers = 0; rig_receive(&r, r.udp, 5000).n;)
		answers++;
	assert_int_equal(answers, 100);
	assert_true(rig_count(&r, "shared") > 900);
	close_rig(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_034_stranger),
	    cmocka_unit_test(attack_027_one_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

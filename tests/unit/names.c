/* The driver of authoritative DNS over the virtual net: UDP, TCP, images that replace each other. */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../names_stream.h"

#include <cmocka.h>

static void
without_an_image(void **state)
{
	struct rig r = rig_open(0);
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	bool ended;
	int fd;

	(void)state;
	assert_string_equal(rig_show(rig_ask(&r, "six.z.", "A")), "SERVFAIL\n");
	rig_send(&r, r.udp, (struct bytes){r.packet, 20}); /* half a question */
	assert_string_equal(rig_show(rig_receive(&r, r.udp, NULL)), "FORMERR\n");
	assert_int_equal(rig_count(&r, "failed"), 1);
	assert_int_equal(rig_count(&r, "faulty"), 1);
	fd = rig_connect(&r, r.me);
	rig_frame(&r, &w, "six.z.", "A", 9);
	assert_true(rig_write(&r, fd, wr_since(&w, frame), 1000));
	assert_true(rig_read(&r, fd, r.room, sizeof(r.room), 500, &ended) > 14);
	assert_int_equal(r.room[5] & 15, DNS_RCODE_SERVFAIL);
	loop_close_fd(r.loop, fd);
	rig_close(&r);
}

static void
from_the_address_that_was_asked(void **state)
{
	struct rig r = rig_open(0);
	struct addr from;
	struct bytes answer;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	rig_send(&r, r.udp, rig_packet(&r, "ns.z.", "A", 4711));
	answer = rig_receive(&r, r.udp, &from);
	assert_string_equal(rig_show(answer), "NOERROR aa\nan ns.z. 60 A 192.0.2.1\n");
	assert_true(addr_eq(&from, &r.at));
	assert_int_equal(rig_octet(answer, 0) << 8 | rig_octet(answer, 1), 4711);
	assert_int_equal(rig_count(&r, "answered"), 1);
	assert_string_equal(rig_show(rig_ask(&r, "other.", "A")), "REFUSED\n");
	rig_close(&r);
}

/* Six addresses in turn, also for a client that always asks for A and AAAA. */
static void
turning_order(void **state)
{
	struct rig r = rig_open(0);
	unsigned firsts = 0;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	for (int i = 0; i < 6; i++) {
		struct bytes answer = rig_ask(&r, "six.z.", "A");
		const char *first = strstr(rig_show(answer), "192.0.2.");

		assert_non_null(first);
		firsts |= 1u << (first[8] - '0');
		rig_ask(&r, "six.z.", "AAAA");
	}
	assert_int_equal(firsts, 0x7e);
	rig_close(&r);
}

static void
truncation_then_tcp(void **state)
{
	struct rig r = rig_open(0);
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	struct bytes answer;
	struct rd rd;
	bool ended;
	size_t n;
	int fd;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	answer = rig_ask(&r, "big.z.", "TXT");
	assert_true(answer.n <= DNS_UDP_MAX);
	assert_string_equal(rig_show(answer), "NOERROR aa tc\n");
	assert_int_equal(rig_count(&r, "truncated"), 1);
	fd = rig_connect(&r, r.me);
	rig_frame(&r, &w, "big.z.", "TXT", 1);
	assert_true(rig_write(&r, fd, wr_since(&w, frame), 3));
	n = rig_read(&r, fd, r.room, sizeof(r.room), 500, &ended);
	rd = rd_of((struct bytes){r.room, n});
	answer = rd_bytes16(&rd);
	assert_false(rd.bad);
	assert_int_equal(rd_left(&rd), 0);
	assert_int_equal(rig_octet(answer, 7), 40);
	assert_null(strstr(rig_show(answer), "tc"));
	loop_close_fd(r.loop, fd);
	rig_close(&r);
}

/* Many queries at once, in pieces of every size: answers in order, the connection stays. */
static void
pipelining_at_every_cut(void **state)
{
	enum { QUERIES = 12 };
	struct rig r = rig_open(0);
	uint8_t frames[QUERIES * 64];
	struct wr w = wr_of(frames, sizeof(frames));

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	for (uint16_t i = 0; i < QUERIES; i++)
		rig_frame(&r, &w, i % 3 ? "six.z." : "none.z.", "A", i);
	for (size_t cut = 1; cut < 64; cut++) {
		int fd = rig_connect(&r, r.me);
		struct rd rd;
		bool ended;
		size_t n;

		assert_true(rig_write(&r, fd, wr_since(&w, frames), cut));
		n = rig_read(&r, fd, r.room, sizeof(r.room), 1000, &ended);
		assert_false(ended);
		rd = rd_of((struct bytes){r.room, n});
		for (uint16_t i = 0; i < QUERIES; i++) {
			struct bytes answer = rd_bytes16(&rd);

			assert_false(rd.bad);
			assert_int_equal(rig_octet(answer, 1), i);
			assert_int_equal(rig_octet(answer, 3) & 15, i % 3 ? 0 : DNS_RCODE_NXDOMAIN);
		}
		assert_int_equal(rd_left(&rd), 0);
		loop_close_fd(r.loop, fd);
	}
	rig_close(&r);
}

/* The client says all that it has to say and ends: it is answered, then the server ends too. */
static void
half_closed(void **state)
{
	struct rig r = rig_open(0);
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	bool ended;
	int fd;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	fd = rig_connect(&r, r.me);
	rig_frame(&r, &w, "ns.z.", "A", 1);
	rig_frame(&r, &w, "ns.z.", "A", 2);
	assert_true(rig_write(&r, fd, wr_since(&w, frame), 1000));
	assert_true(is_ok(loop_shutdown(r.loop, fd)));
	assert_true(rig_read(&r, fd, r.room, sizeof(r.room), 500, &ended) > 60);
	assert_true(ended);
	loop_close_fd(r.loop, fd);
	sim_run(r.loop, 5000);
	assert_int_equal(rig_count(&r, "sessions"), 0);
	rig_close(&r);
}

/* What is no message at all ends the connection. */
static void
senseless_over_tcp(void **state)
{
	static const struct bytes cases[] = {
	    {(const uint8_t *)"\0\0", 2},
	    {(const uint8_t *)"\0\3abc", 5},
	    {(const uint8_t *)"\0\14ab\200\0\0\0\0\0\0\0\0\0", 14}, /* an answer */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rig r = rig_open(0);
		int fd = rig_connect(&r, r.me);

		rig_load(&r, RIG_ZONE, 1);
		assert_true(rig_write(&r, fd, cases[i], 1000));
		assert_true(rig_ends(&r, fd, 500));
		assert_int_equal(rig_count(&r, "dropped"), 1);
		loop_close_fd(r.loop, fd);
		rig_close(&r);
	}
}

static void
images_replace_each_other(void **state)
{
	struct rig r = rig_open(0);
	struct snap_draft draft;
	struct err e;
	int fd;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	assert_string_equal(rig_show(rig_ask(&r, "ns.z.", "A")),
	                    "NOERROR aa\nan ns.z. 60 A 192.0.2.1\n");
	rig_load(&r, "$TTL 5\n@ SOA ns a 2 2 3 4 5\n@ NS ns\nns A 192.0.2.9\n", 2);
	assert_string_equal(rig_show(rig_ask(&r, "ns.z.", "A")),
	                    "NOERROR aa\nan ns.z. 5 A 192.0.2.9\n");
	assert_true(is_ok(snap_make(&draft, "junk", 4096)));
	assert_int_equal(names_image(r.names, draft.fd).code, ERR_DENIED);
	assert_true(is_ok(snap_seal(&draft, 4096, &fd)));
	e = names_image(r.names, fd);
	assert_int_equal(e.code, ERR_SYNTAX);
	close(fd);
	assert_string_equal(rig_show(rig_ask(&r, "ns.z.", "A")),
	                    "NOERROR aa\nan ns.z. 5 A 192.0.2.9\n");
	assert_int_equal(rig_count(&r, "images"), 2);
	rig_close(&r);
}

static unsigned
answers_of(struct rig *r, unsigned queries, unsigned *truncated)
{
	unsigned n = 0;
	struct bytes answer;

	*truncated = 0;
	for (unsigned i = 0; i < queries; i++)
		rig_send(r, r->udp, rig_packet(r, "ns.z.", "A", (uint16_t)i));
	while ((answer = rig_receive(r, r->udp, NULL)).n) {
		n++;
		*truncated += (rig_octet(answer, 2) & 2) != 0;
		assert_int_equal(rig_octet(answer, 3) & 15, DNS_RCODE_NOERROR);
	}
	return n;
}

static void
rates(void **state)
{
	struct rig r = rig_open(5);
	unsigned truncated;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	/* 5 in full, every second of the others cut short, up to the 8 of a second */
	assert_int_equal(answers_of(&r, 30, &truncated), 5 + 8);
	assert_int_equal(truncated, 8);
	assert_int_equal(rig_count(&r, "limited"), 25);
	assert_true(is_ok(names_rate(r.names, 0)));
	assert_int_equal(answers_of(&r, 30, &truncated), 30);
	assert_int_equal(truncated, 0);
	rig_close(&r);
}

static void
too_long(void **state)
{
	static const uint8_t packet[NAMES_QUERY_MAX + 1];
	struct rig r = rig_open(0);

	(void)state;
	rig_send(&r, r.udp, (struct bytes){packet, sizeof(packet)});
	assert_int_equal(rig_receive(&r, r.udp, NULL).n, 0);
	assert_int_equal(rig_count(&r, "too_long"), 1);
	rig_close(&r);
}

static void
note(void *owner)
{
	++*(unsigned *)owner;
}

static void
drains(void **state)
{
	struct rig r = rig_open(0);
	unsigned drained = 0;
	uint8_t frame[512];
	struct wr w = wr_of(frame, sizeof(frame));
	int idle, half;

	(void)state;
	rig_load(&r, RIG_ZONE, 1);
	idle = rig_connect(&r, r.me);
	half = rig_connect(&r, r.me);
	rig_frame(&r, &w, "ns.z.", "A", 1);
	assert_true(rig_write(&r, half, (struct bytes){frame, 5}, 1000));
	sim_run(r.loop, 100);
	names_drain(r.names, note, &drained);
	assert_int_equal(drained, 0);
	assert_true(rig_ends(&r, idle, 500));
	assert_true(rig_ends(&r, half, 500));
	loop_close_fd(r.loop, idle);
	loop_close_fd(r.loop, half);
	sim_run(r.loop, 15000);
	assert_int_equal(drained, 1);
	rig_send(&r, r.udp, rig_packet(&r, "ns.z.", "A", 1)); /* nobody is there */
	assert_int_equal(rig_receive(&r, r.udp, NULL).n, 0);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_an_image),
	    cmocka_unit_test(from_the_address_that_was_asked),
	    cmocka_unit_test(turning_order),
	    cmocka_unit_test(truncation_then_tcp),
	    cmocka_unit_test(pipelining_at_every_cut),
	    cmocka_unit_test(half_closed),
	    cmocka_unit_test(senseless_over_tcp),
	    cmocka_unit_test(images_replace_each_other),
	    cmocka_unit_test(rates),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

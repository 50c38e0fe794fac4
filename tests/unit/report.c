/* report.c - what status tells arrives as it was written; damage ends the reading. */
#include "talk/report.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static struct bytes
whole(struct wr w)
{
	const struct report_server server = {BYTES("1.2"), BYTES("mail.example.org"), 77, 86400};
	const struct report_listener listener = {BYTES("smtp"), BYTES("[::1]:25/tcp")};
	const struct report_process process = {.role = BYTES("box"),
	                                       .instance = 3,
	                                       .state = REPORT_READY,
	                                       .pid = 1234,
	                                       .uid = 60903,
	                                       .restarts = 2,
	                                       .cage = BYTES("cage"),
	                                       .counters = BYTES("counters")};
	uint8_t *start = w.p;

	report_put_server(&w, &server);
	report_put_listener(&w, &listener);
	report_put_process(&w, &process);
	report_put_process(&w, &(struct report_process){.role = BYTES("log")});
	assert_false(w.full);
	return wr_since(&w, start);
}

static void
a_report_arrives_as_it_was_written(void **state)
{
	uint8_t room[512];
	struct rd r = rd_of(whole(wr_of(room, sizeof(room))));
	struct report_line line;

	(void)state;
	assert_int_equal(report_get(&r, &line), REPORT_SERVER);
	assert_true(bytes_eq(line.server.version, BYTES("1.2")));
	assert_true(bytes_eq(line.server.host_name, BYTES("mail.example.org")));
	assert_int_equal(line.server.pid, 77);
	assert_int_equal(line.server.up_s, 86400);
	assert_int_equal(report_get(&r, &line), REPORT_LISTENER);
	assert_int_equal(line.what, REPORT_LISTENER);
	assert_true(bytes_eq(line.listener.service, BYTES("smtp")));
	assert_true(bytes_eq(line.listener.address, BYTES("[::1]:25/tcp")));
	assert_int_equal(report_get(&r, &line), REPORT_PROCESS);
	assert_true(bytes_eq(line.process.role, BYTES("box")));
	assert_int_equal(line.process.instance, 3);
	assert_int_equal(line.process.state, REPORT_READY);
	assert_int_equal(line.process.pid, 1234);
	assert_int_equal(line.process.uid, 60903);
	assert_int_equal(line.process.restarts, 2);
	assert_true(bytes_eq(line.process.cage, BYTES("cage")));
	assert_true(bytes_eq(line.process.counters, BYTES("counters")));
	assert_int_equal(report_get(&r, &line), REPORT_PROCESS);
	assert_int_equal(line.process.cage.n, 0);
	assert_int_equal(report_get(&r, &line), REPORT_END);
	assert_false(r.bad);
	assert_int_equal(report_get(&r, &line), REPORT_END);
}

static void
a_report_that_is_cut_is_read_up_to_there(void **state)
{
	uint8_t room[512];
	struct bytes all = whole(wr_of(room, sizeof(room)));
	struct report_line line;
	size_t ends = 0;

	(void)state;
	for (size_t n = 0; n <= all.n; n++) {
		struct rd r = rd_of((struct bytes){all.p, n});

		while (report_get(&r, &line) != REPORT_END)
			;
		assert_int_equal(line.what, REPORT_END);
		ends += !r.bad;
	}
	assert_int_equal(ends, 5); /* nothing, and behind each line */
}

static void
a_line_of_no_kind_is_damage(void **state)
{
	struct report_line line;

	(void)state;
	for (unsigned kind = 0; kind < 256; kind++) {
		const uint8_t text[] = {(uint8_t)kind, 1, 'a', 1, 'b'};
		struct rd r = rd_of((struct bytes){text, sizeof(text)});

		assert_int_equal(report_get(&r, &line),
		                 kind == REPORT_LISTENER ? REPORT_LISTENER : REPORT_END);
		assert_int_equal(r.bad, kind != REPORT_LISTENER);
	}
}

static void
counters_arrive_as_they_were_written(void **state)
{
	uint8_t room[128];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes name;
	uint64_t value;
	struct rd r;

	(void)state;
	report_put_counter(&w, "sessions", 0);
	report_put_counter(&w, "octets", UINT64_MAX);
	r = rd_of(wr_since(&w, room));
	assert_true(report_counter(&r, &name, &value));
	assert_true(bytes_eq(name, BYTES("sessions")));
	assert_int_equal(value, 0);
	assert_true(report_counter(&r, &name, &value));
	assert_true(bytes_eq(name, BYTES("octets")));
	assert_true(value == UINT64_MAX);
	assert_false(report_counter(&r, &name, &value));
	assert_false(r.bad);
	r = rd_of((struct bytes){room, wr_since(&w, room).n - 1});
	assert_true(report_counter(&r, &name, &value));
	assert_false(report_counter(&r, &name, &value));
	assert_true(r.bad);
}

static void
garbage_ends(void **state)
{
	struct random *random = random_seeded(3);
	struct report_line line;
	uint8_t room[300];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct bytes all = whole(wr_of(room, sizeof(room)));
		size_t n = (size_t)random_below(random, sizeof(room));
		struct bytes name;
		uint64_t value;
		struct rd r;

		if (i & 1)
			random_fill(random, room, sizeof(room));
		else
			room[random_below(random, all.n)] ^=
			    (uint8_t)(1 << random_below(random, 8));
		r = rd_of((struct bytes){room, n});
		while (report_get(&r, &line) != REPORT_END)
			assert_true(r.p <= room + n);
		r = rd_of((struct bytes){room, n});
		while (report_counter(&r, &name, &value))
			assert_true(name.p + name.n <= room + n);
	}
	random_close(random);
}

static void
what_does_not_fit_leaves_it_full(void **state)
{
	uint8_t room[512];
	size_t need = whole(wr_of(room, sizeof(room))).n;

	(void)state;
	for (size_t n = 0; n < need; n++) {
		struct wr w = wr_of(room, n);
		const struct report_process p = {.role = BYTES("box")};

		while (!w.full)
			report_put_process(&w, &p);
		assert_true(w.p <= room + n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_report_arrives_as_it_was_written),
	    cmocka_unit_test(a_report_that_is_cut_is_read_up_to_there),
	    cmocka_unit_test(a_line_of_no_kind_is_damage),
	    cmocka_unit_test(counters_arrive_as_they_were_written),
	    cmocka_unit_test(garbage_ends),
	    cmocka_unit_test(what_does_not_fit_leaves_it_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* summary.c - the scan sees the same wherever a message is cut, and what the header walk sees. */
#include "mail/summary.h"

#include "mail/header.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static struct summary
scan(struct bytes text, size_t cut)
{
	struct summary_scan s = {0};

	for (size_t at = 0; at < text.n; at += cut)
		summary_feed(&s,
		             (struct bytes){text.p + at, text.n - at < cut ? text.n - at : cut});
	return summary_done(&s);
}

static void
the_scan_agrees_with_the_walk(void **state)
{
	static const struct {
		const char *text;
		uint32_t received;
	} cases[] = {
	    {"", 0},
	    {"\r\n", 0},
	    {"\r", 0},
	    {"hello\r\nReceived: x\r\n", 0},
	    {"Received: x\r\nRECEIVED : y\r\n\tReceived: z\r\nReceived-SPF: n\r\nReceive: n\r\n"
	     "received:\r\n\r\nReceived: n\r\n",
	     3},
	    {"a: b", 0},
	    {"a: b\r", 0},
	    {"a: b\r\n", 0},
	    {"a: b\r\n\r", 0},
	    {"a: b\r\n\r\n", 0},
	    {"a: b\r\nrece", 0},
	    {"a: b\r\nreceived", 0},
	    {"a: b\r\nreceived ", 0},
	    {"a: b\r\nreceived:", 1},
	    {"a: \r\r\nreceived:\n\r\n c\r\n\r\nx", 1},
	    {" received: x\r\n", 0},
	    {"a: b\r\n\n", 0},
	    {"a b: c\r\nreceived: x\r\n", 0},
	    {":\r\n", 0},
	};
	struct bytes text;
	struct summary row;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		text = bytes_of(cases[i].text);
		for (size_t cut = 1; cut <= text.n + 1; cut++) {
			row = scan(text, cut);
			assert_int_equal(row.size, text.n);
			assert_int_equal(row.body, header_body(text));
			assert_int_equal(row.received, cases[i].received);
		}
	}
}

static void
names_of_every_length_agree(void **state)
{
	uint8_t text[300];

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 4; n++) {
		memset(text, 'n', n);
		memcpy(text + n, ":x\r\n", 4);
		assert_int_equal(scan((struct bytes){text, n + 4}, 7).body,
		                 header_body((struct bytes){text, n + 4}));
	}
}

static void
rows_come_back(void **state)
{
	struct summary row = {UINT64_MAX, 77, 3}, read;
	uint8_t room[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes packed;
	struct rd in;

	(void)state;
	summary_write(&w, &row);
	assert_false(w.full);
	packed = wr_since(&w, room);
	in = rd_of(packed);
	assert_true(is_ok(summary_read(&in, &read)));
	assert_true(read.size == row.size && read.body == 77 && read.received == 3);
	for (size_t n = 0; n < packed.n; n++) {
		in = rd_of((struct bytes){packed.p, n});
		assert_int_equal(summary_read(&in, &read).code, ERR_SYNTAX);
	}
	memset(room + 1, 0, 8); /* a size of 0 with a body at 77 */
	in = rd_of(packed);
	assert_int_equal(summary_read(&in, &read).code, ERR_SYNTAX);
	memset(room, 0, sizeof(room)); /* no such version */
	in = rd_of(packed);
	assert_int_equal(summary_read(&in, &read).code, ERR_SYNTAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_scan_agrees_with_the_walk),
	    cmocka_unit_test(names_of_every_length_agree),
	    cmocka_unit_test(rows_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

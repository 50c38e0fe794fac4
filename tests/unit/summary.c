/* summary.c - the scan sees the same wherever a message is cut, and what the header walk sees. */
#include "mail/summary.h"

#include "mail/header.h"
#include "mail/structure.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static struct summary
scan(struct bytes text, size_t cut)
{
	struct summary_scan s;
	struct summary row;

	summary_init(&s);
	for (size_t at = 0; at < text.n; at += cut)
		summary_feed(&s,
		             (struct bytes){text.p + at, text.n - at < cut ? text.n - at : cut});
	row = summary_done(&s);
	assert_true(summary_done(&s).body == row.body); /* it may be asked again */
	row.envelope = row.structure = NO_BYTES;
	summary_fini(&s);
	return row;
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
	    {"a: b\nreceived: x\n\nreceived: y\n", 1},
	    {"received  \t: x\r\n", 1},
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

/* A name with blanks before its colon has no more room than one without. */
static void
blanks_before_a_colon_count(void **state)
{
	uint8_t text[300];

	(void)state;
	for (size_t n = 1; n < sizeof(text) - 4; n++) {
		memset(text, ' ', n);
		text[0] = 'n';
		memcpy(text + n, ":x\r\n", 4);
		assert_int_equal(scan((struct bytes){text, n + 4}, 7).body,
		                 header_body((struct bytes){text, n + 4}));
	}
}

static const char message[] =
    "From: a@b\r\nSubject: hello\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    "--x\r\n\r\none\r\n--x\r\nContent-Type: text/html\r\n\r\ntwo\r\n--x--\r\n";

static void
rows_come_back(void **state)
{
	struct summary row = {.size = UINT64_MAX,
	                      .body = 77,
	                      .received = 3,
	                      .ambiguous = true,
	                      .envelope = BYTES("(NIL)"),
	                      .structure = BYTES("x")};
	uint8_t room[SUMMARY_PACKED_MAX];
	struct wr w = wr_of(room, sizeof(room));
	struct bytes packed;
	struct summary read;
	struct rd in;

	(void)state;
	summary_write(&w, &row);
	assert_false(w.full);
	packed = wr_since(&w, room);
	in = rd_of(packed);
	assert_true(is_ok(summary_read(&in, &read)));
	assert_true(read.size == row.size && read.body == 77 && read.received == 3);
	assert_true(read.ambiguous && bytes_eq(read.envelope, row.envelope) &&
	            bytes_eq(read.structure, row.structure));
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
	room[0] = 3;
	in = rd_of(packed);
	assert_int_equal(summary_read(&in, &read).code, ERR_SYNTAX);
}

static void
rows_of_the_first_version_are_read(void **state)
{
	static const uint8_t row[] = {1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
	                              0, 0, 0, 0, 0, 9, 0, 0, 0, 2};
	struct rd in = rd_of((struct bytes){row, sizeof(row)});
	struct summary s;

	(void)state;
	assert_true(is_ok(summary_read(&in, &s)));
	assert_true(s.size == 256 && s.body == 9 && s.received == 2);
	assert_true(!s.envelope.n && !s.structure.n && !rd_left(&in));
}

static void
what_is_too_large_is_left_out(void **state)
{
	uint8_t big[SUMMARY_PACKED_MAX] = {0}, room[SUMMARY_PACKED_MAX];
	struct summary row = {0}, read;
	struct wr w;
	struct rd in;

	(void)state;
	for (size_t n = 0; n < sizeof(big); n++) {
		row.envelope = (struct bytes){big, n};
		row.structure = (struct bytes){big, 700};
		w = wr_of(room, sizeof(room));
		summary_write(&w, &row);
		assert_false(w.full);
		in = rd_of(wr_since(&w, room));
		assert_true(is_ok(summary_read(&in, &read)));
		assert_true(read.structure.n == 700 || n > sizeof(big) - 800);
		assert_true(read.envelope.n == n || n > sizeof(big) - 100);
		assert_true(read.envelope.n || !read.structure.n || !n);
	}
}

static void
a_row_tells_what_a_list_shows(void **state)
{
	struct bytes text = bytes_of(message);
	struct structure_text t = {0};
	struct summary_scan s;
	struct summary row;
	uint8_t room[1024];
	struct mime m;
	struct wr w;

	(void)state;
	for (size_t cut = 1; cut < text.n + 2; cut += 5) {
		summary_init(&s);
		for (size_t at = 0; at < text.n; at += cut)
			summary_feed(
			    &s, (struct bytes){text.p + at, text.n - at < cut ? text.n - at : cut});
		row = summary_done(&s);
		assert_true(
		    bytes_eq(row.envelope, BYTES("(NIL \"hello\" ((NIL NIL \"a\" \"b\")) "
		                                 "((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
		                                 "NIL NIL NIL NIL NIL)")));
		assert_true(is_ok(structure_unpack(&m, row.structure, row.size)));
		t = (struct structure_text){0};
		w = wr_of(room, sizeof(room));
		assert_true(structure_write(&w, &t, &m, false));
		assert_true(bytes_eq(wr_since(&w, room),
		                     BYTES("((\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 0)"
		                           "(\"text\" \"html\" NIL NIL NIL \"7BIT\" 3 0) "
		                           "\"mixed\")")));
		mime_fini(&m);
		summary_fini(&s);
	}
}

/* What a larger reader would show otherwise is left for it to show. */
static void
a_row_never_says_half(void **state)
{
	struct summary_scan s;
	struct summary row;

	(void)state;
	summary_init(&s);
	summary_feed(&s, BYTES("From: a@b\r\nTo: "));
	for (size_t i = 0; i < 5000; i++) {
		summary_feed(&s, BYTES("bob@example.org,\r\n "));
		assert_true(!s.tree || s.tree->used <= SUMMARY_SCAN_MAX);
	}
	summary_feed(&s, BYTES("x\r\n\r\nbody"));
	row = summary_done(&s);
	assert_int_equal(row.body, row.size - 4);
	assert_true(!row.envelope.n && !row.structure.n);
	summary_fini(&s);
	summary_fini(&s); /* may be called again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_scan_agrees_with_the_walk),
	    cmocka_unit_test(names_of_every_length_agree),
	    cmocka_unit_test(blanks_before_a_colon_count),
	    cmocka_unit_test(rows_come_back),
	    cmocka_unit_test(rows_of_the_first_version_are_read),
	    cmocka_unit_test(what_is_too_large_is_left_out),
	    cmocka_unit_test(a_row_tells_what_a_list_shows),
	    cmocka_unit_test(a_row_never_says_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

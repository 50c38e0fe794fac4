/*
 * attack_067_mime_parts.c - parts within parts, a million of them, boundaries that begin each other,
 * a message that contains itself: bounded in depth, number and memory.
 */
#include "mail/mime.h"
#include "mail/structure.h"
#include "mail/summary.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdio.h>

static void
feed(struct mime *m, const char *s)
{
	mime_feed(m, bytes_of(s));
}

static void
end(struct mime *m, uint64_t size)
{
	mime_done(m);
	assert_true(m->used <= MIME_MEMORY && m->n <= MIME_PARTS_MAX);
	assert_int_equal(m->parts[0].end, size);
	for (uint32_t i = 1; i < m->n; i++) {
		assert_true(m->parts[i].depth <= MIME_DEPTH_MAX);
		assert_true(m->parts[i].end <= m->parts[m->parts[i].parent].end);
	}
}

/* It is shown as a whole, in any room, and never by recursion. */
static void
show(const struct mime *m)
{
	static uint8_t room[5000];
	struct structure_text t = {0};
	bool done = false;

	while (!done) {
		struct wr w = wr_of(room, sizeof(room));

		done = structure_write(&w, &t, m, true);
		assert_false(w.full);
	}
}

static void
attack_067_nested_multiparts(void **state)
{
	char text[128];
	struct mime m;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	for (size_t i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text),
		         "Content-Type: multipart/mixed; boundary=b%zu\r\n\r\n--b%zu\r\n", i, i);
		feed(&m, text);
	}
	end(&m, m.at);
	assert_true(m.cut);
	assert_int_equal(m.n, MIME_DEPTH_MAX + 1);
	assert_true(m.parts[m.n - 1].flags & MIME_OPAQUE);
	assert_int_equal(m.parts[m.n - 1].kind, MIME_LEAF);
	show(&m);
	mime_fini(&m);
}

static void
attack_067_a_million_parts(void **state)
{
	struct mime m;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	feed(&m, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < 1000000; i++)
		feed(&m, "--b\r\n\r\n\r\n");
	end(&m, m.at);
	assert_true(m.cut);
	assert_int_equal(m.n, MIME_PARTS_MAX);
	assert_true(m.parts[m.n - 1].flags & MIME_OPAQUE);
	show(&m);
	mime_fini(&m);
}

/* Each with fields of its own, as long as they may be. */
static void
attack_067_large_parts(void **state)
{
	struct mime m;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	feed(&m, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (size_t i = 0; i < 10000; i++) {
		feed(&m, "--b\r\nContent-Description: ");
		for (size_t k = 0; k < 100; k++)
			feed(&m, "0123456789");
		feed(&m, "\r\nContent-Type: message/rfc822\r\n\r\n");
	}
	end(&m, m.at);
	assert_true(m.cut);
	show(&m);
	mime_fini(&m);
}

static void
attack_067_boundaries_that_begin_each_other(void **state)
{
	char text[MIME_BOUNDARY_MAX + 64], b[MIME_BOUNDARY_MAX];
	struct mime m;

	(void)state;
	memset(b, 'b', sizeof(b));
	mime_init(&m, MIME_MEMORY);
	for (size_t i = 1; i <= 90; i++) {
		snprintf(text, sizeof(text),
		         "Content-Type: multipart/mixed; boundary=%.*s\r\n\r\n--%.*s\r\n", (int)i,
		         b, (int)i, b);
		feed(&m, text);
	}
	feed(&m, "\r\n");
	for (size_t i = 0; i < 100000; i++) { /* longer than all of them */
		snprintf(text, sizeof(text), "--%.*s\r\n", 100, b);
		feed(&m, text);
	}
	for (size_t i = 90; i; i--) {
		snprintf(text, sizeof(text), "--%.*s--\r\n", (int)i, b);
		feed(&m, text);
	}
	end(&m, m.at);
	assert_int_equal(m.n, 91);
	assert_false(m.cut);
	for (uint32_t i = 0; i < 90; i++)
		assert_true(m.parts[i].flags & MIME_CLOSED);
	mime_fini(&m);
}

static void
attack_067_messages_within_messages(void **state)
{
	struct section s;
	struct mime m;
	char path[1000];
	size_t n = 0;

	(void)state;
	mime_init(&m, MIME_MEMORY);
	for (size_t i = 0; i < 100000; i++)
		feed(&m, "Content-Type: message/rfc822\r\n\r\n");
	end(&m, m.at);
	assert_true(m.cut);
	assert_int_equal(m.n, MIME_DEPTH_MAX + 1);
	show(&m);
	for (size_t i = 0; i < 400; i++) {
		path[n++] = '1';
		path[n++] = '.';
		section_find_text(&m, (struct bytes){(uint8_t *)path, n - 1}, &s);
	}
	mime_fini(&m);
}

/* The scan of mail that comes in has little memory, whatever comes. */
static void
attack_067_summary(void **state)
{
	struct summary_scan s;
	struct summary row;

	(void)state;
	summary_init(&s);
	summary_feed(&s, BYTES("Content-Type: multipart/mixed; boundary=b\r\n\r\n"));
	for (size_t i = 0; i < 100000; i++) {
		summary_feed(&s, BYTES("--b\r\nContent-Type: message/rfc822\r\n\r\n"));
		assert_true(s.tree->used + sizeof(*s.tree) <= SUMMARY_SCAN_MAX);
	}
	row = summary_done(&s);
	assert_int_equal(row.body, 45);
	assert_true(!row.structure.n);
	summary_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_067_nested_multiparts),
	    cmocka_unit_test(attack_067_a_million_parts),
	    cmocka_unit_test(attack_067_large_parts),
	    cmocka_unit_test(attack_067_boundaries_that_begin_each_other),
	    cmocka_unit_test(attack_067_messages_within_messages),
	    cmocka_unit_test(attack_067_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

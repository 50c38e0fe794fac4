/* log.c - an event is one line, whatever is in it, and survives the way to the log role. */
#include "base/log.h"

#include "base/random.h"

#include <errno.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const struct log_stamp stamp = {1767323045678000000, "smtp", 0, 4711};
static const uint8_t peer[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};

/* What a sink was given, as a line, straight and by way of the log role. */
static struct {
	unsigned n;
	char text[LOG_LINE_MAX], json[LOG_LINE_MAX], journal[LOG_LINE_MAX];
} got;

static void
render(void (*fn)(struct wr *, const struct log_record *, const struct log_stamp *),
       const struct log_record *r, char room[LOG_LINE_MAX])
{
	struct wr w = wr_of(room, LOG_LINE_MAX);

	fn(&w, r, &stamp);
	assert_false(w.full);
	assert_int_equal(w.p[-1], '\n');
	w.p[-1] = 0;
	assert_null(strchr(room, '\n'));
	for (const char *c = room; *c; c++)
		assert_in_range(*c, ' ', '~');
}

static void
sink(void *owner, const struct log_record *r)
{
	static char straight[LOG_LINE_MAX];
	uint8_t packed[LOG_PACKED_MAX];
	struct wr w = wr_of(packed, sizeof(packed));
	struct kv fields[LOG_FIELDS_MAX];
	struct log_record back;

	assert_ptr_equal(owner, &got);
	got.n++;
	log_pack(&w, r);
	assert_false(w.full);
	assert_true(log_unpack(wr_since(&w, packed), &back, fields));
	render(log_render_text, &back, got.text);
	render(log_render_json, &back, got.json);
	render(log_render_journal, &back, got.journal);
	render(log_render_text, r, straight);
	if (!back.cut)
		assert_string_equal(straight, got.text);
}

static int
start(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	log_to(sink, &got);
	log_up_to(LOG_INFO);
	return 0;
}

static void
an_event_is_one_line_with_its_fields(void **state)
{
	(void)state;
	log_event(LOG_INFO, "smtp.reject", kv_ip("peer", peer), kv_text("rcpt", BYTES("a\nb")));
	assert_string_equal(got.text, "2026-01-02T03:04:05.678Z info smtp.0 smtp.reject "
	                              "peer=192.0.2.1 rcpt=\"a\\x0ab\"");
	assert_string_equal(got.journal, "<6>smtp.0 smtp.reject peer=192.0.2.1 rcpt=\"a\\x0ab\"");
	assert_string_equal(got.json, "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\","
	                              "\"role\":\"smtp\",\"instance\":0,"
	                              "\"pid\":4711,\"event\":\"smtp.reject\",\"peer\":\"192.0.2."
	                              "1\",\"rcpt\":\"a\\\\x0ab\"}");
	log_event(LOG_ERROR, "start");
	assert_string_equal(got.text, "2026-01-02T03:04:05.678Z error smtp.0 start");
	log_event(LOG_WARN, "x", kv_u64("n", UINT64_MAX), kv_i64("i", INT64_MIN),
	          kv_word("mode", "a/b"));
	assert_string_equal(got.journal,
	                    "<4>smtp.0 x n=18446744073709551615 i=-9223372036854775808 mode=a/b");
	log_event(LOG_INFO, "x", kv_word("mode", "not a word"), kv_word("empty", ""));
	assert_string_equal(got.journal, "<6>smtp.0 x mode=\"not a word\" empty=\"\"");
}

static void
a_fault_says_what_and_where(void **state)
{
	struct err e = {ERR_IO, ENOSPC, "log.c:212: append: sync"};

	(void)state;
	log_event(LOG_ERROR, "store.fault", kv_err(e));
	assert_string_equal(got.journal, "<3>smtp.0 store.fault err=\"input or output failed\" "
	                                 "errno=ENOSPC why=\"log.c:212: append: sync\"");
	e = (struct err){ERR_LIBRARY, -3, ""};
	log_event(LOG_ERROR, "x", kv_err(e));
	assert_string_equal(got.journal, "<3>smtp.0 x err=\"a library refused\" sys=-3");
}

static void
scopes_come_first_from_the_outermost(void **state)
{
	const struct kv role[] = {kv_word("service", "pop3")};
	const struct kv session[] = {kv_ip("peer", peer), kv_u64("id", 7)};
	const struct log_scope outer = {NULL, role, 1}, inner = {&outer, session, 2};

	(void)state;
	log_event_in(&inner, LOG_INFO, "login", kv_text("user", BYTES("bob")));
	assert_string_equal(got.journal,
	                    "<6>smtp.0 login service=pop3 peer=192.0.2.1 id=7 user=\"bob\"");
}

static void
levels_beyond_the_set_one_are_dropped(void **state)
{
	(void)state;
	log_event(LOG_DEBUG, "x");
	assert_int_equal(got.n, 0);
	log_up_to(LOG_DEBUG);
	log_event(LOG_DEBUG, "x");
	assert_int_equal(got.n, 1);
	assert_string_equal(got.journal, "<7>smtp.0 x");
	log_up_to(LOG_ERROR);
	log_event(LOG_WARN, "x");
	assert_int_equal(got.n, 1);
}

static void
too_much_is_cut_and_says_so(void **state)
{
	static uint8_t all[LOG_TEXT_MAX + 1];
	struct kv many[LOG_FIELDS_MAX + 2];
	struct log_scope loop = {&loop, many, 0};

	(void)state;
	memset(all, 1, sizeof(all));
	log_event(LOG_INFO, "x", kv_text("t", (struct bytes){all, LOG_TEXT_MAX}));
	assert_null(strstr(got.text, "cut"));
	log_event(LOG_INFO, "x", kv_text("t", (struct bytes){all, sizeof(all)}));
	assert_non_null(strstr(got.text, " cut=on"));
	assert_non_null(strstr(got.json, ",\"cut\":true}"));
	for (size_t i = 0; i + 1 < COUNT(many); i++)
		many[i] = kv_text("t", (struct bytes){all, LOG_TEXT_MAX});
	many[COUNT(many) - 1] = kv_end();
	log_write(NULL, LOG_INFO, "x", many);
	assert_non_null(strstr(got.text, " cut=on"));
	log_event_in(&loop, LOG_INFO, "x", kv_u64("last", 1));
	assert_non_null(strstr(got.text, "last=1 cut=on"));
}

static void
one_line_also_from_random_bytes(void **state)
{
	struct random *r = random_seeded(5);
	uint8_t junk[64];

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		random_fill(r, junk, sizeof(junk));
		log_event(LOG_INFO, "x", kv_text("t", (struct bytes){junk, sizeof(junk)}));
	}
	random_close(r);
}

/* The log role does not trust the words: any damage is refused or is still one harmless line. */
static void
damaged_words_do_no_harm(void **state)
{
	const struct kv f[] = {kv_ip("peer", peer), kv_text("t", BYTES("a\nb")), kv_word("w", "x"),
	                       kv_err(ERR(ERR_IO, 5, "here")), kv_u64("n", 1)};
	const struct log_record r = {LOG_INFO, "a.b", NULL, f, COUNT(f), false};
	static char line[LOG_LINE_MAX];
	uint8_t packed[LOG_PACKED_MAX];
	struct wr w = wr_of(packed, sizeof(packed));
	struct kv fields[LOG_FIELDS_MAX];
	struct log_record back;
	size_t n;

	(void)state;
	log_pack(&w, &r);
	n = wr_since(&w, packed).n;
	for (size_t i = 0; i < n; i++) {
		uint8_t was = packed[i];
		uint8_t *exact = malloc(i + 1);

		for (unsigned v = 0; v < 256; v++) {
			packed[i] = (uint8_t)v;
			if (log_unpack((struct bytes){packed, n}, &back, fields))
				render(log_render_text, &back, line);
		}
		packed[i] = was;
		memcpy(exact, packed, i);
		if (log_unpack((struct bytes){exact, i}, &back, fields))
			render(log_render_json, &back, line);
		free(exact);
	}
	assert_true(log_unpack((struct bytes){packed, n}, &back, fields));
	assert_false(log_unpack(NO_BYTES, &back, fields));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_event_is_one_line_with_its_fields, start),
	    cmocka_unit_test_setup(a_fault_says_what_and_where, start),
	    cmocka_unit_test_setup(scopes_come_first_from_the_outermost, start),
	    cmocka_unit_test_setup(levels_beyond_the_set_one_are_dropped, start),
	    cmocka_unit_test_setup(too_much_is_cut_and_says_so, start),
	    cmocka_unit_test_setup(one_line_also_from_random_bytes, start),
	    cmocka_unit_test_setup(damaged_words_do_no_harm, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * attack_159_log_line.c - no byte of a stranger ends a log line, moves a cursor or ends a quote;
 * attack 17 is the same for a DNS name.
 */
#include "base/log.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const struct log_stamp stamp = {0, "dns", 1, 2};
static char line[LOG_LINE_MAX];

typedef void render_fn(struct wr *, const struct log_record *, const struct log_stamp *);
static render_fn *const renderers[] = {log_render_text, log_render_json, log_render_journal};
static render_fn *renderer;

static void
sink(void *owner, const struct log_record *r)
{
	struct wr w = wr_of(line, sizeof(line) - 1);

	(void)owner;
	renderer(&w, r, &stamp);
	assert_false(w.full);
	*w.p = 0;
}

static void
attack_159_every_byte_is_kept_in_its_quotes(void **state)
{
	static const struct bytes foreign[] = {
	    {(const uint8_t *)"a\r\nInfo: all is well", 21},
	    {(const uint8_t *)"\x1b[2J\x07\x9b", 6},
	    {(const uint8_t *)"x\" rcpt=\"y", 10},
	    {(const uint8_t *)"\xe2\x80\xa8\xe2\x80\xae", 6},
	    {(const uint8_t *)"\0\0", 2},
	    {(const uint8_t *)"\\\"\\n\\", 5},
	};

	(void)state;
	log_to(sink, NULL);
	for (size_t r = 0; r < COUNT(renderers); r++) {
		renderer = renderers[r];
		for (size_t i = 0; i < COUNT(foreign); i++) {
			const char *end;
			size_t quotes = 0;

			log_event(LOG_INFO, "x", kv_text("t", foreign[i]));
			end = strchr(line, '\n');
			assert_non_null(end);
			assert_int_equal(end[1], 0);
			for (const char *c = line; c < end; c++) {
				assert_in_range(*c, ' ', '~');
				quotes += *c == '"';
			}
			/* Only ours. */
			assert_int_equal(quotes, renderer == log_render_json ? 24 : 2);
		}
	}
	log_to(NULL, NULL);
}

static void
attack_017_qname_in_a_log(void **state)
{
	static const uint8_t qname[] = "a\n\x1b[31m<script>\"\\.example";

	(void)state;
	log_to(sink, NULL);
	renderer = log_render_journal;
	log_event(LOG_INFO, "dns.query",
	          kv_text("qname", (struct bytes){qname, sizeof(qname) - 1}));
	assert_string_equal(
	    line, "<6>dns.1 dns.query qname=\"a\\x0a\\x1b[31m<script>\\x22\\x5c.example\"\n");
	log_to(NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_159_every_byte_is_kept_in_its_quotes),
	    cmocka_unit_test(attack_017_qname_in_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

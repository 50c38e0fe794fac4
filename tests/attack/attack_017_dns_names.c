/* Attack 17: names and data that hold line ends, terminal sequences, quotes or markup leave as
 * printable ASCII, and come back as the same octets. */
#include "dns/rdata.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
attack_017_names_leave_escaped(void **state)
{
	static const struct {
		const char *label, *text;
	} cases[] = {{"a\nb", "a\\010b."},
	             {"\x1b[31m", "\\027[31m."},
	             {"a\"b", "a\\\"b."},
	             {"a.b", "a\\.b."},
	             {"\x9b\x7f", "\\155\\127."},
	             {"a b\t", "a\\032b\\009."},
	             {"\r", "\\013."},
	             {"\xe2\x80\xae", "\\226\\128\\174."},
	             {"<script>", "<script>."} /* markup is the page's to escape */};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t wire[70], text[DNAME_TEXT_MAX];
		struct wr w = wr_of(wire, sizeof(wire)), t = wr_of(text, sizeof(text));
		struct dname back;

		wr_bytes8(&w, bytes_of(cases[i].label));
		wr_u8(&w, 0);
		dname_to_text(&t, wr_since(&w, wire));
		assert_true(bytes_eq(wr_since(&t, text), bytes_of(cases[i].text)));
		assert_null(dname_parse_text(&back, wr_since(&t, text), NO_BYTES));
		assert_true(bytes_eq(dname_bytes(&back), wr_since(&w, wire)));
	}
}

/* Any octets as the data of any type, right or wrong for it. */
static void
attack_017_data_leaves_printable(void **state)
{
	static uint8_t text[RDATA_TEXT_MAX];
	uint8_t wire[64];
	uint32_t seed = 1;

	(void)state;
	for (unsigned type = 0; type < 300; type++)
		for (unsigned round = 0; round < 200; round++) {
			struct wr t = wr_of(text, sizeof(text));

			for (size_t i = 0; i < sizeof(wire); i++) {
				seed = seed * 1664525 + 1013904223;
				wire[i] = (uint8_t)(seed >> 24) & (round & 1 ? 7 : 255);
			}
			rdata_to_text((uint16_t)type, (struct bytes){wire, round % sizeof(wire)},
			              &t);
			for (const uint8_t *p = text; p < t.p; p++)
				assert_in_range(*p, ' ', '~');
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_017_names_leave_escaped),
	    cmocka_unit_test(attack_017_data_leaves_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

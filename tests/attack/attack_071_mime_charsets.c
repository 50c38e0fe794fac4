/*
 * attack_071_mime_charsets.c - UTF-8 cut short or overlong, charsets that nobody knows: what comes
 * out is always UTF-8, and each wrong octet is seen as such.
 */
#include "base/text.h"
#include "mail/charset.h"
#include "mail/words.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static void
attack_071_mime_charsets(void **state)
{
	static const char *const names[] = {"us-ascii",     "utf-8", "iso-8859-1",  "iso-8859-15",
	                                    "windows-1252", "utf-7", "iso-2022-jp", "\377"};
	uint8_t room[128], in[4];
	struct charset c;
	struct wr w;
	struct rd r;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		for (uint32_t v = 0; v < 65536; v++) {
			in[0] = in[2] = (uint8_t)(v >> 8);
			in[1] = in[3] = (uint8_t)v;
			c = (struct charset){.which = (uint8_t)charset_find(bytes_of(names[i]))};
			w = wr_of(room, sizeof(room));
			r = rd_of((struct bytes){in, sizeof(in)});
			charset_feed(&c, &r, &w);
			charset_finish(&c, &w);
			assert_true(!w.full && text_is_utf8(wr_since(&w, room)));
			w = wr_of(room, sizeof(room));
			words_decode(&w, (struct bytes){in, sizeof(in)});
			assert_true(!w.full && text_is_utf8(wr_since(&w, room)));
		}
}

/* Characters that are right are never changed, and those that are not never taken for right. */
static void
attack_071_mime_every_character(void **state)
{
	uint8_t room[16], back[16];
	struct charset c;
	struct wr w, again;
	struct rd r;

	(void)state;
	for (uint32_t v = 0; v < 0x110000; v++) {
		bool good = v < 0xd800 || v > 0xdfff;

		w = wr_of(room, 8);
		charset_put(&w, v);
		assert_true(text_is_utf8(wr_since(&w, room)));
		if (!good)
			assert_true(bytes_eq(wr_since(&w, room), BYTES("\357\277\275")));
		c = (struct charset){.which = CHARSET_UTF8};
		again = wr_of(back, sizeof(back));
		for (const uint8_t *p = room; p < w.p; p++) {
			again.end = again.p + CHARSET_ROOM;
			r = rd_of((struct bytes){p, 1});
			if (again.p > back)
				break;
			charset_feed(&c, &r, &again);
		}
		if (good)
			assert_true(bytes_eq(wr_since(&w, room), wr_since(&again, back)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_071_mime_charsets),
	    cmocka_unit_test(attack_071_mime_every_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

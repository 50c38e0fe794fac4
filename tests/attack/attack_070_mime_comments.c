/*
 * attack_070_mime_comments.c - 100,000 opened parentheses, a comment that ends in a backslash,
 * groups within groups: nothing is recursed into, nothing is read behind the end.
 */
#include "mail/content.h"
#include "mail/date.h"
#include "mail/envelope.h"
#include "mail/words.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

#include <stdlib.h>

enum { MANY = 100000 };

/* In memory that ends where the text does, so that a step too far is seen. */
static void
read_all(const char *field, const char *fill, size_t times, const char *tail)
{
	size_t n = strlen(field) + strlen(fill) * times + strlen(tail);
	uint8_t *text = malloc(n), *room = malloc(ENVELOPE_MAX), packed[CONTENT_PACKED_MAX];
	struct wr w = wr_of(text, n), out = wr_of(room, ENVELOPE_MAX);
	struct bytes all, value;
	int64_t seconds;

	wr_text(&w, field);
	for (size_t i = 0; i < times; i++)
		wr_text(&w, fill);
	wr_text(&w, tail);
	all = wr_since(&w, text);
	assert_int_equal(all.n, n);
	value = (struct bytes){text + strlen(field), n - strlen(field)};
	envelope_write(&out, all);
	assert_false(out.full);
	out = wr_of(packed, sizeof(packed));
	content_read(&out, all, false);
	assert_false(out.full);
	out = wr_of(room, ENVELOPE_MAX);
	words_decode(&out, value);
	assert_int_equal(date_parse(value, &seconds, NULL).code, ERR_SYNTAX);
	free(text);
	free(room);
}

static void
attack_070_mime_comments(void **state)
{
	static const char *const fields[] = {"From:",
	                                     "To: a@b ",
	                                     "Content-Type: text/plain ",
	                                     "Content-Type: ",
	                                     "Content-Transfer-Encoding:",
	                                     "Content-Disposition: x;",
	                                     "Content-Language: ",
	                                     "Cc: <"};
	static const char *const fills[] = {"(",    "((((", "\\",     "(\\", ")",    "\"",
	                                    "\"\\", "a:",   ":;",     "<",   "@",    "[",
	                                    ",",    "=?",   "=?a?q?", ";",   ";a=\""};
	static const char *const tails[] = {"", "\\", "(\\", "\"\\", "\r\n", "\r\n "};

	(void)state;
	for (size_t f = 0; f < COUNT(fields); f++)
		for (size_t i = 0; i < COUNT(fills); i++)
			for (size_t t = 0; t < COUNT(tails); t++) {
				read_all(fields[f], fills[i], 1, tails[t]);
				read_all(fields[f], fills[i], 0, tails[t]);
			}
	for (size_t f = 0; f < COUNT(fields); f++)
		for (size_t i = 0; i < COUNT(fills); i++)
			read_all(fields[f], fills[i], MANY, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_070_mime_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

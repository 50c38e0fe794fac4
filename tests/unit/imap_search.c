/* imap_search.c - search keys in the order in which they are evaluated. */
#include "proto/imap_search.h"
#include "proto/imap_fetch.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

static const char *const names[] = {
    [IMAP_AND] = "and",
    [IMAP_OR] = "or",
    [IMAP_NOT] = "not",
    [IMAP_ALL] = "all",
    [IMAP_FLAG] = "flag",
    [IMAP_KEYWORD] = "keyword",
    [IMAP_RECENT] = "recent",
    [IMAP_NUMBERS] = "numbers",
    [IMAP_UIDS] = "uids",
    [IMAP_BEFORE] = "before",
    [IMAP_ON] = "on",
    [IMAP_SINCE] = "since",
    [IMAP_SENTBEFORE] = "sentbefore",
    [IMAP_SENTON] = "senton",
    [IMAP_SENTSINCE] = "sentsince",
    [IMAP_LARGER] = "larger",
    [IMAP_SMALLER] = "smaller",
    [IMAP_HEADER] = "header",
    [IMAP_BODY] = "body",
    [IMAP_TEXT] = "text",
};

static void
show(const struct imap_search *s, struct wr *w)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct imap_search_node *k = &s->nodes[i];

		wr_text(w, names[k->key]);
		if (k->flag)
			wr_printf(w, "=%u", (unsigned)k->flag);
		if (k->size)
			wr_printf(w, "=%u", (unsigned)k->size);
		if (k->day)
			wr_printf(w, "=%lld", (long long)k->day);
		if (k->field.n) {
			wr_u8(w, '=');
			wr_bytes(w, k->field);
		}
		if (k->text.n) {
			wr_u8(w, ':');
			wr_bytes(w, k->text);
		}
		wr_u8(w, ' ');
	}
}

static const struct {
	const char *text, *nodes;
	enum err_code code;
} cases[] = {
    {"ALL", "all ", 0},
    {"1,2 seen", "numbers flag=1 and ", 0},
    {"NOT OR ALL (SEEN UNSEEN)", "all flag=1 flag=1 not and or not ", 0},
    {"NEW OLD", "recent flag=1 not and recent not and ", 0},
    {"(((ALL)))", "all ", 0},
    {"OR NOT ALL NOT ALL ALL", "all not all not or all and ", 0},
    {"FROM \"a \\\"b\" BODY {2+}\r\nxy", "header=From:a \"b body:xy and ", 0},
    {"HEADER X-Foo \"\" CC a", "header=X-Foo header=Cc:a and ", 0},
    {"CHARSET utf-8 TEXT \"\xc3\xa9\"", "text:\xc3\xa9 ", 0},
    {"CHARSET US-ASCII ALL", "all ", 0},
    {"UNKEYWORD $Foo LARGER 10 SMALLER 20", "keyword:$Foo not larger=10 and smaller=20 and ", 0},
    {"SINCE 1-Feb-1970 SENTON \"02-Jan-1970\"", "since=31 senton=1 and ", 0},
    {"UID 1:* 2", "uids numbers and ", 0},
    {"CHARSET KOI8-R ALL", NULL, ERR_NOTFOUND},
    {"TEXT \"\xff\"", NULL, ERR_SYNTAX},
    {"CHARSET", NULL, ERR_SYNTAX},
    {"ALL  ALL", NULL, ERR_SYNTAX},
    {"(ALL", NULL, ERR_SYNTAX},
    {"ALL)", NULL, ERR_SYNTAX},
    {"( ALL)", NULL, ERR_SYNTAX},
    {"NOT (ALL", NULL, ERR_SYNTAX},
    {"OR ALL", NULL, ERR_SYNTAX},
    {"UID", NULL, ERR_SYNTAX},
    {"LARGER x", NULL, ERR_SYNTAX},
    {"ON 30-Feb-2000", NULL, ERR_SYNTAX},
    {"SUBJECT", NULL, ERR_SYNTAX},
};

static void
keys_in_the_order_of_evaluation(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena a = arena_init(0);
		struct rd in = rd_of(bytes_of(cases[i].text));
		struct imap_search s;
		uint8_t room[256];
		struct wr w = wr_of(room, sizeof(room));

		assert_int_equal(imap_search_read(&s, &in, &a).code, cases[i].code);
		if (cases[i].nodes) {
			show(&s, &w);
			assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].nodes)));
		}
		arena_free(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_in_the_order_of_evaluation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

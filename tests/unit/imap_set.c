/* imap_set.c - sequence sets, as they come and resolved. */
#include "proto/imap_set.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdio.h>

/* Each range "first:last", a blank behind it. */
static void
show(const struct imap_set *set, struct wr *w)
{
	for (size_t i = 0; i < set->n; i++)
		wr_printf(w, "%u:%u ", (unsigned)set->ranges[i].first,
		          (unsigned)set->ranges[i].last);
}

static const struct {
	const char *text;
	uint32_t star;
	bool uids;
	const char *resolved; /* NULL: a number that is not there */
} cases[] = {
    {"1", 3, false, "1:1 "},
    {"3,1,2", 3, false, "1:3 "},
    {"1:*", 3, false, "1:3 "},
    {"*:1", 3, false, "1:3 "},
    {"*", 3, false, "3:3 "},
    {"*:*", 3, false, "3:3 "},
    {"2:4", 3, false, NULL},
    {"4", 3, false, NULL},
    {"4:*", 3, false, NULL},
    {"1:*", 0, false, ""},
    {"*", 0, false, ""},
    {"1", 0, false, NULL},
    {"5:*", 3, true, "3:5 "}, /* the last message is always in it */
    {"9,7,8,1:2,2:3", 100, true, "1:3 7:9 "},
    {"1,3,5", 100, true, "1:1 3:3 5:5 "},
    {"4294967295:1,7", 100, true, "1:4294967295 "},
    {"4294967294,4294967295", 100, true, "4294967294:4294967295 "},
    {"1:10,2:3", 100, true, "1:10 "},
    {"1:9", 0, true, ""},
};

static void
sets_are_resolved(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct arena a = arena_init(0);
		struct rd in = rd_of(bytes_of(cases[i].text));
		struct imap_set set;
		uint8_t room[128];
		struct wr w = wr_of(room, sizeof(room));

		assert_true(is_ok(imap_set_read(&set, &in, &a)));
		assert_int_equal(rd_left(&in), 0);
		assert_int_equal(imap_set_resolve(&set, cases[i].star, cases[i].uids),
		                 cases[i].resolved != NULL);
		if (cases[i].resolved) {
			assert_true(imap_set_resolve(&set, 1, false)); /* once is enough */
			show(&set, &w);
			assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].resolved)));
		}
		arena_free(&a);
	}
}

static void
what_is_no_set(void **state)
{
	static const char *const bad[] = {
	    "", "0", "1:0", ",1", "1,", "1:", ":", "1:2:", "a", "4294967296", "1,,2"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct arena a = arena_init(0);
		struct rd in = rd_of(bytes_of(bad[i]));
		struct imap_set set;

		assert_true(imap_set_read(&set, &in, &a).code == ERR_SYNTAX || rd_left(&in));
		arena_free(&a);
	}
}

static void
membership(void **state)
{
	struct arena a = arena_init(0);
	struct rd in = rd_of(BYTES("2,4:6,9"));
	static const bool in_it[] = {false, false, true,  false, true, true,
	                             true,  false, false, true,  false};
	struct imap_set set;

	(void)state;
	assert_true(is_ok(imap_set_read(&set, &in, &a)));
	assert_true(imap_set_resolve(&set, 10, false));
	for (uint32_t i = 0; i < COUNT(in_it); i++)
		assert_int_equal(imap_set_has(&set, i), in_it[i]);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sets_are_resolved),
	    cmocka_unit_test(what_is_no_set),
	    cmocka_unit_test(membership),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

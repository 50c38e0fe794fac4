/* maildrop.c - a mailbox as one POP3 session sees it. */
#include "view/maildrop.h"

#include "talk/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { ROOM = 61440 };
static uint8_t room[ROOM];

/* Rows first, first + step ... as many as fit, up to n. */
static struct bytes
rows(uint32_t first, uint32_t step, size_t n)
{
	struct wr w = wr_of(room, sizeof(room));

	for (size_t i = 0; i < n && wr_room(&w) >= MESSAGE_ROW_FIXED; i++) {
		const struct message_row row = {.uid = first, .size = 1000 + first};

		message_row_put(&w, &row);
		first += step;
	}
	return wr_since(&w, room);
}

static void
the_listing_has_numbers_sizes_and_ids_that_stay(void **state)
{
	struct maildrop *m = maildrop_new(0xabc, 5);
	const struct pop3_message *list;
	size_t n;

	(void)state;
	assert_non_null(m);
	assert_int_equal(maildrop_next(m), 1);
	assert_true(is_ok(maildrop_add(m, rows(3, 4, 3)))); /* 3 7 11 */
	assert_int_equal(maildrop_next(m), 12);
	assert_true(is_ok(maildrop_add(m, NO_BYTES)));
	assert_true(is_ok(maildrop_add(m, rows(12, 1, 1))));
	list = maildrop_listing(m, &n);
	assert_non_null(list);
	assert_int_equal(n, 4);
	assert_int_equal(list[0].size, 1003);
	assert_int_equal(list[3].size, 1012);
	assert_true(bytes_eq(list[0].uid, BYTES("00000abc00000003")));
	assert_true(bytes_eq(list[2].uid, BYTES("00000abc0000000b")));
	assert_int_equal(maildrop_uid(m, 1), 3);
	assert_int_equal(maildrop_uid(m, 4), 12);
	assert_true(maildrop_memory(m) > 4 * sizeof(*list));
	maildrop_free(m);
	maildrop_free(NULL);
}

static void
an_empty_one_has_an_empty_listing(void **state)
{
	struct maildrop *m = maildrop_new(1, 0);
	size_t n = 9;

	(void)state;
	assert_non_null(maildrop_listing(m, &n));
	assert_int_equal(n, 0);
	maildrop_free(m);
}

static void
rows_out_of_order_or_damaged_are_refused(void **state)
{
	static const struct {
		uint32_t first, step;
		size_t cut;
	} bad[] = {{0, 1, 0}, {5, 0, 0}, {9, (uint32_t)-1, 0}, {10, 1, 1}, {10, 1, 33}};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct maildrop *m = maildrop_new(1, 0);
		struct bytes b = rows(bad[i].first, bad[i].step, 3);

		b.n -= bad[i].cut;
		assert_int_equal(maildrop_add(m, b).code, ERR_SYNTAX);
		maildrop_free(m);
	}
}

static void
a_page_that_comes_again_is_refused(void **state)
{
	struct maildrop *m = maildrop_new(1, 0);

	(void)state;
	assert_true(is_ok(maildrop_add(m, rows(1, 1, 100))));
	assert_int_equal(maildrop_add(m, rows(100, 1, 1)).code, ERR_SYNTAX);
	maildrop_free(m);
}

static void
it_grows_beyond_what_was_expected(void **state)
{
	struct maildrop *m = maildrop_new(1, 3);
	size_t n, before;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		assert_true(is_ok(maildrop_add(m, rows(1 + i * 500, 1, 500))));
	before = maildrop_memory(m);
	assert_true(before >= 5000 * 12);
	assert_non_null(maildrop_listing(m, &n));
	assert_int_equal(n, 5000);
	for (uint32_t i = 1; i <= n; i++)
		assert_int_equal(maildrop_uid(m, i), i);
	assert_true(maildrop_memory(m) > before);
	maildrop_free(m);
}

static void
a_listing_ends_at_its_limit(void **state)
{
	static const uint32_t expected[] = {0, POP3_MESSAGES_MAX - 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(expected); i++) {
		struct maildrop *m = maildrop_new(1, expected[i]);
		struct err e = OK;
		size_t n;

		while (is_ok(e))
			e = maildrop_add(m, rows(maildrop_next(m), 1, ROOM));
		assert_int_equal(e.code, ERR_FULL);
		assert_non_null(maildrop_listing(m, &n));
		assert_int_equal(n, POP3_MESSAGES_MAX);
		maildrop_free(m);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_listing_has_numbers_sizes_and_ids_that_stay),
	    cmocka_unit_test(an_empty_one_has_an_empty_listing),
	    cmocka_unit_test(rows_out_of_order_or_damaged_are_refused),
	    cmocka_unit_test(a_page_that_comes_again_is_refused),
	    cmocka_unit_test(it_grows_beyond_what_was_expected),
	    cmocka_unit_test(a_listing_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

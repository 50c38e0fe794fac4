/* handles.c - what a front may open, and how long. */
#include "box/handles.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t key[16] = {9};

static struct talk_id
id(uint32_t n)
{
	struct talk_id out = {{1}};
	struct wr w = wr_of(out.b + 4, 4);

	wr_u32(&w, n);
	return out;
}

static void
grant(struct handles *hs, uint32_t n, uint64_t account, uint8_t instance)
{
	assert_true(is_ok(handles_grant(hs, id(n), account, ROLE_MAIL, instance, 0)));
}

static void
a_handle_is_good_at_its_front_alone(void **state)
{
	struct handles *hs = handles_new(key);

	(void)state;
	grant(hs, 1, 77, 2);
	assert_int_equal(handles_grant(hs, id(1), 78, ROLE_MAIL, 2, 0).code, ERR_EXISTS);
	assert_int_equal(handles_find(hs, id(1), ROLE_MAIL, 2)->account, 77);
	assert_null(handles_find(hs, id(1), ROLE_MAIL, 1));
	assert_null(handles_find(hs, id(1), ROLE_SMTP, 2));
	assert_null(handles_find(hs, id(2), ROLE_MAIL, 2));
	handles_leave(hs, id(1), ROLE_MAIL, 1); /* not his to end */
	assert_int_equal(handles_count(hs), 1);
	handles_leave(hs, id(1), ROLE_MAIL, 2);
	handles_leave(hs, id(1), ROLE_MAIL, 2);
	assert_int_equal(handles_count(hs), 0);
	assert_null(handles_find(hs, id(1), ROLE_MAIL, 2));
	handles_free(hs);
	handles_free(NULL);
}

static void
a_mailbox_is_locked_for_one(void **state)
{
	struct handles *hs = handles_new(key);
	struct handle *a, *b, *other;

	(void)state;
	grant(hs, 1, 5, 0);
	grant(hs, 2, 5, 1);
	grant(hs, 3, 6, 0);
	a = handles_find(hs, id(1), ROLE_MAIL, 0);
	b = handles_find(hs, id(2), ROLE_MAIL, 1);
	other = handles_find(hs, id(3), ROLE_MAIL, 0);
	assert_true(handles_lock(hs, a, 1));
	assert_true(handles_lock(hs, a, 1)); /* he has it */
	assert_false(handles_lock(hs, b, 1));
	assert_true(handles_lock(hs, b, 2));     /* another mailbox */
	assert_true(handles_lock(hs, other, 1)); /* another account */
	assert_true(handles_lock(hs, a, 3));     /* one each: lets go of 1 */
	assert_true(handles_lock(hs, b, 1));
	assert_false(handles_lock(hs, a, 1));
	handles_leave(hs, id(2), ROLE_MAIL, 1);
	assert_true(handles_lock(hs, a, 1));
	handles_free(hs);
}

static void
what_a_front_had_goes_with_it(void **state)
{
	struct handles *hs = handles_new(key);

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		grant(hs, i, i / 3, (uint8_t)(i % 3));
	for (uint32_t i = 0; i < 300; i += 3)
		assert_true(handles_lock(hs, handles_find(hs, id(i), ROLE_MAIL, 0), 1));
	handles_front_gone(hs, ROLE_MAIL, 0);
	assert_int_equal(handles_count(hs), 200);
	for (uint32_t i = 0; i < 300; i++) {
		struct handle *h = handles_find(hs, id(i), ROLE_MAIL, (uint8_t)(i % 3));

		assert_true((h != NULL) == (i % 3 != 0));
		if (i % 3 == 1)
			assert_true(handles_lock(hs, h, 1)); /* the locks went too */
	}
	handles_front_gone(hs, ROLE_SMTP, 1);
	assert_int_equal(handles_count(hs), 200);
	handles_free(hs);
}

static void
an_account_that_goes_ends_its_sessions(void **state)
{
	struct handles *hs = handles_new(key);

	(void)state;
	for (uint32_t i = 0; i < 300; i++)
		grant(hs, i, i / 3, (uint8_t)(i % 3));
	handles_account_gone(hs, 7);
	/* its password was looked at before that, and its session comes now */
	assert_int_equal(handles_grant(hs, id(900), 7, ROLE_MAIL, 0, 0).code, ERR_DENIED);
	assert_int_equal(handles_count(hs), 297);
	for (uint32_t i = 0; i < 300; i++)
		assert_true((handles_find(hs, id(i), ROLE_MAIL, (uint8_t)(i % 3)) != NULL) ==
		            (i / 3 != 7));
	handles_free(hs);
}

/* Those that watch a mailbox, and are told of it, are exactly those that said so and are there. */
static void
who_watches_what(void **state)
{
	enum { N = 60 };
	struct handles *hs = handles_new(key);
	uint32_t watched[N] = {0};
	bool there[N] = {false};
	uint32_t at = 12345;

	(void)state;
	for (int step = 0; step < 3000; step++) {
		uint32_t n = (at = at * 1664525 + 1013904223) >> 8, who = n % N, box = n / N % 4;
		struct handle *h;

		if (!there[who])
			grant(hs, who, who % 3, 0);
		there[who] = true;
		h = handles_find(hs, id(who), ROLE_MAIL, 0);
		assert_true(handles_watch(hs, h, box));
		watched[who] = box;
		if (n / 1000 % 5 == 0) {
			handles_leave(hs, id(who), ROLE_MAIL, 0);
			there[who] = false;
		}
		for (uint64_t account = 0; account < 3; account++)
			for (box = 1; box < 4; box++) {
				size_t expected = 0, found = 0;

				for (uint32_t i = 0; i < N; i++)
					expected +=
					    there[i] && i % 3 == account && watched[i] == box;
				for (h = handles_watching(hs, account, box); h;
				     h = h->next_watching) {
					assert_true(h->account == account && h->watched == box);
					found++;
				}
				assert_int_equal(found, expected);
			}
	}
	handles_account_gone(hs, 1);
	assert_null(handles_watching(hs, 1, 1));
	handles_front_gone(hs, ROLE_MAIL, 0);
	assert_null(handles_watching(hs, 0, 1));
	handles_free(hs);
}

static void
there_are_as_many_as_stated(void **state)
{
	struct handles *hs = handles_new(key);

	(void)state;
	for (uint32_t i = 0; i < HANDLES_MAX; i++)
		grant(hs, i, i, 0);
	assert_int_equal(handles_grant(hs, id(HANDLES_MAX), 1, ROLE_MAIL, 0, 0).code, ERR_FULL);
	handles_leave(hs, id(3), ROLE_MAIL, 0);
	grant(hs, HANDLES_MAX, 1, 0);
	handles_front_gone(hs, ROLE_MAIL, 0);
	assert_int_equal(handles_count(hs), 0);
	handles_free(hs);
}

/* A client that goes away during its login leaves a handle that its front never heard of. */
static void
one_that_nobody_uses_is_dropped(void **state)
{
	enum { MS = HANDLES_UNUSED_MS };
	struct handles *hs = handles_new(key);

	(void)state;
	assert_true(is_ok(handles_grant(hs, id(1), 1, ROLE_MAIL, 0, 1000)));
	assert_true(is_ok(handles_grant(hs, id(2), 1, ROLE_MAIL, 0, 1000)));
	assert_true(is_ok(handles_grant(hs, id(3), 1, ROLE_MAIL, 0, 2000)));
	assert_non_null(handles_find(hs, id(2), ROLE_MAIL, 0));
	assert_null(handles_find(hs, id(3), ROLE_MAIL, 1)); /* not used: another front asked */
	assert_int_equal(handles_expire(hs, 0), 2);
	assert_int_equal(handles_expire(hs, 999 + MS), 2);
	assert_int_equal(handles_count(hs), 3);
	assert_int_equal(handles_expire(hs, 1000 + MS), 1);
	assert_int_equal(handles_count(hs), 2);
	assert_null(handles_find(hs, id(1), ROLE_MAIL, 0));
	assert_int_equal(handles_expire(hs, 9000 + MS), 0);
	assert_int_equal(handles_count(hs), 1);
	assert_non_null(handles_find(hs, id(2), ROLE_MAIL, 0));
	handles_free(hs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_handle_is_good_at_its_front_alone),
	    cmocka_unit_test(a_mailbox_is_locked_for_one),
	    cmocka_unit_test(what_a_front_had_goes_with_it),
	    cmocka_unit_test(an_account_that_goes_ends_its_sessions),
	    cmocka_unit_test(who_watches_what),
	    cmocka_unit_test(there_are_as_many_as_stated),
	    cmocka_unit_test(one_that_nobody_uses_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

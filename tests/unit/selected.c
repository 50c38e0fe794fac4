/* selected.c - against a plain list of the UIDs that are known. */
#include "view/selected.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { UIDS = 300 };

struct model {
	bool known[UIDS + 1];
};

static uint32_t
model_number(const struct model *m, uint32_t uid)
{
	uint32_t n = 0;

	for (uint32_t u = 1; u <= uid; u++)
		n += m->known[u];
	return m->known[uid] ? n : 0;
}

static void
compare(const struct selected *s, const struct model *m)
{
	uint32_t count = 0;

	for (uint32_t u = 1; u <= UIDS; u++) {
		uint32_t number = model_number(m, u);

		count += m->known[u];
		assert_int_equal(selected_number(s, u), number);
		if (number)
			assert_int_equal(selected_uid(s, number), u);
	}
	assert_int_equal(s->count, count);
	assert_int_equal(selected_uid(s, 0), 0);
	assert_int_equal(selected_uid(s, count + 1), 0);
	for (uint32_t u = 1; u <= UIDS + 1; u++) {
		uint32_t behind = 0;

		for (uint32_t v = u; v <= UIDS; v++)
			behind += m->known[v];
		assert_int_equal(selected_from(s, u), behind);
	}
}

static void
numbers_are_as_counted(void **state)
{
	struct random *random = random_seeded(1);

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct selected s = {0};
		struct model m = {0};

		for (uint32_t u = 1; u <= UIDS; u++) {
			m.known[u] = random_below(random, (uint32_t)(round % 5) + 2) != 0;
			if (m.known[u])
				assert_true(is_ok(selected_add_uid(&s, u)));
		}
		compare(&s, &m);
		for (int k = 0; k < 5; k++) {
			uint32_t first = 1 + (uint32_t)random_below(random, UIDS);
			uint32_t last = first + (uint32_t)random_below(random, 40);
			const struct uid_range gone = {first, last > UIDS ? UIDS : last};

			assert_true(is_ok(selected_remove(&s, &gone, 1)));
			for (uint32_t u = gone.first; u <= gone.last; u++)
				m.known[u] = false;
			compare(&s, &m);
		}
		selected_fini(&s);
	}
	random_close(random);
}

static void
ranges_that_come_twice_count_once(void **state)
{
	uint8_t room[64];
	struct wr w = wr_of(room, sizeof(room));
	struct selected s = {0};

	(void)state;
	uid_range_put(&w, (struct uid_range){3, 5});
	uid_range_put(&w, (struct uid_range){6, 9});
	uid_range_put(&w, (struct uid_range){12, 12});
	assert_true(is_ok(selected_add(&s, wr_since(&w, room))));
	assert_true(is_ok(selected_add(&s, wr_since(&w, room))));
	assert_int_equal(s.count, 8);
	assert_int_equal(s.n, 2);
	assert_int_equal(selected_last(&s), 12);
	assert_int_equal(selected_add(&s, (struct bytes){room, 7}).code, ERR_SYNTAX);
	selected_fini(&s);
}

static const struct {
	const char *set, *uids; /* the UIDs 3-5 and 12-13 are known */
	bool is_uids;
} sets[] = {
    {"1", "3", false},      {"1:*", "3-5 12-13", false},   {"*", "13", false},
    {"3:4", "5 12", false}, {"5:2,1", "3-5 12-13", false}, {"6", NULL, false},
    {"1,1,1", "3", false},  {"1:*", "3-5 12-13", true},    {"4:12", "4-5 12", true},
    {"6:11", "", true},     {"900:*", "13", true},         {"1,2", "", true},
    {"13,3", "3 13", true},
};

static void
sets_become_uids(void **state)
{
	struct selected s = {0};

	(void)state;
	for (uint32_t u = 3; u <= 13; u++)
		if (u < 6 || u > 11)
			assert_true(is_ok(selected_add_uid(&s, u)));
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct arena arena = arena_init(0);
		struct rd in = rd_of(bytes_of(sets[i].set));
		struct imap_set set;
		struct uid_range *list;
		uint8_t text[100];
		struct wr w = wr_of(text, sizeof(text));
		size_t n;
		struct err e;

		assert_true(is_ok(imap_set_read(&set, &in, &arena)));
		e = selected_resolve(&s, &set, sets[i].is_uids, &list, &n);
		assert_int_equal(e.code, sets[i].uids ? 0 : ERR_RANGE);
		for (size_t k = 0; is_ok(e) && k < n; k++) {
			wr_printf(&w, "%s%u", k ? " " : "", list[k].first);
			if (list[k].last != list[k].first)
				wr_printf(&w, "-%u", list[k].last);
		}
		if (is_ok(e)) {
			if (!bytes_eq(wr_since(&w, text), bytes_of(sets[i].uids)))
				fail_msg("%s: %.*s", sets[i].set, (int)wr_since(&w, text).n,
				         (const char *)text);
			free(list);
		}
		arena_free(&arena);
	}
	selected_fini(&s);
}

static void
an_empty_mailbox(void **state)
{
	struct selected s = {0};
	struct uid_range *list;
	size_t n;

	(void)state;
	assert_int_equal(selected_last(&s), 0);
	assert_true(is_ok(selected_all(&s, &list, &n)));
	assert_int_equal(n, 0);
	assert_true(is_ok(selected_remove(&s, &(struct uid_range){1, 5}, 1)));
	selected_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_as_counted),
	    cmocka_unit_test(ranges_that_come_twice_count_once),
	    cmocka_unit_test(sets_become_uids),
	    cmocka_unit_test(an_empty_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 112: names of mailboxes that lead elsewhere, end a line, or are no text.  None becomes a
 * mailbox, a subscription or a rename's place, and asking for one finds nothing.
 */
#include "../box_rig.h"

static void
attack_112_names_that_are_none(struct place *p)
{
	static const struct bytes bad[] = {
	    {(const uint8_t *)"", 0},
	    {(const uint8_t *)"..", 2},
	    {(const uint8_t *)"../x", 4},
	    {(const uint8_t *)"a/../../b", 9},
	    {(const uint8_t *)"./a", 3},
	    {(const uint8_t *)"a/.", 3},
	    {(const uint8_t *)"/a", 2},
	    {(const uint8_t *)"a/", 2},
	    {(const uint8_t *)"a//b", 4},
	    {(const uint8_t *)"/", 1},
	    {(const uint8_t *)"a\r\nb", 4},
	    {(const uint8_t *)"a\0b", 3},
	    {(const uint8_t *)"a\tb", 3},
	    {(const uint8_t *)"\x1b[2J", 4},
	    {(const uint8_t *)"a\x7f", 2},
	    {(const uint8_t *)"a\xc2\x85", 3},
	    {(const uint8_t *)"\xff\xfe", 2},
	    {(const uint8_t *)"a\xc0\xaf", 3},    /* an overlong "/" */
	    {(const uint8_t *)"\xed\xa0\x80", 3}, /* a surrogate */
	    {(const uint8_t *)"a\xe2\x82", 3},
	};

	assert_true(is_ok(folder(p, FOLDER_CREATE, "good", "")));
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_false(folder_name_good(bad[i]));
		for (int what = FOLDER_CREATE; what <= FOLDER_UNSUBSCRIBE; what++) {
			struct said s = {0};

			folders_change(p->m, 1, (enum folder_change)what, bad[i], BYTES("x"), NOW,
			               done, &s);
			settle(p);
			assert_int_equal(s.calls, 1);
			assert_int_equal(s.e.code, ERR_SYNTAX);
		}
		struct said s = {0};
		struct told *t = told_fresh();

		folders_change(p->m, 1, FOLDER_RENAME, BYTES("good"), bad[i], NOW, done, &s);
		settle(p);
		assert_int_equal(s.e.code, ERR_SYNTAX);
		mailbox_open(p->m, 1, bad[i], false, NOW, told_opened, t);
		assert_int_equal(told_now(p, t)->e.code, ERR_NOTFOUND);
	}
	assert_int_equal(look(p, "good").count, 0);
}

static void
attack_112_the_longest_name(struct place *p)
{
	char name[FOLDER_NAME_MAX + 2];

	memset(name, 'x', sizeof(name));
	for (size_t i = 1; i < sizeof(name); i += 2)
		name[i] = '/';
	name[FOLDER_NAME_MAX + 1] = 0;
	assert_int_equal(folder(p, FOLDER_CREATE, name, "").code, ERR_SYNTAX);
	name[FOLDER_NAME_MAX] = 0; /* 128 levels */
	assert_int_equal(folder(p, FOLDER_CREATE, name, "").code, 0);
	reopen(p);
	assert_int_equal(look(p, name).count, 0);
	assert_int_equal(folder(p, FOLDER_RENAME, "x/x", "y").code, 0);
	assert_int_equal(folder(p, FOLDER_RENAME, "y", "very/long").code, ERR_SYNTAX);
	assert_true(is_ok(folder(p, FOLDER_CREATE, "G\xc3\xa4ste/\xe6\x97\xa5\xe6\x9c\xac", "")));
}

ON_BOTH(attack_112_names_that_are_none)
ON_BOTH(attack_112_the_longest_name)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_attack_112_names_that_are_none),
	    cmocka_unit_test(both_attack_112_the_longest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

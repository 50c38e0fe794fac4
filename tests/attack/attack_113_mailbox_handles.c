/*
 * Attack 113: every word with a handle of another front, of another account or of nobody, and with
 * what other accounts have.  What is forbidden is answered as what is not there.
 */
#include "../sessions_rig.h"

/* Which handle it is that is not his, and what its account has, makes no difference. */
static void
attack_113_a_handle_is_good_for_its_front(void **state)
{
	struct place *p = init();
	uint32_t number;

	(void)state;
	grant(p, 1, 100, ROLE_MAIL, 0);
	grant(p, 2, 200, ROLE_MAIL, 1);
	grant(p, 3, 100, ROLE_SMTP, 0);
	number = open_box(p, 0, 1, false, "Sent").number;
	assert_int_equal(append(p, 0, 1, 1, "Sent").uid, 1);
	for (int which = 0; which < WORDS; which++) {
		uint8_t first[65536];
		size_t n;

		ask_word(p, 1, which, id(77), number, "Sent"); /* there is no such handle */
		n = p->answer.n;
		memcpy(first, p->answer.p, n);
		assert_int_equal(first[0], ERR_DENIED);
		for (uint8_t other = 1; other <= 3; other += 2)
			for (int there = 0; there < 2; there++) {
				ask_word(p, 1, which, id(other), there ? number : 999,
				         there ? "Sent" : "none");
				assert_int_equal(p->answer.n, n);
				assert_memory_equal(p->answer.p, first, n);
			}
	}
	assert_int_equal(open_box(p, 0, 1, false, "Sent").count, 1);
	fini(p);
}

/* Mailboxes of others have names and numbers that are nothing to him. */
static void
attack_113_what_others_have_is_as_what_nobody_has(void **state)
{
	struct place *p = init();
	struct talk_box_folder make = {.what = FOLDER_CREATE, .name = BYTES("secret")};
	uint32_t number;

	(void)state;
	grant(p, 1, 100, ROLE_MAIL, 0);
	grant(p, 2, 200, ROLE_MAIL, 1);
	make.handle = id(1);
	ask(p, p->fronts[0].chan, talk_box_folder_out(&make));
	number = open_box(p, 0, 1, false, "secret").number;
	append(p, 0, 1, 1, "secret");
	open_box(p, 1, 2, false, "INBOX");
	for (int which = 0; which < WORDS; which++) {
		uint8_t first[65536];
		size_t n;

		if (which == 4) /* it lists his own */
			continue;
		ask_word(p, 1, which, id(2), 999, "nobody has it");
		n = p->answer.n;
		memcpy(first, p->answer.p, n);
		ask_word(p, 1, which, id(2), number, "secret");
		assert_int_equal(p->answer.n, n);
		assert_memory_equal(p->answer.p, first, n);
	}
	assert_int_equal(open_box(p, 0, 1, false, "secret").count, 1);
	fini(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_113_a_handle_is_good_for_its_front),
	    cmocka_unit_test(attack_113_what_others_have_is_as_what_nobody_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

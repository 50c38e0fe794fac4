/*
 * Attack 103: a message is expunged by IMAP while a POP3 session has the mailbox locked.  The lock
 * keeps IMAP from nothing; the rows that the session was given stay as they are, reading the message
 * finds nothing, removing it is no error, and the others keep their UIDs and octets.
 */
#include "../box_rig.h"

static void
attack_103_expunged_behind_a_listing(struct place *p)
{
	uint8_t text[64];
	struct wr w;

	for (int i = 0; i < 3; i++)
		append(p, "INBOX", 0, "");
	look(p, "INBOX"); /* the listing has 1, 2, 3 */
	assert_true(is_ok(expunge(p, MAILBOX_INBOX, false, "2")->e));
	for (uint32_t uid = 1; uid <= 3; uid++) {
		w = wr_of(text, sizeof(text));
		assert_int_equal(
		    mailbox_read(p->m, 1, MAILBOX_INBOX, uid, 0, sizeof(text), &w).code,
		    uid == 2 ? ERR_NOTFOUND : 0);
		assert_true(uid == 2 || bytes_eq(wr_since(&w, text), BYTES("appended text")));
	}
	assert_int_equal(append(p, "INBOX", 0, ""), 4); /* never in the place of 2 */
	assert_true(is_ok(expunge(p, MAILBOX_INBOX, false, "1 2")->e)); /* QUIT */
	assert_string_equal(all_uids(p, MAILBOX_INBOX), "3:4");
}

ON_BOTH(attack_103_expunged_behind_a_listing)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_attack_103_expunged_behind_a_listing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

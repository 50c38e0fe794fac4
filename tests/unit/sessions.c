/* sessions.c - the words of fronts: locks, hints, and what is said twice. */
#include "../sessions_rig.h"

static void
watch(struct place *p, int front, uint8_t handle, uint32_t mailbox)
{
	const struct talk_box_watch word = {.handle = id(handle), .mailbox = mailbox};

	assert_true(chan_say(p->fronts[front].chan, talk_box_watch_out(&word), -1));
	sim_run(p->loop, 10);
}

static struct talk_box_changes_answer
changes(struct place *p, int front, uint8_t handle, uint32_t mailbox, uint64_t modseq)
{
	const struct talk_box_changes word = {
	    .handle = id(handle), .mailbox = mailbox, .modseq = modseq};
	struct talk_box_changes_answer a;
	struct rd r = ask(p, p->fronts[front].chan, talk_box_changes_out(&word));

	assert_true(talk_box_changes_answer_get(&r, &a));
	return a;
}

static void
who_watches_is_told_once_until_he_asks(void **state)
{
	struct place *p = init();
	struct talk_box_changes_answer told;
	struct talk_box_open_answer sent;

	(void)state;
	grant(p, 1, 100, ROLE_MAIL, 0);
	grant(p, 2, 100, ROLE_MAIL, 1);
	grant(p, 3, 200, ROLE_MAIL, 1);
	sent = open_box(p, 1, 2, false, "Sent");
	open_box(p, 1, 3, false, "Sent");
	watch(p, 1, 2, sent.number);
	watch(p, 1, 3, sent.number); /* of another account */
	append(p, 0, 1, 1, "Sent");
	assert_int_equal(p->fronts[1].hints, 1);
	assert_memory_equal(p->fronts[1].hint.handle.b, id(2).b, 16);
	assert_int_equal(p->fronts[1].hint.mailbox, sent.number);
	assert_true(p->fronts[1].hint.modseq > sent.modseq);
	append(p, 0, 1, 2, "Sent");
	append(p, 0, 1, 3, "INBOX");
	assert_int_equal(p->fronts[1].hints, 1);
	told = changes(p, 1, 2, sent.number, sent.modseq);
	assert_int_equal(told.code, 0);
	assert_int_equal(told.rows.n, 2 * MESSAGE_ROW_FIXED);
	assert_int_equal(told.uidnext, 3);
	ask_word(p, 0, 6, id(1), sent.number, "");
	assert_int_equal(p->fronts[1].hints, 2);
	told = changes(p, 1, 2, sent.number, told.modseq);
	assert_int_equal(told.rows.n, 2 * MESSAGE_ROW_FIXED);
	ask_word(p, 0, 6, id(1), sent.number, ""); /* changes nothing */
	assert_int_equal(p->fronts[1].hints, 2);
	ask_word(p, 0, 3, id(1), sent.number, "");
	assert_int_equal(p->fronts[1].hints, 3);
	told = changes(p, 1, 2, sent.number, told.modseq);
	assert_int_equal(told.gone.n, 8);
	ask_word(p, 0, 5, id(1), 0, "Sent"); /* it is deleted */
	assert_int_equal(p->fronts[1].hints, 4);
	assert_int_equal(changes(p, 1, 2, sent.number, told.modseq).code, ERR_NOTFOUND);
	watch(p, 1, 2, 0);
	fini(p);
}

static void
a_lock_keeps_imap_from_nothing(void **state)
{
	struct place *p = init();
	const struct talk_box_leave leave = {.handle = id(1)};

	(void)state;
	grant(p, 1, 100, ROLE_MAIL, 0);
	grant(p, 2, 100, ROLE_MAIL, 1);
	append(p, 0, 1, 1, "INBOX");
	assert_int_equal(open_box(p, 0, 1, true, "INBOX").code, 0);
	assert_int_equal(open_box(p, 1, 2, true, "INBOX").code, ERR_EXISTS);
	assert_int_equal(open_box(p, 1, 2, false, "INBOX").code, 0);
	assert_int_equal(open_box(p, 1, 2, false, "INBOX").recent, 2); /* the one before took it */
	ask_word(p, 1, 3, id(2), 1, "");
	assert_int_equal(open_box(p, 1, 2, false, "INBOX").count, 0);
	ask_word(p, 0, 2, id(1), 1, "");
	assert_int_equal(p->answer.p[0], ERR_NOTFOUND);
	assert_true(chan_say(p->fronts[0].chan, talk_box_leave_out(&leave), -1));
	assert_int_equal(open_box(p, 1, 2, true, "INBOX").code, 0);
	fini(p);
}

static void
words_of_the_wrong_kind(void **state)
{
	struct place *p = init();
	const struct talk_box_folder folder = {.handle = id(1), .what = 9, .name = BYTES("a")};
	const struct talk_box_flags flags = {.handle = id(1), .mailbox = 1, .how = 4};

	(void)state;
	grant(p, 1, 100, ROLE_MAIL, 0);
	ask(p, p->fronts[0].chan, talk_box_folder_out(&folder));
	assert_int_equal(p->answer.p[0], ERR_SYNTAX);
	ask(p, p->fronts[0].chan, talk_box_flags_out(&flags));
	assert_int_equal(p->answer.p[0], ERR_SYNTAX);
	assert_int_equal(append(p, 0, 1, 9, "nowhere").code, ERR_NOTFOUND);
	assert_int_equal(append(p, 0, 1, 8, "Drafts").uid, 1);
	assert_int_equal(append(p, 0, 1, 8, "Drafts").uid, 1); /* said again */
	assert_int_equal(open_box(p, 0, 1, false, "Drafts").count, 1);
	fini(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_watches_is_told_once_until_he_asks),
	    cmocka_unit_test(a_lock_keeps_imap_from_nothing),
	    cmocka_unit_test(words_of_the_wrong_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

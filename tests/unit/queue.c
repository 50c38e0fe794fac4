/* queue.c - the driver with a real box beneath it: a message from its coming to its end. */
#include "queue_rig.h"

struct place {
	struct random *random;
	struct queue_rig rig;
};

static void
init(struct place *p)
{
	p->random = random_seeded(5);
	rig_init(&p->rig, rig_memory(p->random), 5);
}

static void
fini(struct place *p)
{
	struct store *store = p->rig.store;

	rig_fini(&p->rig);
	store_close(store);
	random_close(p->random);
}

static const struct rig_mail to_far = {
    .sender = "alice@a.org", .rcpts = "bob@far.org", .trusted = true};

static struct spool_result
defers_then_takes(struct queue_rig *r, struct bytes recipient)
{
	(void)recipient;
	return r->tries < 3 ? rig_deferred : rig_delivered;
}

static struct spool_result
refuses(struct queue_rig *r, struct bytes recipient)
{
	(void)r;
	(void)recipient;
	return rig_refused;
}

static struct spool_result
defers(struct queue_rig *r, struct bytes recipient)
{
	(void)r;
	(void)recipient;
	return rig_deferred;
}

static void
a_message_goes_out(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 1);
	/* without our Return-Path field */
	assert_int_equal(p.rig.body_n, strlen("Subject: hello\r\n\r\nbody\r\n"));
	assert_memory_equal(p.rig.body, "Subject: hello\r\n", 16);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 0);
	fini(&p);
}

static void
a_large_body_goes_by_descriptor(void **state)
{
	static char text[7000];
	struct rig_mail m = to_far;
	struct place p;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "A: b\r\n\r\n", 8);
	m.text = text;
	m.large = true;
	init(&p);
	assert_int_equal(rig_send(&p.rig, &m), 0);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 1);
	assert_memory_equal(p.rig.body, text, p.rig.body_n);
	fini(&p);
}

static void
what_is_deferred_is_tried_again(void **state)
{
	struct spool_head head;
	struct spool_rcpt rcpt;
	struct place p;

	(void)state;
	init(&p);
	p.rig.outcome = defers_then_takes;
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 1);
	assert_true(rig_first(&p.rig, &head, &rcpt) != 0);
	assert_true(bytes_eq(head.sender, BYTES("alice@a.org")));
	assert_true(bytes_eq(rcpt.reply, BYTES("450 later")));
	assert_int_equal(rcpt.tries, 1);
	sim_run(p.rig.loop, 340 * 1000);
	assert_int_equal(p.rig.tries, 2);
	sim_run(p.rig.loop, 640 * 1000);
	assert_int_equal(p.rig.tries, 3);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 0);
	fini(&p);
}

static void
a_failure_is_told_to_the_sender(void **state)
{
	struct rig_mail m = to_far;
	struct place p;

	(void)state;
	init(&p);
	p.rig.outcome = refuses;
	m.rcpts = "bob@far.org eve@far.org carol@a.org";
	assert_int_equal(rig_send(&p.rig, &m), 0);
	sim_run(p.rig.loop, 2000);
	assert_int_equal(rig_mail_of(&p.rig, 2, "body"), 1);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 1);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Diagnostic-Code: smtp; 550 no\r\n"), 1);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Final-Recipient: rfc822; eve@far.org\r\n"), 1);
	assert_int_equal(rig_mail_of(&p.rig, 1, "\r\n\r\nSubject: hello\r\n"), 1);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	fini(&p);
}

static void
stored(void *owner, struct err e, uint64_t version)
{
	(void)owner;
	(void)version;
	assert_true(is_ok(e));
}

/* The record of carol's INBOX, in box's next life. */
static void
put_inbox(struct queue_rig *r, struct bytes value)
{
	const struct store_change c = {.key = BYTES("b\0\0\0\1"), .value = value};

	rig_box_kill(r);
	store_submit(r->store, shard_number(SHARD_ACCOUNT, 2), STORE_ANY, OP_NONE, &c, 1, stored,
	             NULL);
	assert_true(is_ok(store_turn(r->store)));
	rig_box_start(r);
}

/* Reports to a mailbox that is damaged wait until it is mended; those to others come at once. */
static void
a_report_that_cannot_go_holds_up_no_other(void **state)
{
	struct rig_mail m = {.sender = "carol@a.org", .rcpts = "carol@a.org"};
	struct arena arena = arena_init(0);
	struct store_entry whole;
	struct place p;

	(void)state;
	init(&p);
	p.rig.outcome = refuses;
	assert_int_equal(rig_send(&p.rig, &m), 0);
	assert_true(is_ok(store_get(p.rig.store, shard_number(SHARD_ACCOUNT, 2), BYTES("b\0\0\0\1"),
	                            &whole, &arena)));
	put_inbox(&p.rig, BYTES("damaged"));
	m.rcpts = "far@a.org";
	for (int i = 0; i < 10; i++)
		assert_int_equal(rig_send(&p.rig, &m), 0);
	sim_run(p.rig.loop, 60000);
	assert_int_equal(rig_spooled(&p.rig, 'q'), 10);
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 5000);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Action: failed"), 1);
	assert_int_equal(rig_spooled(&p.rig, 'q'), 10);
	put_inbox(&p.rig, whole.value);
	sim_run(p.rig.loop, 60000);
	assert_int_equal(rig_mail_of(&p.rig, 2, "Action: failed"), 10);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	arena_free(&arena);
	fini(&p);
}

/* Attack 64: a report that fails, and mail from <>, are told to nobody. */
static void
a_bounce_has_no_bounce(void **state)
{
	struct rig_mail m = to_far;
	struct place p;

	(void)state;
	init(&p);
	p.rig.outcome = refuses;
	m.sender = "";
	assert_int_equal(rig_send(&p.rig, &m), 0);
	m.sender = "liar@far.org"; /* its report goes out, and is refused */
	m.rcpts = "far@a.org";
	m.trusted = false;
	assert_int_equal(rig_send(&p.rig, &m), 0);
	sim_run(p.rig.loop, 5000);
	assert_int_equal(p.rig.tries, 3);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 0);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	fini(&p);
}

static void
a_long_delay_is_told_once_and_its_end(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	p.rig.outcome = defers;
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 3 * 3600 * 1000);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 0);
	sim_run(p.rig.loop, 2 * 3600 * 1000);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Action: delayed"), 1);
	rig_queue_kill(&p.rig); /* also not again by a new life */
	rig_queue_start(&p.rig);
	sim_run(p.rig.loop, UINT64_C(4) * 86400 * 1000);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 1);
	sim_run(p.rig.loop, UINT64_C(2) * 86400 * 1000);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 2);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Action: failed"), 1);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	fini(&p);
}

static void
whoever_is_away_is_waited_for(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	rig_out_kill(&p.rig);
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 60000);
	assert_int_equal(p.rig.tries, 0);
	rig_out_start(&p.rig);
	p.rig.silent = true;
	sim_run(p.rig.loop, 1000);
	rig_out_kill(&p.rig); /* in the midst of a try */
	p.rig.silent = false;
	rig_out_start(&p.rig);
	sim_run(p.rig.loop, 7000); /* seconds, not minutes */
	assert_int_equal(p.rig.tries, 1);
	rig_queue_kill(&p.rig);
	assert_int_equal(rig_send(&p.rig, &to_far), 0); /* nobody hears the news */
	rig_queue_start(&p.rig);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 2);
	rig_box_kill(&p.rig);
	sim_run(p.rig.loop, 20000);
	rig_box_start(&p.rig);
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 6000);
	assert_int_equal(p.rig.tries, 3);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	fini(&p);
}

static void
people_change_what_becomes_of_it(void **state)
{
	struct spool_head head;
	struct spool_rcpt rcpt;
	struct place p;
	uint64_t id;

	(void)state;
	init(&p);
	p.rig.outcome = defers;
	assert_int_equal(rig_send(&p.rig, &to_far), 0);
	sim_run(p.rig.loop, 1000);
	id = rig_first(&p.rig, &head, &rcpt);
	assert_int_equal(rig_change(&p.rig, id + 1, QUEUE_RETRY), ERR_NOTFOUND);
	assert_int_equal(rig_change(&p.rig, id, 9), ERR_SYNTAX);
	assert_int_equal(rig_change(&p.rig, id, QUEUE_RETRY), 0);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 2);
	assert_int_equal(rig_change(&p.rig, id, QUEUE_HOLD), 0);
	sim_run(p.rig.loop, 1000);
	rig_queue_kill(&p.rig);
	rig_queue_start(&p.rig); /* it stays so */
	assert_int_equal(rig_first(&p.rig, &head, &rcpt), id);
	assert_true(head.flags & SPOOL_HELD);
	sim_run(p.rig.loop, 86400 * 1000);
	assert_int_equal(p.rig.tries, 2);
	assert_int_equal(rig_change(&p.rig, 0, QUEUE_RELEASE), 0);
	assert_int_equal(p.rig.changed, 1);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(p.rig.tries, 3);
	assert_int_equal(rig_change(&p.rig, id, QUEUE_REMOVE), 0);
	sim_run(p.rig.loop, 1000);
	assert_int_equal(rig_first(&p.rig, &head, &rcpt), 0);
	assert_int_equal(rig_spooled(&p.rig, 'q') + rig_spooled(&p.rig, 'r'), 0);
	assert_int_equal(rig_mail_of(&p.rig, 1, "Action: failed"), 0);
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_goes_out),
	    cmocka_unit_test(a_large_body_goes_by_descriptor),
	    cmocka_unit_test(what_is_deferred_is_tried_again),
	    cmocka_unit_test(a_failure_is_told_to_the_sender),
	    cmocka_unit_test(a_report_that_cannot_go_holds_up_no_other),
	    cmocka_unit_test(a_bounce_has_no_bounce),
	    cmocka_unit_test(a_long_delay_is_told_once_and_its_end),
	    cmocka_unit_test(whoever_is_away_is_waited_for),
	    cmocka_unit_test(people_change_what_becomes_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

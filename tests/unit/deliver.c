/* deliver.c - who gets a message that is handed in, and what is kept of it when it cannot be. */
#include "queue_rig.h"

#include "store/disk_sim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	struct random *random;
	struct queue_rig rig;
};

static void
init(struct place *p)
{
	p->random = random_seeded(5);
	rig_init(&p->rig, rig_memory(p->random), 5);
	rig_out_kill(&p->rig); /* what is queued stays */
}

static void
fini(struct place *p)
{
	struct store *store = p->rig.store;

	rig_fini(&p->rig);
	store_close(store);
	random_close(p->random);
}

static void
granted(void *owner, struct err e, struct chan_word *w)
{
	struct talk_box_grant_answer a;

	(void)owner;
	assert_true(is_ok(e));
	assert_true(talk_box_grant_answer_get(&w->body, &a));
	assert_int_equal(a.code, 0);
}

static void
grant(struct place *p, struct talk_id handle, uint64_t account, enum role role)
{
	const struct talk_box_grant word = {
	    .handle = handle, .account = account, .role = (uint8_t)role};
	struct chan *auth = rig_join(&p->rig, p->rig.box_peers, ROLE_AUTH, ROLE_BOX);
	struct chan_ask ask = {.chan = NULL};

	assert_true(
	    is_ok(chan_ask(auth, &ask, talk_box_grant_out(&word), -1, 5000, granted, NULL)));
	sim_run(p->rig.loop, 100);
	chan_close(auth);
}

static const struct talk_id alices = {{1}}, carols = {{2}}, of_mail = {{3}}, unknown = {{4}},
			    nobodys = {{0}};

/* Who may send elsewhere. */
static const struct {
	const char *name, *sender, *rcpts;
	const struct talk_id *handle;
	bool trusted;
	uint8_t code;
	size_t queued, alice, carol;
} sends[] = {
    {"nobody relays", "eve@far.org", "x@far.org", &nobodys, false, ERR_DENIED, 0, 0, 0},
    {"also not beside others", "eve@far.org", "alice@a.org x@far.org", &nobodys, false, ERR_DENIED,
     0, 0, 0},
    {"a trusted network does", "eve@far.org", "alice@a.org x@far.org", &nobodys, true, 0, 1, 1, 0},
    {"who logged in does", "alice@a.org", "x@far.org", &alices, false, 0, 1, 0, 0},
    {"with any of their addresses", "Team@a.org", "x@far.org", &alices, false, 0, 1, 0, 0},
    {"and with a tag", "alice+tag@a.org", "x@far.org", &alices, false, 0, 1, 0, 0},
    {"and with none", "", "x@far.org", &alices, false, 0, 1, 0, 0},
    {"not as somebody else", "carol@a.org", "x@far.org", &alices, false, ERR_DENIED, 0, 0, 0},
    {"not as somebody elsewhere", "x@far.org", "x@far.org", &alices, false, ERR_DENIED, 0, 0, 0},
    {"not by another front's handle", "alice@a.org", "x@far.org", &of_mail, false, ERR_DENIED, 0, 0,
     0},
    {"not by a handle that is none", "alice@a.org", "x@far.org", &unknown, false, ERR_DENIED, 0, 0,
     0},
    {"an alias leads out for all", "eve@far.org", "far@a.org", &nobodys, false, 0, 1, 0, 0},
    {"each gets it once", "eve@far.org", "far@a.org team@a.org carol@a.org alice@a.org", &nobodys,
     false, 0, 1, 1, 1},
    {"two domains are one message", "eve@far.org", "a@x.org b@y.org", &nobodys, true, 0, 1, 0, 0},
    {"who has left is not forgotten", "eve@far.org", "alice@a.org gone@a.org", &nobodys, true,
     ERR_LATER, 0, 0, 0},
    {"nobody is there", "eve@far.org", "gone@a.org", &nobodys, true, ERR_NOTFOUND, 0, 0, 0},
    {"no address", "eve@far.org", "nonsense", &nobodys, true, ERR_NOTFOUND, 0, 0, 0},
};

static void
who_may_send_where(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sends); i++) {
		struct rig_mail m = {.sender = sends[i].sender,
		                     .rcpts = sends[i].rcpts,
		                     .trusted = sends[i].trusted,
		                     .handle = *sends[i].handle};
		struct place p;
		uint8_t code;

		init(&p);
		rig_people(&p.rig, PEOPLE_ADD_ALIAS, "team@a.org", "alice@a.org carol@a.org");
		grant(&p, alices, 1, ROLE_SMTP);
		grant(&p, carols, 2, ROLE_SMTP);
		grant(&p, of_mail, 1, ROLE_MAIL);
		code = rig_send(&p.rig, &m);
		if (code != sends[i].code || rig_spooled(&p.rig, 'q') != sends[i].queued ||
		    rig_mail_of(&p.rig, 1, NULL) != sends[i].alice ||
		    rig_mail_of(&p.rig, 2, NULL) != sends[i].carol)
			fail_msg("%s: %u, %zu, %zu, %zu", sends[i].name, code,
			         rig_spooled(&p.rig, 'q'), rig_mail_of(&p.rig, 1, NULL),
			         rig_mail_of(&p.rig, 2, NULL));
		fini(&p);
	}
}

static void
the_same_operation_adds_nothing(void **state)
{
	struct rig_mail m = {
	    .sender = "eve@far.org", .rcpts = "alice@a.org x@far.org", .trusted = true, .op = 7};
	struct place p;

	(void)state;
	init(&p);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_send(&p.rig, &m), 0);
		if (i == 1) { /* also not in another life */
			rig_box_kill(&p.rig);
			rig_box_start(&p.rig);
		}
	}
	assert_int_equal(rig_spooled(&p.rig, 'q'), 1);
	assert_int_equal(rig_spooled(&p.rig, 'r'), 1);
	assert_int_equal(rig_mail_of(&p.rig, 1, NULL), 1);
	fini(&p);
}

/* More recipients than one queued message may have become several, with ids that rise. */
static void
many_recipients_are_several_messages(void **state)
{
	enum { LISTS = 4, OF_ONE = 300 };
	struct rig_mail m = {
	    .sender = "eve@far.org", .rcpts = "l0@a.org l1@a.org l2@a.org l3@a.org", .op = 9};
	struct place p;

	(void)state;
	init(&p);
	for (int l = 0; l < LISTS; l++) {
		static char targets[OF_ONE * 13 + 1];
		char name[16];
		size_t at = 0;

		for (int i = 0; i < OF_ONE; i++)
			at += (size_t)snprintf(targets + at, sizeof(targets) - at, "%s%d@f.org",
			                       i ? " " : "", l * OF_ONE + i);
		snprintf(name, sizeof(name), "l%d@a.org", l);
		rig_people(&p.rig, PEOPLE_ADD_ALIAS, name, targets);
	}
	assert_int_equal(rig_send(&p.rig, &m), 0);
	assert_int_equal(rig_spooled(&p.rig, 'r'), LISTS * OF_ONE);
	assert_in_range(rig_spooled(&p.rig, 'q'), 3, 5);
	assert_int_equal(rig_send(&p.rig, &m), 0);
	assert_int_equal(rig_spooled(&p.rig, 'r'), LISTS * OF_ONE);
	rig_queue_kill(&p.rig);
	rig_queue_start(&p.rig); /* all of them are loaded, and go */
	sim_run(p.rig.loop, 10000);
	assert_int_equal(p.rig.tries, 14); /* at most 100 at a time */
	assert_int_equal(rig_spooled(&p.rig, 'r') + rig_spooled(&p.rig, 'q'), 0);
	fini(&p);
}

/* More than a page of messages, in all partitions. */
static void
a_long_queue_is_loaded_whole(void **state)
{
	const struct rig_mail m = {.sender = "someone-with-a-long-name@example.org",
	                           .rcpts = "x@far.org",
	                           .trusted = true};
	struct place p;

	(void)state;
	init(&p);
	rig_queue_kill(&p.rig);
	for (int i = 0; i < 250; i++)
		assert_int_equal(rig_send(&p.rig, &m), 0);
	for (int i = 0; i < 250; i++) {
		struct rig_mail more = m;

		more.op = (uint8_t)(i + 1);
		assert_int_equal(rig_send(&p.rig, &more), 0);
	}
	assert_int_equal(rig_spooled(&p.rig, 'q'), 500);
	rig_queue_start(&p.rig);
	sim_run(p.rig.loop, 60000);
	assert_int_equal(p.rig.tries, 500);
	assert_int_equal(rig_spooled(&p.rig, 'q'), 0);
	fini(&p);
}

/* A clock that goes back gives no id twice. */
static void
ids_rise_over_lives(void **state)
{
	const struct rig_mail m = {.sender = "eve@far.org", .rcpts = "x@far.org", .trusted = true};
	struct spool_head head;
	struct spool_rcpt rcpt;
	uint64_t last = 0;
	struct place p;

	(void)state;
	init(&p);
	for (int i = 0; i < 20; i++) {
		struct loop *old = p.rig.loop;
		uint64_t id;

		assert_int_equal(rig_send(&p.rig, &m), 0);
		sim_run(old, 100);
		id = rig_first(&p.rig, &head, &rcpt);
		assert_true(id > last);
		last = id;
		assert_int_equal(rig_change(&p.rig, id, QUEUE_REMOVE), 0);
		sim_run(old, 1000);
		assert_int_equal(rig_spooled(&p.rig, 'q'), 0);
		rig_queue_kill(&p.rig);
		rig_box_kill(&p.rig);
		loop_close(old); /* a new one begins in 2024 again */
		assert_true(is_ok(loop_sim_open(&p.rig.loop, 5)));
		rig_box_start(&p.rig);
		rig_queue_start(&p.rig);
		rig_out_kill(&p.rig);
	}
	fini(&p);
}

/* ---- the real engine, and a disk that is full ---- */

struct logged {
	char dir[64];
	int home, folder;
	struct disk_sim *disk;
	struct random *random;
	struct store_conf conf;
	struct queue_rig rig;
};

static void
logged_open(struct logged *l)
{
	struct store *store;

	strcpy(l->dir, "/tmp/stead-deliver-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	l->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l->folder = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	l->disk = disk_sim_new(7);
	l->random = random_seeded(7);
	l->conf = (struct store_conf){.engine = STORE_LOG,
	                              .dir_fd = DISK_SIM_DIR,
	                              .disk = disk_sim_disk(l->disk),
	                              .random = l->random,
	                              .segment_size = 1024 * 1024,
	                              .map_size = UINT64_C(1) << 30};
	assert_int_equal(fchdir(l->folder), 0);
	assert_true(is_ok(store_open(&store, &l->conf)));
	rig_init(&l->rig, store, 7);
	rig_out_kill(&l->rig);
}

static void
logged_close(struct logged *l)
{
	rig_fini(&l->rig);
	store_close(l->rig.store);
	disk_sim_free(l->disk);
	random_close(l->random);
	unlinkat(l->folder, "index", 0);
	unlinkat(l->folder, "index-lock", 0);
	unlinkat(l->folder, "data.mdb", 0);
	unlinkat(l->folder, "lock.mdb", 0);
	assert_int_equal(fchdir(l->home), 0);
	close(l->home);
	close(l->folder);
	assert_int_equal(rmdir(l->dir), 0);
}

static void
a_full_disk_is_told(void **state)
{
	static char text[7000];
	struct rig_mail m = {.sender = "eve@far.org",
	                     .rcpts = "alice@a.org carol@a.org x@far.org",
	                     .text = text,
	                     .trusted = true};
	struct logged l;
	size_t n = 0, alice;
	uint8_t code;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	memcpy(text, "A: b\r\n\r\n", 8);
	logged_open(&l);
	disk_sim_space(l.disk, 0);
	while ((code = rig_send(&l.rig, &m)) == 0 && n < 250) /* what was reserved is used up */
		n++;
	assert_int_equal(code, ERR_FULL);
	/* where the last octets of space went between the rows of one message, some have it */
	assert_in_range(rig_spooled(&l.rig, 'q'), n, n + 1);
	assert_in_range(rig_mail_of(&l.rig, 1, NULL), n, n + 1);
	assert_in_range(rig_mail_of(&l.rig, 2, NULL), n, n + 1);
	for (int i = 0; i < 5; i++) { /* and behind that nobody */
		size_t queued = rig_spooled(&l.rig, 'q');

		alice = rig_mail_of(&l.rig, 1, NULL);
		assert_int_equal(rig_send(&l.rig, &m), ERR_FULL);
		assert_int_equal(rig_spooled(&l.rig, 'q'), queued);
		assert_int_equal(rig_mail_of(&l.rig, 1, NULL), alice);
	}
	disk_sim_space(l.disk, UINT64_MAX);
	n = rig_spooled(&l.rig, 'q');
	alice = rig_mail_of(&l.rig, 1, NULL);
	m.op = 3;
	assert_int_equal(rig_send(&l.rig, &m), 0);
	assert_int_equal(rig_send(&l.rig, &m), 0);
	assert_int_equal(rig_spooled(&l.rig, 'q'), n + 1);
	assert_int_equal(rig_mail_of(&l.rig, 1, NULL), alice + 1);
	logged_close(&l);
}

/* What was answered is there behind a crash, in mailbox and queue both. */
static void
what_was_answered_outlives_power(void **state)
{
	const struct rig_mail m = {
	    .sender = "eve@far.org", .rcpts = "alice@a.org x@far.org", .trusted = true};
	struct logged l;

	(void)state;
	logged_open(&l);
	for (size_t i = 1; i <= 20; i++) {
		assert_int_equal(rig_send(&l.rig, &m), 0);
		rig_queue_kill(&l.rig);
		rig_box_kill(&l.rig);
		store_close(l.rig.store);
		disk_sim_crash(l.disk);
		unlinkat(l.folder, "index", 0);
		assert_true(is_ok(store_open(&l.rig.store, &l.conf)));
		rig_box_start(&l.rig);
		rig_queue_start(&l.rig);
		rig_out_kill(&l.rig);
		assert_int_equal(rig_mail_of(&l.rig, 1, NULL), i);
		assert_int_equal(rig_spooled(&l.rig, 'q'), i);
		assert_int_equal(rig_spooled(&l.rig, 'r'), i);
	}
	rig_out_start(&l.rig);
	sim_run(l.rig.loop, 10000);
	assert_int_equal(l.rig.tries, 20);
	assert_int_equal(rig_spooled(&l.rig, 'q'), 0);
	logged_close(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_may_send_where),
	    cmocka_unit_test(the_same_operation_adds_nothing),
	    cmocka_unit_test(many_recipients_are_several_messages),
	    cmocka_unit_test(a_long_queue_is_loaded_whole),
	    cmocka_unit_test(ids_rise_over_lives),
	    cmocka_unit_test(a_full_disk_is_told),
	    cmocka_unit_test(what_was_answered_outlives_power),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Attack 111: the power fails in append, copy, move, expunge or a change of flags, at every write
 * and sync.  No UID is given twice, the next UID and the modseq never fall, UIDVALIDITY stays, what
 * was told to be expunged stays so, and what was told to be there is there.
 */
#include "../box_rig.h"

#include "store/disk_sim.h"

#include <errno.h>

enum { BOXES = 3, UIDS = 4096, STEPS = 40 };
static const char *const names[BOXES] = {"INBOX", "Sent", "work/x"};

enum fate { NEVER, UNKNOWN, THERE, GONE };
struct ledger {
	struct place p;
	struct disk_sim *sim;
	struct random *random;
	uint32_t number[BOXES], validity[BOXES], uidnext[BOXES];
	uint64_t modseq[BOXES];
	uint8_t fate[BOXES][UIDS];
};

/* False: the power has failed. */
static bool
settled(struct ledger *l)
{
	while (store_pending(l->p.rig.s) || mailboxes_busy(l->p.m)) {
		mailboxes_work(l->p.m);
		if (store_pending(l->p.rig.s) && !is_ok(store_turn(l->p.rig.s)))
			return false;
	}
	return true;
}

/* What of each mailbox is told; it must not be less than before. */
static void
check(struct ledger *l)
{
	for (int b = 0; b < BOXES; b++) {
		struct told *t = open_as(&l->p, 1, names[b], true);
		struct message_row row;

		if (t->e.code == ERR_NOTFOUND && !l->number[b])
			continue;
		assert_true(is_ok(t->e));
		assert_true(!l->number[b] || t->info.number == l->number[b]);
		assert_true(!l->validity[b] || t->info.uidvalidity == l->validity[b]);
		assert_true(t->info.uidnext >= l->uidnext[b]);
		assert_true(t->info.modseq >= l->modseq[b]);
		l->number[b] = t->info.number;
		l->validity[b] = t->info.uidvalidity;
		l->uidnext[b] = t->info.uidnext;
		l->modseq[b] = t->info.modseq;
		for (uint32_t uid = 1; uid < t->info.uidnext && uid < UIDS; uid++) {
			bool there = row_of(&l->p, l->number[b], uid, 0, &row);
			uint8_t text[32];
			struct wr w = wr_of(text, sizeof(text));

			assert_true(!there || l->fate[b][uid] != GONE);
			assert_true(there || l->fate[b][uid] != THERE);
			if (there) {
				assert_true(is_ok(mailbox_read(l->p.m, 1, l->number[b], uid, 0,
				                               sizeof(text), &w)));
				assert_true(bytes_eq(wr_since(&w, text), BYTES("appended text")));
				assert_true(row.modseq <= l->modseq[b]);
			}
			l->fate[b][uid] = there ? THERE : GONE;
		}
	}
}

static void
mark(struct ledger *l, int b, struct bytes list, enum fate fate)
{
	struct rd r = rd_of(list);
	struct uid_range x;

	while (uid_range_get(&r, &x))
		for (uint32_t uid = x.first; uid <= x.last && uid < UIDS; uid++) {
			if (fate == THERE) /* it was never given before */
				assert_true(l->fate[b][uid] == NEVER && uid >= l->uidnext[b]);
			if (fate != UNKNOWN || l->fate[b][uid] == THERE)
				l->fate[b][uid] = (uint8_t)fate;
		}
}

/* What is begun may be done or not, until it is told. */
static bool
append_step(struct ledger *l, int b)
{
	static struct told t;
	const struct store_body body = {.bytes = BYTES("appended text"), .fd = -1};
	struct answer put = {OK, 0, 0};
	const struct appending a = {.account = 1,
	                            .op = op(++l->p.ops),
	                            .mailbox = bytes_of(names[b]),
	                            .summary = BYTES("appended"),
	                            .blob = store_blob_new(l->p.rig.s),
	                            .size = 13,
	                            .now_s = NOW};
	uint8_t room[8];
	struct wr w = wr_of(room, sizeof(room));

	t.calls = 0;
	store_blob_put(l->p.rig.s, a.blob, &body, rig_done, &put);
	mailbox_append(l->p.m, &a, told_appended, &t);
	if (!settled(l))
		return false;
	assert_true(t.calls == 1 && is_ok(t.e));
	uid_range_put(&w, (struct uid_range){t.uid, t.uid});
	mark(l, b, wr_since(&w, room), THERE);
	l->uidnext[b] = t.uid + 1;
	return true;
}

static bool
copy_step(struct ledger *l, int b, bool move)
{
	static struct told t;
	int to = (b + 1) % BOXES;
	struct bytes which = ranges("2:9 12:*");
	const struct copying c = {.account = 1,
	                          .op = op(++l->p.ops),
	                          .mailbox = l->number[b],
	                          .move = move,
	                          .to = bytes_of(names[to]),
	                          .ranges = which,
	                          .now_s = NOW};

	if (l->uidnext[to] > UIDS / 2)
		return true;
	if (move)
		mark(l, b, ranges("2:9 12:4000"), UNKNOWN);
	t.calls = 0;
	change_copy(l->p.m, &c, told_answer, &t);
	if (!settled(l))
		return false;
	assert_true(t.calls == 1 && is_ok(t.e));
	mark(l, to, t.answer.uids, THERE);
	if (move)
		mark(l, b, t.answer.gone, GONE);
	l->uidnext[to] = t.answer.uidnext;
	return true;
}

static bool
expunge_step(struct ledger *l, int b)
{
	static struct told t;

	mark(l, b, ranges("1:3 6:7"), UNKNOWN);
	t.calls = 0;
	change_remove(l->p.m, 1, l->number[b], false, ranges("1:3 6:7"), told_answer, &t);
	if (!settled(l))
		return false;
	assert_true(t.calls == 1 && is_ok(t.e));
	for (uint32_t uid = 1; uid <= 7 && uid < l->uidnext[b]; uid++)
		if (uid <= 3 || uid >= 6)
			l->fate[b][uid] = GONE;
	return true;
}

static bool
flags_step(struct ledger *l, int b)
{
	static struct told t;

	t.calls = 0;
	change_flags(l->p.m, 1, l->number[b], FLAGS_SET, (uint32_t)random_below(l->random, 32),
	             words("a b"), ranges("1:*"), told_answer, &t);
	if (!settled(l))
		return false;
	assert_true(t.calls == 1 && is_ok(t.e));
	if (t.answer.modseq) { /* 0: all had these flags */
		assert_true(t.answer.modseq >= l->modseq[b]);
		l->modseq[b] = t.answer.modseq;
	}
	return true;
}

static bool
step(struct ledger *l)
{
	int b = (int)random_below(l->random, BOXES);

	switch (random_below(l->random, 7)) {
	case 0:
		return copy_step(l, b, false);
	case 1:
		return copy_step(l, b, true);
	case 2:
		return expunge_step(l, b);
	case 3:
		return flags_step(l, b);
	default:
		return append_step(l, b);
	}
}

/* How often the power failed. */
static int
one_life_after_another(uint64_t seed)
{
	struct ledger *l = calloc(1, sizeof(*l));
	struct said s = {0};
	int failures = 0;

	l->random = random_seeded(seed);
	rig_init_in(&l->p.rig, access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", STORE_LOG, seed);
	l->sim = disk_sim_new(seed);
	l->p.rig.conf.disk = disk_sim_disk(l->sim);
	l->p.rig.conf.dir_fd = DISK_SIM_DIR;
	open_place(&l->p);
	folders_change(l->p.m, 1, FOLDER_CREATE, BYTES("work/x"), NO_BYTES, NOW, done, &s);
	assert_true(settled(l) && is_ok(s.e));
	check(l);
	for (int i = 0; i < STEPS; i++) {
		disk_sim_fail(l->sim, 1 + random_below(l->random, 5), EIO);
		if (step(l)) {
			disk_sim_fail(l->sim, UINT32_MAX, EIO);
			check(l);
			continue;
		}
		failures++;
		rig_close(&l->p.rig);
		mailboxes_close(l->p.m);
		disk_sim_crash(l->sim);
		disk_sim_fail(l->sim, UINT32_MAX, EIO);
		open_place(&l->p);
		check(l);
	}
	close_place(&l->p);
	rig_fini(&l->p.rig);
	disk_sim_free(l->sim);
	random_close(l->random);
	free(l);
	return failures;
}

static void
attack_111_mailbox_kill(void **state)
{
	int failures = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 25; seed++)
		failures += one_life_after_another(seed);
	assert_true(failures > 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_111_mailbox_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

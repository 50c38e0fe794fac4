/* change.c - flags, keywords, expunging, copies, appends, and what others are told of it. */
#include "../box_rig.h"

#include "box/record.h"

enum { INBOX = MAILBOX_INBOX };

static uint32_t
number_of(struct place *p, const char *name)
{
	return look(p, name).number;
}

static void
appends(struct place *p, const char *mailbox, size_t n)
{
	for (size_t i = 0; i < n; i++)
		append(p, mailbox, i % 2 ? FLAG_SEEN : 0, "");
}

/* The rows of a mailbox as "uid:flags:keywords ...". */
static const char *
rows(struct place *p, uint32_t mailbox)
{
	static char text[4096];
	static uint8_t room[ROOM];
	struct wr w = wr_of(room, sizeof(room));
	struct message_row row;
	struct rd r;
	size_t n = 0;
	bool more;

	text[0] = 0;
	assert_true(is_ok(mailbox_rows(p->m, 1, mailbox, 0, ranges("1:*"), &w, &more)));
	for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row);)
		n += (size_t)snprintf(text + n, 40, "%s%u:%x:%x", n ? " " : "", row.uid, row.flags,
		                      (unsigned)row.keywords);
	return text;
}

/* ---- flags ---- */

static void
flags_are_set_added_removed(struct place *p)
{
	static const struct {
		enum flags_how how;
		uint32_t flags;
		const char *keywords, *which, *rows;
	} steps[] = {
	    {FLAGS_ADD, FLAG_SEEN, "", "1", "1:1:0 2:0:0 3:0:0"},
	    {FLAGS_ADD, FLAG_FLAGGED, "$Work", "1:2", "1:5:1 2:4:1 3:0:0"},
	    {FLAGS_SET, FLAG_DRAFT, "later $WORK", "2 3", "1:5:1 2:10:3 3:10:3"},
	    {FLAGS_REMOVE, FLAG_DRAFT, "$work other", "2:*", "1:5:1 2:0:2 3:0:2"},
	    {FLAGS_SET, 0, "", "1:*", "1:0:0 2:0:0 3:0:0"},
	    {FLAGS_ADD, 0xffffffff, "", "3 7:9", "1:0:0 2:0:0 3:1f:0"},
	};

	append(p, "INBOX", 0, "");
	append(p, "INBOX", 0, "");
	append(p, "INBOX", 0, "");
	for (size_t i = 0; i < COUNT(steps); i++) {
		struct told *t =
		    flag(p, INBOX, steps[i].how, steps[i].flags, steps[i].keywords, steps[i].which);

		assert_true(is_ok(t->e));
		assert_string_equal(rows(p, INBOX), steps[i].rows);
		reopen(p);
		assert_string_equal(rows(p, INBOX), steps[i].rows);
	}
	assert_true(bytes_eq(look(p, "INBOX").keywords, words("$Work later")));
}

static void
a_row_that_stays_as_it_is_is_not_written(struct place *p)
{
	struct message_row row, same;
	struct told *t;
	uint64_t modseq;

	appends(p, "INBOX", 4);
	assert_true(row_of(p, INBOX, 2, 0, &row));
	t = flag(p, INBOX, FLAGS_ADD, FLAG_SEEN, "", "1:*");
	modseq = t->answer.modseq;
	assert_true(modseq > row.modseq);
	assert_true(row_of(p, INBOX, 2, 0, &same));
	assert_int_equal(same.modseq, row.modseq);
	assert_true(row_of(p, INBOX, 1, 0, &same));
	assert_int_equal(same.modseq, modseq);
	t = flag(p, INBOX, FLAGS_ADD, FLAG_SEEN, "", "1:*");
	assert_int_equal(t->answer.modseq, 0); /* nothing changed */
}

static void
sixty_four_keywords(struct place *p)
{
	char name[16];
	struct told *t;

	append(p, "INBOX", 0, "");
	for (int i = 0; i < KEYWORDS_MAX; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		assert_true(is_ok(flag(p, INBOX, FLAGS_ADD, 0, name, "1")->e));
	}
	assert_int_equal(flag(p, INBOX, FLAGS_ADD, FLAG_SEEN, "K3 one-more", "1")->e.code,
	                 ERR_FULL);
	assert_int_equal(append_as(p, op(++p->ops), 1, "INBOX", 0, "two", "x")->e.code, ERR_FULL);
	for (int life = 0; life < 2; life++) {
		struct message_row row;

		t = flag(p, INBOX, FLAGS_ADD, 0, "K63", "1");
		assert_true(is_ok(t->e));
		assert_int_equal(t->answer.keywords.n, 10 * 3 + 54 * 4);
		assert_true(row_of(p, INBOX, 1, 0, &row));
		assert_true(row.keywords == UINT64_MAX && row.flags == 0);
		reopen(p);
	}
	static const char *const bad[] = {"a(b", "a%", "\"", "a]", "\\Seen", "\xc3\xa4"};

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(flag(p, INBOX, FLAGS_ADD, 0, bad[i], "1")->e.code, ERR_SYNTAX);
}

static void
what_is_asked_of_no_mailbox_or_no_ranges(struct place *p)
{
	struct told *t = told_fresh();
	uint8_t wrong[8] = {0, 0, 0, 2, 0, 0, 0, 1};

	append(p, "INBOX", 0, "");
	assert_int_equal(flag(p, 99, FLAGS_ADD, 1, "", "1")->e.code, ERR_NOTFOUND);
	assert_int_equal(expunge(p, 99, false, "1")->e.code, ERR_NOTFOUND);
	assert_int_equal(copy_as(p, op(9), 99, "Sent", false, "1")->e.code, ERR_NOTFOUND);
	assert_int_equal(copy_as(p, op(9), 1, "nowhere", false, "1")->e.code, ERR_NOTFOUND);
	assert_int_equal(copy_as(p, op(9), 1, "../x", false, "1")->e.code, ERR_NOTFOUND);
	assert_int_equal(append_as(p, op(9), 1, "nowhere", 0, "", "x")->e.code, ERR_NOTFOUND);
	assert_int_equal(changes(p, 99, (struct mailbox_place){0})->e.code, ERR_NOTFOUND);
	assert_int_equal(flag(p, 1, FLAGS_ADD, 1, "", "3 2")->e.code, ERR_SYNTAX);
	t = told_fresh();
	change_flags(p->m, 1, 1, FLAGS_ADD, 1, NO_BYTES, (struct bytes){wrong, 8}, told_answer, t);
	assert_int_equal(told_now(p, t)->e.code, ERR_SYNTAX);
	change_flags(p->m, 1, 1, FLAGS_ADD, 1, NO_BYTES, (struct bytes){wrong, 7}, told_answer,
	             told_fresh());
	assert_int_equal(told_now(p, t)->e.code, ERR_SYNTAX);
	assert_string_equal(rows(p, INBOX), "1:0:0");
}

/* ---- expunging ---- */

static void
only_what_is_deleted_goes(struct place *p)
{
	appends(p, "INBOX", 6);
	flag(p, INBOX, FLAGS_ADD, FLAG_DELETED, "", "2 4:5");
	flag(p, INBOX, FLAGS_REMOVE, FLAG_DELETED, "", "5");
	assert_int_equal(expunge(p, INBOX, true, "1:4 5")->answer.removed, 2);
	assert_string_equal(all_uids(p, INBOX), "1 3 5:6");
	assert_int_equal(look(p, "INBOX").count, 4);
	assert_int_equal(look(p, "INBOX").unseen, 1);
	expunge(p, INBOX, false, "1:3");
	reopen(p);
	assert_string_equal(all_uids(p, INBOX), "5:6");
	assert_int_equal(look(p, "INBOX").unseen, 5);
	assert_int_equal(append(p, "INBOX", 0, ""), 7);
	expunge(p, INBOX, false, "1:*");
	reopen(p);
	assert_string_equal(all_uids(p, INBOX), "");
	assert_int_equal(append(p, "INBOX", 0, ""), 8);
}

/* ---- append ---- */

static void
an_append_is_done_once(struct place *p)
{
	const struct op_id id = op(777);
	struct message_row row;
	struct told *t = append_as(p, id, 1, "Drafts", FLAG_DRAFT | FLAG_SEEN, "a b", "first");
	uint32_t validity = t->uidvalidity, drafts = number_of(p, "Drafts");

	t = append_as(p, id, 1, "Drafts", FLAG_DRAFT, "", "first");
	assert_true(is_ok(t->e) && t->uid == 1 && t->uidvalidity == validity);
	reopen(p);
	t = append_as(p, id, 1, "Drafts", FLAG_DRAFT, "", "first");
	assert_true(is_ok(t->e) && t->uid == 1 && t->uidvalidity == validity);
	assert_string_equal(rows(p, drafts), "1:11:3");
	assert_int_equal(look(p, "Drafts").count, 1);
	assert_true(row_of(p, drafts, 1, ROW_SUMMARY, &row));
	assert_true(bytes_eq(row.summary, BYTES("appended")));
	assert_int_equal(row.received_s, NOW + 1);
	assert_int_equal(row.size, 5);
	assert_true(row_of(p, drafts, 1, 0, &row));
	assert_int_equal(row.summary.n, 0);
	assert_true(append(p, "Drafts", 0, "") > 1); /* a number may be left out */
}

/* ---- copies ---- */

static void
a_copy_has_all_of_it(struct place *p)
{
	uint8_t text[32];
	struct wr w = wr_of(text, sizeof(text));
	struct message_row row;
	uint32_t sent = number_of(p, "Sent");
	struct told *t;

	append(p, "Sent", 0, "x1 x2 x3");
	appends(p, "INBOX", 4);
	flag(p, INBOX, FLAGS_ADD, FLAG_FLAGGED, "y X3", "2 4");
	expunge(p, INBOX, false, "3");
	t = copy_as(p, op(1000), INBOX, "Sent", false, "2:9");
	assert_true(is_ok(t->e));
	assert_string_equal(text_of(t->answer.gone), "2 4");
	assert_string_equal(text_of(t->answer.uids), "2:3");
	assert_int_equal(t->answer.uidvalidity, look(p, "Sent").uidvalidity);
	assert_string_equal(rows(p, sent), "1:0:7 2:5:c 3:5:c");
	expunge(p, INBOX, false, "1:*"); /* the copy keeps the body */
	reopen(p);
	assert_true(row_of(p, sent, 3, ROW_SUMMARY, &row));
	assert_true(bytes_eq(row.summary, BYTES("appended")));
	assert_true(is_ok(mailbox_read(p->m, 1, sent, 3, 0, 32, &w)));
	assert_true(bytes_eq(wr_since(&w, text), BYTES("appended text")));
	t = copy_as(p, op(1001), sent, "Sent", false, "1:*"); /* to itself */
	assert_string_equal(text_of(t->answer.uids), "4:6");
	t = copy_as(p, op(1002), sent, "Sent", true, "1:2");
	assert_string_equal(text_of(t->answer.uids), "7:8");
	assert_string_equal(all_uids(p, sent), "3:8");
	assert_int_equal(look(p, "Sent").count, 6);
}

static void
a_move_is_told_once_more(struct place *p)
{
	const struct op_id id = op(4711);
	struct told *t;

	appends(p, "INBOX", 5);
	for (int life = 0; life < 3; life++) {
		t = copy_as(p, id, INBOX, "Trash", true, "2:4");
		assert_true(is_ok(t->e));
		assert_string_equal(text_of(t->answer.gone), "2:4");
		assert_string_equal(text_of(t->answer.uids), "1:3");
		assert_string_equal(all_uids(p, INBOX), "1 5");
		assert_string_equal(all_uids(p, number_of(p, "Trash")), "1:3");
		if (life == 1)
			reopen(p);
	}
	assert_int_equal(look(p, "INBOX").count, 2);
	assert_int_equal(look(p, "Trash").count, 3);
}

enum { MANY = 2600 };

static void
fill_many(struct place *p)
{
	appends(p, "Sent", 1);
	for (size_t n = 1; n < MANY; n *= 2) /* by copies to itself */
		copy_as(p, op(++p->ops), number_of(p, "Sent"), "Sent", false, "1:*");
}

static void
many_at_once(struct place *p)
{
	uint32_t sent = number_of(p, "Sent"), n;
	struct mailbox_info info;
	struct told *t;

	fill_many(p);
	n = look(p, "Sent").count;
	assert_true(n >= MANY);
	t = copy_as(p, op(100005), sent, "Junk", false, "1:*");
	assert_int_equal(look(p, "Junk").count, n);
	t = copy_as(p, op(100005), sent, "Junk", false, "1:*"); /* all of its parts are known */
	assert_int_equal(t->answer.uids.n, 8);
	assert_int_equal(look(p, "Junk").count, n);
	flag(p, sent, FLAGS_ADD, FLAG_SEEN | FLAG_DELETED, "k", "1:*");
	info = look(p, "Sent");
	assert_int_equal(info.unseen, 0);
	flag(p, sent, FLAGS_REMOVE, FLAG_DELETED, "", "1000");
	reopen(p);
	assert_int_equal(look(p, "Sent").unseen, 0);
	assert_int_equal(expunge(p, sent, true, "1:*")->answer.removed, n - 1);
	assert_string_equal(all_uids(p, sent), "1000");
	t = copy_as(p, op(100006), number_of(p, "Junk"), "Sent", true, "1:*");
	assert_string_equal(all_uids(p, number_of(p, "Junk")), "");
	reopen(p);
	assert_int_equal(look(p, "Sent").count, n + 1);
	assert_true(look(p, "Sent").modseq > info.modseq);
}

/* ---- changes ---- */

struct view {
	uint64_t modseq;
	struct mailbox_place place;
	bool there[MANY * 3];
	uint32_t flags[MANY * 3];
};

/* Follows the changes, as a session does, and must see the mailbox as it is then. */
static size_t
follow(struct place *p, uint32_t mailbox, struct view *v)
{
	static uint8_t room[ROOM];
	struct message_row row;
	uint32_t from = 1, seen = 0;
	struct told *t;
	size_t answers = 0;
	bool more;
	struct rd r;

	v->place.since = v->modseq;
	do {
		struct uid_range x;

		t = changes(p, mailbox, v->place);
		assert_true(is_ok(t->e));
		assert_true(t->answer.modseq >= v->modseq);
		for (r = rd_of(t->answer.gone); uid_range_get(&r, &x);)
			for (uint32_t uid = x.first; uid <= x.last; uid++)
				v->there[uid] = false;
		for (r = rd_of(t->answer.rows); message_row_get(&r, &row);) {
			v->there[row.uid] = true;
			v->flags[row.uid] = row.flags;
		}
		v->modseq = t->answer.modseq;
		v->place = t->answer.place;
		assert_int_equal(v->place.since, v->modseq);
		assert_true(++answers < 200);
	} while (t->answer.more);
	do {
		struct wr w = wr_of(room, sizeof(room));
		char which[32];

		snprintf(which, sizeof(which), "%u:*", from);
		assert_true(is_ok(mailbox_rows(p->m, 1, mailbox, 0, ranges(which), &w, &more)));
		for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row); seen++) {
			assert_true(v->there[row.uid]);
			assert_int_equal(v->flags[row.uid], row.flags);
			from = row.uid + 1;
		}
	} while (more);
	for (size_t i = 0; i < COUNT(v->there); i++)
		seen -= v->there[i];
	assert_int_equal(seen, 0);
	return answers;
}

/* Random changes; sessions that ask often, seldom, and after a new life. */
static void
who_follows_sees_it_as_it_is(struct place *p)
{
	static struct view views[4];
	struct random *random = random_seeded(7);
	uint32_t drafts = number_of(p, "Drafts");

	memset(views, 0, sizeof(views));
	for (int i = 0; i < 700; i++) {
		uint32_t next = look(p, "Drafts").uidnext;
		char which[32];

		snprintf(which, sizeof(which), "%u:%u", 1 + (uint32_t)random_below(random, next),
		         next + 5);
		switch (random_below(random, 6)) {
		case 0:
		case 1:
			append(p, "Drafts", (uint32_t)random_below(random, 8), "");
			break;
		case 2:
			flag(p, drafts, FLAGS_SET, (uint32_t)random_below(random, 32), "", which);
			break;
		case 3:
			if (random_below(random, 4) == 0 && next < MANY)
				copy_as(p, op(++p->ops), drafts, "Drafts", false, which);
			break;
		default:
			snprintf(which, sizeof(which), "%u",
			         1 + (uint32_t)random_below(random, next));
			expunge(p, drafts, false, which);
			break;
		}
		follow(p, drafts, &views[0]);
		if (i % 10 == 0)
			follow(p, drafts, &views[1]);
		if (i % 150 == 0) {
			reopen(p);
			follow(p, drafts, &views[2]);
		}
	}
	follow(p, drafts, &views[3]); /* from the very beginning, behind more than is remembered */
	memset(&views[3], 0, sizeof(views[3]));
	reopen(p);
	follow(p, drafts, &views[3]);
	follow(p, drafts, &views[2]);
	random_close(random);
}

static void
many_changes_come_in_pieces(struct place *p)
{
	static struct view v;
	uint32_t sent = number_of(p, "Sent");

	memset(&v, 0, sizeof(v));
	fill_many(p);
	assert_true(follow(p, sent, &v) > 2);
	assert_int_equal(follow(p, sent, &v), 1);
	flag(p, sent, FLAGS_ADD, FLAG_SEEN, "", "1:*");
	reopen(p);
	assert_true(follow(p, sent, &v) > 2);
	expunge(p, sent, false, "1:*");
	follow(p, sent, &v);
}

static void
holes_that_are_too_many_for_one_answer(struct place *p)
{
	static struct view v;
	uint8_t *room = malloc(MANY * 8);
	struct wr w = wr_of(room, MANY * 8);
	struct told *t;
	uint32_t sent = number_of(p, "Sent");

	memset(&v, 0, sizeof(v));
	fill_many(p);
	copy_as(p, op(++p->ops), sent, "Sent", false, "1:1000");
	follow(p, sent, &v);
	for (uint32_t uid = 2; uid <= 4096 + 1000; uid += 2)
		uid_range_put(&w, (struct uid_range){uid, uid});
	t = told_fresh();
	change_remove(p->m, 1, sent, false, wr_since(&w, room), told_answer, t);
	told_now(p, t);
	free(room);
	for (int i = 0; i < 300; i++) { /* nobody remembers what was expunged before */
		char which[16];

		snprintf(which, sizeof(which), "%u", append(p, "Sent", 0, ""));
		expunge(p, sent, false, which);
	}
	reopen(p);
	assert_true(follow(p, sent, &v) > 2);
	assert_int_equal(follow(p, sent, &v), 1);
}

/* ---- recent ---- */

static void
what_is_recent_is_taken_once(struct place *p)
{
	appends(p, "INBOX", 2);
	assert_int_equal(open_as(p, 1, "INBOX", true)->info.recent, 1);
	assert_int_equal(open_as(p, 1, "INBOX", false)->info.recent, 1);
	assert_int_equal(open_as(p, 1, "INBOX", false)->info.recent, 3);
	reopen(p);
	assert_int_equal(open_as(p, 1, "INBOX", true)->info.recent, 3);
	appends(p, "INBOX", 1);
	assert_int_equal(open_as(p, 1, "INBOX", true)->info.recent, 3);
	changes(p, INBOX, (struct mailbox_place){.examine = true});
	assert_int_equal(open_as(p, 1, "INBOX", true)->info.recent, 3);
	changes(p, INBOX, (struct mailbox_place){.since = 1}); /* told to a session: taken */
	assert_int_equal(open_as(p, 1, "INBOX", false)->info.recent, 4);
}

/* ---- what older programs left ---- */

/* An account as version 1 had it: INBOX alone, with the summaries inside the rows. */
static void
make_old(struct place *p, uint64_t account, uint32_t n)
{
	struct shard_id shard = shard_number(SHARD_ACCOUNT, account);
	uint8_t key[RECORD_KEY_MAX], value[512];
	struct store_change c = {.kind = STORE_PUT};
	struct wr w;

	for (uint32_t uid = 1; uid <= n; uid++) {
		struct blob_id blob = store_blob_new(p->rig.s);

		assert_true(is_ok(rig_blob(&p->rig, blob, BYTES("old text")).e));
		w = wr_of(value, sizeof(value));
		wr_u8(&w, 1);
		wr_u32(&w, 0);
		wr_u64(&w, 8);
		wr_u64(&w, 1600000000 + uid);
		wr_u64(&w, uid);
		wr_bytes16(&w, BYTES("old@b.org"));
		wr_bytes16(&w, BYTES("old summary"));
		c.key = record_message_key(key, 'm', 1, uid);
		c.value = wr_since(&w, value);
		c.blob = blob;
		assert_true(is_ok(rig_submit(&p->rig, shard, STORE_ANY, OP_NONE, &c, 1).e));
	}
	w = wr_of(value, sizeof(value));
	wr_bytes8(&w, BYTES("INBOX"));
	wr_u32(&w, 1600000000);
	wr_u32(&w, n + 1);
	c = (struct store_change){STORE_PUT, record_folder_key(key, 'b', 1), wr_since(&w, value),
	                          BLOB_NONE};
	assert_true(is_ok(rig_submit(&p->rig, shard, STORE_ANY, OP_NONE, &c, 1).e));
	w = wr_of(value, sizeof(value));
	wr_u64(&w, n);
	c = (struct store_change){STORE_PUT, BYTES("h"), wr_since(&w, value), BLOB_NONE};
	assert_true(is_ok(rig_submit(&p->rig, shard, STORE_ANY, OP_NONE, &c, 1).e));
}

static void
old_records_are_read_and_go_on(struct place *p)
{
	static struct view v;
	struct mailbox_info info;
	struct message_row row;
	struct told *t;

	memset(&v, 0, sizeof(v));
	make_old(p, 1, 5);
	info = look(p, "INBOX");
	assert_int_equal(info.uidvalidity, 1600000000);
	assert_int_equal(info.uidnext, 6);
	assert_int_equal(info.count, 5);
	assert_int_equal(info.unseen, 1);
	assert_int_equal(info.recent, 1);
	follow(p, INBOX, &v);
	assert_true(is_ok(put_letter(p, 1, "new text")));
	flag(p, INBOX, FLAGS_ADD, FLAG_SEEN, "k", "2");
	expunge(p, INBOX, false, "1");
	t = copy_as(p, op(12), INBOX, "Sent", false, "2:3");
	assert_string_equal(text_of(t->answer.gone), "2:3");
	copy_as(p, op(13), INBOX, "Trash", true, "4");
	for (int life = 0; life < 2; life++) {
		follow(p, INBOX, &v);
		assert_string_equal(rows(p, INBOX), "2:1:1 3:0:0 5:0:0 6:0:0");
		for (uint32_t uid = 2; uid <= 5; uid += uid == 3 ? 2 : 1) {
			assert_true(row_of(p, INBOX, uid, ROW_SUMMARY, &row));
			assert_true(bytes_eq(row.summary, BYTES("old summary")));
			assert_int_equal(row.received_s, 1600000000 + uid);
		}
		assert_true(row_of(p, number_of(p, "Sent"), 1, ROW_SUMMARY, &row));
		assert_true(bytes_eq(row.summary, BYTES("old summary")) && row.size == 8);
		assert_true(row_of(p, number_of(p, "Trash"), 1, ROW_SUMMARY, &row));
		assert_true(bytes_eq(row.summary, BYTES("old summary")));
		assert_int_equal(look(p, "INBOX").count, 4);
		assert_int_equal(look(p, "INBOX").unseen, 3);
		reopen(p);
	}
}

ON_BOTH(flags_are_set_added_removed)
ON_BOTH(a_row_that_stays_as_it_is_is_not_written)
ON_BOTH(sixty_four_keywords)
ON_BOTH(what_is_asked_of_no_mailbox_or_no_ranges)
ON_BOTH(only_what_is_deleted_goes)
ON_BOTH(an_append_is_done_once)
ON_BOTH(a_copy_has_all_of_it)
ON_BOTH(a_move_is_told_once_more)
ON_BOTH(many_at_once)
ON_BOTH(who_follows_sees_it_as_it_is)
ON_BOTH(many_changes_come_in_pieces)
ON_BOTH(holes_that_are_too_many_for_one_answer)
ON_BOTH(what_is_recent_is_taken_once)
ON_BOTH(old_records_are_read_and_go_on)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_flags_are_set_added_removed),
	    cmocka_unit_test(both_a_row_that_stays_as_it_is_is_not_written),
	    cmocka_unit_test(both_sixty_four_keywords),
	    cmocka_unit_test(both_what_is_asked_of_no_mailbox_or_no_ranges),
	    cmocka_unit_test(both_only_what_is_deleted_goes),
	    cmocka_unit_test(both_an_append_is_done_once),
	    cmocka_unit_test(both_a_copy_has_all_of_it),
	    cmocka_unit_test(both_a_move_is_told_once_more),
	    cmocka_unit_test(both_many_at_once),
	    cmocka_unit_test(both_who_follows_sees_it_as_it_is),
	    cmocka_unit_test(both_many_changes_come_in_pieces),
	    cmocka_unit_test(both_holes_that_are_too_many_for_one_answer),
	    cmocka_unit_test(both_what_is_recent_is_taken_once),
	    cmocka_unit_test(both_old_records_are_read_and_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

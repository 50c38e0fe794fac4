/* mailbox.c - the mail of the accounts, over both engines, through ends and new lives. */
#include "box/mailbox.h"

#include "../box_rig.h"

#include <sys/mman.h>

/* ---- asking ---- */

/* What a delivery is made of; its body goes to the store before it. */
struct parcel {
	struct op_id op;
	const uint64_t *accounts;
	size_t n;
	struct store_body body;
	uint64_t size;
	struct answer put;
};

static void
hand_in(struct place *p, struct parcel *d, mailbox_done *fn, void *owner)
{
	const struct delivery what = {.op = d->op,
	                              .accounts = d->accounts,
	                              .n = d->n,
	                              .sender = BYTES("a@b.org"),
	                              .summary = BYTES("summary"),
	                              .blob = store_blob_new(p->rig.s),
	                              .size = d->size,
	                              .now_s = NOW};

	store_blob_put(p->rig.s, what.blob, &d->body, rig_done, &d->put);
	mailbox_deliver(p->m, &what, fn, owner);
}

static struct parcel
delivery(struct place *p, const uint64_t *accounts, size_t n, const char *text)
{
	return (struct parcel){.op = op(++p->ops),
	                       .accounts = accounts,
	                       .n = n,
	                       .body = {.bytes = bytes_of(text), .fd = -1},
	                       .size = strlen(text)};
}

static struct err
deliver(struct place *p, struct parcel *d)
{
	struct said s = {0};

	hand_in(p, d, done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return s.e;
}

static void
deliver_one(struct place *p, uint64_t account, const char *text)
{
	struct parcel d = delivery(p, &account, 1, text);

	assert_true(is_ok(deliver(p, &d)));
}

/* Many at once, each for this account, with its number as its text; they are committed together. */
static void
deliver_many(struct place *p, uint64_t account, size_t n)
{
	struct said *s = calloc(n, sizeof(*s));
	struct parcel *d = calloc(n, sizeof(*d));
	char(*texts)[32] = calloc(n, sizeof(*texts));

	for (size_t i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "message %zu", i);
		d[i] = delivery(p, &account, 1, texts[i]);
		hand_in(p, &d[i], done, &s[i]);
	}
	settle(p);
	for (size_t i = 0; i < n; i++)
		assert_true(s[i].calls == 1 && is_ok(s[i].e));
	free(texts);
	free(d);
	free(s);
}

static struct mailbox_info
find(struct place *p, uint64_t account)
{
	struct told *t = open_as(p, account, "inbox", true);

	assert_true(is_ok(t->e));
	return t->info;
}

static struct bytes
from_on(uint32_t uid)
{
	static uint8_t room[8];
	struct wr w = wr_of(room, sizeof(room));

	uid_range_put(&w, (struct uid_range){uid, UINT32_MAX});
	return wr_since(&w, room);
}

/* All rows, page by page of this much room; how many. */
static size_t
list(struct place *p, uint64_t account, size_t room_n, struct message_row *out, size_t max)
{
	static uint8_t room[ROOM];
	uint32_t from = 0;
	bool more = true;
	size_t n = 0;

	while (more) {
		struct wr w = wr_of(room, room_n);
		struct message_row row;
		struct rd r;

		assert_true(
		    is_ok(mailbox_rows(p->m, account, 1, ROW_SUMMARY, from_on(from), &w, &more)));
		for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row); n++) {
			assert_true(row.uid >= from); /* rising, none twice */
			from = row.uid + 1;
			assert_true(bytes_eq(row.summary, BYTES("summary")));
			assert_true(n < max);
			row.summary = NO_BYTES;
			out[n] = row;
		}
		assert_false(r.bad);
		assert_true(!more || r.p > room);
	}
	return n;
}

static struct err
read_at(struct place *p, uint64_t account, uint32_t uid, uint64_t offset, size_t n,
        struct bytes *out)
{
	static uint8_t room[ROOM];
	struct wr w = wr_of(room, sizeof(room));
	struct err e = mailbox_read(p->m, account, 1, uid, offset, n, &w);

	*out = wr_since(&w, room);
	return e;
}

static void
assert_text(struct place *p, uint64_t account, uint32_t uid, const char *text)
{
	struct bytes got;

	assert_true(is_ok(read_at(p, account, uid, 0, ROOM, &got)));
	assert_true(bytes_eq(got, bytes_of(text)));
}

static struct err
remove_uids(struct place *p, uint64_t account, const uint32_t *uids_of, size_t n)
{
	uint8_t *room = malloc(n * 8 + 1);
	struct wr w = wr_of(room, n * 8);
	struct told *t = told_fresh();

	for (size_t i = 0; i < n; i++)
		uid_range_put(&w, (struct uid_range){uids_of[i], uids_of[i]});
	change_remove(p->m, account, 1, false, wr_since(&w, room), told_answer, t);
	free(room); /* it is borrowed for the call alone */
	return told_now(p, t)->e;
}

/* ---- delivery ---- */

static void
one_message_for_some_accounts(struct place *p)
{
	static const size_t counts[] = {1, 2, 7, 60};
	struct message_row rows[COUNT(counts)];
	uint64_t accounts[60];
	char text[48];

	for (uint64_t i = 0; i < COUNT(accounts); i++)
		accounts[i] = 100 + i;
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct parcel d;

		snprintf(text, sizeof(text), "for %zu accounts\r\n", counts[i]);
		d = delivery(p, accounts, counts[i], text);
		assert_true(is_ok(deliver(p, &d)));
	}
	for (int life = 0; life < 2; life++) {
		for (size_t a = 0; a < COUNT(accounts); a++) {
			size_t n = list(p, accounts[a], ROOM, rows, COUNT(rows)), k = 0;

			for (size_t i = 0; i < COUNT(counts); i++) {
				if (a >= counts[i])
					continue;
				snprintf(text, sizeof(text), "for %zu accounts\r\n", counts[i]);
				assert_int_equal(rows[k].size, strlen(text));
				assert_int_equal(rows[k].received_s, 1700000000);
				assert_int_equal(rows[k].flags, 0);
				assert_text(p, accounts[a], rows[k++].uid, text);
			}
			assert_int_equal(k, n);
			assert_int_equal(find(p, accounts[a]).count, n);
		}
		reopen(p);
	}
	assert_int_equal(find(p, 999).count, 0);
}

static void
the_same_operation_adds_nothing(struct place *p)
{
	const uint64_t one[] = {1}, three[] = {1, 2, 3};
	struct parcel d = delivery(p, one, 1, "text");
	struct message_row rows[4];

	assert_true(is_ok(deliver(p, &d)));
	assert_true(is_ok(deliver(p, &d)));
	d.accounts = three;
	d.n = 3; /* it was cut off in the midst: the others get it now */
	assert_true(is_ok(deliver(p, &d)));
	reopen(p);
	assert_true(is_ok(deliver(p, &d)));
	for (uint64_t a = 1; a <= 3; a++) {
		assert_int_equal(list(p, a, ROOM, rows, COUNT(rows)), 1);
		assert_text(p, a, rows[0].uid, "text");
	}
	d.op = op(++p->ops);
	assert_true(is_ok(deliver(p, &d)));
	assert_int_equal(list(p, 1, ROOM, rows, COUNT(rows)), 2);
}

/* A body that is shorter than was told cannot be kept. */
static struct err
deliver_wrong(struct place *p, const uint64_t *accounts, size_t n)
{
	struct parcel d = delivery(p, accounts, n, "");
	struct err e;
	int fd = memfd_create("body", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "short", 5), 5);
	d.body = (struct store_body){.fd = fd, .length = 500};
	d.size = 500;
	e = deliver(p, &d);
	close(fd);
	return e;
}

static void
no_uid_is_given_twice(struct place *p)
{
	const uint64_t accounts[] = {1, 2};
	struct message_row rows[64];
	uint32_t highest = 0;
	uint64_t modseq = 0;
	size_t n;

	for (int round = 0; round < 12; round++) {
		if (round % 3 == 1)
			assert_false(is_ok(deliver_wrong(p, accounts, 2)));
		if (round % 4 == 2)
			reopen(p);
		deliver_one(p, 1, "text");
		n = list(p, 1, ROOM, rows, COUNT(rows));
		assert_true(rows[n - 1].uid > highest);
		assert_true(rows[n - 1].modseq > modseq);
		highest = rows[n - 1].uid;
		modseq = rows[n - 1].modseq;
		assert_true(find(p, 1).uidnext > highest);
		if (round % 2) /* also where the highest was removed */
			assert_true(is_ok(remove_uids(p, 1, &highest, 1)));
	}
	assert_int_equal(find(p, 1).count, 6);
	assert_int_equal(find(p, 2).count, 0);
}

static void
a_failure_in_the_midst_of_others_is_alone(struct place *p)
{
	const uint64_t accounts[] = {1, 2};
	struct parcel good[2] = {delivery(p, accounts, 2, "a"), delivery(p, accounts, 2, "b")};
	struct parcel bad = delivery(p, accounts, 2, "");
	struct said said[3] = {{0}};
	struct message_row rows[4];

	bad.body = (struct store_body){.fd = open("/dev/null", O_RDONLY), .length = 9};
	hand_in(p, &good[0], done, &said[0]);
	hand_in(p, &bad, done, &said[1]);
	hand_in(p, &good[1], done, &said[2]);
	settle(p);
	close(bad.body.fd);
	assert_true(is_ok(said[0].e) && !is_ok(said[1].e) && is_ok(said[2].e));
	reopen(p);
	assert_int_equal(list(p, 2, ROOM, rows, COUNT(rows)), 2);
	assert_text(p, 2, rows[0].uid, "a");
	assert_text(p, 2, rows[1].uid, "b");
	assert_true(find(p, 2).uidnext > rows[1].uid);
}

static void
uidvalidity_stays_while_there_is_mail(struct place *p)
{
	uint32_t validity = find(p, 1).uidvalidity;

	assert_true(validity != 0);
	deliver_one(p, 1, "text");
	assert_int_equal(find(p, 1).uidvalidity, validity);
	reopen(p);
	assert_int_equal(find(p, 1).uidvalidity, validity);
}

static void
more_accounts_than_are_kept_in_memory(struct place *p)
{
	enum { ACCOUNTS = 5000 };
	struct said *s = calloc(ACCOUNTS, sizeof(*s));
	struct parcel *d = calloc(ACCOUNTS, sizeof(*d));
	uint64_t *ids = calloc(ACCOUNTS, sizeof(*ids));
	struct message_row rows[4];

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ACCOUNTS; i++) {
			ids[i] = i + 1;
			d[i] = delivery(p, &ids[i], 1, "text");
			hand_in(p, &d[i], done, &s[i]); /* none can be forgotten now */
		}
		settle(p);
	}
	for (size_t i = 0; i < ACCOUNTS; i += 97) {
		deliver_one(p, ids[i], "again");
		assert_int_equal(list(p, ids[i], ROOM, rows, COUNT(rows)), 3);
		assert_int_equal(rows[2].uid, 3);
	}
	free(ids);
	free(d);
	free(s);
}

/* ---- reading ---- */

static void
three_thousand_rows_by_pages_of_any_size(struct place *p)
{
	static const size_t rooms[] = {ROOM, 4096, 100, MESSAGE_ROW_FIXED + 7};
	struct message_row *rows = calloc(3001, sizeof(*rows));

	deliver_many(p, 1, 3000);
	assert_int_equal(find(p, 1).count, 3000);
	assert_int_equal(find(p, 1).uidnext, 3001);
	for (size_t i = 0; i < COUNT(rooms); i++) {
		assert_int_equal(list(p, 1, rooms[i], rows, 3001), 3000);
		for (uint32_t k = 0; k < 3000; k++)
			assert_int_equal(rows[k].uid, k + 1);
	}
	assert_text(p, 1, 1, "message 0");
	assert_text(p, 1, 3000, "message 2999");
	free(rows);
}

static void
rows_begin_where_they_are_asked_for(struct place *p)
{
	uint8_t room[4096];
	struct message_row row;
	bool more;

	deliver_many(p, 1, 20);
	for (uint32_t from = 0; from < 25; from++) {
		struct wr w = wr_of(room, sizeof(room));
		struct rd r;
		size_t n = 0;

		assert_true(is_ok(mailbox_rows(p->m, 1, 1, ROW_SUMMARY, from_on(from), &w, &more)));
		assert_false(more);
		for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row); n++)
			assert_true(row.uid >= from);
		assert_int_equal(n, from < 2 ? 20 : from <= 20 ? 21 - from : 0);
	}
	for (uint32_t other = 0; other < 3; other++) { /* no mailbox of another number */
		struct wr w = wr_of(room, sizeof(room));

		if (other != 1)
			assert_true(is_ok(mailbox_rows(p->m, 1, other ? UINT32_MAX : 0, ROW_SUMMARY,
			                               from_on(0), &w, &more)));
		assert_int_equal(wr_since(&w, room).n, 0);
	}
}

static void
there_is_no_other_mailbox(struct place *p)
{
	static const char *const names[] = {"", "INBO", "INBOX ", "sent", "INBOX/a", "../INBOX"};
	struct mailbox_info info = look(p, "InBoX");

	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(open_as(p, 1, names[i], false)->e.code, ERR_NOTFOUND);
	assert_int_equal(info.number, 1);
	assert_int_equal(info.uidnext, 1);
}

static void
octets_come_back_as_they_went_in(struct place *p)
{
	enum { SIZE = 5 * 1000 * 1000 + 7, GAP = 4096 + 3 };
	static const size_t pieces[] = {1, 2, 1000, 32768, ROOM};
	struct random *random = random_seeded(9);
	uint8_t *body = malloc(GAP + SIZE);
	int fd = memfd_create("body", MFD_CLOEXEC);
	const uint64_t account = 4;
	struct parcel d = delivery(p, &account, 1, "");
	struct bytes got;

	random_fill(random, body, GAP + SIZE);
	assert_int_equal(write(fd, body, GAP + SIZE), GAP + SIZE);
	d.body = (struct store_body){.fd = fd, .offset = GAP, .length = SIZE};
	d.size = SIZE;
	assert_true(is_ok(deliver(p, &d)));
	close(fd);
	reopen(p);
	for (uint64_t at = 0; at < SIZE; at += got.n) { /* the whole of it */
		assert_true(is_ok(read_at(p, account, 1, at, ROOM, &got)));
		assert_true(got.n == ROOM || at + got.n == SIZE);
		assert_memory_equal(got.p, body + GAP + at, got.n);
	}
	for (int i = 0; i < 500; i++) { /* and pieces of it */
		uint64_t at = random_below(random, SIZE + 100);
		size_t n = pieces[random_below(random, COUNT(pieces))];
		size_t left = at < SIZE ? (size_t)(SIZE - at) : 0;

		assert_true(is_ok(read_at(p, account, 1, at, n, &got)));
		assert_int_equal(got.n, n < left ? n : left);
		assert_true(!got.n || !memcmp(got.p, body + GAP + at, got.n));
	}
	assert_true(is_ok(read_at(p, account, 1, UINT64_MAX, ROOM, &got)));
	assert_int_equal(got.n, 0);
	assert_int_equal(read_at(p, account, 2, 0, ROOM, &got).code, ERR_NOTFOUND);
	free(body);
	random_close(random);
}

/* ---- removal ---- */

static void
many_are_removed_and_stay_so(struct place *p)
{
	enum { N = 2500 };
	uint32_t *uids = calloc(N, sizeof(*uids));
	struct message_row *rows = calloc(N, sizeof(*rows));
	struct bytes got;
	size_t n = 0;

	deliver_many(p, 1, N);
	for (uint32_t uid = 1; uid <= N; uid++)
		if (uid % 8)
			uids[n++] = uid;
	assert_true(n > 2 * STORE_CHANGES_MAX);
	assert_true(is_ok(remove_uids(p, 1, uids, n)));
	assert_true(is_ok(remove_uids(p, 1, uids, n))); /* who is gone is no error */
	assert_true(is_ok(remove_uids(p, 1, uids, 0)));
	for (int life = 0; life < 2; life++) {
		assert_int_equal(find(p, 1).count, N / 8);
		assert_int_equal(list(p, 1, ROOM, rows, N), N / 8);
		for (uint32_t i = 0; i < N / 8; i++)
			assert_int_equal(rows[i].uid, 8 * (i + 1));
		assert_int_equal(read_at(p, 1, 1, 0, ROOM, &got).code, ERR_NOTFOUND);
		assert_text(p, 1, 8, "message 7");
		reopen(p);
	}
	deliver_one(p, 1, "next");
	assert_text(p, 1, N + 1, "next");
	free(rows);
	free(uids);
}

static void
a_removal_concerns_one_account(struct place *p)
{
	const uint64_t both[] = {1, 2};
	struct parcel d = delivery(p, both, 2, "shared");
	const uint32_t one = 1;
	struct bytes got;

	assert_true(is_ok(deliver(p, &d)));
	assert_true(is_ok(remove_uids(p, 1, &one, 1)));
	reopen(p);
	assert_int_equal(read_at(p, 1, 1, 0, ROOM, &got).code, ERR_NOTFOUND);
	assert_text(p, 2, 1, "shared");
}

static size_t
keys_of(struct place *p, uint64_t account)
{
	struct arena a = arena_init(0);
	struct store_page page;
	size_t n;

	assert_true(is_ok(store_range(p->rig.s, shard_number(SHARD_ACCOUNT, account), STORE_ANY,
	                              NO_BYTES, NO_BYTES, STORE_RANGE_MAX, &page, &a)));
	n = page.n;
	arena_free(&a);
	return n;
}

static void
a_purge_leaves_nothing(struct place *p)
{
	struct said s = {0};

	deliver_many(p, 1, 1500);
	deliver_many(p, 2, 3);
	mailbox_purge(p->m, 1, done, &s);
	settle(p);
	assert_true(s.calls == 1 && is_ok(s.e));
	assert_int_equal(keys_of(p, 1), 0);
	assert_int_equal(find(p, 2).count, 3);
	mailbox_purge(p->m, 77, done, &s); /* one that never had any */
	settle(p);
	assert_true(s.calls == 2 && is_ok(s.e));
	reopen(p);
	assert_int_equal(keys_of(p, 1), 0);
	assert_int_equal(find(p, 2).count, 3);
}

static void
a_purge_waits_for_what_is_under_way(struct place *p)
{
	const uint64_t both[] = {1, 2};
	struct parcel d[3] = {delivery(p, both, 2, "a"), delivery(p, both, 2, "b"),
	                      delivery(p, both, 2, "c")};
	struct said s[4] = {{0}};
	struct told *t = told_fresh();

	hand_in(p, &d[0], done, &s[0]);
	mailbox_purge(p->m, 1, done, &s[1]); /* sees an empty mailbox */
	hand_in(p, &d[1], done, &s[2]);
	change_remove(p->m, 1, 1, false, ranges("1"), told_answer, t);
	mailboxes_work(p->m);
	assert_true(is_ok(store_turn(p->rig.s)));
	hand_in(p, &d[2], done, &s[3]);
	settle(p);
	for (size_t i = 0; i < COUNT(s); i++)
		assert_true(s[i].calls == 1 && is_ok(s[i].e));
	assert_int_equal(t->calls, 1);
	assert_int_equal(t->e.code, ERR_NOTFOUND); /* it came behind the purge */
	assert_int_equal(keys_of(p, 1), 0);
	assert_int_equal(find(p, 2).count, 3);
}

static void
the_end_answers_all_that_waits(struct place *p)
{
	const uint64_t both[] = {1, 2};
	struct parcel d = delivery(p, both, 2, "text");
	struct said s[2] = {{0}};
	struct told *t = told_fresh();

	deliver_many(p, 1, 3);
	hand_in(p, &d, done, &s[0]);
	mailbox_purge(p->m, 1, done, &s[1]);
	change_remove(p->m, 2, 1, false, ranges("1"), told_answer, t);
	close_place(p);
	assert_true(s[0].calls == 1 && is_ok(s[0].e));
	assert_int_equal(s[1].calls, 1);
	assert_int_equal(t->calls, 1);
	open_place(p);
}

ON_BOTH(one_message_for_some_accounts)
ON_BOTH(the_same_operation_adds_nothing)
ON_BOTH(no_uid_is_given_twice)
ON_BOTH(a_failure_in_the_midst_of_others_is_alone)
ON_BOTH(uidvalidity_stays_while_there_is_mail)
ON_BOTH(more_accounts_than_are_kept_in_memory)
ON_BOTH(three_thousand_rows_by_pages_of_any_size)
ON_BOTH(rows_begin_where_they_are_asked_for)
ON_BOTH(there_is_no_other_mailbox)
ON_BOTH(octets_come_back_as_they_went_in)
ON_BOTH(many_are_removed_and_stay_so)
ON_BOTH(a_removal_concerns_one_account)
ON_BOTH(a_purge_leaves_nothing)
ON_BOTH(a_purge_waits_for_what_is_under_way)
ON_BOTH(the_end_answers_all_that_waits)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_one_message_for_some_accounts),
	    cmocka_unit_test(both_the_same_operation_adds_nothing),
	    cmocka_unit_test(both_no_uid_is_given_twice),
	    cmocka_unit_test(both_a_failure_in_the_midst_of_others_is_alone),
	    cmocka_unit_test(both_uidvalidity_stays_while_there_is_mail),
	    cmocka_unit_test(both_more_accounts_than_are_kept_in_memory),
	    cmocka_unit_test(both_three_thousand_rows_by_pages_of_any_size),
	    cmocka_unit_test(both_rows_begin_where_they_are_asked_for),
	    cmocka_unit_test(both_there_is_no_other_mailbox),
	    cmocka_unit_test(both_octets_come_back_as_they_went_in),
	    cmocka_unit_test(both_many_are_removed_and_stay_so),
	    cmocka_unit_test(both_a_removal_concerns_one_account),
	    cmocka_unit_test(both_a_purge_leaves_nothing),
	    cmocka_unit_test(both_a_purge_waits_for_what_is_under_way),
	    cmocka_unit_test(both_the_end_answers_all_that_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* folders.c - names of mailboxes: what may be one, making, deleting, renaming, subscribing. */
#include "../box_rig.h"

#include "box/record.h"

/* All names in the order of letters: "name" for a mailbox, "(name)" where it is only subscribed to,
 * "+" behind it where it is subscribed to. */
static int
by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static const char *
names(struct place *p)
{
	static char text[8192], list[128][64];
	static uint8_t room[ROOM];
	uint32_t after = 0;
	bool more = true;
	size_t n = 0;

	while (more) {
		struct wr w = wr_of(room, 200);
		struct folder_row row;
		struct rd r;

		assert_true(is_ok(folders_list(p->m, 1, after, NOW, &w, &more)));
		for (r = rd_of(wr_since(&w, room)); folder_row_get(&r, &row); after = row.number) {
			bool there = row.flags & FOLDER_EXISTS;

			assert_true(row.number > after && n < COUNT(list));
			snprintf(list[n++], sizeof(list[0]), "%s%.*s%s%s", there ? "" : "(",
			         (int)row.name.n, (const char *)row.name.p, there ? "" : ")",
			         row.flags & FOLDER_SUBSCRIBED ? "+" : "");
		}
	}
	settle(p);
	qsort(list, n, sizeof(list[0]), by_text);
	text[0] = 0;
	for (size_t i = 0; i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, list[i]);
	}
	return text;
}

#define FIRST "Drafts+ INBOX+ Junk+ Sent+ Trash+"

static void
steps_of_changes(struct place *p)
{
	static const struct {
		enum folder_change what;
		const char *name, *to;
		int code;
		const char *names;
	} steps[] = {
	    {FOLDER_CREATE, "Inbox", "", ERR_EXISTS, FIRST},
	    {FOLDER_CREATE, "a/b/c", "", 0, FIRST " a a/b a/b/c"},
	    {FOLDER_CREATE, "a/b", "", ERR_EXISTS, FIRST " a a/b a/b/c"},
	    {FOLDER_CREATE, "A", "", 0, "A " FIRST " a a/b a/b/c"},
	    {FOLDER_DELETE, "A", "", 0, FIRST " a a/b a/b/c"},
	    {FOLDER_DELETE, "inbox", "", ERR_DENIED, FIRST " a a/b a/b/c"},
	    {FOLDER_DELETE, "a/b", "", 0, FIRST " a a/b/c"},
	    {FOLDER_DELETE, "a/b", "", ERR_NOTFOUND, FIRST " a a/b/c"},
	    {FOLDER_SUBSCRIBE, "a/b/c", "", 0, FIRST " a a/b/c+"},
	    {FOLDER_RENAME, "a", "a/x", ERR_DENIED, FIRST " a a/b/c+"},
	    {FOLDER_RENAME, "a", "a", ERR_EXISTS, FIRST " a a/b/c+"},
	    {FOLDER_RENAME, "a", "Sent", ERR_EXISTS, FIRST " a a/b/c+"},
	    {FOLDER_RENAME, "b", "c", ERR_NOTFOUND, FIRST " a a/b/c+"},
	    {FOLDER_RENAME, "a", "n/m", 0, "(a/b/c)+ " FIRST " n n/m n/m/b/c+"},
	    {FOLDER_RENAME, "n/m/b", "a/b", 0, FIRST " a a/b/c+ n n/m (n/m/b/c)+"},
	    {FOLDER_UNSUBSCRIBE, "n/m/b/c", "", 0, FIRST " a a/b/c+ n n/m"},
	    {FOLDER_DELETE, "a/b/c", "", 0, "(a/b/c)+ " FIRST " a n n/m"},
	    {FOLDER_CREATE, "a/b/c", "", 0, FIRST " a a/b a/b/c+ n n/m"},
	    {FOLDER_SUBSCRIBE, "not/there", "", 0, FIRST " a a/b a/b/c+ n n/m (not/there)+"},
	    {FOLDER_UNSUBSCRIBE, "not/there", "", 0, FIRST " a a/b a/b/c+ n n/m"},
	    {FOLDER_UNSUBSCRIBE, "not/there", "", 0, FIRST " a a/b a/b/c+ n n/m"},
	    {FOLDER_CREATE, "inbox/old", "", 0, FIRST " INBOX/old a a/b a/b/c+ n n/m"},
	    {FOLDER_DELETE, "Trash", "", 0,
	     "(Trash)+ Drafts+ INBOX+ INBOX/old Junk+ Sent+ a a/b a/b/c+ n n/m"},
	};
	char sorted[512];

	assert_string_equal(names(p), FIRST);
	for (size_t i = 0; i < COUNT(steps); i++) {
		char *word, *save = NULL, list[32][32], text[512];
		size_t n = 0;

		if (folder(p, steps[i].what, steps[i].name, steps[i].to).code != steps[i].code)
			fail_msg("step %zu", i);
		snprintf(text, sizeof(text), "%s", steps[i].names);
		for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
			snprintf(list[n++], sizeof(list[0]), "%s", word);
		qsort(list, n, sizeof(list[0]), by_text);
		sorted[0] = 0;
		for (size_t k = 0; k < n; k++) {
			strcat(sorted, k ? " " : "");
			strcat(sorted, list[k]);
		}
		assert_string_equal(names(p), sorted);
		if (i % 3 == 0) {
			reopen(p);
			assert_string_equal(names(p), sorted);
		}
	}
}

static void
no_number_and_no_validity_comes_again(struct place *p)
{
	uint32_t number = 0, validity = 0;

	for (int i = 0; i < 20; i++) {
		struct mailbox_info info;

		assert_true(is_ok(folder(p, FOLDER_CREATE, "same", "")));
		info = look(p, "same");
		assert_true(info.number > number && info.uidvalidity > validity);
		assert_true(info.modseq > 0);
		assert_int_equal(info.uidnext, 1);
		number = info.number;
		validity = info.uidvalidity;
		append(p, "same", 0, "kw");
		if (i % 3 == 0)
			reopen(p);
		assert_true(is_ok(folder(p, FOLDER_DELETE, "same", "")));
		assert_int_equal(open_as(p, 1, "same", false)->e.code, ERR_NOTFOUND);
		if (i % 4 == 0)
			reopen(p);
	}
	assert_int_equal(look(p, "INBOX").number, 1);
}

static size_t
keys_of(struct place *p, struct bytes from, struct bytes to)
{
	struct arena a = arena_init(0);
	struct store_page page;
	size_t n;

	assert_true(is_ok(store_range(p->rig.s, shard_number(SHARD_ACCOUNT, 1), STORE_ANY, from, to,
	                              STORE_RANGE_MAX, &page, &a)));
	n = page.n;
	arena_free(&a);
	return n;
}

static size_t
keys_of_mailbox(struct place *p, uint32_t number)
{
	size_t n = 0;

	for (const char *kind = "mbeksx"; *kind; kind++) {
		uint8_t from[RECORD_KEY_MAX], to[RECORD_KEY_MAX];

		n += keys_of(p, record_folder_key(from, *kind, number),
		             record_folder_key(to, *kind, number + 1));
	}
	return n;
}

static void
nothing_is_left_of_what_was_deleted(struct place *p)
{
	for (int cut = 0; cut < 6; cut++) {
		struct said s = {0};
		uint32_t number;

		assert_true(is_ok(folder(p, FOLDER_CREATE, "big", "")));
		append(p, "big", 0, "a");
		for (int i = 0; i < 11; i++)
			copy_as(p, op(++p->ops), look(p, "big").number, "big", false, "1:*");
		number = look(p, "big").number;
		expunge(p, number, false, "7");
		assert_int_equal(look(p, "big").count, 2047);
		folders_change(p->m, 1, FOLDER_DELETE, BYTES("big"), NO_BYTES, NOW, done, &s);
		for (int turn = 0; turn < cut; turn++) { /* a life ends in the midst */
			mailboxes_work(p->m);
			if (store_pending(p->rig.s))
				assert_true(is_ok(store_turn(p->rig.s)));
		}
		if (cut)
			reopen(p);
		settle(p);
		names(p); /* reads the names, which goes on with it */
		settle(p);
		if (open_as(p, 1, "big", true)->e.code == 0) /* it had not begun */
			assert_true(is_ok(folder(p, FOLDER_DELETE, "big", "")));
		assert_int_equal(keys_of_mailbox(p, number), 0);
	}
}

static void
renaming_inbox_moves_its_messages(struct place *p)
{
	struct mailbox_info before, info;

	append(p, "INBOX", FLAG_SEEN, "k");
	append(p, "INBOX", 0, "");
	assert_true(is_ok(folder(p, FOLDER_CREATE, "INBOX/sub", "")));
	before = look(p, "INBOX");
	assert_int_equal(folder(p, FOLDER_RENAME, "INBOX", "Sent").code, ERR_EXISTS);
	assert_true(is_ok(folder(p, FOLDER_RENAME, "inbox", "old/mail")));
	reopen(p);
	info = look(p, "INBOX");
	assert_int_equal(info.count, 0);
	assert_int_equal(info.uidvalidity, before.uidvalidity);
	assert_int_equal(info.uidnext, before.uidnext);
	info = look(p, "old/mail");
	assert_int_equal(info.count, 2);
	assert_true(bytes_eq(info.keywords, words("k")));
	assert_int_equal(look(p, "INBOX/sub").count, 0);
	assert_int_equal(folder(p, FOLDER_RENAME, "INBOX", "old/mail").code, ERR_EXISTS);
}

static void
a_renamed_mailbox_stays_itself(struct place *p)
{
	struct mailbox_info before, info;
	char name[300];

	append(p, "Trash", 0, "k");
	before = look(p, "Trash");
	assert_true(is_ok(folder(p, FOLDER_RENAME, "Trash", "x/Bin")));
	assert_true(is_ok(folder(p, FOLDER_CREATE, "x/Bin/more", "")));
	info = look(p, "x/Bin");
	assert_int_equal(info.number, before.number);
	assert_int_equal(info.uidvalidity, before.uidvalidity);
	assert_int_equal(info.count, 1);
	memset(name, 'l', sizeof(name));
	name[250] = 0; /* x/Bin/more would become too long */
	assert_int_equal(folder(p, FOLDER_RENAME, "x/Bin", name).code, 0);
	name[251] = 0;
	assert_int_equal(open_as(p, 1, "x/Bin", true)->e.code, ERR_NOTFOUND);
	memset(name, 'm', 252);
	name[252] = 0;
	{
		char from[300];

		memset(from, 'l', 250);
		from[250] = 0;
		assert_int_equal(folder(p, FOLDER_RENAME, from, name).code, ERR_SYNTAX);
		assert_int_equal(open_as(p, 1, from, true)->info.number, before.number);
	}
}

static void
as_many_as_there_may_be(struct place *p)
{
	struct said *s = calloc(FOLDERS_MAX, sizeof(*s));
	char name[32];

	names(p);
	for (int i = 0; i < FOLDERS_MAX - 5; i++) { /* beside those from the start */
		snprintf(name, sizeof(name), "t/%d", i);
		folders_change(p->m, 1, i % 2 ? FOLDER_CREATE : FOLDER_SUBSCRIBE, bytes_of(name),
		               NO_BYTES, NOW, done, &s[i]);
	}
	settle(p);
	for (int i = 0; i < FOLDERS_MAX - 5; i++)
		assert_int_equal(s[i].e.code, i < FOLDERS_MAX - 6 ? 0 : ERR_FULL); /* and t */
	assert_int_equal(folder(p, FOLDER_CREATE, "one/more", "").code, ERR_FULL);
	assert_int_equal(folder(p, FOLDER_SUBSCRIBE, "more", "").code, ERR_FULL);
	assert_int_equal(folder(p, FOLDER_CREATE, "t/0", "").code, 0); /* it was counted before */
	assert_int_equal(folder(p, FOLDER_RENAME, "t", "u").code, ERR_FULL);
	assert_int_equal(folder(p, FOLDER_DELETE, "t/1", "").code, 0);
	for (int i = 3; i < 600; i += 2) {
		snprintf(name, sizeof(name), "t/%d", i);
		assert_int_equal(folder(p, FOLDER_DELETE, name, "").code, 0);
	}
	assert_int_equal(folder(p, FOLDER_RENAME, "t", "u").code, 0);
	reopen(p);
	assert_int_equal(look(p, "u/9993").count, 0);
	assert_int_equal(look(p, "u/601").count, 0);
	assert_int_equal(open_as(p, 1, "t/601", true)->e.code, ERR_NOTFOUND);
	free(s);
}

static void
v2_rows_tell_what_a_status_needs(struct place *p)
{
	static uint8_t room[ROOM];
	struct wr w = wr_of(room, sizeof(room));
	struct folder_row row;
	bool more;
	struct rd r;

	append(p, "Sent", FLAG_SEEN, "");
	append(p, "Sent", 0, "");
	append(p, "Sent", 0, "");
	expunge(p, look(p, "Sent").number, false, "2");
	for (int life = 0; life < 2; life++) {
		w = wr_of(room, sizeof(room));
		assert_true(is_ok(folders_list(p->m, 1, 0, NOW, &w, &more)));
		for (r = rd_of(wr_since(&w, room)); folder_row_get(&r, &row);)
			if (bytes_eq(row.name, BYTES("Sent")))
				break;
		assert_int_equal(row.flags, FOLDER_EXISTS | FOLDER_SUBSCRIBED | FOLDER_SENT);
		assert_int_equal(row.count, 2);
		assert_int_equal(row.unseen, 1);
		assert_int_equal(row.uidnext, 4);
		assert_int_equal(row.recent, 1);
		assert_int_equal(row.modseq, look(p, "Sent").modseq);
		reopen(p);
	}
}

ON_BOTH(steps_of_changes)
ON_BOTH(no_number_and_no_validity_comes_again)
ON_BOTH(nothing_is_left_of_what_was_deleted)
ON_BOTH(renaming_inbox_moves_its_messages)
ON_BOTH(a_renamed_mailbox_stays_itself)
ON_BOTH(as_many_as_there_may_be)
ON_BOTH(v2_rows_tell_what_a_status_needs)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_steps_of_changes),
	    cmocka_unit_test(both_no_number_and_no_validity_comes_again),
	    cmocka_unit_test(both_nothing_is_left_of_what_was_deleted),
	    cmocka_unit_test(both_renaming_inbox_moves_its_messages),
	    cmocka_unit_test(both_a_renamed_mailbox_stays_itself),
	    cmocka_unit_test(both_as_many_as_there_may_be),
	    cmocka_unit_test(both_v2_rows_tell_what_a_status_needs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

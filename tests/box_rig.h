/*
 * box_rig.h - what tests of the mailboxes share: accounts over a store, and calls that wait.
 */
#ifndef TESTS_BOX_RIG_H
#define TESTS_BOX_RIG_H

#include "store_rig.h"

#include "base/buf.h"
#include "box/change.h"
#include "box/folders.h"
#include "box/mailbox.h"

#include <string.h>

enum { ROOM = 61440, NOW = 1700000000 };

struct place {
	struct rig rig;
	struct mailboxes *m;
	uint64_t ops; /* the last operation id that was drawn */
};

static inline void
open_place(struct place *p)
{
	rig_open(&p->rig);
	assert_true(is_ok(mailboxes_open(&p->m, p->rig.s)));
}

/* As box does: the store first, which answers all that waits. */
static inline void
close_place(struct place *p)
{
	rig_close(&p->rig);
	mailboxes_close(p->m);
}

static inline void
reopen(struct place *p)
{
	if (p->rig.conf.engine == STORE_LOG) {
		close_place(p);
		open_place(p);
	} else { /* what is in memory survives a box, not a store */
		mailboxes_close(p->m);
		assert_true(is_ok(mailboxes_open(&p->m, p->rig.s)));
	}
}

typedef void place_case(struct place *);

static inline void
on_both(place_case *fn)
{
	static const enum store_engine_kind engines[] = {STORE_MEMORY, STORE_LOG};

	for (size_t i = 0; i < COUNT(engines); i++) {
		struct place p = {.ops = 0};

		rig_init(&p.rig, engines[i], 1);
		open_place(&p);
		fn(&p);
		close_place(&p);
		rig_fini(&p.rig);
	}
}

#define ON_BOTH(fn)                                                                                \
	static void both_##fn(void **state)                                                        \
	{                                                                                          \
		(void)state;                                                                       \
		on_both(fn);                                                                       \
	}

/* ---- asking ---- */

struct said {
	int calls;
	struct err e;
};

static inline void
done(void *owner, struct err e)
{
	struct said *s = owner;

	s->calls++;
	s->e = e;
}

static inline void
settle(struct place *p)
{
	while (store_pending(p->rig.s) || mailboxes_busy(p->m)) {
		mailboxes_work(p->m);
		if (store_pending(p->rig.s))
			assert_true(is_ok(store_turn(p->rig.s)));
	}
}

/* As the front draws them: at random, since their first octets choose a place. */
static inline struct op_id
op(uint64_t n)
{
	struct op_id id = {{0}};
	struct wr w = wr_of(id.id, 16);

	wr_u64(&w, n * UINT64_C(0x9e3779b97f4a7c15));
	wr_u64(&w, n);
	return id;
}

/* What was told, kept. */
struct told {
	int calls;
	struct err e;
	struct mailbox_info info;
	struct mailbox_answer answer;
	uint8_t room[4][ROOM];
	uint32_t uidvalidity, uid;
};

static inline struct bytes
told_keep(uint8_t room[ROOM], struct bytes b)
{
	assert_true(b.n <= ROOM);
	if (b.n)
		memcpy(room, b.p, b.n);
	return (struct bytes){room, b.n};
}

static inline void
told_opened(void *owner, struct err e, const struct mailbox_info *info)
{
	struct told *t = owner;

	t->calls++;
	t->e = e;
	t->info = *info;
	t->info.keywords = told_keep(t->room[0], info->keywords);
}

static inline void
told_answer(void *owner, struct err e, const struct mailbox_answer *answer)
{
	struct told *t = owner;

	t->calls++;
	t->e = e;
	t->answer = *answer;
	t->answer.keywords = told_keep(t->room[0], answer->keywords);
	t->answer.gone = told_keep(t->room[1], answer->gone);
	t->answer.uids = told_keep(t->room[2], answer->uids);
	t->answer.rows = told_keep(t->room[3], answer->rows);
}

static inline void
told_appended(void *owner, struct err e, uint32_t uidvalidity, uint32_t uid)
{
	struct told *t = owner;

	t->calls++;
	t->e = e;
	t->uidvalidity = uidvalidity;
	t->uid = uid;
}

static inline struct told *
told_fresh(void)
{
	static struct told t;

	t.calls = 0;
	return &t;
}

static inline struct told *
told_now(struct place *p, struct told *t)
{
	settle(p);
	assert_int_equal(t->calls, 1);
	return t;
}

/* Ranges from text: "1:3 7 9:*" */
static inline struct bytes
ranges(const char *text)
{
	static uint8_t room[ROOM];
	struct wr w = wr_of(room, sizeof(room));

	while (*text) {
		char *end;
		struct uid_range r = {.first = (uint32_t)strtoul(text, &end, 10)};

		r.last = r.first;
		if (*end == ':' && end[1] == '*') {
			r.last = UINT32_MAX;
			end += 2;
		} else if (*end == ':') {
			r.last = (uint32_t)strtoul(end + 1, &end, 10);
		}
		uid_range_put(&w, r);
		text = *end == ' ' ? end + 1 : end;
	}
	return wr_since(&w, room);
}

/* And back. */
static inline const char *
text_of(struct bytes list)
{
	static char text[8][4096];
	static size_t turn;
	char *out = text[turn++ % COUNT(text)];
	struct rd r = rd_of(list);
	struct uid_range x;
	size_t n = 0;

	out[0] = 0;
	while (uid_range_get(&r, &x) && n + 24 < sizeof(text[0])) {
		n += (size_t)snprintf(out + n, 12, "%s%u", n ? " " : "", x.first);
		if (x.last > x.first)
			n += (size_t)snprintf(out + n, 12, ":%u", x.last);
	}
	assert_false(r.bad);
	return out;
}

/* A list of names, bytes8 each, from "a b c". */
static inline struct bytes
words(const char *text)
{
	static uint8_t room[8192];
	struct wr w = wr_of(room, sizeof(room));

	while (*text) {
		size_t n = strcspn(text, " ");

		wr_bytes8(&w, (struct bytes){(const uint8_t *)text, n});
		text += n + (text[n] == ' ');
	}
	return wr_since(&w, room);
}

static inline struct err
put_letter(struct place *p, uint64_t account, const char *text)
{
	struct store_body body = {.bytes = bytes_of(text), .fd = -1};
	struct delivery d = {.op = op(++p->ops),
	                     .accounts = &account,
	                     .n = 1,
	                     .sender = BYTES("a@b.org"),
	                     .summary = BYTES("summary"),
	                     .blob = store_blob_new(p->rig.s),
	                     .size = strlen(text),
	                     .now_s = NOW};
	struct answer blob = {OK, 0, 0};
	struct said s = {0};

	store_blob_put(p->rig.s, d.blob, &body, rig_done, &blob);
	mailbox_deliver(p->m, &d, done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return s.e;
}

static inline struct told *
append_as(struct place *p, struct op_id id, uint64_t account, const char *mailbox, uint32_t flags,
          const char *keywords, const char *text)
{
	struct store_body body = {.bytes = bytes_of(text), .fd = -1};
	const struct appending a = {.account = account,
	                            .op = id,
	                            .mailbox = bytes_of(mailbox),
	                            .flags = flags,
	                            .keywords = words(keywords),
	                            .received_s = NOW + 1,
	                            .summary = BYTES("appended"),
	                            .blob = store_blob_new(p->rig.s),
	                            .size = strlen(text),
	                            .now_s = NOW};
	struct answer blob = {OK, 0, 0};
	struct told *t = told_fresh();

	store_blob_put(p->rig.s, a.blob, &body, rig_done, &blob);
	mailbox_append(p->m, &a, told_appended, t);
	return told_now(p, t);
}

static inline uint32_t
append(struct place *p, const char *mailbox, uint32_t flags, const char *keywords)
{
	struct told *t = append_as(p, op(++p->ops), 1, mailbox, flags, keywords, "appended text");

	assert_true(is_ok(t->e));
	return t->uid;
}

static inline struct told *
open_as(struct place *p, uint64_t account, const char *name, bool examine)
{
	struct told *t = told_fresh();

	mailbox_open(p->m, account, bytes_of(name), examine, NOW, told_opened, t);
	return told_now(p, t);
}

static inline struct mailbox_info
look(struct place *p, const char *name)
{
	struct told *t = open_as(p, 1, name, true);

	assert_true(is_ok(t->e));
	return t->info;
}

static inline struct told *
flag(struct place *p, uint32_t mailbox, enum flags_how how, uint32_t flags, const char *keywords,
     const char *which)
{
	struct told *t = told_fresh();

	change_flags(p->m, 1, mailbox, how, flags, words(keywords), ranges(which), told_answer, t);
	return told_now(p, t);
}

static inline struct told *
expunge(struct place *p, uint32_t mailbox, bool only_deleted, const char *which)
{
	struct told *t = told_fresh();

	change_remove(p->m, 1, mailbox, only_deleted, ranges(which), told_answer, t);
	return told_now(p, t);
}

static inline struct told *
copy_as(struct place *p, struct op_id id, uint32_t mailbox, const char *to, bool move,
        const char *which)
{
	struct told *t = told_fresh();
	const struct copying c = {.account = 1,
	                          .op = id,
	                          .mailbox = mailbox,
	                          .move = move,
	                          .to = bytes_of(to),
	                          .ranges = ranges(which),
	                          .now_s = NOW};

	change_copy(p->m, &c, told_answer, t);
	return told_now(p, t);
}

static inline struct told *
changes(struct place *p, uint32_t mailbox, struct mailbox_place at)
{
	struct told *t = told_fresh();

	mailbox_changes(p->m, 1, mailbox, at, told_answer, t);
	return told_now(p, t);
}

/* All UIDs of a mailbox, as text. */
static inline const char *
all_uids(struct place *p, uint32_t mailbox)
{
	struct told *t = told_fresh();

	mailbox_uids(p->m, 1, mailbox, 0, told_answer, t);
	told_now(p, t);
	assert_true(is_ok(t->e) && !t->answer.more);
	return text_of(t->answer.uids);
}

static inline struct err
folder(struct place *p, enum folder_change what, const char *name, const char *to)
{
	struct said s = {0};

	folders_change(p->m, 1, what, bytes_of(name), bytes_of(to), NOW, done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return s.e;
}

/* One row; false: there is none. */
static inline bool
row_of(struct place *p, uint32_t mailbox, uint32_t uid, unsigned fields, struct message_row *row)
{
	static uint8_t room[ROOM];
	struct wr w = wr_of(room, sizeof(room));
	char text[16];
	bool more;
	struct rd r;

	snprintf(text, sizeof(text), "%u", uid);
	assert_true(is_ok(mailbox_rows(p->m, 1, mailbox, fields, ranges(text), &w, &more)));
	r = rd_of(wr_since(&w, room));
	return message_row_get(&r, row);
}

#endif

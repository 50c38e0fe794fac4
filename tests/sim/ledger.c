/* ledger.c - see ledger.h */
#include "ledger.h"

#include "base/siphash.h"
#include "base/text.h"
#include "box/folders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum {
	AHEAD_MS = 90 * 1000, /* what was cut may be done still, when box is back */
	LATE_MS = 90 * 1000,  /* what was said before is heard so much later */
};
#define EPOCH_S UINT64_C(1704067200) /* when the loop's time begins */

void
ledger_init(struct ledger *l, struct scene *scene, const struct ledger_person *people, size_t n)
{
	l->scene = scene;
	assert_true(n <= LEDGER_PEOPLE);
	memcpy(l->people, people, n * sizeof(*people));
	l->n_people = n;
	l->header = "";
	l->small = false;
	l->n = l->n_seen = l->cap_seen = 0;
	l->repeats = l->reports = l->delays = 0;
	l->seen = NULL;
}

void
ledger_fini(struct ledger *l)
{
	free(l->seen);
}

const struct site_person *
ledger_login(const struct ledger *l, size_t person)
{
	return &l->people[person].site->conf.people[l->people[person].number];
}

/* ---- texts ---- */

static size_t
length_of(const struct ledger *l, struct random *r)
{
	uint64_t kind = random_below(r, l->small ? 200 : 20);

	if (l->small ? kind < 196 : kind < 15)
		return (size_t)random_below(r, l->small ? 600 : 1500);
	if (l->small || kind < 19) /* around what fits into memory, and into a word */
		return 20000 + (size_t)random_below(r, 40000);
	return 100000 + (size_t)random_below(r, 200000);
}

struct bytes
ledger_text(struct ledger *l, size_t letter)
{
	static const char octets[] = "..abcdefghij \t,;\xc3\xa4\xff";
	struct random *r = random_seeded(l->scene->seed * LETTERS + letter);
	struct wr w = wr_of(l->text, sizeof(l->text));
	size_t length = length_of(l, r);

	wr_printf(&w, "Subject: letter %zu\r\n\r\n", letter);
	while (wr_since(&w, l->text).n < length) {
		size_t n = (size_t)random_below(r, 400);

		for (size_t i = 0; i < n; i++)
			wr_u8(&w, (uint8_t)octets[random_below(r, sizeof(octets) - 1)]);
		wr_text(&w, "\r\n");
	}
	random_close(r);
	assert_false(w.full);
	return wr_since(&w, l->text);
}

/* The letter whose subject this line is; false: it is no subject of one. */
static bool
subject(const struct ledger *l, struct bytes line, size_t *letter)
{
	static const char begin[] = "Subject: letter ";
	uint64_t number;

	if (!bytes_begins_nocase(line, bytes_of(begin)))
		return false;
	line = (struct bytes){line.p + sizeof(begin) - 1, line.n - sizeof(begin)}; /* without CR */
	SCENE_MUST(l->scene, text_u64(line, l->n - 1, &number));
	*letter = (size_t)number;
	return true;
}

size_t
ledger_which(struct ledger *l, struct bytes message)
{
	struct bytes rest = message, before, line;
	size_t letter;

	SCENE_MUST(l->scene, bytes_begins_nocase(message, BYTES("Return-Path: <")));
	do {
		before = rest;
		line = text_cut(&rest, '\n');
		SCENE_MUST(l->scene, line.n && line.p[line.n - 1] == '\r');
	} while (!subject(l, line, &letter));
	SCENE_MUST(l->scene, bytes_eq(before, ledger_text(l, letter)));
	return letter;
}

void
ledger_saw(struct ledger *l, size_t person, struct bytes uid, size_t letter)
{
	const struct ledger_person *p = &l->people[person];
	size_t cap = l->cap_seen * 2 + 64;
	struct seen *s;

	SCENE_MUST(l->scene, uid.n && uid.n <= sizeof(l->seen->uid));
	SCENE_MUST(l->scene, l->letters[letter].to >> person & 1);
	SCENE_MUST(l->scene, l->letters[letter].removed[person] != REMOVAL_DONE || p->relayed);
	for (size_t i = 0; i < l->n_seen; i++) {
		s = &l->seen[i];
		if (s->person == person) {
			bool same = bytes_eq((struct bytes){s->uid, s->uid_n}, uid);

			SCENE_MUST(l->scene, !same || (s->letter == letter && !s->removed));
			SCENE_MUST(l->scene,
			           !same || !s->gone_ms ||
			               loop_now_ms(l->scene->loop) - s->gone_ms < LATE_MS);
			SCENE_MUST(l->scene, same || s->letter != letter || p->relayed || p->moves);
			if (same)
				return;
		}
	}
	if (l->n_seen == l->cap_seen) {
		l->seen = realloc(l->seen, cap * sizeof(*l->seen));
		assert_non_null(l->seen);
		l->cap_seen = cap;
	}
	s = &l->seen[l->n_seen++];
	*s = (struct seen){.person = person, .uid_n = uid.n, .letter = letter};
	memcpy(s->uid, uid.p, uid.n);
}

static struct seen *
find(struct ledger *l, size_t person, struct bytes uid)
{
	for (size_t i = 0; i < l->n_seen; i++)
		if (l->seen[i].person == person &&
		    bytes_eq((struct bytes){l->seen[i].uid, l->seen[i].uid_n}, uid))
			return &l->seen[i];
	return NULL;
}

void
ledger_removed(struct ledger *l, size_t person, struct bytes uid, size_t letter, enum removal how)
{
	struct seen *s = find(l, person, uid);

	l->letters[letter].removed[person] = how;
	if (s)
		s->removed = how == REMOVAL_DONE;
}

bool
ledger_deletes(struct ledger *l, size_t person, struct bytes uid)
{
	const struct seen *s = find(l, person, uid);

	if (s)
		l->letters[s->letter].removed[person] = REMOVAL_ASKED;
	return s != NULL;
}

void
ledger_went(struct ledger *l, size_t person, struct bytes uid)
{
	struct seen *s = find(l, person, uid);

	if (s && !s->gone_ms)
		s->gone_ms = loop_now_ms(l->scene->loop);
}

/* ---- the audit: what is there ---- */

static struct bytes
read_whole(struct ledger *l, struct mailboxes *m, uint64_t account, uint32_t mailbox,
           const struct message_row *row)
{
	uint8_t *p = malloc((size_t)row->size + 1);
	struct wr w = wr_of(p, (size_t)row->size + 1);

	assert_non_null(p);
	assert_true(
	    is_ok(mailbox_read(m, account, mailbox, row->uid, 0, (size_t)row->size + 1, &w)));
	SCENE_MUST(l->scene, wr_since(&w, p).n == row->size);
	return wr_since(&w, p);
}

static size_t
person_of(const struct ledger *l, struct bytes address)
{
	size_t i = 0;

	while (i < l->n_people && !bytes_eq_nocase(address, bytes_of(l->people[i].address)))
		i++;
	if (i == l->n_people)
		scene_broken(l->scene, "a report of %.*s", (int)address.n, (const char *)address.p);
	return i;
}

/* A report tells of some recipients of one letter. */
static void
count_report(struct ledger *l, struct bytes message)
{
	static const char final[] = "Final-Recipient: rfc822; ";
	struct bytes rest = message;
	size_t people[LEDGER_PEOPLE], n = 0, letter = LETTERS;
	bool failed = false;

	while (rest.n) {
		struct bytes line = text_cut(&rest, '\n');

		line.n -= line.n && line.p[line.n - 1] == '\r';
		failed |= bytes_eq(line, BYTES("Action: failed"));
		if (bytes_begins_nocase(line, bytes_of(final)) && n < LEDGER_PEOPLE)
			people[n++] = person_of(l, (struct bytes){line.p + sizeof(final) - 1,
			                                          line.n - sizeof(final) + 1});
		line.n += rest.p > line.p + line.n + 1;
		if (bytes_begins_nocase(line, BYTES("Subject: letter ")))
			SCENE_MUST(l->scene, subject(l, line, &letter));
	}
	SCENE_MUST(l->scene, n && letter < LETTERS);
	for (size_t i = 0; i < n; i++) {
		struct letter_found *found = &l->letters[letter].found[people[i]];

		if (failed)
			found->failed++;
		else
			found->delayed++;
	}
	l->reports += failed;
	l->delays += !failed;
}

static bool
is_report(struct bytes message)
{
	return bytes_begins_nocase(message, BYTES("Return-Path: <>\r\nFrom: \"Mail delivery\" <"));
}

static void
count_message(struct ledger *l, size_t person, const struct message_row *row, struct bytes text)
{
	static const uint8_t key[SIPHASH_KEY] = "copies";
	struct letter_found *found;

	if (is_report(text)) {
		count_report(l, text);
		return;
	}
	found = &l->letters[ledger_which(l, text)].found[person];
	SCENE_MUST(l->scene, found->n < LEDGER_COPIES);
	found->copies[found->n++] = (struct letter_copy){
	    .at_ms = (row->received_s - EPOCH_S) * 1000, .print = siphash(key, text)};
}

static void
count_mailbox(struct ledger *l, struct mailboxes *m, size_t person, uint64_t account,
              uint32_t mailbox)
{
	static uint8_t room[61440];
	uint32_t from = 0;
	bool more = true;

	while (more) {
		struct wr w = wr_of(room, sizeof(room)), all;
		uint8_t range[8];
		struct message_row row;
		struct rd r;

		all = wr_of(range, sizeof(range));
		uid_range_put(&all, (struct uid_range){from, UINT32_MAX});
		assert_true(is_ok(mailbox_rows(m, account, mailbox, ROW_FIXED,
		                               wr_since(&all, range), &w, &more)));
		for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row); from = row.uid + 1) {
			struct bytes text = read_whole(l, m, account, mailbox, &row);

			count_message(l, person, &row, text);
			free((void *)(uintptr_t)text.p);
		}
	}
}

static void
count_person(struct ledger *l, struct mailboxes *m, size_t person)
{
	const struct ledger_person *p = &l->people[person];
	uint64_t account = p->site->accounts[p->number];
	uint8_t room[8192];
	struct wr w = wr_of(room, sizeof(room));
	struct folder_row folder;
	struct rd r;
	bool more;

	assert_true(is_ok(folders_list(m, account, 0, 1, &w, &more)));
	assert_false(more);
	for (r = rd_of(wr_since(&w, room)); folder_row_get(&r, &folder);)
		if (folder.flags & FOLDER_EXISTS)
			count_mailbox(l, m, person, account, folder.number);
}

/* ---- the audit: what must be there ---- */

static int
by_time(const void *a, const void *b)
{
	const struct letter_copy *x = a, *y = b;

	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* Between a copy and the next one something must have broken, and they came on two ways. */
static void
check_copies(struct ledger *l, size_t number, size_t person)
{
	struct letter_found *found = &l->letters[number].found[person];

	qsort(found->copies, found->n, sizeof(*found->copies), by_time);
	for (unsigned i = 1; i < found->n; i++) {
		const struct letter_copy *was = &found->copies[i - 1], *is = &found->copies[i];
		uint64_t from = was->at_ms > AHEAD_MS ? was->at_ms - AHEAD_MS : 0;

		for (unsigned j = 0; j < i; j++)
			SCENE_MUST(l->scene, found->copies[j].print != is->print);
		if (!scene_had_incident(l->scene, from, is->at_ms + 1000))
			scene_broken(l->scene,
			             "letter %zu came to %s at %llu ms and at %llu ms, and nothing "
			             "had broken",
			             number, l->people[person].address,
			             (unsigned long long)was->at_ms, (unsigned long long)is->at_ms);
		l->repeats++;
	}
}

static void
compare(struct ledger *l, size_t number, size_t person)
{
	const struct letter *letter = &l->letters[number];
	const struct letter_found *found = &letter->found[person];
	const struct ledger_person *p = &l->people[person];
	bool his = letter->to >> person & 1, there = p->site != NULL;
	bool sure = his && letter->fate == LETTER_TAKEN, may = his && letter->fate != LETTER_UNSENT;
	unsigned least = sure && there && !letter->removed[person];
	unsigned most = may && there && letter->removed[person] != REMOVAL_DONE;

	if (may && there && p->relayed) /* of which each is removed for itself */
		most = LEDGER_COPIES;
	if (found->n < least || found->n > most || found->failed < (sure && !there) ||
	    found->failed > (may && !there) ||
	    found->delayed > (may && p->site != l->people[0].site))
		scene_broken(l->scene,
		             "letter %zu is %u times in the mailboxes of %s, reported %u times as "
		             "failed and %u times as delayed: fate %d, to %x, removed %d",
		             number, found->n, p->address, found->failed, found->delayed,
		             (int)letter->fate, letter->to, (int)letter->removed[person]);
	check_copies(l, number, person);
}

void
ledger_audit(struct ledger *l)
{
	for (size_t person = 0; person < l->n_people; person++) {
		struct site *site = l->people[person].site;
		struct mailboxes *m;

		if (!site)
			continue;
		site_crash(site, ROLE_BOX, AHEAD_MS);
		assert_true(is_ok(mailboxes_open(&m, site->store)));
		count_person(l, m, person);
		while (mailboxes_busy(m) || store_pending(site->store)) { /* folders were made */
			mailboxes_work(m);
			site_store_turn(site->store);
		}
		mailboxes_close(m);
	}
	for (size_t person = 0; person < l->n_people; person++)
		for (size_t i = 0; i < l->n; i++)
			compare(l, i, person);
}

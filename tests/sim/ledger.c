/* ledger.c - see ledger.h */
#include "ledger.h"

#include "base/text.h"
#include "box/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

void
ledger_init(struct ledger *l, struct world *w)
{
	l->world = w;
	l->n = l->n_seen = l->cap_seen = 0;
	l->seen = NULL;
}

void
ledger_fini(struct ledger *l)
{
	free(l->seen);
}

/* ---- texts ---- */

static size_t
length_of(struct random *r)
{
	uint64_t kind = random_below(r, 20);

	if (kind < 15)
		return (size_t)random_below(r, 1500);
	if (kind < 19) /* around what fits into memory, and into a word */
		return 20000 + (size_t)random_below(r, 40000);
	return 100000 + (size_t)random_below(r, 200000);
}

struct bytes
ledger_text(struct ledger *l, size_t letter)
{
	static const char octets[] = "..abcdefghij \t,;\xc3\xa4\xff";
	struct random *r = random_seeded(l->world->seed * LETTERS + letter);
	struct wr w = wr_of(l->text, sizeof(l->text));
	size_t length = length_of(r);

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

size_t
ledger_which(struct ledger *l, struct bytes message)
{
	static const char begin[] = "Subject: letter ";
	struct bytes rest = message, before = message, line;
	uint64_t letter;

	do {
		before = rest;
		line = text_cut(&rest, '\n');
		WORLD_MUST(l->world, line.n && line.p[line.n - 1] == '\r');
	} while (!bytes_begins_nocase(line, BYTES("Subject: letter ")));
	WORLD_MUST(l->world, bytes_begins_nocase(message, BYTES("Return-Path: <")));
	line = (struct bytes){line.p + sizeof(begin) - 1, line.n - sizeof(begin)};
	WORLD_MUST(l->world, text_u64(line, l->n - 1, &letter));
	WORLD_MUST(l->world, bytes_eq(before, ledger_text(l, (size_t)letter)));
	return (size_t)letter;
}

void
ledger_saw(struct ledger *l, int user, struct bytes uid, size_t letter)
{
	size_t cap = l->cap_seen * 2 + 64;

	WORLD_MUST(l->world, uid.n == sizeof(l->seen->uid));
	WORLD_MUST(l->world, l->letters[letter].to >> user & 1);
	WORLD_MUST(l->world, l->letters[letter].removed[user] != REMOVAL_DONE);
	for (size_t i = 0; i < l->n_seen; i++)
		if (l->seen[i].user == user) {
			bool same = !memcmp(l->seen[i].uid, uid.p, uid.n);

			WORLD_MUST(l->world, same == (l->seen[i].letter == letter));
			if (same)
				return;
		}
	if (l->n_seen == l->cap_seen) {
		l->seen = realloc(l->seen, cap * sizeof(*l->seen));
		assert_non_null(l->seen);
		l->cap_seen = cap;
	}
	l->seen[l->n_seen].user = user;
	memcpy(l->seen[l->n_seen].uid, uid.p, uid.n);
	l->seen[l->n_seen++].letter = letter;
}

/* ---- the audit ---- */

static struct bytes
read_whole(struct ledger *l, struct mailboxes *m, uint64_t account, const struct message_row *row)
{
	uint8_t *p = malloc((size_t)row->size + 1);
	struct wr w = wr_of(p, (size_t)row->size + 1);

	assert_non_null(p);
	assert_true(is_ok(mailbox_read(m, account, 1, row->uid, 0, (size_t)row->size + 1, &w)));
	WORLD_MUST(l->world, wr_since(&w, p).n == row->size);
	return wr_since(&w, p);
}

static void
count(struct ledger *l, struct mailboxes *m, uint64_t account, unsigned found[LETTERS])
{
	static uint8_t room[61440];
	uint32_t from = 0;
	bool more = true;

	while (more) {
		struct wr w = wr_of(room, sizeof(room));
		struct message_row row;
		struct rd r;

		assert_true(is_ok(mailbox_rows(m, account, 1, from, &w, &more)));
		for (r = rd_of(wr_since(&w, room)); message_row_get(&r, &row); from = row.uid + 1) {
			struct bytes text = read_whole(l, m, account, &row);

			found[ledger_which(l, text)]++;
			free((void *)(uintptr_t)text.p);
		}
	}
}

static void
compare(struct ledger *l, int user, size_t number, unsigned found)
{
	const struct letter *letter = &l->letters[number];
	bool his = letter->to >> user & 1;
	unsigned least = his && letter->fate == LETTER_TAKEN && !letter->removed[user];
	unsigned most =
	    his && letter->fate != LETTER_UNSENT && letter->removed[user] != REMOVAL_DONE;

	if (found < least || found > most)
		world_broken(l->world,
		             "letter %zu is %u times in the mailbox of u%d: fate %d, to %x, "
		             "removed %d",
		             number, found, user, (int)letter->fate, letter->to,
		             (int)letter->removed[user]);
}

void
ledger_audit(struct ledger *l)
{
	struct mailboxes *m;

	assert_true(is_ok(mailboxes_open(&m, l->world->store)));
	for (int user = 0; user < WORLD_USERS; user++) {
		unsigned found[LETTERS] = {0};

		count(l, m, l->world->accounts[user], found);
		for (size_t i = 0; i < l->n; i++)
			compare(l, user, i, found[i]);
	}
	mailboxes_close(m);
}

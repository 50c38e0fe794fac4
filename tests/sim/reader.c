/* reader.c - USER, PASS, LIST, UIDL, RETR and DELE of each, QUIT. */
#include "reader.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { GREETING, USER, PASS, LIST, UIDL, RETR, TOP, DELE, QUIT, OVER };

static unsigned
chance(struct reader *r, unsigned n)
{
	return scene_chance(r->ledger->scene, n);
}

static const struct site_person *
login(const struct reader *r)
{
	return ledger_login(r->ledger, r->person);
}

/* ---- what it says ---- */

static void
removed(struct reader *r, enum removal how)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct reader_row *row = &r->rows[i];

		if (row->deleted)
			ledger_removed(r->ledger, r->person,
			               (struct bytes){row->uid, sizeof(row->uid)}, row->letter,
			               how);
	}
}

static void
quit(struct reader *r)
{
	if (!r->ledger->scene->mended &&
	    chance(r, 6) == 0) { /* or goes without a word: nothing is deleted */
		line_close(&r->line);
		return;
	}
	r->stage = QUIT;
	removed(r, REMOVAL_ASKED);
	line_sayf(&r->line, "QUIT\r\n");
}

static void
next_message(struct reader *r)
{
	if (r->at == r->n) {
		quit(r);
		return;
	}
	r->stage = RETR;
	line_sayf(&r->line, "RETR %zu\r\n", r->at + 1);
}

/* ---- what it hears ---- */

static void
refused(struct reader *r, struct bytes line)
{
	bool not_now = bytes_begins_nocase(line, BYTES("-ERR [SYS/TEMP]"));
	bool in_use = bytes_begins_nocase(line, BYTES("-ERR [IN-USE]"));
	bool auth = bytes_begins_nocase(line, BYTES("-ERR [AUTH]"));

	if (r->stage == RETR && r->ledger->people[r->person].moves && !not_now) {
		SCENE_MUST(r->line.scene, bytes_eq(line, BYTES("-ERR that message is gone")));
		r->at++;
		next_message(r);
		return;
	}
	SCENE_MUST(r->line.scene, not_now || (r->stage == PASS && (in_use || auth == r->wrong)));
	if (r->stage == PASS && chance(r, 2)) { /* the same session may try again */
		r->stage = USER;
		line_sayf(&r->line, "USER %s\r\n", login(r)->address);
	} else {
		line_close(&r->line);
	}
}

static void
said_yes(struct reader *r)
{
	switch (r->stage) {
	case GREETING:
		r->stage = USER;
		line_sayf(&r->line, "USER %s\r\n", login(r)->address);
		break;
	case USER:
		r->stage = PASS;
		line_sayf(&r->line, "PASS %s%s\r\n", r->wrong ? "wrong" : "", login(r)->password);
		break;
	case PASS:
		SCENE_MUST(r->line.scene, !r->wrong);
		r->stage = LIST;
		line_sayf(&r->line, "LIST\r\n");
		break;
	case DELE:
		r->rows[r->at++].deleted = true;
		next_message(r);
		break;
	case QUIT:
		removed(r, REMOVAL_DONE);
		line_close(&r->line);
		break;
	default:
		r->listed = true; /* lines follow */
		break;
	}
}

static void
list_row(struct reader *r, struct bytes line)
{
	struct bytes rest = line, word = text_cut(&rest, ' ');
	uint64_t number;

	SCENE_MUST(r->line.scene, text_u64(word, COUNT(r->rows), &number) && number > 0);
	if (r->stage == LIST) {
		SCENE_MUST(r->line.scene, number == r->n + 1);
		SCENE_MUST(r->line.scene, text_u64(rest, UINT32_MAX, &r->rows[r->n++].size));
		return;
	}
	SCENE_MUST(r->line.scene, number <= r->n && rest.n == sizeof(r->rows->uid));
	memcpy(r->rows[number - 1].uid, rest.p, rest.n);
}

static void
text_row(struct reader *r, struct bytes line)
{
	if (line.n && line.p[0] == '.')
		line = (struct bytes){line.p + 1, line.n - 1};
	assert_true(buf_add(&r->text, line));
	assert_true(buf_add(&r->text, BYTES("\r\n")));
}

static void
message_came(struct reader *r)
{
	struct reader_row *row = &r->rows[r->at];
	struct bytes text = buf_bytes(&r->text);

	SCENE_MUST(r->line.scene, text.n == row->size);
	row->letter = ledger_which(r->ledger, text);
	ledger_saw(r->ledger, r->person, (struct bytes){row->uid, sizeof(row->uid)}, row->letter);
	buf_free(&r->text);
	if (chance(r, 4) == 0 && !r->keeps) {
		r->stage = TOP;
		line_sayf(&r->line, "TOP %zu %u\r\n", r->at + 1, chance(r, 5));
	} else if (chance(r, 3) == 0 && !r->keeps) {
		r->stage = DELE;
		line_sayf(&r->line, "DELE %zu\r\n", r->at + 1);
	} else {
		r->at++;
		next_message(r);
	}
}

static void
list_over(struct reader *r)
{
	r->listed = false;
	if (r->stage == LIST) {
		r->stage = UIDL;
		line_sayf(&r->line, "UIDL\r\n");
	} else if (r->stage == UIDL) {
		next_message(r);
	} else if (r->stage == RETR) {
		message_came(r);
	} else {
		r->at++;
		next_message(r);
	}
}

static void
heard(void *owner, struct bytes line)
{
	struct reader *r = owner;

	if (r->listed && line.n == 1 && line.p[0] == '.')
		list_over(r);
	else if (r->listed && r->stage == RETR)
		text_row(r, line);
	else if (r->listed && r->stage != TOP)
		list_row(r, line);
	else if (r->listed)
		return;
	else if (bytes_begins_nocase(line, BYTES("+OK")))
		said_yes(r);
	else
		refused(r, line);
}

static void
gone(void *owner)
{
	struct reader *r = owner;

	r->stage = OVER;
	buf_free(&r->text);
}

static void
start(void *owner)
{
	struct reader *r = owner;
	const struct addr to = site_at(r->ledger->people[r->person].site, 110);

	r->line.heard = heard;
	r->line.gone = gone;
	r->line.owner = r;
	if (!line_open(&r->line, r->ledger->scene, &to))
		r->stage = OVER;
}

void
reader_start(struct reader *r, struct ledger *ledger, size_t person, uint64_t within_ms)
{
	*r = (struct reader){.ledger = ledger, .line = {.fd = -1}};
	r->text = buf_init(LETTER_MAX);
	r->person = person;
	r->keeps = ledger->people[person].moves;
	r->wrong = chance(r, 8) == 0;
	loop_timer_set(ledger->scene->loop, &r->start, random_below(ledger->scene->dice, within_ms),
	               start, r);
}

bool
reader_is_over(const struct reader *r)
{
	return r->stage == OVER;
}

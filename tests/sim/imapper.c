/* imapper.c - see imapper.h */
#include "imapper.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum doing {
	GREETING,
	LOGIN,
	SELECT,
	LEARN, /* FETCH of those whose UID is not known, by number */
	READ,
	SEARCH, /* by number, of all */
	UID_SEARCH,
	STORE, /* by number */
	UID_STORE,
	NOOP,
	IDLE,
	DONE,
	MOVE,
	DELETE, /* with a flag; then it is expunged */
	EXPUNGE,
	LOGOUT,
};

enum { ACTIONS = 12, WAIT_MS = 20 * 1000, NAME_ROOM = 40 };

static const char *const folders[] = {"INBOX", "Trash"};

static struct scene *
scene(const struct imapper *c)
{
	return c->ledger->scene;
}

#define MUST(c, claim) SCENE_MUST(scene(c), claim)

static void act(struct imapper *c);

/* Of a message, for the ledger. */
static struct bytes
name_of(const struct imapper *c, struct wr w, uint32_t uid)
{
	uint8_t *start = w.p;

	wr_printf(&w, "%s %u %u", folders[c->folder], c->uidvalidity, uid);
	return wr_since(&w, start);
}

/* ---- what it says ---- */

__attribute__((format(printf, 3, 4))) static void
say(struct imapper *c, enum doing doing, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	c->doing = (int)doing;
	line_sayf(&c->line, "a%u %s\r\n", ++c->tag, text);
}

static void
select_folder(struct imapper *c, int folder)
{
	c->folder = folder;
	c->count = 0;
	c->uidvalidity = 0;
	say(c, SELECT, "SELECT %s", folders[folder]);
}

static void
idle_over(void *owner)
{
	struct imapper *c = owner;

	c->doing = DONE;
	line_sayf(&c->line, "DONE\r\n");
}

/*
 * What the numbers tell must be known before anything is done by them.  One that is not told has gone
 * meanwhile, which may not be said in a FETCH by number, but in a NOOP.
 */
static bool
learn(struct imapper *c)
{
	uint32_t i = 0;

	while (i < c->count && c->uids[i])
		i++;
	if (i == c->count)
		return false;
	if (c->doing == LEARN)
		say(c, NOOP, "NOOP");
	else
		say(c, LEARN, "FETCH %u:%u (UID ENVELOPE)", i + 1, c->count);
	return true;
}

static void
act_on_one(struct imapper *c, uint32_t number)
{
	static const char *const how[] = {"+FLAGS", "-FLAGS", "FLAGS"};
	static const char *const flags[] = {"\\Seen", "\\Flagged", "\\Answered friendly"};
	const char *one = how[scene_chance(scene(c), 3)], *two = flags[scene_chance(scene(c), 3)];

	uint8_t room[NAME_ROOM];

	c->uid = c->uids[number - 1];
	switch (scene_chance(scene(c), c->mover ? 8 : 3)) {
	case 0:
		say(c, READ, "UID FETCH %u BODY.PEEK[]", c->uid);
		break;
	case 1:
		say(c, UID_STORE, "UID STORE %u %s (%s)", c->uid, one, two);
		break;
	case 2:
		say(c, STORE, "STORE %u %s (%s)", number, one, two);
		break;
	case 3:
		if (ledger_deletes(c->ledger, c->person,
		                   name_of(c, wr_of(room, sizeof(room)), c->uid)))
			say(c, DELETE, "UID STORE %u +FLAGS (\\Deleted)", c->uid);
		else
			say(c, READ, "UID FETCH %u BODY.PEEK[]", c->uid);
		break;
	default:
		say(c, MOVE, "UID MOVE %u %s", c->uid, folders[!c->folder]);
		break;
	}
}

static void
act(struct imapper *c)
{
	if (c->line.fd < 0 || learn(c))
		return;
	if (!c->left) {
		say(c, LOGOUT, "LOGOUT");
		return;
	}
	c->left--;
	switch (scene_chance(scene(c), 8)) {
	case 0:
		say(c, NOOP, "NOOP");
		break;
	case 1:
		say(c, UID_SEARCH, "UID SEARCH ALL");
		break;
	case 2:
		say(c, SEARCH, "SEARCH ALL");
		break;
	case 3:
		select_folder(c, (int)scene_chance(scene(c), 2));
		break;
	default:
		if (!c->count || (!c->mover && scene_chance(scene(c), 2)))
			say(c, IDLE, "IDLE");
		else
			act_on_one(c, 1 + scene_chance(scene(c), c->count));
		break;
	}
}

/* ---- numbers ---- */

static void
exists(struct imapper *c, uint32_t count)
{
	MUST(c, count >= c->count && count <= IMAPPER_VIEW);
	c->counts->news += count - c->count;
	while (c->count < count)
		c->uids[c->count++] = 0;
}

static void
expunged(struct imapper *c, uint32_t number)
{
	uint8_t room[NAME_ROOM];

	MUST(c, c->doing != LEARN && c->doing != SEARCH && c->doing != STORE);
	MUST(c, number && number <= c->count);
	if (c->uids[number - 1])
		ledger_went(c->ledger, c->person,
		            name_of(c, wr_of(room, sizeof(room)), c->uids[number - 1]));
	memmove(&c->uids[number - 1], &c->uids[number], (c->count - number) * sizeof(c->uids[0]));
	c->count--;
	c->counts->expunged++;
}

static bool
knows(const struct imapper *c, uint32_t uid)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (c->uids[i] == uid)
			return true;
	return false;
}

static void
has_uid(struct imapper *c, uint32_t number, uint32_t uid)
{
	MUST(c, number && number <= c->count && uid);
	MUST(c, !c->uids[number - 1] || c->uids[number - 1] == uid);
	for (uint32_t i = 0; i < c->count; i++)
		MUST(c, !c->uids[i] || (i < number - 1   ? c->uids[i] < uid
		                        : i > number - 1 ? c->uids[i] > uid
		                                         : true));
	c->uids[number - 1] = uid;
}

static void
is_letter(struct imapper *c, uint32_t uid, size_t letter)
{
	uint8_t room[NAME_ROOM];

	ledger_saw(c->ledger, c->person, name_of(c, wr_of(room, sizeof(room)), uid), letter);
	c->counts->fetched++;
}

/* ---- what it hears ---- */

static bool
find(struct bytes line, const char *what, struct bytes *rest)
{
	const uint8_t *at = memmem(line.p, line.n, what, strlen(what));

	if (at)
		*rest = (struct bytes){at + strlen(what),
		                       line.n - (size_t)(at - line.p) - strlen(what)};
	return at != NULL;
}

static uint32_t
number_of(struct imapper *c, struct bytes text)
{
	size_t n = 0;
	uint64_t value = 0;

	while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
		n++;
	MUST(c, text_u64((struct bytes){text.p, n}, UINT32_MAX, &value));
	return (uint32_t)value;
}

/* "5 FETCH (UID 7 ENVELOPE (... "letter 3" ...", or with FLAGS, or "BODY[] {123}". */
static void
fetched(struct imapper *c, uint32_t number, struct bytes line)
{
	struct bytes rest;

	MUST(c, number && number <= c->count);
	if (!find(line, "UID ", &rest)) { /* what a STORE by number has set */
		MUST(c, c->doing == STORE && find(line, "(FLAGS (", &rest));
		return;
	}
	has_uid(c, number, number_of(c, rest));
	if (find(line, "\"letter ", &rest))
		is_letter(c, c->uids[number - 1], number_of(c, rest));
	if (find(line, "BODY[] {", &rest)) {
		MUST(c, c->doing == READ && c->uids[number - 1] == c->uid);
		c->line.literal = number_of(c, rest);
		buf_free(&c->octets);
	}
}

static void
octets(void *owner, struct bytes piece)
{
	struct imapper *c = owner;

	assert_true(buf_add(&c->octets, piece));
	if (c->line.literal)
		return;
	is_letter(c, c->uid, ledger_which(c->ledger, buf_bytes(&c->octets)));
	buf_free(&c->octets);
}

static void
search_hits(struct imapper *c, struct bytes rest)
{
	while (rest.n) {
		uint32_t hit = number_of(c, text_cut(&rest, ' '));

		if (c->doing == SEARCH)
			MUST(c, hit && hit <= c->count);
		else
			MUST(c, c->doing == UID_SEARCH && knows(c, hit));
	}
}

static void
untagged(struct imapper *c, struct bytes line)
{
	struct bytes rest = line, first = text_cut(&rest, ' '), what;
	uint64_t number;

	if (bytes_eq(first, BYTES("SEARCH"))) {
		search_hits(c, rest);
		return;
	}
	if (bytes_begins_nocase(line, BYTES("OK [UIDVALIDITY "))) {
		MUST(c, find(line, "UIDVALIDITY ", &rest));
		c->uidvalidity = number_of(c, rest);
	}
	if (bytes_begins_nocase(line, BYTES("BYE")))
		c->left = 0;
	if (!text_u64(first, UINT32_MAX, &number))
		return;
	what = text_cut(&rest, ' ');
	if (bytes_eq(what, BYTES("EXISTS")))
		exists(c, (uint32_t)number);
	else if (bytes_eq(what, BYTES("EXPUNGE")))
		expunged(c, (uint32_t)number);
	else if (bytes_eq(what, BYTES("FETCH")))
		fetched(c, (uint32_t)number, rest);
	else
		MUST(c, bytes_eq(what, BYTES("RECENT")));
}

static void
completed(struct imapper *c, struct bytes line)
{
	bool ok = bytes_begins_nocase(line, BYTES("OK"));
	struct bytes rest;

	if (!ok && !find(line, "NO [UNAVAILABLE]", &rest))
		scene_broken(scene(c), "in state %d: %.*s", c->doing, (int)line.n,
		             (const char *)line.p);
	c->well = ok && c->doing == LOGOUT;
	if (c->doing == LOGOUT || (!ok && (c->doing == LOGIN || c->doing == SELECT))) {
		line_close(&c->line);
		return;
	}
	c->counts->moved += ok && c->doing == MOVE;
	c->counts->waited += c->doing == DONE;
	c->must_end = c->doing == MOVE && ok && knows(c, c->uid);
	if (c->doing == LOGIN)
		select_folder(c, 0);
	else if (c->doing == DELETE && ok)
		say(c, EXPUNGE, "UID EXPUNGE %u", c->uid);
	else
		act(c);
}

static void
heard(void *owner, struct bytes line)
{
	struct imapper *c = owner;
	struct bytes rest = line, first = text_cut(&rest, ' ');
	char tag[16];

	snprintf(tag, sizeof(tag), "a%u", c->tag);
	MUST(c, !c->must_end || bytes_begins_nocase(line, BYTES("* BYE")));
	c->must_end = false;
	if (c->doing == GREETING) {
		const struct site_person *login = ledger_login(c->ledger, c->person);

		MUST(c, bytes_begins_nocase(line, BYTES("* OK")));
		say(c, LOGIN, "LOGIN %s %s", login->address, login->password);
	} else if (bytes_eq(first, BYTES("*"))) {
		untagged(c, rest);
	} else if (bytes_eq(first, BYTES("+"))) {
		MUST(c, c->doing == IDLE);
		loop_timer_set(scene(c)->loop, &c->wait, scene_chance(scene(c), WAIT_MS), idle_over,
		               c);
	} else if (bytes_eq(first, bytes_of(tag))) {
		completed(c, rest);
	} else {
		MUST(c, bytes_eq(line, BYTES(")"))); /* behind a literal */
	}
}

static void
gone(void *owner)
{
	struct imapper *c = owner;

	loop_timer_stop(scene(c)->loop, &c->wait);
	buf_free(&c->octets);
	c->over = true;
}

static void
start(void *owner)
{
	struct imapper *c = owner;
	const struct addr to = site_at(c->ledger->people[c->person].site, 143);

	c->line.heard = heard;
	c->line.octets = octets;
	c->line.gone = gone;
	c->line.owner = c;
	if (!line_open(&c->line, scene(c), &to))
		c->over = true;
}

void
imapper_start(struct imapper *c, struct ledger *ledger, struct imapper_counts *counts,
              size_t person, bool mover, uint64_t within_ms)
{
	*c = (struct imapper){.ledger = ledger,
	                      .counts = counts,
	                      .person = person,
	                      .mover = mover,
	                      .line = {.fd = -1}};
	c->octets = buf_init(LETTER_MAX);
	c->left = 1 + scene_chance(ledger->scene, ACTIONS);
	loop_timer_set(ledger->scene->loop, &c->start, random_below(ledger->scene->dice, within_ms),
	               start, c);
}

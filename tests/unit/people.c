/* people.c - who has mail here: every change, what refuses one, and the image behind each. */
#include "box/people.h"

#include "base/random.h"
#include "directory/image.h"
#include "net/snap.h"

#include "../store_rig.h"

#include <string.h>

struct said {
	int calls;
	enum err_code code;
	uint64_t account;
	char text[200];
};

struct place {
	struct rig rig;
	struct random *random;
	struct people *people;
};

static void
open_people(struct place *p)
{
	rig_open(&p->rig);
	assert_true(is_ok(people_open(&p->people, p->rig.s, p->random)));
}

static void
init(struct place *p, enum store_engine_kind engine)
{
	rig_init(&p->rig, engine, 1);
	p->random = random_seeded(2);
	open_people(p);
}

/* As box does: the store first, which answers all that waits. */
static void
close_people(struct place *p)
{
	rig_close(&p->rig);
	people_close(p->people);
}

static void
fini(struct place *p)
{
	close_people(p);
	rig_fini(&p->rig);
	random_close(p->random);
}

static void
done(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	struct said *s = owner;

	s->calls++;
	s->code = code;
	s->account = account;
	assert_true(text.n < sizeof(s->text));
	if (text.n)
		memcpy(s->text, text.p, text.n);
	s->text[text.n] = 0;
}

static void
settle(struct place *p)
{
	while (store_pending(p->rig.s))
		assert_true(is_ok(store_turn(p->rig.s)));
}

static struct bytes
packed(struct wr w, const char *targets)
{
	uint8_t *start = w.p;

	for (const char *t = targets; t && *t; t += strcspn(t, " "), t += *t == ' ')
		wr_bytes16(&w, (struct bytes){(const uint8_t *)t, strcspn(t, " ")});
	assert_false(w.full);
	return wr_since(&w, start);
}

static struct said
change(struct place *p, enum people_change what, const char *name, const char *targets)
{
	static uint8_t room[32768];
	struct said s = {0};

	people_change(p->people, what, bytes_of(name), packed(wr_of(room, sizeof(room)), targets),
	              done, &s);
	settle(p);
	assert_int_equal(s.calls, 1);
	return s;
}

static void
must(struct place *p, enum people_change what, const char *name, const char *targets)
{
	struct said s = change(p, what, name, targets);

	if (s.code)
		fail_msg("%s: %d %s", name, s.code, s.text);
}

/* ---- the image ---- */

struct view {
	struct snap *snap;
	struct directory directory;
};

static struct view
look(struct place *p)
{
	struct view v = {NULL, {{NULL, 0}, 0, 0, {0}}};
	int fd = -1;

	assert_true(is_ok(people_image(p->people, &fd)));
	assert_true(is_ok(snap_map(&v.snap, fd, 1 << 24)));
	close(fd);
	assert_true(directory_open(&v.directory, snap_bytes(v.snap)));
	assert_int_equal(directory_version(&v.directory), people_version(p->people));
	return v;
}

static enum directory_kind
kind_of(struct place *p, const char *address, uint64_t *account)
{
	struct view v = look(p);
	struct directory_answer found;
	enum directory_kind kind = directory_lookup(&v.directory, bytes_of(address), &found);

	if (account)
		*account = kind == DIRECTORY_ACCOUNT ? found.account : 0;
	snap_release(v.snap);
	return kind;
}

/* ---- changes ---- */

static const struct {
	enum people_change what;
	const char *name, *targets;
	enum err_code code;
} changes[] = {
    /* domains */
    {PEOPLE_ADD_DOMAIN, "example.org", "", 0},
    {PEOPLE_ADD_DOMAIN, "EXAMPLE.org", "", ERR_EXISTS},
    {PEOPLE_ADD_DOMAIN, "xn--bcher-kva.example", "", 0},
    {PEOPLE_ADD_DOMAIN, "", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, ".", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a..b", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a.", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "-a.b", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a-.b", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a.b-", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a_b.c", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN,
     "b\xc3\xbc"
     "cher.example",
     "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a b", "", ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a123456789b123456789c123456789d123456789e123456789f123456789g123.x", "",
     ERR_SYNTAX},
    {PEOPLE_ADD_DOMAIN, "a123456789b123456789c123456789d123456789e123456789f123456789g12.x", "", 0},
    {PEOPLE_REMOVE_DOMAIN, "nowhere.org", "", ERR_NOTFOUND},
    /* accounts */
    {PEOPLE_ADD_ACCOUNT, "Alice@Example.ORG", "", 0},
    {PEOPLE_ADD_ACCOUNT, "alice@example.org", "", ERR_EXISTS},
    {PEOPLE_ADD_ACCOUNT, "alice@nowhere.org", "", ERR_NOTFOUND},
    {PEOPLE_ADD_ACCOUNT, "alice", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "@example.org", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "<bob@example.org>", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "bob@example.org x", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "\"bob\"@example.org", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "b\nob@example.org", "", ERR_SYNTAX},
    {PEOPLE_ADD_ACCOUNT, "bob@example.org", "", 0},
    {PEOPLE_FIND_ACCOUNT, "BOB@example.org", "", 0},
    {PEOPLE_FIND_ACCOUNT, "carol@example.org", "", ERR_NOTFOUND},
    {PEOPLE_REMOVE_ACCOUNT, "carol@example.org", "", ERR_NOTFOUND},
    {PEOPLE_REMOVE_DOMAIN, "example.org", "", ERR_DENIED},
    /* aliases */
    {PEOPLE_ADD_ALIAS, "sales@example.org", "alice@example.org bob@example.org", 0},
    {PEOPLE_ADD_ALIAS, "SALES@example.org", "bob@example.org", ERR_EXISTS},
    {PEOPLE_ADD_ALIAS, "alice@example.org", "bob@example.org", ERR_EXISTS},
    {PEOPLE_ADD_ACCOUNT, "sales@example.org", "", ERR_EXISTS},
    {PEOPLE_ADD_ALIAS, "@example.org", "bob@example.org", 0},
    {PEOPLE_ADD_ALIAS, "@nowhere.org", "bob@example.org", ERR_NOTFOUND},
    {PEOPLE_ADD_ALIAS, "none@example.org", "", ERR_RANGE},
    {PEOPLE_ADD_ALIAS, "far@example.org", "x@elsewhere.net bob@example.org", 0},
    {PEOPLE_REMOVE_ALIAS, "far@example.org", "", 0},
    {PEOPLE_ADD_ALIAS, "bad@example.org", "alice@example.org bob", ERR_SYNTAX},
    {PEOPLE_ADD_ALIAS, "bad@example.org", "@example.org", ERR_SYNTAX},
    {PEOPLE_ADD_ALIAS, "self@example.org", "self@example.org", ERR_DENIED},
    {PEOPLE_REMOVE_ALIAS, "none@example.org", "", ERR_NOTFOUND},
    {PEOPLE_REMOVE_ALIAS, "alice@example.org", "", ERR_NOTFOUND},
    {PEOPLE_REMOVE_ALIAS, "Sales@example.org", "", 0},
    {PEOPLE_REMOVE_ALIAS, "sales@example.org", "", ERR_NOTFOUND},
    /* and back */
    {PEOPLE_REMOVE_ACCOUNT, "alice@example.org", "", 0},
    {PEOPLE_REMOVE_ACCOUNT, "Bob@example.org", "", 0},
    {PEOPLE_REMOVE_DOMAIN, "example.org", "", ERR_DENIED},
    {PEOPLE_REMOVE_ALIAS, "@example.org", "", 0},
    {PEOPLE_REMOVE_DOMAIN, "Example.org", "", 0},
    {PEOPLE_REMOVE_DOMAIN, "example.org", "", ERR_NOTFOUND},
    {0, "example.org", "", ERR_SYNTAX},
    {PEOPLE_REMOVE_ALIAS + 1, "example.org", "", ERR_SYNTAX},
    {255, "example.org", "", ERR_SYNTAX},
};

static void
each_change_is_made_or_says_why_not(void **state)
{
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	for (size_t i = 0; i < COUNT(changes); i++) {
		uint64_t before = people_version(p.people), found = changes[i].what;
		struct said s = change(&p, changes[i].what, changes[i].name, changes[i].targets);

		if (s.code != changes[i].code)
			fail_msg("row %zu, %s: %d %s", i, changes[i].name, s.code, s.text);
		assert_true(!s.code || s.text[0]); /* a person is told why */
		assert_int_equal(people_version(p.people) - before,
		                 !s.code && found != PEOPLE_FIND_ACCOUNT);
	}
	fini(&p);
}

/* ---- limits ---- */

static const char *
long_name(char *room, size_t local, size_t label, size_t n)
{
	memset(room, 'a', n);
	for (size_t i = local + label + 1; i < n; i += label + 1)
		room[i] = '.';
	room[local] = '@';
	room[n] = 0;
	return room;
}

static void
names_end_at_what_a_key_can_hold(void **state)
{
	char room[400];
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	/* 199 octets are a key with its letter */
	long_name(room, 0, 48, 199);
	must(&p, PEOPLE_ADD_DOMAIN, room + 1, NULL);
	long_name(room, 1, 48, 199);
	must(&p, PEOPLE_ADD_DOMAIN, room + 2, NULL);
	must(&p, PEOPLE_ADD_ACCOUNT, room, NULL);
	long_name(room, 1, 48, 200);
	assert_int_equal(change(&p, PEOPLE_ADD_ACCOUNT, room, NULL).code, ERR_SYNTAX);
	memset(room, 'a', 320);
	room[320] = 0;
	assert_int_equal(change(&p, PEOPLE_ADD_DOMAIN, room, NULL).code, ERR_SYNTAX);
	/* a target may be longer than any name that is kept: it is at another server then */
	must(&p, PEOPLE_ADD_DOMAIN, "a.org", NULL);
	long_name(room, 1, 48, 250);
	assert_int_equal(change(&p, PEOPLE_ADD_ALIAS, "x@a.org", room).code, 0);
	fini(&p);
}

static void
an_alias_has_as_many_targets_as_one_value_holds(void **state)
{
	static char targets[8192];
	char *at = targets;
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	must(&p, PEOPLE_ADD_ACCOUNT, "account@example.org", NULL);
	for (int i = 0; i < 181; i++) /* 22 octets each */
		at += snprintf(at, 32, "%sa+%04d.x@example.org", i ? " " : "", i);
	must(&p, PEOPLE_ADD_ALIAS, "much@example.org", targets);
	snprintf(at, 32, " and.more@example.org");
	assert_int_equal(change(&p, PEOPLE_ADD_ALIAS, "more@example.org", targets).code, ERR_RANGE);
	fini(&p);
}

static void
targets_that_are_cut_short_are_refused(void **state)
{
	static const uint8_t cut[] = {0, 5, 'a', '@'};
	struct said s = {0};
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	people_change(p.people, PEOPLE_ADD_ALIAS, BYTES("x@example.org"),
	              (struct bytes){cut, sizeof(cut)}, done, &s);
	settle(&p);
	assert_int_equal(s.code, ERR_SYNTAX);
	fini(&p);
}

/* ---- circles (attack 50) ---- */

static void
no_alias_leads_back_to_itself(void **state)
{
	struct place p;
	struct said s;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	must(&p, PEOPLE_ADD_ALIAS, "a@example.org", "b@example.org");
	must(&p, PEOPLE_ADD_ALIAS, "b@example.org", "c@example.org");
	s = change(&p, PEOPLE_ADD_ALIAS, "c@example.org", "A@EXAMPLE.org");
	assert_int_equal(s.code, ERR_DENIED);
	assert_non_null(strstr(s.text, "circle"));
	must(&p, PEOPLE_ADD_ACCOUNT, "c@example.org", NULL);
	assert_int_equal(kind_of(&p, "a@example.org", NULL), DIRECTORY_LIST);
	fini(&p);
}

static void
aliases_are_sixteen_deep_at_most(void **state)
{
	char name[32], target[32];
	struct place p;
	int i;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	must(&p, PEOPLE_ADD_ACCOUNT, "0@example.org", NULL);
	for (i = 1; i < 40; i++) {
		snprintf(name, sizeof(name), "%d@example.org", i);
		snprintf(target, sizeof(target), "%d@example.org", i - 1);
		if (change(&p, PEOPLE_ADD_ALIAS, name, target).code)
			break;
	}
	assert_in_range(i, 16, 18);
	fini(&p);
}

static void
aliases_of_aliases_have_a_thousand_targets_at_most(void **state)
{
	static char list[8192], name[64];
	struct place p;
	struct said s;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "e.org", NULL);
	for (int k = 0; k < 6; k++) {
		char *at = list;

		for (int i = 0; i < 180; i++) {
			snprintf(name, sizeof(name), "u%d-%d@e.org", k, i);
			must(&p, PEOPLE_ADD_ACCOUNT, name, NULL);
			at += snprintf(at, 32, "%s%s", i ? " " : "", name);
		}
		snprintf(name, sizeof(name), "part%d@e.org", k);
		must(&p, PEOPLE_ADD_ALIAS, name, list);
	}
	must(&p, PEOPLE_ADD_ALIAS, "five@e.org",
	     "part0@e.org part1@e.org part2@e.org part3@e.org part4@e.org");
	s = change(&p, PEOPLE_ADD_ALIAS, "six@e.org", "five@e.org part5@e.org");
	assert_int_equal(s.code, ERR_DENIED);
	assert_non_null(strstr(s.text, "1,000"));
	fini(&p);
}

/* ---- changes at once ---- */

static void
changes_of_one_turn_see_each_other(void **state)
{
	enum { N = 50 };
	struct said twice[2] = {{0}}, many[N] = {{0}}, left = {0}, late = {0};
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	must(&p, PEOPLE_ADD_DOMAIN, "empty.org", NULL);
	for (int i = 0; i < 2; i++)
		people_change(p.people, PEOPLE_ADD_ACCOUNT, BYTES("one@example.org"), NO_BYTES,
		              done, &twice[i]);
	for (int i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "m%d@example.org", i);
		people_change(p.people, PEOPLE_ADD_ACCOUNT, bytes_of(name), NO_BYTES, done,
		              &many[i]);
	}
	people_change(p.people, PEOPLE_REMOVE_DOMAIN, BYTES("empty.org"), NO_BYTES, done, &left);
	people_change(p.people, PEOPLE_ADD_ACCOUNT, BYTES("x@empty.org"), NO_BYTES, done, &late);
	settle(&p);
	assert_int_equal(twice[0].code, 0);
	assert_int_equal(twice[1].code, ERR_EXISTS);
	for (int i = 0; i < N; i++) {
		assert_int_equal(many[i].calls, 1);
		assert_int_equal(many[i].code, 0);
		for (int k = 0; k < i; k++)
			assert_true(many[i].account != many[k].account);
	}
	/* whichever came first: no account is in a domain that is not there */
	assert_true((left.code == 0 && late.code == ERR_NOTFOUND) ||
	            (left.code == ERR_DENIED && late.code == 0));
	fini(&p);
}

static void
a_change_that_the_end_meets_is_told_as_not_made(void **state)
{
	struct said first = {0}, second = {0};
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	people_change(p.people, PEOPLE_ADD_DOMAIN, BYTES("a.org"), NO_BYTES, done, &first);
	people_change(p.people, PEOPLE_ADD_DOMAIN, BYTES("b.org"), NO_BYTES, done, &second);
	close_people(&p); /* commits the first; the second is stale, and cannot try again */
	assert_int_equal(first.calls + second.calls, 2);
	assert_int_equal(first.code, 0);
	assert_int_equal(second.code, ERR_LATER);
	rig_fini(&p.rig);
	random_close(p.random);
}

/* ---- images ---- */

enum { NAMES = 12 };

/* 0: nobody, 1: an account, 2: an alias for the account that is its neighbour. */
struct model {
	int is[NAMES];
	uint64_t account[NAMES];
};

static void
check_image(struct place *p, const struct model *m)
{
	struct view v = look(p);

	for (int i = 0; i < NAMES; i++) {
		struct directory_answer found;
		enum directory_kind kind;
		char name[32];

		snprintf(name, sizeof(name), "N%d@Example.org", i);
		kind = directory_lookup(&v.directory, bytes_of(name), &found);
		if (m->is[i] == 0)
			assert_int_equal(kind, DIRECTORY_NONE);
		if (m->is[i] == 1) {
			assert_int_equal(kind, DIRECTORY_ACCOUNT);
			assert_int_equal(found.account, m->account[i]);
		}
		if (m->is[i] == 2 && m->is[(i + 1) % NAMES] == 1) {
			struct directory_target t;

			assert_int_equal(kind, DIRECTORY_LIST);
			assert_true(directory_target(&found, &t));
			assert_int_equal(t.account, m->account[(i + 1) % NAMES]);
			assert_false(directory_target(&found, &t));
		}
	}
	snap_release(v.snap);
}

static void
the_image_is_right_behind_each_change(void **state)
{
	struct random *r = random_seeded(7);
	struct model m = {{0}, {0}};
	uint64_t highest = 0;
	struct place p;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	for (int round = 0; round < 600; round++) {
		int i = (int)random_below(r, NAMES), is = (int)random_below(r, 3);
		char name[32], other[32];
		struct said s;

		snprintf(name, sizeof(name), "n%d@example.org", i);
		snprintf(other, sizeof(other), "n%d@example.org", (i + 1) % NAMES);
		if (m.is[i])
			s = change(&p, m.is[i] == 1 ? PEOPLE_REMOVE_ACCOUNT : PEOPLE_REMOVE_ALIAS,
			           name, NULL);
		else if (is == 1)
			s = change(&p, PEOPLE_ADD_ACCOUNT, name, NULL);
		else
			s = change(&p, PEOPLE_ADD_ALIAS, name, other);
		if (m.is[i]) {
			assert_int_equal(s.code, 0);
			m.is[i] = 0;
		} else if (!s.code) {
			m.is[i] = is == 1 ? 1 : 2;
			m.account[i] = s.account;
			assert_true(is != 1 || s.account > highest); /* never given twice */
			highest = is == 1 ? s.account : highest;
		}
		check_image(&p, &m);
	}
	random_close(r);
	fini(&p);
}

/* ---- lists ---- */

static size_t
count_pages(struct place *p, enum people_kind kind, size_t room_n, char last[256], size_t *n)
{
	static uint8_t room[65536];
	struct bytes after = NO_BYTES;
	bool more = true;
	size_t pages = 0;

	for (*n = 0; more; pages++) {
		struct wr w = wr_of(room, room_n);
		struct rd r;

		assert_true(is_ok(people_list(p->people, kind, after, &w, &more)));
		for (r = rd_of(wr_since(&w, room)); rd_left(&r); ++*n) {
			struct bytes line = rd_bytes16(&r);
			size_t name = 0;

			while (name < line.n && line.p[name] != ' ')
				name++;
			assert_true(!*n ||
			            bytes_cmp(bytes_of(last), (struct bytes){line.p, name}) < 0);
			memcpy(last, line.p, name);
			last[name] = 0;
			after = bytes_of(last);
		}
		assert_false(r.bad);
	}
	return pages;
}

static void
lists_come_in_order_and_whole(void **state)
{
	char name[64], last[256];
	struct place p;
	size_t n;

	(void)state;
	init(&p, STORE_MEMORY);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	for (int i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		must(&p, PEOPLE_ADD_ACCOUNT, name, NULL);
	}
	must(&p, PEOPLE_ADD_ALIAS, "two@example.org", "u1@example.org u2@example.org");
	assert_int_equal(count_pages(&p, PEOPLE_ACCOUNT, 65536, last, &n), 3);
	assert_int_equal(n, 250);
	assert_true(count_pages(&p, PEOPLE_ACCOUNT, 40, last, &n) >= 250);
	assert_int_equal(n, 250);
	assert_int_equal(count_pages(&p, PEOPLE_DOMAIN, 65536, last, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(count_pages(&p, PEOPLE_ALIAS, 65536, last, &n), 1);
	assert_int_equal(n, 1);
	assert_string_equal(last, "two@example.org");
	fini(&p);
}

static void
a_list_goes_on_behind_any_name(void **state)
{
	uint8_t room[256], after[320];
	struct place p;
	bool more;

	(void)state;
	init(&p, STORE_MEMORY);
	memset(after, 'z', sizeof(after));
	for (size_t n = 0; n <= sizeof(after); n++) {
		struct wr w = wr_of(room, sizeof(room));
		struct err e =
		    people_list(p.people, PEOPLE_ACCOUNT, (struct bytes){after, n}, &w, &more);

		assert_int_equal(e.code, n < STORE_KEY_MAX ? 0 : ERR_SYNTAX);
		assert_false(more);
	}
	fini(&p);
}

/* ---- who leaves ---- */

static void
who_leaves_is_known_until_forgotten(void **state)
{
	struct said s = {0};
	uint64_t a, b, account;
	struct place p;

	(void)state;
	init(&p, STORE_LOG);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	a = change(&p, PEOPLE_ADD_ACCOUNT, "a@example.org", NULL).account;
	b = change(&p, PEOPLE_ADD_ACCOUNT, "b@example.org", NULL).account;
	assert_true(is_ok(people_leaving(p.people, 0, &account)));
	assert_int_equal(account, 0);
	must(&p, PEOPLE_REMOVE_ACCOUNT, "b@example.org", NULL);
	must(&p, PEOPLE_REMOVE_ACCOUNT, "a@example.org", NULL);
	close_people(&p); /* what was begun goes on in the next life */
	open_people(&p);
	assert_true(is_ok(people_leaving(p.people, 0, &account)));
	assert_int_equal(account, a);
	assert_true(is_ok(people_leaving(p.people, a, &account)));
	assert_int_equal(account, b);
	assert_true(is_ok(people_leaving(p.people, b, &account)));
	assert_int_equal(account, 0);
	people_forget(p.people, a, done, &s);
	settle(&p);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.code, 0);
	assert_int_equal(s.account, a);
	assert_true(is_ok(people_leaving(p.people, 0, &account)));
	assert_int_equal(account, b);
	people_forget(p.people, b, done, &s);
	settle(&p);
	assert_true(is_ok(people_leaving(p.people, 0, &account)));
	assert_int_equal(account, 0);
	/* the address is free again, and whoever has it next is somebody else */
	assert_true(change(&p, PEOPLE_ADD_ACCOUNT, "a@example.org", NULL).account > b);
	fini(&p);
}

static void
a_new_life_goes_on_from_the_version_before(void **state)
{
	uint64_t version, account, found;
	struct place p;

	(void)state;
	init(&p, STORE_LOG);
	must(&p, PEOPLE_ADD_DOMAIN, "example.org", NULL);
	account = change(&p, PEOPLE_ADD_ACCOUNT, "a@example.org", NULL).account;
	version = people_version(p.people);
	close_people(&p);
	open_people(&p);
	assert_int_equal(people_version(p.people), version);
	assert_int_equal(kind_of(&p, "a@example.org", &found), DIRECTORY_ACCOUNT);
	assert_int_equal(found, account);
	must(&p, PEOPLE_ADD_ACCOUNT, "b@example.org", NULL);
	assert_true(people_version(p.people) > version);
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_change_is_made_or_says_why_not),
	    cmocka_unit_test(names_end_at_what_a_key_can_hold),
	    cmocka_unit_test(an_alias_has_as_many_targets_as_one_value_holds),
	    cmocka_unit_test(targets_that_are_cut_short_are_refused),
	    cmocka_unit_test(no_alias_leads_back_to_itself),
	    cmocka_unit_test(aliases_are_sixteen_deep_at_most),
	    cmocka_unit_test(aliases_of_aliases_have_a_thousand_targets_at_most),
	    cmocka_unit_test(changes_of_one_turn_see_each_other),
	    cmocka_unit_test(a_change_that_the_end_meets_is_told_as_not_made),
	    cmocka_unit_test(the_image_is_right_behind_each_change),
	    cmocka_unit_test(lists_come_in_order_and_whole),
	    cmocka_unit_test(a_list_goes_on_behind_any_name),
	    cmocka_unit_test(who_leaves_is_known_until_forgotten),
	    cmocka_unit_test(a_new_life_goes_on_from_the_version_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* directory.c - who was added is found, aliases end where they should, damage does no harm. */
#include "directory/builder.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t key[16] = {7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* An image in memory of exactly its size, so that ASan sees the first byte beyond. */
struct image {
	uint8_t *p;
	size_t n;
	struct directory d;
};

static struct directory_builder *b;

static int
begin(void **state)
{
	(void)state;
	b = directory_builder_new(key, 42);
	assert_non_null(b);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	directory_builder_free(b);
	return 0;
}

static void
domain(const char *name)
{
	assert_true(is_ok(directory_add_domain(b, bytes_of(name))));
}

static void
account(const char *address, uint64_t id)
{
	assert_true(is_ok(directory_add_account(b, bytes_of(address), id, (uint32_t)id + 100)));
}

/* Targets with blanks between. */
static void
alias(const char *address, const char *targets)
{
	struct bytes list[32];
	size_t n = 0;

	while (*targets) {
		list[n] = (struct bytes){(const uint8_t *)targets, strcspn(targets, " ")};
		targets += list[n].n;
		targets += *targets == ' ';
		n++;
	}
	assert_true(is_ok(directory_add_alias(b, bytes_of(address), list, n)));
}

static struct image
build(void)
{
	struct image i;
	struct wr w;

	assert_true(is_ok(directory_size(b, &i.n)));
	i.p = malloc(i.n);
	w = wr_of(i.p, i.n);
	assert_true(is_ok(directory_build(b, &w)));
	assert_int_equal(wr_room(&w), 0);
	assert_true(directory_open(&i.d, (struct bytes){i.p, i.n}));
	assert_int_equal(directory_version(&i.d), 42);
	return i;
}

/* An answer as text: "no domain", "none", "account 1", "list 1 2 a@b", "broken". */
static const char *
ask(const struct image *i, struct bytes address)
{
	static char text[65536];
	struct wr w = wr_of(text, sizeof(text) - 1);
	struct directory_answer a;
	struct directory_target t;

	switch (directory_lookup(&i->d, address, &a)) {
	case DIRECTORY_NO_DOMAIN:
		return "no domain";
	case DIRECTORY_NONE:
		return "none";
	case DIRECTORY_BROKEN:
		return "broken";
	case DIRECTORY_ACCOUNT:
		assert_int_equal(a.flags, a.account + 100);
		wr_printf(&w, "account %llu", (unsigned long long)a.account);
		break;
	case DIRECTORY_LIST:
		wr_text(&w, "list");
		while (directory_target(&a, &t)) {
			wr_u8(&w, ' ');
			if (t.is_remote)
				wr_bytes(&w, t.remote);
			else
				wr_printf(&w, "%llu", (unsigned long long)t.account);
		}
		assert_int_equal(a.kind, DIRECTORY_LIST);
		break;
	}
	assert_false(w.full);
	*w.p = 0;
	return text;
}

static void
expect(const struct image *i, const char *address, const char *answer)
{
	assert_string_equal(ask(i, bytes_of(address)), answer);
}

static void
lookups_follow_the_house_rules(void **state)
{
	static const struct {
		const char *address, *answer;
	} cases[] = {
	    {"alice@example.org", "account 1"},
	    {"ALICE@Example.ORG", "account 1"},
	    {"alice+tag@example.org", "account 1"},
	    {"alice+a+b@example.org", "account 1"},
	    {"bob+exact@example.org", "account 3"},
	    {"bob+other@example.org", "account 2"},
	    {"+alice@example.org", "none"},
	    {"nobody@example.org", "none"},
	    {"nobody+alice@example.org", "none"},
	    {"@example.org", "none"},
	    {"a b@example.org", "account 4"},
	    {"a@b@example.org", "account 5"},
	    {"alice@example.net", "no domain"},
	    {"alice@sub.example.org", "no domain"},
	    {"alice", "no domain"},
	    {"", "no domain"},
	    {"@", "no domain"},
	    {"alice@", "no domain"},
	    {"postmaster", "account 1"},
	    {"PostMaster", "account 1"},
	    {"postmaster@", "no domain"},
	    {"postmaster@example.org", "account 1"},
	    {"Postmaster+x@example.org", "account 1"},
	    {"postmaster@example.com", "list 6"},
	    {"anybody@example.com", "list 6"},
	    {"@example.com", "none"},
	    {"postmaster@empty.example", "account 1"},
	    {"nobody@empty.example", "none"},
	    {"postmaster@own.example", "list 2 away@example.net"},
	    {"list@own.example", "list 1 2 away@example.net"},
	};
	struct image i;

	(void)state;
	domain("Example.org");
	domain("example.com");
	domain("empty.example");
	domain("own.example");
	account("Alice@example.org", 1);
	account("bob@EXAMPLE.org", 2);
	account("bob+exact@example.org", 3);
	account("a b@example.org", 4);
	account("a@b@example.org", 5);
	account("carol@example.com", 6);
	alias("@example.com", "carol@example.com");
	alias("postmaster@own.example", "bob@example.org away@example.net");
	alias("list@own.example", "ALICE@example.org postmaster@own.example bob+x@example.org");
	i = build();
	for (size_t k = 0; k < COUNT(cases); k++)
		expect(&i, cases[k].address, cases[k].answer);
	assert_true(directory_has_domain(&i.d, BYTES("EXAMPLE.org")));
	assert_false(directory_has_domain(&i.d, BYTES("alice@example.org")));
	assert_false(directory_has_domain(&i.d, BYTES("example.net")));
	assert_false(directory_has_domain(&i.d, NO_BYTES));
	free(i.p);
}

static void
an_empty_directory_answers_for_nothing(void **state)
{
	struct image i = build();

	(void)state;
	expect(&i, "a@example.org", "no domain");
	expect(&i, "postmaster", "no domain");
	free(i.p);
	domain("example.org");
	i = build();
	expect(&i, "a@example.org", "none");
	expect(&i, "postmaster@example.org", "none");
	expect(&i, "postmaster", "no domain");
	account("a@example.org", 9);
	free(i.p);
	i = build();
	expect(&i, "postmaster@example.org", "account 9");
	expect(&i, "postmaster", "account 9");
	free(i.p);
}

static void
aliases_are_flat_and_each_target_is_there_once(void **state)
{
	struct image i;

	(void)state;
	domain("d");
	account("a@d", 1);
	account("b@d", 2);
	account("b2@d", 2);
	alias("one@d", "a@d A+x@D a@d X@Away.example X@away.EXAMPLE x@away.example");
	alias("two@d", "one@d b@d b2@d one@d");
	alias("diamond@d", "two@d one@d three@d");
	alias("three@d", "b@d one@d");
	alias("dead@d", "nobody@d");
	alias("half@d", "nobody@d b@d dead@d");
	alias("postmaster@d", "nobody@d");
	assert_true(is_ok(directory_check(b, NULL, NULL)));
	i = build();
	expect(&i, "one@d", "list 1 X@Away.example x@away.example");
	expect(&i, "two@d", "list 1 X@Away.example x@away.example 2");
	expect(&i, "diamond@d", "list 1 X@Away.example x@away.example 2");
	expect(&i, "dead@d", "none");
	expect(&i, "half@d", "list 2");
	expect(&i, "postmaster@d", "account 1");
	expect(&i, "postmaster", "account 1");
	free(i.p);
}

static char told[4096];

static void
tell(void *owner, enum directory_fault fault, struct bytes from, struct bytes target)
{
	static const char *const names[] = {"loop", "depth", "many", "dead"};
	size_t n = strlen(told);

	assert_null(owner);
	snprintf(told + n, sizeof(told) - n, "%s %.*s>%.*s;", names[fault], (int)from.n,
	         (const char *)from.p, (int)target.n, (const char *)target.p);
}

static void
chains_have_an_end(void **state)
{
	char from[32], to[32];
	struct image i;

	(void)state;
	domain("d");
	account("end@d", 1);
	for (int k = 1; k < DIRECTORY_DEPTH_MAX + 2; k++) {
		snprintf(from, sizeof(from), "c%d@d", k);
		snprintf(to, sizeof(to), "c%d@d", k - 1);
		alias(from, k == 1 ? "end@d" : to);
	}
	told[0] = 0;
	assert_int_equal(directory_check(b, tell, NULL).code, ERR_SYNTAX);
	assert_string_equal(told, "depth c17@d>c1@d;");
	i = build();
	expect(&i, "c16@d", "list 1");
	expect(&i, "c17@d", "broken");
	free(i.p);
}

static void
lists_have_at_most_a_thousand_targets(void **state)
{
	static char text[1001][16];
	static struct bytes list[1001];
	struct image i;

	(void)state;
	domain("d");
	for (size_t k = 0; k < COUNT(list); k++)
		list[k] = (struct bytes){
		    (uint8_t *)text[k], (size_t)snprintf(text[k], sizeof(text[k]), "a%zu@away", k)};
	assert_int_equal(directory_add_alias(b, BYTES("all@d"), list, 1001).code, ERR_RANGE);
	assert_int_equal(directory_add_alias(b, BYTES("all@d"), list, 0).code, ERR_RANGE);
	assert_true(is_ok(directory_add_alias(b, BYTES("all@d"), list, 1000)));
	alias("more@d", "all@d a1@away");
	told[0] = 0;
	assert_true(is_ok(directory_check(b, tell, NULL)));
	alias("toomany@d", "all@d one@more");
	assert_int_equal(directory_check(b, tell, NULL).code, ERR_SYNTAX);
	assert_string_equal(told, "many toomany@d>one@more;");
	i = build();
	assert_int_equal(strlen(ask(&i, BYTES("all@d"))), strlen(ask(&i, BYTES("more@d"))));
	expect(&i, "toomany@d", "broken");
	free(i.p);
}

/* Lists that all contain each other: without a bound on steps this would take for ever. */
static void
lists_of_lists_take_bounded_time(void **state)
{
	enum { N = 300 };
	static char text[N][16];
	static struct bytes list[N];
	struct image i;

	(void)state;
	domain("d");
	account("a@d", 1);
	for (size_t k = 0; k < N; k++)
		list[k] = (struct bytes){(uint8_t *)text[k],
		                         (size_t)snprintf(text[k], sizeof(text[k]), "l%zu@d", k)};
	assert_true(is_ok(directory_add_account(b, list[0], 2, 102)));
	for (size_t k = 1; k < N; k++)
		assert_true(is_ok(directory_add_alias(b, list[k], list, k)));
	i = build();
	expect(&i, "l5@d", "list 2");
	expect(&i, "l299@d", "broken");
	free(i.p);
}

static void
wrong_additions_are_refused(void **state)
{
	static char longest[400];
	struct bytes target = BYTES("x@away");
	static const struct {
		const char *address;
		int32_t code;
	} cases[] = {
	    {"a@d", ERR_EXISTS},   {"A@D", ERR_EXISTS},   {"l@d", ERR_EXISTS},
	    {"x@e", ERR_NOTFOUND}, {"x", ERR_SYNTAX},     {"x@", ERR_SYNTAX},
	    {"", ERR_SYNTAX},      {"x\n@d", ERR_SYNTAX}, {"x@d e", ERR_SYNTAX},
	};

	(void)state;
	domain("d");
	account("a@d", 1);
	alias("l@d", "a@d");
	for (size_t k = 0; k < COUNT(cases); k++) {
		struct bytes at = bytes_of(cases[k].address);

		assert_int_equal(directory_add_account(b, at, 1, 0).code, cases[k].code);
		assert_int_equal(directory_add_alias(b, at, &target, 1).code, cases[k].code);
	}
	assert_int_equal(directory_add_account(b, BYTES("@d"), 1, 0).code, ERR_SYNTAX);
	assert_int_equal(directory_add_domain(b, BYTES("D")).code, ERR_EXISTS);
	assert_int_equal(directory_add_domain(b, BYTES("a@b")).code, ERR_SYNTAX);
	assert_int_equal(directory_add_domain(b, NO_BYTES).code, ERR_SYNTAX);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(directory_add_domain(b, (struct bytes){(uint8_t *)longest, 256}).code,
	                 ERR_RANGE);
	memcpy(longest + 65, "@d", 2);
	assert_int_equal(
	    directory_add_account(b, (struct bytes){(uint8_t *)longest, 67}, 1, 0).code, ERR_RANGE);
	target = BYTES("nothing");
	assert_int_equal(directory_add_alias(b, BYTES("n@d"), &target, 1).code, ERR_SYNTAX);
	target = (struct bytes){(uint8_t *)longest, 321};
	assert_int_equal(directory_add_alias(b, BYTES("n@d"), &target, 1).code, ERR_RANGE);
}

static void
a_long_address_is_nobody_s(void **state)
{
	static uint8_t long_one[100000];
	struct image i;

	(void)state;
	domain("d");
	account("a@d", 1);
	i = build();
	memset(long_one, 'a', sizeof(long_one));
	memcpy(long_one + sizeof(long_one) - 2, "@d", 2);
	assert_string_equal(ask(&i, (struct bytes){long_one, sizeof(long_one)}), "none");
	long_one[1] = '@';
	long_one[sizeof(long_one) - 2] = 'a';
	assert_string_equal(ask(&i, (struct bytes){long_one, sizeof(long_one)}), "no domain");
	free(i.p);
}

static void
many_are_all_found(void **state)
{
	enum { N = 20000 };
	char text[64];
	struct image i;

	(void)state;
	domain("example.org");
	for (size_t k = 0; k < N; k++) {
		snprintf(text, sizeof(text), "user%zu@example.org", k);
		account(text, k);
	}
	i = build();
	for (size_t k = 0; k < N; k++) {
		char want[64];

		snprintf(text, sizeof(text), "user%zu@example.org", k);
		snprintf(want, sizeof(want), "account %zu", k);
		expect(&i, text, want);
		snprintf(text, sizeof(text), "user%zu@example.org", k + N);
		expect(&i, text, "none");
	}
	free(i.p);
}

/* All that a reader can do with an image, whatever it says. */
static void
read_all(struct bytes image)
{
	static const char *const addresses[] = {
	    "a@d", "l@d", "broken@d", "x+y@d", "postmaster", "nobody@c", "a@away", "@d",
	};
	struct directory d;

	if (!directory_open(&d, image))
		return;
	directory_has_domain(&d, BYTES("d"));
	for (size_t k = 0; k < COUNT(addresses); k++) {
		struct directory_answer a;
		struct directory_target t;
		size_t n = 0;

		directory_lookup(&d, bytes_of(addresses[k]), &a);
		while (directory_target(&a, &t)) {
			assert_true(t.remote.n <= DIRECTORY_ADDRESS_MAX);
			n++;
		}
		assert_true(n <= DIRECTORY_TARGETS_MAX);
	}
}

static void
a_damaged_image_does_no_harm(void **state)
{
	struct random *r = random_seeded(11);
	struct image i;

	(void)state;
	domain("d");
	domain("c");
	account("a@d", 1);
	alias("l@d", "a@d x@away y@away");
	alias("@c", "l@d");
	alias("broken@d", "broken@d");
	i = build();
	expect(&i, "broken@d", "broken");
	for (size_t k = 0; k < i.n; k++) {
		uint8_t was = i.p[k], *exact = malloc(k + 1);

		for (unsigned v = 0; v < 256; v++) {
			i.p[k] = (uint8_t)v;
			read_all((struct bytes){i.p, i.n});
		}
		i.p[k] = was;
		memcpy(exact, i.p, k);
		read_all((struct bytes){exact, k});
		free(exact);
	}
	for (size_t turn = 0; turn < 20000; turn++) {
		uint8_t *copy = malloc(i.n);

		memcpy(copy, i.p, i.n);
		for (size_t k = random_below(r, 40); k; k--)
			copy[random_below(r, i.n)] = (uint8_t)random_u64(r);
		read_all((struct bytes){copy, i.n});
		free(copy);
	}
	random_close(r);
	free(i.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(lookups_follow_the_house_rules, begin, end),
	    cmocka_unit_test_setup_teardown(an_empty_directory_answers_for_nothing, begin, end),
	    cmocka_unit_test_setup_teardown(aliases_are_flat_and_each_target_is_there_once, begin,
	                                    end),
	    cmocka_unit_test_setup_teardown(chains_have_an_end, begin, end),
	    cmocka_unit_test_setup_teardown(lists_have_at_most_a_thousand_targets, begin, end),
	    cmocka_unit_test_setup_teardown(lists_of_lists_take_bounded_time, begin, end),
	    cmocka_unit_test_setup_teardown(wrong_additions_are_refused, begin, end),
	    cmocka_unit_test_setup_teardown(a_long_address_is_nobody_s, begin, end),
	    cmocka_unit_test_setup_teardown(many_are_all_found, begin, end),
	    cmocka_unit_test_setup_teardown(a_damaged_image_does_no_harm, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * attack_050_alias_loop.c - aliases that lead back to themselves are told by name before they are
 * kept; if they are in the directory all the same, mail for them fails, and everybody else's
 * works.
 */
#include "directory/builder.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t key[16] = {1, 2, 3};
static unsigned loops;
static char first[64];

static void
tell(void *owner, enum directory_fault fault, struct bytes alias, struct bytes target)
{
	(void)owner;
	(void)target;
	assert_int_equal(fault, DIRECTORY_LOOP);
	if (!loops++)
		snprintf(first, sizeof(first), "%.*s", (int)alias.n, (const char *)alias.p);
}

static struct directory_builder *
new_builder(void)
{
	struct directory_builder *b = directory_builder_new(key, 1);

	assert_non_null(b);
	assert_true(is_ok(directory_add_domain(b, BYTES("d"))));
	assert_true(is_ok(directory_add_account(b, BYTES("alice@d"), 1, 0)));
	loops = 0;
	return b;
}

static void
add(struct directory_builder *b, const char *from, const char *to)
{
	struct bytes target = bytes_of(to);

	assert_true(is_ok(directory_add_alias(b, bytes_of(from), &target, 1)));
}

static enum directory_kind
look(struct directory_builder *b, const char *address)
{
	struct directory_answer a;
	struct directory d;
	uint8_t *image;
	struct wr w;
	size_t n;

	assert_true(is_ok(directory_size(b, &n)));
	image = malloc(n);
	w = wr_of(image, n);
	assert_true(is_ok(directory_build(b, &w)));
	assert_true(directory_open(&d, (struct bytes){image, n}));
	directory_lookup(&d, bytes_of(address), &a);
	free(image);
	return a.kind;
}

static void
attack_050_two_that_point_to_each_other(void **state)
{
	struct directory_builder *b = new_builder();

	(void)state;
	add(b, "a@d", "b@d");
	add(b, "b@d", "A+x@D");
	assert_int_equal(directory_check(b, tell, NULL).code, ERR_SYNTAX);
	assert_int_equal(loops, 2);
	assert_string_equal(first, "a@d");
	assert_int_equal(look(b, "a@d"), DIRECTORY_BROKEN);
	assert_int_equal(look(b, "b@d"), DIRECTORY_BROKEN);
	assert_int_equal(look(b, "alice@d"), DIRECTORY_ACCOUNT);
	directory_builder_free(b);
}

static void
attack_050_a_catch_all_that_catches_itself(void **state)
{
	struct directory_builder *b = new_builder();

	(void)state;
	add(b, "@d", "anybody@d");
	assert_int_equal(directory_check(b, tell, NULL).code, ERR_SYNTAX);
	assert_string_equal(first, "@d");
	assert_int_equal(look(b, "nobody@d"), DIRECTORY_BROKEN);
	assert_int_equal(look(b, "alice@d"), DIRECTORY_ACCOUNT);
	directory_builder_free(b);
}

/* No recursion on the stack, and no more than so many steps for each. */
static void
attack_050_ten_thousand_behind_each_other(void **state)
{
	enum { N = 10000 };
	struct directory_builder *b = new_builder();
	char from[32], to[32];

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(from, sizeof(from), "a%d@d", i);
		snprintf(to, sizeof(to), "a%d@d", (i + 1) % N);
		add(b, from, to);
	}
	assert_int_equal(directory_check(b, NULL, NULL).code, ERR_SYNTAX);
	assert_int_equal(look(b, "a7@d"), DIRECTORY_BROKEN);
	assert_int_equal(look(b, "alice@d"), DIRECTORY_ACCOUNT);
	directory_builder_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_050_two_that_point_to_each_other),
	    cmocka_unit_test(attack_050_a_catch_all_that_catches_itself),
	    cmocka_unit_test(attack_050_ten_thousand_behind_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

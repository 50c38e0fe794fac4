/* purse.c - what one prefix may hold ends at its cap, and other prefixes do not feel it. */
#include "base/purse.h"

#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

static const uint8_t key[16] = {1};

static struct purse_peer *
enter(struct purses *p, const char *text)
{
	uint8_t ip[16];

	assert_true(addr_ip_parse(bytes_of(text), ip));
	return purses_enter(p, ip);
}

static void
a_purse_ends_at_its_cap(void **state)
{
	struct purse p = {0, 10};

	(void)state;
	assert_true(purse_charge(&p, 10));
	assert_false(purse_charge(&p, 1));
	assert_false(purse_charge(&p, SIZE_MAX));
	assert_true(purse_charge(&p, 0));
	purse_refund(&p, 4);
	assert_false(purse_charge(&p, 5));
	assert_true(purse_charge(&p, 4));
	assert_int_equal(p.used, 10);
}

static void
prefixes_are_counted_apart(void **state)
{
	struct purses *p = purses_open(key, 100, 2, 1000);
	struct purse_peer *a = enter(p, "192.0.2.1"), *b = enter(p, "2001:db8::1"), *c;

	(void)state;
	assert_ptr_equal(enter(p, "192.0.2.1"), a);
	assert_null(enter(p, "192.0.2.1"));
	c = enter(p, "192.0.2.2");
	assert_non_null(c);
	/* All of a /64 is one; the next /64 is another. */
	assert_ptr_equal(enter(p, "2001:db8::ffff:2"), b);
	assert_null(enter(p, "2001:db8:0:0:ffff::"));
	purses_leave(p, b);
	purses_leave(p, b);
	b = enter(p, "2001:db8:0:1::1");
	assert_int_equal(purses_count(p), 3);
	assert_true(purse_charge(&a->bytes, 1000));
	assert_false(purse_charge(&a->bytes, 1));
	assert_true(purse_charge(&c->bytes, 1000));
	purse_refund(&a->bytes, 1000);
	purses_leave(p, a);
	assert_ptr_equal(enter(p, "192.0.2.1"), a);
	purses_leave(p, a);
	purses_leave(p, a);
	purses_leave(p, b);
	assert_int_equal(purses_count(p), 1);
	purses_close(p);
}

static void
the_table_is_bounded(void **state)
{
	struct purses *p = purses_open(key, 2, 5, 0);
	struct purse_peer *a = enter(p, "192.0.2.1");

	(void)state;
	assert_non_null(enter(p, "192.0.2.2"));
	assert_null(enter(p, "192.0.2.3"));
	assert_ptr_equal(enter(p, "192.0.2.1"), a);
	purses_leave(p, a);
	purses_leave(p, a);
	assert_non_null(enter(p, "192.0.2.3"));
	purses_close(p);
	purses_close(NULL);
	p = purses_open(key, 2, 0, 0);
	assert_null(enter(p, "192.0.2.1"));
	purses_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_purse_ends_at_its_cap),
	    cmocka_unit_test(prefixes_are_counted_apart),
	    cmocka_unit_test(the_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

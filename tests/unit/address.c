/* address.c - paths of MAIL and RCPT: what is read, what it becomes, what is refused. */
#include "mail/address.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* What BYTES() gives, as an initialiser: an outside text with NULs in it. */
#define RAW(s)                                                                                     \
	{                                                                                          \
		(const uint8_t *)("" s), sizeof(s) - 1                                             \
	}

enum { ALL = ADDRESS_NULL | ADDRESS_POSTMASTER | ADDRESS_LOOSE };

static void
paths_become_one_form(void **state)
{
	static const struct {
		const char *path, *local, *domain, *written, *rest;
	} cases[] = {
	    {"<bob@fakeplace.edu>", "bob", "fakeplace.edu", "bob@fakeplace.edu", ""},
	    {"<Bob@FakePlace.EDU> SIZE=1", "Bob", "fakeplace.edu", "Bob@fakeplace.edu", " SIZE=1"},
	    {"alice@ycp.edu", "alice", "ycp.edu", "alice@ycp.edu", ""},
	    {"alice@ycp.edu\tX", "alice", "ycp.edu", "alice@ycp.edu", "\tX"},
	    {"<\"bob\"@d>", "bob", "d", "bob@d", ""},
	    {"<\"b\\ob\"@d>", "bob", "d", "bob@d", ""},
	    {"<\"a b\"@d>", "a b", "d", "\"a b\"@d", ""},
	    {"<\"a\\\"\\\\b\"@d>", "a\"\\b", "d", "\"a\\\"\\\\b\"@d", ""},
	    {"<\"a@b\"@d>", "a@b", "d", "\"a@b\"@d", ""},
	    {"<@x,@y.z:a@b>", "a", "b", "a@b", ""},
	    {"<@[192.0.2.1]:a@b>", "a", "b", "a@b", ""},
	    {"<a@[192.0.2.1]>", "a", "[192.0.2.1]", "a@[192.0.2.1]", ""},
	    {"<a@[IPv6:2001:DB8::1]>", "a", "[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]", ""},
	    {"<>", "", "", "", ""},
	    {"<> BODY=7BIT", "", "", "", " BODY=7BIT"},
	    {"<postMaster>", "postMaster", "", "postMaster", ""},
	    {"<a..b.@d>", "a..b.", "d", "\"a..b.\"@d", ""},
	    {"<u%h@d>", "u%h", "d", "u%h@d", ""},
	    {"<h!u@d>", "h!u", "d", "h!u@d", ""},
	    {"<|x/../y;@d>", NULL, NULL, NULL, NULL},
	    {"<../x@d>", "../x", "d", "\"../x\"@d", ""},
	    {"<a_b-c@x_y.z-1>", "a_b-c", "x_y.z-1", "a_b-c@x_y.z-1", ""},
	};
	uint8_t room[600];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd in = rd_of(bytes_of(cases[i].path));
		struct wr w = wr_of(room, sizeof(room));
		struct bytes local, domain;
		struct address a;
		bool ok = is_ok(address_parse(&a, &in, ALL));

		assert_int_equal(ok, cases[i].local != NULL);
		if (!ok)
			continue;
		assert_true(bytes_eq(address_local(&a), bytes_of(cases[i].local)));
		assert_true(bytes_eq(address_domain(&a), bytes_of(cases[i].domain)));
		assert_true(bytes_eq(rd_rest(&in), bytes_of(cases[i].rest)));
		address_cut(address_text(&a), &local, &domain);
		assert_true(bytes_eq(local, address_local(&a)));
		assert_true(bytes_eq(domain, address_domain(&a)));
		address_write(&w, address_text(&a));
		assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].written)));
	}
}

static void
what_is_no_path_is_refused(void **state)
{
	static const struct {
		struct bytes path;
		unsigned flags;
		int32_t code;
	} cases[] = {
	    {RAW(""), ALL, ERR_SYNTAX},
	    {RAW("<"), ALL, ERR_SYNTAX},
	    {RAW("a"), ALL, ERR_SYNTAX},
	    {RAW("a@"), ALL, ERR_SYNTAX},
	    {RAW("@d"), ALL, ERR_SYNTAX},
	    {RAW("<a@d"), ALL, ERR_SYNTAX},
	    {RAW("a@d>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d>x"), ALL, ERR_SYNTAX},
	    {RAW("<a@d><b@d>"), ALL, ERR_SYNTAX},
	    {RAW("<<a@d>>"), ALL, ERR_SYNTAX},
	    {RAW("<\"\"@d>"), ALL, ERR_SYNTAX},
	    {RAW("<\"a@d>"), ALL, ERR_SYNTAX},
	    {RAW("<\"a\"b@d>"), ALL, ERR_SYNTAX},
	    {RAW("<\"a\\"), ALL, ERR_SYNTAX},
	    {RAW("<\"a\0b\"@d>"), ALL, ERR_SYNTAX},
	    {RAW("<\"a\\\0b\"@d>"), ALL, ERR_SYNTAX},
	    {RAW("<\"a\nb\"@d>"), ALL, ERR_SYNTAX},
	    {RAW("<a\0@d>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d\0>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d>\0"), ALL, ERR_SYNTAX},
	    {RAW("<a@d@e>"), ALL, ERR_SYNTAX},
	    {RAW("<a@.d>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d..e>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d.>"), ALL, ERR_SYNTAX},
	    {RAW("<a@-d>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d->"), ALL, ERR_SYNTAX},
	    {RAW("<a@d-.e>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d/e>"), ALL, ERR_SYNTAX},
	    {RAW("<a@d;x>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[192.0.2.256]>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[2001:db8::1]>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[IPv6:192.0.2.1]>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[x:y]>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[]>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[192.0.2.1>"), ALL, ERR_SYNTAX},
	    {RAW("<a@[192.0.2.1"), ALL, ERR_SYNTAX},
	    {RAW("<@x:>"), ALL, ERR_SYNTAX},
	    {RAW("<@x,y:a@b>"), ALL, ERR_SYNTAX},
	    {RAW("<@x a@b>"), ALL, ERR_SYNTAX},
	    {RAW("<>"), ADDRESS_LOOSE, ERR_SYNTAX},
	    {RAW("a@d"), ADDRESS_NULL, ERR_SYNTAX},
	    {RAW("<postmaster>"), ADDRESS_NULL, ERR_SYNTAX},
	    {RAW("<bob>"), ALL, ERR_SYNTAX},
	    {RAW("<b\303\266b@d>"), ALL, ERR_DENIED},
	    {RAW("<\"b\303\266b\"@d>"), ALL, ERR_DENIED},
	    {RAW("<bob@d\303\266>"), ALL, ERR_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rd in = rd_of(cases[i].path);
		struct address a;

		assert_int_equal(address_parse(&a, &in, cases[i].flags).code, cases[i].code);
		assert_int_equal(a.n + a.local_n + a.domain_n, 0);
	}
}

/* local octets, then a domain of labels of 63 and a last one. */
static int32_t
long_one(size_t local, size_t domain)
{
	char path[800];
	struct address a;
	struct rd in;
	size_t n = 0;

	path[n++] = '<';
	while (n <= local)
		path[n++] = 'l';
	path[n++] = '@';
	for (size_t i = 0; i < domain; i++)
		path[n++] = i % 64 == 63 ? '.' : 'd';
	path[n++] = '>';
	in = rd_of((struct bytes){(const uint8_t *)path, n});
	return address_parse(&a, &in, 0).code;
}

static void
the_limits_are_those_of_the_rfc(void **state)
{
	char label[80] = "a@";
	struct address a;
	struct rd in;

	(void)state;
	assert_int_equal(long_one(64, 189), 0); /* 64 + 1 + 189 = 254 */
	assert_int_equal(long_one(64, 190), ERR_RANGE);
	assert_int_equal(long_one(65, 10), ERR_RANGE);
	assert_int_equal(long_one(1, 252), 0);
	assert_int_equal(long_one(1, 253), ERR_RANGE);
	assert_int_equal(long_one(1, 700), ERR_RANGE);
	memset(label + 2, 'd', 64);
	in = rd_of(bytes_of(label));
	assert_int_equal(address_parse(&a, &in, ADDRESS_LOOSE).code, ERR_RANGE);
	in = rd_of((struct bytes){(const uint8_t *)label, 65});
	assert_int_equal(address_parse(&a, &in, ADDRESS_LOOSE).code, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paths_become_one_form),
	    cmocka_unit_test(what_is_no_path_is_refused),
	    cmocka_unit_test(the_limits_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

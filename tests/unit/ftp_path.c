/* ftp_path.c - paths below the root, and patterns of names. */
#include "proto/ftp_path.h"

#include "proto/ftp.h"
#include "proto/ftp_glob.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first */
#include <cmocka.h>
#include <stdlib.h>

static void
joined(void **state)
{
	static const struct {
		const char *folder, *name, *path; /* NULL: there is none */
	} cases[] = {
	    {"/", "a", "/a"},
	    {"", "a", "/a"},
	    {"/x", "a", "/x/a"},
	    {"/x", "/a", "/a"},
	    {"/x/y", "..", "/x"},
	    {"/x", "..", "/"},
	    {"/", "..", "/"},
	    {"/x", "../../../../etc/passwd", "/etc/passwd"},
	    {"/x", "./a/./b/", "/x/a/b"},
	    {"/x", "//a//b", "/a/b"},
	    {"/x", "", "/x"},
	    {"/", "", "/"},
	    {"/x", "a/../../b", "/b"},
	    {"/x", "...", "/x/..."},
	    {"/x", "a\nb", NULL},
	    {"/x", "a\rb", NULL},
	    {"/x", "\x1b", NULL},
	    {"/x", "a b  c", "/x/a b  c"},
	    {"/x", "\xc3\xa4\xff", "/x/\xc3\xa4\xff"},
	};
	uint8_t room[FTP_PATH_MAX + FTP_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wr w = wr_of(room, sizeof(room));
		bool good = ftp_path_join(&w, bytes_of(cases[i].folder), bytes_of(cases[i].name));

		assert_int_equal(good, cases[i].path != NULL);
		if (good)
			assert_true(bytes_eq(wr_since(&w, room), bytes_of(cases[i].path)));
	}
}

static void
limits(void **state)
{
	static uint8_t long_name[FTP_NAME_MAX + 1], deep[FTP_PATH_MAX + 1];
	uint8_t room[FTP_PATH_MAX + FTP_NAME_MAX + 1];
	struct wr w = wr_of(room, sizeof(room));

	(void)state;
	memset(long_name, 'n', sizeof(long_name));
	assert_false(ftp_path_join(&w, BYTES("/"), (struct bytes){long_name, sizeof(long_name)}));
	w = wr_of(room, sizeof(room));
	assert_true(ftp_path_join(&w, BYTES("/"), (struct bytes){long_name, FTP_NAME_MAX}));
	for (size_t i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 ? 'd' : '/';
	w = wr_of(room, sizeof(room));
	assert_false(ftp_path_join(&w, BYTES("/"), (struct bytes){deep, sizeof(deep)}));
	w = wr_of(room, sizeof(room));
	assert_true(ftp_path_join(&w, BYTES("/"), (struct bytes){deep, sizeof(deep) - 2}));
	w = wr_of(room, sizeof(room)); /* the folder and the name are too long together */
	assert_false(ftp_path_join(&w, (struct bytes){deep, sizeof(deep) - 2}, BYTES("xyz")));
	assert_true(bytes_eq(ftp_path_last(BYTES("/a/b")), BYTES("b")));
	assert_true(bytes_eq(ftp_path_last(BYTES("b")), BYTES("b")));
	assert_int_equal(ftp_path_last(BYTES("/")).n, 0);
}

static void
patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool match;
	} cases[] = {
	    {"*", "", true},
	    {"*", "a.c", true},
	    {"*.c", "a.c", true},
	    {"*.c", "a.cc", false},
	    {"*.c", ".c", true},
	    {"a*b*c", "axxbyyc", true},
	    {"a*b*c", "axxbyy", false},
	    {"?", "a", true},
	    {"?", "", false},
	    {"?", "ab", false},
	    {"a?c", "abc", true},
	    {"????", "abc", false},
	    {"****a", "bbba", true},
	    {"a", "a", true},
	    {"a", "b", false},
	    {"x?y", "x\xc3\xa4y", true},   /* one character of two octets */
	    {"x??y", "x\xc3\xa4y", false}, /* and no more */
	    {"*\xc3\xa4", "aa\xc3\xa4", true},
	    {"[ab]", "[ab]", true}, /* nothing else means anything */
	    {"{a,b}", "a", false},
	    {"*a*a*a*a*", "aaaa", true},
	    {"*a*a*a*a*", "aaa", false},
	};
	struct ftp_glob g;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(ftp_glob_make(&g, bytes_of(cases[i].pattern)));
		assert_int_equal(ftp_glob_match(&g, bytes_of(cases[i].name)), cases[i].match);
	}
	assert_true(ftp_glob_is(BYTES("a*")) && ftp_glob_is(BYTES("?")));
	assert_false(ftp_glob_is(BYTES("a[b]{c,d}")) || ftp_glob_is(NO_BYTES));
}

/* By trying everything, for short ones. */
static bool
slow_match(struct bytes p, struct bytes n)
{
	bool reach[16][16] = {{false}};

	reach[0][0] = true;
	for (size_t i = 0; i <= p.n; i++)
		for (size_t j = 0; j <= n.n; j++) {
			if (i && p.p[i - 1] == '*')
				reach[i][j] = reach[i - 1][j] || (j && reach[i][j - 1]);
			else if (i && j)
				reach[i][j] = reach[i - 1][j - 1] &&
				              (p.p[i - 1] == '?' || p.p[i - 1] == n.p[j - 1]);
		}
	return reach[p.n][n.n];
}

static void
every_short_pattern(void **state)
{
	struct ftp_glob g;

	(void)state;
	for (unsigned i = 0; i < 4096; i++)
		for (unsigned j = 0; j < 256; j++) {
			uint8_t pattern[6], name[8];

			for (unsigned k = 0; k < 6; k++)
				pattern[k] = (uint8_t) "ab*?"[i >> 2 * k & 3];
			for (unsigned k = 0; k < 8; k++)
				name[k] = j >> k & 1 ? 'b' : 'a';
			assert_true(ftp_glob_make(&g, (struct bytes){pattern, 6}));
			for (size_t n = 0; n <= 8; n += 4)
				assert_int_equal(ftp_glob_match(&g, (struct bytes){name, n}),
				                 slow_match((struct bytes){pattern, 6},
				                            (struct bytes){name, n}));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(joined),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(patterns),
	    cmocka_unit_test(every_short_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

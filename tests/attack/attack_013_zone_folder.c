/*
 * Attack 13: zone files that include what is not theirs, by path, by a link or through a pipe, and
 * zone files that are links themselves: nothing outside of the folder is opened, nothing waits.
 */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zones_list.h"

#include <cmocka.h>

static const struct {
	const char *line, *told;
} includes[] = {
    {"$INCLUDE /etc/passwd", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE ../secret", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE sub/../../secret", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE \\046\\046/secret", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE .", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE link", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE .hidden", "a.zone:5:10: error: a file that cannot be included\n"},
    {"$INCLUDE a.zone", "a.zone:5:10: error: a file that includes itself\n"},
    {"$INCLUDE pipe", ""}, /* nobody writes: it is empty, and not waited for */
};

static void
attack_013_includes(void **state)
{
	struct zones_rig r;
	int code;

	(void)state;
	zones_rig_open(&r);
	assert_int_equal(symlinkat("/etc/passwd", r.folder, "link"), 0);
	assert_int_equal(mkfifoat(r.folder, "pipe", 0600), 0);
	zones_rig_file(&r, ".hidden", BYTES("x A 192.0.2.2\n"));
	for (size_t i = 0; i < COUNT(includes); i++) {
		char text[256];

		snprintf(text, sizeof(text), RIG_HEAD "%s\n", includes[i].line);
		zones_rig_file(&r, "a.zone", bytes_of(text));
		assert_string_equal(zones_rig_load(&r, NULL, 0, &code), includes[i].told);
		assert_string_equal(zones_rig_import(&r, "a", bytes_of(text), &code),
		                    includes[i].told);
	}
	zones_rig_close(&r);
}

static void
attack_013_zone_file_is_a_link(void **state)
{
	struct zones_rig r;
	const char *told;
	int code;

	(void)state;
	zones_rig_open(&r);
	assert_int_equal(symlinkat("/etc/passwd", r.folder, "a.zone"), 0);
	assert_int_equal(mkfifoat(r.folder, "b.zone", 0600), 0);
	assert_int_equal(mkdirat(r.folder, "c.zone", 0700), 0);
	told = zones_rig_load(&r, NULL, 0, &code);
	assert_int_equal(code, ERR_SYNTAX);
	assert_non_null(strstr(told, "a.zone: error: "));
	assert_null(strstr(told, "root"));
	assert_string_equal(zones_rig_list(&r, 1000), "");
	assert_int_equal(unlinkat(r.folder, "c.zone", AT_REMOVEDIR), 0);
	zones_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_013_includes),
	    cmocka_unit_test(attack_013_zone_file_is_a_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

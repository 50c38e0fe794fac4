/* Zone files to the image that is served: what is refused leaves what was served. */
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the ones above first, and what they include */
#include "../zones_list.h"
#include "serve/zone_text.h"

#include <cmocka.h>

static const struct {
	const char *zone, *file;
} names[] = {
    {"example.org", "example.org.zone"},
    {"Example.ORG.", "example.org.zone"},
    {".", "@.zone"},
    {"0/25.2.0.192.in-addr.arpa", "0\\04725.2.0.192.in-addr.arpa.zone"},
    {"a\\.b.org", "a\\.b.org.zone"},
    {"\\000x.org", "\\000x.org.zone"},
    {"..", NULL},
    {"", NULL},
};

static void
names_of_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char file[ZONE_TEXT_FILE];
		struct dname apex, back;

		if (!names[i].file) {
			assert_false(zone_text_apex(&apex, bytes_of(names[i].zone)));
			continue;
		}
		assert_true(zone_text_apex(&apex, bytes_of(names[i].zone)));
		assert_true(zone_text_file(file, dname_bytes(&apex)));
		assert_string_equal(file, names[i].file);
		assert_true(zone_text_is_file(&back, file));
		assert_true(dname_eq(dname_bytes(&apex), dname_bytes(&back)));
	}
}

static void
names_that_are_no_zone_files(void **state)
{
	static const char *const files[] = {"x",       ".zone",      ".#a.zone", "README",
	                                    "a.zone~", "a.zone.new", "a\\2.zone"};
	struct dname apex;
	char file[ZONE_TEXT_FILE];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++)
		assert_false(zone_text_is_file(&apex, files[i]));
	/* 250 octets of name: no room for what a file's name needs beside it */
	assert_true(zone_text_apex(&apex, BYTES("\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001\\001\\001\\001\\001\\001\\001\\001\\001"
	                                        "\\001\\001.xxxxxxxx")));
	assert_false(zone_text_file(file, dname_bytes(&apex)));
}

static void
loads_a_folder(void **state)
{
	struct zones_rig r;
	int code;

	(void)state;
	zones_rig_open(&r);
	assert_string_equal(zones_rig_list(&r, 1000), ""); /* nothing is served yet */
	zones_rig_file(&r, "b.zone", BYTES(RIG_HEAD));
	zones_rig_file(&r, "a.zone", BYTES(RIG_HEAD "$INCLUDE hosts\n"));
	zones_rig_file(&r, "hosts", BYTES("h1 A 192.0.2.2\n"));
	zones_rig_file(&r, "@.zone", BYTES(RIG_HEAD));
	zones_rig_file(&r, "notes.txt", BYTES("no zone"));
	assert_string_equal(zones_rig_load(&r, NULL, 0, &code), "");
	assert_int_equal(code, 0);
	for (size_t page = 16; page < 64; page++)
		assert_string_equal(zones_rig_list(&r, page), ". 1 3\na 1 4\nb 1 3\n");
	unlinkat(r.folder, "b.zone", 0);
	zones_rig_load(&r, NULL, 0, &code);
	assert_string_equal(zones_rig_list(&r, 1000), ". 1 3\na 1 4\n");
	zones_rig_close(&r);
}

static const struct {
	const char *text, *told;
} faults[] = {
    {RIG_HEAD "x A 192.0.2.300\n", "a.zone:5:5: error: an IPv4 address is wanted\n"},
    {RIG_HEAD "w CNAME ns\nw A 192.0.2.1\n",
     "a.zone:6: error: w.a. A stands beside a CNAME of the same name\n"},
    {"", "error: a. has no SOA\nerror: a. has no NS at its apex\n"},
    {RIG_HEAD "$INCLUDE nowhere\n", "a.zone:5:10: error: a file that cannot be included\n"},
};

/* A file with errors: the zone that is served stays, the others go on; mended, it is taken. */
static void
errors_leave_what_is_served(void **state)
{
	struct zones_rig r;
	int code;

	(void)state;
	zones_rig_open(&r);
	for (size_t i = 0; i < COUNT(faults); i++) {
		zones_rig_file(&r, "a.zone", BYTES(RIG_HEAD "x A 192.0.2.2\n"));
		zones_rig_file(&r, "b.zone", BYTES(RIG_HEAD));
		assert_string_equal(zones_rig_load(&r, NULL, 0, &code), "");
		zones_rig_file(&r, "a.zone", bytes_of(faults[i].text));
		zones_rig_file(&r, "b.zone", BYTES(RIG_HEAD "y A 192.0.2.2\nz A 192.0.2.3\n"));
		assert_string_equal(zones_rig_load(&r, NULL, 0, &code), faults[i].told);
		assert_int_equal(code, ERR_SYNTAX);
		assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\nb 1 5\n");
		/* and once more, from the carried version */
		assert_string_equal(zones_rig_load(&r, NULL, 0, &code), faults[i].told);
		assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\nb 1 5\n");
	}
	zones_rig_close(&r);
}

static void
errors_from_the_start(void **state)
{
	struct zones_rig r;
	int code;

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		zones_rig_open(&r);
		zones_rig_file(&r, "a.zone", bytes_of(faults[i].text));
		zones_rig_file(&r, "b.zone", BYTES(RIG_HEAD));
		assert_string_equal(zones_rig_load(&r, NULL, 0, &code), faults[i].told);
		assert_string_equal(zones_rig_list(&r, 1000), "b 1 3\n");
		zones_rig_close(&r);
	}
}

static void
files_of_the_configuration(void **state)
{
	struct zones_rig r;
	struct zones_file given[2] = {{.name = "a"}, {.name = "no..name"}};
	int code, fd;

	(void)state;
	zones_rig_open(&r);
	given[0].fd = zones_rig_memfd(BYTES(RIG_HEAD "x A 192.0.2.2\n"));
	given[1].fd = given[0].fd;
	zones_rig_file(&r, "a.zone", BYTES(RIG_HEAD));
	assert_string_equal(zones_rig_load(&r, given, 1, &code),
	                    "a.zone: error: another file is of the same zone\n");
	assert_int_equal(code, ERR_SYNTAX);
	assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\n");
	unlinkat(r.folder, "a.zone", 0);
	zones_rig_load(&r, given, 2, &code);
	assert_int_equal(code, ERR_SYNTAX);
	close(given[0].fd); /* it was copied */
	assert_non_null(strstr(zones_rig_import(&r, "a", BYTES(RIG_HEAD), &code), "configuration"));
	assert_int_equal(code, ERR_DENIED);
	assert_true(is_ok(zones_export(r.zones, BYTES("a"), &fd)));
	close(fd);
	/* an included name is the configuration's folder's, which nobody opens here */
	zones_rig_file(&r, "hosts", BYTES("h1 A 192.0.2.2\n"));
	given[0].fd = zones_rig_memfd(BYTES(RIG_HEAD "$INCLUDE hosts\n"));
	assert_string_equal(zones_rig_load(&r, given, 1, &code),
	                    "a:5:10: error: a file that cannot be included\n");
	assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\n");
	close(given[0].fd);
	zones_rig_close(&r);
}

static void
imports_and_exports(void **state)
{
	static const char text[] = "; as I wrote it\n" RIG_HEAD "\tMX 1 ns\n";
	struct zones_rig r;
	struct bytes back;
	struct snap *held;
	int code, fd;

	(void)state;
	zones_rig_open(&r);
	zones_rig_file(&r, "B.zone", BYTES(RIG_HEAD));
	zones_rig_load(&r, NULL, 0, &code);
	assert_string_equal(zones_rig_import(&r, "A.", bytes_of(text), &code), "");
	assert_int_equal(code, 0);
	assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\nb 1 3\n");
	assert_true(is_ok(zones_export(r.zones, BYTES("a"), &fd)));
	assert_true(is_ok(snap_map(&held, fd, 1 << 20)));
	close(fd);
	back = snap_bytes(held);
	assert_true(bytes_eq(back, bytes_of(text)));
	snap_release(held);
	assert_int_equal(zones_export(r.zones, BYTES("c"), &fd).code, ERR_NOTFOUND);
	assert_int_equal(zones_export(r.zones, BYTES(".."), &fd).code, ERR_SYNTAX);
	/* the file that is there, whatever the case of its name */
	zones_rig_import(&r, "b", BYTES(RIG_HEAD "x A 192.0.2.2\n"), &code);
	assert_int_equal(code, 0);
	assert_int_equal(faccessat(r.folder, "b.zone", F_OK, 0), -1);
	zones_rig_load(&r, NULL, 0, &code);
	assert_int_equal(code, 0);
	assert_string_equal(zones_rig_list(&r, 1000), "a 1 4\nb 1 4\n");
	zones_rig_close(&r);
}

static void
imports_with_errors_change_nothing(void **state)
{
	struct zones_rig r;
	struct wr told;
	int code;
	char path[] = "/tmp/stead-zones-file-XXXXXX";
	int file = mkstemp(path);

	(void)state;
	zones_rig_open(&r);
	zones_rig_load(&r, NULL, 0, &code);
	zones_rig_import(&r, "a", BYTES(RIG_HEAD), &code);
	for (size_t i = 0; i < COUNT(faults); i++) {
		if (!faults[i].text[0])
			continue; /* a memfd is never empty */
		assert_string_equal(zones_rig_import(&r, "a", bytes_of(faults[i].text), &code),
		                    faults[i].told);
		assert_int_equal(code, ERR_SYNTAX);
		assert_string_equal(zones_rig_list(&r, 1000), "a 1 3\n");
	}
	zones_rig_load(&r, NULL, 0, &code); /* the file is the good one */
	assert_int_equal(code, 0);
	assert_string_equal(zones_rig_list(&r, 1000), "a 1 3\n");
	zones_rig_import(&r, "not..a.name", BYTES(RIG_HEAD), &code);
	assert_int_equal(code, ERR_SYNTAX);
	/* what can still change is not taken */
	told = wr_of(r.told, sizeof(r.told));
	assert_int_equal(zones_import(r.zones, BYTES("a"), file, &told).code, ERR_DENIED);
	close(file);
	unlink(path);
	zones_rig_close(&r);
}

/* Warnings are told also when it went well. */
static void
warnings(void **state)
{
	struct zones_rig r;
	int code;

	(void)state;
	zones_rig_open(&r);
	assert_string_equal(
	    zones_rig_import(&r, "a", BYTES(RIG_HEAD "@ NS elsewhere\n"), &code),
	    "a.zone:5: warning: a. NS names a server without an address: elsewhere.a.\n");
	assert_int_equal(code, 0);
	zones_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_files),
	    cmocka_unit_test(names_that_are_no_zone_files),
	    cmocka_unit_test(loads_a_folder),
	    cmocka_unit_test(errors_leave_what_is_served),
	    cmocka_unit_test(errors_from_the_start),
	    cmocka_unit_test(files_of_the_configuration),
	    cmocka_unit_test(imports_and_exports),
	    cmocka_unit_test(imports_with_errors_change_nothing),
	    cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

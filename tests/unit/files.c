/* files.c - an account's tree, uploads, and who may end them. */
#include "../files_rig.h"

#include "talk/report.h"

static void
nothing_at_first(void **state)
{
	static struct files_rig r;

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_stat(&r, 1, "/"), 0);
	assert_int_equal(r.kind, FILE_FOLDER);
	assert_int_equal(files_rig_list(&r, 1, "/", 0), 0);
	assert_true(!r.more && !r.rows_n);
	assert_int_equal(files_rig_stat(&r, 1, "/a"), ERR_NOTFOUND);
	assert_int_equal(files_rig_read(&r, 1, "/a"), ERR_NOTFOUND);
	assert_int_equal(files_rig_stat(&r, 9, "/"), ERR_DENIED); /* nobody's handle */
	files_rig_fini(&r);
}

static void
written_and_read(void **state)
{
	static struct files_rig r;
	uint32_t token;

	(void)state;
	files_rig_init(&r);
	files_rig_put(&r, 1, "/a", "one");
	assert_true(files_rig_holds(&r, 1, "/a", "one"));
	assert_int_equal(r.size, 3);
	assert_int_equal(write(r.fd, "x", 1), -1);                   /* read only */
	assert_int_equal(files_rig_read(&r, 2, "/a"), ERR_NOTFOUND); /* another account's tree */

	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_APPEND, 0), 0);
	token = r.token;
	assert_int_equal(r.offset, 3);
	assert_int_equal(write(r.fd, "two", 3), 3);
	assert_true(files_rig_holds(&r, 1, "/a", "one")); /* not before the commit */
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_true(files_rig_holds(&r, 1, "/a", "onetwo"));

	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_RESUME, 4), 0);
	token = r.token;
	assert_int_equal(r.offset, 4);
	assert_int_equal(write(r.fd, "!", 1), 1);
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_true(files_rig_holds(&r, 1, "/a", "onet!"));

	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_RESUME, 6), ERR_RANGE);
	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_RESUME, (uint64_t)1 << 63), ERR_RANGE);
	assert_int_equal(files_rig_write(&r, 1, "/none", FILE_RESUME, 1), ERR_RANGE);
	assert_int_equal(files_rig_write(&r, 1, "/none", FILE_APPEND, 0), 0);
	assert_int_equal(r.offset, 0);
	assert_int_equal(files_rig_write(&r, 1, "/no/folder", FILE_REPLACE, 0), ERR_NOTFOUND);
	assert_int_equal(files_rig_write(&r, 1, "/", FILE_REPLACE, 0), ERR_DENIED);
	assert_int_equal(files_rig_hidden(&r, 1), 1); /* that of /none */
	files_rig_fini(&r);
}

static void
a_large_one_is_kept_in_slices(void **state)
{
	static struct files_rig r;
	static uint8_t room[1 << 20];
	const size_t n = 3 * (size_t)FILES_SLICE + 77;
	uint32_t token;

	(void)state;
	files_rig_init(&r);
	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(files_rig_write(&r, 1, "/big", FILE_REPLACE, 0), 0);
	token = r.token;
	for (size_t at = 0; at < n; at += sizeof(room)) {
		size_t piece = n - at < sizeof(room) ? n - at : sizeof(room);

		assert_int_equal(write(r.fd, room, piece), piece);
	}
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_int_equal(files_rig_write(&r, 1, "/big", FILE_APPEND, 0), 0);
	token = r.token;
	assert_int_equal(r.offset, n);
	assert_int_equal(write(r.fd, "end", 3), 3);
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_int_equal(files_rig_read(&r, 1, "/big"), 0);
	assert_int_equal(r.size, n + 3);
	for (size_t at = 0; at < n; at += sizeof(room)) {
		static uint8_t got[sizeof(room)];
		size_t piece = n - at < sizeof(room) ? n - at : sizeof(room);

		assert_int_equal(pread(r.fd, got, piece, (off_t)at), piece);
		assert_memory_equal(got, room, piece);
	}
	files_rig_fini(&r);
}

static void
folders_and_names(void **state)
{
	static struct files_rig r;

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/d", ""), 0);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/d", ""), ERR_EXISTS);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/x/y", ""), ERR_NOTFOUND);
	files_rig_put(&r, 1, "/d/f", "f");
	files_rig_put(&r, 1, "/g", "g");
	assert_int_equal(files_rig_write(&r, 1, "/d", FILE_REPLACE, 0), ERR_EXISTS);
	assert_int_equal(files_rig_read(&r, 1, "/d"), ERR_DENIED);
	assert_int_equal(files_rig_stat(&r, 1, "/g/h"), ERR_NOTFOUND);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/d", ""), ERR_EXISTS);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/g", ""), ERR_NOTFOUND);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, "/d", ""), ERR_EXISTS);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/d/f", "/h"), 0);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/h", "/g"), 0); /* in its place */
	assert_true(files_rig_holds(&r, 1, "/g", "f"));
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/d", "/d/e"), ERR_SYNTAX);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/none", "/e"), ERR_NOTFOUND);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/d", "/e"), 0);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/e", ""), 0);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, "/g", ""), 0);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, "/g", ""), ERR_NOTFOUND);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/", ""), ERR_DENIED);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/", "/e"), ERR_DENIED);
	files_rig_fini(&r);
}

static void
every_entry_once(void **state)
{
	enum { FILES = 3000 };
	static struct files_rig r;
	static bool seen[FILES];
	struct rd rows;
	size_t n = 0, pages = 0;
	uint64_t cursor = 0;

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/many", ""), 0);
	for (unsigned i = 0; i < FILES; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/1/many/f%05u", r.folder, i);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	do {
		assert_int_equal(files_rig_list(&r, 1, "/many", cursor), 0);
		cursor = r.cursor;
		pages++;
		rows = rd_of((struct bytes){r.rows, r.rows_n});
		while (rd_left(&rows)) {
			char name[16] = "";
			struct bytes b;

			assert_int_equal(rd_u8(&rows), FILE_REGULAR);
			assert_int_equal(rd_u64(&rows), 0);
			assert_true(rd_u64(&rows) > 1700000000);
			b = rd_bytes8(&rows);
			assert_int_equal(b.n, 6);
			memcpy(name, b.p, b.n);
			assert_false(seen[atoi(name + 1)]);
			seen[atoi(name + 1)] = true;
			n++;
		}
		assert_false(rows.bad);
	} while (r.more);
	assert_int_equal(n, FILES);
	assert_true(pages >= FILES / FILES_PAGE_ROWS);
	files_rig_fini(&r);
}

static void
an_upload_is_its_sessions(void **state)
{
	static struct files_rig r;
	uint32_t token;
	int kept;

	(void)state;
	files_rig_init(&r);
	files_rig_put(&r, 1, "/a", "old");
	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_REPLACE, 0), 0);
	token = r.token;
	kept = r.fd;
	r.fd = -1;
	assert_int_equal(write(kept, "new", 3), 3);
	assert_int_equal(files_rig_commit(&r, 2, token), ERR_NOTFOUND); /* another handle */
	r.as = 1;
	assert_int_equal(files_rig_commit(&r, 1, token), ERR_NOTFOUND); /* another front */
	r.as = 0;
	assert_int_equal(files_rig_commit(&r, 1, token + 1), ERR_NOTFOUND);
	assert_true(files_rig_holds(&r, 1, "/a", "old"));
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_int_equal(files_rig_commit(&r, 1, token), ERR_NOTFOUND); /* once */
	assert_true(files_rig_holds(&r, 1, "/a", "new"));
	close(kept);

	/* as many as a session may have; those it leaves are dropped with it */
	for (int i = 0; i < FILES_SESSION_UPLOADS_MAX; i++)
		assert_int_equal(files_rig_write(&r, 1, "/b", FILE_REPLACE, 0), 0);
	assert_int_equal(files_rig_write(&r, 1, "/b", FILE_REPLACE, 0), ERR_LATER);
	assert_int_equal(files_rig_hidden(&r, 1), FILES_SESSION_UPLOADS_MAX);
	r.as = 1;
	assert_int_equal(files_rig_write(&r, 1, "/b", FILE_REPLACE, 0), 0);
	files_leave(r.files, files_rig_handle(1), ROLE_FTP, 0);
	assert_int_equal(files_rig_hidden(&r, 1), 1);
	files_front_gone(r.files, ROLE_FTP, 1);
	assert_int_equal(files_rig_hidden(&r, 1), 0);
	files_rig_fini(&r);
}

static void
dropped(void **state)
{
	static struct files_rig r;
	struct talk_file_drop drop = {.handle = files_rig_handle(1)};

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_REPLACE, 0), 0);
	drop.token = r.token;
	assert_true(chan_say(r.front[1], talk_file_drop_out(&drop), -1));
	sim_run(r.loop, 100);
	assert_int_equal(files_rig_hidden(&r, 1), 1); /* another front's word */
	assert_true(chan_say(r.front[0], talk_file_drop_out(&drop), -1));
	sim_run(r.loop, 100);
	assert_int_equal(files_rig_hidden(&r, 1), 0);
	assert_int_equal(files_rig_commit(&r, 1, drop.token), ERR_NOTFOUND);
	files_rig_fini(&r);
}

static void
a_lost_folder_refuses_the_commit(void **state)
{
	static struct files_rig r;
	uint32_t token;

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/d", ""), 0);
	assert_int_equal(files_rig_write(&r, 1, "/d/a", FILE_REPLACE, 0), 0);
	token = r.token;
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/d", ""), 0);
	assert_int_equal(files_rig_commit(&r, 1, token), ERR_NOTFOUND);
	assert_int_equal(files_rig_hidden(&r, 1), 0);
	files_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_at_first),
	    cmocka_unit_test(written_and_read),
	    cmocka_unit_test(a_large_one_is_kept_in_slices),
	    cmocka_unit_test(folders_and_names),
	    cmocka_unit_test(every_entry_once),
	    cmocka_unit_test(an_upload_is_its_sessions),
	    cmocka_unit_test(dropped),
	    cmocka_unit_test(a_lost_folder_refuses_the_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

/* ---- an account that leaves ---- */

struct removal {
	struct files_rig *r;
	struct loop_task task;
	int calls, turns; /* turns: until the loop is stopped */
	struct err e;
};

static void
removed(void *owner, struct err e)
{
	struct removal *m = owner;

	m->calls++;
	m->e = e;
}

static void
turn_away(void *owner)
{
	struct removal *m = owner;

	if (m->turns-- > 0)
		loop_defer(m->r->loop, &m->task, turn_away, m);
	else
		loop_stop(m->r->loop);
}

static void
remove_account(struct files_rig *r, struct removal *m, uint64_t account, int turns)
{
	*m = (struct removal){.r = r, .turns = turns};
	files_remove(r->files, account, removed, m);
	loop_defer(r->loop, &m->task, turn_away, m);
	sim_run(r->loop, 60000);
	loop_defer_stop(r->loop, &m->task);
}

/* What a shell command counts, of the rig's folder. */
static int
count(const struct files_rig *r, const char *what)
{
	char command[256];
	FILE *f;
	int n = -1;

	snprintf(command, sizeof(command), "cd %s && %s | wc -l", r->folder, what);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

/* Folders in folders, each with a file; longer than any path. */
static void
dig(struct files_rig *r, const char *top, int depth)
{
	char name[64];
	int at, below;

	snprintf(name, sizeof(name), "1/%s", top);
	assert_int_equal(mkdirat(r->areas, name, 0700), 0);
	at = openat(r->areas, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < depth; i++) {
		assert_int_equal(mkdirat(at, "a folder in it", 0700), 0);
		close(openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		below = openat(at, "a folder in it", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(at);
		at = below;
	}
	close(at);
}

static void
fill(struct files_rig *r)
{
	char path[160], to[160];

	assert_int_equal(files_rig_stat(r, 1, "/"), 0);
	assert_int_equal(files_rig_stat(r, 2, "/"), 0);
	files_rig_put(r, 2, "/hers", "hers");
	dig(r, "deep", 400);
	dig(r, "also", 40);
	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "%s/1/also/f%d", r->folder, i);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		snprintf(path, sizeof(path), "%s/1/also/d%d", r->folder, i);
		assert_int_equal(mkdir(path, 0700), 0);
		snprintf(path, sizeof(path), "%s/1/also/d%d/x", r->folder, i);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	snprintf(path, sizeof(path), "%s/2", r->folder);
	for (int i = 0; i < 3; i++) {
		static const char *const places[] = {"link", "also/link", "also/d7/link"};

		snprintf(to, sizeof(to), "%s/1/%s", r->folder, places[i]);
		assert_int_equal(symlink(path, to), 0);
	}
	snprintf(path, sizeof(path), "%s/2/hers", r->folder);
	snprintf(to, sizeof(to), "%s/1/name", r->folder); /* of one file, two */
	assert_int_equal(link(path, to), 0);
}

static void
an_area_goes_whole(void **state)
{
	static struct files_rig r;
	struct removal m;

	(void)state;
	files_rig_init(&r);
	fill(&r);
	assert_int_equal(files_rig_write(&r, 1, "/up", FILE_REPLACE, 0), 0);
	remove_account(&r, &m, 1, 100000);
	assert_int_equal(m.calls, 1);
	assert_true(is_ok(m.e));
	assert_int_equal(count(&r, "find -name 1"), 0);
	assert_int_equal(count(&r, "ls -A 2"), 2); /* hers, and the hidden folder */
	assert_true(files_rig_holds(&r, 2, "/hers", "hers"));
	remove_account(&r, &m, 1, 10); /* there is nothing */
	assert_true(m.calls == 1 && is_ok(m.e));
	files_rig_fini(&r);
}

/* Cut short again and again; each life goes on where the one before was. */
static void
a_removal_survives_its_box(void **state)
{
	static struct files_rig r;
	struct removal m = {.calls = 0};
	int lives = 0, left, before;

	(void)state;
	files_rig_init(&r);
	fill(&r);
	before = count(&r, "find 1");
	for (; !m.calls && lives < 1000; lives++) {
		remove_account(&r, &m, 1, 40);
		if (m.calls)
			break;
		files_rig_close(&r);
		files_rig_open(&r);
		left = count(&r, "find 1");
		assert_true(left > 0 && left < before);
		before = left;
	}
	assert_true(m.calls == 1 && is_ok(m.e) && lives > 3);
	assert_int_equal(count(&r, "find -name 1"), 0);
	assert_true(files_rig_holds(&r, 2, "/hers", "hers"));
	files_rig_fini(&r);
}

/* Cut piece by piece, but not where it has another name. */
static void
a_large_file_goes(void **state)
{
	static struct files_rig r;
	const off_t size = 160 * 1024 * 1024;
	struct removal m;
	struct stat st;
	char path[160], other[160];
	int fd;

	(void)state;
	files_rig_init(&r);
	assert_int_equal(files_rig_stat(&r, 1, "/"), 0);
	assert_int_equal(files_rig_stat(&r, 2, "/"), 0);
	snprintf(path, sizeof(path), "%s/1/big", r.folder);
	snprintf(other, sizeof(other), "%s/2/big", r.folder);
	for (int names = 1; names <= 2; names++) {
		mkdirat(r.areas, "1", 0700);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		if (posix_fallocate(fd, 0, size) != 0)
			fail_msg("no space for the test");
		if (names == 2)
			assert_int_equal(link(path, other), 0);
		remove_account(&r, &m, 1, 100);
		assert_true(m.calls == 1 && is_ok(m.e));
		assert_int_equal(count(&r, "find -name 1"), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_true(names == 2 ? st.st_size == size : st.st_size < size / 2);
		close(fd);
	}
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
	    cmocka_unit_test(an_area_goes_whole),
	    cmocka_unit_test(a_removal_survives_its_box),
	    cmocka_unit_test(a_large_file_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

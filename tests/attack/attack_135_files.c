/*
 * attack_135_files.c - a path never leaves its account's tree: not by "..", not by links that are
 * there or are swapped in while it is walked, not by a rename, and never to what is no file.
 */
#include "../files_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { ROUNDS = 4000 };

static void
area_path(const struct files_rig *r, const char *name, char out[256])
{
	snprintf(out, 256, "%s/1%s", r->folder, name);
}

/* A secret beside the tree, and a tree with something in it. */
static void
init(struct files_rig *r)
{
	char path[256];
	int fd;

	files_rig_init(r);
	snprintf(path, sizeof(path), "%s/secret", r->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "secret", 6), 6);
	close(fd);
	files_rig_put(r, 1, "/own", "own");
	files_rig_put(r, 2, "/own", "another's");
	assert_int_equal(files_rig_change(r, 1, FILE_MAKE_FOLDER, "/d", ""), 0);
}

static void
attack_135_no_way_by_text(void **state)
{
	static const char *const bad[] = {
	    "",
	    "own",
	    "/..",
	    "/../2/own",
	    "/d/../../2/own",
	    "/d/..",
	    "/./own",
	    "//own",
	    "/d/",
	    "/.",
	    "/.stead-tmp",
	    "/.stead-tmp/x",
	    "/d//x",
	    "/../secret",
	    "/d/../own",
	    "/d/.stead-tmp/x",
	};
	static struct files_rig r;
	const struct talk_file_stat nul = {.handle = files_rig_handle(1), .path = BYTES("/own\0x")};

	(void)state;
	init(&r);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(files_rig_stat(&r, 1, bad[i]), ERR_SYNTAX);
		assert_int_equal(files_rig_read(&r, 1, bad[i]), ERR_SYNTAX);
		assert_int_equal(files_rig_list(&r, 1, bad[i], 0), ERR_SYNTAX);
		assert_int_equal(files_rig_write(&r, 1, bad[i], FILE_REPLACE, 0), ERR_SYNTAX);
		assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, bad[i], ""), ERR_SYNTAX);
		assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/own", bad[i]), ERR_SYNTAX);
	}
	assert_int_equal(files_rig_ask(&r, talk_file_stat_out(&nul)), ERR_SYNTAX);
	assert_true(files_rig_holds(&r, 2, "/own", "another's"));
	files_rig_fini(&r);
}

static void
attack_135_links_stay_within(void **state)
{
	static const struct {
		const char *name, *to;
		uint8_t code; /* of reading it */
	} links[] = {
	    {"/up", "../secret", ERR_DENIED},
	    {"/far", "/etc/passwd", ERR_DENIED},
	    {"/other", "../2/own", ERR_DENIED},
	    {"/loop", "loop", ERR_DENIED},
	    {"/magic", "/proc/self/exe", ERR_DENIED},
	    {"/in", "own", 0},
	    {"/d/in", "../own", 0},
	    {"/dangling", "nothing", ERR_NOTFOUND},
	};
	static struct files_rig r;
	char path[256];

	(void)state;
	init(&r);
	for (size_t i = 0; i < COUNT(links); i++) {
		area_path(&r, links[i].name, path);
		assert_int_equal(symlink(links[i].to, path), 0);
		assert_int_equal(files_rig_read(&r, 1, links[i].name), links[i].code);
		assert_int_equal(files_rig_stat(&r, 1, links[i].name), links[i].code);
	}
	/* a listing shows what can be reached, and tells of that */
	assert_int_equal(files_rig_list(&r, 1, "/", 0), 0);
	assert_non_null(memmem(r.rows, r.rows_n, "\x02in", 3));
	assert_null(memmem(r.rows, r.rows_n, "magic", 5));
	assert_null(memmem(r.rows, r.rows_n, "other", 5));
	/* folders: through a link that leads out nothing is made, removed, renamed or listed */
	area_path(&r, "/out", path);
	assert_int_equal(symlink("../2", path), 0);
	assert_int_equal(files_rig_list(&r, 1, "/out", 0), ERR_DENIED);
	assert_int_equal(files_rig_write(&r, 1, "/out/x", FILE_REPLACE, 0), ERR_DENIED);
	assert_int_equal(files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/out/x", ""), ERR_DENIED);
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, "/out/own", ""), ERR_DENIED);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/own", "/out/x"), ERR_DENIED);
	assert_int_equal(files_rig_change(&r, 1, FILE_RENAME, "/out/own", "/x"), ERR_DENIED);
	/* what takes a link's place or removes it leaves alone where it leads to */
	files_rig_put(&r, 1, "/up", "mine");
	assert_int_equal(files_rig_change(&r, 1, FILE_REMOVE, "/other", ""), 0);
	assert_true(files_rig_holds(&r, 2, "/own", "another's"));
	files_rig_fini(&r);
}

static void
attack_135_only_files_are_opened(void **state)
{
	static struct files_rig r;
	char path[256];

	(void)state;
	init(&r);
	area_path(&r, "/fifo", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(files_rig_read(&r, 1, "/fifo"), ERR_DENIED); /* and nobody waits */
	assert_int_equal(files_rig_stat(&r, 1, "/fifo"), ERR_DENIED);
	assert_int_equal(files_rig_write(&r, 1, "/fifo", FILE_APPEND, 0), ERR_DENIED);
	assert_int_equal(files_rig_list(&r, 1, "/", 0), 0);
	assert_null(memmem(r.rows, r.rows_n, "fifo", 4));
	/* a hard link of an administrator's is a file as any; the old one stays what it was */
	snprintf(path, sizeof(path), "%s/secret", r.folder);
	{
		char to[256];

		area_path(&r, "/hard", to);
		assert_int_equal(link(path, to), 0);
	}
	files_rig_put(&r, 1, "/hard", "other");
	assert_true(files_rig_holds(&r, 1, "/hard", "other"));
	r.as = 0;
	{
		char text[8] = "";
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(read(fd, text, sizeof(text)), 6);
		assert_memory_equal(text, "secret", 6);
		close(fd);
	}
	files_rig_fini(&r);
}

/* ---- swapped while it is walked ---- */

struct swapper {
	char folder[256], aside[256], link[256];
	atomic_bool stop;
	unsigned long swaps;
};

/* A folder and a link out of the tree take each other's place, again and again. */
static void *
swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop)) {
		if (rename(s->folder, s->aside) == 0 && rename(s->link, s->folder) == 0) {
			rename(s->folder, s->link);
			rename(s->aside, s->folder);
		}
		s->swaps++;
	}
	return NULL;
}

static void
attack_135_swaps(void **state)
{
	static struct files_rig r;
	static struct swapper s;
	struct timespec pause = {0, 1000000};
	pthread_t thread;
	char path[256];
	unsigned reached = 0;

	(void)state;
	init(&r);
	area_path(&r, "/d/own", path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	area_path(&r, "/d", s.folder);
	area_path(&r, "/aside", s.aside);
	area_path(&r, "/link", s.link);
	assert_int_equal(symlink("../2", s.link), 0);
	assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
	while (!s.swaps)
		nanosleep(&pause, NULL);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint8_t code = files_rig_read(&r, 1, "/d/own");

		reached += code == 0;
		if (code == 0) /* the own one, which is empty */
			assert_int_equal(r.size, 0);
		if (i % 16)
			continue;
		if (files_rig_write(&r, 1, "/d/new", FILE_REPLACE, 0) == 0)
			files_rig_commit(&r, 1, r.token);
		files_rig_change(&r, 1, FILE_RENAME, "/d/new", "/d/newer");
		files_rig_change(&r, 1, FILE_MAKE_FOLDER, "/d/made", "");
		files_rig_change(&r, 1, FILE_REMOVE_FOLDER, "/d/made", "");
	}
	atomic_store(&s.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(s.swaps > 0);
	/* the other account has what it had, and nothing else */
	assert_int_equal(files_rig_list(&r, 2, "/", 0), 0);
	assert_int_equal(r.rows_n, 1 + 8 + 8 + 1 + 3);
	assert_true(files_rig_holds(&r, 2, "/own", "another's"));
	print_message("%lu swaps, %u of %d reads reached the own file\n", s.swaps, reached, ROUNDS);
	files_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_135_no_way_by_text),
	    cmocka_unit_test(attack_135_links_stay_within),
	    cmocka_unit_test(attack_135_only_files_are_opened),
	    cmocka_unit_test(attack_135_swaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

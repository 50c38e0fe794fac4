/*
 * attack_137_files.c - an upload that does not come to its end leaves the old file as it was:
 * without space, when it is dropped, when box is killed, with an offset beyond all files.
 */
#include "../files_rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void
attack_137_no_space(void **state)
{
	static struct files_rig r;
	static char block[4096];
	struct rlimit before, small;
	uint32_t token;
	ssize_t n;

	(void)state;
	files_rig_init(&r);
	files_rig_put(&r, 1, "/a", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){6000, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(files_rig_write(&r, 1, "/a", FILE_REPLACE, 0), 0);
	token = r.token;
	do /* what the front sees: "452" */
		n = write(r.fd, block, sizeof(block));
	while (n > 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(files_rig_holds(&r, 1, "/a", "old"));

	/* box itself finds none, for what is kept of a file */
	assert_int_equal(files_rig_write(&r, 1, "/big", FILE_REPLACE, 0), 0);
	token = r.token;
	for (int i = 0; i < 16; i++)
		assert_int_equal(write(r.fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(files_rig_commit(&r, 1, token), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(files_rig_write(&r, 1, "/big", FILE_APPEND, 0), ERR_FULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(files_rig_stat(&r, 1, "/big"), 0);
	assert_int_equal(r.size, 16 * sizeof(block));
	assert_int_equal(files_rig_hidden(&r, 1), 1); /* that of /a, which nobody has dropped yet */
	files_rig_fini(&r);
}

static void
attack_137_killed(void **state)
{
	static struct files_rig r;
	pid_t child;
	int status;

	(void)state;
	files_rig_init(&r);
	files_rig_put(&r, 1, "/a", "old");
	child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* a box with an upload under way, killed */
		if (files_rig_write(&r, 1, "/a", FILE_REPLACE, 0) == 0 &&
		    write(r.fd, "half", 4) == 4)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(files_rig_hidden(&r, 1), 1);
	assert_true(files_rig_holds(&r, 1, "/a", "old"));
	files_rig_close(&r); /* the next one sweeps */
	files_rig_open(&r);
	assert_int_equal(files_rig_hidden(&r, 1), 0);
	assert_true(files_rig_holds(&r, 1, "/a", "old"));
	files_rig_fini(&r);
}

static void
attack_137_offsets(void **state)
{
	static const uint64_t offsets[] = {4, INT64_MAX, (uint64_t)1 << 63, UINT64_MAX};
	static struct files_rig r;

	(void)state;
	files_rig_init(&r);
	files_rig_put(&r, 1, "/a", "old");
	for (size_t i = 0; i < COUNT(offsets); i++)
		assert_int_equal(files_rig_write(&r, 1, "/a", FILE_RESUME, offsets[i]), ERR_RANGE);
	assert_true(files_rig_holds(&r, 1, "/a", "old"));
	assert_int_equal(files_rig_hidden(&r, 1), 0);
	files_rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_137_no_space),
	    cmocka_unit_test(attack_137_killed),
	    cmocka_unit_test(attack_137_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

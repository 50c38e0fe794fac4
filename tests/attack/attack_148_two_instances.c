/*
 * Attack 148: a second instance on one store refuses, whatever becomes of the first; a store of a
 * later program is refused and left as it is.
 */
#include "../store_rig.h"

#include <sys/wait.h>

static void
attack_148_two_instances(void **state)
{
	struct rig r;
	struct store *second = NULL;
	struct err e;
	pid_t pid;
	int status;

	(void)state;
	rig_init(&r, STORE_LOG, 148);
	rig_open(&r);
	e = store_open(&second, &r.conf);
	assert_int_equal(e.code, ERR_DENIED);
	assert_null(second);
	rig_close(&r);
	pid = fork();
	if (pid == 0) {
		rig_open(&r);
		_exit(0); /* without closing it */
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	rig_open(&r);
	rig_fini(&r);
}

static void
attack_148_later_format(void **state)
{
	struct rig r;
	uint8_t later = 2;
	struct err e;
	int fd;

	(void)state;
	rig_init(&r, STORE_LOG, 148);
	rig_open(&r);
	rig_close(&r);
	fd = openat(r.dir_fd, "format", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, &later, 1, 15), 1);
	e = store_open(&r.s, &r.conf);
	assert_int_equal(e.code, ERR_RANGE);
	later = 1;
	assert_int_equal(pwrite(fd, &later, 1, 15), 1);
	assert_int_equal(pwrite(fd, &later, 1, 20), 1);
	e = store_open(&r.s, &r.conf);
	assert_int_equal(e.code, ERR_CORRUPT);
	close(fd);
	assert_int_equal(unlinkat(r.dir_fd, "format", 0), 0);
	e = store_open(&r.s, &r.conf);
	assert_int_equal(e.code, ERR_CORRUPT); /* a log without its format */
	rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(attack_148_two_instances),
	    cmocka_unit_test(attack_148_later_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

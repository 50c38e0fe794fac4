/*
 * Attack 162: whoever reads our stderr has stopped reading, and its pipe is full.  Events without a
 * sink are lost then, whole lines of them; nobody waits, and the next ones go out once it reads on.
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

enum { EVENTS = 20000, PIPE = 1 << 20 };

/* How many lines were in the pipe; each is whole. */
static size_t
read_lines(int fd, char *room)
{
	ssize_t n = read(fd, room, PIPE);
	size_t lines = 0;

	assert_true(n > 0);
	assert_int_equal(room[n - 1], '\n');
	for (ssize_t i = 0; i < n; i++)
		lines += room[i] == '\n';
	return lines;
}

static void
attack_162_stderr_is_full(void **state)
{
	char *room = malloc(PIPE);
	int ends[2], old = dup(STDERR_FILENO);
	size_t lines;

	(void)state;
	assert_non_null(room);
	assert_true(old >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	alarm(30); /* where it waits, it waits for ever */
	for (int i = 0; i < EVENTS; i++)
		log_event(LOG_INFO, "attack.stuck", kv_u64("number", (uint64_t)i));
	lines = read_lines(ends[0], room);
	assert_true(lines > 10 && lines < EVENTS);
	log_event(LOG_INFO, "attack.goes_on");
	assert_int_equal(read_lines(ends[0], room), 1);
	alarm(0);
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	close(old);
	close(ends[0]);
	close(ends[1]);
	free(room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(attack_162_stderr_is_full)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

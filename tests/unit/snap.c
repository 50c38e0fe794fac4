/* Sealed images: what a reader gets, what it refuses, and when one is unmapped. */
#include "net/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int
image(const char *text)
{
	struct snap_draft d;
	size_t n = strlen(text);
	int fd = -1;

	assert_true(is_ok(snap_make(&d, "test", 10)));
	assert_true(is_ok(snap_grow(&d, 100000)));
	memcpy(d.p, text, n);
	assert_true(is_ok(snap_seal(&d, n, &fd)));
	snap_drop(&d);
	return fd;
}

static void
sealed_and_mapped(void **state)
{
	int fd = image("who exists");
	struct snap *s;
	struct err e;

	(void)state;
	assert_true(pwrite(fd, "x", 1, 0) < 0 && errno == EPERM);
	assert_true(ftruncate(fd, 1) < 0 && errno == EPERM);
	assert_true(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	e = snap_map(&s, fd, 9);
	assert_int_equal(e.code, ERR_RANGE);
	assert_true(is_ok(snap_map(&s, fd, 10)));
	close(fd);
	assert_true(bytes_eq(snap_bytes(s), BYTES("who exists")));
	snap_release(s);
}

static void
others_are_refused(void **state)
{
	static const struct {
		const char *name;
		int seals; /* -1: a pipe */
		int size;
		int code;
	} cases[] = {
	    {"all seals", F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL, 10, 0},
	    {"may be written", F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL, 10, ERR_DENIED},
	    {"may shrink", F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL, 10, ERR_DENIED},
	    {"may grow", F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_SEAL, 10, ERR_DENIED},
	    {"no seal", 0, 10, ERR_DENIED},
	    {"empty", F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL, 0, ERR_RANGE},
	    {"no memfd", -1, 0, ERR_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int fd[2] = {-1, -1};
		struct snap *s = NULL;
		struct err e;

		if (cases[i].seals < 0) {
			assert_int_equal(pipe(fd), 0);
		} else {
			fd[0] = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
			assert_int_equal(ftruncate(fd[0], cases[i].size), 0);
			assert_int_equal(fcntl(fd[0], F_ADD_SEALS, cases[i].seals), 0);
		}
		e = snap_map(&s, fd[0], 1000);
		assert_int_equal(e.code, cases[i].code);
		snap_release(s);
		close(fd[0]);
		if (fd[1] >= 0)
			close(fd[1]);
	}
}

/* An old image stays for those who hold it. */
static void
swapped_while_held(void **state)
{
	int old = image("old"), fresh = image("new");
	struct snap *place = NULL, *held, *s;

	(void)state;
	assert_true(is_ok(snap_map(&s, old, 10)));
	snap_swap(&place, s);
	held = snap_hold(place);
	assert_true(is_ok(snap_map(&s, fresh, 10)));
	snap_swap(&place, s);
	close(old);
	close(fresh);
	assert_true(bytes_eq(snap_bytes(held), BYTES("old")));
	assert_true(bytes_eq(snap_bytes(place), BYTES("new")));
	snap_release(held);
	snap_swap(&place, NULL);
	assert_null(place);
}

static void
drafts_are_dropped(void **state)
{
	struct snap_draft d;
	int before = dup(0), after;

	(void)state;
	close(before);
	assert_true(is_ok(snap_make(&d, "test", 1)));
	snap_drop(&d);
	snap_drop(&d);
	assert_false(is_ok(snap_make(&d, "test", SIZE_MAX)));
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sealed_and_mapped),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(swapped_while_held),
	    cmocka_unit_test(drafts_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * store_index.h - what may become of a store's index in a crash.  LMDB writes to the real disk, so its
 * crashes are played by putting back an older index, or none.
 */
#ifndef TESTS_STORE_INDEX_H
#define TESTS_STORE_INDEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

enum crash_index { INDEX_STAYS, INDEX_OLDER, INDEX_GONE, INDEX_FATES };

static inline void
crash_copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static uint8_t room[65536];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, room, sizeof(room))) > 0)
		assert_int_equal(write(out, room, (size_t)n), n);
	close(in);
	close(out);
}

/* The store must be closed for these. */
static inline void
crash_set_index(enum crash_index fate)
{
	if (fate == INDEX_STAYS)
		return;
	unlink("index-lock");
	unlink("index");
	if (fate == INDEX_OLDER && access("index.older", F_OK) == 0)
		crash_copy("index.older", "index");
}

#endif

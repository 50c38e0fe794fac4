/*
 * disk.h - every write, sync and rename of ours goes through this table.  Behind it stands the
 * kernel (disk_real) or a disk in memory that loses power on command (disk_sim.h).
 *
 * The functions answer as the system calls do, but with -errno in place of -1; they may be
 * interrupted (-EINTR) and may write or read less than asked for.  The disk_* functions below bear
 * both (attack 143) and answer with an err: use those.
 */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

typedef void disk_name(void *owner, const char *name);

struct disk {
	int (*openat)(struct disk *, int dir, const char *name, int flags, mode_t);
	int (*close)(struct disk *, int fd);
	ssize_t (*pread)(struct disk *, int fd, void *, size_t, uint64_t offset);
	ssize_t (*pwritev)(struct disk *, int fd, const struct iovec *, int n, uint64_t offset);
	int (*fdatasync)(struct disk *, int fd);
	int (*fsync)(struct disk *, int fd); /* also of a directory: makes its names durable */
	int (*ftruncate)(struct disk *, int fd, uint64_t length);
	int (*fallocate)(struct disk *, int fd, uint64_t offset, uint64_t length);
	int (*size)(struct disk *, int fd, uint64_t *out);
	int (*lock)(struct disk *, int fd); /* flock, exclusive: -EWOULDBLOCK when another has it */
	int (*renameat)(struct disk *, int from_dir, const char *from, int to_dir, const char *to);
	int (*unlinkat)(struct disk *, int dir, const char *name);
	int (*list)(struct disk *, int dir, disk_name *, void *owner); /* without "." and ".." */
};

/* The kernel's.  Files are opened with O_CLOEXEC. */
struct disk *disk_real(void);

/* Answers of those that open or write: ERR_FULL for ENOSPC, EDQUOT and EFBIG. */
/* Answers: ERR_NOTFOUND, ERR_EXISTS (O_EXCL). */
MUST_CHECK struct err disk_open(struct disk *, int dir, const char *name, int flags, int *out);
/* -1 does nothing.  What was to be durable was synced before: closing tells nothing. */
void disk_close(struct disk *, int fd);
/* Fewer than n bytes (*got) only at the end of the file. */
MUST_CHECK struct err disk_read(struct disk *, int fd, void *room, size_t n, uint64_t offset,
                                size_t *got);
/* All of it; on an error some of it may be written. */
MUST_CHECK struct err disk_write(struct disk *, int fd, const void *, size_t n, uint64_t offset);
/*
 * The data, and of the file's metadata what is needed to read it.  Never to be tried again when it
 * failed: the kernel may have dropped the pages and would then call the next try a success (attack
 * 141).
 */
MUST_CHECK struct err disk_datasync(struct disk *, int fd);
/* A file with its metadata, or the names in a directory. */
MUST_CHECK struct err disk_sync(struct disk *, int fd);
MUST_CHECK struct err disk_truncate(struct disk *, int fd, uint64_t length);
/* Blocks for all of the first `length` bytes, as zeros where nothing was written. */
MUST_CHECK struct err disk_allocate(struct disk *, int fd, uint64_t length);
MUST_CHECK struct err disk_size(struct disk *, int fd, uint64_t *out);
/* Held until the file is closed.  Answer: ERR_DENIED another holds it. */
MUST_CHECK struct err disk_lock(struct disk *, int fd);
/* Not durable before disk_sync() of the folder (of both). */
MUST_CHECK struct err disk_rename(struct disk *, int from_dir, const char *from, int to_dir,
                                  const char *to);
/* Answer: ERR_NOTFOUND. */
MUST_CHECK struct err disk_unlink(struct disk *, int dir, const char *name);
MUST_CHECK struct err disk_list(struct disk *, int dir, disk_name *, void *owner);
/* Makes or replaces a small file whole: written aside, synced, renamed over it, folder synced. */
MUST_CHECK struct err disk_replace(struct disk *, int dir, const char *name, const void *,
                                   size_t n);

#endif

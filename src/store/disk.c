/*
 * disk.c - the kernel's side of the disk table, and what all sides share: going on after short and
 * interrupted calls, and naming what went wrong.
 */
#include "store/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

/* ---- the kernel ---- */

static int
real_openat(struct disk *d, int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, mode);

	(void)d;
	return fd < 0 ? -errno : fd;
}

static int
real_close(struct disk *d, int fd)
{
	(void)d;
	return close(fd) ? -errno : 0;
}

static ssize_t
real_pread(struct disk *d, int fd, void *room, size_t n, uint64_t offset)
{
	ssize_t r = pread(fd, room, n, (off_t)offset);

	(void)d;
	return r < 0 ? -errno : r;
}

static ssize_t
real_pwritev(struct disk *d, int fd, const struct iovec *v, int n, uint64_t offset)
{
	ssize_t r = pwritev(fd, v, n, (off_t)offset);

	(void)d;
	return r < 0 ? -errno : r;
}

static int
real_fdatasync(struct disk *d, int fd)
{
	(void)d;
	return fdatasync(fd) ? -errno : 0;
}

static int
real_fsync(struct disk *d, int fd)
{
	(void)d;
	return fsync(fd) ? -errno : 0;
}

static int
real_ftruncate(struct disk *d, int fd, uint64_t length)
{
	(void)d;
	return ftruncate(fd, (off_t)length) ? -errno : 0;
}

/* Where the file system cannot allocate ahead, the blocks come with the writes. */
static int
real_fallocate(struct disk *d, int fd, uint64_t offset, uint64_t length)
{
	(void)d;
	if (!fallocate(fd, 0, (off_t)offset, (off_t)length))
		return 0;
	return errno == EOPNOTSUPP ? real_ftruncate(d, fd, offset + length) : -errno;
}

static int
real_size(struct disk *d, int fd, uint64_t *out)
{
	struct stat st;

	(void)d;
	if (fstat(fd, &st))
		return -errno;
	*out = (uint64_t)st.st_size;
	return 0;
}

static int
real_lock(struct disk *d, int fd)
{
	(void)d;
	return flock(fd, LOCK_EX | LOCK_NB) ? -errno : 0;
}

static int
real_renameat(struct disk *d, int from_dir, const char *from, int to_dir, const char *to)
{
	(void)d;
	return renameat(from_dir, from, to_dir, to) ? -errno : 0;
}

static int
real_unlinkat(struct disk *d, int dir, const char *name)
{
	(void)d;
	return unlinkat(dir, name, 0) ? -errno : 0;
}

/* Through a descriptor of its own: the place of reading belongs to the open file. */
static int
real_list(struct disk *d, int dir, disk_name *fn, void *owner)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), e;
	DIR *names = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	(void)d;
	if (!names) {
		e = errno;
		if (fd >= 0)
			close(fd);
		return -e;
	}
	for (errno = 0; (entry = readdir(names)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			fn(owner, entry->d_name);
	e = errno;
	closedir(names);
	return -e;
}

static struct disk real = {
    .openat = real_openat,
    .close = real_close,
    .pread = real_pread,
    .pwritev = real_pwritev,
    .fdatasync = real_fdatasync,
    .fsync = real_fsync,
    .ftruncate = real_ftruncate,
    .fallocate = real_fallocate,
    .size = real_size,
    .lock = real_lock,
    .renameat = real_renameat,
    .unlinkat = real_unlinkat,
    .list = real_list,
};

/* ---- what all sides share ---- */

static bool
is_no_space(int e)
{
	return e == ENOSPC || e == EDQUOT || e == EFBIG;
}

/* An err for -errno, in the words of the caller. */
#define REFUSED(r, what)                                                                           \
	(is_no_space((int)-(r)) ? ERR(ERR_FULL, (int)-(r), what) : ERR(ERR_IO, (int)-(r), what))

struct disk *
disk_real(void)
{
	return &real;
}

struct err
disk_open(struct disk *d, int dir, const char *name, int flags, int *out)
{
	int fd;

	do
		fd = d->openat(d, dir, name, flags, 0600);
	while (fd == -EINTR);
	if (fd == -ENOENT)
		return ERR(ERR_NOTFOUND, ENOENT, "open");
	if (fd == -EEXIST)
		return ERR(ERR_EXISTS, EEXIST, "open");
	if (fd < 0)
		return REFUSED(fd, "open");
	*out = fd;
	return OK;
}

void
disk_close(struct disk *d, int fd)
{
	if (fd >= 0)
		d->close(d, fd);
}

struct err
disk_read(struct disk *d, int fd, void *room, size_t n, uint64_t offset, size_t *got)
{
	ssize_t r = 0;

	for (*got = 0; *got < n; *got += (size_t)r) {
		do
			r = d->pread(d, fd, (uint8_t *)room + *got, n - *got, offset + *got);
		while (r == -EINTR || r == -EAGAIN);
		if (r < 0)
			return ERR(ERR_IO, (int)-r, "read");
		if (r == 0)
			break;
	}
	return OK;
}

struct err
disk_write(struct disk *d, int fd, const void *p, size_t n, uint64_t offset)
{
	/* The kernel only reads through iov_base, whose type cannot say so. */
	struct iovec v;
	ssize_t r;

	for (size_t done = 0; done < n; done += (size_t)r) {
		const uint8_t *from = (const uint8_t *)p + done;

		memcpy(&v.iov_base, &from, sizeof(from));
		v.iov_len = n - done;
		do
			r = d->pwritev(d, fd, &v, 1, offset + done);
		while (r == -EINTR || r == -EAGAIN);
		if (r < 0)
			return REFUSED(r, "write");
		if (r == 0)
			return ERR(ERR_IO, 0, "write: nothing written");
	}
	return OK;
}

/* EINTR too is a failure here: whether pages were dropped is not told. */
struct err
disk_datasync(struct disk *d, int fd)
{
	int r = d->fdatasync(d, fd);

	return r < 0 ? ERR(ERR_IO, -r, "fdatasync") : OK;
}

struct err
disk_sync(struct disk *d, int fd)
{
	int r = d->fsync(d, fd);

	return r < 0 ? ERR(ERR_IO, -r, "fsync") : OK;
}

struct err
disk_truncate(struct disk *d, int fd, uint64_t length)
{
	int r;

	do
		r = d->ftruncate(d, fd, length);
	while (r == -EINTR);
	return r < 0 ? REFUSED(r, "truncate") : OK;
}

struct err
disk_allocate(struct disk *d, int fd, uint64_t length)
{
	int r;

	do
		r = d->fallocate(d, fd, 0, length);
	while (r == -EINTR);
	return r < 0 ? REFUSED(r, "allocate") : OK;
}

struct err
disk_size(struct disk *d, int fd, uint64_t *out)
{
	int r = d->size(d, fd, out);

	return r < 0 ? ERR(ERR_IO, -r, "stat") : OK;
}

struct err
disk_lock(struct disk *d, int fd)
{
	int r = d->lock(d, fd);

	if (r == -EWOULDBLOCK)
		return ERR(ERR_DENIED, EWOULDBLOCK, "another instance holds the lock");
	return r < 0 ? ERR(ERR_IO, -r, "lock") : OK;
}

struct err
disk_rename(struct disk *d, int from_dir, const char *from, int to_dir, const char *to)
{
	int r = d->renameat(d, from_dir, from, to_dir, to);

	return r < 0 ? REFUSED(r, "rename") : OK;
}

struct err
disk_unlink(struct disk *d, int dir, const char *name)
{
	int r = d->unlinkat(d, dir, name);

	if (r == -ENOENT)
		return ERR(ERR_NOTFOUND, ENOENT, "unlink");
	return r < 0 ? ERR(ERR_IO, -r, "unlink") : OK;
}

struct err
disk_list(struct disk *d, int dir, disk_name *fn, void *owner)
{
	int r = d->list(d, dir, fn, owner);

	return r < 0 ? ERR(ERR_IO, -r, "list") : OK;
}

struct err
disk_replace(struct disk *d, int dir, const char *name, const void *p, size_t n)
{
	char aside[NAME_MAX + 1];
	int fd = -1, len = snprintf(aside, sizeof(aside), "%s.new", name);
	struct err e;

	if (len < 0 || (size_t)len >= sizeof(aside))
		return ERR(ERR_IO, ENAMETOOLONG, "replace");
	e = disk_open(d, dir, aside, O_WRONLY | O_CREAT | O_TRUNC, &fd);
	if (is_ok(e))
		e = disk_write(d, fd, p, n, 0);
	if (is_ok(e))
		e = disk_sync(d, fd); /* else the new name could show an empty file */
	disk_close(d, fd);
	if (is_ok(e))
		e = disk_rename(d, dir, aside, dir, name);
	if (is_ok(e))
		e = disk_sync(d, dir); /* else the old file could come back */
	return e;
}

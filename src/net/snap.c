/* snap.c - memfd images: written, sealed, mapped, counted. */
#include "net/snap.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };

struct snap {
	uint8_t *p;
	size_t n, holders;
};

struct err
snap_make(struct snap_draft *d, const char *name, size_t n)
{
	*d = (struct snap_draft){NULL, 0, -1};
	d->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (d->fd < 0 && errno == EINVAL) /* a kernel before 6.3 */
		d->fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (d->fd < 0)
		return ERR(ERR_IO, errno, "an image");
	return snap_grow(d, n);
}

struct err
snap_grow(struct snap_draft *d, size_t n)
{
	void *p = MAP_FAILED;

	assert(n >= d->n && n > 0);
	if (n <= INT64_MAX && ftruncate(d->fd, (off_t)n) == 0)
		p = d->p ? mremap(d->p, d->n, n, MREMAP_MAYMOVE)
		         : mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	if (p == MAP_FAILED) {
		struct err e = ERR(ERR_IO, errno, "an image's memory");

		snap_drop(d);
		return e;
	}
	d->p = p;
	d->n = n;
	return OK;
}

struct err
snap_seal(struct snap_draft *d, size_t n, int *fd)
{
	assert(n > 0 && n <= d->n);
	/* The kernel refuses F_SEAL_WRITE while a writable mapping is there. */
	munmap(d->p, d->n);
	d->p = NULL;
	if (ftruncate(d->fd, (off_t)n) != 0 || fcntl(d->fd, F_ADD_SEALS, SEALS) != 0) {
		struct err e = ERR(ERR_IO, errno, "sealing an image");

		snap_drop(d);
		return e;
	}
	*fd = d->fd;
	d->fd = -1;
	return OK;
}

void
snap_drop(struct snap_draft *d)
{
	if (d->p)
		munmap(d->p, d->n);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct snap_draft){NULL, 0, -1};
}

struct err
snap_copy(const char *name, struct bytes bytes, int *fd)
{
	size_t n = bytes.n ? bytes.n : 1;
	struct snap_draft d;
	struct err e = snap_make(&d, name, n);

	if (!is_ok(e))
		return e;
	if (bytes.n)
		memcpy(d.p, bytes.p, bytes.n);
	return snap_seal(&d, n, fd);
}

struct err
snap_check(int fd, size_t max, size_t *n)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS) /* EINVAL: no memfd at all */
		return ERR(ERR_DENIED, 0, "an image that can still change");
	if (fstat(fd, &st) != 0)
		return ERR(ERR_IO, errno, "an image");
	if (st.st_size <= 0 || (uintmax_t)st.st_size > max)
		return ERR(ERR_RANGE, 0, "an image's size");
	*n = (size_t)st.st_size;
	return OK;
}

struct err
snap_map(struct snap **out, int fd, size_t max)
{
	struct snap *s;
	struct err e;
	size_t n = 0;
	void *p;

	e = snap_check(fd, max, &n);
	if (!is_ok(e))
		return e;
	p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return ERR(ERR_IO, errno, "mapping an image");
	s = malloc(sizeof(*s));
	if (!s) {
		munmap(p, n);
		return ERR(ERR_MEMORY, 0, "an image");
	}
	*s = (struct snap){p, n, 1};
	*out = s;
	return OK;
}

struct bytes
snap_bytes(const struct snap *s)
{
	return (struct bytes){s->p, s->n};
}

struct snap *
snap_hold(struct snap *s)
{
	s->holders++;
	return s;
}

void
snap_release(struct snap *s)
{
	if (!s || --s->holders)
		return;
	munmap(s->p, s->n);
	free(s);
}

void
snap_swap(struct snap **place, struct snap *fresh)
{
	struct snap *old = *place;

	*place = fresh;
	snap_release(old);
}

/*
 * disk_sim.c - the disk in memory.  Each file has two contents: what the program sees, and what is
 * durable; between them stand the writes that no sync has covered yet, in their order.  The folder
 * likewise.
 */
#include "store/disk_sim.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { SECTOR = 512, NAME_ROOM = 64, NAMES = 256, OPENS = 64, FIRST_FD = DISK_SIM_DIR + 1 };

struct content {
	uint8_t *p;
	size_t n, cap;
};

/* A write, or (p is NULL) a new length. */
struct change {
	struct change *next;
	uint64_t offset;
	size_t n;
	uint8_t p[];
};

struct file {
	struct file *next; /* of all that ever were: a name may come back in a crash */
	struct content seen, durable;
	struct change *changes, **last;
	int locked_by;
};

struct name {
	char text[NAME_ROOM];
	struct file *file; /* NULL: free */
};

struct folder {
	struct name names[NAMES];
};

/* A change of the folder: a name comes to stand for a file, or (NULL) for none. */
struct renaming {
	struct renaming *next;
	struct name name, gone; /* gone: the other name of a rename, which changes with it */
};

struct disk_sim {
	struct disk disk; /* first: the two are cast to each other */
	struct random *random;
	struct file *files;
	struct folder seen, durable;
	struct renaming *renamings, **last;
	struct file *open[OPENS];
	uint64_t calls, fail_at, space;
	int fail_with;
	bool is_short;
};

static void *
get_memory(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	assert(p);
	return p;
}

/* ---- contents ---- */

static void
resize(struct content *c, size_t n)
{
	if (n > c->cap) {
		c->p = realloc(c->p, 2 * n);
		assert(c->p);
		c->cap = 2 * n;
	}
	if (n > c->n)
		memset(c->p + c->n, 0, n - c->n);
	c->n = n;
}

static void
overwrite(struct content *c, uint64_t offset, const uint8_t *p, size_t n)
{
	if (offset + n > c->n)
		resize(c, (size_t)offset + n);
	if (n)
		memcpy(c->p + offset, p, n);
}

enum fate { KEPT, DROPPED, TORN };

static void
settle(struct disk_sim *s, struct content *c, const struct change *change, enum fate fate)
{
	if (fate == DROPPED)
		return;
	if (change->n == 0) {
		resize(c, (size_t)change->offset);
		return;
	}
	for (size_t i = 0, n; i < change->n; i += n) {
		n = SECTOR - (size_t)((change->offset + i) % SECTOR);
		n = n < change->n - i ? n : change->n - i;
		if (fate == KEPT || random_below(s->random, 2))
			overwrite(c, change->offset + i, change->p + i, n);
	}
}

/* All that no sync has covered: kept, or each left to chance. */
static void
settle_all(struct disk_sim *s, struct file *f, bool chance)
{
	while (f->changes) {
		struct change *c = f->changes;
		enum fate fate = chance ? (enum fate)random_below(s->random, 3) : KEPT;

		settle(s, &f->durable, c, fate);
		f->changes = c->next;
		free(c);
	}
	f->last = &f->changes;
}

static void
note(struct file *f, uint64_t offset, const void *p, size_t n)
{
	struct change *c = get_memory(sizeof(*c) + n);

	c->offset = offset;
	c->n = n;
	if (n)
		memcpy(c->p, p, n);
	*f->last = c;
	f->last = &c->next;
}

/* ---- the folder ---- */

static struct name *
find_name(struct folder *f, const char *text)
{
	for (size_t i = 0; i < NAMES; i++)
		if (f->names[i].file && strcmp(f->names[i].text, text) == 0)
			return &f->names[i];
	return NULL;
}

static void
set_name(struct folder *f, const struct name *to)
{
	struct name *at = find_name(f, to->text);

	for (size_t i = 0; !at && i < NAMES; i++)
		if (!f->names[i].file)
			at = &f->names[i];
	assert(at);
	*at = *to;
}

static void
rename_in(struct folder *f, const struct renaming *r)
{
	if (r->gone.text[0])
		set_name(f, &r->gone);
	set_name(f, &r->name);
}

static struct name
name_of(const char *text, struct file *file)
{
	struct name n = {{0}, file};

	assert(strlen(text) < NAME_ROOM);
	memcpy(n.text, text, strlen(text));
	return n;
}

static void
note_name(struct disk_sim *s, struct name name, const char *gone)
{
	struct renaming *r = get_memory(sizeof(*r));

	r->name = name;
	if (gone)
		r->gone = name_of(gone, NULL);
	rename_in(&s->seen, r);
	*s->last = r;
	s->last = &r->next;
}

/* The first n changes of names become durable, the others are lost. */
static void
settle_names(struct disk_sim *s, size_t n)
{
	for (size_t i = 0; s->renamings; i++) {
		struct renaming *r = s->renamings;

		if (i < n)
			rename_in(&s->durable, r);
		s->renamings = r->next;
		free(r);
	}
	s->last = &s->renamings;
}

/* ---- the table ---- */

static struct file *
file_of(struct disk_sim *s, int fd)
{
	assert(fd >= FIRST_FD && fd < FIRST_FD + OPENS && s->open[fd - FIRST_FD]);
	return s->open[fd - FIRST_FD];
}

/* Counts a call; true when it is the one that fails.  Only what takes space can want for it. */
static bool
fails(struct disk_sim *s, bool takes_space)
{
	bool is_it = ++s->calls == s->fail_at;

	if (!is_it || takes_space || s->fail_with != ENOSPC)
		return is_it;
	s->fail_at++;
	return false;
}

static int
sim_openat(struct disk *d, int dir, const char *text, int flags, mode_t mode)
{
	struct disk_sim *s = (struct disk_sim *)d;
	struct name *name = find_name(&s->seen, text);
	struct file *f = name ? name->file : NULL;

	(void)mode;
	assert(dir == DISK_SIM_DIR);
	if (f && (flags & O_EXCL))
		return -EEXIST;
	if (!f && !(flags & O_CREAT))
		return -ENOENT;
	if ((!f || (flags & O_TRUNC)) && fails(s, true))
		return -s->fail_with;
	if (!f) {
		f = get_memory(sizeof(*f));
		f->next = s->files;
		f->last = &f->changes;
		s->files = f;
		note_name(s, name_of(text, f), NULL);
	} else if ((flags & O_TRUNC) && f->seen.n) {
		resize(&f->seen, 0);
		note(f, 0, NULL, 0);
	}
	for (int i = 0; i < OPENS; i++)
		if (!s->open[i]) {
			s->open[i] = f;
			return FIRST_FD + i;
		}
	return -EMFILE;
}

static int
sim_close(struct disk *d, int fd)
{
	struct disk_sim *s = (struct disk_sim *)d;
	struct file *f = file_of(s, fd);

	if (f->locked_by == fd)
		f->locked_by = 0;
	s->open[fd - FIRST_FD] = NULL;
	return 0;
}

/* How many of n bytes this call moves; 0: it is interrupted. */
static size_t
some_of(struct disk_sim *s, size_t n)
{
	if (!s->is_short || n == 0)
		return n;
	return random_below(s->random, 4) ? (size_t)random_below(s->random, n + 1) : n;
}

static ssize_t
sim_pread(struct disk *d, int fd, void *room, size_t n, uint64_t offset)
{
	struct disk_sim *s = (struct disk_sim *)d;
	const struct content *c = &file_of(s, fd)->seen;
	size_t left = offset < c->n ? c->n - (size_t)offset : 0;
	size_t take = some_of(s, n < left ? n : left);

	if (take == 0)
		return left == 0 || n == 0 ? 0 : -EINTR;
	memcpy(room, c->p + offset, take);
	return (ssize_t)take;
}

static bool
has_space(struct disk_sim *s, const struct file *f, uint64_t end)
{
	uint64_t more = end > f->seen.n ? end - f->seen.n : 0;

	if (more > s->space)
		return false;
	if (s->space != UINT64_MAX)
		s->space -= more;
	return true;
}

static ssize_t
sim_pwritev(struct disk *d, int fd, const struct iovec *v, int n, uint64_t offset)
{
	struct disk_sim *s = (struct disk_sim *)d;
	struct file *f = file_of(s, fd);
	ssize_t done = 0;

	if (fails(s, true))
		return -s->fail_with;
	for (int i = 0; i < n; i++) {
		size_t take = some_of(s, v[i].iov_len);

		if (take && !has_space(s, f, offset + take))
			return done ? done : -ENOSPC;
		if (take) {
			overwrite(&f->seen, offset, v[i].iov_base, take);
			note(f, offset, v[i].iov_base, take);
		}
		offset += take;
		done += (ssize_t)take;
		if (take < v[i].iov_len)
			return done ? done : -EINTR;
	}
	return done;
}

static int
sim_fsync(struct disk *d, int fd)
{
	struct disk_sim *s = (struct disk_sim *)d;
	bool failed = fails(s, false);

	if (fd != DISK_SIM_DIR)
		settle_all(s, file_of(s, fd), failed);
	else if (!failed)
		settle_names(s, SIZE_MAX);
	return failed ? -s->fail_with : 0;
}

static int
set_length(struct disk_sim *s, int fd, uint64_t length)
{
	struct file *f = file_of(s, fd);

	if (fails(s, true))
		return -s->fail_with;
	if (!has_space(s, f, length))
		return -ENOSPC;
	resize(&f->seen, (size_t)length);
	note(f, length, NULL, 0);
	return 0;
}

static int
sim_ftruncate(struct disk *d, int fd, uint64_t length)
{
	return set_length((struct disk_sim *)d, fd, length);
}

static int
sim_fallocate(struct disk *d, int fd, uint64_t offset, uint64_t length)
{
	struct disk_sim *s = (struct disk_sim *)d;
	uint64_t now = file_of(s, fd)->seen.n;

	return set_length(s, fd, offset + length > now ? offset + length : now);
}

static int
sim_size(struct disk *d, int fd, uint64_t *out)
{
	*out = file_of((struct disk_sim *)d, fd)->seen.n;
	return 0;
}

static int
sim_lock(struct disk *d, int fd)
{
	struct file *f = file_of((struct disk_sim *)d, fd);

	if (f->locked_by && f->locked_by != fd)
		return -EWOULDBLOCK;
	f->locked_by = fd;
	return 0;
}

static int
sim_renameat(struct disk *d, int from_dir, const char *from, int to_dir, const char *to)
{
	struct disk_sim *s = (struct disk_sim *)d;
	struct name *name = find_name(&s->seen, from);

	assert(from_dir == DISK_SIM_DIR && to_dir == DISK_SIM_DIR);
	if (!name)
		return -ENOENT;
	if (fails(s, true))
		return -s->fail_with;
	note_name(s, name_of(to, name->file), from);
	return 0;
}

static int
sim_unlinkat(struct disk *d, int dir, const char *text)
{
	struct disk_sim *s = (struct disk_sim *)d;
	struct name *name = find_name(&s->seen, text);

	assert(dir == DISK_SIM_DIR);
	if (!name)
		return -ENOENT;
	if (fails(s, false))
		return -s->fail_with;
	if (s->space != UINT64_MAX)
		s->space += name->file->seen.n;
	note_name(s, name_of(text, NULL), NULL);
	return 0;
}

static int
sim_list(struct disk *d, int dir, disk_name *fn, void *owner)
{
	struct disk_sim *s = (struct disk_sim *)d;

	assert(dir == DISK_SIM_DIR);
	for (size_t i = 0; i < NAMES; i++)
		if (s->seen.names[i].file)
			fn(owner, s->seen.names[i].text);
	return 0;
}

/* ---- public ---- */

struct disk_sim *
disk_sim_new(uint64_t seed)
{
	struct disk_sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->disk = (struct disk){
	    .openat = sim_openat,
	    .close = sim_close,
	    .pread = sim_pread,
	    .pwritev = sim_pwritev,
	    .fdatasync = sim_fsync,
	    .fsync = sim_fsync,
	    .ftruncate = sim_ftruncate,
	    .fallocate = sim_fallocate,
	    .size = sim_size,
	    .lock = sim_lock,
	    .renameat = sim_renameat,
	    .unlinkat = sim_unlinkat,
	    .list = sim_list,
	};
	s->random = random_seeded(seed);
	s->space = UINT64_MAX;
	s->last = &s->renamings;
	if (s->random)
		return s;
	free(s);
	return NULL;
}

void
disk_sim_free(struct disk_sim *s)
{
	if (!s)
		return;
	settle_names(s, 0);
	while (s->files) {
		struct file *f = s->files;

		settle_all(s, f, false);
		free(f->seen.p);
		free(f->durable.p);
		s->files = f->next;
		free(f);
	}
	random_close(s->random);
	free(s);
}

struct disk *
disk_sim_disk(struct disk_sim *s)
{
	return &s->disk;
}

void
disk_sim_crash(struct disk_sim *s)
{
	size_t n = 0;

	for (const struct renaming *r = s->renamings; r; r = r->next)
		n++;
	settle_names(s, (size_t)random_below(s->random, n + 1));
	s->seen = s->durable;
	for (struct file *f = s->files; f; f = f->next) {
		settle_all(s, f, true);
		resize(&f->seen, 0);
		overwrite(&f->seen, 0, f->durable.p, f->durable.n);
		f->locked_by = 0;
	}
	memset(s->open, 0, sizeof(s->open));
}

uint64_t
disk_sim_calls(const struct disk_sim *s)
{
	return s->calls;
}

void
disk_sim_fail(struct disk_sim *s, uint64_t nth, int error)
{
	s->fail_at = s->calls + nth;
	s->fail_with = error;
}

bool
disk_sim_failed(const struct disk_sim *s)
{
	return s->fail_at && s->fail_at <= s->calls;
}

void
disk_sim_space(struct disk_sim *s, uint64_t bytes)
{
	s->space = bytes;
}

void
disk_sim_short(struct disk_sim *s, bool on)
{
	s->is_short = on;
}

bool
disk_sim_flip(struct disk_sim *s, const char *text, uint64_t offset, unsigned bit)
{
	struct name *name = find_name(&s->seen, text);

	if (!name || offset >= name->file->seen.n || offset >= name->file->durable.n)
		return false;
	name->file->seen.p[offset] ^= (uint8_t)(1u << bit % 8);
	name->file->durable.p[offset] ^= (uint8_t)(1u << bit % 8);
	return true;
}

size_t
disk_sim_open(const struct disk_sim *s)
{
	size_t n = 0;

	for (size_t i = 0; i < OPENS; i++)
		n += s->open[i] != NULL;
	return n;
}

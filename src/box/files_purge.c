/*
 * files_purge.c - a tree is made flat, and removed as it becomes so: what is in a folder of the root
 * is unlinked, but a folder in it that is not empty moves up into the root.  So there is no path to
 * keep, no depth to run out of, and each entry is moved once at most.
 *
 * Invariants:
 * 1. Every name is a single one, relative to a folder that is held open, and none is followed where
 *    it is a link or another file system begins: nothing outside can be named (attack 135).
 * 2. The root goes last.  Whenever a slice ends, all that is left is beneath it.
 * 3. A pass over a folder that removed something is followed by another: what a file system shows
 *    of a folder that changes meanwhile is its own affair.
 */
#include "box/files_purge.h"

#include "box/files_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PIECES = 16,             /* entries of one slice: a few ms where no inode is at hand */
	CUT = 64 * 1024 * 1024,  /* octets that a file gives up in one slice */
	ENTRIES_ROOM = 8 * 1024, /* octets of them at once */
	BLOCK = 512,             /* what st_blocks counts */
	ALONE = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, /* a folder, by its name */
};

/* A folder that is being emptied. */
struct pass {
	int fd; /* -1: none is */
	bool removed;
	size_t at, n; /* of the entries that were read */
	_Alignas(struct dirent64) uint8_t room[ENTRIES_ROOM];
};

struct files_purge {
	struct loop *loop;
	struct loop_task task;
	int areas;
	char name[24]; /* of the root */
	uint64_t unique;
	struct pass root, folder; /* folder: one of the root's */
	char folder_name[NAME_MAX + 1];
	files_purged *done;
	void *owner;
};

static void
pass_begin(struct pass *s, int fd)
{
	s->fd = fd;
	s->at = s->n = 0;
	s->removed = false;
}

static void
pass_end(struct pass *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* The entry that is looked at; NULL when the folder is empty, or with an error. */
static const char *
entry(struct pass *s, struct err *e)
{
	ssize_t n;

	while (s->at == s->n) {
		n = getdents64(s->fd, s->room, sizeof(s->room));
		if (n < 0) {
			*e = TREE_ERROR("list what is to be removed");
			return NULL;
		}
		s->at = 0;
		s->n = (size_t)n;
		if (n)
			continue;
		if (!s->removed)
			return NULL;
		s->removed = false;
		if (lseek(s->fd, 0, SEEK_SET) < 0) {
			*e = TREE_ERROR("begin a folder anew");
			return NULL;
		}
	}
	return ((const struct dirent64 *)(const void *)(s->room + s->at))->d_name;
}

static void
entry_next(struct pass *s)
{
	s->at += ((const struct dirent64 *)(const void *)(s->room + s->at))->d_reclen;
}

/*
 * The end of a large file: to unlink it at once would hold up everybody.  True: it became shorter.
 * One that has another name somewhere is only unlinked: what it holds is not the account's alone.
 */
static bool
shortened(const struct pass *s, const char *name, const struct stat *st)
{
	uint64_t pieces = (uint64_t)st->st_blocks * BLOCK / CUT, cut;
	bool done;
	int fd;

	if (!S_ISREG(st->st_mode) || st->st_nlink != 1 || !pieces)
		return false;
	cut = (uint64_t)st->st_size / (pieces + 1);
	fd = cut ? openat(s->fd, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
	if (fd < 0)
		return false;
	done = ftruncate(fd, st->st_size - (off_t)cut) == 0;
	close(fd);
	return done;
}

/* A folder that is not empty: one of the root's is emptied next, one below it moves up. */
static struct err
empty_later(struct files_purge *p, struct pass *s, const char *name)
{
	char fresh[24];
	struct err e;
	int fd;

	if (s == &p->root) {
		e = tree_open(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, ALONE, &fd);
		if (!is_ok(e))
			return e;
		pass_begin(&p->folder, fd);
		snprintf(p->folder_name, sizeof(p->folder_name), "%s", name);
		return OK;
	}
	snprintf(fresh, sizeof(fresh), "%016llx", (unsigned long long)p->unique++);
	if (renameat(s->fd, name, p->root.fd, fresh) != 0)
		return TREE_ERROR("move a folder that is to be removed");
	p->root.removed = true; /* there is more of the root than was seen */
	return OK;
}

static struct err
remove_entry(struct files_purge *p, struct pass *s, const char *name)
{
	struct stat st;
	int how;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		entry_next(s);
		return OK;
	}
	if (fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			return TREE_ERROR("look at what is to be removed");
		entry_next(s); /* as a list that is older than the removal tells */
		return OK;
	}
	if (shortened(s, name, &st))
		return OK; /* and it is looked at again */
	how = S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0;
	if (unlinkat(s->fd, name, how) != 0) {
		struct err e = how && (errno == ENOTEMPTY || errno == EEXIST)
		                   ? empty_later(p, s, name)
		                   : TREE_ERROR("remove an entry");

		if (!is_ok(e))
			return e;
	}
	s->removed = true;
	entry_next(s);
	return OK;
}

/* It is empty: the folder goes, then the root; *over: so all is. */
static struct err
remove_folder(struct files_purge *p, bool *over)
{
	if (p->folder.fd >= 0) {
		pass_end(&p->folder);
		return unlinkat(p->root.fd, p->folder_name, AT_REMOVEDIR) != 0 && errno != ENOENT
		           ? TREE_ERROR("remove a folder")
		           : OK;
	}
	*over = true;
	pass_end(&p->root);
	if (unlinkat(p->areas, p->name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return TREE_ERROR("remove an area");
	/* the account is forgotten now: after a crash nobody would come back for what is left */
	return fsync(p->areas) != 0 ? TREE_ERROR("sync the areas") : OK;
}

static void
purge_on(void *owner)
{
	struct files_purge *p = owner;
	struct err e = OK;
	bool over = p->root.fd < 0;

	for (int i = 0; i < PIECES && !over && is_ok(e); i++) {
		struct pass *s = p->folder.fd >= 0 ? &p->folder : &p->root;
		const char *name = entry(s, &e);

		if (name)
			e = remove_entry(p, s, name);
		else if (is_ok(e))
			e = remove_folder(p, &over);
	}
	if (is_ok(e) && !over)
		loop_defer(p->loop, &p->task, purge_on, p);
	else
		p->done(p->owner, e);
}

/* ---- public ---- */

struct err
files_purge_new(struct files_purge **out, struct loop *l, int areas, uint64_t account,
                uint64_t unique, files_purged *done, void *owner)
{
	struct files_purge *p = calloc(1, sizeof(*p));
	struct err e = OK;
	int fd = -1;

	if (!p)
		return ERR(ERR_MEMORY, 0, "a removal");
	p->loop = l;
	p->areas = areas;
	p->unique = unique;
	p->done = done;
	p->owner = owner;
	p->folder.fd = -1;
	snprintf(p->name, sizeof(p->name), "%llu", (unsigned long long)account);
	if (areas >= 0) {
		fd = openat(areas, p->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			e = TREE_ERROR("open an area that is to be removed");
	}
	if (!is_ok(e)) {
		free(p);
		return e;
	}
	pass_begin(&p->root, fd);
	loop_defer(l, &p->task, purge_on, p);
	*out = p;
	return OK;
}

void
files_purge_free(struct files_purge *p)
{
	if (!p)
		return;
	loop_defer_stop(p->loop, &p->task);
	pass_end(&p->folder);
	pass_end(&p->root);
	free(p);
}

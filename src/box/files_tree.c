/*
 * files_tree.c - openat2 beneath a root, and what stands on it.
 *
 * Invariants:
 * 1. Every name but that of a root, of the hidden folder and of the last of a path is resolved by
 *    openat2 with RESOLVE_BENEATH; the last is named relative to the folder that came of it, and
 *    holds no "/" (attack 135).
 * 2. No path has "." or "..", so none names the hidden folder by a way around.
 * 3. What is said to be done is durable: the folder that changed was synced.
 */
#include "box/files_tree.h"

#include "box/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIDDEN ".stead-tmp"

enum {
	TRIES = 16, /* of a look-up that a rename elsewhere disturbed: openat2(2), EAGAIN */
	ENTRIES_ROOM = 32768, /* octets of them at once */
	ROW_FIXED_SIZE = 1 + 8 + 8 + 1,
};

struct err
tree_error(int number, const char *why)
{
	int32_t code = ERR_IO;

	if (number == ENOENT || number == ENOTDIR)
		code = ERR_NOTFOUND;
	else if (number == EXDEV || number == ELOOP || number == EACCES || number == EPERM ||
	         number == EROFS || number == EBUSY || number == EMLINK)
		code = ERR_DENIED;
	else if (number == EEXIST || number == ENOTEMPTY || number == EISDIR)
		code = ERR_EXISTS;
	else if (number == ENOSPC || number == EDQUOT || number == EFBIG)
		code = ERR_FULL;
	else if (number == ENAMETOOLONG || number == EINVAL || number == EILSEQ)
		code = ERR_SYNTAX;
	else if (number == EAGAIN || number == EMFILE || number == ENFILE || number == ENOMEM)
		code = ERR_LATER;
	return (struct err){code, number, why};
}

/* ---- paths ---- */

/* A path, and where its last name begins; as strings for the kernel. */
struct place {
	char folder[FILES_PATH_MAX + 1]; /* "." for the root */
	char name[FILES_NAME_MAX + 1];   /* empty: it is the root */
};

static bool
name_good(struct bytes name)
{
	return name.n && name.n <= FILES_NAME_MAX && !memchr(name.p, 0, name.n) &&
	       !bytes_eq(name, BYTES(".")) && !bytes_eq(name, BYTES("..")) &&
	       !bytes_eq(name, BYTES(HIDDEN));
}

static struct err
split(struct bytes path, struct place *out)
{
	size_t last = 0, start = 1;

	if (!path.n || path.n > FILES_PATH_MAX || path.p[0] != '/')
		return ERR(ERR_SYNTAX, 0, "a path");
	memcpy(out->folder, ".", 2);
	out->name[0] = 0;
	if (path.n == 1)
		return OK;
	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (!name_good((struct bytes){path.p + start, i - start}))
			return ERR(ERR_SYNTAX, 0, "a name in a path");
		last = start;
		start = i + 1;
	}
	memcpy(out->name, path.p + last, path.n - last);
	out->name[path.n - last] = 0;
	if (last > 1) {
		memcpy(out->folder, path.p + 1, last - 2);
		out->folder[last - 2] = 0;
	}
	return OK;
}

/* The whole of it relative to the root. */
static void
whole(const struct place *p, char out[2 * FILES_PATH_MAX])
{
	if (!p->name[0])
		memcpy(out, ".", 2);
	else if (p->folder[0] == '.' && !p->folder[1])
		snprintf(out, FILES_PATH_MAX, "%s", p->name);
	else
		snprintf(out, (size_t)2 * FILES_PATH_MAX, "%s/%s", p->folder, p->name);
}

struct err
tree_open(int folder, const char *path, uint64_t flags, uint64_t resolve, int *fd)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
	                       .resolve = resolve | RESOLVE_NO_MAGICLINKS};
	long r = -1;

	for (int i = 0; i < TRIES; i++) {
		r = syscall(SYS_openat2, folder, path, &how, sizeof(how));
		if (r >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	*fd = (int)r;
	return r < 0 ? TREE_ERROR("open beneath the root") : OK;
}

static struct err
beneath(int root, const char *path, uint64_t flags, int *fd)
{
	return tree_open(root, path, flags, RESOLVE_BENEATH, fd);
}

/* The folder in which the last name stands; root itself is in none. */
static struct err
parent(int root, struct bytes path, struct place *p, int *fd)
{
	struct err e = split(path, p);

	*fd = -1;
	if (is_ok(e) && !p->name[0])
		e = ERR(ERR_DENIED, 0, "the root stays");
	if (is_ok(e))
		e = beneath(root, p->folder, O_RDONLY | O_DIRECTORY, fd);
	return e;
}

static bool
facts_of(const struct stat *st, struct tree_facts *out)
{
	*out = (struct tree_facts){.kind = S_ISDIR(st->st_mode) ? FILE_FOLDER : FILE_REGULAR};
	if (!S_ISDIR(st->st_mode))
		out->size = (uint64_t)st->st_size;
	out->modified_s = st->st_mtim.tv_sec > 0 ? (uint64_t)st->st_mtim.tv_sec : 0;
	return S_ISDIR(st->st_mode) || S_ISREG(st->st_mode);
}

/* Looks without opening: what a device or a FIFO does when it is opened does not happen. */
static struct err
look(int root, const char *path, struct tree_facts *out)
{
	struct stat st;
	struct err e;
	int fd;

	e = beneath(root, path, O_PATH, &fd);
	if (!is_ok(e))
		return e;
	if (fstat(fd, &st) != 0)
		e = TREE_ERROR("look");
	else if (!facts_of(&st, out))
		e = ERR(ERR_DENIED, 0, "neither a file nor a folder");
	close(fd);
	return e;
}

/* ---- roots and hidden files ---- */

static struct err
folder_sync(int fd)
{
	return fsync(fd) != 0 ? TREE_ERROR("sync a folder") : OK;
}

struct err
tree_root(int areas, uint64_t account, int *root)
{
	char name[24];

	snprintf(name, sizeof(name), "%llu", (unsigned long long)account);
	if (mkdirat(areas, name, 0700) == 0) {
		struct err e = folder_sync(areas);

		if (!is_ok(e))
			return e;
	} else if (errno != EEXIST) {
		return TREE_ERROR("make an area");
	}
	*root = openat(areas, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *root < 0 ? TREE_ERROR("open an area") : OK;
}

static struct err
hidden_folder(int root, bool make, int *fd)
{
	*fd = openat(root, HIDDEN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT && make) {
		if (mkdirat(root, HIDDEN, 0700) != 0 && errno != EEXIST)
			return TREE_ERROR("make the hidden folder");
		*fd = openat(root, HIDDEN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	return *fd < 0 ? TREE_ERROR("open the hidden folder") : OK;
}

static struct err
hidden_open(int root, const char *name, int flags, int *fd)
{
	struct err e;
	int folder;

	e = hidden_folder(root, (flags & O_CREAT) != 0, &folder);
	if (!is_ok(e))
		return e;
	*fd = openat(folder, name, flags | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		e = TREE_ERROR("open a hidden file");
	close(folder);
	return e;
}

struct err
tree_hide(int root, const char name[TREE_HIDDEN], int *fd)
{
	return hidden_open(root, name, O_CREAT | O_EXCL, fd);
}

struct err
tree_hidden(int root, const char name[TREE_HIDDEN], int *fd)
{
	return hidden_open(root, name, 0, fd);
}

void
tree_drop(int root, const char name[TREE_HIDDEN])
{
	int folder;

	if (!is_ok(hidden_folder(root, false, &folder)))
		return;
	unlinkat(folder, name, 0);
	close(folder);
}

struct err
tree_put(int root, const char name[TREE_HIDDEN], struct bytes path)
{
	struct place p;
	int folder = -1, hidden = -1;
	struct err e;

	e = parent(root, path, &p, &folder);
	if (is_ok(e))
		e = hidden_folder(root, false, &hidden);
	if (is_ok(e) && renameat(hidden, name, folder, p.name) != 0)
		e = TREE_ERROR("put a file in its place");
	if (is_ok(e)) /* without it a crash brings the old file back */
		e = folder_sync(folder);
	if (is_ok(e)) /* and without this one leaves the hidden name, too */
		e = folder_sync(hidden);
	if (hidden >= 0)
		close(hidden);
	if (folder >= 0)
		close(folder);
	return e;
}

/* ---- sweeping ---- */

static uint64_t
sweep_hidden(int area)
{
	uint64_t n = 0;
	int fd;
	DIR *dir;

	if (!is_ok(hidden_folder(area, false, &fd)))
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	for (struct dirent *d; (d = readdir(dir));)
		n += unlinkat(fd, d->d_name, 0) == 0; /* "." and ".." are refused */
	closedir(dir);
	return n;
}

uint64_t
tree_sweep(int areas)
{
	int fd = openat(areas, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), area;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint64_t n = 0;

	if (!dir && fd >= 0)
		close(fd);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		area = d->d_name[0] == '.'
		           ? -1
		           : openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (area < 0)
			continue;
		n += sweep_hidden(area);
		close(area);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* ---- looking and reading ---- */

struct err
tree_stat(int root, struct bytes path, struct tree_facts *out)
{
	char text[2 * FILES_PATH_MAX];
	struct place p;
	struct err e = split(path, &p);

	if (!is_ok(e))
		return e;
	whole(&p, text);
	return look(root, text, out);
}

struct err
tree_read(int root, struct bytes path, int *fd, struct tree_facts *out)
{
	char text[2 * FILES_PATH_MAX];
	struct place p;
	struct stat st;
	struct err e = split(path, &p);

	*fd = -1;
	if (!is_ok(e))
		return e;
	whole(&p, text);
	e = look(root, text, out);
	if (is_ok(e) && out->kind != FILE_REGULAR)
		e = ERR(ERR_DENIED, 0, "no file");
	if (is_ok(e)) /* what was swapped in since must not hold us up: O_NONBLOCK */
		e = beneath(root, text, O_RDONLY | O_NONBLOCK | O_NOCTTY, fd);
	if (!is_ok(e))
		return e;
	if (fstat(*fd, &st) != 0)
		e = TREE_ERROR("look");
	else if (!facts_of(&st, out) || out->kind != FILE_REGULAR)
		e = ERR(ERR_DENIED, 0, "no file");
	else
		posix_fadvise(*fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (!is_ok(e)) {
		close(*fd);
		*fd = -1;
	}
	return e;
}

/* An entry's row; false when it has no room.  What is neither file nor folder has none. */
static bool
put_row(int root, int folder, const struct place *p, const char *name, struct wr *rows)
{
	char text[2 * FILES_PATH_MAX + FILES_NAME_MAX + 2];
	struct bytes b = bytes_of(name);
	struct tree_facts facts;
	struct stat st;

	if (wr_room(rows) < ROW_FIXED_SIZE + b.n)
		return false;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return true;
	if (S_ISLNK(st.st_mode)) { /* what it leads to, if that is within the tree */
		whole(p, text);
		snprintf(text + strlen(text), FILES_NAME_MAX + 2, "/%s", name);
		if (!is_ok(look(root, text, &facts)))
			return true;
	} else if (!facts_of(&st, &facts)) {
		return true;
	}
	wr_u8(rows, (uint8_t)facts.kind);
	wr_u64(rows, facts.size);
	wr_u64(rows, facts.modified_s);
	wr_bytes8(rows, b);
	return true;
}

/* Entries from here on: false when the page is full. */
static bool
put_entries(int root, int folder, const struct place *p, const uint8_t *room, size_t n,
            uint64_t *cursor, size_t *left, struct wr *rows)
{
	for (size_t at = 0; at < n;) {
		const struct dirent64 *d = (const void *)(room + at);

		if (!*left)
			return false;
		at += d->d_reclen;
		if (name_good(bytes_of(d->d_name)) && !put_row(root, folder, p, d->d_name, rows))
			return false;
		*cursor = (uint64_t)d->d_off;
		--*left;
	}
	return true;
}

static struct err
page(int root, int folder, const struct place *p, uint64_t *cursor, bool *more, struct wr *rows)
{
	_Alignas(struct dirent64) uint8_t room[ENTRIES_ROOM];
	size_t left = FILES_PAGE_ROWS;
	ssize_t n;

	if (lseek(folder, (off_t)*cursor, SEEK_SET) < 0)
		return TREE_ERROR("a place in a folder");
	do {
		n = getdents64(folder, room, sizeof(room));
		if (n < 0)
			return TREE_ERROR("list");
		*more = !put_entries(root, folder, p, room, (size_t)n, cursor, &left, rows);
	} while (n > 0 && !*more);
	return OK;
}

struct err
tree_list(int root, struct bytes path, uint64_t *cursor, bool *more, struct wr *rows)
{
	char text[2 * FILES_PATH_MAX];
	struct place p;
	struct err e = split(path, &p);
	int folder;

	*more = false;
	if (!is_ok(e))
		return e;
	whole(&p, text);
	e = beneath(root, text, O_RDONLY | O_DIRECTORY, &folder);
	if (!is_ok(e))
		return e;
	e = page(root, folder, &p, cursor, more, rows);
	close(folder);
	return e;
}

/* ---- changing ---- */

struct err
tree_place(int root, struct bytes path)
{
	struct place p;
	struct stat st;
	int folder;
	struct err e = parent(root, path, &p, &folder);

	if (!is_ok(e))
		return e;
	if (fstatat(folder, p.name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(st.st_mode))
			e = ERR(ERR_EXISTS, 0, "a folder is there");
		else if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
			e = ERR(ERR_DENIED, 0, "no file");
	} else if (errno != ENOENT) {
		e = TREE_ERROR("look at a place");
	}
	close(folder);
	return e;
}

static struct err
rename_at(int root, int folder, const struct place *p, struct bytes to)
{
	struct place target;
	int other;
	struct err e = parent(root, to, &target, &other);

	if (!is_ok(e))
		return e;
	if (renameat(folder, p->name, other, target.name) != 0)
		e = TREE_ERROR("rename");
	if (is_ok(e)) /* first where it is now: a crash must not lose both names */
		e = folder_sync(other);
	close(other);
	return e;
}

struct err
tree_change(int root, enum file_change what, struct bytes path, struct bytes to)
{
	struct place p;
	int folder, r = 0;
	struct err e = parent(root, path, &p, &folder);

	if (!is_ok(e))
		return e;
	switch (what) {
	case FILE_MAKE_FOLDER:
		r = mkdirat(folder, p.name, 0700);
		break;
	case FILE_REMOVE_FOLDER:
		r = unlinkat(folder, p.name, AT_REMOVEDIR);
		break;
	case FILE_REMOVE:
		r = unlinkat(folder, p.name, 0);
		break;
	case FILE_RENAME:
		e = rename_at(root, folder, &p, to);
		break;
	}
	if (r != 0)
		e = TREE_ERROR("change a folder");
	if (is_ok(e))
		e = folder_sync(folder);
	close(folder);
	return e;
}

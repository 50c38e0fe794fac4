/* layout.c - a table of folders; a private key that others can read is refused (attack 156). */
#include "role/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_UID = 60900 }; /* in none of the ranges that Debian or systemd give out */

static const struct folder_row {
	const char *name;
	enum role owner; /* ROLE_MASTER: who started it */
	mode_t mode;
} folders[] = {
    {"run", ROLE_MASTER, 0755}, {"run/empty", ROLE_MASTER, 0555}, {"tls", ROLE_MASTER, 0755},
    {"keys", ROLE_KEYS, 0700},  {"auth", ROLE_AUTH, 0700},        {"store", ROLE_BOX, 0700},
    {"files", ROLE_BOX, 0700},  {"zones", ROLE_ZONE, 0755},       {"log", ROLE_LOG, 0755},
};

struct layout_user
layout_user(enum role role)
{
	char name[32];
	struct passwd *pw;

	if (geteuid() != 0)
		return (struct layout_user){geteuid(), getegid()};
	if (role == ROLE_MASTER)
		return (struct layout_user){0, 0};
	snprintf(name, sizeof(name), "stead-%s", role_name(role));
	pw = getpwnam(name);
	if (pw && pw->pw_uid)
		return (struct layout_user){pw->pw_uid, pw->pw_gid};
	return (struct layout_user){FIRST_UID + (uid_t)role, FIRST_UID + (gid_t)role};
}

const char *
layout_folder(enum role role)
{
	for (size_t i = 0; i < COUNT(folders); i++)
		if (folders[i].owner == role && role != ROLE_MASTER)
			return folders[i].name;
	return NULL;
}

/* What could not be done, for a person. */
struct why {
	char *text;
	size_t n;
};

static struct err
refuse(const struct why *why, struct err e, const struct folder_row *row, const char *file,
       const char *what)
{
	snprintf(why->text, why->n, "%s%s%s: %s: %s", row->name, file ? "/" : "", file ? file : "",
	         what, strerror(e.sys));
	return e;
}

/*
 * One file of a role.  The descriptor is what is looked at and changed, so that no name can be put in
 * the place of another between the two.  A second name of somebody else's file is not given away.
 */
static struct err
own_file(const struct folder_row *row, int fd, const char *name, struct layout_user user,
         const struct why *why)
{
	struct stat st;

	if (fstat(fd, &st))
		return refuse(why, ERR(ERR_IO, errno, "fstat"), row, name, "look at it");
	if (!S_ISREG(st.st_mode))
		return OK;
	if (row->owner == ROLE_KEYS && (st.st_mode & 077)) {
		snprintf(
		    why->text, why->n,
		    "%s/%s can be read by others (mode %03o): replace the key, or chmod 600 it",
		    row->name, name, st.st_mode & 0777u);
		return ERR(ERR_DENIED, EPERM, "a private key that others can read");
	}
	if (st.st_uid != user.uid && st.st_nlink > 1)
		return refuse(why, ERR(ERR_DENIED, EMLINK, "links"), row, name,
		              "a file with other names, which belongs to somebody else");
	if (st.st_uid != user.uid && fchown(fd, user.uid, user.gid))
		return refuse(why, ERR(ERR_IO, errno, "fchown"), row, name, "give it to its role");
	if (row->mode == 0700 && (st.st_mode & 077) && fchmod(fd, 0600))
		return refuse(why, ERR(ERR_IO, errno, "fchmod"), row, name, "close it to others");
	return OK;
}

/* What lies in a role's folder is the role's, whoever put it there. */
static struct err
own_files(const struct folder_row *row, int folder, struct layout_user user, const struct why *why)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct err e = OK;
	struct dirent *entry;

	if (!d) {
		e = refuse(why, ERR(ERR_IO, errno, "opendir"), row, NULL, "list it");
		if (fd >= 0)
			close(fd);
		return e;
	}
	while (is_ok(e) && (entry = readdir(d))) {
		int file = openat(fd, entry->d_name,
		                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (file >= 0)
			e = own_file(row, file, entry->d_name, user, why);
		else if (errno != ELOOP && errno != ENXIO && errno != ENOENT)
			e = refuse(why, ERR(ERR_IO, errno, "open"), row, entry->d_name, "open it");
		if (file >= 0)
			close(file);
	}
	closedir(d);
	return e;
}

static struct err
make_one(int dir, const struct folder_row *row, const struct why *why)
{
	struct layout_user user = layout_user(row->owner);
	struct err e = OK;
	struct stat st;
	int fd;

	if (mkdirat(dir, row->name, row->mode) && errno != EEXIST)
		return refuse(why, ERR(ERR_IO, errno, "mkdir"), row, NULL, "make the folder");
	fd = openat(dir, row->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		e = refuse(why, ERR(ERR_IO, errno, "open"), row, NULL, "open the folder");
	else if (st.st_uid != user.uid && fchown(fd, user.uid, user.gid))
		e = refuse(why, ERR(ERR_IO, errno, "fchown"), row, NULL, "give it to its role");
	else if ((st.st_mode & 0777) != row->mode && fchmod(fd, row->mode))
		e = refuse(why, ERR(ERR_IO, errno, "fchmod"), row, NULL, "set its mode");
	else if (row->owner != ROLE_MASTER)
		e = own_files(row, fd, user, why);
	if (fd >= 0)
		close(fd);
	return e;
}

struct err
layout_make(int dir, char *why, size_t n)
{
	const struct why text = {why, n};
	struct err e = OK;

	for (size_t i = 0; is_ok(e) && i < COUNT(folders); i++)
		e = make_one(dir, &folders[i], &text);
	return e;
}

static size_t
check_files(const struct folder_row *row, int folder, layout_tell *tell, void *owner)
{
	struct layout_user user = layout_user(row->owner);
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char text[600];
	size_t wrong = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(d))) {
		struct stat st;
		const char *what = NULL;

		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		if (st.st_uid != user.uid)
			what = "belongs to somebody else";
		else if (row->mode == 0700 && (st.st_mode & 077))
			what = "can be read by others";
		if (!what)
			continue;
		snprintf(text, sizeof(text), "%s/%s %s (uid %u, mode %03o); %s", row->name,
		         entry->d_name, what, st.st_uid, st.st_mode & 0777u,
		         row->owner == ROLE_KEYS ? "replace the key, or chmod 600 it"
		                                 : "`stead serve` mends it");
		tell(owner, text);
		wrong++;
	}
	closedir(d);
	return wrong;
}

size_t
layout_check(int dir, layout_tell *tell, void *owner)
{
	size_t wrong = 0;
	char text[300];

	for (size_t i = 0; i < COUNT(folders); i++) {
		const struct folder_row *row = &folders[i];
		int fd = openat(dir, row->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;

		if (fd < 0 || fstat(fd, &st)) {
			snprintf(text, sizeof(text), "%s: %s; `stead serve` makes it", row->name,
			         strerror(errno));
			tell(owner, text);
			wrong++;
		} else if (st.st_uid != layout_user(row->owner).uid ||
		           (st.st_mode & 0777) != row->mode) {
			snprintf(text, sizeof(text),
			         "%s has uid %u and mode %03o, it should be uid %u and mode %03o; "
			         "`stead serve` mends it",
			         row->name, st.st_uid, st.st_mode & 0777u,
			         layout_user(row->owner).uid, row->mode);
			tell(owner, text);
			wrong++;
		}
		if (fd >= 0) {
			if (row->owner != ROLE_MASTER)
				wrong += check_files(row, fd, tell, owner);
			close(fd);
		}
	}
	return wrong;
}

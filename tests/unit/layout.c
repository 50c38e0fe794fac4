/* layout.c - DIR gets its folders, owners and modes; a private key that others can read is refused. */
#include "role/layout.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

struct place {
	char path[64];
	int dir;
	char why[512], told[4096];
	size_t lines;
};

static bool
is_root(void)
{
	return geteuid() == 0;
}

static void
init(struct place *p)
{
	*p = (struct place){.path = "/tmp/stead-layout-XXXXXX"};
	assert_non_null(mkdtemp(p->path));
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(p->dir >= 0);
}

static int
forget(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void
fini(struct place *p)
{
	close(p->dir);
	assert_int_equal(nftw(p->path, forget, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static struct err
make(struct place *p)
{
	p->why[0] = 0;
	return layout_make(p->dir, p->why, sizeof(p->why));
}

static void
must_make(struct place *p)
{
	struct err e = make(p);

	if (!is_ok(e))
		fail_msg("%s", p->why);
}

static void
tell(void *owner, const char *what)
{
	struct place *p = owner;
	size_t n = strlen(p->told);

	snprintf(p->told + n, sizeof(p->told) - n, "%s\n", what);
	p->lines++;
}

static size_t
check(struct place *p)
{
	size_t n;

	p->told[0] = 0;
	p->lines = 0;
	n = layout_check(p->dir, tell, p);
	assert_int_equal(n, p->lines);
	return n;
}

static void
put(struct place *p, const char *name, uid_t uid, mode_t mode)
{
	int fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_true(!is_root() || fchown(fd, uid, uid) == 0);
	close(fd);
}

static void
assert_is(struct place *p, const char *name, uid_t uid, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (st.st_uid != uid || (st.st_mode & 07777) != mode)
		fail_msg("%s: uid %u, mode %o", name, st.st_uid, st.st_mode & 07777u);
}

static uid_t
uid_of(enum role role)
{
	return layout_user(role).uid;
}

static const struct {
	const char *name;
	enum role role;
	mode_t mode;
} folders[] = {
    {"run", ROLE_MASTER, 0755}, {"run/empty", ROLE_MASTER, 0555}, {"tls", ROLE_MASTER, 0755},
    {"keys", ROLE_KEYS, 0700},  {"auth", ROLE_AUTH, 0700},        {"store", ROLE_BOX, 0700},
    {"files", ROLE_BOX, 0700},  {"zones", ROLE_ZONE, 0755},       {"log", ROLE_LOG, 0755},
};

static void
roles_run_as_different_users(void **state)
{
	(void)state;
	assert_int_equal(uid_of(ROLE_MASTER), geteuid());
	for (enum role a = ROLE_LOG; a < ROLE_TOOL; a++) {
		assert_true(!is_root() || uid_of(a) != 0);
		for (enum role b = ROLE_MASTER; b < a; b++)
			assert_true(!is_root() || uid_of(a) != uid_of(b));
		assert_true(is_root() || uid_of(a) == geteuid());
	}
	assert_string_equal(layout_folder(ROLE_BOX), "store");
	assert_null(layout_folder(ROLE_MASTER));
	assert_null(layout_folder(ROLE_SMTP));
}

static void
what_is_missing_is_made(void **state)
{
	mode_t before = umask(077);
	struct place p;

	(void)state;
	init(&p);
	assert_int_equal(check(&p), COUNT(folders));
	for (int again = 0; again < 2; again++) {
		must_make(&p);
		for (size_t i = 0; i < COUNT(folders); i++)
			assert_is(&p, folders[i].name, uid_of(folders[i].role), folders[i].mode);
		assert_int_equal(check(&p), 0);
	}
	umask(before);
	fini(&p);
}

static void
owners_and_modes_are_mended(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	must_make(&p);
	for (size_t i = 0; i < COUNT(folders); i++) {
		assert_int_equal(fchmodat(p.dir, folders[i].name, 0777, 0), 0);
		if (is_root())
			assert_int_equal(fchownat(p.dir, folders[i].name, 1234, 1234, 0), 0);
	}
	put(&p, "store/log.1", 1234, 0644);
	put(&p, "keys/tls.pem", 0, 0600);
	put(&p, "zones/a.org.zone", 1234, 0644);
	assert_true(check(&p) >= COUNT(folders));
	must_make(&p);
	assert_int_equal(check(&p), 0);
	for (size_t i = 0; i < COUNT(folders); i++)
		assert_is(&p, folders[i].name, uid_of(folders[i].role), folders[i].mode);
	assert_is(&p, "store/log.1", uid_of(ROLE_BOX), 0600);
	assert_is(&p, "keys/tls.pem", uid_of(ROLE_KEYS), 0600);
	assert_is(&p, "zones/a.org.zone", uid_of(ROLE_ZONE), 0644); /* not a secret */
	fini(&p);
}

/* Attack 156. */
static void
a_key_that_others_can_read_is_refused(void **state)
{
	static const mode_t modes[] = {0644, 0640, 0604, 0660, 0601};
	struct place p;

	(void)state;
	init(&p);
	must_make(&p);
	for (size_t i = 0; i < COUNT(modes); i++) {
		put(&p, "keys/tls.pem", 0, modes[i]);
		assert_int_equal(make(&p).code, ERR_DENIED);
		assert_non_null(strstr(p.why, "keys/tls.pem"));
		assert_non_null(strstr(p.why, "chmod 600"));
		assert_is(&p, "keys/tls.pem", 0, modes[i]); /* nothing was done to it */
		assert_true(check(&p) > 0);
		assert_non_null(strstr(p.told, "keys/tls.pem"));
	}
	put(&p, "keys/tls.pem", 0, 0600);
	must_make(&p);
	fini(&p);
}

/* A name that a role has put into its folder must not lead to a file of others. */
static void
links_are_left_alone(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	must_make(&p);
	put(&p, "stead.conf", 1234, 0644);
	assert_int_equal(symlinkat("../stead.conf", p.dir, "store/link"), 0);
	assert_int_equal(symlinkat("nowhere", p.dir, "store/broken"), 0);
	assert_int_equal(mkdirat(p.dir, "store/folder", 0755), 0);
	assert_int_equal(mkfifoat(p.dir, "store/pipe", 0644), 0); /* opening it must not block */
	must_make(&p);
	assert_is(&p, "stead.conf", is_root() ? 1234 : geteuid(), 0644);
	assert_int_equal(check(&p), 0);
	if (is_root()) {
		assert_int_equal(linkat(p.dir, "stead.conf", p.dir, "store/name", 0), 0);
		assert_int_equal(make(&p).code, ERR_DENIED);
		assert_non_null(strstr(p.why, "store/name"));
		assert_is(&p, "stead.conf", 1234, 0644);
	}
	fini(&p);
}

static void
a_folder_that_is_a_link_is_refused(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	assert_int_equal(symlinkat("/tmp", p.dir, "keys"), 0);
	assert_false(is_ok(make(&p)));
	assert_non_null(strstr(p.why, "keys"));
	assert_true(check(&p) > 0);
	fini(&p);
}

static void
a_file_in_the_place_of_a_folder_is_told(void **state)
{
	struct place p;

	(void)state;
	init(&p);
	put(&p, "store", 0, 0600);
	assert_false(is_ok(make(&p)));
	assert_non_null(strstr(p.why, "store"));
	fini(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(roles_run_as_different_users),
	    cmocka_unit_test(what_is_missing_is_made),
	    cmocka_unit_test(owners_and_modes_are_mended),
	    cmocka_unit_test(a_key_that_others_can_read_is_refused),
	    cmocka_unit_test(links_are_left_alone),
	    cmocka_unit_test(a_folder_that_is_a_link_is_refused),
	    cmocka_unit_test(a_file_in_the_place_of_a_folder_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

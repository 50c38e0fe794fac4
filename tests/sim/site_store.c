/* site_store.c - where a site keeps its mail, its people and their files. */
#include "site.h"

#include "base/text.h"
#include "box/people.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

/* In memory where the system has a folder for that. */
static int
make_folder(char dir[64])
{
	int fd;

	snprintf(dir, 64, "%s/stead-sim-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void
forget_folder(const char *dir, int fd)
{
	close(fd);
	assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void
site_store_turn(struct store *store)
{
	while (store_pending(store))
		assert_true(is_ok(store_turn(store)));
}

/* The index is opened by a path: its folder must be the working directory. */
static void
open_store(struct site *s)
{
	struct err e;

	assert_true(!s->disk || fchdir(s->folder) == 0);
	e = store_open(&s->store, &s->store_conf);
	if (!is_ok(e))
		scene_broken(s->scene, "the store: %s", e.why);
	assert_true(!s->disk || fchdir(s->home) == 0);
}

void
site_store_make(struct site *s)
{
	s->store_conf =
	    (struct store_conf){.engine = STORE_MEMORY, .random = s->scene->random, .dir_fd = -1};
	if (s->conf.on_disk) {
		s->home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(s->home >= 0);
		s->folder = make_folder(s->dir);
		s->disk = disk_sim_new(s->scene->seed);
		s->store_conf.engine = STORE_LOG;
		s->store_conf.dir_fd = DISK_SIM_DIR;
		s->store_conf.disk = disk_sim_disk(s->disk);
		s->store_conf.segment_size = 1 << 20;
		s->store_conf.map_size = 1 << 26;
	}
	open_store(s);
	if (s->conf.parts & SITE_FTP)
		s->areas = make_folder(s->area_dir);
}

static void
power_fails(struct site *s)
{
	disk_sim_fail(s->disk, 1, EIO); /* of what waits nothing is written */
	store_close(s->store);
	disk_sim_crash(s->disk);
	disk_sim_fail(s->disk, UINT32_MAX, EIO);
	open_store(s);
}

void
site_store_stop(struct site *s)
{
	if (s->disk)
		power_fails(s);
	site_store_turn(s->store);
}

void
site_store_forget(struct site *s)
{
	store_close(s->store);
	store_close(s->auth_store);
	logins_close(s->logins);
	if (s->areas >= 0)
		forget_folder(s->area_dir, s->areas);
	if (!s->disk)
		return;
	disk_sim_free(s->disk);
	forget_folder(s->dir, s->folder);
	close(s->home);
}

/* ---- people ---- */

static void
person_added(void *owner, enum err_code code, uint64_t account, struct bytes text)
{
	(void)text;
	assert_int_equal(code, 0);
	*(uint64_t *)owner = account;
}

static uint64_t
add(struct site *s, struct people *p, enum people_change what, const char *name,
    const char *targets)
{
	uint64_t account = 0;
	uint8_t room[256];
	struct wr t = wr_of(room, sizeof(room));
	struct bytes rest = bytes_of(targets);

	while (rest.n) {
		struct bytes one = text_cut(&rest, ' ');

		wr_bytes16(&t, one);
	}
	people_change(p, what, bytes_of(name), wr_since(&t, room), person_added, &account);
	site_store_turn(s->store);
	return account;
}

static void
password_set(void *owner, struct err e)
{
	(void)owner;
	assert_true(is_ok(e));
}

static void
add_logins(struct site *s)
{
	const struct store_conf conf = {
	    .engine = STORE_MEMORY, .random = s->scene->random, .dir_fd = -1};

	assert_true(is_ok(store_open(&s->auth_store, &conf)));
	assert_true(is_ok(
	    logins_open(&s->logins, s->auth_store, s->scene->random, 1, bytes_of(s->conf.domain))));
	for (size_t i = 0; i < SITE_PEOPLE && s->conf.people[i].address; i++) {
		const struct site_person *p = &s->conf.people[i];

		logins_set(s->logins, bytes_of(p->address), s->accounts[i], bytes_of(p->password),
		           password_set, NULL);
		site_store_turn(s->auth_store);
	}
}

void
site_people_make(struct site *s)
{
	struct people *p;

	assert_true(is_ok(people_open(&p, s->store, s->scene->random)));
	add(s, p, PEOPLE_ADD_DOMAIN, s->conf.domain, "");
	for (size_t i = 0; i < SITE_PEOPLE && s->conf.people[i].address; i++)
		s->accounts[i] = add(s, p, PEOPLE_ADD_ACCOUNT, s->conf.people[i].address, "");
	if (s->conf.alias)
		add(s, p, PEOPLE_ADD_ALIAS, s->conf.alias, s->conf.targets);
	people_close(p);
	if (s->conf.hashes)
		add_logins(s);
}

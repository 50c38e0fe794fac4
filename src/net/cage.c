/*
 * cage.c - the order in which a role gives things up, and the report of it.
 *
 * The order is not free.  Limits come first, since raising a soft one to a row's value may need
 * root.  The root is changed while there is still a privilege to do so; the bounding set is emptied
 * while there is CAP_SETPCAP; the ids go before the capabilities, for they need CAP_SETUID.
 * PDEATHSIG comes after the ids: the kernel forgets it when they change (prctl(2)).  Landlock and
 * seccomp need no_new_privs, and seccomp, which would refuse most of this, is the last.
 *
 * Each step is looked at again after it was made, by what a process can still ask.
 */
#include "net/cage.h"
#include "net/cage_parts.h"
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION 1

static const char *const step_names[CAGE_STEPS] = {
    [CAGE_LIMITS] = "limits",         [CAGE_ROOT] = "root",
    [CAGE_BOUNDING] = "bounding",     [CAGE_IDS] = "ids",
    [CAGE_CAPS] = "capabilities",     [CAGE_NO_NEW] = "no-new-privileges",
    [CAGE_UNDUMPABLE] = "undumpable", [CAGE_DEATH] = "death-with-parent",
    [CAGE_CWD] = "working-directory", [CAGE_LAND_FILES] = "landlock-files",
    [CAGE_LAND_TCP] = "landlock-tcp", [CAGE_LAND_SCOPE] = "landlock-scope",
    [CAGE_CALLS] = "seccomp",
};

static const char *const state_texts[CAGE_STATES] = {
    [CAGE_UNTRIED] = "not reached",
    [CAGE_DONE] = "done",
    [CAGE_UNNEEDED] = "not needed by this role",
    [CAGE_UNPRIVILEGED] = "missing: not started by root",
    [CAGE_NO_KERNEL] = "missing: not in this kernel",
    [CAGE_SANITIZED] = "left out: sanitizer",
    [CAGE_SKIPPED] = "left out by a test",
};

bool
cage_skips(const struct cage *c, enum cage_step step)
{
#ifdef STEAD_ACTS
	return c->skip & (1u << step);
#else
	(void)c, (void)step;
	return false;
#endif
}

/* unshare(2) of a shared memory refuses when there is a second thread, and else does nothing. */
static struct err
one_thread(void)
{
	if (unshare(CLONE_VM) && errno == EINVAL)
		return ERR(ERR_IO, EBUSY, "cage: more than one thread");
	return OK;
}

static struct err
limit(int what, uint64_t most)
{
	struct rlimit now, want;

	if (getrlimit((__rlimit_resource_t)what, &now))
		return ERR(ERR_IO, errno, "cage: getrlimit");
	want = (struct rlimit){most, most};
	/* Beyond the hard limit only CAP_SYS_RESOURCE helps; less than the row wanted is no danger. */
	if (setrlimit((__rlimit_resource_t)what, &want) && errno == EPERM && now.rlim_max < most) {
		want = (struct rlimit){now.rlim_max, now.rlim_max};
		if (setrlimit((__rlimit_resource_t)what, &want))
			return ERR(ERR_IO, errno, "cage: setrlimit");
	}
	if (getrlimit((__rlimit_resource_t)what, &now) || now.rlim_max != want.rlim_max)
		return ERR(ERR_IO, errno, "cage: a limit did not hold");
	return OK;
}

/*
 * RLIMIT_NPROC counts threads, and those of all processes of the uid: so it says what a row wants
 * only for a uid of its own.  For a shared one it can at least be zero.
 */
static struct err
drop_limits(const struct cage *c, uint8_t *state)
{
	const struct cage_row *row = c->row;
	bool is_own = geteuid() == 0, has_threads = row->promises & CAGE_THREADS;
	struct err e;

	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR) /* a full file is an error, not a death */
		return ERR(ERR_IO, errno, "cage: SIGXFSZ");
	e = limit(RLIMIT_NOFILE, row->files);
	if (is_ok(e))
		e = limit(RLIMIT_FSIZE, row->file_size);
	if (is_ok(e))
		e = limit(RLIMIT_CORE, 0);
	if (is_ok(e) && (is_own || !has_threads))
		e = limit(RLIMIT_NPROC, has_threads ? 1 + (uint64_t)row->threads : 0);
	*state = is_own || !has_threads ? CAGE_DONE : CAGE_UNPRIVILEGED;
	return e;
}

/* Nothing in it, and only root may put something there. */
static struct err
is_empty(int fd)
{
	struct stat st;
	const struct dirent *d;
	DIR *dir;
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;

	if (copy < 0)
		return ERR(ERR_IO, errno, "cage: root");
	dir = fdopendir(copy);
	if (!dir) {
		close(copy);
		return ERR(ERR_IO, errno, "cage: root");
	}
	while ((d = readdir(dir)))
		n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	closedir(dir);
	if (n)
		return ERR(ERR_IO, ENOTEMPTY, "cage: the root is not empty");
	if (fstat(fd, &st) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return ERR(ERR_IO, EPERM, "cage: the root is not root's own");
	return OK;
}

/* chroot(2) through the descriptor, and back to the working directory that was. */
static struct err
drop_root(const struct cage *c, uint8_t *state)
{
	struct err e = OK;
	struct stat want, got;
	int cwd;

	if (geteuid() != 0) {
		*state = CAGE_UNPRIVILEGED;
		return OK;
	}
	e = is_empty(c->root);
	if (!is_ok(e))
		return e;
	cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cwd < 0)
		return ERR(ERR_IO, errno, "cage: working directory");
	if (fchdir(c->root) || chroot(".") || fchdir(cwd))
		e = ERR(ERR_IO, errno, "cage: chroot");
	else if (fstat(c->root, &want) || stat("/", &got) || want.st_ino != got.st_ino ||
	         want.st_dev != got.st_dev)
		e = ERR(ERR_IO, EIO, "cage: the root did not change");
	close(cwd);
	*state = CAGE_DONE;
	return e;
}

/* Without a bounding set no file's or root's capabilities can ever be gained again. */
static struct err
drop_bounding(const struct cage *c, uint8_t *state)
{
	(void)c;
	if (geteuid() != 0) {
		*state = CAGE_UNPRIVILEGED;
		return OK;
	}
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) || prctl(PR_CAPBSET_READ, i, 0, 0, 0) != 0)
			return ERR(ERR_IO, errno, "cage: bounding set");
	*state = CAGE_DONE;
	return OK;
}

static struct err
drop_ids(const struct cage *c, uint8_t *state)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (geteuid() != 0) {
		*state = CAGE_UNPRIVILEGED;
		return OK;
	}
	if (c->uid == 0 || c->gid == 0)
		return ERR(ERR_IO, EINVAL, "cage: root stays root");
	/* Groups first: without them a uid still reaches what they may. */
	if (setgroups(0, NULL) || setresgid(c->gid, c->gid, c->gid) ||
	    setresuid(c->uid, c->uid, c->uid))
		return ERR(ERR_IO, errno, "cage: ids");
	if (getresuid(&r, &e, &s) || r != c->uid || e != c->uid || s != c->uid ||
	    getresgid(&rg, &eg, &sg) || rg != c->gid || eg != c->gid || sg != c->gid ||
	    getgroups(0, NULL) != 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return ERR(ERR_IO, EPERM, "cage: ids did not change");
	*state = CAGE_DONE;
	return OK;
}

/* Ambient, inheritable, permitted, effective: all empty. */
static struct err
drop_caps(const struct cage *c, uint8_t *state)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];

	(void)c;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capset, &head, none))
		return ERR(ERR_IO, errno, "cage: capset");
	head = (struct __user_cap_header_struct){_LINUX_CAPABILITY_VERSION_3, 0};
	if (syscall(SYS_capget, &head, now) || memcmp(now, none, sizeof(now)) != 0)
		return ERR(ERR_IO, EPERM, "cage: capabilities stayed");
	*state = CAGE_DONE;
	return OK;
}

static struct err
drop_new(const struct cage *c, uint8_t *state)
{
	(void)c;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return ERR(ERR_IO, errno, "cage: no_new_privs");
	*state = CAGE_DONE;
	return OK;
}

static struct err
drop_dumpable(const struct cage *c, uint8_t *state)
{
	(void)c;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return ERR(ERR_IO, errno, "cage: dumpable");
	*state = CAGE_DONE;
	return OK;
}

static struct err
drop_death(const struct cage *c, uint8_t *state)
{
	int now = 0;

	(void)c;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || prctl(PR_GET_PDEATHSIG, &now, 0, 0, 0) ||
	    now != SIGKILL)
		return ERR(ERR_IO, errno, "cage: PDEATHSIG");
	*state = CAGE_DONE;
	return OK;
}

/* A working directory outside the root is a way out of it: ../../etc/passwd. */
static struct err
seal_cwd(const struct cage *c, uint8_t *state)
{
	if (c->folders_n) {
		*state = CAGE_UNNEEDED; /* Landlock bounds what is reached from there */
		return OK;
	}
	if (chdir("/"))
		return ERR(ERR_IO, errno, "cage: chdir");
	*state = CAGE_DONE;
	return OK;
}

static const struct drop {
	enum cage_step step;
	struct err (*make)(const struct cage *, uint8_t *state);
} drops[] = {
    {CAGE_LIMITS, drop_limits},       {CAGE_ROOT, drop_root},
    {CAGE_BOUNDING, drop_bounding},   {CAGE_IDS, drop_ids},
    {CAGE_CAPS, drop_caps},           {CAGE_NO_NEW, drop_new},
    {CAGE_UNDUMPABLE, drop_dumpable}, {CAGE_DEATH, drop_death},
};

struct err
cage_drop(const struct cage *c, struct cage_report *report)
{
	struct err e = one_thread();

	*report = (struct cage_report){{0}, 0};
	for (size_t i = 0; is_ok(e) && i < COUNT(drops); i++) {
		uint8_t *state = &report->state[drops[i].step];

		if (cage_skips(c, drops[i].step)) {
			*state = CAGE_SKIPPED;
			continue;
		}
		e = drops[i].make(c, state);
		if (!is_ok(e))
			*state = CAGE_UNTRIED;
	}
	return e;
}

struct err
cage_seal(const struct cage *c, struct cage_report *report)
{
	struct err e = one_thread();

	assert(c->folders_n == 0 || (c->row->promises & (CAGE_FILES_READ | CAGE_FILES_WRITE)));
	if (is_ok(e) && cage_skips(c, CAGE_CWD))
		report->state[CAGE_CWD] = CAGE_SKIPPED;
	else if (is_ok(e))
		e = seal_cwd(c, &report->state[CAGE_CWD]);
	if (is_ok(e))
		e = cage_land(c, report);
	if (is_ok(e))
		e = cage_filter(c, report);
	return e;
}

bool
cage_is_whole(const struct cage_report *r)
{
	for (size_t i = 0; i < CAGE_STEPS; i++)
		if (r->state[i] != CAGE_DONE && r->state[i] != CAGE_UNNEEDED)
			return false;
	return true;
}

const char *
cage_step_name(enum cage_step step)
{
	return step_names[step];
}

const char *
cage_state_text(enum cage_state state)
{
	return state_texts[state];
}

void
cage_report_pack(struct wr *w, const struct cage_report *r)
{
	wr_u8(w, VERSION);
	wr_u8(w, r->abi);
	wr_bytes(w, (struct bytes){r->state, sizeof(r->state)});
}

struct err
cage_report_unpack(struct rd *r, struct cage_report *out)
{
	uint8_t version = rd_u8(r), abi = rd_u8(r);
	struct bytes states = rd_take(r, CAGE_STEPS);

	*out = (struct cage_report){{0}, abi};
	if (r->bad || version != VERSION)
		return ERR(ERR_SYNTAX, 0, "cage: report");
	for (size_t i = 0; i < states.n; i++)
		if (states.p[i] >= CAGE_STATES)
			return ERR(ERR_SYNTAX, 0, "cage: report");
	memcpy(out->state, states.p, states.n);
	return OK;
}

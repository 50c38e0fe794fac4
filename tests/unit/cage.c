/*
 * The cage, in real processes: a keeper forks a role, which goes into its cage, tries every act, and
 * then waits while /proc is looked at.  Built with -DSTEAD_ACTS, so steps can be left out: each
 * that is must be noticed.
 */
#include "net/cage.h"
#include "net/acts.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define GID 64902

#define FRONT (CAGE_STDIO | CAGE_TALK | CAGE_ACCEPT)

static const struct cage_row rows[] = {
    {"front", FRONT, 256, 0, 1 << 20},
    {"dns", CAGE_STDIO | CAGE_TALK | CAGE_DATAGRAMS, 64, 0, 1 << 20},
    {"front-memfd", FRONT | CAGE_MEMFD, 256, 0, 1 << 26},
    {"keys", CAGE_STDIO | CAGE_TALK | CAGE_FILES_READ, 64, 0, 1 << 20},
    {"box", CAGE_STDIO | CAGE_TALK | CAGE_MEMFD | CAGE_FILES_READ | CAGE_FILES_WRITE | CAGE_THREADS,
     256, 8, 1 << 30},
    {"dial", CAGE_STDIO | CAGE_TALK | CAGE_TCP_OPEN, 64, 0, 1 << 20},
    {"resolve", CAGE_STDIO | CAGE_TALK | CAGE_DATAGRAMS | CAGE_UDP_OPEN | CAGE_TCP_OPEN, 64, 0,
     1 << 20},
};
enum { FRONT_ROW, DNS_ROW, FRONT_MEMFD_ROW, KEYS_ROW, BOX_ROW, DIAL_ROW, RESOLVE_ROW };

/* What the role tells. */
struct told {
	struct err drop, seal; /* `why` is good in the parent too: it was forked */
	struct cage_report report;
	int acts[ACTS];
	int dumpable;
};

/* What is asked of a role. */
struct play {
	enum { ROOT, NOBODY } begins;
	size_t row;
	uint32_t skip;
	bool loud, bad_root, stays_root, threaded;
	int act; /* only this one; ACTS: all */
};

struct role {
	pid_t keeper, pid;
	int hear; /* what the role tells */
	struct told told;
};

static uid_t uid; /* of its own for each run: RLIMIT_NPROC counts all of a uid's */
static char uids[64];
static char base[] = "/tmp/stead-cage-XXXXXX";
static char empty[64], work[64], full[64];

static bool
is_root(void)
{
	return geteuid() == 0;
}

static void
path(char out[64], const char *name)
{
	assert_true(snprintf(out, 64, "%s/%s", base, name) < 64);
}

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_non_null(mkdtemp(base));
	uid = 50000 + (uid_t)getpid() % 10000;
	snprintf(uids, sizeof(uids), "%u\t%u\t%u\t%u", uid, uid, uid, uid);
	path(empty, "empty");
	path(work, "work");
	path(full, "work/there");
	assert_int_equal(chmod(base, 0755), 0);
	assert_int_equal(mkdir(empty, 0755), 0);
	assert_int_equal(mkdir(work, 0700), 0);
	assert_int_equal(mkdir(full, 0755), 0);
	if (is_root())
		assert_int_equal(chown(work, uid, GID), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rmdir(full);
	rmdir(work);
	rmdir(empty);
	return rmdir(base);
}

static void *
wait_forever(void *p)
{
	pause();
	return p;
}

static void
try_acts(const struct play *p, struct told *t)
{
	bool calls = t->report.state[CAGE_CALLS] == CAGE_DONE;

	for (enum act a = 0; a < ACTS; a++)
		/* A user namespace would open to the acts after it what is closed to a role. */
		if ((p->act == ACTS && (calls || a != ACT_USERNS)) || p->act == (int)a)
			t->acts[a] = acts_try(a);
}

/* The role's process; it ends here. */
static void
role(const struct play *p, int tell, int wait)
{
	const struct cage_row *row = &rows[p->row];
	bool files = row->promises & (CAGE_FILES_READ | CAGE_FILES_WRITE);
	struct cage_folder folder = {open(work, O_PATH | O_DIRECTORY | O_CLOEXEC), true};
	struct cage c = {
	    .row = row,
	    .uid = p->stays_root ? 0 : uid,
	    .gid = GID,
	    .root = open(p->bad_root ? base : empty, O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .folders = &folder,
	    .folders_n = files ? 1 : 0,
	    .skip = p->skip,
	    .loud = p->loud,
	};
	struct told t = {.drop = OK, .seal = OK};
	pthread_t other;
	char c1;

	for (size_t i = 0; i < ACTS; i++)
		t.acts[i] = -1;
	if (p->begins == NOBODY && is_root() &&
	    (setgroups(0, NULL) || setresgid(GID, GID, GID) || setresuid(uid, uid, uid)))
		_exit(9);
	if (p->begins == NOBODY)
		prctl(PR_SET_DUMPABLE, 1);
	if (chdir(work))
		_exit(8);
	if (p->threaded)
		pthread_create(&other, NULL, wait_forever, NULL);
	if (read(wait, &c1, 1) != 1) /* the keeper is ready */
		_exit(7);
	t.drop = cage_drop(&c, &t.report);
	if (is_ok(t.drop))
		t.seal = cage_seal(&c, &t.report);
	if (is_ok(t.drop) && is_ok(t.seal)) {
		t.dumpable = p->skip & (1u << CAGE_CALLS) ? prctl(PR_GET_DUMPABLE) : -1;
		try_acts(p, &t);
	}
	if (write(tell, &t, sizeof(t)) != sizeof(t))
		_exit(6);
	while (read(wait, &c1, 1) == 1)
		;
	/* The keeper is gone; who dies with it does not come to tell so. */
	usleep(200000);
	_exit(write(tell, "", 1) != 1);
}

/* Becomes the role's uid, as another instance of it would be; waits to be killed. */
static void
keeper(const struct play *p, int tell)
{
	int wait[2];
	pid_t pid;

	if (pipe(wait))
		_exit(1);
	pid = fork();
	if (pid == 0) {
		close(wait[1]);
		role(p, tell, wait[0]);
	}
	if (pid < 0 || write(tell, &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
	close(wait[0]);
	close(tell);
	if (is_root() && (setresgid(GID, GID, GID) || setresuid(uid, uid, uid)))
		_exit(1);
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	if (write(wait[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static struct role
begin(const struct play *p)
{
	struct role r = {0};
	int hear[2];

	assert_int_equal(pipe(hear), 0);
	r.keeper = fork();
	assert_true(r.keeper >= 0);
	if (r.keeper == 0) {
		close(hear[0]);
		keeper(p, hear[1]);
	}
	close(hear[1]);
	r.hear = hear[0];
	assert_int_equal(read(r.hear, &r.pid, sizeof(r.pid)), sizeof(r.pid));
	if (read(r.hear, &r.told, sizeof(r.told)) != sizeof(r.told))
		r.told.drop = ERR(ERR_GONE, 0, "the role died");
	return r;
}

/* Ends both; true when the role outlived its keeper. */
static bool
end(struct role *r)
{
	char c;
	bool outlived;

	kill(r->keeper, SIGKILL);
	waitpid(r->keeper, NULL, 0);
	outlived = read(r->hear, &c, 1) == 1;
	close(r->hear);
	waitpid(r->pid, NULL, 0); /* an orphan is ours by PR_SET_CHILD_SUBREAPER */
	return outlived;
}

/* A field of /proc/PID/status: "" when it is not there. */
static void
status(const struct role *r, const char *field, char out[128])
{
	char name[64], line[256];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/status", (int)r->pid);
	f = fopen(name, "r");
	assert_non_null(f);
	out[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':') {
			snprintf(out, 128, "%s", line + strlen(field) + 2);
			out[strcspn(out, "\n")] = 0;
		}
	fclose(f);
}

static void
status_is(const struct role *r, const char *field, const char *want)
{
	char got[128];

	status(r, field, got);
	assert_string_equal(got, want);
}

/* The hard one, of /proc/PID/limits: prlimit(2) of another uid's process wants CAP_SYS_RESOURCE. */
static void
limit_is(const struct role *r, const char *name, uint64_t want)
{
	char file[64], line[256];
	unsigned long long soft, hard = 1;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%d/limits", (int)r->pid);
	f = fopen(file, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			assert_int_equal(sscanf(line + 26, "%llu %llu", &soft, &hard), 2);
	fclose(f);
	assert_int_equal(hard, want);
}

static bool
has_calls(const struct role *r)
{
	return r->told.report.state[CAGE_CALLS] == CAGE_DONE;
}

/* The acts that only seccomp forbids: a sanitized build lets them through. */
static bool
only_calls(enum act a, const struct cage_row *row)
{
	static const enum act all[] = {
	    ACT_SOCKET_TCP,   ACT_SOCKET_UDP, ACT_SOCKET_UNIX, ACT_SOCKET_RAW,  ACT_MAP_EXEC,
	    ACT_PROTECT_EXEC, ACT_USERNS,     ACT_IO_URING,    ACT_USERFAULTFD, ACT_KEYCTL,
	    ACT_DUMPABLE,     ACT_PERF,       ACT_BPF,         ACT_LISTEN,      ACT_TERMINAL,
	};

	for (size_t i = 0; i < COUNT(all); i++)
		if (all[i] == a)
			return true;
	return a == ACT_FORK && (row->promises & CAGE_THREADS);
}

static void
must_hold(const struct role *r)
{
	if (!is_ok(r->told.drop) || !is_ok(r->told.seal))
		fail_msg("%s %d / %s %d", r->told.drop.why, r->told.drop.sys, r->told.seal.why,
		         r->told.seal.sys);
}

static void
every_row_refuses_every_act(void **state)
{
	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct role r = begin(&(struct play){.row = i, .act = ACTS});

		must_hold(&r);
		for (enum act a = 0; a < ACTS; a++) {
			bool open = acts_allowed(a, &rows[i]);

			if (r.told.acts[a] == 0 && !open &&
			    (has_calls(&r) || !only_calls(a, &rows[i])))
				fail_msg("%s: could %s", rows[i].name, acts_name(a));
			if (r.told.acts[a] != 0 && open)
				fail_msg("%s: could not %s: %s", rows[i].name, acts_name(a),
				         strerror(r.told.acts[a]));
		}
		end(&r);
	}
}

static void
proc_shows_the_cage(void **state)
{
	char link[64], ids[128];
	struct stat root, want;

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct role r = begin(&(struct play){.row = i, .act = ACT_READ_PASSWD});

		must_hold(&r);
		status_is(&r, "Uid", uids);
		snprintf(ids, sizeof(ids), "%d\t%d\t%d\t%d", GID, GID, GID, GID);
		status_is(&r, "Gid", ids);
		status_is(&r, "Groups", " ");
		status_is(&r, "CapInh", "0000000000000000");
		status_is(&r, "CapPrm", "0000000000000000");
		status_is(&r, "CapEff", "0000000000000000");
		status_is(&r, "CapBnd", "0000000000000000");
		status_is(&r, "CapAmb", "0000000000000000");
		status_is(&r, "NoNewPrivs", "1");
		status_is(&r, "Seccomp", has_calls(&r) ? "2" : "0");
		snprintf(link, sizeof(link), "/proc/%d/root", (int)r.pid);
		assert_int_equal(stat(link, &root), 0);
		assert_int_equal(stat(empty, &want), 0);
		assert_true(root.st_ino == want.st_ino && root.st_dev == want.st_dev);
		limit_is(&r, "Max core file size", 0);
		limit_is(&r, "Max open files", rows[i].files);
		limit_is(&r, "Max processes", rows[i].threads ? rows[i].threads + 1 : 0);
		limit_is(&r, "Max file size", rows[i].file_size);
		if (has_calls(&r))
			assert_true(cage_is_whole(&r.told.report));
		assert_false(end(&r)); /* it died with its keeper */
	}
}

#define BIT(step) (1u << (step))
#define LAND      (BIT(CAGE_LAND_FILES) | BIT(CAGE_LAND_TCP) | BIT(CAGE_LAND_SCOPE))

/*
 * With `others` left out too, so that nothing else stands in the way: the act comes through, or the
 * field of /proc shows it, when the step is left out; and it does not when the step is made.
 */
static const struct {
	enum cage_step step;
	uint32_t others;
	size_t row;
	enum act act;
	const char *field, *shows;
} dropped[] = {
    {CAGE_LIMITS, BIT(CAGE_CALLS), FRONT_ROW, ACT_FORK, NULL, NULL},
    {CAGE_LIMITS, BIT(CAGE_CALLS), FRONT_ROW, ACT_THREAD, NULL, NULL},
    {CAGE_ROOT, BIT(CAGE_CALLS) | LAND, FRONT_ROW, ACT_READ_PASSWD, NULL, NULL},
    {CAGE_ROOT, BIT(CAGE_CALLS) | LAND, FRONT_ROW, ACT_LIST_ROOT, NULL, NULL},
    {CAGE_ROOT, BIT(CAGE_CALLS) | BIT(CAGE_LIMITS) | LAND, FRONT_ROW, ACT_EXEC, NULL, NULL},
    {CAGE_BOUNDING, 0, FRONT_ROW, ACTS, "CapBnd", "0000000000000000"},
    {CAGE_IDS, BIT(CAGE_CALLS), FRONT_ROW, ACT_SETUID, NULL, NULL},
    {CAGE_IDS, 0, FRONT_ROW, ACTS, "Uid", uids},
    {CAGE_CAPS, BIT(CAGE_IDS), FRONT_ROW, ACTS, "CapEff", "0000000000000000"},
    {CAGE_CAPS, BIT(CAGE_IDS) | BIT(CAGE_CALLS) | LAND, FRONT_ROW, ACT_CHROOT, NULL, NULL},
    {CAGE_NO_NEW, BIT(CAGE_CALLS) | LAND, FRONT_ROW, ACTS, "NoNewPrivs", "1"},
    {CAGE_CWD, BIT(CAGE_CALLS) | BIT(CAGE_LAND_FILES), FRONT_ROW, ACT_CLIMB, NULL, NULL},
    {CAGE_LAND_FILES, 0, KEYS_ROW, ACT_CLIMB, NULL, NULL},
    {CAGE_LAND_FILES, 0, BOX_ROW, ACT_CLIMB, NULL, NULL},
    {CAGE_LAND_FILES, BIT(CAGE_CALLS), KEYS_ROW, ACT_CREATE, NULL, NULL},
    {CAGE_LAND_TCP, BIT(CAGE_CALLS), FRONT_ROW, ACT_CONNECT, NULL, NULL},
    {CAGE_LAND_TCP, BIT(CAGE_CALLS), FRONT_ROW, ACT_BIND, NULL, NULL},
    {CAGE_LAND_SCOPE, BIT(CAGE_CALLS), FRONT_ROW, ACT_KILL, NULL, NULL},
    {CAGE_CALLS, 0, FRONT_ROW, ACTS, "Seccomp", "2"},
    {CAGE_CALLS, 0, FRONT_ROW, ACT_MAP_EXEC, NULL, NULL},
    {CAGE_CALLS, 0, FRONT_ROW, ACT_PROTECT_EXEC, NULL, NULL},
    {CAGE_CALLS, 0, FRONT_ROW, ACT_SOCKET_UNIX, NULL, NULL},
    {CAGE_CALLS, 0, FRONT_ROW, ACT_SOCKET_UDP, NULL, NULL},
    {CAGE_CALLS, 0, DIAL_ROW, ACT_LISTEN, NULL, NULL},
};

/* A kernel without the step, or a sanitized build, has nothing to be noticed. */
static bool
can_notice(const struct role *r, size_t i)
{
	uint8_t s = r->told.report.state[dropped[i].step];

	return s == CAGE_DONE;
}

static void
each_step_left_out_is_noticed(void **state)
{
	char got[128];

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < COUNT(dropped); i++) {
		struct play p = {.row = dropped[i].row, .act = (int)dropped[i].act};
		struct role whole, holed;
		bool noticed;

		p.act = dropped[i].act == ACTS ? ACT_READ_PASSWD : (int)dropped[i].act;
		p.skip = dropped[i].others;
		whole = begin(&p);
		must_hold(&whole);
		p.skip |= BIT(dropped[i].step);
		holed = begin(&p);
		must_hold(&holed);
		assert_int_equal(holed.told.report.state[dropped[i].step],
		                 dropped[i].step == CAGE_CALLS && !has_calls(&whole)
		                     ? CAGE_SANITIZED
		                     : CAGE_SKIPPED);
		if (dropped[i].field) {
			status(&whole, dropped[i].field, got);
			noticed = strcmp(got, dropped[i].shows) == 0;
			status(&holed, dropped[i].field, got);
			noticed = noticed && strcmp(got, dropped[i].shows) != 0;
		} else {
			noticed = whole.told.acts[p.act] != 0 && holed.told.acts[p.act] == 0;
		}
		if (!noticed && can_notice(&whole, i))
			fail_msg("line %zu, %s: %s: %d, without the step %d", i,
			         cage_step_name(dropped[i].step), acts_name((enum act)p.act),
			         whole.told.acts[p.act], holed.told.acts[p.act]);
		assert_false(cage_is_whole(&holed.told.report));
		end(&whole);
		end(&holed);
	}
}

static void
death_and_dumpable_left_out_are_noticed(void **state)
{
	uint32_t calls = BIT(CAGE_CALLS);
	struct role r;

	(void)state;
	r = begin(&(struct play){.row = FRONT_ROW, .act = ACT_FORK, .skip = BIT(CAGE_DEATH)});
	must_hold(&r);
	assert_true(end(&r));
	/* For root the kernel makes it so by itself when the ids change; for others nobody does. */
	r = begin(&(struct play){.begins = NOBODY, .act = ACT_FORK, .skip = calls});
	must_hold(&r);
	assert_int_equal(r.told.dumpable, 0);
	assert_false(end(&r));
	r = begin(&(struct play){
	    .begins = NOBODY, .act = ACT_FORK, .skip = calls | BIT(CAGE_UNDUMPABLE)});
	must_hold(&r);
	assert_int_equal(r.told.dumpable, 1);
	end(&r);
}

/* no_new_privs is what lets a process without privileges seal itself: without it, it must not go on. */
static void
a_step_that_fails_is_fatal(void **state)
{
	static const struct {
		struct play play;
		int sys;
	} cases[] = {
	    {{.row = FRONT_ROW, .bad_root = true}, ENOTEMPTY},
	    {{.row = FRONT_ROW, .stays_root = true}, EINVAL},
	    {{.row = FRONT_ROW, .threaded = true}, EBUSY},
	    {{.row = FRONT_ROW, .skip = BIT(CAGE_NO_NEW)}, EPERM},
	};

	(void)state;
	if (!is_root())
		skip();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct role r = begin(&cases[i].play);
		struct err e = is_ok(r.told.drop) ? r.told.seal : r.told.drop;

		assert_int_equal(e.code, ERR_IO);
		assert_int_equal(e.sys, cases[i].sys);
		assert_false(cage_is_whole(&r.told.report));
		end(&r);
	}
}

static void
nobody_gets_what_nobody_can(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct play p = {.begins = NOBODY, .row = i, .act = ACTS};
		struct role r = begin(&p);

		must_hold(&r);
		for (enum cage_step s = 0; s < CAGE_STEPS; s++) {
			bool needs_root = s == CAGE_ROOT || s == CAGE_BOUNDING || s == CAGE_IDS ||
			                  (s == CAGE_LIMITS && (rows[i].promises & CAGE_THREADS));
			uint8_t got = r.told.report.state[s];

			if (needs_root)
				assert_int_equal(got, CAGE_UNPRIVILEGED);
			else
				assert_true(got == CAGE_DONE || got == CAGE_UNNEEDED ||
				            got == CAGE_NO_KERNEL || got == CAGE_SANITIZED);
		}
		assert_false(cage_is_whole(&r.told.report));
		for (enum act a = 0; a < ACTS; a++)
			if (r.told.acts[a] == 0 && !acts_allowed(a, &rows[i]) &&
			    (has_calls(&r) || !only_calls(a, &rows[i])))
				fail_msg("%s as nobody: could %s", rows[i].name, acts_name(a));
		assert_false(end(&r));
	}
}

/* The message on stderr, and death by SIGABRT. */
static void
a_loud_cage_names_the_call(void **state)
{
	char got[256] = "", want[64];
	struct cage c = {.row = &rows[FRONT_ROW], .uid = uid, .gid = GID, .root = -1, .loud = true};
	struct cage_report report = {{0}, 0};
	int said[2], how;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		dup2(said[1], STDERR_FILENO);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (!is_ok(cage_seal(&c, &report)) || report.state[CAGE_CALLS] != CAGE_DONE)
			_exit(77);
		(void)!open("/etc/passwd", O_RDONLY);
		_exit(0);
	}
	close(said[1]);
	(void)!read(said[0], got, sizeof(got) - 1);
	close(said[0]);
	waitpid(pid, &how, 0);
	if (WIFEXITED(how) && WEXITSTATUS(how) == 77)
		skip();
	snprintf(want, sizeof(want), "stead: cage of front: outside its row: call %d\n",
	         (int)SYS_openat);
	assert_string_equal(got, want);
	assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

static void
a_report_comes_back(void **state)
{
	struct cage_report r = {{0}, 7}, back;
	uint8_t room[CAGE_PACKED];
	struct wr w = wr_of(room, sizeof(room));
	struct rd rd;

	(void)state;
	for (size_t i = 0; i < CAGE_STEPS; i++)
		r.state[i] = (uint8_t)(i % CAGE_STATES);
	cage_report_pack(&w, &r);
	assert_false(w.full);
	assert_ptr_equal(w.p, w.end);
	rd = rd_of((struct bytes){room, sizeof(room)});
	assert_true(is_ok(cage_report_unpack(&rd, &back)));
	assert_memory_equal(&r, &back, sizeof(r));
	for (size_t n = 0; n < sizeof(room); n++) {
		rd = rd_of((struct bytes){room, n});
		assert_int_equal(cage_report_unpack(&rd, &back).code, ERR_SYNTAX);
	}
	room[5] = CAGE_STATES;
	rd = rd_of((struct bytes){room, sizeof(room)});
	assert_int_equal(cage_report_unpack(&rd, &back).code, ERR_SYNTAX);
	for (size_t i = 0; i < CAGE_STEPS; i++)
		assert_non_null(cage_step_name((enum cage_step)i));
	for (size_t i = 0; i < CAGE_STATES; i++)
		assert_non_null(cage_state_text((enum cage_state)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_refuses_every_act),
	    cmocka_unit_test(proc_shows_the_cage),
	    cmocka_unit_test(each_step_left_out_is_noticed),
	    cmocka_unit_test(death_and_dumpable_left_out_are_noticed),
	    cmocka_unit_test(a_step_that_fails_is_fatal),
	    cmocka_unit_test(nobody_gets_what_nobody_can),
	    cmocka_unit_test(a_loud_cage_names_the_call),
	    cmocka_unit_test(a_report_comes_back),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

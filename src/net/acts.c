/*
 * acts.c - forbidden acts, tried.
 *
 * Each is a function that gives 0 when it came through and else the errno that stopped it; what it
 * made is undone.  Calls are made by number where the C library would ask something else first.
 */
#include "net/acts.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_NAME "stead-act"

/* 0, or errno, for a call that answers -1; a descriptor that came of it is closed. */
static int
closed(long fd)
{
	if (fd < 0)
		return errno;
	close((int)fd);
	return 0;
}

static int
plain(long answer)
{
	return answer < 0 ? errno : 0;
}

static int
read_passwd(void)
{
	return closed(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int
climb(void)
{
	return closed(open("../../../../../../../../../../etc/passwd", O_RDONLY | O_CLOEXEC));
}

/* Others may read these; a role has other folders beneath the same one, or none. */
static int
neighbour(void)
{
	static const char *const files[] = {"../stead.conf", "../tls/cert.pem"};
	int first = 0;

	for (size_t i = 0; i < COUNT(files); i++) {
		int no = closed(open(files[i], O_RDONLY | O_CLOEXEC));

		if (no == 0)
			return 0;
		first = first ? first : no;
	}
	if (mkdir("../" FILE_NAME, 0700))
		return first;
	rmdir("../" FILE_NAME);
	return 0;
}

static int
create(void)
{
	static const char *const names[] = {"/" FILE_NAME, "../" FILE_NAME, FILE_NAME,
	                                    "/tmp/" FILE_NAME};
	int first = 0;

	for (size_t i = 0; i < COUNT(names); i++) {
		int no = closed(open(names[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

		if (no == 0) {
			unlink(names[i]);
			return 0;
		}
		first = first ? first : no;
	}
	return first;
}

/* An empty root may be listed: it is what it holds that counts. */
static int
list_root(void)
{
	DIR *dir = opendir("/");
	const struct dirent *d;
	int n = 0;

	if (!dir)
		return errno;
	while ((d = readdir(dir)))
		n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return n ? 0 : ENOENT;
}

static int
socket_tcp(void)
{
	return closed(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
socket_udp(void)
{
	return closed(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
socket_unix(void)
{
	int pair[2], no = closed(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	if (no == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return no;
	close(pair[0]);
	return closed(pair[1]);
}

static int
socket_raw(void)
{
	static const int kinds[][3] = {
	    {AF_INET, SOCK_RAW, IPPROTO_ICMP},
	    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	    {AF_PACKET, SOCK_RAW, 0},
	    {AF_NETLINK, SOCK_RAW, 0},
	    {AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */},
	    {AF_VSOCK, SOCK_STREAM, 0},
	};
	int first = 0;

	for (size_t i = 0; i < COUNT(kinds); i++) {
		int no = closed(socket(kinds[i][0], kinds[i][1], kinds[i][2]));

		if (no == 0)
			return 0;
		first = first ? first : no;
	}
	return first;
}

static struct sockaddr_in
loopback(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

/* A TCP socket, or any descriptor to try with: who may not make one may have been given one. */
static int
some_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? dup(0) : fd;
}

/* A port where nobody listens refuses; that is the peer's answer, not the cage's. */
static int
connect_out(void)
{
	struct sockaddr_in a = loopback(1);
	int fd = some_socket(), no;

	no = plain(connect(fd, (const struct sockaddr *)&a, sizeof(a)));
	close(fd);
	return no == ECONNREFUSED ? 0 : no;
}

static int
bind_port(void)
{
	struct sockaddr_in a = loopback(0);
	int fd = some_socket(), no;

	no = plain(bind(fd, (const struct sockaddr *)&a, sizeof(a)));
	close(fd);
	return no;
}

static int
listen_port(void)
{
	int fd = some_socket(), no = plain(listen(fd, 1));

	close(fd);
	return no;
}

static int
fork_child(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child < 0)
		return errno;
	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	return 0;
}

static void *
nothing(void *p)
{
	return p;
}

static int
thread(void)
{
	pthread_t t;
	int no = pthread_create(&t, NULL, nothing, NULL);

	if (no == 0)
		pthread_join(t, NULL);
	return no;
}

/*
 * With arguments that cannot be read: EFAULT says that the file was found and would have been
 * executed, and the process lives to tell.
 */
static int
execute(void)
{
	static const char *const files[] = {"/proc/self/exe", "/bin/true",
	                                    "../../../../../../../../../bin/true"};
	int first = 0;

	for (size_t i = 0; i < COUNT(files); i++) {
		int no = plain(syscall(SYS_execve, files[i], (void *)1, NULL));

		if (no == EFAULT)
			return 0;
		first = first ? first : no;
	}
	return first;
}

static int
kill_parent(void)
{
	return plain(syscall(SYS_kill, getppid(), 0));
}

static int
trace_parent(void)
{
	/* SEIZE does not stop it, and ends with us. */
	return plain(syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0));
}

static int
read_memory(void)
{
	char there[64];
	struct iovec mine = {there, sizeof(there)}, its = {&environ, sizeof(there)};
	char name[64];
	struct wr w = wr_of(name, sizeof(name));

	if (syscall(SYS_process_vm_readv, getppid(), &mine, 1, &its, 1, 0) > 0)
		return 0;
	if (errno != ENOSYS)
		return errno;
	wr_printf(&w, "/proc/%d/mem", (int)getppid());
	wr_u8(&w, 0);
	return closed(open(name, O_RDONLY | O_CLOEXEC));
}

static int
map_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, 4096);
	return 0;
}

static int
protect_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int no;

	if (p == MAP_FAILED)
		return errno;
	no = plain(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	munmap(p, 4096);
	return no;
}

/* By number: the C library's would change the other threads first. */
static int
become_root(void)
{
	if (syscall(SYS_setresuid, 0, 0, 0) == 0 || syscall(SYS_setuid, 0) == 0)
		return 0;
	return errno;
}

static int
take_caps(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = {
	    {1u << CAP_DAC_OVERRIDE, 1u << CAP_DAC_OVERRIDE, 0}, {0, 0, 0}};

	return plain(syscall(SYS_capset, &head, all));
}

static int
mount_something(void)
{
	if (mount("none", "/", "tmpfs", 0, NULL))
		return errno;
	umount2("/", MNT_DETACH);
	return 0;
}

static int
user_namespace(void)
{
	return plain(unshare(CLONE_NEWUSER));
}

static int
change_root(void)
{
	return plain(syscall(SYS_chroot, "."));
}

static int
load_bpf(void)
{
	/* BPF_MAP_CREATE of an array of one: the smallest thing that can be made. */
	uint32_t attr[32] = {2 /* BPF_MAP_TYPE_ARRAY */, 4, 4, 1};

	return closed(syscall(SYS_bpf, 0, attr, sizeof(attr)));
}

static int
uring(void)
{
	uint32_t params[30] = {0};

	return closed(syscall(SYS_io_uring_setup, 1, params));
}

static int
fault_handler(void)
{
	return closed(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
}

static int
keyring(void)
{
	/* KEYCTL_GET_KEYRING_ID of the process's own, made if it is not there */
	return plain(syscall(SYS_keyctl, 0, -2, 1, 0, 0));
}

static int
performance(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr)};

	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	attr.exclude_kernel = 1;
	return closed(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
}

static int
raise_limit(void)
{
	static const int limits[] = {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_FSIZE};
	int first = 0;

	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit now;
		int no;

		if (getrlimit((__rlimit_resource_t)limits[i], &now))
			return errno;
		if (now.rlim_max == RLIM_INFINITY)
			continue; /* cannot be raised: another of them can */
		now.rlim_max++;
		no = plain(setrlimit((__rlimit_resource_t)limits[i], &now));
		if (no == 0)
			return 0;
		first = first ? first : no;
	}
	return first ? first : ERANGE;
}

static int
dumpable(void)
{
	return plain(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
terminal(void)
{
	char c = ' ';

	return plain(ioctl(0, TIOCSTI, &c));
}

static const struct {
	const char *name;
	int (*run)(void);
	uint32_t allowed; /* promises that each leave it open */
} acts[ACTS] = {
    [ACT_READ_PASSWD] = {"read /etc/passwd", read_passwd, 0},
    [ACT_CLIMB] = {"climb to /etc/passwd", climb, 0},
    [ACT_NEIGHBOUR] = {"reach a neighbour's file", neighbour, 0},
    [ACT_CREATE] = {"create a file", create, 0},
    [ACT_LIST_ROOT] = {"list the root", list_root, 0},
    [ACT_SOCKET_TCP] = {"make a TCP socket", socket_tcp, CAGE_TCP_OPEN},
    [ACT_SOCKET_UDP] = {"make a UDP socket", socket_udp, CAGE_UDP_OPEN},
    [ACT_SOCKET_UNIX] = {"make a Unix socket", socket_unix, 0},
    [ACT_SOCKET_RAW] = {"make a raw socket", socket_raw, 0},
    [ACT_CONNECT] = {"connect", connect_out, CAGE_TCP_OPEN},
    [ACT_BIND] = {"bind", bind_port, CAGE_TCP_OPEN},
    [ACT_LISTEN] = {"listen", listen_port, 0},
    [ACT_FORK] = {"fork", fork_child, 0},
    [ACT_THREAD] = {"start a thread", thread, CAGE_THREADS},
    [ACT_EXEC] = {"execute a file", execute, 0},
    [ACT_KILL] = {"signal the parent", kill_parent, 0},
    [ACT_PTRACE] = {"trace the parent", trace_parent, 0},
    [ACT_READ_MEMORY] = {"read the parent's memory", read_memory, 0},
    [ACT_MAP_EXEC] = {"map executable memory", map_exec, 0},
    [ACT_PROTECT_EXEC] = {"make memory executable", protect_exec, 0},
    [ACT_SETUID] = {"become root", become_root, 0},
    [ACT_CAPS] = {"take a capability", take_caps, 0},
    [ACT_MOUNT] = {"mount", mount_something, 0},
    [ACT_USERNS] = {"make a user namespace", user_namespace, 0},
    [ACT_CHROOT] = {"change the root", change_root, 0},
    [ACT_BPF] = {"load BPF", load_bpf, 0},
    [ACT_IO_URING] = {"make an io_uring", uring, 0},
    [ACT_USERFAULTFD] = {"make a userfaultfd", fault_handler, 0},
    [ACT_KEYCTL] = {"reach a keyring", keyring, 0},
    [ACT_PERF] = {"open a performance counter", performance, 0},
    [ACT_RAISE_LIMIT] = {"raise a limit", raise_limit, 0},
    [ACT_DUMPABLE] = {"become dumpable", dumpable, 0},
    [ACT_TERMINAL] = {"type into the terminal", terminal, 0},
};

const char *
acts_name(enum act act)
{
	return acts[act].name;
}

int
acts_try(enum act act)
{
	errno = 0;
	return acts[act].run();
}

bool
acts_allowed(enum act act, const struct cage_row *row)
{
	/* A row that writes files may make one in its own folder, when that is where it stands. */
	if (act == ACT_CREATE)
		return row->promises & CAGE_FILES_WRITE;
	/* A row with children may signal what its uid lets it. */
	if (act == ACT_KILL)
		return row->promises & CAGE_CHILDREN;
	return acts[act].allowed & row->promises;
}

/*
 * cage_filter.c - seccomp: a program in classic BPF, made from the table of calls.
 *
 * The program is a list: is it this number?  Then what its rule says, else the next.  A rule's code
 * always ends in a verdict, so the number stays in the accumulator until its line is found; the
 * kernel remembers the numbers that are allowed whatever their arguments, and does not even run the
 * program for them.  Arguments that the kernel takes as 32 bits are compared as such; pointers whole.
 *
 * A call outside the row gives ENOSYS: on a newer C library that tries a newer call first, the role
 * goes on with the older.  When it is to be loud, SIGSYS names it and aborts instead.
 */
#include "net/cage_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH    AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u /* numbers from here on are those of another ABI */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "cage_filter.c: which architecture is this, and what are its traps?"
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define PROGRAM_MAX 1024
#define LOW(i)      (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (i)) /* little endian */
#define HIGH(i)     (LOW(i) + 4)
#define TMPFILE     (O_TMPFILE & ~O_DIRECTORY)

/* An unfinished filter, and what its verdicts are. */
struct program {
	struct sock_filter code[PROGRAM_MAX];
	size_t n;
	uint32_t promises;
	bool loud;
};

static void
put(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->n < PROGRAM_MAX)
		p->code[p->n] = (struct sock_filter){code, yes, no, k};
	p->n++;
}

static void
load(struct program *p, uint32_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void
allow(struct program *p)
{
	put(p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}

static void
refuse(struct program *p, uint32_t number)
{
	put(p, BPF_RET | BPF_K, p->loud ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | number, 0, 0);
}

/* Goes on when the accumulator is k, else refuses. */
static void
must_be(struct program *p, uint32_t k, uint32_t number)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	refuse(p, number);
}

/* Allows when the accumulator is k, else goes on. */
static void
allow_if(struct program *p, uint32_t k)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, 1);
	allow(p);
}

/* Allows when these bits of an argument are just those of `want`. */
static void
masked(struct program *p, uint32_t arg, uint32_t mask, uint32_t want)
{
	load(p, LOW(arg));
	put(p, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	must_be(p, want, EPERM);
	allow(p);
}

/* Allows the listed values of an argument. */
static void
listed(struct program *p, uint32_t arg, const uint32_t *values, size_t n, uint32_t number)
{
	load(p, LOW(arg));
	for (size_t i = 0; i < n; i++)
		allow_if(p, values[i]);
	refuse(p, number);
}

static void
must_be_null(struct program *p, uint32_t arg)
{
	load(p, LOW(arg));
	must_be(p, 0, EPERM);
	load(p, HIGH(arg));
	must_be(p, 0, EPERM);
}

/* ---- rules ---- */

static const uint32_t fcntls[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,     F_SETFD,     F_GETFL,      F_SETFL,     F_GETLK,
    F_SETLK, F_SETLKW,        F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_ADD_SEALS, F_GET_SEALS,
};
static const uint32_t ioctls[] = {FIONBIO, FIOCLEX, FIONCLEX, FIONREAD, TIOCGWINSZ, TCGETS};
static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME};

/* What a role may set on a socket: nothing that loads a program or hands it to another layer. */
static const struct option {
	int level, name;
} options[] = {
    {SOL_SOCKET, SO_REUSEADDR},
    {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_SNDBUF},
    {SOL_SOCKET, SO_RCVBUF},
    {SOL_SOCKET, SO_KEEPALIVE},
    {SOL_SOCKET, SO_LINGER},
    {SOL_SOCKET, SO_PASSCRED},
    {SOL_SOCKET, SO_RCVTIMEO},
    {SOL_SOCKET, SO_SNDTIMEO},
    {SOL_SOCKET, SO_RXQ_OVFL},
    {SOL_SOCKET, SO_INCOMING_CPU},
    {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_CORK},
    {IPPROTO_TCP, TCP_KEEPIDLE},
    {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},
    {IPPROTO_TCP, TCP_QUICKACK},
    {IPPROTO_TCP, TCP_USER_TIMEOUT},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    {IPPROTO_IP, IP_TOS},
    {IPPROTO_IP, IP_TTL},
    {IPPROTO_IP, IP_PKTINFO},
    {IPPROTO_IP, IP_RECVERR},
    {IPPROTO_IP, IP_MTU_DISCOVER},
    {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
    {IPPROTO_IPV6, IPV6_V6ONLY},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {IPPROTO_IPV6, IPV6_RECVERR},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
    {IPPROTO_IPV6, IPV6_DONTFRAG},
    {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_UDP, 103 /* UDP_SEGMENT */},
    {IPPROTO_UDP, 104 /* UDP_GRO */},
};

static void
rule_option(struct program *p)
{
	for (size_t i = 0; i < COUNT(options); i++) {
		load(p, LOW(1));
		put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)options[i].level, 0, 3);
		load(p, LOW(2));
		allow_if(p, (uint32_t)options[i].name);
	}
	refuse(p, EPERM);
}

/* TCP and UDP over IP; no MPTCP, on which Landlock's rules for ports do not look. */
static void
rule_socket(struct program *p)
{
	load(p, LOW(0));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0);
	must_be(p, AF_INET6, EACCES);
	load(p, LOW(2));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
	refuse(p, EACCES);
	load(p, LOW(1));
	put(p, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), 0, 0);
	if (p->promises & CAGE_TCP_OPEN)
		allow_if(p, SOCK_STREAM);
	if (p->promises & CAGE_UDP_OPEN)
		allow_if(p, SOCK_DGRAM);
	refuse(p, EACCES);
}

static void
rule_thread(struct program *p)
{
	uint32_t all =
	    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
	uint32_t none = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
	                CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_IO | CLONE_PTRACE |
	                CLONE_PIDFD | CLONE_PARENT;

	masked(p, 0, all | none, all);
}

static void
rule(struct program *p, enum cage_rule which)
{
	switch (which) {
	case RULE_ANY:
		allow(p);
		return;
	case RULE_REFUSED:
		put(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
		return;
	case RULE_NOT_EXEC:
		masked(p, 2, PROT_EXEC, 0);
		return;
	case RULE_SELF:
		load(p, LOW(0));
		must_be(p, (uint32_t)getpid(), EPERM);
		allow(p);
		return;
	case RULE_OWN_LIMITS:
		must_be_null(p, 2);
		load(p, LOW(0));
		allow_if(p, 0);
		must_be(p, (uint32_t)getpid(), EPERM);
		allow(p);
		return;
	case RULE_SOCKET:
		rule_socket(p);
		return;
	case RULE_NO_ADDRESS:
		must_be_null(p, 4);
		allow(p);
		return;
	case RULE_OPTION:
		rule_option(p);
		return;
	case RULE_THREAD:
		rule_thread(p);
		return;
	case RULE_FCNTL:
		listed(p, 1, fcntls, COUNT(fcntls), EPERM);
		return;
	case RULE_IOCTL:
		listed(p, 1, ioctls, COUNT(ioctls), ENOTTY);
		return;
	case RULE_PRCTL:
		listed(p, 0, prctls, COUNT(prctls), EPERM);
		return;
	case RULE_READ_ONLY:
		masked(p, 2, O_ACCMODE | O_CREAT | O_TRUNC | TMPFILE, O_RDONLY);
		return;
	case RULE_EMPTY_PATH:
		masked(p, 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
		return;
	}
}

/* One line of the table: the number, and its rule behind a jump over it. */
static bool
line(struct program *p, const struct cage_call *call)
{
	size_t at = p->n, over;

	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call->number, 0, 0);
	rule(p, call->rule);
	over = p->n - at - 1;
	if (over > UINT8_MAX || p->n > PROGRAM_MAX)
		return false;
	p->code[at].jf = (uint8_t)over;
	return true;
}

static bool
program_make(struct program *p, const struct cage *c)
{
	p->n = 0;
	p->promises = c->row->promises;
	p->loud = c->loud;
	load(p, offsetof(struct seccomp_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	put(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	put(p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
	for (size_t i = 0; i < cage_calls_n; i++)
		if ((cage_calls[i].promises & p->promises) && !line(p, &cage_calls[i]))
			return false;
	refuse(p, ENOSYS);
	return p->n <= PROGRAM_MAX;
}

/* ---- being loud ---- */

static const char *loud_name; /* what the handler says: a signal can be given no owner */

static void
on_sigsys(int signal_number, siginfo_t *info, void *context)
{
	char text[128];
	struct wr w = wr_of(text, sizeof(text));
	uint32_t number = (uint32_t)info->si_syscall, power = 1;
	ssize_t n;

	(void)signal_number, (void)context;
	wr_text(&w, "stead: cage of ");
	wr_text(&w, loud_name);
	wr_text(&w, ": outside its row: call ");
	while (number / power >= 10)
		power *= 10;
	for (; power; power /= 10)
		wr_u8(&w, (uint8_t)('0' + number / power % 10));
	wr_text(&w, "\n");
	n = write(STDERR_FILENO, text, (size_t)(w.p - (uint8_t *)text));
	(void)n;
	abort();
}

static struct err
listen_loudly(const struct cage *c)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};

	loud_name = c->row->name;
	if (sigaction(SIGSYS, &action, NULL))
		return ERR(ERR_IO, errno, "cage: SIGSYS");
	return OK;
}

struct err
cage_filter(const struct cage *c, struct cage_report *report)
{
	uint8_t *state = &report->state[CAGE_CALLS];
	struct sock_fprog filter;
	struct program *p;
	struct err e = OK;

	if (SANITIZED || cage_skips(c, CAGE_CALLS)) {
		*state = SANITIZED ? CAGE_SANITIZED : CAGE_SKIPPED;
		return OK;
	}
	p = malloc(sizeof(*p));
	if (!p)
		return ERR(ERR_MEMORY, 0, "cage: filter");
	if (!program_make(p, c)) {
		e = ERR(ERR_IO, E2BIG, "cage: filter");
		goto out;
	}
	if (c->loud)
		e = listen_loudly(c);
	if (!is_ok(e))
		goto out;
	filter = (struct sock_fprog){(unsigned short)p->n, p->code};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter)) {
		/* Only a kernel without it may be without it. */
		if (errno == ENOSYS)
			*state = CAGE_NO_KERNEL;
		else
			e = ERR(ERR_IO, errno, "cage: seccomp");
		goto out;
	}
	*state = CAGE_DONE;
out:
	free(p);
	return e;
}

/*
 * loop_fd.c - the kernel's descriptors.  All are non-blocking and closed on exec; nothing raises
 * SIGPIPE.
 */
#include "net/loop_fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
	FDS_MAX = 4,    /* room for descriptors of one message: one is right, more are closed */
	DGRAM_BUFFER = 4 * 1024 * 1024, /* a burst that waits while a batch is answered */
};

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct err
loop_fd_failed(const char *why)
{
	int n = errno;

	if (n == EAGAIN || n == EWOULDBLOCK || n == EINTR)
		return (struct err){ERR_LATER, n, why};
	if (n == ENOBUFS || n == ENOMEM || n == ETOOMANYREFS || n == EMFILE || n == ENFILE)
		return (struct err){ERR_FULL, n, why};
	return (struct err){ERR_IO, n, why};
}
#define FAILED(what) loop_fd_failed(__FILE__ ":" ERR_STR(__LINE__) ": " what)

socklen_t
loop_fd_addr_to(const struct addr *a, int family, union loop_fd_addr *out)
{
	*out = (union loop_fd_addr){0};
	if (family == AF_INET) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(a->port);
		memcpy(&out->v4.sin_addr, a->ip + 12, 4);
		return sizeof(out->v4);
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(a->port);
	out->v6.sin6_scope_id = a->scope;
	memcpy(&out->v6.sin6_addr, a->ip, 16);
	return sizeof(out->v6);
}

struct addr
loop_fd_addr_from(const union loop_fd_addr *in)
{
	struct addr a = {{0}, 0, 0};

	if (in->any.sa_family == AF_INET) {
		memcpy(a.ip, v4_prefix, 12);
		memcpy(a.ip + 12, &in->v4.sin_addr, 4);
		a.port = ntohs(in->v4.sin_port);
	} else if (in->any.sa_family == AF_INET6) {
		memcpy(a.ip, &in->v6.sin6_addr, 16);
		a.port = ntohs(in->v6.sin6_port);
		if (IN6_IS_ADDR_LINKLOCAL(&in->v6.sin6_addr))
			a.scope = in->v6.sin6_scope_id;
	}
	return a;
}

/* ---- sockets ---- */

static bool
set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/*
 * PROBE sets DF and believes no "fragmentation needed" from the net, which anybody could forge
 * (RFC 9715, attack 7).  A socket for both families needs both families' options.
 */
static bool
set_datagram(int fd, int family)
{
	if (family == AF_INET6 && (!set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	                           !set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) ||
	                           !set(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1)))
		return false;
	set(fd, SOL_SOCKET, SO_RCVBUF, DGRAM_BUFFER); /* the kernel grants what it allows */
	set(fd, SOL_SOCKET, SO_SNDBUF, DGRAM_BUFFER);
	if (family == AF_INET)
		return set(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
		       set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	return set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
}

/* Accepted sockets inherit TCP_NODELAY: what is written leaves whole, once a turn. */
static bool
set_stream(int fd)
{
	return set(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

static struct err
listen_at(const struct addr *a, int family, enum loop_kind kind, bool shared, int *out)
{
	bool stream = kind == LOOP_STREAM;
	int type = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(family, type, 0);
	union loop_fd_addr k;
	socklen_t n = loop_fd_addr_to(a, family, &k);
	bool done;

	if (fd < 0)
		return FAILED("socket");
	done = stream ? set_stream(fd) : set_datagram(fd, family);
	if (done && family == AF_INET6)
		done = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (done && shared)
		done = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!done || bind(fd, &k.any, n) != 0 || (stream && listen(fd, BACKLOG) != 0)) {
		struct err e = FAILED("bind");

		close(fd);
		return e;
	}
	*out = fd;
	return OK;
}

struct err
loop_fd_listen(const struct addr *a, enum loop_kind kind, bool shared, int *fd)
{
	static const uint8_t any[16];
	struct err e;

	assert(kind != LOOP_MESSAGES);
	if (addr_ip_is_v4(a->ip))
		return listen_at(a, AF_INET, kind, shared, fd);
	e = listen_at(a, AF_INET6, kind, shared, fd);
	/* A kernel without IPv6 still has all addresses of one family. */
	if ((e.sys == EAFNOSUPPORT || e.sys == EADDRNOTAVAIL) && !memcmp(a->ip, any, 16))
		return listen_at(a, AF_INET, kind, shared, fd);
	return e;
}

struct err
loop_fd_local(int fd, struct addr *a)
{
	union loop_fd_addr k = {0};
	socklen_t n = sizeof(k);

	if (getsockname(fd, &k.any, &n) != 0)
		return FAILED("getsockname");
	*a = loop_fd_addr_from(&k);
	return OK;
}

struct err
loop_fd_pair(enum loop_kind kind, int fd[2])
{
	int type = kind == LOOP_MESSAGES ? SOCK_SEQPACKET
	           : kind == LOOP_STREAM ? SOCK_STREAM
	                                 : SOCK_DGRAM;

	if (socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) != 0)
		return FAILED("socketpair");
	return OK;
}

void
loop_fd_close(int fd)
{
	close(fd);
}

struct err
loop_fd_dup(int fd, int *out)
{
	*out = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *out < 0 ? FAILED("dup") : OK;
}

/* One that keeps nothing else open. */
int
loop_fd_reserve(void)
{
	return eventfd(0, EFD_CLOEXEC);
}

struct err
loop_fd_accept(int listener, int *reserve, int *fd, struct addr *peer)
{
	union loop_fd_addr k = {0};
	socklen_t n = sizeof(k);
	struct err e;

	if (*reserve < 0)
		*reserve = loop_fd_reserve();
	*fd = accept4(listener, &k.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (*fd >= 0) {
		*peer = loop_fd_addr_from(&k);
		return OK;
	}
	/* The client went while it waited, or its network did (accept(2)): the next one, then. */
	if (errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == EHOSTDOWN ||
	    errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ENOPROTOOPT ||
	    errno == ENONET || errno == EOPNOTSUPP)
		errno = EAGAIN;
	e = FAILED("accept");
	if ((e.sys == EMFILE || e.sys == ENFILE) && *reserve >= 0) {
		int other;

		close(*reserve);
		other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (other >= 0)
			close(other);
		*reserve = loop_fd_reserve();
	}
	return e;
}

/* ---- streams ---- */

struct err
loop_fd_recv(int fd, void *p, size_t n, size_t *got)
{
	ssize_t r = recv(fd, p, n, 0);

	*got = r > 0 ? (size_t)r : 0;
	return r < 0 ? FAILED("recv") : OK;
}

struct err
loop_fd_send(int fd, const struct bytes *pieces, size_t n, size_t *sent)
{
	struct iovec io[LOOP_PIECES];
	struct msghdr m = {.msg_iov = io, .msg_iovlen = n};
	ssize_t r;

	for (size_t i = 0; i < n; i++)
		io[i] = (struct iovec){(void *)(uintptr_t)pieces[i].p, pieces[i].n};
	r = sendmsg(fd, &m, MSG_NOSIGNAL);
	*sent = r > 0 ? (size_t)r : 0;
	return r < 0 ? FAILED("send") : OK;
}

struct err
loop_fd_shutdown(int fd)
{
	return shutdown(fd, SHUT_WR) != 0 ? FAILED("shutdown") : OK;
}

/* ---- messages ---- */

struct fds_room {
	_Alignas(struct cmsghdr) uint8_t room[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

struct err
loop_fd_msg_send(int fd, struct bytes message, int pass)
{
	struct iovec io = {(void *)(uintptr_t)message.p, message.n};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	struct fds_room fds = {.room = {0}};

	if (pass >= 0) {
		struct cmsghdr *c;

		m.msg_control = fds.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? FAILED("send") : OK;
}

/* The descriptors that came with a message; the kernel has closed what did not fit. */
static size_t
passed_fds(struct msghdr *m, int *fds)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		assert(n <= FDS_MAX);
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

struct err
loop_fd_msg_recv(int fd, void *p, size_t n, size_t *got, int *passed)
{
	struct iovec io = {p, n};
	struct fds_room room = {.room = {0}};
	struct msghdr m = {.msg_iov = &io,
	                   .msg_iovlen = 1,
	                   .msg_control = room.room,
	                   .msg_controllen = CMSG_SPACE(FDS_MAX * sizeof(int))};
	int fds[FDS_MAX + 1]; /* CMSG_SPACE's padding may hold one more */
	ssize_t r = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	size_t count;

	*passed = -1;
	*got = 0;
	if (r < 0)
		return FAILED("recv");
	count = passed_fds(&m, fds);
	if (count > 1 || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (count)
			close(fds[--count]);
		return ERR(ERR_SYNTAX, 0, "a message too long, or with too many descriptors");
	}
	*got = (size_t)r;
	if (count)
		*passed = fds[0];
	return OK;
}

/* ---- datagrams ---- */

struct info_room {
	_Alignas(struct cmsghdr) uint8_t
	    room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

/* The address that was asked, from what the kernel tells beside the datagram. */
static void
asked(struct msghdr *m, struct addr *local)
{
	*local = (struct addr){{0}, 0, 0};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			memcpy(local->ip, v4_prefix, 12);
			memcpy(local->ip + 12, &v4.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			memcpy(local->ip, &v6.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
				local->scope = (uint32_t)v6.ipi6_ifindex;
		}
	}
}

struct err
loop_fd_dgram_recv(int fd, struct loop_dgram *d, size_t max, size_t *got)
{
	struct mmsghdr m[LOOP_BATCH];
	struct iovec io[LOOP_BATCH];
	union loop_fd_addr from[LOOP_BATCH];
	struct info_room info[LOOP_BATCH];
	int n;

	for (size_t i = 0; i < max; i++) {
		io[i] = (struct iovec){d[i].p, d[i].cap};
		m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
		                               .msg_namelen = sizeof(from[i]),
		                               .msg_iov = &io[i],
		                               .msg_iovlen = 1,
		                               .msg_control = info[i].room,
		                               .msg_controllen = sizeof(info[i].room)};
	}
	n = recvmmsg(fd, m, (unsigned)max, MSG_DONTWAIT, NULL);
	*got = n > 0 ? (size_t)n : 0;
	if (n < 0)
		return FAILED("recvmmsg");
	for (size_t i = 0; i < *got; i++) {
		d[i].peer = loop_fd_addr_from(&from[i]);
		asked(&m[i].msg_hdr, &d[i].local);
		d[i].n = m[i].msg_len;
		d[i].cut = m[i].msg_hdr.msg_flags & MSG_TRUNC;
	}
	return OK;
}

/* Has it leave from the address that was asked, so that the client knows the answer for its own. */
static void
leave_from(struct msghdr *m, uint8_t *room, const struct addr *local, int family)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {.ipi6_ifindex = local->scope};
	size_t n = family == AF_INET ? sizeof(v4) : sizeof(v6);
	struct cmsghdr *c;

	memcpy(&v4.ipi_spec_dst, local->ip + 12, 4);
	memcpy(&v6.ipi6_addr, local->ip, 16);
	m->msg_control = room;
	m->msg_controllen = CMSG_SPACE(n);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = family == AF_INET ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), family == AF_INET ? (const void *)&v4 : (const void *)&v6, n);
}

static int
family_of(int fd)
{
	int family = AF_INET6;
	socklen_t n = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) != 0)
		return AF_INET6;
	return family;
}

struct err
loop_fd_dgram_send(int fd, const struct loop_dgram *d, size_t n, size_t *sent)
{
	static const uint8_t any[16];
	struct mmsghdr m[LOOP_BATCH];
	struct iovec io[LOOP_BATCH];
	union loop_fd_addr to[LOOP_BATCH];
	struct info_room info[LOOP_BATCH] = {{.room = {0}}};
	int family = family_of(fd), r;

	for (size_t i = 0; i < n; i++) {
		io[i] = (struct iovec){d[i].p, d[i].n};
		m[i].msg_hdr =
		    (struct msghdr){.msg_name = &to[i],
		                    .msg_namelen = loop_fd_addr_to(&d[i].peer, family, &to[i]),
		                    .msg_iov = &io[i],
		                    .msg_iovlen = 1};
		if (memcmp(d[i].local.ip, any, 16) != 0)
			leave_from(&m[i].msg_hdr, info[i].room, &d[i].local, family);
	}
	for (*sent = 0; *sent < n;) {
		r = sendmmsg(fd, m + *sent, (unsigned)(n - *sent), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r < 0) {
			struct err e = FAILED("sendmmsg");

			if (e.code == ERR_LATER)
				return *sent ? OK : e;
			r = 1; /* this one is not taken by the network: the others may be */
		}
		*sent += (size_t)r;
	}
	return OK;
}

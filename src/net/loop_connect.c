/*
 * loop_connect.c - connections that we begin, and datagrams with one other side: what the kernel's
 * descriptors do for it, and the way to the kind of loop.
 */
#include "net/loop_fd.h"
#include "net/loop_ops.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define FAILED(what) loop_fd_failed(__FILE__ ":" ERR_STR(__LINE__) ": " what)

/* What the other side or the network says about a connection is an answer, and not a fault. */
static struct err
refused(int number, struct err fault)
{
	switch (number) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case ETIMEDOUT:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EINVAL: /* a link-local address without its scope, an address of the other family */
	case EACCES:
	case EPERM: /* a filter forbids it */
	case EPIPE:
	case EPROTO:
		return (struct err){ERR_NOTFOUND, number, fault.why};
	default:
		return fault;
	}
}

/* A socket of the family of `to`, bound when `from` says where; *fd is -1 when it fails. */
static struct err
open_from(int type, const struct addr *from, const struct addr *to, int *fd)
{
	static const uint8_t any[16];
	int family = addr_ip_is_v4(to->ip) ? AF_INET : AF_INET6, one = 1;
	union loop_fd_addr k;
	socklen_t n;
	struct err e;

	*fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return FAILED("socket");
	if (type == SOCK_STREAM &&
	    (setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	     setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)) {
		e = FAILED("setsockopt");
		goto out;
	}
	if (!from || (!from->port && !memcmp(from->ip, any, sizeof(any))))
		return OK;
	n = loop_fd_addr_to(from, family, &k);
	if (bind(*fd, &k.any, n) == 0)
		return OK;
	e = FAILED("bind");
out:
	close(*fd);
	*fd = -1;
	return e;
}

struct err
loop_fd_bind(const struct addr *from, int *fd)
{
	return open_from(SOCK_STREAM, from, from, fd);
}

static int
family_of(int fd)
{
	int family = AF_INET6;
	socklen_t n = sizeof(family);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 ? family : AF_INET6;
}

struct err
loop_fd_connect(int fd, const struct addr *from, const struct addr *to, int *out)
{
	union loop_fd_addr k;
	struct err e = OK;
	int s = fd;
	socklen_t n;

	if (fd < 0)
		e = open_from(SOCK_STREAM, from, to, &s);
	if (!is_ok(e))
		return refused(e.sys, e);
	n = loop_fd_addr_to(to, family_of(s), &k);
	if (connect(s, &k.any, n) != 0 && errno != EINPROGRESS) {
		e = FAILED("connect");
		if (fd < 0)
			close(s);
		return refused(e.sys, e);
	}
	*out = s;
	return OK;
}

struct err
loop_fd_connected(int fd)
{
	int number = 0;
	socklen_t n = sizeof(number);
	union loop_fd_addr k;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) != 0)
		return FAILED("getsockopt");
	if (number)
		return refused(number, ERR(ERR_IO, number, "connect"));
	n = sizeof(k);
	if (getpeername(fd, &k.any, &n) == 0)
		return OK;
	return errno == ENOTCONN ? ERR(ERR_LATER, ENOTCONN, "connect") : FAILED("getpeername");
}

struct err
loop_fd_dgram_open(const struct addr *from, const struct addr *to, int *fd)
{
	union loop_fd_addr k;
	struct err e = open_from(SOCK_DGRAM, from, to, fd);
	socklen_t n;

	if (!is_ok(e))
		return refused(e.sys, e);
	n = loop_fd_addr_to(to, family_of(*fd), &k);
	if (connect(*fd, &k.any, n) == 0)
		return OK;
	e = FAILED("connect");
	close(*fd);
	*fd = -1;
	return refused(e.sys, e);
}

/* ---- to the kind ---- */

struct err
loop_connect(struct loop *l, int fd, const struct addr *from, const struct addr *to, int *out)
{
	return l->ops->connect(l, fd, from, to, out);
}

struct err
loop_connected(struct loop *l, int fd)
{
	return l->ops->connected(l, fd);
}

struct err
loop_bind(struct loop *l, const struct addr *from, int *fd)
{
	return l->ops->bind(l, from, fd);
}

struct err
loop_dgram_open(struct loop *l, const struct addr *from, const struct addr *to, int *fd)
{
	return l->ops->dgram_open(l, from, to, fd);
}

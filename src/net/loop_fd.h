/*
 * loop_fd.h - input and output on the kernel's descriptors, as loop.h tells it: for the loops only.
 */
#ifndef NET_LOOP_FD_H
#define NET_LOOP_FD_H

#include "net/loop.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* An address as the kernel has it; IPv4 in a socket of AF_INET, or mapped in one of AF_INET6. */
union loop_fd_addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};
socklen_t loop_fd_addr_to(const struct addr *, int family, union loop_fd_addr *out);
struct addr loop_fd_addr_from(const union loop_fd_addr *);
/* errno as an err: ERR_LATER nothing now, ERR_FULL no room, else a fault. */
struct err loop_fd_failed(const char *why);

/* loop_connect.c */
MUST_CHECK struct err loop_fd_connect(int fd, const struct addr *from, const struct addr *to,
                                      int *out);
MUST_CHECK struct err loop_fd_connected(int fd);
MUST_CHECK struct err loop_fd_bind(const struct addr *from, int *fd);
MUST_CHECK struct err loop_fd_dgram_open(const struct addr *from, const struct addr *to, int *fd);

void loop_fd_close(int fd);
MUST_CHECK struct err loop_fd_dup(int fd, int *out);
MUST_CHECK struct err loop_fd_pair(enum loop_kind, int fd[2]);
MUST_CHECK struct err loop_fd_listen(const struct addr *, enum loop_kind, bool shared, int *fd);
MUST_CHECK struct err loop_fd_local(int fd, struct addr *);
MUST_CHECK struct err loop_fd_recv(int fd, void *p, size_t n, size_t *got);
MUST_CHECK struct err loop_fd_send(int fd, const struct bytes *, size_t pieces, size_t *sent);
MUST_CHECK struct err loop_fd_send_file(int fd, int file, uint64_t *at, size_t n);
MUST_CHECK struct err loop_fd_shutdown(int fd);
/* *reserve, -1 or from loop_fd_reserve(), is given up for a moment to turn a client away. */
int loop_fd_reserve(void);
MUST_CHECK struct err loop_fd_accept(int listener, int *reserve, int *fd, struct addr *peer);
MUST_CHECK struct err loop_fd_msg_send(int fd, struct bytes, int pass);
MUST_CHECK struct err loop_fd_msg_recv(int fd, void *p, size_t n, size_t *got, int *passed);
MUST_CHECK struct err loop_fd_dgram_recv(int fd, struct loop_dgram *, size_t max, size_t *got);
MUST_CHECK struct err loop_fd_dgram_send(int fd, const struct loop_dgram *, size_t n, size_t *sent);

#endif

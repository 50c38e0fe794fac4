/*
 * loop_fd.h - input and output on the kernel's descriptors, as loop.h tells it: for the loops only.
 */
#ifndef NET_LOOP_FD_H
#define NET_LOOP_FD_H

#include "net/loop.h"

void loop_fd_close(int fd);
MUST_CHECK struct err loop_fd_dup(int fd, int *out);
MUST_CHECK struct err loop_fd_pair(enum loop_kind, int fd[2]);
MUST_CHECK struct err loop_fd_listen(const struct addr *, enum loop_kind, bool shared, int *fd);
MUST_CHECK struct err loop_fd_local(int fd, struct addr *);
MUST_CHECK struct err loop_fd_recv(int fd, void *p, size_t n, size_t *got);
MUST_CHECK struct err loop_fd_send(int fd, const struct bytes *, size_t pieces, size_t *sent);
MUST_CHECK struct err loop_fd_shutdown(int fd);
/* *reserve, -1 or from loop_fd_reserve(), is given up for a moment to turn a client away. */
int loop_fd_reserve(void);
MUST_CHECK struct err loop_fd_accept(int listener, int *reserve, int *fd, struct addr *peer);
MUST_CHECK struct err loop_fd_msg_send(int fd, struct bytes, int pass);
MUST_CHECK struct err loop_fd_msg_recv(int fd, void *p, size_t n, size_t *got, int *passed);
MUST_CHECK struct err loop_fd_dgram_recv(int fd, struct loop_dgram *, size_t max, size_t *got);
MUST_CHECK struct err loop_fd_dgram_send(int fd, const struct loop_dgram *, size_t n, size_t *sent);

#endif

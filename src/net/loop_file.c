/* loop_file.c - sendfile(2), read and write; none of them waits for the network. */
#include "net/loop_file.h"

#include "net/loop_fd.h"
#include "net/loop_ops.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

static struct err
failed(const char *why)
{
	int n = errno;

	if (n == EAGAIN || n == EINTR)
		return (struct err){ERR_LATER, n, why};
	if (n == ENOSPC || n == EDQUOT || n == EFBIG)
		return (struct err){ERR_FULL, n, why};
	return (struct err){ERR_IO, n, why};
}
#define FAILED(what) failed(__FILE__ ":" ERR_STR(__LINE__) ": " what)

struct err
loop_fd_send_file(int fd, int file, uint64_t *at, size_t n)
{
	off_t from = (off_t)*at;
	ssize_t r = sendfile(fd, file, &from, n);

	if (r < 0)
		return FAILED("send a file");
	*at += (uint64_t)r;
	return OK;
}

/* Through memory, where the descriptor is not the kernel's. */
static struct err
send_by_hand(struct loop *l, int fd, int file, uint64_t *at, size_t n)
{
	void *room = loop_lend(l);
	struct bytes b = {room, 0};
	struct err e = room ? loop_file_read(file, *at, room, n < LOOP_ROOM ? n : LOOP_ROOM, &b.n)
	                    : ERR(ERR_MEMORY, 0, "send a file");
	size_t sent = 0;

	if (is_ok(e) && b.n)
		e = l->ops->send(l, fd, &b, 1, &sent);
	*at += sent;
	loop_give_back(l, room);
	return e;
}

struct err
loop_send_file(struct loop *l, int fd, int file, uint64_t *at, size_t n)
{
	if (l->ops->send_file)
		return l->ops->send_file(fd, file, at, n);
	return send_by_hand(l, fd, file, at, n);
}

struct err
loop_file_read(int file, uint64_t at, void *p, size_t n, size_t *got)
{
	ssize_t r = pread(file, p, n, (off_t)at);

	*got = r > 0 ? (size_t)r : 0;
	return r < 0 ? FAILED("read a file") : OK;
}

struct err
loop_file_write(int file, struct bytes b)
{
	while (b.n) {
		ssize_t r = write(file, b.p, b.n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return FAILED("write a file");
		b.p += r;
		b.n -= (size_t)r;
	}
	return OK;
}

struct err
loop_urgent_inline(int listener)
{
	int on = 1;

	if (setsockopt(listener, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) != 0)
		return FAILED("urgent bytes");
	return OK;
}

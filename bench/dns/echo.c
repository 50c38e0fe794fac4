/* echo - the physical limit: a "DNS server" that does no DNS.
 *
 * Sends every query back with the QR bit set (padded to -r bytes, so that the
 * answers can be as long as a real server's). One thread; UDP and TCP on the
 * same port. UDP modes: "mmsg" (recvmmsg+sendmmsg, batches of -b) or "single"
 * (recvfrom+sendto). TCP: one epoll loop, all complete queries of a read
 * answered with one send.
 *
 *   cc -O2 -o echo echo.c ;  echo -a 127.0.0.1 -p 5300 -m mmsg -b 64 -r 0
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAXB 256
#define SZ   2048
static int batch = 64, pad;
static const char *mode = "mmsg";

static size_t
reply(uint8_t *p, size_t n)
{
	if (n < 12)
		return 0;
	p[2] |= 0x80;
	p[3] = 0;
	if ((int)n < pad) {
		memset(p + n, 0, pad - n);
		n = pad;
	}
	return n;
}

static int
udp_mmsg(int fd, int flags)
{
	static uint8_t b[MAXB][SZ];
	static struct sockaddr_in a[MAXB];
	static struct iovec v[MAXB];
	static struct mmsghdr m[MAXB];
	static int ready;
	for (; ready < batch; ready++) {
		int i = ready;
		v[i] = (struct iovec){b[i], SZ};
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v[i],
		                               .msg_iovlen = 1,
		                               .msg_name = &a[i],
		                               .msg_namelen = sizeof a[i]};
	}
	int r = recvmmsg(fd, m, batch, flags, NULL);
	if (r <= 0)
		return 0;
	for (int i = 0; i < r; i++)
		v[i].iov_len = reply(b[i], m[i].msg_len);
	for (int d = 0; d < r;) {
		int s = sendmmsg(fd, m + d, r - d, 0);
		d += s > 0 ? s : 1;
	}
	for (int i = 0; i < r; i++)
		v[i].iov_len = SZ;
	return r;
}

static int
udp_single(int fd, int flags)
{
	static uint8_t b[SZ];
	struct sockaddr_in a;
	socklen_t l = sizeof a;
	ssize_t n = recvfrom(fd, b, SZ, flags, (void *)&a, &l);
	if (n > 0 && (n = reply(b, n)))
		sendto(fd, b, n, 0, (void *)&a, l);
	return n > 0;
}

struct tc {
	int fd, have;
	uint8_t in[65536];
};
static void
tcp_io(int ep, struct tc *c)
{
	static uint8_t out[1 << 20];
	size_t w = 0;
	int o = 0;
	ssize_t r = recv(c->fd, c->in + c->have, sizeof c->in - c->have, MSG_DONTWAIT);
	if (r < 0 && errno == EAGAIN)
		return;
	if (r <= 0) {
		epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, 0);
		close(c->fd);
		free(c);
		return;
	}
	c->have += r;
	while (c->have - o >= 2) {
		int l = c->in[o] << 8 | c->in[o + 1];
		if (c->have - o < l + 2 || w + 4096 > sizeof out)
			break;
		memcpy(out + w + 2, c->in + o + 2, l);
		size_t n = reply(out + w + 2, l);
		out[w] = n >> 8;
		out[w + 1] = n;
		w += n + 2;
		o += l + 2;
	}
	memmove(c->in, c->in + o, c->have -= o);
	for (size_t d = 0; d < w;) {
		ssize_t s = send(c->fd, out + d, w - d, MSG_NOSIGNAL);
		if (s <= 0)
			break;
		d += s;
	}
}

int
main(int argc, char **argv)
{
	int o, port = 5300, one = 1, big = 1 << 20;
	const char *addr = "127.0.0.1";
	while ((o = getopt(argc, argv, "a:p:m:b:r:")) != -1)
		switch (o) {
		case 'a':
			addr = optarg;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 'm':
			mode = optarg;
			break;
		case 'b':
			batch = atoi(optarg);
			break;
		case 'r':
			pad = atoi(optarg);
			break;
		default:
			return 2;
		}
	if (batch > MAXB)
		batch = MAXB;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	inet_pton(AF_INET, addr, &a.sin_addr);
	int u = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0),
	    ep = epoll_create1(0);
	setsockopt(u, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	setsockopt(u, SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	setsockopt(t, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(u, (void *)&a, sizeof a) || bind(t, (void *)&a, sizeof a) || listen(t, 128)) {
		perror("bind");
		return 1;
	}
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &u}, ev[64];
	epoll_ctl(ep, EPOLL_CTL_ADD, u, &e);
	e.data.ptr = &t;
	epoll_ctl(ep, EPOLL_CTL_ADD, t, &e);
	int (*udp)(int, int) = *mode == 's' ? udp_single : udp_mmsg;
	for (;;) {
		int n = epoll_wait(ep, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &u)
				for (int k = 0; k < 64 && udp(u, MSG_DONTWAIT) > 0; k++)
					;
			else if (ev[i].data.ptr == &t) {
				struct tc *c = calloc(1, sizeof *c);
				c->fd = accept(t, 0, 0);
				if (c->fd < 0) {
					free(c);
					continue;
				}
				setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
				e.data.ptr = c;
				epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
			} else
				tcp_io(ep, ev[i].data.ptr);
		}
	}
}

/* net.h - header-only helpers shared by the load generators of bench/mail and bench/ftp. */
#ifndef BENCH_NET_H
#define BENCH_NET_H
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline void
die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static inline uint64_t
now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* CPU seconds (user+system) this process has used: the generator's own share. */
static inline double
cpu_self(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Blocking TCP connect to 127.0.0.1:port (loopback only, by design). */
static inline int
tcp_dial(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die("connect port %d: %s", port, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static inline void
write_all(int fd, const void *p, size_t n)
{
	const char *s = p;
	while (n) {
		ssize_t w = send(fd, s, n, MSG_NOSIGNAL);
		if (w < 0 && errno == EAGAIN) {
			struct pollfd pf = {.fd = fd, .events = POLLOUT};
			poll(&pf, 1, 10000);
			continue;
		}
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			die("write: %s", strerror(errno));
		s += w;
		n -= (size_t)w;
	}
}

/* Latency histogram: 32 linear steps per power of two (about 3 % wide). */
struct hist {
	uint64_t n, max;
	uint32_t b[64 * 32];
};

static inline void
hist_add(struct hist *h, uint64_t ns)
{
	unsigned i;
	if (ns < 32)
		i = (unsigned)ns;
	else {
		unsigned e = 63u - (unsigned)__builtin_clzll(ns);
		i = (e - 4) * 32 + (unsigned)((ns >> (e - 5)) & 31);
	}
	h->b[i]++;
	h->n++;
	if (ns > h->max)
		h->max = ns;
}

/* The p-quantile (0..1), in milliseconds. */
static inline double
hist_ms(const struct hist *h, double p)
{
	uint64_t want = (uint64_t)(p * (double)h->n), seen = 0;
	if (!h->n)
		return 0;
	if (want >= h->n)
		want = h->n - 1;
	for (unsigned i = 0; i < 64 * 32; i++)
		if ((seen += h->b[i]) > want) {
			if (i < 32)
				return i / 1e6;
			unsigned e = i / 32 + 4;
			return (double)((uint64_t)(32 + i % 32) << (e - 5)) / 1e6;
		}
	return (double)h->max / 1e6;
}
#endif

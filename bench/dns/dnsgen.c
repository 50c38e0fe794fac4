/* dnsgen - small DNS load generator for one pinned core.
 *
 * Closed loop ("as fast as the server answers, never more than -w queries
 * outstanding") or paced (-r: fixed rate, for latency at low load), over UDP
 * (sendmmsg/recvmmsg) or persistent, optionally pipelined TCP.
 * Queries come from a dnsperf-style file ("name type" per line) and are
 * encoded once, before the clock starts. Prints one JSON line.
 *
 *   cc -O2 -o dnsgen dnsgen.c
 *   dnsgen -a 127.0.0.1 -p 5301 -f queries -l 3
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAXPKT   320 /* largest query we encode */
#define MAXRSP   4096
#define MAXBATCH 256
#define DIE(...)                                                                                   \
	do {                                                                                       \
		fprintf(stderr, __VA_ARGS__);                                                      \
		fputc('\n', stderr);                                                               \
		exit(1);                                                                           \
	} while (0)

static struct {
	const char *addr, *file;
	int port, tcp, socks, window, batch, edns, dobit, rd, spin;
	double secs, warm, rate, timeout;
	uint64_t count;
	long skip;
	int64_t uniq;
} opt = {.addr = "127.0.0.1",
         .port = 53,
         .socks = 4,
         .window = 128,
         .batch = 32,
         .spin = 1,
         .secs = 3,
         .warm = 0.3,
         .timeout = 1.0,
         .edns = 1,
         .uniq = -1};

/* ---- queries ------------------------------------------------------------ */
static struct {
	uint8_t *buf;
	uint32_t *off;
	uint16_t *len;
	size_t n, used, cap, ncap, next;
} Q;

static int
type_of(const char *t)
{
	static const struct {
		const char *n;
		int v;
	} T[] = {{"A", 1},    {"NS", 2},    {"CNAME", 5}, {"SOA", 6}, {"PTR", 12},    {"MX", 15},
	         {"TXT", 16}, {"AAAA", 28}, {"SRV", 33},  {"DS", 43}, {"DNSKEY", 48}, {"ANY", 255}};
	for (size_t i = 0; i < sizeof T / sizeof *T; i++)
		if (!strcasecmp(t, T[i].n))
			return T[i].v;
	if (!strncasecmp(t, "TYPE", 4))
		return atoi(t + 4);
	DIE("unknown type %s", t);
}

static void
add_query(const char *name, const char *type)
{
	uint8_t p[MAXPKT] = {0}, *w = p + 12;
	p[2] = opt.rd ? 1 : 0;
	p[5] = 1;
	p[11] = opt.edns;
	if (opt.uniq >= 0) {
		*w++ = 8;
		memset(w, '0', 8);
		w += 8;
	} /* label patched when sent */
	for (const char *s = name; *s && *s != '.';) {
		size_t l = strcspn(s, ".");
		if (l > 63 || w + l > p + 260)
			DIE("bad name %s", name);
		*w++ = l;
		memcpy(w, s, l);
		w += l;
		s += l;
		if (*s == '.')
			s++;
	}
	*w++ = 0;
	int t = type_of(type);
	*w++ = t >> 8;
	*w++ = t;
	*w++ = 0;
	*w++ = 1;
	if (opt.edns) {
		uint8_t o[11] = {0, 0, 41, 1232 >> 8, 1232 & 255, 0, 0, opt.dobit ? 0x80 : 0,
		                 0, 0, 0};
		memcpy(w, o, 11);
		w += 11;
	}
	size_t l = w - p;
	if (Q.used + l > Q.cap)
		Q.buf = realloc(Q.buf, Q.cap = (Q.cap + l) * 2);
	if (Q.n == Q.ncap) {
		Q.ncap = Q.ncap ? Q.ncap * 2 : 1024;
		Q.off = realloc(Q.off, Q.ncap * 4);
		Q.len = realloc(Q.len, Q.ncap * 2);
	}
	memcpy(Q.buf + Q.used, p, l);
	Q.off[Q.n] = Q.used;
	Q.len[Q.n++] = l;
	Q.used += l;
}

static void
load(void)
{
	FILE *f = fopen(opt.file, "r");
	char line[600], n[512], t[32];
	long i = 0;
	if (!f)
		DIE("cannot open %s", opt.file);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%511s %31s", n, t) != 2 || *n == '#' || i++ < opt.skip)
			continue;
		add_query(n, t);
		if (opt.count && opt.uniq < 0 && Q.n >= opt.count)
			break;
	}
	fclose(f);
	if (!Q.n)
		DIE("no queries in %s", opt.file);
}

/* ---- slots: one per outstanding query; id = generation<<12 | index ------- */
struct slot {
	uint64_t t;
	uint16_t id, len;
	uint8_t busy, pkt[MAXPKT + 2];
};
struct conn {
	int fd, nfree, have, pend, pofs;
	uint16_t *freel;
	struct slot *s;
	uint8_t *rb, *wb;
};
static struct conn *C;
static int per; /* slots per socket */

static uint64_t
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* ---- results ------------------------------------------------------------ */
static struct {
	uint64_t sent, recv, lost, bad, tc, bytes, rcode[16], an, resets;
} R;
static uint64_t issued, done_total, lost_total;
/* latency histogram: 64 sub-buckets per power of two, from 1 ns up */
static uint64_t H[64 * 64], latsum, latmax;
static int
hidx(uint64_t v)
{
	if (v < 64)
		return v;
	int e = 63 - __builtin_clzll(v);
	return (e - 5) * 64 + (int)((v >> (e - 6)) & 63);
}
static double
hval(int i)
{
	if (i < 64)
		return i;
	int e = i / 64 + 5;
	return (double)((64ull + i % 64) << (e - 6));
}
static double
pct(double p)
{
	uint64_t c = 0, want = R.recv * p;
	for (int i = 0; i < 64 * 64; i++)
		if ((c += H[i]) > want)
			return hval(i) / 1e3;
	return latmax / 1e3;
}

static struct slot *
issue(struct conn *c, uint64_t t)
{
	struct slot *s = &c->s[c->freel[--c->nfree]];
	size_t q = Q.next;
	if (++Q.next == Q.n)
		Q.next = 0;
	uint16_t idx = s - c->s;
	s->id = (uint16_t)((s->id & 0xf000) + 0x1000) | idx;
	s->t = t;
	s->busy = 1;
	s->len = Q.len[q];
	uint8_t *p = s->pkt + 2; /* two bytes of TCP length in front */
	memcpy(p, Q.buf + Q.off[q], s->len);
	p[0] = s->id >> 8;
	p[1] = s->id;
	s->pkt[0] = s->len >> 8;
	s->pkt[1] = s->len;
	if (opt.uniq >= 0) {
		uint64_t u = opt.uniq++;
		for (int i = 0; i < 8; i++, u >>= 4)
			p[20 - i] = "0123456789abcdef"[u & 15];
	}
	issued++;
	R.sent++;
	return s;
}

static void
answer(struct conn *c, const uint8_t *p, size_t n, uint64_t t)
{
	if (n < 12) {
		R.bad++;
		return;
	}
	uint16_t id = p[0] << 8 | p[1], idx = id & 0xfff;
	if (idx >= per || !c->s[idx].busy || c->s[idx].id != id || !(p[2] & 0x80)) {
		R.bad++;
		return;
	}
	struct slot *s = &c->s[idx];
	uint64_t d = t - s->t;
	s->busy = 0;
	c->freel[c->nfree++] = idx;
	R.recv++;
	done_total++;
	R.bytes += n;
	R.rcode[p[3] & 15]++;
	R.an += p[7] || p[6];
	R.tc += p[2] >> 1 & 1;
	H[hidx(d)]++;
	latsum += d;
	if (d > latmax)
		latmax = d;
}

static void
expire(uint64_t t)
{
	for (int i = 0; i < opt.socks; i++)
		for (int k = 0; k < per; k++) {
			struct slot *s = &C[i].s[k];
			if (s->busy && t - s->t > opt.timeout * 1e9) {
				s->busy = 0;
				C[i].freel[C[i].nfree++] = k;
				R.lost++;
				lost_total++;
				done_total++;
			}
		}
}

static void
dial(struct conn *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
	int one = 1, big = 4 << 20;
	if (inet_pton(AF_INET, opt.addr, &a.sin_addr) != 1)
		DIE("bad address %s", opt.addr);
	c->fd = socket(AF_INET, opt.tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
	if (connect(c->fd, (void *)&a, sizeof a))
		DIE("connect %s:%d: %s", opt.addr, opt.port, strerror(errno));
	if (opt.tcp)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->have = c->pend = c->pofs = 0;
	c->nfree = 0;
	for (int k = 0; k < per; k++) {
		if (c->s[k].busy) {
			R.lost++;
			lost_total++;
			done_total++;
		}
		c->s[k].busy = 0;
		c->freel[c->nfree++] = k;
	}
}

static uint64_t t_begin, t_meas, t_end, t_next;
static int
may_send(uint64_t t) /* how many queries may be issued now */
{
	if (t >= t_end || (opt.count && issued >= opt.count))
		return 0;
	if (!opt.rate)
		return opt.count && opt.count - issued < MAXBATCH ? (int)(opt.count - issued)
		                                                  : MAXBATCH;
	if (t < t_next)
		return 0;
	t_next += 1e9 / opt.rate;
	if (t_next < t)
		t_next = t;
	return 1;
}

static int
udp_send(struct conn *c, uint64_t t, int allow)
{
	static struct mmsghdr m[MAXBATCH];
	static struct iovec v[MAXBATCH];
	int n = 0;
	while (n < opt.batch && n < allow && c->nfree) {
		struct slot *s = issue(c, t);
		v[n] = (struct iovec){s->pkt + 2, s->len};
		m[n].msg_hdr.msg_iov = &v[n];
		m[n].msg_hdr.msg_iovlen = 1;
		n++;
	}
	for (int d = 0; d < n;) {
		int r = sendmmsg(c->fd, m + d, n - d, 0);
		if (r > 0)
			d += r;
		else if (errno != EAGAIN && errno != ECONNREFUSED)
			DIE("send: %s", strerror(errno));
	}
	return n;
}

static int
udp_recv(struct conn *c)
{
	static struct mmsghdr m[MAXBATCH];
	static struct iovec v[MAXBATCH];
	static uint8_t b[MAXBATCH][MAXRSP];
	for (int i = 0; i < opt.batch; i++) {
		v[i] = (struct iovec){b[i], MAXRSP};
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	int r = recvmmsg(c->fd, m, opt.batch, MSG_DONTWAIT, NULL);
	uint64_t t = now();
	for (int i = 0; i < r; i++)
		answer(c, b[i], m[i].msg_len, t);
	return r > 0 ? r : 0;
}

#define TBUF 65536
static int
tcp_send(struct conn *c, uint64_t t, int allow)
{
	int n = 0;
	while (n < allow && c->nfree && c->pend + MAXPKT + 2 < TBUF) {
		struct slot *s = issue(c, t);
		memcpy(c->wb + c->pend, s->pkt, s->len + 2);
		c->pend += s->len + 2;
		n++;
	}
	if (c->pend > c->pofs) {
		ssize_t r = send(c->fd, c->wb + c->pofs, c->pend - c->pofs, MSG_NOSIGNAL);
		if (r > 0)
			c->pofs += r;
		if (c->pofs == c->pend)
			c->pofs = c->pend = 0;
	}
	return n;
}
static int
tcp_recv(struct conn *c)
{
	ssize_t r = recv(c->fd, c->rb + c->have, TBUF - c->have, 0);
	int n = 0, o = 0;
	if (r == 0 || (r < 0 && errno != EAGAIN)) {
		close(c->fd);
		R.resets++;
		dial(c);
		return 0;
	}
	if (r < 0)
		return 0;
	c->have += r;
	uint64_t t = now();
	while (c->have - o >= 2) {
		int l = c->rb[o] << 8 | c->rb[o + 1];
		if (c->have - o < l + 2)
			break;
		answer(c, c->rb + o + 2, l, t);
		o += l + 2;
		n++;
	}
	memmove(c->rb, c->rb + o, c->have -= o);
	return n;
}

int
main(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "a:p:f:l:W:w:s:b:r:n:u:k:o:tEDRP")) != -1)
		switch (o) {
		case 'a':
			opt.addr = optarg;
			break;
		case 'p':
			opt.port = atoi(optarg);
			break;
		case 'f':
			opt.file = optarg;
			break;
		case 'l':
			opt.secs = atof(optarg);
			break;
		case 'W':
			opt.warm = atof(optarg);
			break; /* seconds before counting starts */
		case 'w':
			opt.window = atoi(optarg);
			break; /* outstanding queries, all sockets */
		case 's':
			opt.socks = atoi(optarg);
			break; /* sockets / TCP connections */
		case 'b':
			opt.batch = atoi(optarg);
			break; /* datagrams per sendmmsg/recvmmsg */
		case 'r':
			opt.rate = atof(optarg);
			break; /* paced: queries per second */
		case 'n':
			opt.count = strtoull(optarg, 0, 10);
			break; /* stop after n queries (no warm-up) */
		case 'u':
			opt.uniq = strtoll(optarg, 0, 0);
			break; /* put a unique 8-hex label in front, from this number */
		case 'k':
			opt.skip = atol(optarg);
			break; /* skip the first k lines of the file */
		case 'o':
			opt.timeout = atof(optarg);
			break; /* seconds until a query counts as lost */
		case 't':
			opt.tcp = 1;
			break;
		case 'E':
			opt.edns = 0;
			break;
		case 'D':
			opt.dobit = 1;
			break;
		case 'R':
			opt.rd = 1;
			break;
		case 'P':
			opt.spin = 0;
			break; /* sleep in poll() when idle, do not spin */
		default:
			return 2;
		}
	if (!opt.file)
		DIE("usage: dnsgen -f queries [-a addr] [-p port] [-l secs | -n count] ...");
	if (opt.batch > MAXBATCH)
		opt.batch = MAXBATCH;
	per = opt.window / opt.socks;
	if (per < 1)
		per = 1;
	if (per > 4096)
		DIE("more than 4096 outstanding per socket");
	load();
	C = calloc(opt.socks, sizeof *C);
	struct pollfd *pf = calloc(opt.socks, sizeof *pf);
	for (int i = 0; i < opt.socks; i++) {
		struct conn *c = &C[i];
		c->s = calloc(per, sizeof *c->s);
		c->freel = calloc(per, 2);
		c->rb = malloc(TBUF);
		c->wb = malloc(TBUF);
		dial(c);
	}
	if (opt.count)
		opt.warm = 0;
	t_begin = t_next = now();
	t_meas = t_begin + opt.warm * 1e9;
	t_end = opt.count ? UINT64_MAX : t_meas + opt.secs * 1e9;
	uint64_t hard = t_begin + (opt.warm + (opt.secs > 3 ? opt.secs : 3)) * 1e9 +
	                (opt.count ? 170e9 : 5e9); /* never run for ever */
	uint64_t t_exp = t_begin, last = t_begin;
	int warmed = opt.warm == 0;
	struct rusage u0, u1;
	getrusage(RUSAGE_SELF, &u0);
	int rr = 0;
	for (;;) {
		uint64_t t = now();
		int progress = 0;
		if (!warmed && t >= t_meas) {
			memset(&R, 0, sizeof R);
			memset(H, 0, sizeof H);
			latsum = latmax = 0;
			warmed = 1;
			t_meas = t;
			getrusage(RUSAGE_SELF, &u0);
		}
		if ((opt.count ? done_total >= opt.count : t >= t_end) || t > hard) {
			last = t;
			break;
		}
		if (t - t_exp > 100000000) {
			expire(t);
			t_exp = t;
		}
		for (int k = 0; k < opt.socks; k++) {
			struct conn *c = &C[rr];
			if (++rr == opt.socks)
				rr = 0;
			int allow = c->nfree ? may_send(opt.rate ? now() : t) : 0;
			if (opt.tcp) {
				if (allow || c->pend)
					progress += tcp_send(c, now(), allow);
				progress += tcp_recv(c);
			} else {
				if (allow)
					progress += udp_send(c, now(), allow);
				progress += udp_recv(c);
			}
		}
		if (!progress && !opt.spin) {
			for (int i = 0; i < opt.socks; i++)
				pf[i] = (struct pollfd){C[i].fd, POLLIN, 0};
			poll(pf, opt.socks, 1);
		}
	}
	getrusage(RUSAGE_SELF, &u1);
	double secs = warmed && last > t_meas ? (last - t_meas) / 1e9 : 1e-9;
	if (!warmed)
		memset(&R, 0, sizeof R); /* so starved of CPU that counting never began */
	double cpu =
	    (u1.ru_utime.tv_sec + u1.ru_stime.tv_sec - u0.ru_utime.tv_sec - u0.ru_stime.tv_sec) +
	    (u1.ru_utime.tv_usec + u1.ru_stime.tv_usec - u0.ru_utime.tv_usec -
	     u0.ru_stime.tv_usec) /
		1e6;
	printf(
	    "{\"sent\":%lu,\"recv\":%lu,\"lost\":%lu,\"bad\":%lu,\"resets\":%lu,\"tc\":%lu,"
	    "\"secs\":%.4f,\"qps\":%.1f,\"avg_bytes\":%.1f,"
	    "\"all_recv\":%lu,\"with_answer\":%lu,\"gen_cpu\":%.3f,\"avg\":%.2f,\"p50\":%.2f,"
	    "\"p90\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f,\"next_uniq\":%ld,\"rcodes\":{",
	    R.sent, R.recv, R.lost, R.bad, R.resets, R.tc, secs, R.recv / secs,
	    R.recv ? (double)R.bytes / R.recv : 0, done_total - lost_total, R.an, cpu,
	    R.recv ? latsum / 1e3 / R.recv : 0, pct(.5), pct(.9), pct(.99), pct(.999), latmax / 1e3,
	    (long)opt.uniq);
	for (int i = 0, f = 0; i < 16; i++)
		if (R.rcode[i])
			printf("%s\"%d\":%lu", f++ ? "," : "", i, R.rcode[i]);
	puts("}}");
	return 0;
}

/*
 * pop3load - POP3 load generator (epoll): whole sessions in a loop, or counting.
 *   pop3load -p PORT -c CONNS -d SECS [-u FMT] [-U USERS] [-b FIRST] [-P PASS] [-r RETRS]
 *     each session: connect, USER, PASS, STAT, UIDL, RETR x RETRS, QUIT
 *   pop3load -M wait -p PORT -U USERS -b FIRST -n TOTAL -d SECS
 *     USER, PASS, STAT, QUIT over all USERS, again and again until their sum is TOTAL; exits 1 when it never is
 * A maildrop that is still locked by the session before ([IN-USE]) is tried again, and counted.
 * Prints "name value" lines.
 */
#include "net.h"

struct conn {
	int fd, id, step, multi;
	uint64_t t0;
	unsigned len;
	char line[128];
};
static int port, conns = 1, secs = 5, nusers = 1, firstuser = 1, retrs = 10, ep, live, stopping;
static int counting, total = 1;
static const char *userfmt = "u%d@bench.test", *pass = "pw", *mode = "load";
static uint64_t sessions, rx, in_use, counted;
static struct hist lat;

static void
dial(struct conn *c)
{
	int id = c->id;
	memset(c, 0, sizeof *c);
	c->id = id;
	c->t0 = now_ns();
	c->fd = tcp_dial(port);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	live++;
}

static void
end(struct conn *c, int stays)
{
	close(c->fd);
	c->fd = -1;
	live--;
	if (!stays)
		dial(c);
}

/* A full reply has arrived: send the next command of the script. */
static void
next(struct conn *c)
{
	char b[160];
	int l, s = c->step++, quit = counting ? 3 : 4 + retrs;
	c->multi = 0;
	if (s == 0) {
		l = sprintf(b, "USER ");
		l += snprintf(b + l, 96, userfmt, firstuser + c->id % nusers);
		l += sprintf(b + l, "\r\n");
	} else if (s == 1)
		l = sprintf(b, "PASS %s\r\n", pass);
	else if (s == 2)
		l = sprintf(b, "STAT\r\n");
	else if (s == quit)
		l = sprintf(b, "QUIT\r\n");
	else if (s > quit) {
		hist_add(&lat, now_ns() - c->t0);
		sessions++;
		end(c, counting || stopping);
		return;
	} else if (s == 3)
		c->multi = 1, l = sprintf(b, "UIDL\r\n");
	else
		c->multi = 1, l = sprintf(b, "RETR %d\r\n", s - 3);
	write_all(c->fd, b, (size_t)l);
}

static void
feed(struct conn *c, const char *p, size_t n)
{
	while (n && c->fd >= 0) {
		const char *e = memchr(p, '\n', n);
		size_t k = e ? (size_t)(e - p) + 1 : n, room = sizeof c->line - 1 - c->len,
		       m = k < room ? k : room;
		memcpy(c->line + c->len, p, m);
		c->len += (unsigned)m;
		p += k;
		n -= k;
		if (!e)
			return;
		c->line[c->len] = 0;
		c->len = 0;
		if (c->multi == 2) { /* inside a multi-line reply */
			if (c->line[0] == '.' && c->line[1] == '\r')
				next(c);
			continue;
		}
		if (c->step == 2 && !strncmp(c->line, "-ERR [IN-USE]", 13)) {
			in_use++;
			end(c, stopping);
			return;
		}
		if (c->line[0] != '+')
			die("step %d: %s", c->step, c->line);
		if (counting && c->step == 3)
			counted += strtoul(c->line + 4, NULL, 10);
		if (c->multi == 1)
			c->multi = 2;
		else
			next(c);
	}
}

static void
loop(void)
{
	static char buf[262144];
	struct epoll_event ev[256];
	int n = epoll_wait(ep, ev, 256, 100);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;
		ssize_t r = c->fd < 0 ? -1 : recv(c->fd, buf, sizeof buf, 0);
		if (r == 0)
			die("server closed at step %d", c->step);
		if (r > 0) {
			rx += (uint64_t)r;
			feed(c, buf, (size_t)r);
		}
	}
}

/* The sum of STAT over all users, each asked once. */
static uint64_t
count_all(struct conn *cs)
{
	counted = 0;
	for (int i = 0; i < nusers; i++) {
		cs[i].id = i;
		dial(&cs[i]);
		while (live >= 10)
			loop();
	}
	while (live)
		loop();
	return counted;
}

static int
wait_for_all(void)
{
	struct conn *cs = calloc((size_t)nusers, sizeof *cs);
	uint64_t start = now_ns(), limit = start + (uint64_t)secs * 1000000000ull, got;
	counting = 1;
	while ((got = count_all(cs)) < (uint64_t)total && now_ns() < limit)
		usleep(10000);
	printf("messages %lu\nwaited %.4f\n", (unsigned long)got, (double)(now_ns() - start) / 1e9);
	return got < (uint64_t)total;
}

int
main(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "p:c:d:u:U:b:P:r:M:n:")) != -1)
		switch (o) {
		case 'p':
			port = atoi(optarg);
			break;
		case 'c':
			conns = atoi(optarg);
			break;
		case 'd':
			secs = atoi(optarg);
			break;
		case 'u':
			userfmt = optarg;
			break;
		case 'U':
			nusers = atoi(optarg);
			break;
		case 'b':
			firstuser = atoi(optarg);
			break;
		case 'P':
			pass = optarg;
			break;
		case 'M':
			mode = optarg;
			break;
		case 'n':
			total = atoi(optarg);
			break;
		case 'r':
			retrs = atoi(optarg);
			break;
		default:
			die("usage: see the head of pop3load.c");
		}
	signal(SIGPIPE, SIG_IGN);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (!strcmp(mode, "wait"))
		return wait_for_all();
	struct conn *cs = calloc((size_t)conns, sizeof *cs);
	for (int i = 0; i < conns; i++) {
		cs[i].id = i;
		dial(&cs[i]);
	}
	uint64_t start = now_ns(), stop = start + (uint64_t)secs * 1000000000ull;
	double cpu = cpu_self();
	while (now_ns() < stop)
		loop();
	double wall = (double)(now_ns() - start) / 1e9;
	cpu = cpu_self() - cpu;
	uint64_t done = sessions;
	stopping = 1;
	for (uint64_t grace = now_ns() + 5000000000ull; live && now_ns() < grace;)
		loop();
	printf("ops %lu\nin_use %lu\nsessions_per_s %.1f\nmib_per_s %.1f\nclient_cpu %.2f\nwall "
	       "%.3f\nlat_session n=%lu p50=%.3f p95=%.3f p99=%.3f max=%.3f\n",
	       (unsigned long)done, (unsigned long)in_use, (double)done / wall,
	       (double)rx / wall / 1048576, cpu / wall, wall, (unsigned long)lat.n,
	       hist_ms(&lat, .5), hist_ms(&lat, .95), hist_ms(&lat, .99), (double)lat.max / 1e6);
	return 0;
}

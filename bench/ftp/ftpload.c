/*
 * ftpload - FTP load generator against 127.0.0.1 (passive mode, EPSV for every transfer, no pipelining).
 *   ftpload -p PORT [-u USER] [-P PASS] -M MODE ...
 *     -M retr   -D DIR -n FILES           RETR DIR/f00000 ... over one control connection
 *     -M stor   -D DIR -n FILES -z BYTES  STOR them
 *     -M list|mlsd -D DIR -n TIMES        list a directory
 *     -M logins -c CONNS -d SECS          connect, USER, PASS, QUIT in a loop on CONNS threads
 *     -M idle   -c CONNS -d SECS          log in CONNS sessions, print READY, hold until stdin closes
 *     -M get    -D PATH -c CONNS          RETR one large file on CONNS connections at once, discarding without a copy (MSG_TRUNC)
 *     -M put    -D DIR -c CONNS -z BYTES  STOR DIR/putN on CONNS connections at once, from memory
 * Prints "name value" lines.
 */
#include "net.h"
#include <pthread.h>

struct ctl {
	int fd;
	size_t n;
	char b[4096];
	char line[1024];
};
static int port, conns = 1, secs = 5, files = 1;
static size_t size = 4096;
static const char *user = "bench", *pass = "pw", *mode = "", *dir = "";
static uint64_t stop_at;

/* One full reply (the last line of a multi-line one); returns its code. */
static int
reply(struct ctl *c)
{
	for (;;) {
		char *e = memchr(c->b, '\n', c->n);
		if (!e) {
			ssize_t r = recv(c->fd, c->b + c->n, sizeof c->b - c->n, 0);
			if (r <= 0)
				die("control connection closed");
			c->n += (size_t)r;
			continue;
		}
		size_t k = (size_t)(e - c->b) + 1, m = k < sizeof c->line ? k : sizeof c->line - 1;
		memcpy(c->line, c->b, m);
		c->line[m] = 0;
		memmove(c->b, c->b + k, c->n -= k);
		if (m > 3 && c->line[0] >= '1' && c->line[0] <= '5' && c->line[3] == ' ')
			return atoi(c->line);
	}
}

static int
cmd(struct ctl *c, const char *fmt, ...)
{
	char b[600];
	va_list ap;
	va_start(ap, fmt);
	int l = vsnprintf(b, sizeof b - 2, fmt, ap);
	va_end(ap);
	memcpy(b + l, "\r\n", 2);
	write_all(c->fd, b, (size_t)l + 2);
	return reply(c);
}

static void
need(struct ctl *c, int got, int class)
{
	if (got / 100 != class)
		die("unexpected reply: %s", c->line);
}

static void
login(struct ctl *c)
{
	c->n = 0;
	c->fd = tcp_dial(port);
	need(c, reply(c), 2);
	need(c, cmd(c, "USER %s", user), 3);
	need(c, cmd(c, "PASS %s", pass), 2);
}

static int
data(struct ctl *c)
{
	need(c, cmd(c, "EPSV"), 2);
	char *p = strstr(c->line, "|||");
	if (!p)
		die("EPSV: %s", c->line);
	return tcp_dial(atoi(p + 3));
}

static uint64_t
drain(int fd, int flags, uint64_t *lines)
{
	static __thread char buf[1 << 20];
	uint64_t sum = 0;
	for (ssize_t r; (r = recv(fd, buf, sizeof buf, flags)) > 0; sum += (uint64_t)r)
		if (lines)
			for (char *p = buf; (p = memchr(p, '\n', (size_t)(buf + r - p))); p++)
				++*lines;
	close(fd);
	return sum;
}

static void
quit(struct ctl *c)
{
	cmd(c, "QUIT");
	close(c->fd);
}

static void *
logins(void *arg)
{
	struct ctl c;
	uint64_t *n = arg;
	while (now_ns() < stop_at) {
		login(&c);
		quit(&c);
		++*n;
	}
	return NULL;
}

static void *
bulk(void *arg)
{
	static char block[1 << 20];
	uint64_t *sum = arg;
	long id = (long)*sum;
	struct ctl c;
	login(&c);
	need(&c, cmd(&c, "TYPE I"), 2);
	int d = data(&c);
	if (!strcmp(mode, "get")) {
		need(&c, cmd(&c, "RETR %s", dir), 1);
		*sum = drain(d, MSG_TRUNC, NULL);
	} else {
		need(&c, cmd(&c, "STOR %s/put%ld", dir, id), 1);
		for (size_t left = size; left; left -= left < sizeof block ? left : sizeof block)
			write_all(d, block, left < sizeof block ? left : sizeof block);
		close(d);
		*sum = size;
	}
	need(&c, reply(&c), 2);
	quit(&c);
	return NULL;
}

int
main(int argc, char **argv)
{
	int o;
	while ((o = getopt(argc, argv, "p:u:P:M:D:c:d:n:z:")) != -1)
		switch (o) {
		case 'p':
			port = atoi(optarg);
			break;
		case 'u':
			user = optarg;
			break;
		case 'P':
			pass = optarg;
			break;
		case 'M':
			mode = optarg;
			break;
		case 'D':
			dir = optarg;
			break;
		case 'c':
			conns = atoi(optarg);
			break;
		case 'd':
			secs = atoi(optarg);
			break;
		case 'n':
			files = atoi(optarg);
			break;
		case 'z':
			size = strtoull(optarg, NULL, 10);
			break;
		default:
			die("usage: see the head of ftpload.c");
		}
	signal(SIGPIPE, SIG_IGN);
	uint64_t t0 = now_ns(), n = 0, bytes = 0;
	double cpu = cpu_self();
	if (!strcmp(mode, "logins") || !strcmp(mode, "get") || !strcmp(mode, "put")) {
		pthread_t th[conns];
		uint64_t cnt[conns];
		int l = !strcmp(mode, "logins");
		stop_at = t0 + (uint64_t)secs * 1000000000ull;
		for (int i = 0; i < conns; i++) {
			cnt[i] = l ? 0 : (uint64_t)i;
			pthread_create(&th[i], NULL, l ? logins : bulk, &cnt[i]);
		}
		for (int i = 0; i < conns; i++) {
			pthread_join(th[i], NULL);
			n += cnt[i];
		}
		double w = (double)(now_ns() - t0) / 1e9;
		printf("ops %lu\nlogins_per_s %.1f\nmib_per_s %.1f\nclient_cpu %.2f\nwall %.3f\n",
		       (unsigned long)n, (double)n / w, (double)n / w / 1048576,
		       (cpu_self() - cpu) / w, w);
		return 0;
	}
	if (!strcmp(mode, "idle")) {
		struct ctl *c = calloc((size_t)conns, sizeof *c);
		for (int i = 0; i < conns; i++) {
			login(&c[i]);
			need(&c[i], cmd(&c[i], "PWD"), 2);
		}
		printf("READY %d\n", conns);
		fflush(stdout);
		struct pollfd pf = {.fd = 0, .events = POLLIN};
		poll(&pf, 1, secs * 1000);
		return 0;
	}
	struct ctl c;
	char *block = calloc(1, size);
	static struct hist lat;
	login(&c);
	need(&c, cmd(&c, "TYPE I"), 2);
	t0 = now_ns();
	for (int i = 0; i < files; i++) {
		uint64_t t = now_ns();
		int d = data(&c);
		if (!strcmp(mode, "stor")) {
			need(&c, cmd(&c, "STOR %s/f%05d", dir, i), 1);
			write_all(d, block, size);
			close(d);
			bytes += size;
		} else {
			if (!strcmp(mode, "retr"))
				need(&c, cmd(&c, "RETR %s/f%05d", dir, i), 1);
			else
				need(&c,
				     cmd(&c, "%s %s", !strcmp(mode, "list") ? "LIST" : "MLSD", dir),
				     1);
			bytes += drain(d, 0, &n);
		}
		need(&c, reply(&c), 2);
		hist_add(&lat, now_ns() - t);
	}
	double w = (double)(now_ns() - t0) / 1e9;
	printf("ops %d\nops_per_s %.1f\nbytes %lu\nlines %lu\nclient_cpu %.2f\np50_ms %.3f\np99_ms "
	       "%.3f\nwall %.3f\n",
	       files, files / w, (unsigned long)bytes, (unsigned long)n, (cpu_self() - cpu) / w,
	       hist_ms(&lat, .5), hist_ms(&lat, .99), w);
	quit(&c);
	return 0;
}

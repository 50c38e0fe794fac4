/*
 * imapload - IMAP load generator: one process, epoll, N connections to 127.0.0.1.
 *
 *   imapload -p PORT [-t] [-u FMT] [-U USERS] [-P PASS] MODE...
 *     -u FMT    user name format with one %d (default u%d@bench.test); connection i uses user 1 + i % USERS
 *     -b N      number of the first user (default 1)
 *     -t        TLS from the start (port 993 style)
 *   modes (one):
 *     -M steady  -c CONNS -d SECS [-w op=weight,...]   login+SELECT once, then a random weighted mix
 *     -M session -c CONNS -d SECS                      whole sessions: connect LOGIN SELECT ... LOGOUT
 *     -M idle    -c CONNS -d SECS [-i]                 log in, SELECT, (-i: IDLE), print READY, hold until stdin closes
 *     -M select                                        one session: prints the SELECT time
 *     -M seed    -n MESSAGES -z BYTES                  APPEND messages to INBOX of each of USERS users
 *     -M count                                         prints the sum of STATUS INBOX (MESSAGES) over USERS users
 *     -M waitcount -n TOTAL -d SECS                    polls that sum until TOTAL, prints seconds waited
 * Prints "name value" lines; latencies in milliseconds.
 */
#include "net.h"
#include <openssl/ssl.h>

enum op {
	LOGIN,
	SELECT,
	FLAGS,
	HDR,
	BODY,
	BIG,
	STORE,
	SEARCH,
	SUBJ,
	APPEND,
	IDLE,
	NOOP,
	STATUS,
	LOGOUT,
	NOPS
};
static const char *opname[NOPS] = {"login", "select", "flags",  "hdr",     "body",
                                   "big",   "store",  "search", "subject", "append",
                                   "idle",  "noop",   "status", "logout"};
/* One client checking mail, as a script. */
static const enum op session_script[] = {LOGIN, SELECT, FLAGS,  HDR,  BODY,  BODY,
                                         STORE, SEARCH, APPEND, IDLE, LOGOUT};

struct conn {
	int fd, id, step, want_cont;
	SSL *ssl;
	enum op op;
	unsigned tagn, seed;
	uint64_t t0, lit, fetched, status;
	uint32_t exists, expect; /* expect: EXISTS when the command was sent */
	int greeted, midline;    /* midline: this line continues one that ended in a literal */
	char line[512];          /* first bytes of the current line */
	unsigned len;
	char tail[16]; /* last bytes of the current line piece, for {n} */
	unsigned tlen;
};

static int port, tls, nusers = 1, firstuser = 1, conns = 1, secs = 5, do_idle, msgs = 1,
		      msgsize = 4096;
static const char *userfmt = "u%d@bench.test", *pass = "pw", *mode = "steady";
static unsigned weight[NOPS], wsum;
static struct hist lat[NOPS];
static uint64_t rx_bytes, fetched_total, errors, sessions, stop_at, ops_done;
static int ep, stopping, live;
static SSL_CTX *ctx;
static char *msgbuf;
static size_t msglen;

static unsigned
rnd(struct conn *c)
{
	return (c->seed = c->seed * 1664525u + 1013904223u) >> 8;
}

/* A plausible message of about `size` bytes, CRLF lines. */
static size_t
make_msg(char *p, size_t size, unsigned n)
{
	size_t l = (size_t)sprintf(
	    p,
	    "Return-Path: <sender@example.test>\r\nReceived: from client.example.test by "
	    "mx.bench.test; Wed, 1 Jan 2025 00:00:00 +0000\r\n"
	    "Date: Wed, 1 Jan 2025 00:00:%02u +0000\r\nFrom: Sender Number %u "
	    "<sender%u@example.test>\r\nTo: user@bench.test\r\n"
	    "Subject: benchmark message number %u\r\nMessage-ID: "
	    "<%u.%zu@example.test>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n",
	    n % 60, n % 97, n % 97, n, n, size);
	while (l + 78 < size) {
		for (int i = 0; i < 76; i++, l++)
			p[l] = (char)('a' + (int)((l * 7 + n) % 26));
		p[l++] = '\r';
		p[l++] = '\n';
	}
	return l + (size_t)sprintf(p + l, "end\r\n");
}

static void
snd(struct conn *c, const char *p, size_t n)
{
	if (!c->ssl) {
		write_all(c->fd, p, n);
		return;
	}
	while (n) {
		int w = SSL_write(c->ssl, p, (int)n);
		if (w <= 0) {
			struct pollfd pf = {.fd = c->fd, .events = POLLOUT};
			if (SSL_get_error(c->ssl, w) != SSL_ERROR_WANT_WRITE)
				die("SSL_write failed");
			poll(&pf, 1, 10000);
			continue;
		}
		p += w;
		n -= (size_t)w;
	}
}

static ssize_t
rcv(struct conn *c, char *p, size_t n)
{
	if (!c->ssl)
		return recv(c->fd, p, n, 0);
	int r = SSL_read(c->ssl, p, (int)n);
	if (r > 0)
		return r;
	if (SSL_get_error(c->ssl, r) == SSL_ERROR_WANT_READ) {
		errno = EAGAIN;
		return -1;
	}
	return 0;
}

static void
dial(struct conn *c)
{
	int id = c->id;
	unsigned seed = c->seed;
	memset(c, 0, sizeof *c);
	c->id = id;
	c->seed = seed ? seed : 12345u + (unsigned)id * 7919u;
	c->fd = tcp_dial(port);
	if (tls) {
		c->ssl = SSL_new(ctx);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_connect(c->ssl) != 1)
			die("TLS handshake failed");
	}
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
	epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	live++;
}

static void
hangup(struct conn *c)
{
	if (c->ssl) {
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	close(c->fd);
	c->fd = -1;
	live--;
}

static void
issue(struct conn *c, enum op op)
{
	char b[512], user[96];
	unsigned n = c->exists ? c->exists : 1, i;
	int l = sprintf(b, "a%u ", ++c->tagn);
	char *p = b + l;
	snprintf(user, sizeof user, userfmt, firstuser + c->id % nusers);
	c->op = op;
	c->want_cont = 0;
	c->expect = c->exists;
	switch (op) {
	case LOGIN:
		l += sprintf(p, "LOGIN %s %s\r\n", user, pass);
		break;
	case SELECT:
		l += sprintf(p, "SELECT INBOX\r\n");
		break;
	case FLAGS:
		l += sprintf(p, "FETCH 1:* FLAGS\r\n");
		break;
	case HDR:
		i = 1 + rnd(c) % n;
		l +=
		    sprintf(p, "UID FETCH %u:%u (UID RFC822.SIZE BODY.PEEK[HEADER])\r\n", i, i + 9);
		break;
	case BODY:
		l += sprintf(p, "FETCH %u BODY[]\r\n", 1 + rnd(c) % n);
		break;
	case BIG:
		l += sprintf(p, "FETCH %u BODY.PEEK[]\r\n", 1 + rnd(c) % n);
		break;
	case STORE:
		i = rnd(c);
		l += sprintf(p, "STORE %u %cFLAGS (%s)\r\n", 1 + i % n, i & 0x1000 ? '+' : '-',
		             i & 0x2000 ? "\\Flagged" : "\\Answered");
		break;
	case SEARCH:
		l += sprintf(p, "UID SEARCH UNSEEN\r\n");
		break;
	case SUBJ:
		l += sprintf(p, "SEARCH SUBJECT \"number %u\"\r\n", rnd(c) % n);
		break;
	case APPEND:
		l += sprintf(p, "APPEND INBOX (\\Seen) {%zu}\r\n", msglen);
		c->want_cont = 1;
		break;
	case IDLE:
		l += sprintf(p, "IDLE\r\n");
		c->want_cont = 1;
		break;
	case NOOP:
		l += sprintf(p, "NOOP\r\n");
		break;
	case STATUS:
		l += sprintf(p, "STATUS INBOX (MESSAGES UNSEEN)\r\n");
		break;
	default:
		l += sprintf(p, "LOGOUT\r\n");
	}
	c->t0 = now_ns();
	snd(c, b, (size_t)l);
}

static void
next(struct conn *c)
{
	if (c->step == 0) {
		issue(c, LOGIN);
		c->step = 1;
		return;
	}
	if (!strcmp(mode, "session")) {
		if (c->step < (int)(sizeof session_script / sizeof *session_script)) {
			issue(c, session_script[c->step++]);
			return;
		}
		sessions++;
		hangup(c);
		if (!stopping)
			dial(c);
		return;
	}
	if (!strcmp(mode, "count") || !strcmp(mode, "waitcount")) {
		if (c->step == 1)
			issue(c, STATUS);
		c->step = 2;
		return;
	}
	if (c->step == 1) {
		issue(c, SELECT);
		c->step = 2;
		return;
	}
	if (!strcmp(mode, "idle") || !strcmp(mode, "select")) {
		if (c->step == 2 && do_idle)
			issue(c, IDLE);
		c->step = 3;
		return;
	}
	if (stopping) {
		hangup(c);
		return;
	}
	unsigned r = rnd(c) % wsum;
	enum op op = 0;
	while (r >= weight[op])
		r -= weight[op++];
	issue(c, op);
}

static void
on_line(struct conn *c)
{
	const char *s = c->line;
	if (!c->greeted) {
		c->greeted = 1;
		next(c);
	} else if (s[0] == '*') {
		char *q;
		unsigned long v = strtoul(s + 2, &q, 10);
		if (!strncmp(q, " FETCH", 6))
			c->fetched++;
		else if (!strncmp(q, " EXISTS", 7))
			c->exists = (uint32_t)v;
		else if (!strncmp(s, "* STATUS", 8) && (q = strstr(s, "MESSAGES ")))
			c->status = strtoul(q + 9, NULL, 10);
		else if (!strncmp(s, "* BYE", 5) && c->op != LOGOUT)
			die("server said %s", s);
	} else if (s[0] == '+') {
		if (!c->want_cont)
			return;
		c->want_cont = 0;
		if (c->op == APPEND) {
			snd(c, msgbuf, msglen);
			snd(c, "\r\n", 2);
		} else if (!strcmp(mode, "idle"))
			c->step = 4; /* stay in IDLE */
		else
			snd(c, "DONE\r\n", 6);
	} else if (s[0] == 'a' && strtoul(s + 1, NULL, 10) == c->tagn) {
		const char *q = strchr(s, ' ');
		hist_add(&lat[c->op], now_ns() - c->t0);
		ops_done++;
		fetched_total += c->fetched;
		if (!q || strncmp(q + 1, "OK", 2)) {
			if (errors++ < 5)
				fprintf(stderr, "%s -> %s\n", opname[c->op], s);
			if (c->op == LOGIN)
				die("login failed");
		}
		if (c->op == FLAGS && c->fetched < c->expect && errors++ < 5)
			fprintf(stderr, "FETCH 1:* FLAGS gave %lu of %u\n",
			        (unsigned long)c->fetched, c->expect);
		c->fetched = 0;
		next(c);
	}
}

/* Split the stream into response lines; skip literal bodies without copying them. */
static void
feed(struct conn *c, const char *p, size_t n)
{
	while (n && c->fd >= 0) {
		if (c->lit) {
			size_t k = n < c->lit ? n : c->lit;
			c->lit -= k;
			p += k;
			n -= k;
			continue;
		}
		const char *e = memchr(p, '\n', n);
		size_t k = e ? (size_t)(e - p) + 1 : n;
		if (!c->midline && c->len < sizeof c->line - 1) {
			size_t room = sizeof c->line - 1 - c->len, m = k < room ? k : room;
			memcpy(c->line + c->len, p, m);
			c->len += (unsigned)m;
		}
		if (k >= sizeof c->tail) {
			memcpy(c->tail, p + k - sizeof c->tail, sizeof c->tail);
			c->tlen = sizeof c->tail;
		} else {
			unsigned keep = c->tlen + (unsigned)k > sizeof c->tail
			                    ? (unsigned)(sizeof c->tail - k)
			                    : c->tlen;
			memmove(c->tail, c->tail + c->tlen - keep, keep);
			memcpy(c->tail + keep, p, k);
			c->tlen = keep + (unsigned)k;
		}
		p += k;
		n -= k;
		if (!e)
			return;
		/* does the line end in {123}\r\n ? */
		int i = (int)c->tlen - 1;
		while (i >= 0 && (c->tail[i] == '\n' || c->tail[i] == '\r'))
			i--;
		uint64_t v = 0, mul = 1;
		int lit = 0;
		if (i >= 2 && c->tail[i] == '}') {
			for (i--; i >= 0 && c->tail[i] >= '0' && c->tail[i] <= '9'; i--, mul *= 10)
				v += (uint64_t)(c->tail[i] - '0') * mul;
			lit = i >= 0 && c->tail[i] == '{' && mul > 1;
		}
		c->tlen = 0;
		if (lit) {
			c->lit = v;
			c->midline = 1;
			continue;
		}
		c->line[c->len] = 0;
		c->midline = 0;
		c->len = 0;
		on_line(c);
	}
}

/* ---- seeding: plain blocking code; MULTIAPPEND + LITERAL+ when offered ---- */
static char sbuf[65536];
static size_t slen;
static char *
sline(int fd)
{
	static char out[4096];
	for (;;) {
		char *e = memchr(sbuf, '\n', slen);
		if (e) {
			size_t k = (size_t)(e - sbuf) + 1,
			       m = k < sizeof out - 1 ? k : sizeof out - 1;
			memcpy(out, sbuf, m);
			out[m] = 0;
			memmove(sbuf, sbuf + k, slen -= k);
			return out;
		}
		ssize_t r = recv(fd, sbuf + slen, sizeof sbuf - slen, 0);
		if (r <= 0)
			die("seed: connection closed");
		slen += (size_t)r;
	}
}

static void
seed(void)
{
	char *m = malloc((size_t)msgsize + 2048), b[128];
	for (int u = 0; u < nusers; u++) {
		char user[96], *l, *caps;
		int fd = tcp_dial(port), multi = 0;
		slen = 0;
		snprintf(user, sizeof user, userfmt, firstuser + u);
		sline(fd);
		write_all(fd, b, (size_t)sprintf(b, "a LOGIN %s %s\r\n", user, pass));
		while ((l = sline(fd))[0] == '*')
			;
		if (strncmp(l, "a OK", 4))
			die("seed login: %s", l);
		write_all(fd, "b CAPABILITY\r\n", 14);
		while ((caps = sline(fd))[0] == '*')
			if (strstr(caps, "MULTIAPPEND") && strstr(caps, "LITERAL+"))
				multi = 1;
		for (int i = 0; i < msgs;) {
			int batch = multi ? 500 : 1, k = 0;
			write_all(fd, "c APPEND INBOX", 14);
			for (; k < batch && i < msgs; k++, i++) {
				size_t n = make_msg(m, (size_t)msgsize, (unsigned)i);
				write_all(fd, b,
				          (size_t)sprintf(b, " {%zu%s}\r\n", n, multi ? "+" : ""));
				if (!multi)
					while ((l = sline(fd))[0] != '+')
						if (l[0] != '*')
							die("seed: %s", l);
				write_all(fd, m, n);
			}
			write_all(fd, "\r\n", 2);
			while ((l = sline(fd))[0] == '*')
				;
			if (strncmp(l, "c OK", 4))
				die("seed append: %s", l);
		}
		close(fd);
	}
	free(m);
}

static void
loop(int timeout_ms)
{
	struct epoll_event ev[256];
	static char buf[262144];
	int n = epoll_wait(ep, ev, 256, timeout_ms);
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;
		for (;;) {
			ssize_t r = c->fd < 0 ? -1 : rcv(c, buf, sizeof buf);
			if (r < 0)
				break;
			if (r == 0) {
				if (!stopping && c->op != LOGOUT)
					die("server closed connection %d during %s", c->id,
					    opname[c->op]);
				hangup(c);
				break;
			}
			rx_bytes += (uint64_t)r;
			int fd = c->fd;
			feed(c, buf, (size_t)r);
			if (c->fd != fd || (size_t)r < sizeof buf / 2)
				if (!c->ssl || c->fd != fd || !SSL_pending(c->ssl))
					break;
		}
	}
}

/* Sum of STATUS INBOX (MESSAGES) over all users; connections stay open between calls. */
static uint64_t
count_all(struct conn *cs)
{
	uint64_t sum = 0, want = ops_done + (uint64_t)nusers;
	for (int i = 0; i < nusers; i++) {
		if (!cs[i].greeted) {
			cs[i].id = i;
			dial(&cs[i]);
			while (cs[i].step < 2) /* LOGIN, then next() has sent the first STATUS */
				loop(1000);
			want++;
		} else
			issue(&cs[i], STATUS);
	}
	while (ops_done < want)
		loop(1000);
	for (int i = 0; i < nusers; i++)
		sum += cs[i].status;
	return sum;
}

int
main(int argc, char **argv)
{
	int o;
	/* Default mix: mostly reading, some changes, now and then a full resync. */
	const char *w = "hdr=25,body=25,store=12,search=5,append=5,idle=8,noop=12,status=6,flags=2";
	while ((o = getopt(argc, argv, "p:tu:U:b:P:M:c:d:w:n:z:i")) != -1)
		switch (o) {
		case 'p':
			port = atoi(optarg);
			break;
		case 't':
			tls = 1;
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
		case 'c':
			conns = atoi(optarg);
			break;
		case 'd':
			secs = atoi(optarg);
			break;
		case 'w':
			w = optarg;
			break;
		case 'n':
			msgs = atoi(optarg);
			break;
		case 'z':
			msgsize = atoi(optarg);
			break;
		case 'i':
			do_idle = 1;
			break;
		default:
			die("usage: see the head of imapload.c");
		}
	signal(SIGPIPE, SIG_IGN);
	if (tls) {
		ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	}
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (!strcmp(mode, "seed")) {
		seed();
		return 0;
	}
	struct conn *cs = calloc((size_t)(conns > nusers ? conns : nusers), sizeof *cs);
	uint64_t start = now_ns();
	if (!strcmp(mode, "count")) {
		printf("messages %lu\n", (unsigned long)count_all(cs));
		return 0;
	}
	if (!strcmp(mode, "waitcount")) {
		uint64_t got, end = start + (uint64_t)secs * 1000000000ull;
		while ((got = count_all(cs)) < (uint64_t)msgs && now_ns() < end)
			usleep(10000);
		printf("messages %lu\nwaited %.4f\n", (unsigned long)got,
		       (double)(now_ns() - start) / 1e9);
		return got < (uint64_t)msgs;
	}
	for (char *d = strdup(w), *t; (t = strsep(&d, ","));)
		for (int i = 0; i < NOPS; i++) {
			size_t k = strlen(opname[i]);
			if (!strncmp(t, opname[i], k) && t[k] == '=')
				wsum += weight[i] = (unsigned)atoi(t + k + 1);
		}
	msgbuf = malloc((size_t)msgsize + 2048);
	msglen = make_msg(msgbuf, (size_t)msgsize, 1);
	int holding = !strcmp(mode, "idle"), one = !strcmp(mode, "select");
	for (int i = 0; i < conns; i++) {
		cs[i].id = i;
		dial(&cs[i]);
		if (holding || one) /* one at a time, so login queues do not overflow */
			while (cs[i].step < (do_idle ? 4 : 3))
				loop(1000);
	}
	if (one) {
		printf("login_ms %.3f\nselect_ms %.3f\nexists %u\n", hist_ms(&lat[LOGIN], 0.5),
		       hist_ms(&lat[SELECT], 0.5), cs[0].exists);
		return 0;
	}
	if (holding) {
		printf("READY %d\n", live);
		fflush(stdout);
		struct pollfd pf = {.fd = 0, .events = POLLIN};
		poll(&pf, 1, secs * 1000);
		return 0;
	}
	double cpu0 = cpu_self();
	stop_at = start + (uint64_t)secs * 1000000000ull;
	uint64_t t = start;
	while (live && (t = now_ns()) < stop_at)
		loop(100);
	double wall = (double)(t - start) / 1e9, cpu = cpu_self() - cpu0;
	uint64_t done = ops_done, rx = rx_bytes;
	stopping = 1;
	for (uint64_t grace = now_ns() + 5000000000ull; live && now_ns() < grace;)
		loop(100);
	printf("ops %lu\nops_per_s %.1f\nmib_per_s %.1f\nfetches %lu\nsessions_per_s %.1f\nerrors "
	       "%lu\nclient_cpu %.2f\nwall %.3f\n",
	       (unsigned long)done, (double)done / wall, (double)rx / wall / 1048576,
	       (unsigned long)fetched_total, (double)sessions / wall, (unsigned long)errors,
	       cpu / wall, wall);
	for (int i = 0; i < NOPS; i++)
		if (lat[i].n)
			printf("lat_%s n=%lu p50=%.3f p95=%.3f p99=%.3f max=%.3f\n", opname[i],
			       (unsigned long)lat[i].n, hist_ms(&lat[i], .5), hist_ms(&lat[i], .95),
			       hist_ms(&lat[i], .99), (double)lat[i].max / 1e6);
	return 0;
}

/*
 * lookup_net.c - blocking sockets with deadlines.
 *
 * A UDP socket is connected, so the kernel passes only what comes from the address and port that
 * was asked; what does not fit the question is as if it had not come (RFC 5452 9.1).
 */
#include "tool/lookup_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "dns/writer.h"

enum { RESOLV_MAX = 65536, QUERY_MAX = 2 + DNS_UDP_PLAIN };

/* ---- whom to ask ---- */

static bool
family_fits(const struct lookup_ask *ask, const uint8_t ip[16])
{
	return !ask->family || (ask->family == 4) == addr_ip_is_v4(ip);
}

static void
add_server(const struct lookup_ask *ask, struct lookup_servers *all, const struct addr *a,
           struct bytes name)
{
	struct lookup_server *s = &all->list[all->n];

	if (all->n == LOOKUP_SERVERS || name.n > LOOKUP_NAME_MAX || !family_fits(ask, a->ip))
		return;
	s->addr = *a;
	s->addr.port = ask->port;
	memcpy(s->name, name.p, name.n);
	s->name[name.n] = 0;
	all->n++;
}

/* The next word of a line; no bytes at its end. */
static struct bytes
next_word(struct bytes *line)
{
	struct rd r;
	size_t n = 0;
	struct bytes word;

	*line = text_trim(*line);
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	r = rd_of(*line);
	word = rd_take(&r, n);
	*line = rd_rest(&r);
	return word;
}

void
lookup_net_resolv(struct bytes text, const struct lookup_ask *ask, struct lookup_servers *all)
{
	struct addr a;

	while (text.n) {
		struct bytes line = text_cut(&text, '\n'), address;

		if (!bytes_eq(next_word(&line), BYTES("nameserver")))
			continue;
		address = next_word(&line);
		if (addr_parse(address, ask->port, &a))
			add_server(ask, all, &a, address);
	}
	if (!all->n && addr_parse(BYTES("127.0.0.1"), ask->port, &a))
		add_server(ask, all, &a, BYTES("127.0.0.1"));
}

static enum lookup_exit
system_servers(const struct lookup_ask *ask, struct lookup_servers *all, FILE *complaints)
{
	static const char path[] = "/etc/resolv.conf";
	FILE *f = fopen(path, "re");
	uint8_t *text = malloc(RESOLV_MAX);
	bool good = text && (f || errno == ENOENT);
	size_t n = 0;

	if (!good)
		fprintf(complaints, "lookup: %s: %s\n", path, strerror(errno));
	if (f && text) {
		n = fread(text, 1, RESOLV_MAX, f);
		good = !ferror(f);
	}
	if (good)
		lookup_net_resolv((struct bytes){text, n}, ask, all);
	if (f)
		fclose(f);
	free(text);
	return good ? LOOKUP_DONE : LOOKUP_FILE;
}

/* By the system's own means: hosts file, resolver. */
static enum lookup_exit
named_server(const struct lookup_ask *ask, struct lookup_servers *all, FILE *complaints)
{
	const struct addrinfo hints = {.ai_family = ask->family == 4   ? AF_INET
	                                            : ask->family == 6 ? AF_INET6
	                                                               : AF_UNSPEC,
	                               .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	int code = getaddrinfo(ask->server, NULL, &hints, &found);

	for (const struct addrinfo *i = found; i; i = i->ai_next) {
		struct addr a = {.ip = {[10] = 0xff, [11] = 0xff}, .port = ask->port};

		if (i->ai_family == AF_INET) {
			struct sockaddr_in v4;

			memcpy(&v4, i->ai_addr, sizeof(v4));
			memcpy(a.ip + 12, &v4.sin_addr, 4);
		} else {
			struct sockaddr_in6 v6;

			memcpy(&v6, i->ai_addr, sizeof(v6));
			memcpy(a.ip, &v6.sin6_addr, 16);
			a.scope = v6.sin6_scope_id;
		}
		add_server(ask, all, &a, bytes_of(ask->server));
	}
	if (found)
		freeaddrinfo(found);
	if (code)
		fprintf(complaints, "lookup: couldn't get address for '%s': %s\n", ask->server,
		        gai_strerror(code));
	return code ? LOOKUP_INTERNAL : LOOKUP_DONE;
}

enum lookup_exit
lookup_net_servers(const struct lookup_ask *ask, struct lookup_servers *all, FILE *complaints)
{
	enum lookup_exit code = LOOKUP_DONE;
	struct addr a = {.scope = 0};

	all->n = 0;
	if (!ask->server)
		code = system_servers(ask, all, complaints);
	else if (addr_ip_parse(bytes_of(ask->server), a.ip))
		add_server(ask, all, &a, bytes_of(ask->server));
	else
		code = named_server(ask, all, complaints);
	if (code == LOOKUP_DONE && !all->n) {
		fprintf(complaints, "lookup: no server with an address of this family\n");
		code = LOOKUP_SILENCE;
	}
	return code;
}

/* ---- what is believed ---- */

static bool
same_question(const struct lookup_ask *ask, const struct dns_record *q)
{
	return q->type == ask->type && q->class == ask->class &&
	       dname_eq(dname_bytes(&q->owner), dname_bytes(&ask->name));
}

/* FORMERR, NOTIMP: from who could not read the question. */
static bool
may_leave_question(uint16_t flags)
{
	return (flags & 15) == DNS_RCODE_FORMERR || (flags & 15) == DNS_RCODE_NOTIMP;
}

bool
lookup_net_fits(const struct lookup_ask *ask, uint16_t id, struct bytes packet)
{
	struct dns_msg m;
	struct dns_record r;

	if (!dns_msg_open(&m, packet) || m.id != id || !(m.flags & DNS_FLAG_QR) ||
	    dns_opcode_of(m.flags) != DNS_OPCODE_QUERY)
		return false;
	if (m.counts[DNS_QUESTION] > 1 || (!m.counts[DNS_QUESTION] && !may_leave_question(m.flags)))
		return false;
	while (dns_msg_next(&m, &r))
		if (r.section == DNS_QUESTION && !same_question(ask, &r))
			return false;
	return !m.r.bad;
}

/* ---- one exchange ---- */

struct exchange {
	const struct lookup_ask *ask;
	const struct lookup_server *server;
	struct lookup_reply *reply;
	FILE *notes;
	uint16_t id;
	uint64_t begun_ns, end_ns;
	uint8_t room[QUERY_MAX]; /* length, then the query */
	struct bytes query;
	int fd;
};

enum outcome { CAME, LATE, BROKEN };

static uint64_t
now_ns(void)
{
	return clock_mono_ns();
}

/* Waits for the socket; false at the deadline. */
static bool
ready(const struct exchange *x, short events)
{
	struct pollfd p = {.fd = x->fd, .events = events};

	for (;;) {
		uint64_t now = now_ns();
		int n;

		if (now >= x->end_ns)
			return false;
		n = poll(&p, 1, (int)((x->end_ns - now) / 1000000 + 1));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static socklen_t
to_kernel(const struct addr *a, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope};
	bool is_v4 = addr_ip_is_v4(a->ip);

	memcpy(&v4.sin_addr, a->ip + 12, 4);
	memcpy(&v6.sin6_addr, a->ip, 16);
	memset(out, 0, sizeof(*out));
	memcpy(out, is_v4 ? (const void *)&v4 : &v6, is_v4 ? sizeof(v4) : sizeof(v6));
	return is_v4 ? sizeof(v4) : sizeof(v6);
}

static enum outcome
open_socket(struct exchange *x, int type)
{
	struct sockaddr_storage to;
	socklen_t n = to_kernel(&x->server->addr, &to);
	int error = 0;
	socklen_t size = sizeof(error);

	x->fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return BROKEN;
	if (connect(x->fd, (struct sockaddr *)&to, n) == 0)
		return CAME;
	if (errno != EINPROGRESS)
		return BROKEN;
	if (!ready(x, POLLOUT))
		return LATE;
	if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return BROKEN;
	errno = error;
	return error ? BROKEN : CAME;
}

static enum outcome
send_all(struct exchange *x, struct bytes b)
{
	while (b.n) {
		ssize_t n = send(x->fd, b.p, b.n, MSG_NOSIGNAL);

		if (n >= 0)
			b = (struct bytes){b.p + n, b.n - (size_t)n};
		else if (errno == EAGAIN && !ready(x, POLLOUT))
			return LATE;
		else if (errno != EAGAIN && errno != EINTR)
			return BROKEN;
	}
	return CAME;
}

static enum outcome
receive(struct exchange *x, uint8_t *p, size_t n, size_t *got)
{
	for (;;) {
		ssize_t r = recv(x->fd, p, n, 0);

		*got = r > 0 ? (size_t)r : 0;
		if (r >= 0)
			return CAME;
		if (errno != EAGAIN && errno != EINTR)
			return BROKEN;
		if (errno == EAGAIN && !ready(x, POLLIN))
			return LATE;
	}
}

static enum outcome
over_udp(struct exchange *x)
{
	enum outcome o = open_socket(x, SOCK_DGRAM);
	size_t n;

	if (o == CAME)
		o = send_all(x, x->query);
	while (o == CAME) {
		o = receive(x, x->reply->room, sizeof(x->reply->room), &n);
		x->reply->message = (struct bytes){x->reply->room, n};
		if (o == CAME && lookup_net_fits(x->ask, x->id, x->reply->message))
			break;
		if (o == CAME)
			fprintf(x->notes, ";; Warning: something came that is no answer to the "
			                  "question; it is ignored\n");
		if (o == CAME && now_ns() >= x->end_ns) /* however much of it comes */
			o = LATE;
	}
	x->reply->tcp = false;
	return o;
}

/* n bytes, whatever the pieces. */
static enum outcome
receive_all(struct exchange *x, uint8_t *p, size_t n)
{
	while (n) {
		size_t got;
		enum outcome o = receive(x, p, n, &got);

		if (o != CAME)
			return o;
		if (!got) {
			errno = ECONNRESET;
			return BROKEN;
		}
		p += got;
		n -= got;
	}
	return CAME;
}

static enum outcome
over_tcp(struct exchange *x)
{
	enum outcome o = open_socket(x, SOCK_STREAM);
	uint8_t head[2];
	struct rd r = {head, head + sizeof(head), false};
	size_t n;

	if (o == CAME)
		o = send_all(x, (struct bytes){x->room, 2 + x->query.n});
	if (o == CAME)
		o = receive_all(x, head, sizeof(head));
	if (o != CAME)
		return o;
	n = rd_u16(&r);
	o = receive_all(x, x->reply->room, n);
	x->reply->message = (struct bytes){x->reply->room, n};
	x->reply->tcp = true;
	if (o == CAME && !lookup_net_fits(x->ask, x->id, x->reply->message)) {
		errno = EBADMSG;
		return BROKEN;
	}
	return o;
}

static void
write_query(struct exchange *x, bool edns)
{
	const struct lookup_ask *a = x->ask;
	struct wr length = wr_of(x->room, 2);
	struct dns_writer w;

	dns_writer_ask(&w, x->room + 2, sizeof(x->room) - 2, x->id, a->flags, dname_bytes(&a->name),
	               a->type, a->class, edns ? (a->size ? a->size : DNS_UDP_PLAIN) : 0,
	               a->dnssec);
	x->query = dns_writer_finish(&w);
	wr_u16(&length, (uint16_t)x->query.n);
}

static enum outcome
exchange(struct exchange *x, struct random *random, bool tcp, bool edns)
{
	enum outcome o;
	int error;

	x->id = (uint16_t)random_u64(random);
	x->begun_ns = now_ns();
	x->end_ns = x->begun_ns + (uint64_t)x->ask->seconds * 1000000000;
	x->fd = -1;
	write_query(x, edns);
	o = tcp ? over_tcp(x) : over_udp(x);
	error = errno;
	if (x->fd >= 0)
		close(x->fd);
	errno = error;
	x->reply->server = x->server;
	x->reply->took_ms = (now_ns() - x->begun_ns) / 1000000;
	x->reply->when_s = clock_wall_s();
	return o;
}

/* The flags of the reply, as the whole message has them. */
static uint16_t
reply_flags(const struct lookup_reply *reply)
{
	struct dns_msg m;

	return dns_msg_open(&m, reply->message) ? m.flags : 0;
}

/* One server: again without EDNS if that was too much for it, again over TCP if truncated. */
static enum outcome
try_once(struct exchange *x, struct random *random)
{
	const struct lookup_ask *a = x->ask;
	bool edns = a->edns, tcp = a->tcp;
	enum outcome o = exchange(x, random, tcp, edns);

	if (o == CAME && edns && (reply_flags(x->reply) & 15) == DNS_RCODE_FORMERR) {
		fprintf(x->notes, ";; The server does not take EDNS, retrying without it.\n");
		edns = false;
		o = exchange(x, random, tcp, edns);
	}
	if (o == CAME && !tcp && !a->ignore && reply_flags(x->reply) & DNS_FLAG_TC) {
		fprintf(x->notes, ";; Truncated, retrying in TCP mode.\n");
		o = exchange(x, random, true, edns);
	}
	return o;
}

enum lookup_exit
lookup_net_ask(const struct lookup_ask *ask, const struct lookup_servers *all,
               struct random *random, struct lookup_reply *reply, FILE *notes)
{
	struct exchange x = {.ask = ask, .reply = reply, .notes = notes};
	uint8_t ip[ADDR_IP_TEXT];

	for (size_t i = 0; i < all->n; i++) {
		struct wr text = wr_of(ip, sizeof(ip));
		enum outcome o = LATE;

		x.server = &all->list[i];
		addr_ip_text(&text, x.server->addr.ip);
		for (uint32_t t = 0; t < ask->tries && o == LATE; t++) {
			o = try_once(&x, random);
			if (o == CAME)
				return LOOKUP_DONE;
			fprintf(notes, ";; communications error to %.*s#%u: %s\n",
			        (int)(text.p - ip), (const char *)ip, x.server->addr.port,
			        o == LATE               ? "timed out"
			        : errno == ECONNREFUSED ? "connection refused"
			                                : strerror(errno));
		}
	}
	fprintf(notes, ";; no servers could be reached\n");
	return LOOKUP_SILENCE;
}

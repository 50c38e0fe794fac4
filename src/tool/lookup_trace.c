/* lookup_trace.c - drives one iterate machine with blocking waits. */
#include "tool/lookup_trace.h"

#include "base/clock.h"
#include "base/random.h"
#include "net/loop.h"
#include "resolve/iterate.h"

#include <errno.h>
#include <stdlib.h>

enum { FILE_MAX = 1 << 20, MEMORY_MAX = 4 << 20, PORTS_TRIED = 16 };

struct trace {
	const struct lookup_ask *ask;
	FILE *out;
	struct loop *loop;
	struct iterate *it;
	struct iterate_send send;
	uint64_t sent_ms;
	int fd;
	uint8_t room[2 + DNS_TCP_MAX];
	uint8_t line[ZONEFILE_TEXT_MAX];
};

static uint64_t
now_ms(void)
{
	return clock_mono_ns() / 1000000;
}

/* ---- what is shown ---- */

static void
show_name(struct trace *t, struct bytes name)
{
	uint8_t room[DNAME_TEXT_MAX];
	struct wr w = wr_of(room, sizeof(room));

	dname_to_text(&w, name);
	fwrite(room, 1, wr_since(&w, room).n, t->out);
}

static void
show_set(struct trace *t, const struct reply_set *s)
{
	struct rd r = rd_of(s->records);

	while (rd_left(&r)) {
		struct wr w = wr_of(t->line, sizeof(t->line));

		zonefile_write(&w, s->owner, s->ttl, DNS_CLASS_IN, s->type, rd_bytes16(&r));
		fwrite(t->line, 1, wr_since(&w, t->line).n, t->out);
	}
}

static void
show_server(struct trace *t, const struct iterate_hop *h)
{
	uint8_t room[ADDR_IP_TEXT];
	struct wr w = wr_of(room, sizeof(room));

	addr_ip_text(&w, h->to.ip);
	fprintf(t->out, "%.*s#%u(", (int)(w.p - room), (const char *)room, h->to.port);
	show_name(t, dname_bytes(&h->server));
	fputs(")", t->out);
}

static const char *
kind_text(enum reply_kind kind)
{
	switch (kind) {
	case REPLY_ANSWER:
		return "an answer";
	case REPLY_CNAME:
		return "an alias";
	case REPLY_REFERRAL:
		return "a referral to ";
	case REPLY_NODATA:
		return "no such records (NODATA)";
	case REPLY_NXDOMAIN:
		return "no such name (NXDOMAIN)";
	case REPLY_TRUNCATED:
		return "truncated: asked again over TCP";
	case REPLY_NO_EDNS:
		return "no EDNS there: asked again without";
	case REPLY_LAME:
		return "lame: it does not serve the zone";
	case REPLY_REFUSED:
		return "refused";
	case REPLY_TOO_LARGE:
		return "a set beyond all measure: not believed";
	case REPLY_BROKEN:
		return "not a well-formed message: not believed";
	}
	return "";
}

static void
show_flags(struct trace *t, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} all[] = {{DNS_FLAG_QR, "qr"}, {DNS_FLAG_AA, "aa"}, {DNS_FLAG_TC, "tc"},
	           {DNS_FLAG_RD, "rd"}, {DNS_FLAG_RA, "ra"}, {DNS_FLAG_AD, "ad"}};

	fputs("; flags:", t->out);
	for (size_t i = 0; i < COUNT(all); i++)
		if (flags & all[i].bit)
			fprintf(t->out, " %s", all[i].name);
}

static void
show_verdict(struct trace *t, const struct iterate_hop *h)
{
	const struct reply *r = h->reply;
	unsigned glue = 0;

	for (size_t i = 0; i < r->glue_n; i++)
		glue += r->glue[i].n;
	fprintf(t->out, ";; %s", kind_text(r->kind));
	if (r->kind == REPLY_REFERRAL)
		show_name(t, r->set.owner);
	if (r->kind == REPLY_REFUSED)
		fprintf(t->out, " (code %u)", r->rcode);
	show_flags(t, r->flags);
	if (r->kind == REPLY_REFERRAL)
		fprintf(t->out, "; glue: %u in bailiwick of the parent, %u out of it and dropped",
		        glue, r->glue_dropped);
	if (r->dropped > r->glue_dropped)
		fprintf(t->out, "; %u other records not looked at", r->dropped - r->glue_dropped);
	fputs("\n", t->out);
}

static void
show_reply(struct trace *t, const struct iterate_hop *h)
{
	const struct reply *r = h->reply;

	if (!t->ask->brief && r) {
		show_set(t, &r->set);
		show_set(t, &r->soa);
		for (size_t i = 0; i < r->glue_n; i++)
			show_set(t, &r->glue[i]);
	}
	fprintf(t->out, ";; Received %zu bytes from ", h->size);
	show_server(t, h);
	fprintf(t->out, " in %u ms over %s\n", h->took_ms, h->tcp ? "TCP" : "UDP");
	if (r)
		show_verdict(t, h);
}

static void
show_hop(struct trace *t)
{
	const struct iterate_hop *h = iterate_hop(t->it);
	uint8_t room[32];
	struct wr w = wr_of(room, sizeof(room));

	fprintf(t->out, "%s;; ", h->depth ? ";; to find a server:\n" : "");
	show_name(t, dname_bytes(&h->name));
	dns_type_text(&w, h->type);
	fprintf(t->out, " %.*s", (int)(w.p - room), (const char *)room);
	fputs(", asked of the servers of ", t->out);
	show_name(t, dname_bytes(&h->zone));
	fputs("\n", t->out);
	if (h->event == ITERATE_REPLIED) {
		show_reply(t, h);
	} else {
		fputs(";; ", t->out);
		show_server(t, h);
		fprintf(t->out, ": %s\n",
		        h->event == ITERATE_LATE ? "no reply in time"
		        : h->event == ITERATE_UNREACHABLE
		            ? "cannot be reached"
		            : "a reply to another question: not believed");
	}
	fputs("\n", t->out);
}

static void
show_end(struct trace *t)
{
	const struct iterate_result *r = iterate_result(t->it);

	fprintf(t->out, ";; %s%s%s; %u questions were sent\n",
	        r->rcode == DNS_RCODE_NOERROR    ? "NOERROR"
	        : r->rcode == DNS_RCODE_NXDOMAIN ? "NXDOMAIN"
	                                         : "SERVFAIL",
	        r->why[0] ? ": " : "", r->why, r->queries);
	for (size_t i = 0; i < r->n; i++)
		show_set(t, &r->sets[i]);
}

/* ---- asking ---- */

static void
open_udp(struct trace *t, struct random *random)
{
	struct loop_dgram d = {
	    .peer = t->send.to, .p = (uint8_t *)(uintptr_t)t->send.packet.p, .n = t->send.packet.n};
	struct err e = ERR(ERR_NOTFOUND, 0, "");
	size_t sent;

	for (int i = 0; i < PORTS_TRIED; i++) {
		struct addr from = {.port = iterate_port(random)};

		e = loop_dgram_open(t->loop, &from, &t->send.to, &t->fd);
		if (is_ok(e) || e.sys != EADDRINUSE)
			break;
	}
	if (is_ok(e))
		e = loop_dgram_send(t->loop, t->fd, &d, 1, &sent);
	if (is_fault(e) || e.code == ERR_NOTFOUND) {
		iterate_unreachable(t->it, now_ms(), false);
		show_hop(t);
	}
}

/* n octets before the time is over. */
static bool
read_all(struct trace *t, uint8_t *p, size_t n, uint64_t *left)
{
	while (n) {
		size_t got = 0;
		struct err e;

		if (!loop_wait(t->loop, t->fd, LOOP_READ, left))
			return false;
		e = loop_recv(t->loop, t->fd, p, n, &got);
		if (e.code == ERR_LATER)
			continue;
		if (!is_ok(e) || !got)
			return false;
		p += got;
		n -= got;
	}
	return true;
}

/* The whole exchange; the message's size, 0: there was none. */
static size_t
over_tcp(struct trace *t, uint64_t *left)
{
	struct wr w = wr_of(t->room, sizeof(t->room));
	struct rd head = {t->room, t->room + 2, false};
	struct bytes frame;
	size_t sent, n;

	wr_bytes16(&w, t->send.packet);
	frame = wr_since(&w, t->room);
	if (!is_ok(loop_connect(t->loop, -1, NULL, &t->send.to, &t->fd)) ||
	    !loop_wait(t->loop, t->fd, LOOP_WRITE, left) ||
	    !is_ok(loop_connected(t->loop, t->fd)) ||
	    !is_ok(loop_send(t->loop, t->fd, &frame, 1, &sent)) || sent != frame.n ||
	    !read_all(t, t->room, 2, left))
		return 0;
	n = rd_u16(&head);
	return read_all(t, t->room, n, left) ? n : 0;
}

static void
ask(struct trace *t, struct random *random)
{
	uint64_t left = t->send.wait_ms;
	size_t n;

	loop_close_fd(t->loop, t->fd);
	t->fd = -1;
	t->sent_ms = now_ms();
	if (!t->send.tcp) {
		open_udp(t, random);
		return;
	}
	n = over_tcp(t, &left);
	if (n)
		(void)iterate_reply(t->it, now_ms(), (struct bytes){t->room, n});
	else if (left)
		iterate_unreachable(t->it, now_ms(), false);
	else
		iterate_late(t->it, now_ms());
	show_hop(t);
}

/* For what was sent over UDP. */
static void
await(struct trace *t)
{
	struct loop_dgram d = {.p = t->room, .cap = sizeof(t->room)};
	uint64_t passed = now_ms() - t->sent_ms;
	uint64_t left = passed < t->send.wait_ms ? t->send.wait_ms - passed : 0;
	size_t got = 0;
	struct err e;

	if (!left || !loop_wait(t->loop, t->fd, LOOP_READ, &left)) {
		iterate_late(t->it, now_ms());
		show_hop(t);
		return;
	}
	e = loop_dgram_recv(t->loop, t->fd, &d, 1, &got);
	if (e.code == ERR_LATER)
		return;
	if (is_ok(e) && got)
		(void)iterate_reply(t->it, now_ms(), (struct bytes){d.p, d.n});
	else
		iterate_unreachable(t->it, now_ms(), false);
	show_hop(t);
}

static void
run(struct trace *t, struct random *random)
{
	for (;;) {
		switch (iterate_step(t->it, now_ms(), &t->send)) {
		case ITERATE_SEND:
			ask(t, random);
			break;
		case ITERATE_WAIT:
			await(t);
			break;
		case ITERATE_DONE:
			return;
		}
	}
}

/* ---- the whole ---- */

static enum lookup_exit
read_hints(const char *path, struct hints *out, FILE *complaints)
{
	struct zonefile_error wrong = {.line = 1, .column = 1, .text = ""};
	FILE *f = fopen(path, "re");
	uint8_t *text = malloc(FILE_MAX);
	size_t n = f && text ? fread(text, 1, FILE_MAX, f) : 0;
	bool good = f && text && !ferror(f);
	struct err e = OK;

	if (!good)
		fprintf(complaints, "lookup: %s: %s\n", path, strerror(errno));
	else
		e = hints_read(out, bytes_of(path), (struct bytes){text, n}, &wrong);
	if (!is_ok(e))
		fprintf(complaints, "lookup: %s:%u:%u: %s\n", path, wrong.line, wrong.column,
		        wrong.text);
	if (f)
		fclose(f);
	free(text);
	return good && is_ok(e) ? LOOKUP_DONE : LOOKUP_FILE;
}

/* -4 and -6: as if there were no route for the others. */
static void
choose_family(const struct lookup_ask *ask, struct servers *servers)
{
	static const uint8_t v4[16] = {[10] = 0xff, 0xff}, v6[16] = {0x20, 0x01};

	if (ask->family)
		servers_no_route(servers, now_ms(), ask->family == 4 ? v6 : v4);
}

static enum lookup_exit
trace_from(struct trace *t, const struct hints *hints, struct random *random)
{
	struct iterate_conf conf = {.world = {.hints = hints,
	                                      .random = random,
	                                      .port = t->ask->port,
	                                      .loopback = hints_are_loopback(hints)}};
	enum lookup_exit code = LOOKUP_INTERNAL;
	uint8_t key[2][16];

	random_fill(random, key, sizeof(key));
	conf.world.cache = cache_new(key[0], MEMORY_MAX);
	conf.world.servers = servers_new(key[1], MEMORY_MAX);
	if (conf.world.cache && conf.world.servers && is_ok(loop_open(&t->loop))) {
		choose_family(t->ask, conf.world.servers);
		t->it = iterate_new(&conf, dname_bytes(&t->ask->name), t->ask->type, now_ms());
	}
	if (t->it) {
		run(t, random);
		show_end(t);
		code = iterate_result(t->it)->rcode == DNS_RCODE_SERVFAIL ? LOOKUP_SILENCE
		                                                          : LOOKUP_DONE;
	}
	iterate_free(t->it);
	if (t->loop)
		loop_close_fd(t->loop, t->fd);
	loop_close(t->loop);
	cache_free(conf.world.cache);
	servers_free(conf.world.servers);
	return code;
}

enum lookup_exit
lookup_trace(const struct lookup_ask *asked, struct random *random, FILE *out, FILE *complaints)
{
	struct trace *t = calloc(1, sizeof(*t));
	struct hints *hints = calloc(1, sizeof(*hints));
	enum lookup_exit code = LOOKUP_INTERNAL;

	if (t && hints) {
		t->ask = asked;
		t->out = out;
		t->fd = -1;
		hints_default(hints);
		code = asked->hints ? read_hints(asked->hints, hints, complaints) : LOOKUP_DONE;
		if (code == LOOKUP_DONE)
			code = trace_from(t, hints, random);
	} else {
		fprintf(complaints, "lookup: no memory\n");
	}
	free(hints);
	free(t);
	return code;
}

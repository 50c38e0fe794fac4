/* lookup_show.c - replies to lines of text, a line at a time. */
#include "tool/lookup_show.h"

#include <stdlib.h>
#include <time.h>

#include "base/text.h"

enum {
	LINE_MAX = DNAME_TEXT_MAX + RDATA_TEXT_MAX + 256,
	/* where the fields of a record begin, in columns */
	AT_TTL = 24,
	AT_CLASS = 32,
	AT_TYPE = 40,
	AT_DATA = 48,
	TAB = 8,
};

struct page {
	FILE *out;
	struct wr line;
	uint8_t room[LINE_MAX], rdata[RDATA_MAX];
};

static struct page *
page_new(FILE *out)
{
	struct page *p = malloc(sizeof(*p));

	if (p) {
		p->out = out;
		p->line = wr_of(p->room, sizeof(p->room));
	}
	return p;
}

static void
end_line(struct page *p)
{
	struct bytes text;

	wr_u8(&p->line, '\n');
	text = wr_since(&p->line, p->room);
	fwrite(text.p, 1, text.n, p->out);
	p->line = wr_of(p->room, sizeof(p->room));
}

/* Goes on at a column, by tabs; at least one blank. */
static void
column(struct page *p, size_t to)
{
	struct bytes line = wr_since(&p->line, p->room);
	size_t at = 0;

	for (size_t i = 0; i < line.n; i++)
		at = line.p[i] == '\t' ? (at / TAB + 1) * TAB : at + 1;
	if (to <= at)
		to = at + 1;
	for (size_t next = (at / TAB + 1) * TAB; next <= to; next += TAB) {
		wr_u8(&p->line, '\t');
		at = next;
	}
	for (; at < to; at++)
		wr_u8(&p->line, ' ');
}

/* The record's data in text; the reply is well-formed, but data need not be of its type's form. */
static void
put_data(struct page *p, const struct bytes message, const struct dns_record *r)
{
	struct rd data = r->rdata, raw = r->rdata;
	struct wr w = wr_of(p->rdata, sizeof(p->rdata));

	rdata_expand(r->type, &data, rd_left(&data), message, &w);
	rdata_to_text(r->type, data.bad ? rd_rest(&raw) : wr_since(&w, p->rdata), &p->line);
}

/* ---- dig ---- */

static const char *const sections[] = {"QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL"};
static const unsigned shown[] = {LOOKUP_QUESTION, LOOKUP_ANSWER, LOOKUP_AUTHORITY,
                                 LOOKUP_ADDITIONAL};

static void
put_rcode(struct wr *w, unsigned rcode)
{
	static const char *const names[] = {
	    [0] = "NOERROR",  [1] = "FORMERR",   [2] = "SERVFAIL",   [3] = "NXDOMAIN",
	    [4] = "NOTIMP",   [5] = "REFUSED",   [6] = "YXDOMAIN",   [7] = "YXRRSET",
	    [8] = "NXRRSET",  [9] = "NOTAUTH",   [10] = "NOTZONE",   [11] = "DSOTYPENI",
	    [16] = "BADVERS", [22] = "BADTRUNC", [23] = "BADCOOKIE",
	};

	if (rcode < COUNT(names) && names[rcode])
		wr_text(w, names[rcode]);
	else
		wr_printf(w, "RESERVED%u", rcode);
}

/* What OPT says, when there is one. */
static struct dns_edns
edns_of(struct bytes message)
{
	struct dns_edns edns = {.present = false};
	struct dns_record r;
	struct dns_msg m;

	if (dns_msg_open(&m, message))
		while (dns_msg_next(&m, &r))
			if (r.type == DNS_TYPE_OPT && !dns_edns_read(&r, &edns))
				edns.present = false;
	return edns;
}

static unsigned
rcode_of(struct bytes message)
{
	struct dns_edns edns = edns_of(message);
	struct dns_msg m;

	return dns_msg_open(&m, message) ? (unsigned)edns.rcode_high << 4 | (m.flags & 15) : 0;
}

static void
show_header(struct page *p, const struct lookup_ask *ask, struct bytes message,
            const struct dns_msg *m)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = {{DNS_FLAG_QR, "qr"}, {DNS_FLAG_AA, "aa"}, {DNS_FLAG_TC, "tc"},
	             {DNS_FLAG_RD, "rd"}, {DNS_FLAG_RA, "ra"}, {DNS_FLAG_AD, "ad"},
	             {DNS_FLAG_CD, "cd"}};

	fputs(";; Got answer:\n", p->out);
	wr_text(&p->line, ";; ->>HEADER<<- opcode: QUERY, status: ");
	put_rcode(&p->line, rcode_of(message));
	wr_printf(&p->line, ", id: %u", m->id);
	end_line(p);
	wr_text(&p->line, ";; flags:");
	for (size_t i = 0; i < COUNT(flags); i++)
		if (m->flags & flags[i].bit)
			wr_printf(&p->line, " %s", flags[i].name);
	wr_printf(&p->line, "; QUERY: %u, ANSWER: %u, AUTHORITY: %u, ADDITIONAL: %u", m->counts[0],
	          m->counts[1], m->counts[2], m->counts[3]);
	end_line(p);
	if (ask->flags & DNS_FLAG_RD && !(m->flags & DNS_FLAG_RA))
		fputs(";; WARNING: recursion requested but not available\n", p->out);
	fputs("\n", p->out);
}

static void
show_edns(struct page *p, const struct dns_edns *edns)
{
	struct rd r = rd_of(edns->options);

	fputs(";; OPT PSEUDOSECTION:\n", p->out);
	wr_printf(&p->line, "; EDNS: version: %u, flags:%s; udp: %u", edns->version,
	          edns->wants_dnssec ? " do" : "", edns->size);
	end_line(p);
	while (rd_left(&r)) {
		uint16_t code = rd_u16(&r);
		struct bytes data = rd_bytes16(&r);

		if (code == DNS_OPTION_COOKIE)
			wr_text(&p->line, "; COOKIE: ");
		else if (code == DNS_OPTION_NSID)
			wr_text(&p->line, "; NSID: ");
		else
			wr_printf(&p->line, "; OPT=%u: ", code);
		text_hex(&p->line, data);
		if (code == DNS_OPTION_NSID) {
			wr_text(&p->line, " (\"");
			text_escape(&p->line, data);
			wr_text(&p->line, "\")");
		}
		end_line(p);
	}
}

static void
show_record(struct page *p, struct bytes message, const struct dns_record *r)
{
	if (r->section == DNS_QUESTION)
		fputs(";", p->out); /* counts in no column */
	dname_to_text(&p->line, dname_bytes(&r->owner));
	if (r->section != DNS_QUESTION) {
		column(p, AT_TTL);
		wr_printf(&p->line, "%u", r->ttl);
	}
	column(p, AT_CLASS);
	dns_class_text(&p->line, r->class);
	column(p, AT_TYPE);
	dns_type_text(&p->line, r->type);
	if (r->section != DNS_QUESTION) {
		column(p, AT_DATA);
		put_data(p, message, r);
	}
	end_line(p);
}

static void
show_sections(struct page *p, const struct lookup_ask *ask, struct bytes message)
{
	enum dns_section last = DNS_QUESTION;
	bool some = false;
	struct dns_record r;
	struct dns_msg m;

	if (!dns_msg_open(&m, message))
		return;
	while (dns_msg_next(&m, &r)) {
		if (r.type == DNS_TYPE_OPT || !(ask->show & shown[r.section]))
			continue;
		if (some && r.section != last && ask->show & LOOKUP_COMMENTS)
			fputs("\n", p->out);
		if ((!some || r.section != last) && ask->show & LOOKUP_COMMENTS)
			fprintf(p->out, ";; %s SECTION:\n", sections[r.section]);
		some = true;
		last = r.section;
		show_record(p, message, &r);
	}
	if (some && ask->show & LOOKUP_COMMENTS)
		fputs("\n", p->out);
}

static void
show_stats(struct page *p, const struct lookup_reply *reply)
{
	const struct lookup_server *s = reply->server;
	time_t when = (time_t)reply->when_s;
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&when, &tm))
		strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &tm);
	fprintf(p->out, ";; Query time: %llu msec\n", (unsigned long long)reply->took_ms);
	wr_text(&p->line, ";; SERVER: ");
	addr_ip_text(&p->line, s->addr.ip);
	wr_printf(&p->line, "#%u(", s->addr.port);
	text_escape(&p->line, bytes_of(s->name));
	wr_printf(&p->line, ") (%s)", reply->tcp ? "TCP" : "UDP");
	end_line(p);
	fprintf(p->out, ";; WHEN: %s\n;; MSG SIZE  rcvd: %zu\n\n", text, reply->message.n);
}

void
lookup_show_begin(const struct lookup_ask *ask, size_t servers, int argc, char **argv, FILE *out)
{
	if (ask->brief || !(ask->show & LOOKUP_CMD))
		return;
	fputs("\n; <<>> stead lookup " STEAD_VERSION " <<>>", out);
	for (int i = 1; i < argc; i++) {
		uint8_t word[1024];
		struct wr w = wr_of(word, sizeof(word));

		text_escape(&w, bytes_of(argv[i]));
		fprintf(out, " %.*s", (int)(w.p - word), (const char *)word);
	}
	if (ask->server)
		fprintf(out, "\n; (%zu server%s found)", servers, servers == 1 ? "" : "s");
	fputs("\n;; global options: +cmd\n", out);
}

bool
lookup_show_dig(const struct lookup_ask *ask, const struct lookup_reply *reply, FILE *out)
{
	struct page *p = page_new(out);
	struct dns_edns edns = edns_of(reply->message);
	struct dns_msg m;

	if (!p || !dns_msg_open(&m, reply->message)) {
		free(p);
		return false;
	}
	if (ask->show & LOOKUP_COMMENTS) {
		show_header(p, ask, reply->message, &m);
		if (edns.present)
			show_edns(p, &edns);
	}
	show_sections(p, ask, reply->message);
	if (ask->show & LOOKUP_STATS)
		show_stats(p, reply);
	free(p);
	return true;
}

bool
lookup_show_brief(const struct lookup_reply *reply, FILE *out)
{
	struct page *p = page_new(out);
	struct dns_record r;
	struct dns_msg m;

	if (!p || !dns_msg_open(&m, reply->message)) {
		free(p);
		return false;
	}
	while (dns_msg_next(&m, &r))
		if (r.section == DNS_ANSWER) {
			put_data(p, reply->message, &r);
			end_line(p);
		}
	free(p);
	return true;
}

/* ---- nslookup ---- */

/* Without the final dot, as nslookup shows names that it is asked for. */
static void
put_name(struct wr *w, struct bytes name)
{
	uint8_t room[DNAME_TEXT_MAX];
	struct wr text = wr_of(room, sizeof(room));

	dname_to_text(&text, name);
	if (!dname_is_root(name))
		text.p--;
	wr_bytes(w, wr_since(&text, room));
}

static void
show_soa(struct page *p, const struct dns_record *r, struct bytes message)
{
	static const char *const times[] = {"serial", "refresh", "retry", "expire", "minimum"};
	struct rd data = r->rdata, wire;
	struct wr w = wr_of(p->rdata, sizeof(p->rdata));
	struct bytes origin, mail;

	rdata_expand(r->type, &data, rd_left(&data), message, &w);
	wire = rd_of(wr_since(&w, p->rdata));
	origin = dname_take(&wire);
	mail = dname_take(&wire);
	if (data.bad || wire.bad)
		return;
	put_name(&p->line, dname_bytes(&r->owner));
	wr_text(&p->line, "\n\torigin = ");
	put_name(&p->line, origin);
	wr_text(&p->line, "\n\tmail addr = ");
	put_name(&p->line, mail);
	for (size_t i = 0; i < COUNT(times); i++)
		wr_printf(&p->line, "\n\t%s = %u", times[i], rd_u32(&wire));
	end_line(p);
}

/* What stands between an owner and the data of a type; NULL: nothing special. */
static const char *
words_of(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_CNAME:
		return "canonical name = ";
	case DNS_TYPE_MX:
		return "mail exchanger = ";
	case DNS_TYPE_NS:
		return "nameserver = ";
	case DNS_TYPE_PTR:
		return "name = ";
	case DNS_TYPE_TXT:
		return "text = ";
	case DNS_TYPE_SRV:
		return "service = ";
	default:
		return NULL;
	}
}

static void
show_answer(struct page *p, struct bytes message, const struct dns_record *r)
{
	const char *words = words_of(r->type);

	if (r->type == DNS_TYPE_SOA) {
		show_soa(p, r, message);
		return;
	}
	if (r->type == DNS_TYPE_A || r->type == DNS_TYPE_AAAA) {
		wr_text(&p->line, "Name:\t");
		put_name(&p->line, dname_bytes(&r->owner));
		end_line(p);
		wr_text(&p->line, "Address: ");
	} else {
		put_name(&p->line, dname_bytes(&r->owner));
		wr_u8(&p->line, '\t');
		if (words) {
			wr_text(&p->line, words);
		} else {
			wr_text(&p->line, "rdata_");
			dns_type_text(&p->line, r->type);
			wr_text(&p->line, " = ");
		}
	}
	put_data(p, message, r);
	end_line(p);
}

void
lookup_show_server(const struct lookup_server *s, FILE *out)
{
	uint8_t room[LOOKUP_NAME_MAX * TEXT_ESCAPED + ADDR_IP_TEXT + 64];
	struct wr w = wr_of(room, sizeof(room));

	wr_text(&w, "Server:\t\t");
	text_escape(&w, bytes_of(s->name));
	wr_text(&w, "\nAddress:\t");
	addr_ip_text(&w, s->addr.ip);
	wr_printf(&w, "#%u\n\n", s->addr.port);
	fwrite(room, 1, wr_since(&w, room).n, out);
}

enum lookup_found
lookup_show_nslookup(const struct lookup_ask *ask, const struct lookup_reply *reply, bool again,
                     FILE *out)
{
	struct page *p = page_new(out);
	bool some = false;
	struct dns_record r;
	struct dns_msg m;

	if (!p || !dns_msg_open(&m, reply->message)) {
		free(p);
		return LOOKUP_NO_MEMORY;
	}
	if (rcode_of(reply->message) != DNS_RCODE_NOERROR) {
		free(p);
		return LOOKUP_NO_NAME;
	}
	while (dns_msg_next(&m, &r)) {
		if (r.section != DNS_ANSWER || (again && r.type != ask->type))
			continue;
		if (!some && !again && !(m.flags & DNS_FLAG_AA))
			fputs("Non-authoritative answer:\n", out);
		some = true;
		show_answer(p, reply->message, &r);
	}
	free(p);
	return some ? LOOKUP_RECORDS : LOOKUP_NO_RECORDS;
}

void
lookup_show_missing(const struct lookup_ask *ask, const struct lookup_reply *reply, FILE *out)
{
	uint8_t room[DNAME_TEXT_MAX + 128];
	struct wr w = wr_of(room, sizeof(room));
	unsigned rcode = rcode_of(reply->message);

	wr_text(&w, rcode ? "** server can't find " : "*** Can't find ");
	put_name(&w, dname_bytes(&ask->name));
	wr_text(&w, ": ");
	if (rcode)
		put_rcode(&w, rcode);
	else
		wr_text(&w, "No answer");
	wr_text(&w, "\n");
	fwrite(room, 1, wr_since(&w, room).n, out);
}

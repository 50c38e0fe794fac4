/* settings.c - the schema of stead.conf, and what follows from it. */
#include "role/settings.h"

#include "base/text.h"

#include <assert.h>
#include <stddef.h>

enum {
	FTP_DATA_PORT = 20,
	PASSIVE_FIRST = 49152, /* the first of the dynamic ports (RFC 6335 6) */
	PASSIVE_BEHIND = 1024, /* with a port_offset: so far behind it */
};

static const struct service_row services[SERVICE_COUNT] = {
    [SERVICE_SMTP] = {"smtp", 25, ROLE_SMTP, false},
    [SERVICE_SUBMISSION] = {"submission", 587, ROLE_SMTP, false},
    [SERVICE_SUBMISSIONS] = {"submissions", 465, ROLE_SMTP, false},
    [SERVICE_POP3] = {"pop3", 110, ROLE_MAIL, false},
    [SERVICE_POP3S] = {"pop3s", 995, ROLE_MAIL, false},
    [SERVICE_IMAP] = {"imap", 143, ROLE_MAIL, false},
    [SERVICE_IMAPS] = {"imaps", 993, ROLE_MAIL, false},
    [SERVICE_FTP] = {"ftp", 21, ROLE_FTP, false},
    [SERVICE_FTP_DATA] = {"ftp-data", 49152, ROLE_FTP, false},
    [SERVICE_DNS] = {"dns", 53, ROLE_DNS, true},
    [SERVICE_RESOLVER] = {"resolver", 53, ROLE_RESOLVE, true},
    [SERVICE_CONTROL] = {"control", 0, ROLE_CTL, false},
};

static const struct conf_key log_keys[] = {
    {.name = "to",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, log.to) - offsetof(struct settings, log),
     .fallback = "stderr",
     .choices = "stderr file journal",
     .help = "Where events go: the standard error, DIR/log/stead.log, or the systemd journal."},
    {.name = "format",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, log.format) - offsetof(struct settings, log),
     .fallback = "text",
     .choices = "text json",
     .help = "How an event is written, one a line."},
    {.name = "level",
     .type = CONF_CHOICE,
     .offset = offsetof(struct settings, log.level) - offsetof(struct settings, log),
     .fallback = "info",
     .choices = "error warn info debug",
     .help = "The least that is logged."},
    {0},
};

#define SERVICE_KEYS(port_, service_)                                                              \
	{.name = "listen",                                                                         \
	 .type = CONF_ADDRS,                                                                       \
	 .offset = offsetof(struct service_settings, listen) + (service_),                         \
	 .max = 64,                                                                                \
	 .port = (port_),                                                                          \
	 .help = "Where to listen; left out: every one of `addresses`; an empty list: nowhere."},  \
	{                                                                                          \
		.name = "instances", .type = CONF_NUMBER,                                          \
		.offset = offsetof(struct service_settings, instances) + (service_),               \
		.fallback = "1", .min = 1, .max = INSTANCES_MAX, .unit = "processes",              \
		.help = "How many processes share the work; each costs about 2 MiB of memory."     \
	}

static const struct conf_key smtp_keys[] = {
    SERVICE_KEYS(25, 0),
    {.name = "message_size",
     .type = CONF_SIZE,
     .offset = offsetof(struct settings, smtp.message_size) - offsetof(struct settings, smtp),
     .fallback = "50m",
     .min = 65536,
     .max = 1u << 30,
     .unit = "bytes",
     .help = "The largest message that is taken; a larger one gets 552 (RFC 1870)."},
    {.name = "recipients",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, smtp.recipients) - offsetof(struct settings, smtp),
     .fallback = "1000",
     .min = 100,
     .max = 1000,
     .help = "The most recipients of one message; more get 452 (RFC 5321 4.5.3.1.8)."},
    {.name = "relay",
     .type = CONF_NETS,
     .offset = offsetof(struct settings, smtp.relay) - offsetof(struct settings, smtp),
     .fallback = "[]",
     .max = NETS_MAX,
     .help =
         "Networks whose mail goes to anywhere without a login: your own machines, nobody else's."},
    {0},
};

#define LISTEN_KEYS(block_, port_, tls_port_, what_)                                               \
	{.name = "listen",                                                                         \
	 .type = CONF_ADDRS,                                                                       \
	 .offset = offsetof(struct settings, block_.listen) - offsetof(struct settings, block_),   \
	 .max = 64,                                                                                \
	 .port = (port_),                                                                          \
	 .help = "Where to listen; left out: every one of `addresses`; an empty list: nowhere."},  \
	{                                                                                          \
		.name = "tls_listen", .type = CONF_ADDRS,                                          \
		.offset = offsetof(struct settings, block_.tls_listen) -                           \
		          offsetof(struct settings, block_),                                       \
		.max = 64, .port = (tls_port_),                                                    \
		.help = "Where to listen for " what_ " that begins with TLS (RFC 8314)."           \
	}

static const struct conf_key submission_keys[] = {
    LISTEN_KEYS(submission, 587, 465, "submission"),
    {0},
};

static const struct conf_key pop3_keys[] = {
    SERVICE_KEYS(110, 0),
    {.name = "tls_listen",
     .type = CONF_ADDRS,
     .offset = offsetof(struct settings, pop3.tls_listen) - offsetof(struct settings, pop3),
     .max = 64,
     .port = 995,
     .help = "Where to listen for POP3 that begins with TLS (RFC 8314)."},
    {0},
};

static const struct conf_key imap_keys[] = {
    SERVICE_KEYS(143, 0),
    {.name = "tls_listen",
     .type = CONF_ADDRS,
     .offset = offsetof(struct settings, imap.tls_listen) - offsetof(struct settings, imap),
     .max = 64,
     .port = 993,
     .help = "Where to listen for IMAP that begins with TLS (RFC 8314)."},
    {0},
};

static const struct conf_key ftp_keys[] = {
    {.name = "listen",
     .type = CONF_ADDRS,
     .offset = offsetof(struct settings, ftp.listen) - offsetof(struct settings, ftp),
     .max = 16,
     .port = 21,
     .help = "Where to listen; left out: every one of `addresses`; an empty list: nowhere."},
    {.name = "passive_port",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, ftp.passive_port) - offsetof(struct settings, ftp),
     .fallback = "0",
     .max = 65535,
     .help = "The first port for passive data connections; 0: 49152, or 1024 behind port_offset."},
    {.name = "passive_ports",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, ftp.passive_ports) - offsetof(struct settings, ftp),
     .fallback = "64",
     .min = 1,
     .max = PASSIVE_MAX,
     .unit = "ports",
     .help = "How many there are: those that a firewall lets through; each serves every client."},
    {.name = "passive_address",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, ftp.passive_address) - offsetof(struct settings, ftp),
     .max = 15,
     .help = "The IPv4 address that PASV tells to clients from elsewhere, behind a NAT."},
    {.name = "data_resumes",
     .type = CONF_FLAG,
     .offset = offsetof(struct settings, ftp.data_resumes) - offsetof(struct settings, ftp),
     .fallback = "on",
     .help = "Data connections in TLS must resume the session of their control connection; off is "
             "for clients that cannot, and lets whoever reaches the port first take the data."},
    {0},
};

static const struct conf_key out_keys[] = {
    {.name = "port",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, out.port) - offsetof(struct settings, out),
     .fallback = "25",
     .min = 1,
     .max = 65535,
     .help = "The port of other mail servers: 25 everywhere but in tests."},
    {.name = "relay",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, out.relay) - offsetof(struct settings, out),
     .max = 255,
     .help =
         "A host, or HOST:PORT, that takes all outgoing mail instead of the domains' own servers."},
    {.name = "loopback",
     .type = CONF_FLAG,
     .offset = offsetof(struct settings, out.loopback) - offsetof(struct settings, out),
     .fallback = "off",
     .help = "Whether mail goes to loopback addresses that a domain tells: on for tests alone."},
    {0},
};

static const struct conf_key resolver_keys[] = {
    {.name = "listen",
     .type = CONF_ADDRS,
     .offset = offsetof(struct settings, resolver.listen) - offsetof(struct settings, resolver),
     .max = 64,
     .port = 53,
     .help =
         "Where to listen; left out: 127.0.0.1 and ::1, port 53, with a port_offset one more; an "
         "empty list: nowhere."},
    {.name = "clients",
     .type = CONF_NETS,
     .offset = offsetof(struct settings, resolver.clients) - offsetof(struct settings, resolver),
     .fallback = "[127.0.0.0/8 ::1]",
     .max = NETS_MAX,
     .help = "Networks that it answers; all others are REFUSED."},
    {.name = "root_hints",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, resolver.root_hints) - offsetof(struct settings, resolver),
     .max = 4096,
     .help = "A master file with the root's servers; left out: those of the Internet."},
    {.name = "hosts",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, resolver.hosts) - offsetof(struct settings, resolver),
     .fallback = "/etc/hosts",
     .max = 4096,
     .help = "A hosts file, whose names are answered from it."},
    {.name = "upstream_port",
     .type = CONF_NUMBER,
     .offset =
         offsetof(struct settings, resolver.upstream_port) - offsetof(struct settings, resolver),
     .fallback = "53",
     .min = 1,
     .max = 65535,
     .help = "The port of other name servers: 53 everywhere but in tests."},
    {0},
};

static const struct conf_key zone_keys[] = {
    {.name = "file",
     .type = CONF_TEXT,
     .offset = offsetof(struct zone_settings, file),
     .min = 1,
     .max = 4096,
     .required = true,
     .help = "The zone's master file, absolute or relative to DIR; it is read, never written."},
    {0},
};

static const struct conf_key dns_keys[] = {
    SERVICE_KEYS(53, 0),
    {.name = "rate_limit",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, dns.rate_limit) - offsetof(struct settings, dns),
     .fallback = "50",
     .max = 1000000,
     .unit = "answers a second",
     .help = "Like answers to one network (/24, /56) over UDP, before they are cut; 0: no limit."},
    {.name = "zones",
     .type = CONF_NAMED,
     .offset = offsetof(struct settings, dns.zones) - offsetof(struct settings, dns),
     .max = 500,
     .keys = zone_keys,
     .size = sizeof(struct zone_settings),
     .help = "Zones beside those in DIR/zones, by name."},
    {0},
};

static const struct conf_key auth_keys[] = {
    {.name = "hash_cost",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, auth.hash_cost) - offsetof(struct settings, auth),
     .fallback = "5",
     .min = 1,
     .max = 11,
     .help = "The cost of the yescrypt hash of new passwords; one more doubles time and memory."},
    {.name = "plaintext_login",
     .type = CONF_NETS,
     .offset = offsetof(struct settings, auth.plaintext_login) - offsetof(struct settings, auth),
     .fallback = "[127.0.0.0/8 ::1]",
     .max = NETS_MAX,
     .help = "Networks that may log in without TLS."},
    {0},
};

static const struct conf_key tls_keys[] = {
    {.name = "certificate",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, tls.certificate) - offsetof(struct settings, tls),
     .fallback = "tls/cert.pem",
     .min = 1,
     .max = 4096,
     .help = "The certificate and its chain in PEM, absolute or relative to DIR."},
    {.name = "key",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, tls.key) - offsetof(struct settings, tls),
     .fallback = "tls.pem",
     .min = 1,
     .max = 255,
     .help = "Its private key in PEM: a file in DIR/keys, which only the role `keys` reads."},
    {0},
};

static const struct conf_key schema[] = {
    {.name = "host_name",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, host_name),
     .fallback = "localhost",
     .min = 1,
     .max = 255,
     .help = "This server's name, as it greets with; it should resolve to its address."},
    {.name = "domain",
     .type = CONF_TEXT,
     .offset = offsetof(struct settings, domain),
     .fallback = "localhost",
     .min = 1,
     .max = 253,
     .help = "The domain of users who log in with a name alone."},
    {.name = "addresses",
     .type = CONF_TEXTS,
     .offset = offsetof(struct settings, addresses),
     .fallback = "[*]",
     .min = 1,
     .max = 16,
     .help = "The addresses that every service without a `listen` of its own listens on."},
    {.name = "port_offset",
     .type = CONF_NUMBER,
     .offset = offsetof(struct settings, port_offset),
     .fallback = "0",
     .max = 64000,
     .help = "Added to the standard's port of every service without a `listen` of its own."},
    {.name = "log",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, log),
     .keys = log_keys,
     .help = "The log."},
    {.name = "smtp",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, smtp),
     .keys = smtp_keys,
     .help = "Mail coming in."},
    {.name = "submission",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, submission),
     .keys = submission_keys,
     .help = "Mail that users send, behind a login; its processes are those of smtp."},
    {.name = "out",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, out),
     .keys = out_keys,
     .help = "Mail going out."},
    {.name = "imap",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, imap),
     .keys = imap_keys,
     .help = "Mail read by IMAP; IMAP and POP3 share processes: the larger number counts."},
    {.name = "ftp",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, ftp),
     .keys = ftp_keys,
     .help = "Files."},
    {.name = "resolver",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, resolver),
     .keys = resolver_keys,
     .help = "Names of others, looked up for this machine and its networks."},
    {.name = "pop3",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, pop3),
     .keys = pop3_keys,
     .help = "Mail fetched by POP3."},
    {.name = "dns",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, dns),
     .keys = dns_keys,
     .help = "Names that this server is the authority for."},
    {.name = "auth",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, auth),
     .keys = auth_keys,
     .help = "Logins."},
    {.name = "tls",
     .type = CONF_BLOCK,
     .offset = offsetof(struct settings, tls),
     .keys = tls_keys,
     .help = "What the server proves its name with."},
    {0},
};

/* ---- what the schema cannot say ---- */

struct reading {
	const char *file;
	struct conf_node *root;
	struct settings *settings;
	struct arena *arena;
	struct conf_faults *faults;
};

static void
complain(const struct reading *r, const char *key, const struct conf_value *at, const char *why)
{
	uint8_t room[TEXT_ESCAPED * 64];
	struct wr w = wr_of(room, sizeof(room));

	text_escape(&w, (struct bytes){at->text.p, at->text.n < 64 ? at->text.n : 64});
	conf_complain(r->faults, r->file, at->line, at->col, "%s: \"%.*s\" %s", key,
	              (int)wr_since(&w, room).n, (const char *)room, why);
}

/* An address or *, and no port: that is each service's own. */
static bool
is_place(struct bytes text)
{
	struct addr a, b;

	return addr_parse(text, 1, &a) && addr_parse(text, 2, &b) && a.port == 1 && b.port == 2;
}

/* What goes into greetings, header fields and logins as it is. */
static bool
is_name(struct bytes text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] >= 0x7f)
			return false;
	return true;
}

/* The address that PASV tells, which has no room for another than an IPv4 one (RFC 959 4.1.2). */
static bool
is_ipv4(struct bytes text)
{
	struct addr a;

	return addr_parse(text, 1, &a) && addr_ip_is_v4(a.ip) && is_place(text);
}

/* A host or an address, with a port or without. */
static bool
is_host(struct bytes text)
{
	return is_name(text) && !memchr(text.p, '@', text.n);
}

static const struct rule {
	const char *block, *key; /* block: NULL for a key of the outermost */
	bool (*is_good)(struct bytes);
	const char *why;
} rules[] = {
    {NULL, "host_name", is_name, "is not a host's name"},
    {NULL, "domain", is_name, "is not a domain's name"},
    {NULL, "addresses", is_place, "is not an address without a port"},
    {"ftp", "passive_address", is_ipv4, "is not an IPv4 address"},
    {"out", "relay", is_host, "is not a host"},
};

static void
check_values(const struct reading *r, const struct conf_node *n, const struct rule *rule)
{
	for (size_t i = 0; i < n->value_count; i++)
		if (!rule->is_good(n->values[i].text))
			complain(r, rule->key, &n->values[i], rule->why);
}

static void
check_block(const struct reading *r, const struct conf_node *block, const char *name)
{
	for (const struct conf_node *n = block->first; n; n = n->next)
		for (size_t i = 0; i < COUNT(rules); i++)
			if (rules[i].block == name && bytes_eq(n->name, bytes_of(rules[i].key)))
				check_values(r, n, &rules[i]);
}

static const struct conf_node *
find_block(const struct reading *r, const char *name)
{
	const struct conf_node *n = r->root->first;

	while (n && !bytes_eq(n->name, bytes_of(name)))
		n = n->next;
	return n;
}

/* Keys that were left out have good defaults, so what is complained of stands in the file. */
static struct err
check(const struct reading *r)
{
	size_t before = r->faults->n;

	check_block(r, r->root, NULL);
	for (size_t i = 0; i < COUNT(rules); i++) {
		const char *name = rules[i].block;
		const struct conf_node *block = name ? find_block(r, name) : NULL;

		if (block)
			check_block(r, block, name);
	}
	return r->faults->n == before ? OK : ERR(ERR_SYNTAX, 0, "settings");
}

/* Addresses and a port each. */
static struct err
places(const struct reading *r, const struct bytes *hosts, size_t n, uint64_t port, size_t ports,
       struct conf_addrs *out)
{
	assert(port + ports <= UINT16_MAX + 1); /* by check(), and the range of port_offset */
	out->n = n * ports;
	out->list = arena_alloc(r->arena, out->n * sizeof(*out->list));
	if (!out->list)
		return ERR(ERR_MEMORY, 0, "listen addresses");
	for (size_t i = 0; i < out->n; i++)
		if (!addr_parse(hosts[i / ports], (uint16_t)(port + i % ports), &out->list[i]))
			return ERR(ERR_SYNTAX, 0, "addresses");
	return OK;
}

/* A service that the file gives no `listen` gets every one of `addresses`. */
static struct err
listen_everywhere(const struct reading *r, uint16_t port, struct conf_addrs *out)
{
	const struct conf_texts *addresses = &r->settings->addresses;

	return places(r, addresses->list, addresses->n, port + r->settings->port_offset, 1, out);
}

/* The authority has port 53 of the public addresses; the resolver is this machine's own. */
static struct err
listen_resolver(const struct reading *r)
{
	static const struct bytes hosts[] = {{(const uint8_t *)"127.0.0.1", 9},
	                                     {(const uint8_t *)"::1", 3}};
	uint64_t offset = r->settings->port_offset;

	if (r->settings->resolver.listen.list)
		return OK;
	return places(r, hosts, COUNT(hosts), 53 + offset + (offset != 0), 1,
	              &r->settings->resolver.listen);
}

/* Passive data comes to the addresses at which FTP listens. */
static struct err
listen_passive(const struct reading *r)
{
	struct settings *s = r->settings;
	struct conf_addrs *out = &s->ftp.passive;
	size_t ports = s->ftp.passive_ports;

	if (!s->ftp.passive_port)
		s->ftp.passive_port =
		    s->port_offset ? s->port_offset + PASSIVE_BEHIND : PASSIVE_FIRST;
	out->n = s->ftp.listen.n * ports;
	out->list = arena_alloc(r->arena, (out->n + 1) * sizeof(*out->list));
	if (!out->list)
		return ERR(ERR_MEMORY, 0, "passive addresses");
	for (size_t i = 0; i < out->n; i++) {
		out->list[i] = s->ftp.listen.list[i / ports];
		out->list[i].port = (uint16_t)(s->ftp.passive_port + i % ports);
	}
	return OK;
}

/* What keys mean only together. */
static struct err
check_together(const struct reading *r)
{
	const struct settings *s = r->settings;
	const struct conf_node *n = find_block(r, "ftp");
	const char *why = NULL;

	if (s->ftp.passive_port + s->ftp.passive_ports > UINT16_MAX + 1)
		why = "passive_port and passive_ports: there is no port above 65535";
	else if (s->ftp.listen.n * s->ftp.passive_ports > PASSIVE_MAX)
		why = "passive_ports: too many for so many addresses, 1024 in all";
	if (!why)
		return OK;
	conf_complain(r->faults, r->file, n ? n->line : 1, n ? n->col : 1, "%s", why);
	return ERR(ERR_SYNTAX, 0, "settings");
}

struct err
settings_read(struct bytes text, const char *file, struct settings *s, struct arena *a,
              struct conf_faults *faults)
{
	const struct {
		struct conf_addrs *listen;
		enum service service;
	} rows[] = {
	    {&s->smtp.service.listen, SERVICE_SMTP},
	    {&s->submission.listen, SERVICE_SUBMISSION},
	    {&s->submission.tls_listen, SERVICE_SUBMISSIONS},
	    {&s->pop3.service.listen, SERVICE_POP3},
	    {&s->pop3.tls_listen, SERVICE_POP3S},
	    {&s->imap.service.listen, SERVICE_IMAP},
	    {&s->imap.tls_listen, SERVICE_IMAPS},
	    {&s->ftp.listen, SERVICE_FTP},
	    {&s->dns.service.listen, SERVICE_DNS},
	};
	struct reading r = {file, NULL, s, a, faults};
	struct err e;

	faults->n = 0;
	e = conf_parse(text, file, a, &r.root, faults);
	if (is_ok(e))
		e = conf_fill(r.root, file, schema, s, sizeof(*s), a, faults);
	if (is_ok(e))
		e = check(&r);
	for (size_t i = 0; is_ok(e) && i < COUNT(rows); i++)
		if (!rows[i].listen->list)
			e = listen_everywhere(&r, services[rows[i].service].port, rows[i].listen);
	if (is_ok(e))
		e = check_together(&r);
	if (is_ok(e))
		e = listen_resolver(&r);
	if (is_ok(e))
		e = listen_passive(&r);
	return e;
}

const struct service_row *
service_row(enum service s)
{
	return &services[s];
}

const struct conf_addrs *
settings_listen(const struct settings *s, enum service which)
{
	static const struct conf_addrs nowhere;

	switch (which) {
	case SERVICE_SMTP:
		return &s->smtp.service.listen;
	case SERVICE_SUBMISSION:
		return &s->submission.listen;
	case SERVICE_SUBMISSIONS:
		return &s->submission.tls_listen;
	case SERVICE_POP3:
		return &s->pop3.service.listen;
	case SERVICE_POP3S:
		return &s->pop3.tls_listen;
	case SERVICE_IMAP:
		return &s->imap.service.listen;
	case SERVICE_IMAPS:
		return &s->imap.tls_listen;
	case SERVICE_FTP:
		return &s->ftp.listen;
	case SERVICE_FTP_DATA:
		return &s->ftp.passive;
	case SERVICE_DNS:
		return &s->dns.service.listen;
	case SERVICE_RESOLVER:
		return &s->resolver.listen;
	case SERVICE_CONTROL:
	case SERVICE_COUNT:
		break;
	}
	return &nowhere;
}

uint8_t
settings_instances(const struct settings *s, enum role role)
{
	uint64_t pop3 = s->pop3.service.instances, imap = s->imap.service.instances;

	if (role == ROLE_SMTP)
		return (uint8_t)s->smtp.service.instances;
	if (role == ROLE_MAIL)
		return (uint8_t)(pop3 > imap ? pop3 : imap);
	if (role == ROLE_DNS)
		return (uint8_t)s->dns.service.instances;
	return 1;
}

void
settings_describe(struct wr *w)
{
	conf_describe(w, schema);
}

/* ---- what the roles are told ---- */

static void
pack_nets(struct wr *w, const struct conf_nets *nets)
{
	wr_u8(w, (uint8_t)nets->n);
	for (size_t i = 0; i < nets->n; i++) {
		wr_bytes(w, (struct bytes){nets->list[i].ip, sizeof(nets->list[i].ip)});
		wr_u8(w, nets->list[i].bits);
	}
}

static void
unpack_nets(struct rd *r, struct role_nets *nets)
{
	nets->n = rd_u8(r);
	if (nets->n > NETS_MAX)
		r->bad = true;
	for (size_t i = 0; !r->bad && i < nets->n; i++) {
		struct bytes ip = rd_take(r, sizeof(nets->list[i].ip));

		if (ip.n)
			memcpy(nets->list[i].ip, ip.p, ip.n);
		nets->list[i].bits = rd_u8(r);
		if (nets->list[i].bits > 128)
			r->bad = true;
	}
}

void
settings_pack(const struct settings *s, uint32_t owner_uid, struct wr *w)
{
	wr_bytes8(w, s->host_name);
	wr_bytes8(w, s->domain);
	wr_bytes8(w, s->tls.key);
	wr_u32(w, owner_uid);
	wr_u64(w, s->smtp.message_size);
	wr_u32(w, (uint32_t)s->smtp.recipients);
	wr_u32(w, (uint32_t)s->dns.rate_limit);
	wr_u8(w, (uint8_t)s->auth.hash_cost);
	wr_u8(w, (uint8_t)s->log.to);
	wr_u8(w, (uint8_t)s->log.format);
	wr_u8(w, (uint8_t)s->log.level);
	wr_bytes8(w, s->out.relay);
	wr_bytes8(w, s->ftp.passive_address);
	wr_u16(w, (uint16_t)s->out.port);
	wr_u16(w, (uint16_t)s->resolver.upstream_port);
	wr_u16(w, (uint16_t)(FTP_DATA_PORT + s->port_offset));
	wr_u8(w, s->out.loopback);
	wr_u8(w, s->ftp.data_resumes);
	pack_nets(w, &s->auth.plaintext_login);
	pack_nets(w, &s->smtp.relay);
	pack_nets(w, &s->resolver.clients);
}

bool
role_settings_unpack(struct bytes packed, struct role_settings *s)
{
	struct rd r = rd_of(packed);

	*s = (struct role_settings){0};
	s->host_name = rd_bytes8(&r);
	s->domain = rd_bytes8(&r);
	s->tls_key = rd_bytes8(&r);
	s->owner_uid = rd_u32(&r);
	s->message_size = rd_u64(&r);
	s->recipients = rd_u32(&r);
	s->rate_limit = rd_u32(&r);
	s->hash_cost = rd_u8(&r);
	s->log_to = rd_u8(&r);
	s->log_format = rd_u8(&r);
	s->log_level = rd_u8(&r);
	s->out_relay = rd_bytes8(&r);
	s->passive_address = rd_bytes8(&r);
	s->out_port = rd_u16(&r);
	s->upstream_port = rd_u16(&r);
	s->ftp_data_port = rd_u16(&r);
	s->out_loopback = rd_u8(&r) != 0;
	s->data_resumes = rd_u8(&r) != 0;
	unpack_nets(&r, &s->plaintext_login);
	unpack_nets(&r, &s->relay);
	unpack_nets(&r, &s->clients);
	return !r.bad && !rd_left(&r);
}

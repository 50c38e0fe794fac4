/* settings.c - the schema of stead.conf, and what follows from it. */
#include "role/settings.h"

#include "base/text.h"

#include <assert.h>
#include <stddef.h>

static const struct service_row services[SERVICE_COUNT] = {
    [SERVICE_SMTP] = {"smtp", 25, ROLE_SMTP, false},
    [SERVICE_POP3] = {"pop3", 110, ROLE_MAIL, false},
    [SERVICE_POP3S] = {"pop3s", 995, ROLE_MAIL, false},
    [SERVICE_DNS] = {"dns", 53, ROLE_DNS, true},
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

static const struct rule {
	const char *key; /* of the outermost block */
	bool (*is_good)(struct bytes);
	const char *why;
} rules[] = {
    {"host_name", is_name, "is not a host's name"},
    {"domain", is_name, "is not a domain's name"},
    {"addresses", is_place, "is not an address without a port"},
};

static void
check_values(const struct reading *r, const struct conf_node *n, const struct rule *rule)
{
	for (size_t i = 0; i < n->value_count; i++)
		if (!rule->is_good(n->values[i].text))
			complain(r, rule->key, &n->values[i], rule->why);
}

/* Keys that were left out have good defaults, so what is complained of stands in the file. */
static struct err
check(const struct reading *r)
{
	size_t before = r->faults->n;

	for (const struct conf_node *n = r->root->first; n; n = n->next)
		for (size_t i = 0; i < COUNT(rules); i++)
			if (bytes_eq(n->name, bytes_of(rules[i].key)))
				check_values(r, n, &rules[i]);
	return r->faults->n == before ? OK : ERR(ERR_SYNTAX, 0, "settings");
}

/* A service that the file gives no `listen` gets every one of `addresses`. */
static struct err
listen_everywhere(const struct reading *r, uint16_t port, struct conf_addrs *out)
{
	const struct conf_texts *addresses = &r->settings->addresses;
	uint64_t shifted = port + r->settings->port_offset;

	assert(shifted <= UINT16_MAX); /* by the range of port_offset */
	out->n = addresses->n;
	out->list = arena_alloc(r->arena, out->n * sizeof(*out->list));
	if (!out->list)
		return ERR(ERR_MEMORY, 0, "listen addresses");
	for (size_t i = 0; i < out->n; i++)
		if (!addr_parse(addresses->list[i], (uint16_t)shifted, &out->list[i]))
			return ERR(ERR_SYNTAX, 0, "addresses");
	return OK;
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
	    {&s->pop3.service.listen, SERVICE_POP3},
	    {&s->pop3.tls_listen, SERVICE_POP3S},
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
	case SERVICE_POP3:
		return &s->pop3.service.listen;
	case SERVICE_POP3S:
		return &s->pop3.tls_listen;
	case SERVICE_DNS:
		return &s->dns.service.listen;
	case SERVICE_CONTROL:
	case SERVICE_COUNT:
		break;
	}
	return &nowhere;
}

uint8_t
settings_instances(const struct settings *s, enum role role)
{
	if (role == ROLE_SMTP)
		return (uint8_t)s->smtp.service.instances;
	if (role == ROLE_MAIL)
		return (uint8_t)s->pop3.service.instances;
	if (role == ROLE_DNS)
		return (uint8_t)s->dns.service.instances;
	return 1;
}

void
settings_describe(struct wr *w)
{
	conf_describe(w, schema);
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
	wr_u8(w, (uint8_t)s->auth.plaintext_login.n);
	for (size_t i = 0; i < s->auth.plaintext_login.n; i++) {
		const struct net *n = &s->auth.plaintext_login.list[i];

		wr_bytes(w, (struct bytes){n->ip, sizeof(n->ip)});
		wr_u8(w, n->bits);
	}
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
	s->n_plaintext = rd_u8(&r);
	if (s->n_plaintext > NETS_MAX)
		return false;
	for (size_t i = 0; i < s->n_plaintext; i++) {
		struct bytes ip = rd_take(&r, sizeof(s->plaintext_login[i].ip));

		if (ip.n)
			memcpy(s->plaintext_login[i].ip, ip.p, ip.n);
		s->plaintext_login[i].bits = rd_u8(&r);
		if (s->plaintext_login[i].bits > 128)
			return false;
	}
	return !r.bad && !rd_left(&r);
}

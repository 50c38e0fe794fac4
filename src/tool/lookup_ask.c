/*
 * lookup_ask.c - the words of the command line, by tables: flags (-p), options (+tcp), and bare
 * words, each of which is a type, a class, or else the name.
 */
#include "tool/lookup_ask.h"

#include "base/addr.h"
#include "base/text.h"

enum { SECONDS_MAX = 300, TRIES_MAX = 20 };

struct reader {
	struct lookup_ask *ask;
	FILE *complaints;
	bool has_type;
};

static bool
wrong(struct reader *r, const char *what, const char *word)
{
	fprintf(r->complaints, "lookup: %s: %s\n", what, word);
	return false;
}

static bool
number(struct reader *r, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	if (text && text_u64(bytes_of(text), max, out) && *out >= min)
		return true;
	return wrong(r, "not a number that fits here", text ? text : "(nothing)");
}

/* ---- the question ---- */

static bool
set_name(struct reader *r, const char *text)
{
	const char *why;

	if (r->ask->name.n)
		return wrong(r, "one name is asked for at a time; this is a second one", text);
	why = dname_parse_text(&r->ask->name, bytes_of(text), DNAME_ROOT);
	if (!why)
		return true;
	r->ask->name.n = 0;
	fprintf(r->complaints, "lookup: %s: not a domain name (%s)\n", text, why);
	return false;
}

static bool
set_type(struct reader *r, const char *text)
{
	uint16_t type;

	if (!dns_type_parse(&type, bytes_of(text)))
		return wrong(r, "not a record type", text);
	if (type == DNS_TYPE_AXFR || type == DNS_TYPE_IXFR)
		return wrong(r, "zone transfers are not asked for here", text);
	r->ask->type = type;
	r->has_type = true;
	r->ask->both = false;
	return true;
}

static bool
set_class(struct reader *r, const char *text)
{
	return dns_class_parse(&r->ask->class, bytes_of(text)) || wrong(r, "not a class", text);
}

/* The name under which the name of an address stands (RFC 1035 3.5, RFC 3596 2.5). */
static bool
set_reverse(struct reader *r, const char *text)
{
	uint8_t ip[16], room[128];
	struct wr w = wr_of(room, sizeof(room) - 1);

	if (!addr_ip_parse(bytes_of(text), ip))
		return wrong(r, "not an address", text);
	if (addr_ip_is_v4(ip)) {
		wr_printf(&w, "%u.%u.%u.%u.in-addr.arpa", ip[15], ip[14], ip[13], ip[12]);
	} else {
		for (size_t i = sizeof(ip); i--;)
			wr_printf(&w, "%x.%x.", ip[i] & 15u, (unsigned)ip[i] >> 4);
		wr_text(&w, "ip6.arpa");
	}
	*w.p = 0;
	r->ask->reverse = true;
	if (!r->has_type)
		r->ask->type = DNS_TYPE_PTR; /* a type may still come */
	r->ask->both = false;
	return set_name(r, (const char *)room);
}

/* ---- + options ---- */

/* Each may stand in its shortest form that no other has too. */
static const struct option {
	const char *name;
	bool negated; /* the name says what is not so */
	size_t at;    /* of a bool in the ask; 0: see below */
	uint16_t flag;
	unsigned show;
} options[] = {
    {.name = "short", .at = offsetof(struct lookup_ask, brief)},
    {.name = "tcp", .at = offsetof(struct lookup_ask, tcp)},
    {.name = "vc", .at = offsetof(struct lookup_ask, tcp)},
    {.name = "trace", .at = offsetof(struct lookup_ask, trace)},
    {.name = "ignore", .at = offsetof(struct lookup_ask, ignore)},
    {.name = "edns", .at = offsetof(struct lookup_ask, edns)},
    {.name = "dnssec", .at = offsetof(struct lookup_ask, dnssec)},
    {.name = "recurse", .flag = DNS_FLAG_RD},
    {.name = "rdflag", .flag = DNS_FLAG_RD},
    {.name = "aaflag", .flag = DNS_FLAG_AA},
    {.name = "adflag", .flag = DNS_FLAG_AD},
    {.name = "cdflag", .flag = DNS_FLAG_CD},
    {.name = "all", .show = LOOKUP_ALL},
    {.name = "cmd", .show = LOOKUP_CMD},
    {.name = "comments", .show = LOOKUP_COMMENTS},
    {.name = "question", .show = LOOKUP_QUESTION},
    {.name = "answer", .show = LOOKUP_ANSWER},
    {.name = "authority", .show = LOOKUP_AUTHORITY},
    {.name = "additional", .show = LOOKUP_ADDITIONAL},
    {.name = "stats", .show = LOOKUP_STATS},
};

static const struct option *
option_of(struct bytes word)
{
	const struct option *found = NULL;

	for (size_t i = 0; i < COUNT(options); i++) {
		struct bytes name = bytes_of(options[i].name);

		if (bytes_eq(name, word))
			return &options[i];
		if (word.n < 2 || !bytes_begins_nocase(name, word))
			continue;
		if (found)
			return NULL;
		found = &options[i];
	}
	return found;
}

static void
set_option(struct lookup_ask *ask, const struct option *o, bool on)
{
	if (o->at)
		*(bool *)((char *)ask + o->at) = on;
	if (on) {
		ask->flags |= o->flag;
		ask->show |= o->show;
	} else {
		ask->flags &= (uint16_t)~o->flag;
		ask->show &= ~o->show;
	}
}

static bool
read_value(struct reader *r, struct bytes name, const char *value, const char *whole)
{
	uint64_t n;

	if (bytes_eq(name, BYTES("time")) || bytes_eq(name, BYTES("timeout"))) {
		if (!number(r, value, 1, SECONDS_MAX, &n))
			return false;
		r->ask->seconds = (uint32_t)n;
	} else if (bytes_eq(name, BYTES("tries"))) {
		if (!number(r, value, 1, TRIES_MAX, &n))
			return false;
		r->ask->tries = (uint32_t)n;
	} else if (bytes_eq(name, BYTES("retry"))) {
		if (!number(r, value, 0, TRIES_MAX - 1, &n))
			return false;
		r->ask->tries = (uint32_t)n + 1;
	} else if (bytes_eq(name, BYTES("bufsize"))) {
		if (!number(r, value, 0, DNS_TCP_MAX, &n))
			return false;
		r->ask->size = (uint16_t)n;
		r->ask->edns = true;
	} else {
		return wrong(r, "an unknown option", whole);
	}
	return true;
}

static bool
read_option(struct reader *r, const char *word)
{
	struct bytes rest = bytes_of(word + 1), name;
	const struct option *o;
	bool on = !bytes_begins_nocase(rest, BYTES("no"));

	if (memchr(rest.p, '=', rest.n)) {
		name = text_cut(&rest, '=');
		return read_value(r, name, (const char *)name.p + name.n + 1, word);
	}
	name = on ? rest : (struct bytes){rest.p + 2, rest.n - 2};
	o = option_of(name);
	if (!o)
		return wrong(r, "an unknown option", word);
	set_option(r->ask, o, on);
	if (o->at == offsetof(struct lookup_ask, dnssec) && on)
		r->ask->edns = true;
	return true;
}

/* ---- words ---- */

static bool
read_port(struct reader *r, const char *text)
{
	uint64_t n;

	if (!number(r, text, 1, UINT16_MAX, &n))
		return false;
	r->ask->port = (uint16_t)n;
	return true;
}

/* --trace, --hints FILE, --port N */
static bool
read_long(struct reader *r, const char *word, const char *next, bool *used)
{
	if (!strcmp(word, "--trace")) {
		r->ask->trace = true;
		return true;
	}
	*used = true;
	if (!strcmp(word, "--hints")) {
		r->ask->hints = next;
		return next || wrong(r, "a file is missing behind", word);
	}
	return strcmp(word, "--port") ? wrong(r, "an unknown flag", word) : read_port(r, next);
}

/* -p 53 and -p53; *used becomes true when the next word was the value. */
static bool
read_flag(struct reader *r, const char *word, const char *next, bool *used)
{
	const char *value = word[2] ? word + 2 : next;

	if (word[1] == '4' || word[1] == '6') {
		r->ask->family = (uint8_t)(word[1] - '0');
		return !word[2] || wrong(r, "an unknown flag", word);
	}
	if (!word[1] || !strchr("pxtcq", word[1]))
		return wrong(r, "an unknown flag", word);
	*used = !word[2];
	if (!value)
		return wrong(r, "a value is missing behind", word);
	switch (word[1]) {
	case 'p':
		return read_port(r, value);
	case 'x':
		return set_reverse(r, value);
	case 't':
		return set_type(r, value);
	case 'c':
		return set_class(r, value);
	default:
		return set_name(r, value);
	}
}

static bool
read_bare(struct reader *r, const char *word)
{
	uint16_t type, class;

	if (!r->has_type && dns_type_parse(&type, bytes_of(word)))
		return set_type(r, word);
	if (dns_class_parse(&class, bytes_of(word)))
		return set_class(r, word);
	return set_name(r, word);
}

static bool
read_as_dig(struct reader *r, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool used = false, good;

		if (argv[i][0] == '@')
			good = argv[i][1] ? (r->ask->server = argv[i] + 1, true)
			                  : wrong(r, "a server is missing behind", argv[i]);
		else if (argv[i][0] == '+')
			good = read_option(r, argv[i]);
		else if (argv[i][0] == '-' && argv[i][1] == '-')
			good = read_long(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
		else if (argv[i][0] == '-')
			good = read_flag(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
		else
			good = read_bare(r, argv[i]);
		if (!good)
			return false;
		i += used;
	}
	if (!r->ask->name.n) { /* the root's servers, or what else of the root was asked */
		dname_copy(&r->ask->name, DNAME_ROOT);
		if (!r->has_type)
			r->ask->type = DNS_TYPE_NS;
	}
	return true;
}

/* -type=MX, -port=53, -timeout=2, -retry=1, -vc */
static bool
read_setting(struct reader *r, const char *word)
{
	struct bytes rest = bytes_of(word + 1), name = text_cut(&rest, '=');
	const char *value = (const char *)name.p + name.n + (rest.n != 0);

	if (bytes_eq(name, BYTES("type")) || bytes_eq(name, BYTES("querytype")) ||
	    bytes_eq(name, BYTES("query")) || bytes_eq(name, BYTES("q")))
		return set_type(r, value);
	if (bytes_eq(name, BYTES("class")))
		return set_class(r, value);
	if (bytes_eq(name, BYTES("port")))
		return read_port(r, value);
	if (bytes_eq(name, BYTES("vc"))) {
		r->ask->tcp = true;
		return true;
	}
	return read_value(r, name, value, word);
}

static bool
read_as_nslookup(struct reader *r, int argc, char **argv)
{
	uint8_t ip[16];

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (!read_setting(r, argv[i]))
				return false;
		} else if (r->ask->name.n) {
			if (r->ask->server)
				return wrong(r, "more than a name and a server", argv[i]);
			r->ask->server = argv[i];
		} else if (addr_ip_parse(bytes_of(argv[i]), ip)) {
			if (!set_reverse(r, argv[i]))
				return false;
		} else if (!set_name(r, argv[i])) {
			return false;
		}
	}
	return r->ask->name.n || wrong(r, "which name?  See", "nslookup --help");
}

enum lookup_said
lookup_ask_read(struct lookup_ask *ask, int argc, char **argv, enum lookup_manner manner,
                FILE *complaints)
{
	struct reader r = {.ask = ask, .complaints = complaints};
	bool good;

	*ask = (struct lookup_ask){.manner = manner,
	                           .type = DNS_TYPE_A,
	                           .class = DNS_CLASS_IN,
	                           .port = 53,
	                           .edns = manner == LOOKUP_AS_DIG,
	                           .both = manner == LOOKUP_AS_NSLOOKUP,
	                           .size = DNS_UDP_MAX,
	                           .flags = DNS_FLAG_RD,
	                           .seconds = 5,
	                           .tries = 3,
	                           .show = LOOKUP_ALL};
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h") ||
		    !strcmp(argv[i], "-help"))
			return LOOKUP_HELP;
	good = manner == LOOKUP_AS_DIG ? read_as_dig(&r, argc, argv)
	                               : read_as_nslookup(&r, argc, argv);
	return good ? LOOKUP_ASKED : LOOKUP_WRONG;
}

void
lookup_ask_help(FILE *out, enum lookup_manner manner)
{
	static const char dig[] =
	    "Asks a name server and prints what it says.\n"
	    "\n"
	    "  lookup example.org                      addresses of a name\n"
	    "  lookup example.org MX                   records of another type\n"
	    "  lookup @192.0.2.53 -p 10053 example.org ask this server, at this port\n"
	    "  lookup -x 192.0.2.1                     the name of an address\n"
	    "  lookup +short example.org               nothing but the data\n"
	    "\n"
	    "  @SERVER          an address or a name; else those of /etc/resolv.conf\n"
	    "  -p PORT          instead of 53        -4, -6     only over IPv4, over IPv6\n"
	    "  -t TYPE -c CLASS -q NAME              where a bare word could mean another thing\n"
	    "  --trace          find it from the root down, and show each step (also +trace)\n"
	    "  --hints FILE     the root's servers for that; else those that IANA publishes\n"
	    "  +tcp             ask over TCP         +ignore    take a truncated answer as it is\n"
	    "  +[no]recurse     let the server ask others\n"
	    "  +[no]edns +[no]dnssec +bufsize=N      what is said with EDNS\n"
	    "  +time=SECONDS +tries=N                how long and how often it is tried\n"
	    "  +[no]all +[no]answer +[no]comments +[no]question +[no]authority\n"
	    "  +[no]additional +[no]stats +[no]cmd   what is shown\n"
	    "\n"
	    "Exit: 0 a reply came, 1 the words were wrong, 8 a file could not be read,\n"
	    "9 no server replied, 10 something failed here.  More: man stead-lookup\n";
	static const char nslookup[] =
	    "Finds the addresses of a name, or the name of an address.\n"
	    "\n"
	    "  nslookup www.example.org                ask the servers of /etc/resolv.conf\n"
	    "  nslookup www.example.org 192.0.2.53     ask this one\n"
	    "  nslookup -type=MX example.org           records of another type\n"
	    "\n"
	    "  -port=N  -timeout=SECONDS  -retry=N  -class=CLASS  -vc (over TCP)\n";

	fputs(manner == LOOKUP_AS_DIG ? dig : nslookup, out);
}

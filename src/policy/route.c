/*
 * route.c - MX, then the addresses of one server after the other: AAAA, then A.
 *
 * Invariants:
 * 1. A question is open from ROUTE_ASK to route_answer(), and nothing else happens meanwhile.
 * 2. No target is an address of route_is_bad_ip(), nor a loopback address that no person allowed.
 * 3. Mail is failed only by what DNS said; what it did not say defers it.
 */
#include "policy/route_mx.h"

#include "dns/msg.h"

#include <assert.h>
#include <stdlib.h>

enum state { MX, AAAA, A, GIVE, END }; /* MX > (AAAA > A > GIVE) of each server > END */

struct route {
	struct route_conf conf;
	struct bytes domain;
	uint64_t random;
	enum state state;
	struct dname self; /* n 0: our name is none of DNS */
	struct dname question;
	struct route_mx mx;
	size_t host; /* whose turn it is */
	struct addr addrs[ROUTE_TARGETS];
	size_t n, next, given;
	bool relayed, implicit;
	bool later, refused; /* of some server: no answer; only addresses that may not be */
	struct route_why why;
	uint8_t name_n;
	uint8_t name[ROUTE_NAME_MAX];
	uint8_t reason[256];
};

static void
end(struct route *r, bool later, const char *status, const char *text)
{
	r->state = END;
	r->why.later = later;
	r->why.status[0] = (uint8_t)(status[0] - '0');
	r->why.status[1] = (uint8_t)(status[2] - '0');
	r->why.status[2] = (uint8_t)strtoul(status + 4, NULL, 10);
	r->why.text = bytes_of(text);
}

/* As end() for what could not be looked up, with the resolver's reason. */
static void
end_unknown(struct route *r, const char *what, struct bytes reason)
{
	struct wr w = wr_of(r->reason, sizeof(r->reason));

	end(r, true, "4.4.3", what);
	wr_text(&w, what);
	if (reason.n && reason.n + 2 <= wr_room(&w)) {
		wr_text(&w, ": ");
		for (size_t i = 0; i < reason.n; i++)
			wr_u8(&w, reason.p[i] < ' ' || reason.p[i] > '~' ? '?' : reason.p[i]);
	}
	r->why.text = wr_since(&w, r->reason);
}

/* All servers have had their turn. */
static void
end_of_hosts(struct route *r)
{
	if (r->relayed && !r->given) /* a person's mistake, who will mend it */
		end(r, true, "4.4.4", "the relay has no address that can be used");
	else if (r->later && r->why.text.n)
		r->state = END;
	else if (r->mx.itself)
		end(r, false, "5.4.6", "the domain's mail comes back to this host: a circle");
	else if (r->refused)
		end(r, false, "5.4.4", "the domain names only addresses that no mail goes to");
	else if (r->implicit)
		end(r, false, "5.1.2", "the domain has neither a mail server nor an address");
	else
		end(r, false, "5.4.4", "none of the domain's mail servers has an address");
}

static void
add(struct route *r, const uint8_t ip[16])
{
	struct addr *a = &r->addrs[r->n];

	if (r->given + r->n >= ROUTE_TARGETS)
		return;
	if (route_is_bad_ip(ip) || (addr_ip_is_loopback(ip) && !r->conf.loopback && !r->relayed)) {
		r->refused = true;
		return;
	}
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->addrs[i].ip, ip, 16) == 0)
			return;
	memcpy(a->ip, ip, 16);
	a->port = r->conf.port;
	r->n++;
}

/* The name of a host as text; false: nothing that a host is called (attack 17). */
static bool
name_host(struct route *r, struct bytes name)
{
	uint8_t text[DNAME_TEXT_MAX];
	struct wr w = wr_of(text, sizeof(text));
	struct bytes b;

	dname_to_text(&w, name);
	b = wr_since(&w, text);
	if (w.full || b.n < 2 || memchr(b.p, '\\', b.n) || memchr(b.p, ' ', b.n))
		return false;
	b.n--; /* the final dot */
	memcpy(r->name, b.p, b.n);
	r->name_n = (uint8_t)b.n;
	return true;
}

/* The next server's turn; one that was named before had it. */
static void
turn(struct route *r)
{
	r->n = r->next = 0;
	for (; r->host < r->mx.n; r->host++) {
		const struct dname *name = &r->mx.hosts[r->host].name;
		bool again = false;

		for (size_t i = 0; i < r->host; i++)
			again |= dname_eq(dname_bytes(&r->mx.hosts[i].name), dname_bytes(name));
		if (!again && r->given < ROUTE_TARGETS && name_host(r, dname_bytes(name))) {
			r->state = AAAA;
			r->question = *name;
			r->host++;
			return;
		}
	}
	end_of_hosts(r);
}

static void
mx_answered(struct route *r, const struct route_answer *a)
{
	struct bytes self = dname_bytes(&r->self);

	if (a->unknown || (a->rcode != DNS_RCODE_NOERROR && a->rcode != DNS_RCODE_NXDOMAIN)) {
		end_unknown(r, "the domain's mail servers could not be looked up", a->text);
		return;
	}
	if (a->rcode == DNS_RCODE_NXDOMAIN) {
		end(r, false, "5.1.2", "there is no such domain");
		return;
	}
	r->implicit = !a->records.n;
	if (r->implicit) {
		route_mx_implicit(&r->mx, dname_bytes(&r->question), self);
	} else if (!route_mx_read(&r->mx, a->records, self, r->random)) {
		end_unknown(r, "the domain's MX records are damaged", NO_BYTES);
		return;
	}
	if (r->mx.null)
		end(r, false, "5.1.10", "the domain takes no mail (RFC 7505)");
	else
		turn(r);
}

static void
addresses_answered(struct route *r, const struct route_answer *a)
{
	uint16_t type = r->state == A ? DNS_TYPE_A : DNS_TYPE_AAAA;
	struct rd records = rd_of(a->unknown || a->rcode ? NO_BYTES : a->records);
	bool damaged = false;
	uint8_t ip[16];

	while (rd_left(&records)) {
		if (route_ip_read(rd_bytes16(&records), type, ip))
			add(r, ip);
		else
			damaged = true;
	}
	if (a->unknown || damaged || (a->rcode && a->rcode != DNS_RCODE_NXDOMAIN)) {
		enum state state = r->state;

		end_unknown(r, "the address of a mail server could not be looked up", a->text);
		r->state = state;
		r->later = true;
	}
	r->state = r->state == AAAA && (a->unknown || a->rcode != DNS_RCODE_NXDOMAIN) ? A : GIVE;
}

/* An address instead of a name is a target at once. */
static void
give_literal(struct route *r, const struct addr *a)
{
	struct wr w = wr_of(r->name, sizeof(r->name));

	wr_text(&w, "[");
	addr_ip_text(&w, a->ip);
	wr_text(&w, "]");
	r->name_n = (uint8_t)wr_since(&w, r->name).n;
	r->conf.port = a->port;
	add(r, a->ip);
	r->state = GIVE;
}

/* [192.0.2.1], [IPv6:2001:db8::1] (RFC 5321 4.1.3). */
static bool
parse_literal(struct bytes b, struct addr *a)
{
	if (b.n < 2 || b.p[0] != '[' || b.p[b.n - 1] != ']')
		return false;
	b = (struct bytes){b.p + 1, b.n - 2};
	if (bytes_begins_nocase(b, BYTES("IPv6:")))
		b = (struct bytes){b.p + 5, b.n - 5};
	return addr_ip_parse(b, a->ip);
}

static void
begin_relay(struct route *r)
{
	struct route_relay relay;
	struct dname name;

	r->relayed = true;
	if (!route_relay_parse(r->conf.relay, r->conf.port, &relay)) {
		end(r, true, "4.3.5", "out.relay is no host");
	} else if (relay.is_ip) {
		give_literal(r, &relay.addr);
	} else if (dname_parse_text(&name, relay.host, DNAME_ROOT)) {
		end(r, true, "4.3.5", "out.relay is no host");
	} else {
		r->conf.port = relay.addr.port;
		route_mx_implicit(&r->mx, dname_bytes(&name), NO_BYTES);
		turn(r);
	}
}

static void
begin(struct route *r)
{
	struct addr a = {.port = r->conf.port};

	if (dname_parse_text(&r->self, r->conf.host, DNAME_ROOT))
		r->self.n = 0;
	if (r->conf.relay.n)
		begin_relay(r);
	else if (parse_literal(r->domain, &a))
		give_literal(r, &a);
	else if (!r->domain.n || dname_parse_text(&r->question, r->domain, DNAME_ROOT) ||
	         dname_is_root(dname_bytes(&r->question)))
		end(r, false, "5.1.2", "this is not the name of a domain");
}

struct route *
route_new(const struct route_conf *conf, struct bytes domain, uint64_t random)
{
	struct route *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->conf = *conf;
	r->domain = domain;
	r->random = random;
	begin(r);
	return r;
}

void
route_free(struct route *r)
{
	free(r);
}

enum route_want
route_step(struct route *r)
{
	while (r->state == GIVE && r->next == r->n)
		turn(r);
	switch (r->state) {
	case MX:
	case AAAA:
	case A:
		return ROUTE_ASK;
	case GIVE:
		return ROUTE_TARGET;
	case END:
		break;
	}
	return ROUTE_END;
}

void
route_question(const struct route *r, struct bytes *name, uint16_t *type)
{
	assert(r->state <= A);
	*name = dname_bytes(&r->question);
	*type = r->state == MX ? DNS_TYPE_MX : r->state == A ? DNS_TYPE_A : DNS_TYPE_AAAA;
}

void
route_answer(struct route *r, const struct route_answer *a)
{
	assert(r->state <= A);
	if (r->state == MX)
		mx_answered(r, a);
	else
		addresses_answered(r, a);
}

struct route_target
route_target(const struct route *r)
{
	assert(r->state == GIVE && r->next < r->n);
	return (struct route_target){r->addrs[r->next], {r->name, r->name_n}};
}

void
route_next(struct route *r)
{
	assert(r->state == GIVE && r->next < r->n);
	r->next++;
	r->given++;
}

struct route_why
route_why(const struct route *r)
{
	return r->why;
}

/*
 * hints.c - the root's servers.
 *
 * The addresses are those of https://www.internic.net/domain/named.root.
 */
#include "resolve/hints.h"

#include "base/text.h"
#include "resolve/address.h"

#include <assert.h>
#include <stdlib.h>

static const struct {
	const char *v4, *v6;
} iana[] = {
    {"198.41.0.4", "2001:503:ba3e::2:30"}, {"170.247.170.2", "2801:1b8:10::b"},
    {"192.33.4.12", "2001:500:2::c"},      {"199.7.91.13", "2001:500:2d::d"},
    {"192.203.230.10", "2001:500:a8::e"},  {"192.5.5.241", "2001:500:2f::f"},
    {"192.112.36.4", "2001:500:12::d0d"},  {"198.97.190.53", "2001:500:1::53"},
    {"192.36.148.17", "2001:7fe::53"},     {"192.58.128.30", "2001:503:c27::2:30"},
    {"193.0.14.129", "2001:7fd::1"},       {"199.7.83.42", "2001:500:9f::42"},
    {"202.12.27.33", "2001:dc3::35"},
};

static void
add_text(struct hints *h, uint8_t server, const char *text)
{
	struct hints_address *a = &h->addresses[h->addresses_n++];
	bool good;

	a->server = server;
	good = addr_ip_parse(bytes_of(text), a->ip);
	assert(good);
}

void
hints_default(struct hints *h)
{
	*h = (struct hints){.servers_n = 0};
	for (uint8_t i = 0; i < COUNT(iana); i++) {
		char name[] = "a.root-servers.net.";
		const char *wrong;

		name[0] = (char)('a' + i);
		wrong = dname_parse_text(&h->servers[h->servers_n++], bytes_of(name), DNAME_ROOT);
		assert(!wrong);
		add_text(h, i, iana[i].v4);
		add_text(h, i, iana[i].v6);
	}
}

/* ---- files ---- */

/* Addresses may come before the NS record that they belong to: who is no server falls out later. */
struct reading {
	struct hints *out;
	struct owned {
		struct dname owner;
		uint8_t ip[16];
	} list[HINTS_ADDRESSES];
	size_t n;
};

static const char *
take_server(struct hints *h, const struct zonefile_record *r)
{
	if (!dname_is_root(r->owner))
		return "an NS record of another name than the root";
	if (h->servers_n == HINTS_SERVERS)
		return "more than 20 servers";
	dname_copy(&h->servers[h->servers_n++], r->rdata);
	return NULL;
}

static const char *
take_record(void *owner, const struct zonefile_record *r)
{
	static const uint8_t v4[12] = {[10] = 0xff, 0xff};
	struct reading *k = owner;
	struct owned *a = &k->list[k->n];

	if (r->type == DNS_TYPE_NS)
		return take_server(k->out, r);
	if (r->type != DNS_TYPE_A && r->type != DNS_TYPE_AAAA)
		return NULL; /* SOA, DS and what else such files may hold */
	if (k->n == COUNT(k->list))
		return "more than 64 addresses";
	dname_copy(&a->owner, r->owner);
	if (r->type == DNS_TYPE_A)
		memcpy(a->ip, v4, sizeof(v4));
	memcpy(a->ip + 16 - r->rdata.n, r->rdata.p, r->rdata.n);
	k->n++;
	return NULL;
}

static void
join_addresses(struct hints *h, const struct reading *k)
{
	for (size_t i = 0; i < k->n; i++)
		for (uint8_t s = 0; s < h->servers_n; s++)
			if (dname_eq(dname_bytes(&h->servers[s]), dname_bytes(&k->list[i].owner))) {
				struct hints_address *a = &h->addresses[h->addresses_n++];

				a->server = s;
				memcpy(a->ip, k->list[i].ip, 16);
				break;
			}
}

struct err
hints_read(struct hints *out, struct bytes file, struct bytes text, struct zonefile_error *wrong)
{
	struct hints *fresh = calloc(1, sizeof(*fresh));
	struct reading *k = calloc(1, sizeof(*k));
	const struct zonefile_reader reader = {.owner = k, .record = take_record};
	struct err e = ERR(ERR_MEMORY, 0, "hints");

	if (k && fresh) {
		k->out = fresh;
		e = zonefile_parse(&reader, file, text, DNAME_ROOT, wrong);
	}
	if (is_ok(e)) {
		join_addresses(fresh, k);
		if (!fresh->addresses_n) {
			struct wr name = wr_of(wrong->file, sizeof(wrong->file) - 1);

			*wrong = (struct zonefile_error){
			    .line = 1,
			    .column = 1,
			    .text = "no name server of the root with an address"};
			wr_bytes(&name, file); /* too long for it: no name, as in any error */
			e = ERR(ERR_SYNTAX, 0, "hints");
		} else {
			*out = *fresh;
		}
	}
	free(k);
	free(fresh);
	return e;
}

bool
hints_are_loopback(const struct hints *h)
{
	for (size_t i = 0; i < h->addresses_n; i++)
		if (!addr_ip_is_loopback(h->addresses[i].ip))
			return false;
	return h->addresses_n > 0;
}

/* route_place.c - which addresses mail may go to, and the relay that a person names. */
#include "policy/route.h"

bool
route_is_bad_ip(const uint8_t ip[16])
{
	static const uint8_t zero[12];

	if (addr_ip_is_v4(ip))
		return ip[12] == 0 || ip[12] >= 224; /* "this network", multicast, reserved */
	if (memcmp(ip, zero, 12) == 0)
		return !addr_ip_is_loopback(ip); /* ::, and IPv4 in a form of old */
	return ip[0] == 0xff ||
	       (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80); /* link-local: no scope */
}

/* Letters, digits, hyphens, dots. */
static bool
is_host(struct bytes b)
{
	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = lower(b.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' &&
		    c != '_')
			return false;
	}
	return b.n > 0 && b.n <= ROUTE_NAME_MAX;
}

bool
route_relay_parse(struct bytes text, uint16_t default_port, struct route_relay *r)
{
	const uint8_t *colon;
	uint32_t port = 0;

	*r = (struct route_relay){.addr.port = default_port};
	r->is_ip = addr_parse(text, default_port, &r->addr) && !route_is_bad_ip(r->addr.ip);
	if (r->is_ip)
		return true;
	r->addr = (struct addr){.port = default_port};
	r->host = text;
	colon = text.n ? memchr(text.p, ':', text.n) : NULL;
	if (!colon)
		return is_host(text);
	r->host.n = (size_t)(colon - text.p);
	for (const uint8_t *p = colon + 1; p < text.p + text.n; p++) {
		if (*p < '0' || *p > '9' || port > UINT16_MAX)
			return false;
		port = port * 10 + (uint32_t)(*p - '0');
	}
	r->addr.port = (uint16_t)port;
	return is_host(r->host) && port && port <= UINT16_MAX;
}

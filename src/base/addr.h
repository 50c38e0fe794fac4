/*
 * addr.h - IP addresses, with a port or as a network, from text and to text.  IPv4 is kept as the
 * v4-mapped IPv6 address (::ffff:192.0.2.1, RFC 4291 2.5.5.2), so there is one form to compare.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/bytes.h"

enum {
	ADDR_IP_TEXT = 45, /* "ffff:...:255.255.255.255": the longest address */
	ADDR_TEXT = 64,    /* with brackets, scope and port */
};

struct addr {
	uint8_t ip[16];
	uint16_t port;
	uint32_t scope; /* of a link-local address: an interface's number; else 0 */
};

/* A network: the first `bits` of ip count, the others are 0; IPv4's /24 is 120 here. */
struct net {
	uint8_t ip[16];
	uint8_t bits;
};

/* 192.0.2.1 or 2001:db8::1, the whole of it; false when it is anything else. */
bool addr_ip_parse(struct bytes, uint8_t ip[16]);
/* IPv4 dotted, IPv6 in the form of RFC 5952. */
void addr_ip_text(struct wr *, const uint8_t ip[16]);
bool addr_ip_is_v4(const uint8_t ip[16]);
/* Of 127.0.0.0/8, or ::1. */
bool addr_ip_is_loopback(const uint8_t ip[16]);

/*
 * 192.0.2.1:25, [2001:db8::1]:25, [fe80::1%2]:25 (the scope as a number), *:25 (every address of
 * both families, which is kept as ::).  Without a port (then IPv6 may be without brackets) it gets
 * default_port, unless that is 0: then, and when the port is 0, the answer is false.
 */
bool addr_parse(struct bytes, uint16_t default_port, struct addr *);
void addr_text(struct wr *, const struct addr *);
bool addr_eq(const struct addr *, const struct addr *);

/* 192.0.2.0/24, 2001:db8::/32, or an address alone.  False also when bits behind the prefix are
 * set. */
bool net_parse(struct bytes, struct net *);
void net_text(struct wr *, const struct net *);
bool net_contains(const struct net *, const uint8_t ip[16]);
/* Does one of them? */
bool nets_contain(const struct net *, size_t n, const uint8_t ip[16]);

#endif

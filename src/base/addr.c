/* addr.c - addresses by hand, since inet_pton(3) wants a NUL and knows no scope, port or prefix. */
#include "base/addr.h"

#include "base/text.h"

enum { GROUPS = 8, V4_BITS = 96 };

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Dotted, all four parts, decimal without leading zeros (which others read as octal). */
static bool
v4_parse(struct bytes b, uint8_t ip[4])
{
	for (size_t i = 0; i < 4; i++) {
		bool more = b.n && memchr(b.p, '.', b.n);
		struct bytes part = text_cut(&b, '.');
		uint64_t v;

		if (more != (i < 3) || part.n > 3 || !text_u64(part, 255, &v) ||
		    (part.n > 1 && part.p[0] == '0'))
			return false;
		ip[i] = (uint8_t)v;
	}
	return true;
}

static bool
group_parse(struct bytes b, uint8_t out[2])
{
	uint8_t four[4] = {'0', '0', '0', '0'};
	struct wr w = wr_of(out, 2);

	if (!b.n || b.n > 4)
		return false;
	memcpy(four + 4 - b.n, b.p, b.n);
	return text_unhex(&w, (struct bytes){four, 4});
}

/*
 * Groups between colons, of which the last may be a dotted IPv4 address; as many as there are, at
 * most `most` bytes.  False when one is not of the form.
 */
static bool
groups_parse(struct bytes b, uint8_t *ip, size_t most, size_t *n)
{
	*n = 0;
	if (!b.n)
		return true;
	for (;;) {
		bool more = b.n && memchr(b.p, ':', b.n);
		struct bytes part = text_cut(&b, ':');

		if (!more && part.n > 4) {
			if (*n + 4 > most || !v4_parse(part, ip + *n))
				return false;
			*n += 4;
			return true;
		}
		if (*n + 2 > most || !group_parse(part, ip + *n))
			return false;
		*n += 2;
		if (!more)
			return true;
	}
}

static bool
v6_parse(struct bytes b, uint8_t ip[16])
{
	uint8_t tail[16];
	size_t gap = 0, head_n, tail_n;

	while (gap + 1 < b.n && (b.p[gap] != ':' || b.p[gap + 1] != ':'))
		gap++;
	memset(ip, 0, 16);
	if (gap + 1 >= b.n)
		return b.n && groups_parse(b, ip, 16, &head_n) && head_n == 16;
	/* "::" is at least one group; a second one makes an empty group, which is refused. */
	if (!groups_parse((struct bytes){b.p, gap}, ip, 14, &head_n) ||
	    (head_n && memchr(b.p, '.', gap)) ||
	    !groups_parse((struct bytes){b.p + gap + 2, b.n - gap - 2}, tail, 14 - head_n, &tail_n))
		return false;
	memcpy(ip + 16 - tail_n, tail, tail_n);
	return true;
}

static void
v6_text(struct wr *w, const uint8_t ip[16])
{
	unsigned best = GROUPS, best_n = 1, run = 0, g[GROUPS];

	for (unsigned i = 0; i < GROUPS; i++) {
		g[i] = (unsigned)(ip[2 * i] << 8 | ip[2 * i + 1]);
		run = g[i] ? 0 : run + 1;
		if (run >
		    best_n) { /* the longest run of zeros, the first of equal ones, not of one */
			best = i + 1 - run;
			best_n = run;
		}
	}
	for (unsigned i = 0; i < GROUPS; i++) {
		if (i == best) {
			wr_text(w, "::");
			i += best_n - 1;
			continue;
		}
		if (i && i != best + best_n)
			wr_u8(w, ':');
		wr_printf(w, "%x", g[i]);
	}
}

/* [ADDRESS] or [ADDRESS%SCOPE]; *rest is what stands behind the bracket. */
static bool
bracket_parse(struct bytes b, struct addr *a, struct bytes *rest)
{
	struct bytes inside, ip;
	uint64_t scope = 0;
	bool scoped;

	if (!b.n || b.p[0] != '[' || !memchr(b.p, ']', b.n))
		return false;
	*rest = (struct bytes){b.p + 1, b.n - 1};
	inside = text_cut(rest, ']');
	scoped = inside.n && memchr(inside.p, '%', inside.n);
	ip = text_cut(&inside, '%');
	if (scoped && !text_u64(inside, UINT32_MAX, &scope))
		return false;
	a->scope = (uint32_t)scope;
	return v6_parse(ip, a->ip);
}

static bool
port_parse(struct bytes b, uint16_t *port)
{
	uint64_t v;

	if (b.n > 5 || !text_u64(b, UINT16_MAX, &v) || !v)
		return false;
	*port = (uint16_t)v;
	return true;
}

bool
addr_ip_is_v4(const uint8_t ip[16])
{
	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

bool
addr_ip_is_loopback(const uint8_t ip[16])
{
	static const uint8_t one[16] = {[15] = 1};

	return addr_ip_is_v4(ip) ? ip[12] == 127 : memcmp(ip, one, sizeof(one)) == 0;
}

bool
addr_ip_parse(struct bytes b, uint8_t ip[16])
{
	if (b.n && memchr(b.p, ':', b.n))
		return v6_parse(b, ip);
	memcpy(ip, mapped, sizeof(mapped));
	return v4_parse(b, ip + sizeof(mapped));
}

void
addr_ip_text(struct wr *w, const uint8_t ip[16])
{
	if (addr_ip_is_v4(ip))
		wr_printf(w, "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
	else
		v6_text(w, ip);
}

bool
addr_parse(struct bytes b, uint16_t default_port, struct addr *out)
{
	struct addr a = {{0}, default_port, 0};
	struct bytes host = b, rest = NO_BYTES;
	const uint8_t *colon;

	if (b.n && b.p[0] == '[') {
		if (!bracket_parse(b, &a, &rest))
			return false;
	} else {
		colon = b.n ? memchr(b.p, ':', b.n) : NULL;
		if (colon && !memchr(colon + 1, ':', (size_t)(b.p + b.n - colon) - 1)) {
			host.n = (size_t)(colon - b.p);
			rest = (struct bytes){colon, b.n - host.n};
		}
		if (!bytes_eq(host, BYTES("*")) && !addr_ip_parse(host, a.ip))
			return false;
	}
	if (rest.n &&
	    (rest.p[0] != ':' || !port_parse((struct bytes){rest.p + 1, rest.n - 1}, &a.port)))
		return false;
	if (!a.port)
		return false;
	*out = a;
	return true;
}

void
addr_text(struct wr *w, const struct addr *a)
{
	if (addr_ip_is_v4(a->ip)) {
		addr_ip_text(w, a->ip);
	} else {
		wr_u8(w, '[');
		addr_ip_text(w, a->ip);
		if (a->scope)
			wr_printf(w, "%%%u", (unsigned)a->scope);
		wr_u8(w, ']');
	}
	wr_printf(w, ":%u", a->port);
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && a->scope == b->scope && memcmp(a->ip, b->ip, 16) == 0;
}

bool
net_contains(const struct net *n, const uint8_t ip[16])
{
	size_t whole = n->bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> n->bits % 8);

	if (memcmp(n->ip, ip, whole) != 0)
		return false;
	return whole == 16 || ((n->ip[whole] ^ ip[whole]) & mask) == 0;
}

bool
net_parse(struct bytes b, struct net *out)
{
	bool slash = b.n && memchr(b.p, '/', b.n);
	struct bytes ip = text_cut(&b, '/');
	struct net n = {{0}, 128};
	uint64_t most, bits;

	if (!addr_ip_parse(ip, n.ip))
		return false;
	/* How it is written decides, so that ::/0 holds IPv4 too and 0.0.0.0/0 nothing else. */
	most = memchr(ip.p, ':', ip.n) ? 128 : 32;
	bits = most;
	if (slash && (b.n > 3 || !text_u64(b, most, &bits)))
		return false;
	n.bits = (uint8_t)(bits + (most == 32 ? V4_BITS : 0));
	for (size_t i = n.bits; i < 128; i++)
		if (n.ip[i / 8] & 0x80 >> i % 8)
			return false;
	*out = n;
	return true;
}

void
net_text(struct wr *w, const struct net *n)
{
	bool v4 = n->bits >= V4_BITS && addr_ip_is_v4(n->ip);

	addr_ip_text(w, n->ip);
	wr_printf(w, "/%u", v4 ? n->bits - V4_BITS : n->bits);
}

bool
nets_contain(const struct net *nets, size_t n, const uint8_t ip[16])
{
	for (size_t i = 0; i < n; i++)
		if (net_contains(&nets[i], ip))
			return true;
	return false;
}

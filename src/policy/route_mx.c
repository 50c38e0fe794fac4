/* route_mx.c - of however many records the best are kept, without sorting the others. */
#include "policy/route_mx.h"

#include "dns/rdata.h"

/* One step of a generator that spreads a seed over ties (splitmix64's constants). */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static bool
before(const struct route_host *a, uint16_t preference, uint64_t tie)
{
	return a->preference != preference ? a->preference < preference : a->tie < tie;
}

static void
insert(struct route_mx *m, uint16_t preference, uint64_t tie, struct bytes name)
{
	size_t at = m->n;

	while (at && !before(&m->hosts[at - 1], preference, tie))
		at--;
	if (at == ROUTE_HOSTS)
		return;
	if (m->n < ROUTE_HOSTS)
		m->n++;
	memmove(&m->hosts[at + 1], &m->hosts[at], (m->n - at - 1) * sizeof(m->hosts[0]));
	m->hosts[at].preference = preference;
	m->hosts[at].tie = tie;
	dname_copy_lower(&m->hosts[at].name, name);
}

/* RFC 5321 5.1: ourselves, and all that are no better than we are. */
static void
cut_at(struct route_mx *m, uint16_t preference)
{
	while (m->n && m->hosts[m->n - 1].preference >= preference)
		m->n--;
}

bool
route_mx_read(struct route_mx *m, struct bytes records, struct bytes self, uint64_t random)
{
	struct rd all = rd_of(records), one;
	uint32_t own = UINT32_MAX;
	size_t nulls = 0;

	*m = (struct route_mx){0};
	while (rd_left(&all) && m->records < ROUTE_MX_MAX) {
		uint16_t preference;
		struct bytes name;

		one = rd_of(rd_bytes16(&all));
		preference = rd_u16(&one);
		name = dname_take(&one);
		if (all.bad || one.bad || rd_left(&one))
			return false;
		m->records++;
		if (dname_is_root(name))
			nulls++;
		else if (self.n && dname_eq(name, self))
			own = preference < own ? preference : own;
		else
			insert(m, preference, draw(&random), name);
	}
	m->null = nulls && nulls == m->records;
	m->itself = own != UINT32_MAX;
	if (m->itself)
		cut_at(m, (uint16_t)own);
	return !all.bad;
}

void
route_mx_implicit(struct route_mx *m, struct bytes domain, struct bytes self)
{
	*m = (struct route_mx){0};
	m->itself = self.n && dname_eq(domain, self);
	if (!m->itself)
		insert(m, 0, 0, domain);
}

bool
route_ip_read(struct bytes rdata, uint16_t type, uint8_t ip[16])
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff};

	memcpy(ip, mapped, 16);
	if (type == DNS_TYPE_A && rdata.n == 4)
		memcpy(ip + 12, rdata.p, 4);
	else if (type == DNS_TYPE_AAAA && rdata.n == 16)
		memcpy(ip, rdata.p, 16);
	else
		return false;
	return true;
}

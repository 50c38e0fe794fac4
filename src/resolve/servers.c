/* servers.c - a bounded table of addresses, and of addresses with a zone where they are lame. */
#include "resolve/servers.h"

#include "dns/name.h"
#include "resolve/table.h"

#include <stdlib.h>

enum { IP = 16, KEY_MAX = IP + DNAME_MAX };

struct servers {
	struct table table;
	uint64_t no_route_until[2]; /* IPv6, IPv4 */
};

struct server {
	uint32_t srtt, rttvar; /* in eighths and quarters of a millisecond (RFC 6298 2) */
	uint32_t late;         /* in a row */
	uint64_t rests_until_ms, no_edns_until_ms;
};

struct lame {
	uint64_t until_ms;
};

static struct bytes
zone_key(uint8_t room[KEY_MAX], const uint8_t ip[IP], struct bytes zone)
{
	struct wr w = wr_of(room, KEY_MAX);

	wr_bytes(&w, (struct bytes){ip, IP});
	for (size_t i = 0; i < zone.n; i++)
		wr_u8(&w, lower(zone.p[i]));
	return wr_since(&w, room);
}

/* NULL only without memory. */
static struct server *
server_of(struct servers *s, const uint8_t ip[IP])
{
	struct bytes key = {ip, IP};
	struct server *found = table_get(&s->table, key);

	return found ? found : table_put(&s->table, key, sizeof(*found));
}

struct servers *
servers_new(const uint8_t key[16], size_t max)
{
	struct servers *s = calloc(1, sizeof(*s));

	if (s)
		table_init(&s->table, key, max);
	return s;
}

void
servers_free(struct servers *s)
{
	if (s)
		table_free(&s->table);
	free(s);
}

static uint32_t
wait_of(const struct server *s)
{
	uint32_t ms = s->srtt ? s->srtt / 8 + (s->rttvar > 40 ? s->rttvar : 40) : SERVERS_WAIT_MS;
	unsigned doubled = s->late < 8 ? s->late / 2 : 4; /* every second time */

	if (ms < SERVERS_WAIT_MIN_MS)
		ms = SERVERS_WAIT_MIN_MS;
	ms <<= doubled;
	return ms < SERVERS_WAIT_MAX_MS ? ms : SERVERS_WAIT_MAX_MS;
}

struct server_view
servers_view(struct servers *s, uint64_t now_ms, const uint8_t ip[16], struct bytes zone)
{
	static const struct server unknown;
	uint8_t room[KEY_MAX];
	const struct lame *lame = table_get(&s->table, zone_key(room, ip, zone));
	const struct server *known = table_get(&s->table, (struct bytes){ip, IP});

	if (!known)
		known = &unknown;
	return (struct server_view){
	    .expect_ms = (known->srtt ? known->srtt / 8 : SERVERS_UNKNOWN_MS) +
	                 (known->late < 16 ? known->late : 16) * SERVERS_WAIT_MS,
	    .wait_ms = wait_of(known),
	    .silent = known->rests_until_ms > now_ms,
	    .lame = lame && lame->until_ms > now_ms,
	    .no_edns = known->no_edns_until_ms > now_ms,
	};
}

void
servers_took(struct servers *s, const uint8_t ip[16], uint32_t ms)
{
	struct server *k = server_of(s, ip);
	uint32_t far;

	if (!k)
		return;
	ms = ms < SERVERS_REST_MS ? ms : SERVERS_REST_MS;
	k->late = 0;
	k->rests_until_ms = 0;
	if (!k->srtt) {
		k->srtt = ms ? ms * 8 : 1;
		k->rttvar = ms * 2;
		return;
	}
	far = ms > k->srtt / 8 ? ms - k->srtt / 8 : k->srtt / 8 - ms;
	k->rttvar = k->rttvar - k->rttvar / 4 + far;
	k->srtt = k->srtt - k->srtt / 8 + ms;
	if (!k->srtt)
		k->srtt = 1; /* 0 would mean that it was never asked */
}

void
servers_late(struct servers *s, uint64_t now_ms, const uint8_t ip[16])
{
	struct server *k = server_of(s, ip);
	uint64_t rest = SERVERS_REST_MS;

	if (!k)
		return;
	k->late++;
	if (k->late < SERVERS_SILENT)
		return;
	for (uint32_t i = SERVERS_SILENT; i < k->late && rest < SERVERS_REST_MAX_MS; i++)
		rest *= 2;
	k->rests_until_ms = now_ms + rest;
}

void
servers_no_edns(struct servers *s, uint64_t now_ms, const uint8_t ip[16])
{
	struct server *k = server_of(s, ip);

	if (k)
		k->no_edns_until_ms = now_ms + SERVERS_NO_EDNS_MS;
}

void
servers_lame(struct servers *s, uint64_t now_ms, const uint8_t ip[16], struct bytes zone)
{
	uint8_t room[KEY_MAX];
	struct lame *k = table_put(&s->table, zone_key(room, ip, zone), sizeof(*k));

	if (k)
		k->until_ms = now_ms + SERVERS_LAME_MS;
}

void
servers_no_route(struct servers *s, uint64_t now_ms, const uint8_t ip[16])
{
	s->no_route_until[addr_ip_is_v4(ip)] = now_ms + SERVERS_FAMILY_MS;
}

bool
servers_routed(const struct servers *s, uint64_t now_ms, const uint8_t ip[16])
{
	return s->no_route_until[addr_ip_is_v4(ip)] <= now_ms;
}

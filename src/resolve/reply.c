/* reply.c - one pass over the records, then a verdict. */
#include "resolve/reply.h"

#include "resolve/cache.h"

enum { GLUE_MAX = 16 /* addresses of one server */ };

/* A set as it grows. */
struct growing {
	struct reply_set set;
	uint8_t *room;
	size_t used;
	bool too_large;
};

struct reader {
	struct reply *out;
	const struct reply_question *q;
	struct bytes packet;
	struct arena *arena;
	struct growing answer, cname, ns;
	bool has_soa, full, broken;
	uint8_t *rdata; /* RDATA_MAX octets */
};

bool
reply_in_bailiwick(struct bytes name, struct bytes zone)
{
	return dname_is_below(name, zone);
}

bool
reply_fits(const struct reply_question *q, struct bytes packet)
{
	struct dns_record r;
	struct dns_msg m;

	if (!dns_msg_open(&m, packet) || m.id != q->id || !(m.flags & DNS_FLAG_QR) ||
	    dns_opcode_of(m.flags) != DNS_OPCODE_QUERY)
		return false;
	if (!m.counts[DNS_QUESTION]) { /* only from who could not read the question */
		unsigned rcode = m.flags & 15;

		return rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_NOTIMP;
	}
	return m.counts[DNS_QUESTION] == 1 && dns_msg_next(&m, &r) && r.type == q->type &&
	       r.class == DNS_CLASS_IN && dname_eq(dname_bytes(&r.owner), q->name);
}

/* ---- sets ---- */

static bool
has_record(const struct reply_set *s, struct bytes rdata)
{
	struct rd r = rd_of(s->records);

	while (rd_left(&r))
		if (bytes_eq(rd_bytes16(&r), rdata))
			return true;
	return false;
}

/* RFC 2181 5.2: the set has one TTL, the least; a record that is there twice counts once (5). */
static void
grow(struct reader *k, struct growing *g, const struct dns_record *r, struct bytes rdata)
{
	uint32_t ttl = r->ttl <= INT32_MAX ? r->ttl : 0; /* RFC 2181 8 */
	struct wr w;

	if (!g->room) {
		g->room = arena_alloc(k->arena, CACHE_ENTRY_MAX);
		g->set = (struct reply_set){.type = r->type, .ttl = ttl};
		g->set.owner = arena_copy(k->arena, dname_bytes(&r->owner));
		k->full |= !g->room || !g->set.owner.p;
	}
	if (k->full || has_record(&g->set, rdata))
		return;
	w = wr_of(g->room + g->used, CACHE_ENTRY_MAX - g->used);
	wr_bytes16(&w, rdata);
	if (w.full || g->set.n == CACHE_RECORDS_MAX) {
		g->too_large = true;
		return;
	}
	g->used += 2 + rdata.n;
	g->set.n++;
	g->set.records = (struct bytes){g->room, g->used};
	g->set.ttl = ttl < g->set.ttl ? ttl : g->set.ttl;
}

/* The record's data without compression; false when it is not of its type's form. */
static bool
expand(struct reader *k, const struct dns_record *r, struct bytes *rdata)
{
	struct rd data = r->rdata;
	struct wr w = wr_of(k->rdata, RDATA_MAX);

	rdata_expand(r->type, &data, rd_left(&data), k->packet, &w);
	*rdata = wr_since(&w, k->rdata);
	return !data.bad && !w.full;
}

/* ---- records ---- */

/* Those of the name that was asked; false: not taken. */
static bool
take_answer(struct reader *k, const struct dns_record *r)
{
	const struct reply_question *q = k->q;
	struct bytes rdata;

	if (!dname_eq(dname_bytes(&r->owner), q->name) ||
	    (r->type != q->type && r->type != DNS_TYPE_CNAME))
		return false;
	if (!expand(k, r, &rdata)) {
		k->broken = true;
		return false;
	}
	grow(k, r->type == q->type ? &k->answer : &k->cname, r, rdata);
	return true;
}

/* A delegation from the zone downward, toward the name. */
static bool
leads_down(const struct reply_question *q, struct bytes owner)
{
	return reply_in_bailiwick(owner, q->zone) && owner.n > q->zone.n &&
	       dname_is_below(q->name, owner);
}

static bool
take_ns(struct reader *k, const struct dns_record *r)
{
	struct bytes owner = dname_bytes(&r->owner), rdata;

	if (!leads_down(k->q, owner) || k->ns.set.n == REPLY_SERVERS ||
	    (k->ns.room && !dname_eq(owner, k->ns.set.owner)) || !expand(k, r, &rdata))
		return false;
	grow(k, &k->ns, r, rdata);
	return true;
}

/* RFC 2308 2: of the zone that the name is in, which cannot be above the one that was asked. */
static bool
take_soa(struct reader *k, const struct dns_record *r)
{
	struct bytes owner = dname_bytes(&r->owner), rdata;
	struct growing g = {.used = 0};

	k->has_soa = true;
	if (!reply_in_bailiwick(owner, k->q->zone) || !dname_is_below(k->q->name, owner) ||
	    k->out->soa.n || !expand(k, r, &rdata))
		return false;
	grow(k, &g, r, rdata);
	k->out->soa = g.set;
	return true;
}

static bool
is_server(const struct reader *k, struct bytes name)
{
	struct rd r = rd_of(k->ns.set.records);

	while (rd_left(&r))
		if (dname_eq(rd_bytes16(&r), name))
			return true;
	return false;
}

/* The set of the glue that this record belongs to; NULL: no room. */
static struct reply_set *
glue_of(struct reader *k, const struct dns_record *r)
{
	struct reply *out = k->out;

	for (size_t i = 0; i < out->glue_n; i++)
		if (out->glue[i].type == r->type &&
		    dname_eq(out->glue[i].owner, dname_bytes(&r->owner)))
			return &out->glue[i];
	return out->glue_n < REPLY_GLUE ? &out->glue[out->glue_n++] : NULL;
}

static bool
take_glue(struct reader *k, const struct dns_record *r)
{
	struct bytes owner = dname_bytes(&r->owner), rdata;
	uint32_t ttl = r->ttl <= INT32_MAX ? r->ttl : 0;
	struct reply_set *set;
	uint8_t room[GLUE_MAX * (16 + 2)];
	struct wr w = wr_of(room, sizeof(room));

	if (!is_server(k, owner))
		return false;
	if (!reply_in_bailiwick(owner, k->q->zone)) {
		k->out->glue_dropped++;
		return false;
	}
	if (!expand(k, r, &rdata) || !(set = glue_of(k, r)))
		return false;
	if (set->n && (has_record(set, rdata) || set->records.n + 2 + rdata.n > sizeof(room)))
		return false;
	wr_bytes(&w, set->records);
	wr_bytes16(&w, rdata);
	if (!set->n)
		*set = (struct reply_set){
		    .owner = arena_copy(k->arena, owner), .type = r->type, .ttl = ttl};
	set->records = arena_copy(k->arena, wr_since(&w, room));
	set->n++;
	set->ttl = ttl < set->ttl ? ttl : set->ttl;
	k->full |= !set->owner.p || !set->records.p;
	return true;
}

static bool
take(struct reader *k, const struct dns_record *r)
{
	if (r->class != DNS_CLASS_IN)
		return false;
	switch (r->section) {
	case DNS_QUESTION:
		return true;
	case DNS_ANSWER:
		return take_answer(k, r);
	case DNS_AUTHORITY:
		if (r->type == DNS_TYPE_SOA)
			return take_soa(k, r);
		return r->type == DNS_TYPE_NS && take_ns(k, r);
	case DNS_ADDITIONAL:
		if (r->type != DNS_TYPE_A && r->type != DNS_TYPE_AAAA)
			return false;
		return take_glue(k, r);
	}
	return false;
}

/* ---- the verdict ---- */

/* Who leaves the work to others, and is not asked by us for that. */
static bool
is_forwarder(uint16_t flags)
{
	return flags & DNS_FLAG_RA && !(flags & DNS_FLAG_AA);
}

static enum reply_kind
judge(struct reader *k)
{
	struct reply *out = k->out;

	if (k->broken)
		return REPLY_BROKEN;
	if (out->rcode == DNS_RCODE_FORMERR && k->q->edns)
		return REPLY_NO_EDNS;
	if (out->rcode != DNS_RCODE_NOERROR && out->rcode != DNS_RCODE_NXDOMAIN)
		return REPLY_REFUSED;
	if (k->answer.too_large || k->cname.too_large)
		return REPLY_TOO_LARGE;
	if (is_forwarder(out->flags))
		return REPLY_LAME;
	if (k->answer.set.n) {
		out->set = k->answer.set;
		return REPLY_ANSWER;
	}
	if (k->cname.set.n) { /* also where the code speaks of its target (RFC 6604 2.1) */
		out->set = k->cname.set;
		return k->cname.set.n == 1 ? REPLY_CNAME : REPLY_BROKEN;
	}
	if (out->rcode == DNS_RCODE_NXDOMAIN)
		return REPLY_NXDOMAIN;
	if (k->ns.set.n && !k->has_soa) {
		out->set = k->ns.set;
		return REPLY_REFERRAL;
	}
	/* upward and sideward referrals are of those who do not serve the zone (RFC 2308 2.2) */
	return out->soa.n || out->flags & DNS_FLAG_AA ? REPLY_NODATA : REPLY_LAME;
}

struct err
reply_read(struct reply *out, const struct reply_question *q, struct bytes packet, struct arena *a)
{
	struct reader k = {.out = out, .q = q, .packet = packet, .arena = a};
	struct dns_record r;
	struct dns_msg m;

	*out = (struct reply){.kind = REPLY_BROKEN};
	k.rdata = arena_alloc(a, RDATA_MAX);
	if (!k.rdata)
		return ERR(ERR_MEMORY, 0, "a reply");
	if (!dns_msg_open(&m, packet))
		return OK;
	out->flags = m.flags;
	out->rcode = m.flags & 15;
	if (m.flags & DNS_FLAG_TC && !q->tcp) {
		out->kind = REPLY_TRUNCATED; /* whatever it holds may be cut (RFC 2181 9) */
		return OK;
	}
	while (!k.full && dns_msg_next(&m, &r)) {
		struct dns_edns edns;

		if (r.type == DNS_TYPE_OPT && r.section == DNS_ADDITIONAL) {
			if (dns_edns_read(&r, &edns) && edns.rcode_high)
				out->rcode = UINT8_MAX; /* BADVERS and its like */
		} else if (!take(&k, &r)) {
			out->dropped++;
		}
	}
	k.broken |= m.r.bad;
	out->kind = judge(&k);
	return k.full ? ERR(ERR_MEMORY, 0, "a reply") : OK;
}

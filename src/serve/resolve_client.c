/* resolve_client.c - queries to waiting clients, results to answers. */
#include "serve/resolve_client.h"

#include <stdlib.h>

enum { OPTION_EDE = 15, EDE_OTHER = 0, EDE_NOT_READY = 14, EDE_TEXT = 120 /* RFC 8914 */ };

/* ---- answers ---- */

/* A set, begun with another record each time. */
static bool
put_set(struct resolve *r, struct dns_writer *w, enum dns_section section,
        const struct reply_set *set)
{
	struct bytes list[CACHE_RECORDS_MAX];
	struct rd rd = rd_of(set->records);
	size_t n = 0, first;

	while (rd_left(&rd) && n < COUNT(list))
		list[n++] = rd_bytes16(&rd);
	if (!n)
		return true;
	first = r->turns[set->type % RESOLVE_TURNS]++ % n;
	for (; first; first--) {
		struct bytes head = list[0];

		memmove(list, list + 1, (n - 1) * sizeof(list[0]));
		list[n - 1] = head;
	}
	return dns_writer_rrset(w, section, set->owner, set->type, set->ttl, list, n);
}

static void
put_reason(struct dns_writer *w, const struct iterate_result *result)
{
	uint8_t room[2 + EDE_TEXT];
	struct wr o = wr_of(room, sizeof(room));

	wr_u16(&o, result ? EDE_OTHER : EDE_NOT_READY);
	wr_text(&o, result ? result->why : "too many questions are under way");
	if (!o.full)
		dns_writer_option(w, OPTION_EDE, wr_since(&o, room));
}

void
resolve_client_write(struct resolve *r, const struct dns_query *q, bool tcp,
                     const struct iterate_result *result, struct wr *out)
{
	struct dns_writer w;
	bool fits = true;

	dns_writer_reply(&w, q, out->p, tcp ? DNS_TCP_MAX : dns_udp_limit(q));
	w.flags |= DNS_FLAG_RA;
	w.rcode = result ? result->rcode : DNS_RCODE_SERVFAIL;
	if (w.rcode == DNS_RCODE_SERVFAIL)
		put_reason(&w, result);
	for (size_t i = 0; result && fits && i < result->n; i++)
		fits = put_set(r, &w, DNS_ANSWER, &result->sets[i]);
	if (fits && result && result->soa.n)
		fits = put_set(r, &w, DNS_AUTHORITY, &result->soa);
	if (!fits)
		w.flags |= DNS_FLAG_TC;
	(void)wr_take(out, dns_writer_finish(&w).n);
	if (w.rcode == DNS_RCODE_SERVFAIL)
		r->counts.failed++;
	else
		r->counts.answered++;
}

/* ---- queries ---- */

static bool
is_allowed(const struct resolve *r, const uint8_t ip[16])
{
	for (size_t i = 0; i < r->nets_n; i++)
		if (net_contains(&r->nets[i], ip))
			return true;
	return false;
}

/* What is answered without looking for anything. */
static enum dns_verdict
judge(const struct resolve *r, struct bytes packet, const struct addr *peer, struct dns_query *q)
{
	enum dns_verdict v = dns_query_read(packet, q);

	if (v == DNS_DROP)
		return v;
	if (!is_allowed(r, peer->ip))
		return DNS_REFUSED;
	if (v != DNS_OK)
		return v;
	if (!(q->flags & DNS_FLAG_RD)) /* nobody is told what others have asked for */
		return DNS_REFUSED;
	if (q->type == CACHE_DELEGATION || (dns_type_is_meta(q->type) && q->type != DNS_TYPE_ANY))
		return DNS_NOTIMP;
	return DNS_OK;
}

/* RFC 8482 4.2: who asks for everything gets one small record. */
static void
answer_any(struct resolve *r, const struct dns_query *q, bool tcp, struct wr *out)
{
	static const uint8_t hinfo[] = "\0\x09\x07"
				       "RFC8482";
	struct iterate_result any = {.n = 1, .why = ""};

	any.sets[0] =
	    (struct reply_set){q->name, 13 /* HINFO */, 1, RESOLVE_ANY_TTL, {hinfo, sizeof(hinfo)}};
	resolve_client_write(r, q, tcp, &any, out);
}

bool
resolve_client_local(struct resolve *r, struct bytes name, uint16_t type, struct arena *arena,
                     struct iterate_result *out)
{
	struct bytes records = NO_BYTES;
	uint16_t n = 0;
	enum local_found found = local_get(r->local, name, type, arena, &records, &n);

	*out = (struct iterate_result){.why = ""};
	if (found == LOCAL_NXDOMAIN)
		out->rcode = DNS_RCODE_NXDOMAIN;
	if (found == LOCAL_SET) {
		out->n = 1;
		out->sets[0] = (struct reply_set){name, type, n, LOCAL_TTL, records};
	}
	r->counts.local += found != LOCAL_NOT;
	return found != LOCAL_NOT;
}

static bool
answer_local(struct resolve *r, const struct dns_query *q, bool tcp, struct wr *out)
{
	struct arena arena = arena_init(DNS_TCP_MAX);
	struct iterate_result result;
	bool is_local = resolve_client_local(r, q->name, q->type, &arena, &result);

	if (is_local)
		resolve_client_write(r, q, tcp, &result, out);
	arena_free(&arena);
	return is_local;
}

struct resolve_client *
resolve_client_new(struct resolve *r, const struct dns_query *q, const struct addr *peer)
{
	struct purse_peer *purse = purses_enter(r->waits, peer->ip);
	struct resolve_client *c = purse ? pool_get(r->clients) : NULL;

	if (!c || q->question.n > sizeof(c->question)) {
		if (purse)
			purses_leave(r->waits, purse);
		pool_put(r->clients, c);
		return NULL;
	}
	*c = (struct resolve_client){.resolve = r, .purse = purse, .q = *q, .peer = *peer};
	memcpy(c->question, q->question.p, q->question.n);
	/* the packet is gone when the answer comes */
	c->q.question.p = c->question;
	c->q.name = (struct bytes){c->question, q->name.n};
	c->q.edns.options = c->q.edns.cookie = c->q.soa = NO_BYTES;
	return c;
}

bool
resolve_client_begin(struct resolve *r, struct bytes packet, bool tcp, const struct addr *peer,
                     struct wr *out, struct resolve_client **client)
{
	struct dns_query q;
	enum dns_verdict v = judge(r, packet, peer, &q);

	if (v == DNS_DROP) {
		r->counts.dropped++;
		return true;
	}
	if (v != DNS_OK) {
		*(v == DNS_REFUSED ? &r->counts.refused : &r->counts.faulty) += 1;
		(void)wr_take(out, dns_writer_refuse(&q, v, out->p, DNS_UDP_PLAIN).n);
		return true;
	}
	if (q.type == DNS_TYPE_ANY) {
		answer_any(r, &q, tcp, out);
		return true;
	}
	if (answer_local(r, &q, tcp, out))
		return true;
	*client = NULL;
	if (jobs_counts(r->jobs).open < JOBS_OF_CLIENTS)
		*client = resolve_client_new(r, &q, peer);
	if (!*client)
		resolve_client_write(r, &q, tcp, NULL, out);
	return !*client;
}

void
resolve_client_free(struct resolve_client *c)
{
	struct resolve *r = c->resolve;

	job_forget(&c->wait);
	if (c->link) {
		*c->link = c->next;
		if (c->next)
			c->next->link = c->link;
	}
	purses_leave(r->waits, c->purse);
	pool_put(r->clients, c);
	resolve_look_drained(r);
}

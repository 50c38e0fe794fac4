/*
 * answer.c - the algorithm of RFC 1034 4.3.2 over an image.
 *
 * One struct answering lives on the stack for one query.  The writer counts, compresses, and takes
 * back a set that does not fit whole; here is decided what goes in, in which order, and what its
 * missing means: TC for an answer, for the SOA of a negative one, for a referral's NS and the glue
 * without which nobody can follow it (RFC 9471 2.1); nothing for addresses that are merely useful.
 *
 * A chain of CNAMEs ends where it meets a node again, or after ZONE_CHAIN_MAX; the answer so far is
 * a good one, from whose end the asker goes on if it likes (attack 14).
 */
#include "zone/answer.h"

#include <assert.h>

#include "zone/extra.h"

enum { MAILB = 253, MAILA = 254 };

struct answering {
	struct zone_put put;
	const struct dns_query *q;
	struct zone_place place;
	struct bytes name;            /* what is looked for: the question's, then each target */
	struct dname made;            /* where `name` is when a DNAME made it */
	uint32_t met[ZONE_CHAIN_MAX]; /* nodes whose CNAME or DNAME is in the answer */
	unsigned steps;
	struct zone_done done;
};

enum step { END, AGAIN };

static void
say(struct answering *a, enum zone_outcome outcome, uint16_t rcode)
{
	a->done.outcome = outcome;
	a->put.w.rcode = rcode;
}

static enum step
broken(struct answering *a)
{
	a->put.broken = true;
	return END;
}

/* RFC 2308 3: the SOA comes with the time for which the absence may be remembered. */
static enum step
negative(struct answering *a, enum zone_outcome outcome)
{
	const struct zone_image *img = a->put.img;
	struct zone_node apex;
	struct zone_set soa;
	struct bytes rdata;
	struct rd data;
	uint32_t minimum;

	if (zone_image_node(img, a->place.zone.apex, &apex) != ZONE_FOUND ||
	    zone_node_set(img, &apex, DNS_TYPE_SOA, &soa) != ZONE_FOUND)
		return broken(a);
	data = rd_of(soa.data);
	if (!zone_set_next(&data, &rdata) || rdata.n < sizeof(minimum))
		return broken(a);
	data = rd_of(rdata);
	(void)rd_take(&data, rdata.n - sizeof(minimum));
	minimum = rd_u32(&data);
	if (soa.ttl > minimum)
		soa.ttl = minimum;
	/* RFC 6604 3: the rcode is about the last name of a chain */
	say(a, outcome,
	    outcome == ZONE_NXDOMAIN ? DNS_RCODE_NXDOMAIN : (uint16_t)DNS_RCODE_NOERROR);
	if (outcome == ZONE_NXDOMAIN)
		a->done.about = apex.owner;
	(void)zone_put_needed(&a->put, DNS_AUTHORITY, a->place.apex, &soa);
	return END;
}

/* Down to the zone's servers; behind a CNAME that is only a help. */
static enum step
referral(struct answering *a)
{
	struct zone_set ns;

	if (!zone_put_found(&a->put, zone_node_set(a->put.img, &a->place.node, DNS_TYPE_NS, &ns)))
		return broken(a);
	if (a->steps == 0) {
		a->put.w.flags &= (uint16_t)~DNS_FLAG_AA;
		say(a, ZONE_REFERRED, DNS_RCODE_NOERROR);
		a->done.about = a->place.node.owner;
	}
	if (zone_put_needed(&a->put, DNS_AUTHORITY, a->place.owner, &ns))
		zone_extra_glue(&a->put, &a->place, &ns);
	return END;
}

/* May the chain go on through this node?  It is noted. */
static bool
chain_goes_on(struct answering *a)
{
	if (a->steps == ZONE_CHAIN_MAX)
		return false;
	for (unsigned i = 0; i < a->steps; i++)
		if (a->met[i] == a->place.node.at)
			return false;
	a->met[a->steps++] = a->place.node.at;
	return true;
}

/* The one record's name of a CNAME or DNAME. */
static bool
target_of(struct answering *a, const struct zone_set *set, struct bytes *name)
{
	struct rd data = rd_of(set->data);

	if (zone_set_next(&data, name) && dname_ok(*name))
		return true;
	a->put.broken = true;
	return false;
}

static enum step
follow_cname(struct answering *a)
{
	struct zone_set cname;
	struct bytes target;

	if (zone_node_set(a->put.img, &a->place.node, DNS_TYPE_CNAME, &cname) != ZONE_FOUND)
		return broken(a);
	say(a, ZONE_ANSWERED, DNS_RCODE_NOERROR);
	if (!target_of(a, &cname, &target) || !chain_goes_on(a) ||
	    !zone_put_needed(&a->put, DNS_ANSWER, a->name, &cname))
		return END;
	a->name = target;
	return AGAIN;
}

/* RFC 6672 3.2: the name moves, and a CNAME made for it says where to. */
static enum step
follow_dname(struct answering *a)
{
	struct bytes target, prefix = {a->name.p, a->name.n - a->place.owner.n};
	struct zone_set dname;
	struct dname made;

	if (zone_node_set(a->put.img, &a->place.node, DNS_TYPE_DNAME, &dname) != ZONE_FOUND)
		return broken(a);
	say(a, ZONE_ANSWERED, DNS_RCODE_NOERROR);
	if (!target_of(a, &dname, &target) || !chain_goes_on(a) ||
	    !zone_put_needed(&a->put, DNS_ANSWER, a->place.owner, &dname))
		return END;
	if (!dname_join(&made, prefix, target)) {
		say(a, ZONE_FAILED, DNS_RCODE_YXDOMAIN); /* attack 14 */
		return END;
	}
	if (!dns_writer_record(&a->put.w, DNS_ANSWER, a->name, DNS_TYPE_CNAME, dname.ttl,
	                       dname_bytes(&made))) {
		a->put.w.flags |= DNS_FLAG_TC;
		return END;
	}
	if (a->q->type == DNS_TYPE_CNAME || a->q->type == DNS_TYPE_ANY)
		return END;
	a->made = made;
	a->name = dname_bytes(&a->made);
	return AGAIN;
}

/* RFC 8482 4.1: of all sets the one that says it with the fewest octets. */
static enum zone_look
smallest_set(struct answering *a, struct zone_set *out)
{
	enum zone_look look = ZONE_NONE;

	for (unsigned i = 0; i < a->place.node.n_sets; i++) {
		struct zone_set set;

		if (zone_node_nth(a->put.img, &a->place.node, i, &set) != ZONE_FOUND)
			return ZONE_BROKEN;
		if (look == ZONE_NONE || set.data.n < out->data.n)
			*out = set;
		look = ZONE_FOUND;
	}
	return look;
}

/* The name's node, or the wildcard's that stands for it. */
static enum step
at_node(struct answering *a)
{
	struct zone_set set;
	enum zone_look look = a->q->type == DNS_TYPE_ANY
	                          ? smallest_set(a, &set)
	                          : zone_node_set(a->put.img, &a->place.node, a->q->type, &set);

	if (look == ZONE_BROKEN)
		return broken(a);
	if (look == ZONE_NONE)
		return a->place.node.flags & ZONE_NODE_CNAME ? follow_cname(a)
		                                             : negative(a, ZONE_NODATA);
	say(a, ZONE_ANSWERED, DNS_RCODE_NOERROR);
	if (zone_put_needed(&a->put, DNS_ANSWER, a->name, &set) && zone_extra_wanted(set.type))
		zone_extra_addresses(&a->put, &a->place, &set);
	return END;
}

static enum step
look(struct answering *a)
{
	const bool ds = a->q->type == DNS_TYPE_DS;
	const struct zone_node *node = &a->place.node;

	zone_find(a->put.img, a->name, ds, &a->place);
	if (a->steps == 0)
		a->done.about = a->place.kind == ZONE_PLACE_WILDCARD ? node->owner : a->q->name;
	switch (a->place.kind) {
	case ZONE_PLACE_OUTSIDE:
		if (a->steps == 0) {
			a->put.w.flags &= (uint16_t)~DNS_FLAG_AA;
			a->done.about = NO_BYTES;
			say(a, ZONE_REFUSED, DNS_RCODE_REFUSED);
		}
		return END;
	case ZONE_PLACE_EXACT:
		/* The DS at a cut is the upper zone's own (RFC 4035 3.1.4.1). */
		return node->flags & ZONE_NODE_DELEGATION && !ds ? referral(a) : at_node(a);
	case ZONE_PLACE_CUT:
		return node->flags & ZONE_NODE_DELEGATION ? referral(a) : follow_dname(a);
	case ZONE_PLACE_WILDCARD:
		return at_node(a);
	case ZONE_PLACE_MISSING:
		return negative(a, ZONE_NXDOMAIN);
	case ZONE_PLACE_BROKEN:
		break;
	}
	return broken(a);
}

/* What is refused by its type alone; NOERROR: it is not. */
static uint16_t
refusal(uint16_t type, bool tcp)
{
	switch (type) {
	case DNS_TYPE_AXFR: /* RFC 5936 4.2: there is no such thing over UDP */
		return tcp ? DNS_RCODE_REFUSED : DNS_RCODE_NOTIMP;
	case DNS_TYPE_IXFR:
		return DNS_RCODE_REFUSED;
	case MAILA: /* RFC 1035 3.2.3, obsolete */
	case MAILB:
		return DNS_RCODE_NOTIMP;
	default:
		return DNS_RCODE_NOERROR;
	}
}

/* An answer that is nothing but a code. */
static struct bytes
only_rcode(struct answering *a, enum zone_outcome outcome, uint16_t rcode, void *room, size_t n)
{
	dns_writer_reply(&a->put.w, a->q, room, n);
	say(a, outcome, rcode);
	a->done.about = NO_BYTES;
	a->done.rcode = rcode;
	return dns_writer_finish(&a->put.w);
}

static struct bytes
faulty(struct answering *a, enum dns_verdict verdict, void *room, size_t n)
{
	static const struct {
		enum zone_outcome outcome;
		uint16_t rcode;
	} rows[] = {
	    [DNS_DROP] = {ZONE_DROPPED, DNS_RCODE_NOERROR},
	    [DNS_FORMERR] = {ZONE_FAULTY, DNS_RCODE_FORMERR},
	    [DNS_NOTIMP] = {ZONE_FAULTY, DNS_RCODE_NOTIMP},
	    [DNS_BADVERS] = {ZONE_FAULTY, DNS_RCODE_BADVERS},
	    [DNS_REFUSED] = {ZONE_REFUSED, DNS_RCODE_REFUSED},
	};

	a->done.outcome = rows[verdict].outcome;
	a->done.rcode = rows[verdict].rcode;
	return dns_writer_refuse(a->q, verdict, room, n);
}

static struct bytes
answer(struct answering *a, bool tcp, void *room, size_t n)
{
	uint16_t rcode = refusal(a->q->type, tcp);

	if (rcode != DNS_RCODE_NOERROR)
		return only_rcode(a, rcode == DNS_RCODE_REFUSED ? ZONE_REFUSED : ZONE_FAULTY, rcode,
		                  room, n);
	dns_writer_reply(&a->put.w, a->q, room, n);
	a->put.w.flags |= DNS_FLAG_AA;
	a->name = a->q->name;
	while (look(a) == AGAIN)
		;
	if (a->put.broken)
		return only_rcode(a, ZONE_FAILED, DNS_RCODE_SERVFAIL, room, n);
	a->done.rcode = a->put.w.rcode;
	a->done.truncated = a->put.w.flags & DNS_FLAG_TC;
	return dns_writer_finish(&a->put.w);
}

struct zone_done
zone_answer(const struct zone_image *img, const struct dns_query *q, const struct zone_ask *ask,
            struct wr *out)
{
	struct answering a;
	size_t n = wr_room(out), limit = ask->tcp ? (size_t)DNS_TCP_MAX : dns_udp_limit(q);
	struct bytes reply;

	assert(n >= DNS_UDP_PLAIN);
	if (n > limit)
		n = limit;
	a.put.img = img;
	a.put.turn = ask->turn;
	a.put.broken = false;
	a.q = q;
	a.steps = 0;
	a.done = (struct zone_done){0};
	if (ask->verdict != DNS_OK)
		reply = faulty(&a, ask->verdict, out->p, n);
	else
		reply = answer(&a, ask->tcp, out->p, n);
	(void)wr_take(out, reply.n);
	return a.done;
}

void
zone_answer_slip(const struct dns_query *q, struct wr *out)
{
	struct dns_writer w;

	assert(wr_room(out) >= DNS_UDP_PLAIN);
	dns_writer_reply(&w, q, out->p, DNS_UDP_PLAIN);
	w.flags |= DNS_FLAG_TC;
	(void)wr_take(out, dns_writer_finish(&w).n);
}

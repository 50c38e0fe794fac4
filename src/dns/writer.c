/*
 * writer.c - writes DNS messages (RFC 1035 4.1, 4.1.4; RFC 6891 6.1).
 *
 * Invariants, between calls:
 *  1. w.end leaves room behind it for OPT with all its options, so finish() never fails;
 *  2. each of known[0..n_known) is the place, below 0x4000, of a suffix that a name written before
 *     has there in full or by pointers backward;
 *  3. counts[] are the records that are in the message.
 */
#include "dns/writer.h"

#include <assert.h>

enum {
	POINTER = 0xc0,
	POINTER_REACH = 0x4000,
	OPT_SIZE = 11, /* without options */
};

static void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static size_t
here(const struct dns_writer *d)
{
	return (size_t)(d->w.p - d->start);
}

/* Does the message have exactly this name at `at`? */
static bool
is_there(const struct dns_writer *d, size_t at, struct bytes name)
{
	const uint8_t *p = d->start + at;

	for (;; name = dname_parent(name)) {
		while (p[0] >= POINTER)
			p = d->start + ((p[0] & ~POINTER) << 8 | p[1]);
		if (p[0] != name.p[0])
			return false;
		if (!p[0])
			return true;
		if (memcmp(p + 1, name.p + 1, p[0]) != 0)
			return false;
		p += 1 + p[0];
	}
}

/*
 * Where the message has exactly this name; 0: nowhere.  Size and first octets tell nearly all others
 * apart; a suffix of each size is looked for once a name, so a name costs at most one comparison
 * with each that is known.
 */
static size_t
find(const struct dns_writer *d, struct bytes name)
{
	for (unsigned k = 0; k < d->n_known; k++)
		if (d->known[k].size == name.n && d->known[k].first == name.p[1] &&
		    is_there(d, d->known[k].at, name))
			return d->known[k].at;
	return 0;
}

static void
pointer(struct dns_writer *d, size_t at)
{
	wr_u16(&d->w, (uint16_t)(POINTER << 8 | at));
}

/* What stands before `rest` in the name begins suffixes that later names may share. */
static void
learn(struct dns_writer *d, size_t at, struct bytes name, struct bytes rest)
{
	for (; name.n > rest.n && d->n_known < DNS_COMPRESS_MAX; name = dname_parent(name)) {
		if (at >= POINTER_REACH)
			return;
		d->known[d->n_known].at = (uint16_t)at;
		d->known[d->n_known].size = (uint8_t)name.n;
		d->known[d->n_known++].first = name.p[1];
		at += 1u + name.p[0];
	}
}

/*
 * A name, its longest suffix that is there already as a pointer.  Beyond DNS_COMPRESS_MAX of them
 * names are written in full, so the work for a message is bounded (attack 3).
 */
static void
put_name(struct dns_writer *d, struct bytes name, bool compress)
{
	struct bytes rest = {name.p + name.n - 1, 1}; /* what is there already, or the root */
	size_t start = here(d), found = 0;

	if (compress && d->n_compressed < DNS_COMPRESS_MAX)
		for (struct bytes s = name; s.n > 1 && !found; s = dname_parent(s)) {
			found = find(d, s);
			if (found)
				rest = s;
		}
	if (found) {
		wr_bytes(&d->w, (struct bytes){name.p, name.n - rest.n});
		pointer(d, found);
		d->n_compressed++;
	} else {
		wr_bytes(&d->w, name);
	}
	if (!d->w.full)
		learn(d, start, name, rest);
}

/* The owner: the question's name costs no search. */
static void
put_owner(struct dns_writer *d, struct bytes owner)
{
	if (d->qname.n > 1 && dname_eq(owner, d->qname))
		pointer(d, DNS_HEADER);
	else
		put_name(d, owner, true);
}

static void
put_rdata(struct dns_writer *d, uint16_t type, struct bytes rdata)
{
	struct rdata_walk walk = {type, 0, rdata};
	struct rdata_part part;
	uint8_t *size = wr_take(&d->w, 2);

	if (!rdata_has_names(type))
		wr_bytes(&d->w, rdata);
	else
		while (rdata_next(&walk, &part) && !d->w.full) {
			if (part.is_name)
				put_name(d, part.bytes, part.may_compress);
			else
				wr_bytes(&d->w, part.bytes);
		}
	if (!d->w.full)
		put_u16(size, (uint16_t)(d->w.p - size - 2));
}

/* What all messages begin with. */
static void
begin(struct dns_writer *d, void *room, size_t n, uint16_t id, bool edns)
{
	/* Header, question and OPT always fit. */
	assert(n >= DNS_UDP_PLAIN && n <= DNS_TCP_MAX);
	d->w = wr_of(room, edns ? n - OPT_SIZE : n);
	d->start = room;
	d->flags = 0;
	d->rcode = DNS_RCODE_NOERROR;
	memset(d->counts, 0, sizeof(d->counts));
	d->section = DNS_QUESTION;
	d->qname = NO_BYTES;
	d->edns = edns;
	d->n_options = 0;
	d->n_known = d->n_compressed = 0;
	wr_u16(&d->w, id);
	wr_take(&d->w, DNS_HEADER - 2);
}

static void
put_question(struct dns_writer *d, struct bytes name, uint16_t type, uint16_t class)
{
	d->qname = (struct bytes){d->w.p, name.n};
	put_name(d, name, false);
	wr_u16(&d->w, type);
	wr_u16(&d->w, class);
	d->class = class;
	d->counts[DNS_QUESTION] = 1;
}

static void
put_opt(struct dns_writer *d)
{
	d->w.end += OPT_SIZE + d->n_options;
	wr_u8(&d->w, 0);
	wr_u16(&d->w, DNS_TYPE_OPT);
	wr_u16(&d->w, d->edns_size);
	wr_u8(&d->w, (uint8_t)(d->rcode >> 4));
	wr_u8(&d->w, 0); /* version */
	wr_u16(&d->w, d->wants_dnssec ? DNS_EDNS_DO : 0);
	wr_bytes16(&d->w, (struct bytes){d->options, d->n_options});
	d->counts[DNS_ADDITIONAL]++;
}

void
dns_writer_reply(struct dns_writer *d, const struct dns_query *q, void *room, size_t n)
{
	begin(d, room, n, q->id, q->edns.present);
	/* RD and CD are copied (RFC 1035 4.1.1, RFC 4035 3.1.6), and so is the opcode. */
	d->flags = (uint16_t)(DNS_FLAG_QR | (q->flags & (0xf << 11 | DNS_FLAG_RD | DNS_FLAG_CD)));
	d->wants_dnssec = q->edns.wants_dnssec;
	d->edns_size = DNS_UDP_MAX;
	d->class = q->class;
	if (q->question.n)
		put_question(d, q->name, q->type, q->class);
}

void
dns_writer_ask(struct dns_writer *d, void *room, size_t n, uint16_t id, uint16_t flags,
               struct bytes name, uint16_t type, uint16_t class, uint16_t edns_size,
               bool wants_dnssec)
{
	begin(d, room, n, id, edns_size > 0);
	d->flags = flags;
	d->wants_dnssec = wants_dnssec;
	d->edns_size = edns_size;
	put_question(d, name, type, class);
}

struct dns_mark
dns_writer_mark(const struct dns_writer *d)
{
	struct dns_mark m = {.p = d->w.p, .section = d->section, .n_known = d->n_known};

	memcpy(m.counts, d->counts, sizeof(m.counts));
	return m;
}

void
dns_writer_undo(struct dns_writer *d, const struct dns_mark *m)
{
	d->w.p = m->p;
	d->w.full = false;
	d->section = m->section;
	d->n_known = m->n_known;
	memcpy(d->counts, m->counts, sizeof(d->counts));
}

bool
dns_writer_record(struct dns_writer *d, enum dns_section section, struct bytes owner, uint16_t type,
                  uint32_t ttl, struct bytes rdata)
{
	return dns_writer_rrset(d, section, owner, type, ttl, &rdata, 1);
}

bool
dns_writer_rrset(struct dns_writer *d, enum dns_section section, struct bytes owner, uint16_t type,
                 uint32_t ttl, const struct bytes *rdatas, size_t n)
{
	struct dns_mark before = dns_writer_mark(d);
	size_t at = here(d);

	assert(section >= d->section);
	d->section = section;
	for (size_t i = 0; i < n && !d->w.full; i++) {
		/* The set's first owner is where the others point. */
		if (i && at < POINTER_REACH && owner.n > 1)
			pointer(d, d->start[at] >= POINTER
			               ? (size_t)(d->start[at] & ~POINTER) << 8 | d->start[at + 1]
			               : at);
		else
			put_owner(d, owner);
		wr_u16(&d->w, type);
		wr_u16(&d->w, d->class);
		wr_u32(&d->w, ttl);
		put_rdata(d, type, rdatas[i]);
	}
	if (d->w.full || d->counts[section] + n > UINT16_MAX) {
		dns_writer_undo(d, &before);
		return false;
	}
	d->counts[section] = (uint16_t)(d->counts[section] + n);
	return true;
}

bool
dns_writer_option(struct dns_writer *d, uint16_t code, struct bytes data)
{
	struct wr w = wr_of(d->options + d->n_options, DNS_OPTIONS_MAX - d->n_options);
	size_t n = 4 + data.n;

	if (!d->edns || wr_room(&w) < n || wr_room(&d->w) < n)
		return false;
	wr_u16(&w, code);
	wr_bytes16(&w, data);
	d->n_options = (uint16_t)(d->n_options + n);
	d->w.end -= n;
	return true;
}

struct bytes
dns_writer_finish(struct dns_writer *d)
{
	/* The upper bits of an rcode have their place in OPT only. */
	assert(!d->w.full && (d->rcode < 16 || d->edns));
	if (d->edns)
		put_opt(d);
	put_u16(d->start + 2, (uint16_t)(d->flags | (d->rcode & 15)));
	for (size_t i = 0; i < COUNT(d->counts); i++)
		put_u16(d->start + 4 + 2 * i, d->counts[i]);
	return wr_since(&d->w, d->start);
}

struct bytes
dns_writer_refuse(const struct dns_query *q, enum dns_verdict verdict, void *room, size_t n)
{
	static const uint16_t rcodes[] = {
	    [DNS_OK] = DNS_RCODE_SERVFAIL,     [DNS_FORMERR] = DNS_RCODE_FORMERR,
	    [DNS_NOTIMP] = DNS_RCODE_NOTIMP,   [DNS_BADVERS] = DNS_RCODE_BADVERS,
	    [DNS_REFUSED] = DNS_RCODE_REFUSED,
	};
	struct dns_writer d;

	if (verdict == DNS_DROP)
		return NO_BYTES;
	dns_writer_reply(&d, q, room, n);
	d.rcode = rcodes[verdict];
	return dns_writer_finish(&d);
}

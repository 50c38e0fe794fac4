/*
 * check.c - the rules of a zone, a function a rule: of the zone (check_zone), of a node with its
 * sets, of a set, of the hosts that a set names, and of what a cut hides.
 */
#include "zone/check.h"

#include "base/text.h"
#include "zone/extra.h"

enum {
	LARGEST = 65535,
	RECORD = 12 /* octets of a record without its data, its owner a pointer */
};

struct checking {
	struct zone_tree *t;
	void (*tell)(void *owner, const struct zone_problem *);
	void *owner;
	unsigned told;
	bool bad;
};

static void
tell(struct checking *c, struct zone_problem *p)
{
	c->bad |= p->is_error;
	if (!c->tell || c->told >= ZONE_PROBLEMS_MAX)
		return;
	if (++c->told == ZONE_PROBLEMS_MAX)
		*p = (struct zone_problem){.text = "there are more problems that are not told"};
	p->zone = c->t->apex;
	c->tell(c->owner, p);
}

static struct zone_problem
problem_at(const struct checking *c, bool is_error, const struct zone_tree_record *r,
           const char *text)
{
	struct zone_problem p = {.is_error = is_error, .text = text};

	p.owner = c->t->owners[r->owner].name;
	p.type = r->type;
	p.file = c->t->files[r->file];
	p.line = r->line;
	return p;
}

static void
warn(struct checking *c, const struct zone_tree_record *r, const char *text, struct bytes other)
{
	struct zone_problem p = problem_at(c, false, r, text);

	p.other = other;
	tell(c, &p);
}

static void
fail(struct checking *c, const struct zone_tree_record *r, const char *text)
{
	struct zone_problem p = problem_at(c, true, r, text);

	tell(c, &p);
}

static void
fail_zone(struct checking *c, const char *text)
{
	tell(c, &(struct zone_problem){.is_error = true, .owner = c->t->apex, .text = text});
}

static const struct zone_tree_record *
first_of(const struct checking *c, const struct zone_tree_set *s)
{
	return &c->t->records[s->first];
}

/* That which comes last in its file: of those that should be alone the one to look at. */
static const struct zone_tree_record *
last_of(const struct checking *c, const struct zone_tree_set *s)
{
	const struct zone_tree_record *last = first_of(c, s);

	for (uint32_t i = 1; i < s->n; i++)
		if (last->line < c->t->records[s->first + i].line)
			last = &c->t->records[s->first + i];
	return last;
}

static void
check_zone(struct checking *c)
{
	const struct zone_tree_node *apex = &c->t->nodes[0];

	for (size_t i = 0; i < c->t->n_strays; i++)
		fail(c, &c->t->strays[i], "is outside of the zone");
	if (!zone_tree_set(c->t, apex, DNS_TYPE_SOA))
		fail_zone(c, "has no SOA");
	if (!zone_tree_set(c->t, apex, DNS_TYPE_NS))
		fail_zone(c, "has no NS at its apex");
}

/* Types that may stand beside a CNAME: RFC 4034 3 and 4, RFC 2535 2.3.5. */
static bool
bears_cname(uint16_t type)
{
	enum { KEY = 25 };

	return type == DNS_TYPE_CNAME || type == DNS_TYPE_RRSIG || type == DNS_TYPE_NSEC ||
	       type == KEY;
}

static void
check_set(struct checking *c, const struct zone_tree_node *n, const struct zone_tree_set *s)
{
	const struct zone_tree_record *r = first_of(c, s), *last = last_of(c, s);
	const bool wild = dname_is_wildcard(n->owner);

	if (s->type == DNS_TYPE_SOA && !(n->flags & ZONE_NODE_APEX))
		fail(c, r, "is not at the zone's apex");
	if (s->type == DNS_TYPE_SOA && s->n > 1)
		fail(c, last, "is there more than once");
	if (s->type == DNS_TYPE_CNAME && s->n > 1)
		fail(c, last, "is there more than once: a name has one CNAME");
	if (s->type == DNS_TYPE_DNAME && s->n > 1)
		fail(c, last, "is there more than once: a name has one DNAME");
	if (n->flags & ZONE_NODE_CNAME && !bears_cname(s->type))
		fail(c, r, "stands beside a CNAME of the same name");
	if (wild && s->type == DNS_TYPE_NS)
		fail(c, r, "is at a wildcard, where it has no meaning"); /* RFC 4592 4.2 */
	if (wild && s->type == DNS_TYPE_DNAME)
		fail(c, r, "is at a wildcard, where it has no meaning"); /* RFC 4592 4.4 */
	if (DNS_HEADER + DNAME_MAX + 4 + 11 + s->size + (uint64_t)s->n * RECORD > LARGEST)
		fail(c, r, "belongs to a set that fits into no message");
	if (s->ttls_differ)
		warn(c, r, "has other TTLs in the same set; the lowest is taken", NO_BYTES);
}

/* Does a wildcard of the zone stand for a name that is not there? */
static bool
has_wildcard(const struct checking *c, struct bytes name)
{
	const struct zone_tree_node *n = NULL;

	while (!n && dname_is_below(name, c->t->apex) && !dname_is_root(name)) {
		name = dname_parent(name);
		n = zone_tree_find(c->t, name);
	}
	return n && n->flags & ZONE_NODE_WILD;
}

/* A host in this zone that an NS names: has it addresses, where the zone must have them? */
static void
check_server(struct checking *c, const struct zone_tree_node *n, const struct zone_tree_record *r,
             struct zone_tree_node *host, struct bytes name)
{
	const bool delegated = n->flags & ZONE_NODE_DELEGATION;

	if (host &&
	    (zone_tree_set(c->t, host, DNS_TYPE_A) || zone_tree_set(c->t, host, DNS_TYPE_AAAA))) {
		host->glue = true;
		return;
	}
	if (delegated && dname_is_below(name, n->owner))
		warn(c, r, "has no glue: nobody can find the address of", name);
	else if (!delegated && (host || !has_wildcard(c, name)))
		warn(c, r, "names a server without an address:", name);
}

static void
check_hosts(struct checking *c, const struct zone_tree_node *n, const struct zone_tree_set *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct zone_tree_record *r = &c->t->records[s->first + i];
		struct zone_tree_node *host;
		struct bytes name;

		if (!zone_extra_host(s->type, zone_tree_rdata(r), &name) ||
		    !dname_is_below(name, c->t->apex))
			continue;
		host = zone_tree_find(c->t, name);
		if (host && host->flags & ZONE_NODE_CNAME)
			warn(c, r, "names an alias, which it must not (RFC 2181 10.3):", name);
		else if (s->type == DNS_TYPE_NS && !(n->flags & ZONE_NODE_OCCLUDED))
			check_server(c, n, r, host, name);
	}
}

/* Is the set seen by nobody, for a delegation or DNAME at or above its owner? */
static bool
is_hidden(const struct zone_tree_node *n, const struct zone_tree_node *cut, uint16_t type)
{
	const bool address = type == DNS_TYPE_A || type == DNS_TYPE_AAAA;

	if (n->flags & ZONE_NODE_OCCLUDED)
		return cut->flags & ZONE_NODE_DNAME || !address || !n->glue;
	if (!(n->flags & ZONE_NODE_DELEGATION))
		return false;
	return type != DNS_TYPE_NS && type != DNS_TYPE_DS && type != DNS_TYPE_RRSIG &&
	       type != DNS_TYPE_NSEC && !(address && n->glue);
}

/* After all hosts were looked at, so that it is known what is glue. */
static void
check_hidden(struct checking *c)
{
	for (size_t i = 0; i < c->t->n_nodes; i++) {
		const struct zone_tree_node *n = &c->t->nodes[i];
		const struct zone_tree_node *cut =
		    n->cut == ZONE_TREE_NONE ? n : &c->t->nodes[n->cut];

		for (uint32_t k = n->first; k < n->first + n->n_sets; k++)
			if (is_hidden(n, cut, c->t->sets[k].type))
				warn(c, first_of(c, &c->t->sets[k]),
				     "is hidden by the delegation or DNAME at", cut->owner);
	}
}

bool
zone_check(struct zone_tree *t, void (*say)(void *owner, const struct zone_problem *), void *owner)
{
	struct checking c = {.t = t, .tell = say, .owner = owner};

	check_zone(&c);
	for (size_t i = 0; i < t->n_nodes; i++) {
		const struct zone_tree_node *n = &t->nodes[i];

		for (uint32_t k = n->first; k < n->first + n->n_sets; k++) {
			check_set(&c, n, &t->sets[k]);
			check_hosts(&c, n, &t->sets[k]);
		}
	}
	check_hidden(&c);
	return !c.bad;
}

void
zone_problem_text(const struct zone_problem *p, struct wr *w)
{
	if (p->file.n) {
		text_escape(w, p->file);
		wr_text(w, ":");
	}
	if (p->line)
		wr_printf(w, "%u:", p->line);
	if (p->file.n || p->line)
		wr_text(w, " ");
	wr_text(w, p->is_error ? "error: " : "warning: ");
	dname_to_text(w, p->owner.n ? p->owner : p->zone);
	wr_text(w, " ");
	if (p->type) {
		dns_type_text(w, p->type);
		wr_text(w, " ");
	}
	wr_text(w, p->text);
	if (p->other.n) {
		wr_text(w, " ");
		dname_to_text(w, p->other);
	}
}

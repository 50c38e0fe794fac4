/* local.c - two maps: names to addresses, and reverse names to names. */
#include "resolve/local.h"

#include "base/addr.h"
#include "base/map.h"
#include "base/text.h"

#include <stdlib.h>

struct local {
	struct map by_name; /* lower-case names to their first line */
	struct line *lines;
	size_t n;
	struct arena arena;
};

/* One address of one name, or the name of one reverse name. */
struct line {
	struct line *next, *last; /* of the same name; last: only in the first */
	uint16_t type;
	struct bytes rdata;
};

static bool
add(struct local *l, struct bytes name, uint16_t type, struct bytes rdata)
{
	struct line *fresh = arena_alloc(&l->arena, sizeof(*fresh)), *first;
	struct dname key;

	if (!fresh)
		return false;
	dname_copy_lower(&key, name);
	*fresh = (struct line){.last = fresh, .type = type, .rdata = arena_copy(&l->arena, rdata)};
	first = map_get(&l->by_name, dname_bytes(&key));
	if (!first)
		return fresh->rdata.p && map_put(&l->by_name, dname_bytes(&key), fresh);
	first->last->next = fresh;
	first->last = fresh;
	return fresh->rdata.p != NULL;
}

static bool
reverse_name(struct dname *out, const uint8_t ip[16])
{
	uint8_t room[128];
	struct wr w = wr_of(room, sizeof(room));

	if (addr_ip_is_v4(ip)) {
		wr_printf(&w, "%u.%u.%u.%u.in-addr.arpa.", ip[15], ip[14], ip[13], ip[12]);
	} else {
		for (size_t i = 16; i--;)
			wr_printf(&w, "%x.%x.", ip[i] & 15u, (unsigned)ip[i] >> 4);
		wr_text(&w, "ip6.arpa.");
	}
	return !dname_parse_text(out, wr_since(&w, room), DNAME_ROOT);
}

/* The next word of a line, NO_BYTES at its end. */
static struct bytes
next_word(struct bytes *rest)
{
	struct rd r;
	struct bytes word;
	size_t n = 0;

	*rest = text_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	r = rd_of(*rest);
	word = rd_take(&r, n);
	*rest = rd_rest(&r);
	return word;
}

/* NULL, or what is wrong with *word; no memory is told by *full. */
static const char *
read_line(struct local *l, struct bytes rest, struct bytes *word, bool *full)
{
	struct dname name, reverse;
	uint8_t ip[16];
	const char *why;
	bool v4, first = true;

	*word = next_word(&rest);
	if (!word->n)
		return NULL;
	if (!addr_ip_parse(*word, ip))
		return "not an address";
	v4 = addr_ip_is_v4(ip);
	if (!reverse_name(&reverse, ip))
		return "not an address";
	while ((*word = next_word(&rest)).n) {
		why = dname_parse_text(&name, *word, DNAME_ROOT);
		if (why)
			return why;
		if (l->n++ >= LOCAL_LINES)
			return "more than 100,000 names";
		*full = !add(l, dname_bytes(&name), v4 ? DNS_TYPE_A : DNS_TYPE_AAAA,
		             v4 ? (struct bytes){ip + 12, 4} : (struct bytes){ip, 16}) ||
		        (first && !map_get(&l->by_name, dname_bytes(&reverse)) &&
		         !add(l, dname_bytes(&reverse), DNS_TYPE_PTR, dname_bytes(&name)));
		if (*full)
			return "no memory";
		first = false;
	}
	return first ? "an address without a name" : NULL;
}

struct err
local_new(struct local **out, const uint8_t key[16], struct bytes text, struct local_wrong *wrong)
{
	struct local *l = calloc(1, sizeof(*l));
	struct err e = ERR(ERR_MEMORY, 0, "hosts");
	bool full = false;

	if (!l)
		return e;
	map_init(&l->by_name, key);
	for (uint32_t line = 1; text.n; line++) {
		struct bytes whole = text_cut(&text, '\n'), rest = whole, word = NO_BYTES;
		const char *why;

		if (rest.n && rest.p[rest.n - 1] == '\r')
			rest.n--;
		rest = text_cut(&rest, '#');
		why = read_line(l, rest, &word, &full);
		if (!why)
			continue;
		if (!full) {
			*wrong = (struct local_wrong){
			    line, word.n ? (uint32_t)(word.p - whole.p) + 1 : 1, why};
			e = ERR(ERR_SYNTAX, 0, "hosts");
		}
		local_free(l);
		return e;
	}
	*out = l;
	return OK;
}

void
local_free(struct local *l)
{
	if (!l)
		return;
	map_free(&l->by_name);
	arena_free(&l->arena);
	free(l);
}

/* ---- answers ---- */

static bool
put(struct wr *w, uint16_t *n, struct bytes rdata)
{
	wr_bytes16(w, rdata);
	++*n;
	return !w->full;
}

static enum local_found
from_file(const struct line *first, uint16_t type, struct arena *a, struct bytes *records,
          uint16_t *n)
{
	size_t room = 0;
	struct wr w;
	uint8_t *start;

	for (const struct line *i = first; i; i = i->next)
		room += i->type == type ? 2 + i->rdata.n : 0;
	if (!room)
		return LOCAL_NODATA;
	if (room > UINT16_MAX)
		room = UINT16_MAX; /* an answer has no more */
	start = arena_alloc(a, room);
	if (!start)
		return LOCAL_NOT;
	w = wr_of(start, room);
	for (const struct line *i = first; i; i = i->next)
		if (i->type == type && wr_room(&w) >= 2 + i->rdata.n)
			put(&w, n, i->rdata);
	*records = wr_since(&w, start);
	return LOCAL_SET;
}

static const uint8_t localhost_name[] = "\x09localhost";
static const uint8_t v4_one[] = {127, 0, 0, 1}, v6_one[16] = {[15] = 1};

static enum local_found
one(struct bytes rdata, bool fits, struct arena *a, struct bytes *records, uint16_t *n)
{
	struct wr w = {NULL, NULL, true};
	uint8_t *start;

	if (!fits)
		return LOCAL_NODATA;
	start = arena_alloc(a, rdata.n + 2);
	if (start)
		w = wr_of(start, rdata.n + 2);
	if (!start || !put(&w, n, rdata))
		return LOCAL_NOT;
	*records = wr_since(&w, start);
	return LOCAL_SET;
}

/* RFC 6761 6.3 and 6.4, RFC 6303 4.2 and 4.4. */
static enum local_found
special(struct bytes name, uint16_t type, struct arena *a, struct bytes *records, uint16_t *n)
{
	static const uint8_t invalid[] = "\x07invalid";
	static const uint8_t loop4[] = "\x03"
				       "127\x07in-addr\x04"
				       "arpa";
	static const uint8_t one4[] = "\x01"
				      "1\x01"
				      "0\x01"
				      "0\x03"
				      "127\x07in-addr\x04"
				      "arpa";
	struct bytes localhost = {localhost_name, sizeof(localhost_name)};
	static const uint8_t v6_loop[16] = {[15] = 1};
	struct dname one6;

	if (dname_is_below(name, localhost)) {
		if (type == DNS_TYPE_A)
			return one((struct bytes){v4_one, 4}, true, a, records, n);
		return one((struct bytes){v6_one, 16}, type == DNS_TYPE_AAAA, a, records, n);
	}
	if (dname_is_below(name, (struct bytes){invalid, sizeof(invalid)}))
		return LOCAL_NXDOMAIN;
	if (dname_eq(name, (struct bytes){one4, sizeof(one4)}) ||
	    (reverse_name(&one6, v6_loop) && dname_eq(name, dname_bytes(&one6))))
		return one(localhost, type == DNS_TYPE_PTR, a, records, n);
	if (dname_is_below(name, (struct bytes){loop4, sizeof(loop4)}))
		return LOCAL_NXDOMAIN;
	return LOCAL_NOT;
}

enum local_found
local_get(const struct local *l, struct bytes name, uint16_t type, struct arena *a,
          struct bytes *records, uint16_t *n)
{
	const struct line *first;
	struct dname key;

	*n = 0;
	dname_copy_lower(&key, name);
	first = l ? map_get(&l->by_name, dname_bytes(&key)) : NULL;
	if (first)
		return from_file(first, type, a, records, n);
	return special(name, type, a, records, n);
}

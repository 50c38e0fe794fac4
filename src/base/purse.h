/*
 * purse.h - what a stranger can make us keep is charged first, and refused beyond a cap.
 *
 * A purse counts one thing.  Purses count for each address prefix (IPv4 /32, IPv6 /64: who has one
 * address of a /64 has them all) how many connections it holds and how many bytes we keep for it.
 */
#ifndef BASE_PURSE_H
#define BASE_PURSE_H

#include "base/bytes.h"

struct purse {
	size_t used, cap;
};

/* Counts n as used; false, and nothing counted, when that would pass the cap. */
static inline bool
purse_charge(struct purse *p, size_t n)
{
	if (p->used > p->cap || n > p->cap - p->used)
		return false;
	p->used += n;
	return true;
}

/* Gives back what was charged; more than that is our mistake, and ends the process. */
void purse_refund(struct purse *, size_t n);

struct purses;

/* One prefix; it lives while it holds a connection. */
struct purse_peer {
	struct purse connections;
	struct purse bytes;
	uint32_t logins; /* that its holder has under way */
	uint8_t prefix[16];
};

/*
 * At most max prefixes at once, each with so many connections and bytes; key is random.  NULL when
 * memory is used up.
 */
struct purses *purses_open(const uint8_t key[16], size_t max, size_t connections, size_t bytes);
/*
 * Counts a connection from this address (IPv4 as v4-mapped) and gives its prefix's purse, for
 * purse_charge(&peer->bytes, n) meanwhile and for purses_leave() at the end.  NULL when the prefix
 * holds as many as it may, when the table is full, or when memory is used up.
 */
struct purse_peer *purses_enter(struct purses *, const uint8_t ip[16]);
/* The same with other caps, for a prefix that is trusted with more; they hold while it lives. */
struct purse_peer *purses_enter_up_to(struct purses *, const uint8_t ip[16], size_t connections,
                                      size_t bytes);
/* Ends one connection; its bytes must have been refunded by the last one of its prefix. */
void purses_leave(struct purses *, struct purse_peer *);
/* Prefixes that hold a connection. */
size_t purses_count(const struct purses *);
void purses_close(struct purses *);

#endif

/*
 * udp.h - serves datagrams in batches: the handler sees all that came at once, so that it may
 * prefetch, and fills in replies, which leave together from the addresses that were asked.
 * A reply that the network does not take at once is dropped and counted: clients ask again.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "net/loop.h"

struct udp;

struct udp_item {
	struct addr peer, local;
	struct bytes query;
	struct wr reply; /* what is written here is sent; nothing, or full: no reply */
};
/* Borrowed for the call; 1 <= n <= LOOP_BATCH. */
typedef void udp_fn(void *owner, struct udp_item *, size_t n);

struct udp_counts {
	uint64_t in, out;
	uint64_t cut;     /* queries longer than query_max: never shown to the handler */
	uint64_t dropped; /* replies that found no room */
	uint64_t batches;
};

/* fd comes from loop_listen(), and is taken over also when this fails. */
MUST_CHECK struct err udp_open(struct udp **out, struct loop *, int fd, size_t query_max,
                               size_t reply_max, udp_fn *, void *owner);
/* A reply to a query of an earlier batch; false: the network did not take it, and it is counted. */
bool udp_send(struct udp *, const struct addr *peer, const struct addr *local, struct bytes);
struct udp_counts udp_counts(const struct udp *);
void udp_close(struct udp *); /* also inside the handler; NULL does nothing */

#endif

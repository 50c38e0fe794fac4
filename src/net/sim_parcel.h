/*
 * sim_parcel.h - what is under way in the virtual network: a piece of a stream, a message, a
 * datagram, a connection, or an end.  For sim_net.c only.
 */
#ifndef NET_SIM_PARCEL_H
#define NET_SIM_PARCEL_H

#include "base/addr.h"

struct sim_file;

struct parcel {
	struct parcel *next;
	uint64_t at;
	size_t n, eaten;
	bool end;
	int fd;                  /* a kernel's descriptor that goes along, or -1 */
	struct sim_file *file;   /* a virtual one, or the accepted end of a connection; or NULL */
	struct addr peer, local; /* of a datagram */
	uint8_t b[];
};

struct parcels {
	struct parcel *first, *last;
};

/* NULL without memory. */
struct parcel *parcel_new(size_t n);
void parcels_add(struct parcels *, struct parcel *);
/* The first one, which must be there. */
struct parcel *parcels_take(struct parcels *);
/* Sorted by arrival; behind those of the same time. */
void parcels_insert(struct parcels *, struct parcel *);

#endif

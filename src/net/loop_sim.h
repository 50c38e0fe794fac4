/*
 * loop_sim.h - the simulated loop: virtual time, a virtual network, one seed.  Any number of roles
 * and peers live on one such loop; the same seed and the same calls give the same run.
 *
 * loop_listen() and loop_pair() make virtual descriptors here; bytes arrive in pieces and after
 * delays that are drawn from the seed.  Kernel descriptors (a memfd, a file) may be passed over
 * channels and closed, but not polled.  There are no signals.  loop_wait() lets the others run.
 */
#ifndef NET_LOOP_SIM_H
#define NET_LOOP_SIM_H

#include "net/loop.h"

/* What the network does to what is sent over it; pairs have no faults, and delays of 0 or 1 ms. */
struct sim_weather {
	uint32_t delay_min_ms, delay_max_ms;
	uint32_t lose_ppm; /* datagrams, of a million */
	uint32_t cut_ppm;  /* a connection breaks at a send, of a million */
	bool whole;        /* what was sent is read whole, not in pieces */
	loop_fn *was_cut;  /* is told of each connection that it breaks; may be NULL */
	void *owner;
};

/* Time begins at 2024-01-01 00:00 UTC; delays of 0 to 20 ms, no loss. */
MUST_CHECK struct err loop_sim_open(struct loop **out, uint64_t seed);
void sim_weather(struct loop *, const struct sim_weather *); /* from now on */

/*
 * Connects to a listener; the connection is its to accept after a delay, and its bytes are read
 * from then.  Answers: ERR_NOTFOUND nobody listens there.
 */
MUST_CHECK struct err sim_connect(struct loop *, const struct addr *from, const struct addr *to,
                                  int *fd);
/* Breaks a connection for both ends, as a reset does. */
void sim_cut(struct loop *, int fd);

/* Until nothing is left to happen, loop_stop(), or ms have passed: then it is at that time. */
void sim_run(struct loop *, uint64_t ms);
/* Virtual descriptors that are open: none when all was closed. */
size_t sim_open_fds(const struct loop *);

#endif

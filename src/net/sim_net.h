/*
 * sim_net.h - the virtual network behind loop_sim.c: descriptors, what is under way between them,
 * and when it arrives.  For loop_sim.c only.
 */
#ifndef NET_SIM_NET_H
#define NET_SIM_NET_H

#include "base/random.h"
#include "net/loop_ops.h"
#include "net/loop_sim.h"

enum { SIM_FD = 1 << 24 }; /* the first virtual descriptor; the kernel's are below */

struct sim_file;
struct sim_poll {
	struct loop_poll poll;         /* first */
	struct sim_poll *next, **link; /* in the list of those that may be ready */
	uint64_t turn;                 /* in which it was put there */
};

struct sim_net {
	struct random *random;
	struct sim_weather weather;
	uint64_t now_ms;
	struct sim_file **files; /* by descriptor - SIM_FD; NULL: free */
	size_t n_files;
	struct heap arrivals; /* of what is under way */
	struct sim_poll *ready, **ready_end;
	uint64_t turn;
	uint16_t last_port;
};

MUST_CHECK struct err sim_net_init(struct sim_net *, uint64_t seed);
void sim_net_fini(struct sim_net *);
/* When the next thing arrives; LOOP_NEVER. */
uint64_t sim_net_next(const struct sim_net *);
/* Lets arrive what is due at now_ms; true when there was any. */
bool sim_net_arrive(struct sim_net *);

bool sim_net_is_virtual(int fd);
unsigned sim_net_events(const struct sim_net *, int fd); /* what it is ready for */
/* One poll a descriptor; NULL: none any more. */
MUST_CHECK struct err sim_net_watch(struct sim_net *, int fd, struct sim_poll *);
void sim_net_unwatch(struct sim_net *, struct sim_poll *);
/* Puts it behind those that may be ready; it stays where it is when it is one of them. */
void sim_net_kick(struct sim_net *, struct sim_poll *);
void sim_net_unkick(struct sim_net *, struct sim_poll *);
size_t sim_net_count(const struct sim_net *); /* descriptors that are open */

void sim_net_close(struct sim_net *, int fd);
void sim_net_cut(struct sim_net *, int fd);
MUST_CHECK struct err sim_net_dup(struct sim_net *, int fd, int *out);
MUST_CHECK struct err sim_net_pair(struct sim_net *, enum loop_kind, int fd[2]);
MUST_CHECK struct err sim_net_listen(struct sim_net *, const struct addr *, enum loop_kind,
                                     int *fd);
/* fd: one of sim_net_bind(), -1: a new one. */
MUST_CHECK struct err sim_net_connect(struct sim_net *, int fd, const struct addr *from,
                                      const struct addr *to, int *out);
MUST_CHECK struct err sim_net_connected(struct sim_net *, int fd);
MUST_CHECK struct err sim_net_bind(struct sim_net *, const struct addr *, int *fd);
MUST_CHECK struct err sim_net_dgram_open(struct sim_net *, const struct addr *from,
                                         const struct addr *to, int *fd);
MUST_CHECK struct err sim_net_local(struct sim_net *, int fd, struct addr *);
MUST_CHECK struct err sim_net_accept(struct sim_net *, int listener, int *fd, struct addr *peer);
/* fd -1 where no descriptor goes along or came. */
MUST_CHECK struct err sim_net_recv(struct sim_net *, int fd, void *p, size_t n, size_t *got,
                                   int *passed);
MUST_CHECK struct err sim_net_send(struct sim_net *, int fd, const struct bytes *, size_t pieces,
                                   int pass, size_t *sent);
MUST_CHECK struct err sim_net_shutdown(struct sim_net *, int fd);
MUST_CHECK struct err sim_net_dgram_recv(struct sim_net *, int fd, struct loop_dgram *, size_t max,
                                         size_t *got);
MUST_CHECK struct err sim_net_dgram_send(struct sim_net *, int fd, const struct loop_dgram *,
                                         size_t n, size_t *sent);

#endif

/*
 * loop.h - the door for every wait: timers, tasks, descriptors and all that is read from and
 * written to them.  Behind it stands the real thing (loop_open) or a simulated one in virtual time
 * (loop_sim.h), whose descriptors exist in its memory only; so nobody above calls recv(2) or
 * close(2) on a descriptor that came from here.
 *
 * Nothing here calls back before its own call has returned: callbacks come from loop_run() alone.
 * In a callback everything may be stopped, closed and freed, also that which is calling.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/addr.h"
#include "base/err.h"
#include "base/heap.h"

struct loop;
typedef void loop_fn(void *owner);

MUST_CHECK struct err loop_open(struct loop **out);
/* Everything that was opened on it must be closed before; NULL does nothing. */
void loop_close(struct loop *);
/* Until loop_stop(), or until nothing is left that could happen. */
MUST_CHECK struct err loop_run(struct loop *);
void loop_stop(struct loop *);

/* Only goes forward; taken once a turn. */
uint64_t loop_now_ms(const struct loop *);
/* Since 1970, for stamps. */
uint64_t loop_wall_ns(const struct loop *);

/* ---- timers and tasks: embedded in their owner, zeroed before their first use ---- */

struct loop_timer {
	struct heap_node node;
	struct loop_timer *next, **link; /* where the heap found no memory to grow */
	loop_fn *fire;
	void *owner;
};
/* Fires once, in after_ms (0: in the next turn); one that runs already is set anew. */
void loop_timer_set(struct loop *, struct loop_timer *, uint64_t after_ms, loop_fn *, void *owner);
void loop_timer_stop(struct loop *, struct loop_timer *); /* also one that does not run */
bool loop_timer_runs(const struct loop_timer *);

struct loop_task {
	struct loop_task *next, **link;
	loop_fn *run;
	void *owner;
};
/* Runs it once, at the end of this turn; a task that waits already stays where it is. */
void loop_defer(struct loop *, struct loop_task *, loop_fn *, void *owner);
void loop_defer_stop(struct loop *, struct loop_task *);

/* ---- descriptors ---- */

enum { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_poll;
/* A broken descriptor is told as all that was wanted: reading or writing then tells how. */
typedef void loop_poll_fn(void *owner, unsigned events);
/* Nothing is wanted at first.  One poll a descriptor, which becomes non-blocking. */
MUST_CHECK struct err loop_poll_open(struct loop_poll **out, struct loop *, int fd, loop_poll_fn *,
                                     void *owner);
void loop_poll_want(struct loop_poll *, unsigned events); /* told again and again while it lasts */
void loop_poll_close(struct loop_poll *); /* before its descriptor's; NULL does nothing */
/*
 * Blocks for that descriptor alone, and takes the time that passed off *left_ms; false when none is
 * left.  For chan_ask_now().
 */
bool loop_wait(struct loop *, int fd, unsigned events, uint64_t *left_ms);

struct loop_signal;
/* A simulation has no signals: *out is NULL there, and it never comes. */
MUST_CHECK struct err loop_signal_open(struct loop_signal **out, struct loop *, int number,
                                       loop_fn *, void *owner);
void loop_signal_close(struct loop_signal *);

void loop_close_fd(struct loop *, int fd); /* -1 does nothing */
MUST_CHECK struct err loop_dup(struct loop *, int fd, int *out);

/* LOOP_MESSAGES keeps the bounds of messages and passes descriptors: a channel. */
enum loop_kind { LOOP_STREAM, LOOP_DATAGRAM, LOOP_MESSAGES };
MUST_CHECK struct err loop_pair(struct loop *, enum loop_kind, int fd[2]);
/*
 * A listening stream, or a socket for datagrams that are never fragmented (attack 7) and tell which
 * of our addresses was asked.  :: takes both families.  shared: SO_REUSEPORT.  Port 0 takes any.
 */
MUST_CHECK struct err loop_listen(struct loop *, const struct addr *, enum loop_kind, bool shared,
                                  int *fd);
/* Its own address; what it was accepted at, for a connection. */
MUST_CHECK struct err loop_local(struct loop *, int fd, struct addr *);

/*
 * Begins a connection to `to`.  fd: -1, a new socket, from `from` (NULL: any address); else one of
 * loop_bind(), which is *out then and stays the caller's when this fails.  Once it is writable,
 * loop_connected() tells how it went.  Answers of both: ERR_NOTFOUND no connection, why is in sys.
 */
MUST_CHECK struct err loop_connect(struct loop *, int fd, const struct addr *from,
                                   const struct addr *to, int *out);
MUST_CHECK struct err loop_connected(struct loop *, int fd); /* ERR_LATER: not yet */
MUST_CHECK struct err loop_bind(struct loop *, const struct addr *from, int *fd);
/* For datagrams with `to` alone; who refuses them is told by loop_dgram_recv(): ECONNREFUSED. */
MUST_CHECK struct err loop_dgram_open(struct loop *, const struct addr *from, const struct addr *to,
                                      int *fd);

/* ---- input and output: ERR_LATER when there is nothing, or no room, now ---- */

/* *got 0: the peer ended. */
MUST_CHECK struct err loop_recv(struct loop *, int fd, void *p, size_t n, size_t *got);
/* May send less than all; at most LOOP_PIECES pieces. */
enum { LOOP_PIECES = 16 };
MUST_CHECK struct err loop_send(struct loop *, int fd, const struct bytes *, size_t pieces,
                                size_t *sent);
/* Ends our direction; the peer reads on to what was sent. */
MUST_CHECK struct err loop_shutdown(struct loop *, int fd);
/*
 * *fd is non-blocking and closed on exec.  ERR_FULL: descriptors have run out; the client was
 * turned away where the reserve allowed it (attack 151), and whoever accepts should rest a while.
 */
MUST_CHECK struct err loop_accept(struct loop *, int listener, int *fd, struct addr *peer);

/* pass: a descriptor that goes along (-1: none); it stays the caller's. */
MUST_CHECK struct err loop_msg_send(struct loop *, int fd, struct bytes, int pass);
/*
 * *got 0: the peer ended.  *passed is the caller's, -1 when none came.  ERR_SYNTAX: the message is
 * longer than n or brought more than one descriptor; those are closed, the message is lost.
 */
MUST_CHECK struct err loop_msg_recv(struct loop *, int fd, void *p, size_t n, size_t *got,
                                    int *passed);

enum { LOOP_BATCH = 64 };
struct loop_dgram {
	struct addr peer, local; /* local: the address that was asked, and the interface (scope) */
	uint8_t *p;
	size_t n, cap; /* cap: room for receiving */
	bool cut;      /* was longer than cap */
};
MUST_CHECK struct err loop_dgram_recv(struct loop *, int fd, struct loop_dgram *, size_t max,
                                      size_t *got);
/* Those that the network refuses (too long, no route) count as sent; each leaves from its local. */
MUST_CHECK struct err loop_dgram_send(struct loop *, int fd, const struct loop_dgram *, size_t n,
                                      size_t *sent);

/* ---- lent memory: an idle connection owns no buffers ---- */

enum { LOOP_ROOM = 64 * 1024 };
/* LOOP_ROOM bytes, to be given back before the callback returns; NULL without memory. */
void *loop_lend(struct loop *);
void loop_give_back(struct loop *, void *);

#endif

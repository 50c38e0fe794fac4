/*
 * loop_ops.h - what stands behind loop.h: for loop.c and the two kinds of loop only.
 */
#ifndef NET_LOOP_OPS_H
#define NET_LOOP_OPS_H

#include "net/loop.h"

/* The head of either kind's poll. */
struct loop_poll {
	struct loop *loop;
	int fd;
	unsigned want;
	loop_poll_fn *told;
	void *owner;
};

struct loop_ops {
	void (*close)(struct loop *);
	struct err (*run)(struct loop *);
	uint64_t (*wall_ns)(const struct loop *);
	struct err (*poll_open)(struct loop_poll **, struct loop *, int, loop_poll_fn *, void *);
	void (*poll_want)(struct loop_poll *, unsigned);
	void (*poll_close)(struct loop_poll *);
	bool (*wait)(struct loop *, int, unsigned, uint64_t *);
	struct err (*signal_open)(struct loop_signal **, struct loop *, int, loop_fn *, void *);
	void (*close_fd)(struct loop *, int);
	struct err (*dup)(struct loop *, int, int *);
	struct err (*pair)(struct loop *, enum loop_kind, int[2]);
	struct err (*listen)(struct loop *, const struct addr *, enum loop_kind, bool, int *);
	struct err (*connect)(struct loop *, int, const struct addr *, const struct addr *, int *);
	struct err (*connected)(struct loop *, int);
	struct err (*bind)(struct loop *, const struct addr *, int *);
	struct err (*dgram_open)(struct loop *, const struct addr *, const struct addr *, int *);
	struct err (*local)(struct loop *, int, struct addr *);
	struct err (*recv)(struct loop *, int, void *, size_t, size_t *);
	struct err (*send)(struct loop *, int, const struct bytes *, size_t, size_t *);
	struct err (*send_file)(int, int, uint64_t *, size_t); /* NULL: by read and send */
	struct err (*shutdown)(struct loop *, int);
	struct err (*accept)(struct loop *, int, int *, struct addr *);
	struct err (*msg_send)(struct loop *, int, struct bytes, int);
	struct err (*msg_recv)(struct loop *, int, void *, size_t, size_t *, int *);
	struct err (*dgram_recv)(struct loop *, int, struct loop_dgram *, size_t, size_t *);
	struct err (*dgram_send)(struct loop *, int, const struct loop_dgram *, size_t, size_t *);
};

enum { LOOP_SPARE = 2 };

/* The head of either kind's loop. */
struct loop {
	const struct loop_ops *ops;
	uint64_t now_ms;
	struct heap timers;
	struct loop_timer *spilled; /* for which the heap had no memory: searched one by one */
	struct loop_task *tasks, **tasks_end;
	size_t n_tasks;
	void *spare[LOOP_SPARE]; /* lent memory that came back */
	size_t spares;
	bool stopped;
};

#define LOOP_NEVER UINT64_MAX

void loop_init(struct loop *, const struct loop_ops *);
void loop_fini(struct loop *);
/* When the next timer is due; LOOP_NEVER. */
uint64_t loop_next(const struct loop *);
/* Fires what is due, then runs the tasks that wait by now; true when there was any. */
bool loop_turn(struct loop *);

#endif

/*
 * plan.h - when each queued message is tried, what became of it, and whom to tell: the queue as a
 * machine that is given the time.
 *
 * The recipients of a message in one domain go in one try (at most GROUP_RCPTS_MAX).  The first try
 * is at once; what was deferred is tried again after 5 minutes, then 1.5 to 2 times as long each
 * time, up to 4 hours.  After 4 hours its sender is told once that it takes long, after 5 days it is
 * given up (RFC 5321 4.5.4.1).  Each place has its own share of tries (site.h).
 *
 * Waits are on the clock that only goes forward; the other one tells how old a message is, once,
 * when it comes here: a clock that jumps makes nothing old (attack 63).
 *
 * What must not be lost stands in the store first: a recipient that is given up is settled so, then
 * its sender is told, then it is settled as done; so whoever dies in between tells nobody twice
 * (attacks 54, 57).
 *
 * Held in memory: some 300 octets for a message with one recipient, up to PLAN_OCTETS_MAX; what is
 * beyond waits in the store.
 */
#ifndef QUEUE_PLAN_H
#define QUEUE_PLAN_H

#include "base/err.h"
#include "talk/spool.h"

enum {
	PLAN_TRIES_MAX = 100, /* at once, in all; site.h says whose */
	PLAN_OCTETS_MAX = 512 * 1024 * 1024,
	PLAN_RETRY_S = 5 * 60,
	PLAN_RETRY_MAX_S = 4 * 3600,
	PLAN_WARN_S = 4 * 3600,
	PLAN_GIVE_UP_S = 5 * 24 * 3600,
	PLAN_REPORTS_MAX = 200, /* reports in a minute: what comes in storms waits (attack 64) */
};

struct random;
struct plan;

struct plan_time {
	uint64_t now_ms; /* only goes forward */
	uint64_t wall_s; /* since 1970, as people set it */
};

/* NULL when memory is used up.  The random stays the caller's. */
struct plan *plan_new(const uint8_t key[16], struct random *);
void plan_free(struct plan *);
/* All mail goes over one server, which has one share of tries. */
void plan_relay(struct plan *, bool);

/*
 * A message as the store has it; `fresh`: it was queued just now.  Answers: ERR_EXISTS it is here
 * already (nothing is changed), ERR_FULL no room now, ERR_SYNTAX it is none.
 */
MUST_CHECK struct err plan_add(struct plan *, struct plan_time, bool fresh,
                               const struct spool_head *, const struct spool_rcpt *, size_t n);
/* Half of the room or more is free. */
bool plan_has_room(const struct plan *);

/* ---- tries ---- */

struct plan_try {
	const struct spool_head *head; /* these as long as the try goes on */
	struct bytes domain;
	struct message_group *group; /* names it */
};
/* The next try to be made now; false: there is none. */
MUST_CHECK struct err plan_next(struct plan *, struct plan_time, struct plan_try *, bool *found);
/* Its recipients, one after the other from *at = 0 on; false after the last. */
bool plan_try_rcpt(const struct plan_try *, size_t *at, struct bytes *address);
/* It was made: a result for each recipient, in their order; one that is missing is deferred. */
MUST_CHECK struct err plan_tried(struct plan *, struct plan_time, const struct plan_try *,
                                 const struct spool_result *, size_t n);
/* It could not be made, through no fault of the message or the place: once more in after_ms. */
MUST_CHECK struct err plan_put_off(struct plan *, struct plan_time, const struct plan_try *,
                                   uint64_t after_ms);
/* In how many milliseconds there may be something to try; UINT64_MAX: not by itself. */
uint64_t plan_wakes(const struct plan *, struct plan_time);

/* Looks at the age of some messages, the next time of others; to be called every few seconds. */
MUST_CHECK struct err plan_look(struct plan *, struct plan_time);

/* ---- settling: what the store is to know ---- */

/*
 * A message that is to be settled, with the rows of recipients that changed (at most
 * SPOOL_PACKED_MAX octets); it is not given again before plan_settled().  False: there is none.
 */
bool plan_settle(struct plan *, struct plan_time, uint64_t *id, uint32_t *flags, struct wr *rows);
/* The store knows.  gone: it had no such message any more. */
void plan_settled(struct plan *, uint64_t id, bool gone);

/* ---- telling the sender ---- */

struct plan_report {
	const struct spool_head *head; /* these until plan_reported() */
	bool delay;      /* it takes long, and goes on; else these recipients failed */
	uint16_t number; /* of a failure, within its message */
	uint64_t age_s;  /* of the message */
	struct message *message;
};
/* The next sender to be told; false: there is none now. */
bool plan_report(struct plan *, struct plan_time, struct plan_report *);
bool plan_report_rcpt(const struct plan_report *, size_t *at, struct spool_rcpt *);
/* It was told (or nobody can be): the message is to be settled then. */
void plan_reported(struct plan *, const struct plan_report *);

/* ---- what people do ---- */

/* Answer: ERR_NOTFOUND. */
MUST_CHECK struct err plan_change(struct plan *, struct plan_time, uint64_t id, enum queue_change);
/* Its body cannot be read: it is kept back, for a person to look at (attack 62). */
void plan_keep_back(struct plan *, uint64_t id);
/* The id behind this one, which need not be there; 0: there is none. */
uint64_t plan_after(const struct plan *, uint64_t id);
/* Packed, in the order of ids, behind `after` or (not 0) one alone; *more: not all fitted. */
void plan_list(const struct plan *, struct plan_time, uint64_t after, uint64_t only, struct wr *,
               bool *more);

struct plan_counts {
	size_t messages, running, ready, to_settle, to_report;
	uint64_t octets;
};
struct plan_counts plan_counts(const struct plan *);

#endif

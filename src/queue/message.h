/*
 * message.h - a queued message as the plan holds it: its head and its recipients, grouped by where
 * they go, in one piece of memory; never its body.  For plan.c and what stands beside it alone.
 *
 * Invariants: (1) a group is in the heap while it WAITS, in its site's line while it is READY, and
 * in neither otherwise; (2) a recipient whose row in the store is another than this one is `dirty`,
 * and its message is in the line of those to be settled, or is settling; (3) a message leaves when
 * all its recipients are DONE and the store knows it.
 */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include "base/err.h"
#include "base/heap.h"
#include "talk/spool.h"

struct message;
struct site;

struct message_rcpt {
	struct bytes address; /* its domain in lower case */
	uint8_t *said;        /* the server's name, then the reply */
	uint16_t server_n, reply_n;
	uint16_t number, tries, report;
	uint8_t state; /* enum spool_state */
	uint8_t status[3];
	bool is_reply, dirty;
};

enum group_state { GROUP_IDLE, GROUP_WAITS, GROUP_READY, GROUP_RUNS };

/* What goes to one domain in one try. */
struct message_group {
	struct heap_node due;
	struct message *message;
	struct site *site; /* while READY or RUNS */
	struct message_group *next, **link;
	struct bytes domain;
	uint16_t first, n; /* its recipients */
	uint8_t state;     /* enum group_state */
};

enum { GROUP_RCPTS_MAX = 100 }; /* RFC 5321 4.5.3.1.8: so many are taken everywhere */

struct message {
	struct spool_head head;
	struct message *next, *prev;               /* by their ids */
	struct message *next_settle, *next_report; /* in these lines */
	int64_t born_ms; /* on the clock that only goes forward; may be before its start */
	size_t octets;   /* of its memory, but for what was said */
	uint16_t n_rcpts, n_groups;
	bool in_settle, in_report, settling, reporting;
	bool dirty;   /* its flags are not in the store yet */
	bool warn;    /* its sender is to be told that it takes long */
	bool removed; /* a person, or box, took it away */
	struct message_group *groups;
	struct message_rcpt *rcpts; /* those of a group follow each other */
};

/* A copy of what was packed.  Answer: ERR_SYNTAX it is no message.  *out is the caller's. */
MUST_CHECK struct err message_new(struct message **out, const struct spool_head *,
                                  const struct spool_rcpt *, size_t n);
void message_free(struct message *);

/* Keeps what was said, as much of it as a packed message has room for; *octets: how it grew. */
MUST_CHECK struct err message_say(struct message *, struct message_rcpt *,
                                  const struct spool_result *, int64_t *octets);
/* The row of a recipient, borrowed from it; next_s is for the caller to fill in. */
struct spool_rcpt message_row(const struct message_rcpt *);
/* The group that this recipient belongs to. */
struct message_group *message_group(struct message *, const struct message_rcpt *);
/* How many recipients are in this state. */
size_t message_count(const struct message *, enum spool_state);
size_t message_group_count(const struct message_group *, enum spool_state);
/* Is one of its groups being tried now? */
bool message_runs(const struct message *);

#endif

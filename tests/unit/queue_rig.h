/*
 * queue_rig.h - a world for outgoing mail on a virtual loop: a real box and a real queue, which can
 * die and come back, a front that hands messages in, and an `out` that does as the test wants.
 */
#ifndef TESTS_UNIT_QUEUE_RIG_H
#define TESTS_UNIT_QUEUE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "net/chan.h"
#include "net/loop_sim.h"
#include "net/peers.h"
#include "store/store.h"
#include "talk/spool.h"

struct box;
struct queue_serve;
struct queue_rig;
/* What becomes of one recipient at a try; domain and sender as they came. */
typedef struct spool_result rig_out(struct queue_rig *, struct bytes recipient);

struct queue_rig {
	struct loop *loop;
	struct random *random, *queue_random;
	struct store *store;
	struct peers *box_peers, *queue_peers;
	struct box *box;
	struct queue_serve *queue;
	struct chan *smtp, *box_ctl, *out, *queue_ctl;
	bool box_lives, queue_lives, out_lives, silent; /* silent: out takes, and says nothing */
	rig_out *outcome;
	void *owner;
	size_t tries, at_once, most_at_once;
	uint8_t body[4096]; /* of the last try, without what is skipped */
	size_t body_n;
	uint8_t code; /* of what was asked last */
	uint8_t ops;
	uint32_t changed;
	uint8_t listed[SPOOL_PACKED_MAX];
	size_t listed_n;
};

/* Server mx says 250, 450, 550. */
extern const struct spool_result rig_delivered, rig_deferred, rig_refused;

/*
 * a.org with the accounts alice (1) and carol (2), and an alias far@a.org to x@far.org; out takes
 * all.  The store is the caller's, also behind rig_fini().
 */
void rig_init(struct queue_rig *, struct store *, uint64_t seed);
void rig_fini(struct queue_rig *);
struct store *rig_memory(struct random *);

/* Box dies: what was handed in to the store is done, and nobody is told. */
void rig_box_kill(struct queue_rig *);
void rig_box_start(struct queue_rig *);
/* Out dies with it, and comes with it. */
void rig_queue_kill(struct queue_rig *);
void rig_queue_start(struct queue_rig *);
void rig_out_kill(struct queue_rig *);
void rig_out_start(struct queue_rig *);

/* Another role that speaks to `there`, whose peers these are; it answers nothing. */
struct chan *rig_join(struct queue_rig *, struct peers *, enum role, enum role there);
void rig_people(struct queue_rig *, enum people_change, const char *name, const char *targets);

struct rig_mail {
	const char *sender, *rcpts; /* with blanks between */
	const char *text;           /* NULL: a short one */
	bool trusted, large;
	uint8_t op; /* 0: a new one */
	struct talk_id handle;
};
/* Hands a message in as smtp does; the code of the answer, 255: there was none. */
uint8_t rig_send(struct queue_rig *, const struct rig_mail *);
/* The same for what a person changes; `changed` tells how many. */
uint8_t rig_change(struct queue_rig *, uint64_t id, enum queue_change);
/* The first message that is queued, and its first recipient; its id, or 0. */
uint64_t rig_first(struct queue_rig *, struct spool_head *, struct spool_rcpt *);

/* Messages in this account's mailboxes that hold this text (NULL: all). */
size_t rig_mail_of(struct queue_rig *, uint64_t account, const char *text);
/* Entries with this letter in all of the queue's shards. */
size_t rig_spooled(struct queue_rig *, char letter);

#endif

/*
 * peers.h - the channels of one role: to whom it speaks, by role and instance.  A peer that dies
 * comes back over a new channel; what was asked over the old one is answered to nobody.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "net/chan.h"

enum { PEERS_INSTANCES = 16 }; /* of one role */

struct peers;

struct peer {
	enum role role;
	uint8_t instance;
	uint32_t life;     /* which channel to it this is, counted over all */
	struct chan *chan; /* NULL while it is gone */
	struct peers *peers;
};

struct peers_handlers {
	void (*word)(void *owner, const struct peer *, struct chan_word *);
	void (*come)(void *owner, const struct peer *); /* may be NULL, as the next */
	/* Open asks were told ERR_GONE before. */
	void (*gone)(void *owner, const struct peer *, struct err why);
};

/* The handlers must live as long as the peers. */
struct err peers_open(struct peers **out, struct loop *, enum role me,
                      const struct peers_handlers *, void *owner) MUST_CHECK;
void peers_close(struct peers *);
/*
 * Closes all channels: open asks are told ERR_GONE, gone() is not called, and nothing reaches a peer
 * any more.  For the end, while those who asked are still there.
 */
void peers_hang_up(struct peers *);

/* A channel to this peer, in the place of an older one (which is then gone); fd is taken over. */
struct err peers_add(struct peers *, enum role, uint8_t instance, int fd) MUST_CHECK;
/* The channel to it; NULL while it is gone. */
struct chan *peers_chan(struct peers *, enum role, uint8_t instance);
/* Which channel to it this is, as in struct peer; 0 while it is gone. */
uint32_t peers_life(const struct peers *, enum role, uint8_t instance);
/* Says a word to every instance of a role that is there. */
void peers_say_all(struct peers *, enum role, struct talk_out, int fd);

/* Who asked, kept until the answer is known. */
struct asker {
	enum role role;
	uint8_t instance;
	uint32_t life, seq;
};
struct asker peers_asker(const struct peer *, const struct chan_word *);
/* False: nobody waits for it any more, or it does not fit. */
bool peers_answer(struct peers *, struct asker, struct talk_out, int fd);

#endif

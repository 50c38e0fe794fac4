/*
 * chan.h - one end of a channel between two roles.  What arrives was checked against talk.def
 * before the handler sees it: the peer may say this word to us, in this phase, its fields are whole
 * and within their limits, its descriptor is there or not as it must.  A peer that breaks the table
 * is cut off (attack 155); what it sent before stays handled.
 *
 *	chan_say(c, talk_drain_out(&(struct talk_drain){0}), -1);
 *
 *	chan_ask(c, &s->ask, talk_box_read_out(&(struct talk_box_read){.uid = 7, .length = n}), -1,
 *	    5000, read_answered, s);
 *
 *	static void
 *	read_answered(void *owner, struct err e, struct chan_word *w)
 *	{
 *		struct talk_box_read_answer a;
 *
 *		if (is_ok(e) && talk_box_read_answer_get(&w->body, &a) && a.code == 0)
 *			...
 *	}
 *
 *	static void
 *	heard(void *owner, struct chan *c, struct chan_word *w)
 *	{
 *		switch ((int)w->word) {
 *		case WORD_STATUS:
 *			chan_answer(c, w->seq, talk_status_answer_out(&a), -1);
 *
 * Only talk_NAME_out() makes what is sent, so a word never goes with another word's fields.
 * The phase: a channel with the master begins in PHASE_START and is in PHASE_RUN once the word `go`
 * went over it; all others are in PHASE_RUN.
 */
#ifndef NET_CHAN_H
#define NET_CHAN_H

#include "net/loop.h"
#include "talk/talk.h"

struct chan;

struct chan_word {
	enum word word;
	uint32_t seq; /* what chan_answer() wants; 0 for a say */
	bool answer;
	struct rd body; /* borrowed until the handler returns; talk_NAME_get() takes it whole */
	int fd;         /* closed behind the handler unless chan_take_fd() took it; -1: none */
};

/* It is the caller's now; -1 when there is none. */
static inline int
chan_take_fd(struct chan_word *w)
{
	int fd = w->fd;

	w->fd = -1;
	return fd;
}

/* Both may close the channel. */
struct chan_handlers {
	/* Never an answer: those go to who asked. */
	void (*word)(void *owner, struct chan *, struct chan_word *);
	/*
	 * Called once, when the channel has broken or was cut, from the loop: to be logged and
	 * counted.  ERR_GONE: the peer ended.  ERR_SYNTAX: it broke the table.  chan_close() is
	 * the owner's still.  Open asks were told ERR_GONE before.
	 */
	void (*gone)(void *owner, struct chan *, struct err why);
};

/* fd is taken over, also when this fails.  The handlers must live as long as the channel. */
MUST_CHECK struct err chan_open(struct chan **out, struct loop *, int fd, enum role me,
                                enum role peer, const struct chan_handlers *, void *owner);
/* Open asks are told ERR_GONE from here; words not sent yet are dropped.  NULL does nothing. */
void chan_close(struct chan *);
enum role chan_peer(const struct chan *);
enum talk_phase chan_phase(const struct chan *);
/* While paused nothing is read; the peer's words wait in the socket, then in the peer. */
void chan_pause(struct chan *, bool paused);

/*
 * Sends a word.  fd (-1: none) goes along as a copy and stays the caller's, sent or not.  False:
 * not sent, because the channel is gone, the queue to a slow peer is full, or the fields pass the
 * word's limits (then bulk goes by descriptor).  A word that we may not say is our own mistake.
 */
bool chan_say(struct chan *, struct talk_out, int fd);
/* As chan_say, only while what waits is less than half of the queue: for words that may be lost. */
bool chan_say_lossy(struct chan *, struct talk_out, int fd);
/*
 * Answers the ask `seq`; it is sent, or the channel breaks (false).  While many octets of answers
 * wait for a slow peer none of its words is heard.  Its asker may have given up: then it is dropped
 * there.
 */
bool chan_answer(struct chan *, uint32_t seq, struct talk_out, int fd);

/*
 * Called once: OK with the answer, ERR_LATER at the deadline, ERR_GONE when the channel broke.
 * w is NULL but for OK.
 */
typedef void chan_answered(void *owner, struct err, struct chan_word *w);

/* An open ask, embedded in its owner; zeroed before its first use. */
struct chan_ask {
	struct chan *chan; /* NULL: nothing is open */
	struct chan_ask *next, **link;
	struct loop_timer timer;
	chan_answered *answered;
	void *owner;
	uint32_t seq;
	enum word word;
};
/*
 * OK: answered() will come, from the loop.  Else it will not: ERR_FULL, the queue or CHAN_ASKS;
 * ERR_RANGE, the fields pass the word's limits; ERR_GONE, the channel is gone.
 */
enum { CHAN_ASKS = 4096 };
MUST_CHECK struct err chan_ask(struct chan *, struct chan_ask *, struct talk_out, int fd,
                               uint32_t deadline_ms, chan_answered *, void *owner);
/* The owner goes away: the answer will be dropped.  One that is not open is left as it is. */
void chan_ask_stop(struct chan_ask *);

/*
 * Asks and blocks this process until the answer or the deadline: for a private channel (`keys`
 * signing within a handshake).  Words that arrive meanwhile are kept for a later turn.  The
 * answer's body is borrowed until the next call on this channel; its fd is the caller's (close it).
 * ERR_LATER at the deadline, and at once as long as the answer that was missed then has not come
 * (attack 163); else as chan_ask.
 */
MUST_CHECK struct err chan_ask_now(struct chan *, struct talk_out, int fd, uint32_t deadline_ms,
                                   struct chan_word *answer);

struct chan_counts {
	uint64_t in, out;
	uint64_t dropped; /* not sent, for want of room */
	uint64_t late;    /* answers that nobody waited for any more */
	size_t waiting;   /* messages in the queue */
};
struct chan_counts chan_counts(const struct chan *);

#endif

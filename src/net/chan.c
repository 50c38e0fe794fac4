/*
 * chan.c - one end of a channel.
 *
 * Invariants:
 * 1. A word is handled only after check() has found it right by the table.
 * 2. An ask is in the table of asks from chan_ask() until just before its answered() is called, or
 *    chan_ask_stop().
 * 3. Words leave in the order in which they were said: nothing is sent past the queue.
 * 4. Words are handled in the order in which they came: what chan_ask_now() kept goes first.
 * 5. Once `dead`, nothing is read or sent; gone() follows once, from the loop.
 * 6. Once `deaf`, nothing is sent; what the peer said before it went is still read, up to its end.
 * 7. After chan_close() no handler is called; the memory stays until `busy` is 0.
 * 8. An answer is sent, or the channel breaks: its asker never waits for one that was dropped.  So
 *    while many octets of answers wait for a slow peer, no more of its words are read (attack 174).
 */
#include "net/chan.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	WORDS_A_TURN = 32,         /* then the others of this loop have their turn */
	QUEUE_WORDS = 1024,        /* that wait for a slow peer ... */
	QUEUE_BYTES = 1024 * 1024, /* ... and their octets; answers have a bound of their own: */
	ANSWER_WORDS = 4 * CHAN_ASKS,
	ANSWER_BYTES = 32 * 1024 * 1024, /* those to what was read already, whenever they come */
	PAUSE_BYTES = 512 * 1024,        /* with so many waiting, no more words are read */
	BUCKETS = 64,
};

/* A packed message that waits. */
struct waiting {
	struct waiting *next;
	int fd;
	bool answer;
	size_t n;
	uint8_t b[];
};

struct load {
	size_t words, bytes;
};

struct queue {
	struct waiting *first, **end;
	struct load says, answers; /* what waits; asks count as says */
};

struct chan {
	struct loop *loop;
	struct loop_poll *poll;
	int fd;
	enum role me, peer;
	enum talk_phase phase;
	bool paused, dead, told, closing;
	bool deaf, reset; /* reset: that the peer went with words unread was told once */
	bool waiting;     /* in chan_ask_now() */
	uint32_t owed; /* the answer that chan_ask_now() has not waited for to the end; 0: none */
	unsigned busy; /* handlers that are running: freed behind the last one */
	struct err why;
	const struct chan_handlers *handlers;
	void *owner;
	struct loop_task task;  /* tells gone(), or handles what was kept */
	struct queue out, kept; /* kept: came while chan_ask_now() waited */
	uint8_t *now_room;      /* the answer that chan_ask_now() gave last */
	struct chan_counts counts;
	uint32_t seq; /* of the last ask */
	bool wrapped; /* it began anew: every number was used once */
	size_t n_asks;
	struct chan_ask *asks[BUCKETS];
};

static void run_task(void *owner);

/* ---- queues ---- */

static bool
has_room(const struct load *l, size_t words, size_t bytes, size_t n)
{
	return l->words < words && n <= bytes && l->bytes <= bytes - n;
}

static struct load *
load_of(struct queue *q, bool answer)
{
	return answer ? &q->answers : &q->says;
}

static bool
queue_add(struct loop *l, struct queue *q, struct bytes b, int fd, bool answer)
{
	struct load *load = load_of(q, answer);
	struct waiting *w = NULL;
	int copy = -1;

	if (fd >= 0 && !is_ok(loop_dup(l, fd, &copy)))
		return false;
	w = malloc(sizeof(*w) + b.n);
	if (!w) {
		loop_close_fd(l, copy);
		return false;
	}
	*w = (struct waiting){NULL, copy, answer, b.n};
	memcpy(w->b, b.p, b.n);
	if (!q->first)
		q->end = &q->first;
	*q->end = w;
	q->end = &w->next;
	load->words++;
	load->bytes += b.n;
	return true;
}

/* The first one is the caller's; NULL. */
static struct waiting *
queue_take(struct queue *q)
{
	struct waiting *w = q->first;
	struct load *load;

	if (!w)
		return NULL;
	load = load_of(q, w->answer);
	q->first = w->next;
	load->words--;
	load->bytes -= w->n;
	return w;
}

static void
queue_drop(struct loop *l, struct queue *q)
{
	struct waiting *w;

	while ((w = queue_take(q))) {
		loop_close_fd(l, w->fd);
		free(w);
	}
}

/* May its words be read?  Not while it does not take the answers to those of before. */
static bool
hears(const struct chan *c)
{
	return !c->paused && c->out.answers.bytes <= PAUSE_BYTES;
}

static size_t
waiting_words(const struct chan *c)
{
	return c->out.says.words + c->out.answers.words;
}

static void
want(struct chan *c)
{
	unsigned events = 0;

	if (!c->dead)
		events = (hears(c) ? LOOP_READ : 0u) | (c->out.first ? LOOP_WRITE : 0u);
	loop_poll_want(c->poll, events);
}

static void
break_off(struct chan *c, struct err why)
{
	if (c->dead)
		return;
	c->dead = true;
	c->why = why;
	c->counts.dropped += waiting_words(c);
	queue_drop(c->loop, &c->out);
	queue_drop(c->loop, &c->kept);
	want(c);
	if (!c->closing)
		loop_defer(c->loop, &c->task, run_task, c);
}

/* Sending has failed. */
static void
unsendable(struct chan *c, struct err why)
{
	if (why.sys != EPIPE && why.sys != ECONNRESET) {
		break_off(c, why);
		return;
	}
	c->deaf = true;
	c->counts.dropped += waiting_words(c);
	queue_drop(c->loop, &c->out);
	want(c);
}

/* Ends what c->busy began. */
static void
unbusy(struct chan *c)
{
	if (--c->busy || !c->closing)
		return;
	free(c->now_room);
	free(c);
}

/* ---- asks ---- */

static struct chan_ask **
bucket(struct chan *c, uint32_t seq)
{
	return &c->asks[seq % BUCKETS];
}

static struct chan_ask *
find_ask(struct chan *c, uint32_t seq)
{
	struct chan_ask *a = *bucket(c, seq);

	while (a && a->seq != seq)
		a = a->next;
	return a;
}

/* Closes an ask, then tells its owner, who may ask anew with it or close the channel. */
static void
settle(struct chan_ask *a, struct err e, struct chan_word *w)
{
	chan_ask_stop(a);
	a->answered(a->owner, e, w);
}

static void
ask_late(void *owner)
{
	settle(owner, ERR(ERR_LATER, 0, "no answer before the deadline"), NULL);
}

/* Every ask that is open now; those that are asked meanwhile fail at once, for c is dead. */
static void
fail_asks(struct chan *c)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (c->asks[i])
			settle(c->asks[i], ERR(ERR_GONE, 0, "the channel is gone"), NULL);
}

/* ---- sending ---- */

static void
flush(struct chan *c)
{
	while (!c->dead && c->out.first) {
		struct waiting *w = c->out.first;
		struct err e = loop_msg_send(c->loop, c->fd, (struct bytes){w->b, w->n}, w->fd);

		if (e.code == ERR_LATER)
			break;
		if (is_fault(e)) {
			unsendable(c, e);
			return;
		}
		if (!is_ok(e) && w->answer) {
			break_off(c, e);
			return;
		}
		if (is_ok(e))
			c->counts.out++;
		else
			c->counts.dropped++; /* the kernel has no memory for it */
		queue_take(&c->out);
		loop_close_fd(c->loop, w->fd);
		free(w);
	}
	want(c);
}

/* Packs a word; its length, or 0 when the fields pass its limits. */
static size_t
pack(struct chan *c, struct talk_out out, uint32_t seq, int fd, uint8_t *room)
{
	const struct talk_row *row = talk_row((uint16_t)out.word);
	const struct talk_part *part;
	struct wr w = wr_of(room, TALK_MAX);

	assert(row);
	part = out.answer ? &row->answer : &row->said;
	if (out.answer)
		assert(row->ask && talk_allowed(row, c->peer, c->me, PHASE_ANY));
	else
		assert(row->ask == (seq != 0) && talk_allowed(row, c->me, c->peer, c->phase));
	assert(fd >= 0 ? part->fd : !part->fd || part->fd_optional);
	talk_put_head(&w, &(struct talk_head){row->number, out.answer, seq});
	part->put(&w, out.fields);
	return w.full ? 0 : wr_since(&w, room).n;
}

/* OK: sent, or in the queue; `most` words may be in it before, where it is no answer. */
static struct err
send_packed(struct chan *c, struct bytes b, int fd, bool answer, size_t most)
{
	struct err e = {ERR_LATER, 0, ""};
	bool room = answer ? has_room(&c->out.answers, ANSWER_WORDS, ANSWER_BYTES, b.n)
	                   : has_room(&c->out.says, most, most * 1024, b.n);

	if (!c->out.first)
		e = loop_msg_send(c->loop, c->fd, b, fd);
	if (is_ok(e)) {
		c->counts.out++;
		return OK;
	}
	if (is_fault(e)) {
		unsendable(c, e);
		return ERR(ERR_GONE, e.sys, "the channel is gone");
	}
	if (e.code == ERR_LATER && room && queue_add(c->loop, &c->out, b, fd, answer)) {
		want(c);
		return OK;
	}
	c->counts.dropped++;
	if (answer)
		break_off(c, ERR(ERR_FULL, 0, "a peer that takes no answers"));
	return ERR(ERR_FULL, 0, "the queue to a slow peer");
}

static struct err
send_word(struct chan *c, struct talk_out out, uint32_t seq, int fd, size_t most)
{
	uint8_t *room;
	struct err e;
	size_t n;

	if (c->dead || c->deaf)
		return ERR(ERR_GONE, 0, "the channel is gone");
	room = loop_lend(c->loop);
	if (!room)
		return ERR(ERR_FULL, 0, "memory for a word");
	n = pack(c, out, seq, fd, room);
	if (n)
		e = send_packed(c, (struct bytes){room, n}, fd, out.answer, most);
	else
		e = ERR(ERR_RANGE, 0, "a word's fields pass its limits");
	loop_give_back(c->loop, room);
	if (is_ok(e) && out.word == WORD_GO)
		c->phase = PHASE_RUN;
	return e;
}

/* ---- receiving ---- */

/* Is this message right by the table?  Then *w is made of it. */
static bool
check(struct chan *c, struct bytes message, int fd, struct chan_word *w)
{
	struct rd r = rd_of(message), body;
	const struct talk_row *row;
	const struct talk_part *part;
	struct talk_head head;
	union talk_any any;
	bool right;

	if (!talk_get_head(&r, &head) || !(row = talk_row(head.word)))
		return false;
	part = head.answer ? &row->answer : &row->said;
	if (head.answer)
		right = row->ask && head.seq && (c->wrapped || head.seq <= c->seq) &&
		        talk_allowed(row, c->me, c->peer, PHASE_ANY);
	else
		right = row->ask == (head.seq != 0) && talk_allowed(row, c->peer, c->me, c->phase);
	right = right && (fd >= 0 ? part->fd : !part->fd || part->fd_optional);
	body = r;
	if (!right || rd_left(&r) > part->max || !part->get(&body, &any))
		return false;
	*w = (struct chan_word){(enum word)head.word, head.seq, head.answer, r, fd};
	return true;
}

/* Handles one message; fd is taken over. */
static void
handle(struct chan *c, struct bytes message, int fd)
{
	struct chan_word w;
	struct chan_ask *a;

	if (!check(c, message, fd, &w)) {
		loop_close_fd(c->loop, fd);
		break_off(c, ERR(ERR_SYNTAX, 0, "the peer broke the table of words"));
		return;
	}
	c->counts.in++;
	if (w.answer && w.seq == c->owed)
		c->owed = 0;
	if (!w.answer) {
		if (w.word == WORD_GO)
			c->phase = PHASE_RUN;
		c->handlers->word(c->owner, c, &w);
	} else if ((a = find_ask(c, w.seq)) && a->word != w.word) {
		break_off(c, ERR(ERR_SYNTAX, 0, "the answer to another word"));
	} else if (a) {
		settle(a, OK, &w);
	} else {
		c->counts.late++;
	}
	loop_close_fd(c->loop, w.fd);
}

/* Handles the next message that was kept; false when there is none. */
static bool
handle_kept(struct chan *c)
{
	struct waiting *w = queue_take(&c->kept);

	if (!w)
		return false;
	handle(c, (struct bytes){w->b, w->n}, w->fd);
	free(w);
	return true;
}

/* Reads a message into room; false when there is none. */
static bool
read_message(struct chan *c, uint8_t *room, size_t *n, int *fd)
{
	struct err e = loop_msg_recv(c->loop, c->fd, room, TALK_MAX, n, fd);

	if (e.sys == ECONNRESET && !c->reset) {
		c->reset = true; /* Linux tells this before the words that the peer left */
		e = loop_msg_recv(c->loop, c->fd, room, TALK_MAX, n, fd);
	}
	if (e.code == ERR_LATER)
		return false;
	if (is_ok(e) && *n > 0)
		return true;
	loop_close_fd(c->loop, *fd); /* an empty message with one */
	break_off(c, is_ok(e) || e.sys == ECONNRESET
	                 ? ERR(ERR_GONE, 0, "the peer ended the channel")
	                 : e);
	return false;
}

static void
read_words(struct chan *c)
{
	struct loop *l = c->loop;
	uint8_t *room = loop_lend(l);
	size_t n;
	int fd;

	if (!room) {
		break_off(c, ERR(ERR_MEMORY, 0, "room for a word"));
		return;
	}
	for (int i = 0; i < WORDS_A_TURN && !c->dead && hears(c); i++) {
		if (handle_kept(c))
			continue;
		if (!read_message(c, room, &n, &fd))
			break;
		handle(c, (struct bytes){room, n}, fd);
	}
	loop_give_back(l, room);
}

static void
polled(void *owner, unsigned events)
{
	struct chan *c = owner;

	c->busy++;
	if (events & LOOP_WRITE)
		flush(c);
	if (events & LOOP_READ && !c->dead)
		read_words(c);
	unbusy(c);
}

/* What could not be done where it came up: tells gone(), or handles what was kept. */
static void
run_task(void *owner)
{
	struct chan *c = owner;

	if (c->waiting)
		return;
	c->busy++;
	while (!c->dead && !c->paused && handle_kept(c))
		;
	if (c->dead && !c->told) {
		c->told = true;
		fail_asks(c);
		if (!c->closing)
			c->handlers->gone(c->owner, c, c->why);
	}
	unbusy(c);
}

/* ---- asking and waiting ---- */

/*
 * Reads until the answer `seq` is there, in c->now_room; what else comes is kept.  False when there
 * is nothing more to read now.
 */
static bool
read_answer(struct chan *c, uint32_t seq, struct chan_word *answer, bool *found)
{
	struct bytes message;
	struct talk_head head;
	struct rd r;
	size_t n;
	int fd;

	if (!read_message(c, c->now_room, &n, &fd))
		return false;
	message = (struct bytes){c->now_room, n};
	r = rd_of(message);
	if (talk_get_head(&r, &head) && head.answer && head.seq == seq) {
		*found = check(c, message, fd, answer);
		if (!*found)
			break_off(c, ERR(ERR_SYNTAX, 0, "the peer broke the table of words"));
		c->counts.in += *found;
	} else {
		if (!has_room(&c->kept.says, QUEUE_WORDS, QUEUE_BYTES, n) ||
		    !queue_add(c->loop, &c->kept, message, fd, false))
			break_off(c, ERR(ERR_FULL, 0, "too many words while an answer was due"));
	}
	if (!*found)
		loop_close_fd(c->loop, fd);
	return true;
}

static struct err
wait_answer(struct chan *c, enum word word, uint32_t seq, uint64_t left_ms,
            struct chan_word *answer)
{
	bool found = false;

	while (!c->dead) {
		flush(c);
		loop_poll_want(c->poll, 0); /* in a simulation others run while this one blocks */
		while (!found && !c->dead && read_answer(c, seq, answer, &found))
			;
		if (found && answer->word != word) {
			loop_close_fd(c->loop, chan_take_fd(answer));
			break_off(c, ERR(ERR_SYNTAX, 0, "the answer to another word"));
			break;
		}
		if (found)
			return OK;
		if (!c->dead && !loop_wait(c->loop, c->fd,
		                           LOOP_READ | (c->out.first ? LOOP_WRITE : 0u), &left_ms))
			return ERR(ERR_LATER, 0, "no answer before the deadline");
	}
	return ERR(ERR_GONE, 0, "the channel is gone");
}

static uint32_t
next_seq(struct chan *c)
{
	do {
		c->wrapped |= ++c->seq == 0;
	} while (c->seq == 0 || find_ask(c, c->seq));
	return c->seq;
}

/* ---- public ---- */

struct err
chan_open(struct chan **out, struct loop *l, int fd, enum role me, enum role peer,
          const struct chan_handlers *handlers, void *owner)
{
	struct chan *c = calloc(1, sizeof(*c));
	struct err e;

	if (!c) {
		loop_close_fd(l, fd);
		return ERR(ERR_MEMORY, 0, "a channel");
	}
	c->loop = l;
	c->fd = fd;
	c->me = me;
	c->peer = peer;
	c->phase = me == ROLE_MASTER || peer == ROLE_MASTER ? PHASE_START : PHASE_RUN;
	c->handlers = handlers;
	c->owner = owner;
	e = loop_poll_open(&c->poll, l, fd, polled, c);
	if (!is_ok(e)) {
		chan_close(c);
		return e;
	}
	want(c);
	*out = c;
	return OK;
}

void
chan_close(struct chan *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	c->busy++;
	if (c->poll)
		break_off(c, ERR(ERR_GONE, 0, "closed"));
	fail_asks(c);
	loop_defer_stop(c->loop, &c->task);
	loop_poll_close(c->poll);
	loop_close_fd(c->loop, c->fd);
	unbusy(c);
}

enum role
chan_peer(const struct chan *c)
{
	return c->peer;
}

enum talk_phase
chan_phase(const struct chan *c)
{
	return c->phase;
}

void
chan_pause(struct chan *c, bool paused)
{
	c->paused = paused;
	if (!paused && c->kept.first)
		loop_defer(c->loop, &c->task, run_task, c);
	want(c);
}

bool
chan_say(struct chan *c, struct talk_out out, int fd)
{
	assert(!out.answer);
	return is_ok(send_word(c, out, 0, fd, QUEUE_WORDS));
}

bool
chan_say_lossy(struct chan *c, struct talk_out out, int fd)
{
	assert(!out.answer);
	return is_ok(send_word(c, out, 0, fd, QUEUE_WORDS / 2));
}

bool
chan_answer(struct chan *c, uint32_t seq, struct talk_out out, int fd)
{
	assert(out.answer && seq);
	return is_ok(send_word(c, out, seq, fd, QUEUE_WORDS));
}

struct err
chan_ask(struct chan *c, struct chan_ask *a, struct talk_out out, int fd, uint32_t deadline_ms,
         chan_answered *answered, void *owner)
{
	uint32_t seq;
	struct err e;

	assert(!a->chan && deadline_ms);
	if (c->n_asks >= CHAN_ASKS)
		return ERR(ERR_FULL, 0, "asks that wait for an answer");
	seq = next_seq(c);
	e = send_word(c, out, seq, fd, QUEUE_WORDS);
	if (!is_ok(e))
		return e;
	a->chan = c;
	a->seq = seq;
	a->word = out.word;
	a->answered = answered;
	a->owner = owner;
	a->link = bucket(c, seq);
	a->next = *a->link;
	if (a->next)
		a->next->link = &a->next;
	*a->link = a;
	c->n_asks++;
	loop_timer_set(c->loop, &a->timer, deadline_ms, ask_late, a);
	return OK;
}

void
chan_ask_stop(struct chan_ask *a)
{
	if (!a->chan)
		return;
	*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	a->chan->n_asks--;
	loop_timer_stop(a->chan->loop, &a->timer);
	a->chan = NULL;
}

struct err
chan_ask_now(struct chan *c, struct talk_out out, int fd, uint32_t deadline_ms,
             struct chan_word *answer)
{
	uint32_t seq;
	struct err e;

	assert(deadline_ms && !c->waiting);
	if (c->owed) /* who has let us wait once does not stop us again and again (attack 163) */
		return ERR(ERR_LATER, 0, "the answer before this one is still due");
	if (!c->now_room)
		c->now_room = malloc(TALK_MAX);
	if (!c->now_room)
		return ERR(ERR_FULL, 0, "room for an answer");
	seq = next_seq(c);
	e = send_word(c, out, seq, fd, QUEUE_WORDS);
	if (!is_ok(e))
		return e;
	c->waiting = true;
	e = wait_answer(c, out.word, seq, deadline_ms, answer);
	c->waiting = false;
	if (e.code == ERR_LATER)
		c->owed = seq;
	if (c->kept.first || (c->dead && !c->told))
		loop_defer(c->loop, &c->task, run_task, c);
	want(c);
	return e;
}

struct chan_counts
chan_counts(const struct chan *c)
{
	struct chan_counts counts = c->counts;

	counts.waiting = waiting_words(c);
	return counts;
}

/*
 * spool.c - a queued message is handed in with its recipients as one submit.  Its id names its
 * partition in the lowest bits, so that whoever has the id needs no search.
 */
#include "box/spool.h"

#include "box/spool_reader.h"
#include "box/spool_rows.h"
#include "talk/report.h"

#include <assert.h>
#include <stdlib.h>

enum { ID_SHIFT = 20 }; /* an id is milliseconds since 1970 with these bits behind them */

struct spool {
	struct loop *loop;
	struct peers *peers;
	struct store *store;
	struct spool_reader *reader;
	uint64_t last_id;
	struct settling *settling;
	bool missed; /* news did not go out: queue is to look by itself */
	uint64_t queued, settled;
};

/* A new id of this partition. */
static uint64_t
id_new(struct spool *s, unsigned of)
{
	uint64_t id = (loop_wall_ns(s->loop) / 1000000) << ID_SHIFT;

	if (id <= s->last_id)
		id = s->last_id + 1;
	id += (of - id) % SPOOL_PARTITIONS;
	s->last_id = id;
	return id;
}

/* ---- adding ---- */

struct part {
	struct adding *adding;
	struct part *next;
	struct spool_head head;
	const struct bytes *rcpts;
	uint16_t n;
	struct store_change *changes;
};

struct adding {
	struct spool *spool;
	spool_done *done;
	void *owner;
	size_t waiting;
	struct err err; /* the first that was not OK; a fault before an answer */
	struct part *first;
	struct arena arena;
};

static struct spool_rcpt
fresh_rcpt(const struct part *p, uint16_t i)
{
	return (struct spool_rcpt){.number = i,
	                           .state = SPOOL_WAITING,
	                           .next_s = p->head.created_s,
	                           .address = p->rcpts[i]};
}

static void
tell(struct spool *s, const struct part *p)
{
	struct chan *queue = peers_chan(s->peers, ROLE_QUEUE, 0);
	uint8_t *room = queue ? loop_lend(s->loop) : NULL;
	struct wr w = wr_of(room, room ? SPOOL_PACKED_MAX : 0);
	struct talk_queue_news word = {.rows = NO_BYTES};

	if (!queue)
		return; /* it loads everything when it is back */
	spool_head_put(&w, &p->head, p->n);
	for (uint16_t i = 0; i < p->n; i++) {
		const struct spool_rcpt r = fresh_rcpt(p, i);

		spool_rcpt_put(&w, &r);
	}
	if (room && !w.full && !s->missed)
		word.rows = wr_since(&w, room);
	s->missed = !chan_say(queue, talk_queue_news_out(&word), -1);
	loop_give_back(s->loop, room);
}

static void
part_settled(struct adding *a, struct err e)
{
	if (is_ok(a->err) || (is_fault(e) && !is_fault(a->err)))
		a->err = e;
	if (--a->waiting)
		return;
	a->done(a->owner, a->err);
	arena_free(&a->arena);
	free(a);
}

static void
part_done(void *owner, struct err e, uint64_t version)
{
	struct part *p = owner;

	(void)version;
	if (is_ok(e)) {
		p->adding->spool->queued++;
		tell(p->adding->spool, p);
	}
	part_settled(p->adding, e.code == ERR_SEEN ? OK : e);
}

/* How many recipients go into the next queued message: they must fit into one page, always. */
static uint16_t
part_size(const struct bytes *rcpts, size_t n)
{
	size_t octets = SPOOL_HEAD_FIXED + SPOOL_SENDER_MAX;
	uint16_t i = 0;

	while (i < n && i < SPOOL_RCPTS_MAX) {
		octets += SPOOL_RCPT_FIXED + 2 * SPOOL_RCPT_KEPT + rcpts[i].n;
		if (octets > SPOOL_PACKED_MAX && i)
			break;
		i++;
	}
	return i;
}

static struct err
part_fill(struct part *p, struct blob_id blob, struct arena *arena)
{
	size_t n = SPOOL_HEAD_FIXED + 1 + p->head.sender.n + SPOOL_HEAD_KEY + 8, at = 0;
	uint8_t *room, *start;
	struct wr w;

	for (uint16_t i = 0; i < p->n; i++)
		n += SPOOL_RCPT_FIXED + 1 + p->rcpts[i].n + SPOOL_RCPT_KEY;
	p->changes = arena_alloc(arena, (p->n + 2u) * sizeof(*p->changes));
	room = arena_alloc(arena, n);
	if (!p->changes || !room)
		return ERR(ERR_MEMORY, 0, "queued message");
	p->changes[at].key = spool_head_key(room, p->head.id);
	w = wr_of(room + SPOOL_HEAD_KEY, n - SPOOL_HEAD_KEY);
	start = w.p;
	spool_head_write(&w, &p->head);
	p->changes[at].value = wr_since(&w, start);
	p->changes[at++].blob = blob;
	start = w.p;
	wr_u64(&w, p->head.id);
	p->changes[at].key = BYTES("n");
	p->changes[at++].value = wr_since(&w, start);
	for (uint16_t i = 0; i < p->n; i++) {
		const struct spool_rcpt r = fresh_rcpt(p, i);

		p->changes[at].key = spool_rcpt_key(wr_take(&w, SPOOL_RCPT_KEY), p->head.id, i);
		start = w.p;
		spool_rcpt_write(&w, &r);
		p->changes[at++].value = wr_since(&w, start);
	}
	assert(!w.full && at == p->n + 2u);
	return OK;
}

/* The parts of a message lie in one partition, and each has an operation id of its own there. */
static struct op_id
part_op(struct op_id op, uint32_t part)
{
	for (int i = 0; i < 4; i++)
		op.id[8 + i] ^= (uint8_t)(part >> (8 * i));
	return op;
}

static struct err
add_parts(struct adding *a, const struct spool_message *m)
{
	struct part **end = &a->first;
	struct err e = OK;
	size_t at = 0;

	while (is_ok(e) && at < m->n) {
		struct part *p = arena_alloc(&a->arena, sizeof(*p));

		if (!p)
			return ERR(ERR_MEMORY, 0, "queued message");
		p->adding = a;
		p->rcpts = m->rcpts + at;
		p->n = part_size(p->rcpts, m->n - at);
		p->head = (struct spool_head){
		    .id = id_new(a->spool, m->op.id[0] % SPOOL_PARTITIONS),
		    .created_s = loop_wall_ns(a->spool->loop) / 1000000000,
		    .size = m->size,
		    .header = m->header,
		    .skip = m->skip,
		    .flags = m->sender.n ? 0 : SPOOL_BOUNCE,
		    .sender = m->sender,
		};
		e = part_fill(p, m->blob, &a->arena);
		at += p->n;
		*end = p;
		end = &p->next;
	}
	return e;
}

void
spool_add(struct spool *s, const struct spool_message *m, spool_done *done, void *owner)
{
	struct adding *a = calloc(1, sizeof(*a));
	uint32_t number = 0;
	struct err e;

	assert(m->n);
	if (!a) {
		done(owner, ERR(ERR_MEMORY, 0, "queued message"));
		return;
	}
	*a = (struct adding){.spool = s, .done = done, .owner = owner, .waiting = 1};
	e = add_parts(a, m);
	for (struct part *p = a->first; is_ok(e) && p; p = p->next) {
		a->waiting++;
		store_submit(s->store, spool_partition(p->head.id), STORE_ANY,
		             part_op(m->op, number++), p->changes, p->n + 2u, part_done, p);
	}
	part_settled(a, e);
}

/* ---- settling ---- */

/* The settles of one message follow each other: the last one must see what the others left. */
struct settling {
	struct spool *spool;
	struct settling *next; /* all that are under way, in the order of their coming */
	struct asker asker;
	struct op_id op;
	uint64_t id;
	uint32_t flags;
	bool submitted;
	struct bytes rows;
	struct arena arena; /* holds the rows and the changes */
};

static void settle_next(struct spool *s, uint64_t id);

static void
settled(void *owner, struct err e, uint64_t version)
{
	struct settling *t = owner;
	struct spool *s = t->spool;
	const struct talk_queue_settle_answer answer = {.code =
	                                                    e.code == ERR_SEEN ? 0 : talk_code(e)};
	struct settling **link = &s->settling;
	uint64_t id = t->id;

	(void)version;
	if (e.code == ERR_CORRUPT)
		spool_damaged(id, e);
	s->settled += is_ok(e);
	peers_answer(s->peers, t->asker, talk_queue_settle_answer_out(&answer), -1);
	while (*link != t)
		link = &(*link)->next;
	*link = t->next;
	arena_free(&t->arena);
	free(t);
	settle_next(s, id);
}

/* Writes the change of one recipient; *gone counts those that are there and leave. */
static struct err
settle_rcpt(struct settling *t, const struct spool_rcpt *r, const struct store_page *page,
            struct store_change *c, size_t *gone)
{
	uint8_t *key = arena_alloc(&t->arena, SPOOL_RCPT_KEY), *value;
	size_t n = 1 + SPOOL_RCPT_FIXED + r->address.n + r->server.n + r->reply.n;
	bool there = false;
	struct wr w;

	value = arena_alloc(&t->arena, n);
	if (!key || !value)
		return ERR(ERR_MEMORY, 0, "settle");
	c->key = spool_rcpt_key(key, t->id, r->number);
	for (size_t i = 0; i < page->n && !there; i++)
		there = bytes_eq(page->entries[i].key, c->key);
	if (r->state == SPOOL_DONE || !there) { /* one that has left does not come back */
		c->kind = STORE_DELETE;
		*gone += there;
		return OK;
	}
	w = wr_of(value, n);
	spool_rcpt_write(&w, r);
	c->kind = STORE_PUT;
	c->value = wr_since(&w, value);
	return spool_rcpt_read(c->key, c->value, &(struct spool_rcpt){0})
	           ? OK
	           : ERR(ERR_SYNTAX, 0, "a recipient's row that queue made");
}

static struct err
settle_head(struct settling *t, struct store_entry *head, bool all_gone, struct store_change *c)
{
	uint8_t *key = arena_alloc(&t->arena, SPOOL_HEAD_KEY);
	uint8_t *value = arena_alloc(&t->arena, SPOOL_HEAD_ROW);
	struct spool_head h;
	struct wr w;

	if (!key || !value)
		return ERR(ERR_MEMORY, 0, "settle");
	if (!spool_head_read(head->value, t->id, &h))
		return ERR(ERR_CORRUPT, 0, "the head of a queued message");
	h.flags = (h.flags & SPOOL_BOUNCE) | (t->flags & ~(uint32_t)SPOOL_BOUNCE);
	w = wr_of(value, SPOOL_HEAD_ROW);
	spool_head_write(&w, &h);
	*c = (struct store_change){all_gone ? STORE_DELETE : STORE_PUT, spool_head_key(key, t->id),
	                           all_gone ? NO_BYTES : wr_since(&w, value),
	                           all_gone ? BLOB_NONE : head->blob};
	return OK;
}

static void
settle(struct settling *t)
{
	struct spool *s = t->spool;
	struct store_change *changes =
	    arena_alloc(&t->arena, (SPOOL_RCPTS_MAX + 1) * sizeof(*changes));
	struct rd r = rd_of(t->rows);
	struct store_page page = {0};
	struct store_entry head;
	struct spool_rcpt row;
	uint8_t key[SPOOL_HEAD_KEY];
	size_t n = 0, gone = 0;
	struct err e = changes ? OK : ERR(ERR_MEMORY, 0, "settle");

	t->submitted = true;
	if (is_ok(e))
		e = store_get(s->store, spool_partition(t->id), spool_head_key(key, t->id), &head,
		              &t->arena);
	if (is_ok(e))
		e = spool_recipients(s->store, t->id, &page, &t->arena);
	while (is_ok(e) && n < SPOOL_RCPTS_MAX && spool_rcpt_get(&r, &row))
		e = settle_rcpt(t, &row, &page, &changes[n++], &gone);
	if (is_ok(e) && (r.bad || rd_left(&r)))
		e = ERR(ERR_SYNTAX, 0, "rows that queue made");
	if (is_ok(e))
		e = settle_head(t, &head, gone == page.n, &changes[n++]);
	if (is_ok(e))
		store_submit(s->store, spool_partition(t->id), STORE_ANY, t->op, changes, n,
		             settled, t);
	else
		settled(t, e, 0);
}

static void
settle_next(struct spool *s, uint64_t id)
{
	for (struct settling *t = s->settling; t; t = t->next)
		if (t->id == id) {
			if (!t->submitted)
				settle(t);
			return;
		}
}

static void
on_settle(struct spool *s, const struct peer *p, struct chan_word *w)
{
	const struct talk_queue_settle_answer later = {.code = ERR_LATER};
	struct settling *t = calloc(1, sizeof(*t)), **end = &s->settling;
	struct talk_queue_settle word;

	if (!talk_queue_settle_get(&w->body, &word)) {
		free(t);
		return;
	}
	if (t)
		t->rows = arena_copy(&t->arena, word.rows);
	if (!t || (word.rows.n && !t->rows.p)) {
		chan_answer(p->chan, w->seq, talk_queue_settle_answer_out(&later), -1);
		free(t);
		return;
	}
	t->spool = s;
	t->asker = peers_asker(p, w);
	memcpy(t->op.id, word.op.b, sizeof(t->op.id));
	t->id = word.id;
	t->flags = word.flags;
	while (*end)
		end = &(*end)->next;
	*end = t;
	settle_next(s, t->id);
}

/* ---- public ---- */

void
spool_word(struct spool *s, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_QUEUE_LOAD:
		spool_reader_load(s->reader, p, w);
		break;
	case WORD_QUEUE_BODY:
		spool_reader_body(s->reader, p, w);
		break;
	case WORD_QUEUE_SETTLE:
		on_settle(s, p, w);
		break;
	default:
		break;
	}
}

void
spool_status(const struct spool *s, struct wr *counters)
{
	report_put_counter(counters, "queued", s->queued);
	report_put_counter(counters, "settled", s->settled);
}

/* The highest id that any partition has given out. */
static struct err
last_id(struct spool *s)
{
	struct err e = OK;

	for (unsigned i = 0; is_ok(e) && i < SPOOL_PARTITIONS; i++) {
		struct arena arena = arena_init(0);
		struct store_entry entry;

		e = store_get(s->store, shard_number(SHARD_QUEUE, i), BYTES("n"), &entry, &arena);
		if (is_ok(e)) {
			struct rd r = rd_of(entry.value);
			uint64_t id = rd_u64(&r);

			s->last_id = id > s->last_id ? id : s->last_id;
		} else if (e.code == ERR_CORRUPT) {
			spool_damaged(i, e);
			e = OK;
		} else if (e.code == ERR_NOTFOUND) {
			e = OK;
		}
		arena_free(&arena);
	}
	return e;
}

struct err
spool_open(struct spool **out, struct loop *loop, struct peers *peers, struct store *store)
{
	struct spool *s = calloc(1, sizeof(*s));
	struct err e;

	if (!s)
		return ERR(ERR_MEMORY, 0, "spool");
	*s = (struct spool){.loop = loop, .peers = peers, .store = store};
	s->reader = spool_reader_new(loop, peers, store);
	e = s->reader ? last_id(s) : ERR(ERR_MEMORY, 0, "spool");
	if (is_ok(e))
		*out = s;
	else
		spool_close(s);
	return e;
}

void
spool_close(struct spool *s)
{
	struct settling *next;

	if (!s)
		return;
	spool_reader_free(s->reader);
	for (struct settling *t = s->settling; t; t = next) {
		next = t->next;
		arena_free(&t->arena);
		free(t);
	}
	free(s);
}

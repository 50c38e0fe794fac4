/*
 * spool_reader.c - a page merges what the partitions hold, in the order of the ids; a large body is
 * read a slice a turn.
 */
#include "box/spool_reader.h"

#include "box/spool.h"
#include "box/spool_rows.h"
#include "net/snap.h"

#include <stdlib.h>
#include <unistd.h>

enum {
	HEADS_READ = 64,     /* of each partition, for one page */
	BODY_INLINE = 28672, /* talk.def: queue_body */
	SLICE = 1024 * 1024, /* of a body that is read in one turn */
};

struct spool_reader {
	struct loop *loop;
	struct peers *peers;
	struct store *store;
	struct reading *reading;
};

/* ---- loading ---- */

struct walk {
	uint64_t ids[SPOOL_PARTITIONS][HEADS_READ];
	size_t n[SPOOL_PARTITIONS], at[SPOOL_PARTITIONS];
	bool more[SPOOL_PARTITIONS];
};

/* The ids of a partition behind `after`, as far as one look goes. */
static void
walk_partition(struct spool_reader *s, struct walk *w, unsigned of, uint64_t after)
{
	uint8_t from[SPOOL_HEAD_KEY], to = 'q' + 1;
	struct arena arena = arena_init(0);
	struct store_page page = {0};
	struct err e;

	e = store_range(s->store, shard_number(SHARD_QUEUE, of), STORE_ANY,
	                spool_head_key(from, after + 1), (struct bytes){&to, 1}, HEADS_READ, &page,
	                &arena);
	if (!is_ok(e)) { /* this partition rests; the others flow */
		spool_damaged(of, e);
		page = (struct store_page){0};
	}
	w->more[of] = page.more;
	for (size_t i = 0; i < page.n; i++) {
		struct rd k = rd_of(page.entries[i].key);

		rd_u8(&k);
		w->ids[of][w->n[of]++] = rd_u64(&k);
	}
	arena_free(&arena);
}

/* The partition whose next id is the lowest; SPOOL_PARTITIONS where none is known for sure. */
static unsigned
walk_lowest(const struct walk *w)
{
	unsigned lowest = SPOOL_PARTITIONS;
	uint64_t id = UINT64_MAX;

	for (unsigned i = 0; i < SPOOL_PARTITIONS; i++) {
		if (w->at[i] == w->n[i] && w->more[i])
			return SPOOL_PARTITIONS; /* what comes behind its last may be lower */
		if (w->at[i] < w->n[i] && w->ids[i][w->at[i]] < id) {
			id = w->ids[i][w->at[i]];
			lowest = i;
		}
	}
	return lowest;
}

/* One message as it is packed; ERR_FULL: it does not fit any more. */
static struct err
put_message(struct spool_reader *s, uint64_t id, struct wr *w)
{
	struct arena arena = arena_init(0);
	uint8_t key[SPOOL_HEAD_KEY];
	struct store_page page = {0};
	struct store_entry head;
	struct spool_head h;
	struct wr mine = *w;
	struct err e;

	e = store_get(s->store, spool_partition(id), spool_head_key(key, id), &head, &arena);
	if (is_ok(e) && !spool_head_read(head.value, id, &h))
		e = ERR(ERR_CORRUPT, 0, "the head of a queued message");
	if (is_ok(e))
		e = spool_recipients(s->store, id, &page, &arena);
	if (is_ok(e) && (!page.n || page.n > SPOOL_RCPTS_MAX))
		e = ERR(ERR_CORRUPT, 0, "the number of a queued message's recipients");
	if (is_ok(e))
		spool_head_put(&mine, &h, (uint16_t)page.n);
	for (size_t i = 0; is_ok(e) && i < page.n; i++) {
		struct spool_rcpt r;

		if (spool_rcpt_read(page.entries[i].key, page.entries[i].value, &r))
			spool_rcpt_put(&mine, &r);
		else
			e = ERR(ERR_CORRUPT, 0, "a recipient of a queued message");
	}
	if (is_ok(e) && mine.full)
		e = ERR(ERR_FULL, 0, "page");
	if (is_ok(e))
		*w = mine;
	arena_free(&arena);
	return e;
}

/* One look at all partitions; *after moves to the last id that was seen.  Is there more behind it? */
static bool
load_some(struct spool_reader *s, struct walk *w, uint64_t *after, struct wr *rows)
{
	const uint8_t *start = rows->p;
	bool more = false;
	unsigned of;

	*w = (struct walk){.n = {0}};
	for (unsigned i = 0; i < SPOOL_PARTITIONS; i++) {
		walk_partition(s, w, i, *after);
		more |= w->more[i];
	}
	while ((of = walk_lowest(w)) < SPOOL_PARTITIONS) {
		uint64_t id = w->ids[of][w->at[of]];
		struct err e = put_message(s, id, rows);

		if (e.code == ERR_FULL && rows->p != start)
			return true;
		if (!is_ok(e) && e.code != ERR_NOTFOUND)
			spool_damaged(id, e);
		w->at[of]++;
		*after = id;
	}
	return more;
}

static bool
load(struct spool_reader *s, uint64_t after, struct wr *rows)
{
	struct walk *w = malloc(sizeof(*w));
	const uint8_t *start = rows->p;
	uint64_t before = after;
	bool more = w != NULL;

	while (more && rows->p == start) { /* past what is damaged, however much that is */
		before = after;
		more = load_some(s, w, &after, rows) && after > before;
	}
	free(w);
	return more;
}

void
spool_reader_load(struct spool_reader *s, const struct peer *p, struct chan_word *w)
{
	uint8_t *room = loop_lend(s->loop);
	struct wr rows = wr_of(room, room ? SPOOL_PACKED_MAX : 0);
	struct talk_queue_load_answer answer = {.code = room ? 0 : ERR_LATER};
	struct talk_queue_load t;

	if (room && talk_queue_load_get(&w->body, &t))
		answer.more = load(s, t.after, &rows);
	answer.rows = wr_since(&rows, room);
	chan_answer(p->chan, w->seq, talk_queue_load_answer_out(&answer), -1);
	loop_give_back(s->loop, room);
}

/* ---- bodies ---- */

/* A large body on its way into sealed memory, a slice a turn. */
struct reading {
	struct spool_reader *reader;
	struct reading *next, **link;
	struct asker asker;
	struct blob_id blob;
	uint64_t id;
	size_t at;
	struct snap_draft draft;
	struct loop_task task;
};

static void
answer_body(struct spool_reader *s, struct asker to, uint64_t id, struct err e, struct bytes body,
            int fd)
{
	struct talk_queue_body_answer answer = {.code = talk_code(e), .body = body};

	if (e.code == ERR_CORRUPT || e.code == ERR_RANGE) {
		spool_damaged(id, e);
		answer.code = ERR_DENIED;
	}
	peers_answer(s->peers, to, talk_queue_body_answer_out(&answer), fd);
}

static void
reading_free(struct reading *r)
{
	loop_defer_stop(r->reader->loop, &r->task);
	snap_drop(&r->draft);
	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	free(r);
}

static void
read_slice(void *owner)
{
	struct reading *r = owner;
	struct spool_reader *s = r->reader;
	size_t left = r->draft.n - r->at, n = left < SLICE ? left : SLICE, got = 0;
	struct err e = store_blob_read(s->store, r->blob, r->at, r->draft.p + r->at, n, &got);
	int fd = -1;

	if (is_ok(e) && got < n)
		e = ERR(ERR_CORRUPT, 0, "a queued message's body ends early");
	r->at += got;
	if (is_ok(e) && r->at < r->draft.n) {
		loop_defer(s->loop, &r->task, read_slice, r);
		return;
	}
	if (is_ok(e))
		e = snap_seal(&r->draft, r->draft.n, &fd);
	answer_body(s, r->asker, r->id, e, NO_BYTES, fd);
	if (fd >= 0)
		close(fd);
	reading_free(r);
}

static void
read_large(struct spool_reader *s, struct asker to, uint64_t id, struct blob_id blob, uint64_t size)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct err e = r ? OK : ERR(ERR_MEMORY, 0, "queued body");

	if (is_ok(e))
		e = snap_make(&r->draft, "queued", (size_t)size);
	if (!is_ok(e)) {
		free(r);
		answer_body(s, to, id, e, NO_BYTES, -1);
		return;
	}
	r->reader = s;
	r->asker = to;
	r->id = id;
	r->blob = blob;
	r->next = s->reading;
	r->link = &s->reading;
	if (r->next)
		r->next->link = &r->next;
	s->reading = r;
	loop_defer(s->loop, &r->task, read_slice, r);
}

static struct err
read_small(struct spool_reader *s, struct blob_id blob, uint64_t size, struct wr *w)
{
	uint8_t *p = wr_take(w, (size_t)size);
	size_t got = 0;
	struct err e = store_blob_read(s->store, blob, 0, p, (size_t)size, &got);

	return is_ok(e) && got != size ? ERR(ERR_CORRUPT, 0, "a queued body ends early") : e;
}

void
spool_reader_body(struct spool_reader *s, const struct peer *p, struct chan_word *w)
{
	struct asker to = peers_asker(p, w);
	struct arena arena = arena_init(0);
	uint8_t key[SPOOL_HEAD_KEY], *room;
	struct store_entry head;
	struct talk_queue_body t;
	struct spool_head h;
	uint64_t size = 0;
	struct err e;

	if (!talk_queue_body_get(&w->body, &t))
		return;
	e = store_get(s->store, spool_partition(t.id), spool_head_key(key, t.id), &head, &arena);
	if (is_ok(e) && !spool_head_read(head.value, t.id, &h))
		e = ERR(ERR_CORRUPT, 0, "the head of a queued message");
	if (is_ok(e)) {
		e = store_blob_size(s->store, head.blob, &size);
		if (e.code == ERR_NOTFOUND || (is_ok(e) && size != h.size))
			e = ERR(ERR_CORRUPT, 0, "the body of a queued message");
	}
	room = is_ok(e) && size <= BODY_INLINE ? loop_lend(s->loop) : NULL;
	if (is_ok(e) && !room) {
		read_large(s, to, t.id, head.blob, size);
	} else {
		struct wr body = wr_of(room, room ? BODY_INLINE : 0);

		if (is_ok(e))
			e = read_small(s, head.blob, size, &body);
		answer_body(s, to, t.id, e, is_ok(e) ? wr_since(&body, room) : NO_BYTES, -1);
		loop_give_back(s->loop, room);
	}
	arena_free(&arena);
}

struct spool_reader *
spool_reader_new(struct loop *loop, struct peers *peers, struct store *store)
{
	struct spool_reader *s = calloc(1, sizeof(*s));

	if (s)
		*s = (struct spool_reader){loop, peers, store, NULL};
	return s;
}

void
spool_reader_free(struct spool_reader *s)
{
	if (!s)
		return;
	while (s->reading)
		reading_free(s->reading);
	free(s);
}

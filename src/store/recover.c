/*
 * recover.c - reading the log from the index's place to its end.
 *
 * A segment that has a successor ends where the successor's head says; good frames behind that
 * place were given up.  In the last segment the log ends where the good frames stop, unless a good
 * frame of a later group stands behind them (invariant 3 of frame.h): then there is damage.
 *
 * That a frame can be read does not mean that it is on disk: its writer may have been killed before
 * the sync, or the sync may have failed, after which the kernel shows what it could not write, and
 * calls the next sync a success (attack 141).  So what is read from the last segment is written
 * anew and synced before the index may rest on it.
 */
#include "store/recover.h"

#include <stdlib.h>

#include "base/buf.h"
#include "store/disk.h"

enum {
	BATCH = 4 * 1024 * 1024, /* bytes of log that one transaction of the index takes */
	WINDOW = 1024 * 1024,    /* bytes that are searched for frames at once */
};

struct found_blob {
	struct blob_id id;
	struct index_blob blob;
	uint64_t have; /* bytes of it that were seen */
};

struct recovery {
	struct segments *segments;
	struct index *index;
	struct place at;    /* of the next frame */
	struct place start; /* where its group begins */
	uint32_t frame;     /* index of the next frame */
	uint64_t end;       /* of the frames in this segment; UINT64_MAX: the last one */
	int fd;             /* the last segment's, for writing */
	bool rewritten;     /* since the last sync */
	uint8_t *room;      /* FRAME_MAX bytes */
	struct buf changes; /* of the group so far */
	struct found_blob *blobs;
	size_t n, cap;
	bool changing;  /* a transaction is open */
	uint64_t batch; /* bytes of log in it */
};

static void
forget_group(struct recovery *r)
{
	buf_eat(&r->changes, r->changes.n);
	r->n = 0;
}

static bool
blob_is_whole(const struct recovery *r)
{
	return r->n == 0 || r->blobs[r->n - 1].have == r->blobs[r->n - 1].blob.length;
}

static struct err
add_blob(struct recovery *r, struct blob_id id, uint64_t length)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		struct found_blob *blobs = realloc(r->blobs, cap * sizeof(*blobs));

		if (!blobs)
			return ERR(ERR_MEMORY, 0, "recovery");
		r->blobs = blobs;
		r->cap = cap;
	}
	r->blobs[r->n++] = (struct found_blob){
	    id, {.segment = r->at.segment, .offset = r->at.offset, .length = length}, 0};
	return OK;
}

static struct err
take_piece(struct recovery *r, struct bytes data)
{
	struct rd in = rd_of(data);
	struct found_blob *last;
	struct blob_id id;
	uint64_t length, offset;
	struct err e = OK;

	id_read(&in, id.id);
	length = rd_u64(&in);
	offset = rd_u64(&in);
	if (!in.bad && offset == 0 && blob_is_whole(r))
		e = add_blob(r, id, length);
	if (!is_ok(e))
		return e;
	last = r->n ? &r->blobs[r->n - 1] : NULL;
	if (in.bad || !last || !blob_eq(last->id, id) || last->have != offset ||
	    last->blob.length != length || rd_left(&in) > length - offset)
		return ERR(ERR_CORRUPT, 0, "the pieces of a body in the log");
	last->have += rd_left(&in);
	return OK;
}

/* What the index takes is on disk before it does. */
static struct err
end_batch(struct recovery *r)
{
	struct err e = OK;

	if (r->rewritten)
		e = disk_datasync(r->segments->disk, r->fd);
	if (is_ok(e) && r->changing)
		e = index_set_place(r->index, &r->start);
	if (is_ok(e) && r->changing)
		e = index_commit(r->index);
	else
		index_end(r->index);
	r->changing = r->rewritten = false;
	r->batch = 0;
	return e;
}

/* A whole group: into the index. */
static struct err
take_group(struct recovery *r)
{
	struct err e = blob_is_whole(r) ? OK : ERR(ERR_CORRUPT, 0, "half a body in the log");

	if (is_ok(e) && !r->changing) {
		e = index_begin(r->index);
		r->changing = is_ok(e);
	}
	for (size_t i = 0; is_ok(e) && i < r->n; i++)
		e = index_add_blob(r->index, r->blobs[i].id, &r->blobs[i].blob);
	if (is_ok(e))
		e = index_apply(r->index, buf_bytes(&r->changes));
	forget_group(r);
	return e;
}

static struct err
take_frame(struct recovery *r, const struct frame *f, struct bytes data)
{
	struct err e = OK;

	if (r->at.segment == r->segments->last) {
		r->rewritten = true;
		e = disk_write(r->segments->disk, r->fd, r->room, FRAME_HEAD + data.n,
		               r->at.offset);
	}
	if (!is_ok(e))
		return e;
	if (f->index == 0)
		forget_group(r);
	if (f->kind == FRAME_PIECE)
		e = take_piece(r, data);
	else if (!buf_add(&r->changes, data))
		e = ERR(ERR_MEMORY, 0, "recovery");
	if (is_ok(e) && f->kind == FRAME_END)
		e = take_group(r);
	if (!is_ok(e))
		return e;
	r->batch += frame_size(f->length);
	r->at.offset += frame_size(f->length);
	r->at.prev = f->sum;
	r->frame = f->index + 1;
	if (f->kind == FRAME_END) {
		r->at.group++;
		r->frame = 0;
		r->start = r->at;
	}
	return f->kind == FRAME_END && r->batch >= BATCH ? end_batch(r) : OK;
}

/* A good frame of a later group in this window of the last segment? */
static struct err
search_window(struct recovery *r, const struct segment *seg, uint64_t offset, struct bytes window)
{
	const uint32_t mark = frame_mark(seg->head.key);

	for (size_t i = 0; i + FRAME_HEAD <= window.n; i += FRAME_ALIGN) {
		struct rd in = rd_of((struct bytes){window.p + i + FRAME_MARK, 4});
		struct frame f;
		struct bytes data;
		struct err e;

		if (rd_u32(&in) != mark)
			continue;
		e = segment_frame(r->segments, seg, offset + i, r->room, &f, &data);
		if (is_fault(e))
			return e;
		if (is_ok(e) && f.group > r->at.group)
			return ERR(ERR_CORRUPT, 0, "the log is damaged before its end");
	}
	return OK;
}

static struct err
search_tail(struct recovery *r, const struct segment *seg)
{
	uint8_t *window = malloc(WINDOW);
	uint64_t offset = r->at.offset;
	size_t got = WINDOW;
	struct err e = window ? OK : ERR(ERR_MEMORY, 0, "recovery");

	while (is_ok(e) && got == WINDOW) {
		e = disk_read(r->segments->disk, seg->fd, window, WINDOW, offset, &got);
		if (is_ok(e))
			e = search_window(r, seg, offset, (struct bytes){window, got});
		offset += WINDOW - FRAME_HEAD; /* a head may lie across two windows */
	}
	free(window);
	return e;
}

static struct err
find_end(struct recovery *r)
{
	const struct segment *next;
	struct err e;

	r->end = UINT64_MAX;
	if (r->at.segment == r->segments->last)
		return OK;
	e = segments_get(r->segments, r->at.segment + 1, &next);
	if (is_ok(e))
		r->end = next->head.prev_end;
	return e;
}

static struct err
next_segment(struct recovery *r)
{
	const struct segment *next;
	struct err e = segments_get(r->segments, r->at.segment + 1, &next);

	if (is_ok(e) && (next->head.prev != r->at.prev || next->head.group != r->at.group))
		e = ERR(ERR_CORRUPT, 0, "a segment does not go on from the one before");
	if (!is_ok(e))
		return e;
	r->at.segment++;
	r->at.offset = SEGMENT_HEAD;
	r->start = r->at;
	return find_end(r);
}

static struct err
replay(struct recovery *r)
{
	const struct segment *seg;
	struct frame f;
	struct bytes data;
	struct err e = find_end(r);

	while (is_ok(e)) {
		if (r->at.offset == r->end) {
			e = next_segment(r);
			continue;
		}
		e = segments_get(r->segments, r->at.segment, &seg);
		if (is_ok(e))
			e = segment_frame(r->segments, seg, r->at.offset, r->room, &f, &data);
		if (is_fault(e))
			break;
		if (is_ok(e) && f.prev == r->at.prev && f.group == r->at.group &&
		    (f.index == r->frame || f.index == 0))
			e = take_frame(r, &f, data);
		else if (r->at.segment == r->segments->last)
			return search_tail(r, seg);
		else
			e = ERR(ERR_CORRUPT, 0, "the log is damaged before its end");
	}
	return e;
}

/* True when the file has only zeros behind a segment's head. */
static struct err
is_unused(struct segments *s, uint64_t number, bool *unused)
{
	uint8_t *window = malloc(WINDOW);
	uint64_t offset = SEGMENT_HEAD;
	size_t got = WINDOW;
	int fd = -1;
	struct err e = window ? segments_write(s, number, &fd) : ERR(ERR_MEMORY, 0, "recovery");

	*unused = true;
	for (; is_ok(e) && *unused && got == WINDOW; offset += WINDOW) {
		e = disk_read(s->disk, fd, window, WINDOW, offset, &got);
		for (size_t i = 0; is_ok(e) && i < got; i++)
			*unused = *unused && window[i] == 0;
	}
	disk_close(s->disk, fd);
	free(window);
	return e;
}

/*
 * A crash while a segment was made leaves one with a bad head and nothing behind it.  With frames
 * behind it, or when the index was there already, it is a damaged one.
 */
static struct err
drop_unfinished(struct segments *s, uint64_t place)
{
	const struct segment *seg;
	bool unused;
	struct err e, bad = segments_get(s, s->last, &seg);

	if (bad.code != ERR_CORRUPT || s->last <= place)
		return bad;
	e = is_unused(s, s->last, &unused);
	if (!is_ok(e))
		return e;
	return unused ? segments_drop(s) : bad;
}

/* The last segment's head and name too are made durable anew. */
static struct err
renew_head(struct recovery *r)
{
	struct disk *disk = r->segments->disk;
	uint8_t head[SEGMENT_HEAD];
	size_t got = 0;
	struct err e = segments_write(r->segments, r->segments->last, &r->fd);

	if (is_ok(e))
		e = disk_read(disk, r->fd, head, sizeof(head), 0, &got);
	if (is_ok(e))
		e = disk_write(disk, r->fd, head, got, 0);
	if (is_ok(e))
		e = disk_sync(disk, r->fd);
	return is_ok(e) ? disk_sync(disk, r->segments->dir_fd) : e;
}

static struct err
find_start(struct segments *s, struct index *ix, struct place *at)
{
	struct err e = index_look(ix);

	if (!is_ok(e))
		return e;
	e = index_place(ix, at); /* all zero when there is none */
	index_end(ix);
	if (is_fault(e))
		return e;
	e = segments_list(s);
	if (is_ok(e) && s->last)
		e = drop_unfinished(s, at->segment);
	if (!is_ok(e))
		return e;
	if (at->segment == 0 && s->first == 1)
		*at = (struct place){1, SEGMENT_HEAD, 1, 0};
	if (at->segment < s->first || at->segment > s->last)
		return ERR(ERR_CORRUPT, 0, "a segment of the log is missing");
	return OK;
}

struct err
recover(struct segments *s, struct index *ix, struct place *end)
{
	struct recovery r = {
	    .segments = s, .index = ix, .fd = -1, .changes = buf_init(SIZE_MAX / 2)};
	struct err e = find_start(s, ix, &r.at);

	if (is_ok(e) && s->last) {
		r.start = r.at;
		r.room = malloc(FRAME_MAX);
		e = r.room ? renew_head(&r) : ERR(ERR_MEMORY, 0, "recovery");
		if (is_ok(e))
			e = replay(&r);
		if (is_ok(e))
			e = end_batch(&r);
		else
			index_end(ix);
	}
	*end = r.start;
	disk_close(s->disk, r.fd);
	buf_free(&r.changes);
	free(r.blobs);
	free(r.room);
	return e;
}

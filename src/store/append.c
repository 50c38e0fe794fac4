/*
 * append.c - writing the log.  A new segment is begun when a frame, or a whole body, does not fit
 * in the current one; a group may go on from one segment into the next.
 */
#include "store/append.h"

#include <assert.h>
#include <stdlib.h>

#include "base/random.h"
#include "store/disk.h"
#include "store/sum.h"

enum { ROUND = 65536 }; /* a segment's size is a multiple of this */

static struct err
flush(struct append *a)
{
	struct err e = OK;

	if (a->n) {
		a->dirty = true;
		e = disk_write(a->segments->disk, a->fd, a->buf, a->n, a->at.offset - a->n);
	}
	if (is_ok(e))
		a->n = 0;
	return e;
}

static struct err
sync_segment(struct append *a)
{
	struct err e = flush(a);

	if (is_ok(e) && a->dirty)
		e = disk_datasync(a->segments->disk, a->fd);
	if (is_ok(e))
		a->dirty = false;
	return e;
}

/* A full disk may still have room for a small segment: deletions go on (attack 142). */
static struct err
add_segment(struct append *a, const struct segment_head *h, uint64_t least, uint64_t *size, int *fd)
{
	struct err e;

	least = (SEGMENT_HEAD + least + ROUND - 1) / ROUND * ROUND;
	*size = least > a->segment_size ? least : a->segment_size;
	e = segments_add(a->segments, h, *size, fd);
	if (e.code == ERR_FULL && *size > least) {
		*size = least;
		e = segments_add(a->segments, h, *size, fd);
	}
	return e;
}

/* What is in the old segment is durable before the new head says where it ended. */
static struct err
roll(struct append *a, uint64_t least)
{
	struct segment_head h = {.number = a->segments->last + 1,
	                         .key = sum_key(a->random),
	                         .group = a->at.group,
	                         .prev = a->at.prev,
	                         .prev_end = a->at.offset};
	uint64_t size;
	int fd;
	struct err e = sync_segment(a);

	memcpy(h.store, a->segments->store, sizeof(h.store));
	if (is_ok(e))
		e = add_segment(a, &h, least, &size, &fd);
	if (!is_ok(e))
		return e;
	disk_close(a->segments->disk, a->fd);
	a->fd = fd;
	a->key = h.key;
	a->size = size;
	a->at.segment = h.number;
	a->at.offset = SEGMENT_HEAD;
	a->start = a->at; /* invariant 4 of frame.h: undone, the group begins anew here */
	return OK;
}

static struct err
init(struct append *a, struct segments *segments, struct random *random, uint64_t segment_size)
{
	*a = (struct append){
	    .segments = segments, .random = random, .segment_size = segment_size, .fd = -1};
	a->buf = malloc(APPEND_BUFFER);
	return a->buf ? OK : ERR(ERR_MEMORY, 0, "append buffer");
}

struct err
append_init(struct append *a, struct segments *segments, struct random *random,
            uint64_t segment_size, const struct place *at)
{
	const struct segment *seg;
	struct err e = init(a, segments, random, segment_size);

	assert(at->segment == segments->last);
	a->at = a->start = *at;
	if (is_ok(e))
		e = segments_get(segments, at->segment, &seg);
	if (is_ok(e)) {
		a->key = seg->head.key;
		e = segments_write(segments, at->segment, &a->fd);
	}
	if (is_ok(e))
		e = disk_size(segments->disk, a->fd, &a->size);
	return e;
}

struct err
append_first(struct append *a, struct segments *segments, struct random *random,
             uint64_t segment_size)
{
	struct err e = init(a, segments, random, segment_size);

	a->at.group = 1;
	return is_ok(e) ? roll(a, 0) : e;
}

void
append_fini(struct append *a)
{
	if (a->segments)
		disk_close(a->segments->disk, a->fd);
	free(a->buf);
	*a = (struct append){.fd = -1};
}

struct err
append_fit(struct append *a, uint64_t n)
{
	if (a->at.offset <= a->size && n <= a->size - a->at.offset)
		return OK;
	return roll(a, n);
}

struct err
append_room(struct append *a, size_t length, uint8_t **out)
{
	struct err e = append_fit(a, frame_size(length));

	if (is_ok(e) && frame_size(length) > APPEND_BUFFER - a->n)
		e = flush(a);
	if (is_ok(e))
		*out = a->buf + a->n + FRAME_HEAD;
	return e;
}

void
append_frame(struct append *a, enum frame_kind kind, size_t length)
{
	struct frame f = {.kind = kind,
	                  .length = (uint32_t)length,
	                  .index = a->index++,
	                  .group = a->at.group,
	                  .prev = a->at.prev};

	assert(length <= FRAME_DATA_MAX && frame_size(length) <= APPEND_BUFFER - a->n);
	frame_seal(a->buf + a->n, &f, a->key);
	a->n += frame_size(length);
	a->at.offset += frame_size(length);
	a->at.prev = f.sum;
}

struct err
append_sync(struct append *a)
{
	struct err e = sync_segment(a);

	if (is_ok(e)) {
		a->at.group++;
		a->index = 0;
		a->start = a->at;
	}
	return e;
}

struct append_mark
append_mark(const struct append *a)
{
	return (struct append_mark){a->at, a->index};
}

void
append_back(struct append *a, const struct append_mark *m)
{
	uint64_t written = a->at.offset - a->n;

	assert(m->at.segment == a->at.segment && m->at.offset <= a->at.offset);
	a->n = m->at.offset > written ? (size_t)(m->at.offset - written) : 0;
	a->at = m->at;
	a->index = m->index;
}

void
append_undo(struct append *a)
{
	append_back(a, &(struct append_mark){a->start, 0});
}

/* segment.c - making, finding and reading the files of the log. */
#include "store/segment.h"

#include <fcntl.h>
#include <stdio.h>

#include "store/disk.h"
#include "store/sum.h"

static const char magic[] = "stead log\n";
enum { MAGIC = sizeof(magic) - 1, HEAD_USED = MAGIC + 4 + 5 * 8 + 16 };

/* The numbers that a folder's names show. */
struct found {
	uint64_t first, last, n;
};

static void
name_of(char out[SEGMENT_NAME], uint64_t number)
{
	snprintf(out, SEGMENT_NAME, "log-%08llu", (unsigned long long)number);
}

/* 0 for a name that name_of() does not make. */
static uint64_t
number_of(const char *name)
{
	char again[SEGMENT_NAME];
	uint64_t number = 0;

	if (strncmp(name, "log-", 4) != 0)
		return 0;
	for (const char *p = name + 4; *p >= '0' && *p <= '9' && number < UINT32_MAX; p++)
		number = number * 10 + (uint64_t)(*p - '0');
	name_of(again, number);
	return strcmp(again, name) == 0 ? number : 0;
}

static void
found_name(void *owner, const char *name)
{
	struct found *f = owner;
	uint64_t number = number_of(name);

	if (number == 0)
		return;
	f->n++;
	if (f->first == 0 || number < f->first)
		f->first = number;
	if (number > f->last)
		f->last = number;
}

static void
head_write(uint8_t room[SEGMENT_HEAD], const struct segment_head *h)
{
	struct wr w = wr_of(room, SEGMENT_HEAD);

	memset(room, 0, SEGMENT_HEAD);
	wr_text(&w, magic);
	wr_u32(&w, SEGMENT_VERSION);
	wr_u64(&w, h->number);
	wr_u64(&w, h->key);
	wr_u64(&w, h->group);
	wr_u64(&w, h->prev);
	wr_u64(&w, h->prev_end);
	wr_bytes(&w, (struct bytes){h->store, sizeof(h->store)});
	wr_u64(&w, sum_of(h->key, 0, (struct bytes){room, HEAD_USED}));
}

static bool
head_read(struct bytes b, struct segment_head *h)
{
	struct rd r = rd_of(b);
	struct bytes text = rd_take(&r, MAGIC), store;
	uint32_t version = rd_u32(&r);

	h->number = rd_u64(&r);
	h->key = rd_u64(&r);
	h->group = rd_u64(&r);
	h->prev = rd_u64(&r);
	h->prev_end = rd_u64(&r);
	store = rd_take(&r, sizeof(h->store));
	if (store.n)
		memcpy(h->store, store.p, store.n);
	return rd_u64(&r) == sum_of(h->key, 0, (struct bytes){b.p, HEAD_USED}) && !r.bad &&
	       bytes_eq(text, bytes_of(magic)) && version == SEGMENT_VERSION;
}

static void
forget(struct segments *s, struct segment *seg)
{
	if (seg->head.number)
		disk_close(s->disk, seg->fd);
	*seg = (struct segment){.fd = -1};
}

void
segments_init(struct segments *s, struct disk *disk, int dir_fd, const uint8_t store[16])
{
	*s = (struct segments){.disk = disk, .dir_fd = dir_fd};
	memcpy(s->store, store, sizeof(s->store));
}

void
segments_fini(struct segments *s)
{
	for (size_t i = 0; i < SEGMENTS_OPEN; i++)
		forget(s, &s->open[i]);
}

struct err
segments_list(struct segments *s)
{
	struct found f = {0, 0, 0};
	struct err e = disk_list(s->disk, s->dir_fd, found_name, &f);

	if (!is_ok(e))
		return e;
	if (f.n && f.last - f.first + 1 != f.n)
		return ERR(ERR_CORRUPT, 0, "a segment of the log is missing");
	s->first = f.first;
	s->last = f.last;
	return OK;
}

/*
 * The order matters.  Blocks first: what fails for space fails before anything is promised.  Then
 * the head and its sync: a frame must never be in a segment whose head a crash can take away.  Then
 * the folder's sync: nor in one whose name it can take away.
 */
struct err
segments_add(struct segments *s, const struct segment_head *h, uint64_t size, int *fd)
{
	char name[SEGMENT_NAME];
	uint8_t room[SEGMENT_HEAD];
	struct err e, undone;

	name_of(name, s->last + 1);
	head_write(room, h);
	e = disk_open(s->disk, s->dir_fd, name, O_RDWR | O_CREAT | O_TRUNC, fd);
	if (!is_ok(e))
		return e;
	e = disk_allocate(s->disk, *fd, size);
	if (is_ok(e))
		e = disk_write(s->disk, *fd, room, sizeof(room), 0);
	if (is_ok(e))
		e = disk_sync(s->disk, *fd);
	if (is_ok(e))
		e = disk_sync(s->disk, s->dir_fd);
	if (is_ok(e)) {
		s->last++;
		s->first = s->first ? s->first : s->last;
		return OK;
	}
	disk_close(s->disk, *fd);
	*fd = -1;
	undone = disk_unlink(s->disk, s->dir_fd, name);
	if (is_ok(undone)) /* else a crash brings it back, when the log has gone on without it */
		undone = disk_sync(s->disk, s->dir_fd);
	return is_ok(undone) ? e : undone;
}

struct err
segments_drop(struct segments *s)
{
	char name[SEGMENT_NAME];
	struct err e;

	name_of(name, s->last);
	forget(s, &s->open[s->last % SEGMENTS_OPEN]);
	e = disk_unlink(s->disk, s->dir_fd, name);
	if (is_ok(e))
		e = disk_sync(s->disk,
		              s->dir_fd); /* else it could come back beside its successor */
	if (!is_ok(e))
		return e;
	s->last--;
	if (s->last < s->first)
		s->first = s->last = 0;
	return OK;
}

struct err
segments_get(struct segments *s, uint64_t number, const struct segment **out)
{
	struct segment *seg = &s->open[number % SEGMENTS_OPEN];
	char name[SEGMENT_NAME];
	uint8_t room[SEGMENT_HEAD];
	size_t got = 0;
	struct err e;

	*out = seg;
	if (number && seg->head.number == number)
		return OK;
	forget(s, seg);
	name_of(name, number);
	e = disk_open(s->disk, s->dir_fd, name, O_RDONLY, &seg->fd);
	if (e.code == ERR_NOTFOUND)
		return ERR(ERR_CORRUPT, 0, "a segment of the log is missing");
	if (!is_ok(e))
		return e;
	e = disk_read(s->disk, seg->fd, room, sizeof(room), 0, &got);
	if (is_ok(e) &&
	    (!head_read((struct bytes){room, got}, &seg->head) || seg->head.number != number ||
	     memcmp(seg->head.store, s->store, sizeof(s->store)) != 0))
		e = ERR(ERR_CORRUPT, 0, "the head of a segment is damaged");
	if (!is_ok(e)) {
		disk_close(s->disk, seg->fd);
		*seg = (struct segment){.fd = -1};
	}
	return e;
}

struct err
segments_write(struct segments *s, uint64_t number, int *fd)
{
	char name[SEGMENT_NAME];
	struct err e;

	name_of(name, number);
	e = disk_open(s->disk, s->dir_fd, name, O_RDWR, fd);
	return e.code == ERR_NOTFOUND ? ERR(ERR_CORRUPT, 0, "a segment of the log is missing") : e;
}

struct err
segment_frame(struct segments *s, const struct segment *seg, uint64_t offset,
              uint8_t room[FRAME_MAX], struct frame *f, struct bytes *data)
{
	size_t got;
	struct err e = disk_read(s->disk, seg->fd, room, FRAME_HEAD, offset, &got);

	if (is_ok(e) && !frame_head((struct bytes){room, got}, seg->head.key, f))
		return ERR(ERR_NOTFOUND, 0, "no frame");
	if (is_ok(e))
		e = disk_read(s->disk, seg->fd, room + FRAME_HEAD, f->length, offset + FRAME_HEAD,
		              &got);
	if (is_ok(e) &&
	    !frame_check((struct bytes){room, FRAME_HEAD + got}, seg->head.key, f, data))
		return ERR(ERR_NOTFOUND, 0, "no good frame");
	return e;
}

/*
 * log.c - the engine of one machine: a log of checksummed frames, indexed by LMDB.
 *
 * 1. A group's bodies and changes are written to the log and made durable by one sync; then one
 *    transaction of the index makes them visible.  The order is never the other way round.
 * 2. The transaction is filled before the log is written: what the index must refuse, it refuses
 *    while nothing is promised.
 * 3. A group that meets a full disk or a damaged row is undone whole, and its items are tried one
 *    by one: each then has its own answer (attacks 142, 144).
 * 4. A failed write or sync is final.  The kernel may have thrown the pages away, so what the log
 *    holds is known only after it was read anew (attack 141).
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/random.h"
#include "store/append.h"
#include "store/disk.h"
#include "store/engine.h"
#include "store/index.h"
#include "store/recover.h"
#include "store/sum.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

static const char magic[] = "stead store\n";

enum {
	VERSION = 1, /* of the whole format, docs/store.md */
	MAGIC = sizeof(magic) - 1,
	FORMAT_USED = MAGIC + 4 + 16 + 8, /* of the file "format", before its sum */
	FORMAT_SIZE = FORMAT_USED + 8,
	SEGMENT_SIZE = 16 * 1024 * 1024,
	GROUP_CHANGES = 4 * 1024 * 1024, /* a group ends when it has as many bytes of changes */
	GROUP_BODIES = 64 * 1024 * 1024, /* or of bodies */
};
#define BODY_MAX (UINT64_C(1) << 40) /* sizes below can be added up without care */
#ifdef SANITIZED
#define MAP_SIZE (UINT64_C(1) << 30) /* the sanitizers' own maps leave no room for more */
#else
#define MAP_SIZE (UINT64_C(1) << 40)
#endif

struct log {
	struct engine engine; /* first: the two are cast to each other */
	struct disk *disk;
	int dir_fd, lock_fd;
	uint8_t store[16]; /* random, names this store in all its files */
	uint64_t key;      /* of the index's sums */
	struct segments segments;
	struct append append;
	struct index *index;
	struct buf changes;     /* of the group */
	struct index_load load; /* what the group has made so far */
	uint8_t *room;          /* FRAME_MAX bytes for reading */
	struct err fault;       /* invariant 4 */
};

/* ---- committing ---- */

/* A body that cannot be read is its giver's mishap and no fault of the store: item->err tells. */
static struct err
write_pieces(struct log *log, struct item *item, uint64_t length)
{
	uint64_t at = 0;
	struct err e;

	do {
		size_t n = length - at < PIECE_MAX ? (size_t)(length - at) : PIECE_MAX;
		uint8_t *room;
		struct wr w;

		e = append_room(&log->append, PIECE_HEAD + n, &room);
		if (!is_ok(e))
			return e;
		w = wr_of(room, PIECE_HEAD + n);
		wr_bytes(&w, (struct bytes){item->blob.id, sizeof(item->blob.id)});
		wr_u64(&w, length);
		wr_u64(&w, at);
		item->err = body_read(item->body, at, room + PIECE_HEAD, n);
		if (!is_ok(item->err))
			return OK;
		append_frame(&log->append, FRAME_PIECE, PIECE_HEAD + n);
		at += n;
	} while (at < length);
	return OK;
}

static struct err
take_body(struct log *log, struct item *item)
{
	struct append *a = &log->append;
	uint64_t length = body_length(item->body);
	struct index_blob b;
	struct append_mark mark;
	struct err e = index_blob(log->index, item->blob, &b);

	if (is_ok(e))
		item->err = ERR(ERR_EXISTS, 0, "the blob is there already");
	if (e.code != ERR_NOTFOUND)
		return e;
	if (length > BODY_MAX) {
		item->err = ERR(ERR_FULL, 0, "a body of more than 1 TiB");
		return OK;
	}
	e = append_fit(a, length / PIECE_MAX * frame_size(FRAME_DATA_MAX) +
	                      frame_size(PIECE_HEAD + (size_t)(length % PIECE_MAX)));
	if (!is_ok(e))
		return e;
	mark = append_mark(a);
	b = (struct index_blob){.segment = a->at.segment, .offset = a->at.offset, .length = length};
	e = write_pieces(log, item, length);
	if (!is_ok(e))
		return e;
	if (!is_ok(item->err)) {
		append_back(a, &mark);
		return OK;
	}
	log->load.changes++;
	log->load.grows = true;
	return index_add_blob(log->index, item->blob, &b);
}

/* Whether the submit is to be made: item->err is its answer, if it is not. */
static struct err
judge(struct log *log, struct item *items, size_t at)
{
	struct item *item = &items[at];
	bool seen = false;
	struct err e = index_version(log->index, item->shard, &item->version);

	if (is_ok(e) && !op_is_none(item->op))
		e = index_seen(log->index, item->shard, item->op, &seen);
	if (!is_ok(e))
		return e;
	if (seen)
		item->err = ERR(ERR_SEEN, 0, "applied before");
	else if (item->guard != STORE_ANY && item->guard != item->version)
		item->err = ERR(ERR_STALE, 0, "the shard has moved");
	for (size_t i = 0; is_ok(item->err) && i < item->n; i++) {
		const struct store_change *c = &item->changes[i];
		struct index_blob b;

		if (c->kind == STORE_DELETE || blob_is_none(c->blob))
			continue;
		e = index_blob(log->index, c->blob, &b);
		if (e.code == ERR_NOTFOUND)
			item->err = item_blob_missing(items, at, c->blob);
		else if (!is_ok(e))
			return e;
	}
	return OK;
}

static struct err
take_submit(struct log *log, struct item *items, size_t at)
{
	struct item *item = &items[at];
	struct err e = judge(log, items, at);
	struct wr w;
	const uint8_t *start;

	if (!is_ok(e) || !is_ok(item->err))
		return e;
	w = buf_room(&log->changes, changes_size(item->changes, item->n));
	start = w.p;
	if (!start)
		return ERR(ERR_MEMORY, 0, "changes of a group");
	item->version++;
	changes_write(&w, item->shard, item->op, item->version, item->changes, item->n);
	assert(!w.full);
	buf_wrote(&log->changes, wr_since(&w, start).n);
	log->load.changes += item->n + 1;
	log->load.bytes += wr_since(&w, start).n;
	for (size_t i = 0; i < item->n; i++)
		log->load.grows = log->load.grows || item->changes[i].kind == STORE_PUT;
	return index_apply(log->index, wr_since(&w, start));
}

static struct err
write_changes(struct log *log)
{
	struct rd r = rd_of(buf_bytes(&log->changes));
	struct err e;
	bool end;

	do {
		size_t n = rd_left(&r) < PIECE_MAX ? rd_left(&r) : PIECE_MAX;
		uint8_t *room;

		e = append_room(&log->append, n, &room);
		if (!is_ok(e))
			return e;
		if (n)
			memcpy(room, rd_take(&r, n).p, n);
		end = rd_left(&r) == 0;
		append_frame(&log->append, end ? FRAME_END : FRAME_CHANGES, n);
	} while (!end);
	return OK;
}

/* What was taken becomes durable, and then visible.  ERR_FULL: none of it did. */
static struct err
finish_group(struct log *log)
{
	struct place end;
	struct err e = write_changes(log);

	end = log->append.at;
	end.group++;
	if (is_ok(e))
		e = index_set_place(log->index, &end);
	if (is_ok(e))
		e = index_reserve(log->index, &log->load);
	if (is_ok(e))
		e = append_sync(&log->append);
	if (!is_ok(e))
		return e;
	e = index_commit(log->index);
	if (is_ok(e) || e.code < 0)
		return e;
	/* The group is in the log and cannot be called off: the next opening will find it. */
	return ERR(ERR_IO, e.sys, "the index could not follow the log");
}

/* One group: all of it, or for an answer ERR_FULL or a fault nothing. */
static struct err
commit_group(struct log *log, struct item *items, size_t from, size_t to)
{
	struct err e = index_begin(log->index);

	buf_eat(&log->changes, log->changes.n);
	log->load = (struct index_load){0, 0, false};
	for (size_t i = from; is_ok(e) && i < to; i++) {
		items[i].err = OK;
		items[i].version = 0;
		e = items[i].body ? take_body(log, &items[i]) : take_submit(log, items, i);
	}
	if (is_ok(e) && log->load.changes)
		e = finish_group(log);
	index_end(log->index);
	if (!is_ok(e) || !log->load.changes)
		append_undo(&log->append);
	return e;
}

static bool
is_final(struct err e)
{
	return is_fault(e) && e.code != ERR_CORRUPT;
}

/* Where the group that begins with item `from` ends. */
static size_t
group_end(const struct item *items, size_t from, size_t n)
{
	uint64_t changes = 0, bodies = 0;
	size_t i = from;

	while (i < n && changes < GROUP_CHANGES && bodies < GROUP_BODIES) {
		if (items[i].body)
			bodies += body_length(items[i].body);
		else
			changes += changes_size(items[i].changes, items[i].n);
		i++;
	}
	return i;
}

static struct err
log_commit(struct engine *engine, struct item *items, size_t n)
{
	struct log *log = (struct log *)engine;
	size_t alone = 0; /* items in front of this one are tried one by one */

	for (size_t i = 0, end; i < n; i = end) {
		struct err e = log->fault;

		end = i < alone ? i + 1 : group_end(items, i, n);
		if (is_ok(e))
			e = commit_group(log, items, i, end);
		if (is_final(e))
			log->fault = e;
		if (is_ok(e))
			continue;
		if (!is_final(e) && end - i > 1) { /* invariant 3 */
			alone = end;
			end = i;
			continue;
		}
		for (size_t k = i; k < end; k++) {
			items[k].err = e;
			items[k].version = 0;
		}
	}
	return log->fault;
}

/* ---- reading ---- */

static struct err
log_version(struct engine *engine, struct shard_id shard, uint64_t *out)
{
	struct log *log = (struct log *)engine;
	struct err e = index_look(log->index);

	if (!is_ok(e))
		return e;
	e = index_version(log->index, shard, out);
	index_end(log->index);
	return e;
}

static struct err
log_get(struct engine *engine, struct shard_id shard, struct bytes key, struct store_entry *out,
        struct arena *arena)
{
	struct log *log = (struct log *)engine;
	struct index_row row;
	struct err e = index_look(log->index);

	if (!is_ok(e))
		return e;
	e = index_get(log->index, shard, key, &row);
	if (is_ok(e))
		e = entry_copy(out, key, row.value, row.blob, arena);
	index_end(log->index);
	return e;
}

/* A page that is being filled. */
struct filling {
	struct store_page *page;
	struct arena *arena;
	size_t limit;
};

static bool
fill(void *owner, struct bytes key, const struct index_row *row)
{
	struct filling *f = owner;
	struct store_page *page = f->page;

	page->more = true;
	if (page->n == f->limit)
		return false;
	if (!is_ok(entry_copy(&page->entries[page->n], key, row->value, row->blob, f->arena)))
		return false;
	page->n++;
	page->more = false;
	return true;
}

static struct err
log_range(struct engine *engine, struct shard_id shard, uint64_t at, struct bytes from,
          struct bytes to, size_t limit, struct store_page *out, struct arena *arena)
{
	struct log *log = (struct log *)engine;
	struct filling f = {out, arena, limit};
	struct err e = index_look(log->index);

	if (!is_ok(e))
		return e;
	e = index_version(log->index, shard, &out->version);
	if (is_ok(e) && at != STORE_ANY && at != out->version)
		e = ERR(ERR_STALE, 0, "the shard has moved");
	if (is_ok(e))
		e = index_range(log->index, shard, from, to, fill, &f);
	index_end(log->index);
	if (is_ok(e) && out->more && out->n == 0)
		return ERR(ERR_MEMORY, 0, "arena");
	return e;
}

static struct err
find_blob(struct log *log, struct blob_id blob, struct index_blob *out)
{
	struct err e = index_look(log->index);

	if (!is_ok(e))
		return e;
	e = index_blob(log->index, blob, out);
	index_end(log->index);
	return e;
}

static struct err
log_blob_size(struct engine *engine, struct blob_id blob, uint64_t *out)
{
	struct index_blob b = {0, 0, 0, 0};
	struct err e = find_blob((struct log *)engine, blob, &b);

	*out = b.length;
	return e;
}

/* The bytes of the piece in which `offset` lies; ERR_CORRUPT when they are not what was put. */
static struct err
read_piece(struct log *log, struct blob_id blob, const struct index_blob *b, uint64_t offset,
           struct bytes *out)
{
	const struct segment *seg;
	uint64_t nth = offset / PIECE_MAX, length, at;
	struct frame f;
	struct bytes data;
	struct blob_id id;
	struct rd r;
	struct err e = segments_get(&log->segments, b->segment, &seg);

	if (is_ok(e))
		e = segment_frame(&log->segments, seg, b->offset + nth * frame_size(FRAME_DATA_MAX),
		                  log->room, &f, &data);
	if (e.code == ERR_NOTFOUND)
		return ERR(ERR_CORRUPT, 0, "a piece of a body is damaged");
	if (!is_ok(e))
		return e;
	r = rd_of(data);
	id_read(&r, id.id);
	length = rd_u64(&r);
	at = rd_u64(&r);
	*out = rd_rest(&r);
	if (r.bad || f.kind != FRAME_PIECE || !blob_eq(id, blob) || length != b->length ||
	    at != nth * PIECE_MAX || offset - at >= out->n)
		return ERR(ERR_CORRUPT, 0, "a piece of another body");
	return OK;
}

static struct err
log_blob_read(struct engine *engine, struct blob_id blob, uint64_t offset, void *room, size_t n,
              size_t *got)
{
	struct log *log = (struct log *)engine;
	struct index_blob b;
	struct err e = find_blob(log, blob, &b);

	*got = 0;
	while (is_ok(e) && *got < n && offset < b.length) {
		struct bytes piece;
		struct rd r;
		size_t take;

		e = read_piece(log, blob, &b, offset, &piece);
		if (!is_ok(e))
			break;
		r = rd_of(piece);
		(void)rd_take(&r, (size_t)(offset % PIECE_MAX));
		take = rd_left(&r) < n - *got ? rd_left(&r) : n - *got;
		memcpy((uint8_t *)room + *got, rd_take(&r, take).p, take);
		*got += take;
		offset += take;
	}
	return e;
}

/* ---- opening ---- */

static void
log_close(struct engine *engine)
{
	struct log *log = (struct log *)engine;

	index_close(log->index);
	append_fini(&log->append);
	segments_fini(&log->segments);
	disk_close(log->disk, log->lock_fd);
	buf_free(&log->changes);
	free(log->room);
	free(log);
}

static struct err
make_format(struct log *log, struct random *random)
{
	uint8_t room[FORMAT_SIZE];
	struct wr w = wr_of(room, sizeof(room));

	random_fill(random, log->store, sizeof(log->store));
	log->key = sum_key(random);
	wr_text(&w, magic);
	wr_u32(&w, VERSION);
	wr_bytes(&w, (struct bytes){log->store, sizeof(log->store)});
	wr_u64(&w, log->key);
	wr_u64(&w, sum_of(log->key, 0, (struct bytes){room, FORMAT_USED}));
	return disk_replace(log->disk, log->dir_fd, "format", room, sizeof(room));
}

static struct err
read_format(struct log *log, struct bytes b)
{
	struct rd r = rd_of(b);
	struct bytes text = rd_take(&r, MAGIC), store;
	uint32_t version = rd_u32(&r);

	if (r.bad || !bytes_eq(text, bytes_of(magic)))
		return ERR(ERR_CORRUPT, 0, "the file \"format\" is not of a store");
	if (version > VERSION)
		return ERR(ERR_RANGE, 0, "the store is of a later program");
	store = rd_take(&r, sizeof(log->store));
	log->key = rd_u64(&r);
	if (store.n)
		memcpy(log->store, store.p, store.n);
	if (rd_u64(&r) != sum_of(log->key, 0, (struct bytes){b.p, FORMAT_USED}) || r.bad)
		return ERR(ERR_CORRUPT, 0, "the file \"format\" is damaged");
	return OK;
}

/* The file is made before anything else: a log without it has lost it. */
static struct err
open_format(struct log *log, struct random *random)
{
	struct segments segments;
	uint8_t room[FORMAT_SIZE];
	size_t got = 0;
	int fd = -1;
	struct err e = disk_open(log->disk, log->dir_fd, "format", O_RDONLY, &fd);

	if (e.code == ERR_NOTFOUND) {
		segments_init(&segments, log->disk, log->dir_fd, log->store);
		e = segments_list(&segments);
		if (is_ok(e) && segments.last)
			e = ERR(ERR_CORRUPT, 0, "the file \"format\" is missing");
		return is_ok(e) ? make_format(log, random) : e;
	}
	if (is_ok(e))
		e = disk_read(log->disk, fd, room, sizeof(room), 0, &got);
	disk_close(log->disk, fd);
	return is_ok(e) ? read_format(log, (struct bytes){room, got}) : e;
}

static struct err
open_log(struct log *log, const struct store_conf *conf)
{
	struct index_conf ix = {conf->map_size ? conf->map_size : MAP_SIZE, 0, log->store};
	uint64_t size = conf->segment_size ? conf->segment_size : SEGMENT_SIZE;
	struct place end;
	struct err e = disk_open(log->disk, log->dir_fd, "lock", O_RDWR | O_CREAT, &log->lock_fd);

	if (is_ok(e))
		e = disk_lock(log->disk, log->lock_fd);
	if (is_ok(e))
		e = open_format(log, conf->random);
	if (!is_ok(e))
		return e;
	segments_init(&log->segments, log->disk, log->dir_fd, log->store);
	ix.key = log->key;
	e = index_open(&log->index, &ix);
	if (is_ok(e))
		e = recover(&log->segments, log->index, &end);
	if (!is_ok(e))
		return e;
	if (end.segment == 0)
		return append_first(&log->append, &log->segments, conf->random, size);
	return append_init(&log->append, &log->segments, conf->random, size, &end);
}

struct err
log_engine_open(struct engine **out, const struct store_conf *conf)
{
	struct log *log = calloc(1, sizeof(*log));
	struct err e;

	if (!log)
		return ERR(ERR_MEMORY, 0, "store");
	log->engine = (struct engine){
	    .commit = log_commit,
	    .version = log_version,
	    .get = log_get,
	    .range = log_range,
	    .blob_size = log_blob_size,
	    .blob_read = log_blob_read,
	    .close = log_close,
	};
	log->disk = conf->disk;
	log->dir_fd = conf->dir_fd;
	log->lock_fd = log->append.fd = -1;
	log->changes = buf_init(SIZE_MAX / 2);
	log->fault = OK;
	log->room = malloc(FRAME_MAX);
	segments_init(&log->segments, log->disk, log->dir_fd, log->store);
	e = log->room ? open_log(log, conf) : ERR(ERR_MEMORY, 0, "store");
	if (is_ok(e))
		*out = &log->engine;
	else
		log_close(&log->engine);
	return e;
}

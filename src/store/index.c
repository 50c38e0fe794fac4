/*
 * index.c - the index in LMDB.  Five tables; docs/store.md has each row's bytes.
 *
 * LMDB flushes twice for a commit, the data and then the page that makes it valid.  MDB_NOMETASYNC
 * leaves out the second: a crash may then undo the last transaction, but never half of one, since
 * the next one's first flush makes that page durable before any page it still needs is used again.
 * The log, which is synced before, brings an undone transaction back, because each row set here,
 * the place among them, belongs to the same transaction.  MDB_NOSYNC and MDB_WRITEMAP would leave
 * the order of pages to the kernel and are never set.
 */
#include "store/index.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>

#include "store/sum.h"

enum table { KEYS, SHARDS, OPS, BLOBS, META, TABLES };
static const char *const tables[TABLES] = {"keys", "shards", "ops", "blobs", "meta"};

enum {
	SUM = 8,
	NAME_MAX_BYTES = SHARD_SIZE + STORE_KEY_MAX + 1, /* a range may begin behind any key */
	/* What a transaction writes, generously: */
	PAGES_A_COMMIT = 64, /* the upper pages of all tables, and the list of free pages */
	PAGES_A_CHANGE = 3,  /* leaves, and upper pages that no other change shares */
	PAGES_A_PAGE = 2,   /* for each page of values: those above 2 KiB have pages of their own */
	HELD_BACK = 256,    /* pages of the map that only deletions may take (attack 142) */
	GROW = 1024 * 1024, /* disk space is reserved by as much at once */
};
enum { FREE_TABLE = 0 }; /* LMDB's own: lists of free pages, their number first */

struct index {
	MDB_env *env;
	MDB_dbi dbi[TABLES];
	MDB_txn *write, *read; /* read is kept, and is `looking` or reset */
	MDB_txn *txn;          /* the one of them that is in use */
	uint64_t key;
	uint64_t page;     /* bytes of one */
	uint64_t reserved; /* bytes of the file that have blocks, at least */
};

static struct err
refused(int r)
{
	switch (r) {
	case MDB_SUCCESS:
		return OK;
	case MDB_NOTFOUND:
		return ERR(ERR_NOTFOUND, 0, "no such row");
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR(ERR_FULL, r, "index: no room");
	case ENOMEM:
		return ERR(ERR_MEMORY, r, "index");
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
		return ERR(ERR_CORRUPT, r, "index");
	default:
		return r > 0 ? ERR(ERR_IO, r, "index") : ERR(ERR_LIBRARY, r, "lmdb");
	}
}

/* LMDB does not write through what it is given; its type cannot say so. */
static MDB_val
val_of(struct bytes b)
{
	MDB_val v = {b.n, NULL};

	memcpy(&v.mv_data, &b.p, sizeof(b.p));
	return v;
}

static struct bytes
bytes_in(MDB_val v)
{
	return (struct bytes){v.mv_data, v.mv_size};
}

static uint64_t
sum_row(const struct index *ix, struct bytes name, struct bytes value)
{
	return sum_of(ix->key, sum_of(ix->key, 0, name), value);
}

/* A row without its sum, which was checked. */
static struct err
check(const struct index *ix, struct bytes name, struct bytes row, struct bytes *out)
{
	struct rd r = rd_of(row);
	uint64_t sum = rd_u64(&r);

	*out = rd_rest(&r);
	return r.bad || sum != sum_row(ix, name, *out) ? ERR(ERR_CORRUPT, 0, "a row of the index")
	                                               : OK;
}

static struct err
get(struct index *ix, enum table t, struct bytes name, struct bytes *out)
{
	MDB_val key = val_of(name), value;
	int r = mdb_get(ix->txn, ix->dbi[t], &key, &value);

	return r ? refused(r) : check(ix, name, bytes_in(value), out);
}

static struct err
put(struct index *ix, enum table t, struct bytes name, struct bytes a, struct bytes b)
{
	MDB_val key = val_of(name), value = {SUM + a.n + b.n, NULL};
	int r = mdb_put(ix->txn, ix->dbi[t], &key, &value, MDB_RESERVE);
	struct wr w = wr_of(value.mv_data, r ? 0 : value.mv_size);

	if (r)
		return refused(r);
	wr_u64(&w, 0);
	wr_bytes(&w, a);
	wr_bytes(&w, b);
	w = wr_of(value.mv_data, value.mv_size);
	wr_u64(&w, sum_row(ix, name, (struct bytes){w.p + SUM, value.mv_size - SUM}));
	return OK;
}

static struct err
del(struct index *ix, enum table t, struct bytes name)
{
	MDB_val key = val_of(name);
	int r = mdb_del(ix->txn, ix->dbi[t], &key, NULL);

	return r == MDB_NOTFOUND ? OK : refused(r);
}

static struct bytes
name_of(uint8_t room[NAME_MAX_BYTES], struct shard_id shard, struct bytes key)
{
	struct wr w = wr_of(room, NAME_MAX_BYTES);

	shard_write(&w, shard);
	wr_bytes(&w, key);
	assert(!w.full);
	return wr_since(&w, room);
}

static void
row_read(struct bytes b, struct index_row *out)
{
	struct rd r = rd_of(b);

	id_read(&r, out->blob.id);
	out->value = rd_rest(&r);
}

/* ---- opening ---- */

static struct err
open_tables(struct index *ix, const uint8_t *store)
{
	struct bytes name = BYTES("store"), mine = {store, 16}, found;
	struct err e = index_begin(ix);
	int r = 0;

	for (int i = 0; is_ok(e) && !r && i < TABLES; i++)
		r = mdb_dbi_open(ix->txn, tables[i], MDB_CREATE, &ix->dbi[i]);
	if (is_ok(e))
		e = refused(r);
	if (is_ok(e))
		e = get(ix, META, name, &found);
	if (e.code == ERR_NOTFOUND)
		e = put(ix, META, name, mine, NO_BYTES);
	else if (is_ok(e) && !bytes_eq(found, mine))
		e = ERR(ERR_CORRUPT, 0, "the index belongs to another log");
	if (is_ok(e))
		return index_commit(ix);
	index_end(ix);
	return e;
}

struct err
index_open(struct index **out, const struct index_conf *conf)
{
	struct index *ix = calloc(1, sizeof(*ix));
	const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOMETASYNC;
	MDB_stat stat = {0};
	struct err e;
	int r, stale;

	if (!ix)
		return ERR(ERR_MEMORY, 0, "index");
	ix->key = conf->key;
	r = mdb_env_create(&ix->env);
	if (!r)
		r = mdb_env_set_maxdbs(ix->env, TABLES);
	if (!r)
		r = mdb_env_set_mapsize(ix->env, conf->map_size);
	if (!r)
		r = mdb_env_open(ix->env, "index", flags, 0600);
	if (!r) /* a reader that was killed would keep its pages from being used again */
		r = mdb_reader_check(ix->env, &stale);
	if (!r)
		r = mdb_env_stat(ix->env, &stat);
	ix->page = stat.ms_psize;
	e = refused(r);
	if (is_ok(e))
		e = open_tables(ix, conf->store);
	if (is_ok(e))
		*out = ix;
	else
		index_close(ix);
	return e;
}

void
index_close(struct index *ix)
{
	if (!ix)
		return;
	index_end(ix);
	if (ix->read)
		mdb_txn_abort(ix->read);
	if (ix->env)
		mdb_env_close(ix->env);
	free(ix);
}

/* ---- transactions ---- */

static int
renew(struct index *ix)
{
	return ix->read ? mdb_txn_renew(ix->read)
	                : mdb_txn_begin(ix->env, NULL, MDB_RDONLY, &ix->read);
}

struct err
index_look(struct index *ix)
{
	int r;

	assert(!ix->txn);
	r = renew(ix);
	if (!r)
		ix->txn = ix->read;
	return refused(r);
}

struct err
index_begin(struct index *ix)
{
	int r;

	assert(!ix->txn);
	r = mdb_txn_begin(ix->env, NULL, 0, &ix->write);
	if (!r)
		ix->txn = ix->write;
	return refused(r);
}

void
index_end(struct index *ix)
{
	if (ix->txn == ix->read && ix->read)
		mdb_txn_reset(ix->read);
	else if (ix->txn)
		mdb_txn_abort(ix->write);
	ix->txn = ix->write = NULL;
}

/* Pages that earlier transactions gave back.  LMDB shows them to a reader only. */
static struct err
count_free(struct index *ix, uint64_t *out)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int r = renew(ix);

	*out = 0;
	if (!r)
		r = mdb_cursor_open(ix->read, FREE_TABLE, &cursor);
	while (!r && !(r = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
		size_t n = 0;

		if (value.mv_size >= sizeof(n))
			memcpy(&n, value.mv_data, sizeof(n));
		*out += n;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	if (ix->read)
		mdb_txn_reset(ix->read);
	return r == MDB_NOTFOUND ? OK : refused(r);
}

static struct err
reserve_blocks(struct index *ix, uint64_t end)
{
	int fd, r = 0;

	if (end <= ix->reserved)
		return OK;
	end = (end + GROW - 1) / GROW * GROW;
	r = mdb_env_get_fd(ix->env, &fd);
	while (!r && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)end))
		if (errno != EINTR)
			r = errno;
	if (r && r != EOPNOTSUPP)
		return refused(r);
	ix->reserved = end;
	return OK;
}

/*
 * LMDB finds room for its list of free pages, and writes, at the commit: when the log is synced
 * already and nothing can be called off.  So room in the map is counted, and blocks are asked for,
 * before that.  A page that is used again is written in place, where it has blocks.
 */
struct err
index_reserve(struct index *ix, const struct index_load *load)
{
	MDB_envinfo info;
	uint64_t pages = PAGES_A_COMMIT + load->changes * PAGES_A_CHANGE +
	                 load->bytes / ix->page * PAGES_A_PAGE,
		 held = load->grows ? HELD_BACK : 0, free_pages;
	int r = mdb_env_info(ix->env, &info);
	struct err e;

	if (r)
		return refused(r);
	if ((info.me_last_pgno + 1 + pages + held) * ix->page > info.me_mapsize) {
		e = count_free(ix, &free_pages);
		if (!is_ok(e))
			return e;
		if (free_pages + info.me_mapsize / ix->page < info.me_last_pgno + 1 + pages + held)
			return ERR(ERR_FULL, 0, "the index's map is full");
	}
	return reserve_blocks(ix, (info.me_last_pgno + 1 + pages) * ix->page);
}

struct err
index_commit(struct index *ix)
{
	int r = mdb_txn_commit(ix->write);

	ix->txn = ix->write = NULL;
	return refused(r);
}

/* ---- reading ---- */

struct err
index_place(struct index *ix, struct place *out)
{
	struct bytes b;
	struct err e = get(ix, META, BYTES("place"), &b);
	struct rd r = rd_of(is_ok(e) ? b : NO_BYTES);

	out->segment = rd_u64(&r);
	out->offset = rd_u64(&r);
	out->group = rd_u64(&r);
	out->prev = rd_u64(&r);
	return e;
}

struct err
index_get(struct index *ix, struct shard_id shard, struct bytes key, struct index_row *out)
{
	uint8_t room[NAME_MAX_BYTES];
	struct bytes b;
	struct err e = get(ix, KEYS, name_of(room, shard, key), &b);

	if (is_ok(e))
		row_read(b, out);
	return e;
}

struct err
index_blob(struct index *ix, struct blob_id blob, struct index_blob *out)
{
	struct bytes b;
	struct err e = get(ix, BLOBS, (struct bytes){blob.id, sizeof(blob.id)}, &b);
	struct rd r = rd_of(is_ok(e) ? b : NO_BYTES);

	out->segment = rd_u64(&r);
	out->offset = rd_u64(&r);
	out->length = rd_u64(&r);
	out->keeps = rd_u64(&r);
	return e;
}

/* A shard's version, and how many operation ids it was ever told. */
static struct err
get_shard(struct index *ix, struct shard_id shard, uint64_t *version, uint64_t *ops)
{
	uint8_t room[NAME_MAX_BYTES];
	struct bytes b;
	struct err e = get(ix, SHARDS, name_of(room, shard, NO_BYTES), &b);
	struct rd r = rd_of(is_ok(e) ? b : NO_BYTES);

	*version = rd_u64(&r);
	*ops = rd_u64(&r);
	return e.code == ERR_NOTFOUND ? OK : e;
}

struct err
index_version(struct index *ix, struct shard_id shard, uint64_t *out)
{
	uint64_t ops;

	return get_shard(ix, shard, out, &ops);
}

struct err
index_seen(struct index *ix, struct shard_id shard, struct op_id op, bool *out)
{
	uint8_t room[NAME_MAX_BYTES];
	struct bytes b;
	struct err e = get(ix, OPS, name_of(room, shard, (struct bytes){op.id, sizeof(op.id)}), &b);

	*out = is_ok(e);
	return e.code == ERR_NOTFOUND ? OK : e;
}

struct err
index_range(struct index *ix, struct shard_id shard, struct bytes from, struct bytes to,
            index_each *fn, void *owner)
{
	uint8_t room[NAME_MAX_BYTES];
	MDB_cursor *cursor = NULL;
	MDB_val key = val_of(name_of(room, shard, from)), value;
	struct err e = OK;
	int r = mdb_cursor_open(ix->txn, ix->dbi[KEYS], &cursor);

	for (unsigned op = MDB_SET_RANGE; is_ok(e) && !r; op = MDB_NEXT) {
		struct bytes name, row, k;
		struct index_row out;

		r = mdb_cursor_get(cursor, &key, &value, op);
		name = r ? NO_BYTES : bytes_in(key);
		if (r || name.n < SHARD_SIZE || memcmp(name.p, room, SHARD_SIZE) != 0)
			break;
		k = (struct bytes){name.p + SHARD_SIZE, name.n - SHARD_SIZE};
		if (to.n && bytes_cmp(k, to) >= 0)
			break;
		e = check(ix, name, bytes_in(value), &row);
		if (!is_ok(e))
			break;
		row_read(row, &out);
		if (!fn(owner, k, &out))
			break;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	return is_ok(e) && r && r != MDB_NOTFOUND ? refused(r) : e;
}

/* ---- changing ---- */

struct err
index_set_place(struct index *ix, const struct place *at)
{
	uint8_t room[4 * 8];
	struct wr w = wr_of(room, sizeof(room));

	wr_u64(&w, at->segment);
	wr_u64(&w, at->offset);
	wr_u64(&w, at->group);
	wr_u64(&w, at->prev);
	return put(ix, META, BYTES("place"), wr_since(&w, room), NO_BYTES);
}

struct err
index_add_blob(struct index *ix, struct blob_id blob, const struct index_blob *b)
{
	uint8_t room[4 * 8];
	struct wr w = wr_of(room, sizeof(room));

	wr_u64(&w, b->segment);
	wr_u64(&w, b->offset);
	wr_u64(&w, b->length);
	wr_u64(&w, b->keeps);
	return put(ix, BLOBS, (struct bytes){blob.id, sizeof(blob.id)}, wr_since(&w, room),
	           NO_BYTES);
}

/* One key more, or one less, keeps this blob. */
static struct err
keep(struct index *ix, struct blob_id blob, bool more)
{
	struct index_blob b;
	struct err e;

	if (blob_is_none(blob))
		return OK;
	e = index_blob(ix, blob, &b);
	if (e.code == ERR_NOTFOUND || (is_ok(e) && !more && b.keeps == 0))
		return ERR(ERR_CORRUPT, 0, "a key keeps a blob that is not there");
	if (!is_ok(e))
		return e;
	b.keeps = more ? b.keeps + 1 : b.keeps - 1;
	return index_add_blob(ix, blob, &b);
}

static struct err
apply_key(struct index *ix, struct shard_id shard, const struct change *c)
{
	uint8_t room[NAME_MAX_BYTES];
	struct bytes name = name_of(room, shard, c->key);
	struct blob_id new_blob = c->kind == CHANGE_PUT ? c->blob : BLOB_NONE;
	struct index_row old = {NO_BYTES, BLOB_NONE};
	struct err e = index_get(ix, shard, c->key, &old);

	if (e.code == ERR_NOTFOUND)
		e = OK;
	if (is_ok(e) && !blob_eq(old.blob, new_blob)) {
		struct blob_id gone = old.blob;

		e = keep(ix, new_blob, true);
		if (is_ok(e))
			e = keep(ix, gone, false);
	}
	if (!is_ok(e))
		return e;
	if (c->kind == CHANGE_DELETE)
		return del(ix, KEYS, name);
	return put(ix, KEYS, name, (struct bytes){c->blob.id, sizeof(c->blob.id)}, c->value);
}

/*
 * The ids of a shard stand in a ring: a row of two bytes, the place in the ring, says which id is
 * there; a row of sixteen, the id, says that it was seen.  What falls out of the ring is forgotten.
 */
static struct err
remember(struct index *ix, struct shard_id shard, struct op_id op, uint64_t nth)
{
	uint8_t room[NAME_MAX_BYTES], old_room[NAME_MAX_BYTES], at[2];
	struct wr w = wr_of(at, sizeof(at));
	struct bytes slot, id = {op.id, sizeof(op.id)}, old;
	struct err e;

	wr_u16(&w, (uint16_t)(nth % STORE_OPS_KEPT));
	slot = name_of(room, shard, (struct bytes){at, sizeof(at)});
	e = get(ix, OPS, slot, &old);
	if (is_ok(e))
		e = del(ix, OPS, name_of(old_room, shard, old));
	if (is_ok(e) || e.code == ERR_NOTFOUND)
		e = put(ix, OPS, slot, id, NO_BYTES);
	if (is_ok(e))
		e = put(ix, OPS, name_of(room, shard, id), NO_BYTES, NO_BYTES);
	return e;
}

static struct err
apply_shard(struct index *ix, const struct change *c)
{
	uint8_t room[NAME_MAX_BYTES], value[2 * 8];
	struct wr w = wr_of(value, sizeof(value));
	uint64_t version, ops;
	struct err e = get_shard(ix, c->shard, &version, &ops);

	if (is_ok(e) && c->version != version + 1)
		return ERR(ERR_CORRUPT, 0, "the log and the index disagree on a version");
	if (is_ok(e) && !op_is_none(c->op))
		e = remember(ix, c->shard, c->op, ops++);
	if (!is_ok(e))
		return e;
	wr_u64(&w, c->version);
	wr_u64(&w, ops);
	return put(ix, SHARDS, name_of(room, c->shard, NO_BYTES), wr_since(&w, value), NO_BYTES);
}

struct err
index_apply(struct index *ix, struct bytes changes)
{
	struct rd r = rd_of(changes);
	struct shard_id shard = {0, {0}};
	struct change c;
	struct err e = OK;

	while (is_ok(e) && changes_next(&r, &c)) {
		if (c.kind == CHANGE_SHARD) {
			shard = c.shard;
			e = apply_shard(ix, &c);
		} else if (shard.kind == 0 || c.key.n == 0 || c.key.n > STORE_KEY_MAX) {
			r.bad = true;
		} else {
			e = apply_key(ix, shard, &c);
		}
	}
	return is_ok(e) && r.bad ? ERR(ERR_CORRUPT, 0, "changes in the log") : e;
}

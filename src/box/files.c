/*
 * files.c - the words about files, and uploads from their first octet to their place.
 *
 * Invariants:
 * 1. An upload is in the list and in the map of tokens from file_write to its end; its hidden file
 *    is there as long, and goes with it unless it was put in its place.
 * 2. Only the handle and front that began an upload can end it.
 * 3. `code` 0 for a commit is said after the file, then its new folder, were synced.
 * 4. One slice of an upload's work is done in a turn of the loop.
 */
#include "box/files.h"

#include "base/map.h"
#include "base/random.h"
#include "base/text.h"
#include "box/files_purge.h"
#include "box/files_tree.h"
#include "talk/report.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	ROWS_MAX = 57344,    /* file_list's limit */
	BOUNCE = 256 * 1024, /* octets copied at once where the kernel cannot copy by itself */
};

enum stage { COPYING, FILLING, SYNCING };

struct upload {
	struct files *files;
	struct upload *next, **link;
	uint32_t token;
	struct talk_id handle;
	enum role role;
	uint8_t instance;
	uint64_t account;
	char name[TREE_HIDDEN];
	uint8_t *path;
	size_t path_n;
	enum stage stage;
	struct asker asker; /* of file_write while COPYING, of file_commit while SYNCING */
	struct loop_task task;
	int fd, from;     /* the hidden file, while there is work; COPYING: the old one */
	uint64_t at, end; /* the work that is done, and all of it */
};

struct files {
	struct files_env env;
	struct upload *first;
	struct map tokens;
	uint32_t last_token;
	struct files_purge *purge; /* of an account that was removed; NULL: none is under way */
	struct loop_task removal;  /* where it could not begin */
	struct err why;
	files_removed *removed;
	void *removed_owner;
	uint64_t reads, commits, drops, refused, swept, removals;
};

/* ---- uploads ---- */

static struct bytes
token_key(const uint32_t *token)
{
	return (struct bytes){(const uint8_t *)token, sizeof(*token)};
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
upload_free(struct upload *u)
{
	loop_defer_stop(u->files->env.loop, &u->task);
	close_fd(&u->fd);
	close_fd(&u->from);
	map_remove(&u->files->tokens, token_key(&u->token));
	*u->link = u->next;
	if (u->next)
		u->next->link = u->link;
	free(u->path);
	free(u);
}

static void
upload_drop(struct upload *u)
{
	int root;

	u->files->drops++;
	if (is_ok(tree_root(u->files->env.areas, u->account, &root))) {
		tree_drop(root, u->name);
		close(root);
	}
	upload_free(u);
}

static struct upload *
upload_new(struct files *f, const struct handle *h, struct bytes path)
{
	struct upload *u = calloc(1, sizeof(*u));
	uint8_t bits[(TREE_HIDDEN - 1) / 2];
	struct wr w;

	if (!u)
		return NULL;
	*u = (struct upload){.files = f,
	                     .handle = h->id,
	                     .role = h->role,
	                     .instance = h->instance,
	                     .account = h->account,
	                     .fd = -1,
	                     .from = -1,
	                     .path = malloc(path.n),
	                     .path_n = path.n};
	do
		u->token = ++f->last_token;
	while (!u->token || map_get(&f->tokens, token_key(&u->token)));
	if (!u->path || !map_put(&f->tokens, token_key(&u->token), u)) {
		free(u->path);
		free(u);
		return NULL;
	}
	memcpy(u->path, path.p, path.n);
	random_fill(f->env.random, bits, sizeof(bits));
	w = wr_of(u->name, sizeof(u->name) - 1);
	text_hex(&w, (struct bytes){bits, sizeof(bits)});
	u->next = f->first;
	u->link = &f->first;
	if (u->next)
		u->next->link = &u->next;
	f->first = u;
	return u;
}

/* ---- the kept part of a file that is written on ---- */

static void
answer_write(struct files *f, struct asker asker, const struct upload *u, struct err e)
{
	struct talk_file_write_answer answer = {.code = talk_code(e)};
	int fd = is_ok(e) ? u->fd : -1;

	if (is_ok(e)) {
		answer.token = u->token;
		answer.offset = u->at;
	} else {
		f->refused++;
	}
	peers_answer(f->env.peers, asker, talk_file_write_answer_out(&answer), fd);
}

/* Where copy_file_range() cannot: through memory. */
static ssize_t
copy_by_hand(struct upload *u, size_t n)
{
	uint8_t *room = malloc(BOUNCE);
	ssize_t got, put = 0;

	if (!room)
		return -1;
	got = pread(u->from, room, n < BOUNCE ? n : BOUNCE, (off_t)u->at);
	while (got > 0 && put < got) {
		ssize_t r = write(u->fd, room + put, (size_t)(got - put));

		if (r < 0) {
			got = -1;
			break;
		}
		put += r;
	}
	free(room);
	return got;
}

static struct err
copy_slice(struct upload *u)
{
	size_t n = u->end - u->at < FILES_SLICE ? (size_t)(u->end - u->at) : FILES_SLICE;
	off_t from = (off_t)u->at;
	ssize_t r = copy_file_range(u->from, &from, u->fd, NULL, n, 0);

	if (r < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
		r = copy_by_hand(u, n);
	if (r < 0)
		return TREE_ERROR("copy the part that is kept");
	if (r == 0)
		return ERR(ERR_RANGE, 0, "the file became shorter");
	u->at += (uint64_t)r;
	return OK;
}

static void
copy_on(void *owner)
{
	struct upload *u = owner;
	struct err e = copy_slice(u);

	if (is_ok(e) && u->at < u->end) {
		loop_defer(u->files->env.loop, &u->task, copy_on, u);
		return;
	}
	u->stage = FILLING;
	answer_write(u->files, u->asker, u, e);
	close_fd(&u->from);
	close_fd(&u->fd);
	if (!is_ok(e))
		upload_drop(u);
}

/* The old file, as far as it is kept. */
static struct err
open_kept(struct upload *u, int root, struct bytes path, enum file_how how, uint64_t offset)
{
	struct tree_facts facts;
	struct err e;

	if (how == FILE_REPLACE || (how == FILE_RESUME && !offset))
		return OK;
	e = tree_read(root, path, &u->from, &facts);
	if (e.code == ERR_NOTFOUND)
		return how == FILE_APPEND ? OK
		                          : ERR(ERR_RANGE, 0, "there is no file to go on with");
	if (!is_ok(e))
		return e;
	u->end = how == FILE_APPEND ? facts.size : offset;
	return u->end > facts.size ? ERR(ERR_RANGE, 0, "the file is shorter") : OK;
}

static bool
may_write_more(const struct files *f, const struct handle *h)
{
	size_t own = 0;

	if (map_count(&f->tokens) >= FILES_UPLOADS_MAX)
		return false;
	for (const struct upload *u = f->first; u; u = u->next)
		own += memcmp(&u->handle, &h->id, sizeof(h->id)) == 0 && u->role == h->role &&
		       u->instance == h->instance;
	return own < FILES_SESSION_UPLOADS_MAX;
}

static void
write_new(struct files *f, const struct handle *h, int root, const struct talk_file_write *t,
          struct asker asker)
{
	struct upload *u = upload_new(f, h, t->path);
	struct err e;

	if (!u) {
		answer_write(f, asker, NULL, ERR(ERR_MEMORY, 0, "an upload"));
		return;
	}
	u->asker = asker;
	e = open_kept(u, root, t->path, (enum file_how)t->how, t->offset);
	if (is_ok(e))
		e = tree_hide(root, u->name, &u->fd);
	if (!is_ok(e)) {
		answer_write(f, asker, u, e);
		upload_free(u);
		return;
	}
	u->stage = COPYING;
	if (u->end) {
		loop_defer(f->env.loop, &u->task, copy_on, u);
		return;
	}
	u->stage = FILLING;
	answer_write(f, asker, u, OK);
	close_fd(&u->from);
	close_fd(&u->fd);
}

/* ---- an upload's way to its place ---- */

static void
committed(struct upload *u, int root, struct err e)
{
	struct files *f = u->files;
	struct talk_file_commit_answer answer;

	if (is_ok(e))
		e = tree_put(root, u->name, (struct bytes){u->path, u->path_n});
	answer.code = talk_code(e);
	peers_answer(f->env.peers, u->asker, talk_file_commit_answer_out(&answer), -1);
	if (is_ok(e)) {
		f->commits++;
		upload_free(u);
	} else {
		f->refused++;
		upload_drop(u);
	}
}

/*
 * What a slice has brought to the disk the last fsync need not wait for.  A disk that failed is told
 * here or there, once for each descriptor: so both count.
 */
static struct err
sync_slice(struct upload *u)
{
	const unsigned how =
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	if (u->at < u->end) {
		if (sync_file_range(u->fd, (off_t)u->at, FILES_SLICE, how) != 0 &&
		    errno != ENOSYS && errno != EINVAL && errno != ESPIPE)
			return TREE_ERROR("sync a file");
		u->at += FILES_SLICE;
		return OK;
	}
	return fsync(u->fd) != 0 ? TREE_ERROR("sync a file") : OK;
}

static void
sync_on(void *owner)
{
	struct upload *u = owner;
	bool last = u->at >= u->end;
	struct err e = sync_slice(u);
	int root;

	if (is_ok(e) && !last) {
		loop_defer(u->files->env.loop, &u->task, sync_on, u);
		return;
	}
	if (is_ok(e)) {
		e = tree_root(u->files->env.areas, u->account, &root);
		if (is_ok(e)) {
			committed(u, root, OK);
			close(root);
			return;
		}
	}
	committed(u, -1, e);
}

static struct err
commit(struct upload *u, int root)
{
	struct stat st;
	struct err e = tree_hidden(root, u->name, &u->fd);

	if (!is_ok(e))
		return e;
	if (fstat(u->fd, &st) != 0)
		return TREE_ERROR("look at an upload");
	u->stage = SYNCING;
	u->at = 0;
	u->end = (uint64_t)st.st_size;
	loop_defer(u->files->env.loop, &u->task, sync_on, u);
	return OK;
}

/* ---- accounts that were removed ---- */

/* Who waits is told; there is no more of an upload whose account is gone. */
static void
upload_deny(struct upload *u)
{
	const struct err e = ERR(ERR_DENIED, 0, "the account is gone");
	const struct talk_file_commit_answer answer = {.code = talk_code(e)};

	if (u->stage == COPYING)
		answer_write(u->files, u->asker, u, e);
	else if (u->stage == SYNCING)
		peers_answer(u->files->env.peers, u->asker, talk_file_commit_answer_out(&answer),
		             -1);
	upload_drop(u);
}

static void
purged(void *owner, struct err e)
{
	struct files *f = owner;

	files_purge_free(f->purge);
	f->purge = NULL;
	f->removals += is_ok(e);
	f->removed(f->removed_owner, e);
}

static void
not_begun(void *owner)
{
	struct files *f = owner;

	purged(f, f->why);
}

/* ---- words ---- */

/* The session's account, its tree open; else why not. */
static struct err
enter(struct files *f, const struct peer *p, struct talk_id id, struct handle **h, int *root)
{
	*root = -1;
	if (f->env.areas < 0)
		return ERR(ERR_LATER, 0, "there are no areas");
	*h = handles_find(f->env.handles, id, p->role, p->instance);
	if (!*h)
		return ERR(ERR_DENIED, 0, "no handle of this front");
	return tree_root(f->env.areas, (*h)->account, root);
}

/* The upload, if it is this session's. */
static struct upload *
find_upload(struct files *f, const struct peer *p, struct talk_id handle, uint32_t token)
{
	struct upload *u = map_get(&f->tokens, token_key(&token));

	if (!u || memcmp(&u->handle, &handle, sizeof(handle)) != 0 || u->role != p->role ||
	    u->instance != p->instance)
		return NULL;
	return u;
}

static void
leave_root(int root)
{
	if (root >= 0)
		close(root);
}

static void
on_stat(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_stat_answer answer = {.code = 0};
	struct tree_facts facts = {.size = 0};
	struct talk_file_stat t;
	struct handle *h;
	struct err e;
	int root;

	if (!talk_file_stat_get(&w->body, &t))
		return;
	e = enter(f, p, t.handle, &h, &root);
	if (is_ok(e))
		e = tree_stat(root, t.path, &facts);
	if (is_ok(e)) {
		answer.kind = (uint8_t)facts.kind;
		answer.size = facts.size;
		answer.modified_s = facts.modified_s;
	}
	answer.code = talk_code(e);
	chan_answer(p->chan, w->seq, talk_file_stat_answer_out(&answer), -1);
	leave_root(root);
}

static void
on_list(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_list_answer answer = {.code = 0};
	uint8_t *room = malloc(ROWS_MAX);
	struct wr rows = wr_of(room, room ? ROWS_MAX : 0);
	struct talk_file_list t;
	struct handle *h;
	bool more = false;
	struct err e;
	int root = -1;

	if (!talk_file_list_get(&w->body, &t)) {
		free(room);
		return;
	}
	answer.cursor = t.cursor;
	e = room ? enter(f, p, t.handle, &h, &root) : ERR(ERR_MEMORY, 0, "a page");
	if (is_ok(e))
		e = tree_list(root, t.path, &answer.cursor, &more, &rows);
	answer.code = talk_code(e);
	answer.more = more;
	answer.rows = is_ok(e) ? wr_since(&rows, room) : NO_BYTES;
	chan_answer(p->chan, w->seq, talk_file_list_answer_out(&answer), -1);
	leave_root(root);
	free(room);
}

static void
on_read(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_read_answer answer = {.code = 0};
	struct tree_facts facts = {.size = 0};
	struct talk_file_read t;
	struct handle *h;
	struct err e;
	int root, fd = -1;

	if (!talk_file_read_get(&w->body, &t))
		return;
	e = enter(f, p, t.handle, &h, &root);
	if (is_ok(e))
		e = tree_read(root, t.path, &fd, &facts);
	if (is_ok(e)) {
		answer.size = facts.size;
		answer.modified_s = facts.modified_s;
		f->reads++;
	}
	answer.code = talk_code(e);
	chan_answer(p->chan, w->seq, talk_file_read_answer_out(&answer), fd);
	close_fd(&fd);
	leave_root(root);
}

static void
on_write(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct asker asker = peers_asker(p, w);
	struct talk_file_write t;
	struct handle *h;
	struct err e;
	int root;

	if (!talk_file_write_get(&w->body, &t))
		return;
	e = enter(f, p, t.handle, &h, &root);
	if (is_ok(e) && (t.how < FILE_REPLACE || t.how > FILE_RESUME))
		e = ERR(ERR_SYNTAX, 0, "how to write");
	if (is_ok(e) && !may_write_more(f, h))
		e = ERR(ERR_LATER, 0, "too many uploads");
	if (is_ok(e))
		e = tree_place(root, t.path);
	if (is_ok(e))
		write_new(f, h, root, &t, asker);
	else
		answer_write(f, asker, NULL, e);
	leave_root(root);
}

static void
on_commit(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_commit_answer answer = {.code = 0};
	struct talk_file_commit t;
	struct upload *u = NULL;
	struct handle *h;
	struct err e;
	int root;

	if (!talk_file_commit_get(&w->body, &t))
		return;
	e = enter(f, p, t.handle, &h, &root);
	if (is_ok(e)) {
		u = find_upload(f, p, t.handle, t.token);
		e = u && u->stage == FILLING ? OK : ERR(ERR_NOTFOUND, 0, "no such upload");
	}
	if (is_ok(e)) {
		u->asker = peers_asker(p, w);
		e = commit(u, root);
		if (!is_ok(e))
			upload_drop(u);
	}
	answer.code = talk_code(e);
	if (!is_ok(e))
		chan_answer(p->chan, w->seq, talk_file_commit_answer_out(&answer), -1);
	leave_root(root);
}

static void
on_drop(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_drop t;
	struct upload *u;

	if (!talk_file_drop_get(&w->body, &t))
		return;
	u = find_upload(f, p, t.handle, t.token);
	if (u)
		upload_drop(u);
}

static void
on_change(struct files *f, const struct peer *p, struct chan_word *w)
{
	struct talk_file_change_answer answer = {.code = 0};
	struct talk_file_change t;
	struct handle *h;
	struct err e;
	int root;

	if (!talk_file_change_get(&w->body, &t))
		return;
	e = enter(f, p, t.handle, &h, &root);
	if (is_ok(e) && (t.what < FILE_MAKE_FOLDER || t.what > FILE_RENAME))
		e = ERR(ERR_SYNTAX, 0, "what to change");
	if (is_ok(e))
		e = tree_change(root, (enum file_change)t.what, t.path, t.to);
	answer.code = talk_code(e);
	chan_answer(p->chan, w->seq, talk_file_change_answer_out(&answer), -1);
	leave_root(root);
}

/* ---- public ---- */

struct err
files_open(struct files **out, const struct files_env *env)
{
	struct files *f = calloc(1, sizeof(*f));
	uint8_t key[16];

	if (!f)
		return ERR(ERR_MEMORY, 0, "files");
	f->env = *env;
	random_fill(env->random, key, sizeof(key));
	map_init(&f->tokens, key);
	if (env->areas >= 0)
		f->swept = tree_sweep(env->areas);
	*out = f;
	return OK;
}

void
files_close(struct files *f)
{
	if (!f)
		return;
	while (f->first)
		upload_drop(f->first);
	loop_defer_stop(f->env.loop, &f->removal);
	files_purge_free(f->purge);
	map_free(&f->tokens);
	free(f);
}

void
files_word(struct files *f, const struct peer *p, struct chan_word *w)
{
	switch ((int)w->word) {
	case WORD_FILE_STAT:
		on_stat(f, p, w);
		break;
	case WORD_FILE_LIST:
		on_list(f, p, w);
		break;
	case WORD_FILE_READ:
		on_read(f, p, w);
		break;
	case WORD_FILE_WRITE:
		on_write(f, p, w);
		break;
	case WORD_FILE_COMMIT:
		on_commit(f, p, w);
		break;
	case WORD_FILE_DROP:
		on_drop(f, p, w);
		break;
	case WORD_FILE_CHANGE:
		on_change(f, p, w);
		break;
	}
}

void
files_leave(struct files *f, struct talk_id handle, enum role role, uint8_t instance)
{
	struct upload *next;

	for (struct upload *u = f->first; u; u = next) {
		next = u->next;
		if (memcmp(&u->handle, &handle, sizeof(handle)) == 0 && u->role == role &&
		    u->instance == instance)
			upload_drop(u);
	}
}

void
files_remove(struct files *f, uint64_t account, files_removed *removed, void *owner)
{
	struct upload *next;

	assert(!f->purge);
	for (struct upload *u = f->first; u; u = next) {
		next = u->next;
		if (u->account == account)
			upload_deny(u);
	}
	f->removed = removed;
	f->removed_owner = owner;
	f->why = files_purge_new(&f->purge, f->env.loop, f->env.areas, account,
	                         random_u64(f->env.random), purged, f);
	if (!is_ok(f->why))
		loop_defer(f->env.loop, &f->removal, not_begun, f);
}

void
files_front_gone(struct files *f, enum role role, uint8_t instance)
{
	struct upload *next;

	for (struct upload *u = f->first; u; u = next) {
		next = u->next;
		if (u->role == role && u->instance == instance)
			upload_drop(u);
	}
}

void
files_status(const struct files *f, struct wr *counters)
{
	report_put_counter(counters, "uploads", map_count(&f->tokens));
	report_put_counter(counters, "files_read", f->reads);
	report_put_counter(counters, "files_written", f->commits);
	report_put_counter(counters, "uploads_dropped", f->drops);
	report_put_counter(counters, "files_refused", f->refused);
	report_put_counter(counters, "uploads_swept", f->swept);
	report_put_counter(counters, "areas_removed", f->removals);
}

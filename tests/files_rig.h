/*
 * files_rig.h - the files of box over a real folder, with fronts that ask over simulated channels.
 * Each question is asked and its answer waited for; the descriptor that came with it is the test's.
 */
#ifndef TESTS_FILES_RIG_H
#define TESTS_FILES_RIG_H

#include "base/random.h"
#include "box/files.h"
#include "net/loop_sim.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka wants the ones above first */
#include <cmocka.h>

enum { FILES_RIG_FRONTS = 2 };

struct files_rig {
	char folder[64];
	int areas;
	struct loop *loop;
	struct random *random;
	struct handles *handles;
	struct peers *peers;
	struct files *files;
	struct chan *front[FILES_RIG_FRONTS];
	unsigned as; /* which front asks */
	/* what came of the last question */
	int calls, fd;
	uint8_t code, kind;
	bool more;
	uint32_t token;
	uint64_t size, offset, cursor;
	uint8_t rows[57344];
	size_t rows_n;
};

static inline void
files_rig_word(void *owner, const struct peer *p, struct chan_word *w)
{
	struct files_rig *r = owner;

	files_word(r->files, p, w);
}

static inline void
files_rig_gone(void *owner, const struct peer *p, struct err why)
{
	struct files_rig *r = owner;

	(void)why;
	files_front_gone(r->files, p->role, p->instance);
}

static inline void
files_rig_heard(void *owner, struct chan *c, struct chan_word *w)
{
	(void)owner, (void)c, (void)w;
}

static inline void
files_rig_lost(void *owner, struct chan *c, struct err why)
{
	(void)owner, (void)c, (void)why;
}

static const struct peers_handlers files_rig_peers = {files_rig_word, NULL, files_rig_gone};
static const struct chan_handlers files_rig_front = {files_rig_heard, files_rig_lost};

static inline struct talk_id
files_rig_handle(uint8_t n)
{
	return (struct talk_id){.b = {n, 7}};
}

static inline void
files_rig_open(struct files_rig *r)
{
	struct files_env env = {
	    .loop = r->loop, .random = r->random, .handles = r->handles, .areas = r->areas};

	assert_true(is_ok(peers_open(&r->peers, r->loop, ROLE_BOX, &files_rig_peers, r)));
	env.peers = r->peers;
	assert_true(is_ok(files_open(&r->files, &env)));
	for (uint8_t i = 0; i < FILES_RIG_FRONTS; i++) {
		int fd[2];

		assert_true(is_ok(loop_pair(r->loop, LOOP_MESSAGES, fd)));
		assert_true(is_ok(chan_open(&r->front[i], r->loop, fd[1], ROLE_FTP, ROLE_BOX,
		                            &files_rig_front, r)));
		assert_true(is_ok(peers_add(r->peers, ROLE_FTP, i, fd[0])));
	}
}

/* Handle n of front 0 is account n's; of front 1, too, for n >= 100. */
static inline void
files_rig_init(struct files_rig *r)
{
	static const uint8_t key[16] = {3};

	memset(r, 0, sizeof(*r));
	snprintf(r->folder, sizeof(r->folder), "/tmp/stead-files-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	r->areas = open(r->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->areas >= 0);
	r->fd = -1;
	r->random = random_seeded(1);
	r->handles = handles_new(key);
	assert_true(is_ok(loop_sim_open(&r->loop, 1)));
	for (uint8_t n = 1; n <= 2; n++) {
		assert_true(
		    is_ok(handles_grant(r->handles, files_rig_handle(n), n, ROLE_FTP, 0, 0)));
		assert_true(is_ok(handles_grant(r->handles, files_rig_handle((uint8_t)(100 + n)), n,
		                                ROLE_FTP, 1, 0)));
	}
	files_rig_open(r);
}

/* A process that ends by kill -9 cleans nothing up: `killed` keeps what lies in the folder. */
static inline void
files_rig_close(struct files_rig *r)
{
	peers_hang_up(r->peers);
	for (size_t i = 0; i < FILES_RIG_FRONTS; i++)
		chan_close(r->front[i]);
	files_close(r->files);
	peers_close(r->peers);
	sim_run(r->loop, 100);
}

static inline void
files_rig_fini(struct files_rig *r)
{
	char command[128];

	if (r->fd >= 0)
		close(r->fd);
	files_rig_close(r);
	assert_int_equal(sim_open_fds(r->loop), 0);
	loop_close(r->loop);
	handles_free(r->handles);
	random_close(r->random);
	close(r->areas);
	snprintf(command, sizeof(command), "rm -rf %s", r->folder);
	assert_int_equal(system(command), 0);
}

/* ---- questions ---- */

static inline void
files_rig_answered(void *owner, struct err e, struct chan_word *w)
{
	struct files_rig *r = owner;
	union {
		struct talk_file_stat_answer stat;
		struct talk_file_list_answer list;
		struct talk_file_read_answer read;
		struct talk_file_write_answer write;
		struct talk_file_commit_answer commit;
		struct talk_file_change_answer change;
	} a;

	r->calls++;
	r->code = ERR_LATER;
	if (!is_ok(e))
		return;
	if (w->word == WORD_FILE_STAT && talk_file_stat_answer_get(&w->body, &a.stat)) {
		r->code = a.stat.code;
		r->kind = a.stat.kind;
		r->size = a.stat.size;
	} else if (w->word == WORD_FILE_LIST && talk_file_list_answer_get(&w->body, &a.list)) {
		r->code = a.list.code;
		r->more = a.list.more;
		r->cursor = a.list.cursor;
		r->rows_n = a.list.rows.n;
		if (r->rows_n)
			memcpy(r->rows, a.list.rows.p, r->rows_n);
	} else if (w->word == WORD_FILE_READ && talk_file_read_answer_get(&w->body, &a.read)) {
		r->code = a.read.code;
		r->size = a.read.size;
	} else if (w->word == WORD_FILE_WRITE && talk_file_write_answer_get(&w->body, &a.write)) {
		r->code = a.write.code;
		r->token = a.write.token;
		r->offset = a.write.offset;
	} else if (w->word == WORD_FILE_COMMIT &&
	           talk_file_commit_answer_get(&w->body, &a.commit)) {
		r->code = a.commit.code;
	} else if (w->word == WORD_FILE_CHANGE &&
	           talk_file_change_answer_get(&w->body, &a.change)) {
		r->code = a.change.code;
	}
	r->fd = chan_take_fd(w);
}

static inline uint8_t
files_rig_ask(struct files_rig *r, struct talk_out word)
{
	struct chan_ask ask = {.chan = NULL};

	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->calls = 0;
	assert_true(is_ok(chan_ask(r->front[r->as], &ask, word, -1, 60000, files_rig_answered, r)));
	while (!r->calls)
		sim_run(r->loop, 10);
	return r->code;
}

static inline struct talk_id
files_rig_who(const struct files_rig *r, uint8_t account)
{
	return files_rig_handle((uint8_t)(account + 100 * r->as));
}

static inline uint8_t
files_rig_stat(struct files_rig *r, uint8_t account, const char *path)
{
	const struct talk_file_stat t = {.handle = files_rig_who(r, account),
	                                 .path = bytes_of(path)};

	return files_rig_ask(r, talk_file_stat_out(&t));
}

static inline uint8_t
files_rig_list(struct files_rig *r, uint8_t account, const char *path, uint64_t cursor)
{
	const struct talk_file_list t = {
	    .handle = files_rig_who(r, account), .path = bytes_of(path), .cursor = cursor};

	return files_rig_ask(r, talk_file_list_out(&t));
}

static inline uint8_t
files_rig_read(struct files_rig *r, uint8_t account, const char *path)
{
	const struct talk_file_read t = {.handle = files_rig_who(r, account),
	                                 .path = bytes_of(path)};

	return files_rig_ask(r, talk_file_read_out(&t));
}

static inline uint8_t
files_rig_write(struct files_rig *r, uint8_t account, const char *path, enum file_how how,
                uint64_t offset)
{
	const struct talk_file_write t = {.handle = files_rig_who(r, account),
	                                  .path = bytes_of(path),
	                                  .how = (uint8_t)how,
	                                  .offset = offset};

	return files_rig_ask(r, talk_file_write_out(&t));
}

static inline uint8_t
files_rig_commit(struct files_rig *r, uint8_t account, uint32_t token)
{
	const struct talk_file_commit t = {.handle = files_rig_who(r, account), .token = token};

	return files_rig_ask(r, talk_file_commit_out(&t));
}

static inline uint8_t
files_rig_change(struct files_rig *r, uint8_t account, enum file_change what, const char *path,
                 const char *to)
{
	const struct talk_file_change t = {.handle = files_rig_who(r, account),
	                                   .what = (uint8_t)what,
	                                   .path = bytes_of(path),
	                                   .to = bytes_of(to)};

	return files_rig_ask(r, talk_file_change_out(&t));
}

/* Writes a text as a file, whole. */
static inline void
files_rig_put(struct files_rig *r, uint8_t account, const char *path, const char *text)
{
	uint32_t token;

	assert_int_equal(files_rig_write(r, account, path, FILE_REPLACE, 0), 0);
	token = r->token;
	assert_int_equal(write(r->fd, text, strlen(text)), strlen(text));
	assert_int_equal(files_rig_commit(r, account, token), 0);
}

/* Is this what a file holds? */
static inline bool
files_rig_holds(struct files_rig *r, uint8_t account, const char *path, const char *text)
{
	char room[4096];
	ssize_t n;

	if (files_rig_read(r, account, path) != 0)
		return false;
	n = pread(r->fd, room, sizeof(room), 0);
	return n == (ssize_t)strlen(text) && memcmp(room, text, (size_t)n) == 0;
}

/* Files in an account's hidden folder. */
static inline int
files_rig_hidden(struct files_rig *r, unsigned account)
{
	char command[160];
	FILE *f;
	int n = -1;

	snprintf(command, sizeof(command), "ls %s/%u/.stead-tmp 2>/dev/null | wc -l", r->folder,
	         account);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &n), 1);
	pclose(f);
	return n;
}

#endif

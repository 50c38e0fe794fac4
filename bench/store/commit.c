/*
 * commit.c - how fast the store makes messages durable: bodies of 8 KiB with one key each, 1 and 64
 * per commit, beside a bare append and fdatasync of the same bytes.  Each timed commit is followed
 * by the bare one, since a disk's speed changes from one second to the next: the ratio is the result.
 *
 *	cc -O2 -D_GNU_SOURCE -Isrc -o commit bench/store/commit.c build/src/store/libstore.a \
 *	    build/src/base/libbase.a -llmdb
 *	commit FOLDER [commits]		FOLDER is empty, on the disk to be measured
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "store/disk.h"
#include "store/store.h"

enum { BODY = 8192, MOST = 64, COMMITS = 400 };

struct message {
	struct store_body body;
	struct store_change change;
	struct blob_id blob;
	uint8_t key[5], row[80];
};

static uint8_t bytes[MOST * BODY];
static struct message messages[MOST];
static size_t answered;

static void
die(const char *what, struct err e)
{
	fprintf(stderr, "commit: %s: %s: %s\n", what, err_text(e), e.why);
	exit(1);
}

static void
done(void *owner, struct err e, uint64_t version)
{
	(void)owner;
	(void)version;
	if (!is_ok(e))
		die("done", e);
	answered++;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
hand_in(struct store *s, struct message *m, uint32_t uid, size_t nth)
{
	struct wr w = wr_of(m->key, sizeof(m->key));

	wr_u8(&w, 'm');
	wr_u32(&w, uid);
	m->blob = store_blob_new(s);
	m->body = (struct store_body){.bytes = {bytes + nth * BODY, BODY}, .fd = -1};
	m->change = (struct store_change){.kind = STORE_PUT,
	                                  .key = {m->key, sizeof(m->key)},
	                                  .value = {m->row, sizeof(m->row)},
	                                  .blob = m->blob};
	store_blob_put(s, m->blob, &m->body, done, NULL);
	store_submit(s, shard_number(SHARD_MAILBOX, uid * 2654435761u % 100), STORE_ANY, OP_NONE,
	             &m->change, 1, done, NULL);
}

static double
commit(struct store *s, size_t n)
{
	static uint32_t uid;
	double start = seconds();
	struct err e;

	answered = 0;
	for (size_t i = 0; i < n; i++)
		hand_in(s, &messages[i], ++uid, i);
	e = store_turn(s);
	if (!is_ok(e) || answered != 2 * n)
		die("store_turn", e);
	return seconds() - start;
}

static double
append(int fd, size_t n)
{
	double start = seconds();

	if (write(fd, bytes, n * BODY) != (ssize_t)(n * BODY) || fdatasync(fd) != 0) {
		perror("commit: append");
		exit(1);
	}
	return seconds() - start;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
measure(struct store *s, int fd, size_t n, size_t commits)
{
	double *ours = calloc(commits, sizeof(*ours)), *bare = calloc(commits, sizeof(*bare));
	double sum_ours = 0, sum_bare = 0;

	for (size_t i = 0; i < commits; i++) {
		sum_ours += ours[i] = commit(s, n);
		sum_bare += bare[i] = append(fd, n);
	}
	qsort(ours, commits, sizeof(*ours), by_size);
	qsort(bare, commits, sizeof(*bare), by_size);
	printf("%2zu per commit: %8.0f bodies/s, commit p50 %.3f ms, bare p50 %.3f ms, ratio p50 "
	       "%.2f mean %.2f\n",
	       n, (double)(n * commits) / sum_ours, ours[commits / 2] * 1e3,
	       bare[commits / 2] * 1e3, ours[commits / 2] / bare[commits / 2], sum_ours / sum_bare);
	free(ours);
	free(bare);
}

int
main(int argc, char **argv)
{
	size_t commits = argc > 2 ? strtoul(argv[2], NULL, 10) : COMMITS;
	struct random *random = random_seeded(1);
	struct store_conf conf = {.engine = STORE_LOG, .disk = disk_real(), .random = random};
	struct store *s;
	struct err e;
	int fd;

	if (argc < 2 || chdir(argv[1]) != 0) {
		fprintf(stderr, "usage: commit FOLDER [commits]\n");
		return 2;
	}
	conf.dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open("bare", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	random_fill(random, bytes, sizeof(bytes));
	e = store_open(&s, &conf);
	if (!is_ok(e))
		die("store_open", e);
	measure(s, fd, 1, commits);
	measure(s, fd, MOST, commits / 4 + 1);
	store_close(s);
	close(fd);
	close(conf.dir_fd);
	random_close(random);
	return 0;
}

/*
 * What the libraries need must work in a sealed and loud cage: libuv, OpenSSL, LMDB, crypt(3), the C
 * library's memory and threads.  A call that a row lacks names itself and fails the test.
 */
#include "crypt/password.h"
#include "net/cage.h"
#include "tls_client.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define TALK  (CAGE_STDIO | CAGE_TALK)
#define FILES (CAGE_FILES_READ | CAGE_FILES_WRITE)

/* In the role's process a claim that fails ends it; the number of the line is told on stderr. */
#define CLAIM(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #x, strerror(errno));       \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static char base[] = "/tmp/stead-life-XXXXXX";
static int folder;

static void
seal(const char *name, uint32_t promises)
{
	static struct cage_row row; /* cage.h wants rows that stay */
	struct cage_folder f = {folder, true};
	struct cage c = {
	    .row = &row,
	    .root = -1,
	    .folders = &f,
	    .folders_n = promises & FILES ? 1 : 0,
	    .loud = true,
	};
	struct cage_report report = {{0}, 0};

	row = (struct cage_row){name, promises, 64, 8, 1 << 30};
	CLAIM(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CLAIM(is_ok(cage_seal(&c, &report)));
}

/* Runs `life` in a process of its own; it is to come back from it. */
static void
live(void (*life)(void))
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		alarm(60);
		for (int i = 1; i < 32; i++) /* cmocka's would go on with the next test */
			if (i != SIGKILL && i != SIGSTOP)
				signal(i, SIG_DFL);
		life();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

/* ---- the C library ---- */

static void
memory_life(void)
{
	void *all[64];
	struct timespec t;
	struct rlimit l;

	seal("memory", CAGE_STDIO);
	for (size_t round = 0; round < 4; round++) {
		for (size_t i = 0; i < COUNT(all); i++) {
			all[i] = malloc((size_t)1 << (i % 23));
			CLAIM(all[i]);
			memset(all[i], 1, 1 << (i % 23));
		}
		for (size_t i = 0; i < COUNT(all); i += 2)
			CLAIM((all[i] = realloc(all[i], 3000000)));
		for (size_t i = 0; i < COUNT(all); i++)
			free(all[i]);
	}
	CLAIM(clock_gettime(CLOCK_MONOTONIC, &t) == 0 && usleep(10) == 0);
	CLAIM(getrlimit(RLIMIT_NOFILE, &l) == 0);
	CLAIM(prctl(PR_SET_NAME, "stead") == 0);
	CLAIM(sysconf(_SC_PHYS_PAGES) > 0 && sysconf(_SC_PAGESIZE) > 0);
	fprintf(stderr, "a line from within\n");
}

static void
memory_works(void **state)
{
	(void)state;
	live(memory_life);
}

/* ---- libuv, channels, shared memory ---- */

struct turns {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_poll_t poll;
	uv_signal_t signal;
	uv_async_t async;
	uv_pipe_t pipe;
	int pair[2], seen;
};

static void
on_timer(uv_timer_t *h)
{
	struct turns *t = h->data;
	char byte = 'x';
	struct iovec v = {&byte, 1};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {{0}};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = u.room,
	                   .msg_controllen = sizeof(u.room)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CLAIM(fd >= 0 && ftruncate(fd, 8192) == 0);
	CLAIM(pwrite(fd, "image", 5, 0) == 5);
	CLAIM(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
	*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	CLAIM(sendmsg(t->pair[1], &m, MSG_NOSIGNAL) == 1);
	close(fd);
	uv_async_send(&t->async);
}

static void
on_readable(uv_poll_t *h, int status, int events)
{
	struct turns *t = h->data;
	char byte;
	struct iovec v = {&byte, 1};
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {{0}};
	struct msghdr m = {.msg_iov = &v,
	                   .msg_iovlen = 1,
	                   .msg_control = u.room,
	                   .msg_controllen = sizeof(u.room)};
	void *p;
	int fd;

	CLAIM(status == 0 && (events & UV_READABLE));
	CLAIM(recvmsg(t->pair[0], &m, MSG_CMSG_CLOEXEC) == 1);
	CLAIM(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	CLAIM(p != MAP_FAILED && memcmp(p, "image", 5) == 0);
	munmap(p, 8192);
	close(fd);
	uv_poll_stop(h);
	t->seen++;
	raise(SIGUSR1);
}

static void
on_signal(uv_signal_t *h, int number)
{
	struct turns *t = h->data;

	CLAIM(number == SIGUSR1);
	t->seen++;
	uv_stop(&t->loop);
}

static void
on_async(uv_async_t *h)
{
	((struct turns *)h->data)->seen++;
}

static void
loop_life(void)
{
	static struct turns t;

	CLAIM(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, t.pair) == 0);
	seal("loop", TALK | CAGE_MEMFD);
	CLAIM(uv_loop_init(&t.loop) == 0); /* inside: nothing is opened by name */
	CLAIM(uv_timer_init(&t.loop, &t.timer) == 0);
	CLAIM(uv_poll_init(&t.loop, &t.poll, t.pair[0]) == 0);
	CLAIM(uv_signal_init(&t.loop, &t.signal) == 0);
	CLAIM(uv_async_init(&t.loop, &t.async, on_async) == 0);
	t.timer.data = t.poll.data = t.signal.data = t.async.data = &t;
	CLAIM(uv_timer_start(&t.timer, on_timer, 1, 0) == 0);
	CLAIM(uv_poll_start(&t.poll, UV_READABLE, on_readable) == 0);
	CLAIM(uv_signal_start(&t.signal, on_signal, SIGUSR1) == 0);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	CLAIM(t.seen >= 2);
	uv_close((uv_handle_t *)&t.timer, NULL);
	uv_close((uv_handle_t *)&t.poll, NULL);
	uv_close((uv_handle_t *)&t.signal, NULL);
	uv_close((uv_handle_t *)&t.async, NULL);
	uv_run(&t.loop, UV_RUN_DEFAULT);
	CLAIM(uv_loop_close(&t.loop) == 0);
}

static void
loops_work(void **state)
{
	(void)state;
	live(loop_life);
}

/* ---- OpenSSL ---- */

static void
tls_life(void)
{
	struct tls_server *s;

	CLAIM(is_ok(tls_start()));
	(void)setup(NULL);
	s = server("imaps", true, P256, RSA2048);
	seal("front", TALK | CAGE_ACCEPT);
	for (size_t i = 0; i < 20; i++) {
		struct client c = {.version = i & 1 ? TLS1_2_VERSION : TLS1_3_VERSION,
		                   .host = hosts[i % KEYS],
		                   .session = i % 4 == 3 ? kept : NULL};
		bool resumed;

		CLAIM(visit(s, &c, &resumed));
		CLAIM(is_ok(tls_server_rotate(s)));
	}
	/* What goes wrong works, too: reasons are words already loaded. */
	{
		struct wr none = wr_of(NULL, 0);
		struct rd in = rd_of(BYTES("GET / HTTP/1.1\r\n\r\n"));
		struct tls *t;

		CLAIM(is_ok(tls_new(&t, s)));
		CLAIM(tls_step(t, &in, &none) == TLS_BROKEN && strlen(tls_reason(t)));
		tls_free(t);
	}
	/* A reload in the cage: a new server from new certificates. */
	tls_server_free(s);
	s = server("imaps", true, P256, P384);
	tls_server_free(s);
}

static void
tls_works(void **state)
{
	(void)state;
	live(tls_life);
}

static void
keys_life(void)
{
	struct sign_key *k;
	uint8_t pem[SIGN_PEM_MAX], random[PASSWORD_RANDOM] = {1};
	struct wr w = wr_of(pem, sizeof(pem));
	struct password_record r;

	CLAIM(is_ok(digest_start()));
	seal("keys", TALK);
	CLAIM(is_ok(sign_key_generate(&k)) && is_ok(sign_key_save(k, &w)));
	sign_key_free(k);
	CLAIM(is_ok(sign_key_load(&k, wr_since(&w, pem))));
	sign_key_free(k);
	CLAIM(is_ok(password_make(BYTES("pencil"), PASSWORD_COST, random, &r)));
	CLAIM(is_ok(password_check(&r, BYTES("pencil"))));
}

static void
keys_and_passwords_work(void **state)
{
	(void)state;
	live(keys_life);
}

/* ---- files, LMDB, threads ---- */

static void *
sync_thread(void *env)
{
	return (void *)(intptr_t)mdb_env_sync(env, 1);
}

static void
put_and_get(MDB_env *env, MDB_dbi dbi)
{
	MDB_txn *txn;
	char name[] = "key", text[] = "value";
	MDB_val key = {3, name}, value = {5, text};

	CLAIM(mdb_txn_begin(env, NULL, 0, &txn) == 0);
	CLAIM(mdb_put(txn, dbi, &key, &value, 0) == 0 && mdb_txn_commit(txn) == 0);
	CLAIM(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0);
	CLAIM(mdb_get(txn, dbi, &key, &value) == 0 && value.mv_size == 5);
	mdb_txn_abort(txn);
}

static void
files_life(void)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	pthread_t thread;
	void *back;
	struct stat st;
	int fd;

	CLAIM(fchdir(folder) == 0 && mkdir("db", 0700) == 0);
	CLAIM(mdb_env_create(&env) == 0 && mdb_env_open(env, "db", 0, 0600) == 0);
	CLAIM(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
	CLAIM(mdb_txn_commit(txn) == 0);
	seal("box", TALK | CAGE_MEMFD | FILES | CAGE_THREADS);
	put_and_get(env, dbi);
	CLAIM(pthread_create(&thread, NULL, sync_thread, env) == 0);
	CLAIM(pthread_join(thread, &back) == 0 && back == NULL);
	mdb_env_close(env);
	/* And opened from within. */
	CLAIM(mdb_env_create(&env) == 0 && mdb_env_open(env, "db", 0, 0600) == 0);
	CLAIM(mdb_txn_begin(env, NULL, 0, &txn) == 0 && mdb_dbi_open(txn, NULL, 0, &dbi) == 0);
	CLAIM(mdb_txn_commit(txn) == 0);
	put_and_get(env, dbi);
	mdb_env_close(env);
	fd = open("new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CLAIM(fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0 && fsync(fd) == 0);
	CLAIM(posix_fallocate(fd, 0, 4096) == 0 && ftruncate(fd, 10) == 0);
	CLAIM(fstat(fd, &st) == 0 && st.st_size == 10 && stat("new", &st) == 0);
	close(fd);
	CLAIM(rename("new", "newer") == 0 && access("newer", F_OK) == 0);
	CLAIM(unlink("newer") == 0 && unlink("db/data.mdb") == 0 && unlink("db/lock.mdb") == 0);
	CLAIM(rmdir("db") == 0 && mkdir("d", 0700) == 0 && rmdir("d") == 0);
}

static void
files_work(void **state)
{
	(void)state;
	live(files_life);
}

/* ---- sockets ---- */

static void
resolve_life(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET}, tcp = a;
	socklen_t n = sizeof(a);
	char buffer[2][16];
	struct iovec v[2] = {{buffer[0], 16}, {buffer[1], 16}};
	struct mmsghdr m[2] = {{{.msg_iov = &v[0], .msg_iovlen = 1}, 0},
	                       {{.msg_iov = &v[1], .msg_iovlen = 1}, 0}};
	int one = 1, listener, udp, out;

	a.sin_addr.s_addr = tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLAIM(bind(listener, (struct sockaddr *)&tcp, sizeof(tcp)) == 0 &&
	      listen(listener, 5) == 0);
	CLAIM(getsockname(listener, (struct sockaddr *)&tcp, &n) == 0);
	seal("resolve", TALK | CAGE_ACCEPT | CAGE_DATAGRAMS | CAGE_UDP_OPEN | CAGE_TCP_OPEN);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CLAIM(udp >= 0 && bind(udp, (struct sockaddr *)&a, sizeof(a)) == 0);
	n = sizeof(a);
	CLAIM(getsockname(udp, (struct sockaddr *)&a, &n) == 0);
	CLAIM(setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &(int){1 << 18}, sizeof(int)) == 0);
	CLAIM(sendto(udp, "hi", 2, 0, (struct sockaddr *)&a, sizeof(a)) == 2);
	m[0].msg_hdr.msg_name = &a;
	m[0].msg_hdr.msg_namelen = sizeof(a);
	v[0].iov_len = 2;
	CLAIM(sendmmsg(udp, m, 1, 0) == 1);
	m[0].msg_hdr.msg_name = NULL;
	CLAIM(recvmmsg(udp, m, 2, 0, NULL) == 2);
	out = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	CLAIM(out >= 0 &&
	      (connect(out, (struct sockaddr *)&tcp, sizeof(tcp)) == 0 || errno == EINPROGRESS));
	CLAIM(setsockopt(out, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one)) == 0);
	CLAIM(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) >= 0);
}

static void
sockets_work(void **state)
{
	(void)state;
	live(resolve_life);
}

static int
begin_all(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(base));
	folder = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return folder < 0;
}

static int
end_all(void **state)
{
	(void)state;
	close(folder);
	return rmdir(base);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_works),
	    cmocka_unit_test(loops_work),
	    cmocka_unit_test(tls_works),
	    cmocka_unit_test(files_work),
	    cmocka_unit_test(keys_and_passwords_work),
	    cmocka_unit_test(sockets_work),
	};

	return cmocka_run_group_tests(tests, begin_all, end_all);
}

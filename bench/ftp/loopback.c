/*
 * loopback FILE CONNS MODE - the limit of this machine for moving FILE over TCP on 127.0.0.1, without any protocol:
 *   sendfile    sendfile() -> recv() into 256 KiB
 *   discard     sendfile() -> recv(MSG_TRUNC), nothing copied out
 *   write       write() from 1 MiB of memory -> recv() into 256 KiB
 *   store       write() from 1 MiB of memory -> recv() into 256 KiB -> write() to a new file in the directory STORE
 *   tls         pread + SSL_write 16 KiB -> SSL_read, TLS 1.3 AES-256-GCM (needs CERT and KEY files in the environment)
 * One sending and one receiving process per connection. Prints MiB/s.
 */
#include "net.h"
#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void
send_side(int s, const char *file, const char *mode, off_t size)
{
	static char buf[1 << 20];
	int f = open(file, O_RDONLY);
	off_t off = 0;
	if (f < 0)
		die("%s: %s", file, strerror(errno));
	if (!strcmp(mode, "tls")) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
		SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
		if (SSL_CTX_use_certificate_file(ctx, getenv("CERT"), SSL_FILETYPE_PEM) != 1 ||
		    SSL_CTX_use_PrivateKey_file(ctx, getenv("KEY"), SSL_FILETYPE_PEM) != 1)
			die("CERT or KEY");
		SSL *ssl = SSL_new(ctx);
		SSL_set_fd(ssl, s);
		if (SSL_accept(ssl) != 1)
			die("SSL_accept");
		for (ssize_t r; (r = pread(f, buf, 16384, off)) > 0; off += r)
			if (SSL_write(ssl, buf, (int)r) != r)
				die("SSL_write");
		SSL_shutdown(ssl);
	} else if (!strcmp(mode, "write") || !strcmp(mode, "store"))
		for (; off < size; off += (off_t)sizeof buf)
			write_all(s, buf, sizeof buf);
	else
		while (off < size)
			if (sendfile(s, f, &off, (size_t)(size - off)) <= 0)
				die("sendfile: %s", strerror(errno));
	_exit(0);
}

static void
recv_side(int s, const char *mode)
{
	static char buf[262144];
	if (!strcmp(mode, "store")) {
		char path[4096];
		snprintf(path, sizeof path, "%s/loopback.%d",
		         getenv("STORE") ? getenv("STORE") : ".", (int)getpid());
		int f = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
		for (ssize_t r; (r = recv(s, buf, sizeof buf, 0)) > 0;)
			if (write(f, buf, (size_t)r) != r)
				die("%s: %s", path, strerror(errno));
		unlink(path);
		_exit(0);
	}
	if (!strcmp(mode, "tls")) {
		SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
		SSL *ssl = SSL_new(ctx);
		SSL_set_fd(ssl, s);
		if (SSL_connect(ssl) != 1)
			die("SSL_connect");
		while (SSL_read(ssl, buf, sizeof buf) > 0)
			;
	} else
		while (recv(s, buf, sizeof buf, !strcmp(mode, "discard") ? MSG_TRUNC : 0) > 0)
			;
	_exit(0);
}

int
main(int argc, char **argv)
{
	struct stat st;
	if (argc < 4 || stat(argv[1], &st))
		die("usage: loopback FILE CONNS sendfile|discard|write|store|tls");
	int n = atoi(argv[2]);
	uint64_t t0 = now_ns();
	for (int i = 0; i < n; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET};
		socklen_t al = sizeof a;
		int l = socket(AF_INET, SOCK_STREAM, 0);
		a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		if (bind(l, (struct sockaddr *)&a, sizeof a) || listen(l, 1) ||
		    getsockname(l, (struct sockaddr *)&a, &al))
			die("listen: %s", strerror(errno));
		int c = tcp_dial(ntohs(a.sin_port)), s = accept(l, NULL, NULL);
		if (!fork()) {
			close(c);
			send_side(s, argv[1], argv[3], st.st_size);
		}
		close(s);
		if (!fork())
			recv_side(c, argv[3]);
		close(c);
		close(l);
	}
	int bad = 0;
	for (int w; wait(&w) > 0;)
		bad |= w;
	printf("mib_per_s %.1f\n",
	       (double)st.st_size * n / 1048576 / ((double)(now_ns() - t0) / 1e9));
	return bad != 0;
}

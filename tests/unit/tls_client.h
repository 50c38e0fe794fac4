/*
 * tls_client.h - for tests: keys and certificates, our server with them, and the library's own
 * client beside it in memory.
 */
#ifndef TESTS_TLS_CLIENT_H
#define TESTS_TLS_CLIENT_H

#include "crypt/certificate.h"
#include "crypt/sign.h"
#include "net/tls.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { P256, P384, RSA2048, KEYS };

/* Each key has a certificate, and each certificate a host of its own. */
extern struct sign_key *keys[KEYS];
extern struct bytes chains[KEYS];
extern const char *const hosts[KEYS];

extern SSL_SESSION *kept; /* the last ticket of any client */

/* What was asked of the keys role, and whether it is to refuse. */
extern struct asked {
	unsigned calls;
	uint32_t key;
	uint16_t scheme;
	bool refuse;
} asked;

/* A group's fixtures: starts TLS and makes all the keys. */
int setup(void **state);
int teardown(void **state);
void make_key(size_t i, EVP_PKEY *native); /* takes it */
/* The keys role, in this process: a tls_sign(). */
struct err sign(void *owner, uint32_t key, uint16_t scheme, struct bytes message,
                struct wr *signature);
/* A server with the certificates from `first` to `last`, for ALPN "imap" and "x-other". */
struct tls_server *server(const char *protocol, bool strict, size_t first, size_t last);

struct client {
	int version; /* 0: any */
	const char *host, *suites;
	struct bytes alpn; /* as on the wire */
	SSL_SESSION *session;
	size_t cut; /* bytes handed over at a time; 0: all */
	SSL_CTX *context;
	SSL *ssl;
	int alert; /* the fatal one that came */
};

void client_begin(struct client *);
void client_end(struct client *);
/* What the client has to say, to the server in pieces. */
enum tls_want to_server(struct client *, struct tls *, struct wr *plain);
void to_client(struct client *, struct tls *);
/* Both, until both are done or one refuses: the server's last want. */
enum tls_want shake(struct client *, struct tls *);
/* An orderly end, from the client first. */
void part(struct client *, struct tls *);
/* One handshake; true when it came to its end, and *resumed whether by the client's ticket. */
bool visit(struct tls_server *, struct client *, bool *resumed);

#endif

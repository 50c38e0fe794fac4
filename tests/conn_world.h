/*
 * conn_world.h - a key, its certificate, and both sides of TLS made from them, for tests of
 * connections.
 */
#ifndef TESTS_CONN_WORLD_H
#define TESTS_CONN_WORLD_H

#include "base/buf.h"
#include "crypt/certificate.h"
#include "crypt/sign.h"
#include "net/conn.h"
#include "net/loop_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct tls_world {
	struct sign_key *key;
	struct tls_server *server;
	struct tls_client *client;
	uint8_t pem[CERTIFICATE_MAX];
};

static struct err
world_sign(void *owner, uint32_t key, uint16_t scheme, struct bytes message, struct wr *signature)
{
	(void)key;
	return sign_message(owner, SIGN_TLS, scheme, message, signature);
}

static inline void
world_open(struct tls_world *w)
{
	struct bytes name = BYTES("mx.example.org");
	struct certificate_subject s = {
	    .common_name = name, .names = &name, .n = 1, .days = 2, .serial = {1}};
	struct tls_server_conf conf = {.protocol = BYTES("test"), .sign = world_sign};
	struct wr pem = wr_of(w->pem, sizeof(w->pem));
	struct bytes chain;

	assert_true(is_ok(tls_start()));
	assert_true(is_ok(sign_key_generate(&w->key)));
	s.from = (int64_t)time(NULL) - 3600;
	assert_true(is_ok(certificate_make(w->key, &s, &pem)));
	chain = wr_since(&pem, w->pem);
	conf.owner = w->key;
	assert_true(is_ok(tls_server_new(&w->server, &conf)));
	assert_true(is_ok(tls_server_add(w->server, chain, 0)));
	assert_true(is_ok(tls_client_new(&w->client, chain)));
}

static inline void
world_close(struct tls_world *w)
{
	tls_server_free(w->server);
	tls_client_free(w->client);
	sign_key_free(w->key);
}

#endif

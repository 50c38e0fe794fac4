/*
 * A TLS server that a stranger talks to in pieces: the first byte of each piece is its length.  It
 * never holds more to send than it said, and after its end it says nothing else.
 */
#include "net/tls.h"
#include "crypt/certificate.h"
#include "crypt/sign.h"
#include <assert.h>
#include <stdlib.h>

static struct sign_key *key;

static struct err
sign(void *owner, uint32_t number, uint16_t scheme, struct bytes message, struct wr *signature)
{
	(void)owner, (void)number;
	return sign_message(key, SIGN_TLS, scheme, message, signature);
}

static struct tls_server *
server(void)
{
	static uint8_t pem[CERTIFICATE_MAX];
	const struct bytes name = BYTES("example.org"), alpn = BYTES("imap");
	const struct certificate_subject subject = {
	    .common_name = name, .names = &name, .n = 1, .from = 1790000000, .days = 397};
	const struct tls_server_conf conf = {.protocol = BYTES("imaps"),
	                                     .alpn = &alpn,
	                                     .alpn_n = 1,
	                                     .sni_strict = true,
	                                     .sign = sign};
	struct wr w = wr_of(pem, sizeof(pem));
	struct tls_server *s;
	bool good = is_ok(tls_start()) && is_ok(sign_key_generate(&key)) &&
	            is_ok(certificate_make(key, &subject, &w)) &&
	            is_ok(tls_server_new(&s, &conf)) &&
	            is_ok(tls_server_add(s, wr_since(&w, pem), 0));

	return good ? s : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct tls_server *s;
	struct rd pieces = rd_of((struct bytes){data, n});
	uint8_t room[64];
	struct tls *t;
	enum tls_want want = TLS_INPUT;

	if (!s)
		s = server();
	assert(s);
	if (!is_ok(tls_new(&t, s)))
		abort();
	while (want == TLS_INPUT && rd_left(&pieces)) {
		struct rd in = rd_of(rd_bytes8(&pieces));

		do {
			struct wr plain = wr_of(room, sizeof(room));

			want = tls_step(t, &in, &plain);
			assert(!plain.full && tls_out(t).n <= TLS_OUT_MAX);
		} while (want == TLS_ROOM);
		assert(want != TLS_INPUT || rd_left(&in) == 0);
	}
	assert(want == TLS_INPUT || tls_write(t, BYTES("x")) == 0);
	assert(!tls_is_open(t) || *tls_suite(t));
	(void)tls_host(t);
	(void)tls_reason(t);
	tls_close(t);
	tls_free(t);
	return 0;
}
